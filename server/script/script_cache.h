// SPDX-License-Identifier: BSD-3-Clause
// The scripts that EVAL and SCRIPT LOAD have brought, compiled, by their text and by its SHA-1.
//
// EVAL finds its script by the text itself, which is cheaper than the digest of it. What SCRIPT
// LOAD has brought stays until SCRIPT FLUSH. Of what EVAL alone has brought the last kEvictableMax
// by use stay, as in Redis 7.4: whoever makes up a new text for each call does not fill the memory.
#pragma once

#include <string>
#include <vector>

#include "datastructs/codec/sha1.h"
#include "datastructs/string_map.h"
#include "server/script/lua_state.h"

namespace ouro {

struct Script {
  int function = LUA_NOREF;  // in the machine; it returns nil and its answer
  ScriptFlags flags;
  Sha1Hex sha1{};
  uint64_t last_use = 0;  // by the cache's count of uses
};

class ScriptCache {
 public:
  // Redis 7.4's number.
  static constexpr size_t kEvictableMax = 500;
  // Of text, of which the machine makes a multiple; the last one may be larger.
  static constexpr size_t kEvictableBytesMax = 64_MiB;

  // `state`, which compiles, and `evicted`, which counts, outlive the cache.
  ScriptCache(Heap& heap, HashSeed seed, LuaState& state, uint64_t& evicted)
      : state_(state), evicted_(evicted), by_text_(heap, seed), by_sha1_(heap, seed) {}

  const Script* find_text(ByteView text) const { return by_text_.find(text); }
  // By 40 hexadecimal digits in any case.
  const Script* find_sha1(ByteView sha1) const { return entry_of(sha1); }
  // Of one that is here.
  static ByteView text_of(const Script& script) { return StringMap<Script>::key_of(script); }

  // To be run: by a text, which is compiled if it is not here, or by a SHA-1 that is here. Null: a
  // text without code is in `error`.
  const Script* use_text(ByteView text, std::string& error);
  const Script* use_sha1(ByteView sha1);
  // The same, to stay until SCRIPT FLUSH.
  const Script* keep_text(ByteView text, std::string& error);

  size_t size() const { return by_text_.size(); }
  size_t memory_bytes() const {
    return text_bytes_ + by_text_.memory_bytes() + by_sha1_.memory_bytes();
  }

 private:
  Script* entry_of(ByteView sha1) const;
  Script* compile(ByteView text, std::string& error);
  void evict_surplus();
  void evict(Script& script);

  LuaState& state_;
  uint64_t& evicted_;
  StringMap<Script> by_text_;
  StringMap<Script*> by_sha1_;
  size_t text_bytes_ = 0;
  uint64_t uses_ = 0;
  // In no order: finding the oldest of so few is nothing beside compiling the newest.
  std::vector<Script*> evictable_;
  size_t evictable_bytes_ = 0;
};

}  // namespace ouro
