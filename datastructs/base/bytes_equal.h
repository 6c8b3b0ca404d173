// SPDX-License-Identifier: BSD-3-Clause
// Whether two byte runs are equal, for keys: those of 8 to 32 bytes are compared by overlapping
// words, which costs less than the call of memcmp does.
#pragma once

#include <cstdint>
#include <cstring>

#include "datastructs/base/units.h"

namespace ouro {

inline bool bytes_equal(ByteView a, ByteView b) noexcept {
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size < 8 || size > 32) return std::memcmp(a.data(), b.data(), size) == 0;
  const auto differ = [&](size_t at) {
    uint64_t x;
    uint64_t y;
    std::memcpy(&x, a.data() + at, sizeof x);
    std::memcpy(&y, b.data() + at, sizeof y);
    return x ^ y;
  };
  uint64_t difference = differ(0) | differ(size - 8);
  if (size > 16) difference |= differ(8) | differ(size - 16);
  return difference == 0;
}

}  // namespace ouro
