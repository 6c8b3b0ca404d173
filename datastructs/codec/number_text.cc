// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/number_text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "datastructs/base/ascii.h"
#include "datastructs/base/check.h"

namespace ouro {

namespace {

constexpr std::array<uint64_t, 20> kPowersOfTen = [] {
  std::array<uint64_t, 20> powers{};
  uint64_t power = 1;
  for (uint64_t& each : powers) {
    each = power;
    power *= 10;
  }
  return powers;
}();

// Up to here every integral double is exact and has at most 17 digits, so %.17g writes it as an
// integer.
constexpr double kIntegralMax = 9007199254740992.0;

// Digits without sign; strict about leading zeros. False when it does not fit.
bool parse_strict_digits(ByteView text, uint64_t& value) noexcept {
  if (text.empty() || text.size() > 20) return false;
  if (text[0] == '0') {
    value = 0;
    return text.size() == 1;
  }
  uint64_t sum = 0;
  const size_t safe = std::min<size_t>(text.size(), 19);  // 19 digits cannot overflow
  for (size_t i = 0; i < safe; ++i) {
    const unsigned digit = static_cast<unsigned char>(text[i]) - static_cast<unsigned>('0');
    if (digit > 9) return false;
    sum = sum * 10 + digit;
  }
  if (text.size() == 20) {
    const unsigned digit = static_cast<unsigned char>(text[19]) - static_cast<unsigned>('0');
    if (digit > 9) return false;
    if (__builtin_mul_overflow(sum, uint64_t{10}, &sum) ||
        __builtin_add_overflow(sum, uint64_t{digit}, &sum))
      return false;
  }
  value = sum;
  return true;
}

double convert(const char* text, char** end, double) noexcept { return std::strtod(text, end); }
long double convert(const char* text, char** end, long double) noexcept {
  return std::strtold(text, end);
}

// The C library decides: it knows hexadecimal, infinity and the edges of the range.
template <class Float>
std::optional<Float> parse_by_library(ByteView text) noexcept {
  char copy[kLongDoubleTextMax];
  if (text.empty() || text.size() >= sizeof(copy) || is_blank(text[0])) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  char* end = nullptr;
  errno = 0;
  const Float value = convert(copy, &end, Float{});
  if (end != copy + text.size() || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

size_t put_text(char* out, ByteView text) noexcept {
  std::copy_n(text.data(), text.size(), out);
  return text.size();
}

constexpr uint64_t kEightDigits = 100'000'000;
constexpr uint64_t kZeros = 0x3030303030303030;  // "00000000"

// The eight decimal digits of value < kEightDigits, one a byte, the highest in the lowest byte: all
// lanes of a word are divided at once, by multiplication with the inverse (P. Khuong, "How to print
// integers really fast", 2017).
uint64_t eight_digits(uint64_t value) noexcept {
  // Lanes of 32 bits below 10,000; of 16 bits below 100; of 8 bits below 10.
  const uint64_t fours = value / 10'000 | (value % 10'000) << 32;
  const uint64_t high_twos = ((fours * 10'486) >> 20) & 0x0000007f0000007f;
  const uint64_t twos = high_twos | (fours - 100 * high_twos) << 16;
  const uint64_t high_ones = ((twos * 103) >> 10) & 0x000f000f000f000f;
  return high_ones | (twos - 10 * high_ones) << 8;
}

}  // namespace

size_t digit_count(uint64_t value) noexcept {
  // log10 from log2: 1233 / 4096 is just above log10(2).
  const size_t bits = static_cast<size_t>(64 - __builtin_clzll(value | 1));
  const size_t guess = (bits * 1233) >> 12;
  return guess + (guess < 20 && value >= kPowersOfTen[guess] ? 1 : 0) + (value == 0 ? 1 : 0);
}

size_t format_uint64(uint64_t value, char* out) noexcept {
  if (value < 10) {
    *out = static_cast<char>('0' + value);
    return 1;
  }
  if (value >= kEightDigits) {
    const size_t count = format_uint64(value / kEightDigits, out);
    const uint64_t digits = eight_digits(value % kEightDigits) | kZeros;
    std::memcpy(out + count, &digits, 8);
    return count + 8;
  }
  // Leading zeros are the lowest bytes. What stands behind the last digit is room of `out`.
  const uint64_t digits = eight_digits(value);
  const size_t leading = static_cast<size_t>(__builtin_ctzll(digits)) / 8;
  const uint64_t text = (digits | kZeros) >> (8 * leading);
  std::memcpy(out, &text, 8);
  return 8 - leading;
}

size_t format_int64(int64_t value, char* out) noexcept {
  if (value >= 0) return format_uint64(static_cast<uint64_t>(value), out);
  *out = '-';
  return 1 + format_uint64(uint64_t{0} - static_cast<uint64_t>(value), out + 1);
}

size_t format_double(double value, char* out) noexcept {
  if (value > -kIntegralMax && value < kIntegralMax) {
    const auto integral = static_cast<int64_t>(value);
    // -0.0 is written "-0".
    if (static_cast<double>(integral) == value && (integral != 0 || !std::signbit(value))) {
      return format_int64(integral, out);
    }
  }
  if (std::isnan(value)) return put_text(out, "nan");
  const auto result =
      std::to_chars(out, out + kDoubleTextMax, value, std::chars_format::general, 17);
  CHECK(result.ec == std::errc{});
  return static_cast<size_t>(result.ptr - out);
}

size_t format_long_double(long double value, char* out) noexcept {
  if (std::isnan(value)) return put_text(out, "nan");
  if (std::isinf(value)) return put_text(out, value > 0 ? "inf" : "-inf");
  const int printed = std::snprintf(out, kLongDoubleTextMax, "%.17Lf", value);
  CHECK(printed > 0);
  size_t count = static_cast<size_t>(printed);
  CHECK(count < kLongDoubleTextMax);
  while (out[count - 1] == '0') --count;  // stops at the point at the latest
  if (out[count - 1] == '.') --count;
  if (count == 2 && out[0] == '-' && out[1] == '0') {
    out[0] = '0';
    count = 1;
  }
  return count;
}

std::optional<uint64_t> parse_uint64(ByteView text) noexcept {
  uint64_t value = 0;
  if (!parse_strict_digits(text, value)) return std::nullopt;
  return value;
}

std::optional<uint64_t> parse_digits(ByteView text) noexcept {
  uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value)) return std::nullopt;
  }
  return value;
}

std::optional<int64_t> parse_int64(ByteView text) noexcept {
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  uint64_t value = 0;
  if (!parse_strict_digits(text, value)) return std::nullopt;
  if (!negative) {
    if (value > kMax) return std::nullopt;
    return static_cast<int64_t>(value);
  }
  if (value == 0 || value > kMax + 1) return std::nullopt;
  return static_cast<int64_t>(uint64_t{0} - value);
}

std::optional<double> parse_double(ByteView text) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Whatever is not a plain decimal number inside the range is left to the C library.
  if (error == std::errc{} && end == text.data() + text.size() && std::isfinite(value))
    return value;
  return parse_by_library<double>(text);
}

std::optional<long double> parse_long_double(ByteView text) noexcept {
  return parse_by_library<long double>(text);
}

}  // namespace ouro
