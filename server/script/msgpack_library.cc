// SPDX-License-Identifier: BSD-3-Clause
// MessagePack (https://github.com/msgpack/msgpack, spec.md) between strings and Lua's values, in
// the form of Redis's cmsgpack, which knows neither binary strings nor extensions. An object is a
// byte that says what follows; numbers are big-endian.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "server/script/libraries.h"
#include "server/script/lua_bytes.h"
#include "server/script/lua_state.h"

namespace ouro {
namespace {

constexpr const char* kBytesMissing = "Missing bytes in input.";
// A table that is nested deeper is written as nil, as Redis does.
constexpr int kPackNestingMax = 16;
// Deeper input is refused: each level takes some of the processor's stack.
constexpr int kUnpackNestingMax = 1000;

// ---- writing

class Packer {
 public:
  explicit Packer(lua_State* lua) : lua_(lua), state_(LuaState::of(lua)), out_(lua) {}

  // Appends the value at `at`. A step: tables that hold others many times have no end.
  void pack(int at, int depth) {
    state_.spend(lua_, 1);
    switch (lua_type(lua_, at)) {
      case LUA_TSTRING:
        return pack_string(at);
      case LUA_TBOOLEAN:
        return out_.add_byte(lua_toboolean(lua_, at) != 0 ? 0xC3 : 0xC2);
      case LUA_TNUMBER:
        return pack_number(lua_tonumber(lua_, at));
      case LUA_TTABLE:
        return depth == kPackNestingMax ? out_.add_byte(0xC0) : pack_table(at, depth);
      default:
        return out_.add_byte(0xC0);
    }
  }
  void push() const { out_.push(); }

 private:
  void add_number(unsigned first, uint64_t value, int bytes) {
    out_.add_byte(first);
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
      out_.add_byte(static_cast<unsigned>(value >> shift & 0xFF));
  }

  void pack_string(int at) {
    const ByteView bytes = lua_bytes(lua_, at);
    if (bytes.size() < 32) {
      out_.add_byte(0xA0 | static_cast<unsigned>(bytes.size()));
    } else if (bytes.size() <= 0xFF) {
      add_number(0xD9, bytes.size(), 1);
    } else if (bytes.size() <= 0xFFFF) {
      add_number(0xDA, bytes.size(), 2);
    } else {
      add_number(0xDB, bytes.size(), 4);
    }
    out_.add(bytes);
  }

  void pack_number(double value) {
    if (value >= -0x1p63 && value < 0x1p63 && std::trunc(value) == value) {
      pack_integer(static_cast<int64_t>(value));
    } else if (static_cast<double>(static_cast<float>(value)) == value) {
      add_number(0xCA, std::bit_cast<uint32_t>(static_cast<float>(value)), 4);
    } else {
      add_number(0xCB, std::bit_cast<uint64_t>(value), 8);
    }
  }

  void pack_integer(int64_t value) {
    const auto bits = static_cast<uint64_t>(value);
    if (value >= 0) {
      if (value <= 0x7F) return out_.add_byte(static_cast<unsigned>(value));
      if (value <= 0xFF) return add_number(0xCC, bits, 1);
      if (value <= 0xFFFF) return add_number(0xCD, bits, 2);
      if (value <= 0xFFFF'FFFF) return add_number(0xCE, bits, 4);
      return add_number(0xCF, bits, 8);
    }
    if (value >= -32) return out_.add_byte(static_cast<unsigned>(bits & 0xFF));
    if (value >= INT8_MIN) return add_number(0xD0, bits, 1);
    if (value >= INT16_MIN) return add_number(0xD1, bits, 2);
    if (value >= INT32_MIN) return add_number(0xD2, bits, 4);
    add_number(0xD3, bits, 8);
  }

  void pack_table(int at, int depth) {
    luaL_checkstack(lua_, 4, "in cmsgpack.pack");
    bool is_array = true;
    size_t count = 0;
    double most = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, at) != 0) {
      lua_pop(lua_, 1);
      const double key = lua_type(lua_, -1) == LUA_TNUMBER ? lua_tonumber(lua_, -1) : 0;
      is_array &= key > 0 && std::floor(key) == key;
      most = std::fmax(most, key);
      ++count;
    }
    is_array &= most == static_cast<double>(count);
    add_header(count, is_array ? 0x90 : 0x80, is_array ? 0xDC : 0xDE);
    is_array ? pack_elements(at, count, depth) : pack_pairs(at, depth);
  }

