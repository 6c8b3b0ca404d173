// SPDX-License-Identifier: BSD-3-Clause
// Whether two byte runs are equal, for keys: those of 4 to 32 bytes are compared by overlapping
// words, which costs less than the call of memcmp does.
#pragma once

#include <cstdint>
#include <cstring>

#include "datastructs/base/units.h"

namespace ouro {

inline bool bytes_equal(ByteView a, ByteView b) noexcept {
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size < 4 || size > 32) return std::memcmp(a.data(), b.data(), size) == 0;
  const auto differ = [&]<class Word>(Word x, size_t at) {
    Word y;
    std::memcpy(&x, a.data() + at, sizeof x);
    std::memcpy(&y, b.data() + at, sizeof y);
    return x ^ y;
  };
  if (size < 8) return (differ(uint32_t{}, 0) | differ(uint32_t{}, size - 4)) == 0;
  uint64_t difference = differ(uint64_t{}, 0) | differ(uint64_t{}, size - 8);
  if (size > 16) difference |= differ(uint64_t{}, 8) | differ(uint64_t{}, size - 16);
  return difference == 0;
}

}  // namespace ouro
