// SPDX-License-Identifier: BSD-3-Clause
// XREAD and XREADGROUP: the entries behind an id of several streams, now or once there are some.
//
// A reader of a group gets what the group was not given yet (">"), which becomes pending of it, or
// again what is pending of it already; with CLAIM first what others have had for too long. What is
// left for the log is where the group and its pending entries have come to.
#include <algorithm>

#include "datastructs/codec/number_text.h"
#include "server/commands/stream_parts.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// What a client gets at most that has waited and did not say COUNT: its id may be far behind.
constexpr uint64_t kCountAfterWait = 1000;

// How soon at the earliest a waiting client looks again for what it may claim.
constexpr Millis kLookAgainMin = 10;

struct ReadRequest {
  bool of_group = false;  // XREADGROUP
  bool has_group = false;
  ByteView group = {};
  ByteView consumer = {};
  bool no_ack = false;
  std::optional<Millis> claim_idle_min = {};  // CLAIM
  uint64_t count = 0;                         // 0: all
  uint64_t count_max = 0;                     // MAXCOUNT, 0: all
  uint64_t bytes_max = 0;                     // MAXSIZE, 0: all
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
  if (!ms.is_ok()) return ctx.fail_text(errors::kTimeoutNotAnInteger);
  if (*ms < 0) return ctx.fail_text(errors::kTimeoutNegative);
  if (*ms > INT64_MAX - ctx.now) return ctx.fail("ERR timeout is out of range");
  return *ms;
}

Status fail_without_group(Context& ctx, const char* option) {
  return ctx.fail("ERR The %s option is only supported by XREADGROUP. You called XREAD instead.",
                  option);
}

// An option that only XREADGROUP has, if the parser stands at one.
Result<bool> parse_group_option(Context& ctx, ArgParser& args, ReadRequest& request) {
  if (args.left() > 2 && args.word("GROUP")) {
    if (!request.of_group) return fail_without_group(ctx, "GROUP");
    request.has_group = true;
    request.group = args.next();
    request.consumer = args.next();
  } else if (args.left() > 1 && args.word("CLAIM")) {
    if (!request.of_group) return fail_without_group(ctx, "CLAIM");
    const auto idle_min = parse_integer(args.next());
    if (!idle_min.is_ok()) return ctx.fail("ERR min-idle-time is not an integer or out of range");
    if (*idle_min < 0) return ctx.fail("ERR min-idle-time must be a positive integer");
    request.claim_idle_min = *idle_min;
  } else if (args.word("NOACK")) {
    if (!request.of_group) return fail_without_group(ctx, "NOACK");
    request.no_ack = true;
  } else {
    return false;
  }
  return true;
}

Result<uint64_t> parse_most(Context& ctx, ByteView text, const char* option) {
  OURO_TRY(const int64_t most, parse_integer(text));
  if (most <= 0) return ctx.fail("ERR %s must be a positive integer", option);
  return static_cast<uint64_t>(most);
}

// `request`: the command's own, to be completed by its arguments.
Result<ReadRequest> parse_read(Context& ctx, ReadRequest request) {
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
    } else if (args.left() > 1 && args.word("MAXCOUNT")) {
      OURO_TRY(request.count_max, parse_most(ctx, args.next(), "MAXCOUNT"));
    } else if (args.left() > 1 && args.word("MAXSIZE")) {
      OURO_TRY(request.bytes_max, parse_most(ctx, args.next(), "MAXSIZE"));
    } else if (args.left() > 1 && args.word("STREAMS")) {
      // The same text for both commands, as Redis 7.0 has it.
      if (args.left() % 2 != 0) {
        return ctx.fail(
            "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be "
            "specified.");
      }
      request.first_key = args.position();
      request.stream_count = args.left() / 2;
    } else {
      OURO_TRY(const bool is_known, parse_group_option(ctx, args, request));
      if (!is_known) return Err::kSyntax;
    }
  }
  if (request.first_key == 0) return Err::kSyntax;
  if (request.of_group && !request.has_group)
    return ctx.fail("ERR Missing GROUP option for XREADGROUP");
  if (request.count_max > 0 && request.count_max < request.count)
    return ctx.fail("ERR MAXCOUNT must be greater than or equal to COUNT");
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

// ---- how much is answered

size_t bulk_bytes(size_t size) {
  char digits[kInt64TextMax];
  return size + format_uint64(size, digits) + ByteView("$\r\n\r\n").size();
}

