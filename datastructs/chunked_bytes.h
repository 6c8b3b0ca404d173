// SPDX-License-Identifier: BSD-3-Clause
// A large array of fixed size that begins as zeros: what filters and sketches are made of.
//
//      size() <= a chunk:  root -> chunk                                chunk: | pins | bytes ... |
//      larger:             root -> | chunk | chunk | - | chunk | ...           of 64 KiB in all
//
// A chunk that is not there ("-") is all zeros; the first write into it allocates it. So to reserve
// a filter of gigabytes costs its directory (8 bytes for each 64 KiB) and no turn pays for the rest
// at once. Elements are read and written by get<T> and set<T>, where sizeof(T) divides a chunk:
// none lies across two. Several may have the same chunks (share(): how a snapshot freezes them);
// who writes into one that others have, too, takes a copy of it first: one chunk a write, whatever
// the size. Trivially relocatable, no destructor: freed by destroy() or free_some(). Invariants:
// every chunk but the last has kChunkBytes; memory_bytes() is the sum of all blocks. Cost: an
// access is one look-up more than in a plain array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "datastructs/base/check.h"
#include "datastructs/base/function_ref.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/tagged_word.h"

namespace ouro {

class ChunkedBytes {
 public:
  // With its head a chunk is a block of 64 KiB.
  static constexpr size_t kHeadBytes = 16;
  static constexpr size_t kChunkBytes = 64_KiB - kHeadBytes;
  // Reserves are refused above this by the types built on it, before anything is allocated: the
  // directory is half a MiB then.
  static constexpr size_t kBytesMax = 4_GiB;

  ChunkedBytes() = default;
  // size > 0.
  static ChunkedBytes create(Heap& heap, size_t size) noexcept;
  void destroy(Heap& heap) noexcept;
  ChunkedBytes copy(Heap& heap) const noexcept;
  // The same bytes in the same chunks. Cost: 8 bytes and a count a chunk (16,000 a GiB).
  ChunkedBytes share(Heap& heap) const noexcept;

  size_t size() const noexcept { return size_; }
  template <class T>
  T get(size_t index) const noexcept {
    const size_t at = index * sizeof(T);
    const Chunk* chunk = chunk_at(at);
    T value{};
    if (chunk != nullptr) std::memcpy(&value, chunk->bytes() + at % kChunkBytes, sizeof value);
    return value;
  }
  template <class T>
  void set(Heap& heap, size_t index, T value) noexcept {
    static_assert(kChunkBytes % sizeof(T) == 0);
    const size_t at = index * sizeof(T);
    DCHECK(at + sizeof(T) <= size_);
    std::memcpy(own_chunk(heap, at).bytes() + at % kChunkBytes, &value, sizeof value);
  }
  // at + size <= size().
  void read(size_t at, size_t size, char* out) const noexcept;
  void write(Heap& heap, size_t at, ByteView bytes) noexcept;
  // False: this byte and its neighbours in the same chunk are zero.
  bool has_chunk(size_t at) const noexcept { return chunk_at(at) != nullptr; }
  // The chunks that hold more than zeros, and where they begin.
  void for_each_chunk(FunctionRef<void(size_t at, ByteView bytes)> visit) const;

  // The same as bytes, for digests: where each chunk is, counted from `begin`, and what it holds.
  void visit_parts(FunctionRef<void(ByteView)> visit, uint64_t begin = 0) const;

  size_t memory_bytes() const noexcept { return block_bytes_; }
  size_t free_effort() const noexcept { return block_bytes_ / kChunkBytes + 1; }
  // Frees up to `budget` chunks, which is counted down; true when all is gone.
  bool free_some(Heap& heap, size_t& budget) noexcept;
  void check_invariants() const;

 private:
  enum class Root : uint8_t { kNone, kChunk, kDirectory };

  struct alignas(kHeadBytes) Chunk {
    uint32_t pins = 1;  // how many have it
    char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
    const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  };
  static_assert(sizeof(Chunk) == kHeadBytes);

  bool has_directory() const noexcept { return root_.tag() == Root::kDirectory; }
  Chunk** directory() const noexcept { return static_cast<Chunk**>(root_.pointer()); }
  size_t chunk_count() const noexcept { return (size_ + kChunkBytes - 1) / kChunkBytes; }
  size_t bytes_of_chunk(size_t index) const noexcept {
    return index + 1 < chunk_count() ? kChunkBytes : size_ - index * kChunkBytes;
  }
  Chunk* chunk(size_t index) const noexcept {
    return has_directory() ? directory()[index] : static_cast<Chunk*>(root_.pointer());
  }
  const Chunk* chunk_at(size_t at) const noexcept {
    DCHECK(at < size_);
    return chunk(at / kChunkBytes);
  }
  // The chunk, which is there and nobody else's afterwards.
  Chunk& own_chunk(Heap& heap, size_t at) noexcept {
    Chunk* const its = chunk(at / kChunkBytes);
    if (its != nullptr && its->pins == 1) [[likely]]
      return *its;
    return make_own(heap, at / kChunkBytes);
  }
  Chunk& make_own(Heap& heap, size_t index) noexcept;
  void put_chunk(size_t index, Chunk* its) noexcept;

  TaggedWord<Root> root_;
  size_t size_ = 0;
  size_t block_bytes_ = 0;  // by usable size
};

static_assert(sizeof(ChunkedBytes) == 24);

}  // namespace ouro
