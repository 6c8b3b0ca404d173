// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/option_checks.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "datastructs/base/ascii.h"
#include "datastructs/codec/number_text.h"
#include "server/engine/config.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

constexpr int64_t kInt32Max = INT32_MAX;
constexpr const char* kWrongCount = "wrong number of arguments";

// client-output-buffer-limit: class, hard bytes, soft bytes, soft seconds; any number of
// classes, the others stay.
OutputLimit* limit_of(EngineOptions& options, ByteView client_class) {
  const std::string name = to_lower(client_class);
  if (name == "normal") return &options.output_normal;
  if (name == "slave" || name == "replica") return &options.output_replica;
  if (name == "pubsub") return &options.output_pubsub;
  return nullptr;
}

// As strtoll reads it, but neither blanks nor what is below zero: no digits are 0.
std::optional<uint64_t> parse_seconds(ByteView text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto seconds = parse_digits(text);
  return seconds && *seconds <= uint64_t{kInt32Max} ? seconds : std::nullopt;
}

bool read_output_limits(EngineOptions& options, Words words, std::string& error) {
  if (words.size() % 4 != 0) {
    error = "Wrong number of arguments in buffer limit configuration.";
    return false;
  }
  for (size_t i = 0; i < words.size(); i += 4) {
    OutputLimit* limit = limit_of(options, words[i]);
    if (limit == nullptr) {
      error = "Invalid client class specified in buffer limit configuration.";
      return false;
    }
    OutputLimit read;
    const auto seconds = parse_seconds(words[i + 3]);
    if (!parse_bytes(words[i + 1], read.hard_bytes) ||
        !parse_bytes(words[i + 2], read.soft_bytes) || !seconds) {
      error = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
      return false;
    }
    read.soft_seconds = static_cast<int64_t>(*seconds);
    *limit = read;
  }
  return true;
}

std::string output_limits_text(const EngineOptions& options) {
  std::string text;
  const auto add = [&text](const char* name, const OutputLimit& limit) {
    text.append(text.empty() ? "" : " ").append(name);
    text.append(" ").append(std::to_string(limit.hard_bytes));
    text.append(" ").append(std::to_string(limit.soft_bytes));
    text.append(" ").append(std::to_string(limit.soft_seconds));
  };
  add("normal", options.output_normal);
  add("slave", options.output_replica);
  add("pubsub", options.output_pubsub);
  return text;
}

// Six decimals, less the zeros at the end.
std::string percent_text(double percent) {
  char text[32];
  std::string digits(text, static_cast<size_t>(std::snprintf(text, sizeof(text), "%f", percent)));
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

}  // namespace

bool check_output_limits(Words words, OptionValue& value, std::string& error) {
  EngineOptions merged;
  return read_output_limits(merged, split_words(value.text), error) &&
         read_output_limits(merged, words, error) &&
         (value.text = output_limits_text(merged), true);
}

OptionValue load_output_limits(const void* options) {
  return {.text = output_limits_text(*static_cast<const EngineOptions*>(options))};
}

void store_output_limits(void* options, const OptionValue& value) {
  std::string error;
  CHECK(read_output_limits(*static_cast<EngineOptions*>(options), split_words(value.text), error));
}

// Redis has no bound but that of its numbers.
bool check_bulk_bytes(Words, OptionValue& value, std::string& error) {
  if (value.number <= int64_t{UINT32_MAX}) return true;
  error = "argument must be at most 4294967295: elements have lengths of 32 bits";
  return false;
}

// It is a line of INFO, and goes into each HELLO.
bool check_zone(Words, OptionValue& value, std::string& error) {
  constexpr size_t kBytesMax = 256;
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
  if (value.text.size() <= kBytesMax && std::all_of(value.text.begin(), value.text.end(), is_plain))
    return true;
  error = "argument must be at most 256 printable characters";
  return false;
}

bool check_event_letters(Words, OptionValue& value, std::string& error) {
  const std::optional<std::string> ordered = PubSub::ordered_event_letters(value.text);
  if (ordered) {
    value.text = *ordered;
  } else {
    error = "Invalid event class character. Use 'Ag$lshzxeKEtmdnocSTIVL'.";
  }
  return ordered.has_value();
}

bool check_percentiles(Words words, OptionValue& value, std::string& error) {
  value.text.clear();
  for (const ByteView word : words) {
    const auto percent = parse_double(word);
    if (!percent) {
      error = "Invalid latency-tracking-info-percentiles parameters";
      return false;
    }
    if (!(*percent >= 0 && *percent <= 100)) {
      error = "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
      return false;
    }
    value.text.append(value.text.empty() ? "" : " ").append(percent_text(*percent));
  }
  return true;
}

// Each line of a file defines one; what the rules mean is seen when commands are known.
bool check_user(Words words, OptionValue& value, std::string& error) {
  if (words.empty()) {
    error = kWrongCount;
    return false;
  }
  std::string line = quoted_word(words[0]);
  ByteView known = value.text;
  while (!known.empty()) {
    const size_t end = known.find('\n') + 1;
    const ByteView name = known.substr(0, known.find_first_of(" \n"));
    if (name == line) {
      error = "Error in user declaration '" + std::string(words[0]) +
              "': Duplicate user found. A user can only be defined once in config files";
      return false;
    }
    known.remove_prefix(end);
  }
  for (const ByteView word : words.subspan(1)) line.append(" ").append(quoted_word(word));
  value.text.append(line).append("\n");
  return true;
}

bool check_cache_rule(Words words, OptionValue& value, std::string& error) {
  if (words.empty()) {
    error = kWrongCount;
    return false;
  }
  if (!parse_rule_change(words.subspan(1), error)) return false;
  std::string line;
  for (const ByteView word : words) line.append(line.empty() ? "" : " ").append(quoted_word(word));
  value.text.append(line).append("\n");
  return true;
}

bool check_rename(Words words, OptionValue& value, std::string& error) {
  if (words.size() != 2) {
    error = kWrongCount;
    return false;
  }
  value.text.append(quoted_word(words[0])).append(" ").append(quoted_word(words[1])).append("\n");
  return true;
}

}  // namespace ouro
