// SPDX-License-Identifier: BSD-3-Clause
// Versions: a value may carry that of its source (SET ... VERSION n), a number that grows with each
// change there. One that is not newer than what its key carries is not stored. A removal leaves the
// version for `cache-version-window` beside the keyspace, so that who has read the source before it
// cannot bring the old value back. The end of a key is no removal: its value may come again.
#pragma once

#include "server/commands/cache_parts.h"

namespace ouro {

// The newest that is known of a key, which `entry` (or null) is; 0 if none is.
inline uint64_t known_version(const Context& ctx, const Key& key, const Entry* entry) {
  const uint64_t carried = entry == nullptr ? 0 : entry->fill().version;
  const Aside* aside = ctx.db.aside();
  return aside == nullptr ? carried : std::max(carried, aside->fence(key, ctx.now));
}

inline UnixMs version_window_end(const Context& ctx) {
  return ctx.now + ctx.engine.options.cache_version_window_ms;
}

// Removes a key (event "del"); what version it carried is still known for a while. A log or a
// replica hears of that by an effect of its own, in front of the caller's: a DEL alone is said of a
// key that has ended, too.
inline void remove_versioned(Context& ctx, const Key& key, const Entry& entry, Freeing freeing) {
  const uint64_t version = decides(ctx) ? entry.fill().version : 0;
  ctx.db.erase(key, freeing);
  if (version > 0 && !ctx.engine.rehearses)
    ctx.engine.note_version(ctx.caller.db, key, version, version_window_end(ctx));
  ctx.changed(key, Event::kGeneric, "del");
  if (version == 0) return;
  ctx.only_ours();
  if (!ctx.effects.wanted()) return;
  ctx.effects.replace({"DELEX", key.bytes, "VERSION",
                       Int64Text(static_cast<int64_t>(version)).view(), "PXAT",
                       Int64Text(version_window_end(ctx)).view()});
}

}  // namespace ouro
