// SPDX-License-Identifier: BSD-3-Clause
// DueMembers: who waits until slices have removed members that are due (gates.h says why): sessions
// whose command names such keys, and keys that have become ready for clients that wait for them.
//
//   gate: clear_way() --> Session::due_keys() --> hold(), in the queue of the first such key
//       --> a share of its members in each turn --> the next such key --> the command again
//   Executor::run_woken(): hold(key) --> the same --> ready again
//
// The keys take their shares in turn, so that few members do not wait for the end of many. Whoever
// waits for the same key goes on in the order of arrival, behind the clients that it is ready for.
// A command goes on where it was among its keys, however many it names. When it is tried again all
// of them are looked at, since more may have come due behind the walk; what then is too much for
// the turn is waited for as well. While clients are paused nobody is served.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "datastructs/codec/owned_argv.h"
#include "server/engine/blocking.h"
#include "server/engine/caller.h"
#include "server/engine/command.h"

namespace ouro {

class Engine;

// What may be removed of a collection that a command waits for; each includes those before it.
enum class Ends : uint8_t { kNone, kMembers, kMembersAndFields };

// The keys of a command that waits.
struct DueKeys {
  OwnedArgv keys;
  Ends ends = Ends::kMembers;
  size_t next = 0;  // those before it have been looked at
  bool is_done = false;
};

class DueMembers {
 public:
  explicit DueMembers(Engine& engine) : engine_(engine) {}

  // Once a turn, and when databases have changed places.
  void find_databases();
  // Whether a command may have to wait.
  bool has_any() const { return !databases_.empty() || !places_.empty(); }
  // Removes the members of the command's keys that are due, as far as the turn has time. False if
  // some are left, or others wait for such a key: then the session has its due_keys(), for hold().
  bool clear_way(Caller& caller, const CommandSpec& spec, Argv argv);
  void hold(Session& session);
  // The key is ready, but may not be shown yet.
  void hold(const Blocking::Where& ready);
  void forget(Session& session);

  // Whether anybody waits for what the next turn may remove.
  bool has_work() const { return !places_.empty() && may_work(); }
  size_t session_count() const;
  // Removes what this turn has time for. Requires: no group is open.
  void run_slice();

 private:
  // Who waits for a key, whichever database it is in.
  struct Place {
    bool is_empty() const { return ready.empty() && sessions.empty(); }

    Ends ends = Ends::kMembers;
    std::vector<DbIndex> ready;  // where clients wait for it
    std::deque<Session*> sessions;
  };
  using Places = std::map<std::string, Place, std::less<>>;

  bool may_work() const;
  Place& place_of(ByteView key);
  bool are_gone(ByteView key, Ends ends);
  void let_on(const std::string& key, Place& place);
  void go_on(Session& session);

  Engine& engine_;
  std::vector<DbIndex> databases_;  // in which something is due
  Places places_;
  Places::iterator next_ = places_.end();  // takes the next share
  size_t looks_left_ = 0;
};

}  // namespace ouro
