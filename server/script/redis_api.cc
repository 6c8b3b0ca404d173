// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/redis_api.h"

#include <cmath>
#include <cstdio>

#include "datastructs/codec/number_text.h"
#include "datastructs/codec/sha1.h"
#include "server/engine/version.h"
#include "server/script/debugger.h"
#include "server/script/functions.h"
#include "server/script/runner.h"

namespace ouro {
namespace {

// redis.set_repl: where effects go.
constexpr int kReplAof = 1;
constexpr int kReplReplica = 2;
constexpr int kReplAll = kReplAof | kReplReplica;

Runner& runner_of(lua_State* lua) { return LuaState::of(lua).runner(); }

// Who is shown what the script calls, if anybody is.
Debugger* stepper_of(lua_State* lua) {
  Debugger* debugger = runner_of(lua).debugger();
  return debugger != nullptr && debugger->is_stepping() ? debugger : nullptr;
}

// ---- redis.call

// A number as Redis passes it to a command, in the number's place.
void write_number(lua_State* lua, int at) {
  const double value = lua_tonumber(lua, at);
  char text[64];
  size_t size = 0;
  const bool is_whole = std::fabs(value) < 1e15 && std::trunc(value) == value;
  if (is_whole && !(value == 0 && std::signbit(value))) {
    size = format_int64(static_cast<int64_t>(value), text);
  } else {
    size = static_cast<size_t>(std::snprintf(text, sizeof(text), "%.17g", value));
  }
  lua_pushlstring(lua, text, size);
  lua_replace(lua, at);
}

// False if one is neither a string nor a number.
bool write_numbers(lua_State* lua, int count) {
  for (int i = 1; i <= count; ++i) {
    const int type = lua_type(lua, i);
    if (type == LUA_TNUMBER) write_number(lua, i);
    if (type != LUA_TNUMBER && type != LUA_TSTRING) return false;
  }
  return true;
}

// Where a script gets an error: redis.call raises it, redis.pcall returns it.
enum class ErrorBy : uint8_t { kRaising, kReturning };

int return_error(lua_State* lua, ByteView text) {
  if (Debugger* debugger = stepper_of(lua)) debugger->show_error(text);
  push_error(lua, text, Counted::kNo);
  return 1;
}

int give_error(lua_State* lua, const char* text, ErrorBy way) {
  if (way == ErrorBy::kRaising) return raise_error(lua, text);
  return return_error(lua, text);
}

// The arguments, as words of a command; else says what is wrong with them.
const char* gather_words(lua_State* lua, std::vector<ByteView>& words) {
  const int count = lua_gettop(lua);
  if (count == 0) return "ERR Please specify at least one argument for this redis lib call";
  if (!write_numbers(lua, count))
    return "ERR Lua redis lib command arguments must be strings or integers";
  words.resize(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) words[static_cast<size_t>(i)] = lua_bytes(lua, i + 1);
  return nullptr;
}

int call_command(lua_State* lua, ErrorBy way) {
  Runner& runner = runner_of(lua);
  if (!runner.is_running())
    return raise_error(lua, "ERR redis.call/pcall can only be called inside a script invocation");
  if (const char* fault = gather_words(lua, runner.words())) return give_error(lua, fault, way);
  if (Debugger* debugger = stepper_of(lua)) debugger->show_call(runner.words());
  const size_t steps = runner.call(runner.words());
  if (Debugger* debugger = stepper_of(lua))
    debugger->show_reply(runner.tape(), runner.was_refused());
  LuaState::of(lua).spend(lua, steps);
  // As many words as a stack holds leave no room for the reply.
  lua_settop(lua, 0);
  runner.tape().push_value(lua);
  const bool raises = runner.tape().is_error() && way == ErrorBy::kRaising;
  runner.release_reply();
  return raises ? lua_error(lua) : 1;
}

int redis_pcall(lua_State* lua) { return call_command(lua, ErrorBy::kReturning); }

// Whether who runs the script may run a command.
int redis_acl_check_cmd(lua_State* lua) {
  Runner& runner = runner_of(lua);
  if (!runner.is_running())
    return raise_error(lua,
                       "ERR redis.acl_check_cmd can only be called inside a script invocation");
  if (const char* fault = gather_words(lua, runner.words())) return raise_error(lua, fault);
  const std::optional<bool> permitted = runner.is_permitted(runner.words());
  if (!permitted) return raise_error(lua, "ERR Invalid command passed to redis.acl_check_cmd()");
  lua_pushboolean(lua, *permitted ? 1 : 0);
  return 1;
}

// ---- replies

int redis_error_reply(lua_State* lua) {
  if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING)
    return return_error(lua, errors::kWrongLuaArguments);
  if (Debugger* debugger = stepper_of(lua)) debugger->show_own_error(lua_bytes(lua, 1));
  // "CODE text", with or without '-' ahead; what is one word has the code ERR.
  ByteView text = errors::shown(lua_bytes(lua, 1));
  if (text.starts_with('-')) text.remove_prefix(1);
  while (text.ends_with('\r') || text.ends_with('\n')) text.remove_suffix(1);
  if (text.find(' ') == ByteView::npos) {
    lua_pushliteral(lua, "ERR ");
    push_bytes(lua, text);
    lua_concat(lua, 2);
    text = lua_bytes(lua, -1);
  }
  push_error(lua, text, Counted::kNo);
  return 1;
}

int redis_status_reply(lua_State* lua) {
  if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING)
    return return_error(lua, errors::kWrongLuaArguments);
  lua_createtable(lua, 0, 1);
  lua_pushvalue(lua, 1);
  set_field(lua, -2, "ok");
  return 1;
}

