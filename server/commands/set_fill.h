// SPDX-License-Identifier: BSD-3-Clause
// SET's options for values that are loaded from elsewhere, alone or by the rule of their key:
//
//      STALE ms      so long after its end CACHE.GET may still show it
//      JITTER pct    it ends up to that much of its time earlier
//      LEASE token   only if the token is the key's last and nobody has changed it since
//      VERSION n     only if n is newer than what is known of the key
#pragma once

#include "server/commands/cache_parts.h"

namespace ouro {

struct FillOptions {
  std::optional<Millis> stale;
  std::optional<int64_t> jitter;  // percent
  std::optional<uint64_t> token;
  uint64_t version = 0;

  bool given() const { return stale || jitter || token || version > 0; }
};

// Takes such an option; false if the next argument is none.
bool take_fill_option(ArgParser& args, FillOptions& options);

// Whether token and version allow the value, for one who decides that; counted if not. A lease is
// gone then: ask only where nothing else is in the way. `old` is what the key holds, or null.
struct FillVerdict {
  bool allowed;
  uint32_t load_ms = 0;
};
FillVerdict may_fill(Context& ctx, const Key& key, const Entry* old, const FillOptions& options);

// What is kept with a value because of its key's rule.
inline Fill fill_by_rule(const Context& ctx, const Key& key) {
  if (!ctx.engine.guard.rules.keep_stale() || !decides(ctx)) [[likely]]
    return {};
  const Rule* rule = rule_of(ctx, key);
  return {.stale_ms = rule == nullptr ? 0 : static_cast<uint32_t>(rule->settings.stale)};
}

// The same with what SET was given.
Fill fill_of(const Context& ctx, const Key& key, const FillOptions& options, uint32_t load_ms);

}  // namespace ouro
