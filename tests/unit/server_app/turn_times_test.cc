// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/turn_times.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

TEST(TurnMeter, ReadsTheCpuClockOnlyNowAndThenForShortTurns) {
  TurnMeter meter;
  int readings = 0;
  const auto read = [&] { return static_cast<Micros>(++readings); };
  for (Instant now = 1000; now < 2000; now += 10) meter.on_turn_end(now - 5, now, read);
  EXPECT_EQ(meter.cpu().count(), 100U);
  EXPECT_EQ(readings, 20);
  EXPECT_EQ(meter.cpu().max(), 5);
}

TEST(TurnTimes, AQuantileIsAnUpperBoundHoweverLongTurnsLast) {
  TurnTimes times;
  times.record(100);
  times.record(60'000'000);
  EXPECT_EQ(times.quantile(0.5), 128);
  EXPECT_EQ(times.quantile(0.99), 60'000'000);
}

// A turn that was kept from the processor is long by the wall, not by the CPU clock.
TEST(TurnMeter, ALongTurnCountsTheCpuThatItUsed) {
  TurnMeter meter;
  Micros used = 100;
  const auto read = [&] { return used; };
  meter.on_turn_end(1000, 1060, read);
  used += 300;
  meter.on_turn_end(2000, 7000, read);
  EXPECT_EQ(meter.cpu().max(), 300);
  EXPECT_EQ(meter.wall().max(), 5000);
}

// The kernel's part of a turn is over when the loop awakes: the CPU clock alone tells of it.
TEST(TurnMeter, WorkBeforeTheAwakeningCounts) {
  TurnMeter meter;
  meter.begin(50'000);
  meter.on_turn_end(9000, 9010, [] { return Micros{50'900}; });
  EXPECT_EQ(meter.cpu().max(), 900);
  EXPECT_EQ(meter.wall().max(), 900);
}

}  // namespace
}  // namespace ouro
