// SPDX-License-Identifier: BSD-3-Clause
// A small sequence of byte strings in one allocation: the body of small hashes, sets and sorted
// sets.
//
//      0        3        5
//      +--------+--------+-----+-----------+-----+-------+----
//      | bytes  | count  | len | bytes ... | len | bytes |  ... room up to the block's usable size
//      +--------+--------+-----+-----------+-----+-------+----
//                        ^ begin()         ^ at                ^ end()
//
// `bytes` (21 bits) is the whole run with this head; in the 3 bits above it stands how many share
// the block beside its first owner. `count` (16 bits) is the number of entries, `len` a length
// code. Users keep records of several entries (field, value) and walk with a stride. A Packed is a
// handle of one pointer: trivially copied, not an owner; without entries it holds no memory and is
// all zero bits, so that its block() can be kept in a tagged word.
//
// Positions (At) are byte offsets; any change makes the ones behind it invalid, and all views.
// Bytes handed in must not lie inside the same run. Cost: reading is a step over each entry before;
// a change moves the bytes behind it. The block grows to just what is needed (the allocator's size
// class is the slack) and shrinks when less than half is in use. Invariant: block() is null exactly
// when there are no entries. Not here: bounds. The user keeps a run to a few KiB and turns it into
// a table above; kBytesMax and kCountMax are CHECKed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/length_code.h"

namespace ouro {

// The block, the head, and making room; what an entry looks like is said by Packed and by
// PackedList.
class PackedBlock {
 public:
  using At = uint32_t;  // byte offset of an entry, or end()

  static constexpr At kHeadBytes = 5;
  static constexpr size_t kBytesMax = (size_t{1} << 21) - 1;
  static constexpr size_t kCountMax = (size_t{1} << 16) - 1;

  // The block to keep, e.g. in a tagged word; it changes with each insert, erase and replace.
  void* block() const noexcept { return block_; }

  bool empty() const noexcept { return block_ == nullptr; }
  size_t count() const noexcept {
    if (block_ == nullptr) return 0;
    return length_code::byte_at(block_ + 3) | static_cast<size_t>(length_code::byte_at(block_ + 4))
                                                  << 8;
  }
  // Bytes in use, with the head.
  size_t bytes() const noexcept { return end(); }
  // What the allocator gave.
  size_t memory_bytes() const noexcept {
    return block_ == nullptr ? 0 : Heap::usable_bytes(block_);
  }

  At begin() const noexcept { return kHeadBytes; }
  At end() const noexcept {
    if (block_ == nullptr) return kHeadBytes;
    uint32_t word;
    std::memcpy(&word, block_, sizeof word);
    return word & kBytesMax;
  }

  // Room for a run of so many bytes, for one that is known to grow. Requires a block.
  void reserve(Heap& heap, size_t bytes) noexcept;
  // A block may be shared by several owners (nodes of large lists): then none may change it, and
  // the last that destroys it frees it. False if no more can be counted. Requires a block.
  [[nodiscard]] bool pin() noexcept;
  bool is_shared() const noexcept { return length_code::byte_at(block_ + 2) >= kOneSharer; }
  // Frees the block, or gives up this owner's pin; the handle is empty afterwards.
  void destroy(Heap& heap) noexcept;

 protected:
  PackedBlock() = default;
  explicit PackedBlock(void* block) noexcept : block_(static_cast<char*>(block)) {}

  // Turns the `old_bytes` at `at` into `new_bytes` of room, moving what is behind; returns the room
  // (null when no entry is left). The contents of the shorter of both are kept.
  char* splice(Heap& heap, At at, size_t old_bytes, size_t new_bytes,
               ptrdiff_t count_change) noexcept;
  void* copy_block(Heap& heap) const noexcept;

  char* block_ = nullptr;

 private:
  static constexpr uint8_t kOneSharer = 1 << 5;  // in the third byte

  void set_head(size_t bytes, size_t count) noexcept;
};

class Packed : public PackedBlock {
 public:
  Packed() = default;
  explicit Packed(void* block) noexcept : PackedBlock(block) {}

  // Puts the entries before `at`, as one move; returns the position after them.
  At insert(Heap& heap, At at, std::initializer_list<ByteView> entries) noexcept;
  At append(Heap& heap, std::initializer_list<ByteView> entries) noexcept {
    return insert(heap, end(), entries);
  }
  // Removes `count` entries from `at` on; returns the position that follows them now (== at).
  At erase(Heap& heap, At at, size_t count) noexcept;
  // Gives the entry at `at` other bytes; of the same size they are written in place.
  void replace(Heap& heap, At at, ByteView bytes) noexcept;
  Packed copy(Heap& heap) const noexcept { return Packed(copy_block(heap)); }

  // The entry at `at`, which moves to the next: the step of all loops.
  ByteView read(At& at) const noexcept {
    DCHECK(at >= begin());
    DCHECK(at < end());
    size_t length;
    const char* body = length_code::read(block_ + at, length);
    at = static_cast<At>(body + length - block_);
    return {body, length};
  }
  ByteView get(At at) const noexcept { return read(at); }
  At next(At at) const noexcept {
    (void)read(at);
    return at;
  }
  // `entries` further; may arrive at end(), not pass it.
  At skip(At at, size_t entries) const noexcept {
    while (entries-- > 0) (void)read(at);
    return at;
  }
  // The position of an entry by its index. Cost: linear.
  At at_index(size_t index) const noexcept { return skip(begin(), index); }

  // The first of the entries 0, stride, 2 * stride ... that equals `bytes`, or end(). count() is a
  // multiple of stride.
  At find(ByteView bytes, size_t stride) const noexcept;

  // What an entry of this many bytes takes in a run.
  static constexpr size_t entry_bytes(size_t bytes) noexcept {
    return length_code::bytes_for(bytes) + bytes;
  }

  void check_invariants() const;
};

}  // namespace ouro
