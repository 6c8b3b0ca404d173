// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/command.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>

#include "datastructs/base/ascii.h"
#include "datastructs/codec/number_text.h"

namespace ouro {
namespace {

// The argument indexes [first, first + step, ... last] of one KeySpec; first == 0 means none.
struct KeyRange {
  int64_t first = 0;
  int64_t last = 0;
  int64_t step = 1;
};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool is_keyword(ByteView word, ByteView keyword) {
  if (word.size() != keyword.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (upper(word[i]) != upper(keyword[i])) return false;
  }
  return true;
}

// A count of keys as its command would accept it: no sign, no leading zero, no more than there are
// arguments.
std::optional<int64_t> key_count(ByteView text, int64_t max) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  if (count < 0 || count > max) return std::nullopt;
  return count;
}

// C's atoi: what follows the digits does not count, what has none is 0.
int64_t lenient_count(ByteView text) {
  const std::string copy(text);
  return static_cast<int>(std::strtol(copy.c_str(), nullptr, 10));
}

// Redis's second way for "numkeys key ...", taken when the row's key specs do not fit the
// arguments: a lenient count, the destination last, and nothing said about how keys are used.
Status for_each_counted_key(const CommandSpec& row, Argv argv,
                            FunctionRef<void(size_t, KeyUse)> fn) {
  const auto counted = std::find_if(row.keys.begin(), row.keys.end(), [](const KeySpec& key) {
    return key.begin == KeySpec::Begin::kIndex && key.find == KeySpec::Find::kKeyNum;
  });
  if (counted == row.keys.end()) return Err::kInvalid;
  const auto count_index = static_cast<size_t>(counted->index);
  const size_t first = count_index + static_cast<size_t>(counted->first);
  const int64_t count = lenient_count(argv[count_index]);
  if (count < 1 || static_cast<size_t>(count) > argv.size() - first) return Err::kInvalid;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) fn(first + i, 0);
  if (counted != row.keys.begin()) fn(static_cast<size_t>(row.keys[0].index), 0);
  return Status::ok();
}

// The word after the keyword; 0 when the keyword is absent or is the last word, so that nothing
// follows.
int64_t after_keyword(const KeySpec& spec, Argv argv) {
  const auto words = static_cast<int64_t>(argv.size());
  const bool forward = spec.index > 0;
  const int64_t end = forward ? words - 1 : 0;
  for (int64_t i = forward ? spec.index : words + spec.index; forward ? i < end : i > end;
       i += forward ? 1 : -1) {
    if (is_keyword(argv[static_cast<size_t>(i)], spec.keyword)) return i + 1;
  }
  return 0;
}

int64_t last_of_range(const KeySpec& spec, int64_t first, int64_t words) {
  if (spec.last >= 0) return first + spec.last;
  if (spec.limit == 0) return words + spec.last;
  return first + (words - first) / spec.limit + spec.last;
}

Result<KeyRange> locate(const CommandSpec& row, const KeySpec& spec, Argv argv) {
  const auto words = static_cast<int64_t>(argv.size());
  KeyRange range{.step = spec.step};
  switch (spec.begin) {
    case KeySpec::Begin::kNone:
    case KeySpec::Begin::kUnknown:
      return KeyRange{};
    case KeySpec::Begin::kIndex:
      range.first = spec.index;
      break;
    case KeySpec::Begin::kKeyword:
      range.first = after_keyword(spec, argv);
      if (range.first == 0) return range;
      break;
  }
  switch (spec.find) {
    case KeySpec::Find::kUnknown:
      return KeyRange{};
    case KeySpec::Find::kRange:
      if (range.first == words && spec.last == -1) return KeyRange{};  // allowed by the row's arity
      range.last = last_of_range(spec, range.first, words);
      break;
    case KeySpec::Find::kKeyNum: {
      const int64_t at = range.first + spec.key_num;
      if (at < 1 || at >= words) return Err::kInvalid;
      const std::optional<int64_t> count = key_count(argv[static_cast<size_t>(at)], words);
      if (!count) return Err::kInvalid;
      if (*count == 0 && row.flags.has(Flag::kNoMandatoryKeys)) return KeyRange{};
      range.first += spec.first;
      range.last = range.first + (*count - 1) * spec.step;
      break;
    }
  }
  if (range.first < 1 || range.first > range.last || range.last >= words) return Err::kInvalid;
  return range;
}

}  // namespace

AclCategories acl_categories(const CommandSpec& spec) {
  AclCategories acl = spec.acl;
  // A script that only reads is still no member of @read: what it runs is asked for on its own.
  const bool scripting = (acl.bits & Acl::kScripting.bits) != 0;
  if (spec.flags.has(Flag::kWrite)) acl = acl | Acl::kWrite;
  if (spec.flags.has(Flag::kReadonly) && !scripting) acl = acl | Acl::kRead;
  if (spec.flags.has(Flag::kAdmin)) acl = acl | Acl::kAdmin | Acl::kDangerous;
  if (spec.flags.has(Flag::kPubsub)) acl = acl | Acl::kPubsub;
  if (spec.flags.has(Flag::kBlocking)) acl = acl | Acl::kBlocking;
  return acl | (spec.flags.has(Flag::kFast) ? Acl::kFast : Acl::kSlow);
}

Status for_each_key(const CommandSpec& spec, Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
  if (!spec.accepts(argv.size())) return Err::kInvalid;
  if (spec.movable_keys != nullptr) return spec.movable_keys(argv, fn);
  std::array<KeyRange, kKeySpecsMax> ranges{};
  for (size_t i = 0; i < ranges.size(); ++i) {
    const auto range = locate(spec, spec.keys[i], argv);
    if (!range.is_ok()) return for_each_counted_key(spec, argv, fn);
    ranges[i] = *range;
  }
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].first == 0) continue;
    for (int64_t at = ranges[i].first; at <= ranges[i].last; at += ranges[i].step) {
      fn(static_cast<size_t>(at), spec.keys[i].use);
    }
  }
  return Status::ok();
}

void for_each_database(const CommandSpec& spec, Argv argv, FunctionRef<void(size_t, int64_t)> fn) {
  const auto visit = [&](size_t at) {
    if (const auto db = parse_int64(argv[at])) fn(at, *db);
  };
  switch (spec.databases) {
    case DbUse::kSelectedOnly:
    case DbUse::kEvery:
      return;
    case DbUse::kFirst:
      return visit(1);
    case DbUse::kPair:
      visit(1);
      return visit(2);
    case DbUse::kSecond:
      return visit(2);
    case DbUse::kOption:
      for (size_t at = 3; at + 1 < argv.size(); ++at) {
        if (equals_ignoring_case(argv[at], "DB")) visit(at + 1);
      }
      return;
  }
}

}  // namespace ouro
