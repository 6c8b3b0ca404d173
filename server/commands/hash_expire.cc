// SPDX-License-Identifier: BSD-3-Clause
// When fields of hashes end: setting, asking and clearing their deadlines, as Redis 7.4 does.
//
// All of these answer an array, one number for each field named:
//   -2 no such field                 1 done
//   -1 no deadline                   2 the time is past: removed
//    0 the condition is not met

#include "datastructs/hash.h"
#include "server/commands/expire_time.h"
#include "server/commands/hash_fields.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

constexpr int64_t kNoField = -2;
constexpr int64_t kNoDeadline = -1;
constexpr int64_t kNotMet = 0;
constexpr int64_t kDone = 1;
constexpr int64_t kRemoved = 2;

enum class Condition : uint8_t { kAlways, kNone, kSome, kLater, kEarlier };

// Answers as many times that there is no such field.
Status reply_no_fields(Context& ctx, size_t count) {
  ctx.reply.array(count);
  for (; count > 0; --count) ctx.reply.integer(kNoField);
  return Status::ok();
}

// ---- setting

Condition parse_condition(ByteView word) {
  if (equals_ignoring_case(word, "NX")) return Condition::kNone;
  if (equals_ignoring_case(word, "XX")) return Condition::kSome;
  if (equals_ignoring_case(word, "GT")) return Condition::kLater;
  if (equals_ignoring_case(word, "LT")) return Condition::kEarlier;
  return Condition::kAlways;
}

// A field without a deadline counts as one that lives for ever.
bool is_met(Condition condition, UnixMs deadline, UnixMs when) {
  const bool has_deadline = deadline != kNoExpiry;
  switch (condition) {
    case Condition::kAlways:
      return true;
    case Condition::kNone:
      return !has_deadline;
    case Condition::kSome:
      return has_deadline;
    case Condition::kLater:
      return has_deadline && when > deadline;
    case Condition::kEarlier:
      return !has_deadline || when < deadline;
  }
  return false;
}

// Sets one field's deadline, or removes the field if its time is past already.
int64_t expire_field(Context& ctx, const Key& key, Hash*& hash, ByteView field, UnixMs when,
                     Condition condition, FieldFacts& facts) {
  const auto item = find_field(ctx, key, hash, field);
  if (!item) return kNoField;
  if (!is_met(condition, item->deadline, when)) return kNotMet;
  return end_field_at(ctx, key, *hash, field, when, facts) ? kRemoved : kDone;
}

Status expire(Context& ctx, Unit unit, UnixMs base) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  OURO_TRY(const UnixMs when, parse_field_deadline(ctx, ctx.argv[2], unit, base));
  const Condition condition = parse_condition(ctx.argv[3]);
  OURO_TRY(const Argv fields, parse_fields(ctx, condition == Condition::kAlways ? 3 : 4,
                                           "ERR Parameter `numFields` should be greater than 0"));
  end_due_named(ctx, key, hash, fields);
  if (hash == nullptr) return reply_no_fields(ctx, fields.size());
  FieldFacts facts(ctx);
  ctx.reply.array(fields.size());
  for (const ByteView field : fields) {
    ctx.reply.integer(expire_field(ctx, key, hash, field, when, condition, facts));
  }
  if (facts.count() == 0) return Status::ok();
  facts.tell(key);
  facts.leave(key, when);
  if (hash != nullptr) ctx.erase_if_empty(key, *hash);
  return Status::ok();
}

Status cmd_hexpire(Context& ctx) { return expire(ctx, Unit::kSeconds, ctx.now); }
Status cmd_hexpireat(Context& ctx) { return expire(ctx, Unit::kSeconds, 0); }
Status cmd_hpexpire(Context& ctx) { return expire(ctx, Unit::kMillis, ctx.now); }
Status cmd_hpexpireat(Context& ctx) { return expire(ctx, Unit::kMillis, 0); }

