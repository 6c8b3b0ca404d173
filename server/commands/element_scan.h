// SPDX-License-Identifier: BSD-3-Clause
// HSCAN, SSCAN and ZSCAN: one step of a walk over a collection's elements. SCAN and KEYS have the
// same cursors and patterns.
//
// The cursor stands ahead of the elements in the answer but is known only after them, so a step is
// walked twice: first for the cursor, then to write. Nothing changes in between, and no element is
// copied aside.
#pragma once

#include <optional>

#include "datastructs/glob.h"
#include "server/engine/context.h"

namespace ouro {

// "*" is everything, the empty text too, which as a pattern it would not match.
inline bool matches_scanned(ByteView pattern, ByteView text) {
  return pattern == "*" || glob_matches(pattern, text);
}

struct ElementScan {
  uint64_t cursor = 0;
  ByteView pattern = "*";
  uint64_t count = 10;
  bool names_only = false;

  bool matches(ByteView text) const { return matches_scanned(pattern, text); }
};

// As strtoul reads it, a blank in front refused: Redis takes a sign, and nothing at all for 0.
std::optional<uint64_t> parse_scan_cursor(ByteView text);
void reply_cursor(Reply& reply, uint64_t cursor);
// Reads [MATCH pattern] [COUNT count] from argument 3 on, and `names_only_word` if there is one:
// then what comes with an element's name is left out.
Status parse_scan_options(const Context& ctx, ElementScan& scan, ByteView names_only_word = {});
// The answer for an absent key.
void reply_empty_scan(Reply& reply);

// Reads "key cursor" and the options. Null if the key is absent: that is answered.
template <class Collection>
Result<const Collection*> find_to_scan(Context& ctx, ElementScan& scan,
                                       ByteView names_only_word = {}) {
  const auto cursor = parse_scan_cursor(ctx.argv[2]);
  if (!cursor) return ctx.fail_text(errors::kInvalidCursor);
  scan.cursor = *cursor;
  OURO_TRY(const Collection* found, ctx.find_as<Collection>(ctx.key(1)));
  if (found == nullptr) {
    reply_empty_scan(ctx.reply);
    return found;
  }
  OURO_TRY(parse_scan_options(ctx, scan, names_only_word));
  return found;
}

// Writes one step. `put(elements...)` gets what the collection's scan hands out, writes what it
// keeps and returns how many reply elements that was. A step takes about `count` elements; empty
// buckets are bounded too: a table that has shrunk is not walked to its end for a few of them.
template <class Collection, class Put>
void reply_scan(Reply& reply, const Collection& collection, const ElementScan& scan, Put put) {
  uint64_t next = scan.cursor;
  uint64_t steps = 0;
  uint64_t met = 0;
  do {
    next = collection.scan(next, [&](auto&&...) { ++met; });
    ++steps;
  } while (next != 0 && met < scan.count && steps / 10 < scan.count);

  reply.array(2);
  reply_cursor(reply, next);
  const Reply::Mark mark = reply.begin();
  size_t written = 0;
  for (uint64_t cursor = scan.cursor; steps > 0; --steps) {
    cursor = collection.scan(cursor, [&](auto&&... element) { written += put(element...); });
  }
  reply.end_array(mark, written);
}

}  // namespace ouro