// What an entry takes in a reply.
size_t reply_bytes(const StreamEntry& entry) {
  size_t bytes = ByteView("*2\r\n*2\r\n").size() + bulk_bytes(StreamIdText(entry.id).view().size());
  entry.for_each_field([&](ByteView field, ByteView value) {
    bytes += bulk_bytes(field.size()) + bulk_bytes(value.size());
  });
  return bytes;
}

// What is left of a request: COUNT entries a stream, MAXCOUNT of all together, and those that begin
// within MAXSIZE bytes of entries. The first entry is always among these.
class Quota {
 public:
  explicit Quota(const ReadRequest& request)
      : here_max_(or_all(request.count)),
        all_(or_all(request.count_max)),
        bytes_(or_all(request.bytes_max)) {}

  void begin_stream() { here_ = std::min(here_max_, all_); }
  uint64_t entries() const { return bytes_ == 0 ? 0 : here_; }
  bool is_used_up() const { return all_ == 0 || bytes_ == 0; }
  void use(const StreamEntry& entry) {
    if (bytes_ != kAll) bytes_ -= std::min(bytes_, reply_bytes(entry));
    use_gone();
  }
  // An entry that has gone from its stream.
  void use_gone() {
    --here_;
    if (all_ != kAll) --all_;
  }

 private:
  static constexpr uint64_t kAll = UINT64_MAX;
  static uint64_t or_all(uint64_t most) { return most == 0 ? kAll : most; }

  uint64_t here_max_;
  uint64_t here_ = 0;
  uint64_t all_;
  uint64_t bytes_;
};

// ---- answers

bool is_idle(const Context& ctx, const StreamPending& pending, Millis idle_min) {
  return pending.is_released() || ctx.now - pending.delivered_at >= idle_min;
}

// The pending entry that waits longest for being claimed, of those that are still there.
const StreamPending* first_claimable(const Stream& stream, const StreamGroup& group) {
  const StreamPending* first = nullptr;
  group.for_each_queued([&](const StreamPending& pending) {
    if (stream.contains(pending.id)) first = &pending;
    return first == nullptr;
  });
  return first;
}

bool has_claimable(const Context& ctx, const ReadRequest& request, const Stream& stream,
                   const ReadFrom& from) {
  if (!request.claim_idle_min || !from.only_new) return false;
  const StreamPending* pending = first_claimable(stream, *from.group);
  return pending != nullptr && is_idle(ctx, *pending, *request.claim_idle_min);
}

// Whether a client that asks now is answered with this stream.
bool has_answer(const Context& ctx, const ReadRequest& request, const Stream& stream,
                const ReadFrom& from) {
  if (from.group != nullptr && !from.only_new) return true;
  if (stream.size() == 0) return false;
  return stream.top_id() > (from.only_new ? from.group->last_id : from.after) ||
         has_claimable(ctx, request, stream, from);
}

// What is pending of the consumer behind an id; an entry that has gone from the stream has no
// fields.
void reply_history(Context& ctx, const Key& key, const Stream& stream, const ReadFrom& from,
                   const StreamConsumer& consumer, Quota& quota) {
  ClaimEffect effect(ctx, key, *from.group);
  const Reply::Mark mark = ctx.reply.begin();
  uint64_t replied = 0;
  const auto again = [&](const StreamPending& found) {
    if (quota.entries() == 0) return false;
    ++replied;
    const bool is_there = visit_entry(stream, found.id, [&](const StreamEntry& entry) {
      reply_entry(ctx.reply, entry);
      quota.use(entry);
    });
    if (is_there) {
      StreamPending& pending = from.group->assign(ctx.heap(), found.id, *found.owner, ctx.now);
      pending.count_delivery();
      effect.add(pending);
    } else {
      ctx.reply.array(2);
      reply_id(ctx.reply, found.id);
      ctx.reply.null_array();
      quota.use_gone();
    }
    return true;
  };
  from.group->for_each_pending(consumer, *from.after.next(), again);
  ctx.reply.end_array(mark, replied);
}

