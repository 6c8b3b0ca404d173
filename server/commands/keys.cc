// SPDX-License-Identifier: BSD-3-Clause
// Commands on keys whatever they hold: existence, removal, names, copies. Walking over keys is in
// keys_scan.cc, looking inside their values in object.cc, their deadlines in expire.cc.
#include <climits>
#include <optional>

#include "server/commands/tables.h"
#include "server/commands/versions.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// ---- existence

Status cmd_exists(Context& ctx) {
  int64_t count = 0;
  for (size_t i = 1; i < ctx.argv.size(); ++i)
    count += ctx.find_untouched(ctx.key(i)) != nullptr ? 1 : 0;
  ctx.reply.integer(count);
  return Status::ok();
}

Status cmd_touch(Context& ctx) {
  int64_t count = 0;
  for (size_t i = 1; i < ctx.argv.size(); ++i) {
    Entry* entry = ctx.find_untouched(ctx.key(i));
    if (entry == nullptr) continue;
    // Whatever CLIENT NO-TOUCH says: this is what the command is for.
    ctx.engine.touch(*entry);
    ++count;
  }
  ctx.reply.integer(count);
  return Status::ok();
}

Status cmd_type(Context& ctx) {
  const Entry* entry = ctx.find_untouched(ctx.key(1));
  ctx.reply.simple(entry == nullptr ? "none" : type_name(entry->type()));
  return Status::ok();
}

// ---- removal

void remove_keys(Context& ctx, Freeing freeing) {
  int64_t count = 0;
  for (size_t i = 1; i < ctx.argv.size(); ++i) {
    const Key key = ctx.key(i);
    Entry* entry = ctx.find_in(ctx.caller.db, key);
    if (entry == nullptr) {
      ctx.forget_absent(key);
      continue;
    }
    remove_versioned(ctx, key, *entry, freeing);
    ++count;
  }
  if (ctx.effects.is_explicit()) ctx.effects.replace(ctx.argv);
  ctx.reply.integer(count);
}

Status cmd_del(Context& ctx) {
  remove_keys(ctx, ctx.engine.options.lazyfree_lazy_user_del ? Freeing::kLazy : Freeing::kNow);
  return Status::ok();
}

Status cmd_unlink(Context& ctx) {
  remove_keys(ctx, Freeing::kLazy);
  return Status::ok();
}

// ---- names

Freeing freeing_of_overwritten(const Context& ctx) {
  return ctx.engine.options.lazyfree_lazy_server_del ? Freeing::kLazy : Freeing::kNow;
}

// Moves the value of `from`, which is `entry`, to `to` in another place, where nothing is.
void move_value(Context& ctx, const Key& from, Entry* entry, Keyspace& target, const Key& to) {
  const UnixMs deadline = entry->deadline();
  const Fill fill = entry->fill();
  const uint32_t access = entry->access();
  const unsigned uses = entry->uses();
  Entry* moved = target.put_value(to, nullptr, ctx.db.take(from), deadline, fill);
  moved->set_access(access);
  moved->set_uses(uses);
}

// The type of what a command is going to replace; nothing if there is nothing.
std::optional<Type> held_type(const Entry* entry) {
  return entry == nullptr ? std::nullopt : std::optional(entry->type());
}

enum class IfTaken : uint8_t { kReplace, kRefuse };

// False when the new name is taken and that is not wanted.
Result<bool> rename(Context& ctx, IfTaken if_taken) {
  const Key from = ctx.key(1);
  const Key to = ctx.key(2);
  Entry* entry = ctx.find_to_write(from);
  if (entry == nullptr) return Err::kNoSuchKey;
  if (from.bytes == to.bytes) return if_taken == IfTaken::kReplace;
  const std::optional<Type> replaced = held_type(ctx.find_to_write(to));
  if (replaced && if_taken == IfTaken::kRefuse) return false;
  const Type type = entry->type();
  if (replaced) ctx.db.erase(to, freeing_of_overwritten(ctx));
  move_value(ctx, from, entry, ctx.db, to);
  ctx.added(to);
  ctx.changed(from, Event::kGeneric, "rename_from");
  ctx.changed(to, Event::kGeneric, "rename_to", 0);
  if (replaced) ctx.overwritten(to, *replaced, type);
  return true;
}