int redis_setresp(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise_error(lua, "ERR redis.setresp() requires one argument.");
  const double version = lua_tonumber(lua, 1);
  if (!(version >= 2 && version < 4)) return raise_error(lua, "ERR RESP version must be 2 or 3.");
  if (runner_of(lua).is_running()) runner_of(lua).set_resp3(version >= 3);
  return 0;
}

// ---- the rest

int redis_log(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count < 2) return raise_error(lua, "ERR redis.log() requires two arguments or more.");
  if (lua_isnumber(lua, 1) == 0)
    return raise_error(lua, "ERR First argument must be a number (log level).");
  const double level = lua_tonumber(lua, 1);
  if (!(level > -1 && level < 4)) return raise_error(lua, "ERR Invalid debug level.");
  luaL_Buffer line;
  luaL_buffinit(lua, &line);
  for (int i = 2; i <= count; ++i) {
    if (lua_isstring(lua, i) == 0) continue;
    if (i != 2) luaL_addchar(&line, ' ');
    lua_pushvalue(lua, i);
    luaL_addvalue(&line);
  }
  luaL_pushresult(&line);
  runner_of(lua).log(static_cast<int>(level), lua_bytes(lua, -1));
  return 0;
}

int redis_sha1hex(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise_error(lua, "ERR wrong number of arguments");
  const ByteView bytes = lua_isstring(lua, 1) != 0 ? lua_bytes(lua, 1) : ByteView();
  LuaState::of(lua).spend_reading(lua, bytes.size());
  const Sha1Hex hex = sha1_hex(bytes);
  push_bytes(lua, view_of(hex));
  return 1;
}

std::optional<EffectReach> reach_of(int flags) {
  switch (flags) {
    case kReplAll:
      return EffectReach::kEverybody;
    case kReplReplica:
      return EffectReach::kReplicas;
    case kReplAof:
      return EffectReach::kLog;
    default:
      return std::nullopt;
  }
}

