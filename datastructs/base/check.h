// SPDX-License-Identifier: BSD-3-Clause
// Assertions. CHECK stays on in release and is for anything O(1); DCHECK is on in debug builds
// only. Both are for bugs: never assert on input from a client, a peer or a disk.
#pragma once

namespace ouro {

// Prints the place and the condition, then aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition) noexcept;

}  // namespace ouro

#define CHECK(condition)                                    \
  do {                                                      \
    if (!(condition)) [[unlikely]]                          \
      ::ouro::check_failed(__FILE__, __LINE__, #condition); \
  } while (false)

#ifdef OURO_DEBUG
#define DCHECK(condition) CHECK(condition)
#else
#define DCHECK(condition) \
  do {                    \
    if (false) {          \
      (void)(condition);  \
    }                     \
  } while (false)
#endif

#define OURO_UNREACHABLE() ::ouro::check_failed(__FILE__, __LINE__, "unreachable")
