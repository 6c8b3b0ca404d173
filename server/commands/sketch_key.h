// SPDX-License-Identifier: BSD-3-Clause
// Keys of filters and sketches (BF, CF, CMS, TOPK, TDIGEST) as their commands look them up: a
// missing one is an error with the family's own text.
//
// The commands, their replies and errors are those of the module RedisBloom 2.8. It sends no
// keyspace events, so changed_sketch() tells WATCH and the log only.
#pragma once

#include "server/engine/context.h"

namespace ouro {

template <class T>
Result<const T*> find_sketch(Context& ctx, size_t index, ByteView absent) {
  OURO_TRY(const T* sketch, ctx.find_as<T>(ctx.key(index)));
  if (sketch == nullptr) return ctx.fail_text(absent);
  return sketch;
}

template <class T>
Result<T*> find_sketch_to_write(Context& ctx, size_t index, ByteView absent) {
  OURO_TRY(T * sketch, ctx.find_as_to_write<T>(ctx.key(index)));
  if (sketch == nullptr) return ctx.fail_text(absent);
  return sketch;
}

inline void changed_sketch(Context& ctx, const Key& key, uint64_t count = 1) {
  ctx.changed(key, Event::kModule, {}, count);
  ctx.only_ours();
}

// Makes the absent key hold the sketch.
template <class T>
T& add_sketch(Context& ctx, const Key& key, T sketch) {
  T& added = ctx.db.add<T>(key);
  added = sketch;
  ctx.added(key);
  changed_sketch(ctx, key);
  return added;
}

// ---- what BF and CF answer alike

inline constexpr ByteView kFilterExists = "ERR item exists";
inline constexpr ByteView kFilterTooLarge = "ERR Insufficient memory to create filter";

// The filter of key 1, or null also for a key of another type: that has no such item.
template <class T>
const T* find_filter(Context& ctx) {
  const Entry* entry = ctx.find(ctx.key(1));
  return entry != nullptr && entry->kind() == kKindOf<T> ? &entry->as<T>() : nullptr;
}

// EXISTS.
template <class T>
Status reply_contains(Context& ctx) {
  const T* filter = find_filter<T>(ctx);
  ctx.reply.boolean(filter != nullptr && filter->contains(ctx.argv[2]));
  return Status::ok();
}

// MEXISTS.
template <class T>
Status reply_contains_each(Context& ctx) {
  const T* filter = find_filter<T>(ctx);
  const Argv items = ctx.argv.subspan(2);
  ctx.reply.array(items.size());
  for (const ByteView item : items) {
    ctx.reply.boolean(filter != nullptr && filter->contains(item));
  }
  return Status::ok();
}

// ---- replies

// One name and number of an INFO map.
inline void reply_info(Reply& reply, ByteView name, uint64_t value) {
  reply.simple(name);
  reply.integer(static_cast<int64_t>(value));
}

// How much a SCANDUMP answers at a time.
inline constexpr size_t kDumpBytesMax = 1_MiB;

}  // namespace ouro
