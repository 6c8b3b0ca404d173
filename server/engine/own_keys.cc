// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/own_keys.h"

#include "server/engine/engine.h"

namespace ouro {

void OwnKeys::note_write(DbIndex db, const CommandSpec& spec, Argv argv) {
  (void)for_each_key(spec, argv, [&](size_t index, KeyUse) {
    const Keyspace& keyspace = engine_.dbs[db];
    const Entry* entry = keyspace.find(keyspace.key(argv[index]));
    if (entry != nullptr && entry->has_deadline()) keys_.emplace(db, argv[index]);
  });
}

void OwnKeys::run_slice() {
  for (int look = 0; look < kLooks && !keys_.empty(); ++look) {
    auto at = keys_.lower_bound(next_);
    if (at == keys_.end()) at = keys_.begin();
    const auto& [db, name] = *at;
    const Key key = engine_.dbs[db].key(name);
    const Entry* entry = engine_.dbs[db].find(key);
    const bool is_due = entry != nullptr && entry->is_due(engine_.now());
    if (is_due) engine_.expire_key(db, key, *entry);
    const bool is_over = is_due || entry == nullptr || !entry->has_deadline();
    next_ = *at;
    next_.second += '\0';
    if (is_over) keys_.erase(at);
  }
}

}  // namespace ouro
