// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/fsync_policy.h"

#include <gtest/gtest.h>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

constexpr Instant kSecond = 1'000'000;

TEST(FsyncPolicy, AlwaysSyncsAtOnceAndReleasesWhatIsDurable) {
  FsyncPolicy policy(AppendFsync::kAlways);
  EXPECT_EQ(policy.due_at(), kNever);
  policy.on_written(5);
  EXPECT_EQ(policy.released(), 0U);
  EXPECT_LE(policy.due_at(), 0);
  (void)policy.begin_sync(0, 1);
  policy.on_synced(10);
  EXPECT_EQ(policy.released(), 5U);
  EXPECT_EQ(policy.due_at(), kNever);
}

TEST(FsyncPolicy, OneSyncIsInFlightAndCoversWhatWasWrittenBefore) {
  FsyncPolicy policy(AppendFsync::kAlways);
  policy.on_written(5);
  (void)policy.begin_sync(0, 1);
  policy.on_written(9);
  EXPECT_EQ(policy.due_at(), kNever);
  EXPECT_FALSE(policy.can_sync());
  policy.on_synced(10);
  EXPECT_EQ(policy.durable(), 5U);
  EXPECT_LE(policy.due_at(), 0);
  (void)policy.begin_sync(10, 1);
  policy.on_synced(20);
  EXPECT_EQ(policy.durable(), 9U);
  EXPECT_EQ(policy.syncs(), 2U);
}

TEST(FsyncPolicy, EverySecondSyncsOnceASecondAndReleasesWhatIsWritten) {
  FsyncPolicy policy(AppendFsync::kEverySecond);
  policy.on_written(1);
  EXPECT_EQ(policy.released(), 1U);
  EXPECT_LE(policy.due_at(), 0);
  (void)policy.begin_sync(7 * kSecond, 1);
  policy.on_synced(7 * kSecond);
  EXPECT_EQ(policy.due_at(), kNever);
  policy.on_written(2);
  EXPECT_EQ(policy.due_at(), 8 * kSecond);
}

TEST(FsyncPolicy, EverySecondSkipsWhileOneIsInFlight) {
  FsyncPolicy policy(AppendFsync::kEverySecond);
  policy.on_written(1);
  (void)policy.begin_sync(0, 1);
  policy.on_written(2);
  EXPECT_EQ(policy.due_at(), kNever);
  EXPECT_FALSE(policy.is_late(kSecond));
  EXPECT_TRUE(policy.is_late(2 * kSecond));
  EXPECT_FALSE(policy.is_late(3 * kSecond));
  EXPECT_EQ(policy.late_syncs(), 1U);
  policy.on_synced(10);
  EXPECT_EQ(policy.due_at(), kSecond);
}

TEST(FsyncPolicy, NoNeverAsksForASyncButTakesOne) {
  FsyncPolicy policy(AppendFsync::kNo);
  policy.on_written(3);
  EXPECT_EQ(policy.due_at(), kNever);
  EXPECT_EQ(policy.released(), 3U);
  (void)policy.begin_sync(0, 1);
  policy.on_synced(10);
  EXPECT_EQ(policy.durable(), 3U);
}

TEST(FsyncPolicy, WhilePausedRepliesDoNotWaitForTheDisk) {
  FsyncPolicy policy(AppendFsync::kAlways);
  policy.on_written(3);
  policy.set_paused(true);
  EXPECT_EQ(policy.due_at(), kNever);
  EXPECT_EQ(policy.released(), 3U);
  policy.set_paused(false);
  EXPECT_LE(policy.due_at(), 0);
  policy.on_written(4);
  // What has left cannot be taken back.
  EXPECT_EQ(policy.released(), 3U);
}

