// SPDX-License-Identifier: BSD-3-Clause
// Bytes that grow while Lua's stack is in use. The memory is a userdata of the machine at a fixed
// place of the stack: what raises leaves nothing behind.
#pragma once

#include <cstring>

#include "server/script/lua.h"

namespace ouro {

class LuaBytes {
 public:
  // Takes the next place of the stack.
  explicit LuaBytes(lua_State* lua) : lua_(lua), at_(lua_gettop(lua) + 1) {
    bytes_ = static_cast<char*>(lua_newuserdata(lua, capacity_));
  }

  void add(ByteView bytes) {
    if (bytes.size() > capacity_ - size_) grow(bytes.size());
    if (!bytes.empty()) std::memcpy(bytes_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void add_byte(unsigned byte) {
    const char one = static_cast<char>(byte);
    add({&one, 1});
  }
  void add_zeros(size_t count) {
    for (; count > 0; --count) add_byte(0);
  }
  size_t size() const { return size_; }
  // What was added, as a string on the stack.
  void push() const { lua_pushlstring(lua_, bytes_, size_); }

 private:
  void grow(size_t more) {
    while (more > capacity_ - size_) capacity_ *= 2;
    char* larger = static_cast<char*>(lua_newuserdata(lua_, capacity_));
    std::memcpy(larger, bytes_, size_);
    lua_replace(lua_, at_);
    bytes_ = larger;
  }

  lua_State* lua_;
  int at_;
  size_t capacity_ = 256;
  size_t size_ = 0;
  char* bytes_ = nullptr;
};

}  // namespace ouro