// One reader of a group, who gets entries that become its own: at least one.
class GroupReader {
 public:
  GroupReader(Context& ctx, const Key& key, const Stream& stream, const ReadRequest& request,
              StreamGroup& group, Quota& quota)
      : ctx_(ctx),
        key_(key),
        stream_(stream),
        request_(request),
        group_(group),
        quota_(quota),
        consumer_(visit_consumer(ctx, key, group, request.consumer,
                                 request.no_ack ? MadeBy::kItself : MadeBy::kItsClaim)),
        effect_(ctx, key, group) {}

  void reply() {
    const Reply::Mark mark = ctx_.reply.begin();
    if (request_.claim_idle_min) claim(*request_.claim_idle_min);
    const uint64_t claimed = replied_;
    if (const auto first = group_.last_id.next()) deliver_from(*first);
    ctx_.reply.end_array(mark, replied_);
    if (replied_ > claimed) leave_group_position(ctx_, key_, group_);
  }

 private:
  // What was pending for so long, the longest first.
  void claim(Millis idle_min) {
    // Found before any is taken: that goes to the end of the queue.
    std::vector<StreamId> ids;
    group_.for_each_queued([&](const StreamPending& pending) {
      if (ids.size() == quota_.entries() || !is_idle(ctx_, pending, idle_min)) return false;
      if (stream_.contains(pending.id)) ids.push_back(pending.id);
      return true;
    });
    for (const StreamId id : ids) {
      if (quota_.entries() == 0) return;
      const StreamPending before = *group_.find_pending(id);
      CHECK(visit_entry(stream_, id, [&](const StreamEntry& entry) {
        reply(entry, idle_of(ctx_, before), before.deliveries);
      }));
      take(id).count_delivery();
      effect_.add(*group_.find_pending(id));
    }
  }

  // What the group was not given yet.
  void deliver_from(StreamId first) {
    stream_.for_each(first, kStreamIdMax, Direction::kAscending, [&](const StreamEntry& entry) {
      if (quota_.entries() == 0) return false;
      reply(entry, 0, 0);
      stream_.note_delivered(group_, entry.id);
      if (!request_.no_ack) {
        StreamPending& pending = take(entry.id);
        pending.deliveries = 1;
        effect_.add(pending);
      }
      return true;
    });
  }

  StreamPending& take(StreamId id) {
    consumer_.active_at = ctx_.now;
    return group_.assign(ctx_.heap(), id, consumer_, ctx_.now);
  }

  void reply(const StreamEntry& entry, Millis idle, uint64_t deliveries) {
    ++replied_;
    quota_.use(entry);
    if (!request_.claim_idle_min) return reply_entry(ctx_.reply, entry);
    ctx_.reply.array(4);
    reply_entry_parts(ctx_.reply, entry);
    ctx_.reply.integer(idle);
    ctx_.reply.integer(static_cast<int64_t>(deliveries));
  }

  Context& ctx_;
  const Key& key_;
  const Stream& stream_;
  const ReadRequest& request_;
  StreamGroup& group_;
  Quota& quota_;
  StreamConsumer& consumer_;
  ClaimEffect effect_;
  uint64_t replied_ = 0;
};

void reply_behind(Reply& reply, const Stream& stream, StreamId after, Quota& quota) {
  const Reply::Mark mark = reply.begin();
  uint64_t replied = 0;
  stream.for_each(*after.next(), kStreamIdMax, Direction::kAscending,
                  [&](const StreamEntry& entry) {
                    if (quota.entries() == 0) return false;
                    ++replied;
                    reply_entry(reply, entry);
                    quota.use(entry);
                    return true;
                  });
  reply.end_array(mark, replied);
}

void reply_stream(Context& ctx, const Key& key, const Stream& stream, const ReadRequest& request,
                  const ReadFrom& from, Quota& quota) {
  if (!ctx.reply.is_resp3()) ctx.reply.array(2);
  ctx.reply.bulk(key.bytes);
  quota.begin_stream();
  if (from.group == nullptr) return reply_behind(ctx.reply, stream, from.after, quota);
  // The effects are those of what happens here.
  ctx.effects.none();
  ctx.db.before_change(key);
  noted(ctx, key);
  if (from.only_new) return GroupReader(ctx, key, stream, request, *from.group, quota).reply();
  // A new one has no history, so no claim follows. Redis leaves nothing here, and its replicas lack
  // the consumer.
  const StreamConsumer& consumer =
      visit_consumer(ctx, key, *from.group, request.consumer, MadeBy::kItself);
  reply_history(ctx, key, stream, from, consumer, quota);
}

