// SPDX-License-Identifier: BSD-3-Clause
// string.format as Lua 5.1 has it. LuaJIT's own knows more options (%a, %F, %p), takes values that
// are no strings for %s, and keeps zero bytes that Lua 5.1 hands to C, which ends a string at them.
#pragma once

#include "server/script/lua.h"

namespace ouro {

int string_format(lua_State* lua);

}  // namespace ouro