TEST(FsyncPolicy, AfterAFailureOnlyANewFileHelps) {
  FsyncPolicy policy(AppendFsync::kAlways);
  policy.on_written(3);
  (void)policy.begin_sync(0, 1);
  policy.on_sync_failed();
  policy.on_written(4);
  EXPECT_TRUE(policy.failed());
  EXPECT_EQ(policy.due_at(), kNever);
  EXPECT_FALSE(policy.can_sync());
  EXPECT_EQ(policy.released(), 0U);
  policy.on_new_file(4);
  EXPECT_FALSE(policy.failed());
  EXPECT_EQ(policy.durable(), 4U);
  EXPECT_EQ(policy.released(), 4U);
}

TEST(FsyncPolicy, AChangeOfModeCountsAtOnce) {
  FsyncPolicy policy(AppendFsync::kNo);
  policy.on_written(3);
  policy.set_mode(AppendFsync::kAlways);
  EXPECT_LE(policy.due_at(), 0);
  policy.set_mode(AppendFsync::kEverySecond);
  EXPECT_LE(policy.due_at(), 0);
}

// The next sync, of so many bytes, and how long it takes.
SyncHow sync(FsyncPolicy& policy, Instant& now, size_t bytes, Micros takes) {
  policy.on_written(policy.written() + 1);
  const SyncHow how = policy.begin_sync(now, bytes);
  now += takes;
  policy.on_synced(now);
  return how;
}

TEST(FsyncPolicy, AlwaysWaitsForSmallSyncsWhileTheDiskIsQuick) {
  FsyncPolicy policy(AppendFsync::kAlways);
  Instant now = kSecond;
  EXPECT_EQ(sync(policy, now, 100, 3'000), SyncHow::kInBackground);  // nothing is known
  EXPECT_EQ(sync(policy, now, 100, 400), SyncHow::kInBackground);    // the last was slow
  EXPECT_EQ(sync(policy, now, 100, 150), SyncHow::kAtOnce);
  EXPECT_EQ(sync(policy, now, 1 << 20, 150), SyncHow::kInBackground);  // much
  EXPECT_EQ(sync(policy, now, 100, 150), SyncHow::kAtOnce);
  policy.set_mode(AppendFsync::kEverySecond);
  EXPECT_EQ(sync(policy, now, 100, 150), SyncHow::kInBackground);
}

TEST(FsyncPolicy, WhatWaitsForASlowDiskIsAFewPercentOfTheTime) {
  FsyncPolicy policy(AppendFsync::kAlways);
  Prng prng(7);
  Instant now = 0;
  Micros waited = 0;
  while (now < 100 * kSecond) {
    // Every other sync is quick: as bad as it may look.
    const Micros takes = prng.below(2) == 0 ? 100 : 5'000 + static_cast<Micros>(prng.below(90'000));
    const SyncHow how = sync(policy, now, 100, takes);
    if (how == SyncHow::kAtOnce && takes > 100) waited += takes;
  }
  EXPECT_GT(waited, 0);
  EXPECT_LT(waited, now / 20);
}

TEST(FsyncPolicy, WhateverHappensTheMarksKeepTheirOrder) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Prng prng(seed);
    FsyncPolicy policy(AppendFsync::kAlways);
    Instant now = 0;
    uint64_t log_end = 0;
    uint64_t released = 0;
    for (int i = 0; i < 500; ++i) {
      now += static_cast<Instant>(prng.below(700'000));
      switch (prng.below(8)) {
        case 0:
        case 1:
        case 2:
          policy.on_written(log_end += prng.below(3));
          break;
        case 3:
          if (policy.is_syncing())
            prng.below(20) == 0 ? policy.on_sync_failed() : policy.on_synced(now);
          break;
        case 4:
          policy.set_mode(static_cast<AppendFsync>(prng.below(3)));
          break;
        case 5:
          policy.set_paused(prng.below(4) == 0);
          break;
        case 6:
          if (policy.failed()) policy.on_new_file(log_end);
          break;
        default:
          if (policy.due_at() <= now) (void)policy.begin_sync(now, prng.below(1 << 20));
      }
      policy.is_late(now);
      policy.check_invariants();
      EXPECT_GE(policy.released(), released);
      released = policy.released();
    }
  }
}

}  // namespace
}  // namespace ouro
