// SPDX-License-Identifier: BSD-3-Clause
// The cycle counter as the engine's stopwatch: made by the program and passed to its Server.
#pragma once

#include "server/engine/stopwatch.h"
#include "server/io/clock.h"

namespace ouro {

class CycleStopwatch final : public Stopwatch {
 public:
  uint64_t ticks() override { return clock_.ticks(); }
  double ticks_per_us() const override { return ticks_per_us_; }
  void refine() override {
    clock_.refine();
    ticks_per_us_ = rate();
  }

 private:
  double rate() const { return 1e9 / static_cast<double>(clock_.nanos(1'000'000)); }

  CycleClock clock_;
  double ticks_per_us_ = rate();
};

}  // namespace ouro
