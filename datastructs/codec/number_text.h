// SPDX-License-Identifier: BSD-3-Clause
// Numbers to text and back, exactly as Redis 7.0 writes and accepts them.
//
// Integers are strict in both directions: text that parses is the text that formatting gives, so a
// string that parses may be stored as an integer. Doubles are printed with 17 significant digits
// (printf's %.17g: ZSCORE), long doubles with 17 decimals less trailing zeros (INCRBYFLOAT).
// Nothing here depends on the locale or allocates. Cost: integers 2-8 ns; doubles with an integral
// value as integers, others about 100 ns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "datastructs/base/units.h"

namespace ouro {

inline constexpr size_t kInt64TextMax = 20;   // "-9223372036854775808", "18446744073709551615"
inline constexpr size_t kDoubleTextMax = 32;  // "-2.2250738585072014e-308"
inline constexpr size_t kLongDoubleTextMax = 5_KiB;  // 4,933 digits, a point and 17 decimals

// Each writes at `out`, which has room for the maximum above, without an end mark. Returns the
// bytes written.
size_t format_uint64(uint64_t value, char* out) noexcept;
size_t format_int64(int64_t value, char* out) noexcept;
// Infinity is "inf" or "-inf", not-a-number "nan".
size_t format_double(double value, char* out) noexcept;
size_t format_long_double(long double value, char* out) noexcept;

// Digits of the text of `value`.
size_t digit_count(uint64_t value) noexcept;

// The whole text is one number: no blanks, no plus sign, no leading zeros, no "-0".
std::optional<int64_t> parse_int64(ByteView text) noexcept;
std::optional<uint64_t> parse_uint64(ByteView text) noexcept;
// Digits and nothing else, but leading zeros count for nothing and no digits for 0: what is left to
// read behind the sign where Redis reads as strtoull does.
std::optional<uint64_t> parse_digits(ByteView text) noexcept;

// What strtod accepts, hexadecimal and infinity included, but no leading blank, no not-a-number,
// nothing behind it, and neither overflow nor a value that vanishes to zero.
std::optional<double> parse_double(ByteView text) noexcept;
std::optional<long double> parse_long_double(ByteView text) noexcept;

}  // namespace ouro
