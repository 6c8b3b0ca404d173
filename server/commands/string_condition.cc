// SPDX-License-Identifier: BSD-3-Clause
// Conditions on strings, and the commands that consist of one: DELEX, DELIFEQ, DIGEST.
#include "server/commands/string_condition.h"

#include <algorithm>

#include "datastructs/base/ascii.h"
#include "datastructs/base/hash.h"
#include "server/commands/cache_parts.h"
#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/commands/versions.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

bool is_digest(ByteView text) {
  return text.size() == DigestText().size() &&
         std::all_of(text.begin(), text.end(), [](char c) { return hex_value(c) >= 0; });
}

bool has_digest(ByteView bytes, ByteView digest) {
  const DigestText own = digest_of(bytes);
  return equals_ignoring_case(digest, {own.data(), own.size()});
}

}  // namespace

DigestText digest_of(ByteView bytes) {
  DigestText text;
  uint64_t hash = hash_bytes(bytes, HashSeed{0});
  for (size_t i = text.size(); i > 0; hash >>= 4) text[--i] = "0123456789abcdef"[hash & 15];
  return text;
}

StringCondition::Kind condition_kind(ByteView word) {
  constexpr struct {
    ByteView word;
    StringCondition::Kind kind;
  } kKinds[] = {{"IFEQ", StringCondition::kEqual},
                {"IFNE", StringCondition::kNotEqual},
                {"IFDEQ", StringCondition::kDigestEqual},
                {"IFDNE", StringCondition::kDigestNotEqual}};
  for (const auto& known : kKinds) {
    if (equals_ignoring_case(word, known.word)) return known.kind;
  }
  return StringCondition::kNone;
}

bool take_condition(ArgParser& args, StringCondition& condition) {
  const StringCondition::Kind kind = condition_kind(args.peek());
  if (kind == StringCondition::kNone) return false;
  if (condition.given()) args.unexpected();
  args.next();
  condition = {kind, args.next()};
  return true;
}

Result<bool> holds(Context& ctx, const StringCondition& condition, const Entry* entry) {
  using enum StringCondition::Kind;
  if (!condition.given()) return true;
  const bool wants_equal = condition.kind == kEqual || condition.kind == kDigestEqual;
  if (entry == nullptr) return !wants_equal;
  if (!entry->is_string()) return Err::kWrongType;
  NumberText scratch;
  const ByteView value = entry->text(scratch);
  if (condition.kind == kEqual || condition.kind == kNotEqual) {
    return (value == condition.operand) == wants_equal;
  }
  // Only looked at when there is something to compare it with, as in Redis.
  if (!is_digest(condition.operand)) {
    return ctx.fail("ERR digest must be exactly 16 hexadecimal characters");
  }
  return has_digest(value, condition.operand) == wants_equal;
}

