// SPDX-License-Identifier: BSD-3-Clause
// What a script sees of Lua: the names that Redis 7.0 lets it see, none of which it can change.
//
// Redis's Lua marks tables as read-only. Here such a table is a proxy, empty for ever:
//
//      script -> proxy {}  -- metatable --> __index    = the table itself
//                                           __newindex = an error
//      proxies[proxy] = the table itself    (what pairs, next and rawget go by)
//
// The functions of Lua that write to a table without asking its metatable (rawset, table.insert
// and their kin) are replaced by ones that know proxies. So are getmetatable and setmetatable:
// metatables that scripts share cannot be had. Never opened are io, os, package, debug, jit and
// ffi; what could read a file, run bytecode, or keep a finaliser is left out.
//
// Global names are found through `env`, the proxy of `globals`; a name that neither has is an
// error. Compiled code gets it as its environment.
#pragma once

#include <cstdint>

#include "server/script/lua.h"

namespace ouro {

// math.random as Redis has it: the same numbers from the same seed.
class ScriptRandom {
 public:
  explicit ScriptRandom(uint32_t seed) { reseed(seed); }
  void reseed(uint32_t seed) { state_ = (uint64_t{seed} << 16) | 0x330E; }
  // In [0, 1).
  double next() {
    // The generator of POSIX's lrand48, of which the upper 31 bits are used.
    state_ = (state_ * 0x5DEECE66D + 0xB) & ((uint64_t{1} << 48) - 1);
    const auto bits = static_cast<uint32_t>(state_ >> 17);
    return static_cast<double>(bits % kMax) / kMax;
  }

 private:
  static constexpr uint32_t kMax = INT32_MAX;
  uint64_t state_ = 0;
};

// Where the parts stand in the registry.
struct Sandbox {
  int globals = LUA_NOREF;        // the table itself: what is put there scripts see
  int env_metatable = LUA_NOREF;  // its __index says which table `env` shows
  int proxies = LUA_NOREF;
};

// Opens the libraries of Lua and ours. Requires a fresh machine without a limit; `random`, which
// math.random draws from, outlives it.
Sandbox open_sandbox(lua_State* lua, ScriptRandom& random);

// Turns the table on top into its proxy.
void make_read_only(lua_State* lua, const Sandbox& sandbox);
// The table on top answers a name that it lacks with an error.
void make_strict(lua_State* lua);

}  // namespace ouro