int redis_set_repl(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise_error(lua, "ERR redis.set_repl() requires two arguments.");
  const double flags = lua_tonumber(lua, 1);
  if (!(flags > -1 && flags < kReplAll + 1))
    return raise_error(
        lua, "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  if (runner_of(lua).is_running()) runner_of(lua).set_reach(reach_of(static_cast<int>(flags)));
  return 0;
}

int redis_replicate_commands(lua_State* lua) {
  lua_pushboolean(lua, 1);
  return 1;
}

// True if there is a debugger that will stop at the next line.
int redis_breakpoint(lua_State* lua) {
  Debugger* debugger = runner_of(lua).debugger();
  if (debugger != nullptr) debugger->break_at_next_line();
  lua_pushboolean(lua, debugger != nullptr ? 1 : 0);
  return 1;
}

int redis_debug(lua_State* lua) {
  if (Debugger* debugger = runner_of(lua).debugger()) debugger->print(lua);
  return 0;
}

// ---- tables

struct Function {
  const char* name;
  lua_CFunction function;
};
constexpr Function kAlways[] = {
    {"acl_check_cmd", redis_acl_check_cmd},
    {"call", redis_call},
    {"pcall", redis_pcall},
    {"error_reply", redis_error_reply},
    {"status_reply", redis_status_reply},
    {"log", redis_log},
    {"set_repl", redis_set_repl},
    {"setresp", redis_setresp},
    {"sha1hex", redis_sha1hex},
};
constexpr Function kOnlyEval[] = {
    {"breakpoint", redis_breakpoint},
    {"debug", redis_debug},
    {"replicate_commands", redis_replicate_commands},
};

struct Constant {
  const char* name;
  int value;
};
constexpr Constant kLogLevels[] = {
    {"LOG_DEBUG", 0}, {"LOG_VERBOSE", 1}, {"LOG_NOTICE", 2}, {"LOG_WARNING", 3}};
constexpr Constant kReplication[] = {{"REPL_NONE", 0},
                                     {"REPL_AOF", kReplAof},
                                     {"REPL_SLAVE", kReplReplica},
                                     {"REPL_REPLICA", kReplReplica},
                                     {"REPL_ALL", kReplAll}};

// ---- into the table on top

void add(lua_State* lua, std::span<const Function> functions) {
  for (const Function& one : functions) {
    lua_pushcfunction(lua, one.function);
    set_field(lua, -2, one.name);
  }
}

void add(lua_State* lua, std::span<const Constant> constants) {
  for (const Constant& one : constants) {
    lua_pushinteger(lua, one.value);
    set_field(lua, -2, one.name);
  }
}

void add_version(lua_State* lua) {
  push_bytes(lua, kRedisVersion);
  set_field(lua, -2, "REDIS_VERSION");
  lua_pushinteger(lua, kRedisVersionNumber);
  set_field(lua, -2, "REDIS_VERSION_NUM");
}

}  // namespace

void push_redis_api(lua_State* lua, LuaState::Kind kind) {
  lua_newtable(lua);
  add(lua, kAlways);
  if (kind == LuaState::Kind::kEval) add(lua, kOnlyEval);
  add(lua, kLogLevels);
  add(lua, kReplication);
  add_version(lua);
}

void push_library_api(lua_State* lua, const Sandbox& sandbox) {
  lua_newtable(lua);
  make_strict(lua);
  lua_newtable(lua);
  make_strict(lua);
  lua_pushcfunction(lua, FunctionLoad::register_function);
  set_field(lua, -2, "register_function");
  lua_pushcfunction(lua, redis_log);
  set_field(lua, -2, "log");
  add(lua, kLogLevels);
  add_version(lua);
  make_read_only(lua, sandbox);
  set_field(lua, -2, "redis");
}

int redis_call(lua_State* lua) { return call_command(lua, ErrorBy::kRaising); }

int raise_error(lua_State* lua, const char* text) {
  if (Debugger* debugger = stepper_of(lua)) debugger->show_error(text);
  push_error(lua, text, Counted::kNo);
  return lua_error(lua);
}

}  // namespace ouro
