// SPDX-License-Identifier: BSD-3-Clause
// Commands on the elements of one sorted set by member: added, scored, ranked, removed, walked and
// picked at random. Stretches: zset_range.cc; the ends: zset_pop.cc; several sets: zset_store.cc.
#include "datastructs/zset.h"

#include <algorithm>

#include "server/commands/element_scan.h"
#include "server/commands/element_writer.h"
#include "server/commands/help.h"
#include "server/commands/member_removal.h"
#include "server/commands/random_picks.h"
#include "server/commands/tables.h"
#include "server/commands/zset_add.h"
#include "server/engine/context.h"

namespace ouro {
namespace {

// ZADD's options; `first_pair` will be the argument index of the first score.
Result<ZAddOptions> parse_zadd(Context& ctx, size_t& first_pair) {
  ZAddOptions options;
  ZAddRule& rule = options.rule;
  ArgParser args(ctx.argv, 2);
  for (;;) {
    if (args.word("NX")) {
      rule.only_new = true;
    } else if (args.word("XX")) {
      rule.only_existing = true;
    } else if (args.word("GT")) {
      rule.only_greater = true;
    } else if (args.word("LT")) {
      rule.only_less = true;
    } else if (args.word("CH")) {
      options.count_changes = true;
    } else if (args.word("INCR")) {
      rule.increment = true;
    } else {
      break;
    }
  }
  if (args.left() == 0 || args.left() % 2 != 0) return Err::kSyntax;
  if (rule.only_new && rule.only_existing) {
    return ctx.fail("ERR XX and NX options at the same time are not compatible");
  }
  if (rule.only_new + rule.only_greater + rule.only_less > 1) {
    return ctx.fail("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  if (rule.increment && args.left() > 2) {
    return ctx.fail("ERR INCR option supports a single increment-element pair");
  }
  first_pair = args.position();
  return options;
}

// Adds the pairs of score and member. All scores are read before anything changes.
Status add_pairs(Context& ctx, const ZAddOptions& options, size_t first_pair) {
  const Argv pairs = ctx.argv.subspan(first_pair);
  for (size_t i = 0; i < pairs.size(); i += 2) OURO_TRY(parse_real(pairs[i]));
  return add_elements(ctx, options, pairs.size() / 2, [pairs](size_t i) -> ScoredView {
    return {.member = pairs[2 * i + 1], .score = *parse_real(pairs[2 * i])};
  });
}

Status cmd_zadd(Context& ctx) {
  size_t first_pair = 0;
  OURO_TRY(const ZAddOptions options, parse_zadd(ctx, first_pair));
  return add_pairs(ctx, options, first_pair);
}

Status cmd_zincrby(Context& ctx) {
  size_t first_pair = 0;
  // A word that is an option of ZADD is a syntax error here, as in Redis.
  OURO_TRY(ZAddOptions options, parse_zadd(ctx, first_pair));
  options.rule.increment = true;
  return add_pairs(ctx, options, first_pair);
}

Status cmd_zrem(Context& ctx) { return remove_members<ZSet>(ctx, Event::kZSet, "zrem"); }

Status cmd_zcard(Context& ctx) {
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(1)));
  ctx.reply.integer(zset == nullptr ? 0 : static_cast<int64_t>(zset->size()));
  return Status::ok();
}

void reply_score(Reply& reply, const ZSet* zset, ByteView member) {
  const auto score = zset == nullptr ? std::nullopt : zset->score(member);
  score ? reply.real(*score) : reply.null();
}

Status cmd_zscore(Context& ctx) {
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(1)));
  reply_score(ctx.reply, zset, ctx.argv[2]);
  return Status::ok();
}

Status cmd_zmscore(Context& ctx) {
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(1)));
  const Argv members = ctx.argv.subspan(2);
  ctx.reply.array(members.size());
  for (const ByteView member : members) reply_score(ctx.reply, zset, member);
  return Status::ok();
}

// ZRANK key member [WITHSCORE]
Status reply_rank(Context& ctx, Direction direction) {
  if (ctx.argv.size() > 4) return wrong_arity(ctx);
  const bool with_score = ctx.argv.size() == 4;
  if (with_score && !equals_ignoring_case(ctx.argv[3], "WITHSCORE")) return Err::kSyntax;
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(1)));
  const auto rank = zset == nullptr ? std::nullopt : zset->rank(ctx.argv[2]);
  if (!rank) {
    with_score ? ctx.reply.null_array() : ctx.reply.null();
    return Status::ok();
  }
  const size_t place = direction == Direction::kAscending ? *rank : zset->size() - 1 - *rank;
  if (with_score) ctx.reply.array(2);
  ctx.reply.integer(static_cast<int64_t>(place));
  if (with_score) ctx.reply.real(zset->at(*rank).score);
  return Status::ok();
}

