// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/checksum.h"

#include <array>
#include <bit>
#include <cstring>

namespace ouro {

namespace {

static_assert(std::endian::native == std::endian::little, "crc64 reads eight bytes as one number");

// Polynomial 0xad93d23594c935a9 with its bits reversed.
constexpr uint64_t kJonesReflected = 0x95ac9329ac4bc9b5ULL;
constexpr uint16_t kXmodem = 0x1021;

// Table k tells what a byte contributes when k more bytes follow it, so eight bytes are taken at a
// time.
using Crc64Tables = std::array<std::array<uint64_t, 256>, 8>;
constexpr Crc64Tables kCrc64 = [] {
  Crc64Tables tables{};
  for (size_t byte = 0; byte < 256; ++byte) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kJonesReflected : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t before = tables[k - 1][byte];
      tables[k][byte] = tables[0][before & 0xff] ^ (before >> 8);
    }
  }
  return tables;
}();

constexpr std::array<uint16_t, 256> kCrc16 = [] {
  std::array<uint16_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x8000U) != 0 ? kXmodem : 0U);
    table[byte] = static_cast<uint16_t>(crc);
  }
  return table;
}();

}  // namespace

uint64_t crc64(uint64_t crc, ByteView bytes) noexcept {
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kCrc64[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; left > 0; --left, ++at)
    crc = kCrc64[0][(crc ^ static_cast<unsigned char>(*at)) & 0xff] ^ (crc >> 8);
  return crc;
}

uint16_t crc16(ByteView bytes) noexcept {
  unsigned crc = 0;
  for (const char c : bytes)
    crc = ((crc << 8) & 0xffffU) ^ kCrc16[(crc >> 8) ^ static_cast<unsigned char>(c)];
  return static_cast<uint16_t>(crc);
}

}  // namespace ouro
