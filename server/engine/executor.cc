// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/executor.h"

#include "server/engine/arg_parser.h"
#include "server/engine/engine.h"
#include "server/engine/errors.h"
#include "server/engine/gates.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// The words of a request that a browser sends before the body that an attacker chose.
bool is_http(ByteView name) {
  return equals_ignoring_case(name, "post") || equals_ignoring_case(name, "host:");
}

GroupKind group_kind(const CommandSpec& spec) {
  return spec.flags.has(Flag::kRunsQueue | Flag::kRunsScript) ? GroupKind::kTransaction
                                                              : GroupKind::kCommand;
}

// Why a queued command is not permitted any more.
ByteView reason_of_refusal(AclDenial::Reason reason) {
  switch (reason) {
    case AclDenial::Reason::kDatabase:
      return "no permission to access the database";
    case AclDenial::Reason::kKey:
      return "no permission to touch the specified keys";
    case AclDenial::Reason::kChannel:
      return "no permission to access one of the channels used as arguments to the command";
    case AclDenial::Reason::kCommand:
    case AclDenial::Reason::kNone:
      break;
  }
  return "no permission to execute the command or subcommand";
}

}  // namespace

const CommandSpec* Executor::resolve(Argv argv) const {
  const CommandSpec* spec = engine_.registry.find(argv[0]);
  if (spec == nullptr || spec->subcommands.empty() || argv.size() < 2) return spec;
  if (const CommandSpec* sub = Registry::find_subcommand(*spec, argv[1])) return sub;
  // A container with a handler of its own (COMMAND) takes no other words either.
  return nullptr;
}

void Executor::start_timing() {
  turn_tick_ = tick_ = engine_.stopwatch.ticks();
  nanos_per_tick_ = 1000.0 / engine_.stopwatch.ticks_per_us();
}

void Executor::execute(Caller& caller, Argv argv, Reply& reply) {
  start_timing();
  Prepared prepared{.spec = resolve(argv), .argv = argv};
  run(caller, prepared, reply);
}

// Writes an error that kept a command from running; inside MULTI it breaks the transaction.
void Executor::refuse(Caller& caller, const CommandSpec* spec, ByteView text, Reply& reply) {
  if (spec != nullptr) ++engine_.registry.stats(*spec).rejected;
  if (spec != nullptr && spec->flags.has(Flag::kRunsQueue)) {
    // A refused EXEC ends the transaction, if there is one. Only a special code of the reason
    // shows.
    if (text.starts_with("ERR ")) text.remove_prefix(4);
    std::string abort = "EXECABORT Transaction discarded because of: ";
    abort.append(text);
    caller.txn = Transaction();
    caller.gates &= ~Gate::kTransaction;
    engine_.watch.clear(caller);
    engine_.stats.count_error(abort);
    reply.error(abort);
    return;
  }
  if (caller.txn.open && !caller.txn.executing) caller.txn.broken = true;
  engine_.stats.count_error(text);
  reply.error(text);
}

void Executor::refuse_unknown(Caller& caller, Argv argv, Reply& reply) {
  // Only so much of what the client sent comes back to it.
  constexpr size_t kShownBytesMax = 128;
  if (caller.origin == Origin::kScript)
    return refuse(caller, nullptr, errors::kUnknownInScript, reply);
  if (caller.session != nullptr && is_http(argv[0])) {
    engine_.log.print(LogLevel::kWarning,
                      "closing a client that speaks HTTP: a web page may be made to send commands "
                      "here. id=%llu addr=%s",
                      static_cast<unsigned long long>(caller.session->id),
                      caller.session->peer.address.c_str());
    return caller.session->doom();
  }
  const CommandSpec* container = engine_.registry.find(argv[0]);
  std::string text;
  if (container != nullptr) {
    std::string name(container->name);
    text = "ERR unknown subcommand '" + std::string(errors::shown(argv[1], kShownBytesMax)) +
           "'. Try " + name + " HELP.";
  } else {
    std::string shown;
    for (size_t i = 1; i < argv.size() && shown.size() < kShownBytesMax; ++i) {
      shown += "'" + std::string(errors::shown(argv[i], kShownBytesMax - shown.size())) + "' ";
    }
    text = "ERR unknown command '" + std::string(errors::shown(argv[0], kShownBytesMax)) +
           "', with args beginning with: " + shown;
  }
  for (char& c : text) {
    if (c == '\r' || c == '\n') c = ' ';
  }
  refuse(caller, nullptr, text, reply);
}

