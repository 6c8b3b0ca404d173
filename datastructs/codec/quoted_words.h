// SPDX-License-Identifier: BSD-3-Clause
// Words of a line with quotes, as inline commands and configuration files have them:
//   plain words        end at blank, tab, CR or LF; a quote inside starts a quoted part of the same
//   word: a"b c" is "ab c" "double quoted"    knows \n \r \t \b \a, \xHH and a backslash before any
//   other byte, which stands for that byte 'single quoted'    knows \' only
// A closing quote must be followed by a blank or the end of the line.
#pragma once

#include <cstdint>

#include "datastructs/base/units.h"

namespace ouro {

enum class WordResult : uint8_t {
  kWord,
  kEnd,         // only blanks were left
  kUnbalanced,  // a quote that does not end, or something glued to a closing quote
};

// Takes the next word off the front of `rest`.
// `word` points into `rest` when it stands there as it is, else to `buffer`, which has room for
// rest.size() bytes. `buffer_used` says how much of it was needed.
WordResult next_quoted_word(ByteView& rest, char* buffer, ByteView& word, size_t& buffer_used);

}  // namespace ouro
