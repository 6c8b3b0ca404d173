// SPDX-License-Identifier: BSD-3-Clause
// What is due. A segment with deadlines keeps a lower bound for each home bucket; a 4-ary heap
// orders these segments by their least bound. Bounds are lowered at once when a deadline comes and
// corrected when they come due: a bucket is read in vain at most once for each deadline that was
// told.
#include <algorithm>

#include "datastructs/base/prefetch.h"
#include "datastructs/dict_core.h"
#include "datastructs/dict_extra.h"

namespace ouro {

UnixMs DictCore::next_deadline() const {
  if (extra_ == nullptr || extra_->heap_count == 0) return kNever;
  return extra_->item(0).min;
}

void DictCore::note_deadline(Hash64 hash, UnixMs when) {
  DictSegment& segment = *segment_of(locate(hash));
  lower_deadline(segment, home_of(hash, segment.homes), when);
}

void* DictCore::find_due(UnixMs now, size_t& budget) {
  while (budget != 0 && next_deadline() <= now)
    if (void* entry = find_due_in(*extra_->item(0).segment, now, budget)) return entry;
  return nullptr;
}

// Reads the due buckets of a segment. Each one without a due entry gets its exact bound.
void* DictCore::find_due_in(DictSegment& segment, UnixMs now, size_t& budget) {
  DictDeadlines& deadlines = *segment.deadlines;
  const auto spend = [&budget] { budget -= budget == 0 ? 0 : 1; };
  spend();
  for (unsigned home = 0; home < segment.homes; ++home) {
    if (deadlines.home[home] > now) continue;
    if (budget == 0) return nullptr;  // the segment's bound is still due, so this goes on here
    UnixMs least = kNever;
    void* due = nullptr;
    visit_home(segment, home, [](const void* entry) { prefetch(entry); });
    visit_home(segment, home, [&](void* entry) {
      if (due != nullptr) return;
      spend();
      const UnixMs deadline = ops_->deadline(entry);
      if (deadline == kNoExpiry) return;
      if (deadline <= now)
        due = entry;
      else
        least = std::min(least, deadline);
    });
    if (due != nullptr) return due;
    spend();
    deadlines.home[home] = least;
  }
  deadlines.min = *std::min_element(deadlines.home, deadlines.home + segment.homes);
  if (deadlines.min == kNever)
    drop_deadlines(&segment);
  else
    heap_sift(deadlines.heap_index);
  return nullptr;
}

void DictCore::make_deadlines(DictSegment& segment) {
  auto* deadlines = static_cast<DictDeadlines*>(
      allocate(offsetof(DictDeadlines, home) + segment.homes * sizeof(UnixMs)));
  deadlines->min = kNever;
  deadlines->homes = segment.homes;
  for (unsigned home = 0; home < segment.homes; ++home) deadlines->home[home] = kNever;
  segment.deadlines = deadlines;
  heap_push(segment);
}

void DictCore::drop_deadlines(DictSegment* segment) {
  if (segment->deadlines == nullptr) return;
  heap_remove(segment->deadlines->heap_index);
  release(segment->deadlines);
  segment->deadlines = nullptr;
}

void DictCore::lower_deadline(DictSegment& segment, unsigned home, UnixMs when) {
  if (segment.deadlines == nullptr) make_deadlines(segment);
  DictDeadlines& deadlines = *segment.deadlines;
  deadlines.home[home] = std::min(deadlines.home[home], when);
  if (when >= deadlines.min) return;
  deadlines.min = when;
  heap_sift(deadlines.heap_index);
}

// ---- the heap: item i is not above its children 4i+1..4i+4, each segment knows its place

void DictCore::heap_push(DictSegment& segment) {
  DictExtra& heap = extra();
  if (heap.heap_count == heap.chunk_count * DictExtra::kChunkItems) {
    if (heap.chunk_count == heap.chunk_capacity) {
      const uint32_t capacity = heap.chunk_capacity == 0 ? 4 : heap.chunk_capacity * 2;
      auto** chunks = static_cast<DictHeapItem**>(allocate(capacity * sizeof(void*)));
      std::copy_n(heap.chunks, heap.chunk_count, chunks);
      release(heap.chunks);
      heap.chunks = chunks;
      heap.chunk_capacity = capacity;
    }
    heap.chunks[heap.chunk_count++] =
        static_cast<DictHeapItem*>(allocate(DictExtra::kChunkItems * sizeof(DictHeapItem)));
  }
  const size_t index = heap.heap_count++;
  heap.item(index) = {kNever, &segment};
  segment.deadlines->heap_index = static_cast<uint32_t>(index);
}

void DictCore::heap_remove(size_t index) {
  DictExtra& heap = *extra_;
  const DictHeapItem last = heap.item(--heap.heap_count);
  if (index != heap.heap_count) {
    heap.item(index) = last;
    last.segment->deadlines->heap_index = static_cast<uint32_t>(index);
    heap_sift(index);
  }
  heap_trim();
}

// The segment at this place has changed its bound.
void DictCore::heap_sift(size_t index) {
  DictExtra& heap = *extra_;
  DictSegment* segment = heap.item(index).segment;
  const UnixMs min = segment->deadlines->min;
  const auto put = [&heap](size_t at, DictHeapItem item) {
    heap.item(at) = item;
    item.segment->deadlines->heap_index = static_cast<uint32_t>(at);
  };
  while (index != 0 && heap.item((index - 1) / 4).min > min) {
    put(index, heap.item((index - 1) / 4));
    index = (index - 1) / 4;
  }
  for (;;) {
    size_t least = index;
    UnixMs least_min = min;
    for (size_t child = 4 * index + 1; child <= 4 * index + 4 && child < heap.heap_count; ++child) {
      if (heap.item(child).min >= least_min) continue;
      least = child;
      least_min = heap.item(child).min;
    }
    if (least == index) break;
    put(index, heap.item(least));
    index = least;
  }
  put(index, {min, segment});
}

// Gives back chunks, keeping one spare against swinging around a boundary; all of them at the end.
void DictCore::heap_trim() {
  DictExtra& heap = *extra_;
  const size_t needed = (heap.heap_count + DictExtra::kChunkItems - 1) / DictExtra::kChunkItems;
  const size_t kept = heap.heap_count == 0 ? 0 : needed + 1;
  while (heap.chunk_count > kept) release(heap.chunks[--heap.chunk_count]);
  if (heap.chunk_count != 0) return;
  release(heap.chunks);
  heap.chunks = nullptr;
  heap.chunk_capacity = 0;
}

}  // namespace ouro
