// SPDX-License-Identifier: BSD-3-Clause
// SET with its options, its older forms (SETNX, SETEX, PSETEX), and GETEX, which has the same way
// to say when a key ends.
#include <algorithm>

#include "datastructs/codec/number_text.h"
#include "server/commands/expire_time.h"
#include "server/commands/string_value.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// How an option gives the time when a key ends.
enum class TimeForm : uint8_t { kNone, kSeconds, kMillis, kAtSeconds, kAtMillis };

struct StringOptions {
  bool only_new = false;       // NX
  bool only_existing = false;  // XX
  bool get = false;
  bool keep_ttl = false;
  bool persist = false;
  TimeForm form = TimeForm::kNone;
  ByteView time = {};
};

enum class OptionsOf : uint8_t { kSet, kGetex };

// EX, PX, EXAT or PXAT and its argument. One form may be given twice (the last counts), but not two
// forms.
bool parse_time(ArgParser& args, StringOptions& options) {
  constexpr struct {
    ByteView word;
    TimeForm form;
  } kForms[] = {{"EX", TimeForm::kSeconds},
                {"PX", TimeForm::kMillis},
                {"EXAT", TimeForm::kAtSeconds},
                {"PXAT", TimeForm::kAtMillis}};
  for (const auto& [word, form] : kForms) {
    if (!args.word(word)) continue;
    if ((options.form != TimeForm::kNone && options.form != form) || options.keep_ttl ||
        options.persist) {
      args.unexpected();
    }
    options.form = form;
    options.time = args.next();
    return true;
  }
  return false;
}

Result<StringOptions> parse_options(const Context& ctx, size_t at, OptionsOf command) {
  StringOptions options;
  ArgParser args(ctx.argv, at);
  while (args.more()) {
    if (parse_time(args, options)) continue;
    if (command == OptionsOf::kSet && args.word("NX")) {
      options.only_new = true;
    } else if (command == OptionsOf::kSet && args.word("XX")) {
      options.only_existing = true;
    } else if (command == OptionsOf::kSet && args.word("GET")) {
      options.get = true;
    } else if (command == OptionsOf::kSet && args.word("KEEPTTL")) {
      options.keep_ttl = true;
    } else if (command == OptionsOf::kGetex && args.word("PERSIST")) {
      options.persist = true;
    } else {
      args.unexpected();
    }
    if (options.form != TimeForm::kNone && (options.keep_ttl || options.persist)) args.unexpected();
    if (options.only_new && options.only_existing) args.unexpected();
  }
  OURO_TRY(args.finish());
  return options;
}

// When the key is to end: what the option says, as a point in time.
Result<UnixMs> deadline_of(Context& ctx, TimeForm form, ByteView text) {
  OURO_TRY(int64_t when, parse_integer(text));
  const bool in_seconds = form == TimeForm::kSeconds || form == TimeForm::kAtSeconds;
  const bool relative = form == TimeForm::kSeconds || form == TimeForm::kMillis;
  bool fits = when > 0;
  if (in_seconds) fits = fits && !__builtin_mul_overflow(when, int64_t{1000}, &when);
  if (relative) fits = fits && !__builtin_add_overflow(when, ctx.now, &when);
  if (!fits) return fail_expire_time(ctx);
  return when;
}

// Stores argument `index` with a deadline, and leaves the effect and events that belong to it.
void store_until(Context& ctx, const Key& key, Entry* old, size_t index, UnixMs deadline) {
  store_argument(ctx, key, old, index, deadline);
  ctx.changed(key, Event::kString, "set");
  ctx.engine.notify(ctx.caller.db, key.bytes, Event::kGeneric, "expire");
  if (!ctx.effects.wanted()) return;
  char text[kInt64TextMax];
  ctx.effects.replace(
      {"SET", key.bytes, ctx.argv[index], "PXAT", ByteView(text, format_int64(deadline, text))});
}

