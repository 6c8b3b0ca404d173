// SPDX-License-Identifier: BSD-3-Clause
// The libraries that Redis gives to scripts beside Lua's own: cmsgpack and struct are ours; cjson
// is Debian's lua-cjson, bit is LuaJIT's (by the author of Redis's). And what stands in the place
// of functions of Lua that may run for long: a script is ended by the hook, which the interpreter
// calls and no function in C. Where the work is not in proportion to memory that the machine takes,
// ours count steps (LuaState::spend()).
#pragma once

#include "server/script/lua.h"

namespace ouro {

// Each of these pushes its table.
//
// MessagePack: pack(...), unpack(text), unpack_one(text [, offset]), unpack_limit(text, limit
// [, offset]). Tables whose keys are 1..n are arrays. What nests too deeply becomes nil, as Redis
// writes it, and is refused when it is read.
void push_msgpack_library(lua_State* lua);
// C structures: pack(format, ...), unpack(format, text [, position]), size(format).
void push_struct_library(lua_State* lua);
// lua-cjson, whose encode() is refused what would not end, or not fit into its buffer.
void push_json_library(lua_State* lua);

// Each of these replaces functions of the table on top, Lua's own.
//
// find, match, gmatch, gsub, rep, format, lower, upper, reverse.
void bound_string_library(lua_State* lua);
// concat, insert, sort.
void bound_table_library(lua_State* lua);

}  // namespace ouro
