// SPDX-License-Identifier: BSD-3-Clause
// What the tables of a database are asked with.
#pragma once

#include <cstdint>

#include "datastructs/base/hash.h"
#include "datastructs/base/units.h"

namespace ouro {

// The bytes with their hash, so that a key is hashed once.
struct Key {
  ByteView bytes;
  Hash64 hash = 0;
};

// When freeing a value may wait.
enum class Freeing : uint8_t { kNow, kLazy };

}  // namespace ouro
