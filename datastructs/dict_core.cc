// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/dict_core.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "datastructs/base/bytes_equal.h"
#include "datastructs/base/prefetch.h"
#include "datastructs/dict_extra.h"

namespace ouro {

namespace {

// Two neighbours merge when they hold at most this many entries together: far below the ~400 at
// which one splits, so that a table that swings around a threshold does not work for nothing.
constexpr unsigned kMergeCount = 220;

// Below this many entries in its buckets a segment of 64 lines that has no room is not full but
// badly hashed.
constexpr unsigned kHopelessCount = kDictHomesMax * DictBucket::kCells / 2;

size_t cells_of_class(unsigned size_class) {
  return (kDictLines[size_class] - size_t{1}) * DictBucket::kCells;
}

// The smallest size that holds `count` with some room to grow.
unsigned class_for(size_t count) {
  unsigned size_class = 0;
  while (size_class < kDictClassLast && count * 20 > cells_of_class(size_class) * 17) ++size_class;
  return size_class;
}

}  // namespace

// A temporary list of entries and their hashes.
class DictCore::Moving {
 public:
  Moving(const DictCore& dict, size_t capacity)
      : dict_(dict), items_(static_cast<Item*>(dict.heap_->allocate(capacity * sizeof(Item)))) {}
  ~Moving() { dict_.heap_->release(items_); }
  Moving(const Moving&) = delete;
  Moving& operator=(const Moving&) = delete;

  // The keys must be read to know the hashes, and are cold: fetched well ahead.
  void add(const DictSegment& segment) {
    constexpr size_t kAhead = 12;
    const size_t begin = count_;
    visit_segment(segment, [&](void* entry) { items_[count_++].entry = entry; });
    for (size_t i = begin; i < std::min(begin + kAhead, count_); ++i) prefetch_key(items_[i].entry);
    for (size_t i = begin; i < count_; ++i) {
      if (i + kAhead < count_) prefetch_key(items_[i + kAhead].entry);
      items_[i].hash = dict_.hash(dict_.ops_->key(items_[i].entry));
    }
  }
  // Brings the items whose bit is 0 to the front; returns how many they are.
  size_t partition(unsigned bit) {
    Item* middle = std::partition(items_, items_ + count_,
                                  [bit](const Item& item) { return (item.hash >> bit & 1) == 0; });
    return static_cast<size_t>(middle - items_);
  }
  std::span<const Item> items() const { return {items_, count_}; }

 private:
  static void prefetch_key(const void* entry) {
    prefetch(entry);
    prefetch(static_cast<const char*>(entry) + 40);
  }