void Executor::refuse_arity(Caller& caller, const CommandSpec& spec, Reply& reply) {
  if (caller.origin == Origin::kScript) return refuse(caller, &spec, errors::kArityInScript, reply);
  refuse(caller, &spec,
         "ERR wrong number of arguments for '" + std::string(engine_.registry.full_name(spec)) +
             "' command",
         reply);
}

Executor::Outcome Executor::run(Caller& caller, const Prepared& prepared, Reply& reply) {
  const Outcome outcome = attempt(caller, prepared, reply);
  if (engine_.tracking.active() && caller.session != nullptr && outcome != Outcome::kPostponed)
      [[unlikely]] {
    engine_.tracking.on_command_end(*caller.session, prepared.spec);
  }
  return outcome;
}

Executor::Outcome Executor::attempt(Caller& caller, const Prepared& prepared, Reply& reply) {
  const CommandSpec* spec = prepared.spec;
  if (spec == nullptr) [[unlikely]] {
    refuse_unknown(caller, prepared.argv, reply);
    return Outcome::kRefused;
  }
  if (!spec->accepts(prepared.argv.size()) || spec->handler == nullptr) [[unlikely]] {
    refuse_arity(caller, *spec, reply);
    return Outcome::kRefused;
  }
  static_assert(Gate::kProtected == Flag::kProtected.bits);
  const GateMask asking =
      node_gates_ | caller.gates | static_cast<GateMask>(spec->flags.bits & Flag::kProtected.bits);
  if (const GateMask mask = gates_of(caller.origin) & asking; mask != 0) [[unlikely]] {
    switch (ask_gates(engine_, mask, caller, *spec, prepared.argv)) {
      case Passage::kPass:
        break;
      case Passage::kRefused: {
        const std::string text = std::move(message_);
        refuse(caller, spec, text, reply);
        return Outcome::kRefused;
      }
      case Passage::kQueued:
        reply.simple("QUEUED");
        return Outcome::kDone;
      case Passage::kPostponed:
        return Outcome::kPostponed;
    }
  }
  const Status status = call(caller, prepared, reply);
  if (depth_ == 0 && engine_.blocking.has_ready()) run_woken();
  const bool waits = status.err() == Err::kBlocked || status.err() == Err::kExclusive;
  return waits ? Outcome::kWaits : Outcome::kDone;
}

// Runs the handler and does all accounts that follow from its outcome.
Status Executor::call(Caller& caller, const Prepared& prepared, Reply& reply) {
  const CommandSpec& spec = *prepared.spec;
  CommandStats& stats = engine_.registry.stats(spec);
  const uint64_t started = tick_;
  const uint64_t turn_started = turn_tick_;
  const uint64_t answered = caller.session == nullptr ? 0 : caller.session->out().stream_end();
  const DbIndex db = caller.db;
  Context ctx{.engine = engine_,
              .spec = spec,
              .argv = prepared.argv,
              .caller = caller,
              .reply = reply,
              .db = engine_.dbs[db],
              .effects = Effects(engine_.commit, db),
              .now = engine_.now(),
              .first_key = prepared.first_key,
              .blobs = prepared.blobs,
              .woken_by = prepared.woken_by};
  if (depth_ == 0) {
    engine_.commit.begin_group();
    running_ = caller.session;
  }
  engine_.commit.begin_command();
  ++depth_;
  const Status status = spec.handler(ctx);
  --depth_;
  if (!status.is_ok() && status.err() != Err::kBlocked && status.err() != Err::kExclusive) {
    const bool is_counted = status.err() == Err::kCountedMessage;
    const ByteView text = status.err() == Err::kMessage || is_counted
                              ? ByteView(message_)
                              : errors::text_of(status.err());
    if (!is_counted) engine_.stats.count_error(text);
    ++stats.failed;
    reply.error(text);
  }
  if (engine_.tracking.active()) [[unlikely]]
    engine_.tracking.on_command(caller, spec, prepared.argv);
  // Shown when it has run, so that a transaction's commands come before its EXEC; one that is run
  // again was shown when it began to wait.
  if (engine_.monitors.active() && prepared.woken_by == nullptr && !engine_.rehearses)
    engine_.monitors.feed(engine_, caller, spec, prepared.argv);
  if (ctx.changes > 0) {
    engine_.changes += ctx.changes;
    if (engine_.replication.follows() && !caller.obeys() && !engine_.rehearses) [[unlikely]]
      note_own_write(caller, db, spec, prepared.argv);
    if (!ctx.effects.is_explicit() && engine_.commit.wanted()) {
      const bool is_alone = depth_ == 0 && engine_.commit.size() == 0;
      is_alone ? engine_.commit.add_alone(db, prepared.argv, prepared.raw)
               : engine_.commit.add(db, prepared.argv);
    }
  }
  if (status.err() == Err::kExclusive) {
    if (depth_ == 0) running_ = nullptr;
    return status;
  }
  if (depth_ == 0) end_group(group_kind(spec));
  if (status.err() == Err::kBlocked) return status;
  // What is read from the log was accounted when it was written there.
  if (caller.origin == Origin::kReplay) return status;
  ++engine_.stats.commands_processed;
  tick_ = engine_.stopwatch.ticks();
  turn_tick_ = turn_started;  // what ran inside of this command may have started a clock of its own
  engine_.account(
      stats, caller, spec, prepared.argv,
      {.nanos = nanos_of(tick_ - started),
       .waited_nanos = nanos_of(started - turn_tick_),
       .reply_bytes =
           caller.session == nullptr ? 0 : caller.session->out().stream_end() - answered});
  return status;
}

