// SPDX-License-Identifier: BSD-3-Clause
// LCS: the longest common subsequence of two strings, by the classic table of the lengths of all
// pairs of prefixes.
#include <limits>
#include <string>

#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

struct LcsOptions {
  bool length_only = false;
  bool ranges = false;
  bool with_range_length = false;
  int64_t range_bytes_min = 0;
};

// length(i, j) is what the first i bytes of `a` and the first j bytes of `b` have in common.
class LcsTable {
 public:
  LcsTable(Heap& heap, ByteView a, ByteView b)
      : heap_(heap),
        width_(b.size() + 1),
        cells_(static_cast<uint32_t*>(heap.allocate((a.size() + 1) * width_ * sizeof(uint32_t)))) {
    for (size_t j = 0; j < width_; ++j) cells_[j] = 0;
    for (size_t i = 1; i <= a.size(); ++i) {
      uint32_t* row = cells_ + i * width_;
      const uint32_t* above = row - width_;
      row[0] = 0;
      for (size_t j = 1; j < width_; ++j) {
        if (a[i - 1] == b[j - 1]) {
          row[j] = above[j - 1] + 1;
        } else {
          row[j] = above[j] > row[j - 1] ? above[j] : row[j - 1];
        }
      }
    }
  }
  ~LcsTable() { heap_.release(cells_); }
  LcsTable(const LcsTable&) = delete;
  LcsTable& operator=(const LcsTable&) = delete;

  uint32_t length(size_t i, size_t j) const { return cells_[i * width_ + j]; }

 private:
  Heap& heap_;
  size_t width_;
  uint32_t* cells_;
};

// Bytes [a, a + bytes) of the first string and [b, b + bytes) of the second are the same.
struct CommonRange {
  size_t a, b, bytes;
};

// Visits the runs of common bytes from the strings' ends to their beginnings.
void for_each_range(const LcsTable& table, ByteView a, ByteView b,
                    FunctionRef<void(CommonRange)> visit) {
  size_t i = a.size();
  size_t j = b.size();
  size_t run = 0;
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      --i;
      --j;
      ++run;
      continue;
    }
    if (run > 0) visit({i, j, run});
    run = 0;
    // A tie goes to the second string, as in Redis: the ranges shown depend on it.
    if (table.length(i - 1, j) > table.length(i, j - 1)) {
      --i;
    } else {
      --j;
    }
  }
  if (run > 0) visit({i, j, run});
}

void reply_ranges(Reply& reply, const LcsTable& table, ByteView a, ByteView b,
                  const LcsOptions& options) {
  reply.map(2);
  reply.bulk("matches");
  const Reply::Mark mark = reply.begin();
  size_t count = 0;
  for_each_range(table, a, b, [&](CommonRange range) {
    if (static_cast<int64_t>(range.bytes) < options.range_bytes_min) return;
    ++count;
    reply.array(options.with_range_length ? 3 : 2);
    for (const size_t at : {range.a, range.b}) {
      reply.array(2);
      reply.integer(static_cast<int64_t>(at));
      reply.integer(static_cast<int64_t>(at + range.bytes - 1));
    }
    if (options.with_range_length) reply.integer(static_cast<int64_t>(range.bytes));
  });
  reply.end_array(mark, count);
  reply.bulk("len");
  reply.integer(table.length(a.size(), b.size()));
}

void reply_subsequence(Context& ctx, const LcsTable& table, ByteView a, ByteView b) {
  std::string text(table.length(a.size(), b.size()), '\0');
  size_t at = text.size();
  for_each_range(table, a, b, [&](CommonRange range) {
    at -= range.bytes;
    text.replace(at, range.bytes, a.substr(range.a, range.bytes));
  });
  ctx.reply.bulk(text);
}

Result<LcsOptions> parse_options(Context& ctx) {
  LcsOptions options;
  ArgParser args(ctx.argv, 3);
  while (args.more()) {
    if (args.word("IDX")) {
      options.ranges = true;
    } else if (args.word("LEN")) {
      options.length_only = true;
    } else if (args.word("WITHMATCHLEN")) {
      options.with_range_length = true;
    } else if (args.word("MINMATCHLEN")) {
      options.range_bytes_min = args.integer();
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  return options;
}

Status cmd_lcs(Context& ctx) {
  const Entry* entries[] = {ctx.find(ctx.key(1)), nullptr};
  // This look-up may remove a due key, never the first one's entry, which was not due.
  entries[1] = ctx.find(ctx.key(2));
  NumberText scratch[2];
  ByteView texts[2];
  for (size_t i = 0; i < 2; ++i) {
    if (entries[i] == nullptr) continue;
    if (!entries[i]->is_string())
      return ctx.fail("ERR The specified keys must contain string values");
    texts[i] = entries[i]->text(scratch[i]);
  }
  OURO_TRY(const LcsOptions options, parse_options(ctx));
  if (options.ranges && options.length_only) {
    return ctx.fail("ERR If you want both the length and indexes, please just use IDX.");
  }
  const auto [a, b] = texts;
  constexpr size_t kBytesMax = std::numeric_limits<uint32_t>::max() - 1;
  if (a.size() >= kBytesMax || b.size() >= kBytesMax)
    return ctx.fail("ERR String too long for LCS");
  // No overflow: both factors are below 2^32, and the table's cells are counted, not its bytes.
  if ((a.size() + 1) * (b.size() + 1) > ctx.engine.options.proto_max_bulk_len / sizeof(uint32_t)) {
    return ctx.fail("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  const LcsTable table(ctx.heap(), a, b);
  if (options.ranges) {
    reply_ranges(ctx.reply, table, a, b, options);
  } else if (options.length_only) {
    ctx.reply.integer(table.length(a.size(), b.size()));
  } else {
    reply_subsequence(ctx, table, a, b);
  }
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "LCS",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {key_range(1, 1, 1, kReadOnly | kAccess)},
     .acl = Acl::kString,
     .handler = cmd_lcs,
     .doc = {.summary = "Finds the longest common subsequence of two strings.",
             .complexity = "O(N*M), N and M bytes in the strings",
             .since = "7.0.0",
             .group = "string",
             .args = "key1:key#0 key2:key#0 [len!LEN] [idx!IDX] [MINMATCHLEN=len:integer] "
                     "[withmatchlen!WITHMATCHLEN]"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStringLcsCommands = kRows;

}  // namespace ouro
