// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/blob.h"

#include <algorithm>
#include <cstring>
#include <utility>

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
  CHECK(blob->pins_ > blob->readers_);
  --blob->pins_;
  if (blob->pins_ == 0) {
    CHECK(!blob->has_views());
    heap.destroy(blob);
  } else if (blob->pins_ == blob->readers_) {
    heap.note_kept(blob->memory_bytes());
  }
}

void Blob::unpin_reader(Heap& heap, Blob* blob) noexcept {
  CHECK(blob->readers_ > 0);
  --blob->readers_;
  if (--blob->pins_ > 0) return;
  CHECK(!blob->has_views());
  heap.note_returned(blob->memory_bytes());
  heap.destroy(blob);
}

void Blob::leave(Heap& heap, Blob* blob) noexcept {
  if (blob->sharers_ > 0) {
    --blob->sharers_;
    heap.note_left(blob->memory_bytes());
  } else if (blob->is_shared()) {
    heap.note_lent(blob->memory_bytes());
  }
  unpin(heap, blob);
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
  for (BlobView* view = blob->views_; view != nullptr; view = view->next_) view->blob_ = blob;
  return blob;
}

void Blob::save_for_views(Heap&, size_t at, size_t size) noexcept {
  for (BlobView* view = views_; view != nullptr; view = view->next_) view->save(at, size);
}

// ---- views

void BlobView::begin(Heap& heap, Blob& blob) noexcept {
  CHECK(blob_ == nullptr);
  heap_ = &heap;
  blob_ = &blob;
  size_ = blob.size();
  at_ = 0;
  next_ = std::exchange(blob.views_, this);
}

void BlobView::end() noexcept {
  if (blob_ == nullptr) return;
  BlobView** link = &blob_->views_;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
  drop_last();
  for (const auto& [at, chunk] : saved_) Blob::unpin_reader(*heap_, chunk);
  saved_.clear();
  blob_ = nullptr;
}

void BlobView::drop_last() noexcept {
  if (last_ != nullptr) Blob::unpin_reader(*heap_, std::exchange(last_, nullptr));
}

ByteView BlobView::next() noexcept {
  drop_last();
  const size_t at = at_;
  const size_t bytes = std::min(size_ - at, kChunkBytes);
  at_ += bytes;
  if (const auto found = saved_.find(at); found != saved_.end()) {
    last_ = found->second;
    saved_.erase(found);
    return last_->view();
  }
  return {blob_->bytes() + at, bytes};
}

void BlobView::save(size_t at, size_t size) noexcept {
  if (at >= size_) return;
  const size_t end = size < size_ - at ? at + size : size_;
  for (at = std::max(at - at % kChunkBytes, at_); at < end; at += kChunkBytes) {
    if (saved_.contains(at)) continue;
    const size_t bytes = std::min(size_ - at, kChunkBytes);
    Blob* const copy = Blob::create_from(*heap_, {blob_->bytes() + at, bytes});
    heap_->note_copied(copy->memory_bytes());
    copy->pin_to_read();
    Blob::unpin(*heap_, copy);
    saved_.emplace(at, copy);
  }
}

}  // namespace ouro
