// SPDX-License-Identifier: BSD-3-Clause
// LATENCY: what took long (engine/latency.h), and how long commands take (the registry's
// histograms).
#include "server/engine/latency.h"

#include <algorithm>
#include <vector>

#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

Status cmd_latency_latest(Context& ctx) {
  const auto& events = ctx.engine.latency.events();
  ctx.reply.array(events.size());
  for (const auto& [name, series] : events) {
    ctx.reply.array(4);
    ctx.reply.bulk(name);
    ctx.reply.integer(series.samples.back().second);
    ctx.reply.integer(series.samples.back().worst);
    ctx.reply.integer(series.max);
  }
  return Status::ok();
}

const LatencyMonitor::Series* find_series(const Context& ctx) {
  const auto found = ctx.engine.latency.events().find(ctx.argv[2]);
  return found == ctx.engine.latency.events().end() ? nullptr : &found->second;
}

Status cmd_latency_history(Context& ctx) {
  const LatencyMonitor::Series* series = find_series(ctx);
  if (series == nullptr) {
    ctx.reply.array(0);
    return Status::ok();
  }
  ctx.reply.array(series->samples.size());
  for (const LatencyMonitor::Sample& sample : series->samples) {
    ctx.reply.array(2);
    ctx.reply.integer(sample.second);
    ctx.reply.integer(sample.worst);
  }
  return Status::ok();
}

Status cmd_latency_reset(Context& ctx) {
  size_t dropped = 0;
  if (ctx.argv.size() == 2) dropped = ctx.engine.latency.reset({});
  for (const ByteView event : ctx.argv.subspan(2)) {
    if (!event.empty()) dropped += ctx.engine.latency.reset(event);
  }
  ctx.reply.integer(static_cast<int64_t>(dropped));
  return Status::ok();
}

// One column a sample, oldest left; below it how long ago, written downwards.
std::string draw(const std::deque<LatencyMonitor::Sample>& all, int64_t now_second) {
  constexpr size_t kColumnsMax = 80;
  constexpr int64_t kLevels = 12;  // four rows of '_', 'o' and '#'
  const size_t first = all.size() > kColumnsMax ? all.size() - kColumnsMax : 0;
  Millis low = INT64_MAX;
  Millis high = 0;
  for (size_t i = first; i < all.size(); ++i) {
    low = std::min(low, all[i].worst);
    high = std::max(high, all[i].worst);
  }
  std::string text;
  for (int64_t row = 3; row >= 0; --row) {
    for (size_t i = first; i < all.size(); ++i) {
      const int64_t level = high == low ? 0 : (all[i].worst - low) * (kLevels - 1) / (high - low);
      const int64_t inside = level - row * 3;
      text += inside >= 2 ? '#' : inside == 1 ? 'o' : inside == 0 ? '_' : inside > 2 ? '|' : ' ';
    }
    text += '\n';
  }
  std::vector<std::string> ages;
  size_t rows = 0;
  for (size_t i = first; i < all.size(); ++i) {
    const int64_t age = std::max<int64_t>(now_second - all[i].second, 0);
    ages.push_back(age < 60      ? std::to_string(age) + "s"
                   : age < 3600  ? std::to_string(age / 60) + "m"
                   : age < 86400 ? std::to_string(age / 3600) + "h"
                                 : std::to_string(age / 86400) + "d");
    rows = std::max(rows, ages.back().size());
  }
  for (size_t row = 0; row < rows; ++row) {
    text += '\n';
    for (const std::string& age : ages) text += row < age.size() ? age[row] : ' ';
  }
  return text + '\n';
}

Status cmd_latency_graph(Context& ctx) {
  const LatencyMonitor::Series* series = find_series(ctx);
  if (series == nullptr) {
    return ctx.fail("ERR No samples available for event '%.*s'", printed_size(ctx.argv[2]),
                    ctx.argv[2].data());
  }
  Millis low = INT64_MAX;
  Millis high = 0;
  for (const LatencyMonitor::Sample& sample : series->samples) {
    low = std::min(low, sample.worst);
    high = std::max(high, sample.worst);
  }
  std::string text(ctx.argv[2]);
  text += " - high " + std::to_string(high) + " ms, low " + std::to_string(low) +
          " ms (all time high " + std::to_string(series->max) + " ms)\n" + std::string(80, '-') +
          "\n";
  ctx.reply.verbatim("txt", text + draw(series->samples, ctx.now / 1000));
  return Status::ok();
}