// SET with anything behind its value.
[[gnu::noinline]] Status set_with_options(Context& ctx) {
  OURO_TRY(const StringOptions options, parse_options(ctx, 3, OptionsOf::kSet));
  UnixMs deadline = kNoExpiry;
  if (options.form != TimeForm::kNone) {
    OURO_TRY(deadline, deadline_of(ctx, options.form, options.time));
  }
  const Key key = ctx.key(1);
  Entry* old = nullptr;
  if (options.get) {
    // Read as GET does, which counts a hit or a miss.
    OURO_TRY(old, ctx.find_string(key));
  } else {
    old = ctx.find_to_write(key);
  }
  const bool refused =
      (options.only_new && old != nullptr) || (options.only_existing && old == nullptr);
  if (options.get && old != nullptr) {
    reply_string(ctx.reply, *old);
  } else if (options.get || refused) {
    ctx.reply.null();
  } else {
    ctx.reply.ok();
  }
  if (refused) return Status::ok();
  if (deadline != kNoExpiry) {
    store_until(ctx, key, old, 2, deadline);
    return Status::ok();
  }
  if (options.keep_ttl && old != nullptr) deadline = old->deadline();
  store_argument(ctx, key, old, 2, deadline);
  ctx.changed(key, Event::kString, "set");
  return Status::ok();
}

Status cmd_set(Context& ctx) {
  if (ctx.argv.size() > 3) return set_with_options(ctx);
  const Key key = ctx.key(1);
  store_argument(ctx, key, ctx.find_to_write(key), 2, kNoExpiry);
  ctx.changed(key, Event::kString, "set");
  ctx.reply.ok();
  return Status::ok();
}

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
  OURO_TRY(const UnixMs deadline, deadline_of(ctx, form, ctx.argv[2]));
  const Key key = ctx.key(1);
  store_until(ctx, key, ctx.find_to_write(key), 3, deadline);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_setex(Context& ctx) { return set_for(ctx, TimeForm::kSeconds); }

Status cmd_psetex(Context& ctx) { return set_for(ctx, TimeForm::kMillis); }

// GETEX with a time: the key ends then, at once if a given point in time has passed.
void expire_at(Context& ctx, const Key& key, Entry* entry, TimeForm form, UnixMs deadline) {
  const bool absolute = form == TimeForm::kAtSeconds || form == TimeForm::kAtMillis;
  const bool decides =
      ctx.caller.origin != Origin::kPrimary && ctx.caller.origin != Origin::kReplay;
  if (absolute && decides && deadline <= ctx.now) {
    ctx.db.erase(key, ctx.engine.options.lazyfree_lazy_expire ? Freeing::kLazy : Freeing::kNow);
    ctx.changed(key, Event::kGeneric, "del");
    if (ctx.effects.wanted()) ctx.effects.replace({"DEL", key.bytes});
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
  UnixMs deadline = kNoExpiry;
  if (options.form != TimeForm::kNone) {
    OURO_TRY(deadline, deadline_of(ctx, options.form, options.time));
  }
  reply_string(ctx.reply, *entry);
  if (options.form != TimeForm::kNone) {
    expire_at(ctx, key, entry, options.form, deadline);
  } else if (options.persist && entry->has_deadline()) {
    ctx.db.set_deadline(key, entry, kNoExpiry);
    ctx.changed(key, Event::kGeneric, "persist");
    if (ctx.effects.wanted()) ctx.effects.replace({"PERSIST", key.bytes});
  }
  return Status::ok();
}

// SET's use of its key depends on an option.
Status keys_of_set(Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
  const auto is_get = [](ByteView word) { return equals_ignoring_case(word, "GET"); };
  const bool reads = std::any_of(argv.begin() + 3, argv.end(), is_get);
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
             .args = "key:key#0 value:string [condition:<nx!NX | xx!XX>@2.6.12] [get!GET@6.2.0] "
                     "[expiration:<EX=seconds:integer@2.6.12 | PX=milliseconds:integer@2.6.12 | "
                     "EXAT=unix-time-seconds:unix-time@6.2.0 | "
                     "PXAT=unix-time-milliseconds:unix-time@6.2.0 | keepttl!KEEPTTL@6.0.0>]"}},
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
