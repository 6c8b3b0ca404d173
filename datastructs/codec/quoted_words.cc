// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/quoted_words.h"

#include "datastructs/base/ascii.h"

namespace ouro {

namespace {

// Vertical tab and form feed are blanks before a word but no end of it.
bool ends_word(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Copies a quoted part, `at` standing behind its opening quote, to `out`. Null when the quote does
// not end properly.
const char* copy_quoted(const char* at, const char* end, char quote, char*& out) {
  while (at != end) {
    const char c = *at++;
    if (c == quote) return at == end || is_blank(*at) ? at : nullptr;
    if (c != '\\' || at == end) {
      *out++ = c;
    } else if (quote == '\'') {
      *out++ = *at == '\'' ? *at++ : c;
    } else if (*at == 'x' && end - at >= 3 && hex_value(at[1]) >= 0 && hex_value(at[2]) >= 0) {
      *out++ = static_cast<char>(hex_value(at[1]) * 16 + hex_value(at[2]));
      at += 3;
    } else {
      *out++ = unescaped(*at++);
    }
  }
  return nullptr;
}

}  // namespace

WordResult next_quoted_word(ByteView& rest, char* buffer, ByteView& word, size_t& buffer_used) {
  buffer_used = 0;
  const char* at = rest.data();
  const char* end = at + rest.size();
  while (at != end && is_blank(*at)) ++at;
  const char* start = at;
  while (at != end && !ends_word(*at) && *at != '"' && *at != '\'') ++at;
  if (at == end || ends_word(*at)) {
    word = {start, static_cast<size_t>(at - start)};
    rest.remove_prefix(static_cast<size_t>(at - rest.data()));
    return word.empty() ? WordResult::kEnd : WordResult::kWord;
  }
  char* out = buffer;
  for (const char* plain = start; plain != at; ++plain) *out++ = *plain;
  // A closing quote ends the word, so at most one part of it is quoted.
  at = copy_quoted(at + 1, end, *at, out);
  if (at == nullptr) return WordResult::kUnbalanced;
  rest.remove_prefix(static_cast<size_t>(at - rest.data()));
  buffer_used = static_cast<size_t>(out - buffer);
  word = {buffer, buffer_used};
  return WordResult::kWord;
}

}  // namespace ouro
