// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/glob.h"

#include <cstdint>
#include <utility>

namespace ouro {
namespace {

class Matcher {
 public:
  Matcher(ByteView pattern, ByteView text, bool ignore_case)
      : pattern_(pattern), text_(text), ignore_case_(ignore_case) {}

  bool run() {
    if (text_.empty()) return pattern_.empty();
    size_t star = kNone;   // where to take up the pattern again
    size_t star_text = 0;  // and the text, one byte later each time
    size_t p = 0;
    size_t t = 0;
    while (t < text_.size()) {
      if (p < pattern_.size() && pattern_[p] == '*') {
        star = ++p;
        star_text = t;
      } else if (p < pattern_.size() && one(p, text_[t])) {
        ++t;
      } else if (star != kNone) {
        p = star;
        t = ++star_text;
      } else {
        return false;
      }
    }
    while (p < pattern_.size() && pattern_[p] == '*') ++p;
    return p == pattern_.size();
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;

  uint8_t fold(char c) const {
    const auto byte = static_cast<uint8_t>(c);
    return ignore_case_ && byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte - 'A' + 'a')
                                                      : byte;
  }

  // Matches the element at p, which is no star, with one byte, and moves p behind it.
  bool one(size_t& p, char c) const {
    switch (pattern_[p]) {
      case '?':
        ++p;
        return true;
      case '[':
        return one_of(++p, c);
      case '\\':
        if (p + 1 < pattern_.size()) ++p;
        break;
      default:
        break;
    }
    return fold(pattern_[p++]) == fold(c);
  }

  // What stands in brackets; p is behind the first one. A missing bracket at the end counts as
  // there.
  bool one_of(size_t& p, char c) const {
    const bool negated = p < pattern_.size() && pattern_[p] == '^';
    if (negated) ++p;
    bool found = false;
    for (; p < pattern_.size() && pattern_[p] != ']'; ++p) {
      if (pattern_[p] == '\\' && p + 1 < pattern_.size()) {
        found |= pattern_[++p] == c;
      } else if (p + 2 < pattern_.size() && pattern_[p + 1] == '-') {
        found |= in_range(c, pattern_[p], pattern_[p + 2]);
        p += 2;
      } else {
        found |= fold(pattern_[p]) == fold(c);
      }
    }
    if (p < pattern_.size()) ++p;
    return found != negated;
  }

  // As in Redis the ends are signed bytes, and change places before their case is dropped, not
  // after: [Z-b] is empty then.
  bool in_range(char c, char first, char last) const {
    if (static_cast<signed char>(first) > static_cast<signed char>(last)) std::swap(first, last);
    const auto folded = [this](char byte) { return static_cast<int8_t>(fold(byte)); };
    return folded(first) <= folded(c) && folded(c) <= folded(last);
  }

  ByteView pattern_;
  ByteView text_;
  bool ignore_case_;
};

}  // namespace

bool glob_matches(ByteView pattern, ByteView text, GlobOptions options) {
  return Matcher(pattern, text, options.ignore_case).run();
}

}  // namespace ouro
