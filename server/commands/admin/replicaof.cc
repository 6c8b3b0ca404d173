// SPDX-License-Identifier: BSD-3-Clause
// REPLICAOF, SLAVEOF and FAILOVER: who leads.
#include <algorithm>

#include "server/commands/tables.h"
#include "server/engine/client_line.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// For the log.
std::string asker(const Context& ctx) {
  return ctx.caller.session == nullptr ? "" : client_line(ctx.engine, *ctx.caller.session);
}

void lead(Context& ctx) {
  Engine& engine = ctx.engine;
  if (engine.leadership.is_on()) return engine.leadership.stand();
  if (engine.replication.leads()) return;
  engine.replication.lead();
  engine.log.print(LogLevel::kNotice, "MASTER MODE enabled (user request from '%s')",
                   asker(ctx).c_str());
}

void follow(Context& ctx, const std::string& host, uint16_t port) {
  Engine& engine = ctx.engine;
  engine.leadership.stop_standing();
  engine.replication.follow(host, port);
  engine.log.print(LogLevel::kNotice, "REPLICAOF %s:%d enabled (user request from '%s')",
                   host.c_str(), port, asker(ctx).c_str());
}

Status cmd_replicaof(Context& ctx) {
  if (ctx.engine.failover.is_on()) return ctx.fail("ERR REPLICAOF not allowed while failing over.");
  if (equals_ignoring_case(ctx.argv[1], "no") && equals_ignoring_case(ctx.argv[2], "one")) {
    lead(ctx);
    ctx.reply.ok();
    return Status::ok();
  }
  if (ctx.caller.session != nullptr && ctx.caller.session->client_class() == ClientClass::kReplica)
    return ctx.fail("ERR Command is not valid when client is a replica.");
  const Result<int64_t> port = ctx.integer(2);
  if (!port.is_ok() || *port < 0 || *port > 65535) return ctx.fail("ERR Invalid master port");
  const std::string host(ctx.argv[1]);
  const Leadership& leadership = ctx.engine.leadership;
  const std::string member = host + ':' + std::to_string(*port);
  if (leadership.is_on() && (!leadership.is_member(member) || member == leadership.self()))
    return ctx.fail("ERR semi-sync-members does not name it as another node");
  const PrimaryFacts& primary = ctx.engine.replication.primary;
  if (primary.host == host && primary.port == *port) {
    ctx.reply.simple("OK Already connected to specified master");
    return Status::ok();
  }
  follow(ctx, host, static_cast<uint16_t>(*port));
  ctx.reply.ok();
  return Status::ok();
}

// ---- FAILOVER

Status read_target(Context& ctx, size_t at, Failover::Request& request) {
  OURO_TRY(const int64_t port, ctx.integer(at + 2));
  // What is no port is no replica's either.
  const bool is_port = port >= 0 && port <= 65535;
  request.target = {std::string(ctx.argv[at + 1]),
                    is_port ? static_cast<uint16_t>(port) : uint16_t{0}};
  return Status::ok();
}

Status read_timeout(Context& ctx, size_t at, Failover::Request& request) {
  OURO_TRY(const Millis timeout, ctx.integer(at + 1));
  if (timeout <= 0) return ctx.fail("ERR FAILOVER timeout must be greater than 0");
  request.timeout = timeout;
  return Status::ok();
}

Status read_request(Context& ctx, Failover::Request& request) {
  const Argv argv = ctx.argv;
  for (size_t i = 1; i < argv.size(); ++i) {
    if (equals_ignoring_case(argv[i], "timeout") && i + 1 < argv.size() && !request.timeout) {
      OURO_TRY(read_timeout(ctx, i, request));
      i += 1;
    } else if (equals_ignoring_case(argv[i], "to") && i + 2 < argv.size() && !request.target) {
      OURO_TRY(read_target(ctx, i, request));
      i += 2;
    } else if (equals_ignoring_case(argv[i], "force") && !request.is_forced) {
      request.is_forced = true;
    } else {
      return Err::kSyntax;
    }
  }
  return Status::ok();
}

Status check_may_begin(Context& ctx, const Failover::Request& request) {
  Engine& engine = ctx.engine;
  if (engine.failover.is_on()) return ctx.fail("ERR FAILOVER already in progress.");
  if (engine.replication.follows())
    return ctx.fail("ERR FAILOVER is not valid when server is a replica.");
  if (engine.replication.replicas().empty())
    return ctx.fail("ERR FAILOVER requires connected replicas.");
  if (request.is_forced && (!request.timeout || !request.target)) {
    return ctx.fail(
        "ERR FAILOVER with force option requires both a timeout and target HOST and IP.");
  }
  if (!request.target) return Status::ok();
  const Session* const session = engine.failover.find(*request.target);
  if (session == nullptr) return ctx.fail("ERR FAILOVER target HOST and PORT is not a replica.");
  if (!session->feed->is_online()) return ctx.fail("ERR FAILOVER target replica is not online.");
  return Status::ok();
}

Status cmd_failover(Context& ctx) {
  Failover& failover = ctx.engine.failover;
  if (ctx.argv.size() == 2 && equals_ignoring_case(ctx.argv[1], "abort")) {
    if (!failover.is_on()) return ctx.fail("ERR No failover in progress.");
    failover.give_up("asked for by FAILOVER ABORT");
  } else {
    Failover::Request request;
    OURO_TRY(read_request(ctx, request));
    OURO_TRY(check_may_begin(ctx, request));
    failover.begin(std::move(request));
  }
  ctx.reply.ok();
  return Status::ok();
}

constexpr Flags kFlags = Flag::kAdmin | Flag::kNoScript | Flag::kStale | Flag::kNoAsyncLoading;
constexpr ByteView kArgs = "args:<host-port:{host:string port:integer} | no-one:{no!NO one!ONE}>";

constexpr CommandSpec kRows[] = {
    {.name = "FAILOVER",
     .arity = at_least(1),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kStale | Flag::kNeedsServer,
     .handler = cmd_failover,
     .doc = {.summary = "Hands the lead over to a replica, while writes wait.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "server",
             .args = "[TO=target:{host:string port:integer [force!FORCE]}] [abort!ABORT] "
                     "[TIMEOUT=milliseconds:integer]"}},
    {.name = "REPLICAOF",
     .arity = exactly(3),
     .flags = kFlags | Flag::kNeedsServer,
     .handler = cmd_replicaof,
     .doc = {.summary = "Follows another server as its replica, or nobody.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "server",
             .args = kArgs}},
    {.name = "SLAVEOF",
     .arity = exactly(3),
     .flags = kFlags | Flag::kNeedsServer,
     .handler = cmd_replicaof,
     .doc = {.summary = "The older name of REPLICAOF.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "server",
             .args = kArgs,
             .deprecated_since = "5.0.0",
             .replaced_by = "`REPLICAOF`"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kReplicaOfCommands = kRows;

}  // namespace ouro
