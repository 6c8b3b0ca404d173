// SPDX-License-Identifier: BSD-3-Clause
// Commands on one set: members in, out, asked for, walked and picked at random. Between sets:
// set_algebra.cc.
#include "datastructs/set.h"

#include <algorithm>

#include "server/commands/element_scan.h"
#include "server/commands/elements_effect.h"
#include "server/commands/member_removal.h"
#include "server/commands/random_picks.h"
#include "server/commands/stored_result.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

Status cmd_sadd(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Set * set, ctx.find_or_add<Set>(key));
  uint64_t added = 0;
  for (const ByteView member : ctx.argv.subspan(2)) {
    if (set->add(ctx.heap(), ctx.limits(), ctx.db.seed_of(key), member)) ++added;
  }
  if (added > 0) ctx.changed(key, Event::kSet, "sadd", added);
  ctx.reply.integer(static_cast<int64_t>(added));
  return Status::ok();
}

Status cmd_srem(Context& ctx) { return remove_members<Set>(ctx, Event::kSet, "srem"); }

Status cmd_smove(Context& ctx) {
  const Key from_key = ctx.key(1);
  const Key to_key = ctx.key(2);
  const ByteView member = ctx.argv[3];
  Entry* from_entry = ctx.find_to_write(from_key);
  Entry* to_entry = ctx.find_to_write(to_key);
  if (from_entry == nullptr) {
    // Whatever the destination is: nothing moves.
    ctx.reply.integer(0);
    return Status::ok();
  }
  if (from_entry->kind() != Kind::kSet) return Err::kWrongType;
  if (to_entry != nullptr && to_entry->kind() != Kind::kSet) return Err::kWrongType;
  Set& from = from_entry->as<Set>();
  if (from_entry == to_entry) {
    ctx.reply.integer(from.contains(member) ? 1 : 0);
    return Status::ok();
  }
  if (!from.remove(ctx.heap(), member)) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  ctx.changed(from_key, Event::kSet, "srem");
  ctx.erase_if_empty(from_key, from);
  OURO_TRY(Set * to, ctx.find_or_add<Set>(to_key));
  if (to->add(ctx.heap(), ctx.limits(), ctx.db.seed_of(to_key), member)) {
    ctx.changed(to_key, Event::kSet, "sadd");
  }
  ctx.reply.integer(1);
  return Status::ok();
}

Status cmd_scard(Context& ctx) {
  OURO_TRY(const Set* set, ctx.find_as<Set>(ctx.key(1)));
  ctx.reply.integer(set == nullptr ? 0 : static_cast<int64_t>(set->size()));
  return Status::ok();
}

// With XX: -1 if there is no such key.
[[gnu::noinline]] Status is_member_of_existing(Context& ctx) {
  if (ctx.argv.size() > 4 || !equals_ignoring_case(ctx.argv[3], "XX")) return Err::kSyntax;
  OURO_TRY(const Set* set, ctx.find_as<Set>(ctx.key(1)));
  ctx.reply.integer(set == nullptr ? -1 : set->contains(ctx.argv[2]));
  return Status::ok();
}

Status cmd_sismember(Context& ctx) {
  if (ctx.argv.size() > 3) [[unlikely]]
    return is_member_of_existing(ctx);
  OURO_TRY(const Set* set, ctx.find_as<Set>(ctx.key(1)));
  ctx.reply.integer(set != nullptr && set->contains(ctx.argv[2]) ? 1 : 0);
  return Status::ok();
}

Status cmd_smismember(Context& ctx) {
  OURO_TRY(const Set* set, ctx.find_as<Set>(ctx.key(1)));
  const Argv members = ctx.argv.subspan(2);
  ctx.reply.array(members.size());
  for (const ByteView member : members) {
    ctx.reply.integer(set != nullptr && set->contains(member) ? 1 : 0);
  }
  return Status::ok();
}

void reply_members(Reply& reply, const Set& set) {
  set.for_each([&reply](ByteView member) { reply.bulk(member); });
}

Status cmd_smembers(Context& ctx) {
  OURO_TRY(const Set* set, ctx.find_as<Set>(ctx.key(1)));
  ctx.reply.set(set == nullptr ? 0 : set->size());
  if (set != nullptr) reply_members(ctx.reply, *set);
  return Status::ok();
}

Status cmd_sscan(Context& ctx) {
  ElementScan scan;
  OURO_TRY(const Set* set, find_to_scan<Set>(ctx, scan));
  if (set == nullptr) return Status::ok();
  reply_scan(ctx.reply, *set, scan, [&](ByteView member) -> size_t {
    if (!scan.matches(member)) return 0;
    ctx.reply.bulk(member);
    return 1;
  });
  return Status::ok();
}

// ---- at random

// SPOP key: one member, or null.
Status pop_one(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Set * set, ctx.find_as_to_write<Set>(key));
  if (set == nullptr) {
    ctx.reply.null();
    return Status::ok();
  }
  set->pop_random(ctx.heap(), ctx.prng(), 1, [&ctx, &key](ByteView member) {
    ctx.reply.bulk(member);
    if (ctx.effects.wanted()) ctx.effects.replace({"SREM", key.bytes, member});
  });
  ctx.changed(key, Event::kSet, "spop");
  ctx.erase_if_empty(key, *set);
  return Status::ok();
}

