// SPDX-License-Identifier: BSD-3-Clause
// COMMANDLOG and SLOWLOG, its first kind: reads what engine/command_log.h keeps.
#include "server/engine/command_log.h"

#include <algorithm>

#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

using Kind = CommandLog::Kind;

Result<size_t> parse_count(Context& ctx) {
  const Result<int64_t> wanted = ctx.integer(2);
  if (!wanted.is_ok() || *wanted < -1)
    return ctx.fail("ERR count should be greater than or equal to -1");
  return *wanted == -1 ? SIZE_MAX : static_cast<size_t>(*wanted);
}

// In full a line also tells how many arguments there were, as Redis 8.10 does, and how long
// the command waited: clients of 7.0 read lines of six.
enum class Detail : uint8_t { kBrief, kFull };
Status reply_lines(Context& ctx, Kind kind, size_t count, Detail detail) {
  const CommandLog::Lines& lines = ctx.engine.command_log.lines(kind);
  count = std::min(count, lines.size());
  ctx.reply.array(count);
  for (size_t i = 0; i < count; ++i) {
    const CommandLog::Line& line = lines[i];
    ctx.reply.array(detail == Detail::kFull ? 8 : 6);
    ctx.reply.integer(static_cast<int64_t>(line.id));
    ctx.reply.integer(line.at / 1000);
    ctx.reply.integer(line.value);
    ctx.reply.array(line.argv.argv().size());
    for (const ByteView argument : line.argv.argv()) ctx.reply.bulk(argument);
    ctx.reply.bulk(line.address);
    ctx.reply.bulk(line.client_name);
    if (detail == Detail::kBrief) continue;
    ctx.reply.integer(static_cast<int64_t>(line.arguments));
    ctx.reply.integer(line.waited);
  }
  return Status::ok();
}

Status reply_length(Context& ctx, Kind kind) {
  ctx.reply.integer(static_cast<int64_t>(ctx.engine.command_log.lines(kind).size()));
  return Status::ok();
}

Status reset(Context& ctx, Kind kind) {
  ctx.engine.command_log.reset(kind);
  ctx.reply.ok();
  return Status::ok();
}

// ---- SLOWLOG

Status cmd_slowlog_get(Context& ctx) {
  constexpr size_t kLinesByDefault = 10;
  const size_t words = ctx.argv.size();
  const bool with_details = words > 2 && equals_ignoring_case(ctx.argv[words - 1], "DETAILS");
  if (words > (with_details ? 4U : 3U)) return wrong_subcommand_arity(ctx);
  size_t count = kLinesByDefault;
  if (words > (with_details ? 3U : 2U)) {
    OURO_TRY(count, parse_count(ctx));
  }
  return reply_lines(ctx, Kind::kSlow, count, with_details ? Detail::kFull : Detail::kBrief);
}

Status cmd_slowlog_len(Context& ctx) { return reply_length(ctx, Kind::kSlow); }
Status cmd_slowlog_reset(Context& ctx) { return reset(ctx, Kind::kSlow); }

// ---- COMMANDLOG

Result<Kind> parse_kind(Context& ctx, size_t at) {
  constexpr struct {
    ByteView name;
    Kind kind;
  } kNames[] = {{"slow", Kind::kSlow},
                {"large-request", Kind::kLargeRequest},
                {"large-reply", Kind::kLargeReply}};
  for (const auto& row : kNames) {
    if (equals_ignoring_case(ctx.argv[at], row.name)) return row.kind;
  }
  return ctx.fail("ERR type should be one of the following: slow, large-request, large-reply");
}

Status cmd_commandlog_get(Context& ctx) {
  OURO_TRY(const size_t count, parse_count(ctx));
  OURO_TRY(const Kind kind, parse_kind(ctx, 3));
  return reply_lines(ctx, kind, count, Detail::kBrief);
}

Status cmd_commandlog_len(Context& ctx) {
  OURO_TRY(const Kind kind, parse_kind(ctx, 2));
  return reply_length(ctx, kind);
}

Status cmd_commandlog_reset(Context& ctx) {
  OURO_TRY(const Kind kind, parse_kind(ctx, 2));
  return reset(ctx, kind);
}

Status cmd_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kCommandlogRows[] = {
    {.name = "GET",
     .arity = exactly(4),
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .handler = cmd_commandlog_get,
     .doc = {.summary = "Returns the latest entries of one of the logs.",
             .complexity = "O(N), N entries returned",
             .since = "8.1.0",
             .group = "server",
             .args = "count:integer type:<slow!SLOW | large-request!LARGE-REQUEST | "
                     "large-reply!LARGE-REPLY>",
             .tips = "request_policy:all_nodes nondeterministic_output"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_help,
     .doc = {.summary = "Lists the subcommands of COMMANDLOG.",
             .complexity = "O(1)",
             .since = "8.1.0",
             .group = "server"}},
    {.name = "LEN",
     .arity = exactly(3),
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .handler = cmd_commandlog_len,
     .doc = {.summary = "Returns how many entries one of the logs has.",
             .complexity = "O(1)",
             .since = "8.1.0",
             .group = "server",
             .args = "type:<slow!SLOW | large-request!LARGE-REQUEST | large-reply!LARGE-REPLY>",
             .tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"}},
    {.name = "RESET",
     .arity = exactly(3),
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .handler = cmd_commandlog_reset,
     .doc = {.summary = "Empties one of the logs.",
             .complexity = "O(N), N entries",
             .since = "8.1.0",
             .group = "server",
             .args = "type:<slow!SLOW | large-request!LARGE-REQUEST | large-reply!LARGE-REPLY>",
             .tips = "request_policy:all_nodes response_policy:all_succeeded"}},
};
static_assert(table_is_valid(kCommandlogRows));

constexpr CommandSpec kSlowlogRows[] = {
    {.name = "GET",
     .arity = at_least(2),
     .flags = Flag::kAdmin | Flag::kLoading | Flag::kStale,
     .handler = cmd_slowlog_get,
     .doc = {.summary = "Returns the latest entries of the log.",
             .complexity = "O(N), N entries returned",
             .since = "2.2.12",
             .group = "server",
             .history = "4.0.0 Tells who sent the command.",
             .args = "[count:integer]",
             .tips = "request_policy:all_nodes nondeterministic_output"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_help,
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

constexpr CommandSpec kRows[] = {
    {.name = "COMMANDLOG",
     .arity = at_least(2),
     .subcommands = kCommandlogRows,
     .doc = {.summary = "Reads the logs of slow and of large commands.",
             .complexity = "By subcommand",
             .since = "8.1.0",
             .group = "server"}},
    {.name = "SLOWLOG",
     .arity = at_least(2),
     .subcommands = kSlowlogRows,
     .doc = {.summary = "Reads the log of slow commands.",
             .complexity = "By subcommand",
             .since = "2.2.12",
             .group = "server"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kCommandLogCommands = kRows;

}  // namespace ouro
