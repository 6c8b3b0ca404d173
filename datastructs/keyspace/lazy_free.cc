// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/lazy_free.h"

#include <algorithm>
#include <utility>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

constexpr size_t kNoLimit = ~size_t{0};
// Memory goes back to the system page by page: this much costs as much as one allocation.
constexpr size_t kBytesAUnit = 2048;
// So many allocations are freed before their bytes are counted.
constexpr size_t kStep = 16;

void spend(size_t& budget, size_t units) { budget -= std::min(budget, units); }

}  // namespace

LazyFree::~LazyFree() {
  run(kNoLimit);
  CHECK(empty());
}

void LazyFree::add(Value value) {
  push(value);
  ++pending_;
}

void LazyFree::add(std::unique_ptr<Dict<Entry>> table) {
  pending_ += table->size();
  tables_.push_back({.table = std::move(table)});
}

// A string is pinned by those who read it, but for views, and knows itself who keeps it.
LazyFree::WaitingValue LazyFree::waiting_of(Value value) {
  const bool is_viewed = value.has_views();
  const bool is_read = is_viewed || (heap_.has_shares() && value.kind != Kind::kBlob);
  const size_t kept_bytes = is_read ? value.memory_bytes() : 0;
  heap_.note_kept(kept_bytes);
  return {.value = value, .is_viewed = is_viewed, .kept_bytes = kept_bytes};
}

void LazyFree::free_read(Value value) {
  if (value.has_views()) return add(value);
  WaitingValue its = waiting_of(value);
  size_t budget = kNoLimit;
  CHECK(free_some(its, kNoLimit, budget));
}

Value LazyFree::share_of(const Entry& entry) {
  const size_t before = heap_.own_bytes();
  const Value share = Value::share_of(heap_, entry);
  heap_.add_share(heap_.own_bytes() - before);
  return share;
}

void LazyFree::add_share(Value share) {
  WaitingValue its{.value = share, .is_share = true};
  size_t budget = kEffortMin;
  if (free_some(its, kEffortMin, budget)) return;
  values_.push_back(its);
  ++pending_;
}

void LazyFree::count_freed() {
  --pending_;
  ++freed_;
}

// Frees up to `most` allocations of a value and lowers the budget by them and their bytes; true
// when nothing is left of it. What it had and neither freed nor left by a word is with its shares.
bool LazyFree::free_some(WaitingValue& waiting, size_t most, size_t& budget) {
  const size_t used = heap_.used_bytes();
  const size_t own = heap_.own_bytes();
  size_t left = most;
  const bool done = waiting.value.free_some(heap_, left);
  spend(budget, most - left + (used - heap_.used_bytes()) / kBytesAUnit);
  const size_t gone = own - heap_.own_bytes();
  if (waiting.is_share) {
    heap_.shrink_share(gone);
    if (done) heap_.drop_share();
  } else if (waiting.kept_bytes > 0) {
    const size_t returned = std::min(gone, waiting.kept_bytes);
    waiting.kept_bytes -= returned;
    heap_.note_returned(returned);
    if (!done) return false;
    heap_.note_returned(waiting.kept_bytes);
    heap_.note_left(waiting.kept_bytes);
  }
  return done;
}

bool LazyFree::free_values(size_t& budget) {
  for (auto waiting = values_.begin(); waiting != values_.end();) {
    if (budget == 0) return false;
    if (waiting->value.has_views()) {
      ++waiting;
      continue;
    }
    if (waiting->is_viewed) heap_.note_returned(std::exchange(waiting->kept_bytes, 0));
    if (!free_some(*waiting, std::min(budget, kStep), budget)) continue;
    waiting = values_.erase(waiting);
    count_freed();
    spend(budget, 1);
  }
  return true;
}

bool LazyFree::free_tables(size_t& budget) {
  for (auto waiting = tables_.begin(); waiting != tables_.end();) {
    if (budget == 0) return false;
    if (waiting->table->has_views()) {
      if (!weigh(*waiting, budget)) return false;
      ++waiting;
      continue;
    }
    heap_.note_returned(std::exchange(waiting->kept_bytes, 0));
    if (free_entries(*waiting->table, kEffortMin, budget)) waiting = tables_.erase(waiting);
    // Large values of it come first: there are no more of them than it takes.
    if (!free_values(budget)) return false;
  }
  return true;
}

// Counts what a table has that cannot be freed yet; true when all of it is counted.
bool LazyFree::weigh(WaitingTable& waiting, size_t& budget) {
  if (waiting.is_weighed) return true;
  size_t bytes = waiting.cursor == 0 ? waiting.table->memory_bytes() : 0;
  do {
    size_t units = 1;
    waiting.cursor = waiting.table->scan(waiting.cursor, [&](const Entry& entry) {
      bytes += entry.memory_bytes();
      ++units;
    });
    spend(budget, units);
  } while (waiting.cursor != 0 && budget > 0);
  waiting.is_weighed = waiting.cursor == 0;
  waiting.kept_bytes += bytes;
  heap_.note_kept(bytes);
  return waiting.is_weighed;
}

// Takes entries out of a table until the budget or the table ends; true when it is freed. Larger
// values go into the queue of values, which knows how to stop inside one, and whom to spare.
bool LazyFree::free_entries(Dict<Entry>& table, size_t effort_max, size_t& budget) {
  return table.free_some(budget, [&](Entry* entry) {
    Value value = Value::of(*entry);
    heap_.release(entry);
    if (value.free_effort() > effort_max || value.has_views()) {
      push(value);
      return;
    }
    WaitingValue its = waiting_of(value);
    CHECK(free_some(its, kNoLimit, budget));
    count_freed();
  });
}

void LazyFree::free_now(std::unique_ptr<Dict<Entry>> table) {
  if (table->has_views()) return add(std::move(table));
  pending_ += table->size();
  const uint64_t freed = freed_;
  for (size_t budget = kNoLimit; !free_entries(*table, kNoLimit, budget);) budget = kNoLimit;
  freed_ = freed;
}

bool LazyFree::run(size_t budget) { return free_values(budget) && free_tables(budget); }

}  // namespace ouro
