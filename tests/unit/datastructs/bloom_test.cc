// SPDX-License-Identifier: BSD-3-Clause
// What a Bloom filter promises: no item is forgotten, and strangers are taken for members as seldom
// as was asked for. Sizes are those that RedisBloom's documentation and formulas give.
#include "datastructs/bloom.h"

#include <gtest/gtest.h>

#include <string>

namespace ouro {
namespace {

std::string member(uint64_t number) { return "member:" + std::to_string(number); }
std::string stranger(uint64_t number) { return "stranger:" + std::to_string(number); }

struct BloomTest : testing::Test {
  ~BloomTest() override {
    filter.destroy(heap);
    EXPECT_EQ(heap.used_bytes(), 0U);
  }
  void make(const Bloom::Shape& shape) {
    filter.destroy(heap);
    filter = Bloom::create(heap, shape);
  }
  void add_members(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) filter.add(heap, member(i));
  }
  // Of every 100,000.
  uint64_t strangers_taken_for_members() const {
    uint64_t count = 0;
    for (uint64_t i = 0; i < 100'000; ++i) count += filter.contains(stranger(i));
    return count;
  }
  void expect_all_members(uint64_t count) const {
    for (uint64_t i = 0; i < count; ++i) ASSERT_TRUE(filter.contains(member(i))) << i;
  }
  void check() const {
    filter.check_invariants();
    EXPECT_EQ(filter.memory_bytes(), heap.used_bytes());
  }

  Heap heap;
  Bloom filter;
};

TEST_F(BloomTest, AnEmptyFilterHoldsNothing) {
  make({});
  EXPECT_EQ(strangers_taken_for_members(), 0U);
  EXPECT_EQ(filter.size(), 0U);
  EXPECT_EQ(filter.layers(), 1U);
  check();
}

// 100 items at half of 1 %: 11.03 bits an item, 1102 bits, 144 bytes in whole words; BF.INFO's
// documentation shows such a filter with Size 240.
TEST_F(BloomTest, TheDefaultIsAsLargeAsRedisBlooms) {
  make({});
  EXPECT_EQ(filter.reported_bytes(), 240U);
  EXPECT_EQ(filter.capacity(), 100U);
}

TEST_F(BloomTest, TheErrorRateHoldsWhenFull) {
  for (const double rate : {0.1, 0.01, 0.001}) {
    make({.error_rate = rate, .capacity = 20'000, .scaling = false});
    add_members(20'000);
    expect_all_members(20'000);
    const auto taken = static_cast<double>(strangers_taken_for_members()) / 100'000;
    EXPECT_LT(taken, rate * 1.3) << rate;
    EXPECT_GT(taken, rate * 0.5) << rate;
    // Members that were taken for present are not counted.
    EXPECT_LE(filter.size(), 20'000U);
    EXPECT_GT(static_cast<double>(filter.size()), 20'000 * (1 - rate));
    check();
  }
}

TEST_F(BloomTest, TheErrorRateHoldsOverManyLayers) {
  make({.error_rate = 0.01, .capacity = 100});
  add_members(50'000);
  expect_all_members(50'000);
  EXPECT_EQ(filter.layers(), 9U);  // 100 * (2^9 - 1) > 50,000
  EXPECT_EQ(filter.capacity(), 51'100U);
  EXPECT_LT(strangers_taken_for_members(), 1000U);
  check();
}

TEST_F(BloomTest, ExpansionIsTheRatioOfLayers) {
  make({.capacity = 10, .expansion = 4});
  add_members(11);
  EXPECT_EQ(filter.layers(), 2U);
  EXPECT_EQ(filter.capacity(), 50U);
  make({.capacity = 10, .expansion = 1});
  add_members(35);
  EXPECT_EQ(filter.layers(), 4U);
  EXPECT_EQ(filter.capacity(), 40U);
}

TEST_F(BloomTest, AnItemIsAddedOnce) {
  make({});
  EXPECT_EQ(filter.add(heap, "a"), Bloom::Added::kNew);
  EXPECT_EQ(filter.add(heap, "a"), Bloom::Added::kPresent);
  EXPECT_EQ(filter.size(), 1U);
}

TEST_F(BloomTest, WithoutScalingItIsFullAtItsCapacity) {
  make({.error_rate = 0.0001, .capacity = 3, .scaling = false});
  for (const char* item : {"a", "b", "c"}) EXPECT_EQ(filter.add(heap, item), Bloom::Added::kNew);
  EXPECT_EQ(filter.add(heap, "d"), Bloom::Added::kFull);
  EXPECT_EQ(filter.add(heap, "a"), Bloom::Added::kPresent);
  EXPECT_EQ(filter.size(), 3U);
}

// With an expansion of 1 and room for one item a layer, the error rate of a layer is halved with
// each item.
TEST_F(BloomTest, LayersHaveAnEnd) {
  make({.error_rate = 0.9, .capacity = 1, .expansion = 1});
  Bloom::Added last = Bloom::Added::kNew;
  for (uint64_t i = 0; i < 100'000 && last != Bloom::Added::kCannotGrow; ++i) {
    last = filter.add(heap, member(i));
  }
  EXPECT_EQ(last, Bloom::Added::kCannotGrow);
  EXPECT_EQ(filter.layers(), Bloom::kLayersMax);
  check();
}

TEST_F(BloomTest, HugeFiltersAreRefusedOrTakeNoMemoryUntilUsed) {
  EXPECT_FALSE(Bloom::fits({.capacity = UINT64_MAX}));
  EXPECT_FALSE(Bloom::fits({.error_rate = 1e-300, .capacity = 1'000'000'000}));
  EXPECT_TRUE(Bloom::fits({.capacity = 2'000'000'000}));
  make({.capacity = 2'000'000'000});
  EXPECT_LT(heap.used_bytes(), 1_MiB);
  filter.add(heap, "a");
  EXPECT_LT(heap.used_bytes(), 2_MiB);
  check();
}

TEST_F(BloomTest, ALayerThatDoesNotFitIsNotAdded) {
  make({.capacity = 1, .expansion = UINT32_MAX});
  EXPECT_EQ(filter.add(heap, "a"), Bloom::Added::kNew);
  EXPECT_EQ(filter.add(heap, "b"), Bloom::Added::kCannotGrow);
  EXPECT_EQ(filter.layers(), 1U);
}

TEST_F(BloomTest, ADumpRestoresEveryByte) {
  make({.capacity = 40'000});
  add_members(90'000);  // layers of more than one chunk
  const Result<Bloom> made = Bloom::from_header(heap, filter.header());
  ASSERT_TRUE(made.is_ok());
  Bloom other = *made;
  for (uint64_t at = 0;;) {
    const std::string piece = filter.read(at, 50'000);
    if (piece.empty()) break;
    ASSERT_TRUE(other.write(heap, at, piece).is_ok());
    at += piece.size();
  }
  std::string a;
  std::string b;
  filter.for_each_part([&](ByteView part) { a += part; });
  other.for_each_part([&](ByteView part) { b += part; });
  EXPECT_TRUE(a == b);
  other.check_invariants();
  other.destroy(heap);
}

TEST_F(BloomTest, WritesStayInsideOfALayer) {
  make({.capacity = 100});
  add_members(101);  // layers of 144 and, at a quarter of 1 %, 312 bytes
  EXPECT_EQ(filter.read(0, 1000).size(), 144U);
  EXPECT_EQ(filter.read(144, 1000).size(), 312U);
  EXPECT_EQ(filter.read(456, 1000), "");
  EXPECT_EQ(filter.write(heap, 100, std::string(45, 'x')), Err::kTooBig);
  EXPECT_EQ(filter.write(heap, 456, "x"), Err::kOutOfRange);
  EXPECT_EQ(filter.write(heap, UINT64_MAX, "x"), Err::kOutOfRange);
  expect_all_members(101);
}

TEST_F(BloomTest, DamagedHeadersAreRefused) {
  make({.capacity = 100});
  add_members(150);
  const std::string good = filter.header();
  ASSERT_EQ(good.size(), 20U + 2 * 53);
  const auto refused = [&](size_t at, char byte) {
    std::string bad = good;
    bad[at] = byte;
    return Bloom::from_header(heap, bad).err() == Err::kCorrupt;
  };
  EXPECT_TRUE(refused(0, '\x01'));            // items: not the layers' sum
  EXPECT_TRUE(refused(8, '\x03'));            // layers: more than there are
  EXPECT_TRUE(refused(8, '\x00'));            // none
  EXPECT_TRUE(refused(12, '\x02'));           // flags
  EXPECT_TRUE(refused(16, '\x00'));           // expansion
  EXPECT_TRUE(refused(20 + 6, '\x01'));       // bytes
  EXPECT_TRUE(refused(20 + 8, '\x01'));       // bits that are not the bytes'
  EXPECT_TRUE(refused(20 + 16 + 7, '\x01'));  // items of a layer
  EXPECT_TRUE(refused(20 + 24 + 7, '\xbf'));  // a negative error
  EXPECT_TRUE(refused(20 + 40, '\x01'));      // hashes
  EXPECT_TRUE(refused(20 + 52, '\x01'));      // bits placed in another way
  EXPECT_FALSE(Bloom::from_header(heap, good + "x").is_ok());
  EXPECT_FALSE(Bloom::from_header(heap, good.substr(0, 19)).is_ok());
}

TEST_F(BloomTest, ACopyIsApartAndSlicesFreeAll) {
  make({.capacity = 500'000});
  add_members(10'000);
  Bloom other = filter.copy(heap);
  filter.add(heap, "later");
  EXPECT_TRUE(filter.contains("later"));
  EXPECT_FALSE(other.contains("later"));
  EXPECT_GT(other.free_effort(), 9U);
  int slices = 0;
  for (bool done = false; !done; ++slices) {
    size_t budget = 2;
    done = other.free_some(heap, budget);
  }
  EXPECT_GT(slices, 4);
  check();
}

}  // namespace
}  // namespace ouro
