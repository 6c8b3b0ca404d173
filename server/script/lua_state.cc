// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/lua_state.h"

#include <utility>

#include "datastructs/base/check.h"
#include "server/script/answer.h"
#include "server/script/redis_api.h"
#include "server/script/runner.h"

namespace ouro {

void* LuaState::allocate(void* self, void* block, size_t before, size_t bytes) {
  LuaState& state = *static_cast<LuaState*>(self);
  if (block == nullptr) before = 0;
  if (bytes > before && state.lifted_ == 0) {
    if (state.bytes_ + (bytes - before) > state.bytes_max_) return nullptr;
    state.spend_on_memory(bytes);
  }
  state.bytes_ += bytes - before;
  if (bytes != 0) return state.heap_.reallocate(block, bytes);
  state.heap_.release(block);
  return nullptr;
}

LuaState::LuaState(Heap& heap, Kind kind, Runner& runner, uint32_t seed, size_t bytes_max)
    : heap_(heap), kind_(kind), runner_(runner), random_(seed), bytes_max_(bytes_max) {
  const Unlimited lifted(*this);
  lua_ = lua_newstate(allocate, this);
  CHECK(lua_ != nullptr);
  sandbox_ = open_sandbox(lua_, random_);
  push_globals();
  push_redis_api(lua_, kind);
  make_read_only(lua_, sandbox_);
  set_field(lua_, -2, "redis");
  if (kind == Kind::kFunctions) {
    push_library_api(lua_, sandbox_);
    library_api_ = luaL_ref(lua_, LUA_REGISTRYINDEX);
  }
  lua_pushcfunction(lua_, Runner::on_error);
  error_handler_ = luaL_ref(lua_, LUA_REGISTRYINDEX);
  push_answer_names(lua_);
  answer_names_ = luaL_ref(lua_, LUA_REGISTRYINDEX);
  lua_settop(lua_, 0);
  set_watch(Watch::kNowAndThen);
  lua_gc(lua_, LUA_GCCOLLECT, 0);
}

LuaState::~LuaState() {
  lua_close(lua_);
  CHECK(bytes_ == 0);
}

LuaState& LuaState::of(lua_State* lua) {
  void* self = nullptr;
  lua_getallocf(lua, &self);
  return *static_cast<LuaState*>(self);
}

int LuaState::compile(ByteView text, const char* chunk_name, std::string& error) {
  // What is kept must leave room for what runs.
  if (bytes_ > bytes_max_ / 2) collect_all();
  if (bytes_ > bytes_max_ / 2) {
    error = "not enough memory";
    return LUA_NOREF;
  }
  const Unlimited lifted(*this);
  const size_t before = bytes_;
  const int status = load_source(lua_, text, chunk_name);
  if (bytes_ > before) collect_for(bytes_ - before);
  if (status == 0) return luaL_ref(lua_, LUA_REGISTRYINDEX);
  error = lua_bytes(lua_, -1);
  lua_pop(lua_, 1);
  return LUA_NOREF;
}

int LuaState::call_limited(lua_State* lua, int arguments, int results) {
  const int lifted = std::exchange(lifted_, 0);
  const int outcome = lua_pcall(lua, arguments, results, 0);
  lifted_ = lifted;
  return outcome;
}

bool LuaState::push_behind_proxy(lua_State* lua, int at) const {
  lua_pushvalue(lua, at);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, sandbox_.proxies);
  lua_insert(lua, -2);
  lua_rawget(lua, -2);
  lua_remove(lua, -2);
  if (lua_istable(lua, -1)) return true;
  lua_pop(lua, 1);
  return false;
}

void LuaState::show_api(Api api) {
  const Unlimited lifted(*this);
  push_kept(sandbox_.env_metatable);
  push_kept(api == Api::kLibrary ? library_api_ : sandbox_.globals);
  set_field(lua_, -2, "__index");
  lua_pop(lua_, 1);
}

void LuaState::end_steps(lua_State* lua) { Runner::on_instructions(lua, nullptr); }

void LuaState::spend_on_memory(size_t bytes) {
  const size_t steps = bytes / kCopiedBytesAStep;
  if (steps < steps_left_) [[likely]] {
    steps_left_ -= steps;
  } else if (watch_ == Watch::kNowAndThen) {
    set_watch(Watch::kClosely);
  }
}

void LuaState::set_watch(Watch watch) {
  watch_ = watch;
  const int instructions = watch == Watch::kClosely ? 1 : kHookEvery;
  const int events = watches_lines_ ? LUA_MASKCOUNT | LUA_MASKLINE : LUA_MASKCOUNT;
  lua_sethook(lua_, Runner::on_instructions, events, instructions);
}

// A yield inside of a hook ends the hook, whichever coroutine it is that yields.
void LuaState::end_hook(lua_State* lua) {
  lua_State* coroutine = lua_newthread(lua);
  lua_pushcfunction(coroutine, [](lua_State* self) { return lua_yield(self, 0); });
  CHECK(lua_resume(coroutine, 0) == LUA_YIELD);
  lua_pop(lua, 1);
}

void LuaState::collect_for(size_t made_bytes) {
  if (bytes_ < collect_from_bytes_) return;
  const int is_done = lua_gc(lua_, LUA_GCSTEP, static_cast<int>(made_bytes / 1_KiB));
  if (is_done != 0) collect_from_bytes_ = bytes_ + bytes_ / 2;
}

void LuaState::collect_all() {
  const Unlimited lifted(*this);
  lua_gc(lua_, LUA_GCCOLLECT, 0);
}

}  // namespace ouro
