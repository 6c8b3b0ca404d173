// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/config.h"

#include <algorithm>

#include "datastructs/base/ascii.h"
#include "datastructs/base/check.h"
#include "datastructs/codec/quoted_words.h"
#include "datastructs/glob.h"
#include "server/engine/errors.h"

namespace ouro {
namespace {

bool has_name(const OptionRow& row, ByteView name) {
  return equals_ignoring_case(row.name, name) ||
         (!row.alias.empty() && equals_ignoring_case(row.alias, name));
}

bool is_pattern(ByteView text) { return text.find_first_of("*?[") != ByteView::npos; }

// Insertions, deletions, replacements and swaps of neighbours that lead from a to b.
size_t edit_distance(ByteView a, ByteView b) {
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> before_above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = above[j - 1] + (to_lower(a[i - 1]) == to_lower(b[j - 1]) ? 0U : 1U);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && to_lower(a[i - 1]) == to_lower(b[j - 2]) &&
          to_lower(a[i - 2]) == to_lower(b[j - 1])) {
        row[j] = std::min(row[j], before_above[j - 2] + 1);
      }
    }
    before_above.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

std::string set_failed(ByteView name, ByteView reason) {
  return std::string("ERR CONFIG SET failed (possibly related to argument '")
      .append(name)
      .append("') - ")
      .append(reason);
}

// The name as the table writes it.
ByteView known_name(const OptionRow& row, ByteView name) {
  return equals_ignoring_case(row.name, name) ? row.name : row.alias;
}

std::string file_line(const OptionRow& row, ByteView value) {
  std::string line(row.name);
  if (row.kind != OptionKind::kWords && row.kind != OptionKind::kFlags)
    return line + " " + quoted_word(value);
  const std::vector<ByteView> words = split_words(value);
  if (words.empty()) line += " \"\"";
  for (const ByteView word : words) line += " " + quoted_word(word);
  return line;
}

constexpr ByteView kAppendedMark = "# Written by CONFIG REWRITE";

}  // namespace

ByteView nearest_word(ByteView word, std::span<const std::string_view> known) {
  // A third of the letters may be wrong: beyond that a proposal is noise.
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  ByteView best;
  for (const ByteView candidate : known) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string quoted_word(ByteView word) {
  const bool plain =
      !word.empty() && word[0] != '#' && std::all_of(word.begin(), word.end(), [](char c) {
        return c > ' ' && c < 127 && c != '"' && c != '\'' && c != '\\';
      });
  if (plain) return std::string(word);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte < ' ' || byte >= 127) {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    } else {
      text += c;
    }
  }
  return text + '"';
}

std::string quoted_line(ByteView words) {
  std::string line;
  for (const ByteView word : split_at_spaces(words))
    line.append(line.empty() ? "" : " ").append(quoted_word(word));
  return line;
}

bool split_config_line(ByteView line, std::string& buffer, std::vector<ByteView>& words) {
  words.clear();
  // Each word takes at most its own part of the line, so the views stay put.
  buffer.resize(line.size());
  size_t at = 0;
  while (true) {
    ByteView word;
    size_t used = 0;
    switch (next_quoted_word(line, buffer.data() + at, word, used)) {
      case WordResult::kEnd:
        return true;
      case WordResult::kUnbalanced:
        return false;
      case WordResult::kWord:
        at += used;
        words.push_back(word);
        break;
    }
  }
}

Config::Config(std::span<const Part> parts) {
  for (const Part& part : parts) {
    for (const OptionRow& row : part.rows) {
      CHECK(find(row.name) == nullptr && (row.alias.empty() || find(row.alias) == nullptr));
      Slot& slot = slots_.emplace_back(Slot{.row = &row, .options = part.options, .kept = {}});
      if (row.field.load != nullptr) {
        CHECK(part.options != nullptr);
        continue;
      }
      // The standard value is what the rule itself makes of its text.
      std::vector<ByteView> words = {row.standard};
      if (row.kind == OptionKind::kWords || row.kind == OptionKind::kFlags)
        words = split_words(row.standard);
      std::string error;
      CHECK(parse_option(row, words, slot.kept, error));
    }
  }
}

Config::Slot* Config::find_slot(ByteView name) {
  for (Slot& slot : slots_) {
    if (has_name(*slot.row, name)) return &slot;
  }
  return nullptr;
}

const OptionRow* Config::find(ByteView name) const {
  const Slot* slot = const_cast<Config*>(this)->find_slot(name);
  return slot == nullptr ? nullptr : slot->row;
}