  const DictCore& dict_;
  Item* items_;
  size_t count_ = 0;
};

DictCore::~DictCore() {
  // What was taken out was saved before, so that nothing is left for the views of an empty table.
  CHECK(view_count_ == 0 || size_ == 0);
  leave_views();
  release_all();
}

void DictCore::release_all() {
  for (uint32_t prefix = freed_prefix_; root_ != 0 && prefix < kDictPrefixEnd;) {
    DictSegment* segment = segment_at(prefix);
    prefix = segment->prefix_end();
    free_segment(segment);
  }
  release_directories(root_);
  root_ = 0;
  freed_prefix_ = 0;
  depth_max_ = 0;
  release_extra();
}

void* DictCore::allocate(size_t bytes) {
  void* block = heap_->allocate(bytes);
  bytes_ += Heap::usable_bytes(block);
  return block;
}

void* DictCore::allocate_lines(size_t lines) {
  void* block = heap_->allocate_aligned(lines * 64, 64);
  bytes_ += Heap::usable_bytes(block);
  return block;
}

void DictCore::release(void* block) {
  if (block == nullptr) return;
  bytes_ -= Heap::usable_bytes(block);
  heap_->release(block);
}

DictExtra& DictCore::extra() {
  if (extra_ == nullptr) extra_ = new (allocate(sizeof(DictExtra))) DictExtra();
  return *extra_;
}

void DictCore::release_extra() {
  if (extra_ == nullptr || view_count_ != 0) return;
  CHECK(extra_->heap_count == 0);
  heap_trim();
  release(extra_);
  extra_ = nullptr;
}

DictSegment* DictCore::make_segment(unsigned size_class, unsigned depth, uint32_t prefix) {
  void* block = allocate_lines(kDictLines[size_class]);
  std::memset(block, 0, kDictLines[size_class] * size_t{64});
  auto* segment = new (block) DictSegment();
  segment->prefix = prefix;
  segment->depth = static_cast<uint8_t>(depth);
  segment->size_class = static_cast<uint8_t>(size_class);
  segment->homes = kDictHomes[size_class];
  segment->stash_lines = static_cast<uint8_t>(kDictLines[size_class] - 1 - kDictHomes[size_class]);
  return segment;
}

void DictCore::free_segment(DictSegment* segment) {
  drop_deadlines(segment);
  release(segment->saved);
  release(segment->overflow);
  release(segment);
}

// ---- where an entry stands

template <class Match>
DictCore::Spot DictCore::find_spot(const DictSegment& segment, unsigned home, uint8_t tag,
                                   Match match) {
  const DictBucket& bucket = *segment.bucket(home);
  for (uint64_t set = bucket.match(tag); set != 0; set &= set - 1) {
    const unsigned cell = DictBucket::cell_of(set);
    if (match(bucket.cells[cell])) return {home, cell};
  }
  if (!bucket.more()) return {};
  return find_spot_away(segment, home, tag, match);
}

template <class Match>
DictCore::Spot DictCore::find_spot_away(const DictSegment& segment, unsigned home, uint8_t tag,
                                        Match match) {
  const unsigned next = segment.next_home(home);
  const DictBucket& bucket = *segment.bucket(next);
  for (uint64_t set = bucket.match(tag); set != 0; set &= set - 1) {
    const unsigned cell = DictBucket::cell_of(set);
    if (bucket.is_displaced(cell) && match(bucket.cells[cell])) return {next, cell};
  }
  for (unsigned i = 0; i < segment.stash_cells(); ++i) {
    if (segment.stash_home[i] != home + 1) continue;
    const unsigned line = segment.homes + i / DictBucket::kCells;
    const unsigned cell = i % DictBucket::kCells;
    if (segment.bucket(line)->tag(cell) == tag && match(segment.bucket(line)->cells[cell]))
      return {line, cell};
  }
  if (segment.overflow == nullptr) return {};
  for (unsigned i = 0; i < segment.overflow->count; ++i) {
    const DictOverflow::Item& item = segment.overflow->items[i];
    if (item.tag == tag && item.home == home && match(item.entry)) return {Spot::kOverflow, i};
  }
  return {};
}

DictCore::Spot DictCore::spot_of(const DictSegment& segment, Hash64 hash, const void* entry) {
  return find_spot(segment, home_of(hash, segment.homes), tag_of(hash),
                   [entry](const void* other) { return other == entry; });
}

void** DictCore::cell_at(DictSegment& segment, Spot spot) {
  if (spot.line == Spot::kOverflow) return &segment.overflow->items[spot.cell].entry;
  return &segment.bucket(spot.line)->cells[spot.cell];
}

void* DictCore::find_away(ByteView key, Hash64 hash) const {
  const DictWord word = locate(hash);
  DictSegment& segment = *segment_of(word);
  const Spot spot =
      find_spot_away(segment, home_of(hash, homes_of(word)), tag_of(hash),
                     [&](const void* entry) { return bytes_equal(ops_->key(entry), key); });
  return spot.line == Spot::kNowhere ? nullptr : *cell_at(segment, spot);
}

void* DictCore::find_by_hash(Hash64 hash, FunctionRef<bool(void*)> match) const {
  const DictWord word = locate(hash);
  if (word == 0) return nullptr;
  DictSegment& segment = *segment_of(word);
  const Spot spot = find_spot(segment, home_of(hash, homes_of(word)), tag_of(hash), match);
  return spot.line == Spot::kNowhere ? nullptr : *cell_at(segment, spot);
}

void* DictCore::find_by_part(HashPart part, FunctionRef<bool(void*)> match) const {
  if (root_ == 0) return nullptr;
  const Hash64 lowest = lowest_of(part);
  const uint8_t tag = tag_of(lowest);
  const auto first = static_cast<uint32_t>(lowest >> 40);
  for (uint32_t prefix = first; prefix < first + (1U << (kDictPrefixBits - 16));) {
    DictSegment& segment = *segment_at(prefix);
    prefix = segment.prefix_end();
    // Homes are monotone in the position, and there are fewer than half of it has values: the lower
    // half decides between two at most.
    static_assert(kDictHomesMax < 256);
    const unsigned last = home_of(lowest | 0xff000000, segment.homes);
    for (unsigned home = home_of(lowest, segment.homes); home <= last; ++home) {
      const Spot spot = find_spot(segment, home, tag, match);
      if (spot.line != Spot::kNowhere) return *cell_at(segment, spot);
    }
  }
  return nullptr;
}

// ---- putting an entry in

void DictCore::insert(void* entry, Hash64 hash) {
  DCHECK(freed_prefix_ == 0);
  if (root_ == 0) root_ = word_of(make_segment(0, 0, 0));
  before_change(hash);
  const uint8_t tag = tag_of(hash);
  for (;;) {
    const DictWord word = locate(hash);
    DictSegment* segment = segment_of(word);
    // Not segment->homes: the bucket need not wait for the header's line.
    const unsigned home = home_of(hash, homes_of(word));
    if (place(*segment, home, tag, entry)) break;
    const unsigned in_cells =
        segment->count - (segment->overflow == nullptr ? 0 : segment->overflow->count);
    if (segment->size_class == kDictClassLast &&
        (segment->depth == kDictPrefixBits || in_cells < kHopelessCount)) {
      place_overflow(*segment, home, tag, entry);
      break;
    }
    grow(segment);
  }
  ++size_;
}

// False if there is no room. Does not ask the views.
bool DictCore::place(DictSegment& segment, unsigned home, uint8_t tag, void* entry) {
  DictBucket& bucket = *segment.bucket(home);
  if (const uint64_t free = bucket.free_cells(); free != 0) {
    bucket.put(DictBucket::cell_of(free), tag, DictBucket::Home::kHere, entry);
    ++segment.count;
    return true;
  }
  const unsigned next = segment.next_home(home);
  if (next != home && (segment.bucket(next)->free_cells() != 0 || make_room(segment, next))) {
    DictBucket& neighbour = *segment.bucket(next);
    neighbour.put(DictBucket::cell_of(neighbour.free_cells()), tag, DictBucket::Home::kBefore,
                  entry);
    bucket.set_more(true);
    ++segment.count;
    return true;
  }
  for (unsigned line = segment.homes; line < segment.lines(); ++line) {
    DictBucket& stash = *segment.bucket(line);
    if (stash.free_cells() == 0) continue;
    const unsigned cell = DictBucket::cell_of(stash.free_cells());
    stash.put(cell, tag, DictBucket::Home::kHere, entry);
    segment.stash_home[(line - segment.homes) * DictBucket::kCells + cell] =
        static_cast<uint8_t>(home + 1);
    bucket.set_more(true);
    ++segment.count;
    return true;
  }
  return false;
}

// Frees a cell of a full home bucket by displacing one of its own entries into the next. Raises the
// load at which a segment is full from 0.89 to 0.93.
bool DictCore::make_room(DictSegment& segment, unsigned home) {
  const unsigned next = segment.next_home(home);
  DictBucket& bucket = *segment.bucket(home);
  DictBucket& neighbour = *segment.bucket(next);
  if (segment.homes < 3 || neighbour.free_cells() == 0) return false;
  const unsigned own = ~bucket.displaced() & 0x7f;
  if (own == 0) return false;
  const auto cell = static_cast<unsigned>(std::countr_zero(own));
  neighbour.put(DictBucket::cell_of(neighbour.free_cells()), bucket.tag(cell),
                DictBucket::Home::kBefore, bucket.cells[cell]);
  bucket.clear(cell);
  bucket.set_more(true);
  return true;
}

void DictCore::place_overflow(DictSegment& segment, unsigned home, uint8_t tag, void* entry) {
  const uint32_t count = segment.overflow == nullptr ? 0 : segment.overflow->count;
  if (segment.overflow == nullptr || count == segment.overflow->capacity) {
    const uint32_t capacity = count == 0 ? 8 : count * 2;
    auto* larger = static_cast<DictOverflow*>(
        allocate(offsetof(DictOverflow, items) + capacity * sizeof(DictOverflow::Item)));
    larger->capacity = capacity;
    if (count != 0)
      std::memcpy(larger->items, segment.overflow->items, count * sizeof(DictOverflow::Item));
    release(segment.overflow);
    segment.overflow = larger;
  }
  segment.overflow->items[count] = {entry, static_cast<uint8_t>(home), tag};
  segment.overflow->count = count + 1;
  segment.bucket(home)->set_more(true);
  ++segment.count;
}

void DictCore::replace(void* old, void* fresh, Hash64 hash) {
  before_change(hash);
  DictSegment& segment = *segment_of(locate(hash));
  const Spot spot = spot_of(segment, hash, old);
  CHECK(spot.line != Spot::kNowhere);
  *cell_at(segment, spot) = fresh;
}

// ---- taking an entry out

void* DictCore::take(ByteView key, Hash64 hash) {
  const DictWord word = locate(hash);
  if (word == 0) return nullptr;
  DictSegment* segment = segment_of(word);
  const Spot spot = find_spot(*segment, home_of(hash, homes_of(word)), tag_of(hash),
                              [&](const void* entry) { return ops_->key(entry) == key; });
  if (spot.line == Spot::kNowhere) return nullptr;
  void* entry = *cell_at(*segment, spot);
  take_at(segment, spot, hash);
  return entry;
}

void DictCore::take_known(const void* entry, Hash64 hash) {
  DictSegment* segment = segment_of(locate(hash));
  const Spot spot = spot_of(*segment, hash, entry);
  CHECK(spot.line != Spot::kNowhere);
  take_at(segment, spot, hash);
}

void DictCore::take_at(DictSegment* segment, Spot spot, Hash64 hash) {
  before_change(hash);
  remove(*segment, spot);
  --size_;
  // Every eighth time is often enough, and saves reading the neighbour's header.
  if ((segment->count & 7) == 0 || size_ == 0) consider_shrink(segment);
}

// Does any entry of this home stand elsewhere?
bool DictCore::has_away(const DictSegment& segment, unsigned home) {
  const unsigned next = segment.next_home(home);
  if (next != home && segment.bucket(next)->displaced() != 0) return true;
  for (unsigned i = 0; i < segment.stash_cells(); ++i)
    if (segment.stash_home[i] == home + 1) return true;
  if (segment.overflow == nullptr) return false;
  for (unsigned i = 0; i < segment.overflow->count; ++i)
    if (segment.overflow->items[i].home == home) return true;
  return false;
}

void DictCore::remove(DictSegment& segment, Spot spot) {
  --segment.count;
  if (spot.line == Spot::kOverflow) return remove_overflow(segment, spot.cell);
  DictBucket& bucket = *segment.bucket(spot.line);
  if (spot.line >= segment.homes) {
    uint8_t& home =
        segment.stash_home[(spot.line - segment.homes) * DictBucket::kCells + spot.cell];
    DictBucket& home_bucket = *segment.bucket(home - 1u);
    bucket.clear(spot.cell);
    const unsigned away_from = home - 1u;
    home = 0;
    home_bucket.set_more(has_away(segment, away_from));
    return;
  }
  const bool was_displaced = bucket.is_displaced(spot.cell);
  bucket.clear(spot.cell);
  if (was_displaced) {
    const unsigned home = spot.line == 0 ? segment.homes - 1u : spot.line - 1;
    segment.bucket(home)->set_more(has_away(segment, home));
  }
  if (bucket.more()) pull_home(segment, spot.line);
}

void DictCore::remove_overflow(DictSegment& segment, unsigned index) {
  DictOverflow& overflow = *segment.overflow;
  const unsigned home = overflow.items[index].home;
  overflow.items[index] = overflow.items[--overflow.count];
  if (overflow.count == 0) {
    release(segment.overflow);
    segment.overflow = nullptr;
  }
  segment.bucket(home)->set_more(has_away(segment, home));
}

// A cell of `home` became free and some of its entries stand elsewhere: brings one back.
void DictCore::pull_home(DictSegment& segment, unsigned home) {
  DictBucket& bucket = *segment.bucket(home);
  const unsigned free_cell = DictBucket::cell_of(bucket.free_cells());
  const unsigned next = segment.next_home(home);
  if (next != home && segment.bucket(next)->displaced() != 0) {
    DictBucket& neighbour = *segment.bucket(next);
    const auto cell = static_cast<unsigned>(std::countr_zero(neighbour.displaced()));
    bucket.put(free_cell, neighbour.tag(cell), DictBucket::Home::kHere, neighbour.cells[cell]);
    neighbour.clear(cell);
    bucket.set_more(has_away(segment, home));
    return;
  }
  for (unsigned i = 0; i < segment.stash_cells(); ++i) {
    if (segment.stash_home[i] != home + 1) continue;
    DictBucket& stash = *segment.bucket(segment.homes + i / DictBucket::kCells);
    const unsigned cell = i % DictBucket::kCells;
    bucket.put(free_cell, stash.tag(cell), DictBucket::Home::kHere, stash.cells[cell]);
    stash.clear(cell);
    segment.stash_home[i] = 0;
    bucket.set_more(has_away(segment, home));
    return;
  }
  for (unsigned i = 0; segment.overflow != nullptr && i < segment.overflow->count; ++i) {
    const DictOverflow::Item item = segment.overflow->items[i];
    if (item.home != home) continue;
    bucket.put(free_cell, item.tag, DictBucket::Home::kHere, item.entry);
    return remove_overflow(segment, i);
  }
}

// ---- growing and shrinking

// Null if they do not fit.
DictSegment* DictCore::try_build(std::span<const Item> items, unsigned depth, uint32_t prefix,
                                 unsigned size_class) {
  DictSegment* segment = make_segment(size_class, depth, prefix);
  for (const Item& item : items) {
    const unsigned home = home_of(item.hash, segment->homes);
    const uint8_t tag = tag_of(item.hash);
    if (place(*segment, home, tag, item.entry)) continue;
    if (size_class < kDictClassLast) {
      free_segment(segment);
      return nullptr;
    }
    place_overflow(*segment, home, tag, item.entry);
  }
  return segment;
}

DictSegment* DictCore::build(std::span<const Item> items, unsigned depth, uint32_t prefix,
                             unsigned class_min, bool with_deadlines) {
  unsigned size_class = std::max(class_min, class_for(items.size()));
  DictSegment* segment = try_build(items, depth, prefix, size_class);
  while (segment == nullptr) segment = try_build(items, depth, prefix, ++size_class);
  if (!with_deadlines) return segment;
  for (const Item& item : items) {
    const UnixMs deadline = ops_->deadline(item.entry);
    if (deadline != kNoExpiry)
      lower_deadline(*segment, home_of(item.hash, segment->homes), deadline);
  }
  return segment;
}

void DictCore::grow(DictSegment* segment) {
  if (segment->size_class == kDictClassLast)
    split(segment);
  else
    resize(segment, segment->size_class + 1u);
}

void DictCore::resize(DictSegment* segment, unsigned class_min) {
  if (view_count_ != 0) {
    // The views' bits are by home. They cannot be carried over to another number of homes, so all
    // is saved first; going to the full size at once makes this happen once a segment.
    save_all(*segment);
    class_min = kDictClassLast;
  }
  Moving moving(*this, segment->count);
  moving.add(*segment);
  DictSegment* fresh = build(moving.items(), segment->depth, segment->prefix, class_min,
                             segment->deadlines != nullptr);
  if (view_count_ != 0) copy_saved(*segment, *fresh);
  point(segment->prefix, segment->depth, word_of(fresh));
  free_segment(segment);
}

void DictCore::split(DictSegment* segment) {
  const unsigned depth = segment->depth + 1u;
  const bool with_deadlines = segment->deadlines != nullptr;
  const unsigned class_min = view_count_ != 0 ? kDictClassLast : 0;
  Moving moving(*this, segment->count);
  moving.add(*segment);
  const size_t low_count = moving.partition(64 - depth);
  deepen(*segment);
  DictSegment* low =
      build(moving.items().first(low_count), depth, segment->prefix, class_min, with_deadlines);
  DictSegment* high = build(moving.items().subspan(low_count), depth,
                            segment->prefix + segment->span() / 2, class_min, with_deadlines);
  if (view_count_ != 0) {
    copy_saved(*segment, *low);
    copy_saved(*segment, *high);
  }
  point_split(*low, *high);
  free_segment(segment);
}

// Called now and then as a segment loses entries.
void DictCore::consider_shrink(DictSegment* segment) {
  if (view_count_ != 0) return;  // merging would lose what the views know
  while (segment->depth > 0 && segment->count <= kMergeCount / 2) {
    DictSegment* other = segment_at(segment->prefix ^ segment->span());
    if (other->depth != segment->depth || segment->count + other->count > kMergeCount) break;
    segment = merge(segment, other);
  }
  if (size_ == 0 && segment->depth == 0) return release_all();
  if (segment->size_class > 0 && segment->count * 3 < segment->cells()) {
    if (class_for(segment->count) < segment->size_class) resize(segment, 0);
  }
}

DictSegment* DictCore::merge(DictSegment* one, DictSegment* other) {
  Moving moving(*this, size_t{one->count} + other->count);
  moving.add(*one);
  moving.add(*other);
  DictSegment* merged = build(moving.items(), one->depth - 1u, std::min(one->prefix, other->prefix),
                              0, one->deadlines != nullptr || other->deadlines != nullptr);
  point_merged(*merged);
  free_segment(one);
  free_segment(other);
  return merged;
}

}  // namespace ouro
