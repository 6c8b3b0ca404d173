// SPDX-License-Identifier: BSD-3-Clause
// Dict: the hash table of the keyspace, of large hashes, sets and sorted sets, and of the engine's
// bookkeeping.
//
// It stores the addresses of entries; their memory belongs to the user, who says by DictTraits
// where an entry keeps its key (and its deadline, if entries have one). How it is laid out and how
// it grows stands in dict_core.h. What it gives:
//   - no pause: an operation moves at most the entries of one segment, the table is never rehashed
//     as a whole;
//   - about 12 bytes of table an entry on average over growth (bench/micro/dict_bench.cc), nothing
//     when empty;
//   - a look-up reads the directory (hot), one line of the table and the entry; both can be
//     prefetched for a batch;
//   - scan() with Redis's guarantee: what is in the table during a whole scan is returned, at least
//     once;
//   - deadlines: what is due, without a node an entry (about 1.5 bytes an entry once a segment has
//     one);
//   - frozen views (dict_view.h): the contents as of one moment, walked in slices while the table
//     changes.
// An entry's address stays what it was given; nothing else here is stable across changes. No call
// may be made from inside a callback of the same table, except find().
#pragma once

#include "datastructs/base/bytes_equal.h"
#include "datastructs/base/prefetch.h"
#include "datastructs/dict_core.h"

namespace ouro {

// Specialised beside T:
//   static ByteView key(const T& entry);
//   static UnixMs deadline(const T& entry);   // optional; kNoExpiry is none
template <class T>
struct DictTraits;

template <class T>
class DictView;

template <class T>
class Dict {
 public:
  Dict(Heap& heap, HashSeed seed) : core_(heap, seed, kOps) {}
  // Frees the table, not the entries. It has none, or no view is open.
  ~Dict() = default;

  // The key must be absent. The entry is due at its deadline only once note_deadline() was told.
  void insert(T* entry, Hash64 hash) {
    DCHECK(find(DictTraits<T>::key(*entry), hash) == nullptr);
    core_.insert(entry, hash);
  }
  // Removes and returns the entry, or null; the caller frees it.
  T* take(ByteView key, Hash64 hash) { return static_cast<T*>(core_.take(key, hash)); }
  // The same of an entry that is known to be there.
  void take(T* entry, Hash64 hash) { core_.take_known(entry, hash); }
  // The entry moved to another address or changed as a whole; same key. `old` is not read if
  // before_change() was called before, so it may be gone by now.
  void replace(T* old, T* fresh, Hash64 hash) { core_.replace(old, fresh, hash); }
  // Call before an entry's value changes in place: frozen views save it first. Costs one branch
  // when there is none.
  void before_change(Hash64 hash) { core_.before_change(hash); }
  // Frees a table in slices: hands out and forgets up to `budget` entries. True when it is empty
  // and its memory is gone. Once begun only this, size(), memory_bytes() and the destructor may be
  // called until it returns true.
  bool free_some(size_t& budget, FunctionRef<void(T*)> free_entry) {
    return core_.free_some(budget, [&](void* entry) { free_entry(static_cast<T*>(entry)); });
  }

