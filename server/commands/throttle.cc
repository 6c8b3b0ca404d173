// SPDX-License-Identifier: BSD-3-Clause
// CL.THROTTLE: a rate limiter in one call, with the replies and the arithmetic of the redis-cell
// module. The algorithm is GCRA (datastructs/gcra.h). A key holds the arrival time as a string of
// nanoseconds since the epoch, and ends when it is reached: then the bucket is empty.
//
//      interval     period / count
//      tolerance    (max burst + 1) intervals
//
// Times are in nanoseconds, though the clock here stands still for a millisecond.
#include <algorithm>
#include <cmath>
#include <optional>

#include "datastructs/codec/number_text.h"
#include "datastructs/gcra.h"
#include "server/commands/expire_time.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;
constexpr int64_t kNanosPerSecond = 1'000'000'000;

bool fits_int64(Nanos value) { return value >= INT64_MIN && value <= INT64_MAX; }

// As Rust casts: what is beyond the type's bounds becomes the bound, no number becomes 0.
int64_t saturated(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 0x1p63) return INT64_MAX;
  return value < -0x1p63 ? INT64_MIN : static_cast<int64_t>(value);
}

struct Quota {
  int64_t limit;
  Nanos interval;   // one request's share of the time
  Nanos tolerance;  // how far ahead of an even pace requests may be
  Nanos increment;  // what this call uses up
};

struct Verdict {
  bool allowed;
  Nanos arrival;      // to be kept if allowed
  Nanos retry_after;  // -1 s: never, or no need
  Nanos reset_after;  // until the bucket is empty
  int64_t remaining;
};

Result<int64_t> parse_number(Context& ctx, size_t index) {
  const ByteView text = ctx.argv[index];
  if (const auto value = parse_int64(text)) return *value;
  return ctx.fail("Cell error: Store error: Couldn't parse as integer: %.*s", printed_size(text),
                  text.data());
}

// CL.THROTTLE key max-burst count period [quantity]
Result<Quota> parse_quota(Context& ctx) {
  // The module checks this by itself.
  if (ctx.argv.size() < 5 || ctx.argv.size() > 6) {
    return ctx.fail(
        "Cell error: Store error: Usage: cl.throttle <key> <max_burst> <count per period> <period> "
        "[<quantity>]");
  }
  OURO_TRY(const int64_t max_burst, parse_number(ctx, 2));
  OURO_TRY(const int64_t count, parse_number(ctx, 3));
  OURO_TRY(const int64_t period, parse_number(ctx, 4));
  int64_t quantity = 1;
  if (ctx.argv.size() == 6) {
    OURO_TRY(quantity, parse_number(ctx, 5));
  }
  const Nanos period_nanos = Nanos{period} * kNanosPerSecond;
  const Nanos interval =
      count == 0 ? 0
                 : Nanos{saturated(static_cast<double>(period_nanos) / static_cast<double>(count))};
  if (interval == 0) return ctx.fail("Cell error: Store error: Zero rates are not supported");
  if (max_burst == INT64_MAX) return Err::kNotAnInteger;
  const int64_t limit = max_burst + 1;
  const Quota quota{limit, interval, interval * limit, interval * quantity};
  if (!fits_int64(quota.tolerance) || !fits_int64(quota.increment)) return Err::kNotAnInteger;
  return quota;
}

Verdict decide(const Quota& quota, std::optional<uint64_t> stored, Nanos now) {
  const Nanos arrival = stored ? Nanos{*stored} : now;
  const GcraVerdict asked = ask_gcra({arrival, quota.increment, quota.tolerance}, now);
  Verdict verdict{.allowed = asked.allowed(),
                  .arrival = asked.arrival,
                  .retry_after = -Nanos{kNanosPerSecond},
                  .reset_after = 0,
                  .remaining = 0};
  if (!verdict.allowed && quota.increment <= quota.tolerance) verdict.retry_after = asked.ahead;
  verdict.reset_after = (verdict.allowed ? asked.arrival : arrival) - now;
  const Nanos room = quota.tolerance - verdict.reset_after;
  if (room > -quota.interval) {
    // In whole microseconds, as redis-cell counts.
    const Nanos room_us = room / 1000;
    const Nanos interval_us = quota.interval / 1000;
    verdict.remaining = saturated(static_cast<double>(room_us) / static_cast<double>(interval_us));
  }
  return verdict;
}

// A begun millisecond does not count, a begun second does: nobody is to come back too early.
int64_t whole_seconds(Nanos time) {
  const Nanos seconds = time / kNanosPerSecond;
  const bool begun = time % kNanosPerSecond / kNanosPerMilli > 0;
  return static_cast<int64_t>(seconds) + (begun ? 1 : 0);
}

// Keeps the new arrival time until it is reached.
void store_arrival(Context& ctx, const Key& key, Entry* entry, Nanos arrival, Nanos left) {
  const auto millis = static_cast<Millis>(left / kNanosPerMilli);
  if (millis <= 0) {
    if (entry != nullptr) end_key(ctx, key);
    return;
  }
  char value[kInt64TextMax];
  const ByteView text(value, format_uint64(static_cast<uint64_t>(arrival), value));
  const UnixMs deadline = ctx.now + millis;
  ctx.db.put_string(key, entry, text, deadline);
  if (entry == nullptr) ctx.added(key);
  ctx.changed(key, Event::kString, "set");
  ctx.engine.notify(ctx.caller.db, key.bytes, Event::kGeneric, "expire");
  if (!ctx.effects.wanted()) return;
  char when[kInt64TextMax];
  ctx.effects.replace({"SET", key.bytes, text, "PXAT", {when, format_int64(deadline, when)}});
}

Status cmd_throttle(Context& ctx) {
  OURO_TRY(const Quota quota, parse_quota(ctx));
  const Key key = ctx.key(1);
  OURO_TRY(Entry * entry, ctx.find_string_to_write(key));
  std::optional<uint64_t> stored;
  if (entry != nullptr) {
    NumberText scratch;
    stored = parse_uint64(entry->text(scratch));
    if (!stored) return Err::kNotAnInteger;
  }
  const Verdict verdict = decide(quota, stored, Nanos{ctx.now} * kNanosPerMilli);
  if (verdict.arrival < 0 || verdict.arrival > UINT64_MAX) return Err::kNotAnInteger;
  ctx.reply.array(5);
  ctx.reply.integer(verdict.allowed ? 0 : 1);
  ctx.reply.integer(quota.limit);
  ctx.reply.integer(verdict.remaining);
  ctx.reply.integer(whole_seconds(verdict.retry_after));
  ctx.reply.integer(whole_seconds(verdict.reset_after));
  if (verdict.allowed) store_arrival(ctx, key, entry, verdict.arrival, verdict.reset_after);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "CL.THROTTLE",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_throttle,
     .doc = {.summary = "Asks a rate limiter whether a request may pass now, and counts it.",
             .complexity = "O(1)",
             .since = "0.1.0",
             .group = "module",
             .args = "key:key#0 max_burst:integer count:integer period:integer "
                     "[quantity:integer]"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kThrottleCommands = kRows;

}  // namespace ouro
