// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/random_bytes.h"

#include <sys/random.h>

#include <algorithm>

#include "datastructs/base/check.h"

namespace ouro {

void random_bytes(void* to, size_t bytes) noexcept {
  constexpr size_t kNeverShort = 256;
  for (auto* at = static_cast<char*>(to); bytes > 0;) {
    const size_t part = std::min(bytes, kNeverShort);
    CHECK(getrandom(at, part, 0) == static_cast<ssize_t>(part));
    at += part;
    bytes -= part;
  }
}

}  // namespace ouro
