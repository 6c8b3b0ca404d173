// SPDX-License-Identifier: BSD-3-Clause
// The C interface of Lua, and the three calls of it that this folder makes most.
//
// A call that may raise leaves by a jump over all frames up to the nearest lua_pcall: it is made
// only in functions whose frames hold nothing to destroy, or while the machine's limit is lifted
// (LuaState::Unlimited), when nothing can fail.
#pragma once

#include <lua.hpp>

#include "datastructs/base/units.h"

namespace ouro {

// Requires a string or a number, which becomes one (and that may raise).
inline ByteView lua_bytes(lua_State* lua, int at) {
  size_t size = 0;
  const char* bytes = lua_tolstring(lua, at, &size);
  return {bytes, size};
}
inline void push_bytes(lua_State* lua, ByteView bytes) {
  lua_pushlstring(lua, bytes.data(), bytes.size());
}
// Without metamethods: table[name] = the value on top, which goes.
inline void set_field(lua_State* lua, int table, ByteView name) {
  if (table < 0 && table > LUA_REGISTRYINDEX) --table;
  push_bytes(lua, name);
  lua_insert(lua, -2);
  lua_rawset(lua, table);
}

}  // namespace ouro
