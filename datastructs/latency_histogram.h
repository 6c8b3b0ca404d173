// SPDX-License-Identifier: BSD-3-Clause
// Counts durations in cells whose width grows with the value, as HDR histograms do: 32 cells for
// each power of two, so a reported value is at most 1/32 above the recorded one.
//
//   ns      0 .. 63   64 .. 127   128 .. 255   ...        up to kMaxNanos; longer ones count as
//   kMaxNanos cells   1 ns wide   2 ns wide   4 ns wide
//
// Cost: record is a few instructions; one histogram is 7 KiB, so it is made at the first call of a
// command.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace ouro {

class LatencyHistogram {
 public:
  static constexpr uint64_t kMaxNanos = (uint64_t{1} << 30) - 1;  // just over one second

  void record(uint64_t nanos) {
    cells_[index_of(nanos < kMaxNanos ? nanos : kMaxNanos)]++;
    count_++;
  }
  uint64_t count() const { return count_; }

  // The smallest reportable duration that `percent` of all records do not exceed; 0 when there are
  // none.
  uint64_t percentile_nanos(double percent) const;

  // Calls fn(bound in ns, records below it) for those of the bounds 2^10, 2^11, ... that cover more
  // records than the one before: what LATENCY HISTOGRAM shows.
  template <class Fn>
  void for_each_power_of_two(Fn&& fn) const {
    size_t cell = 0;
    uint64_t covered = 0;
    for (uint64_t bound = 1024; covered < count_; bound *= 2) {
      const uint64_t before = covered;
      for (; cell < kCells && last_of(cell) < bound; ++cell) covered += cells_[cell];
      if (covered > before) fn(bound, covered);
    }
  }

 private:
  static constexpr size_t kSubBits = 5;
  static constexpr uint64_t kSub = uint64_t{1} << kSubBits;
  // Values below 2 * kSub have a cell each; each further power of two has kSub cells.
  static constexpr size_t kCells = kSub * (30 - kSubBits + 1);

  static size_t index_of(uint64_t nanos) {
    const size_t shift = static_cast<size_t>(std::bit_width(nanos | (2 * kSub - 1))) - kSubBits - 1;
    return shift * kSub + static_cast<size_t>(nanos >> shift);
  }
  // The largest value that falls into the cell.
  static uint64_t last_of(size_t cell) {
    if (cell < 2 * kSub) return cell;
    const uint64_t shift = cell / kSub - 1;
    return ((cell % kSub + kSub + 1) << shift) - 1;
  }

  uint64_t count_ = 0;
  std::array<uint64_t, kCells> cells_{};
};

}  // namespace ouro
