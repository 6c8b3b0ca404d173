// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/lazy_free.h"

#include <utility>

namespace ouro {
namespace {

constexpr size_t kNoLimit = ~size_t{0};

void free_entry(Heap& heap, Entry* entry, size_t& budget) {
  Value value{.kind = entry->kind()};
  if (value.kind != Kind::kEmbedded) value.payload = entry->payload();
  heap.release(entry);
  // One entry's value is freed whole: a table of huge values is rare, and its walk would need a
  // place to stop in each.
  size_t all = kNoLimit;
  value.free_some(heap, all);
  const size_t spent = kNoLimit - all;
  budget -= spent < budget ? spent : budget;
}

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

bool LazyFree::run(size_t budget) {
  while (!values_.empty()) {
    if (budget == 0) return false;
    if (!values_.front().free_some(heap_, budget)) return false;
    values_.pop_front();
    --pending_;
    ++freed_;
    if (budget > 0) --budget;
  }
  while (!tables_.empty()) {
    if (budget == 0) return false;
    Dict<Entry>& table = *tables_.front();
    const size_t before = table.size();
    size_t entries = budget < 1024 ? budget : 1024;
    const bool done =
        table.free_some(entries, [&](Entry* entry) { free_entry(heap_, entry, budget); });
    pending_ -= before - table.size();
    freed_ += before - table.size();
    budget -= before - table.size() < budget ? before - table.size() : budget;
    if (done) tables_.pop_front();
  }
  return true;
}

}  // namespace ouro
