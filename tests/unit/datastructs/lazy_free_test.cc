// SPDX-License-Identifier: BSD-3-Clause
// Goal: no slice frees much more than its budget, whatever waits. Method: databases of one kind of
// value are flushed, and each slice is held against the share of memory that its budget stands for.
#include "datastructs/keyspace/lazy_free.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "datastructs/keyspace/keyspace.h"

namespace ouro {
namespace {

constexpr HashSeed kSeed{1};

class LazyFreeTest : public testing::Test {
 protected:
  ~LazyFreeTest() override { EXPECT_EQ(heap_.used_bytes(), 0U); }

  Key key(const std::string& name) { return db_->key(name); }

  void add_zset(const std::string& name, int members) {
    ZSet& set = db_->add<ZSet>(key(name));
    for (int i = 0; i < members; ++i)
      set.add(heap_, limits_, kSeed, "member:" + std::to_string(i), i, {});
  }

  // Empties the database and frees it in slices of `budget`: how many it took. Of the memory at
  // most `share` goes in one slice.
  size_t slices(size_t budget, double share) {
    const size_t keys = db_->size();
    db_->clear(Freeing::kLazy);
    EXPECT_EQ(lazy_free_.pending_objects(), keys);
    const auto all = static_cast<double>(heap_.used_bytes());
    size_t slices = 0;
    for (bool done = false; !done; ++slices) {
      const size_t before = heap_.used_bytes();
      done = lazy_free_.run(budget);
      EXPECT_LE(static_cast<double>(before - heap_.used_bytes()), all * share) << slices;
      EXPECT_EQ(done, lazy_free_.empty());
    }
    EXPECT_EQ(lazy_free_.pending_objects(), 0U);
    EXPECT_EQ(lazy_free_.freed_objects(), keys);
    db_.reset();
    return slices;
  }

  Heap heap_;
  Limits limits_;
  LazyFree lazy_free_{heap_};
  std::unique_ptr<Keyspace> db_ = std::make_unique<Keyspace>(heap_, kSeed, lazy_free_);
};

TEST_F(LazyFreeTest, ALargeValueOfAFlushedTableIsFreedInSlices) {
  add_zset("large", 100'000);
  EXPECT_GE(slices(2000, 0.2), 50U);
}

TEST_F(LazyFreeTest, ManyValuesAreNoMoreThanTheirAllocations) {
  // Some are freed whole, some are too large for that.
  limits_.zset_packed_entries = 0;
  for (int i = 0; i < 2000; ++i) add_zset("z" + std::to_string(i), i % 2 == 0 ? 50 : 100);
  EXPECT_GE(slices(2000, 0.2), 75U);
}

TEST_F(LazyFreeTest, SmallKeysAreFreedInSlices) {
  for (int i = 0; i < 100'000; ++i) {
    const std::string name = "key:" + std::to_string(i);
    db_->put_string(key(name), nullptr, "v", kNoExpiry);
  }
  EXPECT_GE(slices(2000, 0.2), 50U);
}

// Their memory takes longer to give back than their number says.
TEST_F(LazyFreeTest, LargeBlocksCountAsSeveral) {
  const std::string value(100'000, 'v');
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "key:" + std::to_string(i);
    db_->put_string(key(name), nullptr, value, kNoExpiry);
  }
  EXPECT_GE(slices(2000, 0.05), 20U);
}

TEST_F(LazyFreeTest, LargeNodesCountAsSeveral) {
  List& list = db_->add<List>(key("list"));
  const std::string element(1000, 'e');
  for (int i = 0; i < 20'000; ++i) list.push(heap_, limits_, ListEnd::kBack, element);
  EXPECT_GE(slices(500, 0.07), 20U);
}

}  // namespace
}  // namespace ouro
