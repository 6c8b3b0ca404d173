// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/overlay.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace ouro {
namespace {

constexpr const char* kNoKeysText =
    "ERR this command cannot be taken back: use SCRIPT DEBUG SYNC to debug a script that calls it";
constexpr const char* kTooMuchText =
    "ERR too much is changed in a debugging session whose changes are taken back: use SCRIPT DEBUG "
    "SYNC";

}  // namespace

Overlay::~Overlay() {
  for (Held& held : held_) {
    if (held.value) engine_.dbs.lazy_free().add(*held.value);
  }
}

void Overlay::enter() {
  engine_.commit.mute();
  engine_.rehearses = true;
  used_before_ = engine_.heap.used_bytes();
  changes_before_ = engine_.changes;
  exchange();
}

void Overlay::leave() {
  exchange();
  bytes_ = bytes();
  engine_.changes = changes_before_;
  engine_.rehearses = false;
  engine_.commit.unmute();
}

int64_t Overlay::bytes() const {
  return bytes_ + static_cast<int64_t>(engine_.heap.used_bytes()) -
         static_cast<int64_t>(used_before_);
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

bool Overlay::holds(DbIndex db, ByteView name) const {
  const auto before = [](const Held& held, const std::pair<DbIndex, ByteView>& what) {
    return std::pair(held.db, ByteView(held.name)) < what;
  };
  const auto at = std::lower_bound(held_.begin(), held_.end(), std::pair(db, name), before);
  return at != held_.end() && at->db == db && at->name == name;
}

// The copy takes the value's place. False: that is too much.
bool Overlay::add(DbIndex index, ByteView name) {
  if (held_.size() >= kKeysMax) return false;
  Keyspace& db = engine_.dbs[index];
  const Key key = db.key(name);
  Held held{.db = index, .name = std::string(name)};
  const Entry* entry = db.find(key);
  if (entry != nullptr && !entry->is_due(engine_.now())) {
    if (bytes() + static_cast<int64_t>(entry->memory_bytes()) > static_cast<int64_t>(kBytesMax))
      return false;
    held.value = Value::copy_of(engine_.heap, *entry);
    held.deadline = entry->deadline();
    held.access = entry->access();
  }
  exchange(held);
  const auto before = [](const Held& a, const Held& b) {
    return std::tie(a.db, a.name) < std::tie(b.db, b.name);
  };
  held_.insert(std::lower_bound(held_.begin(), held_.end(), held, before), std::move(held));
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

const char* Overlay::admit(const CommandSpec& spec, Argv argv, DbIndex db) {
  if (!spec.flags.has(Flag::kWrite | Flag::kMayReplicate) || !spec.accepts(argv.size()))
    return nullptr;
  if (bytes() > static_cast<int64_t>(kBytesMax)) return kTooMuchText;
  std::vector<DbIndex> dbs = {db};
  for_each_database(spec, argv, [&](size_t, int64_t named) {
    if (named >= 0 && named < engine_.dbs.count() && named != db)
      dbs.push_back(static_cast<DbIndex>(named));
  });
  bool has_keys = false;
  bool fits = true;
  (void)for_each_key(spec, argv, [&](size_t at, KeyUse use) {
    if ((use & kNotKey) != 0) return;
    has_keys = true;
    for (const DbIndex index : dbs) {
      fits = fits && (holds(index, argv[at]) || add(index, argv[at]));
      if (fits) end_what_is_due(index, engine_.dbs[index].key(argv[at]));
    }
  });
  if (!fits) return kTooMuchText;
  return has_keys || !spec.flags.has(Flag::kWrite) ? nullptr : kNoKeysText;
}

}  // namespace ouro
