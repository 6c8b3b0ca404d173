// SPDX-License-Identifier: BSD-3-Clause
// XINFO: what there is to know of a stream, its groups and their consumers.
#include <algorithm>

#include "server/commands/help.h"
#include "server/commands/stream_parts.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

// How many entries XINFO STREAM FULL shows of each list unless COUNT says so.
constexpr int64_t kFullCount = 10;

void reply_count(Reply& reply, ByteView name, uint64_t count) {
  reply.bulk(name);
  reply.integer(static_cast<int64_t>(count));
}

void reply_named_id(Reply& reply, ByteView name, StreamId id) {
  reply.bulk(name);
  reply_id(reply, id);
}

// Null where it cannot be told.
void reply_known(Reply& reply, ByteView name, std::optional<int64_t> value) {
  reply.bulk(name);
  value ? reply.integer(*value) : reply.null();
}

void reply_group_position(Reply& reply, const Stream& stream, const StreamGroup& group) {
  reply_named_id(reply, "last-delivered-id", group.last_id);
  const bool known = group.entries_read != StreamGroup::kUnknown;
  reply_known(reply, "entries-read", known ? std::optional(group.entries_read) : std::nullopt);
  reply_known(reply, "lag", stream.lag(group));
}

// What Redis 7.0 does not know is told of streams that have it.
constexpr size_t kProducerFacts = 6;
void reply_producers(Reply& reply, const StreamProducers& producers) {
  reply_count(reply, "idmp-duration", producers.settings().duration_s);
  reply_count(reply, "idmp-maxsize", producers.settings().records_max);
  reply_count(reply, "pids-tracked", producers.producer_count());
  reply_count(reply, "iids-tracked", producers.record_count());
  reply_count(reply, "iids-added", producers.added());
  reply_count(reply, "iids-duplicates", producers.duplicates());
}

// The header of a map that has these facts and some more.
void reply_stream_map(Reply& reply, const Stream& stream, size_t more) {
  reply.map(7 + (stream.producers() == nullptr ? 0 : kProducerFacts) + more);
  reply_count(reply, "length", stream.size());
  // Redis's index is a radix tree; here its keys are the stream's nodes, its nodes all allocations.
  reply_count(reply, "radix-tree-keys", stream.node_count());
  reply_count(reply, "radix-tree-nodes", stream.node_count() + stream.page_count());
  reply_named_id(reply, "last-generated-id", stream.last_id());
  reply_named_id(reply, "max-deleted-entry-id", stream.max_deleted_id());
  reply_count(reply, "entries-added", stream.entries_added());
  reply_named_id(reply, "recorded-first-entry-id", stream.first_id());
  if (stream.producers() != nullptr) reply_producers(reply, *stream.producers());
}

// ---- XINFO STREAM FULL

void reply_time_and_count(Reply& reply, const StreamPending& pending) {
  reply.integer(std::max<UnixMs>(pending.delivered_at, 0));
  reply.integer(static_cast<int64_t>(pending.deliveries));
}

void reply_full_consumer(Reply& reply, const StreamGroup& group, const StreamConsumer& consumer,
                         size_t count) {
  reply.map(5);
  reply.bulk("name");
  reply.bulk(consumer.name());
  reply.bulk("seen-time");
  reply.integer(consumer.seen_at);
  reply.bulk("active-time");
  reply.integer(consumer.active_at);
  reply_count(reply, "pel-count", consumer.pending.size());
  reply.bulk("pending");
  const size_t shown = std::min(count, consumer.pending.size());
  reply.array(shown);
  size_t left = shown;
  group.for_each_pending(consumer, {}, [&](const StreamPending& pending) {
    if (left-- == 0) return false;
    reply.array(3);
    reply_id(reply, pending.id);
    reply_time_and_count(reply, pending);
    return true;
  });
}

void reply_full_group(Reply& reply, const Stream& stream, const StreamGroup& group, size_t count) {
  // What Redis 7.0 does not know is told of groups that have it.
  const size_t released = group.released_count();
  reply.map(released > 0 ? 8 : 7);
  reply.bulk("name");
  reply.bulk(group.name());
  reply_group_position(reply, stream, group);
  reply_count(reply, "pel-count", group.pending_count());
  if (released > 0) reply_count(reply, "nacked-count", released);
  reply.bulk("pending");
  const size_t shown = std::min(count, group.pending_count());
  reply.array(shown);
  size_t left = shown;
  group.for_each_pending({}, [&](const StreamPending& pending) {
    if (left-- == 0) return false;
    reply.array(4);
    reply_id(reply, pending.id);
    reply.bulk(pending.owner_name());
    reply_time_and_count(reply, pending);
    return true;
  });
  reply.bulk("consumers");
  reply.array(group.consumer_count());
  group.for_each_consumer(
      [&](const StreamConsumer& consumer) { reply_full_consumer(reply, group, consumer, count); });
}

void reply_full(Reply& reply, const Stream& stream, size_t count) {
  reply_stream_map(reply, stream, 2);
  reply.bulk("entries");
  reply_entries(reply, stream, {}, kStreamIdMax, Direction::kAscending, count);
  reply.bulk("groups");
  reply.array(stream.group_count());
  stream.for_each_group([&](const StreamGroup& group) {
    reply_full_group(reply, stream, group, count == 0 ? SIZE_MAX : count);
  });
}

