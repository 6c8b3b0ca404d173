// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ouro {

void check_failed(const char* file, int line, const char* condition) noexcept {
  std::fprintf(stderr, "ouro: %s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace ouro
