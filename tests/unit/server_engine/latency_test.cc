// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/latency.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

TEST(LatencyMonitor, KeepsTheWorstOfASecondFromTheThresholdOn) {
  LatencyMonitor monitor;
  monitor.add_sample("command", 9, 1000, 10);
  EXPECT_TRUE(monitor.events().empty());
  monitor.add_sample("command", 12, 1000, 10);
  monitor.add_sample("command", 50, 1900, 10);
  monitor.add_sample("command", 30, 1999, 10);
  monitor.add_sample("command", 11, 2000, 10);
  const LatencyMonitor::Series& series = monitor.events().at("command");
  ASSERT_EQ(series.samples.size(), 2U);
  EXPECT_EQ(series.samples[0].second, 1);
  EXPECT_EQ(series.samples[0].worst, 50);
  EXPECT_EQ(series.samples[1].worst, 11);
  EXPECT_EQ(series.max, 50);
}

TEST(LatencyMonitor, WithoutAThresholdNothingIsKept) {
  LatencyMonitor monitor;
  monitor.add_sample("command", 1000, 1000, 0);
  EXPECT_TRUE(monitor.events().empty());
}

TEST(LatencyMonitor, KeepsSoManySecondsAndTheMaximumOfAll) {
  LatencyMonitor monitor;
  monitor.add_sample("command", 999, 0, 1);
  for (int64_t i = 1; i <= static_cast<int64_t>(LatencyMonitor::kSamplesMax); ++i) {
    monitor.add_sample("command", 5, i * 1000, 1);
  }
  const LatencyMonitor::Series& series = monitor.events().at("command");
  EXPECT_EQ(series.samples.size(), LatencyMonitor::kSamplesMax);
  EXPECT_EQ(series.samples.front().second, 1);
  EXPECT_EQ(series.max, 999);
}

TEST(LatencyMonitor, ResetCountsWhatItDrops) {
  LatencyMonitor monitor;
  monitor.add_sample("command", 5, 1000, 1);
  monitor.add_sample("fork", 5, 1000, 1);
  monitor.add_sample("expire", 5, 1000, 1);
  EXPECT_EQ(monitor.reset("none"), 0U);
  EXPECT_EQ(monitor.reset("fork"), 1U);
  EXPECT_EQ(monitor.reset(""), 2U);
  EXPECT_TRUE(monitor.events().empty());
}

}  // namespace
}  // namespace ouro