// SPOP key count: that many members, as a set.
Status pop_many(Context& ctx) {
  OURO_TRY(const size_t count, positive_count(ctx, 2));
  const Key key = ctx.key(1);
  OURO_TRY(Set * set, ctx.find_as_to_write<Set>(key));
  if (set == nullptr || count == 0) {
    ctx.reply.set(0);
    return Status::ok();
  }
  const size_t size = set->size();
  if (count >= size) {
    // Redis looks the set up once more then, to read it.
    ++ctx.engine.stats.keyspace_hits;
    ctx.reply.set(size);
    reply_members(ctx.reply, *set);
    if (ctx.effects.wanted()) ctx.effects.replace({"DEL", key.bytes});
    ctx.changed(key, Event::kSet, "spop", size);
    ctx.erase(key);
    return Status::ok();
  }
  ctx.reply.set(count);
  ElementsEffect effect(ctx, "SREM", key.bytes);
  set->pop_random(ctx.heap(), ctx.prng(), count, [&](ByteView member) {
    ctx.reply.bulk(member);
    effect.add({member});
  });
  ctx.changed(key, Event::kSet, "spop", count);
  return Status::ok();
}

Status cmd_spop(Context& ctx) {
  if (ctx.argv.size() == 2) return pop_one(ctx);
  if (ctx.argv.size() == 3) return pop_many(ctx);
  return Err::kSyntax;
}

// The same member may come again.
Status reply_repeated(Context& ctx, const Set& set, uint64_t count) {
  IntText text;
  OURO_TRY(check_repeated(ctx, count, set.memory_bytes(), [&](Prng& dice) {
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < count; ++i) bytes += set.random(dice, text).size();
    return bytes;
  }));
  ctx.reply.array(count);
  for (uint64_t i = 0; i < count; ++i) ctx.reply.bulk(set.random(ctx.prng(), text));
  return Status::ok();
}

Status reply_distinct(Context& ctx, const Set& set, uint64_t count) {
  const size_t taken = std::min<uint64_t>(count, set.size());
  ctx.reply.array(taken);
  IntText text;
  pick_distinct(
      ctx, set, taken, [&](auto take) { take(set.random(ctx.prng(), text)); },
      [&](ByteView member) { ctx.reply.bulk(member); });
  return Status::ok();
}

Status cmd_srandmember(Context& ctx) {
  if (ctx.argv.size() > 3) return Err::kSyntax;
  IntText text;
  if (ctx.argv.size() == 2) {
    OURO_TRY(const Set* set, ctx.find_as<Set>(ctx.key(1)));
    set == nullptr ? ctx.reply.null() : ctx.reply.bulk(set->random(ctx.prng(), text));
    return Status::ok();
  }
  OURO_TRY(const int64_t count, random_count(ctx, 2));
  OURO_TRY(const Set* set, ctx.find_as<Set>(ctx.key(1)));
  if (set == nullptr) {
    ctx.reply.array(0);
    return Status::ok();
  }
  return count < 0 ? reply_repeated(ctx, *set, static_cast<uint64_t>(-count))
                   : reply_distinct(ctx, *set, static_cast<uint64_t>(count));
}

constexpr CommandSpec kRows[] = {
    {.name = "SADD",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .acl = Acl::kSet,
     .handler = cmd_sadd,
     .doc = {.summary = "Adds members to a set and returns how many are new.",
             .complexity = "O(N), N members named",
             .since = "1.0.0",
             .group = "set",
             .history = "2.4.0 Takes several elements.",
             .args = "key:key#0 member:string..."}},
    {.name = "SCARD",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .acl = Acl::kSet,
     .handler = cmd_scard,
     .doc = {.summary = "Returns how many members a set has.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "set",
             .args = "key:key#0"}},
    {.name = "SISMEMBER",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .acl = Acl::kSet,
     .handler = cmd_sismember,
     .doc = {.summary = "Tells whether a set has a member.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "set",
             .args = "key:key#0 member:string [xx!XX@9.2.0]"}},
    {.name = "SMEMBERS",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_smembers,
     .doc = {.summary = "Returns all members of a set.",
             .complexity = "O(N), N members in the set",
             .since = "1.0.0",
             .group = "set",
             .args = "key:key#0",
             .tips = "nondeterministic_output_order"}},
    {.name = "SMISMEMBER",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_smismember,
     .doc = {.summary = "Tells for several members whether a set has them.",
             .complexity = "O(N), N members asked for",
             .since = "6.2.0",
             .group = "set",
             .args = "key:key#0 member:string..."}},
    {.name = "SMOVE",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete), one_key(2, kReadWrite | kInsert)},
     .acl = Acl::kSet,
     .handler = cmd_smove,
     .doc = {.summary = "Moves a member from one set to another.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "set",
             .args = "source:key#0 destination:key#1 member:string"}},
    {.name = "SPOP",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kSet,
     .handler = cmd_spop,
     .doc = {.summary = "Removes members picked at random and returns them.",
             .complexity = "O(N), N members returned",
             .since = "1.0.0",
             .group = "set",
             .args = "key:key#0 [count:integer@3.2.0]",
             .tips = "nondeterministic_output"}},
    {.name = "SRANDMEMBER",
     .arity = at_least(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_srandmember,
     .doc = {.summary = "Returns members picked at random.",
             .complexity = "O(N), N members returned",
             .since = "1.0.0",
             .group = "set",
             .args = "key:key#0 [count:integer@2.6.0]",
             .tips = "nondeterministic_output"}},
    {.name = "SREM",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kSet,
     .handler = cmd_srem,
     .doc = {.summary = "Removes members of a set.",
             .complexity = "O(N), N members named",
             .since = "1.0.0",
             .group = "set",
             .history = "2.4.0 Takes several elements.",
             .args = "key:key#0 member:string..."}},
    {.name = "SSCAN",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_sscan,
     .doc = {.summary = "Walks the members of a set a few at a time.",
             .complexity = "O(1) a call, O(N) for a whole walk over N members",
             .since = "2.8.0",
             .group = "set",
             .args = "key:key#0 cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer]",
             .tips = "nondeterministic_output"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kSetCommands = kRows;

}  // namespace ouro