  void add_header(size_t count, unsigned small, unsigned large) {
    if (count < 16) return out_.add_byte(small | static_cast<unsigned>(count));
    if (count <= 0xFFFF) return add_number(large, count, 2);
    add_number(large + 1, count, 4);
  }

  void pack_elements(int at, size_t count, int depth) {
    for (size_t i = 1; i <= count; ++i) {
      lua_rawgeti(lua_, at, static_cast<int>(i));
      pack(lua_gettop(lua_), depth + 1);
      lua_pop(lua_, 1);
    }
  }

  void pack_pairs(int at, int depth) {
    lua_pushnil(lua_);
    while (lua_next(lua_, at) != 0) {
      const int value = lua_gettop(lua_);
      pack(value - 1, depth + 1);
      pack(value, depth + 1);
      lua_pop(lua_, 1);
    }
  }

  lua_State* lua_;
  LuaState& state_;
  LuaBytes out_;
};

int msgpack_pack(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count == 0) return luaL_argerror(lua, 0, "MessagePack pack needs input.");
  luaL_checkstack(lua, 8, "in cmsgpack.pack");
  Packer packer(lua);
  for (int i = 1; i <= count; ++i) packer.pack(i, 0);
  packer.push();
  return 1;
}

// ---- reading

class Unpacker {
 public:
  Unpacker(lua_State* lua, ByteView in) : lua_(lua), in_(in) {}

  size_t left() const { return in_.size(); }

  // Pushes the next value.
  void unpack(int depth) {
    luaL_checkstack(lua_, 5,
                    "too many return values at once; use unpack_one or unpack_limit instead.");
    if (depth > kUnpackNestingMax) fail("Input is nested too deeply.");
    const auto first = static_cast<unsigned>(take(1));
    if (first <= 0x7F) return lua_pushnumber(lua_, first);
    if (first <= 0x8F) return unpack_pairs(first & 0xF, depth);
    if (first <= 0x9F) return unpack_elements(first & 0xF, depth);
    if (first <= 0xBF) return push_string(first & 0x1F);
    if (first >= 0xE0) return lua_pushnumber(lua_, static_cast<int8_t>(first));
    unpack_tagged(first, depth);
  }

 private:
  void fail(const char* text) { luaL_error(lua_, "%s", text); }

  uint64_t take(size_t bytes) {
    if (in_.size() < bytes) fail(kBytesMissing);
    uint64_t value = 0;
    for (const char byte : in_.substr(0, bytes))
      value = value << 8 | static_cast<unsigned char>(byte);
    in_.remove_prefix(bytes);
    return value;
  }
  template <class Signed>
  void push_signed() {
    lua_pushnumber(lua_, static_cast<double>(static_cast<Signed>(take(sizeof(Signed)))));
  }
  void push_unsigned(size_t bytes) { lua_pushnumber(lua_, static_cast<double>(take(bytes))); }

  void push_string(uint64_t bytes) {
    if (in_.size() < bytes) fail(kBytesMissing);
    push_bytes(lua_, in_.substr(0, bytes));
    in_.remove_prefix(bytes);
  }

