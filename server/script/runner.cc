// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/runner.h"

#include <algorithm>
#include <array>

#include "server/engine/engine.h"
#include "server/script/answer.h"
#include "server/script/debugger.h"
#include "server/script/functions.h"

namespace ouro {
namespace {

constexpr ByteView kBusyScript =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
constexpr ByteView kBusyFunction =
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
constexpr const char* kLoadTimeoutText = "ERR FUNCTION LOAD timeout";

void push_words(lua_State* lua, Argv words) {
  lua_createtable(lua, static_cast<int>(words.size()), 0);
  for (size_t i = 0; i < words.size(); ++i) {
    push_bytes(lua, words[i]);
    lua_rawseti(lua, -2, static_cast<int>(i) + 1);
  }
}

}  // namespace

Result<ScriptWords> split_words(Context& ctx) {
  OURO_TRY(const int64_t count, ctx.integer(2));
  const Argv words = ctx.argv.subspan(3);
  if (count < 0) return ctx.fail_text(errors::kNegativeKeys);
  if (static_cast<uint64_t>(count) > words.size()) return ctx.fail_text(errors::kTooManyKeys);
  const auto keys = static_cast<size_t>(count);
  return ScriptWords{words.first(keys), words.subspan(keys)};
}

void show_to_monitors(Context& ctx) {
  if (ctx.engine.monitors.active()) ctx.engine.monitors.show(ctx.engine, ctx.caller, ctx.argv);
}

Runner::Runner(Engine& engine) : engine_(engine), tape_(engine.heap) {}

// What a script may be refused for before it begins. The gates have looked at what it declares.
Status Runner::check_flags(Context& ctx, const Job& job) const {
  const bool is_stale = (engine_.executor.node_gates() & Gate::kStale) != 0;
  if (is_stale && !job.flags.declared && !ctx.caller.obeys())
    return ctx.fail_text(errors::kMasterDown);
  if (!job.flags.declared || job.flags.no_writes || ctx.caller.obeys()) return Status::ok();
  if (job.read_only)
    return ctx.fail("ERR Can not execute a script with write flag using *_ro command.");
  if (engine_.eviction.is_short() && !job.flags.allow_oom)
    return ctx.fail(
        "OOM allow-oom flag is not set on the script, can not run it when used memory > "
        "'maxmemory'");
  return Status::ok();
}

Status Runner::run(Context& ctx, const Job& job) {
  OURO_TRY(begin(ctx, job));
  return finish(ctx, execute());
}

Status Runner::begin(Context& ctx, const Job& job) {
  CHECK(!is_running());
  OURO_TRY(check_flags(ctx, job));
  Run& run = run_.emplace(job);
  run.limits = {.caller = &ctx.caller,
                .spec = &ctx.spec,
                .argv = ctx.argv,
                .read_only = job.read_only || job.flags.no_writes,
                .memory_is_short =
                    engine_.eviction.is_short() && !job.flags.allow_oom && !ctx.caller.obeys()};
  run.started_ticks = engine_.stopwatch.ticks();
  run.caller.db = ctx.caller.db;
  run.caller.no_touch = ctx.caller.no_touch;
  run.caller.imports = ctx.caller.imports;
  run.caller.script = &run.limits;
  refresh_access();
  return Status::ok();
}

void Runner::refresh_access() {
  const Caller& caller = *run_->limits.caller;
  run_->caller.gates = Gate::kScript | (caller.gates & Gate::kAcl);
  run_->caller.user = caller.user;
}

int Runner::execute() {
  Run& run = *run_;
  run.job.state.begin_stack();
  lua_State* lua = run.job.state.lua();
  run.stack_base = lua_gettop(lua);
  const int arguments = push_script(run.job);
  return lua_pcall(lua, arguments, run.job.is_eval ? 2 : 1, run.stack_base + 1);
}

Status Runner::finish(Context& ctx, int outcome) {
  Run& run = *run_;
  LuaState& state = run.job.state;
  if (run.is_busy) engine_.executor.open_gate(Gate::kBusy);
  if (run.is_killed) state.set_watch(LuaState::Watch::kNowAndThen);

  const LuaState::Unlimited lifted(state);
  lua_State* lua = state.lua();
  const Status status = outcome == 0 ? write_answer(ctx, lua, state.answer_names(), run.resp3)
                                     : fail(ctx, outcome, lua);
  lua_settop(lua, run.stack_base);
  release_reply();  // its value may have raised an error
  run_.reset();
  if (outcome == LUA_ERRMEM || outcome == LUA_ERRERR) state.collect_all();
  return status;
}

// Pushes the handler of errors, the function and its arguments; says how many those are.
int Runner::push_script(const Job& job) {
  const LuaState::Unlimited lifted(job.state);
  lua_State* lua = job.state.lua();
  job.state.push_kept(job.state.error_handler());
  job.state.push_kept(job.function);
  if (!job.is_eval) {
    push_words(lua, job.keys);
    push_words(lua, job.arguments);
    return 2;
  }
  job.state.push_globals();
  push_words(lua, job.keys);
  set_field(lua, -2, "KEYS");
  push_words(lua, job.arguments);
  set_field(lua, -2, "ARGV");
  lua_pop(lua, 1);
  return 0;
}

Status Runner::fail(Context& ctx, int outcome, lua_State* lua) {
  const Run& run = *run_;
  if (outcome != LUA_ERRRUN || run.error.empty()) {
    // Raised by the machine itself, which asks no handler.
    const ByteView what = lua_isstring(lua, -1) != 0 ? lua_bytes(lua, -1) : "execution failure";
    std::string text = "ERR Error running script ";
    text.append(run.job.name).append(", ").append(what.substr(0, 100));
    return ctx.fail_text(text);
  }
  std::string text(errors::shown(run.error));
  if (!run.source.empty()) {
    text.append(" script: ").append(run.job.name).append(", on ").append(run.source);
    text.append(":").append(std::to_string(run.line)).append(".");
  }
  (void)ctx.fail_text(text);
  return run.error_is_counted ? Err::kCountedMessage : Err::kMessage;
}

int Runner::on_error(lua_State* lua) {
  LuaState::of(lua).runner().note_error(lua);
  return 1;
}

// LuaJIT drops the frame of a function that ends with a call ("return redis.call(...)"). Then the
// function itself did, and it was the last thing that it has.
void Runner::find_tail_call(lua_State* lua, lua_Debug& where) const {
  const int top = lua_gettop(lua);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, run_->job.function);
  if (lua_getinfo(lua, ">SL", &where) == 0) return;
  lua_pushnil(lua);
  // A function of C that was registered as it is has nil in place of lines.
  while (lua_istable(lua, -2) && lua_next(lua, -2) != 0) {
    lua_pop(lua, 1);
    where.currentline = std::max(where.currentline, static_cast<int>(lua_tointeger(lua, -1)));
  }
  lua_settop(lua, top);
}

