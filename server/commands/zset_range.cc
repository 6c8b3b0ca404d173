// SPDX-License-Identifier: BSD-3-Clause
// Commands on stretches of a sorted set, by rank, by score or by member: ZRANGE and its older
// names, counting, removing, storing. All of them turn their arguments into a RankRange; what
// follows is the same for each.
#include "datastructs/zset_range.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "datastructs/codec/number_text.h"
#include "server/commands/element_writer.h"
#include "server/commands/stored_result.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"

namespace ouro {
namespace {

// ---- bounds

// Rarely needed: what strtod takes beyond numbers that can be scores. Nothing at all is 0, blanks
// may stand in front, what is out of range is infinite or zero.
std::optional<double> parse_odd_bound(ByteView text) {
  char copy[512];
  if (text.size() >= sizeof(copy)) return std::nullopt;
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  char* end = nullptr;
  const double value = std::strtod(copy, &end);
  if (end != copy + text.size() || std::isnan(value)) return std::nullopt;
  return value;
}

// "5" or "(5".
bool parse_score_bound(ByteView text, double& value, bool& without) {
  without = text.starts_with('(');
  if (without) text.remove_prefix(1);
  auto parsed = parse_double(text);
  if (!parsed) [[unlikely]] {
    parsed = parse_odd_bound(text);
  }
  if (!parsed) return false;
  value = *parsed;
  return true;
}

bool parse_lex_bound(ByteView text, LexBound& bound) {
  using Kind = LexBound::Kind;
  if (text == "-" || text == "+") {
    bound = {text == "-" ? Kind::kLowest : Kind::kHighest};
    return true;
  }
  if (!text.starts_with('[') && !text.starts_with('(')) return false;
  bound = {text[0] == '[' ? Kind::kWith : Kind::kWithout, text.substr(1)};
  return true;
}

enum class By : uint8_t { kRank, kScore, kLex };

// Two bounds of one kind.
struct Bounds {
  By by = By::kRank;
  int64_t start = 0;
  int64_t stop = 0;
  ScoreRange scores = {};
  LexRange members = {};

  RankRange ranks(const ZSet& zset, Direction direction) const {
    switch (by) {
      case By::kRank:
        return RankRange::from_indexes(start, stop, zset.size(), direction);
      case By::kScore:
        return zset.ranks(scores);
      case By::kLex:
        return zset.ranks(members);
    }
    OURO_UNREACHABLE();
  }
};

Result<Bounds> parse_bounds(Context& ctx, By by, size_t min, size_t max) {
  Bounds bounds{.by = by};
  const Argv argv = ctx.argv;
  switch (by) {
    case By::kRank: {
      OURO_TRY(bounds.start, ctx.integer(min));
      OURO_TRY(bounds.stop, ctx.integer(max));
      break;
    }
    case By::kScore: {
      ScoreRange& scores = bounds.scores;
      if (!parse_score_bound(argv[min], scores.min, scores.without_min) ||
          !parse_score_bound(argv[max], scores.max, scores.without_max)) {
        return ctx.fail("ERR min or max is not a float");
      }
      break;
    }
    case By::kLex:
      if (!parse_lex_bound(argv[min], bounds.members.min) ||
          !parse_lex_bound(argv[max], bounds.members.max)) {
        return ctx.fail("ERR min or max not valid string range item");
      }
  }
  return bounds;
}

// ---- ZRANGE

// What a command's name settles already.
struct RangeForm {
  std::optional<By> by = {};
  std::optional<Direction> direction = {};
  size_t key = 1;  // argument index; the bounds follow
  bool store = false;
};

struct RangeRequest {
  Bounds bounds;
  Direction direction = Direction::kAscending;
  bool with_scores = false;
  bool key_must_exist = false;  // else the answer is null
  int64_t offset = 0;
  int64_t limit = -1;  // none

