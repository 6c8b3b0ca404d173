// SPDX-License-Identifier: BSD-3-Clause
// When keys end: setting, asking and clearing their deadlines.
#include <algorithm>

#include "datastructs/codec/number_text.h"
#include "server/commands/cache_parts.h"
#include "server/commands/expire_time.h"
#include "server/commands/help.h"
#include "server/commands/member_expire.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

struct ExpireRule {
  bool only_none = false;     // NX
  bool only_some = false;     // XX
  bool only_later = false;    // GT
  bool only_earlier = false;  // LT

  // A key without a deadline counts as one that lives for ever.
  bool allows(const Entry& entry, UnixMs when) const {
    const bool has_deadline = entry.has_deadline();
    if (only_none && has_deadline) return false;
    if (only_some && !has_deadline) return false;
    if (only_later && (!has_deadline || when <= entry.deadline())) return false;
    return !(only_earlier && has_deadline && when >= entry.deadline());
  }
};

Result<ExpireRule> parse_rule(Context& ctx) {
  ExpireRule rule;
  for (const ByteView word : ctx.argv.subspan(3)) {
    if (equals_ignoring_case(word, "NX")) {
      rule.only_none = true;
    } else if (equals_ignoring_case(word, "XX")) {
      rule.only_some = true;
    } else if (equals_ignoring_case(word, "GT")) {
      rule.only_later = true;
    } else if (equals_ignoring_case(word, "LT")) {
      rule.only_earlier = true;
    } else {
      return ctx.fail("ERR Unsupported option %.*s", printed_size(word), word.data());
    }
  }
  if (rule.only_none && (rule.only_some || rule.only_later || rule.only_earlier)) {
    return ctx.fail("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (rule.only_later && rule.only_earlier) {
    return ctx.fail("ERR GT and LT options at the same time are not compatible");
  }
  return rule;
}

// `base` is what the argument counts from: now, or 0 for a point in time.
Result<UnixMs> parse_deadline(Context& ctx, Unit unit, UnixMs base) {
  OURO_TRY(int64_t when, ctx.integer(2));
  const bool in_range =
      unit == Unit::kMillis || !__builtin_mul_overflow(when, int64_t{1000}, &when);
  if (!in_range || __builtin_add_overflow(when, base, &when)) return fail_expire_time(ctx);
  return when;
}

Status expire(Context& ctx, Unit unit, UnixMs base) {
  OURO_TRY(const ExpireRule rule, parse_rule(ctx));
  OURO_TRY(UnixMs when, parse_deadline(ctx, unit, base));
  const Key key = ctx.key(1);
  if (!ctx.engine.guard.rules.empty()) when = spread_end(ctx, key, when);
  Entry* entry = ctx.find_to_write(key);
  if (entry == nullptr || !rule.allows(*entry, when)) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  ctx.reply.integer(1);
  if (ctx.clock_decides() && when <= ctx.now) {
    end_key(ctx, key);
    return Status::ok();
  }
  // A stored deadline is never negative: that means none. Any time in the past is as good as
  // another.
  ctx.db.set_deadline(key, entry, std::max<UnixMs>(when, 0));
  ctx.changed(key, Event::kGeneric, "expire");
  if (ctx.effects.wanted()) {
    char text[kInt64TextMax];
    ctx.effects.replace({"PEXPIREAT", key.bytes, ByteView(text, format_int64(when, text))});
  }
  return Status::ok();
}

Status cmd_expire(Context& ctx) { return expire(ctx, Unit::kSeconds, ctx.now); }
Status cmd_expireat(Context& ctx) { return expire(ctx, Unit::kSeconds, 0); }
Status cmd_pexpire(Context& ctx) { return expire(ctx, Unit::kMillis, ctx.now); }
Status cmd_pexpireat(Context& ctx) { return expire(ctx, Unit::kMillis, 0); }

// PERSIST key [member]
Status cmd_persist(Context& ctx) {
  if (ctx.argv.size() > 3) return wrong_arity(ctx);
  const Key key = ctx.key(1);
  Entry* entry = ctx.find_to_write(key);
  if (ctx.argv.size() == 3) {
    const bool persisted = entry != nullptr && persist_member(ctx, key, *entry, ctx.argv[2]);
    ctx.reply.integer(persisted ? 1 : 0);
    return Status::ok();
  }
  const bool had_deadline = entry != nullptr && entry->has_deadline();
  if (had_deadline) {
    ctx.db.set_deadline(key, entry, kNoExpiry);
    ctx.changed(key, Event::kGeneric, "persist");
  }
  ctx.reply.integer(had_deadline ? 1 : 0);
  return Status::ok();
}

// The deadline less `base`, seconds rounded to the nearest; -1 for none.
int64_t time_left(UnixMs deadline, Unit unit, UnixMs base) {
  if (deadline == kNoExpiry) return -1;
  // Unsigned: the largest deadline still has room for the rounding.
  const auto ms = static_cast<uint64_t>(std::max<int64_t>(deadline - base, 0));
  return static_cast<int64_t>(unit == Unit::kMillis ? ms : (ms + 500) / 1000);
}

// Answers -2 for no key, -1 for no deadline.
Status reply_deadline(Context& ctx, Unit unit, UnixMs base) {
  const Entry* entry = ctx.find_untouched(ctx.key(1));
  ctx.reply.integer(entry == nullptr ? -2 : time_left(entry->deadline(), unit, base));
  return Status::ok();
}

// TTL key [member]; a member that is not there has no deadline.
Status reply_time_to_live(Context& ctx, Unit unit) {
  if (ctx.argv.size() == 2) return reply_deadline(ctx, unit, ctx.now);
  if (ctx.argv.size() > 3) return wrong_arity(ctx);
  const Entry* entry = ctx.find_untouched(ctx.key(1));
  if (entry == nullptr) {
    ctx.reply.integer(-2);
    return Status::ok();
  }
  const UnixMs deadline = member_deadline(ctx, *entry, ctx.argv[2]).value_or(kNoExpiry);
  ctx.reply.integer(time_left(deadline, unit, ctx.now));
  return Status::ok();
}

Status cmd_ttl(Context& ctx) { return reply_time_to_live(ctx, Unit::kSeconds); }
Status cmd_pttl(Context& ctx) { return reply_time_to_live(ctx, Unit::kMillis); }
Status cmd_expiretime(Context& ctx) { return reply_deadline(ctx, Unit::kSeconds, 0); }
Status cmd_pexpiretime(Context& ctx) { return reply_deadline(ctx, Unit::kMillis, 0); }

constexpr CommandSpec kRows[] = {
    {.name = "EXPIRE",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kKeyspace,
     .handler = cmd_expire,
     .doc = {.summary = "Sets the time to live of a key in seconds.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "generic",
             .args =
                 "key:key#0 seconds:integer [condition:<nx!NX | xx!XX | gt!GT | lt!LT>@7.0.0]"}},
    {.name = "EXPIREAT",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kKeyspace,
     .handler = cmd_expireat,
     .doc = {.summary = "Sets the Unix time in seconds at which a key expires.",
             .complexity = "O(1)",
             .since = "1.2.0",
             .group = "generic",
             .args = "key:key#0 unix-time-seconds:unix-time [condition:<nx!NX | xx!XX | gt!GT | "
                     "lt!LT>@7.0.0]"}},
    {.name = "EXPIRETIME",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kKeyspace,
     .handler = cmd_expiretime,
     .doc = {.summary = "Returns the Unix time in seconds at which a key expires.",
             .complexity = "O(1)",
             .since = "7.0.0",
             .group = "generic",
             .args = "key:key#0"}},
    {.name = "PERSIST",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kKeyspace,
     .handler = cmd_persist,
     .doc = {.summary = "Makes a key stay for good by dropping its expiry.",
             .complexity = "O(1)",
             .since = "2.2.0",
             .group = "generic",
             .args = "key:key#0 [subkey:string]"}},
    {.name = "PEXPIRE",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kKeyspace,
     .handler = cmd_pexpire,
     .doc =
         {.summary = "Sets the time to live of a key in milliseconds.",
          .complexity = "O(1)",
          .since = "2.6.0",
          .group = "generic",
          .args =
              "key:key#0 milliseconds:integer [condition:<nx!NX | xx!XX | gt!GT | lt!LT>@7.0.0]"}},
    {.name = "PEXPIREAT",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kKeyspace,
     .handler = cmd_pexpireat,
     .doc = {.summary = "Sets the Unix time in milliseconds at which a key expires.",
             .complexity = "O(1)",
             .since = "2.6.0",
             .group = "generic",
             .args = "key:key#0 unix-time-milliseconds:unix-time [condition:<nx!NX | xx!XX | gt!GT "
                     "| lt!LT>@7.0.0]"}},
    {.name = "PEXPIRETIME",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kKeyspace,
     .handler = cmd_pexpiretime,
     .doc = {.summary = "Returns the Unix time in milliseconds at which a key expires.",
             .complexity = "O(1)",
             .since = "7.0.0",
             .group = "generic",
             .args = "key:key#0"}},
    {.name = "PTTL",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kKeyspace,
     .handler = cmd_pttl,
     .doc = {.summary = "Returns how many milliseconds a key still has to live.",
             .complexity = "O(1)",
             .since = "2.6.0",
             .group = "generic",
             .history = "2.8.0 Answers -2 for a key that is not there.",
             .args = "key:key#0 [subkey:string]",
             .tips = "nondeterministic_output"}},
    {.name = "TTL",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kKeyspace,
     .handler = cmd_ttl,
     .doc = {.summary = "Returns how many seconds a key still has to live.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "generic",
             .history = "2.8.0 Answers -2 for a key that is not there.",
             .args = "key:key#0 [subkey:string]",
             .tips = "nondeterministic_output"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kExpireCommands = kRows;

}  // namespace ouro
