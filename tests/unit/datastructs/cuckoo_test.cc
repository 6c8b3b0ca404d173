// SPDX-License-Identifier: BSD-3-Clause
// What a cuckoo filter promises, and that the dump keeps all of it. Random operations beside a
// std::multiset: tests/model/cuckoo_model_test.cc.
#include "datastructs/cuckoo.h"

#include <gtest/gtest.h>

#include <string>

namespace ouro {
namespace {

std::string member(uint64_t number) { return "member:" + std::to_string(number); }

struct CuckooTest : testing::Test {
  ~CuckooTest() override {
    filter.destroy(heap);
    EXPECT_EQ(heap.used_bytes(), 0U);
  }
  void make(const Cuckoo::Shape& shape) {
    filter.destroy(heap);
    filter = Cuckoo::create(heap, shape);
  }
  void add_members(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_EQ(filter.add(heap, member(i)), Cuckoo::Added::kNew) << i;
    }
  }
  void check() const {
    filter.check_invariants();
    EXPECT_EQ(filter.memory_bytes(), heap.used_bytes());
  }
  std::string parts(const Cuckoo& of) const {
    std::string all;
    of.for_each_part([&](ByteView part) { all += part; });
    return all;
  }

  Heap heap;
  Cuckoo filter;
};

TEST_F(CuckooTest, BucketsAreAPowerOfTwo) {
  make({.capacity = 1000});
  EXPECT_EQ(filter.buckets(), 512U);
  EXPECT_EQ(filter.bucket_size(), 2U);
  make({.capacity = 8, .bucket_size = 3});
  EXPECT_EQ(filter.buckets(), 2U);
  // 40 bytes, 16 a layer and the cells.
  EXPECT_EQ(filter.reported_bytes(), 62U);
}

TEST_F(CuckooTest, ExpansionIsTakenUpToAPowerOfTwo) {
  make({.capacity = 8, .expansion = 5});
  EXPECT_EQ(filter.expansion(), 8U);
  make({.capacity = 8, .expansion = 0});
  EXPECT_EQ(filter.expansion(), 0U);
  make({.capacity = 8, .expansion = Cuckoo::kExpansionMax});
  EXPECT_EQ(filter.expansion(), Cuckoo::kExpansionMax);
}

// A stranger meets the fingerprints of two buckets: 4 cells, about half of them used, of 255
// values.
TEST_F(CuckooTest, StrangersAreSeldomTakenForMembers) {
  constexpr uint64_t kMembers = 16'000;
  make({.capacity = 1 << 15, .expansion = 0});
  add_members(kMembers);
  for (uint64_t i = 0; i < kMembers; ++i) ASSERT_TRUE(filter.contains(member(i)));
  uint64_t taken = 0;
  for (uint64_t i = 0; i < 100'000; ++i) taken += filter.contains("stranger:" + std::to_string(i));
  EXPECT_NEAR(static_cast<double>(taken), 100'000 * 4.0 * kMembers / (1 << 15) / 255, 100);
  check();
}

TEST_F(CuckooTest, AnItemCountsAsOftenAsItWasAdded) {
  make({});
  EXPECT_EQ(filter.count("a"), 0U);
  for (uint64_t i = 1; i <= 9; ++i) {
    EXPECT_EQ(filter.add(heap, "a"), Cuckoo::Added::kNew);
    EXPECT_EQ(filter.count("a"), i);
  }
  EXPECT_EQ(filter.add_unless_present(heap, "a"), Cuckoo::Added::kPresent);
  EXPECT_EQ(filter.add_unless_present(heap, "b"), Cuckoo::Added::kNew);
  for (uint64_t i = 9; i > 0; --i) {
    EXPECT_TRUE(filter.remove(heap, "a"));
    EXPECT_EQ(filter.count("a"), i - 1);
  }
  EXPECT_FALSE(filter.remove(heap, "a"));
  EXPECT_EQ(filter.size(), 1U);
}

TEST_F(CuckooTest, WhatFindsNoRoomChangesNothing) {
  make({.capacity = 4, .expansion = 0});
  uint64_t added = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    const std::string before = parts(filter);
    if (filter.add(heap, member(i)) == Cuckoo::Added::kNew) {
      ++added;
    } else {
      EXPECT_TRUE(parts(filter) == before);
    }
  }
  EXPECT_EQ(added, filter.size());
  EXPECT_LE(added, 4U);
  EXPECT_GE(added, 2U);
}

TEST_F(CuckooTest, LayersGrowAndHaveAnEnd) {
  make({.capacity = 8, .expansion = 2});
  add_members(1000);
  EXPECT_GE(filter.layers(), 7U);
  EXPECT_LE(filter.layers(), 9U);
  make({.capacity = 4, .expansion = 1});
  Cuckoo::Added last = Cuckoo::Added::kNew;
  for (uint64_t i = 0; i < 1000 && last == Cuckoo::Added::kNew; ++i)
    last = filter.add(heap, "same");
  EXPECT_EQ(last, Cuckoo::Added::kCannotGrow);
  EXPECT_EQ(filter.layers(), Cuckoo::kLayersMax);
  check();
}

TEST_F(CuckooTest, HugeFiltersAreRefusedOrTakeNoMemoryUntilUsed) {
  EXPECT_FALSE(Cuckoo::fits({.capacity = UINT64_MAX}));
  EXPECT_FALSE(Cuckoo::fits({.capacity = (uint64_t{4} << 30) + 1}));
  EXPECT_TRUE(Cuckoo::fits({.capacity = uint64_t{4} << 30}));
  make({.capacity = uint64_t{4} << 30});
  EXPECT_LT(heap.used_bytes(), 1_MiB);
  EXPECT_EQ(filter.add(heap, "a"), Cuckoo::Added::kNew);
  EXPECT_TRUE(filter.contains("a"));
  filter.compact(heap);
  check();
}

TEST_F(CuckooTest, CompactingLetsEmptyLayersGo) {
  make({.capacity = 64, .max_iterations = 4});
  add_members(200);
  const uint16_t layers = filter.layers();
  ASSERT_GT(layers, 3U);
  for (uint64_t i = 0; i < 150; ++i) ASSERT_TRUE(filter.remove(heap, member(i)));
  filter.compact(heap);
  EXPECT_LT(filter.layers(), layers);
  EXPECT_EQ(filter.removed(), 0U);
  EXPECT_EQ(filter.size(), 50U);
  for (uint64_t i = 150; i < 200; ++i) EXPECT_TRUE(filter.contains(member(i)));
  check();
}

TEST_F(CuckooTest, ADumpRestoresEveryByte) {
  make({.capacity = 200'000, .bucket_size = 3, .expansion = 2});
  add_members(400'000);
  const Result<Cuckoo> made = Cuckoo::from_header(heap, filter.header());
  ASSERT_TRUE(made.is_ok());
  Cuckoo other = *made;
  for (uint64_t at = 0;;) {
    const std::string piece = filter.read(at, 100'000);
    if (piece.empty()) break;
    ASSERT_TRUE(other.write(heap, at, piece).is_ok());
    at += piece.size();
  }
  EXPECT_TRUE(parts(filter) == parts(other));
  Cuckoo copy = filter.copy(heap);
  EXPECT_TRUE(parts(filter) == parts(copy));
  other.destroy(heap);
  copy.destroy(heap);
  check();
}

TEST_F(CuckooTest, DamagedHeadersAreRefused) {
  make({.capacity = 64, .expansion = 2});
  add_members(100);
  const std::string good = filter.header();
  ASSERT_EQ(good.size(), Cuckoo::kHeaderBytes);
  const auto refused = [&](size_t at, ByteView bytes) {
    std::string bad = good;
    bad.replace(at, bytes.size(), bytes);
    return Cuckoo::from_header(heap, bad).err() == Err::kCorrupt;
  };
  EXPECT_TRUE(refused(8, "\x21"));                     // buckets: no power of two
  EXPECT_TRUE(refused(8, ByteView("\0", 1)));          // none
  EXPECT_TRUE(refused(8, ByteView("\0\0\0\0\1", 5)));  // more than the limit
  EXPECT_TRUE(refused(24, "\x21"));                    // layers
  EXPECT_TRUE(refused(24, ByteView("\0", 1)));
  EXPECT_TRUE(refused(32, ByteView("\0\1", 2)));  // bucket size 256
  EXPECT_TRUE(refused(32, ByteView("\0\0", 2)));
  EXPECT_TRUE(refused(34, ByteView("\0\0", 2)));  // no moves
  EXPECT_TRUE(refused(36, ByteView("\3\0", 2)));  // expansion: no power of two
  EXPECT_TRUE(refused(36, ByteView("\0\0", 2)));  // several layers that never grew
  EXPECT_FALSE(Cuckoo::from_header(heap, good + "x").is_ok());
}

TEST_F(CuckooTest, ForeignCountsDoNoHarm) {
  make({.capacity = 64});
  add_members(3);
  std::string header = filter.header();
  header[0] = 0;  // no items, but cells
  Cuckoo other = *Cuckoo::from_header(heap, header);
  ASSERT_TRUE(other.write(heap, 0, filter.read(0, 1000)).is_ok());
  for (uint64_t i = 0; i < 3; ++i) EXPECT_TRUE(other.remove(heap, member(i)));
  EXPECT_EQ(other.size(), 0U);
  other.check_invariants();
  other.destroy(heap);
}

}  // namespace
}  // namespace ouro
