// SPDX-License-Identifier: BSD-3-Clause
// Commands on hashes. Deadlines of fields: hash_expire.cc.
#include "datastructs/hash.h"

#include <algorithm>
#include <cmath>

#include "datastructs/codec/number_text.h"
#include "server/commands/element_scan.h"
#include "server/commands/element_writer.h"
#include "server/commands/hash_fields.h"
#include "server/commands/help.h"
#include "server/commands/random_picks.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// ---- writing

// Stores the field-value pairs from argument 2 on; returns how many fields are new.
Result<size_t> store_pairs(Context& ctx) {
  if (ctx.argv.size() % 2 != 0) return wrong_arity(ctx);
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_or_add<Hash>(key));
  const Hash::Write how{.now = field_clock(ctx)};
  size_t added = 0;
  for (size_t i = 2; i < ctx.argv.size(); i += 2) {
    if (hash->set(ctx.heap(), ctx.limits(), ctx.db.seed_of(key), ctx.argv[i], ctx.argv[i + 1],
                  how)) {
      ++added;
    }
  }
  const Argv pairs = ctx.argv.subspan(2);
  fields_changed(ctx, key, "hset", pairs.size() / 2, [&] { return fields_of(pairs); });
  return added;
}

Status cmd_hset(Context& ctx) {
  OURO_TRY(const size_t added, store_pairs(ctx));
  ctx.reply.integer(static_cast<int64_t>(added));
  return Status::ok();
}

Status cmd_hmset(Context& ctx) {
  OURO_TRY(store_pairs(ctx));
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_hsetnx(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  if (find_field(ctx, key, hash, ctx.argv[2])) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  if (hash == nullptr) {
    OURO_TRY(hash, ctx.find_or_add<Hash>(key));
  }
  hash->set(ctx.heap(), ctx.limits(), ctx.db.seed_of(key), ctx.argv[2], ctx.argv[3]);
  fields_changed(ctx, key, "hset", 1, [&] { return ctx.argv.subspan(2, 1); });
  ctx.reply.integer(1);
  return Status::ok();
}

// What HDEL tells of: the fields that it removed, or those that were due if these are all.
class GoneFields {
 public:
  explicit GoneFields(size_t hash_size) : left_(hash_size) {}

  void note(ByteView field, bool lived, size_t left) {
    if (left < left_) (lived ? living_ : due_).push_back(field);
    left_ = left;
  }
  Argv fields() const { return living_.empty() ? due_ : living_; }

 private:
  size_t left_;
  std::vector<ByteView> living_;
  std::vector<ByteView> due_;
};

Status cmd_hdel(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  if (hash == nullptr) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  // A due field goes too, but was not there.
  const UnixMs now = field_clock(ctx);
  const size_t size = hash->size();
  const bool tells = ctx.engine.tells_fields();
  GoneFields told(size);
  int64_t removed = 0;
  for (const ByteView field : ctx.argv.subspan(2)) {
    const bool lived = hash->erase(ctx.heap(), field, now);
    if (lived) ++removed;
    if (tells) [[unlikely]]
      told.note(field, lived, hash->size());
  }
  if (const size_t gone = size - hash->size(); gone > 0) {
    fields_changed(ctx, key, removed > 0 ? "hdel" : "hexpired", gone,
                   [&] { return told.fields(); });
    ctx.erase_if_empty(key, *hash);
  }
  ctx.reply.integer(removed);
  return Status::ok();
}

// Stores a number over what the field held; the field keeps its deadline.
Status store_number(Context& ctx, const Key& key, Hash* hash, ByteView text, ByteView event) {
  if (hash == nullptr) {
    OURO_TRY(hash, ctx.find_or_add<Hash>(key));
  }
  hash->set(ctx.heap(), ctx.limits(), ctx.db.seed_of(key), ctx.argv[2], text,
            {.keep_deadline = true});
  fields_changed(ctx, key, event, 1, [&] { return ctx.argv.subspan(2, 1); });
  return Status::ok();
}

Status cmd_hincrby(Context& ctx) {
  OURO_TRY(const int64_t delta, ctx.integer(3));
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  int64_t sum = 0;
  if (const auto item = find_field(ctx, key, hash, ctx.argv[2])) {
    const auto value = parse_int64(item->value);
    if (!value) return ctx.fail("ERR hash value is not an integer");
    sum = *value;
  }
  if (__builtin_add_overflow(sum, delta, &sum)) return Err::kOverflow;
  char text[kInt64TextMax];
  OURO_TRY(store_number(ctx, key, hash, {text, format_int64(sum, text)}, "hincrby"));
  ctx.reply.integer(sum);
  return Status::ok();
}

// HINCRBYFLOAT's fact: the sum, and the deadline that HSET takes away.
void leave_sum(Context& ctx, const Key& key, ByteView sum, UnixMs deadline) {
  if (!ctx.effects.wanted()) return;
  ctx.effects.replace({"HSET", key.bytes, ctx.argv[2], sum});
  if (deadline == kNoExpiry) return;
  char text[kInt64TextMax];
  ctx.effects.replace(
      {"HPEXPIREAT", key.bytes, {text, format_int64(deadline, text)}, "FIELDS", "1", ctx.argv[2]});
}

Status cmd_hincrbyfloat(Context& ctx) {
  const auto delta = parse_long_double(ctx.argv[3]);
  if (!delta) return Err::kNotAFloat;
  if (!std::isfinite(*delta)) return ctx.fail("ERR value is NaN or Infinity");
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  long double sum = *delta;
  UnixMs deadline = kNoExpiry;
  if (const auto item = find_field(ctx, key, hash, ctx.argv[2])) {
    const auto value = parse_long_double(item->value);
    if (!value) return ctx.fail("ERR hash value is not a float");
    sum += *value;
    deadline = item->deadline;
  }
  if (!std::isfinite(sum)) return Err::kNanOrInfinity;
  char buffer[kLongDoubleTextMax];
  const ByteView text(buffer, format_long_double(sum, buffer));
  OURO_TRY(store_number(ctx, key, hash, text, "hincrbyfloat"));
  leave_sum(ctx, key, text, deadline);
  ctx.reply.bulk(text);
  return Status::ok();
}

// ---- reading

void reply_value(Reply& reply, const std::optional<Hash::Item>& item) {
  item ? reply.bulk(item->value) : reply.null();
}

Status cmd_hget(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as<Hash>(key));
  reply_value(ctx.reply, find_field(ctx, key, hash, ctx.argv[2]));
  return Status::ok();
}

