// SPDX-License-Identifier: BSD-3-Clause
// CLIENT: who is connected, and what may be done to them.
#include "server/commands/admin/client_filter.h"
#include "server/commands/admin/tracking_request.h"
#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/client_line.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// For what needs a connection; other callers are told so.
Status need_session(Context& ctx) {
  return ctx.caller.session != nullptr ? Status::ok() : ctx.fail("ERR CLIENT needs a connection");
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
  if (!is_client_word(ctx.argv[2])) return ctx.fail_text(errors::kBadClientName);
  Session& session = *ctx.caller.session;
  session.set_text(session.name, ctx.argv[2]);
  ctx.reply.ok();
  return Status::ok();
}

// What a client library tells about itself.
Status cmd_client_setinfo(Context& ctx) {
  OURO_TRY(need_session(ctx));
  const ByteView attribute = ctx.argv[2];
  const bool is_name = equals_ignoring_case(attribute, "lib-name");
  if (!is_name && !equals_ignoring_case(attribute, "lib-ver")) {
    return ctx.fail("ERR Unrecognized option '%.*s'", printed_size(attribute), attribute.data());
  }
  if (!is_client_word(ctx.argv[3])) {
    return ctx.fail("ERR %.*s cannot contain spaces, newlines or special characters.",
                    printed_size(attribute), attribute.data());
  }
  Session& session = *ctx.caller.session;
  session.set_text(is_name ? session.library_name : session.library_version, ctx.argv[3]);
  ctx.reply.ok();
  return Status::ok();
}

// What a client can do; words that are not known here are of servers to come. A replica sends one
// that takes redirects to its primary.
Status cmd_client_capa(Context& ctx) {
  OURO_TRY(need_session(ctx));
  for (const ByteView word : ctx.argv.subspan(2)) {
    if (equals_ignoring_case(word, "redirect")) ctx.caller.session->takes_redirects = true;
  }
  ctx.reply.ok();
  return Status::ok();
}

// ---- all clients

Status cmd_client_info(Context& ctx) {
  OURO_TRY(need_session(ctx));
  ctx.reply.verbatim("txt", client_line(ctx.engine, *ctx.caller.session) + "\n");
  return Status::ok();
}

Status cmd_client_list(Context& ctx) {
  ClientSelection selection;
  OURO_TRY(selection.parse(ctx, ClientSelection::For::kList));
  std::string lines;
  const auto add = [&](const Session* session) {
    if (session != nullptr && selection.has(ctx, *session))
      lines += client_line(ctx.engine, *session) + "\n";
  };
  // Named by their ids alone they come in the order in which they are named, as in Redis.
  if (const std::vector<uint64_t>* ids = selection.only_ids()) {
    for (const uint64_t id : *ids) add(ctx.engine.clients.find(id));
  } else {
    for (const auto& [id, session] : ctx.engine.clients.all()) add(session);
  }
  ctx.reply.verbatim("txt", lines);
  return Status::ok();
}

