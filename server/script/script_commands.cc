// SPDX-License-Identifier: BSD-3-Clause
// EVAL and its kin, and SCRIPT.
#include "server/commands/help.h"
#include "server/engine/session.h"
#include "server/script/scripts.h"
#include "server/script/tables.h"

namespace ouro {
namespace {

constexpr const char* kNoScriptText = "NOSCRIPT No matching script. Please use EVAL.";

bool is_by_sha1(const CommandSpec& spec) { return spec.name.starts_with("EVALSHA"); }

// ---- EVAL

Status run_script(Context& ctx, Scripts& scripts, const Script& script) {
  OURO_TRY(const ScriptWords words, split_words(ctx));
  ctx.effects.none();
  // A copy: nothing of the cache is touched while it runs, but its words stand in the command.
  const Sha1Hex sha1 = script.sha1;
  return scripts.runner().run(ctx, {.state = scripts.eval().state,
                                    .function = script.function,
                                    .name = view_of(sha1),
                                    .flags = script.flags,
                                    .is_eval = true,
                                    .read_only = ctx.spec.flags.has(Flag::kReadonly),
                                    .keys = words.keys,
                                    .arguments = words.arguments});
}

bool wants_debugging(const Context& ctx) {
  const Session* session = ctx.caller.session;
  return session != nullptr && session->script_debug != Session::ScriptDebug::kNo;
}

// Begins to debug the script, or answers with what it has come to.
Status debug_script(Context& ctx) {
  DebugSessions& debugging = Scripts::of(ctx.engine).debugging();
  if (DebugSession* debugged = debugging.find(*ctx.caller.session)) return debugged->answer(ctx);
  show_to_monitors(ctx);
  return debugging.open(ctx);
}

Status cmd_eval(Context& ctx) {
  if (wants_debugging(ctx)) [[unlikely]]
    return debug_script(ctx);
  show_to_monitors(ctx);
  OURO_TRY(split_words(ctx).status());
  Scripts& scripts = Scripts::of(ctx.engine);
  Scripts::Eval& eval = scripts.eval();
  std::string error;
  const Script* script = eval.cache.use_text(ctx.argv[1], error);
  if (script == nullptr) return ctx.fail("ERR %s", error.c_str());
  return run_script(ctx, scripts, *script);
}

Status cmd_evalsha(Context& ctx) {
  show_to_monitors(ctx);
  if (ctx.argv[1].size() != std::tuple_size_v<Sha1Hex>) return ctx.fail("%s", kNoScriptText);
  if (wants_debugging(ctx)) return ctx.fail("ERR Please use EVAL instead of EVALSHA for debugging");
  OURO_TRY(split_words(ctx).status());
  Scripts& scripts = Scripts::of(ctx.engine);
  if (scripts.cache() == nullptr) return ctx.fail("%s", kNoScriptText);
  const Script* script = scripts.eval().cache.use_sha1(ctx.argv[1]);
  if (script == nullptr) return ctx.fail("%s", kNoScriptText);
  return run_script(ctx, scripts, *script);
}

// What the script says it does, where it says so.
Flags flags_of_script(Engine& engine, const CommandSpec& spec, Argv argv) {
  const Scripts* scripts = Scripts::find(engine);
  const ScriptCache* cache = scripts == nullptr ? nullptr : scripts->cache();
  const Script* script = nullptr;
  if (cache != nullptr) {
    script = is_by_sha1(spec) ? cache->find_sha1(argv[1]) : cache->find_text(argv[1]);
  }
  ScriptFlags flags;
  if (script != nullptr) {
    flags = script->flags;
  } else if (!is_by_sha1(spec)) {
    ByteView body;
    std::string error;
    if (!read_script_head(argv[1], flags, body, error)) return spec.flags;
  }
  return command_flags(spec, flags);
}

constexpr Flags kEvalFlags = Flag::kNoScript | Flag::kStale | Flag::kSkipMonitor |
                             Flag::kNoMandatoryKeys | Flag::kMovableKeys | Flag::kRunsScript;
constexpr KeyUse kAnyUse = kReadWrite | kAccess | kUpdate;
constexpr KeyUse kReadUse = kReadOnly | kAccess;
constexpr const char* kEvalComplexity = "That of the script";

constexpr CommandSpec kEvalRows[] = {
    {.name = "EVAL",
     .arity = at_least(3),
     .flags = kEvalFlags | Flag::kMayReplicate,
     .keys = {counted_keys(2, kAnyUse)},
     .acl = Acl::kScripting,
     .handler = cmd_eval,
     .call_flags = flags_of_script,
     .doc = {.summary = "Runs a script.",
             .complexity = kEvalComplexity,
             .since = "2.6.0",
             .group = "scripting",
             .args = "script:string numkeys:integer [key:key#0...] [arg:string...]"}},
    {.name = "EVALSHA",
     .arity = at_least(3),
     .flags = kEvalFlags | Flag::kMayReplicate,
     .keys = {counted_keys(2, kAnyUse)},
     .acl = Acl::kScripting,
     .handler = cmd_evalsha,
     .call_flags = flags_of_script,
     .doc = {.summary = "Runs a cached script.",
             .complexity = kEvalComplexity,
             .since = "2.6.0",
             .group = "scripting",
             .args = "sha1:string numkeys:integer [key:key#0...] [arg:string...]"}},
    {.name = "EVALSHA_RO",
     .arity = at_least(3),
     .flags = kEvalFlags | Flag::kReadonly,
     .keys = {counted_keys(2, kReadUse)},
     .acl = Acl::kScripting,
     .handler = cmd_evalsha,
     .call_flags = flags_of_script,
     .doc = {.summary = "Runs a cached script that may not write.",
             .complexity = kEvalComplexity,
             .since = "7.0.0",
             .group = "scripting",
             .args = "sha1:string numkeys:integer [key:key#0...] [arg:string...]"}},
    {.name = "EVAL_RO",
     .arity = at_least(3),
     .flags = kEvalFlags | Flag::kReadonly,
     .keys = {counted_keys(2, kReadUse)},
     .acl = Acl::kScripting,
     .handler = cmd_eval,
     .call_flags = flags_of_script,
     .doc = {.summary = "Runs a script that may not write.",
             .complexity = kEvalComplexity,
             .since = "7.0.0",
             .group = "scripting",
             .args = "script:string numkeys:integer [key:key#0...] [arg:string...]"}},
};
static_assert(table_is_valid(kEvalRows));

// ---- SCRIPT

Status cmd_script_load(Context& ctx) {
  std::string error;
  const Script* script = Scripts::of(ctx.engine).eval().cache.keep_text(ctx.argv[2], error);
  if (script == nullptr) return ctx.fail("ERR %s", error.c_str());
  ctx.reply.bulk(view_of(script->sha1));
  return Status::ok();
}

Status cmd_script_exists(Context& ctx) {
  const Scripts* scripts = Scripts::find(ctx.engine);
  const ScriptCache* cache = scripts == nullptr ? nullptr : scripts->cache();
  const Argv wanted = ctx.argv.subspan(2);
  ctx.reply.array(wanted.size());
  for (const ByteView sha1 : wanted)
    ctx.reply.integer(cache != nullptr && cache->find_sha1(sha1) != nullptr ? 1 : 0);
  return Status::ok();
}

Status cmd_script_show(Context& ctx) {
  const Scripts* scripts = Scripts::find(ctx.engine);
  const ScriptCache* cache = scripts == nullptr ? nullptr : scripts->cache();
  const Script* script = cache == nullptr ? nullptr : cache->find_sha1(ctx.argv[2]);
  if (script == nullptr) return ctx.fail_text(kNoScriptText);
  ctx.reply.bulk(ScriptCache::text_of(*script));
  return Status::ok();
}

Status cmd_script_flush(Context& ctx) {
  const bool has_mode = ctx.argv.size() == 3 && (equals_ignoring_case(ctx.argv[2], "sync") ||
                                                 equals_ignoring_case(ctx.argv[2], "async"));
  if (ctx.argv.size() > 2 && !has_mode)
    return ctx.fail("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  if (Scripts* scripts = Scripts::find(ctx.engine)) scripts->flush_scripts();
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_script_kill(Context& ctx) {
  return Scripts::of(ctx.engine).busy_runner().kill(ctx, /*is_eval=*/true);
}

// In Redis it must not stand behind other commands, since what answers them would come among the
// debugger's lines.
Status cmd_script_debug(Context& ctx) {
  Session* session = ctx.caller.session;
  if (session == nullptr) return ctx.fail("ERR only a connection can debug scripts");
  if (session->output_bytes() > 0)
    return ctx.fail("ERR SCRIPT DEBUG must be called outside a pipeline");
  if (equals_ignoring_case(ctx.argv[2], "no")) {
    session->script_debug = Session::ScriptDebug::kNo;
  } else if (equals_ignoring_case(ctx.argv[2], "yes")) {
    session->script_debug = Session::ScriptDebug::kYes;
  } else if (equals_ignoring_case(ctx.argv[2], "sync")) {
    session->script_debug = Session::ScriptDebug::kSync;
  } else {
    return ctx.fail("ERR Use SCRIPT DEBUG YES/SYNC/NO");
  }
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_script_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kScriptRows[] = {
    {.name = "DEBUG",
     .arity = exactly(3),
     .flags = Flag::kNoScript,
     .acl = Acl::kScripting,
     .handler = cmd_script_debug,
     .doc = {.summary = "Switches the debugger of scripts.",
             .complexity = "O(1)",
             .since = "3.2.0",
             .group = "scripting",
             .args = "mode:<yes!YES | sync!SYNC | no!NO>"}},
    {.name = "EXISTS",
     .arity = at_least(3),
     .flags = Flag::kNoScript,
     .acl = Acl::kScripting,
     .handler = cmd_script_exists,
     .doc = {.summary = "Tells which of these scripts are cached.",
             .complexity = "O(1) a script",
             .since = "2.6.0",
             .group = "scripting",
             .args = "sha1:string...",
             .tips = "request_policy:all_shards response_policy:agg_logical_and"}},
    {.name = "FLUSH",
     .arity = at_least(2),
     .flags = Flag::kNoScript,
     .acl = Acl::kScripting,
     .handler = cmd_script_flush,
     .doc = {.summary = "Forgets all cached scripts.",
             .complexity = "O(N), N scripts",
             .since = "2.6.0",
             .group = "scripting",
             .args = "[async:<async!ASYNC | sync!SYNC>@6.2.0]",
             .tips = "request_policy:all_nodes response_policy:all_succeeded"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kScripting,
     .handler = cmd_script_help,
     .doc = {.summary = "Lists the subcommands of SCRIPT.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "scripting"}},
    {.name = "KILL",
     .arity = exactly(2),
     .flags = Flag::kNoScript | Flag::kAllowBusy,
     .acl = Acl::kScripting,
     .handler = cmd_script_kill,
     .doc = {.summary = "Ends the script that is over its time, if it has not written.",
             .complexity = "O(1)",
             .since = "2.6.0",
             .group = "scripting",
             .tips = "request_policy:all_shards response_policy:one_succeeded"}},
    {.name = "LOAD",
     .arity = exactly(3),
     .flags = Flag::kNoScript | Flag::kStale,
     .acl = Acl::kScripting,
     .handler = cmd_script_load,
     .doc = {.summary = "Caches a script and tells its SHA-1.",
             .complexity = "O(N), N bytes of the script",
             .since = "2.6.0",
             .group = "scripting",
             .args = "script:string",
             .tips = "request_policy:all_nodes response_policy:all_succeeded"}},
    {.name = "SHOW",
     .arity = exactly(3),
     .flags = Flag::kNoScript,
     .acl = Acl::kScripting,
     .handler = cmd_script_show,
     .doc = {.summary = "Returns the text of a cached script.",
             .complexity = "O(1)",
             .since = "8.0.0",
             .group = "scripting",
             .args = "sha1:string"}},
};
static_assert(table_is_valid(kScriptRows));

constexpr CommandSpec kRows[] = {
    {.name = "SCRIPT",
     .arity = at_least(2),
     .subcommands = kScriptRows,
     .doc = {.summary = "Manages cached scripts.",
             .complexity = "By subcommand",
             .since = "2.6.0",
             .group = "scripting"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kEvalCommands = kEvalRows;
constinit const std::span<const CommandSpec> kScriptCommands = kRows;

}  // namespace ouro
