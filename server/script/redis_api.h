// SPDX-License-Identifier: BSD-3-Clause
// The table `redis` of scripts. What it holds differs, as in Redis: functions lack what EVAL has
// for the debugger, and while a library is loaded there is little more than register_function.
//
// These functions raise; none has anything in its frame that a raised error would leave behind.
#pragma once

#include "server/script/lua_state.h"

namespace ouro {

// Pushes the table itself.
void push_redis_api(lua_State* lua, LuaState::Kind kind);
// Pushes the table of all names that a library sees while it is loaded.
void push_library_api(lua_State* lua, const Sandbox& sandbox);

// redis.call itself, of a script that is running.
int redis_call(lua_State* lua);

// Raises {err = text}: an error of the API, whose place is not part of the text.
int raise_error(lua_State* lua, const char* text);

}  // namespace ouro
