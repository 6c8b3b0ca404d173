// SPDX-License-Identifier: BSD-3-Clause
// Bytes of C structures to and from Lua's values, in the form of Redis's struct.
//
//   > <       what follows is big-endian, little-endian (as it is at first)
//   !n        what follows is aligned, up to n bytes; n is a power of two, 8 if it is missing
//   b h l     signed integers of 1, 2 and 8 bytes; B H L T unsigned ones, T of 8
//   in In     integers of n bytes, 4 if n is missing
//   f d       float, double
//   x         a byte of padding
//   cn        n bytes, 1 if n is missing; c0: all of the string, or as many as the number before
//   s         a string up to its zero byte
//   ' '       nothing
#include <algorithm>
#include <bit>
#include <climits>
#include <cstdint>
#include <cstring>

#include "datastructs/base/ascii.h"
#include "server/script/libraries.h"
#include "server/script/lua_bytes.h"

namespace ouro {
namespace {

constexpr const char* kTooShort = "data string too short";
constexpr int kIntegerBytesMax = 32;
constexpr int kAlignmentMax = 8;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_integer(char option) { return ByteView("bBhHlLTiI").find(option) != ByteView::npos; }

struct Item {
  char option = 0;
  size_t bytes = 0;
};

// Reads a format, item by item.
class Format {
 public:
  explicit Format(lua_State* lua) : lua_(lua), rest_(luaL_checkstring(lua, 1)) {}

  bool big_endian() const { return big_endian_; }

  bool next(Item& item) {
    if (rest_.empty()) return false;
    item.option = rest_.front();
    rest_.remove_prefix(1);
    item.bytes = bytes_of(item.option);
    return true;
  }

  // Bytes to skip at `position`, so that an item is aligned.
  size_t padding(size_t position, Item item) const {
    if (item.bytes == 0 || item.option == 'c') return 0;
    const size_t unit = std::min(item.bytes, static_cast<size_t>(alignment_));
    return (unit - (position & (unit - 1))) & (unit - 1);
  }

  // An option that stands for no data.
  void apply(char option) {
    if (option == ' ') return;
    if (option == '>') {
      big_endian_ = true;
    } else if (option == '<') {
      big_endian_ = false;
    } else if (option == '!') {
      const int alignment = number(kAlignmentMax);
      if (alignment == 0 || (alignment & (alignment - 1)) != 0)
        luaL_error(lua_, "alignment %d is not a power of 2", alignment);
      alignment_ = alignment;
    } else {
      luaL_argerror(lua_, 1, lua_pushfstring(lua_, "invalid format option '%c'", option));
    }
  }

 private:
  size_t bytes_of(char option) {
    switch (option) {
      case 'B':
      case 'b':
      case 'x':
        return 1;
      case 'H':
      case 'h':
        return 2;
      case 'f':
        return 4;
      case 'L':
      case 'l':
      case 'T':
      case 'd':
        return 8;
      case 'c':
        return static_cast<size_t>(number(1));
      case 'i':
      case 'I': {
        const int bytes = number(4);
        if (bytes > kIntegerBytesMax)
          luaL_error(lua_, "integral size %d is larger than limit of %d", bytes, kIntegerBytesMax);
        return static_cast<size_t>(bytes);
      }
      default:
        return 0;
    }
  }

  int number(int standard) {
    if (rest_.empty() || !is_digit(rest_.front())) return standard;
    int value = 0;
    while (!rest_.empty() && is_digit(rest_.front())) {
      const int digit = rest_.front() - '0';
      if (value > (INT_MAX - digit) / 10) luaL_error(lua_, "integral size overflow");
      value = value * 10 + digit;
      rest_.remove_prefix(1);
    }
    return value;
  }

  lua_State* lua_;
  ByteView rest_;
  bool big_endian_ = false;
  int alignment_ = 1;
};

// ---- writing

// Bytes above the eighth are zero, whatever the sign.
void add_integer(LuaBytes& out, uint64_t value, size_t bytes, bool big_endian) {
  for (size_t i = 0; i < bytes; ++i) {
    const size_t place = big_endian ? bytes - 1 - i : i;
    out.add_byte(place < 8 ? static_cast<unsigned>(value >> (8 * place) & 0xFF) : 0);
  }
}

uint64_t integer_of(double value) {
  if (value < 0) return static_cast<uint64_t>(static_cast<int64_t>(std::max(value, -0x1p63)));
  return value < 0x1p64 ? static_cast<uint64_t>(value) : 0;
}

// `argument` is the place of the value, one further when it is taken. False for what takes none.
bool pack_item(lua_State* lua, LuaBytes& out, const Format& format, Item item, int& argument) {
  if (is_integer(item.option)) {
    add_integer(out, integer_of(luaL_checknumber(lua, argument++)), item.bytes,
                format.big_endian());
    return true;
  }
  switch (item.option) {
    case 'f': {
      const auto value = static_cast<float>(luaL_checknumber(lua, argument++));
      add_integer(out, std::bit_cast<uint32_t>(value), 4, format.big_endian());
      return true;
    }
    case 'd':
      add_integer(out, std::bit_cast<uint64_t>(luaL_checknumber(lua, argument++)), 8,
                  format.big_endian());
      return true;
    case 'x':
      out.add_byte(0);
      return true;
    case 'c':
    case 's': {
      luaL_checkstring(lua, argument);
      const ByteView bytes = lua_bytes(lua, argument++);
      if (item.option == 's') {
        out.add(bytes);
        out.add_byte(0);
        return true;
      }
      const size_t size = item.bytes == 0 ? bytes.size() : item.bytes;
      // Told of the argument behind, as Redis does.
      luaL_argcheck(lua, bytes.size() >= size, argument, "string too short");
      out.add(bytes.substr(0, size));
      return true;
    }
    default:
      return false;
  }
}

int struct_pack(lua_State* lua) {
  Format format(lua);
  int argument = 2;
  // Values that are missing are not to be taken for the buffer.
  lua_pushnil(lua);
  luaL_checkstack(lua, 4, "in struct.pack");
  LuaBytes out(lua);
  Item item;
  while (format.next(item)) {
    out.add_zeros(format.padding(out.size(), item));
    if (!pack_item(lua, out, format, item, argument)) format.apply(item.option);
  }
  out.push();
  return 1;
}

// ---- reading

uint64_t read_integer(ByteView bytes, bool big_endian) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char byte = bytes[big_endian ? i : bytes.size() - 1 - i];
    value = value << 8 | static_cast<unsigned char>(byte);
  }
  return value;
}

