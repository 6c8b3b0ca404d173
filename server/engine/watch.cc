// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/watch.h"

#include <algorithm>

namespace ouro {
namespace {

// A key and its watchers stand in a node of a tree, the key again with its watcher.
size_t bytes_of(ByteView key) {
  constexpr size_t kLinksBytes = 4 * sizeof(void*);
  return kLinksBytes + sizeof(std::pair<DbIndex, std::string>) + sizeof(std::vector<Caller*>) +
         2 * sizeof(void*) + sizeof(WatchedKey) + 2 * key.size();
}

}  // namespace

Watch::Watchers::iterator Watch::find(Watchers& watchers, const Caller& caller) {
  return std::find_if(watchers.begin(), watchers.end(),
                      [&](const Watcher& watcher) { return watcher.caller == &caller; });
}

void Watch::add(Caller& caller, DbIndex db, ByteView key, bool was_due) {
  Watchers& watchers = callers_[{db, std::string(key)}];
  if (find(watchers, caller) != watchers.end()) return;
  watchers.push_back({&caller, was_due});
  caller.watched.push_back({db, std::string(key)});
  caller.watched_bytes += bytes_of(key);
  held_.add(bytes_of(key));
}

bool Watch::was_due(const Caller& caller, const WatchedKey& key) {
  return find(callers_.at({key.db, key.key}), caller)->was_due;
}

void Watch::clear(Caller& caller) {
  for (const WatchedKey& watched : caller.watched) {
    const auto found = callers_.find({watched.db, watched.key});
    found->second.erase(find(found->second, caller));
    if (found->second.empty()) callers_.erase(found);
  }
  // Their room goes, too: most callers watch once and seldom again.
  caller.watched = {};
  held_.remove(std::exchange(caller.watched_bytes, 0));
  caller.watch_broken = false;
}

void Watch::on_changed(DbIndex db, ByteView key, Presence after) {
  const auto found = callers_.find({db, std::string(key)});
  if (found == callers_.end()) return;
  for (Watcher& watcher : found->second) note(watcher, Presence::kAlive, after);
}

void Watch::note(Watcher& watcher, Presence before, Presence after) {
  if (before == Presence::kAbsent && after == Presence::kAbsent) return;
  if (watcher.was_due && after != Presence::kAlive) {
    // It was as good as gone, and still is.
    watcher.was_due = after == Presence::kDue;
    return;
  }
  if (before == Presence::kAbsent && after == Presence::kDue) {
    watcher.was_due = true;
    return;
  }
  watcher.caller->watch_broken = true;
}

}  // namespace ouro
