// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/hash.h"

#include <algorithm>

#include "datastructs/base/check.h"

namespace ouro {

namespace {

bool is_due(UnixMs deadline, UnixMs now) noexcept {
  return deadline != kNoExpiry && deadline <= now;
}

// The third entry of a timed packed field.
ByteView deadline_bytes(const UnixMs& when) noexcept {
  if (when == kNoExpiry) return {};
  return {reinterpret_cast<const char*>(&when), sizeof when};
}

UnixMs deadline_of(ByteView bytes) noexcept {
  if (bytes.empty()) return kNoExpiry;
  UnixMs when;
  DCHECK(bytes.size() == sizeof when);
  std::memcpy(&when, bytes.data(), sizeof when);
  return when;
}

}  // namespace

void Hash::set_run(Packed run, bool timed) noexcept {
  word_ = run.empty() ? 0 : reinterpret_cast<uintptr_t>(run.block()) | (timed ? kTimedTag : 0);
}

Hash::Item Hash::read_item(Packed run, At& at) const noexcept {
  Item item;
  item.field = run.read(at);
  item.value = run.read(at);
  if (is_timed()) item.deadline = deadline_of(run.read(at));
  return item;
}

void Hash::become_timed(Heap& heap) {
  Packed packed = run();
  for (At at = packed.begin(); at != packed.end();)
    at = packed.insert(heap, packed.skip(at, 2), {ByteView()});
  set_run(packed, /*timed=*/true);
}

void Hash::become_table(Heap& heap, HashSeed seed) {
  auto* made = heap.make<Table>(heap, seed);
  Packed packed = run();
  for (At at = packed.begin(); at != packed.end();) {
    const Item item = read_item(packed, at);
    HashField* entry = HashField::create(heap, item);
    made->fields_bytes += entry->memory_bytes();
    const Hash64 hash = made->dict.hash(item.field);
    made->dict.insert(entry, hash);
    if (item.deadline != kNoExpiry) made->dict.note_deadline(hash, item.deadline);
  }
  packed.destroy(heap);
  word_ = reinterpret_cast<uintptr_t>(made) | kTableTag;
}

// The table has no fields any more.
void Hash::release_table(Heap& heap) {
  DCHECK(table().fields_bytes == 0);
  heap.destroy(&table());
  word_ = 0;
}

bool Hash::set(Heap& heap, const Limits& limits, HashSeed seed, ByteView field, ByteView value,
               Write how) {
  if (!is_table()) {
    if (const std::optional<bool> added = set_packed(heap, limits, field, value, how))
      return *added;
    become_table(heap, seed);
  }
  return set_in_table(heap, field, value, how);
}

// Nothing, and no change, if the hash would be too large for the packed form.
std::optional<bool> Hash::set_packed(Heap& heap, const Limits& limits, ByteView field,
                                     ByteView value, Write how) {
  Packed packed = run();
  const size_t longest = std::max(field.size(), value.size());
  if (longest > limits.hash_packed_value_bytes) return std::nullopt;
  const size_t bytes_max =
      packed.bytes() + Packed::entry_bytes(field.size()) + Packed::entry_bytes(value.size()) + 1;
  if (bytes_max > kPackedBytesMax) return std::nullopt;

  const At at = packed.find(field, stride());
  if (at == packed.end()) {
    const size_t fields_max = std::min(limits.hash_packed_entries, Packed::kCountMax / 3);
    if (size() >= fields_max) return std::nullopt;
    if (is_timed()) {
      packed.append(heap, {field, value, ByteView()});
    } else {
      packed.append(heap, {field, value});
    }
    set_run(packed, is_timed());
    return true;
  }
  const At value_at = packed.next(at);
  bool was_due = false;
  if (is_timed()) {
    const At deadline_at = packed.next(value_at);
    const UnixMs deadline = deadline_of(packed.get(deadline_at));
    was_due = is_due(deadline, how.now);
    // First the deadline, since it stands behind the value.
    if (deadline != kNoExpiry && (was_due || !how.keep_deadline))
      packed.replace(heap, deadline_at, {});
  }
  packed.replace(heap, value_at, value);
  set_run(packed, is_timed());
  return was_due;
}

bool Hash::set_in_table(Heap& heap, ByteView field, ByteView value, Write how) {
  Table& to = table();
  const Hash64 hash = to.dict.hash(field);
  HashField* entry = to.dict.find(field, hash);
  if (entry == nullptr) {
    HashField* made = HashField::create(heap, {field, value});
    to.fields_bytes += made->memory_bytes();
    to.dict.insert(made, hash);
    return true;
  }
  UnixMs deadline = entry->deadline();
  const bool was_due = is_due(deadline, how.now);
  to.dict.before_change(hash);
  if (deadline != kNoExpiry && (was_due || !how.keep_deadline)) {
    deadline = kNoExpiry;
    entry->set_deadline(kNoExpiry);
  }
  if (!entry->try_set_value(value))
    replace_in_table(heap, entry, hash, {entry->field(), value, deadline});
  return was_due;
}

// `old` has been announced by before_change(); the item may point into it.
void Hash::replace_in_table(Heap& heap, HashField* old, Hash64 hash, const Item& item) {
  Table& in = table();
  HashField* fresh = HashField::create(heap, item);
  in.fields_bytes += fresh->memory_bytes();
  in.fields_bytes -= old->memory_bytes();
  in.dict.replace(old, fresh, hash);
  heap.release(old);
}

bool Hash::erase(Heap& heap, ByteView field, UnixMs now) {
  if (!is_table()) {
    Packed packed = run();
    At at = packed.find(field, stride());
    if (at == packed.end()) return false;
    At after = at;
    const bool was_due = is_due(read_item(packed, after).deadline, now);
    packed.erase(heap, at, stride());
    set_run(packed, is_timed());
    return !was_due;
  }
  Table& from = table();
  HashField* entry = from.dict.take(field, from.dict.hash(field));
  if (entry == nullptr) return false;
  const bool was_due = is_due(entry->deadline(), now);
  from.fields_bytes -= entry->memory_bytes();
  heap.release(entry);
  if (from.dict.empty()) release_table(heap);
  return !was_due;
}

bool Hash::set_deadline(Heap& heap, ByteView field, UnixMs when, UnixMs now) {
  if (!is_table()) {
    Packed packed = run();
    At at = packed.find(field, stride());
    if (at == packed.end()) return false;
    if (!is_timed()) {
      if (when == kNoExpiry) return true;
      become_timed(heap);
      packed = run();
      at = packed.find(field, stride());
    }
    const At deadline_at = packed.skip(at, 2);
    if (is_due(deadline_of(packed.get(deadline_at)), now)) return false;
    packed.replace(heap, deadline_at, deadline_bytes(when));
    set_run(packed, /*timed=*/true);
    return true;
  }
  Table& in = table();
  const Hash64 hash = in.dict.hash(field);
  HashField* entry = in.dict.find(field, hash);
  if (entry == nullptr || is_due(entry->deadline(), now)) return false;
  if (entry->has_place_for_deadline()) {
    in.dict.before_change(hash);
    entry->set_deadline(when);
  } else if (when != kNoExpiry) {
    in.dict.before_change(hash);
    replace_in_table(heap, entry, hash, {entry->field(), entry->value(), when});
  }
  if (when != kNoExpiry) in.dict.note_deadline(hash, when);
  return true;
}

size_t Hash::expire_due(Heap& heap, UnixMs now, size_t& budget,
                        FunctionRef<void(ByteView field)> fn) {
  size_t expired = 0;
  if (is_table()) {
    Table& from = table();
    while (HashField* due = from.dict.find_due(now, budget)) {
      fn(due->field());
      const ByteView field = due->field();
      (void)from.dict.take(field, from.dict.hash(field));
      from.fields_bytes -= due->memory_bytes();
      heap.release(due);
      ++expired;
    }
    if (from.dict.empty()) release_table(heap);
    return expired;
  }
  if (!is_timed()) return 0;
  Packed packed = run();
  // Only what goes counts: every walk begins at the front, so one that was cut short by those that
  // stay would never come to those behind them.
  for (At at = packed.begin(); at != packed.end() && budget > 0;) {
    At after = at;
    const Item item = read_item(packed, after);
    if (!is_due(item.deadline, now)) {
      at = after;
      continue;
    }
    fn(item.field);
    at = packed.erase(heap, at, stride());
    --budget;
    ++expired;
  }
  set_run(packed, /*timed=*/true);
  return expired;
}

std::optional<ByteView> Hash::get(ByteView field, UnixMs now) const {
  if (const std::optional<Item> item = find(field, now)) return item->value;
  return std::nullopt;
}

std::optional<Hash::Item> Hash::find(ByteView field, UnixMs now) const {
  Item item;
  if (is_table()) {
    const HashField* entry = table().dict.find(field);
    if (entry == nullptr) return std::nullopt;
    item = entry->content();
  } else {
    const Packed packed = run();
    At at = packed.find(field, stride());
    if (at == packed.end()) return std::nullopt;
    item = read_item(packed, at);
  }
  if (is_due(item.deadline, now)) return std::nullopt;
  return item;
}

size_t Hash::size() const noexcept {
  return is_table() ? table().dict.size() : run().count() / stride();
}

UnixMs Hash::next_deadline() const {
  if (is_table()) return table().dict.next_deadline();
  UnixMs least = kNever;
  if (!is_timed()) return least;
  const Packed packed = run();
  for (At at = packed.begin(); at != packed.end();) {
    const UnixMs deadline = read_item(packed, at).deadline;
    if (deadline != kNoExpiry) least = std::min(least, deadline);
  }
  return least;
}

void Hash::for_each(FunctionRef<void(const Item&)> fn, UnixMs now) const {
  if (is_table()) {
    table().dict.for_each([&](HashField& entry) {
      const Item item = entry.content();
      if (!is_due(item.deadline, now)) fn(item);
    });
    return;
  }
  const Packed packed = run();
  for (At at = packed.begin(); at != packed.end();) {
    const Item item = read_item(packed, at);
    if (!is_due(item.deadline, now)) fn(item);
  }
}

uint64_t Hash::scan(uint64_t cursor, FunctionRef<void(const Item&)> fn, UnixMs now) const {
  if (is_table()) {
    return table().dict.scan(cursor, [&](HashField& entry) {
      const Item item = entry.content();
      if (!is_due(item.deadline, now)) fn(item);
    });
  }
  for_each(fn, now);
  return 0;
}

size_t Hash::memory_bytes() const noexcept {
  if (!is_table()) return run().memory_bytes();
  return Heap::usable_bytes(&table()) + table().dict.memory_bytes() + table().fields_bytes;
}

void Hash::destroy(Heap& heap) {
  size_t budget = ~size_t{0};
  CHECK(free_some(heap, budget));
}

bool Hash::free_some(Heap& heap, size_t& budget) {
  if (empty()) return true;
  if (is_table()) {
    Table& from = table();
    const bool done = from.dict.free_some(budget, [&](HashField* entry) {
      from.fields_bytes -= entry->memory_bytes();
      heap.release(entry);
    });
    if (done) release_table(heap);
    return done;
  }
  if (budget == 0) return false;
  --budget;
  Packed packed = run();
  packed.destroy(heap);
  word_ = 0;
  return true;
}

Hash Hash::copy(Heap& heap) const {
  Hash made;
  if (!is_table()) {
    made.set_run(run().copy(heap), is_timed());
    return made;
  }
  made.become_table(heap, table().seed);
  Table& to = made.table();
  table().dict.for_each([&](HashField& entry) {
    const Item item = entry.content();
    HashField* fresh = HashField::create(heap, item);
    to.fields_bytes += fresh->memory_bytes();
    const Hash64 hash = to.dict.hash(item.field);
    to.dict.insert(fresh, hash);
    if (item.deadline != kNoExpiry) to.dict.note_deadline(hash, item.deadline);
  });
  return made;
}

void Hash::check_invariants() const {
  if (!is_table()) {
    const Packed packed = run();
    packed.check_invariants();
    CHECK(packed.count() % stride() == 0);
    for (At at = packed.begin(); at != packed.end();) {
      const At here = at;
      CHECK(packed.find(read_item(packed, at).field, stride()) == here);
    }
    return;
  }
  const Table& in = table();
  in.dict.check_invariants();
  CHECK(!in.dict.empty());
  size_t bytes = 0;
  in.dict.for_each([&](HashField& entry) {
    bytes += entry.memory_bytes();
    if (entry.deadline() != kNoExpiry) CHECK(in.dict.next_deadline() <= entry.deadline());
  });
  CHECK(bytes == in.fields_bytes);
}

}  // namespace ouro
