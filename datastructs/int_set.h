// SPDX-License-Identifier: BSD-3-Clause
// A sorted array of integers in one allocation, all of one width: 2, 4 or 8 bytes, as the largest
// of them needs.
//
//      +-----------+-----------+-----+-----+-----+
//      | width u32 | count u32 | i_0 | i_1 | ... |        little-endian, i_0 < i_1 < ...
//      +-----------+-----------+-----+-----+-----+
//
// These are the bytes of RDB's intset too, so bytes() can be saved as it is. An empty set has no
// allocation. Adding a number that does not fit the width widens the whole array; removing never
// narrows it, as in Redis. Cost: contains is a binary search; add and remove move the tail. Made
// for the few hundred entries that Limits::set_ints_entries allows. An 8-byte handle, trivially
// relocatable: freed by destroy(), not by a destructor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "datastructs/base/memory.h"
#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"

namespace ouro {

class IntSet {
 public:
  IntSet() = default;
  void destroy(Heap& heap) noexcept;
  IntSet copy(Heap& heap) const noexcept;

  // False if it was there already.
  bool add(Heap& heap, int64_t value) noexcept;
  // False if it was not there.
  bool remove(Heap& heap, int64_t value) noexcept;

  bool contains(int64_t value) const noexcept;
  size_t size() const noexcept;
  bool empty() const noexcept { return block_ == nullptr; }
  // The index-th smallest; index < size().
  int64_t at(size_t index) const noexcept;
  // Uniform; the set is not empty.
  int64_t random(Prng& prng) const noexcept { return at(prng.below(size())); }
  // The whole array with its header; empty for an empty set.
  ByteView bytes() const noexcept;

  size_t memory_bytes() const noexcept { return empty() ? 0 : Heap::usable_bytes(block_); }
  void check_invariants() const;

  // For a tagged pointer that holds the set in place of this handle.
  void* raw() const noexcept { return block_; }
  static IntSet from_raw(void* raw) noexcept { return IntSet(static_cast<char*>(raw)); }

 private:
  explicit IntSet(char* block) noexcept : block_(block) {}

  struct Place {
    size_t index;
    bool found;
  };
  uint32_t width() const noexcept;
  void set_header(uint32_t width, size_t count) noexcept;
  Place find(int64_t value) const noexcept;
  void reserve(Heap& heap, size_t bytes) noexcept;
  void widen(Heap& heap, uint32_t width) noexcept;

  char* block_ = nullptr;
};

static_assert(sizeof(IntSet) == 8);

}  // namespace ouro
