// SPDX-License-Identifier: BSD-3-Clause
// HOTKEYS: collects and shows which keys cost most (engine/hot_keys.h). Where nobody has asked for
// a collection, GET shows which keys were used most lately (engine/use_sketch.h), which is always
// known.
#include "server/engine/hot_keys.h"

#include <algorithm>

#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

constexpr int64_t kMetrics = 2;
// As many days as a 32-bit number of seconds has, and no ratio is larger.
constexpr int64_t kNumberMax = INT32_MAX;

Status parse_metrics(Context& ctx, ArgParser& args, HotKeys::Setup& setup) {
  if (!args.word("METRICS")) return ctx.fail("ERR METRICS parameter is required");
  const Result<int64_t> count = parse_integer(args.next());
  if (!count.is_ok() || *count < 1 || *count > kMetrics) {
    return ctx.fail("ERR METRICS count must be > 0 and <= %lld", static_cast<long long>(kMetrics));
  }
  for (;;) {
    if (args.word("CPU")) {
      if (std::exchange(setup.by_time, true))
        return ctx.fail("ERR METRICS CPU defined more than once!");
    } else if (args.word("NET")) {
      if (std::exchange(setup.by_bytes, true))
        return ctx.fail("ERR METRICS NET defined more than once!");
    } else {
      break;
    }
  }
  const int64_t named = (setup.by_time ? 1 : 0) + (setup.by_bytes ? 1 : 0);
  if (named == 0) return ctx.fail("ERR METRICS no valid metrics passed. Supported: CPU|NET");
  if (named != *count)
    return ctx.fail("ERR METRICS count does not match number of metric types provided");
  return Status::ok();
}

Result<int64_t> parse_number(Context& ctx, ArgParser& args, const char* name, int64_t most) {
  const Result<int64_t> number = parse_integer(args.next());
  if (number.is_ok() && *number >= 1 && *number <= most) return number;
  return ctx.fail("ERR %s must be between 1 and %lld", name, static_cast<long long>(most));
}

