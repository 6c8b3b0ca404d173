// SPDX-License-Identifier: BSD-3-Clause
// When fields of hashes end: setting, asking and clearing their deadlines, as Redis 7.4 does.
//
// All of these answer an array, one number for each field named:
//   -2 no such field   -1 no deadline   0 the condition is not met   1 done   2 the time is past:
//   removed
#include <algorithm>
#include <vector>

#include "datastructs/codec/number_text.h"
#include "datastructs/hash.h"
#include "server/commands/expire_time.h"
#include "server/commands/hash_fields.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

constexpr int64_t kNoField = -2;
constexpr int64_t kNoDeadline = -1;
constexpr int64_t kNotMet = 0;
constexpr int64_t kDone = 1;
constexpr int64_t kRemoved = 2;

// The latest deadline of a field that Redis can hold.
constexpr UnixMs kDeadlineMax = (UnixMs{1} << 46) - 1;

enum class Condition : uint8_t { kAlways, kNone, kSome, kLater, kEarlier };

// FIELDS numfields field ..., which end the command.
Result<Argv> parse_fields(Context& ctx, size_t at, ByteView bad_count) {
  if (!equals_ignoring_case(ctx.argv[at], "FIELDS")) {
    return ctx.fail("ERR Mandatory argument FIELDS is missing or not at the right position");
  }
  if (ctx.argv.size() < at + 2) return ctx.fail_text(bad_count);
  const auto count = parse_int64(ctx.argv[at + 1]);
  if (!count || *count < 1) return ctx.fail_text(bad_count);
  const Argv fields = ctx.argv.subspan(at + 2);
  if (static_cast<uint64_t>(*count) != fields.size()) {
    return ctx.fail("ERR The `numfields` parameter must match the number of arguments");
  }
  return fields;
}

Result<Argv> parse_fields(Context& ctx) {
  return parse_fields(ctx, 2, "ERR Number of fields must be a positive integer");
}

// Answers as many times that there is no such field.
Status reply_no_fields(Context& ctx, size_t count) {
  ctx.reply.array(count);
  for (; count > 0; --count) ctx.reply.integer(kNoField);
  return Status::ok();
}

// ---- setting

Condition parse_condition(ByteView word) {
  if (equals_ignoring_case(word, "NX")) return Condition::kNone;
  if (equals_ignoring_case(word, "XX")) return Condition::kSome;
  if (equals_ignoring_case(word, "GT")) return Condition::kLater;
  if (equals_ignoring_case(word, "LT")) return Condition::kEarlier;
  return Condition::kAlways;
}

// A field without a deadline counts as one that lives for ever.
bool is_met(Condition condition, UnixMs deadline, UnixMs when) {
  const bool has_deadline = deadline != kNoExpiry;
  switch (condition) {
    case Condition::kAlways:
      return true;
    case Condition::kNone:
      return !has_deadline;
    case Condition::kSome:
      return has_deadline;
    case Condition::kLater:
      return has_deadline && when > deadline;
    case Condition::kEarlier:
      return !has_deadline || when < deadline;
  }
  return false;
}

// `base` is what the argument counts from: now, or 0 for a point in time.
Result<UnixMs> parse_deadline(Context& ctx, Unit unit, UnixMs base) {
  OURO_TRY(int64_t when, ctx.integer(2));
  if (when < 0) return ctx.fail("ERR invalid expire time, must be >= 0");
  const bool seconds = unit == Unit::kSeconds;
  const bool in_range = when <= (seconds ? kDeadlineMax / 1000 : kDeadlineMax);
  if (in_range && seconds) when *= 1000;
  if (!in_range || when > kDeadlineMax - base) return fail_expire_time(ctx);
  return when + base;
}

// What became of the fields named: the facts that the command leaves.
class FieldFacts {
 public:
  explicit FieldFacts(Context& ctx) : ctx_(ctx), wanted_(ctx.effects.wanted()) {}

