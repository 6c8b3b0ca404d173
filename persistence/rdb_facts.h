// SPDX-License-Identifier: BSD-3-Clause
// What ouro tells of a key in an RDB file beyond what the format has: auxiliary fields, which other
// readers pass over, so that Redis has the same keys and values.
//
//   ouro-fill    of the key that follows: "<stale ms> <load ms> <version>". One whose deadline has
//                passed is then stale, not gone, until that many ms later.
//   ouro-absent  of a key that is not there: "<absent until> <version> <refused until> <key>";
//                a time is in Unix ms, 0 is none
//   ouro-filter  a piece of a filter of keys: "<position> <bytes of the rule's prefix>
//   <prefix><piece>"
//                (datastructs/key_filter_pieces.h)
#pragma once

#include <optional>
#include <string>

#include "datastructs/key_filter_pieces.h"
#include "datastructs/keyspace/entry.h"

namespace ouro {

inline constexpr ByteView kFillFact = "ouro-fill";
inline constexpr ByteView kAbsentFact = "ouro-absent";
inline constexpr ByteView kFilterFact = "ouro-filter";

// A note of Aside.
struct AbsentKey {
  ByteView key;
  UnixMs absent_until = 0;
  uint64_t version = 0;  // no value up to this is to be stored
  UnixMs refused_until = 0;

  static AbsentKey of(const Entry& note) noexcept;
};

std::string fill_text(const Fill& fill);
std::string absent_text(const AbsentKey& absent);
std::string filter_text(const FilterPiece& piece);
// Nothing if the text is none of these.
std::optional<Fill> parse_fill(ByteView text);
std::optional<AbsentKey> parse_absent(ByteView text);
std::optional<FilterPiece> parse_filter(ByteView text);

}  // namespace ouro
