// SPDX-License-Identifier: BSD-3-Clause
// Walking a table: scan, for_each, random choice, freeing in slices.
#include <algorithm>
#include <bit>

#include "datastructs/dict_core.h"

namespace ouro {

namespace {

// The first of the 2^16 positions whose home is `home`; 2^16 behind the last.
unsigned first_position(unsigned home, unsigned homes) {
  return ((home << 16) + homes - 1) / homes;
}

}  // namespace

// The cursor is (position, prefix), position major. A call emits what lies in [position, end) of
// the one segment that covers the prefix. `end` depends on the position alone (a grid as fine as
// the finest segment), so one round over all prefixes covers the same positions whatever is split,
// merged or resized meanwhile. A table of one segment needs no common grid: a call is then a round
// of its own and takes a whole bucket.
uint64_t DictCore::scan(uint64_t cursor, FunctionRef<void(void*)> visit) const {
  if (root_ == 0) return 0;
  const unsigned position = static_cast<unsigned>(cursor >> kDictPrefixBits) & 0xffff;
  const DictSegment& segment = *segment_at(static_cast<uint32_t>(cursor & (kDictPrefixEnd - 1)));
  const unsigned homes = segment.homes;
  const unsigned grid = segment.depth == 0 ? homes : kDictHomesMax;
  const unsigned end = first_position((position * grid >> 16) + 1, grid);

  for (unsigned home = position * homes >> 16; home <= (end - 1) * homes >> 16; ++home) {
    const bool is_whole =
        position <= first_position(home, homes) && first_position(home + 1, homes) <= end;
    visit_home(segment, home, [&](void* entry) {
      if (!is_whole) {  // a coarser bucket comes in parts, so that nothing is returned twice
        const unsigned at = position_of(hash(ops_->key(entry)));
        if (at < position || at >= end) return;
      }
      visit(entry);
    });
  }
  if (segment.prefix_end() < kDictPrefixEnd)
    return uint64_t{position} << kDictPrefixBits | segment.prefix_end();
  return end <= 0xffff ? uint64_t{end} << kDictPrefixBits : 0;
}

void DictCore::for_each(FunctionRef<void(void*)> visit) const {
  for (uint32_t prefix = 0; root_ != 0 && prefix < kDictPrefixEnd;) {
    const DictSegment& segment = *segment_at(prefix);
    prefix = segment.prefix_end();
    visit_segment(segment, [&](void* entry) { visit(entry); });
  }
}

void DictCore::for_each_while(FunctionRef<bool(void*)> visit) const {
  bool more = true;
  for (uint32_t prefix = 0; more && root_ != 0 && prefix < kDictPrefixEnd;) {
    const DictSegment& segment = *segment_at(prefix);
    prefix = segment.prefix_end();
    visit_segment(segment, [&](void* entry) { more = more && visit(entry); });
  }
}

// A segment of depth d is met with probability 2^-d, a cell in it with 1/cells; accepting it with a
// probability proportional to 2^d * cells gives each cell of the table the same chance.
void* DictCore::random(Prng& prng) const {
  if (size_ == 0) return nullptr;
  // More than a tenth of the tries succeed, unless the table was emptied under a view.
  constexpr unsigned kTries = 500;
  const uint64_t bound = uint64_t{kDictCellsMax} << depth_max_;
  uint32_t prefix = 0;
  for (unsigned i = 0; i < kTries; ++i) {
    const uint64_t dice = prng.next();
    prefix = static_cast<uint32_t>(dice >> (64 - kDictPrefixBits));
    const DictSegment& segment = *segment_at(prefix);
    const unsigned listed = segment.overflow == nullptr ? 0 : segment.overflow->count;
    const unsigned cells = segment.cells() + listed;
    if (depth_max_ != 0 && prng.below(bound) >= uint64_t{cells} << segment.depth) continue;
    const auto cell = static_cast<unsigned>((dice & 0xffffffff) * cells >> 32);
    if (cell >= segment.cells()) return segment.overflow->items[cell - segment.cells()].entry;
    const DictBucket& bucket = *segment.bucket(cell / DictBucket::kCells);
    if (bucket.tag(cell % DictBucket::kCells) != 0) return bucket.cells[cell % DictBucket::kCells];
  }
  return first_from(prefix);
}

// Some entry at or behind the prefix, cyclic. The table is not empty.
void* DictCore::first_from(uint32_t prefix) const {
  for (;;) {
    const DictSegment& segment = *segment_at(prefix);
    void* found = nullptr;
    if (segment.count != 0) visit_segment(segment, [&](void* entry) { found = entry; });
    if (found != nullptr) return found;
    prefix = segment.prefix_end() & (kDictPrefixEnd - 1);
  }
}

// Segments go in the order of their prefixes, each leaving zero words behind; freed_prefix_ says
// how far it came.
bool DictCore::free_some(size_t& budget, FunctionRef<void(void*)> free_entry) {
  CHECK(view_count_ == 0);
  while (root_ != 0 && freed_prefix_ < kDictPrefixEnd) {
    DictSegment* segment = segment_at(freed_prefix_);
    if (budget == 0 || !empty_segment(*segment, budget, free_entry)) return false;
    // A segment is an allocation, too, even if it holds no entry.
    if (budget > 0) --budget;
    const uint32_t prefix = freed_prefix_;
    freed_prefix_ = segment->prefix_end();
    point(prefix, segment->depth, 0);
    free_segment(segment);
    release_left_child(prefix);
  }
  release_all();
  return true;
}

// Takes the entries out one by one, without care for what look-ups need. False if the budget ended
// before the entries.
bool DictCore::empty_segment(DictSegment& segment, size_t& budget,
                             FunctionRef<void(void*)> free_entry) {
  const auto give = [&](void* entry) {
    --budget;
    --segment.count;
    --size_;
    free_entry(entry);
  };
  for (unsigned line = 0; line < segment.lines(); ++line) {
    DictBucket& bucket = *segment.bucket(line);
    while (bucket.used_cells() != 0) {
      if (budget == 0) return false;
      const unsigned cell = DictBucket::cell_of(bucket.used_cells());
      void* entry = bucket.cells[cell];
      bucket.clear(cell);
      give(entry);
    }
  }
  while (segment.count != 0) {
    if (budget == 0) return false;
    give(segment.overflow->items[--segment.overflow->count].entry);
  }
  return true;
}

// Releases the child directory of `prefix` if freed_prefix_ has left it.
void DictCore::release_left_child(uint32_t prefix) {
  constexpr unsigned kShift = kDictPrefixBits - kDictDirectoryBits;
  if (!is_directory(root_) || freed_prefix_ >> kShift == prefix >> kShift) return;
  DictDirectory* directory = directory_of(root_);
  DictWord& word = directory->words()[word_index(prefix, 0, directory->depth)];
  if (!is_directory(word)) return;
  release(directory_of(word));
  word = 0;
}

namespace {

// See DictStats. The home, the next bucket; the header, which knows whose the stash is; its line;
// the overflow.
size_t longest_probe(const DictSegment& segment) {
  constexpr size_t kItemsInLine = 64 / sizeof(DictOverflow::Item);
  if (segment.overflow != nullptr && segment.overflow->count > 0)
    return 3 + segment.stash_lines + (segment.overflow->count + kItemsInLine - 1) / kItemsInLine;
  for (const uint8_t home : segment.stash_home) {
    if (home != 0) return 3 + size_t{segment.stash_lines};
  }
  for (unsigned line = 0; line < segment.homes; ++line) {
    if (segment.bucket(line)->displaced() != 0) return 2;
  }
  return segment.count > 0 ? 1 : 0;
}

}  // namespace

DictStats DictCore::stats() const {
  DictStats stats;
  stats.entries = size_;
  for (uint32_t prefix = 0; root_ != 0 && prefix < kDictPrefixEnd;) {
    const DictSegment& segment = *segment_at(prefix);
    prefix = segment.prefix_end();
    ++stats.segments;
    stats.lines += segment.lines() + 1;
    stats.cells += segment.cells();
    stats.homes += segment.homes;
    ++stats.segments_of[segment.size_class];
    for (unsigned line = 0; line < segment.homes; ++line) {
      const DictBucket& bucket = *segment.bucket(line);
      stats.displaced += static_cast<size_t>(std::popcount(bucket.displaced()));
      ++stats.homes_with[static_cast<size_t>(std::popcount(bucket.used_cells()))];
    }
    for (const uint8_t home : segment.stash_home) stats.stashed += home != 0;
    if (segment.overflow != nullptr) stats.overflowed += segment.overflow->count;
    stats.longest_probe = std::max(stats.longest_probe, longest_probe(segment));
  }
  stats.stashed += stats.overflowed;
  return stats;
}

}  // namespace ouro
