// SPDX-License-Identifier: BSD-3-Clause
// SUBSCRIBE and PUBLISH, their pattern and shard forms, and PUBSUB. Who gets what: engine/pubsub.h.
#include <optional>

#include "datastructs/glob.h"
#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

using Kind = PubSub::Kind;

ByteView subscribe_word(Kind kind) {
  return kind == Kind::kChannel   ? "subscribe"
         : kind == Kind::kPattern ? "psubscribe"
                                  : "ssubscribe";
}
ByteView unsubscribe_word(Kind kind) {
  return kind == Kind::kChannel   ? "unsubscribe"
         : kind == Kind::kPattern ? "punsubscribe"
                                  : "sunsubscribe";
}

// What the confirmation counts: channels and patterns together, shard channels apart.
int64_t counted(const Session& session, Kind kind) {
  const size_t count = kind == Kind::kShard
                           ? session.subscriptions[2].size()
                           : session.subscriptions[0].size() + session.subscriptions[1].size();
  return static_cast<int64_t>(count);
}

void update_gate(Session& session) {
  Caller& caller = session.caller();
  caller.gates = session.subscription_count() > 0 ? caller.gates | Gate::kSubscribed
                                                  : caller.gates & ~Gate::kSubscribed;
}

// Tells a client what it is subscribed to now; a name that is missing was not there to leave. It is
// a message, so CLIENT REPLY does not hold it back.
void confirm(Context& ctx, Session& session, Kind kind, ByteView word,
             std::optional<ByteView> name) {
  const auto write = [&](Reply& reply) {
    reply.push(3);
    reply.bulk(word);
    name ? reply.bulk(*name) : reply.null();
    reply.integer(counted(session, kind));
  };
  if (session.takes_replies()) {
    write(ctx.reply);
  } else {
    session.send_out_of_band(write);
  }
}

Status subscribe(Context& ctx, Kind kind) {
  Session* session = ctx.caller.session;
  // The messages need a connection to go to.
  if (session == nullptr) return ctx.fail("ERR SUBSCRIBE isn't allowed for this caller");
  for (size_t i = 1; i < ctx.argv.size(); ++i) {
    ctx.engine.pubsub.subscribe(*session, kind, ctx.argv[i]);
    confirm(ctx, *session, kind, subscribe_word(kind), ctx.argv[i]);
  }
  update_gate(*session);
  return Status::ok();
}

Status unsubscribe(Context& ctx, Kind kind) {
  Session* session = ctx.caller.session;
  if (session == nullptr) return ctx.fail("ERR UNSUBSCRIBE isn't allowed for this caller");
  const auto left = [&](std::optional<ByteView> name) {
    confirm(ctx, *session, kind, unsubscribe_word(kind), name);
  };
  if (ctx.argv.size() > 1) {
    for (size_t i = 1; i < ctx.argv.size(); ++i) {
      ctx.engine.pubsub.unsubscribe(*session, kind, ctx.argv[i]);
      left(ctx.argv[i]);
    }
  } else {
    const auto own = session->subscriptions[static_cast<size_t>(kind)];
    if (own.empty()) left(std::nullopt);
    for (const std::string& name : own) {
      ctx.engine.pubsub.unsubscribe(*session, kind, name);
      left(ByteView(name));
    }
  }
  update_gate(*session);
  return Status::ok();
}

