// SPDX-License-Identifier: BSD-3-Clause
// The untyped half of Dict: where the entries' addresses stand, and all that moves them. Users
// include dict.h.
//
//   root word -> [ directory, up to 2^14 words ] -> [ child directory, up to 2^10 ] -> segment
//
//   segment (2 to 64 lines of 64 bytes)      bucket (one line)
//   +--------+-------------+-----------+     +-----------------+------+--------------------------+
//   | header | home buckets | stash    |     | 7 tags          | meta | 7 addresses of entries   |
//   +--------+-------------+-----------+     +-----------------+------+--------------------------+
//
//   hash:   63......40 39....24 23....8 7...0
//           prefix     position         tag
//
// The prefix chooses the segment (the first `depth` bits of it), the position chooses the home
// bucket, home = position * homes / 2^16, so that any number of homes works and homes are monotone
// in the position, which SCAN relies on. An entry stands in its home bucket, else displaced into
// the next one (cyclic), else in the stash, else (only when the hashes are so bad that splitting
// does not help) in the overflow list of its segment. The home's `more` bit says whether one of its
// entries is not at home, so a look-up normally reads one line and the entry.
//
// Growth: a full segment moves into the next larger size (by 3/2 or 4/3); a full segment of 64
// lines is split in two by the next prefix bit. Shrinking is the reverse, with slack between the
// thresholds. The work of one operation is bounded by one segment's entries (about 450; 900 in a
// merge) plus the doubling of one directory (128 KiB at most). Invariants: see check_invariants().
// A segment's address changes when it is resized, an entry's address never.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "datastructs/base/check.h"
#include "datastructs/base/function_ref.h"
#include "datastructs/base/hash.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"
#include "datastructs/dict_segment.h"

namespace ouro {

// A word of a directory: 0 is empty; else a 64-byte aligned address and a code in its low
// bits: 1..14 a directory of 2^code words, 32 + c a segment of size class c (so that the home
// bucket is found without reading the segment's header).
using DictWord = uintptr_t;

struct alignas(64) DictDirectory {
  uint32_t depth;   // 2^depth words
  uint32_t single;  // how many words are alone in pointing where they point; at 0 it can be halved
  DictWord* words() { return reinterpret_cast<DictWord*>(this) + 1; }
};

// What is enough of a hash to find an entry by, in four bytes: 16 bits of the prefix, half of the
// position, and the tag, which is never 0. One of a table that is divided further than by 16 bits
// (from about 25 million entries on) is looked for in two segments, in four, and so on.
enum class HashPart : uint32_t {};

struct DictStats {
  size_t entries = 0;
  size_t segments = 0;
  size_t lines = 0;
  size_t cells = 0;
  size_t displaced = 0;   // in the bucket behind their home
  size_t stashed = 0;     // in the stash or the overflow
  size_t overflowed = 0;  // of these, in the overflow
  // Lines that a look-up of the worst placed entry reads, beside the entry.
  size_t longest_probe = 0;
  size_t homes = 0;
  std::array<size_t, DictBucket::kCells + 1> homes_with{};  // so many full cells
  std::array<size_t, kDictLines.size()> segments_of{};      // a size of kDictLines
};

class DictViewCore;
struct DictExtra;

class DictCore {
 public:
  // What the core must know about entries.
  struct Ops {
    ByteView (*key)(const void* entry);
    UnixMs (*deadline)(const void* entry);
  };

  DictCore(Heap& heap, HashSeed seed, const Ops& ops) : heap_(&heap), seed_(seed), ops_(&ops) {}
  ~DictCore();
  DictCore(const DictCore&) = delete;
  DictCore& operator=(const DictCore&) = delete;

  // Change.
  void insert(void* entry, Hash64 hash);
  void* take(ByteView key, Hash64 hash);
  void take_known(const void* entry, Hash64 hash);
  void replace(void* old, void* fresh, Hash64 hash);
  void before_change(Hash64 hash) {
    if (view_count_ != 0) [[unlikely]]
      save_for_views(hash);
  }
  bool free_some(size_t& budget, FunctionRef<void(void*)> free_entry);

