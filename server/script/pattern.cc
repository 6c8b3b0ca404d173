// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/pattern.h"

#include <array>
#include <cstring>

#include "datastructs/base/ascii.h"

namespace ouro {
namespace {

constexpr const char* kTooManyCaptures = "too many captures";
constexpr const char* kBadCapture = "invalid capture index";
// A comparison of this many bytes lasts as long as one step.
constexpr size_t kBytesAStep = 64;

// The classes, each a bit: what is behind '%' names one, in capitals all that is not of it.
constexpr ByteView kClassNames = "acdlpsuwxz";

constexpr bool is_between(int byte, int first, int last) { return first <= byte && byte <= last; }

constexpr bool is_of(int byte, char name) {
  const bool is_lower = is_between(byte, 'a', 'z');
  const bool is_upper = is_between(byte, 'A', 'Z');
  const bool is_digit = is_between(byte, '0', '9');
  const bool is_letter_or_digit = is_lower || is_upper || is_digit;
  switch (name) {
    case 'a':
      return is_lower || is_upper;
    case 'c':
      return byte < ' ' || byte == 0x7F;
    case 'd':
      return is_digit;
    case 'l':
      return is_lower;
    case 'p':
      return is_between(byte, '!', '~') && !is_letter_or_digit;
    case 's':
      return byte == ' ' || is_between(byte, '\t', '\r');
    case 'u':
      return is_upper;
    case 'w':
      return is_letter_or_digit;
    case 'x':
      return is_digit || is_between(byte | 0x20, 'a', 'f');
    default:
      return byte == 0;
  }
}

struct Classes {
  std::array<uint16_t, 256> of_byte = {};
  std::array<uint16_t, 256> of_name = {};  // 0: it names itself
};
constexpr Classes kClasses = [] {
  Classes classes;
  for (size_t i = 0; i < kClassNames.size(); ++i) {
    const auto bit = static_cast<uint16_t>(1U << i);
    const char name = kClassNames[i];
    const auto small = static_cast<unsigned char>(name);
    const auto capital = static_cast<unsigned char>(small & ~0x20U);
    classes.of_name[small] = classes.of_name[capital] = bit;
    for (int byte = 0; byte < 256; ++byte)
      if (is_of(byte, name)) classes.of_byte[static_cast<size_t>(byte)] |= bit;
  }
  return classes;
}();

bool is_of_class(unsigned char byte, unsigned char name) {
  const unsigned bit = kClasses.of_name[name];
  if (bit == 0) return byte == name;
  const bool is_negated = (name & 0x20) == 0;
  return ((kClasses.of_byte[byte] & bit) != 0) != is_negated;
}

}  // namespace

// Matches the pattern from `item` on. What can be decided without going back is a turn of the loop.
const char* PatternMatcher::match_rest(const char* at, const char* item) {
  if (state_.is_stack_deep()) luaL_error(lua_, "pattern too complex (C stack overflow)");
  for (;;) {
    spend(1);
    if (*item == '\0') return at;
    if (*item == '(') {
      return item[1] == ')' ? open_capture(at, item + 2, kPosition)
                            : open_capture(at, item + 1, kOpen);
    }
    if (*item == ')') return close_capture(at, item + 1);
    if (*item == '$' && item[1] == '\0') return at == end_ ? at : nullptr;
    if (*item == '%' && item[1] == 'b') {
      at = match_balanced(at, item + 2);
      if (at == nullptr) return nullptr;
      item += 4;
      continue;
    }
    if (*item == '%' && item[1] == 'f') {
      const char* const set = item + 2;
      if (*set != '[') luaL_error(lua_, "missing '[' after '%%f' in pattern");
      item = end_of(set);
      if (!is_frontier(at, set, item)) return nullptr;
      continue;
    }
    if (*item == '%' && is_digit(item[1])) {
      at = skip_capture_again(at, item[1]);
      if (at == nullptr) return nullptr;
      item += 2;
      continue;
    }
    const char* const behind = end_of(item);
    switch (*behind) {
      case '?': {
        const char* const end =
            matches(at, item, behind) ? match_rest(at + 1, behind + 1) : nullptr;
        if (end != nullptr) return end;
        item = behind + 1;
        continue;
      }
      case '*':
        return match_repeated(at, item, behind, 0);
      case '+':
        return match_repeated(at, item, behind, 1);
      case '-':
        return match_lazily(at, item, behind);
      default:
        if (!matches(at, item, behind)) return nullptr;
        ++at;
        item = behind;
    }
  }
}

// As often as it goes, then less and less often.
const char* PatternMatcher::match_repeated(const char* at, const char* item, const char* behind,
                                           ptrdiff_t least) {
  ptrdiff_t times = 0;
  while (matches(at + times, item, behind)) ++times;
  for (; times >= least; --times) {
    if (const char* const end = match_rest(at + times, behind + 1)) return end;
  }
  return nullptr;
}

const char* PatternMatcher::match_lazily(const char* at, const char* item, const char* behind) {
  for (;; ++at) {
    if (const char* const end = match_rest(at, behind + 1)) return end;
    if (!matches(at, item, behind)) return nullptr;
  }
}

// Behind the text that begins with the first of the two bytes and ends with the second that belongs
// to it.
const char* PatternMatcher::match_balanced(const char* at, const char* pair) {
  if (pair[0] == '\0' || pair[1] == '\0') luaL_error(lua_, "unbalanced pattern");
  if (at == end_ || *at != pair[0]) return nullptr;
  size_t depth = 1;
  while (++at < end_) {
    spend(1);
    if (*at == pair[1]) {
      if (--depth == 0) return at + 1;
    } else if (*at == pair[0]) {
      ++depth;
    }
  }
  return nullptr;
}

// Here the bytes of the set begin. Both ends of the subject count as zero bytes.
bool PatternMatcher::is_frontier(const char* at, const char* set, const char* behind) {
  const char before = at == begin_ ? '\0' : at[-1];
  return !is_in_set(static_cast<unsigned char>(before), set, behind) &&
         is_in_set(static_cast<unsigned char>(*at), set, behind);
}

const char* PatternMatcher::skip_capture_again(const char* at, char digit) {
  const int index = digit - '1';
  if (index < 0 || index >= count_ || captures_[index].bytes == kOpen)
    luaL_error(lua_, kBadCapture);
  const Capture& capture = captures_[index];
  if (capture.bytes == kPosition || end_ - at < capture.bytes) return nullptr;
  const auto bytes = static_cast<size_t>(capture.bytes);
  spend(bytes / kBytesAStep);
  return std::memcmp(at, capture.begin, bytes) == 0 ? at + bytes : nullptr;
}

const char* PatternMatcher::open_capture(const char* at, const char* rest, ptrdiff_t kind) {
  if (count_ == kCapturesMax) luaL_error(lua_, kTooManyCaptures);
  captures_[count_++] = {.begin = at, .bytes = kind};
  const char* const end = match_rest(at, rest);
  if (end == nullptr) --count_;
  return end;
}

const char* PatternMatcher::close_capture(const char* at, const char* rest) {
  int index = count_ - 1;
  while (index >= 0 && captures_[index].bytes != kOpen) --index;
  if (index < 0) luaL_error(lua_, "invalid pattern capture");
  captures_[index].bytes = at - captures_[index].begin;
  const char* const end = match_rest(at, rest);
  if (end == nullptr) captures_[index].bytes = kOpen;
  return end;
}

const char* PatternMatcher::end_of(const char* item) {
  if (*item == '%') {
    if (item[1] == '\0') luaL_error(lua_, "malformed pattern (ends with '%%')");
    return item + 2;
  }
  if (*item != '[') return item + 1;
  ++item;
  if (*item == '^') ++item;
  // The first byte of a set is one of it, even if it is its end elsewhere.
  do {
    if (*item == '\0') luaL_error(lua_, "malformed pattern (missing ']')");
    spend(1);
    item += *item == '%' && item[1] != '\0' ? 2 : 1;
  } while (*item != ']');
  return item + 1;
}

bool PatternMatcher::matches(const char* at, const char* item, const char* behind) {
  if (at >= end_) return false;
  spend(1);
  const auto byte = static_cast<unsigned char>(*at);
  switch (*item) {
    case '.':
      return true;
    case '%':
      return is_of_class(byte, static_cast<unsigned char>(item[1]));
    case '[':
      return is_in_set(byte, item, behind);
    default:
      return *item == *at;
  }
}

bool PatternMatcher::is_in_set(unsigned char byte, const char* set, const char* behind) {
  const char* const last = behind - 1;  // its ']'
  const bool wanted = set[1] != '^';
  const auto value = [](const char* at) { return static_cast<unsigned char>(*at); };
  for (const char* at = set + (wanted ? 1 : 2); at < last; ++at) {
    spend(1);
    if (*at == '%') {
      if (is_of_class(byte, value(++at))) return wanted;
    } else if (at[1] == '-' && at + 2 < last) {
      if (value(at) <= byte && byte <= value(at + 2)) return wanted;
      at += 2;
    } else if (value(at) == byte) {
      return wanted;
    }
  }
  return !wanted;
}

void PatternMatcher::push_capture(int index, const char* from, const char* to) {
  if (index >= count_) {
    if (index != 0) luaL_error(lua_, kBadCapture);
    return push_bytes(lua_, {from, static_cast<size_t>(to - from)});
  }
  const Capture& capture = captures_[index];
  if (capture.bytes == kOpen) luaL_error(lua_, "unfinished capture");
  if (capture.bytes == kPosition) return lua_pushinteger(lua_, capture.begin - begin_ + 1);
  push_bytes(lua_, {capture.begin, static_cast<size_t>(capture.bytes)});
}

int PatternMatcher::push_captures(const char* from, const char* to) {
  const int count = count_ == 0 && from != nullptr ? 1 : count_;
  luaL_checkstack(lua_, count, kTooManyCaptures);
  for (int i = 0; i < count; ++i) push_capture(i, from, to);
  return count;
}

}  // namespace ouro
