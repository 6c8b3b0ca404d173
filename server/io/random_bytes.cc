// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/random_bytes.h"

#include <sys/random.h>

#include "datastructs/base/check.h"

namespace ouro {

void random_bytes(void* to, size_t bytes) noexcept {
  CHECK(bytes <= 256);  // never short below this
  CHECK(getrandom(to, bytes, 0) == static_cast<ssize_t>(bytes));
}

}  // namespace ouro
