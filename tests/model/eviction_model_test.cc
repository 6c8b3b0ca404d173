// SPDX-License-Identifier: BSD-3-Clause
// An order of eviction over databases that change in every way a server changes them: each victim
// is a key that is there and may go, its database says so, and what is counted is what there is.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "datastructs/keyspace/eviction_order.h"

namespace ouro {
namespace {

using Place = std::pair<DbIndex, std::string>;

class EvictionModel {
 public:
  explicit EvictionModel(uint64_t seed) : prng_(seed) {}

  void run(int steps) {
    order_.start(scope_);
    for (int i = 0; i < steps; ++i) {
      step();
      if (i % 500 == 0) check();
    }
    order_.stop();
    while (!order_.forget_some(50)) continue;
    check();
    for (DbIndex db = 0; db < kDatabases; ++db) EXPECT_EQ(dbs_[db].on_trial_count(), 0U);
  }

 private:
  static constexpr DbIndex kDatabases = 3;

  void step() {
    const auto db = static_cast<DbIndex>(prng_.below(kDatabases));
    const std::string name = "k" + std::to_string(prng_.below(3000));
    const Key key = dbs_[db].key(name);
    Entry* entry = dbs_[db].find(key);
    const uint64_t dice = prng_.below(1000);
    if (dice < 400) {
      dbs_[db].put_string(key, entry, std::string(prng_.below(300), 'v'), deadline());
      model_.emplace(db, name);
    } else if (dice < 600) {
      if (entry != nullptr) entry->note_use(prng_.next());
    } else if (dice < 700) {
      if (entry != nullptr) dbs_[db].set_deadline(key, entry, deadline());
    } else if (dice < 800) {
      dbs_[db].erase(key, Freeing::kNow);
      model_.erase({db, name});
    } else if (dice < 995) {
      evict();
    } else {
      change_as_a_whole(db, dice);
    }
  }

  void change_as_a_whole(DbIndex db, uint64_t dice) {
    if (dice == 995) {
      dbs_[db].clear(Freeing::kNow);
      std::erase_if(model_, [&](const Place& place) { return place.first == db; });
    } else if (dice == 996) {
      scope_ = scope_ == EvictionOrder::Scope::kAll ? EvictionOrder::Scope::kWithDeadline
                                                    : EvictionOrder::Scope::kAll;
      order_.start(scope_);
    } else {
      const DbIndex other = (db + 1) % kDatabases;
      dbs_[db].swap_contents(dbs_[other]);
      std::set<Place> swapped;
      for (const auto& [at, name] : model_)
        swapped.emplace(at == db ? other : at == other ? db : at, name);
      model_ = swapped;
    }
  }

  void evict() {
    const auto victim = order_.next(heap_.used_bytes());
    if (!victim) return;
    ++evicted_;
    const std::string name(victim->entry->key());
    ASSERT_EQ(model_.erase({victim->db, name}), 1U) << name;
    ASSERT_EQ(dbs_[victim->db].key(name).hash, victim->hash);
    if (scope_ == EvictionOrder::Scope::kWithDeadline) {
      ASSERT_TRUE(victim->entry->has_deadline());
    }
    dbs_[victim->db].erase({name, victim->hash}, Freeing::kNow);
  }

  UnixMs deadline() {
    return prng_.below(3) == 0 ? 1 + static_cast<UnixMs>(prng_.below(9)) : kNoExpiry;
  }

  void check() {
    ASSERT_EQ(dbs_.size(), model_.size());
    for (DbIndex db = 0; db < kDatabases; ++db) dbs_[db].check_invariants();
  }

  Heap heap_;
  Databases dbs_{heap_, HashSeed{3}, kDatabases};
  EvictionOrder order_{heap_, dbs_, 9};
  EvictionOrder::Scope scope_ = EvictionOrder::Scope::kAll;
  std::set<Place> model_;
  Prng prng_;
  size_t evicted_ = 0;
};

TEST(EvictionModel, VictimsAreKeysThatAreThereAndMayGo) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    EvictionModel(seed).run(40'000);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace ouro