Status cmd_client_kill(Context& ctx) {
  ClientSelection selection;
  const bool old_form = ctx.argv.size() == 3;
  if (old_form) {
    selection.choose_address(ctx.argv[2]);
  } else {
    selection.skips_me = true;
    OURO_TRY(selection.parse(ctx, ClientSelection::For::kKill));
  }
  int64_t killed = 0;
  Session* me = ctx.caller.session;
  bool kills_me = false;
  for (const auto& [id, session] : ctx.engine.clients.all()) {
    if (!selection.has(ctx, *session)) continue;
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

// ---- client-side caches

Status cmd_client_tracking(Context& ctx) {
  OURO_TRY(need_session(ctx));
  Session& session = *ctx.caller.session;
  TrackingRequest request;
  OURO_TRY(parse_tracking(ctx, request));
  if (equals_ignoring_case(ctx.argv[2], "on")) {
    OURO_TRY(check_tracking(ctx, request));
    ctx.engine.tracking.enable(session, request.mode, request.prefixes);
  } else if (equals_ignoring_case(ctx.argv[2], "off")) {
    ctx.engine.tracking.disable(session);
  } else {
    return Err::kSyntax;
  }
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_client_caching(Context& ctx) {
  OURO_TRY(need_session(ctx));
  TrackingClient* client = ctx.caller.session->tracking.get();
  if (client == nullptr) {
    return ctx.fail(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  const bool yes = equals_ignoring_case(ctx.argv[2], "yes");
  if (!yes && !equals_ignoring_case(ctx.argv[2], "no")) return Err::kSyntax;
  if (!(yes ? client->mode.opts_in : client->mode.opts_out)) {
    return ctx.fail("ERR CLIENT CACHING %s is only valid when tracking is enabled in %s mode.",
                    yes ? "YES" : "NO", yes ? "OPTIN" : "OPTOUT");
  }
  client->caching_said_by = ctx.engine.registry.container(ctx.spec);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_client_getredir(Context& ctx) {
  OURO_TRY(need_session(ctx));
  const TrackingClient* client = ctx.caller.session->tracking.get();
  ctx.reply.integer(client == nullptr ? -1 : static_cast<int64_t>(client->mode.redirect));
  return Status::ok();
}

Status cmd_client_trackinginfo(Context& ctx) {
  OURO_TRY(need_session(ctx));
  const TrackingClient* client = ctx.caller.session->tracking.get();
  const TrackingClient off;
  const TrackingClient& shown = client == nullptr ? off : *client;
  const bool said = shown.caching_said_by != nullptr;
  const struct {
    const char* name;
    bool is_set;
  } flags[] = {{"off", client == nullptr},
               {"on", client != nullptr},
               {"bcast", shown.mode.broadcasts},
               {"optin", shown.mode.opts_in},
               {"caching-yes", shown.mode.opts_in && said},
               {"optout", shown.mode.opts_out},
               {"caching-no", shown.mode.opts_out && said},
               {"noloop", shown.mode.no_loop},
               {"broken_redirect", shown.redirect_broken}};
  ctx.reply.map(3);
  ctx.reply.bulk("flags");
  const Reply::Mark mark = ctx.reply.begin();
  size_t count = 0;
  for (const auto& flag : flags) {
    if (!flag.is_set) continue;
    ctx.reply.bulk(flag.name);
    ++count;
  }
  ctx.reply.end_set(mark, count);
  ctx.reply.bulk("redirect");
  ctx.reply.integer(client == nullptr ? -1 : static_cast<int64_t>(client->mode.redirect));
  ctx.reply.bulk("prefixes");
  ctx.reply.array(shown.prefixes.size());
  for (const std::string& prefix : shown.prefixes) ctx.reply.bulk(prefix);
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

// What a replica says leaves at once: there is nothing for others to acknowledge.
Status cmd_client_acks(Context& ctx) {
  OURO_TRY(need_session(ctx));
  OURO_TRY(const int64_t replicas, ctx.integer(2));
  if (replicas < 0 || replicas > kSemiSyncAcksMax) {
    return ctx.fail("ERR CLIENT ACKS takes a number of replicas from 0 to %lld",
                    static_cast<long long>(kSemiSyncAcksMax));
  }
  if (ctx.engine.replication.follows())
    return ctx.fail("ERR CLIENT ACKS cannot be used with replica instances");
  ctx.engine.acked_calls.say(*ctx.caller.session, static_cast<size_t>(replicas),
                             ctx.engine.registry.container(ctx.spec));
  ctx.reply.ok();
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
  if (waits && with_error) ctx.engine.executor.break_off(*session, errors::kUnblocked);
  if (waits && !with_error) ctx.engine.executor.time_out(*session);
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
  if (!timeout.is_ok()) return ctx.fail_text(errors::kTimeoutNotAnInteger);
  if (*timeout < 0) return ctx.fail_text(errors::kTimeoutNegative);
  Instant until = instant_after(ctx.engine.instant(), *timeout);
  // Redis counts by the wall clock: what overflows there is long gone by, and nobody is held back.
  if (*timeout > INT64_MAX - ctx.now) until = 0;
  ctx.engine.clients.pause(Clients::PausedBy::kCommand, what, until);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_client_unpause(Context& ctx) {
  ctx.engine.clients.unpause(Clients::PausedBy::kCommand);
  ctx.reply.ok();
  return Status::ok();
}

Status set_switch(Context& ctx, bool& value) {
  const bool on = equals_ignoring_case(ctx.argv[2], "on");
  if (!on && !equals_ignoring_case(ctx.argv[2], "off")) return Err::kSyntax;
  value = on;
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_client_no_evict(Context& ctx) {
  OURO_TRY(need_session(ctx));
  return set_switch(ctx, ctx.caller.session->no_evict);
}

Status cmd_client_no_touch(Context& ctx) {
  OURO_TRY(need_session(ctx));
  return set_switch(ctx, ctx.caller.no_touch);
}

Status cmd_client_import_source(Context& ctx) {
  OURO_TRY(need_session(ctx));
  if (!ctx.engine.options.import_mode && !equals_ignoring_case(ctx.argv[2], "OFF"))
    return ctx.fail("ERR Server is not in import mode");
  return set_switch(ctx, ctx.caller.imports);
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
    {.name = "ACKS",
     .arity = exactly(3),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kNoMulti,
     .acl = Acl::kConnection,
     .handler = cmd_client_acks,
     .doc = {.summary = "Says how many replicas must have what the next call leaves before it is "
                        "answered.",
             .complexity = "O(1)",
             .since = "7.0.0",
             .group = "connection",
             .args = "numreplicas:integer"}},
    {.name = "CACHING",
     .arity = exactly(3),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_caching,
     .doc = {.summary = "Says whether the keys of the next command are to be tracked.",
             .complexity = "O(1)",
             .since = "6.0.0",
             .group = "connection",
             .args = "mode:<yes!YES | no!NO>"}},
    {.name = "CAPA",
     .arity = at_least(3),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_capa,
     .doc = {.summary = "Says what the client can do.",
             .complexity = "O(1)",
             .since = "8.0.0",
             .group = "connection",
             .args = "capability:string..."}},
    {.name = "GETNAME",
     .arity = exactly(2),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_getname,
     .doc = {.summary = "Returns the name of this connection.",
             .complexity = "O(1)",
             .since = "2.6.9",
             .group = "connection"}},
    {.name = "GETREDIR",
     .arity = exactly(2),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_getredir,
     .doc = {.summary = "Returns who is told in place of this connection.",
             .complexity = "O(1)",
             .since = "6.0.0",
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
    {.name = "IMPORT-SOURCE",
     .arity = exactly(3),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_import_source,
     .doc = {.summary = "Lets this connection bring keys from another server, past deadlines too.",
             .complexity = "O(1)",
             .since = "8.1.0",
             .group = "connection",
             .args = "enabled:<on!ON | off!OFF>"}},
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
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kNeedsServer,
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
             .history = "2.8.12 Tells `id`. | 6.0.0 Tells `user`. | 7.0.0 Tells `resp`, "
                        "`multi-mem`, `rbs` and `rbp`. | 7.0.3 Tells `ssub`.",
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
    {.name = "NO-TOUCH",
     .arity = exactly(3),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_no_touch,
     .doc = {.summary = "Makes the reads of this connection no use of the keys.",
             .complexity = "O(1)",
             .since = "7.2.0",
             .group = "connection",
             .args = "enabled:<on!ON | off!OFF>"}},
    {.name = "PAUSE",
     .arity = at_least(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kNeedsServer,
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
    {.name = "SETINFO",
     .arity = exactly(4),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_setinfo,
     .doc = {.summary = "Tells the name or version of the client library.",
             .complexity = "O(1)",
             .since = "7.2.0",
             .group = "connection",
             .args = "attr:<LIB-NAME=libname:string | LIB-VER=libver:string>"}},
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
    {.name = "TRACKING",
     .arity = at_least(3),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_tracking,
     .doc = {.summary = "Tells this connection of keys that change after it read them.",
             .complexity = "O(1). Some options may introduce additional complexity.",
             .since = "6.0.0",
             .group = "connection",
             .args =
                 "status:<on!ON | off!OFF> [REDIRECT=client-id:integer] [PREFIX=prefix:string&...] "
                 "[bcast!BCAST] [optin!OPTIN] [optout!OPTOUT] [noloop!NOLOOP]"}},
    {.name = "TRACKINGINFO",
     .arity = exactly(2),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_client_trackinginfo,
     .doc = {.summary = "Returns how this connection is tracked.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "connection"}},
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
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kNeedsServer,
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
