// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/blob.h"

#include <cstring>

#include "datastructs/base/check.h"

namespace ouro {

Blob* Blob::create(Heap& heap, size_t capacity) noexcept {
  return new (heap.allocate(sizeof(Blob) + capacity)) Blob(capacity);
}

Blob* Blob::create_from(Heap& heap, ByteView bytes) noexcept {
  Blob* blob = create(heap, bytes.size());
  if (!bytes.empty()) std::memcpy(blob->bytes(), bytes.data(), bytes.size());
  blob->size_ = bytes.size();
  return blob;
}

void Blob::unpin(Heap& heap, Blob* blob) noexcept {
  CHECK(blob->pins_ > 0);
  if (--blob->pins_ == 0) heap.destroy(blob);
}

void Blob::set_size(size_t size) noexcept {
  CHECK(size <= capacity_);
  size_ = size;
}

Blob* Blob::grow(Heap& heap, Blob* blob, size_t capacity) noexcept {
  CHECK(!blob->is_shared());
  if (capacity <= blob->capacity_) return blob;
  blob = static_cast<Blob*>(heap.reallocate(blob, sizeof(Blob) + capacity));
  blob->capacity_ = capacity;
  return blob;
}

}  // namespace ouro
