// SPDX-License-Identifier: BSD-3-Clause
// Keyspace: one logical database. A table of entries, the changes a command can make to it, and
// what is due by the clock.
//
// Keys come in as a Key, the bytes with their hash, so that a batch hashes each key once and
// prefetches by it. Functions that change an entry take the Entry* that find() gave and return the
// one that holds the key now: it may have moved. Expiry is data here: find() returns due entries
// too; who may remove them (a primary) or must hide them (a replica) is the engine's decision
// (engine/context.h). Elements of collections (fields of hashes, members of sets and sorted sets)
// have deadlines of their own. A second table, empty while there are none, has an entry for each
// such collection:
//
//   timed_   key -> a kInt Entry whose deadline is not after the first one of the elements
//
// It is told of a deadline by note_element_deadline() and follows the collection when it is put,
// taken, erased, flushed or swapped. Deadlines that are taken away are noticed when they come due.
// Pointers: an Entry* lives until the next change of its own key.
#pragma once

#include <memory>

#include "datastructs/dict_view.h"
#include "datastructs/keyspace/aside.h"
#include "datastructs/keyspace/entry.h"
#include "datastructs/keyspace/key.h"
#include "datastructs/keyspace/lazy_free.h"
#include "datastructs/keyspace/value.h"

namespace ouro {

class EvictionOrder;

// Of a string, in bytes.
struct StringPart {
  size_t at = 0;
  size_t bytes = ~size_t{0};
};

class Keyspace {
 public:
  // identity: the number of the database among others that it is made with. It stays with the
  // contents when they change places.
  Keyspace(Heap& heap, HashSeed seed, LazyFree& lazy_free, DbIndex identity = 0);
  ~Keyspace();

  Key key(ByteView bytes) const noexcept { return {bytes, hash_bytes(bytes, seed_)}; }

  // ---- change
  // Each put_ makes `key` hold the value, whatever `old` (what find() gave, or null) held before.
  // deadline: kNoExpiry or when. Text that is an integer is stored as one. What was known of the
  // old value (Fill) goes with it.
  Entry* put_string(const Key& key, Entry* old, ByteView value, UnixMs deadline,
                    const Fill& fill = kNoFill);
  // The same, yet it stays text: what Redis calls "embstr" although it may be an integer.
  Entry* put_text(const Key& key, Entry* old, ByteView value, UnixMs deadline,
                  const Fill& fill = kNoFill);
  Entry* put_integer(const Key& key, Entry* old, int64_t value, UnixMs deadline,
                     const Fill& fill = kNoFill);
  // Takes the blob; it may be small, then its bytes are stored as put_string() does.
  Entry* put_blob(const Key& key, Entry* old, Blob* blob, UnixMs deadline,
                  const Fill& fill = kNoFill);
  Entry* put_value(const Key& key, Entry* old, Value value, UnixMs deadline,
                   const Fill& fill = kNoFill);
  // A new, empty collection for an absent key.
  template <class T>
  T& add(const Key& key) {
    Entry* entry = insert_payload(key, kKindOf<T>, 0);
    return *new (&entry->as<T>()) T();
  }
  // The entry's string with `size` bytes to be edited in place: what was there is kept, growth is
  // filled with zero bytes. Growth of what is not empty makes room for more. Turns an integer into
  // text. `part` is what may change of what was there, all unless said: less of a large string is
  // then copied for frozen views.
  struct Editable {
    Entry* entry;
    std::span<char> bytes;
  };
  Editable edit_string(const Key& key, Entry* entry, size_t size, StringPart part = {});
  // Overwrites the integer of a kInt entry.
  void set_integer(const Key& key, Entry* entry, int64_t value);
  // Before a collection is changed in place.
  void before_change(const Key& key) { table_->before_change(key.hash); }
  // kNoExpiry clears.
  Entry* set_deadline(const Key& key, Entry* entry, UnixMs when);
  // kNoFill clears.
  Entry* set_fill(const Key& key, Entry* entry, const Fill& fill);
  void erase(const Key& key, Freeing freeing);
  // The same of an entry that is known to be there.
  void erase(const Key& key, Entry* entry, Freeing freeing);
  // The key ends, yet its string may be shown as stale until then (aside()). Requires: it holds a
  // string.
  void make_stale(const Key& key, UnixMs until, UnixMs now);
  // Removes the key and hands its value over.
  Value take(const Key& key);
  // What Entry::access of a key that is made from now on holds.
  void set_access_of_new(uint32_t access) noexcept { access_of_new_ = access; }
  // Who is told of each new key from now on, or null.
  void set_eviction(EvictionOrder* eviction) noexcept { eviction_ = eviction; }
  // Counted: on_trial_count().
  void set_on_trial(Entry& entry, bool on);
  // Empties the database.
  void clear(Freeing freeing);
  void swap_contents(Keyspace& other) noexcept;

