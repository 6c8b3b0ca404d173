// SPDX-License-Identifier: BSD-3-Clause
// Votes: what a member has promised, as the small file that outlives it.
//
//      member 10.0.0.1:6379\n              whose promise it is, as semi-sync-members names it
//      promised ouro:7:10.0.0.2:6379\n     a marker (ballot.h)
//      crc64 1234567890\n                  of all bytes before this line, in decimal
//
// In its older form it was the second line alone, which is still read: nobody's, by what it says.
// A file that is damaged is none of these; whoever took it for a missing one could promise less
// than it had promised before.
#pragma once

#include <optional>
#include <string>

#include "replication/ballot.h"

namespace ouro {

struct Votes {
  std::string member;  // empty: the older form does not say
  Ballot promised;     // its counter is not 0
  friend bool operator==(const Votes&, const Votes&) = default;
};

std::string text_of(const Votes& votes);
// None if `text` is not, byte for byte, what text_of() or its older form says.
std::optional<Votes> parse_votes(ByteView text);

}  // namespace ouro