void reply_outline(Reply& reply, const Stream& stream) {
  reply_stream_map(reply, stream, 3);
  reply_count(reply, "groups", stream.group_count());
  reply.bulk("first-entry");
  if (!reply_entry(reply, stream, stream.first_id())) reply.null();
  reply.bulk("last-entry");
  if (!reply_entry(reply, stream, stream.top_id())) reply.null();
}

// ---- the subcommands

Result<const Stream*> find_stream(Context& ctx) {
  OURO_TRY(const Stream* stream, ctx.find_as<Stream>(ctx.key(2)));
  if (stream == nullptr) return Err::kNoSuchKey;
  return stream;
}

Status cmd_xinfo_stream(Context& ctx) {
  OURO_TRY(const Stream* stream, find_stream(ctx));
  if (ctx.argv.size() == 3) {
    reply_outline(ctx.reply, *stream);
    return Status::ok();
  }
  int64_t count = kFullCount;
  ArgParser args(ctx.argv, 3);
  const bool full = (args.left() == 1 || args.left() == 3) && args.word("FULL");
  if (!full || (args.left() > 0 && !args.word("COUNT"))) return wrong_subcommand_arity(ctx);
  if (args.left() > 0) {
    OURO_TRY(count, parse_integer(args.next()));
  }
  reply_full(ctx.reply, *stream, static_cast<size_t>(count < 0 ? kFullCount : count));
  return Status::ok();
}

Status cmd_xinfo_groups(Context& ctx) {
  OURO_TRY(const Stream* stream, find_stream(ctx));
  ctx.reply.array(stream->group_count());
  stream->for_each_group([&](const StreamGroup& group) {
    ctx.reply.map(6);
    ctx.reply.bulk("name");
    ctx.reply.bulk(group.name());
    reply_count(ctx.reply, "consumers", group.consumer_count());
    reply_count(ctx.reply, "pending", group.pending_count());
    reply_group_position(ctx.reply, *stream, group);
  });
  return Status::ok();
}

Status cmd_xinfo_consumers(Context& ctx) {
  OURO_TRY(const Stream* stream, find_stream(ctx));
  const StreamGroup* group = stream->find_group(ctx.argv[3]);
  if (group == nullptr) return fail_no_such_group(ctx);
  ctx.reply.array(group->consumer_count());
  group->for_each_consumer([&](const StreamConsumer& consumer) {
    const bool was_active = consumer.active_at != StreamConsumer::kNeverActive;
    ctx.reply.map(4);
    ctx.reply.bulk("name");
    ctx.reply.bulk(consumer.name());
    reply_count(ctx.reply, "pending", consumer.pending.size());
    ctx.reply.bulk("idle");
    ctx.reply.integer(std::max<Millis>(ctx.now - consumer.seen_at, 0));
    ctx.reply.bulk("inactive");
    ctx.reply.integer(was_active ? std::max<Millis>(ctx.now - consumer.active_at, 0) : -1);
  });
  return Status::ok();
}

// A function of this file: g++ with sanitizers does not take the address of another as a constant.
Status cmd_xinfo_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kInfoRows[] = {
    {.name = "CONSUMERS",
     .arity = exactly(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(2, kReadOnly | kAccess)},
     .acl = Acl::kStream,
     .handler = cmd_xinfo_consumers,
     .doc = {.summary = "Lists the consumers of a group.",
             .complexity = "O(N), N consumers",
             .since = "5.0.0",
             .group = "stream",
             .history = "7.2.0 Answers `inactive`; any question counts as not `idle`.",
             .args = "key:key#0 groupname:string",
             .tips = "nondeterministic_output"}},
    {.name = "GROUPS",
     .arity = exactly(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(2, kReadOnly | kAccess)},
     .acl = Acl::kStream,
     .handler = cmd_xinfo_groups,
     .doc = {.summary = "Lists the consumer groups of a stream.",
             .complexity = "O(N), N groups",
             .since = "5.0.0",
             .group = "stream",
             .history = "7.0.0 Answers `entries-read` and `lag`.",
             .args = "key:key#0"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kStream,
     .handler = cmd_xinfo_help,
     .doc = {.summary = "Lists the subcommands of XINFO.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "stream"}},
    {.name = "STREAM",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(2, kReadOnly | kAccess)},
     .acl = Acl::kStream,
     .handler = cmd_xinfo_stream,
     .doc = {.summary = "Describes a stream; with FULL its groups and some entries, too.",
             .complexity = "O(1); FULL: what it shows",
             .since = "5.0.0",
             .group = "stream",
             .history = "6.0.0 Takes `FULL`. | 7.0.0 Answers `max-deleted-entry-id`, "
                        "`entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`. | "
                        "7.2.0 FULL answers `active-time`.",
             .args = "key:key#0 [FULL=full:{[COUNT=count:integer]}]"}},
};
static_assert(table_is_valid(kInfoRows));

constexpr CommandSpec kRows[] = {
    {.name = "XINFO",
     .arity = at_least(2),
     .subcommands = kInfoRows,
     .doc = {.summary = "Looks inside a stream.",
             .complexity = "By subcommand",
             .since = "5.0.0",
             .group = "stream"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStreamInfoCommands = kRows;

}  // namespace ouro
