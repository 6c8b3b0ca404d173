// SPDX-License-Identifier: BSD-3-Clause
// Debian's lua-cjson behind a look at what it is to encode. It writes into memory of its own, by
// sizes that are ints, and ends the program where those overflow: a table that holds itself twice,
// and so on thirty times, is enough. What it would write is therefore reckoned first, in steps.
// Reading is linear in a text that the machine holds already, and reckoned as steps by that.
#include <algorithm>

#include "server/script/libraries.h"
#include "server/script/lua_state.h"

// Declared in a header of another Lua.
extern "C" int luaopen_cjson(lua_State* lua);

namespace ouro {
namespace {

// Its buffer doubles, which is right up to here.
constexpr double kJsonBytesMax = 1 << 30;
// Of a number, and of a word.
constexpr double kScalarBytesMax = 32;
// A byte of a string may become "\u001f".
constexpr double kEscapedBytesMax = 6;
// A hole in an array is written out.
constexpr double kNullBytes = 5;

class JsonSize {
 public:
  explicit JsonSize(lua_State* lua) : lua_(lua), state_(LuaState::of(lua)) {}

  // Adds what the value on top may take. Tables that nest too deeply are cjson's to refuse.
  void add() {
    const int type = lua_type(lua_, -1);
    const size_t text_bytes = type == LUA_TSTRING ? lua_objlen(lua_, -1) : 0;
    state_.spend(lua_, 1 + text_bytes / LuaState::kReadBytesAStep);
    bytes_ += type == LUA_TSTRING ? kEscapedBytesMax * static_cast<double>(text_bytes) + 4
                                  : kScalarBytesMax;
    if (type == LUA_TTABLE && !state_.is_stack_deep() && lua_checkstack(lua_, 3) != 0) add_table();
    if (bytes_ > kJsonBytesMax) luaL_error(lua_, "not enough memory");
  }

 private:
  void add_table() {
    double last_index = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      add();
      lua_pop(lua_, 1);
      add_key(last_index);
    }
    bytes_ += kNullBytes * last_index;
  }

  void add_key(double& last_index) {
    if (lua_type(lua_, -1) == LUA_TSTRING) {
      bytes_ += kEscapedBytesMax * static_cast<double>(lua_objlen(lua_, -1)) + 4;
    } else {
      bytes_ += kScalarBytesMax;
      last_index = std::max(last_index, lua_tonumber(lua_, -1));
    }
    if (kNullBytes * last_index > kJsonBytesMax)
      luaL_error(lua_, "Cannot serialise table: excessively sparse array");
  }

  lua_State* lua_;
  LuaState& state_;
  double bytes_ = 0;
};

// These have cjson's settings as upvalue 1, as its own functions do, and such a function as 2.
int call_json(lua_State* lua) { return lua_tocfunction(lua, lua_upvalueindex(2))(lua); }

int json_encode(lua_State* lua) {
  if (lua_gettop(lua) == 1) JsonSize(lua).add();
  return call_json(lua);
}

int json_decode(lua_State* lua) {
  LuaState::of(lua).spend_reading(lua, lua_objlen(lua, 1));
  return call_json(lua);
}

void bound_json_library(lua_State* lua);

int json_new(lua_State* lua) {
  call_json(lua);
  bound_json_library(lua);
  return 1;
}

void bound_json_library(lua_State* lua) {
  for (const luaL_Reg& function :
       {luaL_Reg{"decode", json_decode}, {"encode", json_encode}, {"new", json_new}}) {
    lua_getfield(lua, -1, function.name);
    if (lua_getupvalue(lua, -1, 1) == nullptr) lua_pushnil(lua);
    lua_insert(lua, -2);
    lua_pushcclosure(lua, function.func, 2);
    set_field(lua, -2, function.name);
  }
}

}  // namespace

void push_json_library(lua_State* lua) {
  lua_pushcfunction(lua, luaopen_cjson);
  lua_call(lua, 0, 1);
  bound_json_library(lua);
}

}  // namespace ouro
