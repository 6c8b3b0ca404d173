// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/watch.h"

#include <algorithm>

namespace ouro {

void Watch::add(Caller& caller, DbIndex db, ByteView key, bool was_due) {
  for (const WatchedKey& watched : caller.watched) {
    if (watched.db == db && watched.key == key) return;
  }
  caller.watched.push_back({db, std::string(key), was_due});
  callers_[{db, std::string(key)}].push_back(&caller);
}

void Watch::clear(Caller& caller) {
  for (const WatchedKey& watched : caller.watched) {
    const auto found = callers_.find({watched.db, watched.key});
    if (found == callers_.end()) continue;
    std::erase(found->second, &caller);
    if (found->second.empty()) callers_.erase(found);
  }
  caller.watched.clear();
  caller.watch_broken = false;
}

void Watch::on_changed(DbIndex db, ByteView key) {
  const auto found = callers_.find({db, std::string(key)});
  if (found == callers_.end()) return;
  for (Caller* caller : found->second) caller->watch_broken = true;
}

}  // namespace ouro