Status cmd_latency_doctor(Context& ctx) {
  if (ctx.engine.options.latency_monitor_threshold_ms == 0) {
    ctx.reply.verbatim(
        "txt",
        "Nothing is recorded: latency-monitor-threshold is 0. CONFIG SET latency-monitor-threshold "
        "<milliseconds> begins to record what takes at least that long.\n");
    return Status::ok();
  }
  const auto& events = ctx.engine.latency.events();
  if (events.empty()) {
    ctx.reply.verbatim(
        "txt", "Nothing took longer than latency-monitor-threshold since the last reset.\n");
    return Status::ok();
  }
  std::string text = "Events that took longer than latency-monitor-threshold:\n\n";
  for (const auto& [name, series] : events) {
    Millis sum = 0;
    for (const LatencyMonitor::Sample& sample : series.samples) sum += sample.worst;
    const auto count = static_cast<int64_t>(series.samples.size());
    const int64_t span = series.samples.back().second - series.samples.front().second;
    text += "- " + name + ": in " + std::to_string(count) + " seconds out of " +
            std::to_string(span + 1) + ", mean " + std::to_string(sum / count) +
            " ms, worst ever " + std::to_string(series.max) + " ms\n";
  }
  text += "\nWhat helps:\n";
  if (events.find("command") != events.end()) {
    text +=
        "- SLOWLOG GET names the commands. Replace those that walk a whole value or keyspace by "
        "their SCAN forms.\n";
  }
  if (events.find("expire-cycle") != events.end() ||
      events.find("eviction-cycle") != events.end()) {
    text +=
        "- Large values cost when they expire or are evicted: lazyfree-lazy-expire and "
        "lazyfree-lazy-eviction free them "
        "in slices.\n";
  }
  text +=
      "- A busy or swapping machine slows everything down: compare turn_cpu_us_* and "
      "turn_wall_us_* in INFO stats.\n";
  ctx.reply.verbatim("txt", text);
  return Status::ok();
}

// ---- HISTOGRAM
// Bounds are powers of two of nanoseconds as Redis's histogram rounds them, in microseconds: 1 2 4
// 8 16 33 66 132 ...
int64_t shown_bound(uint64_t nanos) {
  return static_cast<int64_t>((nanos + nanos / 128 - 1) / 1000);
}

size_t reply_histogram(Context& ctx, const CommandSpec& row) {
  const CommandStats& stats = ctx.engine.registry.stats(row);
  if (stats.latency == nullptr || stats.latency->count() == 0) return 0;
  ctx.reply.bulk(ctx.engine.registry.full_name(row));
  ctx.reply.map(2);
  ctx.reply.bulk("calls");
  ctx.reply.integer(static_cast<int64_t>(stats.latency->count()));
  ctx.reply.bulk("histogram_usec");
  const Reply::Mark mark = ctx.reply.begin();
  size_t bounds = 0;
  stats.latency->for_each_power_of_two([&](uint64_t bound, uint64_t covered) {
    ctx.reply.integer(shown_bound(bound));
    ctx.reply.integer(static_cast<int64_t>(covered));
    ++bounds;
  });
  ctx.reply.end_map(mark, bounds);
  return 1;
}

Status cmd_latency_histogram(Context& ctx) {
  const Reply::Mark mark = ctx.reply.begin();
  size_t rows = 0;
  if (ctx.argv.size() == 2) {
    ctx.engine.registry.for_each_row(
        [&](const CommandSpec& row, const CommandStats&) { rows += reply_histogram(ctx, row); });
  }
  for (const ByteView name : ctx.argv.subspan(2)) {
    const CommandSpec* row = ctx.engine.registry.find_full(name);
    if (row == nullptr) continue;
    rows += reply_histogram(ctx, *row);
    // A container stands for what it holds.
    for (const CommandSpec& sub : row->subcommands) rows += reply_histogram(ctx, sub);
  }
  ctx.reply.end_map(mark, rows);
  return Status::ok();
}

Status cmd_latency_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kLatencyRows[] = {
    {.name = "DOCTOR",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_latency_doctor,
     .doc = {.summary = "Explains in words what took long.",
             .complexity = "O(1)",
             .since = "2.8.13",
             .group = "server",
             .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"}},
    {.name = "GRAPH",
     .arity = exactly(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_latency_graph,
     .doc = {.summary = "Draws the samples of an event.",
             .complexity = "O(1)",
             .since = "2.8.13",
             .group = "server",
             .args = "event:string",
             .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_latency_help,
     .doc = {.summary = "Lists the subcommands of LATENCY.",
             .complexity = "O(1)",
             .since = "2.8.13",
             .group = "server"}},
    {.name = "HISTOGRAM",
     .arity = at_least(2),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_latency_histogram,
     .doc = {.summary = "Returns how long commands took, as histograms.",
             .complexity = "O(N), N commands shown",
             .since = "7.0.0",
             .group = "server",
             .args = "[command:string...]",
             .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"}},
    {.name = "HISTORY",
     .arity = exactly(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_latency_history,
     .doc = {.summary = "Returns the samples of an event.",
             .complexity = "O(1)",
             .since = "2.8.13",
             .group = "server",
             .args = "event:string",
             .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"}},
    {.name = "LATEST",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_latency_latest,
     .doc = {.summary = "Returns the last sample of each event.",
             .complexity = "O(1)",
             .since = "2.8.13",
             .group = "server",
             .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"}},
    {.name = "RESET",
     .arity = at_least(2),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_latency_reset,
     .doc = {.summary = "Forgets the samples of events.",
             .complexity = "O(1)",
             .since = "2.8.13",
             .group = "server",
             .args = "[event:string...]",
             .tips = "request_policy:all_nodes response_policy:all_succeeded"}},
};
static_assert(table_is_valid(kLatencyRows));

constexpr CommandSpec kLatencyTable[] = {
    {.name = "LATENCY",
     .arity = at_least(2),
     .subcommands = kLatencyRows,
     .doc = {.summary = "Shows what took long.",
             .complexity = "By subcommand",
             .since = "2.8.13",
             .group = "server"}},
};
static_assert(table_is_valid(kLatencyTable));

}  // namespace

constinit const std::span<const CommandSpec> kLatencyCommands = kLatencyTable;

}  // namespace ouro
