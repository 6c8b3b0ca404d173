// SPDX-License-Identifier: BSD-3-Clause
// Commands on whole databases: their size, emptying them, exchanging two.
#include <climits>

#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

Status cmd_dbsize(Context& ctx) {
  ctx.reply.integer(static_cast<int64_t>(ctx.db.size()));
  return Status::ok();
}

Result<Freeing> parse_freeing(const Context& ctx) {
  if (ctx.argv.size() == 1)
    return ctx.engine.options.lazyfree_lazy_user_flush ? Freeing::kLazy : Freeing::kNow;
  ArgParser args(ctx.argv, 1);
  const bool lazy = args.word("ASYNC");
  if (!lazy && !args.word("SYNC")) args.unexpected();
  OURO_TRY(args.finish());
  return lazy ? Freeing::kLazy : Freeing::kNow;
}

// An effect even if nothing was there: a replica may have keys that are due and gone here.
void leave_as_sent(Context& ctx) {
  if (ctx.effects.wanted()) ctx.effects.replace(ctx.argv);
}

Status cmd_flushall(Context& ctx) {
  OURO_TRY(const Freeing freeing, parse_freeing(ctx));
  ctx.engine.flush_all(freeing);
  if (ctx.caller.origin != Origin::kReplay) ctx.engine.host.on_all_flushed();
  leave_as_sent(ctx);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_flushdb(Context& ctx) {
  OURO_TRY(const Freeing freeing, parse_freeing(ctx));
  ctx.engine.flush(ctx.caller.db, freeing);
  leave_as_sent(ctx);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_swapdb(Context& ctx) {
  DbIndex index[2];
  bool exist = true;
  for (size_t i = 0; i < 2; ++i) {
    const Result<int64_t> number = ctx.integer(i + 1);
    if (!number.is_ok() || *number < INT_MIN || *number > INT_MAX) {
      return ctx.fail("ERR invalid %s DB index", i == 0 ? "first" : "second");
    }
    exist = exist && *number >= 0 && *number < ctx.engine.dbs.count();
    index[i] = static_cast<DbIndex>(*number);
  }
  if (!exist) return ctx.fail_text(errors::kDbIndexOutOfRange);
  ctx.engine.swap_databases(index[0], index[1]);
  ++ctx.changes;
  ctx.reply.ok();
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "DBSIZE",
     .arity = exactly(1),
     .flags = Flag::kReadonly | Flag::kFast,
     .acl = Acl::kKeyspace,
     .handler = cmd_dbsize,
     .doc = {.summary = "Returns how many keys the database has.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "server",
             .tips = "request_policy:all_shards response_policy:agg_sum"}},
    {.name = "FLUSHALL",
     .arity = at_least(1),
     .flags = Flag::kWrite,
     .databases = DbUse::kEvery,
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .handler = cmd_flushall,
     .doc = {.summary = "Removes all keys of all databases.",
             .complexity = "O(N), N keys; O(1) when asynchronous",
             .since = "1.0.0",
             .group = "server",
             .args = "[async:<async!ASYNC@4.0.0 | sync!SYNC@6.2.0>]",
             .tips = "request_policy:all_shards response_policy:all_succeeded"}},
    {.name = "FLUSHDB",
     .arity = at_least(1),
     .flags = Flag::kWrite,
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .handler = cmd_flushdb,
     .doc = {.summary = "Removes all keys of the database.",
             .complexity = "O(N), N keys; O(1) when asynchronous",
             .since = "1.0.0",
             .group = "server",
             .args = "[async:<async!ASYNC@4.0.0 | sync!SYNC@6.2.0>]",
             .tips = "request_policy:all_shards response_policy:all_succeeded"}},
    {.name = "SWAPDB",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kFast,
     .databases = DbUse::kPair,
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .handler = cmd_swapdb,
     .doc = {.summary = "Swaps two databases.",
             .complexity = "O(N), N clients that watch or wait for keys in either",
             .since = "4.0.0",
             .group = "server",
             .args = "index1:integer index2:integer"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kDatabaseCommands = kRows;

}  // namespace ouro
