// SPDX-License-Identifier: BSD-3-Clause
// INCREX: adds to the number that a key has, within bounds, and says when the key ends, in one
// step. What does not fit is refused (nothing changes) or, with SATURATE, ends at the bound it
// would pass.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "datastructs/codec/number_text.h"
#include "server/commands/expire_time.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

using Argument = std::optional<ByteView>;

// The arguments as they were sent.
struct Options {
  bool as_float = false;  // BYFLOAT
  Argument increment;
  Argument lower;
  Argument upper;
  bool saturate = false;
  TimeOption time;
  bool persist = false;
  bool only_without_ttl = false;  // ENX
};

// An option with a value that may stand once.
bool take_once(ArgParser& args, ByteView word, Argument& value) {
  if (!args.word(word)) return false;
  if (value) args.unexpected();
  value = args.next();
  return true;
}

bool take_flag(ArgParser& args, ByteView word, bool& flag) {
  if (!args.word(word)) return false;
  if (flag) args.unexpected();
  flag = true;
  return true;
}

Result<Options> parse_options(Context& ctx) {
  Options options;
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    if (take_once(args, "BYINT", options.increment)) {
      if (options.as_float) args.unexpected();
    } else if (take_once(args, "BYFLOAT", options.increment)) {
      options.as_float = true;
    } else if (TimeOption time; take_time(args, time)) {
      if (options.time.given()) args.unexpected();
      options.time = time;
    } else if (!take_once(args, "LBOUND", options.lower) &&
               !take_once(args, "UBOUND", options.upper) &&
               !take_flag(args, "SATURATE", options.saturate) &&
               !take_flag(args, "PERSIST", options.persist) &&
               !take_flag(args, "ENX", options.only_without_ttl)) {
      args.unexpected();
    }
    if (options.persist && (options.time.given() || options.only_without_ttl)) args.unexpected();
  }
  OURO_TRY(args.finish());
  if (options.only_without_ttl && !options.time.given()) {
    return ctx.fail("ERR ENX flag requires an expiration");
  }
  return options;
}

// ---- arithmetic: each kind of number says how it is read, added and written

struct Integers {
  using Number = int64_t;
  static constexpr Number kMin = INT64_MIN;
  static constexpr Number kMax = INT64_MAX;
  static constexpr const char* kBadText = "is not an integer or out of range";
  static constexpr const char* kBeyond = "ERR applied increment would overflow";
  static constexpr ByteView kEvent = "incrby";
  static constexpr Err kBadValue = Err::kNotAnInteger;

  static std::optional<Number> parse(ByteView text) { return parse_int64(text); }
  // False if the sum is beyond what the type holds.
  static bool add(Number a, Number b, Number& sum) { return !__builtin_add_overflow(a, b, &sum); }
  static bool subtract(Number a, Number b, Number& difference) {
    return !__builtin_sub_overflow(a, b, &difference);
  }
  static void reply(Reply& reply, Number number) { reply.integer(number); }
  static size_t format(Number number, char* out) { return format_int64(number, out); }
  static void store(Keyspace& db, const Key& key, Entry* old, Number number, ByteView,
                    UnixMs deadline) {
    db.put_integer(key, old, number, deadline);
  }
};

struct Floats {
  using Number = long double;
  static constexpr Number kMin = std::numeric_limits<Number>::lowest();
  static constexpr Number kMax = std::numeric_limits<Number>::max();
  static constexpr const char* kBadText = "is not a valid float";
  static constexpr const char* kBeyond = "ERR applied increment would be Infinity";
  static constexpr ByteView kEvent = "incrbyfloat";
  static constexpr Err kBadValue = Err::kNotAFloat;

  static std::optional<Number> parse(ByteView text) { return parse_long_double(text); }
  static bool add(Number a, Number b, Number& sum) { return std::isfinite(sum = a + b); }
  static bool subtract(Number a, Number b, Number& difference) {
    return std::isfinite(difference = a - b);
  }
  static void reply(Reply& reply, Number number) {
    if (reply.is_resp3()) return reply.real(static_cast<double>(number));
    char text[kLongDoubleTextMax];
    reply.bulk({text, format_long_double(number, text)});
  }
  static size_t format(Number number, char* out) { return format_long_double(number, out); }
  static void store(Keyspace& db, const Key& key, Entry* old, Number, ByteView text,
                    UnixMs deadline) {
    db.put_text(key, old, text, deadline);
  }
};

template <class Kind>
struct Bounds {
  typename Kind::Number lower = Kind::kMin;
  typename Kind::Number upper = Kind::kMax;
};

template <class Kind>
Status parse_number(Context& ctx, const Argument& text, const char* name,
                    typename Kind::Number& number) {
  if (!text) return Status::ok();
  const auto parsed = Kind::parse(*text);
  if (!parsed) return ctx.fail("ERR %s %s", name, Kind::kBadText);
  number = *parsed;
  return Status::ok();
}

// ---- storing

// What became of the key's deadline.
enum class Ttl : uint8_t { kKept, kSet, kCleared };

Ttl ttl_change(const Options& options, const Entry* entry) {
  const bool has_deadline = entry != nullptr && entry->has_deadline();
  if (options.persist) return Ttl::kCleared;
  if (!options.time.given() || (options.only_without_ttl && has_deadline)) return Ttl::kKept;
  return Ttl::kSet;
}