void Runner::note_error(lua_State* lua) {
  Run& run = *run_;
  // The place is that of the script, also when a function of ours or of Lua raised.
  lua_Debug where{};
  run.source.clear();
  if (lua_getstack(lua, 1, &where) != 0 && lua_getinfo(lua, "Sl", &where) != 0) {
    // Some of LuaJIT's library is in Lua, with a source of its own.
    const auto is_library = [&] { return *where.what == 'C' || where.currentline <= 0; };
    if (is_library() && lua_getstack(lua, 2, &where) != 0) lua_getinfo(lua, "Sl", &where);
    if (is_library()) find_tail_call(lua, where);
    if (!is_library()) run.source = where.source;
    run.line = where.currentline;
  }
  run.error_is_counted = false;
  switch (lua_type(lua, 1)) {
    case LUA_TTABLE:
      lua_pushliteral(lua, "ignore_error_stats_update");
      lua_rawget(lua, 1);
      run.error_is_counted = lua_toboolean(lua, -1) != 0;
      lua_pushliteral(lua, "err");
      lua_rawget(lua, 1);
      run.error = lua_isstring(lua, -1) != 0 ? lua_bytes(lua, -1) : errors::kUnknownLuaError;
      if (run.error.empty()) run.error = "ERR";
      lua_settop(lua, 1);
      return;
    case LUA_TSTRING:
    case LUA_TNUMBER:
      lua_pushvalue(lua, 1);
      run.error.assign("ERR ").append(lua_bytes(lua, -1));
      lua_settop(lua, 1);
      return;
    case LUA_TNIL:
      run.error = "ERR nil";
      return;
    case LUA_TBOOLEAN:
      run.error = lua_toboolean(lua, 1) != 0 ? "ERR true" : "ERR false";
      return;
    default:
      run.error.assign("ERR ").append(luaL_typename(lua, 1));
  }
}

size_t Runner::call(Argv argv) {
  Run& run = *run_;
  tape_.begin_reply(run.resp3, run.job.state.memory_left());
  Executor& executor = engine_.executor;
  executor.start_timing();
  const CommandSpec* spec = executor.resolve(argv);
  const bool writes = spec != nullptr && spec->flags.has(Flag::kWrite);
  const uint64_t rejected = writes ? engine_.registry.stats(*spec).rejected : 0;
  if (!admit(spec, argv)) return 0;
  run.reach ? engine_.commit.set_reach(*run.reach) : engine_.commit.mute();
  run.was_refused =
      executor.run(run.caller, {.spec = spec, .argv = argv}, tape_) == Executor::Outcome::kRefused;
  run.reach ? engine_.commit.set_reach(EffectReach::kEverybody) : engine_.commit.unmute();
  if (overlay_ != nullptr && spec != nullptr) {
    if (const char* fault = overlay_->weigh(*spec, argv, run.caller.db))
      debugger_->end_script(fault);
  }
  if (writes && engine_.registry.stats(*spec).rejected == rejected) run.limits.has_written = true;
  return executor.timed_nanos() / kNanosAStep;
}

