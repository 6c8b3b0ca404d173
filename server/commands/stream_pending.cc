// SPDX-License-Identifier: BSD-3-Clause
// What a group was given and nobody has acknowledged: XACK, XPENDING, XNACK by which a consumer
// gives it back, and the claims of what another has, XCLAIM and XAUTOCLAIM. What is left of a claim
// for the log is the state that it brought about.
#include <algorithm>

#include "server/commands/stream_parts.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

Status cmd_xack(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(const StreamAndGroup at, find_group(ctx, key, ctx.argv[2]));
  if (at.group == nullptr) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  // All or nothing: an error may not hide what was acknowledged.
  OURO_TRY(const std::vector<StreamId> ids, parse_ids(ctx, ctx.argv.subspan(3)));
  int64_t acknowledged = 0;
  for (const StreamId id : ids) {
    if (!at.group->erase_pending(ctx.heap(), id)) continue;
    ++acknowledged;
    noted(ctx, key);
  }
  ctx.reply.integer(acknowledged);
  return Status::ok();
}

// ---- XPENDING

void reply_summary(Reply& reply, const StreamGroup& group) {
  reply.array(4);
  reply.integer(static_cast<int64_t>(group.pending_count()));
  if (group.pending_count() == 0) {
    reply.null();
    reply.null();
    reply.null_array();
    return;
  }
  reply_id(reply, group.first_pending());
  reply_id(reply, group.last_pending());
  const Reply::Mark mark = reply.begin();
  size_t owners = 0;
  group.for_each_consumer([&](const StreamConsumer& consumer) {
    if (consumer.pending.empty()) return;
    ++owners;
    reply.array(2);
    reply.bulk(consumer.name());
    reply.bulk(std::to_string(consumer.pending.size()));
  });
  reply.end_array(mark, owners);
}

struct PendingRange {
  StreamId first;
  StreamId last;
  int64_t count = 0;
  Millis idle_min = 0;
  std::optional<ByteView> consumer = {};
};

// [IDLE min-idle-time] start end count [consumer]
Result<PendingRange> parse_pending_range(Context& ctx) {
  PendingRange range;
  size_t at = 3;
  if (equals_ignoring_case(ctx.argv[at], "IDLE")) {
    OURO_TRY(range.idle_min, ctx.integer(at + 1));
    if (ctx.argv.size() < 8) return Err::kSyntax;
    at += 2;
  }
  OURO_TRY(range.count, ctx.integer(at + 2));
  OURO_TRY(range.first, parse_range_start(ctx, ctx.argv[at]));
  OURO_TRY(range.last, parse_range_end(ctx, ctx.argv[at + 1]));
  if (at + 3 < ctx.argv.size()) range.consumer = ctx.argv[at + 3];
  return range;
}

// What a released entry shows in place of the time that nobody asked for it.
constexpr Millis kReleasedIdle = -1;

void reply_pending(Context& ctx, const StreamGroup& group, const PendingRange& range) {
  const StreamConsumer* consumer = nullptr;
  if (range.consumer) {
    consumer = group.find_consumer(*range.consumer);
    if (consumer == nullptr) return ctx.reply.array(0);
  }
  if (range.count <= 0) return ctx.reply.array(0);
  const Reply::Mark mark = ctx.reply.begin();
  size_t replied = 0;
  const auto visit = [&](const StreamPending& pending) {
    if (range.last < pending.id) return false;
    // A time to come counts as less idle than nothing.
    const bool is_owned = !pending.is_released();
    if (is_owned && range.idle_min != 0 && ctx.now - pending.delivered_at < range.idle_min)
      return true;
    ctx.reply.array(4);
    reply_id(ctx.reply, pending.id);
    ctx.reply.bulk(pending.owner_name());
    ctx.reply.integer(is_owned ? idle_of(ctx, pending) : kReleasedIdle);
    ctx.reply.integer(static_cast<int64_t>(pending.deliveries));
    return ++replied != static_cast<size_t>(range.count);
  };
  if (consumer == nullptr) {
    group.for_each_pending(range.first, visit);
  } else {
    group.for_each_pending(*consumer, range.first, visit);
  }
  ctx.reply.end_array(mark, replied);
}

