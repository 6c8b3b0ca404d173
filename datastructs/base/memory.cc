// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/memory.h"

#include <malloc.h>

#include <cstdint>
#include <cstdlib>

#include "datastructs/base/check.h"

namespace ouro {

size_t Heap::usable_bytes(const void* block) noexcept {
  return malloc_usable_size(const_cast<void*>(block));
}

void* Heap::allocate(size_t bytes) noexcept {
  void* block = std::malloc(bytes);
  CHECK(block != nullptr);
  // Not usable_bytes(): g++ takes the const pointer for a read of a block that nobody has written
  // yet.
  add(malloc_usable_size(block));
  return block;
}

void* Heap::allocate_aligned(size_t bytes, size_t alignment) noexcept {
  // mimalloc's blocks of a size class are aligned as their size allows, but its aligned call takes
  // the next larger class (4096 bytes at 64 cost 5120): a plain block that happens to be aligned is
  // the better one.
  void* block = std::malloc(bytes);
  CHECK(block != nullptr);
  if (reinterpret_cast<uintptr_t>(block) % alignment != 0) {
    std::free(block);
    CHECK(::posix_memalign(&block, alignment, bytes) == 0);
  }
  add(malloc_usable_size(block));
  return block;
}

void* Heap::reallocate(void* block, size_t bytes) noexcept {
  const size_t before = block == nullptr ? 0 : usable_bytes(block);
  void* moved = std::realloc(block, bytes);
  CHECK(moved != nullptr);
  used_bytes_ -= before;
  add(usable_bytes(moved));
  return moved;
}

void Heap::release(void* block) noexcept {
  if (block == nullptr) return;
  used_bytes_ -= usable_bytes(block);
  std::free(block);
}

}  // namespace ouro
