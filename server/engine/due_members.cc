// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/due_members.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// How many of those that wait have their turn in one turn: those that are done run all in the next.
constexpr size_t kTriesMax = 16;

// So many look-ups of keys take about a quarter of a millisecond. A command that names more keys
// waits while any member of any key is due.
constexpr size_t kLooksMax = 4000;

// Of a command that names many keys so many members are removed together with its run.
constexpr size_t kEndedLateMax = 1000;

// Calls fn(command, key) for the keys that may have to be looked at: of the command, or for EXEC of
// those that wait for it. In import-mode who reads sees what is due, since that may last for ever.
template <class Fn>
void for_each_shown_key(const Engine& engine, const Caller& caller, const CommandSpec& spec,
                        Argv argv, Fn fn) {
  const auto keys_of = [&](const CommandSpec& command, Argv words) {
    if (engine.options.import_mode && !command.flags.has(Flag::kWrite)) return;
    (void)for_each_key(command, words, [&](size_t at, KeyUse use) {
      if ((use & kNotKey) == 0) fn(command, words[at]);
    });
  };
  if (!spec.flags.has(Flag::kRunsQueue)) return keys_of(spec, argv);
  for (const QueuedCommand& queued : caller.txn.queue) keys_of(*queued.spec, queued.argv.argv());
}

}  // namespace

bool DueMembers::may_work() const {
  return !engine_.exclusive.active() && engine_.clients.paused() == Clients::Pause::kNone &&
         !engine_.persistence.loading.active;
}

// Whichever database it is in: MOVE, COPY, SELECT and SWAPDB reach into others than the caller's.
bool DueMembers::are_gone(ByteView key, bool with_fields, size_t& looks) {
  const auto ends = !may_work()   ? Engine::Ends::kNone
                    : with_fields ? Engine::Ends::kMembersAndFields
                                  : Engine::Ends::kMembers;
  for (DbIndex db = 0; db < engine_.dbs.count(); ++db) {
    if (engine_.dbs[db].next_element_deadline() > engine_.now()) continue;
    looks -= looks == 0 ? 0 : 1;
    if (!engine_.are_due_members_gone(db, engine_.dbs[db].key(key), ends)) return false;
  }
  return true;
}

bool DueMembers::must_wait(Caller& caller, const CommandSpec& spec, Argv argv) {
  Session& session = *caller.session;
  const bool was_walked = session.due_keys() != nullptr && session.due_keys()->is_done;
  // Where nothing can be removed nobody waits for a look.
  size_t looks = may_work() ? kLooksMax : ~size_t{0};
  size_t seen = 0;
  bool waits = false;
  for_each_shown_key(engine_, caller, spec, argv, [&](const CommandSpec& command, ByteView key) {
    if (waits) return;
    waits = looks == 0 ? !was_walked : !are_gone(key, command.flags.has(Flag::kDrawsFields), looks);
    seen += waits ? 0 : 1;
  });
  if (!waits) return false;
  auto due = std::make_unique<DueKeys>();
  std::vector<ByteView> keys;
  for_each_shown_key(engine_, caller, spec, argv, [&](const CommandSpec& command, ByteView key) {
    keys.push_back(key);
    due->with_fields |= command.flags.has(Flag::kDrawsFields);
  });
  due->keys = OwnedArgv(engine_.heap, keys);
  due->next = seen;
  session.set_due_keys(std::move(due));
  return true;
}

void DueMembers::hold(Session& session) { waiting_.push_back({&session, {}}); }

void DueMembers::hold(Blocking::Where ready) {
  engine_.blocking.hold(ready);
  waiting_.push_back({nullptr, std::move(ready)});
}

void DueMembers::forget(Session& session) {
  std::erase_if(waiting_, [&](const Party& party) { return party.session == &session; });
}

size_t DueMembers::session_count() const {
  return static_cast<size_t>(
      std::count_if(waiting_.begin(), waiting_.end(),
                    [](const Party& party) { return party.session != nullptr; }));
}

// True when all keys have been looked at and nothing in them is due, or little.
bool DueMembers::go_on(DueKeys& due, size_t& looks) {
  const Argv keys = due.keys.argv();
  for (;;) {
    for (; due.next < keys.size(); ++due.next) {
      if (looks == 0) return false;
      const uint64_t before = engine_.stats.expired_elements;
      const bool gone = are_gone(keys[due.next], due.with_fields, looks);
      due.ended += engine_.stats.expired_elements - before;
      if (!gone) return false;
    }
    if (due.ended <= kEndedLateMax) return true;
    due.next = 0;
    due.ended = 0;
  }
}

bool DueMembers::try_to_end(Party& party, size_t& looks) {
  if (party.session != nullptr) {
    DueKeys& due = *party.session->due_keys();
    due.is_done = go_on(due, looks);
    if (due.is_done) party.session->end_postponement();
    return due.is_done;
  }
  const auto& [db, key] = party.ready;
  if (!engine_.are_due_members_gone(db, engine_.dbs[db].key(key), Engine::Ends::kMembers))
    return false;
  engine_.blocking.release(party.ready);
  return true;
}

void DueMembers::run_slice() {
  if (!may_work()) return;
  size_t looks = kLooksMax;
  // Who is told of what goes may leave the queue with that.
  for (size_t left = std::min(waiting_.size(), kTriesMax); left > 0 && !waiting_.empty(); --left) {
    if (looks == 0 || !engine_.has_time_for_ends()) return;
    Party party = std::move(waiting_.front());
    waiting_.pop_front();
    if (!try_to_end(party, looks)) waiting_.push_back(std::move(party));
  }
}

}  // namespace ouro
