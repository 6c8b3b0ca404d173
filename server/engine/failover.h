// SPDX-License-Identifier: BSD-3-Clause
// Failover: hands the lead over to a replica, while writes wait (FAILOVER).
//
//      kNone --begin--> kWaitingForSync --a target has all--> kInProgress --it leads--> kNone
//                              |    (or time is over, by force)    |
//                              +--abort, time is over--> kNone <---+--abort, it refuses: we lead
//
// In progress this node follows the target already, and asks it by PSYNC ... FAILOVER to lead. So
// there are never two that lead: at worst there is none, until the target answers or somebody
// aborts. Not here: the talk with the target (replication/follow.h), what a target does
// (server/commands/admin/replication.cc).
#pragma once

#include <optional>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

class Engine;
class Session;

class Failover {
 public:
  enum class State : uint8_t { kNone, kWaitingForSync, kInProgress };
  // As INFO names them.
  static ByteView name_of(State state);

  struct Target {
    std::string host;
    uint16_t port = 0;
  };
  struct Request {
    std::optional<Target> target;  // none: whichever replica has all first
    std::optional<Millis> timeout;
    bool is_forced = false;  // when time is over the target takes over with what it has
  };

  explicit Failover(Engine& engine) : engine_(engine) {}

  State state() const { return state_; }
  bool is_on() const { return state_ != State::kNone; }
  // A replica by what it is called; null if it is none.
  Session* find(const Target& target) const;

  // Requires: leads, and none is on.
  void begin(Request request);
  void give_up(ByteView why);
  // Once a turn, behind what it added to the stream and ahead of Replication::push().
  void look();
  Instant next_deadline() const { return deadline_; }
  // What the target says to being asked.
  void on_taken_over();
  void on_refused();
  // This node does not lead any more, by another's will.
  void on_left();

 private:
  void end();
  void hand_over(Target target);
  Session* find_synced() const;

  Engine& engine_;
  State state_ = State::kNone;
  Request request_;
  Instant deadline_ = kNever;
  std::optional<uint64_t> wanted_;  // so far a target has to be; none: nobody was asked yet
};

}  // namespace ouro
