// SPDX-License-Identifier: BSD-3-Clause
// Commands on whole strings: reading, writing and counting. SET's and GETEX's options are in
// string_set.cc.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "datastructs/codec/number_text.h"
#include "server/commands/help.h"
#include "server/commands/string_value.h"
#include "server/commands/tables.h"
#include "server/commands/versions.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// ---- reading

Status cmd_get(Context& ctx) {
  OURO_TRY(const Entry* entry, ctx.find_string(ctx.key(1)));
  if (entry == nullptr) {
    ctx.reply.null();
  } else {
    reply_string(ctx.reply, *entry);
  }
  return Status::ok();
}

Status cmd_mget(Context& ctx) {
  ctx.reply.array(ctx.argv.size() - 1);
  for (size_t i = 1; i < ctx.argv.size(); ++i) {
    const Entry* entry = ctx.find(ctx.key(i));
    if (entry == nullptr || !entry->is_string()) {
      ctx.reply.null();
    } else {
      reply_string(ctx.reply, *entry);
    }
  }
  return Status::ok();
}

Status cmd_strlen(Context& ctx) {
  OURO_TRY(const Entry* entry, ctx.find_string(ctx.key(1)));
  ctx.reply.integer(entry == nullptr ? 0 : static_cast<int64_t>(entry->text_size()));
  return Status::ok();
}

// Where bytes [start, end] of a string lie; negative positions count from its end, outside ones are
// cut.
ByteView slice(ByteView text, int64_t start, int64_t end) {
  const auto size = static_cast<int64_t>(text.size());
  if (start < 0 && end < 0 && start > end) return {};
  if (start < 0) start = std::max<int64_t>(start + size, 0);
  if (end < 0) end = std::max<int64_t>(end + size, 0);
  end = std::min(end, size - 1);
  if (start > end) return {};
  return text.substr(static_cast<size_t>(start), static_cast<size_t>(end - start + 1));
}

Status cmd_getrange(Context& ctx) {
  OURO_TRY(const int64_t start, ctx.integer(2));
  OURO_TRY(const int64_t end, ctx.integer(3));
  OURO_TRY(const Entry* entry, ctx.find_string(ctx.key(1)));
  NumberText scratch;
  const ByteView part = entry == nullptr ? ByteView() : slice(entry->text(scratch), start, end);
  if (part.size() >= kBlobBytesMin) {
    ctx.reply.blob(entry->blob(), part);
  } else {
    ctx.reply.bulk(part);
  }
  return Status::ok();
}

Status cmd_substr(Context& ctx) { return cmd_getrange(ctx); }

// ---- writing

Status cmd_getset(Context& ctx) {
  const Key key = ctx.key(1);
  // Read first, as GET does (it counts a hit or a miss), then written.
  OURO_TRY(Entry * entry, ctx.find_string(key));
  if (entry == nullptr) {
    ctx.reply.null();
  } else {
    reply_string(ctx.reply, *entry);
  }
  store_argument(ctx, key, entry, 2, kNoExpiry);
  ctx.changed(key, Event::kString, "set");
  ctx.effects.replace({"SET", ctx.argv[1], ctx.argv[2]});
  return Status::ok();
}

Status cmd_getdel(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(const Entry* entry, ctx.find_string(key));
  if (entry == nullptr) {
    ctx.reply.null();
    return Status::ok();
  }
  reply_string(ctx.reply, *entry);
  const bool lazily = ctx.engine.options.lazyfree_lazy_server_del;
  remove_versioned(ctx, key, *entry, lazily ? Freeing::kLazy : Freeing::kNow);
  if (ctx.effects.wanted()) ctx.effects.replace({"DEL", key.bytes});
  return Status::ok();
}

// A key given twice is stored twice: the later value stays.
void store_pairs(Context& ctx) {
  for (size_t i = 1; i < ctx.argv.size(); i += 2) {
    const Key key = ctx.key(i);
    store_argument(ctx, key, ctx.find_to_write(key), i + 1, kNoExpiry);
    ctx.changed(key, Event::kString, "set");
  }
}

