// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/debugger.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "datastructs/base/ascii.h"
#include "datastructs/codec/number_text.h"
#include "server/script/debug_values.h"
#include "server/script/redis_api.h"

namespace ouro {
namespace {

constexpr const char* kProtocolText = "ERR protocol error";
constexpr const char* kTooLongText = "ERR max client buffer reached";
constexpr const char* kAbortText = "ERR script aborted for user request";
constexpr const char* kEvalTimeText = "ERR what is evaluated takes too long";
constexpr ByteView kLeftOutLine = "<hint> Too much output: the rest up to here was left out.";
// What a line takes besides its bytes.
constexpr size_t kLogBytesALine = sizeof(std::string);
// Where busy-reply-threshold sets no limit.
constexpr Millis kTimeLimitMs = 5000;

constexpr const char* kHelp[] = {
    "Redis Lua debugger help:",
    "[h]elp               Show this help.",
    "[s]tep               Run current line and stop again.",
    "[n]ext               Alias for step.",
    "[c]ontinue           Run till next breakpoint.",
    "[l]ist               List source code around current line.",
    "[l]ist [line]        List source code around [line].",
    "                     line = 0 means: current position.",
    "[l]ist [line] [ctx]  In this form [ctx] specifies how many lines",
    "                     to show before/after [line].",
    "[w]hole              List all source code. Alias for 'list 1 1000000'.",
    "[p]rint              Show all the local variables.",
    "[p]rint <var>        Show the value of the specified variable.",
    "                     Can also show global vars KEYS and ARGV.",
    "[b]reak              Show all breakpoints.",
    "[b]reak <line>       Add a breakpoint to the specified line.",
    "[b]reak -<line>      Remove breakpoint from the specified line.",
    "[b]reak 0            Remove all breakpoints.",
    "[t]race              Show a backtrace.",
    "[e]val <code>        Execute some Lua code (in a different callframe).",
    "[r]edis <cmd>        Execute a Redis command.",
    "[m]axlen [len]       Trim logged Redis replies and Lua var dumps to len.",
    "                     Specifying zero as <len> means unlimited.",
    "[a]bort              Stop the execution of the script. In sync",
    "                     mode dataset changes will be retained.",
    "",
    "Debugger functions you can call from Lua scripts:",
    "redis.debug()        Produce logs in the debugger console.",
    "redis.breakpoint()   Stop execution like if there was a breakpoint in the",
    "                     next line of code.",
};

ByteView without_empty_end(ByteView source) {
  while (source.ends_with('\n') || source.ends_with('\r')) source.remove_suffix(1);
  return source;
}

std::vector<size_t> line_starts_of(ByteView source) {
  std::vector<size_t> starts;
  if (source.empty()) return starts;
  starts.reserve(static_cast<size_t>(std::count(source.begin(), source.end(), '\n')) + 1);
  starts.push_back(0);
  for (size_t at = 0; (at = source.find('\n', at)) != ByteView::npos;) starts.push_back(++at);
  return starts;
}

// As C reads it: what is no number is 0.
int number_of(const std::string& word) {
  return static_cast<int>(std::strtol(word.c_str(), nullptr, 10));
}

bool is_of_script(const lua_Debug& where) {
  return std::strstr(where.short_src, "user_script") != nullptr;
}

// Where the function's frame begins in Lua's stack: what it calls begins behind it. LuaJIT keeps it
// there; the number of frames, which Lua would tell, is found by counting them.
int place_of(const lua_Debug& frame) { return frame.i_ci & 0xFFFF; }

}  // namespace

constexpr Debugger::Command Debugger::kCommands[] = {
    {"h", "help", &Debugger::help},         {"s", "step", &Debugger::step},
    {"n", "next", &Debugger::step},         {"c", "continue", &Debugger::go_on},
    {"t", "trace", &Debugger::trace},       {"m", "maxlen", &Debugger::maxlen},
    {"b", "break", &Debugger::breakpoints}, {"e", "eval", &Debugger::eval},
    {"a", "abort", &Debugger::give_up},     {"r", "redis", &Debugger::redis, 2},
    {"p", "print", &Debugger::print},       {"l", "list", &Debugger::list},
    {"w", "whole", &Debugger::whole},
};

Debugger::Debugger(Peer& peer, Stopwatch& stopwatch, ByteView source)
    : peer_(peer),
      stopwatch_(stopwatch),
      source_(without_empty_end(source)),
      line_starts_(line_starts_of(source_)),
      since_ticks_(stopwatch.ticks()) {}

void Debugger::say_end() {
  log("<endsession>");
  flush();
}

void Debugger::give_way() {
  const uint64_t before = stopwatch_.ticks();
  peer_.pace();
  away_ticks_ += stopwatch_.ticks() - before;
}

Millis Debugger::millis_since(uint64_t since) const {
  const auto gone = static_cast<double>(ticks() - since);
  return static_cast<Millis>(gone / stopwatch_.ticks_per_us() / 1000);
}

Millis Debugger::millis_max() const {
  return peer_.time_limit_ms() > 0 ? peer_.time_limit_ms() : kTimeLimitMs;
}

// ---- where it stops

const char* Debugger::on_hook(lua_State* lua, lua_Debug* where) {
  if (ending_ != nullptr) return ending_;
  if (where == nullptr || where->event != LUA_HOOKLINE) return on_time(lua);
  if (!is_evaluating_) on_line(lua);
  return ending_;
}

void Debugger::on_line(lua_State* lua) {
  lua_Debug where{};
  if (lua_getstack(lua, 0, &where) == 0) return;
  lua_getinfo(lua, "Sl", &where);
  if (!is_of_script(where) || is_seen_before(lua, where)) return;
  line_ = where.currentline;
  if (breakpoint_called_) return stop(lua, "redis.breakpoint() called");
  if (is_breakpoint(line_)) return stop(lua, "break point");
  if (is_stepping_) stop(lua, "step over");
}

// LuaJIT calls the hook again when a function has returned into the middle of a line. What runs
// behind a line's place is over when that line comes again.
bool Debugger::is_seen_before(lua_State* lua, const lua_Debug& where) {
  if (lua != thread_) lines_.clear();
  thread_ = lua;
  const int place = place_of(where);
  bool has_returned = false;
  for (; !lines_.empty() && lines_.back().place > place; lines_.pop_back()) has_returned = true;
  if (lines_.empty() || lines_.back().place < place) lines_.push_back({.place = place, .line = 0});
  return std::exchange(lines_.back().line, where.currentline) == where.currentline && has_returned;
}

const char* Debugger::on_time(lua_State* lua) {
  give_way();
  if (ending_ != nullptr || millis_since(since_ticks_) < millis_max()) return ending_;
  if (is_evaluating_) return kEvalTimeText;
  lua_Debug where{};
  if (is_stepping_ || lua_getstack(lua, 0, &where) == 0) return nullptr;
  lua_getinfo(lua, "Sl", &where);
  if (!is_of_script(where)) return nullptr;
  line_ = where.currentline;
  stop(lua, "timeout reached, infinite loop?");
  return ending_;
}

void Debugger::stop(lua_State* lua, const char* reason) {
  const LuaState::Unlimited lifted(LuaState::of(lua));
  is_stepping_ = false;
  breakpoint_called_ = false;
  log("* Stopped at " + std::to_string(line_) + ", stop reason = " + reason);
  log_source(line_);
  flush();
  std::vector<std::string> words;
  for (Next next = Next::kStay; next == Next::kStay && ending_ == nullptr;) {
    switch (input_.next(words)) {
      case DebugInput::Read::kMore:
        peer_.wait();
        break;
      case DebugInput::Read::kCommand:
        next = run(lua, words);
        give_way();
        break;
      case DebugInput::Read::kBroken:
        end_script(kProtocolText);
        break;
      case DebugInput::Read::kTooLong:
        end_script(kTooLongText);
        break;
    }
  }
  since_ticks_ = ticks();
}

Debugger::Next Debugger::run(lua_State* lua, Words words) {
  begin_looking();
  const auto is_asked_for = [&](const Command& command) {
    return words.size() >= command.words_min && (equals_ignoring_case(words[0], command.letter) ||
                                                 equals_ignoring_case(words[0], command.name));
  };
  const auto* const found = std::find_if(std::begin(kCommands), std::end(kCommands), is_asked_for);
  if (found != std::end(kCommands)) {
    const Next next = (this->*found->run)(lua, words);
    if (next == Next::kStay && ending_ == nullptr) flush();
    return next;
  }
  log("<error> Unknown Redis Lua debugger command or wrong number of arguments.");
  flush();
  return Next::kStay;
}

// ---- commands

Debugger::Next Debugger::help(lua_State*, Words) {
  for (const char* line : kHelp) log(line);
  return Next::kStay;
}

Debugger::Next Debugger::step(lua_State*, Words) {
  is_stepping_ = true;
  return Next::kGoOn;
}

Debugger::Next Debugger::go_on(lua_State*, Words) { return Next::kGoOn; }

Debugger::Next Debugger::give_up(lua_State*, Words) {
  end_script(kAbortText);
  return Next::kGoOn;
}

Debugger::Next Debugger::list(lua_State*, Words words) {
  const int wanted = words.size() > 1 ? number_of(words[1]) : 0;
  log_sources(wanted > 0 ? wanted : line_, words.size() > 2 ? number_of(words[2]) : 5);
  return Next::kStay;
}

Debugger::Next Debugger::whole(lua_State*, Words) {
  log_sources(1, 1'000'000);
  return Next::kStay;
}

Debugger::Next Debugger::print(lua_State* lua, Words words) {
  words.size() == 2 ? print_named(lua, words[1]) : print_locals(lua);
  return Next::kStay;
}

void Debugger::begin_looking() {
  places_left_ = kPlacesMax;
  looks_since_ticks_ = ticks();
}

// A value of Lua; others have their turns meanwhile.
void Debugger::append(std::string& line, lua_State* lua, int at, size_t bytes_max) {
  append_value(line, lua, at, bytes_max, [&] {
    give_way();
    if (places_left_ == 0 || ending_ != nullptr) return false;
    --places_left_;
    return millis_since(looks_since_ticks_) < millis_max();
  });
}

// The frame's variable of this name; false if it has none.
bool Debugger::append_local(std::string& line, lua_State* lua, lua_Debug& frame,
                            const std::string& name) {
  const char* local = nullptr;
  for (int i = 1; (local = lua_getlocal(lua, &frame, i)) != nullptr; ++i) {
    const bool is_found = name == local;
    if (is_found) append(line, lua, -1, shown_bytes_max());
    lua_pop(lua, 1);
    if (is_found) return true;
  }
  return false;
}

// The first variable of this name, from the innermost function outwards.
void Debugger::print_named(lua_State* lua, const std::string& name) {
  std::string line = "<value> ";
  lua_Debug frame{};
  for (int level = 0; lua_getstack(lua, level, &frame) != 0; ++level) {
    if (append_local(line, lua, frame, name)) return log_shown(std::move(line));
    give_way();
    if (ending_ != nullptr) return;
  }
  if (name != "KEYS" && name != "ARGV") return log("No such variable.");
  lua_getglobal(lua, name.c_str());
  append(line, lua, -1, shown_bytes_max());
  lua_pop(lua, 1);
  log_shown(std::move(line));
}

void Debugger::print_locals(lua_State* lua) {
  lua_Debug frame{};
  bool has_any = false;
  const char* local = nullptr;
  lua_getstack(lua, 0, &frame);
  for (int i = 1; (local = lua_getlocal(lua, &frame, i)) != nullptr; ++i) {
    if (std::strstr(local, "(*temporary)") == nullptr) {
      std::string line = std::string("<value> ").append(local).append(" = ");
      append(line, lua, -1, shown_bytes_max());
      log_shown(std::move(line));
      has_any = true;
    }
    lua_pop(lua, 1);
  }
  if (!has_any) log("No local variables in the current context.");
}

bool Debugger::is_breakpoint(int line) const {
  return std::find(breakpoints_.begin(), breakpoints_.end(), line) != breakpoints_.end();
}

Debugger::Next Debugger::breakpoints(lua_State*, Words words) {
  for (const std::string& word : words.subspan(1)) set_breakpoint(word);
  if (words.size() > 1) return Next::kStay;
  if (breakpoints_.empty()) {
    log("No breakpoints set. Use 'b <line>' to add one.");
    return Next::kStay;
  }
  log(std::to_string(breakpoints_.size()) + " breakpoints set:");
  for (const int line : breakpoints_) log_source(line);
  return Next::kStay;
}

// A line's number, that of one to be removed with a minus, or 0 for all of them.
void Debugger::set_breakpoint(const std::string& word) {
  const std::optional<int64_t> wanted = parse_int64(word);
  if (!wanted) return log("Invalid argument:'" + word + "'");
  if (*wanted == 0) {
    breakpoints_.clear();
    return log("All breakpoints removed.");
  }
  if (*wanted < 0) {
    const auto at = std::find(breakpoints_.begin(), breakpoints_.end(), -*wanted);
    if (at == breakpoints_.end()) return log("No breakpoint in the specified line.");
    breakpoints_.erase(at);
    return log("Breakpoint removed.");
  }
  if (breakpoints_.size() == kBreakpointsMax) return log("Too many breakpoints set.");
  const bool is_known = *wanted <= line_count();
  if (!is_known || is_breakpoint(static_cast<int>(*wanted))) return log("Wrong line number.");
  breakpoints_.push_back(static_cast<int>(*wanted));
  log_sources(*wanted, 1);
}

Debugger::Next Debugger::trace(lua_State* lua, Words) {
  lua_Debug where{};
  for (int level = 0; ending_ == nullptr && lua_getstack(lua, level, &where) != 0; ++level) {
    give_way();
    lua_getinfo(lua, "Snl", &where);
    if (!is_of_script(where)) continue;
    log(std::string(level == 0 ? "In " : "From ")
            .append(where.name != nullptr ? where.name : "top level")
            .append(":"));
    log_source(where.currentline);
  }
  return Next::kStay;
}

// An expression, or else statements. They see what is global, not the script's variables.
Debugger::Next Debugger::eval(lua_State* lua, Words words) {
  std::string code;
  for (const std::string& word : words.subspan(1))
    code.append(code.empty() ? "" : " ").append(word);
  if (load_source(lua, without_tail_calls("return " + code), "@ldb_eval") != 0) {
    lua_pop(lua, 1);
    if (load_source(lua, without_tail_calls(code), "@ldb_eval") != 0) {
      log(std::string("<error> ").append(lua_bytes(lua, -1)));
      lua_pop(lua, 1);
      return Next::kStay;
    }
  }
  evaluate(lua);
  lua_pop(lua, 1);
  return Next::kStay;
}

// Calls the function on top, in whose place it leaves the value, which is the second result
// (without_tail_calls), or the error.
void Debugger::evaluate(lua_State* lua) {
  LuaState::end_hook(lua);
  is_evaluating_ = true;
  since_ticks_ = ticks();
  const int outcome = LuaState::of(lua).call_limited(lua, 0, 2);
  if (outcome == 0) lua_remove(lua, -2);
  is_evaluating_ = false;
  std::string line = outcome == 0 ? "<retval> " : "<error> ";
  if (outcome == 0) {
    begin_looking();
    append(line, lua, -1, shown_bytes_max());
    return log_shown(std::move(line));
  }
  if (lua_istable(lua, -1)) {
    lua_pushliteral(lua, "err");
    lua_rawget(lua, -2);
    lua_replace(lua, -2);
  }
  log(line.append(lua_isstring(lua, -1) != 0 ? lua_bytes(lua, -1) : luaL_typename(lua, -1)));
}

Debugger::Next Debugger::redis(lua_State* lua, Words words) {
  if (lua_checkstack(lua, static_cast<int>(words.size())) == 0) {
    log("<reply> ");
    return Next::kStay;
  }
  lua_pushcfunction(lua, redis_call);
  for (const std::string& word : words.subspan(1)) push_bytes(lua, word);
  is_stepping_ = true;  // so that the call and the reply are shown
  is_evaluating_ = true;
  since_ticks_ = ticks();
  LuaState::of(lua).call_limited(lua, static_cast<int>(words.size()) - 1, 1);
  is_evaluating_ = false;
  is_stepping_ = false;
  lua_pop(lua, 1);
  return Next::kStay;
}

Debugger::Next Debugger::maxlen(lua_State*, Words words) {
  if (words.size() == 2) {
    const int wanted = number_of(words[1]);
    was_hinted_ = true;
    shown_max_ =
        wanted == 0 ? 0 : std::max(static_cast<size_t>(std::max(wanted, 0)), kShownBytesMin);
  }
  log(shown_max_ == 0
          ? "<value> replies are unlimited."
          : "<value> replies are truncated at " + std::to_string(shown_max_) + " bytes.");
  return Next::kStay;
}

// ---- what the script says by itself

void Debugger::print(lua_State* lua) {
  const LuaState::Unlimited lifted(LuaState::of(lua));
  begin_looking();
  std::string line = "<debug> line " + std::to_string(line_) + ": ";
  for (int i = 1; i <= lua_gettop(lua); ++i) {
    if (i > 1) line.append(", ");
    append(line, lua, i, kLineBytesMax);
  }
  log(std::move(line));
}

void Debugger::show_call(std::span<const ByteView> words) {
  constexpr size_t kWordsShown = 10;
  std::string line = "<redis>";
  for (const ByteView word : words.first(std::min(words.size(), kWordsShown)))
    line.append(" ").append(word.substr(0, kLineBytesMax));
  // Redis counts one less.
  if (words.size() > kWordsShown)
    line.append(" ... (" + std::to_string(words.size() - kWordsShown - 1) + " more)");
  log(std::move(line));
}

void Debugger::show_reply(const ReplyTape& tape, bool was_refused) {
  if (tape.is_error()) {
    size_t at = 0;
    const ByteView text = tape.take(at).bytes;
    was_refused ? show_error(text) : log(std::string("<error> -").append(text));
    if (was_refused) return;
  }
  std::string line = "<reply> ";
  append_reply(line, tape, shown_bytes_max());
  log_shown(std::move(line));
}

// Redis makes "ERR" of its own errors later on; another code stands there with its sign.
void Debugger::show_error(ByteView text) {
  const ByteView code = text.starts_with("ERR ") ? "" : "-";
  if (code.empty()) text.remove_prefix(4);
  log(std::string("<error> ").append(code).append(text));
}

void Debugger::show_own_error(ByteView text) {
  log(std::string("<error> ").append(text.starts_with('-') ? "" : "-").append(text));
}

// ---- lines

void Debugger::log(std::string line) {
  if (line.size() > kLineBytesMax) line.replace(kLineBytesMax, std::string::npos, " ...");
  for (char& c : line) {
    if (c == '\r' || c == '\n') c = ' ';
  }
  const bool was_full = log_bytes_ > kLogBytesMax;
  log_bytes_ += line.size() + kLogBytesALine;
  if (log_bytes_ > kLogBytesMax) line = kLeftOutLine;
  if (!was_full) log_.push_back(std::move(line));
}

void Debugger::log_shown(std::string line) {
  const bool is_cut = shown_max_ != 0 && line.size() > shown_max_;
  if (is_cut) line.replace(shown_max_, std::string::npos, " ...");
  log(std::move(line));
  if (!is_cut || was_hinted_) return;
  was_hinted_ = true;
  log("<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.");
}

ByteView Debugger::line_text(int line) const {
  const auto index = static_cast<size_t>(line) - 1;
  const size_t start = line_starts_[index];
  const size_t end = line == line_count() ? source_.size() : line_starts_[index + 1] - 1;
  return source_.substr(start, end - start);
}

void Debugger::log_source(int line) {
  const bool is_known = line >= 1 && line <= line_count();
  std::string number = std::to_string(line);
  number.resize(std::max<size_t>(number.size(), 3), ' ');
  std::string shown(line == line_ ? "->" : "  ");
  shown.append(is_breakpoint(line) ? "#" : " ").append(number).append(" ");
  shown.append(is_known ? line_text(line) : "<out of range source code line>");
  log(std::move(shown));
}

void Debugger::log_sources(int64_t around, int64_t context) {
  const int64_t last = std::min<int64_t>(line_count(), around + context);
  for (int64_t line = std::max<int64_t>(1, around - context); line <= last; ++line)
    log_source(static_cast<int>(line));
}

void Debugger::flush() {
  // What is told is gone first: whoever is told may end everything.
  const std::vector<std::string> lines = std::exchange(log_, {});
  log_bytes_ = 0;
  peer_.tell(lines);
}

}  // namespace ouro
