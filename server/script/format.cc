// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/format.h"

#include <cstdio>
#include <cstring>

#include "datastructs/base/ascii.h"

namespace ouro {
namespace {

constexpr ByteView kFlags = "-+ #0";
// With it, C's format of a number may be as long as 99 decimals of the largest double.
constexpr size_t kItemBytesMax = 512;
// From here on a string without precision is taken as a whole: no width could matter.
constexpr size_t kWholeBytes = 100;

// What stands between '%' and the option: the flags, two digits of width, two of precision.
struct Modifiers {
  ByteView text;
  bool has_precision = false;
};

// Moves `at` to the option. A format ends with a zero byte.
Modifiers read_modifiers(lua_State* lua, const char*& at) {
  const char* const begin = at;
  while (*at != '\0' && kFlags.find(*at) != ByteView::npos) ++at;
  if (at > begin + kFlags.size()) luaL_error(lua, "invalid format (repeated flags)");
  const auto skip_two_digits = [&at] {
    for (int i = 0; i < 2 && is_digit(*at); ++i) ++at;
  };
  skip_two_digits();
  const bool has_precision = *at == '.';
  if (has_precision) {
    ++at;
    skip_two_digits();
  }
  if (is_digit(*at)) luaL_error(lua, "invalid format (width or precision too long)");
  return {{begin, static_cast<size_t>(at - begin)}, has_precision};
}

// Numbers that do not fit become what the processor makes of them, as in Redis.
int64_t to_integer(double number) {
  return number >= -0x1p63 && number < 0x1p63 ? static_cast<int64_t>(number) : INT64_MIN;
}
uint64_t to_unsigned(double number) {
  constexpr uint64_t kHalf = uint64_t{1} << 63;
  return number >= 0x1p63 ? static_cast<uint64_t>(to_integer(number - 0x1p63)) ^ kHalf
                          : static_cast<uint64_t>(to_integer(number));
}
int to_character(double number) {
  return number >= INT32_MIN && number <= INT32_MAX ? static_cast<int>(number) : 0;
}

// One item by C's printf, which ends at a zero byte.
template <class Value>
void add_item(luaL_Buffer& out, const Modifiers& modifiers, ByteView conversion, Value value) {
  char form[1 + 11 + 2 + 1];  // '%', modifiers of up to 11 bytes, conversion, end
  char* end = form;
  *end++ = '%';
  for (const ByteView part : {modifiers.text, conversion}) {
    std::memcpy(end, part.data(), part.size());
    end += part.size();
  }
  *end = '\0';
  char item[kItemBytesMax];
  std::snprintf(item, sizeof item, form, value);
  luaL_addlstring(&out, item, std::strlen(item));
}

void add_quoted(luaL_Buffer& out, ByteView text) {
  luaL_addchar(&out, '"');
  for (const char c : text) {
    if (c == '\0') {
      luaL_addlstring(&out, "\\000", 4);
    } else if (c == '\r') {
      luaL_addlstring(&out, "\\r", 2);
    } else {
      if (c == '"' || c == '\\' || c == '\n') luaL_addchar(&out, '\\');
      luaL_addchar(&out, c);
    }
  }
  luaL_addchar(&out, '"');
}

void add_string(lua_State* lua, luaL_Buffer& out, int argument, const Modifiers& modifiers) {
  size_t size = 0;
  const char* text = luaL_checklstring(lua, argument, &size);
  if (modifiers.has_precision || size < kWholeBytes) return add_item(out, modifiers, "s", text);
  lua_pushvalue(lua, argument);
  luaL_addvalue(&out);
}

void add_argument(lua_State* lua, luaL_Buffer& out, int argument, const Modifiers& modifiers,
                  char option) {
  switch (option) {
    case 'c':
      return add_item(out, modifiers, "c", to_character(luaL_checknumber(lua, argument)));
    case 'd':
    case 'i':
      return add_item(out, modifiers, "ld", to_integer(luaL_checknumber(lua, argument)));
    case 'o':
    case 'u':
    case 'x':
    case 'X': {
      const char conversion[2] = {'l', option};
      return add_item(out, modifiers, {conversion, 2},
                      to_unsigned(luaL_checknumber(lua, argument)));
    }
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return add_item(out, modifiers, {&option, 1}, luaL_checknumber(lua, argument));
    case 'q':
      luaL_checkstring(lua, argument);
      return add_quoted(out, lua_bytes(lua, argument));
    case 's':
      return add_string(lua, out, argument, modifiers);
    default: {
      const char name[2] = {option, '\0'};
      luaL_error(lua, "invalid option '%%%s' to 'format'", name);
    }
  }
}

}  // namespace

int string_format(lua_State* lua) {
  const int arguments = lua_gettop(lua);
  luaL_checkstring(lua, 1);
  const ByteView format = lua_bytes(lua, 1);
  const char* const end = format.data() + format.size();
  luaL_Buffer out;
  luaL_buffinit(lua, &out);
  int argument = 1;
  for (const char* at = format.data(); at < end;) {
    const ByteView rest(at, static_cast<size_t>(end - at));
    const ByteView plain = rest.substr(0, rest.find('%'));
    luaL_addlstring(&out, plain.data(), plain.size());
    at += plain.size();
    if (at == end) break;
    if (*++at == '%') {
      luaL_addchar(&out, *at++);
      continue;
    }
    if (++argument > arguments) luaL_argerror(lua, argument, "no value");
    const Modifiers modifiers = read_modifiers(lua, at);
    add_argument(lua, out, argument, modifiers, *at++);
  }
  luaL_pushresult(&out);
  return 1;
}

}  // namespace ouro
