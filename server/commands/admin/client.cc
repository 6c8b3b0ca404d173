// SPDX-License-Identifier: BSD-3-Clause
// CLIENT: who is connected, and what may be done to them.
#include <cstdio>
#include <optional>

#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// Handlers below need a connection; other callers are told so.
Status need_session(Context& ctx) {
  return ctx.caller.session != nullptr ? Status::ok() : ctx.fail("ERR CLIENT needs a connection");
}

// ---- CLIENT LIST and INFO

std::string flags_of(const Session& session) {
  std::string flags;
  if (session.is_monitor) flags += 'O';
  if (session.subscription_count() > 0) flags += 'P';
  if (session.caller().txn.open) flags += 'x';
  if (session.is_blocked()) flags += 'b';
  if (session.caller().watch_broken) flags += 'd';
  if (session.state() == EndpointState::kFinishing) flags += 'c';
  if (session.state() == EndpointState::kDoomed) flags += 'A';
  if (session.peer.is_unix) flags += 'U';
  if (session.no_evict) flags += 'e';
  return flags.empty() ? "N" : flags;
}

// What its socket is waited for.
const char* events_of(const Session& session) {
  const bool reads = session.state() == EndpointState::kOpen;
  const bool writes = session.output_bytes() > 0;
  return reads ? (writes ? "rw" : "r") : (writes ? "w" : "");
}

std::string line_of(const Context& ctx, const Session& session) {
  const Instant now = ctx.engine.instant();
  const Caller& caller = session.caller();
  const std::string_view command = session.last_command == nullptr
                                       ? "NULL"
                                       : ctx.engine.registry.full_name(*session.last_command);
  // Numbers and words of the server take far less; names may have any length.
  std::string text(1024 + session.name.size() + session.user.size(), '\0');
  const int size = std::snprintf(
      text.data(), text.size(),
      "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=%u sub=%zu psub=%zu "
      "ssub=%zu multi=%d "
      "qbuf=%zu qbuf-free=%zu argv-mem=%zu multi-mem=%zu rbs=%zu rbp=%zu obl=%zu oll=%zu omem=%zu "
      "tot-mem=%zu "
      "events=%s cmd=%.*s user=%s redir=-1 resp=%d",
      static_cast<unsigned long long>(session.id), session.peer.address.c_str(),
      session.peer.local_address.c_str(), session.peer.fd, session.name.c_str(),
      static_cast<long long>((now - session.created) / 1'000'000),
      static_cast<long long>((now - session.last_active) / 1'000'000), flags_of(session).c_str(),
      caller.db, session.subscriptions[0].size(), session.subscriptions[1].size(),
      session.subscriptions[2].size(),
      caller.txn.open ? static_cast<int>(caller.txn.queue.size()) : -1, session.query_bytes(),
      session.query_bytes_free(), session.argument_bytes(), caller.txn.memory_bytes(),
      session.reply_buffer().memory_bytes, session.output_peak_bytes(),
      session.reply_buffer().unsent_bytes, session.reply_list_pieces(), session.reply_list_bytes(),
      session.claimed_bytes(), events_of(session), static_cast<int>(command.size()), command.data(),
      session.user.c_str(), session.resp_version());
  CHECK(size > 0);
  text.resize(std::min(static_cast<size_t>(size), text.size() - 1));
  return text;
}

Status cmd_client_info(Context& ctx) {
  OURO_TRY(need_session(ctx));
  ctx.reply.verbatim("txt", line_of(ctx, *ctx.caller.session) + "\n");
  return Status::ok();
}

Result<ClientClass> class_named(Context& ctx, ByteView name) {
  if (equals_ignoring_case(name, "normal")) return ClientClass::kNormal;
  if (equals_ignoring_case(name, "pubsub")) return ClientClass::kPubsub;
  if (equals_ignoring_case(name, "master")) return ClientClass::kPrimary;
  if (equals_ignoring_case(name, "replica") || equals_ignoring_case(name, "slave"))
    return ClientClass::kReplica;
  return ctx.fail("ERR Unknown client type '%.*s'", printed_size(name), name.data());
}

