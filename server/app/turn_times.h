// SPDX-License-Identifier: BSD-3-Clause
// How long turns take: histograms of the thread's CPU time and of wall time, side by side, since a
// busy machine stretches the second but not the first. CPU time is from the end of the turn before
// to the end of this one, so the kernel's part (submitting, receiving, sending) counts, and the
// clock is read once a turn; wall time is from the loop's awakening to the end, without the sleep.
// Cells double: 1 us, 2 us, 4 us ...; the slowest turn is kept exactly.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "datastructs/base/units.h"

namespace ouro {

class TurnTimes {
 public:
  static constexpr size_t kCells = 24;  // up to 8 s

  void record(Micros took) {
    const auto micros = static_cast<uint64_t>(took < 0 ? 0 : took);
    const auto cell = static_cast<size_t>(std::bit_width(micros));
    ++cells_[cell < kCells ? cell : kCells - 1];
    ++count_;
    if (took > max_) max_ = took;
  }
  uint64_t count() const { return count_; }
  Micros max() const { return max_; }
  // An upper bound, us, that `share` (0..1) of all turns do not exceed.
  Micros quantile(double share) const {
    uint64_t seen = 0;
    for (size_t cell = 0; cell < kCells; ++cell) {
      seen += cells_[cell];
      if (static_cast<double>(seen) >= share * static_cast<double>(count_)) {
        const Micros bound = Micros{1} << cell;
        return bound < max_ ? bound : max_;
      }
    }
    return max_;
  }
  void reset() { *this = TurnTimes(); }

 private:
  std::array<uint64_t, kCells> cells_{};
  uint64_t count_ = 0;
  Micros max_ = 0;
};

}  // namespace ouro
