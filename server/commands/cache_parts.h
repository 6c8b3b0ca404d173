// SPDX-License-Identifier: BSD-3-Clause
// What the commands share that stand before a database: CACHE.*, and SET's options of a loader.
#pragma once

#include <optional>

#include "datastructs/codec/number_text.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"
#include "server/protect/ttl_spread.h"

namespace ouro {

// Whether this node decides: what comes from a log or a primary was decided there.
inline bool decides(const Context& ctx) {
  return ctx.caller.origin != Origin::kReplay && ctx.caller.origin != Origin::kPrimary;
}

inline Rule* rule_of(const Context& ctx, const Key& key) {
  return ctx.engine.guard.rules.find(key.bytes);
}

// ---- arguments: each leaves its error in `args`
inline Millis take_millis(ArgParser& args, Millis least, Millis most) {
  const int64_t ms = args.integer();
  if (ms < least || ms > most) args.fail(Err::kOutOfRange);
  return ms;
}
// A token as CACHE.GET gave it.
inline uint64_t take_token(ArgParser& args) {
  const int64_t token = args.integer();
  if (token < 0 || token > static_cast<int64_t>(Guard::kTokenMax)) args.fail(Err::kOutOfRange);
  return static_cast<uint64_t>(token);
}
inline uint64_t take_version(ArgParser& args) {
  const int64_t version = args.integer();
  if (version < 1) args.fail(Err::kOutOfRange);
  return static_cast<uint64_t>(version);
}
// The longest that is taken where Redis has no bound: an hour, for what one waits for.
inline constexpr Millis kWaitMax = 3'600'000;

// ---- what a rule makes of a time to live
// The end as the rule of the key, or `percent`, spreads it: not later than `deadline`.
inline UnixMs spread_end(const Context& ctx, const Key& key, UnixMs deadline,
                         std::optional<int64_t> percent = {}) {
  if (deadline == kNoExpiry || deadline <= ctx.now || !decides(ctx)) return deadline;
  if (!percent) {
    const Rule* rule = rule_of(ctx, key);
    percent = rule == nullptr ? 0 : rule->settings.jitter_percent;
  }
  if (*percent == 0) return deadline;
  return ctx.now +
         spread_ttl(deadline - ctx.now, static_cast<uint32_t>(*percent), key.hash, ctx.now);
}

class Int64Text {
 public:
  explicit Int64Text(int64_t number) : size_(format_int64(number, text_)) {}
  ByteView view() const { return {text_, size_}; }

 private:
  char text_[kInt64TextMax];
  size_t size_;
};

}  // namespace ouro