  void set(ByteView field) {
    ++set_count_;
    if (wanted_) set_.push_back(field);
  }
  void removed(ByteView field) {
    ++removed_count_;
    if (wanted_) removed_.push_back(field);
  }
  bool any_removed() const { return removed_count_ > 0; }
  uint64_t count() const { return set_count_ + removed_count_; }

  void leave(const Key& key, UnixMs when) const {
    if (!removed_.empty()) {
      std::vector<ByteView> argv = {"HDEL", key.bytes};
      argv.insert(argv.end(), removed_.begin(), removed_.end());
      ctx_.effects.replace(Argv(argv));
    }
    if (set_.empty()) return;
    char when_text[kInt64TextMax];
    char count_text[kInt64TextMax];
    std::vector<ByteView> argv = {"HPEXPIREAT",
                                  key.bytes,
                                  {when_text, format_int64(when, when_text)},
                                  "FIELDS",
                                  {count_text, format_uint64(set_.size(), count_text)}};
    argv.insert(argv.end(), set_.begin(), set_.end());
    ctx_.effects.replace(Argv(argv));
  }

 private:
  Context& ctx_;
  bool wanted_;
  uint64_t set_count_ = 0;
  uint64_t removed_count_ = 0;
  std::vector<ByteView> set_;
  std::vector<ByteView> removed_;
};

// Sets one field's deadline, or removes the field if its time is past already.
int64_t expire_field(Context& ctx, const Key& key, Hash*& hash, ByteView field, UnixMs when,
                     Condition condition, FieldFacts& facts) {
  const auto item = find_field(ctx, key, hash, field);
  if (!item) return kNoField;
  if (!is_met(condition, item->deadline, when)) return kNotMet;
  if (when <= field_clock(ctx)) {
    hash->erase(ctx.heap(), field);
    facts.removed(field);
    return kRemoved;
  }
  hash->set_deadline(ctx.heap(), field, when);
  ctx.db.note_element_deadline(key, when);
  facts.set(field);
  return kDone;
}

Status expire(Context& ctx, Unit unit, UnixMs base) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  OURO_TRY(const UnixMs when, parse_deadline(ctx, unit, base));
  const Condition condition = parse_condition(ctx.argv[3]);
  OURO_TRY(const Argv fields, parse_fields(ctx, condition == Condition::kAlways ? 3 : 4,
                                           "ERR Parameter `numFields` should be greater than 0"));
  end_due_named(ctx, key, hash, fields);
  if (hash == nullptr) return reply_no_fields(ctx, fields.size());
  FieldFacts facts(ctx);
  ctx.reply.array(fields.size());
  for (const ByteView field : fields) {
    ctx.reply.integer(expire_field(ctx, key, hash, field, when, condition, facts));
  }
  if (facts.count() == 0) return Status::ok();
  ctx.changed(key, Event::kHash, facts.any_removed() ? "hdel" : "hexpire", facts.count());
  facts.leave(key, when);
  if (hash != nullptr) ctx.erase_if_empty(key, *hash);
  return Status::ok();
}

Status cmd_hexpire(Context& ctx) { return expire(ctx, Unit::kSeconds, ctx.now); }
Status cmd_hexpireat(Context& ctx) { return expire(ctx, Unit::kSeconds, 0); }
Status cmd_hpexpire(Context& ctx) { return expire(ctx, Unit::kMillis, ctx.now); }
Status cmd_hpexpireat(Context& ctx) { return expire(ctx, Unit::kMillis, 0); }

Status cmd_hpersist(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Hash * hash, ctx.find_as_to_write<Hash>(key));
  OURO_TRY(const Argv fields, parse_fields(ctx));
  end_due_named(ctx, key, hash, fields);
  if (hash == nullptr) return reply_no_fields(ctx, fields.size());
  uint64_t cleared = 0;
  ctx.reply.array(fields.size());
  for (const ByteView field : fields) {
    const auto item = find_field(ctx, key, hash, field);
    if (!item || item->deadline == kNoExpiry) {
      ctx.reply.integer(item ? kNoDeadline : kNoField);
      continue;
    }
    hash->set_deadline(ctx.heap(), field, kNoExpiry);
    ++cleared;
    ctx.reply.integer(kDone);
  }
  if (cleared > 0) ctx.changed(key, Event::kHash, "hpersist");
  return Status::ok();
}

