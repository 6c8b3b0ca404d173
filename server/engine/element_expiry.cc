// SPDX-License-Identifier: BSD-3-Clause
// The end of elements of collections by the clock: fields of hashes, members of sets and sorted
// sets. As with keys, only a primary decides it, and leaves HDEL, SREM or ZREM of what went, ahead
// of the effect of the command that noticed.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/engine/engine.h"

namespace ouro {
namespace {

// What is told of elements that went.
struct Removal {
  ByteView command;
  Event event_class;
  ByteView event;
};
constexpr Removal kFieldsEnded{"HDEL", Event::kHash, "hexpired"};
constexpr Removal kMembersEnded{"SREM", Event::kSet, "srem"};
constexpr Removal kScoredEnded{"ZREM", Event::kZSet, "zrem"};

// So many places are looked at between two looks at the time: what an element costs depends on what
// of it is in the caches, and on whether its free empties a page of the allocator.
constexpr size_t kExpireStep = 64;

}  // namespace

bool Engine::expire_named(DbIndex db, const Key& key, Hash& hash, Argv fields) {
  std::vector<ByteView> argv = {kFieldsEnded.command, key.bytes};
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
  key_changed(db, key, kFieldsEnded.event_class, kFieldsEnded.event);
  if (tells_fields())
    pubsub.notify_fields(db, key.bytes, kFieldsEnded.event, Argv(argv).subspan(2));
  return after_elements_expired(db, key, hash.empty(), count);
}

bool Engine::are_due_members_gone(DbIndex db, const Key& key, Ends ends) {
  // A replica shows them until its primary says that they have ended.
  if (replication.follows()) return true;
  Entry* entry = dbs[db].find(key);
  if (entry == nullptr) return true;
  const bool with_fields = ends == Ends::kMembersAndFields && entry->type() == Type::kHash;
  const auto has_due = [&] {
    return with_fields ? !entry->is_due(wall_) && entry->next_element_deadline() <= wall_
                       : shows_due_members(*entry);
  };
  if (!has_due()) return true;
  if (ends == Ends::kNone || !has_time_for_ends()) return false;
  // In pieces of their size, as in the slice at the turn's end: kept for later, the pages of a
  // million members would go in one turn.
  host.return_memory_at_once(/*wanted=*/true);
  const bool gone = expire_some_elements(db, key, *entry) || !has_due();
  host.return_memory_at_once(/*wanted=*/false);
  close_group(GroupKind::kCommand);
  return gone;
}

bool Engine::expire_elements(DbIndex db, const Key& key, Entry& entry, ExpiryShare& share) {
  const auto expire_in = [&](auto& collection, const Removal& removal) {
    const bool logged = commit.wanted();
    const bool told = removal.event_class == Event::kHash && tells_fields();
    bool key_is_told = false;
    const auto tell_key = [&] {
      if (!std::exchange(key_is_told, true))
        key_changed(db, key, removal.event_class, removal.event);
    };
    std::vector<std::string> names;
    const auto tell_names = [&] {
      if (names.empty()) return;
      std::vector<ByteView> argv = {removal.command, key.bytes};
      argv.insert(argv.end(), names.begin(), names.end());
      if (logged) commit.add_first(db, argv);
      if (told) {
        tell_key();
        pubsub.notify_fields(db, key.bytes, removal.event, Argv(argv).subspan(2));
      }
      names.clear();
    };
    dbs[db].before_change(key);
    const auto note = [&](ByteView name) {
      if (!logged && !told) return;
      names.emplace_back(name);
      if (names.size() == kEffectElementsMax) tell_names();
    };
    size_t count = 0;
    for (bool is_cut = share.places > 0; is_cut;) {
      const uint64_t started = stopwatch.ticks();
      const size_t step = std::min(share.places, kExpireStep);
      size_t left = step;
      count += collection.expire_due(heap, wall_, left, note);
      share.places -= step - left;
      share.ticks -= std::min(share.ticks, stopwatch.ticks() - started);
      if (share.ticks == 0) share.places = 0;
      is_cut = left == 0 && share.places > 0 && !collection.empty();
    }
    tell_names();
    if (count == 0) return false;
    tell_key();
    return after_elements_expired(db, key, collection.empty(), count);
  };
  switch (entry.type()) {
    case Type::kHash:
      return expire_in(entry.as<Hash>(), kFieldsEnded);
    case Type::kSet:
      return expire_in(entry.as<Set>(), kMembersEnded);
    case Type::kZSet:
      return expire_in(entry.as<ZSet>(), kScoredEnded);
    default:
      OURO_UNREACHABLE();
  }
}

bool Engine::after_elements_expired(DbIndex db, const Key& key, bool empty, size_t count) {
  stats.expired_elements += count;
  if (!empty) return false;
  dbs[db].erase(key, Freeing::kNow);
  key_changed(db, key, Event::kGeneric, "del");
  return true;
}

}  // namespace ouro
