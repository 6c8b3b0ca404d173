// SPDX-License-Identifier: BSD-3-Clause
// MULTI, EXEC, DISCARD, WATCH, UNWATCH. Queueing itself is a gate (engine/gates.cc).
#include "server/commands/string_condition.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// Ends the transaction without running it.
void drop_transaction(Context& ctx) {
  ctx.caller.txn = Transaction();
  ctx.caller.gates &= ~Gate::kTransaction;
  ctx.engine.watch.clear(ctx.caller);
}

Status cmd_multi(Context& ctx) {
  if (ctx.caller.txn.open) return ctx.fail("ERR MULTI calls can not be nested");
  ctx.caller.txn.open = true;
  ctx.caller.txn.db = ctx.caller.db;
  ctx.caller.gates |= Gate::kTransaction;
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_discard(Context& ctx) {
  if (!ctx.caller.txn.open) return ctx.fail("ERR DISCARD without MULTI");
  drop_transaction(ctx);
  ctx.reply.ok();
  return Status::ok();
}

// A watched key that has expired since, though nobody has removed it yet, has changed too.
bool watched_key_expired(Context& ctx) {
  for (const WatchedKey& watched : ctx.caller.watched) {
    if (ctx.engine.watch.was_due(ctx.caller, watched)) continue;
    Keyspace& db = ctx.engine.dbs[watched.db];
    const Entry* entry = db.find(db.key(watched.key));
    if (entry != nullptr && entry->is_due(ctx.now)) return true;
  }
  return false;
}

// ---- EXEC's conditions, as of Valkey 9.2: [IFEQ key value | IFNE key value | NX key | XX key] ...

struct ConditionForm {
  ByteView word;
  size_t words;  // with the key and what it is compared with
  StringCondition::Kind of_string;
};
constexpr ConditionForm kConditionForms[] = {{"IFEQ", 3, StringCondition::kEqual},
                                             {"IFNE", 3, StringCondition::kNotEqual},
                                             {"NX", 2, StringCondition::kNone},
                                             {"XX", 2, StringCondition::kNone}};

const ConditionForm* condition_at(Argv argv, size_t at) {
  for (const ConditionForm& form : kConditionForms) {
    if (equals_ignoring_case(argv[at], form.word))
      return argv.size() - at < form.words ? nullptr : &form;
  }
  return nullptr;
}

bool are_conditions(Argv argv) {
  for (size_t at = 1; at < argv.size();) {
    const ConditionForm* form = condition_at(argv, at);
    if (form == nullptr) return false;
    at += form->words;
  }
  return true;
}

// Whether all are met.
[[gnu::noinline]] Result<bool> conditions_hold(Context& ctx) {
  if (!are_conditions(ctx.argv))
    return ctx.fail("EXECABORT Transaction discarded because of: invalid check condition syntax");
  for (size_t at = 1; at < ctx.argv.size();) {
    const ConditionForm& form = *condition_at(ctx.argv, at);
    const Entry* const entry = ctx.find(ctx.key(at + 1));
    if (form.of_string == StringCondition::kNone) {
      const bool wants_key = form.word == "XX";
      if ((entry != nullptr) != wants_key) return false;
    } else {
      OURO_TRY(const bool holding, holds(ctx, {form.of_string, ctx.argv[at + 2]}, entry));
      if (!holding) return false;
    }
    at += form.words;
  }
  return true;
}

Status keys_of_exec(Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
  if (!are_conditions(argv)) return Err::kInvalid;
  for (size_t at = 1; at < argv.size(); at += condition_at(argv, at)->words)
    fn(at + 1, kReadOnly | kAccess);
  return Status::ok();
}

Status cmd_exec(Context& ctx) {
  Caller& caller = ctx.caller;
  if (!caller.txn.open) return ctx.fail("ERR EXEC without MULTI");
  ctx.effects.none();
  if (caller.txn.broken) {
    drop_transaction(ctx);
    return ctx.fail_text(errors::kExecAbort);
  }
  bool may_run = !caller.watch_broken && !watched_key_expired(ctx);
  if (ctx.argv.size() > 1) [[unlikely]] {
    const Result<bool> holding = conditions_hold(ctx);
    if (!holding.is_ok()) {
      drop_transaction(ctx);
      return holding.err();
    }
    may_run &= *holding;
  }
  if (!may_run) {
    drop_transaction(ctx);
    ctx.reply.null_array();
    return Status::ok();
  }
  // The commands themselves must see neither an open transaction nor the watches.
  Transaction txn = std::move(caller.txn);
  drop_transaction(ctx);
  txn.open = false;
  txn.executing = true;
  txn.runner = &ctx.spec;
  caller.txn = std::move(txn);
  ctx.reply.array(caller.txn.queue.size());
  return ctx.engine.executor.run_queue(caller, ctx.reply);
}

Status cmd_watch(Context& ctx) {
  if (ctx.caller.txn.open) return ctx.fail("ERR WATCH inside MULTI is not allowed");
  for (size_t i = 1; i < ctx.argv.size(); ++i) {
    const Entry* entry = ctx.db.find(ctx.db.key(ctx.argv[i]));
    ctx.engine.watch.add(ctx.caller, ctx.caller.db, ctx.argv[i],
                         entry != nullptr && entry->is_due(ctx.now));
  }
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_unwatch(Context& ctx) {
  ctx.engine.watch.clear(ctx.caller);
  ctx.reply.ok();
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "DISCARD",
     .arity = exactly(1),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kAllowBusy |
              Flag::kInsideMulti | Flag::kEndsMulti,
     .acl = Acl::kTransaction,
     .handler = cmd_discard,
     .doc = {.summary = "Drops the queued commands and ends the transaction.",
             .complexity = "O(N), N commands queued",
             .since = "2.0.0",
             .group = "transactions"}},
    {.name = "EXEC",
     .arity = at_least(1),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kSkipSlowlog |
              Flag::kNoMandatoryKeys | Flag::kMovableKeys | Flag::kRunsQueue | Flag::kInsideMulti |
              Flag::kEndsMulti,
     .keys = {KeySpec{.begin = KeySpec::Begin::kUnknown,
                      .find = KeySpec::Find::kUnknown,
                      .use = kReadOnly | kAccess}},
     .acl = Acl::kTransaction,
     .handler = cmd_exec,
     .movable_keys = keys_of_exec,
     .doc = {.summary = "Runs the queued commands as one, if all conditions hold.",
             .complexity = "That of the queued commands, O(N) for N conditions",
             .since = "1.2.0",
             .group = "transactions",
             .args = "[condition:<IFEQ=equal:{key:key#0 value:string} | IFNE=not-equal:{key:key#0 "
                     "value:string} | NX=absent-key:key#0 | XX=present-key:key#0>@9.2.0...]"}},
    {.name = "MULTI",
     .arity = exactly(1),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kAllowBusy |
              Flag::kInsideMulti,
     .acl = Acl::kTransaction,
     .handler = cmd_multi,
     .doc = {.summary = "Starts a transaction: what follows is queued until EXEC.",
             .complexity = "O(1)",
             .since = "1.2.0",
             .group = "transactions"}},
    {.name = "UNWATCH",
     .arity = exactly(1),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kAllowBusy,
     .acl = Acl::kTransaction,
     .handler = cmd_unwatch,
     .doc = {.summary = "Forgets all watched keys.",
             .complexity = "O(1)",
             .since = "2.2.0",
             .group = "transactions"}},
    {.name = "WATCH",
     .arity = at_least(2),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kAllowBusy |
              Flag::kInsideMulti,
     .keys = {key_range(1, -1, 1, kReadOnly)},
     .acl = Acl::kTransaction,
     .handler = cmd_watch,
     .doc = {.summary = "Makes the next EXEC fail if one of these keys changes before it.",
             .complexity = "O(1) a key",
             .since = "2.2.0",
             .group = "transactions",
             .args = "key:key#0..."}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kTransactionCommands = kRows;

}  // namespace ouro
