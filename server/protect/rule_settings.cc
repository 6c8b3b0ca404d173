// SPDX-License-Identifier: BSD-3-Clause
#include "server/protect/rule_settings.h"

#include "datastructs/base/ascii.h"
#include "datastructs/codec/number_text.h"
#include "server/protect/load_limit.h"

namespace ouro {
namespace {

// Takes min to max, or 0.
struct Number {
  int64_t RuleSettings::*field;
  int64_t min;
  int64_t max;
};

struct Word {
  ByteView name;
  Number first;
  Number second = {nullptr, 0, 0};
  bool is_switch = false;  // ON or OFF
};

constexpr Word kWords[] = {
    {.name = "JITTER", .first = {&RuleSettings::jitter_percent, 1, 100}},
    {.name = "STALE", .first = {&RuleSettings::stale, 1, kStaleMax}},
    {.name = "NEG", .first = {&RuleSettings::negative, 1, kNegativeMax}},
    {.name = "LEASE", .first = {&RuleSettings::lease, kLeaseMin, kLeaseMax}},
    {.name = "LOADS", .first = {&RuleSettings::loads, 1, LoadLimit::kLoadsMax}},
    {.name = "RATE",
     .first = {&RuleSettings::rate_count, 1, LoadLimit::kRateMax},
     .second = {&RuleSettings::rate_period, 1, LoadLimit::kPeriodMax}},
    {.name = "FILTER", .first = {&RuleSettings::filter, 1, 1}, .is_switch = true},
};

uint32_t bit_of(const Word& word) { return 1U << (&word - kWords); }

const Word* find_word(ByteView name) {
  for (const Word& word : kWords) {
    if (equals_ignoring_case(word.name, name)) return &word;
  }
  return nullptr;
}

std::string range_text(const Word& word, const Number& number) {
  return std::string(word.name) + " must be 0 or between " + std::to_string(number.min) + " and " +
         std::to_string(number.max);
}

// Takes the value of one field from the front of `rest`.
bool take_value(const Word& word, const Number& number, Argv& rest, RuleSettings& values,
                std::string& error) {
  if (rest.empty()) {
    error = "syntax error";
    return false;
  }
  const ByteView text = rest.front();
  rest = rest.subspan(1);
  if (word.is_switch) {
    const bool on = equals_ignoring_case(text, "ON");
    if (!on && !equals_ignoring_case(text, "OFF")) {
      error = std::string(word.name) + " must be ON or OFF";
      return false;
    }
    values.*number.field = on ? 1 : 0;
    return true;
  }
  const auto value = parse_int64(text);
  if (!value) {
    error = "value is not an integer or out of range";
    return false;
  }
  if (*value != 0 && (*value < number.min || *value > number.max)) {
    error = range_text(word, number);
    return false;
  }
  values.*number.field = *value;
  return true;
}

void append_value(std::string& out, const Word& word, int64_t value) {
  out.append(" ").append(word.is_switch ? "ON" : std::to_string(value));
}

}  // namespace

bool RuleChange::says(int64_t RuleSettings::*field) const noexcept {
  for (const Word& word : kWords) {
    if (word.first.field == field) return (said & bit_of(word)) != 0;
  }
  return false;
}

void RuleChange::apply_to(RuleSettings& settings) const noexcept {
  for (const Word& word : kWords) {
    if ((said & bit_of(word)) == 0) continue;
    settings.*word.first.field = values.*word.first.field;
    if (word.second.field != nullptr) settings.*word.second.field = values.*word.second.field;
  }
}

std::optional<RuleChange> parse_rule_change(Argv words, std::string& error) {
  RuleChange change;
  while (!words.empty()) {
    const Word* word = find_word(words.front());
    if (word == nullptr) {
      error = "syntax error";
      return std::nullopt;
    }
    words = words.subspan(1);
    if (!take_value(*word, word->first, words, change.values, error)) return std::nullopt;
    if (word->second.field != nullptr &&
        !take_value(*word, word->second, words, change.values, error)) {
      return std::nullopt;
    }
    change.said |= bit_of(*word);
  }
  RuleSettings& values = change.values;
  if (values.rate_count > 0 && values.rate_period == 0) {
    error = "RATE needs a period in milliseconds";
    return std::nullopt;
  }
  if (values.rate_count == 0) values.rate_period = 0;
  return change;
}

std::string rule_text(const RuleSettings& settings) {
  std::string out;
  for (const Word& word : kWords) {
    const int64_t value = settings.*word.first.field;
    if (value == 0) continue;
    if (!out.empty()) out += ' ';
    out += word.name;
    append_value(out, word, value);
    if (word.second.field != nullptr) append_value(out, word, settings.*word.second.field);
  }
  return out;
}

}  // namespace ouro
