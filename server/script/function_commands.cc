// SPDX-License-Identifier: BSD-3-Clause
// FCALL, FCALL_RO and FUNCTION.
#include "datastructs/glob.h"
#include "persistence/dump_payload.h"
#include "server/commands/help.h"
#include "server/script/function_payload.h"
#include "server/script/scripts.h"
#include "server/script/tables.h"

namespace ouro {
namespace {

// ---- FCALL

const Function* find_function(const Engine& engine, ByteView name) {
  Scripts* scripts = Scripts::find(engine);
  return scripts == nullptr ? nullptr : scripts->libraries().find_function(name);
}

Status cmd_fcall(Context& ctx) {
  show_to_monitors(ctx);
  const Function* function = find_function(ctx.engine, ctx.argv[1]);
  if (function == nullptr) return ctx.fail("ERR Function not found");
  const Result<int64_t> count = ctx.integer(2);
  if (!count.is_ok()) return ctx.fail("ERR Bad number of keys provided");
  const Argv words = ctx.argv.subspan(3);
  if (*count > static_cast<int64_t>(words.size())) return ctx.fail_text(errors::kTooManyKeys);
  if (*count < 0) return ctx.fail_text(errors::kNegativeKeys);
  const auto keys = static_cast<size_t>(*count);
  ctx.effects.none();
  Scripts& scripts = Scripts::of(ctx.engine);
  return scripts.runner().run(ctx, {.state = scripts.function_state(),
                                    .function = function->function,
                                    .name = function->name,
                                    .flags = function->flags,
                                    .is_eval = false,
                                    .read_only = ctx.spec.flags.has(Flag::kReadonly),
                                    .keys = words.first(keys),
                                    .arguments = words.subspan(keys)});
}

Flags flags_of_function(Engine& engine, const CommandSpec& spec, Argv argv) {
  const Function* function = find_function(engine, argv[1]);
  return function == nullptr ? spec.flags : command_flags(spec, function->flags);
}

constexpr Flags kFcallFlags = Flag::kNoScript | Flag::kStale | Flag::kSkipMonitor |
                              Flag::kNoMandatoryKeys | Flag::kMovableKeys | Flag::kRunsScript;
constexpr const char* kFcallArgs = "function:string numkeys:integer [key:key#0...] [arg:string...]";

// ---- FUNCTION: changes

Status cmd_function_load(Context& ctx) {
  ArgParser args(ctx.argv, 2);
  Scripts::Load how{.is_limited = !ctx.caller.obeys()};
  while (args.left() > 1) {
    if (!args.word("REPLACE")) {
      const ByteView word = args.peek();
      return ctx.fail("ERR Unknown option given: %.*s", printed_size(word), word.data());
    }
    how.replaces = true;
  }
  const ByteView source = args.next();
  std::string error;
  if (!Scripts::of(ctx.engine).load_library(source, how, error))
    return ctx.fail_text("ERR " + error);
  std::string name;
  ByteView body;
  CHECK(read_library_head(source, name, body, error));
  ++ctx.changes;
  ctx.reply.bulk(name);
  return Status::ok();
}

Status cmd_function_delete(Context& ctx) {
  Scripts* scripts = Scripts::find(ctx.engine);
  const std::unique_ptr<Library> library =
      scripts == nullptr ? nullptr : scripts->libraries().take(ctx.argv[2]);
  if (library == nullptr) return ctx.fail("ERR Library not found");
  drop_functions(scripts->function_state(), *library);
  ++ctx.changes;
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_function_flush(Context& ctx) {
  if (ctx.argv.size() > 3) return wrong_subcommand_arity(ctx);
  if (ctx.argv.size() == 3 && !equals_ignoring_case(ctx.argv[2], "sync") &&
      !equals_ignoring_case(ctx.argv[2], "async")) {
    return ctx.fail("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  }
  if (Scripts* scripts = Scripts::find(ctx.engine)) scripts->flush_libraries();
  ++ctx.changes;
  ctx.reply.ok();
  return Status::ok();
}

// What a later Redis has dumped, as 7.0 would have.
void leave_restored(Context& ctx, const std::vector<std::string>& sources) {
  std::vector<ByteView> argv(ctx.argv.begin(), ctx.argv.end());
  const std::string payload = write_function_payload({sources.begin(), sources.end()});
  argv[2] = payload;
  ctx.effects.replace(Argv(argv));
}

Status cmd_function_restore(Context& ctx) {
  if (ctx.argv.size() > 4) return wrong_subcommand_arity(ctx);
  ArgParser args(ctx.argv, 3);
  const bool flush = args.word("FLUSH");
  const bool replace = args.word("REPLACE");
  if (!flush && !replace) (void)args.word("APPEND");
  if (args.more())
    return ctx.fail(
        "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
  std::string error;
  std::vector<std::string> sources;
  if (!read_function_payload(ctx.argv[2], sources, error)) return ctx.fail_text("ERR " + error);
  Scripts& scripts = Scripts::of(ctx.engine);
  if (!scripts.restore_libraries(sources,
                                 flush     ? Scripts::Restore::kFlush
                                 : replace ? Scripts::Restore::kReplace
                                           : Scripts::Restore::kAppend,
                                 !ctx.caller.obeys(), error))
    return ctx.fail_text("ERR " + error);
  if (!is_version_of_redis7(ctx.argv[2])) leave_restored(ctx, sources);
  ++ctx.changes;
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_function_kill(Context& ctx) {
  return Scripts::of(ctx.engine).busy_runner().kill(ctx, /*is_eval=*/false);
}

// ---- FUNCTION: questions

void write_function(Reply& reply, const Function& function) {
  reply.map(3);
  reply.bulk("name");
  reply.bulk(function.name);
  reply.bulk("description");
  function.has_description ? reply.bulk(function.description) : reply.null();
  reply.bulk("flags");
  size_t flags = 0;
  for (const ScriptFlagName& known : kScriptFlagNames) flags += function.flags.*known.flag ? 1 : 0;
  reply.set(flags);
  for (const ScriptFlagName& known : kScriptFlagNames) {
    if (function.flags.*known.flag) reply.simple(known.name);
  }
}

void write_library(Reply& reply, const Library& library, bool with_code) {
  reply.map(with_code ? 4 : 3);
  reply.bulk("library_name");
  reply.bulk(library.name);
  reply.bulk("engine");
  reply.bulk("LUA");
  reply.bulk("functions");
  reply.array(library.functions.size());
  for (const auto& function : library.functions) write_function(reply, *function);
  if (!with_code) return;
  reply.bulk("library_code");
  reply.bulk(library.source);
}

Status cmd_function_list(Context& ctx) {
  ArgParser args(ctx.argv, 2);
  bool with_code = false;
  bool has_pattern = false;
  ByteView pattern;
  while (args.more()) {
    if (!with_code && args.word("WITHCODE")) {
      with_code = true;
      continue;
    }
    if (!has_pattern && args.word("LIBRARYNAME")) {
      if (!args.more()) return ctx.fail("ERR library name argument was not given");
      pattern = args.next();
      has_pattern = true;
      continue;
    }
    const ByteView word = args.peek();
    return ctx.fail("ERR Unknown argument %.*s", printed_size(word), word.data());
  }
  const Scripts* scripts = Scripts::find(ctx.engine);
  const Reply::Mark mark = ctx.reply.begin();
  size_t shown = 0;
  if (scripts != nullptr) {
    for (const auto& [name, library] : scripts->libraries().libraries()) {
      if (has_pattern && !glob_matches(pattern, name, {.ignore_case = true})) continue;
      write_library(ctx.reply, *library, with_code);
      ++shown;
    }
  }
  ctx.reply.end_array(mark, shown);
  return Status::ok();
}

Status cmd_function_stats(Context& ctx) {
  Scripts* scripts = Scripts::find(ctx.engine);
  const bool is_running = scripts != nullptr && scripts->busy_runner().is_running();
  if (is_running && scripts->busy_runner().is_eval()) return ctx.fail_text(scripts->busy_error());
  ctx.reply.map(2);
  ctx.reply.bulk("running_script");
  if (is_running) {
    const Runner::Running running = scripts->busy_runner().running();
    ctx.reply.map(3);
    ctx.reply.bulk("name");
    ctx.reply.bulk(running.name);
    ctx.reply.bulk("command");
    ctx.reply.array(running.command.size());
    for (const ByteView word : running.command) ctx.reply.bulk(word);
    ctx.reply.bulk("duration_ms");
    ctx.reply.integer(running.duration_ms);
  } else {
    ctx.reply.null();
  }
  const Scripting::Facts facts = ctx.engine.script_facts();
  ctx.reply.bulk("engines");
  ctx.reply.map(1);
  ctx.reply.bulk("LUA");
  ctx.reply.map(2);
  ctx.reply.bulk("libraries_count");
  ctx.reply.integer(static_cast<int64_t>(facts.libraries));
  ctx.reply.bulk("functions_count");
  ctx.reply.integer(static_cast<int64_t>(facts.functions));
  return Status::ok();
}

Status cmd_function_dump(Context& ctx) {
  std::vector<ByteView> sources;
  if (const Scripts* scripts = Scripts::find(ctx.engine)) {
    for (const auto& [name, library] : scripts->libraries().libraries())
      sources.push_back(library->source);
  }
  ctx.reply.bulk(write_function_payload(sources));
  return Status::ok();
}

Status cmd_function_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kFunctionRows[] = {
    {.name = "DELETE",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kNoScript,
     .acl = Acl::kScripting,
     .handler = cmd_function_delete,
     .doc = {.summary = "Removes a library.",
             .complexity = "O(1)",
             .since = "7.0.0",
             .group = "scripting",
             .args = "library-name:string",
             .tips = "request_policy:all_shards response_policy:all_succeeded"}},
    {.name = "DUMP",
     .arity = exactly(2),
     .flags = Flag::kNoScript,
     .acl = Acl::kScripting,
     .handler = cmd_function_dump,
     .doc = {.summary = "Returns all libraries in a form that RESTORE takes.",
             .complexity = "O(N), N functions",
             .since = "7.0.0",
             .group = "scripting"}},
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
    {.name = "KILL",
     .arity = exactly(2),
     .flags = Flag::kNoScript | Flag::kAllowBusy,
     .acl = Acl::kScripting,
     .handler = cmd_function_kill,
     .doc = {.summary = "Ends the function that is over its time, if it has not written.",
             .complexity = "O(1)",
             .since = "7.0.0",
             .group = "scripting",
             .tips = "request_policy:all_shards response_policy:one_succeeded"}},
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
    {.name = "LOAD",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kNoScript,
     .acl = Acl::kScripting,
     .handler = cmd_function_load,
     .doc = {.summary = "Adds a library of functions.",
             .complexity = "O(1), and its loading",
             .since = "7.0.0",
             .group = "scripting",
             .args = "[replace!REPLACE] function-code:string",
             .tips = "request_policy:all_shards response_policy:all_succeeded"}},
    {.name = "RESTORE",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kNoScript,
     .acl = Acl::kScripting,
     .handler = cmd_function_restore,
     .doc = {.summary = "Adds the libraries of a dump.",
             .complexity = "O(N), N functions",
             .since = "7.0.0",
             .group = "scripting",
             .args =
                 "serialized-value:string [policy:<flush!FLUSH | append!APPEND | replace!REPLACE>]",
             .tips = "request_policy:all_shards response_policy:all_succeeded"}},
    {.name = "STATS",
     .arity = exactly(2),
     .flags = Flag::kNoScript | Flag::kAllowBusy,
     .acl = Acl::kScripting,
     .handler = cmd_function_stats,
     .doc = {.summary = "Tells which function runs, and how many there are.",
             .complexity = "O(1)",
             .since = "7.0.0",
             .group = "scripting",
             .tips = "nondeterministic_output request_policy:all_shards response_policy:special"}},
};
static_assert(table_is_valid(kFunctionRows));

constexpr CommandSpec kRows[] = {
    {.name = "FCALL",
     .arity = at_least(3),
     .flags = kFcallFlags | Flag::kMayReplicate,
     .keys = {counted_keys(2, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kScripting,
     .handler = cmd_fcall,
     .call_flags = flags_of_function,
     .doc = {.summary = "Calls a function.",
             .complexity = "That of the function",
             .since = "7.0.0",
             .group = "scripting",
             .args = kFcallArgs}},
    {.name = "FCALL_RO",
     .arity = at_least(3),
     .flags = kFcallFlags | Flag::kReadonly,
     .keys = {counted_keys(2, kReadOnly | kAccess)},
     .acl = Acl::kScripting,
     .handler = cmd_fcall,
     .call_flags = flags_of_function,
     .doc = {.summary = "Calls a function that may not write.",
             .complexity = "That of the function",
             .since = "7.0.0",
             .group = "scripting",
             .args = kFcallArgs}},
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
