// SPDX-License-Identifier: BSD-3-Clause
// Values of Lua and replies of commands as the debugger of scripts shows them.
//
//      {"a"; 1}    {["key"]={true; nil}}    ["bulk",3,NULL]    "+OK"    "-ERR text"
#pragma once

#include <string>

#include "datastructs/base/function_ref.h"
#include "server/script/lua.h"
#include "server/script/reply_tape.h"

namespace ouro {

// Tables nest so deep at most; what lies deeper is not shown.
inline constexpr int kShownDepthMax = 10;

// Appends the value at `at`, or enough of it to see that the text is longer than `bytes_max`: a
// table that contains itself shows as very much. Each place of a table that is looked at asks
// `may_look` first; where that says no, an ellipsis ends the text. Each table is looked through for
// its shape once, but one step may pass all its empty places.
// Requires: the machine's limit is lifted.
void append_value(std::string& to, lua_State* lua, int at, size_t bytes_max,
                  FunctionRef<bool()> may_look);
// The same for the whole reply.
void append_reply(std::string& to, const ReplyTape& tape, size_t bytes_max);

}  // namespace ouro
