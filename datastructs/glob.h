// SPDX-License-Identifier: BSD-3-Clause
// Glob patterns as KEYS, SCAN, PSUBSCRIBE and CONFIG GET read them:
//
//   ?       any byte                      \x      the byte x
//   *       any run of bytes              [...]   one of these bytes; [a-z] a range, [^...] others
//
// Cost: at most pattern * text steps and no recursion: a star never gives back what one before it
// took. Quirk kept from Redis: only the empty pattern matches the empty text, not even "*" does.
// (KEYS and SCAN take a lone "*" as "no pattern" before they come here.)
#pragma once

#include "datastructs/base/units.h"

namespace ouro {

struct GlobOptions {
  bool ignore_case = false;  // ASCII letters
};
bool glob_matches(ByteView pattern, ByteView text, GlobOptions options = {});

}  // namespace ouro
