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

void LazyFree::push(Value value) {
  const size_t kept_bytes = value.has_views() ? value.memory_bytes() : 0;
  heap_.note_kept(kept_bytes);
  values_.push_back({value, kept_bytes});
}

void LazyFree::add(std::unique_ptr<Dict<Entry>> table) {
  pending_ += table->size();
  tables_.push_back(std::move(table));
}

void LazyFree::count_freed() {
  --pending_;
  ++freed_;
}

// Frees up to `most` allocations of a value and lowers the budget by them and their bytes; true
// when nothing is left of it.
bool LazyFree::free_some(Value& value, size_t most, size_t& budget) {
  const size_t bytes = heap_.used_bytes();
  size_t left = most;
  const bool done = value.free_some(heap_, left);
  spend(budget, most - left + (bytes - heap_.used_bytes()) / kBytesAUnit);
  return done;
}

bool LazyFree::free_values(size_t& budget) {
  for (auto waiting = values_.begin(); waiting != values_.end();) {
    if (budget == 0) return false;
    if (waiting->value.has_views()) {
      ++waiting;
      continue;
    }
    heap_.note_returned(std::exchange(waiting->kept_bytes, 0));
    if (!free_some(waiting->value, std::min(budget, kStep), budget)) continue;
    waiting = values_.erase(waiting);
    count_freed();
    spend(budget, 1);
  }
  return true;
}

bool LazyFree::free_tables(size_t& budget) {
  for (auto table = tables_.begin(); table != tables_.end();) {
    if (budget == 0) return false;
    if ((*table)->has_views()) {
      ++table;
      continue;
    }
    if (free_entries(**table, kEffortMin, budget)) table = tables_.erase(table);
    // Large values of it come first: there are no more of them than it takes.
    if (!free_values(budget)) return false;
  }
  return true;
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
    CHECK(free_some(value, kNoLimit, budget));
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
