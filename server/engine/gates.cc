// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/gates.h"

#include <algorithm>
#include <bit>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

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

Passage auth_gate(Engine& engine, Caller&, const CommandSpec& spec, Argv) {
  return spec.flags.has(Flag::kNoAuth) ? Passage::kPass : refuse(engine, errors::kNoAuth);
}

Passage acl_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv argv) {
  const bool is_queued = caller.txn.open && !spec.flags.has(Flag::kInsideMulti);
  const DbIndex db = is_queued ? caller.txn.db : caller.db;
  const AclDenial denial = engine.acl.check(caller.user, spec, argv, db);
  if (!denial.is_denied()) return Passage::kPass;
  engine.acl.note_denial(caller, spec, argv, denial);
  const bool in_script = caller.origin == Origin::kScript;
  switch (denial.reason) {
    case AclDenial::Reason::kKey:
      return refuse(engine, in_script ? errors::kNoKeyInScript : errors::kNoKeyPermission);
    case AclDenial::Reason::kDatabase:
      return refuse(engine, in_script ? errors::kNoDbInScript : errors::kNoDbPermission);
    case AclDenial::Reason::kChannel:
      return refuse(engine, in_script ? errors::kNoChannelInScript : errors::kNoChannelPermission);
    case AclDenial::Reason::kCommand:
    case AclDenial::Reason::kNone:
      break;
  }
  if (in_script) return refuse(engine, errors::kNoCommandInScript);
  return refuse(engine, "NOPERM this user has no permissions to run the '" +
                            std::string(engine.registry.full_name(spec)) + "' command");
}

// The commands of a script. Memory is judged as of its start, and no longer once it has written:
// nothing is evicted under a script, and none is stopped halfway.
Passage script_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv) {
  const ScriptLimits& limits = *caller.script;
  if (spec.flags.has(Flag::kNoScript) && !engine.scripts_run_all)
    return refuse(engine, errors::kNotFromScript);
  if (limits.read_only && spec.flags.has(Flag::kWrite | Flag::kMayReplicate))
    return refuse(engine, errors::kReadOnlyScript);
  if (limits.memory_is_short && !limits.has_written && spec.flags.has(Flag::kDenyOom))
    return refuse(engine, errors::kOutOfMemory);
  return Passage::kPass;
}

Passage memory_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv argv) {
  const bool fits = engine.eviction.make_room(engine);
  if (fits) return Passage::kPass;
  bool needs_memory = has_any(engine, caller, spec, argv, Flag::kDenyOom);
  // A queue takes memory whatever is queued.
  if (caller.txn.open && !caller.txn.executing) needs_memory |= !spec.flags.has(Flag::kEndsMulti);
  return needs_memory ? refuse(engine, errors::kOutOfMemory) : Passage::kPass;
}

// A script that has begun to write goes on.
Passage disk_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv argv) {
  if (caller.script != nullptr && caller.script->has_written) return Passage::kPass;
  const Flags refused =
      Flag::kWrite | (caller.script == nullptr ? Flag::kTellsOfDisk : Flag::kNone);
  return has_any(engine, caller, spec, argv, refused)
             ? refuse(engine, engine.persistence.write_refusal())
             : Passage::kPass;
}

// As Valkey does it, a client that takes redirects is sent to the primary, with its reads, too,
// unless it has said READONLY.
bool is_redirected(Engine& engine, Caller& caller, const CommandSpec& spec, Argv argv) {
  const Session* session = caller.origin == Origin::kClient ? caller.session : nullptr;
  if (session == nullptr || !session->takes_redirects || !engine.replication.follows())
    return false;
  const Flags of_data = session->reads_here ? Flag::kWrite : Flag::kWrite | Flag::kReadonly;
  return has_any(engine, caller, spec, argv, of_data);
}

// A replica is written by its primary alone; min-replicas-to-write. A script that has begun to
// write goes on.
Passage role_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv argv) {
  if (caller.script != nullptr && caller.script->has_written) return Passage::kPass;
  const Replication& replication = engine.replication;
  if (is_redirected(engine, caller, spec, argv)) [[unlikely]] {
    const auto& primary = replication.primary;
    return refuse(engine, "REDIRECT " + primary.host + ":" + std::to_string(primary.port));
  }
  // Its answer would wait for replicas that may never come.
  const bool serves = engine.leadership.serves();
  if (replication.hides_data() && has_any(engine, caller, spec, argv, Flag::kReadonly))
    return refuse(engine, serves ? errors::kHidden : errors::kNobodyLeads);
  if (!has_any(engine, caller, spec, argv, Flag::kWrite)) return Passage::kPass;
  if (!serves) return refuse(engine, errors::kNobodyLeadsWrites);
  if (replication.follows() && engine.options.replication.replica_read_only)
    return refuse(engine, errors::kReadOnlyReplica);
  if (replication.refuses_writes()) return refuse(engine, errors::kNotAcknowledged);
  return replication.has_enough_replicas() ? Passage::kPass : refuse(engine, errors::kNoReplicas);
}

