// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/lazy_free.h"

#include <algorithm>
#include <utility>

namespace ouro {
namespace {

constexpr size_t kNoLimit = ~size_t{0};
// Memory goes back to the system page by page: this much costs as much as one allocation.
constexpr size_t kBytesAUnit = 2048;
// So many allocations are freed before their bytes are counted.
constexpr size_t kStep = 16;

void spend(size_t& budget, size_t units) { budget -= std::min(budget, units); }

}  // namespace

LazyFree::~LazyFree() { run(kNoLimit); }

void LazyFree::add(Value value) {
  values_.push_back(value);
  ++pending_;
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
  while (!values_.empty()) {
    if (budget == 0) return false;
    if (!free_some(values_.front(), std::min(budget, kStep), budget)) continue;
    values_.pop_front();
    count_freed();
    spend(budget, 1);
  }
  return true;
}

// Takes entries out of the first table until the budget or the table ends. Large values go into the
// queue of values, which knows how to stop inside one.
void LazyFree::free_entries(size_t& budget) {
  const bool done = tables_.front()->free_some(budget, [&](Entry* entry) {
    Value value{.kind = entry->kind()};
    if (value.kind != Kind::kEmbedded) value.payload = entry->payload();
    heap_.release(entry);
    if (value.free_effort() > kEffortMin) {
      values_.push_back(value);
      return;
    }
    CHECK(free_some(value, kNoLimit, budget));
    count_freed();
  });
  if (done) tables_.pop_front();
}

bool LazyFree::run(size_t budget) {
  while (free_values(budget) && !tables_.empty() && budget > 0) free_entries(budget);
  return empty();
}

}  // namespace ouro
