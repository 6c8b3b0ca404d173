// SPDX-License-Identifier: BSD-3-Clause
// A condition on the string that a key has: IFEQ, IFNE, IFDEQ, IFDNE (SET, DELEX), by its bytes or
// by its digest. The digest is what DIGEST answers: XXH3 of the bytes with seed 0, in 16
// hexadecimal digits.
#pragma once

#include <array>

#include "server/engine/context.h"

namespace ouro {

struct StringCondition {
  enum Kind : uint8_t { kNone, kEqual, kNotEqual, kDigestEqual, kDigestNotEqual };
  Kind kind = kNone;
  ByteView operand = {};

  bool given() const { return kind != kNone; }
};

// Which condition a word stands for, in any case; kNone if it is not one.
StringCondition::Kind condition_kind(ByteView word);
// Takes a condition with its operand; false if the next argument is none. A second one is an error.
bool take_condition(ArgParser& args, StringCondition& condition);
// Whether it is met; an absent key (null) equals nothing. No condition always is.
// Errors: kWrongType for a key that is no string; a malformed digest, with its text.
Result<bool> holds(Context& ctx, const StringCondition& condition, const Entry* entry);

using DigestText = std::array<char, 16>;
DigestText digest_of(ByteView bytes);

}  // namespace ouro
