// SPDX-License-Identifier: BSD-3-Clause
// A small list in one allocation: Packed's block, with entries that can be read from both ends and
// integers in binary.
//
//      string    | len | bytes ... | len mirrored |             see length_code.h
//      0..4095   | 10hhhhhh | 10llllll |                        each byte tells that it is two
//      integer   | 1110kkkk | k bytes, low first | 1110kkkk |   k = 1 .. 8, the fewest that keep
//                                                               the sign
//
// An element that is written like an integer (no plus, no leading zeros) is kept as one, and read
// back into a scratch buffer as the same text. Equal elements have equal bytes, so a search
// compares without decoding. A short string costs 2 bytes more than itself, an integer below 4096
// costs 2 bytes in all. Otherwise as Packed: a handle of one pointer, all zero bits when empty;
// positions and views die at a change.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/packed.h"

namespace ouro {

// Where the text of an integer is written; the view lives until the next use.
using ListScratch = std::array<char, 24>;

// An element made ready to be compared with many entries. Borrows the text.
class ListNeedle {
 public:
  explicit ListNeedle(ByteView text) noexcept;
  ByteView text() const noexcept { return text_; }

 private:
  friend class PackedList;
  ByteView text_;
  ByteView body_;                // what follows the head; empty for an integer
  std::array<char, 12> head_{};  // the length code, or the whole integer entry
  size_t head_bytes_ = 0;
  size_t entry_bytes_ = 0;  // of the whole entry
};

class PackedList : public PackedBlock {
 public:
  PackedList() = default;
  explicit PackedList(void* block) noexcept : PackedBlock(block) {}

  // Puts the element before `at`.
  void insert(Heap& heap, At at, ByteView element) noexcept;
  void erase(Heap& heap, At at, size_t count) noexcept;
  void replace(Heap& heap, At at, ByteView element) noexcept;
  // Passes over the first `skip` entries equal to the needle, then removes at most `max` of the
  // others equal to it; returns how many. Cost: one pass, whatever the number of matches.
  size_t erase_equal(Heap& heap, const ListNeedle& needle, size_t skip, size_t max) noexcept;
  // Moves the entries from `at` on into a new run.
  PackedList split(Heap& heap, At at) noexcept;
  // Appends all entries of the other and frees it.
  void merge(Heap& heap, PackedList& other) noexcept;
  PackedList copy(Heap& heap) const noexcept { return PackedList(copy_block(heap)); }

  // The entry at `at`, which moves to the next.
  ByteView read(At& at, ListScratch& scratch) const noexcept {
    DCHECK(at >= begin());
    DCHECK(at < end());
    const char* from = block_ + at;
    const uint8_t first = length_code::byte_at(from);
    if (first < length_code::kOneByteEnd) [[likely]] {
      at += first + 2U;
      return {from + 1, first};
    }
    return read_long(at, scratch);
  }
  // Moves `at` (which may be end()) to the entry before it, and reads that.
  ByteView read_back(At& at, ListScratch& scratch) const noexcept {
    at = prev(at);
    At after = at;
    return read(after, scratch);
  }
  At next(At at) const noexcept {
    const uint8_t first = length_code::byte_at(block_ + at);
    if (first < length_code::kOneByteEnd) [[likely]]
      return at + first + 2;
    return at + static_cast<At>(long_size_at(block_ + at));
  }
  At prev(At at) const noexcept {
    const uint8_t last = length_code::byte_at(block_ + at - 1);
    if (last < length_code::kOneByteEnd) [[likely]]
      return at - last - 2;
    return at - static_cast<At>(long_size_before(block_ + at));
  }
  // The position of an entry, or of end() for count(), walked to from the nearer side.
  At at_index(size_t index) const noexcept;

  bool equals(At at, const ListNeedle& needle) const noexcept;
  size_t count_equal(const ListNeedle& needle) const noexcept;

  // What the element takes in a run.
  static size_t entry_bytes(ByteView element) noexcept { return ListNeedle(element).entry_bytes_; }
  // The same for a string of so many bytes: the most that it can be.
  static constexpr size_t entry_bytes_max(size_t bytes) noexcept {
    return bytes + 2 * length_code::bytes_for(bytes);
  }

  void check_invariants() const;
  // The same without those of the block, for a run that lies elsewhere.
  void check_entries() const;

 private:
  static void write(char* to, const ListNeedle& needle) noexcept;
  ByteView read_long(At& at, ListScratch& scratch) const noexcept;
  static size_t long_size_at(const char* from) noexcept;
  static size_t long_size_before(const char* end) noexcept;
};

}  // namespace ouro
