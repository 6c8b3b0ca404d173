// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/linger.h"

#include <gtest/gtest.h>

#include <vector>

namespace ouro {
namespace {

// `sources` operations that bring one arrival each, `rounds` times within one epoch; then what is
// awaited in the next.
unsigned awaited_after(unsigned sources, unsigned rounds, Instant pause = 0) {
  Linger linger;
  std::vector<uint32_t> seen(sources, 0);
  linger.begin_turn(1'000'000);
  for (unsigned round = 0; round < rounds; ++round) {
    for (uint32_t& epoch : seen) linger.note_arrival(epoch);
  }
  linger.begin_turn(1'001'000 + pause);
  return linger.arrivals_to_await();
}

TEST(Linger, WaitsForHalfOfTheBusyConnections) {
  EXPECT_EQ(awaited_after(50, 2), 25U);
  EXPECT_EQ(awaited_after(1000, 1), 64U);
}

TEST(Linger, DoesNotHoldUpFewConnections) { EXPECT_EQ(awaited_after(10, 20), 1U); }

TEST(Linger, DoesNotWaitForArrivalsThatAreNotExpected) { EXPECT_EQ(awaited_after(20, 1), 1U); }

TEST(Linger, ForgetsALoadThatHasEnded) { EXPECT_EQ(awaited_after(50, 2, 1'000'000), 1U); }

}  // namespace
}  // namespace ouro
