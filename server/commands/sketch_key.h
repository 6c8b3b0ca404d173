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

// One name and number of an INFO map.
inline void reply_info(Reply& reply, ByteView name, uint64_t value) {
  reply.simple(name);
  reply.integer(static_cast<int64_t>(value));
}

// How much a SCANDUMP answers at a time.
inline constexpr size_t kDumpBytesMax = 1_MiB;

}  // namespace ouro
