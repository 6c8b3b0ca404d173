// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/number_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

template <class T>
std::string text_of(size_t (*format)(T, char*) noexcept, T value) {
  char out[kLongDoubleTextMax];
  return {out, format(value, out)};
}

TEST(NumberText, FormatsIntegersAsPrintfDoes) {
  Prng prng(1);
  for (int i = 0; i < 200000; ++i) {
    const uint64_t value = prng.next() >> prng.below(64);
    ASSERT_EQ(text_of(format_uint64, value), std::to_string(value));
    ASSERT_EQ(digit_count(value), std::to_string(value).size());
    const auto negative = static_cast<int64_t>(uint64_t{0} - value);
    ASSERT_EQ(text_of(format_int64, negative), std::to_string(negative));
    ASSERT_EQ(parse_int64(std::to_string(negative)), negative);
    ASSERT_EQ(parse_uint64(std::to_string(value)), value);
  }
  uint64_t power = 1;
  for (int i = 0; i < 20; ++i, power *= 10) {
    for (const uint64_t value : {power - 1, power, power + 1}) {
      ASSERT_EQ(text_of(format_uint64, value), std::to_string(value));
    }
  }
  for (const int64_t value :
       {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), int64_t{0}}) {
    ASSERT_EQ(text_of(format_int64, value), std::to_string(value));
    ASSERT_EQ(parse_int64(std::to_string(value)), value);
  }
}

TEST(NumberText, RefusesIntegersThatAreNotWrittenOurWay) {
  for (const char* text : {"",
                           "-",
                           "+1",
                           "01",
                           "-0",
                           "-01",
                           "00",
                           " 1",
                           "1 ",
                           "1a",
                           "a",
                           "1.0",
                           "0x1",
                           "1e3",
                           "--1",
                           "9223372036854775808",
                           "-9223372036854775809",
                           "18446744073709551616",
                           "99999999999999999999",
                           "100000000000000000000"}) {
    EXPECT_FALSE(parse_int64(text).has_value()) << text;
  }
  for (const char* text :
       {"", "-1", "+1", "01", "18446744073709551616", "99999999999999999999", "1 "}) {
    EXPECT_FALSE(parse_uint64(text).has_value()) << text;
  }
  EXPECT_EQ(parse_uint64("18446744073709551615"), ~uint64_t{0});
  EXPECT_FALSE(parse_int64(ByteView("1\0", 2)).has_value());
}

std::string by_printf(double value) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.17g", value);
  return text;
}

TEST(NumberText, DigitsMayHaveZerosAheadAndMayBeNone) {
  EXPECT_EQ(parse_digits(""), 0U);
  EXPECT_EQ(parse_digits("000"), 0U);
  EXPECT_EQ(parse_digits("0000000000000000000000018446744073709551615"), ~uint64_t{0});
  for (const ByteView text : {"18446744073709551616", "-1", "+1", " 1", "1 ", "1.0", "0x1"})
    EXPECT_FALSE(parse_digits(text).has_value()) << text;
}

TEST(NumberText, FormatsDoublesAsPrintfWith17Digits) {
  Prng prng(2);
  for (int i = 0; i < 200000; ++i) {
    double value = std::bit_cast<double>(prng.next());
    switch (prng.below(4)) {
      case 0:
        value = static_cast<double>(static_cast<int64_t>(prng.next() >> prng.below(64)));
        break;
      case 1:
        value = static_cast<double>(prng.below(2000000)) / 1000.0 - 1000.0;
        break;
      case 2:
        value = prng.unit();
        break;
      default:
        break;
    }
    if (std::isnan(value)) continue;
    ASSERT_EQ(text_of(format_double, value), by_printf(value));
    ASSERT_EQ(parse_double(by_printf(value)), value);
  }
  for (const double value :
       {0.0, -0.0, 0.1, 1e17, 1e16, 9007199254740993.0, -9007199254740992.0, 1e308, 5e-324, 1e-5}) {
    EXPECT_EQ(text_of(format_double, value), by_printf(value));
  }
  EXPECT_EQ(text_of(format_double, HUGE_VAL), "inf");
  EXPECT_EQ(text_of(format_double, -HUGE_VAL), "-inf");
  EXPECT_EQ(text_of(format_double, std::nan("")), "nan");
}

TEST(NumberText, FormatsLongDoublesWithoutTrailingZeros) {
  EXPECT_EQ(text_of(format_long_double, 3.0L), "3");
  EXPECT_EQ(text_of(format_long_double, 10.5L), "10.5");
  EXPECT_EQ(text_of(format_long_double, 100.0L), "100");
  EXPECT_EQ(text_of(format_long_double, 0.1L), "0.1");
  EXPECT_EQ(text_of(format_long_double, -0.0L), "0");
  EXPECT_EQ(text_of(format_long_double, -1e-30L), "0");
  EXPECT_EQ(text_of(format_long_double, -0.25L), "-0.25");
  EXPECT_EQ(text_of(format_long_double, HUGE_VALL), "inf");
  EXPECT_EQ(text_of(format_long_double, std::numeric_limits<long double>::max()).size(), 4933U);
}

// Each verdict was taken from redis-server 7.0.15 (ZADD).
TEST(NumberText, AcceptsTheDoublesThatRedisAccepts) {
  for (const char* text :
       {"0", "-0", "+1", "1.", ".5", "1e5", "1E-5", "0x1p3", "0x10", "inf", "-inf", "+inf",
        "Infinity", "INF", "1e308", "5e-324", "00012", "1e-310"}) {
    EXPECT_TRUE(parse_double(text).has_value()) << text;
  }
  for (const char* text :
       {"",    " 1", "1 ", "\t1", "nan", "-nan", "nan(1)", "1e400", "-1e400", "1e-400",
        "abc", "1x", "+",  "-",   ".",   "e5",   "1e",     "0x",    "--1",    "+-1"}) {
    EXPECT_FALSE(parse_double(text).has_value()) << text;
    EXPECT_EQ(parse_long_double(text).has_value(),
              std::string(text).find("400") != std::string::npos)
        << text;
  }
  EXPECT_FALSE(parse_double(ByteView("1\0", 2)).has_value());
  EXPECT_FALSE(parse_double(std::string(6000, '1')).has_value());
  EXPECT_EQ(*parse_double("+1.5"), 1.5);
  EXPECT_EQ(*parse_double("0x1p3"), 8.0);
  EXPECT_EQ(*parse_double("-inf"), -HUGE_VAL);
  EXPECT_EQ(*parse_long_double("0.1"), 0.1L);
}

}  // namespace
}  // namespace ouro
