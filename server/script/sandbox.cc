// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/sandbox.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <initializer_list>

#include "datastructs/base/check.h"
#include "server/script/libraries.h"
#include "server/script/lua_state.h"
#include "server/script/source.h"

namespace ouro {
namespace {

constexpr const char* kEmptyInterval = "interval is empty";
constexpr const char* kReadOnlyText = "Attempt to modify a readonly table";

// ---- proxies: upvalue 1 of each of these functions is the table of all proxies

// Pushes the table behind the proxy at `at`; pushes nothing and says false if it is none.
bool push_behind(lua_State* lua, int at) {
  if (lua_type(lua, at) != LUA_TTABLE || lua_getmetatable(lua, at) == 0) return false;
  lua_pop(lua, 1);
  lua_pushvalue(lua, at);
  lua_rawget(lua, lua_upvalueindex(1));
  if (lua_istable(lua, -1)) return true;
  lua_pop(lua, 1);
  return false;
}

int refuse_change(lua_State* lua) { return luaL_error(lua, kReadOnlyText); }

// As Redis's Lua says it of its own functions: without a place.
void check_writable(lua_State* lua, int at) {
  if (!push_behind(lua, at)) return;
  lua_pushstring(lua, kReadOnlyText);
  lua_error(lua);
}

int missing_global(lua_State* lua) {
  const char* name = lua_type(lua, 2) == LUA_TSTRING || lua_type(lua, 2) == LUA_TNUMBER
                         ? lua_tostring(lua, 2)
                         : luaL_typename(lua, 2);
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'", name);
}

int read_only_next(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  if (push_behind(lua, 1)) lua_replace(lua, 1);
  if (lua_next(lua, 1) != 0) return 2;
  lua_pushnil(lua);
  return 1;
}

// Upvalues 2 and 3: Lua's own next, which its interpreter knows, and ours.
int read_only_pairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const bool is_proxy = push_behind(lua, 1);
  lua_pushvalue(lua, lua_upvalueindex(is_proxy ? 3 : 2));
  lua_pushvalue(lua, 1);
  lua_pushnil(lua);
  return 3;
}

int read_only_rawget(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  if (push_behind(lua, 1)) lua_replace(lua, 1);
  lua_rawget(lua, 1);
  return 1;
}

int read_only_rawset(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  luaL_checkany(lua, 3);
  lua_settop(lua, 3);
  check_writable(lua, 1);
  lua_rawset(lua, 1);
  return 1;
}

// Calls from C to Lua nest on the processor's stack: every function that makes one asks first.
void check_stack(lua_State* lua) {
  if (LuaState::of(lua).is_stack_deep()) luaL_error(lua, "C stack overflow");
}

// Of a library function that writes to its first argument; upvalue 2 is that function.
int read_only_writer(lua_State* lua) {
  check_writable(lua, 1);
  check_stack(lua);
  // In the same frame, so that its errors tell the script's place. Some are written in Lua.
  if (const lua_CFunction function = lua_tocfunction(lua, lua_upvalueindex(2)))
    return function(lua);
  const int arguments = lua_gettop(lua);
  lua_pushvalue(lua, lua_upvalueindex(2));
  lua_insert(lua, 1);
  lua_call(lua, arguments, LUA_MULTRET);
  return lua_gettop(lua);
}

int read_only_setmetatable(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int type = lua_type(lua, 2);
  luaL_argcheck(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
  check_writable(lua, 1);
  if (luaL_getmetafield(lua, 1, "__metatable") != 0)
    return luaL_error(lua, "cannot change a protected metatable");
  // A proxy stays one as a metatable, too, or getmetatable would show what is behind it.
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

// Upvalues 2 to 4: the environment, what is shown as its metatable, and as that of strings. Of
// other proxies nothing shows.
int read_only_getmetatable(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (lua_type(lua, 1) == LUA_TSTRING) {
    lua_pushvalue(lua, lua_upvalueindex(4));
  } else if (lua_rawequal(lua, 1, lua_upvalueindex(2)) != 0) {
    lua_pushvalue(lua, lua_upvalueindex(3));
  } else if (push_behind(lua, 1) || lua_getmetatable(lua, 1) == 0) {
    lua_pushnil(lua);
  } else if (luaL_getmetafield(lua, 1, "__metatable") == 0) {
    lua_settop(lua, 2);
  }
  return 1;
}

// ---- replaced functions that need not know proxies

// Errors that redis.call raises are tables inside and texts for scripts.
int text_pcall(lua_State* lua) {
  luaL_checkany(lua, 1);
  check_stack(lua);
  if (lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0) == 0) {
    lua_pushboolean(lua, 1);
    lua_insert(lua, 1);
    return lua_gettop(lua);
  }
  if (lua_istable(lua, -1)) {
    lua_getfield(lua, -1, "err");
    if (lua_isstring(lua, -1) != 0) lua_replace(lua, -2);
    lua_settop(lua, 1);
  }
  lua_pushboolean(lua, 0);
  lua_insert(lua, 1);
  return 2;
}

// LuaJIT's own calls the handler where the error was raised. For a killed script that is inside of
// the hook, which is not called meanwhile: nobody could end the handler. Here it is called when
// what raised has been left.
int outer_xpcall(lua_State* lua) {
  luaL_checkany(lua, 2);
  check_stack(lua);
  lua_settop(lua, 2);
  lua_insert(lua, 1);
  int status = lua_pcall(lua, 0, LUA_MULTRET, 0);
  const bool holds = status == 0;
  if (status == LUA_ERRRUN) status = lua_pcall(lua, 1, 1, 0);
  if (status == LUA_ERRRUN) {
    lua_pushliteral(lua, "error in error handling");
    lua_replace(lua, -2);
  }
  lua_pushboolean(lua, holds ? 1 : 0);
  holds ? lua_replace(lua, 1) : lua_insert(lua, -2);
  return holds ? lua_gettop(lua) : 2;
}

// Why a coroutine cannot be resumed, or null.
const char* obstacle_of(lua_State* lua, lua_State* coroutine) {
  if (coroutine == lua) return "cannot resume running coroutine";
  if (lua_status(coroutine) == LUA_YIELD) return nullptr;
  lua_Debug frame;
  if (lua_status(coroutine) == 0 && lua_getstack(coroutine, 0, &frame) != 0)
    return "cannot resume normal coroutine";
  const bool is_fresh = lua_status(coroutine) == 0 && lua_gettop(coroutine) > 0;
  return is_fresh ? nullptr : "cannot resume dead coroutine";
}

// Runs a coroutine with the `count` values on top. They are replaced by true and what it gives, or
// false and what it raised.
int run_coroutine(lua_State* lua, lua_State* coroutine, int count) {
  check_stack(lua);
  if (const char* obstacle = obstacle_of(lua, coroutine)) {
    lua_pushboolean(lua, 0);
    lua_pushstring(lua, obstacle);
    return 2;
  }
  if (lua_checkstack(coroutine, count) == 0) return luaL_error(lua, "too many arguments to resume");
  lua_xmove(lua, coroutine, count);
  const int status = lua_resume(coroutine, count);
  const bool holds = status == 0 || status == LUA_YIELD;
  const int results = holds ? lua_gettop(coroutine) : 1;
  luaL_checkstack(lua, results + 1, "too many results to resume");
  lua_pushboolean(lua, holds ? 1 : 0);
  lua_xmove(coroutine, lua, results);
  return results + 1;
}

int coroutine_resume(lua_State* lua) {
  lua_State* coroutine = lua_tothread(lua, 1);
  luaL_argcheck(lua, coroutine != nullptr, 1, "coroutine expected");
  return run_coroutine(lua, coroutine, lua_gettop(lua) - 1);
}

// What coroutine.wrap gives; upvalue 1 is the coroutine. Its errors go on, texts with the place.
int coroutine_wrapped(lua_State* lua) {
  const int results = run_coroutine(lua, lua_tothread(lua, lua_upvalueindex(1)), lua_gettop(lua));
  if (lua_toboolean(lua, -results) != 0) return results - 1;
  if (lua_isstring(lua, -1) != 0) {
    luaL_where(lua, 1);
    lua_insert(lua, -2);
    lua_concat(lua, 2);
  }
  return lua_error(lua);
}

int coroutine_wrap(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  lua_State* coroutine = lua_newthread(lua);
  lua_pushvalue(lua, 1);
  lua_xmove(lua, coroutine, 1);
  lua_pushcclosure(lua, coroutine_wrapped, 1);
  return 1;
}

// nil and what is wrong, or the function.
int give_loaded(lua_State* lua, int status) {
  if (status == 0) return 1;
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

// Text only. Upvalue-free: what is compiled finds its names in the environment of all scripts.
int text_loadstring(lua_State* lua) {
  size_t size = 0;
  const char* text = luaL_checklstring(lua, 1, &size);
  const char* name = luaL_optstring(lua, 2, text);
  return give_loaded(lua, load_source(lua, {text, size}, name));
}

// The pieces that a function gives, up to an empty one.
int text_load(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  check_stack(lua);
  lua_settop(lua, 2);
  const char* name = luaL_optstring(lua, 2, "=(load)");
  lua_newtable(lua);
  int pieces = 0;
  for (;;) {
    lua_pushvalue(lua, 1);
    lua_call(lua, 0, 1);
    if (lua_isnil(lua, -1)) break;
    if (lua_type(lua, -1) != LUA_TSTRING)
      return luaL_error(lua, "reader function must return a string");
    if (lua_objlen(lua, -1) == 0) break;
    lua_rawseti(lua, 3, ++pieces);
  }
  luaL_Buffer buffer;
  luaL_buffinit(lua, &buffer);
  for (int i = 1; i <= pieces; ++i) {
    lua_rawgeti(lua, 3, i);
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
  return give_loaded(lua, load_source(lua, lua_bytes(lua, -1), name));
}

// How the collector works is not a script's to change.
int modest_collectgarbage(lua_State* lua) {
  static constexpr const char* kWords[] = {"collect", "count",    "step",       "stop",
                                           "restart", "setpause", "setstepmul", nullptr};
  switch (luaL_checkoption(lua, 1, "collect", kWords)) {
    case 0:
      lua_pushinteger(lua, lua_gc(lua, LUA_GCCOLLECT, 0));
      return 1;
    case 1:
      lua_pushnumber(lua, lua_gc(lua, LUA_GCCOUNT, 0) + lua_gc(lua, LUA_GCCOUNTB, 0) / 1024.0);
      return 1;
    case 2:
      lua_pushboolean(lua, lua_gc(lua, LUA_GCSTEP, 0));
      return 1;
    default:
      lua_pushinteger(lua, 0);
      return 1;
  }
}

int obsolete_setn(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  return luaL_error(lua, "'setn' is obsolete");
}

ScriptRandom& random_of(lua_State* lua) {
  return *static_cast<ScriptRandom*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

int math_random(lua_State* lua) {
  const double draw = random_of(lua).next();
  switch (lua_gettop(lua)) {
    case 0:
      lua_pushnumber(lua, draw);
      return 1;
    case 1: {
      const int most = luaL_checkint(lua, 1);
      luaL_argcheck(lua, most >= 1, 1, kEmptyInterval);
      lua_pushnumber(lua, std::floor(draw * most) + 1);
      return 1;
    }
    case 2: {
      const int least = luaL_checkint(lua, 1);
      const int most = luaL_checkint(lua, 2);
      luaL_argcheck(lua, least <= most, 2, kEmptyInterval);
      lua_pushnumber(lua, std::floor(draw * (static_cast<double>(most) - least + 1)) + least);
      return 1;
    }
    default:
      return luaL_error(lua, "wrong number of arguments");
  }
}

// The lower 32 bits of a number rounded to an integer: the mantissa's, once this is added.
uint32_t bits_argument(lua_State* lua, int at) {
  return static_cast<uint32_t>(std::bit_cast<uint64_t>(luaL_checknumber(lua, at) + 0x1.8p52));
}

// The lowest digits, in capitals if their number is negative. LuaJIT's own gives more than eight.
int bit_tohex(lua_State* lua) {
  constexpr int64_t kDigitsMax = 8;
  const uint32_t bits = bits_argument(lua, 1);
  const int64_t wanted =
      lua_isnone(lua, 2) ? kDigitsMax : static_cast<int32_t>(bits_argument(lua, 2));
  const auto count = static_cast<size_t>(std::min(std::abs(wanted), kDigitsMax));
  const char* const digits = wanted < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
  char text[kDigitsMax];
  for (size_t i = 0; i < count; ++i) text[count - 1 - i] = digits[(bits >> (4 * i)) & 0xF];
  push_bytes(lua, {text, count});
  return 1;
}

int math_randomseed(lua_State* lua) {
  random_of(lua).reseed(static_cast<uint32_t>(luaL_checkint(lua, 1)));
  return 0;
}

// ---- putting it together

using Names = std::initializer_list<const char*>;

// What scripts see of a library that was opened as the global `name`; pushes it.
void push_part(lua_State* lua, const char* name, Names functions) {
  lua_getglobal(lua, name);
  lua_createtable(lua, 0, static_cast<int>(functions.size()));
  for (const char* function : functions) {
    lua_getfield(lua, -2, function);
    set_field(lua, -2, function);
  }
  lua_remove(lua, -2);
}

// A second name for a function of the table on top.
void add_alias(lua_State* lua, const char* alias, const char* name) {
  lua_getfield(lua, -1, name);
  set_field(lua, -2, alias);
}

class Builder {
 public:
  Builder(lua_State* lua, ScriptRandom& random) : lua_(lua), random_(random) {}

  Sandbox build() {
    for (const lua_CFunction open :
         {luaopen_base, luaopen_string, luaopen_table, luaopen_math, luaopen_bit}) {
      lua_pushcfunction(lua_, open);
      lua_call(lua_, 0, 0);
    }
    lua_newtable(lua_);
    sandbox_.proxies = luaL_ref(lua_, LUA_REGISTRYINDEX);
    push_part(lua_, "_G",
              {"assert", "error", "gcinfo", "ipairs", "rawequal", "select", "tonumber", "tostring",
               "type", "unpack", "_VERSION"});
    globals_ = lua_gettop(lua_);
    add_libraries();
    add_functions();
    add_environment();
    add_metatable_functions();
    lua_pushvalue(lua_, globals_);
    sandbox_.globals = luaL_ref(lua_, LUA_REGISTRYINDEX);
    lua_settop(lua_, 0);
    return sandbox_;
  }

 private:
  void push_proxies() { lua_rawgeti(lua_, LUA_REGISTRYINDEX, sandbox_.proxies); }
  // globals[name] = the proxy of the table on top.
  void add_table(const char* name) {
    make_read_only(lua_, sandbox_);
    set_field(lua_, globals_, name);
  }
  void push_function(lua_CFunction function) {
    push_proxies();
    lua_pushcclosure(lua_, function, 1);
  }
  void add_function(const char* name, lua_CFunction function) {
    push_function(function);
    set_field(lua_, globals_, name);
  }
  // The functions of the table on top that write get one in front that looks.
  void guard(Names writers) {
    for (const char* name : writers) {
      push_proxies();
      lua_getfield(lua_, -2, name);
      lua_pushcclosure(lua_, read_only_writer, 2);
      set_field(lua_, -2, name);
    }
  }

  void add_libraries() {
    push_part(lua_, "table",
              {"concat", "foreach", "foreachi", "getn", "insert", "maxn", "remove", "sort"});
    bound_table_library(lua_);
    guard({"insert", "remove", "sort"});
    push_function(obsolete_setn);
    set_field(lua_, -2, "setn");
    add_table("table");
    push_part(lua_, "math",
              {"abs",   "acos", "asin",  "atan", "atan2", "ceil", "cos",   "cosh", "deg", "exp",
               "floor", "fmod", "frexp", "huge", "ldexp", "log",  "log10", "max",  "min", "modf",
               "pi",    "pow",  "rad",   "sin",  "sinh",  "sqrt", "tan",   "tanh"});
    add_alias(lua_, "mod", "fmod");
    for (const luaL_Reg& function :
         {luaL_Reg{"random", math_random}, {"randomseed", math_randomseed}}) {
      lua_pushlightuserdata(lua_, &random_);
      lua_pushcclosure(lua_, function.func, 1);
      set_field(lua_, -2, function.name);
    }
    add_table("math");
    push_part(lua_, "coroutine", {"create", "running", "status", "yield"});
    lua_pushcfunction(lua_, coroutine_resume);
    set_field(lua_, -2, "resume");
    lua_pushcfunction(lua_, coroutine_wrap);
    set_field(lua_, -2, "wrap");
    add_table("coroutine");
    push_part(lua_, "bit",
              {"arshift", "band", "bnot", "bor", "bswap", "bxor", "lshift", "rol", "ror", "rshift",
               "tobit"});
    lua_pushcfunction(lua_, bit_tohex);
    set_field(lua_, -2, "tohex");
    add_table("bit");
    add_string();
    push_json_library(lua_);
    add_table("cjson");
    push_msgpack_library(lua_);
    add_table("cmsgpack");
    push_struct_library(lua_);
    add_table("struct");
  }

  // Methods of strings come from the table behind the proxy.
  void add_string() {
    push_part(lua_, "string",
              {"byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep",
               "reverse", "sub", "upper"});
    bound_string_library(lua_);
    add_alias(lua_, "gfind", "gmatch");
    lua_pushliteral(lua_, "");
    lua_getmetatable(lua_, -1);
    lua_pushvalue(lua_, -3);
    set_field(lua_, -2, "__index");
    lua_pop(lua_, 2);
    add_table("string");
  }

  void add_functions() {
    add_function("pcall", text_pcall);
    add_function("xpcall", outer_xpcall);
    add_function("load", text_load);
    add_function("loadstring", text_loadstring);
    add_function("collectgarbage", modest_collectgarbage);
    add_function("next", read_only_next);
    add_function("rawget", read_only_rawget);
    add_function("rawset", read_only_rawset);
    add_function("setmetatable", read_only_setmetatable);
    push_proxies();
    lua_getglobal(lua_, "next");
    lua_getfield(lua_, globals_, "next");
    lua_pushcclosure(lua_, read_only_pairs, 3);
    set_field(lua_, globals_, "pairs");
  }

  // From here on lua_load gives what it compiles this environment.
  void add_environment() {
    lua_pushvalue(lua_, globals_);
    make_strict(lua_);
    make_read_only(lua_, sandbox_);
    lua_pushvalue(lua_, -1);
    set_field(lua_, globals_, "_G");
    lua_getmetatable(lua_, -1);
    sandbox_.env_metatable = luaL_ref(lua_, LUA_REGISTRYINDEX);
    lua_pushvalue(lua_, -1);
    lua_replace(lua_, LUA_GLOBALSINDEX);
  }

  // Requires the environment on top.
  void add_metatable_functions() {
    const int environment = lua_gettop(lua_);
    push_proxies();
    lua_pushvalue(lua_, environment);
    lua_newtable(lua_);
    push_function(missing_global);
    set_field(lua_, -2, "__index");
    make_read_only(lua_, sandbox_);
    lua_newtable(lua_);
    lua_getfield(lua_, globals_, "string");
    set_field(lua_, -2, "__index");
    make_read_only(lua_, sandbox_);
    lua_pushcclosure(lua_, read_only_getmetatable, 4);
    set_field(lua_, globals_, "getmetatable");
  }

  lua_State* lua_;
  ScriptRandom& random_;
  Sandbox sandbox_;
  int globals_ = 0;
};

}  // namespace

Sandbox open_sandbox(lua_State* lua, ScriptRandom& random) { return Builder(lua, random).build(); }

void make_read_only(lua_State* lua, const Sandbox& sandbox) {
  lua_newtable(lua);
  lua_createtable(lua, 0, 2);
  lua_pushvalue(lua, -3);
  set_field(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_change);
  set_field(lua, -2, "__newindex");
  lua_setmetatable(lua, -2);
  // proxies[proxy] = the table
  lua_rawgeti(lua, LUA_REGISTRYINDEX, sandbox.proxies);
  lua_pushvalue(lua, -2);
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);
  lua_pop(lua, 1);
  lua_remove(lua, -2);
}

void make_strict(lua_State* lua) {
  lua_createtable(lua, 0, 1);
  lua_pushcfunction(lua, missing_global);
  set_field(lua, -2, "__index");
  lua_setmetatable(lua, -2);
}

}  // namespace ouro
