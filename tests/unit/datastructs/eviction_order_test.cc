// SPDX-License-Identifier: BSD-3-Clause
// Goal: which keys go, at what cost in work and memory. Method: a cache of so many keys that is
// asked and filled like one in front of a database.
#include "datastructs/keyspace/eviction_order.h"

#include <gtest/gtest.h>

#include <string>

namespace ouro {
namespace {

constexpr HashSeed kSeed{7};

class EvictionOrderTest : public testing::Test {
 protected:
  EvictionOrderTest() { order_.start(EvictionOrder::Scope::kAll); }

  static std::string name(int i) { return "key:" + std::to_string(i); }
  Entry* find(int i) { return dbs_[0].find(dbs_[0].key(name(i))); }

  // A read, and a write when it finds nothing. True if it found the key.
  bool ask(int i, size_t bytes = 100) {
    if (Entry* entry = find(i)) {
      entry->note_use(prng_.next());
      return true;
    }
    while (dbs_[0].size() >= keys_max_) evict();
    const std::string key = name(i);
    dbs_[0].put_string(dbs_[0].key(key), nullptr, std::string(bytes, 'v'), kNoExpiry);
    return false;
  }
  void evict() {
    const auto victim = order_.next(heap_.used_bytes());
    ASSERT_TRUE(victim.has_value());
    dbs_[victim->db].erase({victim->entry->key(), victim->hash}, Freeing::kNow);
  }

  Heap heap_;
  Databases dbs_{heap_, kSeed, 4};
  EvictionOrder order_{heap_, dbs_, 1};
  Prng prng_{5};
  size_t keys_max_ = 2000;
};

TEST_F(EvictionOrderTest, AScanLeavesWhatIsInUse) {
  for (int round = 0; round < 5; ++round)
    for (int i = 0; i < 1500; ++i) ask(i);
  for (int i = 0; i < 100'000; ++i) {
    ask(1'000'000 + i);
    if (i % 10 == 0) ask(i / 10 % 1500);
  }
  int kept = 0;
  for (int i = 0; i < 1500; ++i) kept += find(i) != nullptr;
  EXPECT_GT(kept, 1425);
}

TEST_F(EvictionOrderTest, WhatComesBackSoonIsKept) {
  for (int i = 0; i < 4000; ++i) ask(i);
  int gone = 2000;
  while (find(gone) != nullptr) ++gone;
  ask(gone);
  EXPECT_FALSE(find(gone)->is_on_trial());
  ask(1'000'000);
  EXPECT_TRUE(find(1'000'000)->is_on_trial());
}

// What a trial that gets shorter evicts comes back at once; nothing that was kept can, since none
// of it is evicted yet. That is no reason for a longer one.
TEST_F(EvictionOrderTest, TheTrialLearnsWhenItHasItsLength) {
  for (int i = 0; i < 2000; ++i) ask(i);
  const double at_start = order_.trial_share();
  for (int i = 0; i < 1000; ++i) ask(i % 50 + 2000 + i / 100);
  const auto on_trial = [&] { return static_cast<double>(dbs_[0].on_trial_count()); };
  for (int i = 0; on_trial() > 3 * at_start * 2000; ++i) {
    ASSERT_LT(i, 100'000);
    EXPECT_EQ(order_.trial_share(), at_start);
    ask(i);
  }
  // Each key is used once more, after a hundred others: a trial of as many would see it.
  for (int i = 0; i < 20'000; ++i) {
    ask(1'000'000 + i);
    ask(1'000'000 + i - 100);
  }
  EXPECT_GT(order_.trial_share(), 0.04);
}

TEST_F(EvictionOrderTest, LargeValuesNeedMoreUses) {
  for (int i = 0; i < 2000; ++i) ask(i, i % 2 == 0 ? 50 : 5000);
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 2000; i += 1 + round % 3) ask(i, i % 2 == 0 ? 50 : 5000);
    for (int i = 0; i < 300; ++i) ask(10'000 + round * 300 + i, 50);
  }
  int small = 0;
  int large = 0;
  for (int i = 0; i < 2000; ++i) (i % 2 == 0 ? small : large) += find(i) != nullptr;
  EXPECT_GT(small, large);
}

// All keys are in use: then one goes all the same, after kLooksMax looks.
TEST_F(EvictionOrderTest, AnEvictionLooksAtFewKeys) {
  for (int i = 0; i < 20'000; ++i) ask(i);
  dbs_[0].for_each([](Entry& entry) { entry.set_uses(Entry::kUsesExact); });
  for (int round = 0; round < 20; ++round) {
    size_t before = 0;
    dbs_[0].for_each([&](Entry& entry) { before += entry.uses(); });
    evict();
    size_t after = 0;
    dbs_[0].for_each([&](Entry& entry) { after += entry.uses(); });
    EXPECT_LE(before - after, (EvictionOrder::kLooksMax + 1) * Entry::kUsesExact);
  }
}

TEST_F(EvictionOrderTest, TakesFiveBytesAKey) {
  keys_max_ = 50'000;
  for (int i = 0; i < 400'000; ++i) {
    ask(i);
    if (i % 3 == 0) ask(i - i % 50'000 / 2);
    if (i % 1000 == 0) {
      EXPECT_LE(order_.memory_bytes(), 5 * dbs_[0].size() + 10'000) << i;
    }
  }
}

// What is deleted and written again and again, with memory to spare, must not fill the queue.
TEST_F(EvictionOrderTest, DeletedKeysDoNotPileUp) {
  for (int i = 0; i < 1000; ++i) ask(i);
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = name(i % 7);
    dbs_[0].erase(dbs_[0].key(key), Freeing::kNow);
    ask(i % 7);
  }
  EXPECT_LE(order_.memory_bytes(), 20'000U);
}

TEST_F(EvictionOrderTest, OnlyKeysWithADeadlineGoWhenThatIsAsked) {
  order_.start(EvictionOrder::Scope::kWithDeadline);
  for (int i = 0; i < 1000; ++i) {
    const std::string key = name(i);
    dbs_[0].put_string(dbs_[0].key(key), nullptr, "v", i % 4 == 0 ? 1000 + i : kNoExpiry);
  }
  int gone = 0;
  for (; gone < 250; ++gone) {
    const auto victim = order_.next(heap_.used_bytes());
    if (!victim) break;
    EXPECT_TRUE(victim->entry->has_deadline());
    dbs_[0].erase({victim->entry->key(), victim->hash}, Freeing::kNow);
  }
  EXPECT_GT(gone, 240);
}

TEST_F(EvictionOrderTest, StopsInSlices) {
  for (int i = 0; i < 1000; ++i) ask(i);
  EXPECT_GT(dbs_[0].on_trial_count(), 0U);
  order_.stop();
  ask(1001);
  EXPECT_FALSE(find(1001)->is_on_trial());
  EXPECT_FALSE(order_.forget_some(10));
  while (!order_.forget_some(100)) continue;
  EXPECT_EQ(dbs_[0].on_trial_count(), 0U);
}

}  // namespace
}  // namespace ouro