  RankRange ranks(const ZSet& zset) const {
    const RankRange all = bounds.ranks(zset, direction);
    if (bounds.by == By::kRank) return all;
    // Nothing stands ahead of where the direction starts.
    if (offset < 0) return {};
    const size_t count = limit < 0 ? all.size() : static_cast<size_t>(limit);
    return all.window(direction, static_cast<size_t>(offset), count);
  }
};

Result<RangeRequest> parse_range(Context& ctx, RangeForm form) {
  RangeRequest request;
  ArgParser args(ctx.argv, form.key + 3);
  while (args.more()) {
    if (!form.store && args.word("WITHSCORES")) {
      request.with_scores = true;
    } else if (args.left() >= 3 && args.word("LIMIT")) {
      request.offset = args.integer();
      request.limit = args.integer();
    } else if (!form.direction && args.word("REV")) {
      form.direction = Direction::kDescending;
    } else if (!form.by && args.word("BYLEX")) {
      form.by = By::kLex;
    } else if (!form.by && args.word("BYSCORE")) {
      form.by = By::kScore;
    } else if (!form.store && args.word("XX")) {
      request.key_must_exist = true;
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  request.direction = form.direction.value_or(Direction::kAscending);
  const By by = form.by.value_or(By::kRank);
  if (by == By::kRank && request.limit != -1) {
    return ctx.fail(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  }
  if (by == By::kLex && request.with_scores) {
    return ctx.fail("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  }
  // From the high end the higher bound is named first.
  const bool swapped = by != By::kRank && request.direction == Direction::kDescending;
  const size_t min = form.key + (swapped ? 2 : 1);
  const size_t max = form.key + (swapped ? 1 : 2);
  OURO_TRY(request.bounds, parse_bounds(ctx, by, min, max));
  return request;
}

Status reply_range(Context& ctx, const RangeForm& form) {
  OURO_TRY(const RangeRequest request, parse_range(ctx, form));
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(form.key)));
  if (zset == nullptr && request.key_must_exist) {
    ctx.reply.null_array();
    return Status::ok();
  }
  ElementWriter writer(ctx.reply, request.with_scores);
  const RankRange range = zset == nullptr ? RankRange{} : request.ranks(*zset);
  writer.begin(range.size());
  if (range.empty()) return Status::ok();
  zset->for_each(range, request.direction,
                 [&writer](ByteView member, double score) { writer.put(member, score); });
  return Status::ok();
}

Status cmd_zrange(Context& ctx) { return reply_range(ctx, {}); }
Status cmd_zrangebylex(Context& ctx) {
  return reply_range(ctx, {.by = By::kLex, .direction = Direction::kAscending});
}
Status cmd_zrangebyscore(Context& ctx) {
  return reply_range(ctx, {.by = By::kScore, .direction = Direction::kAscending});
}
Status cmd_zrevrange(Context& ctx) {
  return reply_range(ctx, {.by = By::kRank, .direction = Direction::kDescending});
}
Status cmd_zrevrangebylex(Context& ctx) {
  return reply_range(ctx, {.by = By::kLex, .direction = Direction::kDescending});
}
Status cmd_zrevrangebyscore(Context& ctx) {
  return reply_range(ctx, {.by = By::kScore, .direction = Direction::kDescending});
}

Status cmd_zrangestore(Context& ctx) {
  OURO_TRY(const RangeRequest request, parse_range(ctx, {.key = 2, .store = true}));
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(2)));
  ZSet made;
  if (zset != nullptr) {
    const RankRange range = request.ranks(*zset);
    // Redis begins with a large set if it knows beforehand that the result will be one, and only
    // such a set keeps the sign of a zero.
    const bool surely_large =
        request.bounds.by == By::kRank && range.size() > ctx.limits().zset_packed_entries;
    zset->for_each(range, request.direction, [&](ByteView member, double score) {
      made.add(ctx.heap(), ctx.limits(), ctx.db.seed(), member, score,
               {.zero_signs = surely_large});
    });
  }
  store_result(ctx, ctx.key(1), made, Event::kZSet, "zrangestore");
  return Status::ok();
}

// ---- counting and removing

Status count_range(Context& ctx, By by) {
  OURO_TRY(const Bounds bounds, parse_bounds(ctx, by, 2, 3));
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(1)));
  const RankRange range =
      zset == nullptr ? RankRange{} : bounds.ranks(*zset, Direction::kAscending);
  ctx.reply.integer(static_cast<int64_t>(range.size()));
  return Status::ok();
}

Status cmd_zcount(Context& ctx) { return count_range(ctx, By::kScore); }
Status cmd_zlexcount(Context& ctx) { return count_range(ctx, By::kLex); }

Status remove_range(Context& ctx, By by, ByteView event) {
  OURO_TRY(const Bounds bounds, parse_bounds(ctx, by, 2, 3));
  const Key key = ctx.key(1);
  OURO_TRY(ZSet * zset, ctx.find_as_to_write<ZSet>(key));
  const RankRange range =
      zset == nullptr ? RankRange{} : bounds.ranks(*zset, Direction::kAscending);
  if (!range.empty()) {
    zset->remove_ranks(ctx.heap(), range);
    ctx.changed(key, Event::kZSet, event, range.size());
    ctx.erase_if_empty(key, *zset);
  }
  ctx.reply.integer(static_cast<int64_t>(range.size()));
  return Status::ok();
}

Status cmd_zremrangebylex(Context& ctx) { return remove_range(ctx, By::kLex, "zremrangebylex"); }
Status cmd_zremrangebyrank(Context& ctx) { return remove_range(ctx, By::kRank, "zremrangebyrank"); }
Status cmd_zremrangebyscore(Context& ctx) {
  return remove_range(ctx, By::kScore, "zremrangebyscore");
}

constexpr CommandSpec kRows[] = {
    {.name = "ZCOUNT",
     .arity = exactly(4),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zcount,
     .doc = {.summary = "Counts the members within a range of scores.",
             .complexity = "O(log(N)), N members in the sorted set",
             .since = "2.0.0",
             .group = "sorted-set",
             .args = "key:key#0 min:double max:double"}},
    {.name = "ZLEXCOUNT",
     .arity = exactly(4),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zlexcount,
     .doc = {.summary = "Counts the members within a range of names, when all scores are equal.",
             .complexity = "O(log(N)), N members in the sorted set",
             .since = "2.8.9",
             .group = "sorted-set",
             .args = "key:key#0 min:string max:string"}},
    {.name = "ZRANGE",
     .arity = at_least(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrange,
     .doc = {.summary = "Returns the members within a range of ranks, scores or names.",
             .complexity = "O(log(N)+M), N members in the sorted set, M returned",
             .since = "1.2.0",
             .group = "sorted-set",
             .args = "key:key#0 start:string stop:string [sortby:<byscore!BYSCORE | "
                     "bylex!BYLEX>@6.2.0] [rev!REV@6.2.0] [LIMIT=offset_count:{offset:integer "
                     "count:integer}@6.2.0] [withscores!WITHSCORES] [xx!XX@9.2.0]"}},
    {.name = "ZRANGEBYLEX",
     .arity = at_least(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrangebylex,
     .doc =
         {.summary = "Returns the members within a range of names, when all scores are equal.",
          .complexity = "O(log(N)+M), N members in the sorted set, M returned",
          .since = "2.8.9",
          .group = "sorted-set",
          .args =
              "key:key#0 min:string max:string [LIMIT=offset_count:{offset:integer count:integer}] "
              "[xx!XX@9.2.0]",
          .deprecated_since = "6.2.0",
          .replaced_by = "`ZRANGE` with the `BYLEX` argument"}},
    {.name = "ZRANGEBYSCORE",
     .arity = at_least(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrangebyscore,
     .doc = {.summary = "Returns the members within a range of scores.",
             .complexity = "O(log(N)+M), N members in the sorted set, M returned",
             .since = "1.0.5",
             .group = "sorted-set",
             .args = "key:key#0 min:double max:double [withscores!WITHSCORES@2.0.0] "
                     "[LIMIT=offset_count:{offset:integer count:integer}] [xx!XX@9.2.0]",
             .deprecated_since = "6.2.0",
             .replaced_by = "`ZRANGE` with the `BYSCORE` argument"}},
    {.name = "ZRANGESTORE",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kOverwrite | kUpdate), one_key(2, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrangestore,
     .doc = {.summary = "Stores a range of a sorted set at another key.",
             .complexity = "O(log(N)+M), N members in the sorted set, M stored",
             .since = "6.2.0",
             .group = "sorted-set",
             .args =
                 "dst:key#0 src:key#1 min:string max:string [sortby:<byscore!BYSCORE | "
                 "bylex!BYLEX>] [rev!REV] [LIMIT=offset_count:{offset:integer count:integer}]"}},
    {.name = "ZREMRANGEBYLEX",
     .arity = exactly(4),
     .flags = Flag::kWrite,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zremrangebylex,
     .doc = {.summary = "Removes the members within a range of names, when all scores are equal.",
             .complexity = "O(log(N)+M), N members in the sorted set, M removed",
             .since = "2.8.9",
             .group = "sorted-set",
             .args = "key:key#0 min:string max:string"}},
    {.name = "ZREMRANGEBYRANK",
     .arity = exactly(4),
     .flags = Flag::kWrite,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zremrangebyrank,
     .doc = {.summary = "Removes the members within a range of ranks.",
             .complexity = "O(log(N)+M), N members in the sorted set, M removed",
             .since = "2.0.0",
             .group = "sorted-set",
             .args = "key:key#0 start:integer stop:integer"}},
    {.name = "ZREMRANGEBYSCORE",
     .arity = exactly(4),
     .flags = Flag::kWrite,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zremrangebyscore,
     .doc = {.summary = "Removes the members within a range of scores.",
             .complexity = "O(log(N)+M), N members in the sorted set, M removed",
             .since = "1.2.0",
             .group = "sorted-set",
             .args = "key:key#0 min:double max:double"}},
    {.name = "ZREVRANGE",
     .arity = at_least(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrevrange,
     .doc = {.summary = "Returns the members within a range of ranks, highest score first.",
             .complexity = "O(log(N)+M), N members in the sorted set, M returned",
             .since = "1.2.0",
             .group = "sorted-set",
             .args = "key:key#0 start:integer stop:integer [withscores!WITHSCORES] [xx!XX@9.2.0]",
             .deprecated_since = "6.2.0",
             .replaced_by = "`ZRANGE` with the `REV` argument"}},
    {.name = "ZREVRANGEBYLEX",
     .arity = at_least(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrevrangebylex,
     .doc =
         {.summary = "Returns the members within a range of names, from the last to the first.",
          .complexity = "O(log(N)+M), N members in the sorted set, M returned",
          .since = "2.8.9",
          .group = "sorted-set",
          .args =
              "key:key#0 max:string min:string [LIMIT=offset_count:{offset:integer count:integer}] "
              "[xx!XX@9.2.0]",
          .deprecated_since = "6.2.0",
          .replaced_by = "`ZRANGE` with the `REV` and `BYLEX` arguments"}},
    {.name = "ZREVRANGEBYSCORE",
     .arity = at_least(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zrevrangebyscore,
     .doc = {.summary = "Returns the members within a range of scores, highest first.",
             .complexity = "O(log(N)+M), N members in the sorted set, M returned",
             .since = "2.2.0",
             .group = "sorted-set",
             .history = "2.1.6 The ends may be excluded.",
             .args = "key:key#0 max:double min:double [withscores!WITHSCORES] "
                     "[LIMIT=offset_count:{offset:integer count:integer}] [xx!XX@9.2.0]",
             .deprecated_since = "6.2.0",
             .replaced_by = "`ZRANGE` with the `REV` and `BYSCORE` arguments"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kZSetRangeCommands = kRows;

}  // namespace ouro
