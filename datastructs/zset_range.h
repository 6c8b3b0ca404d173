// SPDX-License-Identifier: BSD-3-Clause
// How stretches of a sorted set are described. ZSet turns scores and members into ranks
// (ZSet::ranks); all that follows (offset, limit, direction, counting, removing) is arithmetic on
// ranks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "datastructs/base/units.h"

namespace ouro {

enum class Direction : uint8_t { kAscending, kDescending };

// Scores between two bounds, either of which may be infinite, none NaN. "(1 5" is {.min = 1, .max =
// 5, .without_min = true}.
struct ScoreRange {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool without_min = false;
  bool without_max = false;
};

// A bound of ZRANGEBYLEX: "-", "+", "[member", "(member".
struct LexBound {
  enum class Kind : uint8_t { kLowest, kHighest, kWith, kWithout };
  Kind kind;
  ByteView member = {};
};

struct LexRange {
  LexBound min = {LexBound::Kind::kLowest};
  LexBound max = {LexBound::Kind::kHighest};
};

// The elements of ranks begin <= rank < end, counted from the lowest.
struct RankRange {
  size_t begin = 0;
  size_t end = 0;

  size_t size() const noexcept { return end - begin; }
  bool empty() const noexcept { return begin == end; }
  friend bool operator==(const RankRange&, const RankRange&) = default;

  // What is left after skipping `offset` elements from where the direction starts, at most `count`
  // of them.
  RankRange window(Direction direction, size_t offset, size_t count) const noexcept {
    const size_t skipped = std::min(offset, size());
    const size_t kept = std::min(count, size() - skipped);
    if (direction == Direction::kAscending) return {begin + skipped, begin + skipped + kept};
    return {end - skipped - kept, end - skipped};
  }

  // ZRANGE's start and stop: both inside, negative ones count from the other end, outside ones are
  // cut.
  static RankRange from_indexes(int64_t start, int64_t stop, size_t size,
                                Direction direction) noexcept {
    const auto count = static_cast<int64_t>(size);
    if (start < 0) start = std::max<int64_t>(start + count, 0);
    if (stop < 0) stop += count;
    stop = std::min(stop, count - 1);
    if (start > stop) return {};
    const auto first = static_cast<size_t>(start);
    const auto last = static_cast<size_t>(stop);
    if (direction == Direction::kAscending) return {first, last + 1};
    return {size - 1 - last, size - first};
  }
};

}  // namespace ouro
