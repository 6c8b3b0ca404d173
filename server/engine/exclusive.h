// SPDX-License-Identifier: BSD-3-Clause
// Exclusive: a wait of one session during which no client command runs (DEBUG SLEEP, SAVE),
// while the loop and its timers go on. All sessions keep what they receive, up to their limits.
//
//      command --Err::kExclusive--> waits until `until`, or end() --> "OK", or an error
//          --> the rest of its EXEC, if it was queued --> everybody goes on
//
// While a snapshot or a log is loaded (DEBUG RELOAD) others are answered, by the gate: LOADING.
// Inside EXEC it pauses the queue between two commands. The group stays open meanwhile, and nothing
// else may join it: no slice expires or evicts. If the session goes, the rest of its queue runs at
// once, without further waits, so that a transaction is always whole.
//
// What changes data when the wait ends is an ExclusiveWork (MIGRATE). It goes on though its session
// leaves; in a transaction, which cannot be left open, it is broken off.
#pragma once

#include <memory>
#include <string>

#include "datastructs/codec/owned_argv.h"
#include "server/engine/command.h"

namespace ouro {

class Engine;
class Session;

class ExclusiveWork {
 public:
  virtual ~ExclusiveWork() = default;
  // Once: the wait is over, or broken off. Changes what is to be changed and leaves the effects;
  // returns the answer, which is an error, or OK if it is empty.
  virtual std::string finish() = 0;
};

class Exclusive {
 public:
  explicit Exclusive(Engine& engine) : engine_(engine) {}

  bool active() const { return session_ != nullptr || work_ != nullptr || is_held_; }
  // DEBUG SLEEP: to others it is to look as if the program did nothing at all.
  bool sleeps() const { return until_ != kNever; }
  const Session* holder() const { return session_; }
  // What it sends waits.
  bool holds(const Session& session) const {
    return active() && (&session == session_ || !others_are_answered());
  }
  // The command is accounted with the time of the whole wait. Requires that nobody waits.
  void begin(Session& session, const CommandSpec& spec, Argv argv, Instant until,
             std::unique_ptr<ExclusiveWork> work = nullptr);
  // What it waits for (begin() with kNever) has ended: the answer is an error, or OK if `error` is
  // empty, unless there is work that says it. Nothing happens if nobody waits any more.
  void end(std::string error);
  // The server itself holds everybody up, until end(); whoever asked may go meanwhile (SHUTDOWN).
  void hold() { is_held_ = true; }
  // The session's connection ends.
  void on_session_left(Session& session);
  // The program ends, and nobody is left to wait.
  void break_off();
  void on_turn_end();
  // kNever if nobody waits.
  Instant until() const { return until_; }

 private:
  bool others_are_answered() const;
  void settle();
  void account(Session& session);
  void finish_command(Session& session);
  void release_all();

  Engine& engine_;
  Session* session_ = nullptr;
  bool is_held_ = false;
  bool others_were_answered_ = false;
  Instant since_ = 0;
  Instant until_ = kNever;
  std::string error_;  // to be answered
  const CommandSpec* spec_ = nullptr;
  OwnedArgv argv_;
  std::unique_ptr<ExclusiveWork> work_;
};

}  // namespace ouro