Status cmd_xpending(Context& ctx) {
  const bool summary = ctx.argv.size() == 3;
  if (!summary && (ctx.argv.size() < 6 || ctx.argv.size() > 9)) return Err::kSyntax;
  PendingRange range;
  if (!summary) {
    OURO_TRY(range, parse_pending_range(ctx));
  }
  OURO_TRY(const Stream* stream, ctx.find_as<Stream>(ctx.key(1)));
  const StreamGroup* group = stream == nullptr ? nullptr : stream->find_group(ctx.argv[2]);
  if (group == nullptr) return fail_no_group(ctx, ctx.argv[1], ctx.argv[2]);
  if (summary) {
    reply_summary(ctx.reply, *group);
  } else {
    reply_pending(ctx, *group, range);
  }
  return Status::ok();
}

// ---- claims

// A pending entry that has gone from the stream: nobody can ever be given it.
void forget(Context& ctx, const Key& key, StreamGroup& group, StreamId id) {
  group.erase_pending(ctx.heap(), id);
  noted(ctx, key);
  leave_ack(ctx, key, group, id);
}

struct Claim {
  Millis idle_min = 0;
  UnixMs delivered_at = 0;
  std::optional<uint64_t> deliveries = {};  // RETRYCOUNT
  bool force = false;                       // an entry that is not pending becomes so
  bool just_id = false;
  StreamId group_last_id = {};
};

// A delivery at a time that cannot be was now.
UnixMs delivery_time(const Context& ctx, UnixMs when) {
  return when < 0 || when > ctx.now ? ctx.now : when;
}
Result<UnixMs> parse_idle(Context& ctx, ByteView text) {
  const auto idle = parse_integer(text);
  if (!idle.is_ok()) return ctx.fail("ERR Invalid IDLE option argument for XCLAIM");
  UnixMs when = 0;
  return __builtin_sub_overflow(ctx.now, *idle, &when) ? ctx.now : delivery_time(ctx, when);
}
Result<UnixMs> parse_delivery_time(Context& ctx, ByteView text) {
  const auto when = parse_integer(text);
  if (!when.is_ok()) return ctx.fail("ERR Invalid TIME option argument for XCLAIM");
  return delivery_time(ctx, *when);
}

// The options behind the ids, from argument `at` on.
Result<Claim> parse_claim_options(Context& ctx, size_t at) {
  Claim claim{.delivered_at = ctx.now};
  ArgParser args(ctx.argv, at);
  while (args.more()) {
    const bool has_value = args.left() > 1;
    if (args.word("FORCE")) {
      claim.force = true;
    } else if (args.word("JUSTID")) {
      claim.just_id = true;
    } else if (has_value && args.word("IDLE")) {
      OURO_TRY(claim.delivered_at, parse_idle(ctx, args.next()));
    } else if (has_value && args.word("TIME")) {
      OURO_TRY(claim.delivered_at, parse_delivery_time(ctx, args.next()));
    } else if (has_value && args.word("RETRYCOUNT")) {
      const auto count = parse_integer(args.next());
      if (!count.is_ok()) return ctx.fail("ERR Invalid RETRYCOUNT option argument for XCLAIM");
      if (*count >= 0) claim.deliveries = static_cast<uint64_t>(*count);
    } else if (has_value && args.word("LASTID")) {
      OURO_TRY(claim.group_last_id, parse_strict_id(ctx, args.next()));
    } else {
      const ByteView option = args.peek();
      return ctx.fail("ERR Unrecognized XCLAIM option '%.*s'", printed_size(option), option.data());
    }
  }
  return claim;
}

Result<Millis> parse_idle_min(Context& ctx, const char* command) {
  const auto idle_min = ctx.integer(4);
  if (!idle_min.is_ok()) return ctx.fail("ERR Invalid min-idle-time argument for %s", command);
  return std::max<Millis>(*idle_min, 0);
}

// Who claims. The consumer is made when it gets its first entry; one that is there is seen anyway.
class Claimant {
 public:
  Claimant(Context& ctx, const Key& key, StreamGroup& group, const Claim& claim)
      : ctx_(ctx),
        key_(key),
        group_(group),
        claim_(claim),
        consumer_(group.find_consumer(ctx.argv[3])),
        effect_(ctx, key, group) {
    if (consumer_ != nullptr) consumer_->seen_at = ctx.now;
  }

