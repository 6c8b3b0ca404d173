// SPDX-License-Identifier: BSD-3-Clause
// Unsigned numbers in as few bytes as they need (LEB128): seven bits a byte, low ones first, the
// top bit says "more". One value has one form: a decoder refuses forms with needless bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ouro {

inline constexpr size_t kVarintBytesMax = 10;

constexpr size_t varint_bytes(uint64_t value) noexcept {
  return (static_cast<size_t>(64 - __builtin_clzll(value | 1)) + 6) / 7;
}

// Writes varint_bytes(value) bytes at `out`; returns the place behind them.
inline char* encode_varint(uint64_t value, char* out) noexcept {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

// Returns the place behind the number, or null when [at, end) holds no whole, well-formed one.
inline const char* decode_varint(const char* at, const char* end, uint64_t& value) noexcept {
  uint64_t sum = 0;
  for (unsigned shift = 0; at != end && shift < 64; shift += 7) {
    const uint64_t byte = static_cast<unsigned char>(*at++);
    if (shift == 63 && byte > 1) return nullptr;
    sum |= (byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    if (byte == 0 && shift > 0) return nullptr;
    value = sum;
    return at;
  }
  return nullptr;
}

}  // namespace ouro
