// SPDX-License-Identifier: BSD-3-Clause
// CountMin: a count-min sketch (Cormode and Muthukrishnan 2005), which estimates how often each of
// many items came, in a fixed amount of memory.
//
//      CountMin -> | width, depth, total | counters |      one block
//                                             |
//                      row 0:  width counters of 32 bits   ChunkedBytes
//                      row 1:  ...                         depth rows
//
// Each row has a hash of its own, by which an item has one counter in it. The estimate is the
// smallest of an item's counters: never less than the truth, and with `width` and `depth` from
// shape_for(error, probability) more than it by error * total() in at most that share of cases.
// Counters stop at the largest 32-bit number and stay there.
// Hashes and counters are those of the module RedisBloom.
// Cost: one counter a row. Sketches of the same shape add up by merge().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"

namespace ouro {

class CountMin {
 public:
  struct Shape {
    uint64_t width = 0;
    uint64_t depth = 0;
  };
  // Of all counters.
  static constexpr size_t kBytesMax = 4_GiB;
  // Each row is a hash of the item: this many of a short one take about 50 us.
  static constexpr uint64_t kDepthMax = 4096;
  // A counter that has come so far is no longer an estimate.
  static constexpr uint32_t kCounterMax = UINT32_MAX;

  CountMin() = default;
  // Both in (0, 1).
  static Shape shape_for(double error, double probability) noexcept;
  // False if it would be too large. Width and depth are > 0.
  static bool fits(const Shape& shape) noexcept;
  // Requires fits(shape).
  static CountMin create(Heap& heap, const Shape& shape) noexcept;
  void destroy(Heap& heap) noexcept;
  CountMin copy(Heap& heap) const noexcept;
  // The same as it is now, for reading and destroy(), while this one goes on: see ChunkedBytes.
  CountMin share(Heap& heap) const noexcept;

  // Returns the new estimate.
  uint32_t add(Heap& heap, ByteView item, uint64_t by) noexcept;
  uint32_t estimate(ByteView item) const noexcept;
  // Makes the counters the sums of those of `sources`, each times its weight; this one may be among
  // them. False, with nothing changed, if a counter or the total would be negative or too large.
  // Requires: all have this shape.
  bool merge(Heap& heap, std::span<const CountMin* const> sources,
             std::span<const int64_t> weights) noexcept;

  uint64_t width() const noexcept;
  uint64_t depth() const noexcept;
  int64_t total() const noexcept;  // of all that was added, up to INT64_MAX

  // ---- dump: the counters as bytes, row by row
  uint64_t counter_bytes() const noexcept;
  // At most `bytes_max` bytes from `at` on, which is inside.
  std::string read(uint64_t at, size_t bytes_max) const;
  // at + bytes.size() <= counter_bytes().
  void write(Heap& heap, uint64_t at, ByteView bytes) noexcept;
  // total >= 0.
  void set_total(int64_t total) noexcept;

  ByteView encoding() const noexcept { return "raw"; }
  // All that makes up the contents, for digests.
  void for_each_part(FunctionRef<void(ByteView)> visit) const;
  size_t memory_bytes() const noexcept;
  size_t free_effort() const noexcept;
  bool free_some(Heap& heap, size_t& budget) noexcept;
  void check_invariants() const;

 private:
  struct Table;

  Table* table_ = nullptr;
};

static_assert(sizeof(CountMin) == 8);

}  // namespace ouro
