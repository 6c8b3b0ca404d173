// SPDX-License-Identifier: BSD-3-Clause
// One element of a large sorted set: the score, then the member's bytes behind their length code,
// in one allocation. The table (by member) and the tree (by score) of the set both point at it. A
// 16-byte member makes 25 bytes, which the allocator rounds to 32.
#pragma once

#include <cstring>
#include <new>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/length_code.h"

namespace ouro {

struct ScoredMember {
  double score;

  ByteView member() const noexcept {
    size_t length;
    const char* bytes = length_code::read(reinterpret_cast<const char*>(this + 1), length);
    return {bytes, length};
  }

  // Freed by heap.release().
  static ScoredMember* create(Heap& heap, ByteView member, double score) noexcept {
    void* block =
        heap.allocate(sizeof(ScoredMember) + length_code::bytes_for(member.size()) + member.size());
    auto* made = new (block) ScoredMember{score};
    char* bytes = length_code::write(reinterpret_cast<char*>(made + 1), member.size());
    if (!member.empty()) std::memcpy(bytes, member.data(), member.size());
    return made;
  }
};

}  // namespace ouro