  // Ask.
  Hash64 hash(ByteView key) const { return hash_bytes(key, seed_); }
  size_t size() const { return size_; }
  size_t memory_bytes() const { return bytes_; }
  bool has_views() const { return view_count_ != 0; }
  Heap& heap() const { return *heap_; }
  DictStats stats() const;
  void check_invariants() const;

  // Iterate.
  uint64_t scan(uint64_t cursor, FunctionRef<void(void*)> visit) const;
  void for_each(FunctionRef<void(void*)> visit) const;
  void for_each_while(FunctionRef<bool(void*)> visit) const;
  void* random(Prng& prng) const;

  // Deadlines.
  UnixMs next_deadline() const;
  void note_deadline(Hash64 hash, UnixMs when);
  void* find_due(UnixMs now, size_t& budget);

  // The parts of a look-up, inlined by Dict.
  static uint8_t tag_of(Hash64 hash) {
    const auto tag = static_cast<uint8_t>(hash);
    return tag == 0 ? uint8_t{1} : tag;
  }
  static unsigned position_of(Hash64 hash) { return static_cast<unsigned>(hash >> 24) & 0xffff; }
  static unsigned home_of(Hash64 hash, unsigned homes) { return position_of(hash) * homes >> 16; }
  static HashPart part_of(Hash64 hash) {
    return HashPart{static_cast<uint32_t>(hash >> 48 << 16 | (hash >> 24 & 0xff00) | tag_of(hash))};
  }
  // The least hash with this part.
  static Hash64 lowest_of(HashPart part) {
    const auto bits = static_cast<Hash64>(part);
    return bits >> 16 << 48 | (bits >> 8 & 0xff) << 32 | (bits & 0xff);
  }
  // The word that points at the hash's segment; 0 if the table is empty.
  DictWord locate(Hash64 hash) const {
    DictWord word = root_;
    while ((word & kSegmentFlag) == 0) {
      if (word == 0) return 0;
      const unsigned depth = word & kCodeMask;
      word = reinterpret_cast<DictDirectory*>(word & ~kCodeMask)->words()[hash >> (64 - depth)];
      hash <<= depth;
    }
    return word;
  }
  static DictSegment* segment_of(DictWord word) {
    return reinterpret_cast<DictSegment*>(word & ~kCodeMask);
  }
  static unsigned homes_of(DictWord word) { return kDictHomes[(word & kCodeMask) - kSegmentFlag]; }
  static const DictBucket* home_bucket(DictWord word, Hash64 hash) {
    return segment_of(word)->bucket(home_of(hash, homes_of(word)));
  }
  // The entry that `match` accepts among those with this hash, or with this part of theirs; or
  // null. `match` is asked about others, too: the table holds fewer bits of a hash than that.
  void* find_by_hash(Hash64 hash, FunctionRef<bool(void*)> match) const;
  void* find_by_part(HashPart part, FunctionRef<bool(void*)> match) const;
  // An entry with this key that is not in its home bucket, or null.
  void* find_away(ByteView key, Hash64 hash) const;

 private:
  friend class DictViewCore;

  static constexpr DictWord kCodeMask = 63;
  static constexpr DictWord kSegmentFlag = 32;

  // Where an entry stands: a bucket line and cell (stash lines follow the homes), or an item of the
  // overflow.
  struct Spot {
    unsigned line = kNowhere;
    unsigned cell = 0;
    static constexpr unsigned kNowhere = ~0u;
    static constexpr unsigned kOverflow = ~0u - 1;
  };
  struct Item {
    void* entry;
    Hash64 hash;
  };
  class Moving;  // the entries of one or two segments on their way to others

  static bool is_directory(DictWord word) { return word != 0 && (word & kSegmentFlag) == 0; }
  static DictDirectory* directory_of(DictWord word) {
    return reinterpret_cast<DictDirectory*>(word & ~kCodeMask);
  }
  static DictWord word_of(const DictSegment* segment) {
    return reinterpret_cast<DictWord>(segment) | kSegmentFlag | segment->size_class;
  }
  static DictWord word_of(const DictDirectory* directory) {
    return reinterpret_cast<DictWord>(directory) | directory->depth;
  }
  DictSegment* segment_at(uint32_t prefix) const {
    return segment_of(locate(Hash64{prefix} << (64 - kDictPrefixBits)));
  }

