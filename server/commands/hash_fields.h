// SPDX-License-Identifier: BSD-3-Clause
// The fields of a hash as a command sees them: those that are due are not there. Look-ups here are
// to fields what Context's are to keys: a primary removes a due field there and then, and its key
// with the last one, so a Hash* given here may be null afterwards.
#pragma once

#include <optional>

#include "server/engine/context.h"

namespace ouro {

// What Hash takes as `now`. Under replay and a primary's stream only a recorded HDEL removes.
inline UnixMs field_clock(const Context& ctx) {
  const bool decides =
      ctx.caller.origin != Origin::kReplay && ctx.caller.origin != Origin::kPrimary;
  return decides ? ctx.now : kTimeless;
}

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

// Removes due fields, a bounded number of them: others may be left.
void end_due_fields(Context& ctx, const Key& key, Hash*& hash);

// Fields that are not due. Cost: O(1) unless some are.
size_t count_fields(const Hash& hash, UnixMs now);

}  // namespace ouro
