// SPDX-License-Identifier: BSD-3-Clause
// XREAD and XREADGROUP: the entries behind an id of several streams, now or once there are some.
//
// A reader of a group gets what the group was not given yet (">"), which becomes pending of it, or
// again what is pending of it already. What is left for the log is where the group and its pending
// entries have come to.
#include "server/commands/stream_parts.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// What a client gets at most that has waited and did not say COUNT: its id may be far behind.
constexpr uint64_t kCountAfterWait = 1000;

struct ReadRequest {
  bool of_group = false;  // XREADGROUP
  ByteView group = {};
  ByteView consumer = {};
  bool no_ack = false;
  uint64_t count = 0;  // 0: all
  std::optional<Millis> wait_ms = {};
  size_t first_key = 0;
  size_t stream_count = 0;
};

// Where reading of one stream begins.
struct ReadFrom {
  StreamId after = {};
  bool only_new = false;  // ">": what its group was not given yet
  StreamGroup* group = nullptr;
};

Result<Millis> parse_wait(Context& ctx, ByteView text) {
  const auto ms = parse_integer(text);
  if (!ms.is_ok()) return ctx.fail("ERR timeout is not an integer or out of range");
  if (*ms < 0) return ctx.fail_text(errors::kTimeoutNegative);
  if (*ms > INT64_MAX - ctx.now) return ctx.fail("ERR timeout is out of range");
  return *ms;
}

