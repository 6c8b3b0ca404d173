// SPDX-License-Identifier: BSD-3-Clause
// SLOWLOG: reads the log of slow commands (engine/slowlog.h).
#include "server/engine/slowlog.h"

#include <algorithm>

#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

Status cmd_slowlog_get(Context& ctx) {
  constexpr size_t kLinesByDefault = 10;
  const auto& lines = ctx.engine.slowlog.lines();
  size_t count = kLinesByDefault;
  if (ctx.argv.size() > 3) return wrong_subcommand_arity(ctx);
  if (ctx.argv.size() == 3) {
    const Result<int64_t> wanted = ctx.integer(2);
    if (!wanted.is_ok() || *wanted < -1)
      return ctx.fail("ERR count should be greater than or equal to -1");
    count = *wanted == -1 ? lines.size() : static_cast<size_t>(*wanted);
  }
  count = std::min(count, lines.size());
  ctx.reply.array(count);
  for (size_t i = 0; i < count; ++i) {
    const SlowLog::Line& line = lines[i];
    ctx.reply.array(6);
    ctx.reply.integer(static_cast<int64_t>(line.id));
    ctx.reply.integer(line.at / 1000);
    ctx.reply.integer(line.took);
    ctx.reply.array(line.argv.argv().size());
    for (const ByteView argument : line.argv.argv()) ctx.reply.bulk(argument);
    ctx.reply.bulk(line.address);
    ctx.reply.bulk(line.client_name);
  }
  return Status::ok();
}

Status cmd_slowlog_len(Context& ctx) {
  ctx.reply.integer(static_cast<int64_t>(ctx.engine.slowlog.lines().size()));
  return Status::ok();
}

Status cmd_slowlog_reset(Context& ctx) {
  ctx.engine.slowlog.reset();
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_slowlog_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kSlowlogRows[] = {
    {.name = "GET",
     .arity = at_least(2),
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .handler = cmd_slowlog_get,
     .doc = {.summary = "Returns the latest entries of the log.",
             .complexity = "O(N), N entries returned",
             .since = "2.2.12",
             .group = "server",
             .args = "[count:integer]",
             .tips = "request_policy:all_nodes nondeterministic_output"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_slowlog_help,
     .doc = {.summary = "Lists the subcommands of SLOWLOG.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "server"}},
    {.name = "LEN",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .handler = cmd_slowlog_len,
     .doc = {.summary = "Returns how many entries the log has.",
             .complexity = "O(1)",
             .since = "2.2.12",
             .group = "server",
             .tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"}},
    {.name = "RESET",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .handler = cmd_slowlog_reset,
     .doc = {.summary = "Empties the log.",
             .complexity = "O(N), N entries",
             .since = "2.2.12",
             .group = "server",
             .tips = "request_policy:all_nodes response_policy:all_succeeded"}},
};
static_assert(table_is_valid(kSlowlogRows));

constexpr CommandSpec kSlowlogTable[] = {
    {.name = "SLOWLOG",
     .arity = at_least(2),
     .subcommands = kSlowlogRows,
     .doc = {.summary = "Reads the log of slow commands.",
             .complexity = "By subcommand",
             .since = "2.2.12",
             .group = "server"}},
};
static_assert(table_is_valid(kSlowlogTable));

}  // namespace

constinit const std::span<const CommandSpec> kSlowlogCommands = kSlowlogTable;

}  // namespace ouro
