// SPDX-License-Identifier: BSD-3-Clause
#include "replication/semi_sync.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

using State = SemiSync::State;

constexpr SemiSync::Options kRefusing{.acks = 1, .timeout = 1000};
constexpr SemiSync::Options kDegrading{
    .acks = 1, .timeout = 1000, .on_timeout = SemiSync::OnTimeout::kDegrade};

SemiSync one_with_lease(const SemiSync::Options& options, Instant now) {
  SemiSync semi;
  semi.set_options(options, now);
  semi.on_sent(1, 10, now);
  semi.on_acked(10, now + 10);
  (void)semi.look(now + 10);
  return semi;
}

TEST(SemiSync, OffHoldsNothingBack) {
  SemiSync semi;
  semi.on_sent(1, 10, 0);
  EXPECT_FALSE(semi.look(1'000'000));
  EXPECT_EQ(semi.released(), kReleaseAll);
  EXPECT_EQ(semi.waiting(), 0U);
  EXPECT_EQ(semi.heartbeat_due(), kNever);
}

TEST(SemiSync, BeginsWithoutALease) {
  SemiSync semi;
  semi.set_options(kRefusing, 5000);
  EXPECT_EQ(semi.state(), State::kLapsed);
  EXPECT_TRUE(semi.look(5000));
  semi.on_sent(7, 70, 5000);
  EXPECT_LT(semi.released(), 7U);
  semi.on_acked(70, 5100);
  EXPECT_EQ(semi.state(), State::kHeld);
  EXPECT_EQ(semi.released(), 7U);
  EXPECT_EQ(semi.lapses_at(), 6000);
}

TEST(SemiSync, ReleasesWhatIsAcknowledged) {
  SemiSync semi = one_with_lease(kRefusing, 0);
  semi.on_sent(2, 20, 100);
  semi.on_sent(3, 30, 200);
  semi.on_acked(19, 250);
  EXPECT_EQ(semi.released(), 1U);
  semi.on_acked(20, 260);
  EXPECT_EQ(semi.released(), 2U);
  EXPECT_EQ(semi.waiting(), 1U);
  semi.on_acked(99, 270);
  EXPECT_EQ(semi.released(), 3U);
  EXPECT_EQ(semi.lapses_at(), 1200);
}

// Counted from when it was sent, not from when the answer came: the replicas count from later.
TEST(SemiSync, LeaseBeginsWithTheSending) {
  SemiSync semi = one_with_lease(kRefusing, 0);
  semi.on_sent(2, 20, 900);
  semi.on_acked(20, 999);
  EXPECT_FALSE(semi.look(1899));
  EXPECT_TRUE(semi.look(1900));
  EXPECT_EQ(semi.state(), State::kLapsed);
  EXPECT_EQ(semi.lapses(), 2U);  // with that of the start
}

TEST(SemiSync, ALateAnswerRenewsNoLease) {
  SemiSync semi = one_with_lease(kRefusing, 0);
  semi.on_sent(2, 20, 100);
  EXPECT_TRUE(semi.look(1000));
  semi.on_acked(20, 5000);
  EXPECT_EQ(semi.state(), State::kLapsed);
  semi.on_sent(3, 30, 5000);
  semi.on_acked(30, 5001);
  EXPECT_EQ(semi.state(), State::kHeld);
  EXPECT_TRUE(semi.look(5001));
  EXPECT_FALSE(semi.look(5002));
}

TEST(SemiSync, DegradesOnlyWhenToldTo) {
  SemiSync semi = one_with_lease(kDegrading, 0);
  semi.on_sent(2, 20, 100);
  EXPECT_EQ(semi.released(), 1U);
  EXPECT_TRUE(semi.look(1000));
  EXPECT_EQ(semi.state(), State::kDegraded);
  EXPECT_EQ(semi.released(), kReleaseAll);
  EXPECT_EQ(semi.degradations(), 2U);
  // And is back as soon as they are.
  semi.on_sent(3, 30, 2000);
  semi.on_acked(30, 2001);
  EXPECT_TRUE(semi.look(2001));
  EXPECT_EQ(semi.released(), 3U);
}

TEST(SemiSync, MayBeToldToDegradeWhileItRefuses) {
  SemiSync semi = one_with_lease(kRefusing, 0);
  EXPECT_TRUE(semi.look(1000));
  semi.set_options(kDegrading, 1100);
  EXPECT_EQ(semi.state(), State::kDegraded);
  semi.set_options(kRefusing, 1200);
  EXPECT_EQ(semi.state(), State::kLapsed);
}

TEST(SemiSync, HeartbeatsFitIntoALease) {
  SemiSync semi = one_with_lease(kRefusing, 0);
  EXPECT_EQ(semi.heartbeat_due(), 250);
  semi.on_sent(1, 40, 250);
  EXPECT_EQ(semi.heartbeat_due(), 500);
}

TEST(SemiSync, ForgetsNoMarkHoweverManyThereAre) {
  SemiSync semi = one_with_lease(kRefusing, 0);
  for (uint64_t i = 2; i <= 10'000; ++i) semi.on_sent(i, i * 10, static_cast<Instant>(i));
  EXPECT_LE(semi.waiting(), 4096U);
  semi.on_acked(99'999, 10'001);
  EXPECT_LT(semi.released(), 10'000U);
  semi.on_acked(100'000, 10'002);
  EXPECT_EQ(semi.released(), 10'000U);
}

}  // namespace
}  // namespace ouro