Status cmd_client_list(Context& ctx) {
  std::string lines;
  const auto add = [&](const Session& session) {
    if (session.state() != EndpointState::kDoomed) lines += line_of(ctx, session) + "\n";
  };
  ArgParser args(ctx.argv, 2);
  if (args.left() == 2 && args.word("TYPE")) {
    OURO_TRY(const ClientClass wanted, class_named(ctx, args.next()));
    for (const auto& [id, session] : ctx.engine.clients.all()) {
      if (session->client_class() == wanted) add(*session);
    }
  } else if (args.left() > 1 && args.word("ID")) {
    while (args.more()) {
      const Result<int64_t> id = parse_integer(args.next());
      if (!id.is_ok()) return ctx.fail("ERR Invalid client ID");
      if (const Session* session = ctx.engine.clients.find(static_cast<uint64_t>(*id)))
        add(*session);
    }
  } else {
    OURO_TRY(args.finish());
    for (const auto& [id, session] : ctx.engine.clients.all()) add(*session);
  }
  ctx.reply.verbatim("txt", lines);
  return Status::ok();
}

// ---- names and ids

Status cmd_client_id(Context& ctx) {
  OURO_TRY(need_session(ctx));
  ctx.reply.integer(static_cast<int64_t>(ctx.caller.session->id));
  return Status::ok();
}

Status cmd_client_getname(Context& ctx) {
  OURO_TRY(need_session(ctx));
  const std::string& name = ctx.caller.session->name;
  name.empty() ? ctx.reply.null() : ctx.reply.bulk(name);
  return Status::ok();
}

Status cmd_client_setname(Context& ctx) {
  OURO_TRY(need_session(ctx));
  for (const char c : ctx.argv[2]) {
    if (c < '!' || c > '~')
      return ctx.fail("ERR Client names cannot contain spaces, newlines or special characters.");
  }
  ctx.caller.session->name = ctx.argv[2];
  ctx.reply.ok();
  return Status::ok();
}

// ---- CLIENT KILL

struct KillFilter {
  std::optional<uint64_t> id;
  std::optional<ClientClass> type;
  std::optional<ByteView> user, address, local_address;
  bool skip_me = true;
};

Status parse_kill(Context& ctx, KillFilter& filter) {
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    if (args.left() < 2) return Err::kSyntax;
    if (args.word("ID")) {
      const Result<int64_t> id = parse_integer(args.next());
      if (!id.is_ok() || *id < 1) return ctx.fail("ERR client-id should be greater than 0");
      filter.id = static_cast<uint64_t>(*id);
    } else if (args.word("TYPE")) {
      OURO_TRY(filter.type, class_named(ctx, args.next()));
    } else if (args.word("ADDR")) {
      filter.address = args.next();
    } else if (args.word("LADDR")) {
      filter.local_address = args.next();
    } else if (args.word("USER")) {
      filter.user = args.next();
      if (filter.user != "default") {
        return ctx.fail("ERR No such user '%.*s'", printed_size(*filter.user), filter.user->data());
      }
    } else if (args.word("SKIPME")) {
      const bool yes = args.word("yes");
      if (!yes && !args.word("no")) return Err::kSyntax;
      filter.skip_me = yes;
    } else {
      return Err::kSyntax;
    }
  }
  return args.finish();
}

bool matches(const KillFilter& filter, const Session& session, const Session* me) {
  if (session.state() == EndpointState::kDoomed) return false;
  if (filter.id && session.id != *filter.id) return false;
  if (filter.type && session.client_class() != *filter.type) return false;
  if (filter.address && session.peer.address != *filter.address) return false;
  if (filter.local_address && session.peer.local_address != *filter.local_address) return false;
  if (filter.user && session.user != *filter.user) return false;
  return !(filter.skip_me && &session == me);
}

Status cmd_client_kill(Context& ctx) {
  KillFilter filter;
  const bool old_form = ctx.argv.size() == 3;
  if (old_form) {
    filter.address = ctx.argv[2];
    filter.skip_me = false;
  } else {
    OURO_TRY(parse_kill(ctx, filter));
  }
  int64_t killed = 0;
  Session* me = ctx.caller.session;
  bool kills_me = false;
  for (const auto& [id, session] : ctx.engine.clients.all()) {
    if (!matches(filter, *session, me)) continue;
    ++killed;
    if (session == me) {
      kills_me = true;
    } else {
      session->doom();
    }
  }
  if (old_form && killed == 0) return ctx.fail("ERR No such client");
  old_form ? ctx.reply.ok() : ctx.reply.integer(killed);
  // One that kills itself still gets its answer.
  if (kills_me) me->close_after_reply();
  return Status::ok();
}

