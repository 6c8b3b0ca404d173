// SPDX-License-Identifier: BSD-3-Clause
// CONFIG: the parameters while the server runs. All rules are Config's; here they meet clients and
// what follows a change.
#include "server/engine/config.h"

#include <vector>

#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"
#include "server/engine/gates.h"

namespace ouro {
namespace {

Status cmd_config_get(Context& ctx) {
  const Reply::Mark mark = ctx.reply.begin();
  size_t found = 0;
  ctx.engine.config.for_each_match(ctx.argv.subspan(2), [&](ByteView name, ByteView value) {
    ctx.reply.bulk(name);
    ctx.reply.bulk(value);
    ++found;
  });
  ctx.reply.end_map(mark, found);
  return Status::ok();
}

Status cmd_config_set(Context& ctx) {
  if (ctx.argv.size() % 2 != 0) return Err::kSyntax;
  std::vector<Config::Pair> pairs;
  for (size_t i = 2; i < ctx.argv.size(); i += 2) pairs.push_back({ctx.argv[i], ctx.argv[i + 1]});
  const auto apply = [&](const OptionRow& row, std::string& reason) {
    return apply_engine_option(ctx.engine, row.name, reason) &&
           ctx.engine.host.apply_config(row.name, reason).is_ok();
  };
  std::string error;
  const LoadingFacts& loading = ctx.engine.persistence.loading;
  const Config::Circumstances now = {
      .allow_protected = is_among(ctx.engine.options.enable_protected_configs, ctx.caller),
      .is_loading = loading.active || loading.is_async};
  if (!ctx.engine.config.set(pairs, now, apply, error)) return ctx.fail_text(error);
  ctx.engine.set_access_of_new();
  ctx.reply.ok();
  return Status::ok();
}

void config_set_secrets(const Engine& engine, Argv argv, FunctionRef<void(size_t)> fn) {
  for (size_t i = 2; i + 1 < argv.size(); i += 2) {
    const OptionRow* row = engine.config.find(argv[i]);
    if (row != nullptr && row->has(OptionFlag::kSecret)) fn(i + 1);
  }
}

Status cmd_config_resetstat(Context& ctx) {
  ctx.engine.stats.reset();
  ctx.engine.eviction.reset_excess();
  ctx.engine.guard.reset_counters();
  ctx.engine.registry.reset_stats();
  ctx.engine.dbs.lazy_free().reset_stats();
  ctx.engine.heap.reset_peak();
  ctx.engine.host.reset_stats();
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_config_rewrite(Context& ctx) {
  std::string error;
  if (!ctx.engine.host.rewrite_config(RewriteScope::kWhatDiffers, error).is_ok())
    return ctx.fail_text("ERR " + error);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_config_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kConfigRows[] = {
    {.name = "GET",
     .arity = at_least(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_config_get,
     .doc = {.summary = "Returns the parameters whose names match.",
             .complexity = "O(N), N patterns given",
             .since = "2.0.0",
             .group = "server",
             .history = "7.0.0 Takes several patterns.",
             .args = "parameter:{parameter:string}..."}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_config_help,
     .doc = {.summary = "Lists the subcommands of CONFIG.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "server"}},
    {.name = "RESETSTAT",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_config_resetstat,
     .doc = {.summary = "Sets the counters that INFO shows back to zero.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "server"}},
    {.name = "REWRITE",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_config_rewrite,
     .doc = {.summary = "Brings the configuration file up to date.",
             .complexity = "O(1)",
             .since = "2.8.0",
             .group = "server"}},
    {.name = "SET",
     .arity = at_least(4),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_config_set,
     .secrets = config_set_secrets,
     .doc = {.summary = "Changes parameters while the server runs.",
             .complexity = "O(N), N parameters given",
             .since = "2.0.0",
             .group = "server",
             .history = "7.0.0 Takes several parameters.",
             .args = "parameter_value:{parameter:string value:string}...",
             .tips = "request_policy:all_nodes response_policy:all_succeeded"}},
};
static_assert(table_is_valid(kConfigRows));

constexpr CommandSpec kConfigTable[] = {
    {.name = "CONFIG",
     .arity = at_least(2),
     .subcommands = kConfigRows,
     .doc = {.summary = "Reads and changes the configuration.",
             .complexity = "By subcommand",
             .since = "2.0.0",
             .group = "server"}},
};
static_assert(table_is_valid(kConfigTable));

}  // namespace

constinit const std::span<const CommandSpec> kConfigCommands = kConfigTable;

}  // namespace ouro
