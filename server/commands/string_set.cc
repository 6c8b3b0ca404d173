// SPDX-License-Identifier: BSD-3-Clause
// SET with its options, its older forms (SETNX, SETEX, PSETEX), MSETEX for several keys at once,
// and GETEX, which has the same way to say when a key ends.
#include <algorithm>
#include <array>

#include "datastructs/codec/number_text.h"
#include "server/commands/expire_time.h"
#include "server/commands/set_fill.h"
#include "server/commands/string_condition.h"
#include "server/commands/string_value.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

struct StringOptions {
  bool only_new = false;       // NX
  bool only_existing = false;  // XX
  bool get = false;
  bool keep_ttl = false;
  bool persist = false;
  TimeOption time;
  StringCondition condition;
  FillOptions fill;
};

enum class OptionsOf : uint8_t { kSet, kMsetex, kGetex };

Result<StringOptions> parse_options(const Context& ctx, size_t at, OptionsOf command) {
  const bool stores = command != OptionsOf::kGetex;
  const bool one_key = command == OptionsOf::kSet;
  StringOptions options;
  ArgParser args(ctx.argv, at);
  while (args.more()) {
    if (take_time(args, options.time) || (one_key && (take_condition(args, options.condition) ||
                                                      take_fill_option(args, options.fill)))) {
      // Taken with what belongs to it.
    } else if (stores && args.word("NX")) {
      options.only_new = true;
    } else if (stores && args.word("XX")) {
      options.only_existing = true;
    } else if (one_key && args.word("GET")) {
      options.get = true;
    } else if (stores && args.word("KEEPTTL")) {
      options.keep_ttl = true;
    } else if (!stores && args.word("PERSIST")) {
      options.persist = true;
    } else {
      args.unexpected();
    }
    if (options.time.given() && (options.keep_ttl || options.persist)) args.unexpected();
    if (options.only_new + options.only_existing + options.condition.given() > 1) args.unexpected();
  }
  OURO_TRY(args.finish());
  return options;
}

// How a value is stored.
struct Storing {
  UnixMs deadline = kNoExpiry;
  bool keeps_ttl = false;  // the deadline is the one that was there
  Fill fill = {};
};

[[gnu::noinline]] void write_set(Context& ctx, const Key& key, ByteView value, const Storing& how) {
  const Int64Text deadline(how.deadline);
  const Int64Text stale(how.fill.stale_ms);
  const Int64Text version(static_cast<int64_t>(how.fill.version));
  std::array<ByteView, 9> words = {"SET", key.bytes, value};
  size_t count = 3;
  const auto add = [&](ByteView word) { words[count++] = word; };
  if (how.keeps_ttl) {
    add("KEEPTTL");
  } else if (how.deadline != kNoExpiry) {
    add("PXAT");
    add(deadline.view());
  }
  if (how.fill.stale_ms > 0) {
    add("STALE");
    add(stale.view());
  }
  if (how.fill.version > 0) {
    add("VERSION");
    add(version.view());
  }
  ctx.effects.replace(Argv(words).first(count));
}

// The value as it stands here: another node, or a log, has nothing to decide.
void leave_set(Context& ctx, const Key& key, ByteView value, const Storing& how) {
  if (how.fill.stale_ms > 0 || how.fill.version > 0) ctx.only_ours();
  if (ctx.effects.wanted()) write_set(ctx, key, value, how);
}

// Stores argument `index`, with the events that belong to it.
void store(Context& ctx, const Key& key, Entry* old, size_t index, const Storing& how) {
  store_argument(ctx, key, old, index, how.deadline, how.fill);
  ctx.changed(key, Event::kString, "set");
  if (how.deadline != kNoExpiry && !how.keeps_ttl)
    ctx.engine.notify(ctx.caller.db, key.bytes, Event::kGeneric, "expire");
}

// The same with a deadline, as the key's rule has it, and its effect.
void store_until(Context& ctx, const Key& key, Entry* old, size_t index, UnixMs deadline) {
  const Storing how{.deadline = spread_end(ctx, key, deadline), .fill = fill_of(ctx, key, {}, 0)};
  store(ctx, key, old, index, how);
  leave_set(ctx, key, ctx.argv[index], how);
}

// Whether SET's conditions hold for what the key has.
Result<bool> may_set(Context& ctx, const StringOptions& options, const Entry* old) {
  if (options.only_new) return old == nullptr;
  if (options.only_existing) return old != nullptr;
  return holds(ctx, options.condition, old);
}

