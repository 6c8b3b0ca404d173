// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/watch.h"

#include <algorithm>

namespace ouro {
namespace {

// A key and its watchers stand in a node of a tree, the key again with its watcher.
size_t bytes_of(ByteView key) {
  constexpr size_t kLinksBytes = 4 * sizeof(void*);
  return kLinksBytes + sizeof(std::pair<DbIndex, std::string>) + sizeof(std::vector<Caller*>) +
         sizeof(Caller*) + sizeof(WatchedKey) + 2 * key.size();
}

}  // namespace

void Watch::add(Caller& caller, DbIndex db, ByteView key, bool was_due) {
  for (const WatchedKey& watched : caller.watched) {
    if (watched.db == db && watched.key == key) return;
  }
  caller.watched.push_back({db, std::string(key), was_due});
  caller.watched_bytes += bytes_of(key);
  callers_[{db, std::string(key)}].push_back(&caller);
}

void Watch::clear(Caller& caller) {
  for (const WatchedKey& watched : caller.watched) {
    const auto found = callers_.find({watched.db, watched.key});
    if (found == callers_.end()) continue;
    std::erase(found->second, &caller);
    if (found->second.empty()) callers_.erase(found);
  }
  // Their room goes, too: most callers watch once and seldom again.
  caller.watched = {};
  caller.watched_bytes = 0;
  caller.watch_broken = false;
}

void Watch::on_changed(DbIndex db, ByteView key, Presence after) {
  const auto found = callers_.find({db, std::string(key)});
  if (found == callers_.end()) return;
  for (Caller* caller : found->second) note(*caller, db, key, Presence::kAlive, after);
}

void Watch::note(Caller& caller, DbIndex db, ByteView key, Presence before, Presence after) {
  if (before == Presence::kAbsent && after == Presence::kAbsent) return;
  const auto watched =
      std::find_if(caller.watched.begin(), caller.watched.end(),
                   [&](const WatchedKey& each) { return each.db == db && each.key == key; });
  if (watched->was_due && after != Presence::kAlive) {
    // It was as good as gone, and still is.
    watched->was_due = after == Presence::kDue;
    return;
  }
  if (before == Presence::kAbsent && after == Presence::kDue) {
    watched->was_due = true;
    return;
  }
  caller.watch_broken = true;
}

}  // namespace ouro