Status cmd_hpersist(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  OURO_TRY(const Argv fields, parse_fields(ctx, 2));
  end_due_named(ctx, key, hash, fields);
  if (hash == nullptr) return reply_no_fields(ctx, fields.size());
  uint64_t cleared = 0;
  std::vector<ByteView> told;
  ctx.reply.array(fields.size());
  for (const ByteView field : fields) {
    const auto item = find_field(ctx, key, hash, field);
    if (!item || item->deadline == kNoExpiry) {
      ctx.reply.integer(item ? kNoDeadline : kNoField);
      continue;
    }
    hash->set_deadline(ctx.heap(), field, kNoExpiry);
    ++cleared;
    if (ctx.engine.tells_fields()) told.push_back(field);
    ctx.reply.integer(kDone);
  }
  if (cleared > 0) fields_changed(ctx, key, "hpersist", 1, [&] { return Argv(told); });
  return Status::ok();
}

// ---- asking

// The deadline less `base`, a begun second counted as a whole one. Asking does not remove.
Status reply_deadlines(Context& ctx, Unit unit, UnixMs base) {
  OURO_TRY(const Hash* hash, ctx.find_as<Hash>(ctx.key(1)));
  OURO_TRY(const Argv fields, parse_fields(ctx, 2));
  if (hash == nullptr) return reply_no_fields(ctx, fields.size());
  const UnixMs now = field_clock(ctx);
  ctx.reply.array(fields.size());
  for (const ByteView field : fields) {
    const auto item = hash->find(field, now);
    if (!item || item->deadline == kNoExpiry) {
      ctx.reply.integer(item ? kNoDeadline : kNoField);
      continue;
    }
    const int64_t ms = item->deadline - base;
    ctx.reply.integer(unit == Unit::kMillis ? ms : (ms + 999) / 1000);
  }
  return Status::ok();
}

Status cmd_httl(Context& ctx) { return reply_deadlines(ctx, Unit::kSeconds, ctx.now); }
Status cmd_hpttl(Context& ctx) { return reply_deadlines(ctx, Unit::kMillis, ctx.now); }
Status cmd_hexpiretime(Context& ctx) { return reply_deadlines(ctx, Unit::kSeconds, 0); }
Status cmd_hpexpiretime(Context& ctx) { return reply_deadlines(ctx, Unit::kMillis, 0); }

constexpr CommandSpec kRows[] = {
    {.name = "HEXPIRE",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hexpire,
     .doc = {.summary = "Sets the time to live of hash fields in seconds.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 seconds:integer [condition:<nx!NX | xx!XX | gt!GT | lt!LT>] "
                     "FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HEXPIREAT",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hexpireat,
     .doc = {.summary = "Sets the Unix time in seconds at which hash fields expire.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 unix-time-seconds:unix-time [condition:<nx!NX | xx!XX | gt!GT | "
                     "lt!LT>] FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HEXPIRETIME",
     .arity = at_least(5),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hexpiretime,
     .doc = {.summary = "Returns the Unix times in seconds at which hash fields expire.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HPERSIST",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hpersist,
     .doc = {.summary = "Makes hash fields stay for good by dropping their expiry.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HPEXPIRE",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hpexpire,
     .doc = {.summary = "Sets the time to live of hash fields in milliseconds.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 milliseconds:integer [condition:<nx!NX | xx!XX | gt!GT | lt!LT>] "
                     "FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HPEXPIREAT",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hpexpireat,
     .doc = {.summary = "Sets the Unix time in milliseconds at which hash fields expire.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 unix-time-milliseconds:unix-time [condition:<nx!NX | xx!XX | gt!GT "
                     "| lt!LT>] FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HPEXPIRETIME",
     .arity = at_least(5),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hpexpiretime,
     .doc = {.summary = "Returns the Unix times in milliseconds at which hash fields expire.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HPTTL",
     .arity = at_least(5),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hpttl,
     .doc = {.summary = "Returns how many milliseconds hash fields still have to live.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}",
             .tips = "nondeterministic_output"}},
    {.name = "HTTL",
     .arity = at_least(5),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_httl,
     .doc = {.summary = "Returns how many seconds hash fields still have to live.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}",
             .tips = "nondeterministic_output"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kHashExpireCommands = kRows;

}  // namespace ouro
