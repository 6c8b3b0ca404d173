// SPDX-License-Identifier: BSD-3-Clause
// What a script returns, as the reply of its command.
#pragma once

#include "server/engine/context.h"
#include "server/script/lua.h"

namespace ouro {

// The names by which a table is a reply of one kind ({ok = "..."}), made once for a machine: to
// look one up allocates nothing. Pushes a table; keep it in the registry.
void push_answer_names(lua_State* lua);

// Writes the value on top of the stack, which stays. `resp3`: the script has asked for it
// (redis.setresp), so a boolean is one.
// Returns: the error's status when the value is one ({err = "..."}).
// Requires: a machine without a limit (nothing may raise here); `names` refers to what
// push_answer_names made.
Status write_answer(Context& ctx, lua_State* lua, int names, bool resp3);

// A number as an integer reply: its integral part, the least integer when that does not fit.
int64_t integer_answer(double value);

}  // namespace ouro
