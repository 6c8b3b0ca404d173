// SPDX-License-Identifier: BSD-3-Clause
// LuaState: one machine for scripts, that of EVAL or that of functions: LuaJIT's interpreter in the
// sandbox, with the API of Redis and a limit of memory.
//
// Its memory is counted in the cache's heap. A script that would take more than `bytes_max` gets
// Lua's error "not enough memory", which is raised by a jump: so whoever calls Lua outside of
// lua_pcall lifts the limit meanwhile. The compiler of LuaJIT is off: compiled loops would not call
// the hook that ends a script.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "datastructs/base/memory.h"
#include "server/script/sandbox.h"
#include "server/script/source.h"

namespace ouro {

class Runner;

// Enough for a script that handles one value of proto-max-bulk-len's standard.
inline constexpr size_t kLuaBytesMax = 2_GiB;

class LuaState {
 public:
  enum class Kind : uint8_t { kEval, kFunctions };

  // `runner` outlives the machine.
  LuaState(Heap& heap, Kind kind, Runner& runner, uint32_t seed, size_t bytes_max = kLuaBytesMax);
  ~LuaState();
  LuaState(const LuaState&) = delete;
  LuaState& operator=(const LuaState&) = delete;

  // The state that a function of ours was called from, a coroutine's too.
  static LuaState& of(lua_State* lua);

  lua_State* lua() { return lua_; }
  Runner& runner() { return runner_; }
  Kind kind() const { return kind_; }

  // While one of these lives, nothing in this machine fails for want of memory.
  class Unlimited {
   public:
    explicit Unlimited(LuaState& state) : state_(state) { ++state_.lifted_; }
    ~Unlimited() { --state_.lifted_; }
    Unlimited(const Unlimited&) = delete;
    Unlimited& operator=(const Unlimited&) = delete;

   private:
    LuaState& state_;
  };

  // As lua_pcall without a handler, but under the limit, even if that is lifted.
  int call_limited(lua_State* lua, int arguments, int results);

  // Compiles a text and keeps its function; drop() forgets it. LUA_NOREF leaves Lua's text in
  // `error`.
  int compile(ByteView text, const char* chunk_name, std::string& error);
  void drop(int function) { luaL_unref(lua_, LUA_REGISTRYINDEX, function); }
  void push_kept(int reference) { lua_rawgeti(lua_, LUA_REGISTRYINDEX, reference); }

  // Pushes the table whose fields are the names that scripts see.
  void push_globals() { push_kept(sandbox_.globals); }
  // Pushes the table behind the proxy at `at`; false, and nothing, if that is no proxy.
  bool push_behind_proxy(lua_State* lua, int at) const;
  // While a library is loaded, scripts see its API alone.
  enum class Api : uint8_t { kScript, kLibrary };
  void show_api(Api api);
  // What on_error() and write_answer() go by.
  int error_handler() const { return error_handler_; }
  int answer_names() const { return answer_names_; }

  // A script is entered from here; what it nests of calls through C takes the processor's stack.
  void begin_stack() { stack_base_ = static_cast<char*>(__builtin_frame_address(0)); }
  bool is_stack_deep() const {
    return stack_base_ - static_cast<char*>(__builtin_frame_address(0)) > kStackBytesMax;
  }

  // A function in C has gone so many steps, each about as long as an instruction of Lua: what the
  // hook does is done for these, too. May raise. Memory that the machine takes is counted so
  // already.
  void spend(lua_State* lua, size_t steps) {
    if (steps < steps_left_) [[likely]] {
      steps_left_ -= steps;
    } else {
      end_steps(lua);
    }
  }

  // Each byte is looked at.
  void spend_reading(lua_State* lua, size_t bytes) { spend(lua, bytes / kReadBytesAStep); }
  static constexpr size_t kReadBytesAStep = 4;
  // Copied or compared.
  static constexpr size_t kCopiedBytesAStep = 64;

  // How often the hook is called: after so many instructions, or after each.
  enum class Watch : uint8_t { kNowAndThen, kClosely };
  void set_watch(Watch watch);
  // Each new line of a script, too.
  void watch_lines() {
    watches_lines_ = true;
    set_watch(watch_);
  }
  // LuaJIT calls no hook while one runs. What a hook runs after this is looked at like a script.
  static void end_hook(lua_State* lua);
  // The hook was called, and nothing ends the script.
  void go_on() {
    steps_left_ = kHookEvery;
    if (watch_ == Watch::kClosely) set_watch(Watch::kNowAndThen);
  }
  // A script had to end for want of memory: what it leaves is collected now.
  void collect_all();

  // Another limit, for what is taken from now on.
  void set_bytes_max(size_t bytes) { bytes_max_ = bytes; }
  // As Lua counts.
  size_t memory_bytes() const { return bytes_; }
  size_t memory_left() const { return bytes_max_ - std::min(bytes_, bytes_max_); }

 private:
  static constexpr int kHookEvery = 1000;
  // An eighth of what a thread usually has. LuaJIT itself sets no limit.
  static constexpr std::ptrdiff_t kStackBytesMax = 1 << 20;

  // The machine's collector goes on by one small step at each call, however large what that call
  // has made. As much as was compiled it looks at here, else dropped functions would pile up until
  // all is collected at once. Between its rounds the machine may grow by half.
  void collect_for(size_t made_bytes);
  void end_steps(lua_State* lua);
  // Whoever takes memory fills it: what LuaJIT does with long strings and large tables in one
  // instruction. Nothing may raise here, so the next instruction calls the hook.
  void spend_on_memory(size_t bytes);
  static void* allocate(void* self, void* block, size_t before, size_t bytes);

  Heap& heap_;
  Kind kind_;
  Runner& runner_;
  ScriptRandom random_;
  size_t bytes_max_;
  size_t bytes_ = 0;
  size_t collect_from_bytes_ = 0;
  int lifted_ = 0;
  size_t steps_left_ = kHookEvery;
  Watch watch_ = Watch::kNowAndThen;
  bool watches_lines_ = false;
  char* stack_base_ = nullptr;
  lua_State* lua_ = nullptr;
  Sandbox sandbox_;
  int library_api_ = LUA_NOREF;
  int error_handler_ = LUA_NOREF;
  int answer_names_ = LUA_NOREF;
};

}  // namespace ouro