Status cmd_subscribe(Context& ctx) { return subscribe(ctx, Kind::kChannel); }
Status cmd_psubscribe(Context& ctx) { return subscribe(ctx, Kind::kPattern); }
Status cmd_ssubscribe(Context& ctx) {
  // Of the three, this is the one that Redis refuses in a transaction.
  if (ctx.caller.txn.executing)
    return ctx.fail("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  return subscribe(ctx, Kind::kShard);
}
Status cmd_unsubscribe(Context& ctx) { return unsubscribe(ctx, Kind::kChannel); }
Status cmd_punsubscribe(Context& ctx) { return unsubscribe(ctx, Kind::kPattern); }
Status cmd_sunsubscribe(Context& ctx) { return unsubscribe(ctx, Kind::kShard); }

// A message is an effect for replicas although no key changed.
Status publish(Context& ctx, Kind kind) {
  const size_t receivers = ctx.engine.pubsub.publish(kind, ctx.argv[1], ctx.argv[2]);
  ctx.effects.tell_replicas(ctx.argv);
  ctx.reply.integer(static_cast<int64_t>(receivers));
  return Status::ok();
}
Status cmd_publish(Context& ctx) { return publish(ctx, Kind::kChannel); }
Status cmd_spublish(Context& ctx) { return publish(ctx, Kind::kShard); }

Status list_channels(Context& ctx, Kind kind) {
  if (ctx.argv.size() > 3) return wrong_subcommand_arity(ctx);
  const Reply::Mark mark = ctx.reply.begin();
  size_t count = 0;
  ctx.engine.pubsub.for_each_name(kind, [&](ByteView name, size_t) {
    if (ctx.argv.size() == 3 && !glob_matches(ctx.argv[2], name)) return;
    ctx.reply.bulk(name);
    ++count;
  });
  ctx.reply.end_array(mark, count);
  return Status::ok();
}
Status cmd_pubsub_channels(Context& ctx) { return list_channels(ctx, Kind::kChannel); }
Status cmd_pubsub_shardchannels(Context& ctx) { return list_channels(ctx, Kind::kShard); }

Status count_subscribers(Context& ctx, Kind kind) {
  ctx.reply.array((ctx.argv.size() - 2) * 2);
  for (size_t i = 2; i < ctx.argv.size(); ++i) {
    ctx.reply.bulk(ctx.argv[i]);
    ctx.reply.integer(static_cast<int64_t>(ctx.engine.pubsub.subscriber_count(kind, ctx.argv[i])));
  }
  return Status::ok();
}
Status cmd_pubsub_numsub(Context& ctx) { return count_subscribers(ctx, Kind::kChannel); }
Status cmd_pubsub_shardnumsub(Context& ctx) { return count_subscribers(ctx, Kind::kShard); }

Status cmd_pubsub_numpat(Context& ctx) {
  ctx.reply.integer(static_cast<int64_t>(ctx.engine.pubsub.name_count(Kind::kPattern)));
  return Status::ok();
}

Status cmd_pubsub_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kPubsubRows[] = {
    {.name = "CHANNELS",
     .arity = at_least(2),
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale,
     .handler = cmd_pubsub_channels,
     .doc = {.summary = "Lists the channels that have subscribers.",
             .complexity = "O(N), N channels with subscribers",
             .since = "2.8.0",
             .group = "pubsub",
             .args = "[pattern:pattern]"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_pubsub_help,
     .doc = {.summary = "Lists the subcommands of PUBSUB.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "pubsub"}},
    {.name = "NUMPAT",
     .arity = exactly(2),
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale,
     .handler = cmd_pubsub_numpat,
     .doc = {.summary = "Counts the different patterns that clients subscribed to.",
             .complexity = "O(1)",
             .since = "2.8.0",
             .group = "pubsub"}},
    {.name = "NUMSUB",
     .arity = at_least(2),
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale,
     .handler = cmd_pubsub_numsub,
     .doc = {.summary = "Counts the subscribers of the given channels.",
             .complexity = "O(N), N channels asked for",
             .since = "2.8.0",
             .group = "pubsub",
             .args = "[channel:string...]"}},
    {.name = "SHARDCHANNELS",
     .arity = at_least(2),
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale,
     .handler = cmd_pubsub_shardchannels,
     .doc = {.summary = "Lists the shard channels that have subscribers.",
             .complexity = "O(N), N shard channels with subscribers",
             .since = "7.0.0",
             .group = "pubsub",
             .args = "[pattern:pattern]"}},
    {.name = "SHARDNUMSUB",
     .arity = at_least(2),
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale,
     .handler = cmd_pubsub_shardnumsub,
     .doc = {.summary = "Counts the subscribers of the given shard channels.",
             .complexity = "O(N), N shard channels asked for",
             .since = "7.0.0",
             .group = "pubsub",
             .args = "[shardchannel:string...]"}},
};
static_assert(table_is_valid(kPubsubRows));

constexpr CommandSpec kRows[] = {
    {.name = "PSUBSCRIBE",
     .arity = at_least(2),
     .flags =
         Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kInSubscribedMode,
     .channels = ChannelUse::kSubscribePatterns,
     .handler = cmd_psubscribe,
     .doc = {.summary = "Receives the messages of all channels whose names match a pattern.",
             .complexity = "O(N), N patterns this client has",
             .since = "2.0.0",
             .group = "pubsub",
             .args = "pattern:{pattern:pattern}..."}},
    {.name = "PUBLISH",
     .arity = exactly(3),
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kMayReplicate,
     .channels = ChannelUse::kPublish,
     .handler = cmd_publish,
     .doc = {.summary = "Sends a message to a channel.",
             .complexity = "O(N+M), N subscribers of the channel, M patterns of all clients",
             .since = "2.0.0",
             .group = "pubsub",
             .args = "channel:string message:string"}},
    {.name = "PUBSUB",
     .arity = at_least(2),
     .subcommands = kPubsubRows,
     .doc = {.summary = "Tells about channels and their subscribers.",
             .complexity = "By subcommand",
             .since = "2.8.0",
             .group = "pubsub"}},
    {.name = "PUNSUBSCRIBE",
     .arity = at_least(1),
     .flags =
         Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kInSubscribedMode,
     .handler = cmd_punsubscribe,
     .doc = {.summary = "Stops receiving messages by pattern.",
             .complexity = "O(N), N patterns this client has",
             .since = "2.0.0",
             .group = "pubsub",
             .args = "[pattern:pattern...]"}},
    {.name = "SPUBLISH",
     .arity = exactly(3),
     .flags = Flag::kPubsub | Flag::kLoading | Flag::kStale | Flag::kFast | Flag::kMayReplicate,
     .keys = {one_key(1, kNotKey)},
     .channels = ChannelUse::kPublish,
     .handler = cmd_spublish,
     .doc = {.summary = "Sends a message to a shard channel.",
             .complexity = "O(N), N subscribers of the shard channel",
             .since = "7.0.0",
             .group = "pubsub",
             .args = "shardchannel:string message:string"}},
    {.name = "SSUBSCRIBE",
     .arity = at_least(2),
     .flags =
         Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kInSubscribedMode,
     .keys = {key_range(1, -1, 1, kNotKey)},
     .channels = ChannelUse::kSubscribe,
     .handler = cmd_ssubscribe,
     .doc = {.summary = "Receives the messages of shard channels.",
             .complexity = "O(N), N shard channels named",
             .since = "7.0.0",
             .group = "pubsub",
             .args = "shardchannel:string..."}},
    {.name = "SUBSCRIBE",
     .arity = at_least(2),
     .flags =
         Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kInSubscribedMode,
     .channels = ChannelUse::kSubscribe,
     .handler = cmd_subscribe,
     .doc = {.summary = "Receives the messages of channels.",
             .complexity = "O(N), N channels named",
             .since = "2.0.0",
             .group = "pubsub",
             .args = "channel:string..."}},
    {.name = "SUNSUBSCRIBE",
     .arity = at_least(1),
     .flags =
         Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kInSubscribedMode,
     .keys = {key_range(1, -1, 1, kNotKey)},
     .handler = cmd_sunsubscribe,
     .doc = {.summary = "Stops receiving the messages of shard channels.",
             .complexity = "O(N), N shard channels named",
             .since = "7.0.0",
             .group = "pubsub",
             .args = "[shardchannel:string...]"}},
    {.name = "UNSUBSCRIBE",
     .arity = at_least(1),
     .flags =
         Flag::kPubsub | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kInSubscribedMode,
     .handler = cmd_unsubscribe,
     .doc = {.summary = "Stops receiving the messages of channels.",
             .complexity = "O(N), N channels named",
             .since = "2.0.0",
             .group = "pubsub",
             .args = "[channel:string...]"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kPubsubCommands = kRows;

}  // namespace ouro