Status cmd_hmget(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as<Hash>(key));
  const Argv fields = ctx.argv.subspan(2);
  end_due_named(ctx, key, hash, fields);
  ctx.reply.array(fields.size());
  for (const ByteView field : fields) reply_value(ctx.reply, find_field(ctx, key, hash, field));
  return Status::ok();
}

Status cmd_hexists(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as<Hash>(key));
  ctx.reply.integer(find_field(ctx, key, hash, ctx.argv[2]) ? 1 : 0);
  return Status::ok();
}

Status cmd_hstrlen(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as<Hash>(key));
  const auto item = find_field(ctx, key, hash, ctx.argv[2]);
  ctx.reply.integer(item ? static_cast<int64_t>(item->value.size()) : 0);
  return Status::ok();
}

// Fields that are due count until they are removed, as in Redis.
Status cmd_hlen(Context& ctx) {
  OURO_TRY(const Hash* hash, ctx.find_as<Hash>(ctx.key(1)));
  ctx.reply.integer(hash == nullptr ? 0 : static_cast<int64_t>(hash->size()));
  return Status::ok();
}

Status cmd_hgetall(Context& ctx) {
  OURO_TRY(const Hash* hash, ctx.find_as<Hash>(ctx.key(1)));
  const UnixMs now = field_clock(ctx);
  ctx.reply.map(hash == nullptr ? 0 : count_fields(*hash, now));
  if (hash == nullptr) return Status::ok();
  hash->for_each(
      [&ctx](const Hash::Item& item) {
        ctx.reply.bulk(item.field);
        ctx.reply.bulk(item.value);
      },
      now);
  return Status::ok();
}

