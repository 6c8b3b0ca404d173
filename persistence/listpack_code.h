// SPDX-License-Identifier: BSD-3-Clause
// How the entries of a listpack begin and end: what its reader and its writer share. The layout is
// drawn in packed_reader.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ouro::listpack_code {

inline constexpr size_t kHeadBytes = 6;
inline constexpr size_t kNotCounted = 65535;
inline constexpr uint8_t kEnd = 0xFF;

// First bytes; a number of seven bits is its own.
inline constexpr uint8_t kText6 = 0x80;
inline constexpr uint8_t kNumber13 = 0xC0;
inline constexpr uint8_t kText12 = 0xE0;
inline constexpr uint8_t kText32 = 0xF0;
inline constexpr uint8_t kNumber16 = 0xF1;
inline constexpr uint8_t kNumber24 = 0xF2;
inline constexpr uint8_t kNumber32 = 0xF3;
inline constexpr uint8_t kNumber64 = 0xF4;

inline constexpr size_t kBackwardsMax = 5;
// Writes what stands behind an entry of so many bytes, for walks from the end: its size, high bits
// first, in bytes of which all but the first have their top bit set. Returns how many bytes.
inline size_t write_backwards(size_t entry_bytes, char* out) noexcept {
  // The bounds are Redis's: one number less than each width could hold.
  const size_t count = entry_bytes <= 127        ? 1
                       : entry_bytes < 16383     ? 2
                       : entry_bytes < 2097151   ? 3
                       : entry_bytes < 268435455 ? 4
                                                 : 5;
  for (size_t i = count; i > 0; --i, entry_bytes >>= 7) {
    out[i - 1] = static_cast<char>((entry_bytes & 127) | (i == 1 ? 0 : 128));
  }
  return count;
}

}  // namespace ouro::listpack_code
