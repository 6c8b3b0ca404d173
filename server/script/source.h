// SPDX-License-Identifier: BSD-3-Clause
// Texts of scripts: what their first line says, and compiling them.
#pragma once

#include <cstdint>
#include <string>

#include "server/engine/command.h"
#include "server/script/lua.h"

namespace ouro {

// What a script says of itself ("#!lua flags=no-writes,allow-oom").
struct ScriptFlags {
  bool declared = false;  // a script without a first line of this kind may do what its caller may
  bool no_writes = false;
  bool allow_oom = false;
  bool allow_stale = false;
  bool no_cluster = false;
  bool allow_cross_slot_keys = false;

  // False if there is no flag of this name.
  bool set(ByteView name);
};

// The names in Redis's order, with what they set.
struct ScriptFlagName {
  ByteView name;
  bool ScriptFlags::*flag;
};
inline constexpr ScriptFlagName kScriptFlagNames[] = {
    {"no-writes", &ScriptFlags::no_writes},
    {"allow-oom", &ScriptFlags::allow_oom},
    {"allow-stale", &ScriptFlags::allow_stale},
    {"no-cluster", &ScriptFlags::no_cluster},
    {"allow-cross-slot-keys", &ScriptFlags::allow_cross_slot_keys},
};

// EVAL's first line. `body` is what is to be compiled: the first line is skipped but not its end,
// so that lines keep their numbers. False leaves an error text without a code.
bool read_script_head(ByteView source, ScriptFlags& flags, ByteView& body, std::string& error);
// FUNCTION LOAD's: the library's name. The same for the rest.
bool read_library_head(ByteView source, std::string& name, ByteView& body, std::string& error);

// What a call of `spec` is, if its script says what it does.
Flags command_flags(const CommandSpec& spec, const ScriptFlags& flags);

// Letters, digits and underscores, at least one.
bool is_function_name(ByteView name);
inline constexpr const char* kFunctionNameText =
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one "
    "character long";

// The text with each `return value` of its outermost level as `return nil, value`. LuaJIT drops the
// frame of a function that returns a call, and with it the place that an error in that call tells;
// with two values it is not one. The script's answer is its second value then.
std::string without_tail_calls(ByteView text);

// As luaL_loadbuffer, but text only, and as Lua 5.1 reads it: the escapes that LuaJIT has besides
// ("\x41", "\z") are none, and neither are its numbers (0b11, 3i, 12LL: the last would open ffi).
int load_source(lua_State* lua, ByteView text, const char* chunk_name);

}  // namespace ouro