const Config::Slot& Config::slot_of(const OptionRow& row) const {
  for (const Slot& slot : slots_) {
    if (slot.row == &row) return slot;
  }
  OURO_UNREACHABLE();
}

OptionValue Config::value_of(const Slot& slot) {
  return slot.row->field.load == nullptr ? slot.kept : slot.row->field.load(slot.options);
}

void Config::store(Slot& slot, const OptionValue& value) {
  if (slot.row->field.store == nullptr) {
    slot.kept = value;
  } else {
    slot.row->field.store(slot.options, value);
  }
}

std::string Config::get(const OptionRow& row) const {
  return format_option(row, value_of(slot_of(row)));
}

std::string Config::get(ByteView name) const {
  const OptionRow* row = find(name);
  return row == nullptr ? std::string() : get(*row);
}

void Config::for_each_match(std::span<const ByteView> patterns,
                            FunctionRef<void(ByteView, ByteView)> fn) const {
  std::vector<ByteView> exact;  // each name once, in the spelling of who asks
  for (const ByteView pattern : patterns) {
    if (is_pattern(pattern)) continue;
    const OptionRow* row = find(pattern);
    if (row == nullptr || row->has(OptionFlag::kFileOnly)) continue;
    if (std::any_of(exact.begin(), exact.end(),
                    [&](ByteView seen) { return equals_ignoring_case(seen, pattern); }))
      continue;
    exact.push_back(pattern);
    fn(pattern, get(*row));
  }
  const auto visit = [&](const Slot& slot, ByteView name) {
    if (std::any_of(exact.begin(), exact.end(),
                    [&](ByteView seen) { return equals_ignoring_case(seen, name); }))
      return;
    for (const ByteView pattern : patterns) {
      if (!is_pattern(pattern) || !glob_matches(pattern, name, {.ignore_case = true})) continue;
      fn(name, format_option(*slot.row, value_of(slot)));
      return;
    }
  };
  for (const Slot& slot : slots_) {
    if (slot.row->has(OptionFlag::kHidden) || slot.row->has(OptionFlag::kFileOnly)) continue;
    visit(slot, slot.row->name);
    if (!slot.row->alias.empty()) visit(slot, slot.row->alias);
  }
}

void Config::for_each_row(FunctionRef<void(const OptionRow&)> fn) const {
  for (const Slot& slot : slots_) fn(*slot.row);
}

ByteView Config::nearest(ByteView name) const {
  std::vector<std::string_view> known;
  for (const Slot& slot : slots_) {
    known.push_back(slot.row->name);
    if (!slot.row->alias.empty()) known.push_back(slot.row->alias);
  }
  return nearest_word(name, known);
}

// Finds the rows and refuses what may not be set at all, before any value is looked at.
bool Config::collect(std::span<const Pair> pairs, Circumstances now, std::vector<Change>& changes,
                     std::string& error) {
  for (const Pair& pair : pairs) {
    Slot* slot = find_slot(pair.name);
    if (slot == nullptr || slot->row->has(OptionFlag::kFileOnly)) {
      error = std::string("ERR Unknown option or number of arguments for CONFIG SET - '")
                  .append(errors::shown(pair.name))
                  .append("'");
      return false;
    }
    if (slot->row->has(OptionFlag::kImmutable)) {
      error = set_failed(pair.name, "can't set immutable config");
      return false;
    }
    if (slot->row->has(OptionFlag::kProtected) && !now.allow_protected) {
      error = set_failed(pair.name, "can't set protected config");
      return false;
    }
    if (slot->row->has(OptionFlag::kNotLoading) && now.is_loading) {
      error = errors::kLoading;
      return false;
    }
    // An option's older name counts as another parameter: the later pair wins.
    const bool twice = std::any_of(changes.begin(), changes.end(), [&](const Change& other) {
      return equals_ignoring_case(other.name, pair.name);
    });
    if (twice) {
      error = set_failed(pair.name, "duplicate parameter");
      return false;
    }
    changes.push_back({.slot = slot, .name = pair.name, .before = {}});
  }
  return true;
}

void Config::take_back(std::span<const Change> changes) {
  for (size_t i = changes.size(); i-- > 0;) store(*changes[i].slot, changes[i].before);
}