Status reply_each(Context& ctx, ByteView Hash::Item::*part) {
  OURO_TRY(const Hash* hash, ctx.find_as<Hash>(ctx.key(1)));
  const UnixMs now = field_clock(ctx);
  ctx.reply.array(hash == nullptr ? 0 : count_fields(*hash, now));
  if (hash == nullptr) return Status::ok();
  hash->for_each([&](const Hash::Item& item) { ctx.reply.bulk(item.*part); }, now);
  return Status::ok();
}

Status cmd_hkeys(Context& ctx) { return reply_each(ctx, &Hash::Item::field); }
Status cmd_hvals(Context& ctx) { return reply_each(ctx, &Hash::Item::value); }

// A hash without its due fields, for reply_scan().
struct LivingFields {
  const Hash& hash;
  UnixMs now;
  uint64_t scan(uint64_t cursor, FunctionRef<void(const Hash::Item&)> fn) const {
    return hash.scan(cursor, fn, now);
  }
};

Status cmd_hscan(Context& ctx) {
  ElementScan scan;
  OURO_TRY(const Hash* hash, find_to_scan<Hash>(ctx, scan, "NOVALUES"));
  if (hash == nullptr) return Status::ok();
  const LivingFields living{*hash, field_clock(ctx)};
  reply_scan(ctx.reply, living, scan, [&](const Hash::Item& item) -> size_t {
    if (!scan.matches(item.field)) return 0;
    ctx.reply.bulk(item.field);
    if (scan.names_only) return 1;
    ctx.reply.bulk(item.value);
    return 2;
  });
  return Status::ok();
}

// ---- at random

Result<Hash*> find_to_pick_from(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as<Hash>(key));
  end_due_fields(ctx, key, hash);
  return hash;
}

// HRANDFIELD key: one field, or null.
Status pick_one(Context& ctx) {
  OURO_TRY(const Hash* hash, find_to_pick_from(ctx));
  const auto item = hash == nullptr ? std::nullopt : hash->random(ctx.prng(), field_clock(ctx));
  item ? ctx.reply.bulk(item->field) : ctx.reply.null();
  return Status::ok();
}

// The same field may come again.
Status pick_repeated(Context& ctx, const Hash& hash, uint64_t count, ElementWriter& writer) {
  const UnixMs now = field_clock(ctx);
  OURO_TRY(check_repeated(ctx, count, hash.memory_bytes(), [&](Prng& dice) {
    uint64_t bytes = 0;
    hash.random_each(
        ctx.heap(), dice, count,
        [&](const Hash::Item& item) { bytes += item.field.size() + item.value.size(); }, now);
    return bytes;
  }));
  writer.begin(count);
  hash.random_each(
      ctx.heap(), ctx.prng(), count,
      [&](const Hash::Item& item) { writer.put(item.field, item.value); }, now);
  return Status::ok();
}

