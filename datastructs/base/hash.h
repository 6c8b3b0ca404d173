// SPDX-License-Identifier: BSD-3-Clause
// XXH3 keyed by a seed that each process draws at random, so that a client cannot choose keys that
// collide. Cost: about 3 ns for a 16-byte key.
#pragma once

#include <cstdint>

#define XXH_INLINE_ALL
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <xxhash.h>
#pragma GCC diagnostic pop

#include "datastructs/base/units.h"

namespace ouro {

using Hash64 = uint64_t;

// A table and all who hash for it share one of these.
struct HashSeed {
  uint64_t value = 0;
};

inline Hash64 hash_bytes(ByteView bytes, HashSeed seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed.value);
}

}  // namespace ouro