// The number itself goes to the log: another machine's arithmetic may differ, another server may
// not know INCREX.
void leave_number(Context& ctx, const Key& key, ByteView text, Ttl ttl, UnixMs deadline) {
  if (!ctx.effects.wanted()) return;
  char when[kInt64TextMax];
  switch (ttl) {
    case Ttl::kKept:
      return ctx.effects.replace({"SET", key.bytes, text, "KEEPTTL"});
    case Ttl::kCleared:
      return ctx.effects.replace({"SET", key.bytes, text});
    case Ttl::kSet:
      ctx.effects.replace({"SET", key.bytes, text, "PXAT", {when, format_int64(deadline, when)}});
  }
}

template <class Kind>
void store_number(Context& ctx, const Key& key, Entry* entry, typename Kind::Number number, Ttl ttl,
                  UnixMs deadline) {
  if (ttl == Ttl::kSet && ctx.clock_decides() && deadline <= ctx.now) {
    if (entry != nullptr) end_key(ctx, key);
    return;
  }
  const UnixMs before = entry == nullptr ? kNoExpiry : entry->deadline();
  if (ttl == Ttl::kKept) deadline = before;
  char buffer[kLongDoubleTextMax];
  const ByteView text(buffer, Kind::format(number, buffer));
  Kind::store(ctx.db, key, entry, number, text, deadline);
  if (entry == nullptr) ctx.added(key);
  ctx.changed(key, Event::kString, Kind::kEvent);
  if (ttl == Ttl::kSet) {
    ctx.engine.notify(ctx.caller.db, key.bytes, Event::kGeneric, "expire");
  } else if (ttl == Ttl::kCleared && before != kNoExpiry) {
    ctx.engine.notify(ctx.caller.db, key.bytes, Event::kGeneric, "persist");
  }
  leave_number(ctx, key, text, ttl, deadline);
}

// The number that the key has; 0 if it is absent.
template <class Kind>
Result<typename Kind::Number> number_of(Context& ctx, const Entry* entry) {
  if (entry == nullptr) return typename Kind::Number{0};
  NumberText scratch;
  const auto number = Kind::parse(entry->text(scratch));
  if (!number) return Kind::kBadValue;
  if (!std::isfinite(static_cast<long double>(*number))) {
    return ctx.fail("ERR value cannot be Infinity");
  }
  return *number;
}

template <class Kind>
Status add_within(Context& ctx, const Options& options) {
  using Number = typename Kind::Number;
  Number increment = 1;
  Bounds<Kind> bounds;
  OURO_TRY(parse_number<Kind>(ctx, options.increment, "Increment", increment));
  if (!std::isfinite(static_cast<long double>(increment))) {
    return ctx.fail("ERR BYFLOAT increment cannot be Infinity");
  }
  OURO_TRY(parse_number<Kind>(ctx, options.lower, "LBOUND", bounds.lower));
  OURO_TRY(parse_number<Kind>(ctx, options.upper, "UBOUND", bounds.upper));
  if (bounds.lower > bounds.upper) return ctx.fail("ERR LBOUND can't be greater than UBOUND");
  OURO_TRY(const UnixMs deadline, deadline_of(ctx, options.time));

  const Key key = ctx.key(1);
  OURO_TRY(Entry * entry, ctx.find_string_to_write(key));
  OURO_TRY(const Number before, number_of<Kind>(ctx, entry));
  Number sum = 0;
  const bool fits = Kind::add(before, increment, sum);
  if (!fits) sum = increment > 0 ? Kind::kMax : Kind::kMin;
  const bool refused = !options.saturate && (!fits || sum < bounds.lower || sum > bounds.upper);
  sum = refused ? before : std::clamp(sum, bounds.lower, bounds.upper);
  Number applied = 0;
  if (!Kind::subtract(sum, before, applied)) return ctx.fail_text(Kind::kBeyond);
  ctx.reply.array(2);
  Kind::reply(ctx.reply, sum);
  Kind::reply(ctx.reply, applied);
  if (!refused) store_number<Kind>(ctx, key, entry, sum, ttl_change(options, entry), deadline);
  return Status::ok();
}

Status cmd_increx(Context& ctx) {
  OURO_TRY(const Options options, parse_options(ctx));
  return options.as_float ? add_within<Floats>(ctx, options) : add_within<Integers>(ctx, options);
}

constexpr CommandSpec kRows[] = {
    {.name = "INCREX",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kString,
     .handler = cmd_increx,
     .doc = {.summary = "Adds to a number within bounds and may set the expiry of its key.",
             .complexity = "O(1)",
             .since = "8.8.0",
             .group = "string",
             .args = "key:key#0 [increment:<BYFLOAT=float:double | BYINT=integer:integer>] "
                     "[saturate!SATURATE] [LBOUND=lowerbound:string] [UBOUND=upperbound:string] "
                     "[expiration:<EX=seconds:integer | PX=milliseconds:integer | "
                     "EXAT=unix-time-seconds:unix-time | PXAT=unix-time-milliseconds:unix-time | "
                     "persist!PERSIST>] [enx!ENX]"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStringIncrexCommands = kRows;

}  // namespace ouro
