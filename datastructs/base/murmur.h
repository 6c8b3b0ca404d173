// SPDX-License-Identifier: BSD-3-Clause
// MurmurHash2 in its 32 and 64 bit forms ("64A"), by Austin Appleby, who put it in the public
// domain. Not keyed: what a sketch has stored must mean the same in another process, and in a Redis
// with the module RedisBloom, whose filters and sketches place their items by this hash. So a
// client can choose items that collide; it harms the answers of its own sketch only. Tables use
// hash.h.
#pragma once

#include <cstdint>
#include <cstring>

#include "datastructs/base/units.h"

namespace ouro {

inline uint32_t murmur32(ByteView bytes, uint32_t seed) noexcept {
  constexpr uint32_t kMul = 0x5bd1e995;
  uint32_t hash = seed ^ static_cast<uint32_t>(bytes.size());
  for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
    uint32_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    word *= kMul;
    word ^= word >> 24;
    hash = (hash * kMul) ^ (word * kMul);
  }
  if (!bytes.empty()) {
    uint32_t tail = 0;
    std::memcpy(&tail, bytes.data(), bytes.size());
    hash = (hash ^ tail) * kMul;
  }
  hash = (hash ^ (hash >> 13)) * kMul;
  return hash ^ (hash >> 15);
}

inline uint64_t murmur64(ByteView bytes, uint64_t seed) noexcept {
  constexpr uint64_t kMul = 0xc6a4a7935bd1e995;
  uint64_t hash = seed ^ (bytes.size() * kMul);
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    word *= kMul;
    word ^= word >> 47;
    hash = (hash ^ (word * kMul)) * kMul;
  }
  if (!bytes.empty()) {
    uint64_t tail = 0;
    std::memcpy(&tail, bytes.data(), bytes.size());
    hash = (hash ^ tail) * kMul;
  }
  hash = (hash ^ (hash >> 47)) * kMul;
  return hash ^ (hash >> 47);
}

}  // namespace ouro
