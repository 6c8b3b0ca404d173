// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/hash_fields.h"

#include "datastructs/codec/number_text.h"
#include "server/engine/engine.h"

namespace ouro {

void end_field(Context& ctx, const Key& key, Hash*& hash, ByteView field) {
  if (!ctx.may_end()) return;
  if (ctx.engine.expire_named(ctx.caller.db, key, *hash, {&field, 1})) hash = nullptr;
}

void end_due_named(Context& ctx, const Key& key, Hash*& hash, Argv fields) {
  if (hash == nullptr || hash->next_deadline() > field_clock(ctx)) [[likely]]
    return;
  if (!ctx.may_end()) return;
  if (ctx.engine.expire_named(ctx.caller.db, key, *hash, fields)) hash = nullptr;
}

void end_due_fields(Context& ctx, const Key& key, Hash*& hash) {
  if (hash == nullptr || hash->next_deadline() > field_clock(ctx)) [[likely]]
    return;
  if (!ctx.may_end()) return;
  if (ctx.engine.expire_some_elements(ctx.caller.db, key, *ctx.db.find(key))) hash = nullptr;
}

size_t count_fields(const Hash& hash, UnixMs now) {
  if (hash.next_deadline() > now) [[likely]]
    return hash.size();
  size_t count = 0;
  hash.for_each([&count](const Hash::Item&) { ++count; }, now);
  return count;
}

std::vector<ByteView> fields_of(Argv pairs) {
  std::vector<ByteView> fields;
  fields.reserve(pairs.size() / 2);
  for (size_t i = 0; i < pairs.size(); i += 2) fields.push_back(pairs[i]);
  return fields;
}

Result<Argv> parse_fields(Context& ctx, size_t at, ByteView bad_count) {
  if (at >= ctx.argv.size() || !equals_ignoring_case(ctx.argv[at], "FIELDS")) {
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

Result<UnixMs> parse_field_deadline(Context& ctx, ByteView number, Unit unit, UnixMs base) {
  OURO_TRY(int64_t when, parse_integer(number));
  if (when < 0) return ctx.fail("ERR invalid expire time, must be >= 0");
  const bool seconds = unit == Unit::kSeconds;
  const bool in_range = when <= (seconds ? Hash::kDeadlineMax / 1000 : Hash::kDeadlineMax);
  if (in_range && seconds) when *= 1000;
  if (!in_range || when > Hash::kDeadlineMax - base) return fail_expire_time(ctx);
  return when + base;
}

Result<UnixMs> parse_field_deadline(Context& ctx, const TimeOption& time) {
  return parse_field_deadline(ctx, time.number, time.in_seconds() ? Unit::kSeconds : Unit::kMillis,
                              time.is_absolute() ? 0 : ctx.now);
}

void FieldFacts::tell_event(const Key& key) const {
  Engine& engine = ctx_.engine;
  engine.notify(ctx_.caller.db, key.bytes, Event::kHash, event());
  if (engine.tells_fields())
    engine.pubsub.notify_fields(ctx_.caller.db, key.bytes, event(), names());
}

void FieldFacts::leave(const Key& key, UnixMs when) const {
  if (!ctx_.effects.wanted()) return;
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

bool end_field_at(Context& ctx, const Key& key, Hash& hash, ByteView field, UnixMs when,
                  FieldFacts& facts) {
  if (when <= field_clock(ctx)) {
    hash.erase(ctx.heap(), field);
    facts.removed(field);
    return true;
  }
  hash.set_deadline(ctx.heap(), field, when);
  ctx.db.note_element_deadline(key, when);
  ctx.only_ours();
  facts.set(field);
  return false;
}

}  // namespace ouro
