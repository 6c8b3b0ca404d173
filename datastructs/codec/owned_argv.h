// SPDX-License-Identifier: BSD-3-Clause
// An argv that owns its bytes, in one allocation: a queued, deferred or blocked command, a SLOWLOG
// line.
//
//      +---------------+--------------------+---------------+
//      | ByteView[n]   | bytes of argument 0 | argument 1 .. |
//      +---------------+--------------------+---------------+
#pragma once

#include <cstddef>
#include <utility>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"

namespace ouro {

class OwnedArgv {
 public:
  OwnedArgv() = default;
  OwnedArgv(Heap& heap, Argv argv);
  ~OwnedArgv() { reset(); }
  OwnedArgv(OwnedArgv&& other) noexcept
      : heap_(other.heap_),
        views_(std::exchange(other.views_, nullptr)),
        count_(std::exchange(other.count_, 0)) {}
  OwnedArgv& operator=(OwnedArgv&& other) noexcept {
    if (this != &other) {
      reset();
      heap_ = other.heap_;
      views_ = std::exchange(other.views_, nullptr);
      count_ = std::exchange(other.count_, 0);
    }
    return *this;
  }

  Argv argv() const { return {views_, count_}; }
  bool empty() const { return count_ == 0; }
  size_t memory_bytes() const { return views_ == nullptr ? 0 : Heap::usable_bytes(views_); }
  void reset();

 private:
  Heap* heap_ = nullptr;
  ByteView* views_ = nullptr;
  size_t count_ = 0;
};

}  // namespace ouro
