// SPDX-License-Identifier: BSD-3-Clause
// A pointer and a small tag in one word: what a value type of several encodings is made of.
// Allocations are aligned to 8 bytes or more, so the low three bits are free. A null pointer has
// tag 0, whatever was asked: nothing is there to be of a kind.
#pragma once

#include <cstdint>

#include "datastructs/base/check.h"

namespace ouro {

template <class Tag>  // an enum of values 0 to 7; 0 stands for nothing
class TaggedWord {
 public:
  Tag tag() const noexcept { return static_cast<Tag>(word_ & kTagMask); }
  void* pointer() const noexcept { return reinterpret_cast<void*>(word_ & ~kTagMask); }
  void set(Tag tag, void* pointer) noexcept {
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    DCHECK((address & kTagMask) == 0);
    word_ = address == 0 ? 0 : address | static_cast<uintptr_t>(tag);
  }
  void clear() noexcept { word_ = 0; }

 private:
  static constexpr uintptr_t kTagMask = 7;
  uintptr_t word_ = 0;
};

}  // namespace ouro
