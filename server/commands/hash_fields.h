// SPDX-License-Identifier: BSD-3-Clause
// The fields of a hash as a command sees them: those that are due are not there. Look-ups here are
// to fields what Context's are to keys: a primary removes a due field there and then, and its key
// with the last one, so a Hash* given here may be null afterwards.
//
// Also how commands name fields (FIELDS numfields field ...) and their deadlines, and the facts
// that changes of deadlines leave.
#pragma once

#include <optional>
#include <vector>

#include "server/commands/expire_time.h"
#include "server/engine/engine.h"

namespace ouro {

// What Hash takes as `now`. Under replay and a primary's stream only a recorded HDEL removes.
inline UnixMs field_clock(const Context& ctx) { return ctx.clock_decides() ? ctx.now : kTimeless; }

// The cold half of find_field().
void end_field(Context& ctx, const Key& key, Hash*& hash, ByteView field);

inline std::optional<Hash::Item> find_field(Context& ctx, const Key& key, Hash*& hash,
                                            ByteView field) {
  if (hash == nullptr) return std::nullopt;
  const std::optional<Hash::Item> item = hash->find(field);
  if (!item || item->deadline == kNoExpiry || item->deadline > field_clock(ctx)) [[likely]]
    return item;
  end_field(ctx, key, hash, field);
  return std::nullopt;
}

// Removes those of `fields` that are due, before a command looks at each: so they are one event and
// one effect.
void end_due_named(Context& ctx, const Key& key, Hash*& hash, Argv fields);

// Removes due fields, as many as the turn has time for: others may be left.
void end_due_fields(Context& ctx, const Key& key, Hash*& hash);

// Fields that are not due. Cost: O(1) unless some are.
size_t count_fields(const Hash& hash, UnixMs now);

// ---- arguments

inline constexpr ByteView kBadFieldCount = "ERR Number of fields must be a positive integer";

// The fields of field, value, field, value ...
std::vector<ByteView> fields_of(Argv pairs);

// FIELDS numfields field ..., which end the command, from argument `at` on.
Result<Argv> parse_fields(Context& ctx, size_t at, ByteView bad_count = kBadFieldCount);

// `base` is what the number counts from: now, or 0 for a point in time.
Result<UnixMs> parse_field_deadline(Context& ctx, ByteView number, Unit unit, UnixMs base);
// The same of an option. Requires: it was given.
Result<UnixMs> parse_field_deadline(Context& ctx, const TimeOption& time);

// ---- changes

// ctx.changed() of a hash, and of its fields where they are told: then `names()` gives them.
template <class Names>
void fields_changed(Context& ctx, const Key& key, ByteView event, uint64_t count, Names names) {
  ctx.changes += count;
  if (!ctx.engine.has_observers()) [[likely]]
    return;
  ctx.engine.key_changed(ctx.caller.db, key, Event::kHash, event);
  if (ctx.engine.tells_fields())
    ctx.engine.pubsub.notify_fields(ctx.caller.db, key.bytes, event, names());
}

// What became of the fields named: the facts that the command leaves.
class FieldFacts {
 public:
  explicit FieldFacts(Context& ctx)
      : ctx_(ctx), wanted_(ctx.effects.wanted() || ctx.engine.tells_fields()) {}

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
  // Tells of them: all were removed, or none, since their time is one. Requires: count() > 0.
  void tell(const Key& key) const {
    fields_changed(ctx_, key, event(), count(), [this] { return names(); });
  }
  // The same where it has been told already that the hash has changed.
  void tell_event(const Key& key) const;
  // HDEL of what was removed, HPEXPIREAT of what now ends at `when`.
  void leave(const Key& key, UnixMs when) const;

 private:
  ByteView event() const { return any_removed() ? "hdel" : "hexpire"; }
  Argv names() const { return any_removed() ? removed_ : set_; }

  Context& ctx_;
  bool wanted_;
  uint64_t set_count_ = 0;
  uint64_t removed_count_ = 0;
  std::vector<ByteView> set_;
  std::vector<ByteView> removed_;
};

// Gives a field, which is there, its deadline; true if that is past, so that the field was removed.
bool end_field_at(Context& ctx, const Key& key, Hash& hash, ByteView field, UnixMs when,
                  FieldFacts& facts);

}  // namespace ouro
