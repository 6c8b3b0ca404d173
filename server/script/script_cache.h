// SPDX-License-Identifier: BSD-3-Clause
// The scripts that EVAL and SCRIPT LOAD have brought, compiled, by their text and by its SHA-1.
//
// EVAL finds its script by the text itself, which is cheaper than the digest of it. Scripts stay
// until SCRIPT FLUSH, as in Redis 7.0: who makes up a new text for each call fills the memory.
#pragma once

#include <string>

#include "datastructs/codec/sha1.h"
#include "datastructs/string_map.h"
#include "server/script/lua_state.h"

namespace ouro {

struct Script {
  int function = LUA_NOREF;  // in the machine; it returns nil and its answer
  ScriptFlags flags;
  Sha1Hex sha1{};
};

class ScriptCache {
 public:
  ScriptCache(Heap& heap, HashSeed seed) : by_text_(heap, seed), by_sha1_(heap, seed) {}

  const Script* find_text(ByteView text) const { return by_text_.find(text); }
  // By 40 hexadecimal digits in any case.
  const Script* find_sha1(ByteView sha1) const;
  // Of one that is here.
  static ByteView text_of(const Script& script) { return StringMap<Script>::key_of(script); }
  // Compiles a text that is not here yet. Null leaves a text without code in `error`.
  const Script* add(LuaState& state, ByteView text, std::string& error);

  size_t size() const { return by_text_.size(); }
  size_t memory_bytes() const {
    return text_bytes_ + by_text_.memory_bytes() + by_sha1_.memory_bytes();
  }

 private:
  StringMap<Script> by_text_;
  StringMap<const Script*> by_sha1_;
  size_t text_bytes_ = 0;
};

}  // namespace ouro
