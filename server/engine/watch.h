// SPDX-License-Identifier: BSD-3-Clause
// WATCH: which callers want to know that a key changed before their EXEC. Costs nothing while nobody watches.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "server/engine/caller.h"

namespace ouro {

class Watch {
 public:
  // Watching a key twice is watching it once.
  void add(Caller& caller, DbIndex db, ByteView key, bool was_due);
  // Forgets all keys of a caller, and that one of them changed.
  void clear(Caller& caller);

  bool active() const { return !callers_.empty(); }
  void on_changed(DbIndex db, ByteView key);
  // A whole database changes at once: `exists(key)` tells whether a watched key is there before or after it.
  template <class Exists>
  void on_database_changed(DbIndex db, Exists&& exists) {
    for (auto& [where, watchers] : callers_) {
      if (where.first != db || !exists(ByteView(where.second))) continue;
      for (Caller* caller : watchers) caller->watch_broken = true;
    }
  }
  size_t key_count() const { return callers_.size(); }

 private:
  std::map<std::pair<DbIndex, std::string>, std::vector<Caller*>> callers_;
};

}  // namespace ouro
