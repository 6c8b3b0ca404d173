// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/set_fill.h"

#include "server/commands/versions.h"

namespace ouro {

bool take_fill_option(ArgParser& args, FillOptions& options) {
  if (args.word("STALE")) {
    options.stale = take_millis(args, 0, kStaleMax);
  } else if (args.word("JITTER")) {
    options.jitter = take_millis(args, 0, 100);
  } else if (args.word("LEASE")) {
    options.token = take_token(args);
  } else if (args.word("VERSION")) {
    options.version = take_version(args);
  } else {
    return false;
  }
  return true;
}

FillVerdict may_fill(Context& ctx, const Key& key, const Entry* old, const FillOptions& options) {
  if (!decides(ctx)) return {.allowed = true};
  Guard& guard = ctx.engine.guard;
  if (options.version > 0 && known_version(ctx, key, old) >= options.version) {
    ++guard.counters.refused_versions;
    // Its load has come to an end all the same.
    if (options.token)
      (void)guard.give_up(ctx.caller.db, key, *options.token, ctx.engine.instant(), 0);
    return {.allowed = false};
  }
  if (!options.token) return {.allowed = true};
  const Guard::Loaded loaded =
      guard.accept(ctx.caller.db, key, *options.token, ctx.engine.instant());
  return {.allowed = loaded.accepted, .load_ms = loaded.load_ms};
}

Fill fill_of(const Context& ctx, const Key& key, const FillOptions& options, uint32_t load_ms) {
  Fill fill = options.stale ? Fill{.stale_ms = static_cast<uint32_t>(*options.stale)}
                            : fill_by_rule(ctx, key);
  fill.load_ms = load_ms;
  fill.version = options.version;
  return fill;
}

}  // namespace ouro
