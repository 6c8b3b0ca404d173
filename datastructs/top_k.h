// SPDX-License-Identifier: BSD-3-Clause
// TopK: the items that come most often, found by HeavyKeeper (Yang, Gong, Zhang, Zou, Shi, Li 2018:
// "HeavyKeeper: An Accurate Algorithm for Finding Top-k Elephant Flows").
//
//      TopK -> | parameters, dice | cells | items |      one block
//                                   |       |
//                                   |       min-heap by count: fingerprint, count, Blob
//                                   depth rows of width cells: fingerprint, count
//
// An item has one cell in each row. There it counts up, if the cell is its own; another's cell it
// may wear down: with probability decay^count by one, and at zero the cell is the newcomer's. So
// rare items vanish and frequent ones keep a count that is hardly ever too large. The largest cell
// of an item is its estimate, and the k items of the largest estimates are kept by name.
//
// Randomness. The numbers come from a generator that is part of the value: it begins with the same
// number in every TopK and moves on with each add that draws. So the command as sent is the fact:
// replayed on the same value, by a log, a replica or after COPY, it gives the same bytes, without a
// seed in the log and without an effect that no other server knows. A snapshot has to keep dice().
// Powers of decay are products, not pow(): a replica of another libm must draw the same.
//
// Hashes, cells and the rule of the list are those of the module RedisBloom.
// Invariants: no item is in the heap twice; a parent's count is at most its children's.
// Cost: an add is one cell a row, up to kIncrementMax draws for each, and a walk over the k items
// if it is among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "datastructs/base/blob.h"
#include "datastructs/base/function_ref.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"

namespace ouro {

class TopK {
 public:
  struct Shape {
    uint32_t k = 0;
    uint32_t width = 8;
    uint32_t depth = 7;
    double decay = 0.9;  // in (0, 1]
  };
  // The list is walked by each add that enters it.
  static constexpr uint32_t kItemsMax = 65536;
  // Of all cells.
  static constexpr size_t kBytesMax = 4_GiB;
  // Each row is a hash of the item.
  static constexpr uint32_t kDepthMax = 4096;
  // Each step of an increment may be a draw a row.
  static constexpr uint32_t kIncrementMax = 100'000;

  TopK() = default;
  // False if it would be too large. All numbers are > 0.
  static bool fits(const Shape& shape) noexcept;
  // Requires fits(shape).
  static TopK create(Heap& heap, const Shape& shape) noexcept;
  void destroy(Heap& heap) noexcept;
  TopK copy(Heap& heap) const noexcept;
  // The same as it is now, for reading and destroy(), while this one goes on: see ChunkedBytes.
  // Cost: that, and a count an item of the list.
  TopK share(Heap& heap) const noexcept;

  // Returns the item that had to leave the list, or null; the caller leaves it (Blob::leave).
  // increment <= kIncrementMax; 0 changes nothing.
  Blob* add(Heap& heap, ByteView item, uint32_t increment) noexcept;
  bool contains(ByteView item) const noexcept;
  // The largest count that a cell of its own has.
  uint32_t estimate(ByteView item) const noexcept;
  // The list, largest count first; of equal ones the smaller bytes.
  void for_each(FunctionRef<void(ByteView item, uint32_t count)> visit) const;

  const Shape& shape() const noexcept;
  uint32_t size() const noexcept;  // items in the list
  uint64_t dice() const noexcept;

  // ---- dump: the cells as bytes, the list in the order of its heap
  uint64_t cell_bytes() const noexcept;
  // At most `bytes_max` bytes from `at` on, which is inside.
  std::string read_cells(uint64_t at, size_t bytes_max) const;
  // at + bytes.size() <= cell_bytes().
  void write_cells(Heap& heap, uint64_t at, ByteView bytes) noexcept;
  struct Kept {
    ByteView item;
    uint32_t count = 0;
    uint32_t fingerprint = 0;
  };
  void for_each_in_heap(FunctionRef<void(const Kept&)> visit) const;
  // Puts an item behind the last of the heap. Requires: it is not in the list, its parent's count
  // (heap_parent_count()) is not above its own, and size() < k. The fingerprint follows from it.
  void push_kept(Heap& heap, ByteView item, uint32_t count) noexcept;
  uint32_t heap_parent_count() const noexcept;  // of what is pushed next; 0 of the first
  void set_dice(uint64_t dice) noexcept;
  static uint32_t fingerprint_of(ByteView item) noexcept;

  ByteView encoding() const noexcept { return "raw"; }
  // All that makes up the contents, for digests.
  void for_each_part(FunctionRef<void(ByteView)> visit) const;
  size_t memory_bytes() const noexcept;
  size_t free_effort() const noexcept;
  bool free_some(Heap& heap, size_t& budget) noexcept;
  void check_invariants() const;

 private:
  struct Table;

  uint32_t count_in_cells(Heap& heap, ByteView item, uint32_t fingerprint,
                          uint32_t increment) noexcept;

  Table* table_ = nullptr;
};

static_assert(sizeof(TopK) == 8);

}  // namespace ouro
