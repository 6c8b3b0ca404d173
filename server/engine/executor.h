// SPDX-License-Identifier: BSD-3-Clause
// Executor: the one way in. Every command, whoever sends it, passes here: look-up, gates, handler,
// commit, accounts.
//
//   row -> arity -> gates (gates.h) -> handler -> commit of its effects -> stats -> woken waiters
//
// Exactly one reply is written for each command, unless it waits (Err::kBlocked: its session is run
// again later).
#pragma once

#include "datastructs/base/function_ref.h"
#include "datastructs/codec/resp_reader.h"
#include "server/engine/caller.h"
#include "server/engine/command.h"
#include "server/engine/context.h"
#include "server/engine/reply.h"

namespace ouro {

class Engine;
class ExclusiveWork;

class Executor {
 public:
  explicit Executor(Engine& engine) : engine_(engine) {}

  // The clock of commands starts here: before a batch, and before whatever follows a pause.
  void start_timing();

  // What the commands since then have taken.
  uint64_t timed_nanos() const { return nanos_of(tick_ - turn_tick_); }

  // One command, start to end.
  void execute(Caller& caller, Argv argv, Reply& reply);

  // A command whose row and first key's hash the batch has found already. spec may be null:
  // unknown.
  struct Prepared {
    const CommandSpec* spec = nullptr;
    Argv argv;
    ByteView raw = {};  // the same as it came, as RespReader::Command says
    Key first_key = {};
    // Arguments that were received into their own memory.
    std::span<const RespReader::BlobArg> blobs = {};
    // The key that has become ready, if a waiting command is run again.
    const std::string* woken_by = nullptr;
  };
  // kRefused: nothing ran, the reply says why. kWaits: the session waits now, its reply comes
  // later. kPostponed: nothing ran, try again later (gates.h).
  enum class Outcome : uint8_t { kDone, kRefused, kWaits, kPostponed };
  Outcome run(Caller& caller, const Prepared& prepared, Reply& reply);

  // What `commands` runs leaves one group, applied whole. For origins that obey, and what a script
  // that is being debugged does up to its next stop.
  void run_together(FunctionRef<void()> commands);

  // The commands of an executing transaction that have not run: their gates have passed when they
  // were queued. Err::kExclusive: one of them waits, and resume_queue() goes on behind it.
  Status run_queue(Caller& caller, Reply& reply);
  void resume_queue(Session& session);
  // The end of an exclusive wait that changes data: as a part of the transaction that it stands in,
  // else as a group of its own. The session may be gone.
  std::string settle(Session* session, ExclusiveWork& work);
  // A waiting session's command again, for a key that has become ready; true when it has replied
  // and waits no more.
  bool run_again(Session& session, const std::string& key);
  // A wait is over by the clock, or as if it were.
  void time_out(Session& session);
  // Ends a wait with an error (CLIENT UNBLOCK, another role).
  void break_off(Session& session, ByteView error);
  // Serves the waiters of all keys that have become ready.
  void run_woken();
  bool has_woken() const;

  // The row of a command or subcommand; null when unknown. The error is written to `reply` if it is
  // not null.
  const CommandSpec* resolve(Argv argv) const;

  // ---- gates that the node's state opens and closes
  void open_gate(GateMask gate) { node_gates_ &= ~gate; }
  void close_gate(GateMask gate) { node_gates_ |= gate; }  // it may refuse now
  void set_gate(GateMask gate, bool is_closed) { is_closed ? close_gate(gate) : open_gate(gate); }
  GateMask node_gates() const { return node_gates_; }

  // Whose command runs at this moment, or has been woken to run; null between commands, and for
  // callers without a connection.
  Session* running() const { return running_; }

  // The text that a handler left with Err::kMessage.
  std::string& message() { return message_; }
  // True while a command without keys that timed out is run for its last reply.
  bool is_last_run() const { return last_run_; }

 private:
  void refuse(Caller& caller, const CommandSpec* spec, ByteView text, Reply& reply);
  void refuse_unknown(Caller& caller, Argv argv, Reply& reply);
  Outcome attempt(Caller& caller, const Prepared& prepared, Reply& reply);
  void refuse_arity(Caller& caller, const CommandSpec& spec, Reply& reply);
  Status call(Caller& caller, const Prepared& prepared, Reply& reply);
  bool refuse_queued(Caller& caller, const QueuedCommand& queued, Reply& reply);
  bool refuse_behind_lead(Caller& caller, const QueuedCommand& queued, Reply& reply);
  void note_own_write(const Caller& caller, DbIndex db, const CommandSpec& spec, Argv argv);
  void end_group(GroupKind kind);
  void finish_wait(Session& session);
  uint64_t nanos_of(uint64_t ticks) const {
    return static_cast<uint64_t>(
        static_cast<int64_t>(static_cast<double>(static_cast<int64_t>(ticks)) * nanos_per_tick_));
  }

  Engine& engine_;
  GateMask node_gates_ = 0;
  std::string message_;
  int depth_ = 0;
  Session* running_ = nullptr;
  uint64_t turn_tick_ = 0;  // when the first command of the turn began
  uint64_t tick_ = 0;       // when the command before ended
  double nanos_per_tick_ = 0;
  bool last_run_ = false;
};

}  // namespace ouro
