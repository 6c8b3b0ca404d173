// SPDX-License-Identifier: BSD-3-Clause
// A large string on the heap, counted by its users: the keyspace that stores it and the outputs
// that still send it.
//
//      +---------------+------+----------+-------+-----------+
//      | pins, readers | size | capacity | views | bytes ... |      one allocation
//      +---------------+------+----------+-------+-----------+
//
// A value above kBlobBytesMin is stored as a Blob; a reply points at it instead of copying, and a
// large bulk is received straight into one, which SET then takes over. Bytes may be changed only
// while pins == 1: is_shared() says when a writer must copy first. What is too large for that to be
// done at once is not pinned by a snapshot but read through a BlobView: then a writer copies only
// the chunks it is about to change. Not for small strings: those live inside their entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"

namespace ouro {

// From this size on a value is received into, and sent from, its own memory. Below, copying costs
// less than an extra buffer in the send.
inline constexpr size_t kBlobBytesMin = 16_KiB;

class BlobView;

class Blob {
 public:
  // An empty blob (size 0) with room for `capacity` bytes and one pin.
  static Blob* create(Heap& heap, size_t capacity) noexcept;
  static Blob* create_from(Heap& heap, ByteView bytes) noexcept;

  void pin() noexcept { ++pins_; }
  // Frees the blob at the last unpin.
  static void unpin(Heap& heap, Blob* blob) noexcept;
  // The same for one who reads it as it was at an earlier moment (a snapshot). What only such have
  // is Heap::kept_bytes().
  void pin_to_read() noexcept {
    ++pins_;
    ++readers_;
  }
  static void unpin_reader(Heap& heap, Blob* blob) noexcept;
  // The same for one more that has it as a part, as the share of a list does: all of those leave()
  // it, and what they leave to each other is known (Heap::note_left, note_lent).
  void share() noexcept {
    ++pins_;
    ++sharers_;
  }
  static void leave(Heap& heap, Blob* blob) noexcept;
  bool is_shared() const noexcept { return pins_ > 1; }

  ByteView view() const noexcept { return {bytes(), size_}; }
  char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  size_t size() const noexcept { return size_; }
  size_t capacity() const noexcept { return capacity_; }
  // size <= capacity.
  void set_size(size_t size) noexcept;
  // Before the bytes from `at` on, up to `size` of them, change in place, or go by set_size().
  void before_change(Heap& heap, size_t at, size_t size) noexcept {
    if (views_ != nullptr) [[unlikely]]
      save_for_views(heap, at, size);
  }
  // It may not be freed yet.
  bool has_views() const noexcept { return views_ != nullptr; }
  // A blob of the same contents with room for at least `capacity`; consumes `blob`. Not while
  // shared.
  static Blob* grow(Heap& heap, Blob* blob, size_t capacity) noexcept;

  size_t memory_bytes() const noexcept { return Heap::usable_bytes(this); }

 private:
  friend class BlobView;
  explicit Blob(size_t capacity) noexcept : capacity_(capacity) {}
  void save_for_views(Heap& heap, size_t at, size_t size) noexcept;

  uint32_t pins_ = 1;
  uint16_t readers_ = 0;  // of the pins
  uint16_t sharers_ = 0;  // of the pins, but for the first who has it
  size_t size_ = 0;
  size_t capacity_;
  BlobView* views_ = nullptr;  // the first of them
};

// The bytes of a blob as they are at one moment, read from the front in chunks, while the blob is
// changed in place, grows or has lost its key (then it is to be kept until has_views() is false).
// A chunk that is about to change before it was read is copied for the view. Cost of a change: that
// copy, of what changes and at most two chunks more.
class BlobView {
 public:
  static constexpr size_t kChunkBytes = 64_KiB;

  BlobView() = default;
  ~BlobView() { end(); }
  BlobView(const BlobView&) = delete;
  BlobView& operator=(const BlobView&) = delete;

  void begin(Heap& heap, Blob& blob) noexcept;
  // Of the blob at that moment.
  size_t size() const noexcept { return size_; }
  // The next chunk; nothing behind the last one. Dies at the next call and at the blob's change.
  ByteView next() noexcept;
  bool is_complete() const noexcept { return at_ == size_; }
  void end() noexcept;

 private:
  friend class Blob;
  void save(size_t at, size_t size) noexcept;
  void drop_last() noexcept;

  Heap* heap_ = nullptr;
  Blob* blob_ = nullptr;
  BlobView* next_ = nullptr;  // of the blob's views
  size_t size_ = 0;
  size_t at_ = 0;                  // the bytes before are read
  std::map<size_t, Blob*> saved_;  // what chunks were, by where they begin
  Blob* last_ = nullptr;           // of those, what next() has given
};

}  // namespace ouro