// A command before it may have ended the lead of this node (REPLICAOF): what is written then would
// be here alone. Redis writes it all the same; among members that elect it is refused.
bool Executor::refuse_behind_lead(Caller& caller, const QueuedCommand& queued, Reply& reply) {
  if (!engine_.leadership.is_on() || !engine_.replication.follows()) return false;
  if ((gates_of(caller.origin) & Gate::kRole) == 0) return false;
  const Argv argv = queued.argv.argv();
  if (ask_gates(engine_, Gate::kRole, caller, *queued.spec, argv) == Passage::kPass) return false;
  engine_.stats.count_error(message_);
  reply.error(message_);
  return true;
}

// Clients of a replica that may be written, or a transaction behind the REPLICAOF that stands in
// it: what that wrote is in no stream, so the new primary is to send all that it has.
void Executor::note_own_write(const Caller& caller, DbIndex db, const CommandSpec& spec,
                              Argv argv) {
  engine_.own_keys.note_write(db, spec, argv);
  if (caller.txn.executing && engine_.options.replication.replica_read_only)
    engine_.replication.forget_history();
}

// Permissions may have changed since a command was queued: it alone is refused then.
bool Executor::refuse_queued(Caller& caller, const QueuedCommand& queued, Reply& reply) {
  if ((caller.gates & Gate::kAcl) == 0) return false;
  const Argv argv = queued.argv.argv();
  const AclDenial denial = engine_.acl.check(caller.user, *queued.spec, argv, caller.db);
  if (!denial.is_denied()) return false;
  engine_.acl.note_denial(caller, *queued.spec, argv, denial);
  std::string text =
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
      "call. This command is no longer allowed for the following reason: ";
  text.append(reason_of_refusal(denial.reason));
  engine_.stats.count_error(text);
  reply.error(text);
  return true;
}

// A command that nobody else runs has answered.
void Executor::end_group(GroupKind kind) {
  engine_.close_group(kind);
  running_ = nullptr;
  if (engine_.tracking.active()) [[unlikely]]
    engine_.tracking.tell_pending();
}

void Executor::run_together(FunctionRef<void()> commands) {
  engine_.commit.begin_group();
  ++depth_;
  commands();
  --depth_;
  end_group(GroupKind::kTransaction);
  if (engine_.blocking.has_ready()) run_woken();
}

Status Executor::run_queue(Caller& caller, Reply& reply) {
  Transaction& txn = caller.txn;
  while (txn.next < txn.queue.size()) {
    const QueuedCommand& queued = txn.queue[txn.next++];
    const auto run_one = [&](Reply& to) {
      if (refuse_queued(caller, queued, to) || refuse_behind_lead(caller, queued, to))
        return Status::ok();
      return call(caller, {.spec = queued.spec, .argv = queued.argv.argv()}, to);
    };
    // Those before it may have changed how it is answered, and whether: HELLO, CLIENT REPLY, CLIENT
    // KILL.
    const Status status =
        caller.session != nullptr ? caller.session->with_reply(run_one) : run_one(reply);
    if (status.err() == Err::kExclusive) return status;
  }
  txn = Transaction();
  return Status::ok();
}

