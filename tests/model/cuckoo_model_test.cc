// SPDX-License-Identifier: BSD-3-Clause
// Random additions and removals on a Cuckoo filter and on a std::multiset of the same items, from
// so few items that each is there several times and layers come and go.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/cuckoo.h"

namespace ouro {
namespace {

class CuckooModel {
 public:
  CuckooModel(uint64_t seed, const Cuckoo::Shape& shape)
      : prng_(seed), filter_(Cuckoo::create(heap_, shape)) {}
  ~CuckooModel() { filter_.destroy(heap_); }

  void step(uint64_t add_percent) {
    const std::string item = std::to_string(prng_.below(300));
    if (prng_.below(100) < add_percent) {
      const bool only_new = prng_.below(4) == 0;
      const Cuckoo::Added added =
          only_new ? filter_.add_unless_present(heap_, item) : filter_.add(heap_, item);
      // Another item may look the same, but one that is there is never missed.
      if (only_new && model_.contains(item)) {
        ASSERT_EQ(added, Cuckoo::Added::kPresent);
      }
      if (added == Cuckoo::Added::kNew) model_.insert(item);
    } else if (const auto found = model_.find(item); found != model_.end()) {
      ASSERT_TRUE(filter_.remove(heap_, item));
      model_.erase(found);
    }
    if (prng_.below(200) == 0) filter_.compact(heap_);
  }
  void compare() {
    filter_.check_invariants();
    ASSERT_EQ(filter_.size(), model_.size());
    ASSERT_EQ(filter_.memory_bytes(), heap_.used_bytes());
    uint64_t cells = 0;
    for (uint64_t at = 0;;) {
      const std::string piece = filter_.read(at, 1000);
      if (piece.empty()) break;
      for (const char cell : piece) cells += cell != 0;
      at += piece.size();
    }
    ASSERT_EQ(cells, model_.size());
    for (int i = 0; i < 300; ++i) {
      const std::string item = std::to_string(i);
      ASSERT_GE(filter_.count(item), model_.count(item)) << item;
    }
  }

 private:
  Prng prng_;
  Heap heap_;
  Cuckoo filter_;
  std::multiset<std::string> model_;
};

TEST(CuckooModel, KeepsEveryItemAsOftenAsItIsThere) {
  const Cuckoo::Shape shapes[] = {
      {.capacity = 16, .bucket_size = 2, .max_iterations = 20, .expansion = 1},
      {.capacity = 64, .bucket_size = 4, .max_iterations = 3, .expansion = 2},
      {.capacity = 30, .bucket_size = 5, .max_iterations = 50, .expansion = 4},
      {.capacity = 512, .bucket_size = 1, .max_iterations = 100, .expansion = 0},
  };
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    CuckooModel model(seed, shapes[seed % std::size(shapes)]);
    for (int step = 0; step < 6000; ++step) {
      // Full, then nearly empty, and again.
      model.step(step / 1000 % 2 == 0 ? 65 : 30);
      if (step % 50 == 0) model.compare();
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << " step " << step;
    }
    model.compare();
  }
}

}  // namespace
}  // namespace ouro
