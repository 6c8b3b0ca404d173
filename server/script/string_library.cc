// SPDX-License-Identifier: BSD-3-Clause
// The functions of Lua's string library that may run for long, in steps that can be ended.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <type_traits>

#include "datastructs/base/ascii.h"
#include "server/script/format.h"
#include "server/script/libraries.h"
#include "server/script/lua_bytes.h"
#include "server/script/pattern.h"

namespace ouro {
namespace {

// Errors leap over frames that hold one.
static_assert(std::is_trivially_destructible_v<PatternMatcher>);
static_assert(std::is_trivially_destructible_v<LuaBytes>);

// No string of Lua is larger.
constexpr lua_Number kStringBytesMax = 0x7FFF'FF00;

ByteView string_argument(lua_State* lua, int at) {
  size_t size = 0;
  const char* bytes = luaL_checklstring(lua, at, &size);
  return {bytes, size};
}

// The first one, each byte of which is looked at.
ByteView counted_argument(lua_State* lua) {
  const ByteView text = string_argument(lua, 1);
  LuaState::of(lua).spend_reading(lua, text.size());
  return text;
}

// From 1, or from the end if it is negative; from 0 on as the answer.
size_t start_argument(lua_State* lua, int at, size_t size) {
  const lua_Integer start = luaL_optinteger(lua, at, 1);
  const auto bytes = static_cast<lua_Integer>(size);
  return static_cast<size_t>(
      std::clamp(start < 0 ? start + bytes : start - 1, lua_Integer{0}, bytes));
}

// Up to its first zero byte.
bool is_plain(const char* pattern) {
  for (;; ++pattern) {
    switch (*pattern) {
      case '\0':
        return true;
      case '^':
      case '$':
      case '*':
      case '+':
      case '?':
      case '.':
      case '(':
      case '[':
      case '%':
      case '-':
        return false;
      default:
        break;
    }
  }
}

// memmem() never takes longer than both are long, unlike ByteView::find().
int find_plain(lua_State* lua, ByteView subject, size_t start, ByteView what) {
  LuaState::of(lua).spend_reading(lua, subject.size() - start);
  const void* found =
      ::memmem(subject.data() + start, subject.size() - start, what.data(), what.size());
  if (found == nullptr) {
    lua_pushnil(lua);
    return 1;
  }
  const ptrdiff_t at = static_cast<const char*>(found) - subject.data();
  lua_pushinteger(lua, at + 1);
  lua_pushinteger(lua, at + static_cast<ptrdiff_t>(what.size()));
  return 2;
}

// Where the first match at or behind `from` begins, and where it ends.
struct Match {
  const char* begin = nullptr;
  const char* end = nullptr;
};
enum class Begin : uint8_t { kAnywhere, kHere };  // the latter with '^'
Match find_match(PatternMatcher& matcher, const char* from, const char* end, Begin begin) {
  for (const char* at = from; at <= end; ++at) {
    if (const char* const match_end = matcher.match(at)) return {at, match_end};
    if (begin == Begin::kHere) break;
  }
  return {};
}

enum class Answer : uint8_t { kPlace, kCaptures };
int find_or_match(lua_State* lua, Answer answer) {
  const ByteView subject = string_argument(lua, 1);
  const ByteView pattern = string_argument(lua, 2);
  const size_t start = start_argument(lua, 3, subject.size());
  if (answer == Answer::kPlace && (lua_toboolean(lua, 4) != 0 || is_plain(pattern.data())))
    return find_plain(lua, subject, start, pattern);
  const bool is_anchored = pattern.starts_with('^');
  PatternMatcher matcher(lua, subject, pattern.data() + (is_anchored ? 1 : 0));
  const char* const begin = subject.data();
  const Match match = find_match(matcher, begin + start, begin + subject.size(),
                                 is_anchored ? Begin::kHere : Begin::kAnywhere);
  if (match.end == nullptr) {
    lua_pushnil(lua);
    return 1;
  }
  if (answer == Answer::kCaptures) return matcher.push_captures(match.begin, match.end);
  lua_pushinteger(lua, match.begin - begin + 1);
  lua_pushinteger(lua, match.end - begin);
  return matcher.push_captures(nullptr, nullptr) + 2;
}
int string_find(lua_State* lua) { return find_or_match(lua, Answer::kPlace); }
int string_match(lua_State* lua) { return find_or_match(lua, Answer::kCaptures); }

// Upvalues: the subject, the pattern, where the next match may begin. '^' is a byte like others.
int next_match(lua_State* lua) {
  const ByteView subject = lua_bytes(lua, lua_upvalueindex(1));
  PatternMatcher matcher(lua, subject, lua_tostring(lua, lua_upvalueindex(2)));
  const char* const begin = subject.data();
  const char* const from = begin + lua_tointeger(lua, lua_upvalueindex(3));
  const Match match = find_match(matcher, from, begin + subject.size(), Begin::kAnywhere);
  if (match.end == nullptr) return 0;
  lua_pushinteger(lua, match.end - begin + (match.end == match.begin ? 1 : 0));
  lua_replace(lua, lua_upvalueindex(3));
  return matcher.push_captures(match.begin, match.end);
}
int string_gmatch(lua_State* lua) {
  luaL_checkstring(lua, 1);
  luaL_checkstring(lua, 2);
  lua_settop(lua, 2);
  lua_pushinteger(lua, 0);
  lua_pushcclosure(lua, next_match, 3);
  return 1;
}

// gsub's third argument as a text: '%1' stands for a capture, '%0' for the match.
void add_template(lua_State* lua, PatternMatcher& matcher, Match match, LuaBytes& out) {
  const ByteView text = lua_bytes(lua, 3);
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t run = std::min(text.find('%', i), text.size()) - i;
    LuaState::of(lua).spend(lua, 1);
    out.add(text.substr(i, run));
    i += run;
    if (i == text.size()) return;
    // Behind the last byte stands a zero byte, which Redis adds as well.
    const char mark = text.data()[++i];
    if (mark == '0') {
      out.add({match.begin, static_cast<size_t>(match.end - match.begin)});
    } else if (mark >= '1' && mark <= '9') {
      matcher.push_capture(mark - '1', match.begin, match.end);
      out.add(lua_bytes(lua, -1));
      lua_pop(lua, 1);
    } else {
      out.add({&mark, 1});
    }
  }
}

// ... or as a function or a table, which may leave the match as it is.
void add_value(lua_State* lua, PatternMatcher& matcher, Match match, LuaBytes& out) {
  if (lua_isfunction(lua, 3)) {
    lua_pushvalue(lua, 3);
    lua_call(lua, matcher.push_captures(match.begin, match.end), 1);
  } else {
    matcher.push_capture(0, match.begin, match.end);
    lua_gettable(lua, 3);
  }
  if (lua_toboolean(lua, -1) == 0) {
    out.add({match.begin, static_cast<size_t>(match.end - match.begin)});
  } else if (lua_isstring(lua, -1) == 0) {
    luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
  } else {
    out.add(lua_bytes(lua, -1));
  }
  lua_pop(lua, 1);
}

int string_gsub(lua_State* lua) {
  const ByteView subject = string_argument(lua, 1);
  const ByteView pattern = string_argument(lua, 2);
  const int type = lua_type(lua, 3);
  const lua_Integer most = luaL_optinteger(lua, 4, static_cast<lua_Integer>(subject.size()) + 1);
  const bool is_text = type == LUA_TSTRING || type == LUA_TNUMBER;
  luaL_argcheck(lua, is_text || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                "string/function/table expected");
  if (LuaState::of(lua).is_stack_deep()) return luaL_error(lua, "C stack overflow");
  lua_settop(lua, 4);
  LuaBytes out(lua);
  const bool is_anchored = pattern.starts_with('^');
  PatternMatcher matcher(lua, subject, pattern.data() + (is_anchored ? 1 : 0));
  const char* at = subject.data();
  const char* const end = at + subject.size();
  lua_Integer count = 0;
  while (count < most) {
    const char* const match_end = matcher.match(at);
    if (match_end != nullptr) {
      ++count;
      const Match match{at, match_end};
      is_text ? add_template(lua, matcher, match, out) : add_value(lua, matcher, match, out);
    }
    if (match_end != nullptr && match_end > at) {
      at = match_end;
    } else if (at < end) {
      out.add({at++, 1});
    } else {
      break;
    }
    if (is_anchored) break;
  }
  out.add({at, static_cast<size_t>(end - at)});
  out.push();
  lua_pushinteger(lua, count);
  return 2;
}

// lower, upper, reverse. LuaJIT's own take no memory where the machine has what they make, however
// long that is.
template <typename Iterator, typename Change>
int push_changed(lua_State* lua, Iterator from, Iterator to, Change change) {
  luaL_Buffer out;
  luaL_buffinit(lua, &out);
  for (; from != to; ++from) luaL_addchar(&out, change(*from));
  luaL_pushresult(&out);
  return 1;
}

int string_lower(lua_State* lua) {
  const ByteView text = counted_argument(lua);
  return push_changed(lua, text.begin(), text.end(), [](char c) { return to_lower(c); });
}

int string_upper(lua_State* lua) {
  const ByteView text = counted_argument(lua);
  return push_changed(lua, text.begin(), text.end(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
}

int string_reverse(lua_State* lua) {
  const ByteView text = counted_argument(lua);
  return push_changed(lua, text.rbegin(), text.rend(), std::identity());
}

// Upvalue 1: LuaJIT's own, which takes a count beyond what an int holds for a negative one.
int string_rep(lua_State* lua) {
  const ByteView text = string_argument(lua, 1);
  const lua_Number wanted = luaL_checknumber(lua, 2);
  const lua_Number times = text.empty() ? 0 : std::fmax(wanted, 0);
  const lua_Number bytes = static_cast<lua_Number>(text.size()) * times;
  if (bytes > kStringBytesMax) return luaL_error(lua, "resulting string too large");
  LuaState::of(lua).spend(lua, static_cast<size_t>(bytes) / LuaState::kCopiedBytesAStep);
  lua_settop(lua, 1);
  lua_pushnumber(lua, times);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, 2, 1);
  return 1;
}

}  // namespace

void bound_string_library(lua_State* lua) {
  for (const luaL_Reg& function : {luaL_Reg{"find", string_find},
                                   {"match", string_match},
                                   {"gmatch", string_gmatch},
                                   {"gsub", string_gsub},
                                   {"lower", string_lower},
                                   {"upper", string_upper},
                                   {"reverse", string_reverse},
                                   {"format", string_format}}) {
    lua_pushcfunction(lua, function.func);
    set_field(lua, -2, function.name);
  }
  lua_getfield(lua, -1, "rep");
  lua_pushcclosure(lua, string_rep, 1);
  set_field(lua, -2, "rep");
}

}  // namespace ouro
