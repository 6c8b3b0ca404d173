// SPDX-License-Identifier: BSD-3-Clause
// What a rule may say, and its form as words:
//
//      JITTER pct | STALE ms | NEG ms | LEASE ms | LOADS n | RATE n ms | FILTER ON|OFF
//
// One line of a table a word (rule_settings.cc): the parser, the printer and the change of a rule
// follow from it.
#pragma once

#include <optional>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

// 0 is not said: the standard holds, or there is none.
struct RuleSettings {
  int64_t jitter_percent = 0;  // how much earlier a value may end
  Millis stale = 0;            // how long it is kept after its end
  Millis negative = 0;         // how long CACHE.NIL holds
  Millis lease = 0;            // how long a loader may take
  int64_t loads = 0;           // at once
  int64_t rate_count = 0;      // loads begun in a period
  Millis rate_period = 0;      // > 0 if rate_count is
  int64_t filter = 0;          // 1: what the filter does not know does not exist

  friend bool operator==(const RuleSettings&, const RuleSettings&) = default;
};

// A value that ended a week ago stands in for nothing.
inline constexpr Millis kStaleMax = Millis{7} * 24 * 3'600'000;
inline constexpr Millis kNegativeMax = 600'000;
// Less than a loader's way to its database and back.
inline constexpr Millis kLeaseMin = 10;
inline constexpr Millis kLeaseMax = 600'000;

// Some of the settings.
struct RuleChange {
  RuleSettings values;
  uint32_t said = 0;  // one bit a word of the table

  // The word whose value begins in this field stands there.
  bool says(int64_t RuleSettings::*field) const noexcept;
  void apply_to(RuleSettings& settings) const noexcept;
};

// From words in any order and case; of a word that stands twice the last holds.
// Errors: none, with a text without code in `error`.
std::optional<RuleChange> parse_rule_change(Argv words, std::string& error);

// All that is set as words with one blank between them; parse_rule_change() gives it back.
std::string rule_text(const RuleSettings& settings);

}  // namespace ouro
