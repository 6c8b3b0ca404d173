// SPDX-License-Identifier: BSD-3-Clause
// What a loader says that brings no value (CACHE.NIL, CACHE.FAIL), and who has changed the database
// (CACHE.STALE). A value is brought by SET ... LEASE token (string_set.cc).
#include "server/commands/cache_parts.h"
#include "server/commands/tables.h"
#include "server/commands/versions.h"

namespace ouro {
namespace {

// ---- CACHE.NIL key token [PX ms | PXAT unix-ms]

struct Ending {
  std::optional<Millis> ms;
  std::optional<UnixMs> at;
};

// One of the two, if the next word is their name; false if it is not.
bool take_ending(ArgParser& args, Ending& ending, Millis most) {
  if (args.word("PX")) {
    ending.ms = take_millis(args, 1, most);
  } else if (args.word("PXAT")) {
    ending.at = args.integer();
    if (*ending.at < 1) args.fail(Err::kOutOfRange);
  } else {
    return false;
  }
  if (ending.ms && ending.at) args.unexpected();
  return true;
}

// Who asks for a time beyond the longest one gets that.
UnixMs end_of(const Context& ctx, const Ending& ending, Millis standard, Millis most) {
  if (ending.at) return decides(ctx) ? std::min(*ending.at, ctx.now + most) : *ending.at;
  return ctx.now + ending.ms.value_or(standard);
}

// The key is absent in the database: what was here of it goes.
void note_absent(Context& ctx, const Key& key, UnixMs until) {
  if (Entry* entry = ctx.find_to_write(key); entry != nullptr) {
    ctx.db.erase(key, Freeing::kLazy);
    ctx.changed(key, Event::kGeneric, "del");
  } else {
    ++ctx.changes;
  }
  ctx.engine.note_absent(ctx.caller.db, key, until);
  ctx.engine.blocking.on_changed(ctx.caller.db, key.bytes);
  ctx.engine.notify(ctx.caller.db, key.bytes, Event::kLease, "absent");
  ctx.only_ours();
  if (!ctx.effects.wanted()) return;
  ctx.effects.replace({"CACHE.NIL", key.bytes, "0", "PXAT", Int64Text(until).view()});
}

Status cmd_cache_nil(Context& ctx) {
  ArgParser args(ctx.argv, 2);
  const uint64_t token = take_token(args);
  Ending ending;
  while (args.more()) {
    if (!take_ending(args, ending, kNegativeMax)) args.unexpected();
  }
  OURO_TRY(args.finish());
  const Key key = ctx.key(1);
  if (decides(ctx) &&
      !ctx.engine.guard.accept(ctx.caller.db, key, token, ctx.engine.instant()).accepted) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  const Rule* rule = rule_of(ctx, key);
  const Millis standard = rule != nullptr && rule->settings.negative > 0 ? rule->settings.negative
                                                                         : Guard::kNegativeDefault;
  note_absent(ctx, key, end_of(ctx, ending, standard, kNegativeMax));
  ctx.reply.integer(1);
  return Status::ok();
}

// ---- CACHE.FAIL key token [PX ms]

Status cmd_cache_fail(Context& ctx) {
  ArgParser args(ctx.argv, 2);
  const uint64_t token = take_token(args);
  Millis cool_down = 0;
  while (args.more()) {
    if (args.word("PX")) {
      cool_down = take_millis(args, 1, kLeaseMax);
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  const Key key = ctx.key(1);
  const bool given_up =
      ctx.engine.guard.give_up(ctx.caller.db, key, token, ctx.engine.instant(), cool_down);
  // The oldest of those who wait loads now, or all of them wait for the end of that.
  if (given_up) {
    ctx.engine.blocking.on_changed(ctx.caller.db, key.bytes);
    ctx.engine.notify(ctx.caller.db, key.bytes, Event::kLease, "fail");
  }
  ctx.reply.integer(given_up ? 1 : 0);
  return Status::ok();
}

// ---- CACHE.STALE key [key ...] [PX ms | PXAT unix-ms] [VERSION n]

// Options stand behind the keys, so where they begin is looked for from the end.
size_t end_of_keys(Argv argv) {
  const auto is_option = [](ByteView word) {
    return equals_ignoring_case(word, "PX") || equals_ignoring_case(word, "PXAT") ||
           equals_ignoring_case(word, "VERSION");
  };
  size_t end = argv.size();
  while (end >= 4 && is_option(argv[end - 2])) end -= 2;
  return end;
}

struct Staling {
  size_t keys_end;
  Ending ending = {};
  uint64_t version = 0;
};

Result<Staling> parse_staling(const Context& ctx) {
  Staling staling{.keys_end = end_of_keys(ctx.argv)};
  ArgParser args(ctx.argv, staling.keys_end);
  while (args.more()) {
    if (take_ending(args, staling.ending, kStaleMax)) continue;
    if (args.word("VERSION")) {
      staling.version = take_version(args);
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  return staling;
}

Millis stale_time(const Context& ctx, const Key& key, const Entry& entry) {
  if (entry.fill().stale_ms > 0) return entry.fill().stale_ms;
  const Rule* rule = rule_of(ctx, key);
  return rule != nullptr && rule->settings.stale > 0 ? rule->settings.stale : Guard::kStaleDefault;
}

void leave_staling(Context& ctx, const Key& key, UnixMs until, uint64_t version) {
  ctx.only_ours();
  if (!ctx.effects.wanted()) return;
  const Int64Text end(until);
  const Int64Text number(static_cast<int64_t>(version));
  if (version > 0) {
    ctx.effects.replace({"CACHE.STALE", key.bytes, "PXAT", end.view(), "VERSION", number.view()});
  } else {
    ctx.effects.replace({"CACHE.STALE", key.bytes, "PXAT", end.view()});
  }
}

// True if there was a value to be made stale, or that is stale already.
bool make_stale(Context& ctx, const Key& key, const Staling& staling) {
  // Under a primary it may be due, and is there all the same.
  Entry* entry = decides(ctx) ? ctx.find_to_write(key) : ctx.db.find(key);
  if (staling.version > 0) {
    if (known_version(ctx, key, entry) > staling.version) return false;
    if (!ctx.engine.rehearses)
      ctx.engine.note_version(ctx.caller.db, key, staling.version, version_window_end(ctx));
  }
  if (entry == nullptr) {
    ctx.engine.guard.on_changed(ctx.caller.db, key);
    ctx.engine.blocking.on_changed(ctx.caller.db, key.bytes);
    if (staling.version > 0) {
      ++ctx.changes;
      leave_staling(ctx, key, version_window_end(ctx), staling.version);
    }
    Aside* aside = ctx.db.aside();
    return aside != nullptr && aside->find_stale(key, ctx.now) != nullptr;
  }
  const UnixMs until = end_of(ctx, staling.ending, stale_time(ctx, key, *entry), kStaleMax);
  const UnixMs ended = entry->has_deadline() ? std::min(entry->deadline(), ctx.now) : ctx.now;
  if (until > ended) {
    ctx.db.make_stale(key, until, ended);
  } else {
    ctx.db.erase(key, Freeing::kLazy);
  }
  ctx.changed(key, Event::kGeneric, "stale");
  leave_staling(ctx, key, until, staling.version);
  return true;
}

Status cmd_cache_stale(Context& ctx) {
  OURO_TRY(const Staling staling, parse_staling(ctx));
  for (size_t i = 1; i < staling.keys_end; ++i) {
    const Entry* entry = ctx.find_in(ctx.caller.db, ctx.key(i));
    if (entry != nullptr && !entry->is_string()) return Err::kWrongType;
  }
  ctx.effects.none();
  int64_t count = 0;
  for (size_t i = 1; i < staling.keys_end; ++i)
    count += make_stale(ctx, ctx.key(i), staling) ? 1 : 0;
  ctx.reply.integer(count);
  return Status::ok();
}

Status keys_of_stale(Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
  const size_t end = end_of_keys(argv);
  for (size_t i = 1; i < end; ++i) fn(i, kReadWrite | kDelete);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "CACHE.FAIL",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kString,
     .handler = cmd_cache_fail,
     .doc = {.summary = "Gives a lease back: its key could not be loaded.",
             .complexity = "O(1)",
             .since = "0.1.0",
             .group = "string",
             .args = "key:key#0 token:integer [PX=cool-down:integer]"}},
    {.name = "CACHE.NIL",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kOverwrite | kDelete)},
     .acl = Acl::kString,
     .handler = cmd_cache_nil,
     .doc = {.summary = "Notes that a key does not exist in the database.",
             .complexity = "O(1)",
             .since = "0.1.0",
             .group = "string",
             .args = "key:key#0 token:integer [expiration:<PX=milliseconds:integer | "
                     "PXAT=unix-time-milliseconds:unix-time>]"}},
    {.name = "CACHE.STALE",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast | Flag::kMovableKeys,
     .keys = {key_range(1, -1, 1, kReadWrite | kDelete | kIncomplete)},
     .acl = Acl::kString,
     .handler = cmd_cache_stale,
     .movable_keys = keys_of_stale,
     .doc = {.summary = "Ends values that may still be shown as stale.",
             .complexity = "O(N), N keys",
             .since = "0.1.0",
             .group = "string",
             .args = "key:key#0... [expiration:<PX=milliseconds:integer | "
                     "PXAT=unix-time-milliseconds:unix-time>] [VERSION=version:integer]"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kCacheLoadCommands = kRows;

}  // namespace ouro
