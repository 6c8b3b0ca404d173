// SPDX-License-Identifier: BSD-3-Clause
// Runner: runs one script at a time, and is what its calls, its errors and its hook come back to.
//
//      EVAL, FCALL -> run() -> lua_pcall -> script -> redis.call -> call() -> Executor -> ReplyTape
//                       |                     |
//                       | error: on_error()   | every 1,000 steps: on_instructions()
//                       v                     v
//                    write_answer()      over busy-reply-threshold: a turn inside this turn
//
// In the inner turn (Host::pump) only commands flagged kAllowBusy run, all others are answered
// BUSY. SCRIPT KILL and FUNCTION KILL mark the script; the hook then raises an error at every
// instruction, so that no pcall of the script keeps it alive. A script that has written is not
// killed: half of what it does would stay.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/engine/context.h"
#include "server/script/lua_state.h"
#include "server/script/overlay.h"
#include "server/script/reply_tape.h"

namespace ouro {

class Debugger;
class FunctionLoad;

// "numkeys key ... arg ..." behind the script of EVAL.
struct ScriptWords {
  Argv keys;
  Argv arguments;
};
Result<ScriptWords> split_words(Context& ctx);

// Monitors see a script ahead of what it calls.
void show_to_monitors(Context& ctx);

class Runner {
 public:
  explicit Runner(Engine& engine);

  struct Job {
    LuaState& state;
    int function;
    ByteView name;  // what errors call it: the script's digest or the function's name
    const ScriptFlags& flags;
    bool is_eval;    // the words are globals and the answer is the second value, else arguments
    bool read_only;  // EVAL_RO and its kind
    Argv keys;
    Argv arguments;
  };
  // Answers ctx with what the script returns, or fails with what it raised.
  Status run(Context& ctx, const Job& job);
  // The same in three parts, between which the script is running: for who lets it go on in several
  // turns. The words that ctx and job show outlive finish(). execute() returns Lua's status.
  Status begin(Context& ctx, const Job& job);
  int execute();
  Status finish(Context& ctx, int outcome);

  // Its scripts are debugged by this one, which outlives them; what they write goes to `overlay`,
  // unless that is null.
  void attach(Debugger& debugger, Overlay* overlay) {
    debugger_ = &debugger;
    overlay_ = overlay;
  }
  Debugger* debugger() { return debugger_; }
  // What the caller may do has changed since it began.
  void refresh_access();

  // ---- for a script's calls; requires is_running()
  bool is_running() const { return run_.has_value(); }
  // One command; its reply is on the tape. Says how many steps of a script take as long.
  size_t call(Argv argv);
  const ReplyTape& tape() const { return tape_; }
  // The tape is needed no more.
  void release_reply() { tape_.release(); }
  // The last command did not run: the reply says why.
  bool was_refused() const { return run_->was_refused; }
  // Whether the caller's user may run such a command; none if there is no such command.
  std::optional<bool> is_permitted(Argv argv) const;
  // Where the words of a call are gathered: too many for a frame that must have no destructor.
  std::vector<ByteView>& words() { return words_; }
  void set_resp3(bool yes) { run_->resp3 = yes; }
  // redis.set_repl: for whom what follows is; for nobody, it stays in this node's memory.
  void set_reach(std::optional<EffectReach> reach) { run_->reach = reach; }
  void log(int level, ByteView text);
  Engine& engine() { return engine_; }

  // ---- while it runs
  // The handler of errors: notes the error and the place of the one on top.
  static int on_error(lua_State* lua);
  static void on_instructions(lua_State* lua, lua_Debug* where);
  // SCRIPT KILL, FUNCTION KILL.
  Status kill(Context& ctx, bool is_eval);
  bool is_killed() const { return run_ && run_->is_killed; }
  static constexpr const char* kKilledText = "ERR Script killed by user with SCRIPT KILL...";
  ByteView busy_error() const;
  struct Running {
    ByteView name;
    Argv command;
    Millis duration_ms;
  };
  // Require is_running().
  bool is_eval() const { return run_->job.is_eval; }
  Running running() const;

  // A library is being loaded, for kLoadMillisMax if that is limited. Null when it is over.
  void begin_loading(FunctionLoad& load, bool is_limited);
  void end_loading() { loading_ = nullptr; }
  FunctionLoad* loading() { return loading_; }

 private:
  static constexpr Millis kLoadMillisMax = 500;
  static constexpr uint64_t kNanosAStep = 4;

  struct Run {
    explicit Run(const Job& what) : job(what) {}
    Job job;
    ScriptLimits limits;
    Caller caller{Origin::kScript};
    uint64_t started_ticks = 0;
    int stack_base = 0;  // of Lua's stack
    bool resp3 = false;
    std::optional<EffectReach> reach = EffectReach::kEverybody;  // none: for nobody
    bool is_busy = false;
    bool is_killed = false;
    bool was_refused = false;
    // What was raised, and where.
    std::string error;
    std::string source;
    int line = 0;
    bool error_is_counted = false;
  };

  Status check_flags(Context& ctx, const Job& job) const;
  int push_script(const Job& job);
  Status fail(Context& ctx, int outcome, lua_State* lua);
  bool admit(const CommandSpec* spec, Argv argv);
  void note_error(lua_State* lua);
  void find_tail_call(lua_State* lua, lua_Debug& where) const;
  // Says what to raise, or null.
  const char* look_at_clock();
  Millis elapsed_ms(uint64_t since_ticks) const;

  Engine& engine_;
  std::optional<Run> run_;
  Debugger* debugger_ = nullptr;
  Overlay* overlay_ = nullptr;
  FunctionLoad* loading_ = nullptr;
  bool loading_is_limited_ = false;
  uint64_t loading_since_ticks_ = 0;
  ReplyTape tape_;
  std::vector<ByteView> words_;
};

}  // namespace ouro