// SET with anything behind its value.
[[gnu::noinline]] Status set_with_options(Context& ctx) {
  OURO_TRY(const StringOptions options, parse_options(ctx, 3, OptionsOf::kSet));
  OURO_TRY(const UnixMs asked_end, deadline_of(ctx, options.time));
  const Key key = ctx.key(1);
  Entry* old = nullptr;
  if (options.get) {
    // Read as GET does, which counts a hit or a miss.
    OURO_TRY(old, ctx.find_string(key));
  } else {
    old = ctx.find_to_write(key);
  }
  OURO_TRY(bool allowed, may_set(ctx, options, old));
  uint32_t load_ms = 0;
  if (allowed) {
    const FillVerdict verdict = may_fill(ctx, key, old, options.fill);
    allowed = verdict.allowed;
    load_ms = verdict.load_ms;
  }
  if (options.get && old != nullptr) {
    reply_string(ctx.reply, *old);
  } else if (options.get || !allowed) {
    ctx.reply.null();
  } else {
    ctx.reply.ok();
  }
  if (!allowed) return Status::ok();
  Storing how{.deadline = spread_end(ctx, key, asked_end, options.fill.jitter),
              .fill = fill_of(ctx, key, options.fill, load_ms)};
  if (options.keep_ttl && old != nullptr) {
    how.keeps_ttl = true;
    how.deadline = old->deadline();
  }
  store(ctx, key, old, 2, how);
  if (options.fill.token) ctx.engine.notify(ctx.caller.db, key.bytes, Event::kLease, "fill");
  // SET as it was sent says the same, unless something was decided here.
  if (asked_end != kNoExpiry || options.condition.given() || options.fill.given() ||
      !how.fill.is_none())
    leave_set(ctx, key, ctx.argv[2], how);
  return Status::ok();
}

Status cmd_set(Context& ctx) {
  if (ctx.argv.size() > 3) return set_with_options(ctx);
  const Key key = ctx.key(1);
  Entry* const old = ctx.find_to_write(key);
  const Fill fill = fill_by_rule(ctx, key);
  store_argument(ctx, key, old, 2, kNoExpiry, fill);
  ctx.changed(key, Event::kString, "set");
  if (!fill.is_none()) leave_set(ctx, key, ctx.argv[2], {.fill = fill});
  ctx.reply.ok();
  return Status::ok();
}

// ---- several keys

// The numkeys of MSETEX, whose keys and values begin behind it.
Result<size_t> parse_pair_count(Context& ctx) {
  const auto count = parse_int64(ctx.argv[1]);
  if (!count || *count < 1 || *count > INT32_MAX) return ctx.fail("ERR invalid numkeys value");
  const auto pairs = static_cast<size_t>(*count);
  if (pairs * 2 > ctx.argv.size() - 2) return ctx.fail("ERR wrong number of key-value pairs");
  return pairs;
}

// All keys or none: NX and XX ask each of them. The log has a SET for each, which belong together.
Status cmd_msetex(Context& ctx) {
  OURO_TRY(const size_t pairs, parse_pair_count(ctx));
  const size_t end = 2 + pairs * 2;
  OURO_TRY(const StringOptions options, parse_options(ctx, end, OptionsOf::kMsetex));
  OURO_TRY(const UnixMs deadline, deadline_of(ctx, options.time));
  for (size_t i = 2; i < end && (options.only_new || options.only_existing); i += 2) {
    if ((ctx.find_to_write(ctx.key(i)) != nullptr) == options.only_existing) continue;
    ctx.reply.integer(0);
    return Status::ok();
  }
  ctx.effects.apply_whole();
  for (size_t i = 2; i < end; i += 2) {
    const Key key = ctx.key(i);
    Entry* old = ctx.find_to_write(key);
    if (deadline != kNoExpiry) {
      store_until(ctx, key, old, i + 1, deadline);
      continue;
    }
    const bool keeps_ttl = options.keep_ttl;
    const Storing how{.deadline = keeps_ttl && old != nullptr ? old->deadline() : kNoExpiry,
                      .keeps_ttl = keeps_ttl,
                      .fill = fill_of(ctx, key, {}, 0)};
    store(ctx, key, old, i + 1, how);
    leave_set(ctx, key, ctx.argv[i + 1], how);
  }
  ctx.reply.integer(1);
  return Status::ok();
}

// ---- older forms

Status cmd_setnx(Context& ctx) {
  const Key key = ctx.key(1);
  if (ctx.find_to_write(key) != nullptr) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  store_argument(ctx, key, nullptr, 2, kNoExpiry);
  ctx.changed(key, Event::kString, "set");
  ctx.reply.integer(1);
  return Status::ok();
}