// ---- asking

// The deadline less `base`, a begun second counted as a whole one. Asking does not remove.
Status reply_deadlines(Context& ctx, Unit unit, UnixMs base) {
  OURO_TRY(const Hash* hash, ctx.find_as<Hash>(ctx.key(1)));
  OURO_TRY(const Argv fields, parse_fields(ctx));
  if (hash == nullptr) return reply_no_fields(ctx, fields.size());
  const UnixMs now = field_clock(ctx);
  ctx.reply.array(fields.size());
  for (const ByteView field : fields) {
    const auto item = hash->find(field, now);
    if (!item || item->deadline == kNoExpiry) {
      ctx.reply.integer(item ? kNoDeadline : kNoField);
      continue;
    }
    const int64_t ms = item->deadline - base;
    ctx.reply.integer(unit == Unit::kMillis ? ms : (ms + 999) / 1000);
  }
  return Status::ok();
}

Status cmd_httl(Context& ctx) { return reply_deadlines(ctx, Unit::kSeconds, ctx.now); }
Status cmd_hpttl(Context& ctx) { return reply_deadlines(ctx, Unit::kMillis, ctx.now); }
Status cmd_hexpiretime(Context& ctx) { return reply_deadlines(ctx, Unit::kSeconds, 0); }
Status cmd_hpexpiretime(Context& ctx) { return reply_deadlines(ctx, Unit::kMillis, 0); }

constexpr CommandSpec kRows[] = {
    {.name = "HEXPIRE",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hexpire,
     .doc = {.summary = "Sets the time to live of hash fields in seconds.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 seconds:integer [condition:<nx!NX | xx!XX | gt!GT | lt!LT>] "
                     "FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HEXPIREAT",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hexpireat,
     .doc = {.summary = "Sets the Unix time in seconds at which hash fields expire.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 unix-time-seconds:unix-time [condition:<nx!NX | xx!XX | gt!GT | "
                     "lt!LT>] FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HEXPIRETIME",
     .arity = at_least(5),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hexpiretime,
     .doc = {.summary = "Returns the Unix times in seconds at which hash fields expire.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HPERSIST",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hpersist,
     .doc = {.summary = "Makes hash fields stay for good by dropping their expiry.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HPEXPIRE",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hpexpire,
     .doc = {.summary = "Sets the time to live of hash fields in milliseconds.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 milliseconds:integer [condition:<nx!NX | xx!XX | gt!GT | lt!LT>] "
                     "FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HPEXPIREAT",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kHash,
     .handler = cmd_hpexpireat,
     .doc = {.summary = "Sets the Unix time in milliseconds at which hash fields expire.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 unix-time-milliseconds:unix-time [condition:<nx!NX | xx!XX | gt!GT "
                     "| lt!LT>] FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HPEXPIRETIME",
     .arity = at_least(5),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hpexpiretime,
     .doc = {.summary = "Returns the Unix times in milliseconds at which hash fields expire.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}"}},
    {.name = "HPTTL",
     .arity = at_least(5),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_hpttl,
     .doc = {.summary = "Returns how many milliseconds hash fields still have to live.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}",
             .tips = "nondeterministic_output"}},
    {.name = "HTTL",
     .arity = at_least(5),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kHash,
     .handler = cmd_httl,
     .doc = {.summary = "Returns how many seconds hash fields still have to live.",
             .complexity = "O(N), N fields named",
             .since = "7.4.0",
             .group = "hash",
             .args = "key:key#0 FIELDS=fields:{numfields:integer field:string...}",
             .tips = "nondeterministic_output"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kHashExpireCommands = kRows;

}  // namespace ouro
