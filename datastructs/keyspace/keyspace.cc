// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/keyspace.h"

#include <cstring>
#include <utility>

#include "datastructs/codec/number_text.h"
#include "datastructs/keyspace/eviction_order.h"

namespace ouro {
namespace {

// Text of at most this many bytes may be an integer.
constexpr size_t kIntTextBytesMax = 20;

// Bytes for a string that grows to `size`. Doubling keeps a run of appends linear; one that has
// just begun may stay as it is.
size_t room_for(size_t size, size_t before) {
  if (before == 0) return size;
  return size < 1_MiB ? size * 2 : size + 1_MiB;
}

}  // namespace

Keyspace::Keyspace(Heap& heap, HashSeed seed, LazyFree& lazy_free, DbIndex identity)
    : heap_(heap),
      seed_(seed),
      lazy_free_(lazy_free),
      table_(std::make_unique<Dict<Entry>>(heap, seed)),
      timed_(std::make_unique<Dict<Entry>>(heap, seed)),
      identity_(identity) {}

Keyspace::~Keyspace() { clear(Freeing::kNow); }

// Frees an entry that no table holds any more.
void Keyspace::release(Entry* entry, Freeing freeing) {
  Value value = Value::of(*entry);
  if (entry->has_deadline()) --expires_;
  if (entry->is_on_trial()) --on_trial_;
  heap_.release(entry);
  if (freeing == Freeing::kLazy && value.free_effort() > LazyFree::kEffortMin) {
    lazy_free_.add(value);
  } else {
    lazy_free_.free_now(value);
  }
}

// Puts `fresh` where `old` was, or adds it.
Entry* Keyspace::place(const Key& key, Entry* old, Entry* fresh, UnixMs deadline,
                       const Fill& fill) {
  if (deadline != kNoExpiry) {
    fresh->set_deadline(deadline);
    ++expires_;
  }
  if (fresh->has_fill()) fresh->set_fill(fill);
  if (old == nullptr) {
    fresh->set_access(access_of_new_);
    table_->insert(fresh, key.hash);
    if (aside_ != nullptr) [[unlikely]]
      aside_->forget(key);
    if (eviction_ != nullptr) eviction_->on_new(*this, *fresh, key.hash);
  } else {
    fresh->take_use_of(*old);
    if (fresh->is_on_trial()) ++on_trial_;
    table_->replace(old, fresh, key.hash);
    forget_elements(key, *old);
    release(old, Freeing::kLazy);
  }
  if (deadline != kNoExpiry) table_->note_deadline(key.hash, deadline);
  if (!fresh->is_string()) note_element_deadline(key, fresh->next_element_deadline());
  return fresh;
}

Entry* Keyspace::put_embedded(const Key& key, Entry* old, ByteView value, UnixMs deadline,
                              const Fill& fill) {
  const bool has_deadline = deadline != kNoExpiry;
  const bool has_fill = !fill.is_none();
  // The same block serves when the new value fits and does not leave more than half of it empty.
  if (old != nullptr && old->is_plain(Kind::kEmbedded, has_deadline, has_fill)) {
    const size_t room = old->embedded_room();
    if (value.size() <= room && (room <= 64 || value.size() * 2 >= room)) {
      table_->before_change(key.hash);
      std::memmove(old->embedded_bytes(), value.data(), value.size());
      old->set_embedded_size(value.size());
      if (has_deadline) {
        old->set_deadline(deadline);
        table_->note_deadline(key.hash, deadline);
      }
      if (has_fill) old->set_fill(fill);
      return old;
    }
  }
  Entry* fresh = Entry::create(heap_, key.bytes,
                               {.kind = Kind::kEmbedded,
                                .has_deadline = has_deadline,
                                .has_fill = has_fill,
                                .embedded_bytes = value.size()});
  if (!value.empty()) std::memcpy(fresh->embedded_bytes(), value.data(), value.size());
  return place(key, old, fresh, deadline, fill);
}

Entry* Keyspace::put_payload(const Key& key, Entry* old, Kind kind, uint64_t payload,
                             UnixMs deadline, const Fill& fill) {
  Entry* fresh = Entry::create(
      heap_, key.bytes,
      {.kind = kind, .has_deadline = deadline != kNoExpiry, .has_fill = !fill.is_none()});
  fresh->set_payload(payload);
  return place(key, old, fresh, deadline, fill);
}

Entry* Keyspace::insert_payload(const Key& key, Kind kind, uint64_t payload) {
  return put_payload(key, nullptr, kind, payload, kNoExpiry, kNoFill);
}

Entry* Keyspace::put_string(const Key& key, Entry* old, ByteView value, UnixMs deadline,
                            const Fill& fill) {
  if (value.size() <= kIntTextBytesMax) {
    if (const auto number = parse_int64(value))
      return put_integer(key, old, *number, deadline, fill);
  }
  return put_text(key, old, value, deadline, fill);
}

Entry* Keyspace::put_text(const Key& key, Entry* old, ByteView value, UnixMs deadline,
                          const Fill& fill) {
  if (value.size() < kBlobBytesMin) return put_embedded(key, old, value, deadline, fill);
  return put_blob(key, old, Blob::create_from(heap_, value), deadline, fill);
}

Entry* Keyspace::put_integer(const Key& key, Entry* old, int64_t value, UnixMs deadline,
                             const Fill& fill) {
  if (old != nullptr && old->is_plain(Kind::kInt, deadline != kNoExpiry, !fill.is_none())) {
    table_->before_change(key.hash);
    old->set_integer(value);
    if (old->has_fill()) old->set_fill(fill);
    if (deadline != kNoExpiry) {
      old->set_deadline(deadline);
      table_->note_deadline(key.hash, deadline);
    }
    return old;
  }
  return put_payload(key, old, Kind::kInt, static_cast<uint64_t>(value), deadline, fill);
}

Entry* Keyspace::put_blob(const Key& key, Entry* old, Blob* blob, UnixMs deadline,
                          const Fill& fill) {
  if (blob->size() < kBlobBytesMin) {
    Entry* entry = put_string(key, old, blob->view(), deadline, fill);
    Blob::unpin(heap_, blob);
    return entry;
  }
  return put_payload(key, old, Kind::kBlob, reinterpret_cast<uint64_t>(blob), deadline, fill);
}

Entry* Keyspace::put_value(const Key& key, Entry* old, Value value, UnixMs deadline,
                           const Fill& fill) {
  if (value.kind != Kind::kBlob)
    return put_payload(key, old, value.kind, value.payload, deadline, fill);
  Blob* blob = reinterpret_cast<Blob*>(value.payload);
  Entry* entry = nullptr;
  if (blob->size() < kBlobBytesMin) {
    // Text stays text, even if it reads like an integer.
    entry = put_embedded(key, old, blob->view(), deadline, fill);
    Blob::unpin(heap_, blob);
  } else {
    entry = put_blob(key, old, blob, deadline, fill);
  }
  if (value.edited) entry->set_edited();
  return entry;
}

Keyspace::Editable Keyspace::edit_string(const Key& key, Entry* entry, size_t size,
                                         StringPart part) {
  NumberText scratch;
  const ByteView before = entry->text(scratch);
  const size_t kept = before.size() < size ? before.size() : size;
  table_->before_change(key.hash);
  if (entry->kind() == Kind::kBlob && !entry->blob()->is_shared()) {
    Blob* blob = entry->blob();
    blob->before_change(heap_, part.at, part.bytes);
    if (size < before.size()) blob->before_change(heap_, size, before.size() - size);
    if (size > blob->capacity()) {
      blob = Blob::grow(heap_, blob, room_for(size, before.size()));
      entry->set_blob(blob);
    }
    blob->set_size(size);
    std::memset(blob->bytes() + kept, 0, size - kept);
    entry->set_edited();
    return {entry, {blob->bytes(), size}};
  }
  if (entry->kind() == Kind::kEmbedded && size <= entry->embedded_room()) {
    entry->set_embedded_size(size);
    std::memset(entry->embedded_bytes() + kept, 0, size - kept);
    entry->set_edited();
    return {entry, {entry->embedded_bytes(), size}};
  }
  if (size < kBlobBytesMin) {
    const size_t room = room_for(size, before.size());
    const size_t spare = room < kBlobBytesMin ? room - size : 0;
    Entry* fresh = Entry::create(heap_, key.bytes,
                                 {.kind = Kind::kEmbedded,
                                  .has_deadline = entry->has_deadline(),
                                  .has_fill = entry->has_fill(),
                                  .embedded_bytes = size,
                                  .spare_bytes = spare});
    std::memcpy(fresh->embedded_bytes(), before.data(), kept);
    std::memset(fresh->embedded_bytes() + kept, 0, size - kept);
    fresh->set_edited();
    place(key, entry, fresh, entry->deadline(), entry->fill());
    return {fresh, {fresh->embedded_bytes(), size}};
  }
  Blob* blob = Blob::create(heap_, room_for(size, before.size()));
  blob->set_size(size);
  std::memcpy(blob->bytes(), before.data(), kept);
  std::memset(blob->bytes() + kept, 0, size - kept);
  Entry* fresh = put_payload(key, entry, Kind::kBlob, reinterpret_cast<uint64_t>(blob),
                             entry->deadline(), entry->fill());
  fresh->set_edited();
  return {fresh, {blob->bytes(), size}};
}

void Keyspace::set_integer(const Key& key, Entry* entry, int64_t value) {
  table_->before_change(key.hash);
  entry->set_integer(value);
}

Entry* Keyspace::set_deadline(const Key& key, Entry* entry, UnixMs when) {
  if (entry->has_deadline() && when != kNoExpiry) {
    table_->before_change(key.hash);
    entry->set_deadline(when);
    table_->note_deadline(key.hash, when);
    return entry;
  }
  if (!entry->has_deadline() && when == kNoExpiry) return entry;
  if (entry->has_deadline()) --expires_;
  Entry* fresh = with_room(key, entry, when != kNoExpiry, entry->has_fill());
  if (when != kNoExpiry) {
    ++expires_;
    fresh->set_deadline(when);
    table_->note_deadline(key.hash, when);
  }
  return fresh;
}

Entry* Keyspace::set_fill(const Key& key, Entry* entry, const Fill& fill) {
  if (entry->has_fill() != !fill.is_none())
    entry = with_room(key, entry, entry->has_deadline(), !fill.is_none());
  if (!entry->has_fill()) return entry;
  table_->before_change(key.hash);
  entry->set_fill(fill);
  return entry;
}

// The same value in a new block, where room for a deadline or a fill has come or gone.
Entry* Keyspace::with_room(const Key& key, Entry* entry, bool deadline, bool fill) {
  Entry* fresh = entry->remade(heap_, deadline, fill);
  table_->replace(entry, fresh, key.hash);
  heap_.release(entry);
  return fresh;
}

void Keyspace::erase(const Key& key, Freeing freeing) {
  Entry* entry = table_->take(key.bytes, key.hash);
  if (entry == nullptr) return;
  forget_elements(key, *entry);
  release(entry, freeing);
}

void Keyspace::erase(const Key& key, Entry* entry, Freeing freeing) {
  table_->take(entry, key.hash);
  forget_elements(key, *entry);
  release(entry, freeing);
}

void Keyspace::make_stale(const Key& key, UnixMs until, UnixMs now) {
  Entry* entry = table_->take(key.bytes, key.hash);
  DCHECK(entry != nullptr && entry->is_string());
  set_on_trial(*entry, false);
  if (entry->has_deadline()) --expires_;
  if (!entry->has_deadline() || !entry->has_fill()) {
    Entry* fresh = entry->remade(heap_, true, true);
    heap_.release(entry);
    entry = fresh;
  }
  Fill fill = entry->fill();
  fill.stale_ms = static_cast<uint32_t>(until - now);
  entry->set_fill(fill);
  entry->set_deadline(until);
  make_aside().put_stale({entry->key(), key.hash}, entry);
}

Aside& Keyspace::make_aside() {
  if (aside_ == nullptr) aside_ = std::make_unique<Aside>(heap_, seed_, lazy_free_);
  return *aside_;
}

Value Keyspace::take(const Key& key) {
  Entry* entry = table_->take(key.bytes, key.hash);
  CHECK(entry != nullptr);
  Value value = Value::of(*entry);
  if (value.kind == Kind::kEmbedded) {
    value.kind = Kind::kBlob;
    value.payload = reinterpret_cast<uint64_t>(Blob::create_from(heap_, entry->embedded()));
  }
  if (entry->has_deadline()) --expires_;
  if (entry->is_on_trial()) --on_trial_;
  forget_elements(key, *entry);
  heap_.release(entry);
  return value;
}

void Keyspace::clear(Freeing freeing) {
  if (aside_ != nullptr) aside_->clear(freeing);
  if (table_->empty()) return;
  for (std::unique_ptr<Dict<Entry>>* table : {&table_, &timed_}) {
    if ((*table)->empty()) continue;
    auto old = std::exchange(*table, std::make_unique<Dict<Entry>>(heap_, seed_));
    freeing == Freeing::kLazy ? lazy_free_.add(std::move(old))
                              : lazy_free_.free_now(std::move(old));
  }
  expires_ = 0;
  on_trial_ = 0;
}

void Keyspace::swap_contents(Keyspace& other) noexcept {
  std::swap(table_, other.table_);
  std::swap(timed_, other.timed_);
  std::swap(aside_, other.aside_);
  std::swap(expires_, other.expires_);
  std::swap(on_trial_, other.on_trial_);
  std::swap(identity_, other.identity_);
}

void Keyspace::set_on_trial(Entry& entry, bool on) {
  if (entry.is_on_trial() == on) return;
  entry.set_on_trial(on);
  on ? ++on_trial_ : --on_trial_;
}

void Keyspace::note_element_deadline(const Key& key, UnixMs when) {
  if (when == kNever) return;
  Entry* known = timed_->find(key.bytes, key.hash);
  if (known == nullptr) {
    known = Entry::create(heap_, key.bytes, {.kind = Kind::kInt, .has_deadline = true});
    timed_->insert(known, key.hash);
  } else if (known->deadline() <= when) {
    return;
  }
  known->set_deadline(when);
  timed_->note_deadline(key.hash, when);
}

Entry* Keyspace::find_due_collection(UnixMs now, size_t& budget) {
  while (Entry* due = timed_->find_due(now, budget)) {
    const Key name = key(due->key());
    Entry* entry = find(name);
    CHECK(entry != nullptr);
    const UnixMs next = entry->next_element_deadline();
    if (next <= now) return entry;
    // Postponed, not told: the table corrects its own bound as it goes on.
    if (next != kNever) {
      due->set_deadline(next);
    } else {
      forget_elements(name, *entry);
    }
  }
  return nullptr;
}

// `entry` does not stand at this key any more, or has no deadlines.
void Keyspace::forget_elements(const Key& key, const Entry& entry) {
  if (entry.is_string() || timed_->empty()) [[likely]]
    return;
  if (Entry* known = timed_->take(key.bytes, key.hash)) heap_.release(known);
}

void Keyspace::check_invariants() const {
  table_->check_invariants();
  size_t with_deadline = 0;
  table_->for_each([&](Entry& entry) { with_deadline += entry.has_deadline() ? 1U : 0U; });
  CHECK(with_deadline == expires_);
  if (aside_ != nullptr) aside_->check_invariants();
  size_t on_trial = 0;
  table_->for_each([&](Entry& entry) { on_trial += entry.is_on_trial() ? 1U : 0U; });
  CHECK(on_trial == on_trial_);
  timed_->check_invariants();
  timed_->for_each([&](Entry& known) {
    const Entry* entry = find(key(known.key()));
    CHECK(entry != nullptr);
    CHECK(known.deadline() <= entry->next_element_deadline());
  });
  table_->for_each([&](Entry& entry) {
    if (entry.next_element_deadline() != kNever) {
      CHECK(timed_->find(entry.key()) != nullptr);
    }
  });
}

}  // namespace ouro
