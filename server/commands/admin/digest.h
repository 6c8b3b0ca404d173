// SPDX-License-Identifier: BSD-3-Clause
// A digest of keys and values for DEBUG DIGEST: equal contents give equal digests whatever their
// encoding and order in memory, and after a restart. 160 bits, as 40 hexadecimal digits; all zeros
// is nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "datastructs/keyspace/entry.h"

namespace ouro {

class Digest {
 public:
  // In order: add("a"), add("b") differs from add("b"), add("a").
  void add(ByteView bytes);
  void add(const Digest& other);
  // Without order.
  void mix(const Digest& other);
  std::string text() const;

 private:
  std::array<uint64_t, 3> words_{};
};

// Type, value and whether there is a deadline.
Digest digest_of(const Entry& entry);

}  // namespace ouro
