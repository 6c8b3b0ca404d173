// SPDX-License-Identifier: BSD-3-Clause
// AckedCalls: calls that say for themselves how many replicas are to have what they leave before
// they are answered (CLIENT ACKS), whatever semi-sync-acks says.
//
//      said --the call has run--> its reply waits --n have the stream as it was then--> it leaves
//                                      \--semi-sync-timeout: refuse closes, degrade lets it leave
//
// The connection's next commands run behind that; nobody else waits. What was said on it before
// keeps its own rule, and leaves first. Where n is less than semi-sync asks for, the reply alone
// leaves earlier: who reads what the call wrote still waits. Our own disk is waited for in any
// case, as appendfsync says. A refusal tells of no data, and waits for nothing.
// Cost: a look at each turn for each reply that waits; calls of which nothing is said pay a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

class Engine;
class Session;
struct CommandSpec;

// Of one call; its Session has one from CLIENT ACKS on until the reply leaves.
struct CallAcks {
  size_t replicas = 0;
  // Commands of this container do not count as the call, nor do those between MULTI and its end.
  const CommandSpec* said_by = nullptr;
  uint64_t reply_at = 0;  // where it begins in the output
  bool waits = false;
};

class AckedCalls {
 public:
  explicit AckedCalls(Engine& engine) : engine_(engine) {}

  // For the session's next call; what was said of it before is forgotten.
  void say(Session& session, size_t replicas, const CommandSpec* said_by);
  // A command of a session of which it was said is over. Requires: its answer is sealed.
  void on_answered(Session& session);
  // The same, and it did not run.
  void on_refused(Session& session);
  // Once a turn, behind Replication::push() and ahead of the flush.
  void look();
  // The stream is another's from here on: nobody will acknowledge what they wait for.
  void break_off();
  void forget(Session& session);

  Instant next_deadline() const;
  size_t waiting() const { return waiting_.size(); }
  uint64_t timeouts() const { return timeouts_; }

 private:
  struct Waiting {
    Session* session;
    size_t replicas;
    uint64_t offset;   // of the stream
    uint64_t log_end;  // for our own disk
    Instant until;     // kNever: the replicas have it
  };
  bool ends_call(const Session& session) const;
  bool is_over(Waiting& waiting, const std::vector<uint64_t>& acked) const;
  void let_leave(Session& session);
  void time_out(const Waiting& waiting);

  Engine& engine_;
  std::vector<Waiting> waiting_;
  uint64_t timeouts_ = 0;
  bool fails_ = false;  // the last one timed out, and the log has it
};

}  // namespace ouro