Status cmd_mset(Context& ctx) {
  if (ctx.argv.size() % 2 == 0) return wrong_arity(ctx);
  store_pairs(ctx);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_msetnx(Context& ctx) {
  if (ctx.argv.size() % 2 == 0) return wrong_arity(ctx);
  for (size_t i = 1; i < ctx.argv.size(); i += 2) {
    if (ctx.find_to_write(ctx.key(i)) != nullptr) {
      ctx.reply.integer(0);
      return Status::ok();
    }
  }
  store_pairs(ctx);
  ctx.reply.integer(1);
  return Status::ok();
}

Status check_size(const Context& ctx, size_t bytes) {
  if (ctx.caller.obeys()) return Status::ok();
  return bytes > ctx.engine.options.proto_max_bulk_len ? Err::kTooBig : Err::kNone;
}

Status cmd_append(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Entry * entry, ctx.find_string_to_write(key));
  const ByteView tail = ctx.argv[2];
  size_t size = tail.size();
  if (entry == nullptr) {
    store_argument(ctx, key, nullptr, 2, kNoExpiry);
  } else {
    const size_t before = entry->text_size();
    size += before;
    OURO_TRY(check_size(ctx, size));
    const Keyspace::Editable string =
        ctx.db.edit_string(key, entry, size, {.at = before, .bytes = tail.size()});
    if (!tail.empty()) std::memcpy(string.bytes.data() + before, tail.data(), tail.size());
  }
  ctx.changed(key, Event::kString, "append");
  ctx.reply.integer(static_cast<int64_t>(size));
  return Status::ok();
}

Status cmd_setrange(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(const int64_t signed_at, ctx.integer(2));
  if (signed_at < 0) return ctx.fail("ERR offset is out of range");
  const auto at = static_cast<size_t>(signed_at);
  const ByteView part = ctx.argv[3];
  OURO_TRY(Entry * entry, ctx.find_string_to_write(key));
  const size_t before = entry == nullptr ? 0 : entry->text_size();
  if (part.empty()) {
    ctx.reply.integer(static_cast<int64_t>(before));
    return Status::ok();
  }
  OURO_TRY(check_size(ctx, at + part.size()));
  const size_t size = std::max(before, at + part.size());
  const std::span<char> bytes =
      edit_string(ctx, key, entry, size, {.at = at, .bytes = part.size()});
  std::memcpy(bytes.data() + at, part.data(), part.size());
  ctx.changed(key, Event::kString, "setrange");
  ctx.reply.integer(static_cast<int64_t>(size));
  return Status::ok();
}

// ---- counting

Status add_to_integer(Context& ctx, int64_t delta) {
  const Key key = ctx.key(1);
  OURO_TRY(Entry * entry, ctx.find_string_to_write(key));
  int64_t sum = 0;
  if (entry != nullptr && entry->kind() == Kind::kInt) {
    if (__builtin_add_overflow(entry->integer(), delta, &sum)) return Err::kOverflow;
    ctx.db.set_integer(key, entry, sum);
  } else if (entry != nullptr) {
    NumberText scratch;
    OURO_TRY(const int64_t before, parse_integer(entry->text(scratch)));
    if (__builtin_add_overflow(before, delta, &sum)) return Err::kOverflow;
    ctx.db.put_integer(key, entry, sum, entry->deadline());
  } else {
    sum = delta;
    ctx.db.put_integer(key, nullptr, sum, kNoExpiry);
    ctx.added(key);
  }
  ctx.changed(key, Event::kString, "incrby");
  ctx.reply.integer(sum);
  return Status::ok();
}

Status cmd_incr(Context& ctx) { return add_to_integer(ctx, 1); }

Status cmd_decr(Context& ctx) { return add_to_integer(ctx, -1); }

Status cmd_incrby(Context& ctx) {
  OURO_TRY(const int64_t delta, ctx.integer(2));
  return add_to_integer(ctx, delta);
}

Status cmd_decrby(Context& ctx) {
  OURO_TRY(const int64_t delta, ctx.integer(2));
  if (delta == INT64_MIN) return ctx.fail("ERR decrement would overflow");
  return add_to_integer(ctx, -delta);
}

