// SPDX-License-Identifier: BSD-3-Clause
// Leases against a model, by random calls.
#include "server/protect/leases.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

constexpr size_t kMax = 12;

class LeasesModel {
 public:
  explicit LeasesModel(uint64_t seed) : prng_(seed) {}

  void step() {
    const auto db = static_cast<DbIndex>(prng_.below(2));
    const std::string name = "key" + std::to_string(prng_.below(20));
    const Key key{name, hash_bytes(name, HashSeed{3})};
    now_ += static_cast<Instant>(prng_.below(3000));
    end_due();
    auto found = known_.find({db, name});
    const bool holds = found != known_.end() && !found->second.late;
    switch (prng_.below(6)) {
      case 0:
      case 1:
      case 2:
        if (!holds) grant(db, key, name);
        break;
      case 3: {
        const uint64_t token =
            prng_.below(4) == 0 || found == known_.end() ? 1 : found->second.token;
        const bool accepted =
            found != known_.end() && !found->second.cooling && found->second.token == token;
        EXPECT_EQ(leases_.take(db, key, token).has_value(), accepted);
        if (accepted) known_.erase(found);
        break;
      }
      case 4:
        if (found != known_.end() && !found->second.cooling) {
          EXPECT_TRUE(leases_.cool(db, key, found->second.token, now_ + 5000));
          found->second = {.token = found->second.token, .until = now_ + 5000, .cooling = true};
        }
        break;
      default:
        leases_.drop(db, key);
        known_.erase({db, name});
    }
    leases_.check_invariants();
    EXPECT_EQ(leases_.size(), known_.size());
  }

 private:
  struct Known {
    uint64_t token;
    Instant until;
    bool late = false;
    bool cooling = false;
    uint64_t late_since = 0;
  };

  void end_due() {
    for (auto it = known_.begin(); it != known_.end();) {
      Known& known = it->second;
      if (known.late || known.until > now_) {
        ++it;
      } else if (known.cooling) {
        it = known_.erase(it);
      } else {
        ++due_;
        known.late = true;
        ++it;
      }
    }
    size_t all = ~size_t{0};
    size_t ended = 0;
    leases_.end_due(now_, all, [&](const Lease& lease) {
      ++ended;
      const auto found = known_.find({lease.db, std::string(lease.key())});
      ASSERT_NE(found, known_.end());
      EXPECT_TRUE(found->second.late);
      found->second.late_since = ++order_;
    });
    EXPECT_EQ(ended, std::exchange(due_, 0));
  }
  void grant(DbIndex db, const Key& key, const std::string& name) {
    const bool is_known = known_.contains({db, name});
    auto oldest = known_.end();
    for (auto it = known_.begin(); it != known_.end(); ++it) {
      if (it->second.late &&
          (oldest == known_.end() || it->second.late_since < oldest->second.late_since))
        oldest = it;
    }
    const bool has_room = is_known || known_.size() < kMax || oldest != known_.end();
    if (!is_known && known_.size() >= kMax && oldest != known_.end()) known_.erase(oldest);
    const Millis time = 1 + static_cast<Millis>(prng_.below(20));
    EXPECT_EQ(leases_.grant(db, key, {++token_, 0, now_, time}, kMax), has_room);
    if (has_room) known_[{db, name}] = {.token = token_, .until = now_ + time * 1000};
  }

  Prng prng_;
  Heap heap_;
  Leases leases_{heap_, HashSeed{3}};
  std::map<std::pair<DbIndex, std::string>, Known> known_;
  Instant now_ = 1'000'000;
  uint64_t token_ = 100;
  uint64_t order_ = 0;
  size_t due_ = 0;
};

TEST(Leases, AreAsTheirModel) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    LeasesModel model(seed);
    for (int i = 0; i < 1000; ++i) model.step();
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(Leases, TakeLittleMemory) {
  Heap heap;
  Leases leases(heap, HashSeed{});
  for (uint64_t i = 0; i < 100'000; ++i) {
    const std::string name = std::to_string(1'000'000'000'000'000 + i);
    EXPECT_TRUE(
        leases.grant(0, {name, hash_bytes(name, HashSeed{})}, {i + 1, 0, 0, 3000}, 100'000));
  }
  EXPECT_LT(heap.used_bytes() / 100'000, 64 + 16 + 24);
  EXPECT_FALSE(
      leases.grant(0, {"one more", hash_bytes("one more", HashSeed{})}, {7, 0, 0, 3000}, 100'000));
  leases.clear();
  EXPECT_TRUE(leases.empty());
  EXPECT_EQ(leases.next_end(), kNever);
}

}  // namespace
}  // namespace ouro
