// SPDX-License-Identifier: BSD-3-Clause
// Random additions and removals on a KeyFilter and on a std::set of the same keys: so many that
// layers are laid over each other, and again so few that old ones have room.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/key_filter.h"

namespace ouro {
namespace {

constexpr uint64_t kKeys = 60'000;

class KeyFilterModel {
 public:
  explicit KeyFilterModel(uint64_t seed) : prng_(seed), filter_(heap_, HashSeed{seed}) {}

  void step(uint64_t add_percent) {
    const uint64_t number = prng_.below(kKeys);
    const std::string key = std::to_string(number);
    if (prng_.below(100) < add_percent) {
      // One that is there is never taken for new. One that is not may look like one that is: then
      // it was not added, and must not be removed.
      const bool is_new = filter_.add(key);
      if (model_.contains(number)) {
        ASSERT_FALSE(is_new) << key;
      }
      if (is_new) model_.insert(number);
    } else if (model_.contains(number)) {
      ASSERT_TRUE(filter_.remove(key)) << key;
      model_.erase(number);
    }
  }
  void compare() {
    filter_.check_invariants();
    ASSERT_EQ(filter_.memory_bytes(), heap_.used_bytes());
    ASSERT_EQ(filter_.size(), model_.size());
    uint64_t lookalikes = 0;
    for (uint64_t number = 0; number < kKeys; ++number) {
      const bool found = filter_.may_contain(std::to_string(number));
      if (model_.contains(number)) {
        ASSERT_TRUE(found) << number;
      } else {
        lookalikes += found ? 1U : 0U;
      }
    }
    ASSERT_LE(lookalikes, 5U);
  }
  uint16_t layers() const { return filter_.layer_count(); }

 private:
  Prng prng_;
  Heap heap_;
  KeyFilter filter_;
  std::set<uint64_t> model_;
};

TEST(KeyFilterModel, KnowsWhichKeysAreThere) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    KeyFilterModel model(seed);
    for (int step = 0; step < 400'000; ++step) {
      // Full, then nearly empty, and again.
      model.step(step / 100'000 % 2 == 0 ? 90 : 10);
      if (step % 20'000 == 0) model.compare();
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << " step " << step;
    }
    model.compare();
    EXPECT_GE(model.layers(), 3) << "seed " << seed;
  }
}

}  // namespace
}  // namespace ouro
