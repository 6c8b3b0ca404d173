// SPDX-License-Identifier: BSD-3-Clause
// Where the arguments of one batch of commands live: arrays of views, unescaped inline words, and
// the large arguments that were received into memory of their own. A bump allocator in blocks, so
// that nothing moves while the batch grows.
//
// Everything handed out dies at clear(), at the end of the turn; a first block of ordinary size is
// kept for the next one. One arena serves all connections of a loop.
#pragma once

#include <cstddef>
#include <cstdint>

#include "datastructs/base/blob.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"

namespace ouro {

class ArgvArena {
 public:
  explicit ArgvArena(Heap& heap) noexcept : heap_(heap) {}
  ~ArgvArena();
  ArgvArena(const ArgvArena&) = delete;
  ArgvArena& operator=(const ArgvArena&) = delete;

  // Room for `count` views in a row; keep(n) then takes the first n. What is not kept is handed out
  // again.
  ByteView* room(size_t count) {
    if (static_cast<size_t>(limit_ - next_) < count) add_block(count);
    return next_;
  }
  void keep(size_t count) { next_ += count; }
  // Aligned for any type of 8-byte members.
  void* take(size_t bytes) {
    const size_t cells = (bytes + sizeof(ByteView) - 1) / sizeof(ByteView);
    void* place = room(cells);
    keep(cells);
    return place;
  }
  // Takes over the caller's pin; clear() unpins. Who wants to keep the blob pins it too.
  void own(Blob* blob);
  void clear();

  size_t memory_bytes() const;

 private:
  // Cells follow in the same allocation.
  struct Block {
    Block* next;
    size_t cells;
  };
  struct OwnedBlob {
    OwnedBlob* next;
    Blob* blob;
  };
  void add_block(size_t cells);

  Heap& heap_;
  Block* blocks_ = nullptr;  // the newest first; the last one is kept by clear()
  ByteView* next_ = nullptr;
  ByteView* limit_ = nullptr;
  OwnedBlob* blobs_ = nullptr;
};

}  // namespace ouro