  // Gives it one pending entry; false if it may not have it.
  bool take(StreamId id) {
    const StreamPending* before = group_.find_pending(id);
    if (before == nullptr && !claim_.force) return false;
    const bool is_new = before == nullptr;
    const bool is_owned = !is_new && !before->is_released();
    if (is_owned && claim_.idle_min > 0 && ctx_.now - before->delivered_at < claim_.idle_min)
      return false;
    if (consumer_ == nullptr)
      consumer_ = &visit_consumer(ctx_, key_, group_, ctx_.argv[3], MadeBy::kItsClaim);
    consumer_->active_at = ctx_.now;
    StreamPending& pending = group_.assign(ctx_.heap(), id, *consumer_, claim_.delivered_at);
    if (is_new) pending.deliveries = 1;
    if (claim_.deliveries) {
      pending.deliveries = *claim_.deliveries;
    } else if (!claim_.just_id) {
      pending.count_delivery();
    }
    effect_.add(pending);
    noted(ctx_, key_);
    return true;
  }

 private:
  Context& ctx_;
  const Key& key_;
  StreamGroup& group_;
  const Claim& claim_;
  StreamConsumer* consumer_;
  ClaimEffect effect_;
};

void reply_claimed(Reply& reply, const Stream& stream, StreamId id, bool just_id) {
  if (just_id) return reply_id(reply, id);
  CHECK(reply_entry(reply, stream, id));
}

// The claimed entries as an array; those that have gone from the stream are forgotten.
void claim_all(Context& ctx, const Key& key, const StreamAndGroup& at,
               const std::vector<StreamId>& ids, const Claim& claim) {
  Claimant claimant(ctx, key, *at.group, claim);
  const Reply::Mark mark = ctx.reply.begin();
  size_t claimed = 0;
  for (const StreamId id : ids) {
    if (!at.stream->contains(id)) {
      if (at.group->find_pending(id) != nullptr) forget(ctx, key, *at.group, id);
    } else if (claimant.take(id)) {
      reply_claimed(ctx.reply, *at.stream, id, claim.just_id);
      ++claimed;
    }
  }
  ctx.reply.end_array(mark, claimed);
}

Status cmd_xclaim(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(const StreamAndGroup at, find_group(ctx, key, ctx.argv[2]));
  if (at.group == nullptr) return fail_no_group(ctx, ctx.argv[1], ctx.argv[2]);
  OURO_TRY(const Millis idle_min, parse_idle_min(ctx, "XCLAIM"));
  // The options begin where a word is no id.
  std::vector<StreamId> ids;
  size_t options_at = 5;
  for (; options_at < ctx.argv.size(); ++options_at) {
    const auto parsed = parse_stream_id(ctx.argv[options_at], 0);
    if (!parsed || parsed->any_seq) break;
    ids.push_back(parsed->id);
  }
  OURO_TRY(Claim claim, parse_claim_options(ctx, options_at));
  claim.idle_min = idle_min;
  ctx.effects.none();
  if (at.group->last_id < claim.group_last_id) {
    at.group->last_id = claim.group_last_id;
    noted(ctx, key);
    leave_group_position(ctx, key, *at.group);
  }
  claim_all(ctx, key, at, ids, claim);
  return Status::ok();
}

// ---- XAUTOCLAIM

constexpr int64_t kAutoClaimCount = 100;
// For each entry that may be claimed so many are looked at.
constexpr int64_t kLooksPerClaim = 10;

struct AutoClaim {
  StreamId first = {};
  int64_t count = kAutoClaimCount;
  Claim claim;
};

Result<AutoClaim> parse_auto_claim(Context& ctx) {
  AutoClaim request{.claim = {.delivered_at = ctx.now}};
  OURO_TRY(request.claim.idle_min, parse_idle_min(ctx, "XAUTOCLAIM"));
  OURO_TRY(request.first, parse_range_start(ctx, ctx.argv[5]));
  ArgParser args(ctx.argv, 6);
  while (args.more()) {
    if (args.left() > 1 && args.word("COUNT")) {
      constexpr int64_t kCountMax = INT64_MAX / 16;
      const auto count = parse_integer(args.next());
      if (!count.is_ok() || *count < 1 || *count > kCountMax)
        return ctx.fail_text(errors::kCountTooSmall);
      request.count = *count;
    } else if (args.word("JUSTID")) {
      request.claim.just_id = true;
    } else {
      return Err::kSyntax;
    }
  }
  return request;
}