  Hash64 hash(ByteView key) const { return core_.hash(key); }
  T* find(ByteView key) const { return find(key, hash(key)); }
  T* find(ByteView key, Hash64 hash) const {
    const DictWord word = core_.locate(hash);
    if (word == 0) return nullptr;
    const DictBucket* home = DictCore::home_bucket(word, hash);
    for (uint64_t set = home->match(DictCore::tag_of(hash)); set != 0; set &= set - 1) {
      T* entry = static_cast<T*>(home->cells[DictBucket::cell_of(set)]);
      if (bytes_equal(DictTraits<T>::key(*entry), key)) [[likely]]
        return entry;
    }
    if (!home->more()) [[likely]]
      return nullptr;
    return static_cast<T*>(core_.find_away(key, hash));
  }
  // The entry that `match` accepts among those with this hash, or with this part of theirs, or
  // null; others are shown to it as well.
  T* find_by_hash(Hash64 hash, FunctionRef<bool(T&)> match) const {
    return static_cast<T*>(
        core_.find_by_hash(hash, [&](void* entry) { return match(*static_cast<T*>(entry)); }));
  }
  T* find_by_part(HashPart part, FunctionRef<bool(T&)> match) const {
    return static_cast<T*>(
        core_.find_by_part(part, [&](void* entry) { return match(*static_cast<T*>(entry)); }));
  }
  // The two stages of a batch: first the line of the table for each key, then the entry. Who puts
  // in or takes out needs the segment's header, too.
  void prefetch_bucket(Hash64 hash) const {
    if (const DictWord word = core_.locate(hash); word != 0)
      prefetch(DictCore::home_bucket(word, hash));
  }
  void prefetch_for_change(Hash64 hash) const {
    const DictWord word = core_.locate(hash);
    if (word == 0) return;
    prefetch(DictCore::home_bucket(word, hash));
    prefetch(DictCore::segment_of(word));
  }
  void prefetch_entry(Hash64 hash) const {
    const DictWord word = core_.locate(hash);
    if (word == 0) return;
    const DictBucket* home = DictCore::home_bucket(word, hash);
    if (const uint64_t set = home->match(DictCore::tag_of(hash)); set != 0)
      prefetch(home->cells[DictBucket::cell_of(set)]);
  }

  size_t size() const { return core_.size(); }
  bool empty() const { return core_.size() == 0; }
  // The table's own memory by usable size, without the entries.
  size_t memory_bytes() const { return core_.memory_bytes(); }
  // A frozen view is open: the table may not be freed yet.
  bool has_views() const { return core_.has_views(); }
  DictStats stats() const { return core_.stats(); }
  void check_invariants() const { core_.check_invariants(); }

  // Visits one bucket and returns where to go on; 0 begins and ends. Any number is a valid cursor
  // (below 2^40 comes out).
  uint64_t scan(uint64_t cursor, FunctionRef<void(T&)> visit) const {
    return core_.scan(cursor, [&](void* entry) { visit(*static_cast<T*>(entry)); });
  }
  void for_each(FunctionRef<void(T&)> visit) const {
    core_.for_each([&](void* entry) { visit(*static_cast<T*>(entry)); });
  }
  // The same until `visit` returns false.
  void for_each_while(FunctionRef<bool(T&)> visit) const {
    core_.for_each_while([&](void* entry) { return visit(*static_cast<T*>(entry)); });
  }
  // Each entry with the same probability; null if empty.
  T* random(Prng& prng) const { return static_cast<T*>(core_.random(prng)); }

  // A lower bound over all deadlines; kNever if there is none.
  UnixMs next_deadline() const { return core_.next_deadline(); }
  // The entry with this hash, which is in the table, is now due at `when`. A later deadline need
  // not be told again when the entry is dropped or postponed: bounds are lower bounds and are
  // corrected when they come due.
  void note_deadline(Hash64 hash, UnixMs when) { core_.note_deadline(hash, when); }
  // An entry with deadline <= now, or null: nothing is due, or `budget` (buckets and entries looked
  // at) is spent. The caller takes the entry or postpones it before it asks again.
  T* find_due(UnixMs now, size_t& budget) { return static_cast<T*>(core_.find_due(now, budget)); }

 private:
  friend class DictView<T>;

  static ByteView key_of(const void* entry) {
    return DictTraits<T>::key(*static_cast<const T*>(entry));
  }
  static UnixMs deadline_of(const void* entry) {
    if constexpr (requires(const T& e) { DictTraits<T>::deadline(e); }) {
      return DictTraits<T>::deadline(*static_cast<const T*>(entry));
    } else {
      return kNoExpiry;
    }
  }
  static constexpr DictCore::Ops kOps = {key_of, deadline_of};

  DictCore core_;
};

}  // namespace ouro
