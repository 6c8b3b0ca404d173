// SPDX-License-Identifier: BSD-3-Clause
// Storing what was built aside, and how many elements a command is to take.
#pragma once

#include <new>

#include "server/engine/context.h"

namespace ouro {

// Makes `key` hold a collection that was built aside, whatever it held. Requires: it is not empty,
// and nothing points at the entry of `key` any more.
template <class T>
void replace_value(Context& ctx, const Key& key, T made, Event event_class, ByteView event) {
  Entry* old = ctx.find_to_write(key);
  Value value{.kind = kKindOf<T>};
  new (&value.payload) T(made);
  if (old != nullptr) ctx.overwritten(key, old->type(), type_of(value.kind));
  ctx.db.put_value(key, old, value, kNoExpiry);
  if (old == nullptr) ctx.added(key);
  ctx.changed(key, event_class, event);
}

// The same, or nothing if it is empty. Answers its size.
template <class T>
void store_result(Context& ctx, const Key& key, T made, Event event_class, ByteView event) {
  const size_t size = made.size();
  if (size > 0) {
    replace_value(ctx, key, made, event_class, event);
  } else {
    made.destroy(ctx.heap());
    if (ctx.find_to_write(key) != nullptr) ctx.erase(key);
  }
  ctx.reply.integer(static_cast<int64_t>(size));
}

// What became of the sorted set at `key`, for what Redis 7.0 has no words for: DEL and ZADD of all
// that it has. To be said when it is stored.
void leave_as_made(Context& ctx, const Key& key);

// A number of things to take: zero or more. Whatever else is said reads as out of range.
inline Result<size_t> positive_count(Context& ctx, size_t index,
                                     ByteView error = errors::kMustBePositive) {
  const Result<int64_t> count = ctx.integer(index);
  if (!count.is_ok() || *count < 0) return ctx.fail_text(error);
  return static_cast<size_t>(*count);
}

}  // namespace ouro
