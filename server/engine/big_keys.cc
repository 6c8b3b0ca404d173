// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/big_keys.h"

#include <algorithm>
#include <utility>

namespace ouro {
namespace {

bool is_larger(const BigKeys::Item& a, const BigKeys::Item& b) { return a.size > b.size; }

}  // namespace

const BigKeys::Report& BigKeys::ask() {
  begin();
  return report_;
}

void BigKeys::on_begin(uint32_t /*db_count*/) { found_ = {}; }

void BigKeys::on_key(DbIndex db, const Entry& entry) {
  ++found_.key_count;
  keep(found_.by_bytes, entry.memory_bytes(), db, entry);
  if (const size_t count = element_count(entry); count > 0)
    keep(found_.by_elements, count, db, entry);
}

void BigKeys::on_end(UnixMs now) {
  for (std::vector<Item>* items : {&found_.by_bytes, &found_.by_elements})
    std::sort(items->begin(), items->end(), is_larger);
  found_.ended = now;
  report_ = std::exchange(found_, {});
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
