// SPDX-License-Identifier: BSD-3-Clause
// An entry for the tests of Dict: a key, a value, a deadline.
#pragma once

#include <cstdint>
#include <string>

#include "datastructs/dict.h"

namespace ouro {

struct TestEntry {
  std::string key;
  uint64_t value = 0;
  UnixMs deadline = kNoExpiry;
};

template <>
struct DictTraits<TestEntry> {
  static ByteView key(const TestEntry& entry) { return entry.key; }
  static UnixMs deadline(const TestEntry& entry) { return entry.deadline; }
};

}  // namespace ouro
