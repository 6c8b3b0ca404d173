// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/bits.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

using bits::FieldType;
using bits::Operation;
using Overflow = bits::FieldType::Overflow;

bool bit_of(ByteView bytes, uint64_t at) {
  return ((static_cast<unsigned char>(bytes[at / 8]) >> (7 - at % 8)) & 1) != 0;
}

std::string random_bytes(Prng& prng, size_t size) {
  // Runs of equal bytes too, so that whole words are skipped.
  std::string bytes(size, prng.below(2) == 0 ? '\0' : '\xff');
  for (char& byte : bytes) {
    if (prng.below(8) == 0) byte = static_cast<char>(prng.below(256));
  }
  return bytes;
}

// Counting and searching beside a loop over single bits.
TEST(Bits, RangesOfAllKindsAreCountedAndSearched) {
  Prng prng(1);
  for (int round = 0; round < 3000; ++round) {
    const std::string bytes = random_bytes(prng, prng.below(90));
    const uint64_t begin = prng.below(bytes.size() * 8 + 1);
    const uint64_t end = begin + prng.below(bytes.size() * 8 + 1 - begin);
    uint64_t ones = 0;
    std::optional<uint64_t> first[2];
    for (uint64_t at = begin; at < end; ++at) {
      const bool bit = bit_of(bytes, at);
      ones += bit ? 1U : 0U;
      if (!first[bit ? 1 : 0]) first[bit ? 1 : 0] = at;
    }
    ASSERT_EQ(bits::count(bytes, {begin, end}), ones);
    ASSERT_EQ(bits::find(bytes, false, {begin, end}), first[0]);
    ASSERT_EQ(bits::find(bytes, true, {begin, end}), first[1]);
    ASSERT_EQ(bits::count(bytes), bits::count(bytes, {0, bytes.size() * 8}));
  }
}

bool combined(Operation operation, const std::vector<std::string>& sources, uint64_t at) {
  const auto bit = [&](size_t i) { return at / 8 < sources[i].size() && bit_of(sources[i], at); };
  size_t ones = 0;
  for (size_t i = 0; i < sources.size(); ++i) ones += bit(i) ? 1U : 0U;
  const size_t others = ones - (bit(0) ? 1U : 0U);
  switch (operation) {
    case Operation::kAnd:
      return ones == sources.size();
    case Operation::kOr:
      return ones > 0;
    case Operation::kXor:
      return ones % 2 == 1;
    case Operation::kNot:
      return !bit(0);
    case Operation::kOnlyFirst:
      return bit(0) && others == 0;
    case Operation::kNotFirst:
      return !bit(0) && others > 0;
    case Operation::kFirstAndAny:
      return bit(0) && others > 0;
    case Operation::kExactlyOne:
      return ones == 1;
  }
  return false;
}

// Sources of different lengths, shorter and longer than a block.
TEST(Bits, OperationsCombineBitByBit) {
  Prng prng(2);
  for (int round = 0; round < 400; ++round) {
    const auto operation = static_cast<Operation>(prng.below(8));
    const size_t count = operation == Operation::kNot ? 1 : 2 + prng.below(3);
    const size_t size_max = round % 50 == 0 ? 10'000 : 60;
    std::vector<std::string> sources;
    size_t longest = 0;
    for (size_t i = 0; i < count; ++i) {
      sources.push_back(random_bytes(prng, prng.below(size_max)));
      longest = std::max(longest, sources.back().size());
    }
    std::string out(longest, 'x');
    const std::vector<ByteView> views(sources.begin(), sources.end());
    bits::combine(operation, views, out);
    for (uint64_t at = 0; at < longest * 8; ++at) {
      ASSERT_EQ(bit_of(out, at), combined(operation, sources, at))
          << static_cast<int>(operation) << " of " << count << " at " << at;
    }
  }
}