Status cmd_hrandfield(Context& ctx) {
  if (ctx.argv.size() == 2) return pick_one(ctx);
  OURO_TRY(const PairPicks picks, parse_pair_picks(ctx, "WITHVALUES"));
  OURO_TRY(const Hash* hash, find_to_pick_from(ctx));
  const UnixMs now = field_clock(ctx);
  const size_t living = hash == nullptr ? 0 : count_fields(*hash, now);
  if (living == 0 || picks.count == 0) {
    ctx.reply.array(0);
    return Status::ok();
  }
  ElementWriter writer(ctx.reply, picks.with_second);
  if (picks.count < 0)
    return pick_repeated(ctx, *hash, static_cast<uint64_t>(-picks.count), writer);
  const size_t taken = std::min(static_cast<size_t>(picks.count), living);
  writer.begin(taken);
  hash->random_distinct(
      ctx.heap(), ctx.prng(), taken,
      [&](const Hash::Item& item) { writer.put(item.field, item.value); }, now);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "HDEL",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kHash,
     .handler = cmd_hdel,
     .doc = {.summary = "Removes fields of a hash.",
             .complexity = "O(N), N fields removed",
             .since = "2.0.0",
             .group = "hash",
             .history = "2.4.0 Takes several fields.",
             .args = "key:key#0 field:string..."}},
    {.name = "HEXISTS",
     .arity = exactly(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .acl = Acl::kHash,
     .handler = cmd_hexists,
     .doc = {.summary = "Tells whether a hash has a field.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "hash",
             .args = "key:key#0 field:string"}},
    {.name = "HGET",
     .arity = exactly(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hget,
     .doc = {.summary = "Returns the value of a field.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "hash",
             .args = "key:key#0 field:string"}},
    {.name = "HGETALL",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hgetall,
     .doc = {.summary = "Returns all fields of a hash with their values.",
             .complexity = "O(N), N fields in the hash",
             .since = "2.0.0",
             .group = "hash",
             .args = "key:key#0",
             .tips = "nondeterministic_output_order"}},
    {.name = "HINCRBY",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hincrby,
     .doc = {.summary = "Adds a given amount to the integer in a field.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "hash",
             .args = "key:key#0 field:string increment:integer"}},
    {.name = "HINCRBYFLOAT",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hincrbyfloat,
     .doc = {.summary = "Adds a floating-point amount to the number in a field.",
             .complexity = "O(1)",
             .since = "2.6.0",
             .group = "hash",
             .args = "key:key#0 field:string increment:double"}},
    {.name = "HKEYS",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hkeys,
     .doc = {.summary = "Returns the names of all fields of a hash.",
             .complexity = "O(N), N fields in the hash",
             .since = "2.0.0",
             .group = "hash",
             .args = "key:key#0",
             .tips = "nondeterministic_output_order"}},
    {.name = "HLEN",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .acl = Acl::kHash,
     .handler = cmd_hlen,
     .doc = {.summary = "Returns how many fields a hash has.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "hash",
             .args = "key:key#0"}},
    {.name = "HMGET",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hmget,
     .doc = {.summary = "Returns the values of several fields, null for each missing one.",
             .complexity = "O(N), N fields asked for",
             .since = "2.0.0",
             .group = "hash",
             .args = "key:key#0 field:string..."}},
    {.name = "HMSET",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hmset,
     .doc = {.summary = "Stores several fields of a hash.",
             .complexity = "O(N), N fields stored",
             .since = "2.0.0",
             .group = "hash",
             .args = "key:key#0 field_value:{field:string value:string}...",
             .deprecated_since = "4.0.0",
             .replaced_by = "`HSET` with multiple field-value pairs"}},
    {.name = "HRANDFIELD",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kDrawsFields,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hrandfield,
     .doc = {.summary = "Returns fields of a hash picked at random.",
             .complexity = "O(N), N fields returned",
             .since = "6.2.0",
             .group = "hash",
             .args = "key:key#0 [options:{count:integer [withvalues!WITHVALUES]}]",
             .tips = "nondeterministic_output"}},
    {.name = "HSCAN",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hscan,
     .doc = {.summary = "Walks the fields of a hash a few at a time.",
             .complexity = "O(1) a call, O(N) for a whole walk over N fields",
             .since = "2.8.0",
             .group = "hash",
             .args = "key:key#0 cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer] "
                     "[novalues!NOVALUES@7.4.0]",
             .tips = "nondeterministic_output"}},
    {.name = "HSET",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hset,
     .doc = {.summary = "Stores fields of a hash and returns how many are new.",
             .complexity = "O(N), N fields stored",
             .since = "2.0.0",
             .group = "hash",
             .history = "4.0.0 Takes several fields and values.",
             .args = "key:key#0 field_value:{field:string value:string}..."}},
    {.name = "HSETNX",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .acl = Acl::kHash,
     .handler = cmd_hsetnx,
     .doc = {.summary = "Stores a field only if the hash does not have it.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "hash",
             .args = "key:key#0 field:string value:string"}},
    {.name = "HSTRLEN",
     .arity = exactly(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .acl = Acl::kHash,
     .handler = cmd_hstrlen,
     .doc = {.summary = "Returns how many bytes the value of a field has.",
             .complexity = "O(1)",
             .since = "3.2.0",
             .group = "hash",
             .args = "key:key#0 field:string"}},
    {.name = "HVALS",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hvals,
     .doc = {.summary = "Returns the values of all fields of a hash.",
             .complexity = "O(N), N fields in the hash",
             .since = "2.0.0",
             .group = "hash",
             .args = "key:key#0",
             .tips = "nondeterministic_output_order"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kHashCommands = kRows;

}  // namespace ouro