Status cmd_incrbyfloat(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Entry * entry, ctx.find_string_to_write(key));
  long double sum = 0;
  if (entry != nullptr) {
    NumberText scratch;
    const auto before = parse_long_double(entry->text(scratch));
    if (!before) return Err::kNotAFloat;
    sum = *before;
  }
  const auto delta = parse_long_double(ctx.argv[2]);
  if (!delta) return Err::kNotAFloat;
  sum += *delta;
  if (!std::isfinite(sum)) return Err::kNanOrInfinity;
  char buffer[kLongDoubleTextMax];
  const ByteView text(buffer, format_long_double(sum, buffer));
  ctx.db.put_text(key, entry, text, entry == nullptr ? kNoExpiry : entry->deadline());
  if (entry == nullptr) ctx.added(key);
  ctx.changed(key, Event::kString, "incrbyfloat");
  ctx.reply.bulk(text);
  // The sum, not the addition: another machine's long double may differ.
  if (ctx.effects.wanted()) ctx.effects.replace({"SET", key.bytes, text, "KEEPTTL"});
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "APPEND",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .acl = Acl::kString,
     .handler = cmd_append,
     .doc = {.summary = "Adds bytes to the end of a string, making the key if it is missing.",
             .complexity = "O(1) amortized over appends",
             .since = "2.0.0",
             .group = "string",
             .args = "key:key#0 value:string"}},
    {.name = "DECR",
     .arity = exactly(2),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_decr,
     .doc = {.summary = "Takes one from the integer at a key; a missing key counts as 0.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "string",
             .args = "key:key#0"}},
    {.name = "DECRBY",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_decrby,
     .doc = {.summary = "Takes a given amount from the integer at a key.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "string",
             .args = "key:key#0 decrement:integer"}},
    {.name = "GET",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kString,
     .handler = cmd_get,
     .doc = {.summary = "Returns the string at a key.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "string",
             .args = "key:key#0"}},
    {.name = "GETDEL",
     .arity = exactly(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kString,
     .handler = cmd_getdel,
     .doc = {.summary = "Returns a string and removes its key.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "string",
             .args = "key:key#0"}},
    {.name = "GETRANGE",
     .arity = exactly(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kString,
     .handler = cmd_getrange,
     .doc = {.summary = "Returns the bytes of a string between two positions.",
             .complexity = "O(N), N bytes returned",
             .since = "2.4.0",
             .group = "string",
             .args = "key:key#0 start:integer end:integer"}},
    {.name = "GETSET",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_getset,
     .doc = {.summary = "Replaces a string and returns the one before.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "string",
             .args = "key:key#0 value:string",
             .deprecated_since = "6.2.0",
             .replaced_by = "`SET` with the `!GET` argument"}},
    {.name = "INCR",
     .arity = exactly(2),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_incr,
     .doc = {.summary = "Adds one to the integer at a key; a missing key counts as 0.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "string",
             .args = "key:key#0"}},
    {.name = "INCRBY",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_incrby,
     .doc = {.summary = "Adds a given amount to the integer at a key.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "string",
             .args = "key:key#0 increment:integer"}},
    {.name = "INCRBYFLOAT",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_incrbyfloat,
     .doc = {.summary = "Adds a floating-point amount to the number at a key.",
             .complexity = "O(1)",
             .since = "2.6.0",
             .group = "string",
             .args = "key:key#0 increment:double"}},
    {.name = "MGET",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {key_range(1, -1, 1, kReadOnly | kAccess)},
     .acl = Acl::kString,
     .handler = cmd_mget,
     .doc = {.summary = "Returns the strings at several keys, null for each that has none.",
             .complexity = "O(N), N keys asked for",
             .since = "1.0.0",
             .group = "string",
             .args = "key:key#0...",
             .tips = "request_policy:multi_shard"}},
    {.name = "MSET",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {key_range(1, -1, 2, kOverwrite | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_mset,
     .doc = {.summary = "Stores strings at several keys, all at once.",
             .complexity = "O(N), N keys stored",
             .since = "1.0.1",
             .group = "string",
             .args = "key_value:{key:key#0 value:string}...",
             .tips = "request_policy:multi_shard response_policy:all_succeeded"}},
    {.name = "MSETNX",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {key_range(1, -1, 2, kOverwrite | kInsert)},
     .acl = Acl::kString,
     .handler = cmd_msetnx,
     .doc = {.summary = "Stores strings at several keys only if none of them exists.",
             .complexity = "O(N), N keys stored",
             .since = "1.0.1",
             .group = "string",
             .args = "key_value:{key:key#0 value:string}...",
             .tips = "request_policy:multi_shard response_policy:agg_min"}},
    {.name = "SETRANGE",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_setrange,
     .doc = {.summary =
                 "Overwrites a part of a string from a position on, padding with zero bytes.",
             .complexity = "O(M), M bytes written",
             .since = "2.2.0",
             .group = "string",
             .args = "key:key#0 offset:integer value:string"}},
    {.name = "STRLEN",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .acl = Acl::kString,
     .handler = cmd_strlen,
     .doc = {.summary = "Returns how many bytes a string has.",
             .complexity = "O(1)",
             .since = "2.2.0",
             .group = "string",
             .args = "key:key#0"}},
    {.name = "SUBSTR",
     .arity = exactly(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kString,
     .handler = cmd_substr,
     .doc = {.summary = "Returns the bytes of a string between two positions.",
             .complexity = "O(N), N bytes returned",
             .since = "1.0.0",
             .group = "string",
             .args = "key:key#0 start:integer end:integer",
             .deprecated_since = "2.0.0",
             .replaced_by = "`GETRANGE`"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStringCommands = kRows;

}  // namespace ouro
