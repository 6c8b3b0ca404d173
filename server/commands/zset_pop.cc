// SPDX-License-Identifier: BSD-3-Clause
// Taking elements from the ends of sorted sets, waiting for one if wanted. The log gets how many
// left which set at which end, as Redis's does.
#include <algorithm>

#include "server/commands/multi_pop.h"
#include "server/commands/stored_result.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"

namespace ouro {
namespace {

// How members and scores are written.
enum class Form : uint8_t { kFlat, kPairs };

// Takes up to `count` elements from one end and writes them. The header stands already. Requires:
// the set is not empty.
void pop(Context& ctx, const Key& key, ZSet& zset, Direction direction, size_t count, Form form) {
  const size_t taken = std::min(count, zset.size());
  const bool lowest = direction == Direction::kAscending;
  ctx.effects.replace({lowest ? "ZPOPMIN" : "ZPOPMAX", key.bytes, std::to_string(taken)});
  zset.pop(ctx.heap(), direction, taken, [&](ByteView member, double score) {
    if (form == Form::kPairs) ctx.reply.array(2);
    ctx.reply.bulk(member);
    ctx.reply.real(score);
  });
  ctx.changed(key, Event::kZSet, lowest ? "zpopmin" : "zpopmax", taken);
  ctx.erase_if_empty(key, zset);
}

// ---- ZPOPMIN, ZPOPMAX

Status pop_from_one(Context& ctx, Direction direction) {
  if (ctx.argv.size() > 3) return Err::kSyntax;
  const bool counted = ctx.argv.size() == 3;
  size_t count = 1;
  if (counted) {
    OURO_TRY(count, positive_count(ctx, 2));
  }
  const Key key = ctx.key(1);
  OURO_TRY(ZSet * zset, ctx.find_as_to_write<ZSet>(key));
  if (zset == nullptr || count == 0) {
    ctx.reply.array(0);
    return Status::ok();
  }
  // Without a count the one element is flat in RESP3 too.
  const Form form = counted && ctx.reply.is_resp3() ? Form::kPairs : Form::kFlat;
  const size_t taken = std::min(count, zset->size());
  ctx.reply.array(form == Form::kPairs ? taken : 2 * taken);
  pop(ctx, key, *zset, direction, taken, form);
  return Status::ok();
}

Status cmd_zpopmin(Context& ctx) { return pop_from_one(ctx, Direction::kAscending); }
Status cmd_zpopmax(Context& ctx) { return pop_from_one(ctx, Direction::kDescending); }

// ---- ZMPOP, BZMPOP: numkeys key... MIN|MAX [COUNT count]

Result<Direction> parse_end(ByteView word) {
  if (equals_ignoring_case(word, "MIN")) return Direction::kAscending;
  if (equals_ignoring_case(word, "MAX")) return Direction::kDescending;
  return Err::kSyntax;
}

void pop_many(Context& ctx, const Key& key, ZSet& zset, const MultiPop<Direction>& request) {
  ctx.reply.array(std::min(request.count, zset.size()));
  pop(ctx, key, zset, request.where, request.count, Form::kPairs);
}

Status cmd_zmpop(Context& ctx) { return multi_pop(ctx, parse_end, pop_many); }
Status cmd_bzmpop(Context& ctx) { return multi_pop_or_wait(ctx, parse_end, pop_many); }

// ---- BZPOPMIN, BZPOPMAX: key... timeout

Status pop_or_wait(Context& ctx, Direction direction) {
  const size_t last = ctx.argv.size() - 1;
  OURO_TRY(const Millis timeout_ms, ctx.timeout(last));
  for (size_t i = 1; i < last; ++i) {
    const Key key = ctx.key(i);
    OURO_TRY(ZSet * zset, ctx.find_awaited<ZSet>(key));
    if (zset == nullptr) continue;
    ctx.reply.array(3);
    ctx.reply.bulk(key.bytes);
    pop(ctx, key, *zset, direction, 1, Form::kFlat);
    return Status::ok();
  }
  return wait_for_any(ctx, ctx.argv.subspan(1, last - 1), timeout_ms);
}

Status cmd_bzpopmin(Context& ctx) { return pop_or_wait(ctx, Direction::kAscending); }
Status cmd_bzpopmax(Context& ctx) { return pop_or_wait(ctx, Direction::kDescending); }

constexpr CommandSpec kRows[] = {
    {.name = "BZMPOP",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kBlocking | Flag::kMovableKeys,
     .keys = {counted_keys(2, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kSortedSet,
     .handler = cmd_bzmpop,
     .doc = {.summary = "Pops members from the first sorted set that has some, or waits.",
             .complexity = "O(K+M*log(N)), K keys looked at, M members popped from N",
             .since = "7.0.0",
             .group = "sorted-set",
             .args = "timeout:double numkeys:integer key:key#0... where:<min!MIN | max!MAX> "
                     "[COUNT=count:integer]"}},
    {.name = "BZPOPMAX",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kNoScript | Flag::kBlocking | Flag::kFast,
     .keys = {key_range(1, -2, 1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kSortedSet,
     .handler = cmd_bzpopmax,
     .doc = {.summary = "Pops the highest member of the first sorted set that has some, or waits.",
             .complexity = "O(log(N)), N members in the sorted set",
             .since = "5.0.0",
             .group = "sorted-set",
             .history = "6.0.0 The timeout may have a fraction.",
             .args = "key:key#0... timeout:double"}},
    {.name = "BZPOPMIN",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kNoScript | Flag::kBlocking | Flag::kFast,
     .keys = {key_range(1, -2, 1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kSortedSet,
     .handler = cmd_bzpopmin,
     .doc = {.summary = "Pops the lowest member of the first sorted set that has some, or waits.",
             .complexity = "O(log(N)), N members in the sorted set",
             .since = "5.0.0",
             .group = "sorted-set",
             .history = "6.0.0 The timeout may have a fraction.",
             .args = "key:key#0... timeout:double"}},
    {.name = "ZMPOP",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kMovableKeys,
     .keys = {counted_keys(1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zmpop,
     .doc = {.summary = "Pops members from the first sorted set that has some.",
             .complexity = "O(K+M*log(N)), K keys looked at, M members popped from N",
             .since = "7.0.0",
             .group = "sorted-set",
             .args =
                 "numkeys:integer key:key#0... where:<min!MIN | max!MAX> [COUNT=count:integer]"}},
    {.name = "ZPOPMAX",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zpopmax,
     .doc = {.summary = "Pops the members with the highest scores.",
             .complexity = "O(M*log(N)), M members popped from N",
             .since = "5.0.0",
             .group = "sorted-set",
             .args = "key:key#0 [count:integer]"}},
    {.name = "ZPOPMIN",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zpopmin,
     .doc = {.summary = "Pops the members with the lowest scores.",
             .complexity = "O(M*log(N)), M members popped from N",
             .since = "5.0.0",
             .group = "sorted-set",
             .args = "key:key#0 [count:integer]"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kZSetPopCommands = kRows;

}  // namespace ouro