Status set_for(Context& ctx, TimeForm form) {
  OURO_TRY(const UnixMs deadline, deadline_of(ctx, {form, ctx.argv[2]}));
  const Key key = ctx.key(1);
  store_until(ctx, key, ctx.find_to_write(key), 3, deadline);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_setex(Context& ctx) { return set_for(ctx, TimeForm::kSeconds); }

Status cmd_psetex(Context& ctx) { return set_for(ctx, TimeForm::kMillis); }

// GETEX with a time: the key ends then, at once if a given point in time has passed.
void expire_at(Context& ctx, const Key& key, Entry* entry, const TimeOption& time,
               UnixMs deadline) {
  if (time.is_absolute() && ctx.clock_decides() && deadline <= ctx.now) {
    end_key(ctx, key);
    return;
  }
  ctx.db.set_deadline(key, entry, deadline);
  ctx.changed(key, Event::kGeneric, "expire");
  if (!ctx.effects.wanted()) return;
  char text[kInt64TextMax];
  ctx.effects.replace({"PEXPIREAT", key.bytes, ByteView(text, format_int64(deadline, text))});
}

Status cmd_getex(Context& ctx) {
  OURO_TRY(const StringOptions options, parse_options(ctx, 2, OptionsOf::kGetex));
  const Key key = ctx.key(1);
  OURO_TRY(Entry * entry, ctx.find_string(key));
  if (entry == nullptr) {
    ctx.reply.null();
    return Status::ok();
  }
  OURO_TRY(const UnixMs deadline, deadline_of(ctx, options.time));
  reply_string(ctx.reply, *entry);
  if (options.time.given()) {
    expire_at(ctx, key, entry, options.time, deadline);
  } else if (options.persist && entry->has_deadline()) {
    ctx.db.set_deadline(key, entry, kNoExpiry);
    ctx.changed(key, Event::kGeneric, "persist");
    if (ctx.effects.wanted()) ctx.effects.replace({"PERSIST", key.bytes});
  }
  return Status::ok();
}

// SET's use of its key depends on an option.
Status keys_of_set(Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
  const auto is_reading = [](ByteView word) {
    return equals_ignoring_case(word, "GET") || condition_kind(word) != StringCondition::kNone;
  };
  const bool reads = std::any_of(argv.begin() + 3, argv.end(), is_reading);
  fn(1, reads ? kReadWrite | kAccess | kUpdate : kOverwrite | kUpdate);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "GETEX",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_getex,
     .doc = {.summary = "Returns a string and may change the expiry of its key.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "string",
             .args = "key:key#0 [expiration:<EX=seconds:integer | PX=milliseconds:integer | "
                     "EXAT=unix-time-seconds:unix-time | PXAT=unix-time-milliseconds:unix-time | "
                     "persist!PERSIST>]"}},
    {.name = "MSETEX",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .keys = {counted_keys(1, kOverwrite | kUpdate, 2)},
     .acl = Acl::kString,
     .handler = cmd_msetex,
     .doc = {.summary = "Stores several strings with one condition and one expiry for all.",
             .complexity = "O(N), N keys named",
             .since = "8.4.0",
             .group = "string",
             .args = "numkeys:integer data:{key:key#0 value:string}... [condition:<nx!NX | xx!XX>] "
                     "[expiration:<EX=seconds:integer | PX=milliseconds:integer | "
                     "EXAT=unix-time-seconds:unix-time | PXAT=unix-time-milliseconds:unix-time | "
                     "keepttl!KEEPTTL>]"}},
    {.name = "PSETEX",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kOverwrite | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_psetex,
     .doc = {.summary = "Stores a string that expires after some milliseconds.",
             .complexity = "O(1)",
             .since = "2.6.0",
             .group = "string",
             .args = "key:key#0 milliseconds:integer value:string"}},
    {.name = "SET",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate | kVariableUse)},
     .acl = Acl::kString,
     .handler = cmd_set,
     .movable_keys = keys_of_set,
     .doc = {.summary = "Stores a string at a key, whatever the key held before.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "string",
             .history = "7.0.0 `NX` and `GET` go together.",
             .args = "key:key#0 value:string [condition:<nx!NX | xx!XX | "
                     "IFEQ=ifeq-value:string@8.4.0 | IFNE=ifne-value:string@8.4.0 | "
                     "IFDEQ=ifdeq-digest:string@8.4.0 | IFDNE=ifdne-digest:string@8.4.0>@2.6.12] "
                     "[get!GET@6.2.0] "
                     "[expiration:<EX=seconds:integer@2.6.12 | PX=milliseconds:integer@2.6.12 | "
                     "EXAT=unix-time-seconds:unix-time@6.2.0 | "
                     "PXAT=unix-time-milliseconds:unix-time@6.2.0 | keepttl!KEEPTTL@6.0.0>] "
                     "[STALE=stale-milliseconds:integer@0.1.0] [JITTER=percent:integer@0.1.0] "
                     "[LEASE=token:integer@0.1.0] [VERSION=version:integer@0.1.0]"}},
    {.name = "SETEX",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kOverwrite | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_setex,
     .doc = {.summary = "Stores a string that expires after some seconds.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "string",
             .args = "key:key#0 seconds:integer value:string"}},
    {.name = "SETNX",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kOverwrite | kInsert)},
     .acl = Acl::kString,
     .handler = cmd_setnx,
     .doc = {.summary = "Stores a string only if the key does not exist.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "string",
             .args = "key:key#0 value:string"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStringSetCommands = kRows;

}  // namespace ouro