TEST(Bits, WhatIsWrittenIsReadAndNothingElseChanges) {
  Prng prng(3);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = random_bytes(prng, 20);
    const std::string before = bytes;
    const auto width = static_cast<unsigned>(1 + prng.below(64));
    const uint64_t at = prng.below(20 * 8 - width + 1);
    const uint64_t value = prng.next() & (~uint64_t{0} >> (64 - width));
    bits::write(bytes, at, width, value);
    ASSERT_EQ(bits::read(bytes, at, width), value);
    for (uint64_t i = 0; i < 20 * 8; ++i) {
      if (i >= at && i < at + width) continue;
      ASSERT_EQ(bit_of(bytes, i), bit_of(before, i));
    }
  }
}

TEST(Bits, PastTheEndAreZeros) {
  EXPECT_EQ(bits::read("\xff", 4, 8), 0xf0U);
  EXPECT_EQ(bits::read("", 100, 64), 0U);
  EXPECT_EQ((FieldType{.is_signed = true, .width = 4}).read_from("\xff", 2), -1);
  EXPECT_EQ((FieldType{.is_signed = true, .width = 4}).read_from("\xff", 6), -4);
  EXPECT_EQ((FieldType{.width = 4}).read_from("\xff", 2), 15);
}

// All sums of two small numbers beside plain arithmetic, for every width up to 8.
TEST(Bits, SumsThatDoNotFitAreTold) {
  for (const bool is_signed : {false, true}) {
    for (unsigned width = 1; width <= 8; ++width) {
      const FieldType type{.is_signed = is_signed, .width = width};
      const int64_t min = is_signed ? -(1 << (width - 1)) : 0;
      const int64_t max = min + (1 << width) - 1;
      for (int64_t value = min; value <= max; ++value) {
        for (int64_t increment = -300; increment <= 300; ++increment) {
          const int64_t sum = value + increment;
          const bool fits = sum >= min && sum <= max;
          const int64_t wrapped =
              min + (((sum - min) % (1 << width)) + (1 << width)) % (1 << width);
          ASSERT_EQ(type.fit(value, increment, Overflow::kWrap), wrapped);
          ASSERT_EQ(type.fit(value, increment, Overflow::kSaturate), std::clamp(sum, min, max));
          ASSERT_EQ(type.fit(value, increment, Overflow::kFail),
                    fits ? std::optional(sum) : std::nullopt);
        }
      }
    }
  }
}

TEST(Bits, SumsAtTheEndsOfInt64) {
  const FieldType wide{.is_signed = true, .width = 64};
  EXPECT_EQ(wide.fit(INT64_MAX, 1, Overflow::kFail), std::nullopt);
  EXPECT_EQ(wide.fit(INT64_MAX, 1, Overflow::kWrap), INT64_MIN);
  EXPECT_EQ(wide.fit(INT64_MAX, 1, Overflow::kSaturate), INT64_MAX);
  EXPECT_EQ(wide.fit(INT64_MIN, -1, Overflow::kSaturate), INT64_MIN);
  EXPECT_EQ(wide.fit(INT64_MIN, INT64_MAX, Overflow::kFail), -1);
  const FieldType u63{.width = 63};
  EXPECT_EQ(u63.fit(-1, 0, Overflow::kWrap), INT64_MAX);
  EXPECT_EQ(u63.fit(INT64_MAX, INT64_MAX, Overflow::kSaturate), INT64_MAX);
  EXPECT_EQ(u63.fit(5, INT64_MIN, Overflow::kSaturate), 0);
  // Redis's arithmetic: so low that the distance to the maximum wraps.
  const FieldType byte{.is_signed = true, .width = 8};
  EXPECT_EQ(byte.fit(INT64_MIN, 0, Overflow::kSaturate), 127);
  EXPECT_EQ(byte.fit(INT64_MIN + 128, 0, Overflow::kSaturate), -128);
}

}  // namespace
}  // namespace ouro