// What came of it.
struct AutoClaimed {
  std::vector<StreamId> claimed;
  std::vector<StreamId> gone;  // from the stream, and now from the list
  StreamId next;               // where to go on; zero at the end
};

AutoClaimed claim_idle(Context& ctx, const Key& key, const StreamAndGroup& at,
                       const AutoClaim& request) {
  AutoClaimed result;
  Claimant claimant(ctx, key, *at.group, request.claim);
  int64_t left = request.count;
  int64_t looks = request.count * kLooksPerClaim;
  const StreamPending* pending = at.group->pending_from(request.first);
  while (pending != nullptr && left > 0 && looks-- > 0) {
    const StreamId id = pending->id;
    if (!at.stream->contains(id)) {
      forget(ctx, key, *at.group, id);
      result.gone.push_back(id);
      --left;
    } else if (claimant.take(id)) {
      result.claimed.push_back(id);
      --left;
    }
    const auto next = id.next();
    pending = next ? at.group->pending_from(*next) : nullptr;
  }
  if (pending != nullptr) result.next = pending->id;
  return result;
}

Status cmd_xautoclaim(Context& ctx) {
  const Key key = ctx.key(1);
  // The look-up counts although the arguments may be wrong.
  Entry* const entry = ctx.find(key);
  OURO_TRY(const AutoClaim request, parse_auto_claim(ctx));
  OURO_TRY(const StreamAndGroup at, group_in(ctx, key, entry, ctx.argv[2]));
  if (at.group == nullptr) return fail_no_group(ctx, ctx.argv[1], ctx.argv[2]);
  ctx.effects.none();
  const AutoClaimed result = claim_idle(ctx, key, at, request);
  ctx.reply.array(3);
  reply_id(ctx.reply, result.next);
  ctx.reply.array(result.claimed.size());
  for (const StreamId id : result.claimed)
    reply_claimed(ctx.reply, *at.stream, id, request.claim.just_id);
  ctx.reply.array(result.gone.size());
  for (const StreamId id : result.gone) reply_id(ctx.reply, id);
  return Status::ok();
}

// ---- XNACK

struct Nack {
  enum class Mode : uint8_t { kSilent, kFail, kFatal };
  Mode mode = Mode::kFail;
  bool force = false;                       // an entry that is not pending becomes so
  std::optional<uint64_t> deliveries = {};  // RETRYCOUNT
  std::vector<StreamId> ids = {};

  uint64_t deliveries_after(uint64_t before) const {
    if (deliveries) return *deliveries;
    switch (mode) {
      case Mode::kSilent:
        return before - (before > 0);
      case Mode::kFail:
        return before;
      case Mode::kFatal:
        return StreamPending::kDeliveriesMax;
    }
    OURO_UNREACHABLE();
  }
};

Result<Nack::Mode> parse_nack_mode(Context& ctx, ArgParser& args) {
  if (args.word("SILENT")) return Nack::Mode::kSilent;
  if (args.word("FAIL")) return Nack::Mode::kFail;
  if (args.word("FATAL")) return Nack::Mode::kFatal;
  return ctx.fail("ERR mode must be SILENT, FAIL, or FATAL");
}

// SILENT|FAIL|FATAL, then in any order IDS numids id [id ...] [RETRYCOUNT count] [FORCE].
Result<Nack> parse_nack(Context& ctx) {
  Nack nack;
  Argv ids;
  ArgParser args(ctx.argv, 3);
  OURO_TRY(nack.mode, parse_nack_mode(ctx, args));
  while (args.more()) {
    const bool has_value = args.left() > 1;
    if (has_value && args.word("IDS")) {
      const auto count = parse_integer(args.next());
      if (!count.is_ok() || *count < 1 || *count > INT32_MAX)
        return ctx.fail("ERR numids must be a positive integer");
      if (static_cast<uint64_t>(*count) > args.left())
        return ctx.fail("ERR number of IDs doesn't match numids");
      ids = ctx.argv.subspan(args.position(), static_cast<size_t>(*count));
      args.skip(ids.size());
    } else if (args.word("FORCE")) {
      nack.force = true;
    } else if (has_value && args.word("RETRYCOUNT")) {
      OURO_TRY(const int64_t count, parse_integer(args.next()));
      if (count < 0) return ctx.fail("ERR Invalid RETRYCOUNT value, must be >= 0");
      nack.deliveries = static_cast<uint64_t>(count);
    } else {
      const ByteView option = args.peek();
      return ctx.fail("ERR Unrecognized XNACK option '%.*s'", printed_size(option), option.data());
    }
  }
  if (ids.empty()) return ctx.fail("ERR syntax error, expected IDS keyword");
  OURO_TRY(nack.ids, parse_ids(ctx, ids));
  return nack;
}

