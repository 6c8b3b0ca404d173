// SPDX-License-Identifier: BSD-3-Clause
// The clocks of the machine. Everything above server/io is handed a time; here it is read.
// Needs neither a Loop nor liburing: the in-process library uses this file alone.
#pragma once

#include <cstdint>

#include "datastructs/base/units.h"

namespace ouro {

Instant monotonic_now() noexcept;         // about 25 ns
Instant monotonic_coarse_now() noexcept;  // the last tick's time, up to 10 ms old; about 5 ns
UnixMs wall_clock_now() noexcept;
int64_t wall_clock_micros() noexcept;
// CPU time that this thread has used. A system call (about 200 ns): once or twice a turn, not once
// a command.
Micros thread_cpu_now() noexcept;

// Times single commands: one read of the cycle counter each (about 10 ns), where the end of one
// command is the start of the next.
//
// The counter's rate is measured against the monotonic clock: for 200 us at construction (0.05 %
// exact) and anew over a longer and longer base by refine(), which the owner calls now and then.
// Where there is no counter with a constant rate, ticks are nanoseconds of the monotonic clock.
class CycleClock {
 public:
  CycleClock() noexcept;

  uint64_t ticks() const noexcept;
  int64_t nanos(uint64_t ticks) const noexcept {
    return static_cast<int64_t>(static_cast<double>(ticks) * nanos_per_tick_);
  }
  Micros micros(uint64_t ticks) const noexcept { return nanos(ticks) / 1000; }
  void refine() noexcept;

 private:
  uint64_t start_ticks_;
  int64_t start_nanos_;
  double nanos_per_tick_ = 1.0;
};

}  // namespace ouro
