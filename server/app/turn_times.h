// SPDX-License-Identifier: BSD-3-Clause
// How long turns take: histograms of the thread's CPU time and of wall time, side by side, since a
// busy machine stretches the second but not the first. Cells double: 1 us, 2 us, 4 us ...; the
// slowest turn is kept exactly.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>

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
    for (size_t cell = 0; cell < kCells - 1; ++cell) {  // the last one has no upper end
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

// Measures turns by both clocks, without the sleep.
//
// Reading the CPU clock is a system call, dearer than all else in a turn that answers one GET. So a
// turn that is short by the wall counts as if it had the processor all that time, and the clock is
// read after a longer one, or when kShort has passed since it was last read. What is recorded then
// is an upper bound, at most kShort above the truth.
//
// The kernel receives, sends and closes before the loop awakes, in the call that also sleeps. The
// CPU clock has that part; by the wall it cannot be told from the sleep, so that a turn counts from
// the awakening, and at least as long as it had the processor.
class TurnMeter {
 public:
  // What the thread used before its first turn is no turn's.
  void begin(Micros cpu_used) { cpu_used_ = cpu_used; }
  template <class ReadCpu>
  void on_turn_end(Instant awakened, Instant now, ReadCpu&& read_cpu) {
    const Micros took = now - awakened;
    Micros cpu = took;
    if (took >= kShort || now - cpu_read_at_ >= kShort) {
      const Micros used = read_cpu();
      cpu = used - std::exchange(cpu_used_, used);
      cpu_read_at_ = now;
    }
    cpu_.record(cpu);
    wall_.record(std::max(took, cpu));
  }
  void reset() {
    cpu_.reset();
    wall_.reset();
  }
  const TurnTimes& cpu() const { return cpu_; }
  const TurnTimes& wall() const { return wall_; }

 private:
  static constexpr Micros kShort = 50;

  TurnTimes cpu_;
  TurnTimes wall_;
  Micros cpu_used_ = 0;  // by the thread when it was last asked
  Instant cpu_read_at_ = 0;
};

}  // namespace ouro
