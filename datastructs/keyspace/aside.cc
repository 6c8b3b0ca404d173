// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/aside.h"

#include <algorithm>
#include <utility>

namespace ouro {

Aside::Aside(Heap& heap, HashSeed seed, LazyFree& lazy_free)
    : heap_(heap),
      seed_(seed),
      lazy_free_(lazy_free),
      stale_(std::make_unique<Dict<Entry>>(heap, seed)),
      absent_(std::make_unique<Dict<Entry>>(heap, seed)) {}

Aside::~Aside() { clear(Freeing::kNow); }

// ---- stale values

void Aside::put_stale(const Key& key, Entry* entry) {
  DCHECK(entry->is_string() && entry->has_deadline() && entry->has_fill());
  if (Entry* old = stale_->take(key.bytes, key.hash)) release(old);
  stale_->insert(entry, key.hash);
  stale_->note_deadline(key.hash, entry->deadline());
}

Entry* Aside::find_stale(const Key& key, UnixMs now) {
  if (stale_->empty()) return nullptr;
  Entry* entry = stale_->find(key.bytes, key.hash);
  if (entry == nullptr || !entry->is_due(now)) return entry;
  release(stale_->take(key.bytes, key.hash));
  return nullptr;
}

void Aside::release(Entry* entry) {
  Value value = Value::of(*entry);
  heap_.release(entry);
  lazy_free_.free_now(value);
}

// ---- absent keys

// The note on a key, with room for a version if there is to be some. What it said and says no more
// is gone.
Entry* Aside::note(const Key& key, bool with_fence, UnixMs now) {
  Entry* known = absent_->find(key.bytes, key.hash);
  if (known != nullptr && known->is_due(now)) {
    release_absent(absent_->take(key.bytes, key.hash));
    known = nullptr;
  }
  if (known != nullptr && (known->has_fill() || !with_fence)) {
    absent_->before_change(key.hash);
    return known;
  }
  Entry* entry = Entry::create(heap_, key.bytes,
                               {.kind = Kind::kInt, .has_deadline = true, .has_fill = with_fence});
  entry->set_integer(known == nullptr ? 0 : known->integer());
  entry->set_deadline(known == nullptr ? 0 : known->deadline());
  absent_bytes_ += Heap::usable_bytes(entry);
  if (known == nullptr) {
    absent_->insert(entry, key.hash);
    return entry;
  }
  absent_->replace(known, entry, key.hash);
  absent_bytes_ -= Heap::usable_bytes(known);
  heap_.release(known);
  return entry;
}

void Aside::note_end(const Key& key, Entry& entry, UnixMs until) {
  entry.set_deadline(until);
  absent_->note_deadline(key.hash, until);
}

void Aside::put_absent(const Key& key, UnixMs until, UnixMs now) {
  Entry& entry = *note(key, false, now);
  entry.set_integer(until);
  if (entry.fill().version == 0 || entry.deadline() < until) note_end(key, entry, until);
}

UnixMs Aside::absent_until(const Key& key, UnixMs now) const {
  if (absent_->empty()) return 0;
  const Entry* entry = absent_->find(key.bytes, key.hash);
  return entry == nullptr || entry->integer() <= now ? 0 : entry->integer();
}

void Aside::put_fence(const Key& key, uint64_t version, UnixMs until, UnixMs now) {
  Entry& entry = *note(key, true, now);
  entry.set_fill({.version = std::max(version, entry.fill().version)});
  note_end(key, entry, std::max(until, entry.deadline()));
}

uint64_t Aside::fence(const Key& key, UnixMs now) const {
  if (absent_->empty()) return 0;
  const Entry* entry = absent_->find(key.bytes, key.hash);
  return entry == nullptr || entry->is_due(now) ? 0 : entry->fill().version;
}

void Aside::drop_first_absent() {
  // The table's bounds are corrected until one holds.
  constexpr size_t kBudget = 1000;
  for (;;) {
    size_t budget = kBudget;
    Entry* first = absent_->find_due(absent_->next_deadline(), budget);
    if (first == nullptr) continue;
    const ByteView name = first->key();
    return release_absent(absent_->take(name, absent_->hash(name)));
  }
}

void Aside::release_absent(Entry* entry) {
  absent_bytes_ -= Heap::usable_bytes(entry);
  heap_.release(entry);
}

// ---- both

bool Aside::forget(const Key& key) {
  bool was_known = false;
  if (Entry* stale = stale_->empty() ? nullptr : stale_->take(key.bytes, key.hash)) {
    release(stale);
    was_known = true;
  }
  Entry* absent = absent_->empty() ? nullptr : absent_->find(key.bytes, key.hash);
  if (absent == nullptr || absent->integer() == 0) return was_known;
  if (absent->has_fill()) {
    absent_->before_change(key.hash);
    absent->set_integer(0);
  } else {
    release_absent(absent_->take(key.bytes, key.hash));
  }
  return true;
}

void Aside::end_due(UnixMs now, size_t& budget) {
  while (Entry* due = stale_->find_due(now, budget)) {
    const ByteView name = due->key();
    release(stale_->take(name, stale_->hash(name)));
  }
  while (Entry* due = absent_->find_due(now, budget)) {
    const ByteView name = due->key();
    release_absent(absent_->take(name, absent_->hash(name)));
  }
}

UnixMs Aside::next_deadline() const {
  return std::min(stale_->next_deadline(), absent_->next_deadline());
}

void Aside::clear(Freeing freeing) {
  clear(stale_, freeing);
  clear(absent_, freeing);
  absent_bytes_ = 0;
}

void Aside::clear(std::unique_ptr<Dict<Entry>>& table, Freeing freeing) {
  if (table->empty()) return;
  auto old = std::exchange(table, std::make_unique<Dict<Entry>>(heap_, seed_));
  freeing == Freeing::kLazy ? lazy_free_.add(std::move(old)) : lazy_free_.free_now(std::move(old));
}

void Aside::check_invariants() const {
  stale_->check_invariants();
  absent_->check_invariants();
  stale_->for_each([](Entry& entry) { CHECK(entry.is_string() && entry.has_deadline()); });
  size_t bytes = 0;
  absent_->for_each([&](Entry& entry) {
    CHECK(entry.kind() == Kind::kInt && entry.integer() <= entry.deadline());
    bytes += Heap::usable_bytes(&entry);
  });
  CHECK(bytes == absent_bytes_);
}

}  // namespace ouro
