// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/int_set.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace ouro {
namespace {

class IntSetTest : public testing::Test {
 protected:
  ~IntSetTest() override {
    set_.destroy(heap_);
    EXPECT_EQ(heap_.used_bytes(), 0u);
  }
  std::vector<int64_t> contents() const {
    std::vector<int64_t> all;
    for (size_t i = 0; i < set_.size(); ++i) all.push_back(set_.at(i));
    return all;
  }

  Heap heap_;
  IntSet set_;
};

TEST_F(IntSetTest, KeepsNumbersSortedAndOnce) {
  for (const int64_t value : {5, -3, 100, 5, 0}) set_.add(heap_, value);
  set_.check_invariants();
  EXPECT_EQ(contents(), (std::vector<int64_t>{-3, 0, 5, 100}));
  EXPECT_FALSE(set_.add(heap_, 100));
  EXPECT_TRUE(set_.contains(-3));
  EXPECT_FALSE(set_.contains(1));
  EXPECT_TRUE(set_.remove(heap_, 0));
  EXPECT_FALSE(set_.remove(heap_, 0));
  EXPECT_EQ(contents(), (std::vector<int64_t>{-3, 5, 100}));
}

TEST_F(IntSetTest, WidensAtBothEndsOfEachWidth) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> expected;
  for (const int64_t value : {int64_t{1}, int64_t{32767}, int64_t{-32768}}) set_.add(heap_, value);
  EXPECT_EQ(set_.bytes().size(), 8u + 3 * 2);
  EXPECT_FALSE(set_.contains(32768));
  set_.add(heap_, 32768);
  EXPECT_EQ(set_.bytes().size(), 8u + 4 * 4);
  set_.add(heap_, -2147483648LL);
  EXPECT_EQ(set_.bytes().size(), 8u + 5 * 4);
  set_.add(heap_, kMin);
  EXPECT_EQ(set_.bytes().size(), 8u + 6 * 8);
  set_.add(heap_, kMax);
  set_.check_invariants();
  EXPECT_EQ(contents(), (std::vector<int64_t>{kMin, -2147483648LL, -32768, 1, 32767, 32768, kMax}));
}

TEST_F(IntSetTest, IsByteForByteWhatRdbStores) {
  set_.add(heap_, 258);
  set_.add(heap_, -1);
  EXPECT_EQ(set_.bytes(), ByteView("\x02\0\0\0\x02\0\0\0\xFF\xFF\x02\x01", 12));
}

TEST_F(IntSetTest, HoldsNoMemoryWhenEmptyAndShrinks) {
  for (int64_t value = 0; value < 1000; ++value) set_.add(heap_, value * 1'000'000);
  const size_t full = set_.memory_bytes();
  EXPECT_EQ(full, heap_.used_bytes());
  for (int64_t value = 0; value < 900; ++value) set_.remove(heap_, value * 1'000'000);
  set_.check_invariants();
  EXPECT_LT(set_.memory_bytes(), full / 4);
  for (int64_t value = 900; value < 1000; ++value) {
    EXPECT_TRUE(set_.remove(heap_, value * 1'000'000));
  }
  EXPECT_TRUE(set_.empty());
  EXPECT_EQ(heap_.used_bytes(), 0u);
}

TEST_F(IntSetTest, CopyIsIndependent) {
  set_.add(heap_, 7);
  IntSet other = set_.copy(heap_);
  other.add(heap_, 8);
  EXPECT_EQ(set_.size(), 1u);
  EXPECT_EQ(other.size(), 2u);
  other.destroy(heap_);
}

TEST_F(IntSetTest, RandomIsFair) {
  // 10 numbers, 100,000 draws: each count is within 5 standard deviations (95) of 10,000.
  for (int64_t value = 0; value < 10; ++value) set_.add(heap_, value);
  Prng prng(20240501);
  std::vector<int> seen(10);
  for (int i = 0; i < 100'000; ++i) ++seen[static_cast<size_t>(set_.random(prng))];
  for (const int count : seen) EXPECT_NEAR(count, 10'000, 475);
}

}  // namespace
}  // namespace ouro