Status cmd_rename(Context& ctx) {
  OURO_TRY(rename(ctx, IfTaken::kReplace));
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_renamenx(Context& ctx) {
  OURO_TRY(const bool renamed, rename(ctx, IfTaken::kRefuse));
  ctx.reply.integer(renamed ? 1 : 0);
  return Status::ok();
}

// ---- other databases

Result<DbIndex> parse_database(Context& ctx, ByteView text) {
  OURO_TRY(const int64_t index, parse_integer(text));
  if (index < INT_MIN || index > INT_MAX) {
    return ctx.fail("ERR value is out of range, value must between %d and %d", INT_MIN, INT_MAX);
  }
  if (index < 0 || index >= ctx.engine.dbs.count())
    return ctx.fail_text(errors::kDbIndexOutOfRange);
  return static_cast<DbIndex>(index);
}

// The word REPLACE of Valkey 9.2, or nothing.
Result<IfTaken> parse_replace(Context& ctx) {
  if (ctx.argv.size() == 3) return IfTaken::kRefuse;
  ArgParser args(ctx.argv, 3);
  if (!args.word("REPLACE")) args.unexpected();
  OURO_TRY(args.finish());
  return IfTaken::kReplace;
}

// In the words of Redis 7.0, which knows no REPLACE.
void leave_move(Context& ctx, DbIndex target, bool replaces) {
  ctx.effects.apply_whole();
  if (replaces) ctx.effects.replace_in(target, {"DEL", ctx.argv[1]});
  ctx.effects.replace({"MOVE", ctx.argv[1], ctx.argv[2]});
}

Status cmd_move(Context& ctx) {
  OURO_TRY(const IfTaken if_taken, parse_replace(ctx));
  OURO_TRY(const DbIndex target, parse_database(ctx, ctx.argv[2]));
  if (target == ctx.caller.db) return ctx.fail_text(errors::kSameObjects);
  const Key key = ctx.key(1);
  Entry* entry = ctx.find_to_write(key);
  const auto taken = held_type(entry == nullptr ? nullptr : ctx.find_in(target, key));
  if (entry == nullptr || (taken && if_taken == IfTaken::kRefuse)) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  const Type type = entry->type();
  if (taken) ctx.engine.dbs[target].erase(key, freeing_of_overwritten(ctx));
  if (if_taken == IfTaken::kReplace) leave_move(ctx, target, taken.has_value());
  move_value(ctx, key, entry, ctx.engine.dbs[target], key);
  ctx.added_in(target, key);
  ctx.changed(key, Event::kGeneric, "move_from");
  ctx.changed_in(target, key, Event::kGeneric, "move_to", 0);
  if (taken) ctx.overwritten_in(target, key, *taken, type);
  ctx.reply.integer(1);
  return Status::ok();
}

struct CopyOptions {
  DbIndex target;
  bool replace = false;
};

Result<CopyOptions> parse_copy(Context& ctx) {
  CopyOptions options{.target = ctx.caller.db};
  ArgParser args(ctx.argv, 3);
  while (args.more()) {
    if (args.word("REPLACE")) {
      options.replace = true;
    } else if (args.left() >= 2 && args.word("DB")) {
      OURO_TRY(options.target, parse_database(ctx, args.next()));
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  return options;
}

Status cmd_copy(Context& ctx) {
  OURO_TRY(const CopyOptions options, parse_copy(ctx));
  const Key from = ctx.key(1);
  const Key to = ctx.key(2);
  if (options.target == ctx.caller.db && from.bytes == to.bytes) {
    return ctx.fail_text(errors::kSameObjects);
  }
  const Entry* entry = ctx.find(from);
  Keyspace& target = ctx.engine.dbs[options.target];
  const auto taken = held_type(entry == nullptr ? nullptr : ctx.find_in(options.target, to));
  if (entry == nullptr || (taken && !options.replace)) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  const Type type = entry->type();
  if (taken) target.erase(to, freeing_of_overwritten(ctx));
  target.put_value(to, nullptr, Value::copy_of(ctx.heap(), *entry), entry->deadline(),
                   entry->fill());
  ctx.added_in(options.target, to);
  ctx.changed_in(options.target, to, Event::kGeneric, "copy_to");
  if (taken) ctx.overwritten_in(options.target, to, *taken, type);
  ctx.reply.integer(1);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "COPY",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadOnly | kAccess), one_key(2, kOverwrite | kUpdate)},
     .databases = DbUse::kOption,
     .acl = Acl::kKeyspace,
     .handler = cmd_copy,
     .doc = {.summary = "Copies a value to another key.",
             .complexity = "O(N) for a collection of N elements, O(1) for a string",
             .since = "6.2.0",
             .group = "generic",
             .args =
                 "source:key#0 destination:key#1 [DB=destination-db:integer] [replace!REPLACE]"}},
    {.name = "DEL",
     .arity = at_least(2),
     .flags = Flag::kWrite,
     .keys = {key_range(1, -1, 1, kRemove | kDelete)},
     .acl = Acl::kKeyspace,
     .handler = cmd_del,
     .doc = {.summary = "Removes keys.",
             .complexity = "O(N), N keys removed and, for collections, their elements",
             .since = "1.0.0",
             .group = "generic",
             .args = "key:key#0...",
             .tips = "request_policy:multi_shard response_policy:agg_sum"}},
    {.name = "EXISTS",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {key_range(1, -1, 1, kReadOnly)},
     .acl = Acl::kKeyspace,
     .handler = cmd_exists,
     .doc = {.summary = "Counts how many of the given keys exist.",
             .complexity = "O(N), N keys asked for",
             .since = "1.0.0",
             .group = "generic",
             .history = "3.0.3 Takes several keys.",
             .args = "key:key#0...",
             .tips = "request_policy:multi_shard response_policy:agg_sum"}},
    {.name = "MOVE",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .databases = DbUse::kSecond,
     .acl = Acl::kKeyspace,
     .handler = cmd_move,
     .doc = {.summary = "Moves a key to another database.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "generic",
             .args = "key:key#0 db:integer [replace!REPLACE@9.2.0]"}},
    {.name = "RENAME",
     .arity = exactly(3),
     .flags = Flag::kWrite,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete), one_key(2, kOverwrite | kUpdate)},
     .acl = Acl::kKeyspace,
     .handler = cmd_rename,
     .doc = {.summary = "Gives a key a new name, replacing what had that name.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "generic",
             .args = "key:key#0 newkey:key#1"}},
    {.name = "RENAMENX",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete), one_key(2, kOverwrite | kInsert)},
     .acl = Acl::kKeyspace,
     .handler = cmd_renamenx,
     .doc = {.summary = "Gives a key a new name only if nothing has that name yet.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "generic",
             .history = "3.2.0 The same name twice is no error.",
             .args = "key:key#0 newkey:key#1"}},
    {.name = "TOUCH",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {key_range(1, -1, 1, kReadOnly)},
     .acl = Acl::kKeyspace,
     .handler = cmd_touch,
     .doc = {.summary = "Marks keys as used just now and counts those that exist.",
             .complexity = "O(N), N keys touched",
             .since = "3.2.1",
             .group = "generic",
             .args = "key:key#0...",
             .tips = "request_policy:multi_shard response_policy:agg_sum"}},
    {.name = "TYPE",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .acl = Acl::kKeyspace,
     .handler = cmd_type,
     .doc = {.summary = "Returns the type of the value at a key.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "generic",
             .args = "key:key#0"}},
    {.name = "UNLINK",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {key_range(1, -1, 1, kRemove | kDelete)},
     .acl = Acl::kKeyspace,
     .handler = cmd_unlink,
     .doc = {.summary = "Removes keys at once and frees their memory later.",
             .complexity = "O(1) a key; memory is freed in small slices",
             .since = "4.0.0",
             .group = "generic",
             .args = "key:key#0...",
             .tips = "request_policy:multi_shard response_policy:agg_sum"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kKeyCommands = kRows;

}  // namespace ouro
