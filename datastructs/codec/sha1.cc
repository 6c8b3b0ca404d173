// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/sha1.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace ouro {
namespace {

constexpr size_t kBlockBytes = 64;
using State = std::array<uint32_t, 5>;

uint32_t big_endian(const char* bytes) noexcept {
  uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return __builtin_bswap32(word);
}

// The four stages of twenty rounds differ in their function and constant only.
uint32_t mixed(int stage, uint32_t b, uint32_t c, uint32_t d) noexcept {
  if (stage == 0) return (b & c) | (~b & d);
  if (stage == 2) return (b & c) | (b & d) | (c & d);
  return b ^ c ^ d;
}

void take_block(State& state, const char* block) noexcept {
  constexpr std::array<uint32_t, 4> kConstants = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
  std::array<uint32_t, 80> words;
  for (size_t i = 0; i < 16; ++i) words[i] = big_endian(block + 4 * i);
  for (size_t i = 16; i < 80; ++i)
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  auto [a, b, c, d, e] = state;
  for (size_t stage = 0; stage < 4; ++stage) {
    for (size_t i = 20 * stage; i < 20 * (stage + 1); ++i) {
      const uint32_t next = std::rotl(a, 5) + mixed(static_cast<int>(stage), b, c, d) + e +
                            kConstants[stage] + words[i];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}

// What is left after the whole blocks, a one bit, zeros, and the size in bits.
void take_end(State& state, ByteView rest, uint64_t bytes) noexcept {
  std::array<char, 2 * kBlockBytes> end{};
  if (!rest.empty()) std::memcpy(end.data(), rest.data(), rest.size());
  end[rest.size()] = static_cast<char>(0x80);
  const size_t size = rest.size() + 9 <= kBlockBytes ? kBlockBytes : 2 * kBlockBytes;
  const uint64_t bits = __builtin_bswap64(bytes * 8);
  std::memcpy(end.data() + size - sizeof(bits), &bits, sizeof(bits));
  for (size_t at = 0; at < size; at += kBlockBytes) take_block(state, end.data() + at);
}

}  // namespace

Sha1Hex sha1_hex(ByteView bytes) noexcept {
  State state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  const uint64_t size = bytes.size();
  while (bytes.size() >= kBlockBytes) {
    take_block(state, bytes.data());
    bytes.remove_prefix(kBlockBytes);
  }
  take_end(state, bytes, size);
  Sha1Hex hex;
  for (size_t i = 0; i < hex.size(); ++i)
    hex[i] = "0123456789abcdef"[state[i / 8] >> (28 - 4 * (i % 8)) & 0xF];
  return hex;
}

}  // namespace ouro
