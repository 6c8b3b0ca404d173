// SPDX-License-Identifier: BSD-3-Clause
// What a filter of keys promises: nothing that was added is denied, little else is let through, in
// how many bits; and that the dump keeps all of it. Random additions and removals beside a
// std::set: tests/model/key_filter_model_test.cc.
#include "datastructs/key_filter.h"

#include <gtest/gtest.h>

#include <string>

namespace ouro {
namespace {

constexpr HashSeed kSeed{42};

std::string key(uint64_t number) { return "user:" + std::to_string(number); }

struct KeyFilterTest : testing::Test {
  void add(uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) filter.add(key(i));
  }
  uint64_t count_denied(const KeyFilter& of, uint64_t begin, uint64_t end) const {
    uint64_t denied = 0;
    for (uint64_t i = begin; i < end; ++i) denied += of.may_contain(key(i)) ? 0U : 1U;
    return denied;
  }
  std::string all_bytes(const KeyFilter& of) const {
    std::string all;
    for (;;) {
      const std::string piece = of.read(all.size(), 10'000);
      if (piece.empty()) return all;
      all += piece;
    }
  }

  Heap heap;
  KeyFilter filter{heap, kSeed};
};

TEST_F(KeyFilterTest, EmptyDeniesEverything) {
  EXPECT_EQ(count_denied(filter, 0, 1000), 1000U);
  EXPECT_FALSE(filter.remove(key(1)));
  EXPECT_EQ(filter.size(), 0U);
}

TEST_F(KeyFilterTest, AddingAgainTakesNoSecondPlace) {
  add(0, 100'000);
  const uint64_t size = filter.size();
  const size_t bytes = filter.memory_bytes();
  for (int round = 0; round < 3; ++round) add(0, 100'000);
  EXPECT_EQ(filter.size(), size);
  EXPECT_EQ(filter.memory_bytes(), bytes);
  EXPECT_EQ(count_denied(filter, 0, 100'000), 0U);
  filter.check_invariants();
}

TEST_F(KeyFilterTest, ARemovedKeyIsDeniedAndItsPlaceIsFree) {
  add(0, 100'000);
  const size_t bytes = filter.memory_bytes();
  for (int round = 1; round <= 20; ++round) {
    const auto begin = static_cast<uint64_t>(round - 1) * 100'000;
    // Of two keys that look the same one removal has removed both.
    int lookalikes = 0;
    for (uint64_t i = begin; i < begin + 100'000; ++i) lookalikes += filter.remove(key(i)) ? 0 : 1;
    ASSERT_LE(lookalikes, 5);
    ASSERT_EQ(filter.size(), 0U);
    ASSERT_EQ(count_denied(filter, begin, begin + 100'000), 100'000U);
    add(begin + 100'000, begin + 200'000);
  }
  // Old layers are filled before the newest makes room.
  EXPECT_LE(filter.memory_bytes(), bytes * 11 / 10);
  filter.check_invariants();
}

// The header's promise is for the whole of a filter, after any growth: a million keys have seven
// layers.
TEST_F(KeyFilterTest, IsRarelyWrongHoweverFarItHasGrown) {
  constexpr uint64_t kAsked = 300'000;
  uint64_t begin = 0;
  for (const uint64_t end : {10'000U, 100'000U, 1'000'000U}) {
    add(begin, end);
    ASSERT_EQ(count_denied(filter, 0, end), 0U);
    const uint64_t wrong = kAsked - count_denied(filter, 10'000'000, 10'000'000 + kAsked);
    EXPECT_LE(wrong, kAsked / 20'000) << end << " keys";  // 0.005 %
    begin = end;
  }
  EXPECT_GE(filter.layer_count(), 7);
}

TEST_F(KeyFilterTest, FullLayersTakeTwentyThreeBitsAKey) {
  uint64_t keys = 0;
  for (int layers = 1; layers <= 7; ++layers) {
    while (filter.layer_count() <= layers) filter.add(key(keys++));
    // One key is in the next layer, so all before are as full as they get.
    const auto full_bytes = static_cast<double>(32_KiB * ((size_t{1} << layers) - 1));
    const double bits = full_bytes * 8 / static_cast<double>(filter.size() - 1);
    EXPECT_LE(bits, 23.5) << layers << " layers";
    EXPECT_GE(bits, 64.0 / 3) << layers << " layers";
  }
}

TEST_F(KeyFilterTest, MemoryIsWhatTheHeapGave) {
  EXPECT_EQ(filter.memory_bytes(), heap.used_bytes());
  add(0, 50'000);
  EXPECT_EQ(filter.memory_bytes(), heap.used_bytes());
  size_t budget = 2;
  EXPECT_FALSE(filter.free_some(budget));
  EXPECT_EQ(budget, 0U);
  budget = SIZE_MAX;
  EXPECT_TRUE(filter.free_some(budget));
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST_F(KeyFilterTest, ASharedOneStaysAsItWas) {
  add(0, 20'000);
  const auto shared = filter.share();
  const std::string before = all_bytes(*shared);
  for (uint64_t i = 0; i < 10'000; ++i) filter.remove(key(i));
  add(20'000, 40'000);
  EXPECT_EQ(all_bytes(*shared), before);
  EXPECT_EQ(count_denied(*shared, 0, 20'000), 0U);
  EXPECT_GT(count_denied(*shared, 20'000, 40'000), 19'990U);
  shared->check_invariants();
  filter.check_invariants();
}

TEST_F(KeyFilterTest, TheDumpIsTheFilter) {
  add(0, 60'000);
  const std::string header = filter.header();
  ASSERT_EQ(header.size(), KeyFilter::kHeaderBytes);
  // seed 42, keys, layers, not full.
  EXPECT_EQ(header.substr(0, 8), ByteView("\x2A\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(static_cast<uint8_t>(header[16]), filter.layer_count());
  EXPECT_EQ(header[18], 0);

  auto loaded = KeyFilter::from_header(heap, header);
  ASSERT_TRUE(loaded.is_ok());
  KeyFilter& copy = **loaded;
  for (uint64_t at = 0;;) {
    const std::string piece = filter.read(at, 7'000);
    if (piece.empty()) break;
    ASSERT_TRUE(copy.write(at, piece).is_ok()) << at;
    at += piece.size();
  }
  EXPECT_EQ(copy.size(), filter.size());
  EXPECT_EQ(copy.layer_count(), filter.layer_count());
  EXPECT_EQ(all_bytes(copy), all_bytes(filter));
  EXPECT_EQ(count_denied(copy, 0, 60'000), 0U);
  copy.check_invariants();
  // It goes on alike, too.
  for (uint64_t i = 60'000; i < 90'000; ++i) EXPECT_EQ(copy.add(key(i)), filter.add(key(i)));
  EXPECT_EQ(all_bytes(copy), all_bytes(filter));
}

TEST_F(KeyFilterTest, AHeaderThatCannotBeIsRefused) {
  const std::string header = filter.header();
  const auto err = [&](const std::string& bytes) {
    return KeyFilter::from_header(heap, bytes).err();
  };
  EXPECT_EQ(err(header.substr(1)), Err::kCorrupt);
  EXPECT_EQ(err(header + '\0'), Err::kCorrupt);
  std::string changed = header;
  changed[16] = 0;  // no layer
  EXPECT_EQ(err(changed), Err::kCorrupt);
  changed[16] = KeyFilter::kLayersMax + 1;
  EXPECT_EQ(err(changed), Err::kCorrupt);
  changed[16] = KeyFilter::kLayersMax;
  EXPECT_EQ(err(changed), Err::kNone);
  changed[18] = 2;
  EXPECT_EQ(err(changed), Err::kCorrupt);
  // What lies beyond the layers of the header.
  EXPECT_EQ(filter.write(32_KiB, "12345678"), Err::kOutOfRange);
  EXPECT_EQ(filter.write(32_KiB - 1, "12345678"), Err::kTooBig);
}

TEST_F(KeyFilterTest, AFullOneDeniesNothing) {
  add(0, 1000);
  std::string header = filter.header();
  header[18] = 1;
  auto full = KeyFilter::from_header(heap, header);
  ASSERT_TRUE(full.is_ok());
  EXPECT_TRUE((*full)->is_full());
  EXPECT_EQ(count_denied(**full, 0, 1000), 0U);
  EXPECT_FALSE((*full)->add("another"));
}

TEST_F(KeyFilterTest, SeedsPlaceKeysDifferently) {
  KeyFilter other(heap, HashSeed{43});
  add(0, 1000);
  for (uint64_t i = 0; i < 1000; ++i) other.add(key(i));
  EXPECT_NE(all_bytes(other), all_bytes(filter));
}

// A layer of 64 MiB costs its directory: no addition may zero all of it.
TEST_F(KeyFilterTest, ANewLayerIsNotPaidForAtOnce) {
  size_t most = 0;
  for (uint64_t i = 0; filter.layer_count() < 8; ++i) {
    const size_t before = heap.used_bytes();
    filter.add(key(i));
    most = std::max(most, heap.used_bytes() - before);
  }
  EXPECT_LE(most, 256_KiB);
}

}  // namespace
}  // namespace ouro
