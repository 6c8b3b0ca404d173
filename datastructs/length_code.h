// SPDX-License-Identifier: BSD-3-Clause
// How small structures write the length in front of a byte string.
//
//      0xxxxxxx                                       0 .. 127          1 byte
//      110xxxxx  xxxxxxxx  (high bits first)          128 .. 8,191      2 bytes
//      11111000  4 bytes, low byte first              up to 2^32 - 1    5 bytes
//
// The other first bytes are free for the user of the code (packed_list.h keeps integers there). A
// mirrored code is the same bytes in reverse order, so that it can be read from its end towards its
// front. Each length has one code: equal strings have equal bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "datastructs/base/check.h"

namespace ouro::length_code {

inline constexpr size_t kOneByteEnd = 0x80;
inline constexpr size_t kTwoBytesEnd = 0x2000;
inline constexpr uint8_t kTwoBytes = 0xC0;
inline constexpr uint8_t kFiveBytes = 0xF8;

constexpr size_t bytes_for(size_t length) noexcept {
  return length < kOneByteEnd ? 1 : length < kTwoBytesEnd ? 2 : 5;
}

inline uint8_t byte_at(const char* at) noexcept { return static_cast<uint8_t>(*at); }

// The number of bytes of the code that starts (or, mirrored, ends) with `first`.
inline size_t bytes_of(uint8_t first) noexcept {
  return first < kOneByteEnd ? 1 : first < kFiveBytes ? 2 : 5;
}

// Writes the code of `length` and returns the place after it.
inline char* write(char* to, size_t length) noexcept {
  DCHECK(length <= UINT32_MAX);
  if (length < kOneByteEnd) [[likely]] {
    *to = static_cast<char>(length);
    return to + 1;
  }
  if (length < kTwoBytesEnd) {
    to[0] = static_cast<char>(kTwoBytes | (length >> 8));
    to[1] = static_cast<char>(length & 0xFF);
    return to + 2;
  }
  to[0] = static_cast<char>(kFiveBytes);
  for (size_t i = 0; i < 4; ++i) to[i + 1] = static_cast<char>((length >> (8 * i)) & 0xFF);
  return to + 5;
}

// Reads the code at `from` into `length` and returns the place after it.
inline const char* read(const char* from, size_t& length) noexcept {
  const uint8_t first = byte_at(from);
  if (first < kOneByteEnd) [[likely]] {
    length = first;
    return from + 1;
  }
  if (first < kFiveBytes) {
    length = (static_cast<size_t>(first & 0x1F) << 8) | byte_at(from + 1);
    return from + 2;
  }
  length = 0;
  for (size_t i = 0; i < 4; ++i) length |= static_cast<size_t>(byte_at(from + i + 1)) << (8 * i);
  return from + 5;
}

inline char* write_mirrored(char* to, size_t length) noexcept {
  char code[5];
  const size_t bytes = static_cast<size_t>(write(code, length) - code);
  for (size_t i = 0; i < bytes; ++i) to[i] = code[bytes - 1 - i];
  return to + bytes;
}

// Reads the mirrored code that ends before `end` and returns its first byte's place.
inline const char* read_mirrored(const char* end, size_t& length) noexcept {
  const uint8_t first = byte_at(end - 1);
  if (first < kOneByteEnd) [[likely]] {
    length = first;
    return end - 1;
  }
  char code[5];
  const size_t bytes = bytes_of(first);
  for (size_t i = 0; i < bytes; ++i) code[i] = *(end - 1 - i);
  (void)read(code, length);
  return end - bytes;
}

}  // namespace ouro::length_code
