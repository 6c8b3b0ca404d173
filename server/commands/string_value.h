// SPDX-License-Identifier: BSD-3-Clause
// What commands on strings share: answering with a stored string, storing an argument, and editing
// in place.
#pragma once

#include "server/engine/engine.h"

namespace ouro {

// Part of a stored string, or all of it. A large one is sent from where it is.
inline void reply_string(Reply& reply, const Entry& entry) {
  if (entry.kind() == Kind::kBlob) [[unlikely]] {
    reply.blob(entry.blob(), entry.blob()->view());
    return;
  }
  NumberText scratch;
  reply.bulk(entry.text(scratch));
}

// Makes `key`, which holds `old` (or null), hold argument `index`; a large argument is taken over
// without a copy.
inline void store_argument(Context& ctx, const Key& key, Entry* old, size_t index, UnixMs deadline,
                           const Fill& fill = kNoFill) {
  if (old != nullptr && ctx.engine.pubsub.notifies()) [[unlikely]]
    ctx.overwritten(key, old->type(), Type::kString);
  const ByteView value = ctx.argv[index];
  Blob* blob = value.size() < kBlobBytesMin ? nullptr : ctx.take_blob(index);
  if (blob != nullptr) [[unlikely]] {
    ctx.db.put_blob(key, old, blob, deadline, fill);
  } else {
    ctx.db.put_string(key, old, value, deadline, fill);
  }
  if (old == nullptr) ctx.added(key);
}

// The string at `key`, which holds `old` (or null: it is made), with `size` bytes to be edited in
// place. What was there is kept, growth is filled with zero bytes. `part` is what may change of it.
inline std::span<char> edit_string(Context& ctx, const Key& key, Entry* old, size_t size,
                                   StringPart part = {}) {
  if (old == nullptr) {
    old = ctx.db.put_string(key, nullptr, "", kNoExpiry);
    ctx.added(key);
  }
  return ctx.db.edit_string(key, old, size, part).bytes;
}

}  // namespace ouro
