// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/script_cache.h"

#include <algorithm>

#include "datastructs/base/ascii.h"

namespace ouro {
namespace {

size_t bytes_of(const Script& script) {
  return ScriptCache::text_of(script).size() + sizeof(Script) + script.sha1.size();
}

}  // namespace

Script* ScriptCache::entry_of(ByteView sha1) const {
  Sha1Hex key;
  if (sha1.size() != key.size()) return nullptr;
  std::transform(sha1.begin(), sha1.end(), key.begin(), [](char c) { return to_lower(c); });
  Script* const* found = by_sha1_.find(view_of(key));
  return found == nullptr ? nullptr : *found;
}

const Script* ScriptCache::use_text(ByteView text, std::string& error) {
  Script* script = by_text_.find(text);
  if (script != nullptr) {
    script->last_use = ++uses_;
    return script;
  }
  script = compile(text, error);
  if (script == nullptr) return nullptr;
  evictable_.push_back(script);
  evictable_bytes_ += text.size();
  evict_surplus();
  return script;
}

const Script* ScriptCache::use_sha1(ByteView sha1) {
  Script* script = entry_of(sha1);
  if (script != nullptr) script->last_use = ++uses_;
  return script;
}

const Script* ScriptCache::keep_text(ByteView text, std::string& error) {
  Script* script = by_text_.find(text);
  if (script == nullptr) return compile(text, error);
  const auto at = std::find(evictable_.begin(), evictable_.end(), script);
  if (at != evictable_.end()) {
    evictable_bytes_ -= text.size();
    evictable_.erase(at);
  }
  return script;
}

Script* ScriptCache::compile(ByteView text, std::string& error) {
  ScriptFlags flags;
  ByteView body;
  if (!read_script_head(text, flags, body, error)) return nullptr;
  const int function = state_.compile(without_tail_calls(body), "@user_script", error);
  if (function == LUA_NOREF) {
    error.insert(0, "Error compiling script (new function): ");
    return nullptr;
  }
  Script& script = by_text_.find_or_add(text);
  script = {.function = function, .flags = flags, .sha1 = sha1_hex(text), .last_use = ++uses_};
  by_sha1_.find_or_add(view_of(script.sha1)) = &script;
  text_bytes_ += bytes_of(script);
  return &script;
}

void ScriptCache::evict_surplus() {
  const auto is_older = [](const Script* a, const Script* b) { return a->last_use < b->last_use; };
  while (evictable_.size() > kEvictableMax ||
         (evictable_bytes_ > kEvictableBytesMax && evictable_.size() > 1)) {
    const auto oldest = std::min_element(evictable_.begin(), evictable_.end(), is_older);
    Script& script = **oldest;
    evictable_.erase(oldest);
    evict(script);
  }
}

void ScriptCache::evict(Script& script) {
  const ByteView text = text_of(script);
  evictable_bytes_ -= text.size();
  text_bytes_ -= bytes_of(script);
  state_.drop(script.function);
  by_sha1_.erase(view_of(script.sha1));
  by_text_.erase(text);
  ++evicted_;
}

}  // namespace ouro
