// SPDX-License-Identifier: BSD-3-Clause
// An owning map from bytes to V, for the engine's bookkeeping: watched keys, channels, blocked
// keys.
//
//      Dict -> [ V | key size | key bytes ... ]      one allocation a key
//
// V is default constructible and destroyed when its key is erased. A V* stays valid until then.
// Cost: Dict's. Not for the keyspace, whose entries have a layout of their own.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>

#include "datastructs/dict.h"

namespace ouro {

template <class V>
struct StringMapEntry {
  V value{};
  uint32_t key_bytes;

  ByteView key() const { return {reinterpret_cast<const char*>(this + 1), key_bytes}; }
};

template <class V>
struct DictTraits<StringMapEntry<V>> {
  static ByteView key(const StringMapEntry<V>& entry) { return entry.key(); }
};

template <class V>
class StringMap {
 public:
  StringMap(Heap& heap, HashSeed seed) : heap_(&heap), dict_(heap, seed) {}
  ~StringMap() { clear(); }
  StringMap(const StringMap&) = delete;
  StringMap& operator=(const StringMap&) = delete;

  V* find(ByteView key) const {
    Entry* entry = dict_.find(key);
    return entry == nullptr ? nullptr : &entry->value;
  }
  V& find_or_add(ByteView key) {
    const Hash64 hash = dict_.hash(key);
    if (Entry* found = dict_.find(key, hash); found != nullptr) return found->value;
    static_assert(alignof(V) <= alignof(std::max_align_t));
    CHECK(key.size() <= ~uint32_t{0});
    void* block = heap_->allocate(sizeof(Entry) + key.size());
    Entry* entry = new (block) Entry{.key_bytes = static_cast<uint32_t>(key.size())};
    if (!key.empty())
      std::memcpy(static_cast<char*>(block) + sizeof(Entry), key.data(), key.size());
    dict_.insert(entry, hash);
    return entry->value;
  }
  // False if it was not there. `key` may be the entry's own.
  bool erase(ByteView key) {
    Entry* entry = dict_.take(key, dict_.hash(key));
    heap_->destroy(entry);
    return entry != nullptr;
  }
  void clear() {
    size_t all = ~size_t{0};
    free_some(all);
  }
  // Frees the map in slices of `budget` keys, which is counted down; true when all is gone. Once
  // begun only this, size() and the destructor may be called.
  bool free_some(size_t& budget) {
    return dict_.free_some(budget, [this](Entry* entry) { heap_->destroy(entry); });
  }

  // The key of a value that find() or find_or_add() gave.
  static ByteView key_of(const V& value) {
    static_assert(offsetof(Entry, value) == 0);
    return reinterpret_cast<const Entry*>(&value)->key();
  }
  // Each key with the same probability; the map is not empty.
  ByteView random_key(Prng& prng) const { return dict_.random(prng)->key(); }

  size_t size() const { return dict_.size(); }
  bool empty() const { return dict_.empty(); }
  // fn(ByteView key, V& value); must not change the map.
  template <class Fn>
  void for_each(Fn fn) const {
    dict_.for_each([&fn](Entry& entry) { fn(entry.key(), entry.value); });
  }
  // The table's memory; entries are counted by the heap.
  size_t memory_bytes() const { return dict_.memory_bytes(); }
  void check_invariants() const { dict_.check_invariants(); }

 private:
  using Entry = StringMapEntry<V>;

  Heap* heap_;
  Dict<Entry> dict_;
};

}  // namespace ouro