namespace {

Status cmd_digest(Context& ctx) {
  OURO_TRY(const Entry* entry, ctx.find_string(ctx.key(1)));
  if (entry == nullptr) {
    ctx.reply.null();
    return Status::ok();
  }
  NumberText scratch;
  const DigestText digest = digest_of(entry->text(scratch));
  ctx.reply.bulk({digest.data(), digest.size()});
  return Status::ok();
}

// `entry` is what the key holds, or null.
Status delete_if(Context& ctx, const Key& key, const Entry* entry, bool allowed) {
  ctx.reply.integer(allowed ? 1 : 0);
  if (!allowed) return Status::ok();
  const bool lazily = ctx.engine.options.lazyfree_lazy_user_del;
  remove_versioned(ctx, key, *entry, lazily ? Freeing::kLazy : Freeing::kNow);
  if (ctx.effects.wanted()) ctx.effects.replace({"DEL", key.bytes});
  return Status::ok();
}

// DELEX key VERSION n [PXAT unix-ms]: unless the key carries a newer one. Until then, or for
// cache-version-window, no value of this version or an older one is stored.
Status delete_version(Context& ctx, const Key& key, const Entry* entry) {
  ArgParser args(ctx.argv, 3);
  const uint64_t version = take_version(args);
  UnixMs until = version_window_end(ctx);
  if (args.word("PXAT")) {
    const UnixMs asked = args.integer();
    if (asked < 1) args.fail(Err::kOutOfRange);
    until = decides(ctx) ? std::min(asked, until) : asked;
  }
  OURO_TRY(args.finish());
  const bool is_newer = known_version(ctx, key, entry) > version;
  ctx.reply.integer(entry != nullptr && !is_newer ? 1 : 0);
  if (is_newer) return Status::ok();
  if (entry != nullptr) {
    const bool lazily = ctx.engine.options.lazyfree_lazy_user_del;
    ctx.db.erase(key, lazily ? Freeing::kLazy : Freeing::kNow);
    ctx.changed(key, Event::kGeneric, "del");
  } else {
    ctx.forget_absent(key);
    ++ctx.changes;
  }
  if (!ctx.engine.rehearses) ctx.engine.note_version(ctx.caller.db, key, version, until);
  ctx.only_ours();
  if (!ctx.effects.wanted()) return Status::ok();
  ctx.effects.replace({"DELEX", key.bytes, "VERSION",
                       Int64Text(static_cast<int64_t>(version)).view(), "PXAT",
                       Int64Text(until).view()});
  return Status::ok();
}

// Without a condition it is DEL of one key, whatever its type.
Status cmd_delex(Context& ctx) {
  const bool by_version = ctx.argv.size() > 3 && equals_ignoring_case(ctx.argv[2], "VERSION");
  if (ctx.argv.size() != 2 && ctx.argv.size() != 4 && !by_version) return wrong_arity(ctx);
  const Key key = ctx.key(1);
  const Entry* entry = ctx.find_to_write(key);
  if (by_version) return delete_version(ctx, key, entry);
  if (entry == nullptr) {
    ctx.forget_absent(key);
    if (ctx.changes > 0 && ctx.effects.wanted()) ctx.effects.replace({"DEL", key.bytes});
  }
  if (entry == nullptr || ctx.argv.size() == 2) return delete_if(ctx, key, entry, entry != nullptr);
  if (!entry->is_string()) {
    return ctx.fail("ERR Key should be of string type if conditions are specified");
  }
  const StringCondition condition{condition_kind(ctx.argv[2]), ctx.argv[3]};
  if (!condition.given()) {
    return ctx.fail("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
  }
  OURO_TRY(const bool allowed, holds(ctx, condition, entry));
  return delete_if(ctx, key, entry, allowed);
}

Status cmd_delifeq(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(const Entry* entry, ctx.find_string_to_write(key));
  OURO_TRY(const bool allowed, holds(ctx, {StringCondition::kEqual, ctx.argv[2]}, entry));
  return delete_if(ctx, key, entry, allowed);
}

// Only a condition reads the value.
Status keys_of_delex(Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
  fn(1, argv.size() > 2 ? kReadWrite | kAccess | kDelete : kRemove | kDelete);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "DELEX",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kDelete | kVariableUse)},
     .acl = Acl::kString,
     .handler = cmd_delex,
     .movable_keys = keys_of_delex,
     .doc = {.summary = "Deletes a key if its string, or the digest of it, meets a condition.",
             .complexity = "O(1), O(N) for a digest of N bytes",
             .since = "8.4.0",
             .group = "string",
             .args = "key:key#0 [condition:<IFEQ=ifeq-value:string | IFNE=ifne-value:string | "
                     "IFDEQ=ifdeq-digest:string | IFDNE=ifdne-digest:string | "
                     "VERSION=version:integer>] [PXAT=unix-time-milliseconds:unix-time]"}},
    {.name = "DELIFEQ",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kString,
     .handler = cmd_delifeq,
     .doc = {.summary = "Deletes a key if its string is the given one.",
             .complexity = "O(1)",
             .since = "9.0.0",
             .group = "string",
             .args = "key:key#0 value:string"}},
    {.name = "DIGEST",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kString,
     .handler = cmd_digest,
     .doc = {.summary = "Returns the XXH3 digest of a string in hexadecimal.",
             .complexity = "O(N), N bytes of the string",
             .since = "8.4.0",
             .group = "string",
             .args = "key:key#0"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStringConditionCommands = kRows;

}  // namespace ouro