Status cmd_zrank(Context& ctx) { return reply_rank(ctx, Direction::kAscending); }
Status cmd_zrevrank(Context& ctx) { return reply_rank(ctx, Direction::kDescending); }

// Redis shows the scores of a small set as it stores them: integral ones as integers, however
// large.
size_t format_scanned_score(double score, bool is_small, char* out) {
  constexpr double kIntegralMax = 0x1p62;
  if (is_small && score > -kIntegralMax && score < kIntegralMax) {
    const auto integral = static_cast<int64_t>(score);
    if (static_cast<double>(integral) == score) return format_int64(integral, out);
  }
  return format_double(score, out);
}

Status cmd_zscan(Context& ctx) {
  ElementScan scan;
  OURO_TRY(const ZSet* zset, find_to_scan<ZSet>(ctx, scan, "NOSCORES"));
  if (zset == nullptr) return Status::ok();
  const bool is_small = zset->encoding() == "listpack";
  reply_scan(ctx.reply, *zset, scan, [&](ByteView member, double score) -> size_t {
    if (!scan.matches(member)) return 0;
    ctx.reply.bulk(member);
    if (scan.names_only) return 1;
    char text[kDoubleTextMax];
    // A bulk in RESP3 too.
    ctx.reply.bulk({text, format_scanned_score(score, is_small, text)});
    return 2;
  });
  return Status::ok();
}

// ---- at random

// The same element may come again.
Status reply_repeated(Context& ctx, const ZSet& zset, uint64_t count, ElementWriter& writer) {
  OURO_TRY(check_repeated(ctx, count, zset.memory_bytes(), [&](Prng& dice) {
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < count; ++i) bytes += zset.random(dice).member.size();
    return bytes;
  }));
  writer.begin(count);
  for (uint64_t i = 0; i < count; ++i) {
    const ScoredView element = zset.random(ctx.prng());
    writer.put(element.member, element.score);
  }
  return Status::ok();
}

Status reply_distinct(Context& ctx, const ZSet& zset, uint64_t count, ElementWriter& writer) {
  const size_t taken = std::min<uint64_t>(count, zset.size());
  const auto draw = [&](auto take) {
    const ScoredView element = zset.random(ctx.prng());
    take(element.member, element.score);
  };
  writer.begin(taken);
  pick_distinct(ctx, zset, taken, draw,
                [&](ByteView member, double score) { writer.put(member, score); });
  return Status::ok();
}

Status cmd_zrandmember(Context& ctx) {
  if (ctx.argv.size() == 2) {
    OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(1)));
    zset == nullptr ? ctx.reply.null() : ctx.reply.bulk(zset->random(ctx.prng()).member);
    return Status::ok();
  }
  OURO_TRY(const PairPicks picks, parse_pair_picks(ctx, "WITHSCORES"));
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(1)));
  ElementWriter writer(ctx.reply, picks.with_second);
  if (zset == nullptr) {
    writer.begin(0);
    return Status::ok();
  }
  return picks.count < 0 ? reply_repeated(ctx, *zset, static_cast<uint64_t>(-picks.count), writer)
                         : reply_distinct(ctx, *zset, static_cast<uint64_t>(picks.count), writer);
}

