// SPDX-License-Identifier: BSD-3-Clause
// SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF: files that the program around the engine makes (host.h).
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

Status cmd_save(Context& ctx) {
  if (!ctx.may_wait_exclusively()) return ctx.fail_text(errors::kNotFromScript);
  bool scheduled = false;
  std::string error;
  if (!ctx.engine.host.save({.in_foreground = true}, scheduled, error).is_ok())
    return ctx.fail_text("ERR " + error);
  ctx.engine.exclusive.begin(*ctx.caller.session, ctx.spec, ctx.argv, kNever);
  return Err::kExclusive;
}

Status cmd_bgsave(Context& ctx) {
  ArgParser args(ctx.argv, 1);
  Host::SaveRequest request;
  if (args.more() && args.word("SCHEDULE")) request.may_be_later = true;
  if (args.more()) args.unexpected();
  OURO_TRY(args.finish());
  // Between two commands of a group there is no moment to be kept.
  request.must_be_later = ctx.caller.txn.executing || ctx.caller.origin == Origin::kScript;
  bool scheduled = false;
  std::string error;
  if (!ctx.engine.host.save(request, scheduled, error).is_ok())
    return ctx.fail_text("ERR " + error);
  ctx.reply.simple(scheduled ? "Background saving scheduled" : "Background saving started");
  return Status::ok();
}

Status cmd_lastsave(Context& ctx) {
  ctx.reply.integer(ctx.engine.persistence.last_save / 1000);
  return Status::ok();
}

Status cmd_bgrewriteaof(Context& ctx) {
  const Host::RewriteRequest request = {.must_be_later = ctx.caller.txn.executing};
  bool scheduled = false;
  std::string error;
  if (!ctx.engine.host.rewrite_log(request, scheduled, error).is_ok())
    return ctx.fail_text("ERR " + error);
  ctx.reply.simple(scheduled ? "Background append only file rewriting scheduled"
                             : "Background append only file rewriting started");
  return Status::ok();
}

constexpr CommandSpec kPersistenceRows[] = {
    {.name = "BGREWRITEAOF",
     .arity = exactly(1),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kNoAsyncLoading | Flag::kNeedsServer,
     .handler = cmd_bgrewriteaof,
     .doc = {.summary = "Begins the append-only log anew, from what there is now.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "server"}},
    {.name = "BGSAVE",
     .arity = at_least(1),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kNoAsyncLoading | Flag::kNeedsServer,
     .handler = cmd_bgsave,
     .doc = {.summary = "Begins a snapshot, which is written while commands go on.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "server",
             .history = "3.2.2 Takes SCHEDULE.",
             .args = "[schedule!SCHEDULE@3.2.2]"}},
    {.name = "LASTSAVE",
     .arity = exactly(1),
     .flags = Flag::kLoading | Flag::kStale | Flag::kFast,
     .acl = Acl::kAdmin | Acl::kDangerous,
     .handler = cmd_lastsave,
     .doc = {.summary = "Returns when the last snapshot was written, in Unix seconds.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "server",
             .tips = "nondeterministic_output"}},
    {.name = "SAVE",
     .arity = exactly(1),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kNoAsyncLoading | Flag::kNoMulti |
              Flag::kNeedsServer,
     .handler = cmd_save,
     .doc = {.summary = "Writes a snapshot while all clients wait.",
             .complexity = "O(N) for N keys",
             .since = "1.0.0",
             .group = "server"}},
};
static_assert(table_is_valid(kPersistenceRows));

}  // namespace

constinit const std::span<const CommandSpec> kPersistenceCommands = kPersistenceRows;

}  // namespace ouro
