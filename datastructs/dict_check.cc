// SPDX-License-Identifier: BSD-3-Clause
// What always holds in a table. For tests: linear in the entries.
#include "datastructs/dict_core.h"
#include "datastructs/dict_extra.h"
#include "datastructs/dict_view.h"

namespace ouro {

void DictCore::check_invariants() const {
  if (freed_prefix_ != 0) return;  // half freed: only the sizes mean something
  size_t entries = 0;
  size_t with_deadlines = 0;
  size_t bytes = extra_ == nullptr ? 0 : Heap::usable_bytes(extra_);
  for (uint32_t prefix = 0; root_ != 0 && prefix < kDictPrefixEnd;) {
    const DictSegment& segment = *segment_at(prefix);
    CHECK(segment.prefix == prefix);
    CHECK(segment.depth <= depth_max_);
    check_segment(segment);
    entries += segment.count;
    bytes += Heap::usable_bytes(&segment);
    for (const void* block :
         {static_cast<const void*>(segment.overflow), static_cast<const void*>(segment.deadlines),
          static_cast<const void*>(segment.saved)})
      if (block != nullptr) bytes += Heap::usable_bytes(block);
    with_deadlines += segment.deadlines != nullptr;
    prefix = segment.prefix_end();
  }
  CHECK(entries == size_);
  bytes += check_directory(root_, 0, 0);
  CHECK(with_deadlines == (extra_ == nullptr ? 0 : extra_->heap_count));
  if (extra_ != nullptr) bytes += check_heap();
  CHECK(bytes == bytes_);
  unsigned views = 0;
  for (unsigned i = 0; extra_ != nullptr && i < kDictViewsMax; ++i) {
    if (extra_->views[i] == nullptr) continue;
    ++views;
    const uint32_t at = extra_->views[i]->at_;
    if (at < kDictPrefixEnd) CHECK(segment_at(at)->prefix == at);
  }
  CHECK(views == view_count_);
}

// Returns the bytes of the directories.
size_t DictCore::check_directory(DictWord word, unsigned base, uint32_t prefix) const {
  if (!is_directory(word)) {
    if (word != 0) CHECK((word & kCodeMask) - kSegmentFlag == segment_of(word)->size_class);
    return 0;
  }
  DictDirectory* directory = directory_of(word);
  CHECK(directory->depth >= 1);
  CHECK(directory->depth <= kDictDirectoryBits);
  size_t bytes = Heap::usable_bytes(directory);
  uint32_t single = 0;
  for (size_t i = 0; i < size_t{1} << directory->depth; ++i) {
    const DictWord below = directory->words()[i];
    const uint32_t at =
        prefix + (static_cast<uint32_t>(i) << (kDictPrefixBits - base - directory->depth));
    CHECK(below != 0);
    if (is_directory(below)) {
      CHECK(base == 0);
      CHECK(directory->depth == kDictDirectoryBits);
      ++single;
    } else {
      const DictSegment& segment = *segment_of(below);
      CHECK(segment.depth > base);
      CHECK(segment.depth <= base + directory->depth);
      CHECK(at >= segment.prefix);
      CHECK(at < segment.prefix_end());
      single += segment.depth == base + directory->depth;
    }
    bytes += check_directory(below, base + directory->depth, at);
  }
  CHECK(single == directory->single);
  CHECK(single != 0);
  return bytes;
}

void DictCore::check_segment(const DictSegment& segment) const {
  CHECK(segment.homes == kDictHomes[segment.size_class]);
  CHECK(segment.lines() + 1 == kDictLines[segment.size_class]);
  CHECK(segment.prefix % segment.span() == 0);
  unsigned met = 0;
  for (unsigned home = 0; home < segment.homes; ++home) {
    visit_home(segment, home, [&](const void* entry) {
      ++met;
      const Hash64 hash = this->hash(ops_->key(entry));
      CHECK(segment_of(locate(hash)) == &segment);
      CHECK(home_of(hash, segment.homes) == home);
      CHECK(spot_of(segment, hash, entry).line != Spot::kNowhere);
      const UnixMs deadline = ops_->deadline(entry);
      if (deadline == kNoExpiry) return;
      CHECK(segment.deadlines != nullptr);
      CHECK(segment.deadlines->home[home] <= deadline);
    });
    CHECK(segment.bucket(home)->more() == has_away(segment, home));
  }
  CHECK(met == segment.count);
  unsigned in_cells = 0;
  visit_segment(segment, [&](const void*) { ++in_cells; });
  CHECK(in_cells == met);
  for (unsigned i = 0; i < DictSegment::kStashCells; ++i) {
    if (segment.stash_home[i] == 0) continue;
    CHECK(i < segment.stash_cells());
    CHECK(*segment.stash_cell(i) != nullptr);
  }
  if (segment.homes == 1) CHECK(segment.bucket(0)->displaced() == 0);
}

// Returns the bytes of the heap.
size_t DictCore::check_heap() const {
  DictExtra& heap = *extra_;
  size_t bytes = heap.chunks == nullptr ? 0 : Heap::usable_bytes(heap.chunks);
  for (uint32_t i = 0; i < heap.chunk_count; ++i) bytes += Heap::usable_bytes(heap.chunks[i]);
  for (size_t i = 0; i < heap.heap_count; ++i) {
    const DictDeadlines& deadlines = *heap.item(i).segment->deadlines;
    CHECK(deadlines.heap_index == i);
    CHECK(deadlines.min == heap.item(i).min);
    if (i != 0) CHECK(heap.item((i - 1) / 4).min <= deadlines.min);
    CHECK(deadlines.homes == heap.item(i).segment->homes);
    for (unsigned home = 0; home < deadlines.homes; ++home)
      CHECK(deadlines.min <= deadlines.home[home]);
  }
  return bytes;
}

}  // namespace ouro
