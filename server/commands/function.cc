// SPDX-License-Identifier: BSD-3-Clause
// FUNCTION, as far as it can be answered while there is no script engine: there are no libraries to
// list, and emptying their set leaves it empty. Test suites and clients that clean up call FLUSH at
// each start.
#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"

namespace ouro {
namespace {

Status cmd_function_flush(Context& ctx) {
  if (ctx.argv.size() > 3) return wrong_subcommand_arity(ctx);
  if (ctx.argv.size() == 3 && !equals_ignoring_case(ctx.argv[2], "sync") &&
      !equals_ignoring_case(ctx.argv[2], "async")) {
    return ctx.fail("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  }
  ctx.effects.none();
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_function_list(Context& ctx) {
  ArgParser args(ctx.argv, 2);
  bool with_code = false;
  bool has_name = false;
  while (args.more()) {
    if (!with_code && args.word("WITHCODE")) {
      with_code = true;
      continue;
    }
    if (!has_name && args.word("LIBRARYNAME")) {
      if (!args.more()) return ctx.fail("ERR library name argument was not given");
      (void)args.next();
      has_name = true;
      continue;
    }
    const ByteView word = args.peek();
    return ctx.fail("ERR Unknown argument %.*s", printed_size(word), word.data());
  }
  ctx.reply.array(0);
  return Status::ok();
}

Status cmd_function_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kFunctionRows[] = {
    {.name = "FLUSH",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kNoScript,
     .acl = Acl::kScripting,
     .handler = cmd_function_flush,
     .doc = {.summary = "Removes all libraries.",
             .complexity = "O(N), N functions",
             .since = "7.0.0",
             .group = "scripting",
             .args = "[async:<async!ASYNC | sync!SYNC>]",
             .tips = "request_policy:all_shards response_policy:all_succeeded"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kScripting,
     .handler = cmd_function_help,
     .doc = {.summary = "Lists the subcommands of FUNCTION.",
             .complexity = "O(1)",
             .since = "7.0.0",
             .group = "scripting"}},
    {.name = "LIST",
     .arity = at_least(2),
     .flags = Flag::kNoScript,
     .acl = Acl::kScripting,
     .handler = cmd_function_list,
     .doc = {.summary = "Describes the libraries.",
             .complexity = "O(N), N functions",
             .since = "7.0.0",
             .group = "scripting",
             .args = "[LIBRARYNAME=library-name-pattern:string] [withcode!WITHCODE]",
             .tips = "nondeterministic_output_order"}},
};
static_assert(table_is_valid(kFunctionRows));

constexpr CommandSpec kRows[] = {
    {.name = "FUNCTION",
     .arity = at_least(2),
     .subcommands = kFunctionRows,
     .doc = {.summary = "Manages libraries of functions.",
             .complexity = "By subcommand",
             .since = "7.0.0",
             .group = "scripting"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kFunctionCommands = kRows;

}  // namespace ouro
