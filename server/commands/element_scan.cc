// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/element_scan.h"

namespace ouro {

std::optional<uint64_t> parse_scan_cursor(ByteView text) {
  const bool negative = text.starts_with('-');
  if (text.size() > 1 && (negative || text[0] == '+')) text.remove_prefix(1);
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value)) return std::nullopt;
  }
  return negative ? ~value + 1 : value;
}

Status parse_scan_options(const Context& ctx, ElementScan& scan) {
  ArgParser args(ctx.argv, 3);
  while (args.more()) {
    if (args.left() >= 2 && args.word("COUNT")) {
      const int64_t count = args.integer();
      if (count < 1) args.unexpected();
      scan.count = static_cast<uint64_t>(count);
    } else if (args.left() >= 2 && args.word("MATCH")) {
      scan.pattern = args.next();
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
