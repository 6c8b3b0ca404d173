// SPDX-License-Identifier: BSD-3-Clause
// The end of hash fields by the clock. As with keys, only a primary decides it, and leaves HDEL of
// what went, ahead of the effect of the command that noticed.
#include <string>
#include <vector>

#include "server/engine/engine.h"

namespace ouro {
namespace {

// One effect stays well below the argument limit of a reader of the log.
constexpr size_t kFieldsOfEffectMax = 1024;

}  // namespace

bool Engine::expire_named(DbIndex db, const Key& key, Hash& hash, Argv fields) {
  std::vector<ByteView> argv = {"HDEL", key.bytes};
  dbs[db].before_change(key);
  for (const ByteView field : fields) {
    const auto item = hash.find(field);
    if (!item || item->deadline == kNoExpiry || item->deadline > wall_) continue;
    // Due for us, but to be removed whatever the clock says.
    CHECK(hash.erase(heap, field));
    argv.push_back(field);
  }
  const size_t count = argv.size() - 2;
  if (count == 0) return false;
  commit.add_first(db, argv);
  return after_fields_expired(db, key, hash, count);
}

bool Engine::expire_fields(DbIndex db, const Key& key, Hash& hash, size_t& budget) {
  std::vector<std::string> names;
  const auto log_names = [&] {
    if (names.empty()) return;
    std::vector<ByteView> argv = {"HDEL", key.bytes};
    argv.insert(argv.end(), names.begin(), names.end());
    commit.add_first(db, argv);
    names.clear();
  };
  dbs[db].before_change(key);
  const bool logged = commit.wanted();
  const size_t count = hash.expire_due(heap, wall_, budget, [&](ByteView field) {
    if (!logged) return;
    names.emplace_back(field);
    if (names.size() == kFieldsOfEffectMax) log_names();
  });
  log_names();
  return count > 0 && after_fields_expired(db, key, hash, count);
}

bool Engine::after_fields_expired(DbIndex db, const Key& key, const Hash& hash, size_t count) {
  stats.expired_fields += count;
  key_changed(db, key, Event::kHash, "hexpired");
  if (!hash.empty()) return false;
  dbs[db].erase(key, Freeing::kNow);
  key_changed(db, key, Event::kGeneric, "del");
  return true;
}

}  // namespace ouro
