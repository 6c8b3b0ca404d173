// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/script_cache.h"

#include <algorithm>

#include "datastructs/base/ascii.h"

namespace ouro {

const Script* ScriptCache::find_sha1(ByteView sha1) const {
  Sha1Hex key;
  if (sha1.size() != key.size()) return nullptr;
  std::transform(sha1.begin(), sha1.end(), key.begin(), [](char c) { return to_lower(c); });
  const Script* const* found = by_sha1_.find(view_of(key));
  return found == nullptr ? nullptr : *found;
}

const Script* ScriptCache::add(LuaState& state, ByteView text, std::string& error) {
  ScriptFlags flags;
  ByteView body;
  if (!read_script_head(text, flags, body, error)) return nullptr;
  const int function = state.compile(without_tail_calls(body), "@user_script", error);
  if (function == LUA_NOREF) {
    error.insert(0, "Error compiling script (new function): ");
    return nullptr;
  }
  Script& script = by_text_.find_or_add(text);
  script = {.function = function, .flags = flags, .sha1 = sha1_hex(text)};
  by_sha1_.find_or_add(view_of(script.sha1)) = &script;
  text_bytes_ += text.size() + sizeof(Script) + script.sha1.size();
  return &script;
}

}  // namespace ouro
