// SPDX-License-Identifier: BSD-3-Clause
// REPLICAOF and SLAVEOF: whom this node follows.
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

// What they wait for may never come where others write.
void end_waits(Engine& engine) {
  std::vector<Session*> waiting;
  for (const auto& [id, session] : engine.clients.all()) {
    if (session->is_blocked()) waiting.push_back(session);
  }
  for (Session* session : waiting) {
    engine.executor.break_off(*session, errors::kRoleChanged);
    session->close_after_reply();
  }
}

void lead(Context& ctx) {
  Engine& engine = ctx.engine;
  if (engine.replication.leads()) return;
  engine.options.replication.replicaof.clear();
  engine.replication.lead();
  engine.host.on_role_changed();
  engine.log.print(LogLevel::kNotice, "MASTER MODE enabled (user request from '%s')",
                   asker(ctx).c_str());
}

void follow(Context& ctx, const std::string& host, uint16_t port) {
  Engine& engine = ctx.engine;
  engine.options.replication.replicaof = host + ' ' + std::to_string(port);
  engine.replication.follow(host, port);
  end_waits(engine);
  engine.host.on_role_changed();
  engine.log.print(LogLevel::kNotice, "REPLICAOF %s:%d enabled (user request from '%s')",
                   host.c_str(), port, asker(ctx).c_str());
}

Status cmd_replicaof(Context& ctx) {
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
  const PrimaryFacts& primary = ctx.engine.replication.primary;
  if (primary.host == host && primary.port == *port) {
    ctx.reply.simple("OK Already connected to specified master");
    return Status::ok();
  }
  follow(ctx, host, static_cast<uint16_t>(*port));
  ctx.reply.ok();
  return Status::ok();
}

constexpr Flags kFlags = Flag::kAdmin | Flag::kNoScript | Flag::kStale | Flag::kNoAsyncLoading;
constexpr ByteView kArgs = "args:<host-port:{host:string port:integer} | no-one:{no!NO one!ONE}>";

constexpr CommandSpec kRows[] = {
    {.name = "REPLICAOF",
     .arity = exactly(3),
     .flags = kFlags,
     .handler = cmd_replicaof,
     .doc = {.summary = "Follows another server as its replica, or nobody.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "server",
             .args = kArgs}},
    {.name = "SLAVEOF",
     .arity = exactly(3),
     .flags = kFlags,
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
