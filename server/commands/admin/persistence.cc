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

Status cancel_bgsave(Context& ctx) {
  switch (ctx.engine.host.cancel_save()) {
    case Host::CancelledSave::kRunning:
      ctx.reply.simple("Background saving cancelled");
      return Status::ok();
    case Host::CancelledSave::kScheduled:
      ctx.reply.simple("Scheduled background saving cancelled");
      return Status::ok();
    case Host::CancelledSave::kNone:
      break;
  }
  return ctx.fail("ERR Background saving is currently not in progress or scheduled");
}

Status cmd_bgsave(Context& ctx) {
  ArgParser args(ctx.argv, 1);
  if (args.left() == 1 && args.word("CANCEL")) return cancel_bgsave(ctx);
  Host::SaveRequest request;
  if (args.word("SCHEDULE")) request.may_be_later = true;
  const bool wants_fork = args.word("FORK");
  if (!wants_fork) (void)args.word("FORKLESS");  // each is
  OURO_TRY(args.finish());
  if (wants_fork)
    return ctx.fail("ERR BGSAVE FORK cannot be done: this server makes its snapshots without fork");
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
             .history = "3.2.2 Takes SCHEDULE. | 8.1.0 Takes CANCEL. | 9.2.0 Takes FORKLESS.",
             .args = "[schedule!SCHEDULE@3.2.2] [cancel!CANCEL@8.1.0] [forkless!FORKLESS@9.2.0]"}},
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
