// SPDX-License-Identifier: BSD-3-Clause
#include "replication/feed.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

constexpr Micros kSecond = 1'000'000;

TEST(Feed, TheFirstAckAfterASnapshotBringsTheStream) {
  Feed feed;
  feed.state = Feed::State::kLoading;
  EXPECT_FALSE(feed.takes_stream());
  EXPECT_TRUE(feed.needs_stream());
  feed.on_ack(100, 0, 5 * kSecond);
  EXPECT_TRUE(feed.takes_stream());
  EXPECT_EQ(feed.acked, 100U);
}

TEST(Feed, AnAckNeverGoesBack) {
  Feed feed;
  feed.state = Feed::State::kOnline;
  feed.on_ack(100, 90, kSecond);
  feed.on_ack(50, 40, 2 * kSecond);
  EXPECT_EQ(feed.acked, 100U);
  EXPECT_EQ(feed.durable, 90U);
}

TEST(Feed, LagIsTheTimeSinceItWasHeardOf) {
  Feed feed;
  feed.state = Feed::State::kSnapshot;
  EXPECT_EQ(feed.lag_seconds(90 * kSecond), 0);
  feed.state = Feed::State::kOnline;
  feed.on_ack(1, 0, 10 * kSecond);
  EXPECT_EQ(feed.lag_seconds(13 * kSecond + 999'999), 3);
}

TEST(Feed, StatesAreNamedAsRedisNamesThem) {
  EXPECT_EQ(Feed::name_of(Feed::State::kWaiting), "wait_bgsave");
  EXPECT_EQ(Feed::name_of(Feed::State::kSaving), "wait_bgsave");
  EXPECT_EQ(Feed::name_of(Feed::State::kWalk), "wait_bgsave");
  EXPECT_EQ(Feed::name_of(Feed::State::kSnapshot), "send_bulk");
  EXPECT_EQ(Feed::name_of(Feed::State::kLoading), "online");
  EXPECT_EQ(Feed::name_of(Feed::State::kOnline), "online");
}

// For a snapshot alone nothing is kept.
TEST(Feed, WhoWantsASnapshotAloneNeedsNoStream) {
  Feed feed;
  feed.wants_snapshot_alone = true;
  feed.state = Feed::State::kSnapshot;
  EXPECT_FALSE(feed.needs_stream());
}

}  // namespace
}  // namespace ouro
