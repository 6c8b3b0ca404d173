// SPDX-License-Identifier: BSD-3-Clause
// What decoders of values share: where a value is built, and the way through a packed string.
#pragma once

#include <array>
#include <string>

#include "datastructs/base/hash.h"
#include "datastructs/base/memory.h"
#include "datastructs/limits.h"
#include "persistence/packed_reader.h"
#include "persistence/rdb_reader.h"

namespace ouro {

// What a value is built with. It gets the encodings that the limits ask for, whatever encoding its
// bytes have.
struct ValueTarget {
  Heap& heap;
  const Limits& limits;
  HashSeed seed;
};

// Reads a packed string and hands out its elements in groups of so many (field and value), until
// something is wrong. take(const std::array<PackedElement, kGroup>&) may refuse.
template <size_t kGroup, class Take>
void read_packed(PackedReader::Format format, RdbReader& in, Take take) {
  std::string scratch;
  PackedReader packed(format, in.string(scratch));
  std::array<PackedElement, kGroup> group;
  size_t filled = 0;
  while (in.ok() && packed.next(group[filled])) {
    if (++filled < kGroup) continue;
    filled = 0;
    take(group);
  }
  in.check(!in.ok() || (filled == 0 && packed.is_whole()), "a packed string is not well-formed");
}

}  // namespace ouro
