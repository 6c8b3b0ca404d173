// SPDX-License-Identifier: BSD-3-Clause
// Picks at random: what SRANDMEMBER, HRANDFIELD and ZRANDMEMBER share.
//
// A count from 0 on asks for different elements: the collection bounds the answer. A negative one
// asks for so many picks with repetition, and there the answer has a bound of its own: a few words
// must not hold a turn, or have an answer built that no memory holds. Redis refuses only what its
// integers cannot count, and runs out of memory above that.
//
// Whether the bytes are too many is found by drawing twice: once with a copy of the dice to add up
// what comes, then for the answer. That costs something only where they could be too many.
#pragma once

#include "datastructs/codec/resp_reader.h"
#include "server/engine/context.h"

namespace ouro {

// With repetition: as many as a command may have words.
inline constexpr uint64_t kRepeatedPicksMax = kCommandArgsMax;
// ... of as many bytes as proto-max-bulk-len lets one string have when nobody has changed it.
inline constexpr uint64_t kRepeatedBytesMax = 512_MiB;

// The count at `index`: any but the lowest, which has no magnitude.
Result<int64_t> random_count(Context& ctx, size_t index);

struct PairPicks {
  int64_t count;
  bool with_second;  // values or scores are wanted, too
};
// "count [WORD]" behind the key.
Result<PairPicks> parse_pair_picks(Context& ctx, ByteView word);

// The error of an answer that is too large; ok if it is not. `pick_bytes_max` is what no pick
// exceeds, and sum_bytes(dice) adds up the bytes of all picks that these dice give.
Status check_repeated(Context& ctx, uint64_t count, uint64_t pick_bytes_max,
                      FunctionRef<uint64_t(Prng&)> sum_bytes);

// Picks `wanted` of `size` elements during one walk over them: take() is asked once for each, and
// every subset is as probable as any other.
class Selection {
 public:
  Selection(Prng& prng, size_t wanted, size_t size) : prng_(prng), wanted_(wanted), left_(size) {}
  bool take() {
    const bool taken = prng_.below(left_--) < wanted_;
    wanted_ -= taken ? 1 : 0;
    return taken;
  }

 private:
  Prng& prng_;
  size_t wanted_;
  size_t left_;
};

// Calls put(member, ...) for `wanted` different elements of a set or sorted set, no more than it
// has. draw(take) calls take(member, ...) for an element drawn at random.
template <class Collection, class Draw, class Put>
void pick_distinct(Context& ctx, const Collection& all, size_t wanted, Draw draw, Put put) {
  // Up to this size a walk over all is cheaper than remembering what was picked. Integers and
  // packed collections always are smaller or picked from by a walk.
  constexpr size_t kWalkedSizeMax = 512;
  const size_t size = all.size();
  if (wanted == size) {
    all.for_each(put);
    return;
  }
  if (size <= kWalkedSizeMax || wanted > size / 4) {
    Selection selection(ctx.prng(), wanted, size);
    all.for_each([&](auto... element) {
      if (selection.take()) put(element...);
    });
    return;
  }
  Set picked;
  while (picked.size() < wanted) {
    draw([&](ByteView member, auto... more) {
      if (picked.add(ctx.heap(), ctx.limits(), ctx.db.seed(), member)) put(member, more...);
    });
  }
  picked.destroy(ctx.heap());
}

}  // namespace ouro