bool Config::set(std::span<const Pair> pairs, Circumstances now, Apply apply, std::string& error) {
  std::vector<Change> changes;
  if (!collect(pairs, now, changes, error)) return false;
  for (size_t i = 0; i < pairs.size(); ++i) {
    Change& change = changes[i];
    const OptionRow& row = *change.slot->row;
    std::vector<ByteView> words = {pairs[i].value};
    if (row.kind == OptionKind::kWords || row.kind == OptionKind::kFlags)
      words = split_at_spaces(pairs[i].value);
    change.before = value_of(*change.slot);
    OptionValue value = change.before;
    std::string reason;
    if (!parse_option(row, words, value, reason)) {
      take_back(std::span(changes).first(i));
      error = set_failed(known_name(row, change.name), reason);
      return false;
    }
    change.differs = !(value == change.before);
    store(*change.slot, value);
  }
  for (size_t i = 0; i < changes.size(); ++i) {
    if (!changes[i].differs) continue;
    std::string reason;
    if (apply(*changes[i].slot->row, reason)) continue;
    error = set_failed(known_name(*changes[i].slot->row, changes[i].name), reason);
    take_back(changes);
    // What was applied already is applied again with its old value, which was good once.
    for (size_t j = 0; j <= i; ++j) {
      if (changes[j].differs) static_cast<void>(apply(*changes[j].slot->row, reason));
    }
    return false;
  }
  return true;
}

bool Config::load(const OptionRow& row, Words words, std::string& error) {
  Slot& slot = const_cast<Slot&>(slot_of(row));
  OptionValue value = value_of(slot);
  const std::string before = format_option(row, value);
  std::vector<ByteView> all(words.begin(), words.end());
  if ((row.kind == OptionKind::kWords || row.kind == OptionKind::kFlags) && words.size() == 1)
    all = split_words(words[0]);
  if (row.has(OptionFlag::kAccumulates) && slot.loaded && !all.empty()) {
    std::vector<ByteView> sum = split_words(before);
    sum.insert(sum.end(), all.begin(), all.end());
    all.swap(sum);
  }
  if (!parse_option(row, all, value, error)) return false;
  slot.loaded = true;
  store(slot, value);
  return true;
}

std::string Config::rewrite(ByteView old_text, RewriteScope scope,
                            std::span<const Directive> directives) const {
  std::string text;
  std::vector<bool> written(slots_.size(), false);
  std::string buffer;
  std::vector<ByteView> words;
  bool has_mark = false;
  // All lines of a directive stand where the first one stood.
  std::vector<bool> stands(directives.size(), false);
  const auto append_lines = [&](size_t index) {
    if (stands[index]) return;
    stands[index] = true;
    for (const std::string& line : directives[index].lines) text.append(line).append("\n");
  };
  while (!old_text.empty()) {
    const size_t end = old_text.find('\n');
    const ByteView line = old_text.substr(0, end);
    old_text.remove_prefix(end == ByteView::npos ? old_text.size() : end + 1);
    has_mark = has_mark || line == kAppendedMark;
    const Slot* slot = nullptr;
    if (line.find_first_not_of(" \t\r") != ByteView::npos &&
        line[line.find_first_not_of(" \t\r")] != '#' && split_config_line(line, buffer, words) &&
        !words.empty()) {
      slot = const_cast<Config*>(this)->find_slot(words[0]);
    }
    const auto directive = std::find_if(
        directives.begin(), directives.end(),
        [&](const Directive& each) { return slot != nullptr && slot->row->name == each.name; });
    if (directive != directives.end()) {
      append_lines(static_cast<size_t>(directive - directives.begin()));
      continue;
    }
    if (slot == nullptr || slot->row->has(OptionFlag::kFileOnly)) {
      text.append(line).append("\n");
      continue;
    }
    // The first line of a parameter says all of its value; later ones are left out.
    const auto index = static_cast<size_t>(slot - slots_.data());
    if (written[index]) continue;
    written[index] = true;
    const std::string now = format_option(*slot->row, value_of(*slot));
    OptionValue in_file;
    std::string ignored;
    const Words rest = Words(words).subspan(1);
    const bool same = parse_option(*slot->row, rest, in_file, ignored) &&
                      format_option(*slot->row, in_file) == now;
    text.append(same ? std::string(line) : file_line(*slot->row, now)).append("\n");
  }
  for (size_t i = 0; i < slots_.size(); ++i) {
    const OptionRow& row = *slots_[i].row;
    if (written[i] || row.has(OptionFlag::kFileOnly)) continue;
    const std::string now = format_option(row, value_of(slots_[i]));
    if (now == row.standard && scope == RewriteScope::kWhatDiffers) continue;
    if (!has_mark) text.append(kAppendedMark).append("\n");
    has_mark = true;
    text.append(file_line(row, now)).append("\n");
  }
  for (size_t i = 0; i < directives.size(); ++i) {
    if (stands[i] || directives[i].lines.empty()) continue;
    if (!has_mark) text.append(kAppendedMark).append("\n");
    has_mark = true;
    append_lines(i);
  }
  return text;
}

}  // namespace ouro
