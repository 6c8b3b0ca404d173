// SPDX-License-Identifier: BSD-3-Clause
// DueMembers: who waits until slices have removed members that are due (gates.h says why): sessions
// whose command names such keys, and keys that have become ready for clients that wait for them.
//
//   gate: must_wait() --> Session::due_keys() --> hold() --> a stretch of them in each turn
//       --> the command is tried again
//   Executor::run_woken(): hold(key) --> a share of its members in each turn --> ready again
//
// All take their share in turn, so that few members do not wait for the end of many. A command
// goes on where it was among its keys, however many it names; when it is tried again the gate looks
// at the first of them only. What came due meanwhile under the others is about as much as the last
// walk over them met, and that was no more than one turn's share, or they are walked over again.
// While clients are paused nobody is served.
#pragma once

#include <deque>

#include "datastructs/codec/owned_argv.h"
#include "server/engine/blocking.h"
#include "server/engine/caller.h"
#include "server/engine/command.h"

namespace ouro {

class Engine;

// The keys of a command that waits.
struct DueKeys {
  OwnedArgv keys;
  size_t next = 0;           // those before it have been looked at
  size_t ended = 0;          // members that this walk over them has removed
  bool with_fields = false;  // due fields of hashes have to go, too
  bool is_done = false;
};

class DueMembers {
 public:
  explicit DueMembers(Engine& engine) : engine_(engine) {}

  // Whether a key that the command names shows members that are due, when as many have been removed
  // as the turn has time for. If so the session has its due_keys(), for hold().
  bool must_wait(Caller& caller, const CommandSpec& spec, Argv argv);
  void hold(Session& session);
  // The key is ready, but may not be shown yet.
  void hold(Blocking::Where ready);
  void forget(Session& session);

  // Whether anybody waits for what the next turn may remove.
  bool has_work() const { return !waiting_.empty() && may_work(); }
  size_t session_count() const;
  // Removes what this turn has time for. Requires: no group is open.
  void run_slice();

 private:
  struct Party {
    Session* session;
    Blocking::Where ready;  // if there is no session
  };

  bool may_work() const;
  bool are_gone(ByteView key, bool with_fields, size_t& looks);
  bool go_on(DueKeys& due, size_t& looks);
  bool try_to_end(Party& party, size_t& looks);

  Engine& engine_;
  std::deque<Party> waiting_;
};

}  // namespace ouro
