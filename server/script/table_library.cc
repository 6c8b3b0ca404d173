// SPDX-License-Identifier: BSD-3-Clause
// table.sort in counted steps: without a function that compares, it never calls the hook, and the
// comparison of two long strings is no step.
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

}  // namespace

void bound_table_library(lua_State* lua) {
  lua_pushcfunction(lua, table_sort);
  set_field(lua, -2, "sort");
}

}  // namespace ouro