Result<ReadRequest> parse_read(Context& ctx, bool of_group) {
  ReadRequest request{.of_group = of_group};
  bool has_group = false;
  ArgParser args(ctx.argv, 1);
  while (request.first_key == 0 && args.more()) {
    if (args.left() > 1 && args.word("BLOCK")) {
      if (ctx.caller.script != nullptr) {
        return ctx.fail("ERR %.*s command is not allowed with BLOCK option from scripts",
                        printed_size(ctx.argv[0]), ctx.argv[0].data());
      }
      OURO_TRY(request.wait_ms, parse_wait(ctx, args.next()));
    } else if (args.left() > 1 && args.word("COUNT")) {
      OURO_TRY(const int64_t count, parse_integer(args.next()));
      request.count = count < 0 ? 0 : static_cast<uint64_t>(count);
    } else if (args.left() > 1 && args.word("STREAMS")) {
      // The same text for both commands, as Redis 7.0 has it.
      if (args.left() % 2 != 0) {
        return ctx.fail(
            "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be "
            "specified.");
      }
      request.first_key = args.position();
      request.stream_count = args.left() / 2;
    } else if (args.left() > 2 && args.word("GROUP")) {
      if (!of_group) {
        return ctx.fail(
            "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
      }
      has_group = true;
      request.group = args.next();
      request.consumer = args.next();
    } else if (args.word("NOACK")) {
      if (!of_group) {
        return ctx.fail(
            "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
      }
      request.no_ack = true;
    } else {
      return Err::kSyntax;
    }
  }
  if (request.first_key == 0) return Err::kSyntax;
  if (of_group && !has_group) return ctx.fail("ERR Missing GROUP option for XREADGROUP");
  return request;
}

// What the id of one stream means. The stream may be absent.
Result<ReadFrom> parse_from(Context& ctx, const ReadRequest& request, ByteView key,
                            const Stream* stream, ByteView text) {
  ReadFrom from;
  if (request.of_group) {
    from.group = stream == nullptr ? nullptr : stream->find_group(request.group);
    if (from.group == nullptr) {
      return ctx.fail(
          "NOGROUP No such key '%.*s' or consumer group '%.*s' in XREADGROUP with GROUP option",
          printed_size(key), key.data(), printed_size(request.group), request.group.data());
    }
  }
  if (text == "$") {
    if (request.of_group) {
      return ctx.fail(
          "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history "
          "of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ "
          "ID would just return an empty result set.");
    }
    if (stream != nullptr) from.after = stream->last_id();
    return from;
  }
  if (text == ">") {
    if (!request.of_group) {
      return ctx.fail(
          "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
          "<consumer> option.");
    }
    from.only_new = true;
    return from;
  }
  OURO_TRY(from.after, parse_strict_id(ctx, text));
  // Nothing is behind the highest id; Redis keeps it for ">".
  from.only_new = request.of_group && from.after == kStreamIdMax;
  return from;
}

Result<std::vector<ReadFrom>> parse_all_from(Context& ctx, const ReadRequest& request) {
  std::vector<ReadFrom> all;
  for (size_t i = 0; i < request.stream_count; ++i) {
    const size_t key_at = request.first_key + i;
    OURO_TRY(const Stream* stream, ctx.find_as<Stream>(ctx.key(key_at)));
    OURO_TRY(const ReadFrom from, parse_from(ctx, request, ctx.argv[key_at], stream,
                                             ctx.argv[key_at + request.stream_count]));
    all.push_back(from);
  }
  return all;
}

// Whether a client that asks now is answered with this stream.
bool has_answer(const Stream& stream, const ReadFrom& from) {
  if (from.group != nullptr && !from.only_new) return true;
  if (stream.size() == 0) return false;
  return stream.top_id() > (from.only_new ? from.group->last_id : from.after);
}

// ---- answers

// What is pending of the consumer behind an id; an entry that has gone from the stream has no
// fields.
void reply_history(Context& ctx, const Key& key, const Stream& stream, const ReadRequest& request,
                   const ReadFrom& from, const StreamConsumer& consumer) {
  ClaimEffect effect(ctx, key, *from.group);
  const Reply::Mark mark = ctx.reply.begin();
  uint64_t replied = 0;
  const auto again = [&](StreamPending& pending) {
    if (reply_entry(ctx.reply, stream, pending.id)) {
      pending.delivered_at = ctx.now;
      ++pending.deliveries;
      effect.add(pending);
    } else {
      ctx.reply.array(2);
      reply_id(ctx.reply, pending.id);
      ctx.reply.null_array();
    }
    return ++replied != request.count;
  };
  from.group->for_each_pending(consumer, *from.after.next(), again);
  ctx.reply.end_array(mark, replied);
}

// What the group was not given yet.
void reply_new(Context& ctx, const Key& key, const Stream& stream, const ReadRequest& request,
               StreamGroup& group, StreamConsumer& consumer) {
  ClaimEffect effect(ctx, key, group);
  const Reply::Mark mark = ctx.reply.begin();
  uint64_t replied = 0;
  const auto deliver = [&](const StreamEntry& entry) {
    reply_entry(ctx.reply, entry);
    stream.note_delivered(group, entry.id);
    if (!request.no_ack) {
      StreamPending& pending = group.assign(ctx.heap(), entry.id, consumer);
      pending.delivered_at = ctx.now;
      pending.deliveries = 1;
      effect.add(pending);
    }
    return ++replied != request.count;
  };
  if (const auto first = group.last_id.next())
    stream.for_each(*first, kStreamIdMax, Direction::kAscending, deliver);
  ctx.reply.end_array(mark, replied);
  if (replied > 0) leave_group_position(ctx, key, group);
}

void reply_stream(Context& ctx, const Key& key, const Stream& stream, const ReadRequest& request,
                  const ReadFrom& from) {
  if (!ctx.reply.is_resp3()) ctx.reply.array(2);
  ctx.reply.bulk(key.bytes);
  if (from.group == nullptr) {
    reply_entries(ctx.reply, stream, *from.after.next(), kStreamIdMax, Direction::kAscending,
                  request.count);
    return;
  }
  // The effects are those of what happens here.
  ctx.effects.none();
  ctx.db.before_change(key);
  noted(ctx, key);
  StreamConsumer& consumer = visit_consumer(ctx, key, *from.group, request.consumer);
  if (from.only_new) {
    reply_new(ctx, key, stream, request, *from.group, consumer);
  } else {
    reply_history(ctx, key, stream, request, from, consumer);
  }
}

// ---- waiting

Status wait_for_entries(Context& ctx, const ReadRequest& request,
                        const std::vector<ReadFrom>& all) {
  // "$" is the last id of now, not of the time when there is more.
  std::vector<ByteView> argv(ctx.argv.begin(), ctx.argv.end());
  std::vector<StreamIdText> ids;
  ids.reserve(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    ByteView& text = argv[request.first_key + request.stream_count + i];
    if (text == "$") text = ids.emplace_back(all[i].after);
  }
  ctx.argv = argv;
  return ctx.block(ctx.argv.subspan(request.first_key, request.stream_count), *request.wait_ms);
}

// One of the streams has changed: answers with this one, waits on if nothing has come.
Status read_woken(Context& ctx, ReadRequest request) {
  const Key key = ctx.db.key(*ctx.woken_by);
  size_t at = request.first_key;
  while (ctx.argv[at] != key.bytes) ++at;
  const auto wait_on = [&] { return ctx.block({}, 0); };
  const Entry* entry = ctx.find_to_write(key);
  const bool is_stream = entry != nullptr && entry->kind() == Kind::kStream;
  if (!is_stream && request.of_group) return ctx.fail("UNBLOCKED the stream key no longer exists");
  if (!is_stream) return wait_on();
  const Stream& stream = entry->as<Stream>();
  ReadFrom from{.only_new = request.of_group};
  if (request.of_group) {
    from.group = stream.find_group(request.group);
    if (from.group == nullptr)
      return ctx.fail("NOGROUP the consumer group this client was blocked on no longer exists");
    from.after = from.group->last_id;
  } else {
    OURO_TRY(from.after, parse_strict_id(ctx, ctx.argv[at + request.stream_count]));
  }
  // Not the highest id that is there: what came and went since is an answer without entries.
  if (stream.last_id() <= from.after) return wait_on();
  if (request.count == 0) request.count = kCountAfterWait;
  ctx.reply.is_resp3() ? ctx.reply.map(1) : ctx.reply.array(1);
  reply_stream(ctx, key, stream, request, from);
  return Status::ok();
}

Status read(Context& ctx, bool of_group) {
  OURO_TRY(const ReadRequest request, parse_read(ctx, of_group));
  if (ctx.woken_by != nullptr) return read_woken(ctx, request);
  OURO_TRY(const std::vector<ReadFrom> all, parse_all_from(ctx, request));
  Reply::Mark mark = 0;
  size_t answered = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const Key key = ctx.key(request.first_key + i);
    OURO_TRY(const Stream* stream, ctx.find_as<Stream>(key));
    if (stream == nullptr || !has_answer(*stream, all[i])) continue;
    if (answered++ == 0) mark = ctx.reply.begin();
    reply_stream(ctx, key, *stream, request, all[i]);
  }
  if (answered > 0) {
    ctx.reply.is_resp3() ? ctx.reply.end_map(mark, answered) : ctx.reply.end_array(mark, answered);
    return Status::ok();
  }
  if (request.wait_ms && ctx.may_block()) return wait_for_entries(ctx, request, all);
  ctx.reply.null_array();
  return Status::ok();
}

Status cmd_xread(Context& ctx) { return read(ctx, false); }
Status cmd_xreadgroup(Context& ctx) { return read(ctx, true); }

constexpr KeySpec keys_behind_streams(int start) {
  return {.begin = KeySpec::Begin::kKeyword,
          .use = kReadOnly | kAccess,
          .index = start,
          .keyword = "STREAMS",
          .last = -1,
          .limit = 2};
}

constexpr CommandSpec kRows[] = {
    {.name = "XREAD",
     .arity = at_least(4),
     .flags = Flag::kReadonly | Flag::kBlocking | Flag::kMovableKeys,
     .keys = {keys_behind_streams(1)},
     .acl = Acl::kStream,
     .handler = cmd_xread,
     .doc = {.summary = "Returns the entries behind an id of several streams, or waits for some.",
             .complexity = "O(log(N)+M) a stream, N its nodes, M entries returned",
             .since = "5.0.0",
             .group = "stream",
             .args = "[COUNT=count:integer] [BLOCK=milliseconds:integer] "
                     "STREAMS=streams:{key:key#0... id:string...}"}},
    {.name = "XREADGROUP",
     .arity = at_least(7),
     .flags = Flag::kWrite | Flag::kBlocking | Flag::kMovableKeys | Flag::kToldOfRemoval,
     .keys = {keys_behind_streams(4)},
     .acl = Acl::kStream,
     .handler = cmd_xreadgroup,
     .doc = {.summary = "Returns entries that a group was not given yet, or waits for some; or "
                        "those that are pending of a consumer.",
             .complexity = "O(M*log(N)) a stream, M entries returned, N pending ones",
             .since = "5.0.0",
             .group = "stream",
             .args = "GROUP=group_consumer:{group:string consumer:string} [COUNT=count:integer] "
                     "[BLOCK=milliseconds:integer] [noack!NOACK] "
                     "STREAMS=streams:{key:key#0... id:string...}"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStreamReadCommands = kRows;

}  // namespace ouro