Status cmd_hotkeys_start(Context& ctx) {
  HotKeys& hot = ctx.engine.hot_keys;
  hot.end_if_due();
  if (hot.active()) return ctx.fail("ERR hotkey tracking session already in progress");
  HotKeys::Setup setup;
  ArgParser args(ctx.argv, 2);
  OURO_TRY(parse_metrics(ctx, args, setup));
  while (args.more()) {
    if (args.word("COUNT")) {
      OURO_TRY(const int64_t count, parse_number(ctx, args, "COUNT", HotKeys::kShownMax));
      setup.shown = static_cast<size_t>(count);
    } else if (args.word("DURATION")) {
      OURO_TRY(const int64_t seconds, parse_number(ctx, args, "DURATION", kNumberMax));
      setup.duration = seconds * 1000;
    } else if (args.word("SAMPLE")) {
      OURO_TRY(const int64_t ratio, parse_number(ctx, args, "SAMPLE", kNumberMax));
      setup.sample_ratio = static_cast<uint64_t>(ratio);
    } else if (args.word("SLOTS")) {
      return ctx.fail("ERR SLOTS parameter cannot be used in non-cluster mode");
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  hot.start(setup);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_hotkeys_stop(Context& ctx) {
  HotKeys& hot = ctx.engine.hot_keys;
  hot.end_if_due();
  if (!hot.has_results()) {
    ctx.reply.null();
    return Status::ok();
  }
  hot.stop();
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_hotkeys_reset(Context& ctx) {
  HotKeys& hot = ctx.engine.hot_keys;
  hot.end_if_due();
  if (hot.active()) return ctx.fail("ERR hotkey tracking session in progress, stop tracking first");
  hot.reset();
  ctx.reply.ok();
  return Status::ok();
}

// Those that the caller may read, of those that for_each gives, the heaviest first.
template <class ForEach>
void reply_top(Context& ctx, ForEach for_each) {
  const Reply::Mark mark = ctx.reply.begin();
  size_t elements = 0;
  for_each([&](ByteView key, uint64_t weight) {
    if (!ctx.engine.acl.permits_key(ctx.caller, ctx.spec, ctx.argv, key, kReadOnly | kAccess))
      return;
    ctx.reply.bulk(key);
    ctx.reply.integer(static_cast<int64_t>(weight));
    elements += 2;
  });
  ctx.reply.end_array(mark, elements);
}

void reply_hitters(Context& ctx, const HeavyHitters& hitters, uint64_t unit) {
  reply_top(ctx, [&](auto add) {
    hitters.for_each_top(ctx.engine.hot_keys.setup().shown,
                         [&](ByteView key, uint64_t weight) { add(key, weight / unit); });
  });
}

void reply_number(Context& ctx, ByteView name, uint64_t value) {
  ctx.reply.bulk(name);
  ctx.reply.integer(static_cast<int64_t>(value));
}

void reply_all_slots(Context& ctx) {
  constexpr size_t kSlots = 16384;
  ctx.reply.bulk("selected-slots");
  ctx.reply.array(1);
  ctx.reply.array(2);
  ctx.reply.integer(0);
  ctx.reply.integer(kSlots - 1);
}

// What is known without a collection.
Status get_uses(Context& ctx) {
  UseSketch& sketch = ctx.engine.use_sketch;
  const UnixMs began = sketch.began(ctx.now);
  if (began == 0) {
    ctx.reply.null();
    return Status::ok();
  }
  ctx.reply.array(1);
  ctx.reply.map(6);
  reply_number(ctx, "tracking-active", 0);
  reply_number(ctx, "sample-ratio", UseSketch::kSampled);
  reply_all_slots(ctx);
  reply_number(ctx, "collection-start-time-unix-ms", static_cast<uint64_t>(began));
  reply_number(ctx, "collection-duration-ms", static_cast<uint64_t>(ctx.now - began));
  ctx.reply.bulk("by-uses");
  reply_top(ctx, [&](auto add) {
    const std::vector<UseSketch::Uses> all = sketch.top(ctx.now);
    for (const auto& uses : std::span(all).first(std::min(all.size(), HotKeys::kShownMax)))
      add(uses.key, uses.count);
  });
  return Status::ok();
}

// An array of one map: of a cluster there would be several.
Status cmd_hotkeys_get(Context& ctx) {
  HotKeys& hot = ctx.engine.hot_keys;
  hot.end_if_due();
  if (!hot.has_results()) return get_uses(ctx);
  constexpr uint64_t kNanosOfMicro = 1000;
  const auto number = [&](ByteView name, auto value) {
    reply_number(ctx, name, static_cast<uint64_t>(value));
  };
  const HotKeys::Setup& setup = hot.setup();
  ctx.reply.array(1);
  ctx.reply.map(7U + (setup.by_time ? 3U : 0U) + (setup.by_bytes ? 2U : 0U));
  number("tracking-active", hot.active() ? 1 : 0);
  number("sample-ratio", setup.sample_ratio);
  reply_all_slots(ctx);
  number("all-commands-all-slots-us", hot.totals().nanos / kNanosOfMicro);
  number("net-bytes-all-commands-all-slots", hot.totals().bytes);
  number("collection-start-time-unix-ms", hot.began());
  number("collection-duration-ms", hot.duration());
  if (setup.by_time) {
    number("total-cpu-time-user-ms", hot.usage().user_s * 1000);
    number("total-cpu-time-sys-ms", hot.usage().system_s * 1000);
  }
  if (setup.by_bytes) number("total-net-bytes", hot.totals().bytes);
  if (setup.by_time) {
    ctx.reply.bulk("by-cpu-time-us");
    reply_hitters(ctx, *hot.by_time(), kNanosOfMicro);
  }
  if (setup.by_bytes) {
    ctx.reply.bulk("by-net-bytes");
    reply_hitters(ctx, *hot.by_bytes(), 1);
  }
  return Status::ok();
}

Status cmd_hotkeys_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kHotkeysRows[] = {
    {.name = "GET",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kNoScript,
     .databases = DbUse::kEvery,
     .handler = cmd_hotkeys_get,
     .doc = {.summary = "Returns what was collected, or which keys are used most.",
             .complexity = "O(K), K keys returned",
             .since = "8.6.0",
             .group = "server",
             .tips = "request_policy:special response_policy:special nondeterministic_output"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_hotkeys_help,
     .doc = {.summary = "Lists the subcommands of HOTKEYS.",
             .complexity = "O(1)",
             .since = "8.6.1",
             .group = "server"}},
    {.name = "RESET",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kNoScript,
     .handler = cmd_hotkeys_reset,
     .doc = {.summary = "Forgets what was collected.",
             .complexity = "O(1)",
             .since = "8.6.0",
             .group = "server",
             .tips = "request_policy:special"}},
    {.name = "START",
     .arity = at_least(2),
     .flags = Flag::kAdmin | Flag::kNoScript,
     .handler = cmd_hotkeys_start,
     .doc = {.summary = "Begins to collect which keys cost most.",
             .complexity = "O(1)",
             .since = "8.6.0",
             .group = "server",
             .args = "METRICS=metrics:{count:integer [cpu!CPU] [net!NET]} [COUNT=k:integer] "
                     "[DURATION=seconds:integer] [SAMPLE=ratio:integer] "
                     "[SLOTS=slots:{count:integer slot:integer...}]",
             .tips = "request_policy:special"}},
    {.name = "STOP",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kNoScript,
     .handler = cmd_hotkeys_stop,
     .doc = {.summary = "Ends the collection; what was collected stays.",
             .complexity = "O(1)",
             .since = "8.6.0",
             .group = "server",
             .tips = "request_policy:special"}},
};
static_assert(table_is_valid(kHotkeysRows));

constexpr CommandSpec kRows[] = {
    {.name = "HOTKEYS",
     .arity = at_least(2),
     .subcommands = kHotkeysRows,
     .doc = {.summary = "Finds the keys that cost most.",
             .complexity = "By subcommand",
             .since = "8.6.0",
             .group = "server"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kHotKeysCommands = kRows;

}  // namespace ouro
