// SPDX-License-Identifier: BSD-3-Clause
// Fields together with their deadlines or their end, as Redis 8.0 has it: HGETDEL and HGETEX read,
// HSETEX writes.

#include "server/commands/hash_fields.h"
#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// ---- reading

// Answers each field's value or null, and hands those that are there to `use` behind it.
void reply_each(Context& ctx, const Key& key, Hash*& hash, Argv fields,
                FunctionRef<void(const Hash::Item&)> use) {
  end_due_named(ctx, key, hash, fields);
  ctx.reply.array(fields.size());
  for (const ByteView field : fields) {
    const auto item = find_field(ctx, key, hash, field);
    item ? ctx.reply.bulk(item->value) : ctx.reply.null();
    // The argument, not the stored name: it outlives what becomes of the field.
    if (item) use({field, {}, item->deadline});
  }
}

Status cmd_hgetdel(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  OURO_TRY(const Argv fields, parse_fields(ctx, 2));
  FieldFacts facts(ctx);
  reply_each(ctx, key, hash, fields, [&](const Hash::Item& item) {
    hash->erase(ctx.heap(), item.field);
    facts.removed(item.field);
  });
  if (!facts.any_removed()) return Status::ok();
  facts.tell(key);
  facts.leave(key, 0);
  ctx.erase_if_empty(key, *hash);
  return Status::ok();
}

// HGETEX with PERSIST.
Status get_and_persist(Context& ctx, const Key& key, Hash* hash, Argv fields) {
  std::vector<ByteView> persisted;
  reply_each(ctx, key, hash, fields, [&](const Hash::Item& item) {
    if (item.deadline == kNoExpiry) return;
    hash->set_deadline(ctx.heap(), item.field, kNoExpiry);
    persisted.push_back(item.field);
  });
  if (persisted.empty()) return Status::ok();
  fields_changed(ctx, key, "hpersist", persisted.size(), [&] { return Argv(persisted); });
  if (!ctx.effects.wanted()) return Status::ok();
  const std::string count = std::to_string(persisted.size());
  std::vector<ByteView> argv = {"HPERSIST", key.bytes, "FIELDS", count};
  argv.insert(argv.end(), persisted.begin(), persisted.end());
  ctx.effects.replace(Argv(argv));
  return Status::ok();
}

// HGETEX with a time.
Status get_and_expire(Context& ctx, const Key& key, Hash* hash, Argv fields, UnixMs when) {
  FieldFacts facts(ctx);
  reply_each(ctx, key, hash, fields, [&](const Hash::Item& item) {
    end_field_at(ctx, key, *hash, item.field, when, facts);
  });
  if (facts.count() == 0) return Status::ok();
  facts.tell(key);
  facts.leave(key, when);
  ctx.erase_if_empty(key, *hash);
  return Status::ok();
}

Status cmd_hgetex(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  ArgParser args(ctx.argv, 2);
  TimeOption time;
  const bool persist = !take_time(args, time) && args.word("PERSIST");
  OURO_TRY(args.status());
  UnixMs when = kNoExpiry;
  if (time.given()) {
    OURO_TRY(when, parse_field_deadline(ctx, time));
  }
  OURO_TRY(const Argv fields, parse_fields(ctx, args.position()));
  if (persist) return get_and_persist(ctx, key, hash, fields);
  if (time.given()) return get_and_expire(ctx, key, hash, fields, when);
  reply_each(ctx, key, hash, fields, [](const Hash::Item&) {});
  return Status::ok();
}

// ---- writing

struct SetOptions {
  bool only_new = false;       // FNX: none of the fields is there
  bool only_existing = false;  // FXX: all are
  bool keep_ttl = false;
  TimeOption time;
  UnixMs when = kNoExpiry;
  Argv pairs;  // field, value, ...
};

// FIELDS numfields field value ..., which end the command.
Result<Argv> parse_pairs(Context& ctx, size_t at) {
  if (ctx.argv.size() < at + 3) return wrong_arity(ctx);
  const auto count = parse_int64(ctx.argv[at]);
  if (!count || *count < 1) return ctx.fail("ERR invalid number of fields");
  const Argv pairs = ctx.argv.subspan(at + 1);
  if (pairs.size() % 2 != 0 || static_cast<uint64_t>(*count) != pairs.size() / 2) {
    return wrong_arity(ctx);
  }
  return pairs;
}

