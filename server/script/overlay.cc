// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/overlay.h"

#include <algorithm>

namespace ouro {
namespace {

constexpr const char* kNoWayBackText =
    "ERR this command cannot be taken back: use SCRIPT DEBUG SYNC to debug a script that calls it";
constexpr const char* kTooMuchText =
    "ERR too much is changed in a debugging session whose changes are taken back: use SCRIPT DEBUG "
    "SYNC";

}  // namespace

Overlay::~Overlay() {
  for (Held& held : held_) {
    if (held.value) engine_.dbs.lazy_free().add(*held.value);
  }
  engine_.rehearsed_bytes -= value_bytes_;
}

void Overlay::enter() {
  engine_.commit.mute();
  engine_.rehearses = true;
  changes_before_ = engine_.changes;
  exchange();
}

void Overlay::leave() {
  exchange();
  engine_.changes = changes_before_;
  engine_.rehearses = false;
  engine_.commit.unmute();
}

void Overlay::exchange() {
  for (Held& held : held_) exchange(held);
}

void Overlay::exchange(Held& held) {
  Keyspace& db = engine_.dbs[held.db];
  const Key key = db.key(held.name);
  Held other{.db = held.db, .name = {}};
  if (const Entry* entry = db.find(key)) {
    other.deadline = entry->deadline();
    other.access = entry->access();
    other.value = db.take(key);
  }
  if (held.value) db.put_value(key, nullptr, *held.value, held.deadline)->set_access(held.access);
  held.value = other.value;
  held.deadline = other.deadline;
  held.access = other.access;
}

Overlay::Held* Overlay::find(const Place& place) {
  const auto at = std::lower_bound(held_.begin(), held_.end(), place, is_before);
  return at != held_.end() && Place(at->db, at->name) == place ? &*at : nullptr;
}

// The key goes with the script's value, and with theirs: it is no part of what is held.
void Overlay::weigh(Held& held) {
  Keyspace& db = engine_.dbs[held.db];
  const Entry* entry = db.find(db.key(held.name));
  const size_t bytes = entry == nullptr ? 0 : entry->memory_bytes() - entry->key().size();
  value_bytes_ += bytes - held.bytes;
  engine_.rehearsed_bytes += bytes - held.bytes;
  held.bytes = bytes;
}

// The copy takes the value's place. False: that is too much.
bool Overlay::add(DbIndex index, ByteView name) {
  if (held_.size() >= kKeysMax) return false;
  Keyspace& db = engine_.dbs[index];
  const Key key = db.key(name);
  Held held{.db = index, .name = std::string(name)};
  const Entry* entry = db.find(key);
  if (entry != nullptr && !entry->is_due(engine_.now())) {
    if (bytes() + entry->memory_bytes() > kBytesMax) return false;
    held.value = Value::copy_of(engine_.heap, *entry);
    held.deadline = entry->deadline();
    held.access = entry->access();
  }
  exchange(held);
  weigh(held);
  name_bytes_ += name.size();
  const auto at = std::lower_bound(held_.begin(), held_.end(), Place(index, name), is_before);
  held_.insert(at, std::move(held));
  return true;
}

// The script's own value may end by the clock: nobody else would do it.
void Overlay::end_what_is_due(DbIndex index, const Key& key) {
  Keyspace& db = engine_.dbs[index];
  Entry* entry = db.find(key);
  if (entry == nullptr) return;
  if (entry->is_due(engine_.now())) return db.erase(key, Freeing::kLazy);
  if (entry->next_element_deadline() <= engine_.now())
    engine_.expire_all_elements(index, key, *entry);
}

// Each key in each database that the command names.
void Overlay::for_each_place(const CommandSpec& spec, Argv argv, DbIndex db,
                             FunctionRef<void(const Place&)> visit) const {
  std::vector<DbIndex> dbs = {db};
  for_each_database(spec, argv, [&](size_t, int64_t named) {
    if (named >= 0 && named < engine_.dbs.count() && named != db)
      dbs.push_back(static_cast<DbIndex>(named));
  });
  (void)for_each_key(spec, argv, [&](size_t at, KeyUse use) {
    if ((use & kNotKey) != 0) return;
    for (const DbIndex index : dbs) visit({index, argv[at]});
  });
}

const char* Overlay::admit(const CommandSpec& spec, Argv argv, DbIndex db) {
  if (!spec.flags.has(Flag::kWrite | Flag::kMayReplicate) || !spec.accepts(argv.size()))
    return nullptr;
  if (spec.flags.has(Flag::kReachesOut)) return kNoWayBackText;
  if (bytes() > kBytesMax) return kTooMuchText;
  bool has_keys = false;
  bool fits = true;
  for_each_place(spec, argv, db, [&](const Place& place) {
    has_keys = true;
    fits = fits && (find(place) != nullptr || add(place.first, place.second));
    if (fits) end_what_is_due(place.first, engine_.dbs[place.first].key(place.second));
  });
  if (!fits) return kTooMuchText;
  return has_keys || !spec.flags.has(Flag::kWrite) ? nullptr : kNoWayBackText;
}

const char* Overlay::weigh(const CommandSpec& spec, Argv argv, DbIndex db) {
  if (!spec.flags.has(Flag::kWrite | Flag::kMayReplicate) || !spec.accepts(argv.size()))
    return nullptr;
  for_each_place(spec, argv, db, [&](const Place& place) {
    if (Held* const held = find(place)) weigh(*held);
  });
  return bytes() > kBytesMax ? kTooMuchText : nullptr;
}

}  // namespace ouro
