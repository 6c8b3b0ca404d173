// SPDX-License-Identifier: BSD-3-Clause
// Aside: what one database knows of keys that are not in it. A cache in front of a source of data
// asks it before it has a value loaded (server/protect/guard.h).
//
//   stale_   key -> the string that ended a while ago, which may be shown as stale until the
//            entry's deadline; Fill::stale_ms before that it ended
//   absent_  key -> a kInt Entry: the source has no such key until integer(); with a Fill also: no
//            value of this version or an older one is to be stored, until the entry's deadline
//
// Nothing here is part of the keyspace: it is not found, counted or walked over there, and it ends
// by the clock alone, on a replica as well. A key has no stale value and is not known to be absent
// while it is in the database: Keyspace tells forget() of each new key. Memory: notes on absent
// keys take their key and 24 bytes (40 with a version) and the table's 12; what they take together
// is known, so that their owner can bound it. Cost: Dict's.
#pragma once

#include <memory>

#include "datastructs/dict_view.h"
#include "datastructs/keyspace/entry.h"
#include "datastructs/keyspace/key.h"
#include "datastructs/keyspace/lazy_free.h"

namespace ouro {

class Aside {
 public:
  Aside(Heap& heap, HashSeed seed, LazyFree& lazy_free);
  ~Aside();

  // ---- stale values
  // Takes an entry that is in no table, a string with a deadline and a fill, as it is to stand
  // here.
  void put_stale(const Key& key, Entry* entry);
  // Null if there is none; what is due is removed.
  Entry* find_stale(const Key& key, UnixMs now);
  size_t stale_count() const { return stale_->size(); }
  // Any of them, for who needs memory; null if there is none.
  Entry* any_stale(Prng& prng) const { return stale_->random(prng); }

  // ---- absent keys
  void put_absent(const Key& key, UnixMs until, UnixMs now);
  // Until when the source is known not to have it, or 0.
  UnixMs absent_until(const Key& key, UnixMs now) const;
  // Values of `version` and before are refused until then, or as long as the key is known to be
  // absent. A later version that is still refused stays so.
  void put_fence(const Key& key, uint64_t version, UnixMs until, UnixMs now);
  // 0 if there is none.
  uint64_t fence(const Key& key, UnixMs now) const;
  size_t absent_count() const { return absent_->size(); }
  // By usable size, with their share of the table.
  size_t absent_bytes() const { return absent_bytes_ + absent_->memory_bytes(); }
  // Removes the note that ends first. Requires: there is one.
  void drop_first_absent();

  // ---- both
  // The key has come, or is to be gone for good: only its fence stays. False if nothing was known.
  bool forget(const Key& key);
  // Removes what is due, at most what `budget` says; it is lowered by what was looked at.
  void end_due(UnixMs now, size_t& budget);
  UnixMs next_deadline() const;
  bool empty() const { return stale_->empty() && absent_->empty(); }
  // Their memory goes to LazyFree.
  void clear(Freeing freeing);
  size_t overhead_bytes() const { return stale_->memory_bytes() + absent_->memory_bytes(); }

  void begin_view_of_stale(DictView<Entry>& view) { view.begin(*stale_); }
  void begin_view_of_absent(DictView<Entry>& view) { view.begin(*absent_); }
  void check_invariants() const;

 private:
  Entry* note(const Key& key, bool with_fence, UnixMs now);
  void note_end(const Key& key, Entry& entry, UnixMs until);
  void release(Entry* entry);
  void release_absent(Entry* entry);
  void clear(std::unique_ptr<Dict<Entry>>& table, Freeing freeing);

  Heap& heap_;
  HashSeed seed_;
  LazyFree& lazy_free_;
  std::unique_ptr<Dict<Entry>> stale_;
  std::unique_ptr<Dict<Entry>> absent_;
  size_t absent_bytes_ = 0;
};

}  // namespace ouro