Result<SetOptions> parse_set_options(Context& ctx) {
  SetOptions options;
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    TimeOption time;
    if (args.word("FIELDS")) {
      OURO_TRY(options.pairs, parse_pairs(ctx, args.position()));
      return options;
    }
    if (args.word("FNX") || args.word("FXX")) {
      if (options.only_new || options.only_existing) {
        return ctx.fail("ERR Only one of FXX or FNX arguments can be specified");
      }
      const ByteView word = ctx.argv[args.position() - 1];
      (equals_ignoring_case(word, "FNX") ? options.only_new : options.only_existing) = true;
    } else if (take_time(args, time) || args.word("KEEPTTL")) {
      if (options.time.given() || options.keep_ttl) {
        return ctx.fail("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
      }
      options.time = time;
      options.keep_ttl = !time.given();
      if (!args.status().is_ok()) return ctx.fail("ERR missing expire time");
      if (time.given()) {
        OURO_TRY(options.when, parse_field_deadline(ctx, time));
      }
    } else {
      const ByteView word = args.peek();
      return ctx.fail("ERR unknown argument: %.*s", printed_size(word), word.data());
    }
  }
  return wrong_arity(ctx);
}

bool may_set(Context& ctx, const Key& key, Hash*& hash, const SetOptions& options) {
  if (!options.only_new && !options.only_existing) return true;
  for (size_t i = 0; i < options.pairs.size(); i += 2) {
    const bool exists = find_field(ctx, key, hash, options.pairs[i]).has_value();
    if (exists != options.only_existing) return false;
  }
  return true;
}

// The facts are HSET, which takes deadlines away, and HPEXPIREAT; HDEL where the time is past.
// Where KEEPTTL may have kept some it is the command as sent: what is due had gone before, so its
// condition holds again.
Status set_fields(Context& ctx, const Key& key, const SetOptions& options) {
  OURO_TRY(Hash * hash, ctx.find_or_add<Hash>(key));
  const Argv pairs = options.pairs;
  const Hash::Write how{.now = field_clock(ctx), .keep_deadline = options.keep_ttl};
  FieldFacts facts(ctx);
  for (size_t i = 0; i < pairs.size(); i += 2) {
    hash->set(ctx.heap(), ctx.limits(), ctx.db.seed_of(key), pairs[i], pairs[i + 1], how);
    if (options.time.given()) end_field_at(ctx, key, *hash, pairs[i], options.when, facts);
  }
  fields_changed(ctx, key, "hset", pairs.size() / 2, [&] { return fields_of(pairs); });
  if (options.time.given()) facts.tell_event(key);
  const bool as_sent = options.keep_ttl && hash->has_deadlines();
  if (!as_sent && ctx.effects.wanted()) {
    std::vector<ByteView> argv = {"HSET", key.bytes};
    argv.insert(argv.end(), pairs.begin(), pairs.end());
    if (!facts.any_removed()) ctx.effects.replace(Argv(argv));
    facts.leave(key, options.when);
  }
  ctx.erase_if_empty(key, *hash);
  return Status::ok();
}

Status cmd_hsetex(Context& ctx) {
  OURO_TRY(const SetOptions options, parse_set_options(ctx));
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  end_due_named(ctx, key, hash, fields_of(options.pairs));
  const bool allowed = may_set(ctx, key, hash, options);
  if (allowed) {
    OURO_TRY(set_fields(ctx, key, options));
  }
  ctx.reply.integer(allowed ? 1 : 0);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "HGETDEL",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kHash,
     .handler = cmd_hgetdel,
     .doc = {.summary = "Returns hash fields and deletes them.",
             .complexity = "O(N), N fields named",
             .since = "8.0.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HGETEX",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hgetex,
     .doc = {.summary = "Returns hash fields and may change when they expire.",
             .complexity = "O(N), N fields named",
             .since = "8.0.0",
             .group = "hash",
             .args = "key:key#0 [expiration:<EX=seconds:integer | PX=milliseconds:integer | "
                     "EXAT=unix-time-seconds:unix-time | PXAT=unix-time-milliseconds:unix-time | "
                     "persist!PERSIST>] FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HSETEX",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hsetex,
     .doc = {.summary = "Stores hash fields with a condition and an expiry.",
             .complexity = "O(N), N fields named",
             .since = "8.0.0",
             .group = "hash",
             .args = "key:key#0 [condition:<fnx!FNX | fxx!FXX>] [expiration:<EX=seconds:integer | "
                     "PX=milliseconds:integer | EXAT=unix-time-seconds:unix-time | "
                     "PXAT=unix-time-milliseconds:unix-time | keepttl!KEEPTTL>] "
                     "FIELDS=fields:{numfields:integer data:{field:string value:string}...}"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kHashExCommands = kRows;

}  // namespace ouro
