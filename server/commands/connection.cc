// SPDX-License-Identifier: BSD-3-Clause
// What a connection says about itself: AUTH, HELLO, SELECT, PING, ECHO, QUIT, RESET. CLIENT:
// admin/client.cc.
#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/client_line.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"
#include "server/engine/version.h"

namespace ouro {
namespace {

Status log_in(Context& ctx, ByteView user, ByteView password) {
  Session* session = ctx.caller.session;
  // Callers without a connection may do everything as they are.
  if (session == nullptr) return Status::ok();
  return ctx.engine.acl.log_in(*session, user, password, ctx.argv)
             ? Status::ok()
             : ctx.fail_text(errors::kWrongPass);
}

Status cmd_auth(Context& ctx) {
  if (ctx.argv.size() > 3) return Err::kSyntax;
  if (ctx.argv.size() == 2 && ctx.engine.acl.default_user().needs_no_password()) {
    return ctx.fail(
        "ERR AUTH <password> called without any password configured for the default user. "
        "Are you sure your configuration is correct?");
  }
  OURO_TRY(log_in(ctx, ctx.argv.size() == 3 ? ctx.argv[1] : "default", ctx.argv.back()));
  ctx.reply.ok();
  return Status::ok();
}

void auth_secrets(const Engine&, Argv argv, FunctionRef<void(size_t)> fn) {
  for (size_t i = 1; i < argv.size(); ++i) fn(i);
}

Status cmd_echo(Context& ctx) {
  ctx.reply.bulk(ctx.argv[1]);
  return Status::ok();
}

Status cmd_ping(Context& ctx) {
  if (ctx.argv.size() > 2) return wrong_arity(ctx);
  const Session* session = ctx.caller.session;
  const ByteView text = ctx.argv.size() == 2 ? ctx.argv[1] : ByteView();
  if (session != nullptr && session->subscription_count() > 0 && session->resp_version() == 2) {
    // A subscribed RESP2 client reads messages only, so the answer looks like one.
    ctx.reply.array(2);
    ctx.reply.bulk("pong");
    ctx.reply.bulk(text);
  } else if (ctx.argv.size() == 2) {
    ctx.reply.bulk(text);
  } else {
    ctx.reply.simple("PONG");
  }
  return Status::ok();
}

Status cmd_select(Context& ctx) {
  OURO_TRY(const int64_t index, ctx.integer(1));
  if (index < 0 || index >= ctx.engine.dbs.count())
    return ctx.fail_text(errors::kDbIndexOutOfRange);
  ctx.caller.db = static_cast<DbIndex>(index);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_quit(Context& ctx) {
  ctx.reply.ok();
  if (ctx.caller.session != nullptr) ctx.caller.session->close_after_reply();
  return Status::ok();
}

Status cmd_reset(Context& ctx) {
  const auto answer = [](Reply& reply) {
    reply.simple("RESET");
    return true;
  };
  if (Session* session = ctx.caller.session; session != nullptr) {
    if (session->is_replica()) return ctx.fail("ERR can only reset normal client connections");
    session->reset();
    // In the protocol and by the mode that it has now.
    session->with_reply(answer);
  } else {
    answer(ctx.reply);
  }
  return Status::ok();
}

// The protocol that is asked for, or 0. Each option is carried out as it is read, as in Redis, also
// if a later one is refused.
Result<int64_t> obey_hello(Context& ctx, Session& session) {
  if (ctx.argv.size() < 2) return 0;
  const Result<int64_t> version = ctx.integer(1);
  if (!version.is_ok()) return ctx.fail("ERR Protocol version is not an integer or out of range");
  if (*version < 2 || *version > 3) return ctx.fail("NOPROTO unsupported protocol version");
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    if (args.left() > 2 && args.word("AUTH")) {
      const ByteView user = args.next();
      OURO_TRY(log_in(ctx, user, args.next()));
    } else if (args.left() > 1 && args.word("SETNAME")) {
      const ByteView name = args.next();
      if (!is_client_word(name)) {
        return ctx.fail_text(errors::kBadClientName);
      }
      session.set_text(session.name, name);
    } else {
      const ByteView word = args.peek();
      return ctx.fail("ERR Syntax error in HELLO option '%.*s'", printed_size(word), word.data());
    }
  }
  return *version;
}

// Also of a HELLO that is refused: a password is one although another word is missing.
void hello_secrets(const Engine&, Argv argv, FunctionRef<void(size_t)> fn) {
  const bool lacks_version = argv.size() > 1 && equals_ignoring_case(argv[1], "AUTH");
  for (size_t i = lacks_version ? 1 : 2; i < argv.size();) {
    const size_t values = equals_ignoring_case(argv[i], "AUTH") ? 2 : 1;
    for (size_t at = i + 1; values == 2 && at <= i + values && at < argv.size(); ++at) fn(at);
    i += 1 + values;
  }
}

Status cmd_hello(Context& ctx) {
  Session* session = ctx.caller.session;
  if (session == nullptr) return ctx.fail("ERR HELLO needs a connection");
  OURO_TRY(const int64_t version, obey_hello(ctx, *session));
  if (!session->authenticated()) {
    return ctx.fail(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "AUTH <user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version "
        "at the same time");
  }
  if (version != 0) session->set_resp_version(static_cast<int>(version));
  // In the protocol that was chosen, which the reply handed in does not speak yet.
  const std::string& zone = ctx.engine.options.availability_zone;
  session->with_reply([&](Reply& reply) {
    reply.map(zone.empty() ? 7 : 8);
    reply.bulk("server");
    reply.bulk("redis");
    reply.bulk("version");
    reply.bulk(kRedisVersion);
    reply.bulk("proto");
    reply.integer(session->resp_version());
    reply.bulk("id");
    reply.integer(static_cast<int64_t>(session->id));
    reply.bulk("mode");
    reply.bulk("standalone");
    reply.bulk("role");
    reply.bulk(ctx.engine.replication.leads() ? "master" : "replica");
    reply.bulk("modules");
    reply.array(0);
    if (!zone.empty()) {
      reply.bulk("availability_zone");
      reply.bulk(zone);
    }
    return true;
  });
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "AUTH",
     .arity = at_least(2),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kNoAuth |
              Flag::kAllowBusy,
     .acl = Acl::kConnection,
     .handler = cmd_auth,
     .secrets = auth_secrets,
     .doc = {.summary = "Proves who the client is.",
             .complexity = "O(N), N passwords of the user",
             .since = "1.0.0",
             .group = "connection",
             .args = "[username:string@6.0.0] password:string"}},
    {.name = "ECHO",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale | Flag::kFast,
     .acl = Acl::kConnection,
     .handler = cmd_echo,
     .doc = {.summary = "Returns the given bytes.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "connection",
             .args = "message:string"}},
    {.name = "HELLO",
     .arity = at_least(1),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kNoAuth |
              Flag::kAllowBusy,
     .acl = Acl::kConnection,
     .handler = cmd_hello,
     .secrets = hello_secrets,
     .doc = {.summary = "Chooses the protocol, may log in and name the connection.",
             .complexity = "O(1)",
             .since = "6.0.0",
             .group = "connection",
             .history = "6.2.0 The version of the protocol may be left out. | 8.1.0 Tells the "
                        "`availability-zone`, if there is one.",
             .args = "[arguments:{protover:integer [AUTH=username_password:{username:string "
                     "password:string}] [SETNAME=clientname:string]}]"}},
    {.name = "PING",
     .arity = at_least(1),
     .flags = Flag::kFast | Flag::kInSubscribedMode | Flag::kTellsOfDisk,
     .acl = Acl::kConnection,
     .handler = cmd_ping,
     .doc = {.summary = "Answers PONG or the given bytes.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "connection",
             .args = "[message:string]",
             .tips = "request_policy:all_shards response_policy:all_succeeded"}},
    {.name = "QUIT",
     .arity = at_least(1),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kNoAuth |
              Flag::kAllowBusy | Flag::kInsideMulti | Flag::kEndsMulti | Flag::kInSubscribedMode,
     .acl = Acl::kConnection,
     .handler = cmd_quit,
     .doc = {.summary = "Answers OK and closes the connection.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "connection"}},
    {.name = "RESET",
     .arity = exactly(1),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kNoAuth |
              Flag::kAllowBusy | Flag::kInsideMulti | Flag::kEndsMulti | Flag::kInSubscribedMode,
     .acl = Acl::kConnection,
     .handler = cmd_reset,
     .doc = {.summary = "Puts the connection back into its first state.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "connection"}},
    {.name = "SELECT",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale | Flag::kFast,
     .databases = DbUse::kFirst,
     .acl = Acl::kConnection,
     .handler = cmd_select,
     .doc = {.summary = "Chooses the database for the commands that follow.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "connection",
             .args = "index:integer"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kConnectionCommands = kRows;

}  // namespace ouro