// A replica whose link is down, and replica-serve-stale-data is no.
Passage stale_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv argv) {
  const auto& queue = caller.txn.queue;
  const bool runs_queue = spec.flags.has(Flag::kRunsQueue);
  const bool may_run =
      flags_of(engine, spec, argv).has(Flag::kStale) &&
      (!runs_queue || std::all_of(queue.begin(), queue.end(), [&](const auto& queued) {
        return flags_of(engine, *queued.spec, queued.argv.argv()).has(Flag::kStale);
      }));
  if (may_run) return Passage::kPass;
  return refuse(engine, caller.script != nullptr ? errors::kStaleInScript : errors::kMasterDown);
}

// While other databases are loaded, those of before are served.
Passage loading_gate(Engine& engine, Caller&, const CommandSpec& spec, Argv) {
  const bool may_run = engine.persistence.loading.is_async ? !spec.flags.has(Flag::kNoAsyncLoading)
                                                           : spec.flags.has(Flag::kLoading);
  return may_run ? Passage::kPass : refuse(engine, errors::kLoading);
}

// A script is over its time, and this is a turn inside its own.
Passage busy_gate(Engine& engine, Caller&, const CommandSpec& spec, Argv) {
  return spec.flags.has(Flag::kAllowBusy) ? Passage::kPass
                                          : refuse(engine, engine.scripting->busy_error());
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

Passage monitor_gate(Engine& engine, Caller&, const CommandSpec& spec, Argv argv) {
  const bool needs_data =
      flags_of(engine, spec, argv).has(Flag::kReadonly | Flag::kWrite | Flag::kMayReplicate);
  return needs_data ? refuse(engine, errors::kMonitorNeedsData) : Passage::kPass;
}

Passage transaction_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv argv) {
  if (spec.flags.has(Flag::kInsideMulti)) return Passage::kPass;
  if (spec.flags.has(Flag::kNoMulti))
    return refuse(engine, "ERR Command not allowed inside a transaction");
  if (spec.databases == DbUse::kFirst) {
    for_each_database(spec, argv, [&](size_t, int64_t db) {
      if (db >= 0 && db < engine.dbs.count()) caller.txn.db = static_cast<DbIndex>(db);
    });
  }
  caller.txn.queue.push_back({&spec, OwnedArgv(engine.heap, argv)});
  caller.txn.queue_bytes += caller.txn.queue.back().argv.memory_bytes();
  return Passage::kQueued;
}

Passage pause_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv argv) {
  return engine.clients.must_wait(caller, spec, argv) ? Passage::kPostponed : Passage::kPass;
}

Passage due_gate(Engine& engine, Caller& caller, const CommandSpec& spec, Argv argv) {
  // What runs beside a script that is over its time belongs to the script's group.
  if (engine.batch.is_nested()) return Passage::kPass;
  // Who imports sees what is due.
  if (engine.options.import_mode && caller.imports) return Passage::kPass;
  return engine.due_members.clear_way(caller, spec, argv) ? Passage::kPass : Passage::kPostponed;
}

struct GateRow {
  GateMask gate;
  Passage (*ask)(Engine&, Caller&, const CommandSpec&, Argv);
};
// By their bits, which are in the order in which Redis refuses and holds back.
constexpr GateRow kGates[] = {
    {Gate::kAuth, auth_gate},
    {Gate::kScript, script_gate},
    {Gate::kAcl, acl_gate},
    {Gate::kMemory, memory_gate},
    {Gate::kDisk, disk_gate},
    {Gate::kRole, role_gate},
    {Gate::kSubscribed, subscribed_gate},
    {Gate::kStale, stale_gate},
    {Gate::kLoading, loading_gate},
    {Gate::kBusy, busy_gate},
    {Gate::kMonitor, monitor_gate},
    {Gate::kPause, pause_gate},
    {Gate::kTransaction, transaction_gate},
    {Gate::kDue, due_gate},
};
constexpr bool are_by_their_bits() {
  for (size_t i = 0; i < std::size(kGates); ++i) {
    if (kGates[i].gate != GateMask{1} << i) return false;
  }
  return true;
}
static_assert(are_by_their_bits());

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

bool has_any(Engine& engine, const Caller& caller, const CommandSpec& spec, Argv argv,
             Flags flags) {
  if (flags_of(engine, spec, argv).has(flags)) return true;
  const auto& queue = caller.txn.queue;
  return spec.flags.has(Flag::kRunsQueue) &&
         std::any_of(queue.begin(), queue.end(), [&](const QueuedCommand& queued) {
           return flags_of(engine, *queued.spec, queued.argv.argv()).has(flags);
         });
}

Passage ask_gates(Engine& engine, GateMask mask, Caller& caller, const CommandSpec& spec,
                  Argv argv) {
  // A script that the log or the primary runs: all but what no script may do has happened already.
  if (caller.obeys()) mask &= Gate::kScript;
  if ((mask & Gate::kProtected) != 0) {  // nobody need log in to be told
    const Passage passage = protected_gate(engine, caller, spec, argv);
    if (passage != Passage::kPass) return passage;
    mask &= ~Gate::kProtected;
  }
  for (; mask != 0; mask &= mask - 1) {
    const Passage passage = kGates[std::countr_zero(mask)].ask(engine, caller, spec, argv);
    if (passage != Passage::kPass) return passage;
  }
  return Passage::kPass;
}

}  // namespace ouro