Status cmd_xnack(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(const StreamAndGroup at, find_group(ctx, key, ctx.argv[2]));
  if (at.group == nullptr) return fail_no_group(ctx, ctx.argv[1], ctx.argv[2]);
  OURO_TRY(const Nack nack, parse_nack(ctx));
  int64_t released = 0;
  for (const StreamId id : nack.ids) {
    const bool is_pending = at.group->find_pending(id) != nullptr;
    if (!is_pending && !(nack.force && at.stream->contains(id))) continue;
    StreamPending& pending = at.group->release(ctx.heap(), id);
    pending.deliveries = nack.deliveries_after(pending.deliveries);
    noted(ctx, key);
    ++released;
  }
  if (released > 0) {
    ctx.only_ours();
    // Who waits with CLAIM may have it now.
    ctx.engine.blocking.on_changed(ctx.caller.db, key.bytes);
  }
  ctx.reply.integer(released);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "XACK",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kStream,
     .handler = cmd_xack,
     .doc = {.summary = "Acknowledges entries: they are pending no more.",
             .complexity = "O(log(N)) an id, N pending entries",
             .since = "5.0.0",
             .group = "stream",
             .args = "key:key#0 group:string id:string..."}},
    {.name = "XAUTOCLAIM",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kStream,
     .handler = cmd_xautoclaim,
     .doc = {.summary = "Gives a consumer pending entries that nobody asked for lately.",
             .complexity = "O(M*log(N)), M entries looked at, N pending ones",
             .since = "6.2.0",
             .group = "stream",
             .history = "7.0.0 Also answers the ids whose entries are gone.",
             .args = "key:key#0 group:string consumer:string min-idle-time:string start:string "
                     "[COUNT=count:integer] [justid!JUSTID]",
             .tips = "nondeterministic_output"}},
    {.name = "XCLAIM",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kStream,
     .handler = cmd_xclaim,
     .doc = {.summary = "Gives a consumer pending entries by id.",
             .complexity = "O(log(N)) an id, N pending entries",
             .since = "5.0.0",
             .group = "stream",
             .args = "key:key#0 group:string consumer:string min-idle-time:string id:string... "
                     "[IDLE=ms:integer] [TIME=unix-time-milliseconds:unix-time] "
                     "[RETRYCOUNT=count:integer] [force!FORCE] [justid!JUSTID] [LASTID=id:string]",
             .tips = "nondeterministic_output"}},
    {.name = "XNACK",
     .arity = at_least(7),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kStream,
     .handler = cmd_xnack,
     .doc = {.summary = "Gives pending entries back: anybody of the group may claim them at once.",
             .complexity = "O(log(N)) an id, N pending entries",
             .since = "8.8.0",
             .group = "stream",
             .args = "key:key#0 group:string mode:<silent!SILENT | fail!FAIL | fatal!FATAL> "
                     "IDS=ids:{numids:integer id:string...} [RETRYCOUNT=count:integer] "
                     "[force!FORCE]"}},
    {.name = "XPENDING",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kStream,
     .handler = cmd_xpending,
     .doc = {.summary = "Tells what is pending of a group, or of one consumer.",
             .complexity = "O(log(N)+M), N pending entries, M looked at; the summary O(consumers)",
             .since = "5.0.0",
             .group = "stream",
             .args = "key:key#0 group:string [filters:{[IDLE=min-idle-time:integer@6.2.0] "
                     "start:string end:string count:integer [consumer:string]}]",
             .tips = "nondeterministic_output"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStreamPendingCommands = kRows;

}  // namespace ouro