// It got nothing, yet it asked. As in Redis 7.0 a consumer that is not known is not made for that.
void note_seen(Context& ctx, const Key& key, const ReadRequest& request, const ReadFrom& from) {
  if (from.group == nullptr) return;
  StreamConsumer* const consumer = from.group->find_consumer(request.consumer);
  if (consumer == nullptr) return;
  ctx.db.before_change(key);
  consumer->seen_at = ctx.now;
}

// ---- waiting

// In how many milliseconds what is pending now, or may be from now on, can be claimed.
std::optional<Millis> claimable_in(Context& ctx, const ReadRequest& request) {
  if (!request.claim_idle_min) return std::nullopt;
  Millis soonest = *request.claim_idle_min;
  for (size_t i = 0; i < request.stream_count; ++i) {
    const Entry* entry = ctx.db.find(ctx.key(request.first_key + i));
    if (entry == nullptr || entry->kind() != Kind::kStream) continue;
    const Stream& stream = entry->as<Stream>();
    const StreamGroup* group = stream.find_group(request.group);
    const StreamPending* first = group == nullptr ? nullptr : first_claimable(stream, *group);
    if (first != nullptr)
      soonest = std::min(soonest, *request.claim_idle_min - idle_of(ctx, *first));
  }
  return std::max(soonest, kLookAgainMin);
}

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
  return ctx.block(ctx.argv.subspan(request.first_key, request.stream_count), *request.wait_ms,
                   claimable_in(ctx, request));
}

// One of the streams has changed: answers with this one, waits on if nothing has come.
Status read_woken(Context& ctx, ReadRequest request) {
  const Key key = ctx.db.key(*ctx.woken_by);
  size_t at = request.first_key;
  while (ctx.argv[at] != key.bytes) ++at;
  const auto wait_on = [&] { return ctx.block({}, 0, claimable_in(ctx, request)); };
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
  if (stream.last_id() <= from.after && !has_claimable(ctx, request, stream, from))
    return wait_on();
  if (request.count == 0) request.count = kCountAfterWait;
  ctx.reply.is_resp3() ? ctx.reply.map(1) : ctx.reply.array(1);
  Quota quota(request);
  reply_stream(ctx, key, stream, request, from, quota);
  return Status::ok();
}

Status read(Context& ctx, const ReadRequest& asked) {
  OURO_TRY(const ReadRequest request, parse_read(ctx, asked));
  if (ctx.woken_by != nullptr) return read_woken(ctx, request);
  OURO_TRY(const std::vector<ReadFrom> all, parse_all_from(ctx, request));
  Reply::Mark mark = 0;
  size_t answered = 0;
  Quota quota(request);
  for (size_t i = 0; i < all.size() && !quota.is_used_up(); ++i) {
    const Key key = ctx.key(request.first_key + i);
    OURO_TRY(const Stream* stream, ctx.find_as<Stream>(key));
    if (stream == nullptr) continue;
    if (!has_answer(ctx, request, *stream, all[i])) {
      note_seen(ctx, key, request, all[i]);
      continue;
    }
    if (answered++ == 0) mark = ctx.reply.begin();
    reply_stream(ctx, key, *stream, request, all[i], quota);
  }
  if (answered > 0) {
    ctx.reply.is_resp3() ? ctx.reply.end_map(mark, answered) : ctx.reply.end_array(mark, answered);
    return Status::ok();
  }
  if (request.wait_ms && ctx.may_block()) return wait_for_entries(ctx, request, all);
  ctx.reply.null_array();
  return Status::ok();
}

Status cmd_xread(Context& ctx) { return read(ctx, {.of_group = false}); }
Status cmd_xreadgroup(Context& ctx) { return read(ctx, {.of_group = true}); }

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
             .args = "[COUNT=count:integer] [MAXCOUNT=maxcount:integer@8.10.0] "
                     "[MAXSIZE=maxsize:integer@8.10.0] [BLOCK=milliseconds:integer] "
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
                     "[MAXCOUNT=maxcount:integer@8.10.0] [MAXSIZE=maxsize:integer@8.10.0] "
                     "[BLOCK=milliseconds:integer] [CLAIM=min-idle-time:integer@8.4.0] "
                     "[noack!NOACK] "
                     "STREAMS=streams:{key:key#0... id:string...}"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStreamReadCommands = kRows;

}  // namespace ouro