  // Memory, counted in bytes_.
  void* allocate(size_t bytes);
  void* allocate_lines(size_t lines);
  void release(void* block);
  DictExtra& extra();
  void release_extra();
  void release_all();

  // Segments (dict_core.cc).
  DictSegment* make_segment(unsigned size_class, unsigned depth, uint32_t prefix);
  void free_segment(DictSegment* segment);
  template <class Match>
  static Spot find_spot(const DictSegment& segment, unsigned home, uint8_t tag, Match match);
  template <class Match>
  static Spot find_spot_away(const DictSegment& segment, unsigned home, uint8_t tag, Match match);
  static Spot spot_of(const DictSegment& segment, Hash64 hash, const void* entry);
  static void** cell_at(DictSegment& segment, Spot spot);
  static bool has_away(const DictSegment& segment, unsigned home);
  static bool place(DictSegment& segment, unsigned home, uint8_t tag, void* entry);
  static bool make_room(DictSegment& segment, unsigned home);
  void place_overflow(DictSegment& segment, unsigned home, uint8_t tag, void* entry);
  void take_at(DictSegment* segment, Spot spot, Hash64 hash);
  void remove(DictSegment& segment, Spot spot);
  void remove_overflow(DictSegment& segment, unsigned index);
  void pull_home(DictSegment& segment, unsigned home);
  DictSegment* build(std::span<const Item> items, unsigned depth, uint32_t prefix,
                     unsigned class_min, bool with_deadlines);
  DictSegment* try_build(std::span<const Item> items, unsigned depth, uint32_t prefix,
                         unsigned size_class);
  void grow(DictSegment* segment);
  void resize(DictSegment* segment, unsigned class_min);
  void split(DictSegment* segment);
  void consider_shrink(DictSegment* segment);
  DictSegment* merge(DictSegment* one, DictSegment* other);

  // Directory (dict_directory.cc).
  static size_t word_index(uint32_t prefix, unsigned base, unsigned depth) {
    return (prefix << base & (kDictPrefixEnd - 1)) >> (kDictPrefixBits - depth);
  }
  DictDirectory* make_directory(unsigned depth);
  DictWord* innermost(uint32_t prefix, unsigned& base);
  void point(uint32_t prefix, unsigned depth, DictWord target);
  void deepen(const DictSegment& segment);
  void point_split(const DictSegment& low, const DictSegment& high);
  void point_merged(const DictSegment& merged);
  void halve(DictWord* link, unsigned base);
  uint8_t depth_bound() const;
  void release_directories(DictWord word);

  // Walking (dict_walk.cc).
  void* first_from(uint32_t prefix) const;
  bool empty_segment(DictSegment& segment, size_t& budget, FunctionRef<void(void*)> free_entry);
  void release_left_child(uint32_t prefix);

  // Deadlines (dict_deadlines.cc).
  void make_deadlines(DictSegment& segment);
  void drop_deadlines(DictSegment* segment);
  void lower_deadline(DictSegment& segment, unsigned home, UnixMs when);
  void* find_due_in(DictSegment& segment, UnixMs now, size_t& budget);
  void heap_push(DictSegment& segment);
  void heap_remove(size_t index);
  void heap_sift(size_t index);
  void heap_trim();

  // Views (dict_view.cc).
  void save_for_views(Hash64 hash);
  void leave_views();
  void save_all(DictSegment& segment);
  DictSaved& saved_of(DictSegment& segment);
  void copy_saved(const DictSegment& from, DictSegment& to);

  // Invariants (dict_check.cc).
  void check_segment(const DictSegment& segment) const;
  size_t check_directory(DictWord word, unsigned base, uint32_t prefix) const;
  size_t check_heap() const;

  Heap* heap_;
  HashSeed seed_;
  const Ops* ops_;
  DictWord root_ = 0;
  size_t size_ = 0;
  size_t bytes_ = 0;            // the table's memory by usable size
  DictExtra* extra_ = nullptr;  // what few tables need: views, the heap of deadlines
  uint32_t freed_prefix_ = 0;   // free_some: segments below are gone
  uint8_t view_count_ = 0;
  uint8_t depth_max_ = 0;  // no segment is deeper
};
static_assert(sizeof(DictCore) == 64);

}  // namespace ouro