  // ---- ask
  Entry* find(const Key& key) const noexcept { return table_->find(key.bytes, key.hash); }
  size_t size() const noexcept { return table_->size(); }
  size_t expires_count() const noexcept { return expires_; }
  size_t on_trial_count() const noexcept { return on_trial_; }
  DbIndex identity() const noexcept { return identity_; }
  // Mean of the time to live of keys with an expiry, estimated from a sample as Redis's INFO does;
  // ms.
  Entry* random(Prng& prng) const { return table_->random(prng); }
  uint64_t scan(uint64_t cursor, FunctionRef<void(Entry&)> fn) const {
    return table_->scan(cursor, fn);
  }
  void for_each(FunctionRef<void(Entry&)> fn) const { table_->for_each(fn); }
  void prefetch_bucket(Hash64 hash) const { table_->prefetch_bucket(hash); }
  void prefetch_for_change(Hash64 hash) const { table_->prefetch_for_change(hash); }
  void prefetch_entry(Hash64 hash) const { table_->prefetch_entry(hash); }

  // ---- expiry: an entry whose deadline is at or before `now`, or null. `budget` is lowered by
  // what was looked at.
  Entry* find_due(UnixMs now, size_t& budget) { return table_->find_due(now, budget); }
  UnixMs next_deadline() const { return table_->next_deadline(); }

  // ---- expiry of elements
  // An element of the collection at this key was given a deadline.
  void note_element_deadline(const Key& key, UnixMs when);
  // A collection that may have due elements, or null; `budget` is lowered by what was looked at.
  // The caller lets its expire_due() remove them before it asks again.
  Entry* find_due_collection(UnixMs now, size_t& budget);
  // A lower bound over all elements; kNever if none has a deadline.
  UnixMs next_element_deadline() const { return timed_->next_deadline(); }
  // Collections with elements that have a deadline, and those that had one not long ago.
  size_t timed_count() const noexcept { return timed_->size(); }

  // What is known of keys that are not here; null while that is nothing.
  Aside* aside() const noexcept { return aside_.get(); }
  Aside& make_aside();

  Heap& heap() noexcept { return heap_; }
  HashSeed seed() const noexcept { return seed_; }
  // For the table of the collection at a key. One seed for all would make a table that is filled in
  // the order in which another is scanned (SSCAN, SADD) put everything into few buckets.
  HashSeed seed_of(const Key& key) const noexcept { return {seed_.value ^ key.hash}; }
  const Dict<Entry>& table() const noexcept { return *table_; }
  // Freezes the entries as they are now (freeze.h).
  void begin_view(DictView<Entry>& view) { view.begin(*table_); }
  // The table's own memory, without entries.
  size_t overhead_bytes() const noexcept { return table_->memory_bytes(); }
  void check_invariants() const;

 private:
  Entry* insert_payload(const Key& key, Kind kind, uint64_t payload);
  Entry* put_payload(const Key& key, Entry* old, Kind kind, uint64_t payload, UnixMs deadline,
                     const Fill& fill);
  Entry* put_embedded(const Key& key, Entry* old, ByteView value, UnixMs deadline,
                      const Fill& fill);
  Entry* place(const Key& key, Entry* old, Entry* fresh, UnixMs deadline, const Fill& fill);
  Entry* with_room(const Key& key, Entry* entry, bool deadline, bool fill);
  void release(Entry* entry, Freeing freeing);
  void forget_elements(const Key& key, const Entry& entry);

  Heap& heap_;
  HashSeed seed_;
  LazyFree& lazy_free_;
  std::unique_ptr<Dict<Entry>> table_;
  std::unique_ptr<Dict<Entry>> timed_;
  std::unique_ptr<Aside> aside_;
  size_t expires_ = 0;
  size_t on_trial_ = 0;
  EvictionOrder* eviction_ = nullptr;
  DbIndex identity_;
  uint32_t access_of_new_ = 0;
};

}  // namespace ouro
