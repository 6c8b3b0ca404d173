// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/element_scan.h"

#include "datastructs/codec/number_text.h"

namespace ouro {

std::optional<uint64_t> parse_scan_cursor(ByteView text) {
  const bool negative = text.starts_with('-');
  if (text.size() > 1 && (negative || text[0] == '+')) text.remove_prefix(1);
  const auto value = parse_digits(text);
  if (!value) return std::nullopt;
  return negative ? 0 - *value : *value;
}

void reply_cursor(Reply& reply, uint64_t cursor) {
  char text[kInt64TextMax];
  reply.bulk({text, format_uint64(cursor, text)});
}

Status parse_scan_options(const Context& ctx, ElementScan& scan, ByteView names_only_word) {
  ArgParser args(ctx.argv, 3);
  while (args.more()) {
    if (args.left() >= 2 && args.word("COUNT")) {
      const int64_t count = args.integer();
      if (count < 1) args.unexpected();
      scan.count = static_cast<uint64_t>(count);
    } else if (args.left() >= 2 && args.word("MATCH")) {
      scan.pattern = args.next();
    } else if (!names_only_word.empty() && args.word(names_only_word)) {
      scan.names_only = true;
    } else {
      args.unexpected();
    }
  }
  return args.finish();
}

void reply_empty_scan(Reply& reply) {
  reply.array(2);
  reply.bulk("0");
  reply.array(0);
}

}  // namespace ouro
