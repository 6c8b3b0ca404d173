// SPDX-License-Identifier: BSD-3-Clause
// PatternMatcher: the patterns of Lua 5.1, as Redis's Lua has them, matched in counted steps.
//
// Patterns are matched by trying and going back, which may last for ever:
// string.find(('a'):rep(1e5),
// ('.-'):rep(12) .. 'b'). While LuaJIT's own functions do that, nobody can kill the script, so ours
// stand in their place. Here each try of a byte is a step, which may call the hook
// (LuaState::spend()).
//
// A pattern ends at its first zero byte; '%z' matches one. The strings of Lua end with a zero byte
// that is not counted, which is read here: as the end of a pattern, and behind a subject by '%f'.
//
// Raises for patterns that are none. Holds nothing: it may stand in a frame that an error leaves.
// Cost: a step for each byte of the subject that is tried, and for each of a set ('[...]') that is
// looked through meanwhile. Nests once for each item of the pattern on the processor's stack.
#pragma once

#include "server/script/lua_state.h"

namespace ouro {

class PatternMatcher {
 public:
  // Both are strings on Lua's stack, and stay there.
  PatternMatcher(lua_State* lua, ByteView subject, const char* pattern)
      : lua_(lua),
        state_(LuaState::of(lua)),
        begin_(subject.data()),
        end_(subject.data() + subject.size()),
        pattern_(pattern) {}

  // Where a match that begins at `from` ends; null if there is none.
  const char* match(const char* from) {
    count_ = 0;
    return match_rest(from, pattern_);
  }

  // ---- of the last match, which was [from, to)
  // Pushes all captures, or the whole match if it has none; says how many. Null for `from`: nothing
  // stands for none.
  int push_captures(const char* from, const char* to);
  // Pushes the capture of this index; the first is the whole match if there is none.
  void push_capture(int index, const char* from, const char* to);

 private:
  static constexpr int kCapturesMax = 32;
  // Instead of a size.
  static constexpr ptrdiff_t kOpen = -1;
  static constexpr ptrdiff_t kPosition = -2;  // '()'

  struct Capture {
    const char* begin;
    ptrdiff_t bytes;
  };

  const char* match_rest(const char* at, const char* item);
  const char* match_repeated(const char* at, const char* item, const char* behind, ptrdiff_t least);
  const char* match_lazily(const char* at, const char* item, const char* behind);
  const char* match_balanced(const char* at, const char* pair);
  bool is_frontier(const char* at, const char* set, const char* behind);
  const char* skip_capture_again(const char* at, char digit);
  const char* open_capture(const char* at, const char* rest, ptrdiff_t kind);
  const char* close_capture(const char* at, const char* rest);

  // Behind the item that matches one byte.
  const char* end_of(const char* item);
  bool matches(const char* at, const char* item, const char* behind);
  bool is_in_set(unsigned char byte, const char* set, const char* behind);

  void spend(size_t steps) { state_.spend(lua_, steps); }

  lua_State* lua_;
  LuaState& state_;
  const char* begin_;
  const char* end_;
  const char* pattern_;
  int count_ = 0;
  Capture captures_[kCapturesMax];
};

}  // namespace ouro
