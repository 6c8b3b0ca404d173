// SPDX-License-Identifier: BSD-3-Clause
// A large string on the heap, counted by its users: the keyspace that stores it and the outputs
// that still send it.
//
//      +------+------+----------+------------------+
//      | pins | size | capacity | bytes ...        |      one allocation
//      +------+------+----------+------------------+
//
// A value above kBlobBytesMin is stored as a Blob; a reply points at it instead of copying, and a
// large bulk is received straight into one, which SET then takes over. Bytes may be changed only
// while pins == 1: is_shared() says when a writer must copy first. Not for small strings: those
// live inside their entry.
#pragma once

#include <cstddef>
#include <cstdint>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"

namespace ouro {

// From this size on a value is received into, and sent from, its own memory. Below, copying costs
// less than an extra buffer in the send.
inline constexpr size_t kBlobBytesMin = 16_KiB;

class Blob {
 public:
  // An empty blob (size 0) with room for `capacity` bytes and one pin.
  static Blob* create(Heap& heap, size_t capacity) noexcept;
  static Blob* create_from(Heap& heap, ByteView bytes) noexcept;

  void pin() noexcept { ++pins_; }
  // Frees the blob at the last unpin.
  static void unpin(Heap& heap, Blob* blob) noexcept;
  bool is_shared() const noexcept { return pins_ > 1; }

  ByteView view() const noexcept { return {bytes(), size_}; }
  char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  size_t size() const noexcept { return size_; }
  size_t capacity() const noexcept { return capacity_; }
  // size <= capacity.
  void set_size(size_t size) noexcept;
  // A blob of the same contents with room for at least `capacity`; consumes `blob`. Not while
  // shared.
  static Blob* grow(Heap& heap, Blob* blob, size_t capacity) noexcept;

  size_t memory_bytes() const noexcept { return Heap::usable_bytes(this); }

 private:
  explicit Blob(size_t capacity) noexcept : capacity_(capacity) {}

  uint64_t pins_ = 1;
  size_t size_ = 0;
  size_t capacity_;
};

}  // namespace ouro