// ---- replies, waits, pauses

Status cmd_client_reply(Context& ctx) {
  OURO_TRY(need_session(ctx));
  Session& session = *ctx.caller.session;
  if (equals_ignoring_case(ctx.argv[2], "ON")) {
    session.reply_mode = Session::ReplyMode::kOn;
    // By the new mode: the reply handed in may still lead nowhere.
    session.with_reply([](Reply& reply) {
      reply.ok();
      return true;
    });
  } else if (equals_ignoring_case(ctx.argv[2], "OFF")) {
    session.reply_mode = Session::ReplyMode::kOff;
  } else if (equals_ignoring_case(ctx.argv[2], "SKIP")) {
    if (session.reply_mode != Session::ReplyMode::kOff)
      session.reply_mode = Session::ReplyMode::kSkipNext;
  } else {
    return Err::kSyntax;
  }
  return Status::ok();
}

Status cmd_client_unblock(Context& ctx) {
  bool with_error = false;
  if (ctx.argv.size() > 4) return wrong_subcommand_arity(ctx);
  if (ctx.argv.size() == 4) {
    with_error = equals_ignoring_case(ctx.argv[3], "error");
    if (!with_error && !equals_ignoring_case(ctx.argv[3], "timeout")) {
      return ctx.fail("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
  }
  OURO_TRY(const int64_t id, ctx.integer(2));
  Session* session = ctx.engine.clients.find(static_cast<uint64_t>(id));
  const bool waits = session != nullptr && session->is_blocked();
  if (waits) ctx.engine.executor.end_wait(*session, with_error);
  ctx.reply.integer(waits ? 1 : 0);
  return Status::ok();
}

Status cmd_client_pause(Context& ctx) {
  if (ctx.argv.size() > 4) return wrong_subcommand_arity(ctx);
  auto what = Clients::Pause::kAll;
  if (ctx.argv.size() == 4) {
    if (equals_ignoring_case(ctx.argv[3], "write")) {
      what = Clients::Pause::kWrite;
    } else if (!equals_ignoring_case(ctx.argv[3], "all")) {
      return ctx.fail("ERR CLIENT PAUSE mode must be WRITE or ALL");
    }
  }
  const Result<int64_t> timeout = ctx.integer(2);
  if (!timeout.is_ok()) return ctx.fail("ERR timeout is not an integer or out of range");
  if (*timeout < 0) return ctx.fail("ERR timeout is negative");
  const Instant now = ctx.engine.instant();
  Instant until = *timeout > (kNever - now) / 1000 ? kNever : now + *timeout * 1000;
  // Redis counts by the wall clock: what overflows there is long gone by, and nobody is held back.
  if (*timeout > INT64_MAX - ctx.now) until = 0;
  ctx.engine.clients.pause(what, until);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_client_unpause(Context& ctx) {
  ctx.engine.clients.unpause();
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_client_no_evict(Context& ctx) {
  OURO_TRY(need_session(ctx));
  const bool on = equals_ignoring_case(ctx.argv[2], "on");
  if (!on && !equals_ignoring_case(ctx.argv[2], "off")) return Err::kSyntax;
  ctx.caller.session->no_evict = on;
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_client_help(Context& ctx) { return reply_help(ctx); }

Status cmd_monitor(Context& ctx) {
  OURO_TRY(need_session(ctx));
  if (ctx.caller.txn.executing)
    return ctx.fail("ERR MONITOR isn't allowed for DENY BLOCKING client");
  Session& session = *ctx.caller.session;
  if (!session.is_monitor) ctx.engine.monitors.add(session);
  session.is_monitor = true;
  ctx.caller.gates |= Gate::kMonitor;
  ctx.reply.ok();
  return Status::ok();
}

constexpr CommandSpec kClientRows[] = {
    {.name = "GETNAME",
     .arity = exactly(2),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_getname,
     .doc = {.summary = "Returns the name of this connection.",
             .complexity = "O(1)",
             .since = "2.6.9",
             .group = "connection"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_help,
     .doc = {.summary = "Lists the subcommands of CLIENT.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "connection"}},
    {.name = "ID",
     .arity = exactly(2),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_id,
     .doc = {.summary = "Returns the number that identifies this connection.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "connection"}},
    {.name = "INFO",
     .arity = exactly(2),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_info,
     .doc = {.summary = "Describes this connection in one line.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "connection",
             .tips = "nondeterministic_output"}},
    {.name = "KILL",
     .arity = at_least(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_kill,
     .doc = {.summary = "Closes connections.",
             .complexity = "O(N), N connections",
             .since = "2.4.0",
             .group = "connection",
             .args = "filter:<ip:port:string~2.8.12 | new-format:<[ID=client-id:integer@2.8.12] | "
                     "[TYPE=normal_master_slave_pubsub:<normal!NORMAL | master!MASTER@3.2.0 | "
                     "slave!SLAVE | replica!REPLICA@5.0.0 | pubsub!PUBSUB>@2.8.12] | "
                     "[USER=username:string] | [ADDR=ip:port:string] | "
                     "[LADDR=ip:port:string@6.2.0] | [SKIPME=yes/no:string]>...>"}},
    {.name = "LIST",
     .arity = at_least(2),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_list,
     .doc = {.summary = "Describes each connection in a line.",
             .complexity = "O(N), N connections",
             .since = "2.4.0",
             .group = "connection",
             .args = "[TYPE=normal_master_replica_pubsub:<normal!NORMAL | master!MASTER | "
                     "replica!REPLICA | pubsub!PUBSUB>@5.0.0] [ID=id:{client-id:integer...}@6.2.0]",
             .tips = "nondeterministic_output"}},
    {.name = "NO-EVICT",
     .arity = exactly(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_no_evict,
     .doc = {.summary = "Spares this connection when client memory is over its limit.",
             .complexity = "O(1)",
             .since = "7.0.0",
             .group = "connection",
             .args = "enabled:<on!ON | off!OFF>"}},
    {.name = "PAUSE",
     .arity = at_least(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_pause,
     .doc = {.summary = "Holds back the commands of clients for some time.",
             .complexity = "O(1)",
             .since = "2.9.50",
             .group = "connection",
             .args = "timeout:integer [mode:<write!WRITE | all!ALL>@6.2.0]"}},
    {.name = "REPLY",
     .arity = exactly(3),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_reply,
     .doc = {.summary = "Turns the replies to this connection off and on.",
             .complexity = "O(1)",
             .since = "3.2.0",
             .group = "connection",
             .args = "on_off_skip:<on!ON | off!OFF | skip!SKIP>"}},
    {.name = "SETNAME",
     .arity = exactly(3),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_setname,
     .doc = {.summary = "Names this connection.",
             .complexity = "O(1)",
             .since = "2.6.9",
             .group = "connection",
             .args = "connection-name:string"}},
    {.name = "UNBLOCK",
     .arity = at_least(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_unblock,
     .doc = {.summary = "Ends the waiting of a blocked client.",
             .complexity = "O(log(N)), N connections",
             .since = "5.0.0",
             .group = "connection",
             .args = "client-id:integer [timeout_error:<timeout!TIMEOUT | error!ERROR>]"}},
    {.name = "UNPAUSE",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_unpause,
     .doc = {.summary = "Lets paused clients go on.",
             .complexity = "O(N), N paused clients",
             .since = "6.2.0",
             .group = "connection"}},
};
static_assert(table_is_valid(kClientRows));

constexpr CommandSpec kRows[] = {
    {.name = "CLIENT",
     .arity = at_least(2),
     .subcommands = kClientRows,
     .doc = {.summary = "Asks about client connections and steers them.",
             .complexity = "By subcommand",
             .since = "2.4.0",
             .group = "connection"}},
    {.name = "MONITOR",
     .arity = exactly(1),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_monitor,
     .doc = {.summary = "Shows each command as the server runs it.",
             .since = "1.0.0",
             .group = "server"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kClientCommands = kRows;

}  // namespace ouro
