// SPDX-License-Identifier: BSD-3-Clause
// table.concat, table.insert and table.sort in counted steps: what they do may be out of proportion
// to the memory that they take (a text that exists already, a place far below the first element),
// and without a function that compares, no step of a sort calls the hook.
//
// Lua's order of comparisons is kept, a quicksort by the median of three: what is neither less nor
// greater ends up where Redis's scripts find it.
#include <algorithm>

#include "server/script/libraries.h"
#include "server/script/lua_state.h"

namespace ouro {
namespace {

class TableSort {
 public:
  // The table stands first on the stack, the function or nil second.
  explicit TableSort(lua_State* lua)
      : lua_(lua), state_(LuaState::of(lua)), has_function_(!lua_isnil(lua, 2)) {}

  // Of the elements `low` to `high`. The smaller part is sorted by a call, the larger one in the
  // next round.
  void sort(int low, int high) {
    while (low < high) {
      order(low, high);
      if (high - low == 1) return;
      const int middle = static_cast<int>((int64_t{low} + high) / 2);
      if (!order(low, middle)) order(middle, high);
      if (high - low == 2) return;
      // The pivot waits last but one, and on the stack.
      push(middle);
      push_two(middle, high - 1);
      store_two(middle, high - 1);
      const int border = partition(low, high);
      lua_pop(lua_, 1);
      if (border - low < high - border) {
        sort(low, border - 1);
        low = border + 1;
      } else {
        sort(border + 1, high);
        high = border - 1;
      }
    }
  }

 private:
  // Elements below the border are not greater than the pivot, which is on top of the stack; those
  // above are not less.
  int partition(int low, int high) {
    int from = low;
    int to = high - 1;
    for (;;) {
      while (push(++from), is_less(-1, -2)) {
        if (from > high) fail();
        lua_pop(lua_, 1);
      }
      while (push(--to), is_less(-3, -1)) {
        if (to < low) fail();
        lua_pop(lua_, 1);
      }
      if (to < from) break;
      store_two(from, to);
    }
    lua_pop(lua_, 2);
    push_two(high - 1, from);
    store_two(high - 1, from);
    return from;
  }

  // Changes the two if they are the wrong way round, and says whether.
  bool order(int low, int high) {
    push_two(low, high);
    const bool changes = is_less(-1, -2);
    if (changes) {
      store_two(low, high);
    } else {
      lua_pop(lua_, 2);
    }
    return changes;
  }

  void push(int index) { lua_rawgeti(lua_, 1, index); }
  void push_two(int first, int second) {
    push(first);
    push(second);
  }
  // The one on top at `first`, the one below at `second`.
  void store_two(int first, int second) {
    lua_rawseti(lua_, 1, first);
    lua_rawseti(lua_, 1, second);
  }
  void fail() { luaL_error(lua_, "invalid order function for sorting"); }

  bool is_less(int left, int right) {
    if (!has_function_) {
      state_.spend(lua_, 1 + std::min(string_bytes(left), string_bytes(right)) /
                                 LuaState::kCopiedBytesAStep);
      return lua_lessthan(lua_, left, right) != 0;
    }
    lua_pushvalue(lua_, 2);
    lua_pushvalue(lua_, left - 1);
    lua_pushvalue(lua_, right - 2);
    lua_call(lua_, 2, 1);
    const bool answer = lua_toboolean(lua_, -1) != 0;
    lua_pop(lua_, 1);
    return answer;
  }

  // lua_objlen() would make a string of a number.
  size_t string_bytes(int at) {
    return lua_type(lua_, at) == LUA_TSTRING ? lua_objlen(lua_, at) : 0;
  }

  lua_State* lua_;
  LuaState& state_;
  bool has_function_;
};

int table_sort(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const auto count = static_cast<int>(lua_objlen(lua, 1));
  if (!lua_isnoneornil(lua, 2)) luaL_checktype(lua, 2, LUA_TFUNCTION);
  lua_settop(lua, 2);
  luaL_checkstack(lua, 80, "");
  TableSort(lua).sort(1, count);
  return 0;
}

int table_concat(lua_State* lua) {
  size_t bytes = 0;
  const char* const separator = luaL_optlstring(lua, 2, "", &bytes);
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int64_t first = luaL_optint(lua, 3, 1);
  const int64_t last = lua_isnoneornil(lua, 4) != 0 ? static_cast<int64_t>(lua_objlen(lua, 1))
                                                    : luaL_checkint(lua, 4);
  LuaState& state = LuaState::of(lua);
  luaL_Buffer text;
  luaL_buffinit(lua, &text);
  for (int64_t i = first; i <= last; ++i) {
    state.spend(lua, 1);
    lua_rawgeti(lua, 1, static_cast<int>(i));
    if (lua_isstring(lua, -1) == 0)
      return luaL_error(lua, "invalid value (%s) at index %d in table for 'concat'",
                        luaL_typename(lua, -1), static_cast<int>(i));
    luaL_addvalue(&text);
    if (i != last) luaL_addlstring(&text, separator, bytes);
  }
  luaL_pushresult(&text);
  return 1;
}

int table_insert(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int end = static_cast<int>(lua_objlen(lua, 1)) + 1;
  int at = end;
  if (lua_gettop(lua) == 3) {
    at = luaL_checkint(lua, 2);
    LuaState& state = LuaState::of(lua);
    for (int64_t i = std::max(end, at); i > at; --i) {
      state.spend(lua, 1);
      lua_rawgeti(lua, 1, static_cast<int>(i - 1));
      lua_rawseti(lua, 1, static_cast<int>(i));
    }
  } else if (lua_gettop(lua) != 2) {
    return luaL_error(lua, "wrong number of arguments to 'insert'");
  }
  lua_rawseti(lua, 1, at);
  return 0;
}

}  // namespace

void bound_table_library(lua_State* lua) {
  lua_pushcfunction(lua, table_concat);
  set_field(lua, -2, "concat");
  lua_pushcfunction(lua, table_insert);
  set_field(lua, -2, "insert");
  lua_pushcfunction(lua, table_sort);
  set_field(lua, -2, "sort");
}

}  // namespace ouro
