// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/hyperloglog.h"

#include <gtest/gtest.h>

#include <string>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

using hll::Raise;

constexpr size_t kSparseMax = 3000;

Raise add(std::string& sketch, ByteView element, size_t sparse_max = kSparseMax) {
  return hll::raise_register(sketch, hll::place_of(element), sparse_max);
}

hll::Registers registers_of(ByteView sketch) {
  hll::Registers registers{};
  EXPECT_TRUE(hll::merge_into(registers, sketch));
  return registers;
}

// What redis-server 7.0.15 stores for PFADD h a b c.
TEST(HyperLogLog, TheBytesAreThoseOfRedis) {
  std::string sketch(hll::kEmpty);
  for (const char* element : {"a", "b", "c"}) EXPECT_EQ(add(sketch, element), Raise::kRaised);
  hll::forget_count({sketch.data(), sketch.size()});
  EXPECT_EQ(sketch, std::string("HYLL\1\0\0\0\0\0\0\0\0\0\0\x80"
                                "`\xf3\x80P\xb1\x84K\xfb\x80"
                                "BZ",
                                27));
  EXPECT_EQ(add(sketch, "a"), Raise::kSame);
  EXPECT_EQ(hll::cached_count(sketch), std::nullopt);
  EXPECT_EQ(hll::count(sketch), 3U);
  hll::cache_count({sketch.data(), sketch.size()}, 3);
  EXPECT_EQ(hll::cached_count(sketch), 3U);
}

// Random registers raised in both forms, beside plain numbers.
TEST(HyperLogLog, BothFormsHoldTheSameRegisters) {
  Prng prng(1);
  for (int round = 0; round < 30; ++round) {
    std::string sparse(hll::kEmpty);
    std::string dense(hll::kEmpty);
    ASSERT_TRUE(hll::make_dense(dense));
    hll::Registers model{};
    // Some rounds crowd a few registers, so that runs are split and joined all the time.
    const uint64_t range = round % 3 == 0 ? 40 : hll::kRegisters;
    for (int i = 0; i < 600; ++i) {
      const hll::Place place{static_cast<uint32_t>(prng.below(range)),
                             static_cast<uint8_t>(1 + prng.below(round % 2 == 0 ? 3 : 33))};
      const Raise expected = model[place.index] < place.value ? Raise::kRaised : Raise::kSame;
      model[place.index] = std::max(model[place.index], place.value);
      ASSERT_EQ(hll::raise_register(sparse, place, 100'000), expected);
      ASSERT_EQ(hll::raise_dense(dense, place), expected);
    }
    ASSERT_EQ(registers_of(sparse), model);
    ASSERT_EQ(registers_of(dense), model);
    ASSERT_EQ(hll::count(sparse), hll::count(dense));
    ASSERT_EQ(hll::count(sparse), hll::count(model));
    ASSERT_TRUE(hll::make_dense(sparse));
    ASSERT_EQ(sparse, dense);
    std::string stored(hll::kEmpty);
    ASSERT_TRUE(hll::make_dense(stored));
    hll::store_dense(stored, model);
    ASSERT_EQ(stored, dense);
  }
}

TEST(HyperLogLog, ASparseOneBecomesDenseAtItsLimit) {
  std::string sketch(hll::kEmpty);
  EXPECT_EQ(add(sketch, "a", 20), Raise::kRaised);
  EXPECT_EQ(hll::encoding(sketch), hll::Encoding::kDense);
  sketch = hll::kEmpty;
  EXPECT_EQ(add(sketch, "a", 21), Raise::kRaised);
  EXPECT_EQ(hll::encoding(sketch), hll::Encoding::kSparse);
  EXPECT_EQ(sketch.size(), 21U);
  // More than the form can say.
  EXPECT_EQ(hll::raise_register(sketch, {7, 33}, kSparseMax), Raise::kRaised);
  EXPECT_EQ(hll::encoding(sketch), hll::Encoding::kDense);
  EXPECT_EQ(registers_of(sketch)[7], 33);
  EXPECT_EQ(hll::count(sketch), 2U);
}

TEST(HyperLogLog, CountsAreRightWithinFourStandardErrors) {
  std::string sketch(hll::kEmpty);
  uint64_t next_check = 1;
  for (uint64_t i = 1; i <= 300'000; ++i) {
    add(sketch, std::to_string(i));
    if (i != next_check) continue;
    next_check = next_check * 3 / 2 + 1;
    const auto count = static_cast<double>(*hll::count(sketch));
    const auto exact = static_cast<double>(i);
    EXPECT_NEAR(count, exact, exact * 4 * 1.04 / 128 + 1);
  }
  EXPECT_EQ(hll::encoding(sketch), hll::Encoding::kDense);
}

TEST(HyperLogLog, OnlySketchesAreValid) {
  const std::string empty(hll::kEmpty);
  EXPECT_TRUE(hll::is_valid(empty));
  EXPECT_FALSE(hll::is_valid(""));
  EXPECT_FALSE(hll::is_valid(ByteView(empty).substr(0, 15)));
  EXPECT_FALSE(hll::is_valid("HYLM" + empty.substr(4)));
  EXPECT_FALSE(hll::is_valid(empty.substr(0, 4) + '\2' + empty.substr(5)));
  EXPECT_FALSE(hll::is_valid(empty.substr(0, 4) + '\0' + empty.substr(5)));
  EXPECT_TRUE(hll::is_valid(empty.substr(0, 4) + '\0' + std::string(hll::kDenseBytes - 5, 'x')));
}

TEST(HyperLogLog, RunsThatDoNotMakeUpTheRegistersAreCorrupt) {
  const std::string header(hll::kEmpty.substr(0, hll::kHeaderBytes));
  hll::Registers registers{};
  for (const std::string& runs :
       {std::string(), std::string("\x7f"), std::string("\x7f\xff\x80"), std::string("\x7f\xfe"),
        std::string("\x80\x7f\xff"), std::string("\x7f\xff\x7f")}) {
    std::string sketch = header + runs;
    EXPECT_EQ(hll::count(sketch), std::nullopt);
    EXPECT_FALSE(hll::merge_into(registers, sketch));
    EXPECT_FALSE(hll::make_dense(sketch));
    EXPECT_EQ(sketch, header + runs);
  }
  std::string cut = header + "\x7f";
  EXPECT_EQ(hll::raise_register(cut, {100, 1}, kSparseMax), Raise::kCorrupt);
  // A register that the runs do not reach.
  std::string few = header + "\x3f";
  EXPECT_EQ(hll::raise_register(few, {64, 1}, kSparseMax), Raise::kCorrupt);
  EXPECT_EQ(hll::raise_register(few, {63, 1}, kSparseMax), Raise::kRaised);
}

}  // namespace
}  // namespace ouro