// What a script that leaves no trace may write. The reply says why not.
bool Runner::admit(const CommandSpec* spec, Argv argv) {
  if (overlay_ == nullptr || spec == nullptr) return true;
  const char* fault = overlay_->admit(*spec, argv, run_->caller.db);
  if (fault == nullptr) return true;
  run_->was_refused = true;
  tape_.error(fault);
  return false;
}

std::optional<bool> Runner::is_permitted(Argv argv) const {
  const CommandSpec* const spec = engine_.executor.resolve(argv);
  if (spec == nullptr) return std::nullopt;
  return !engine_.acl.check(run_->caller.user, *spec, argv, run_->caller.db).is_denied();
}

void Runner::log(int level, ByteView text) {
  constexpr std::array kLevels = {LogLevel::kDebug, LogLevel::kVerbose, LogLevel::kNotice,
                                  LogLevel::kWarning};
  const LogLevel known = kLevels[static_cast<size_t>(level)];
  if (engine_.log.enabled(known)) engine_.log.write(known, text);
}

// ---- the clock

Millis Runner::elapsed_ms(uint64_t since_ticks) const {
  const uint64_t ticks = engine_.stopwatch.ticks() - since_ticks;
  return static_cast<Millis>(static_cast<double>(ticks) / engine_.stopwatch.ticks_per_us() / 1000);
}

void Runner::on_instructions(lua_State* lua, lua_Debug* where) {
  LuaState& state = LuaState::of(lua);
  Runner& runner = state.runner();
  const char* text = runner.debugger_ == nullptr ? runner.look_at_clock()
                     : runner.is_killed()        ? kKilledText
                                                 : runner.debugger_->on_hook(lua, where);
  if (text == nullptr) return state.go_on();
  state.set_watch(LuaState::Watch::kClosely);
  push_error(lua, text, Counted::kNo);
  lua_error(lua);
}

const char* Runner::look_at_clock() {
  if (loading_ != nullptr) {
    const bool is_over = loading_is_limited_ && elapsed_ms(loading_since_ticks_) > kLoadMillisMax;
    return is_over ? kLoadTimeoutText : nullptr;
  }
  if (!run_) return nullptr;
  Run& run = *run_;
  const Millis threshold = engine_.options.busy_reply_threshold_ms;
  if (run.is_killed) return kKilledText;
  if (!run.is_busy) {
    if (threshold <= 0 || elapsed_ms(run.started_ticks) < threshold) return nullptr;
    run.is_busy = true;
    engine_.executor.close_gate(Gate::kBusy);
    engine_.log.print(LogLevel::kWarning,
                      "Slow script detected: still in execution after %lld milliseconds. You can "
                      "try killing the script using the %s command. Script name is: %.*s.",
                      static_cast<long long>(elapsed_ms(run.started_ticks)),
                      run.job.is_eval ? "SCRIPT KILL" : "FUNCTION KILL", printed_size(run.job.name),
                      run.job.name.data());
  }
  // A node that ends takes its scripts with it.
  if (!engine_.host.pump()) run.is_killed = true;
  return run.is_killed ? kKilledText : nullptr;
}

Status Runner::kill(Context& ctx, bool is_eval) {
  if (!is_running()) return ctx.fail("NOTBUSY No scripts in execution right now.");
  if (run_->limits.has_written)
    return ctx.fail(
        "UNKILLABLE Sorry the script already executed write commands against the dataset. You can "
        "either wait the script termination or kill the server in a hard way using the SHUTDOWN "
        "NOSAVE command.");
  if (is_eval != run_->job.is_eval) return ctx.fail_text(busy_error());
  run_->is_killed = true;
  engine_.log.write(LogLevel::kNotice, "Lua script killed by user with SCRIPT KILL.");
  ctx.reply.ok();
  return Status::ok();
}

ByteView Runner::busy_error() const {
  return !run_ || run_->job.is_eval ? kBusyScript : kBusyFunction;
}

Runner::Running Runner::running() const {
  return {.name = run_->job.name,
          .command = run_->limits.argv,
          .duration_ms = elapsed_ms(run_->started_ticks)};
}

void Runner::begin_loading(FunctionLoad& load, bool is_limited) {
  loading_ = &load;
  loading_is_limited_ = is_limited;
  loading_since_ticks_ = engine_.stopwatch.ticks();
}

}  // namespace ouro
