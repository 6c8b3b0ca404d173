// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/argv_arena.h"

#include <algorithm>

namespace ouro {

namespace {
// About a batch of 1,024 commands of three or four arguments.
constexpr size_t kBlockCells = 64_KiB / sizeof(ByteView) - 1;
}  // namespace

ArgvArena::~ArgvArena() {
  clear();
  heap_.release(blocks_);
}

void ArgvArena::add_block(size_t cells) {
  static_assert(sizeof(Block) % alignof(ByteView) == 0);
  static_assert(sizeof(Block) <= sizeof(ByteView));
  cells = std::max(cells, kBlockCells);
  auto* block = static_cast<Block*>(heap_.allocate(sizeof(Block) + cells * sizeof(ByteView)));
  *block = {.next = blocks_, .cells = cells};
  blocks_ = block;
  next_ = reinterpret_cast<ByteView*>(block + 1);
  limit_ = next_ + cells;
}

void ArgvArena::own(Blob* blob) {
  auto* owned = static_cast<OwnedBlob*>(take(sizeof(OwnedBlob)));
  *owned = {.next = blobs_, .blob = blob};
  blobs_ = owned;
}

void ArgvArena::clear() {
  for (OwnedBlob* owned = blobs_; owned != nullptr; owned = owned->next)
    Blob::unpin(heap_, owned->blob);
  blobs_ = nullptr;
  if (blocks_ == nullptr) return;
  while (blocks_->next != nullptr) {
    Block* block = blocks_;
    blocks_ = block->next;
    heap_.release(block);
  }
  if (blocks_->cells > kBlockCells) {
    heap_.release(blocks_);
    blocks_ = nullptr;
    next_ = limit_ = nullptr;
    return;
  }
  next_ = reinterpret_cast<ByteView*>(blocks_ + 1);
  limit_ = next_ + blocks_->cells;
}

size_t ArgvArena::memory_bytes() const {
  size_t bytes = 0;
  for (const Block* block = blocks_; block != nullptr; block = block->next)
    bytes += Heap::usable_bytes(block);
  for (const OwnedBlob* owned = blobs_; owned != nullptr; owned = owned->next) {
    if (!owned->blob->is_shared()) bytes += owned->blob->memory_bytes();
  }
  return bytes;
}

}  // namespace ouro
