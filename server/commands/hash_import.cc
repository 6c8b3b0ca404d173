// SPDX-License-Identifier: BSD-3-Clause
// HIMPORT: hashes of the same fields, whose names a client sends once. What is left for the log is
// the hash itself, since names are known to the client's connection alone.
#include <algorithm>
#include <vector>

#include "datastructs/hash.h"
#include "server/commands/stored_result.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

bool has_twins(Argv fields) {
  std::vector<ByteView> sorted(fields.begin(), fields.end());
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
}

// A script's commands have those of the client that runs it, and change none.
const FieldSets& field_sets_of(const Context& ctx) {
  const ScriptLimits* script = ctx.caller.script;
  return (script == nullptr ? ctx.caller : *script->caller).field_sets;
}

Status cmd_himport_prepare(Context& ctx) {
  const Argv fields = ctx.argv.subspan(3);
  if (has_twins(fields)) return ctx.fail("ERR duplicate field name in fieldset");
  if (!ctx.caller.field_sets.set(ctx.engine.heap, ctx.argv[2], fields))
    return ctx.fail("ERR too many fieldsets");
  ctx.reply.ok();
  return Status::ok();
}

void leave_hash(Context& ctx, ByteView key, bool replaces, const FieldSets::Fields& fields,
                Argv values) {
  if (!ctx.effects.wanted()) return;
  ctx.effects.none();
  ctx.effects.apply_whole();
  if (replaces) ctx.effects.replace({"DEL", key});
  std::vector<ByteView> argv = {"HSET", key};
  for (size_t i = 0; i < fields.size(); ++i) argv.insert(argv.end(), {fields[i], values[i]});
  ctx.effects.replace(Argv(argv));
}

Status cmd_himport_set(Context& ctx) {
  const Key key = ctx.key(2);
  const FieldSets::Fields* const fields = field_sets_of(ctx).find(ctx.argv[3]);
  if (fields == nullptr) return ctx.fail("ERR no such fieldset");
  const Argv values = ctx.argv.subspan(4);
  if (values.size() != fields->size())
    return ctx.fail("ERR value count does not match fieldset field count");
  OURO_TRY(const Hash* old, ctx.find_as_to_write<Hash>(key));
  const bool replaces = old != nullptr;
  Hash hash;
  for (size_t i = 0; i < values.size(); ++i)
    hash.set(ctx.heap(), ctx.limits(), ctx.db.seed_of(key), (*fields)[i], values[i]);
  replace_value(ctx, key, hash, Event::kHash, "hset");
  if (ctx.engine.tells_fields()) {
    const std::vector<ByteView> names(fields->begin(), fields->end());
    ctx.engine.pubsub.notify_fields(ctx.caller.db, key.bytes, "hset", names);
  }
  leave_hash(ctx, key.bytes, replaces, *fields, values);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_himport_discard(Context& ctx) {
  ctx.reply.integer(ctx.caller.field_sets.erase(ctx.argv[2]) ? 1 : 0);
  return Status::ok();
}

Status cmd_himport_discardall(Context& ctx) {
  ctx.reply.integer(static_cast<int64_t>(ctx.caller.field_sets.clear()));
  return Status::ok();
}

constexpr CommandSpec kImportRows[] = {
    {.name = "DISCARD",
     .arity = exactly(3),
     .flags = Flag::kNoScript,
     .acl = Acl::kHash,
     .handler = cmd_himport_discard,
     .doc = {.summary = "Forgets a list of field names.",
             .complexity = "O(N), N fields",
             .since = "8.10.0",
             .group = "hash",
             .args = "fieldset-name:string"}},
    {.name = "DISCARDALL",
     .arity = exactly(2),
     .flags = Flag::kNoScript,
     .acl = Acl::kHash,
     .handler = cmd_himport_discardall,
     .doc = {.summary = "Forgets all lists of field names that the client has prepared.",
             .complexity = "O(N), N lists",
             .since = "8.10.0",
             .group = "hash"}},
    {.name = "PREPARE",
     .arity = at_least(4),
     .flags = Flag::kDenyOom | Flag::kNoScript,
     .acl = Acl::kHash,
     .handler = cmd_himport_prepare,
     .doc = {.summary = "Keeps a list of field names for this connection.",
             .complexity = "O(N*log(N)), N fields",
             .since = "8.10.0",
             .group = "hash",
             .args = "fieldset-name:string field:string..."}},
    {.name = "SET",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(2, kOverwrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_himport_set,
     .doc = {.summary = "Makes a key a hash of prepared fields with these values.",
             .complexity = "O(N), N fields",
             .since = "8.10.0",
             .group = "hash",
             .args = "key:key#0 fieldset-name:string value:string..."}},
};
static_assert(table_is_valid(kImportRows));

constexpr CommandSpec kRows[] = {
    {.name = "HIMPORT",
     .arity = at_least(2),
     .subcommands = kImportRows,
     .doc = {.summary = "Makes hashes of the same fields.",
             .complexity = "By subcommand",
             .since = "8.10.0",
             .group = "hash"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kHashImportCommands = kRows;

}  // namespace ouro
