// SPDX-License-Identifier: BSD-3-Clause
// When single members of sets and sorted sets end, and fields of hashes with them: EXPIREMEMBER and
// its kin, and what TTL, PTTL and PERSIST say of a member, as KeyDB has them.
#include "server/commands/member_expire.h"

#include <algorithm>

#include "datastructs/codec/number_text.h"
#include "server/commands/expire_time.h"
#include "server/commands/hash_fields.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// What has members that may end, or null: hashes, sets and sorted sets. The entry is not null.
bool has_members(const Entry& entry) {
  const Type type = entry.type();
  return type == Type::kHash || type == Type::kSet || type == Type::kZSet;
}

// Requires: the member is there.
void set_deadline(Context& ctx, const Key& key, Entry& entry, ByteView member, UnixMs when) {
  switch (entry.type()) {
    case Type::kHash:
      entry.as<Hash>().set_deadline(ctx.heap(), member, when);
      break;
    case Type::kSet:
      entry.as<Set>().set_deadline(ctx.heap(), ctx.db.seed(), member, when);
      break;
    default:
      entry.as<ZSet>().set_deadline(ctx.heap(), ctx.db.seed(), member, when);
  }
  if (when != kNoExpiry) ctx.db.note_element_deadline(key, when);
}

// Requires: the member has just been given a deadline that is past. Nothing else is due in a set or
// sorted set: a look-up has seen to that.
void remove_due(Context& ctx, const Key& key, Entry& entry, ByteView member) {
  if (entry.type() == Type::kHash) {
    ctx.engine.expire_named(ctx.caller.db, key, entry.as<Hash>(), {&member, 1});
  } else {
    ctx.engine.expire_all_elements(ctx.caller.db, key, entry);
  }
}

// `base` is what the number counts from: now, or 0 for a point in time.
Status expire_member(Context& ctx, Unit unit, UnixMs base) {
  OURO_TRY(int64_t when, ctx.integer(3));
  const bool in_range =
      unit == Unit::kMillis || !__builtin_mul_overflow(when, int64_t{1000}, &when);
  if (!in_range || __builtin_add_overflow(when, base, &when) || when > Hash::kDeadlineMax) {
    return fail_expire_time(ctx);
  }
  const Key key = ctx.key(1);
  const ByteView member = ctx.argv[2];
  Entry* entry = ctx.find_to_write(key);
  if (entry != nullptr && !has_members(*entry)) return ctx.fail("ERR object type is unsupported");
  const bool found = entry != nullptr && member_deadline(ctx, *entry, member).has_value();
  ctx.reply.integer(found ? 1 : 0);
  if (!found) return Status::ok();
  // A stored deadline is never negative: any time in the past is as good as another.
  set_deadline(ctx, key, *entry, member, std::max<UnixMs>(when, 0));
  if (ctx.clock_decides() && when <= ctx.now) {
    remove_due(ctx, key, *entry, member);
    return Status::ok();
  }
  ctx.only_ours();
  char text[kInt64TextMax];
  const ByteView time(text, format_int64(when, text));
  if (entry->type() == Type::kHash) {
    fields_changed(ctx, key, "hexpire", 1, [&] { return Argv(&member, 1); });
    ctx.effects.replace({"HPEXPIREAT", key.bytes, time, "FIELDS", "1", member});
  } else {
    ctx.changed(key, Event::kGeneric, "expiremember");
    ctx.effects.replace({"PEXPIREMEMBERAT", key.bytes, member, time});
  }
  return Status::ok();
}

Status cmd_expiremember(Context& ctx) {
  if (ctx.argv.size() > 5) return ctx.fail("ERR Invalid number of arguments");
  Unit unit = Unit::kSeconds;
  if (ctx.argv.size() == 5) {
    if (equals_ignoring_case(ctx.argv[4], "ms")) {
      unit = Unit::kMillis;
    } else if (!equals_ignoring_case(ctx.argv[4], "s")) {
      return ctx.fail("ERR Invalid unit arg");
    }
  }
  return expire_member(ctx, unit, ctx.now);
}

Status cmd_expirememberat(Context& ctx) { return expire_member(ctx, Unit::kSeconds, 0); }
Status cmd_pexpirememberat(Context& ctx) { return expire_member(ctx, Unit::kMillis, 0); }

}  // namespace

std::optional<UnixMs> member_deadline(const Context& ctx, const Entry& entry, ByteView member) {
  switch (entry.type()) {
    case Type::kHash:
      if (const auto item = entry.as<Hash>().find(member, field_clock(ctx))) return item->deadline;
      return std::nullopt;
    case Type::kSet:
      if (!entry.as<Set>().contains(member)) return std::nullopt;
      return entry.as<Set>().deadline(member);
    case Type::kZSet:
      if (!entry.as<ZSet>().score(member)) return std::nullopt;
      return entry.as<ZSet>().deadline(member);
    default:
      return std::nullopt;
  }
}

bool persist_member(Context& ctx, const Key& key, Entry& entry, ByteView member) {
  if (member_deadline(ctx, entry, member).value_or(kNoExpiry) == kNoExpiry) return false;
  set_deadline(ctx, key, entry, member, kNoExpiry);
  if (entry.type() == Type::kHash) {
    fields_changed(ctx, key, "hpersist", 1, [&] { return Argv(&member, 1); });
    ctx.effects.replace({"HPERSIST", key.bytes, "FIELDS", "1", member});
  } else {
    ctx.changed(key, Event::kGeneric, "persist");
  }
  return true;
}

namespace {

constexpr CommandSpec kRows[] = {
    {.name = "EXPIREMEMBER",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kKeyspace,
     .handler = cmd_expiremember,
     .doc = {.summary = "Sets the time to live of a member of a set, sorted set or hash.",
             .complexity = "O(1)",
             .since = "5.1.0",
             .group = "generic",
             .args = "key:key#0 subkey:string delay:integer [unit:<s!S | ms!MS>]"}},
    {.name = "EXPIREMEMBERAT",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kKeyspace,
     .handler = cmd_expirememberat,
     .doc = {.summary = "Sets the Unix time in seconds at which a member expires.",
             .complexity = "O(1)",
             .since = "5.1.0",
             .group = "generic",
             .args = "key:key#0 subkey:string unix-time-seconds:unix-time"}},
    {.name = "PEXPIREMEMBERAT",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kKeyspace,
     .handler = cmd_pexpirememberat,
     .doc = {.summary = "Sets the Unix time in milliseconds at which a member expires.",
             .complexity = "O(1)",
             .since = "5.1.0",
             .group = "generic",
             .args = "key:key#0 subkey:string unix-time-milliseconds:unix-time"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kMemberExpireCommands = kRows;

}  // namespace ouro
