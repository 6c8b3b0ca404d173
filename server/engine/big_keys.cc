// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/big_keys.h"

#include <algorithm>
#include <utility>

#include "server/engine/engine.h"

namespace ouro {
namespace {

// Up to so many keys are walked at once; a few milliseconds.
constexpr size_t kAtOnceMax = 10'000;
constexpr size_t kSliceKeys = 2'000;

// Of what consists of elements; 0 of what does not.
size_t element_count(const Entry& entry) {
  switch (entry.type()) {
    case Type::kList:
      return entry.as<List>().size();
    case Type::kSet:
      return entry.as<Set>().size();
    case Type::kZSet:
      return entry.as<ZSet>().size();
    case Type::kHash:
      return entry.as<Hash>().size();
    case Type::kStream:
      return entry.as<Stream>().size();
    default:
      return 0;
  }
}

bool is_larger(const BigKeys::Item& a, const BigKeys::Item& b) { return a.size > b.size; }

}  // namespace

const BigKeys::Report& BigKeys::ask() {
  if (!walks_) {
    walks_ = true;
    found_ = {};
    db_ = 0;
    cursor_ = 0;
    if (engine_.dbs.size() <= kAtOnceMax) walk(SIZE_MAX);
  }
  return report_;
}

bool BigKeys::run_slice() {
  if (walks_) walk(kSliceKeys);
  return walks_;
}

void BigKeys::walk(size_t keys_max) {
  size_t seen = 0;
  while (db_ < engine_.dbs.count()) {
    if (seen >= keys_max) return;
    ++seen;  // an empty bucket costs, too
    cursor_ = engine_.dbs[db_].scan(cursor_, [&](const Entry& entry) {
      ++seen;
      look_at(entry);
    });
    if (cursor_ == 0) ++db_;
  }
  for (std::vector<Item>* items : {&found_.by_bytes, &found_.by_elements})
    std::sort(items->begin(), items->end(), is_larger);
  found_.ended = engine_.now();
  report_ = std::exchange(found_, {});
  walks_ = false;
}

void BigKeys::look_at(const Entry& entry) {
  ++found_.key_count;
  keep(found_.by_bytes, entry.memory_bytes(), db_, entry);
  if (const size_t count = element_count(entry); count > 0)
    keep(found_.by_elements, count, db_, entry);
}

void BigKeys::keep(std::vector<Item>& items, size_t size, DbIndex db, const Entry& entry) {
  if (items.size() == kKept && size <= items.front().size) return;
  // A walk comes by twice where the table grows meanwhile.
  for (const Item& item : items) {
    if (item.db == db && item.key == entry.key()) return;
  }
  if (items.size() == kKept) {
    std::pop_heap(items.begin(), items.end(), is_larger);
    items.pop_back();
  }
  items.push_back({size, db, entry.type(), std::string(entry.key())});
  std::push_heap(items.begin(), items.end(), is_larger);
}

}  // namespace ouro