constexpr CommandSpec kRows[] = {
    {.name = "ZADD",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zadd,
     .doc = {.summary = "Adds members with scores, or changes their scores.",
             .complexity = "O(log(N)) a member, N members in the sorted set",
             .since = "1.2.0",
             .group = "sorted-set",
             .history = "2.4.0 Takes several elements.",
             .args = "key:key#0 [condition:<nx!NX | xx!XX>@3.0.2] [comparison:<gt!GT | "
                     "lt!LT>@6.2.0] [change!CH@3.0.2] [increment!INCR@3.0.2] "
                     "score_member:{score:double member:string}..."}},
    {.name = "ZCARD",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zcard,
     .doc = {.summary = "Returns how many members a sorted set has.",
             .complexity = "O(1)",
             .since = "1.2.0",
             .group = "sorted-set",
             .args = "key:key#0"}},
    {.name = "ZINCRBY",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zincrby,
     .doc = {.summary = "Adds a given amount to the score of a member.",
             .complexity = "O(log(N)), N members in the sorted set",
             .since = "1.2.0",
             .group = "sorted-set",
             .args = "key:key#0 increment:integer member:string"}},
    {.name = "ZMSCORE",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zmscore,
     .doc = {.summary = "Returns the scores of several members, null for each missing one.",
             .complexity = "O(N), N members asked for",
             .since = "6.2.0",
             .group = "sorted-set",
             .args = "key:key#0 member:string..."}},
    {.name = "ZRANDMEMBER",
     .arity = at_least(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrandmember,
     .doc = {.summary = "Returns members picked at random.",
             .complexity = "O(N), N members returned",
             .since = "6.2.0",
             .group = "sorted-set",
             .args = "key:key#0 [options:{count:integer [withscores!WITHSCORES]}]",
             .tips = "nondeterministic_output"}},
    {.name = "ZRANK",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrank,
     .doc = {.summary = "Returns the rank of a member, counted from the lowest score.",
             .complexity = "O(log(N)), N members in the sorted set",
             .since = "2.0.0",
             .group = "sorted-set",
             .args = "key:key#0 member:string [withscore!WITHSCORE@7.2.0]"}},
    {.name = "ZREM",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrem,
     .doc = {.summary = "Removes members of a sorted set.",
             .complexity = "O(M*log(N)), M members removed from N",
             .since = "1.2.0",
             .group = "sorted-set",
             .history = "2.4.0 Takes several elements.",
             .args = "key:key#0 member:string..."}},
    {.name = "ZREVRANK",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrevrank,
     .doc = {.summary = "Returns the rank of a member, counted from the highest score.",
             .complexity = "O(log(N)), N members in the sorted set",
             .since = "2.0.0",
             .group = "sorted-set",
             .args = "key:key#0 member:string [withscore!WITHSCORE@7.2.0]"}},
    {.name = "ZSCAN",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zscan,
     .doc = {.summary = "Walks the members of a sorted set a few at a time, with their scores.",
             .complexity = "O(1) a call, O(N) for a whole walk over N members",
             .since = "2.8.0",
             .group = "sorted-set",
             .args = "key:key#0 cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer] "
                     "[noscores!NOSCORES@8.0.0]",
             .tips = "nondeterministic_output"}},
    {.name = "ZSCORE",
     .arity = exactly(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zscore,
     .doc = {.summary = "Returns the score of a member.",
             .complexity = "O(1)",
             .since = "1.2.0",
             .group = "sorted-set",
             .args = "key:key#0 member:string"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

Status add_elements(Context& ctx, const ZAddOptions& options, size_t count,
                    FunctionRef<ScoredView(size_t)> element) {
  using Outcome = ZAddResult::Outcome;
  const ZAddRule& rule = options.rule;
  const Key key = ctx.key(1);
  OURO_TRY(ZSet * zset,
           rule.only_existing ? ctx.find_as_to_write<ZSet>(key) : ctx.find_or_add<ZSet>(key));
  if (zset == nullptr) {
    rule.increment ? ctx.reply.null() : ctx.reply.integer(0);
    return Status::ok();
  }
  uint64_t added = 0;
  uint64_t updated = 0;
  ZAddResult result{};
  for (size_t i = 0; i < count; ++i) {
    const ScoredView one = element(i);
    result = zset->add(ctx.heap(), ctx.limits(), ctx.db.seed_of(key), one.member, one.score, rule);
    added += result.outcome == Outcome::kAdded;
    updated += result.outcome == Outcome::kUpdated;
  }
  // Only an increment can end so, and it comes alone: nothing has changed.
  if (result.outcome == Outcome::kNotANumber) {
    return ctx.fail("ERR resulting score is not a number (NaN)");
  }
  if (added + updated > 0) {
    ctx.changed(key, Event::kZSet, rule.increment ? "zincr" : "zadd", added + updated);
  }
  if (!rule.increment) {
    ctx.reply.integer(static_cast<int64_t>(options.count_changes ? added + updated : added));
  } else if (result.outcome == Outcome::kRefused) {
    ctx.reply.null();
  } else {
    ctx.reply.real(result.score);
  }
  return Status::ok();
}

constinit const std::span<const CommandSpec> kZSetCommands = kRows;

}  // namespace ouro