void push_integer(lua_State* lua, ByteView bytes, bool is_signed, bool big_endian) {
  uint64_t value = read_integer(bytes, big_endian);
  if (!is_signed || bytes.empty()) return lua_pushnumber(lua, static_cast<double>(value));
  const size_t bits = std::min<size_t>(bytes.size() * 8, 64);
  const uint64_t sign = ~uint64_t{0} << (bits - 1);
  if ((value & sign) != 0) value |= sign;
  lua_pushnumber(lua, static_cast<double>(static_cast<int64_t>(value)));
}

class Unpacking {
 public:
  Unpacking(lua_State* lua, ByteView in, size_t at) : lua_(lua), in_(in), at_(at) {}

  int run(Format& format) {
    Item item;
    while (format.next(item)) {
      at_ += format.padding(at_, item);
      check_room(item.bytes);
      luaL_checkstack(lua_, 4, "too many results");
      if (!unpack_item(format, item)) format.apply(item.option);
      at_ += item.bytes;
    }
    lua_pushinteger(lua_, static_cast<lua_Integer>(at_ + 1));
    return count_ + 1;
  }

 private:
  void check_room(size_t bytes) {
    luaL_argcheck(lua_, bytes <= in_.size() && at_ <= in_.size() - bytes, 2, kTooShort);
  }

  // Sets item.bytes to what it took.
  bool unpack_item(const Format& format, Item& item) {
    const ByteView bytes = item.bytes == 0 ? ByteView() : in_.substr(at_, item.bytes);
    if (is_integer(item.option)) {
      push_integer(lua_, bytes, is_lower(item.option), format.big_endian());
      ++count_;
      return true;
    }
    switch (item.option) {
      case 'f': {
        const auto bits = static_cast<uint32_t>(read_integer(bytes, format.big_endian()));
        lua_pushnumber(lua_, static_cast<double>(std::bit_cast<float>(bits)));
        break;
      }
      case 'd':
        lua_pushnumber(lua_, std::bit_cast<double>(read_integer(bytes, format.big_endian())));
        break;
      case 'x':
        return true;
      case 'c':
        if (item.bytes == 0) take_size(item);
        push_bytes(lua_, in_.substr(at_, item.bytes));
        break;
      case 's': {
        const size_t end = in_.find('\0', at_);
        if (end == ByteView::npos) luaL_error(lua_, "unfinished string in data");
        push_bytes(lua_, in_.substr(at_, end - at_));
        item.bytes = end - at_ + 1;
        break;
      }
      default:
        return false;
    }
    ++count_;
    return true;
  }

  // c0: the number before it says how many bytes, and is no result itself.
  void take_size(Item& item) {
    if (count_ == 0 || lua_isnumber(lua_, -1) == 0)
      luaL_error(lua_, "format 'c0' needs a previous size");
    const double size = lua_tonumber(lua_, -1);
    lua_pop(lua_, 1);
    --count_;
    luaL_argcheck(lua_, size >= 0 && size <= static_cast<double>(in_.size()), 2, kTooShort);
    item.bytes = static_cast<size_t>(size);
    check_room(item.bytes);
  }

  lua_State* lua_;
  ByteView in_;
  size_t at_;
  int count_ = 0;
};

int struct_unpack(lua_State* lua) {
  Format format(lua);
  luaL_checkstring(lua, 2);
  const lua_Integer position = luaL_optinteger(lua, 3, 1);
  luaL_argcheck(lua, position > 0, 3, "offset must be 1 or greater");
  return Unpacking(lua, lua_bytes(lua, 2), static_cast<size_t>(position - 1)).run(format);
}

int struct_size(lua_State* lua) {
  Format format(lua);
  size_t size = 0;
  Item item;
  while (format.next(item)) {
    size += format.padding(size, item);
    if (item.option == 's') return luaL_argerror(lua, 1, "option 's' has no fixed size");
    if (item.option == 'c' && item.bytes == 0)
      return luaL_argerror(lua, 1, "option 'c0' has no fixed size");
    if (!is_letter(item.option) && !is_digit(item.option)) format.apply(item.option);
    size += item.bytes;
  }
  lua_pushinteger(lua, static_cast<lua_Integer>(size));
  return 1;
}

}  // namespace

void push_struct_library(lua_State* lua) {
  lua_newtable(lua);
  for (const luaL_Reg& function :
       {luaL_Reg{"pack", struct_pack}, {"unpack", struct_unpack}, {"size", struct_size}}) {
    lua_pushcfunction(lua, function.func);
    set_field(lua, -2, function.name);
  }
}

}  // namespace ouro
