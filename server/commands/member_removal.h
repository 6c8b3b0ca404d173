// SPDX-License-Identifier: BSD-3-Clause
// SREM and ZREM: the members that the client names go, and the key with the last one.
#pragma once

#include "server/engine/context.h"

namespace ouro {

template <class Collection>
Status remove_members(Context& ctx, Event event_class, ByteView event) {
  const Key key = ctx.key(1);
  OURO_TRY(Collection * collection, ctx.find_as_to_write<Collection>(key));
  uint64_t removed = 0;
  if (collection != nullptr) {
    for (const ByteView member : ctx.argv.subspan(2)) {
      if (collection->remove(ctx.heap(), member)) ++removed;
    }
  }
  if (removed > 0) {
    ctx.changed(key, event_class, event, removed);
    ctx.erase_if_empty(key, *collection);
  }
  ctx.reply.integer(static_cast<int64_t>(removed));
  return Status::ok();
}

}  // namespace ouro
