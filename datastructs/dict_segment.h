// SPDX-License-Identifier: BSD-3-Clause
// How a Dict's segments and buckets lie in memory, and how to visit what is in them. Drawn in
// dict_core.h.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "datastructs/base/units.h"

namespace ouro {

struct alignas(64) DictBucket {
  static constexpr unsigned kCells = 7;
  static constexpr uint64_t kMore = uint64_t{1} << 63;

  uint64_t word;  // bytes 0..6: tags, 0 is empty; byte 7: bit i < 7 says cell i is displaced, bit 7
                  // is `more`
  void* cells[kCells];

  // Sets of cells are words with bit 8i+7 set for cell i.
  static unsigned cell_of(uint64_t set) {
    return static_cast<unsigned>(std::countr_zero(set)) >> 3;
  }
  uint64_t match(uint8_t tag) const {
    constexpr uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
    const uint64_t x = (word ^ (uint64_t{0x0101010101010101} * tag)) | (uint64_t{0xff} << 56);
    return ~(((x & kLow) + kLow) | x | kLow);
  }
  uint64_t free_cells() const { return match(0); }
  uint64_t used_cells() const { return ~match(0) & 0x0080808080808080; }
  uint8_t tag(unsigned cell) const { return static_cast<uint8_t>(word >> (8 * cell)); }
  bool more() const { return (word & kMore) != 0; }
  void set_more(bool more) { word = more ? word | kMore : word & ~kMore; }
  bool is_displaced(unsigned cell) const { return (word >> (56 + cell) & 1) != 0; }
  // Bit i for cell i.
  unsigned displaced() const { return static_cast<unsigned>(word >> 56) & 0x7f; }
  enum class Home : uint8_t { kHere, kBefore };  // kBefore: displaced from the bucket before
  void put(unsigned cell, uint8_t tag, Home home, void* entry) {
    const auto is_displaced = uint64_t{home == Home::kBefore};
    word |= uint64_t{tag} << (8 * cell) | is_displaced << (56 + cell);
    cells[cell] = entry;
  }
  void clear(unsigned cell) {
    word &= ~(uint64_t{0xff} << (8 * cell) | uint64_t{1} << (56 + cell));
    cells[cell] = nullptr;
  }
};
static_assert(sizeof(DictBucket) == 64);

// Sizes of a segment in lines, and how many of them are home buckets; the rest is one header and
// the stash.
inline constexpr std::array<uint8_t, 11> kDictLines = {2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};
inline constexpr std::array<uint8_t, 11> kDictHomes = {1, 2, 3, 5, 6, 10, 14, 21, 29, 44, 59};
inline constexpr unsigned kDictClassLast = kDictLines.size() - 1;
inline constexpr unsigned kDictHomesMax = 59;
inline constexpr unsigned kDictCellsMax = 63 * DictBucket::kCells;
inline constexpr unsigned kDictPrefixBits = 24;
inline constexpr uint32_t kDictPrefixEnd = uint32_t{1} << kDictPrefixBits;
inline constexpr unsigned kDictDirectoryBits = 14;
inline constexpr unsigned kDictViewsMax = 4;

// Lower bounds of the deadlines in a segment; allocated with its first deadline.
struct DictDeadlines {
  UnixMs min;           // the least of `home`
  uint32_t heap_index;  // where the segment stands in the heap of segments
  uint32_t homes;
  UnixMs home[1];  // `homes` of them: a lower bound over the entries of each home
};

// Which homes the views have saved; a bit counts only while its epoch is the view's.
struct DictSaved {
  uint64_t homes[kDictViewsMax];
  uint32_t epoch[kDictViewsMax];
};

struct DictOverflow {
  struct Item {
    void* entry;
    uint8_t home;
    uint8_t tag;
  };
  uint32_t count;
  uint32_t capacity;
  Item items[1];  // `capacity` of them
};

struct alignas(64) DictSegment {
  static constexpr unsigned kStashCells = 4 * DictBucket::kCells;

  uint32_t prefix;  // the first `depth` bits of 24, the rest is 0
  uint8_t depth;
  uint8_t size_class;
  uint8_t homes;
  uint8_t stash_lines;
  uint32_t count;                   // entries, those in the overflow included
  uint8_t stash_home[kStashCells];  // home + 1 of each stash cell, 0 is empty
  DictOverflow* overflow;
  DictDeadlines* deadlines;
  DictSaved* saved;

  DictBucket* bucket(unsigned line) { return reinterpret_cast<DictBucket*>(this + 1) + line; }
  const DictBucket* bucket(unsigned line) const {
    return reinterpret_cast<const DictBucket*>(this + 1) + line;
  }
  unsigned next_home(unsigned home) const { return home + 1 == homes ? 0 : home + 1; }
  // Bucket lines: the homes, then the stash.
  unsigned lines() const { return unsigned{homes} + stash_lines; }
  unsigned cells() const { return lines() * DictBucket::kCells; }
  unsigned stash_cells() const { return unsigned{stash_lines} * DictBucket::kCells; }
  void* const* stash_cell(unsigned i) const {
    return &bucket(homes + i / DictBucket::kCells)->cells[i % DictBucket::kCells];
  }
  // How many 24-bit prefixes it covers, and the first one behind it.
  uint32_t span() const { return uint32_t{1} << (kDictPrefixBits - depth); }
  uint32_t prefix_end() const { return prefix + span(); }
};
static_assert(sizeof(DictSegment) == 64);

// Calls visit(entry) for each entry whose home this is.
template <class Visit>
void visit_home(const DictSegment& segment, unsigned home, Visit visit) {
  const DictBucket& bucket = *segment.bucket(home);
  for (uint64_t set = bucket.used_cells(); set != 0; set &= set - 1) {
    const unsigned cell = DictBucket::cell_of(set);
    if (!bucket.is_displaced(cell)) visit(bucket.cells[cell]);
  }
  if (!bucket.more()) return;
  const DictBucket& next = *segment.bucket(segment.next_home(home));
  for (unsigned set = next.displaced(); set != 0; set &= set - 1)
    visit(next.cells[std::countr_zero(set)]);
  for (unsigned i = 0; i < segment.stash_cells(); ++i)
    if (segment.stash_home[i] == home + 1) visit(*segment.stash_cell(i));
  if (segment.overflow == nullptr) return;
  for (unsigned i = 0; i < segment.overflow->count; ++i)
    if (segment.overflow->items[i].home == home) visit(segment.overflow->items[i].entry);
}

// Calls visit(entry) for each entry of the segment.
template <class Visit>
void visit_segment(const DictSegment& segment, Visit visit) {
  for (unsigned line = 0; line < segment.lines(); ++line) {
    const DictBucket& bucket = *segment.bucket(line);
    for (uint64_t set = bucket.used_cells(); set != 0; set &= set - 1)
      visit(bucket.cells[DictBucket::cell_of(set)]);
  }
  if (segment.overflow == nullptr) return;
  for (unsigned i = 0; i < segment.overflow->count; ++i) visit(segment.overflow->items[i].entry);
}

}  // namespace ouro
