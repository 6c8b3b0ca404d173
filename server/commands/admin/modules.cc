// SPDX-License-Identifier: BSD-3-Clause
// MODULE. No library can be loaded into this server, so none ever is: what asks for one is answered
// as by a Redis that cannot load it, and the log says why.
#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"
#include "server/engine/gates.h"

namespace ouro {
namespace {

Status check_allowed(Context& ctx) {
  if (is_among(ctx.engine.options.enable_module_command, ctx.caller)) return Status::ok();
  return ctx.fail(
      "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", "
      "you "
      "can run it from a local connection, otherwise you need to set this option in the "
      "configuration file, and then restart the server.");
}

Status cmd_help(Context& ctx) { return reply_help(ctx); }

Status cmd_list(Context& ctx) {
  ctx.reply.array(0);
  return Status::ok();
}

Status cmd_load(Context& ctx) {
  OURO_TRY(check_allowed(ctx));
  ctx.engine.log.print(LogLevel::kWarning, "Module %.*s is not loaded: this server has no modules",
                       static_cast<int>(ctx.argv[2].size()), ctx.argv[2].data());
  return ctx.fail("ERR Error loading the extension. Please check the server logs.");
}

Status cmd_unload(Context& ctx) {
  OURO_TRY(check_allowed(ctx));
  return ctx.fail("ERR Error unloading module: no such module with that name");
}

constexpr CommandSpec kModuleRows[] = {
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_help,
     .doc = {.summary = "Lists the subcommands of MODULE.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "server"}},
    {.name = "LIST",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kNoScript,
     .handler = cmd_list,
     .doc = {.summary = "Lists the modules that are loaded.",
             .complexity = "O(N), N modules",
             .since = "4.0.0",
             .group = "server",
             .tips = "nondeterministic_output_order"}},
    {.name = "LOAD",
     .arity = at_least(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kNoAsyncLoading,
     .handler = cmd_load,
     .doc = {.summary = "Loads a module.",
             .complexity = "O(1)",
             .since = "4.0.0",
             .group = "server",
             .args = "path:string [arg:string...]"}},
    {.name = "LOADEX",
     .arity = at_least(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kNoAsyncLoading,
     .handler = cmd_load,
     .doc = {.summary = "Loads a module, with parameters for it.",
             .complexity = "O(1)",
             .since = "7.0.0",
             .group = "server",
             .args = "path:string [CONFIG=configs:{name:string value:string}&...] "
                     "[ARGS=args:{arg:string}...]"}},
    {.name = "UNLOAD",
     .arity = exactly(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kNoAsyncLoading,
     .handler = cmd_unload,
     .doc = {.summary = "Unloads a module.",
             .complexity = "O(1)",
             .since = "4.0.0",
             .group = "server",
             .args = "name:string"}},
};
static_assert(table_is_valid(kModuleRows));

constexpr CommandSpec kRows[] = {
    {.name = "MODULE",
     .arity = at_least(2),
     .subcommands = kModuleRows,
     .doc = {.summary = "Lists modules, loads and unloads them.",
             .complexity = "By subcommand",
             .since = "4.0.0",
             .group = "server"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kModuleCommands = kRows;

}  // namespace ouro