void Executor::resume_queue(Session& session) {
  Caller& caller = session.caller();
  const CommandSpec& runner = *caller.txn.runner;
  start_timing();
  const uint64_t started = tick_;
  const Status status = session.with_reply([&](Reply& reply) {
    ++depth_;
    running_ = &session;
    const Status rest = run_queue(caller, reply);
    --depth_;
    if (rest.is_ok()) end_group(GroupKind::kTransaction);
    running_ = nullptr;
    return rest;
  });
  if (status.err() == Err::kExclusive) return;
  ++engine_.stats.commands_processed;
  engine_.account(engine_.registry.stats(runner), caller, runner, {},
                  {.nanos = nanos_of(tick_ - started)});
  if (engine_.blocking.has_ready()) run_woken();
}

std::string Executor::settle(Session* session, ExclusiveWork& work) {
  running_ = session;
  std::string error = work.finish();
  const bool is_in_transaction = session != nullptr && session->caller().txn.executing;
  if (!is_in_transaction) end_group(GroupKind::kCommand);
  running_ = nullptr;
  return error;
}

bool Executor::run_again(Session& session, const std::string& key) {
  // The wait stays in its queues while the command runs: if it finds nothing it has kept its place.
  Wait& wait = session.wait();
  const Prepared prepared{.spec = wait.spec, .argv = wait.argv.argv(), .woken_by = &key};
  const Status status =
      session.with_reply([&](Reply& reply) { return call(session.caller(), prepared, reply); });
  if (status.err() == Err::kBlocked) return false;
  finish_wait(session);
  return true;
}

void Executor::time_out(Session& session) {
  Wait& wait = session.wait();
  if (wait.keys.empty() || wait.spec->flags.has(Flag::kAnswersLate)) {
    last_run_ = true;
    const Prepared prepared{.spec = wait.spec, .argv = wait.argv.argv()};
    (void)session.with_reply([&](Reply& reply) { return call(session.caller(), prepared, reply); });
    last_run_ = false;
  } else {
    // The handler is not asked: a key may have become another type meanwhile, which must not turn
    // into an error now.
    ++engine_.stats.commands_processed;
    engine_.account(engine_.registry.stats(*wait.spec), session.caller(), *wait.spec,
                    wait.argv.argv(), {});
    session.with_reply([](Reply& reply) {
      reply.null_array();
      return true;
    });
  }
  finish_wait(session);
}

void Executor::break_off(Session& session, ByteView error) {
  const Wait& wait = session.wait();
  CommandStats& stats = engine_.registry.stats(*wait.spec);
  engine_.stats.count_error(error);
  ++stats.failed;
  ++engine_.stats.commands_processed;
  engine_.account(stats, session.caller(), *wait.spec, wait.argv.argv(), {});
  session.with_reply([error](Reply& reply) {
    reply.error(error);
    return true;
  });
  if (session.call_acks != nullptr) engine_.acked_calls.on_refused(session);
  finish_wait(session);
}

void Executor::finish_wait(Session& session) {
  // Its reply may have doomed the session, which takes it out of the queues.
  if (session.wait().active) (void)engine_.blocking.remove(session);
  session.end_wait();
}

// A transaction that waits in the middle is over first, and so is a script that keeps the node
// busy.
bool Executor::has_woken() const {
  return engine_.blocking.has_ready() && !engine_.exclusive.active() &&
         (node_gates_ & Gate::kBusy) == 0;
}

void Executor::run_woken() {
  while (has_woken()) {
    Blocking::Where where = engine_.blocking.take_ready();
    const Keyspace& db = engine_.dbs[where.first];
    const Key key = db.key(where.second);
    const bool is_paused = engine_.clients.paused() != Clients::Pause::kNone;
    if (!engine_.are_due_members_gone(where.first, key, is_paused ? Ends::kNone : Ends::kMembers)) {
      engine_.due_members.hold(where);
      continue;
    }
    size_t passed = 0;
    // One that finds nothing keeps its place; those behind it may want another type, so each is
    // asked, while there is something to be had.
    for (;;) {
      Session* const session = db.find(key) != nullptr
                                   ? engine_.blocking.waiter(where, passed)
                                   : engine_.blocking.waiter_told_of_removal(where, passed);
      if (session == nullptr) break;
      if (!run_again(*session, where.second)) ++passed;
    }
  }
}

}  // namespace ouro
