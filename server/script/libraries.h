// SPDX-License-Identifier: BSD-3-Clause
// The libraries that Redis gives to scripts beside Lua's own: cmsgpack and struct are ours; cjson
// is Debian's lua-cjson, bit is LuaJIT's (by the author of Redis's).
#pragma once

#include "server/script/lua.h"

namespace ouro {

// Each pushes its table.
//
// MessagePack: pack(...), unpack(text), unpack_one(text [, offset]), unpack_limit(text, limit
// [, offset]). Tables whose keys are 1..n are arrays. What nests too deeply becomes nil, as Redis
// writes it, and is refused when it is read.
void push_msgpack_library(lua_State* lua);
// C structures: pack(format, ...), unpack(format, text [, position]), size(format).
void push_struct_library(lua_State* lua);

}  // namespace ouro