  void unpack_tagged(unsigned first, int depth) {
    switch (first) {
      case 0xC0:
        return lua_pushnil(lua_);
      case 0xC2:
      case 0xC3:
        return lua_pushboolean(lua_, static_cast<int>(first & 1));
      case 0xD9:
        return push_string(take(1));
      case 0xDA:
        return push_string(take(2));
      case 0xDB:
        return push_string(take(4));
      case 0xCA:
        return lua_pushnumber(lua_, std::bit_cast<float>(static_cast<uint32_t>(take(4))));
      case 0xCB:
        return lua_pushnumber(lua_, std::bit_cast<double>(take(8)));
      case 0xCC:
      case 0xCD:
      case 0xCE:
      case 0xCF:
        return push_unsigned(size_t{1} << (first - 0xCC));
      case 0xD0:
        return push_signed<int8_t>();
      case 0xD1:
        return push_signed<int16_t>();
      case 0xD2:
        return push_signed<int32_t>();
      case 0xD3:
        return push_signed<int64_t>();
      case 0xDC:
        return unpack_elements(take(2), depth);
      case 0xDD:
        return unpack_elements(take(4), depth);
      case 0xDE:
        return unpack_pairs(take(2), depth);
      case 0xDF:
        return unpack_pairs(take(4), depth);
      default:
        return fail("Bad data format in input.");
    }
  }

  // The counts are not to be trusted: tables grow with what is really there.
  void unpack_elements(uint64_t count, int depth) {
    lua_newtable(lua_);
    for (uint64_t i = 1; i <= count; ++i) {
      unpack(depth + 1);
      lua_rawseti(lua_, -2, static_cast<int>(i));
    }
  }

  void unpack_pairs(uint64_t count, int depth) {
    lua_newtable(lua_);
    for (; count > 0; --count) {
      unpack(depth + 1);
      unpack(depth + 1);
      lua_rawset(lua_, -3);
    }
  }

  lua_State* lua_;
  ByteView in_;
};

// All values, or up to `limit` behind `offset`, and then where the next one begins, -1 at the end.
int unpack_range(lua_State* lua, int limit, int offset) {
  const ByteView in = lua_bytes(lua, 1);
  const int size = static_cast<int>(in.size());
  const bool all = limit == 0 && offset == 0;
  if (offset < 0 || limit < 0)
    return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.", offset,
                      size);
  if (offset > size)
    return luaL_error(lua, "Start offset %d greater than input length %d.", offset, size);
  lua_settop(lua, 1);
  Unpacker unpacker(lua, in.substr(static_cast<size_t>(offset)));
  int count = 0;
  for (; unpacker.left() > 0 && (all || count < limit); ++count) unpacker.unpack(0);
  if (all) return count;
  lua_pushinteger(lua, unpacker.left() == 0 ? -1 : size - static_cast<int>(unpacker.left()));
  lua_insert(lua, 2);
  return count + 1;
}

int msgpack_unpack(lua_State* lua) {
  luaL_checkstring(lua, 1);
  return unpack_range(lua, 0, 0);
}

int msgpack_unpack_one(lua_State* lua) {
  luaL_checkstring(lua, 1);
  return unpack_range(lua, 1, luaL_optint(lua, 2, 0));
}

int msgpack_unpack_limit(lua_State* lua) {
  luaL_checkstring(lua, 1);
  const int limit = luaL_checkint(lua, 2);
  return unpack_range(lua, limit, luaL_optint(lua, 3, 0));
}

constexpr luaL_Reg kFunctions[] = {{"pack", msgpack_pack},
                                   {"unpack", msgpack_unpack},
                                   {"unpack_one", msgpack_unpack_one},
                                   {"unpack_limit", msgpack_unpack_limit}};

}  // namespace

void push_msgpack_library(lua_State* lua) {
  lua_newtable(lua);
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(lua, function.func);
    set_field(lua, -2, function.name);
  }
  lua_pushliteral(lua, "cmsgpack");
  set_field(lua, -2, "_NAME");
  lua_pushliteral(lua, "lua-cmsgpack 0.4.0");
  set_field(lua, -2, "_VERSION");
}

}  // namespace ouro
