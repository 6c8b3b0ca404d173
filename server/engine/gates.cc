// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/gates.h"

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// Origin x gate. Replay and a primary's stream are facts: refusing one would be corruption. Scripts
// pass the gates of whoever called them (issue: scripts), the embedding program is trusted.
constexpr GateMask kGatesOf[] = {
    /* kClient   */ ~GateMask{0},
    /* kEmbedded */ Gate::kMemory | Gate::kTransaction,
    /* kReplay   */ 0,
    /* kPrimary  */ 0,
    /* kScript   */ Gate::kAcl | Gate::kRoute | Gate::kRole | Gate::kMemory,
    /* kInternal */ 0,
};

Passage refuse(Engine& engine, ByteView text) {
  engine.executor.message().assign(text);
  return Passage::kRefused;
}

Passage protected_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv) {
  if (is_among(engine.options.enable_debug_command, caller)) return Passage::kPass;
  return refuse(engine, "ERR " + std::string(spec.name) +
                            " command not allowed. If the enable-debug-command option is set to "
                            "\"local\", you can run it from a local connection, otherwise you "
                            "need to set this option in the configuration file, and then restart "
                            "the server.");
}

Passage auth_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv) {
  const bool passes = spec.flags.has(Flag::kNoAuth) || !caller.session->must_authenticate();
  return passes ? Passage::kPass : refuse(engine, errors::kNoAuth);
}

Passage memory_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv) {
  const bool fits = engine.eviction.make_room(engine);
  if (fits) return Passage::kPass;
  // EXEC is refused when something in its queue would be.
  bool needs_memory = spec.flags.has(Flag::kDenyOom);
  // A queue takes memory whatever is queued.
  if (caller.txn.open && !caller.txn.executing) needs_memory |= !spec.flags.has(Flag::kEndsMulti);
  if (spec.flags.has(Flag::kRunsQueue)) {
    for (const QueuedCommand& queued : caller.txn.queue)
      needs_memory |= queued.spec->flags.has(Flag::kDenyOom);
  }
  return needs_memory ? refuse(engine, errors::kOutOfMemory) : Passage::kPass;
}

Passage loading_gate(Engine& engine, Caller&, const CommandSpec& spec, Argv) {
  return spec.flags.has(Flag::kLoading) ? Passage::kPass : refuse(engine, errors::kLoading);
}

// A RESP2 client that is subscribed may send little else; HELLO may have changed the protocol
// since.
Passage subscribed_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv) {
  if (caller.session->resp_version() == 3 || spec.flags.has(Flag::kInSubscribedMode))
    return Passage::kPass;
  return refuse(engine, "ERR Can't execute '" + std::string(engine.registry.full_name(spec)) +
                            "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
                            "allowed in this context");
}

Passage monitor_gate(Engine& engine, Caller&, const CommandSpec& spec, Argv) {
  const bool needs_data = spec.flags.has(Flag::kReadonly | Flag::kWrite | Flag::kMayReplicate);
  return needs_data ? refuse(engine, errors::kMonitorNeedsData) : Passage::kPass;
}

Passage transaction_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv argv) {
  if (spec.flags.has(Flag::kInsideMulti)) return Passage::kPass;
  if (spec.flags.has(Flag::kNoMulti))
    return refuse(engine, "ERR Command not allowed inside a transaction");
  caller.txn.queue.push_back({&spec, OwnedArgv(engine.heap, argv)});
  caller.txn.queue_bytes += caller.txn.queue.back().argv.memory_bytes();
  return Passage::kQueued;
}

Passage pause_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv) {
  return engine.clients.must_wait(caller, spec) ? Passage::kPostponed : Passage::kPass;
}

struct GateRow {
  GateMask gate;
  Passage (*ask)(Engine&, Caller&, const CommandSpec&, Argv);
};
// In the order in which Redis refuses and holds back.
constexpr GateRow kGates[] = {
    {Gate::kProtected, protected_gate},  // nobody need log in to be told
    {Gate::kAuth, auth_gate},
    {Gate::kMemory, memory_gate},
    {Gate::kSubscribed, subscribed_gate},
    {Gate::kLoading, loading_gate},
    {Gate::kMonitor, monitor_gate},
    {Gate::kPause, pause_gate},
    {Gate::kTransaction, transaction_gate},
};

}  // namespace

bool is_among(Allowed allowed, const Caller& caller) {
  switch (allowed) {
    case Allowed::kNobody:
      return false;
    case Allowed::kEverybody:
      return true;
    case Allowed::kLocalPeers:
      break;
  }
  const Session* session = caller.session;
  return session == nullptr || session->peer.is_loopback || session->peer.is_unix;
}

GateMask gates_of(Origin origin) { return kGatesOf[static_cast<size_t>(origin)]; }

Passage ask_gates(Engine& engine, GateMask mask, Caller& caller, const CommandSpec& spec,
                  Argv argv) {
  for (const GateRow& row : kGates) {
    if ((mask & row.gate) == 0) continue;
    const Passage passage = row.ask(engine, caller, spec, argv);
    if (passage != Passage::kPass) return passage;
  }
  return Passage::kPass;
}

}  // namespace ouro
