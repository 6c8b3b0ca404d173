// SPDX-License-Identifier: BSD-3-Clause
// WATCH: which callers want to know that a key changed before their EXEC. Costs nothing while
// nobody watches.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "datastructs/base/memory.h"
#include "server/engine/caller.h"

namespace ouro {

class Watch {
 public:
  explicit Watch(Heap& heap) : held_(heap) {}

  // Watching a key twice is watching it once.
  void add(Caller& caller, DbIndex db, ByteView key, bool was_due);
  // Forgets all keys of a caller, and that one of them changed.
  void clear(Caller& caller);

  bool active() const { return !callers_.empty(); }

  // What a key is at a moment: a due one is there, though nobody sees it.
  enum class Presence : uint8_t { kAbsent, kDue, kAlive };

  // `after`: what the key is now. A key that was due when WATCH came and is removed now has not
  // changed.
  void on_changed(DbIndex db, ByteView key, Presence after);
  // A whole database changes at once; before(key) and after(key) tell what a watched key was and
  // will be.
  template <class Before, class After>
  void on_database_changed(DbIndex db, Before&& before, After&& after) {
    for (auto& [where, watchers] : callers_) {
      if (where.first != db) continue;
      for (Watcher& watcher : watchers)
        note(watcher, before(ByteView(where.second)), after(ByteView(where.second)));
    }
  }
  // Whether a key that the caller watches was due when it began to.
  bool was_due(const Caller& caller, const WatchedKey& key);
  size_t key_count() const { return callers_.size(); }

 private:
  struct Watcher {
    Caller* caller;
    bool was_due;  // expired already when WATCH came: its removal later is no change
  };
  using Watchers = std::vector<Watcher>;  // of one key; each caller once

  static Watchers::iterator find(Watchers& watchers, const Caller& caller);
  static void note(Watcher& watcher, Presence before, Presence after);

  std::map<std::pair<DbIndex, std::string>, Watchers> callers_;
  HeapShare held_;  // Caller::watched_bytes of all
};

}  // namespace ouro
