// SPDX-License-Identifier: BSD-3-Clause
// Debugger: stops a script at its lines, and there does what its client says, in the protocol of
// Redis's LDB. Each command is an array of words, each answer an array of lines.
//
//      hook: a new line -> on_hook() -> stop: "* Stopped at 3, stop reason = step over", the line
//                                        |  next command: print, eval, list ... -> lines
//                                        |  none there: Peer::wait()
//                                        v  step, continue
//                                      the script goes on
//
// It runs inside of Lua's hook, wherever the script calls something that calls it back (a function
// that gsub or sort calls, a coroutine), and so needs a stack of its own that can be left there
// (debug_session.h). What ends the script is raised by who has called on_hook().
#pragma once

#include <span>
#include <string>
#include <vector>

#include "server/engine/options.h"
#include "server/engine/stopwatch.h"
#include "server/script/debug_input.h"
#include "server/script/lua_state.h"
#include "server/script/reply_tape.h"

namespace ouro {

class Debugger {
 public:
  class Peer {
   public:
    virtual ~Peer() = default;
    virtual void tell(std::span<const std::string> lines) = 0;
    // Comes back when there is input, or something has ended the script.
    virtual void wait() = 0;
    // Comes back in a later turn, if this one has taken long enough.
    virtual void pace() = 0;
    virtual Millis time_limit_ms() const = 0;
  };

  // Breakpoints of one script, and the bounds of what is shown: Redis's.
  static constexpr size_t kBreakpointsMax = 64;
  static constexpr size_t kShownBytesMax = 256;   // of a value, until "maxlen" says otherwise
  static constexpr size_t kShownBytesMin = 60;    // the least that it may say
  static constexpr size_t kLineBytesMax = 1_MiB;  // of any line: a value may contain itself
  static constexpr size_t kLogBytesMax = 16_MiB;  // of all lines between two stops
  // So many places of tables are looked at for one command, or one call of redis.debug: about a
  // second. The time that a script has ends it, too.
  static constexpr size_t kPlacesMax = 10'000'000;

  // `peer`, `stopwatch` and what `source` shows outlive it.
  Debugger(Peer& peer, Stopwatch& stopwatch, ByteView source);

  DebugInput& input() { return input_; }
  // The script is to end with this error. Its own pcall does not keep it alive.
  void end_script(const char* text) { ending_ = text; }
  // The script is over: tells what is left to be told.
  void say_end();

  // ---- for Runner's hook: `where` is null when a function of C has gone so many steps. Returns
  // the error that ends the script, or null.
  const char* on_hook(lua_State* lua, lua_Debug* where);

  // ---- for the table `redis`
  void break_at_next_line() { breakpoint_called_ = true; }
  void print(lua_State* lua);  // redis.debug
  // What the script calls is shown while it goes step by step.
  bool is_stepping() const { return is_stepping_; }
  void show_call(std::span<const ByteView> words);
  void show_reply(const ReplyTape& tape, bool was_refused);
  void show_error(ByteView text);
  void show_own_error(ByteView text);  // redis.error_reply

 private:
  using Words = std::span<const std::string>;
  enum class Next : uint8_t { kStay, kGoOn };
  struct Command {
    ByteView letter;
    ByteView name;
    Next (Debugger::*run)(lua_State*, Words);
    size_t words_min = 1;
  };
  static const Command kCommands[];

  void on_line(lua_State* lua);
  const char* on_time(lua_State* lua);
  bool is_seen_before(lua_State* lua, const lua_Debug& where);
  void stop(lua_State* lua, const char* reason);
  Next run(lua_State* lua, Words words);

  Next help(lua_State* lua, Words words);
  Next step(lua_State* lua, Words words);
  Next go_on(lua_State* lua, Words words);
  Next list(lua_State* lua, Words words);
  Next whole(lua_State* lua, Words words);
  Next print(lua_State* lua, Words words);
  Next breakpoints(lua_State* lua, Words words);
  Next trace(lua_State* lua, Words words);
  Next eval(lua_State* lua, Words words);
  Next redis(lua_State* lua, Words words);
  Next maxlen(lua_State* lua, Words words);
  Next give_up(lua_State* lua, Words words);

  void begin_looking();
  void append(std::string& line, lua_State* lua, int at, size_t bytes_max);
  bool append_local(std::string& line, lua_State* lua, lua_Debug& frame, const std::string& name);
  void print_named(lua_State* lua, const std::string& name);
  void print_locals(lua_State* lua);
  void set_breakpoint(const std::string& word);
  void evaluate(lua_State* lua);
  bool is_breakpoint(int line) const;

  // ---- lines for the client
  void log(std::string line);
  void log_shown(std::string line);
  int line_count() const { return static_cast<int>(line_starts_.size()); }
  ByteView line_text(int line) const;
  void log_source(int line);
  void log_sources(int64_t around, int64_t context);
  void flush();
  size_t shown_bytes_max() const { return shown_max_ == 0 ? kLineBytesMax : shown_max_; }

  // ---- time in which the script, or what its client asks for, runs
  void give_way();
  uint64_t ticks() const { return stopwatch_.ticks() - away_ticks_; }
  Millis millis_since(uint64_t ticks) const;
  Millis millis_max() const;

  Peer& peer_;
  Stopwatch& stopwatch_;
  DebugInput input_;
  ByteView source_;
  std::vector<size_t> line_starts_;  // in the source
  std::vector<std::string> log_;
  size_t log_bytes_ = 0;
  std::vector<int> breakpoints_;
  size_t shown_max_ = kShownBytesMax;  // 0: all
  bool was_hinted_ = false;            // at the command "maxlen"
  int line_ = 0;                       // where the script is
  bool is_stepping_ = true;
  bool breakpoint_called_ = false;
  bool is_evaluating_ = false;  // what runs is the client's, not the script
  uint64_t away_ticks_ = 0;     // others had their turn
  uint64_t since_ticks_;        // the last stop, or the start of what is evaluated
  uint64_t looks_since_ticks_ = 0;
  size_t places_left_ = 0;  // to be looked at
  const char* ending_ = nullptr;
  // The last line in each function that is running, from the outermost on, of one coroutine.
  struct Line {
    int place;  // of the function's frame
    int line;
  };
  lua_State* thread_ = nullptr;
  std::vector<Line> lines_;
};

}  // namespace ouro
