// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/option.h"

#include <algorithm>
#include <charconv>

#include "datastructs/base/ascii.h"
#include "datastructs/base/check.h"

namespace ouro {
namespace {

template <class T>
bool parse_number(ByteView text, T& value, int base = 10) {
  // "-0" and "007" are refused too: what a value prints as is the only way to write it.
  if (base == 10 && text.size() > 1 && (text[0] == '0' || (text[0] == '-' && text[1] == '0')))
    return false;
  const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return err == std::errc() && end == text.data() + text.size();
}

bool within_bounds(const OptionRow& row, int64_t number, std::string& error) {
  if (number >= row.least && number <= row.most) return true;
  error = "argument must be between " + std::to_string(row.least) + " and " +
          std::to_string(row.most) + " inclusive";
  return false;
}

bool parse_integer(const OptionRow& row, ByteView text, OptionValue& value, std::string& error) {
  const bool octal = row.kind == OptionKind::kOctal;
  if (!parse_number(text, value.number, octal ? 8 : 10) || (octal && text[0] == '-')) {
    error = octal ? "argument couldn't be parsed as an octal number"
                  : "argument couldn't be parsed into an integer";
    return false;
  }
  return within_bounds(row, value.number, error);
}

bool parse_size(const OptionRow& row, ByteView text, OptionValue& value, std::string& error) {
  if (row.kind == OptionKind::kPercentOrBytes && text.ends_with('%')) {
    int64_t percent = 0;
    if (!parse_number(text.substr(0, text.size() - 1), percent) || percent < 0) {
      error = "argument must be a memory or percent value";
      return false;
    }
    if (percent > 100) {
      error = "percentage argument must be less or equal to 100";
      return false;
    }
    value.number = -percent;
    return true;
  }
  uint64_t bytes = 0;
  if (!parse_bytes(text, bytes)) {
    error = row.kind == OptionKind::kPercentOrBytes ? "argument must be a memory or percent value"
                                                    : "argument must be a memory value";
    return false;
  }
  // Beyond int64 it is out of anybody's bounds.
  value.number = bytes > static_cast<uint64_t>(INT64_MAX) ? -1 : static_cast<int64_t>(bytes);
  return within_bounds(row, value.number, error);
}

bool no_such_name(const OptionRow& row, std::string& error) {
  error = "argument(s) must be one of the following: ";
  for (size_t i = 0; i < row.names.size(); ++i)
    error.append(i == 0 ? "" : ", ").append(row.names[i]);
  return false;
}

bool parse_names(const OptionRow& row, Words words, OptionValue& value, std::string& error) {
  value.number = 0;
  if (words.empty()) return no_such_name(row, error);
  for (const ByteView word : words) {
    size_t index = 0;
    while (index < row.names.size() && !equals_ignoring_case(row.names[index], word)) ++index;
    if (index == row.names.size()) return no_such_name(row, error);
    if (row.kind == OptionKind::kEnum) {
      value.number = static_cast<int64_t>(index);
    } else if (index > 0) {
      value.number |= int64_t{1} << (index - 1);
    }
  }
  return true;
}

bool parse_one(const OptionRow& row, ByteView word, OptionValue& value, std::string& error) {
  switch (row.kind) {
    case OptionKind::kBool:
      value.number = equals_ignoring_case(word, "yes") ? 1 : 0;
      if (value.number == 1 || equals_ignoring_case(word, "no")) return true;
      error = "argument must be 'yes' or 'no'";
      return false;
    case OptionKind::kInteger:
    case OptionKind::kOctal:
      return parse_integer(row, word, value, error);
    case OptionKind::kBytes:
    case OptionKind::kPercentOrBytes:
      return parse_size(row, word, value, error);
    case OptionKind::kText:
      value.text.assign(word);
      return true;
    case OptionKind::kEnum:
    case OptionKind::kFlags:
    case OptionKind::kWords:
      break;
  }
  OURO_UNREACHABLE();
}

}  // namespace

bool parse_bytes(ByteView text, uint64_t& bytes) {
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  bytes = 0;
  const auto [end, err] = std::from_chars(text.data(), text.data() + digits, bytes);
  if (err == std::errc::result_out_of_range) bytes = UINT64_MAX;
  struct Unit {
    ByteView name;
    uint64_t factor;
  };
  static constexpr Unit kUnits[] = {
      {"", 1},           {"b", 1},      {"k", 1000},          {"kb", 1_KiB},
      {"m", 1000000ULL}, {"mb", 1_MiB}, {"g", 1000000000ULL}, {"gb", 1_GiB}};
  for (const Unit& unit : kUnits) {
    if (!equals_ignoring_case(text.substr(digits), unit.name)) continue;
    if (__builtin_mul_overflow(bytes, unit.factor, &bytes)) bytes = UINT64_MAX;
    return true;
  }
  return false;
}

std::vector<ByteView> split_words(ByteView text) {
  std::vector<ByteView> words;
  while (true) {
    const size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == ByteView::npos) return words;
    const size_t end = std::min(text.find_first_of(" \t\r\n", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

std::vector<ByteView> split_at_spaces(ByteView text) {
  std::vector<ByteView> words;
  if (text.empty()) return words;
  for (size_t begin = 0, end = 0; end != ByteView::npos; begin = end + 1) {
    end = text.find(' ', begin);
    words.push_back(text.substr(begin, end - begin));
  }
  return words;
}

bool parse_option(const OptionRow& row, Words words, OptionValue& value, std::string& error) {
  OptionValue parsed = value;
  if (row.kind == OptionKind::kWords) {
    parsed.text.clear();
    for (const ByteView word : words)
      parsed.text.append(parsed.text.empty() ? "" : " ").append(word);
  } else if (row.kind != OptionKind::kFlags && words.size() != 1) {
    error = "wrong number of arguments";
    return false;
  } else if (row.kind == OptionKind::kFlags || row.kind == OptionKind::kEnum) {
    if (!parse_names(row, words, parsed, error)) return false;
  } else if (!parse_one(row, words[0], parsed, error)) {
    return false;
  }
  if (row.check != nullptr) {
    // A rule of many words starts from what holds now: it may change a part of it only.
    if (row.kind == OptionKind::kWords) parsed.text = value.text;
    if (!row.check(words, parsed, error)) return false;
  }
  if (!row.later.empty() && format_option(row, parsed) != row.standard) {
    error.assign(row.later)
        .append(" is not available in this version: the only value is '")
        .append(row.standard)
        .append("'");
    return false;
  }
  value = std::move(parsed);
  return true;
}

std::string format_option(const OptionRow& row, const OptionValue& value) {
  switch (row.kind) {
    case OptionKind::kBool:
      return value.number != 0 ? "yes" : "no";
    case OptionKind::kOctal: {
      char text[24];
      const auto [end, err] = std::to_chars(text, text + sizeof(text), value.number, 8);
      CHECK(err == std::errc());
      return std::string(text, end);
    }
    case OptionKind::kPercentOrBytes:
      if (value.number < 0) return std::to_string(-value.number) + "%";
      return std::to_string(value.number);
    case OptionKind::kInteger:
    case OptionKind::kBytes:
      return std::to_string(value.number);
    case OptionKind::kEnum:
      CHECK(static_cast<size_t>(value.number) < row.names.size());
      return std::string(row.names[static_cast<size_t>(value.number)]);
    case OptionKind::kFlags: {
      std::string text;
      for (size_t i = 1; i < row.names.size(); ++i) {
        if ((value.number >> (i - 1) & 1) != 0)
          text.append(text.empty() ? "" : " ").append(row.names[i]);
      }
      return text.empty() ? std::string(row.names[0]) : text;
    }
    case OptionKind::kText:
    case OptionKind::kWords:
      return value.text;
  }
  OURO_UNREACHABLE();
}

}  // namespace ouro
