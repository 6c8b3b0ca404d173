// SPDX-License-Identifier: BSD-3-Clause
// WAIT, WAITAOF and REPLICA.WAIT: clients that wait for replicas, or on one for its primary's
// stream.
#include "server/commands/tables.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

constexpr const char* kNotOnReplicas =
    "ERR %s cannot be used with replica instances. Please also note that writes to replicas are "
    "just local and are not propagated.";

// In milliseconds; what is longer than the clock can count is refused.
Result<int64_t> wait_timeout(Context& ctx, size_t index) {
  const Result<int64_t> timeout = ctx.integer(index);
  if (!timeout.is_ok()) return ctx.fail_text(errors::kTimeoutNotAnInteger);
  if (*timeout < 0) return ctx.fail_text(errors::kTimeoutNegative);
  if (*timeout > INT64_MAX - ctx.now) return ctx.fail("ERR timeout is out of range");
  return timeout;
}

Status cmd_wait(Context& ctx) {
  Replication& replication = ctx.engine.replication;
  if (replication.follows()) return ctx.fail(kNotOnReplicas, "WAIT");
  OURO_TRY(const int64_t wanted, ctx.integer(1));
  OURO_TRY(const int64_t timeout, wait_timeout(ctx, 2));
  Session* const session = ctx.caller.session;
  const size_t acked = replication.count_acked(session == nullptr ? replication.history().offset
                                                                  : session->stream_seen);
  if (static_cast<int64_t>(acked) >= wanted || !ctx.may_block()) {
    ctx.reply.integer(static_cast<int64_t>(acked));
    return Status::ok();
  }
  replication.begin_wait(*session, {.replicas = static_cast<size_t>(wanted)});
  return ctx.block({}, timeout);
}

Status cmd_waitaof(Context& ctx) {
  Replication& replication = ctx.engine.replication;
  OURO_TRY(const int64_t here, ctx.integer(1));
  if (here < 0 || here > 1)
    return ctx.fail("ERR value is out of range, value must between 0 and 1");
  OURO_TRY(const int64_t replicas, ctx.integer(2));
  if (replicas < 0) return ctx.fail("ERR value is out of range, must be positive");
  OURO_TRY(const int64_t timeout, wait_timeout(ctx, 3));
  if (replication.follows()) return ctx.fail(kNotOnReplicas, "WAITAOF");
  if (here > 0 && !ctx.engine.persistence.log_is_on)
    return ctx.fail("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  Session* const session = ctx.caller.session;
  const bool is_here = replication.is_here_on_disk(session);
  const size_t acked = replication.count_durable(session == nullptr ? replication.history().offset
                                                                    : session->stream_seen);
  const bool is_enough = (here == 0 || is_here) && static_cast<int64_t>(acked) >= replicas;
  if (is_enough || !ctx.may_block()) {
    ctx.reply.array(2);
    ctx.reply.integer(is_here ? 1 : 0);
    ctx.reply.integer(static_cast<int64_t>(acked));
    return Status::ok();
  }
  replication.begin_wait(*session,
                         {.on_disk = static_cast<size_t>(replicas), .here_on_disk = here > 0});
  return ctx.block({}, timeout);
}

// What its client reads behind this is no older than the stream at `offset`, which it got where it
// wrote (ROLE, INFO's master_repl_offset).
Status cmd_replica_wait(Context& ctx) {
  Replication& replication = ctx.engine.replication;
  OURO_TRY(const int64_t offset, ctx.integer(1));
  if (offset < 0) return ctx.fail("ERR offset is negative");
  OURO_TRY(const int64_t timeout, wait_timeout(ctx, 2));
  const uint64_t applied = replication.history().offset;
  if (applied >= static_cast<uint64_t>(offset)) {
    ctx.reply.integer(static_cast<int64_t>(applied));
    return Status::ok();
  }
  const PrimaryFacts& primary = replication.primary;
  if (replication.leads())
    return ctx.fail("ERR The stream of this primary ends before that offset");
  if (!ctx.may_block()) {
    return ctx.fail("TRYPRIMARY %s:%d This replica is at %llu", primary.host.c_str(), primary.port,
                    static_cast<unsigned long long>(applied));
  }
  replication.begin_wait(*ctx.caller.session, {.applied = static_cast<uint64_t>(offset)});
  return ctx.block({}, timeout);
}

constexpr CommandSpec kRows[] = {
    {.name = "REPLICA.WAIT",
     .arity = exactly(3),
     .flags = Flag::kNoScript | Flag::kBlocking,
     .acl = Acl::kConnection,
     .handler = cmd_replica_wait,
     .doc = {.summary = "Waits until a replica has applied its primary's stream up to an offset.",
             .complexity = "O(1)",
             .since = "7.0.0",
             .group = "generic",
             .args = "offset:integer timeout:integer"}},
    {.name = "WAIT",
     .arity = exactly(3),
     .flags = Flag::kNoScript,
     .acl = Acl::kConnection,
     .handler = cmd_wait,
     .doc = {.summary = "Waits until replicas have acknowledged what this connection wrote.",
             .complexity = "O(1)",
             .since = "3.0.0",
             .group = "generic",
             .args = "numreplicas:integer timeout:integer",
             .tips = "request_policy:all_shards response_policy:agg_min"}},
    {.name = "WAITAOF",
     .arity = exactly(4),
     .flags = Flag::kNoScript | Flag::kBlocking,
     .acl = Acl::kConnection,
     .handler = cmd_waitaof,
     .doc = {.summary = "Waits until what this connection wrote is on disk, here and at replicas.",
             .complexity = "O(1)",
             .since = "7.2.0",
             .group = "generic",
             .args = "numlocal:integer numreplicas:integer timeout:integer",
             .tips = "request_policy:all_shards response_policy:agg_min"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kWaitCommands = kRows;

}  // namespace ouro
