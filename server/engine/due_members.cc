// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/due_members.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// So many look-ups of keys take about a quarter of a millisecond. A command that names more keys
// waits while any member of any key is due.
constexpr size_t kLooksMax = 4000;

// Calls fn(command, key) for the keys that may have to be looked at: of the command, and for EXEC
// of those that wait for it. In import-mode who reads sees what is due, since that may last for
// ever.
template <class Fn>
void for_each_shown_key(const Engine& engine, const Caller& caller, const CommandSpec& spec,
                        Argv argv, Fn fn) {
  const auto keys_of = [&](const CommandSpec& command, Argv words) {
    if (engine.options.import_mode && !command.flags.has(Flag::kWrite)) return;
    (void)for_each_key(command, words, [&](size_t at, KeyUse use) {
      if ((use & kNotKey) == 0) fn(command, words[at]);
    });
  };
  keys_of(spec, argv);
  if (!spec.flags.has(Flag::kRunsQueue)) return;
  for (const QueuedCommand& queued : caller.txn.queue) keys_of(*queued.spec, queued.argv.argv());
}

// HRANDFIELD's choice would have to walk over the fields that are due.
Ends ends_for(const CommandSpec& command) {
  return command.flags.has(Flag::kDrawsFields) ? Ends::kMembersAndFields : Ends::kMembers;
}

}  // namespace

bool DueMembers::may_work() const {
  return !engine_.exclusive.active() && engine_.clients.paused() == Clients::Pause::kNone &&
         !engine_.persistence.loading.active;
}

void DueMembers::find_databases() {
  databases_.clear();
  for (DbIndex db = 0; db < engine_.dbs.count(); ++db) {
    if (engine_.dbs[db].next_element_deadline() <= engine_.now()) databases_.push_back(db);
  }
}

// Whichever database it is in: MOVE, COPY, SELECT and SWAPDB reach into others than the caller's.
bool DueMembers::are_gone(ByteView key, Ends ends) {
  if (!may_work()) ends = Ends::kNone;
  for (const DbIndex db : databases_) {
    looks_left_ -= looks_left_ == 0 ? 0 : 1;
    if (!engine_.are_due_members_gone(db, engine_.dbs[db].key(key), ends)) return false;
  }
  return true;
}

bool DueMembers::clear_way(Caller& caller, const CommandSpec& spec, Argv argv) {
  Session& session = *caller.session;
  const bool was_walked = session.due_keys() != nullptr;
  // Where nothing can be removed nobody waits for a look; nor when the command is about to run.
  const bool looks_at_all = was_walked || !may_work();
  looks_left_ = looks_at_all ? ~size_t{0} : kLooksMax;
  size_t cleared = 0;
  bool is_clear = true;
  for_each_shown_key(engine_, caller, spec, argv, [&](const CommandSpec& command, ByteView key) {
    const bool comes_late = !was_walked && places_.contains(key);
    is_clear = is_clear && !comes_late && looks_left_ > 0 && are_gone(key, ends_for(command));
    cleared += is_clear ? 1 : 0;
  });
  if (is_clear) return true;
  // Not those of the walk before: which keys count depends on import-mode.
  auto due = std::make_unique<DueKeys>();
  std::vector<ByteView> keys;
  for_each_shown_key(engine_, caller, spec, argv, [&](const CommandSpec& command, ByteView key) {
    keys.push_back(key);
    due->ends = std::max(due->ends, ends_for(command));
  });
  due->keys = OwnedArgv(engine_.heap, keys);
  due->next = cleared;
  session.set_due_keys(std::move(due));
  return false;
}

DueMembers::Place& DueMembers::place_of(ByteView key) {
  const auto found = places_.find(key);
  return found != places_.end() ? found->second : places_[std::string(key)];
}

void DueMembers::hold(Session& session) {
  const DueKeys& due = *session.due_keys();
  Place& place = place_of(due.keys.argv()[due.next]);
  place.ends = std::max(place.ends, due.ends);
  place.sessions.push_back(&session);
}

void DueMembers::hold(const Blocking::Where& ready) {
  engine_.blocking.hold(ready);
  std::vector<DbIndex>& held = place_of(ready.second).ready;
  if (std::find(held.begin(), held.end(), ready.first) == held.end()) held.push_back(ready.first);
}

// Its place stays until its turn: a walk may stand there.
void DueMembers::forget(Session& session) {
  const DueKeys* const due = session.due_keys();
  if (due == nullptr || due->is_done) return;
  const auto found = places_.find(due->keys.argv()[due->next]);
  if (found != places_.end()) std::erase(found->second.sessions, &session);
}

size_t DueMembers::session_count() const {
  size_t count = 0;
  for (const auto& [key, place] : places_) count += place.sessions.size();
  return count;
}

// The key shows nothing that is due any more.
void DueMembers::let_on(const std::string& key, Place& place) {
  for (const DbIndex db : std::exchange(place.ready, {})) engine_.blocking.release({db, key});
  while (!place.sessions.empty() && looks_left_ > 0) {
    Session& session = *place.sessions.front();
    place.sessions.pop_front();
    go_on(session);
  }
}

void DueMembers::go_on(Session& session) {
  DueKeys& due = *session.due_keys();
  const Argv keys = due.keys.argv();
  while (++due.next < keys.size()) {
    if (looks_left_ == 0 || !are_gone(keys[due.next], due.ends)) return hold(session);
  }
  due.is_done = true;
  // They are looked at again when the command is tried.
  looks_left_ -= std::min(looks_left_, keys.size());
  session.end_postponement();
}

void DueMembers::run_slice() {
  if (!may_work()) return;
  looks_left_ = kLooksMax;
  for (size_t left = places_.size(); left > 0; --left) {
    if (looks_left_ == 0 || !engine_.has_time_for_ends()) return;
    if (next_ == places_.end()) next_ = places_.begin();
    Place& place = next_->second;
    const bool gone = !place.is_empty() && are_gone(next_->first, place.ends);
    if (gone) let_on(next_->first, place);
    if (place.is_empty()) {
      next_ = places_.erase(next_);
    } else if (!gone || looks_left_ > 0) {
      ++next_;
    }
  }
}

}  // namespace ouro
