// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_manifest.h"

#include <algorithm>

#include "datastructs/base/ascii.h"
#include "datastructs/base/check.h"
#include "datastructs/codec/number_text.h"
#include "datastructs/codec/quoted.h"
#include "datastructs/codec/quoted_words.h"

namespace ouro {

namespace {

constexpr const char* kNotALine = "Invalid AOF manifest file format";
// Numbers stay well below the end of 64 bits, so that there is always a next one.
constexpr uint64_t kSeqMax = INT64_MAX / 2;

std::string name_with(ByteView stem, uint64_t seq, ByteView ending) {
  return std::string(stem) + '.' + std::to_string(seq) + std::string(ending);
}

// Redis does not quote a name for a single quote in it, and cannot read it then.
bool is_plain(ByteView name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '\\' && c != '"' && c != '\'';
  });
}

bool is_file_name(ByteView name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(ByteView("/\\\0", 3)) == ByteView::npos;
}

void append_line(std::string& to, const AofFile& file) {
  to += "file ";
  if (is_plain(file.name)) {
    to += file.name;
  } else {
    append_quoted(to, file.name);
  }
  to += " seq " + std::to_string(file.seq) + " type ";
  to += static_cast<char>(file.type);
  to += '\n';
}

ByteView trimmed(ByteView line) {
  constexpr ByteView kBlanks = " \t\r\n";
  const size_t first = line.find_first_not_of(kBlanks);
  if (first == ByteView::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) + 1 - first);
}

// The number in a name that aof_increment_name() could have made, whatever the stem; 0 in others.
uint64_t increment_seq_of(ByteView name) {
  constexpr ByteView kEnding = ".incr.aof";
  if (!name.ends_with(kEnding)) return 0;
  name.remove_suffix(kEnding.size());
  return parse_uint64(name.substr(name.rfind('.') + 1)).value_or(0);
}

}  // namespace

std::string aof_base_name(ByteView stem, uint64_t seq, AofBaseFormat format) {
  return name_with(stem, seq, format == AofBaseFormat::kSnapshot ? ".base.rdb" : ".base.aof");
}

std::string aof_increment_name(ByteView stem, uint64_t seq) {
  return name_with(stem, seq, ".incr.aof");
}

std::string aof_manifest_name(ByteView stem) { return std::string(stem) + ".manifest"; }

AofManifest::Parsed AofManifest::parse(ByteView text) {
  Parsed parsed;
  const auto fail = [](size_t line, ByteView its_text, const char* reason) {
    return Parsed{{}, ManifestError{line, std::string(its_text), reason}};
  };
  if (text.empty()) return fail(0, {}, "Found an empty AOF manifest");
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    const ByteView whole = text.substr(0, end == ByteView::npos ? text.size() : end + 1);
    text.remove_prefix(whole.size());
    if (whole[0] == '#') continue;
    const ByteView bare = trimmed(whole);
    if (end == ByteView::npos || whole.size() > kManifestLineBytesMax)
      return fail(line, bare, "The AOF manifest file contains too long line");
    if (const char* reason = parsed.manifest.parse_line(bare)) return fail(line, bare, reason);
  }
  return parsed;
}

// Returns what is wrong, or null.
const char* AofManifest::parse_line(ByteView line) {
  AofFile file;
  bool has_type = false;
  char type = 0;
  std::vector<std::string> words;
  std::string buffer(line.size(), '\0');
  for (ByteView word;;) {
    size_t used = 0;
    const WordResult result = next_quoted_word(line, buffer.data(), word, used);
    if (result == WordResult::kUnbalanced) return kNotALine;
    if (result == WordResult::kEnd) break;
    words.emplace_back(word);
  }
  if (words.size() < 6 || words.size() % 2 != 0) return kNotALine;
  for (size_t i = 0; i < words.size(); i += 2) {
    const std::string& value = words[i + 1];
    if (equals_ignoring_case(words[i], "file")) {
      if (!is_file_name(value)) return "File can't be a path, just a filename";
      file.name = value;
    } else if (equals_ignoring_case(words[i], "seq")) {
      file.seq = parse_uint64(value).value_or(0);
    } else if (equals_ignoring_case(words[i], "type") && !value.empty()) {
      has_type = true;
      type = value[0];
    }
  }
  if (file.name.empty() || file.seq == 0 || file.seq > kSeqMax || !has_type) return kNotALine;
  file.type = static_cast<AofFileType>(type);
  return add(std::move(file));
}

const char* AofManifest::add(AofFile file) {
  switch (file.type) {
    case AofFileType::kBase:
      if (base_) return "Found duplicate base file information";
      if (uses(file.name)) return "Found a file name twice";
      base_seq_ = std::max(base_seq_, file.seq);
      base_ = std::move(file);
      return nullptr;
    case AofFileType::kIncrement:
      if (!increments_.empty() && file.seq <= increments_.back().seq)
        return "Found a non-monotonic sequence number";
      if (uses(file.name)) return "Found a file name twice";
      reserve_increment(file.seq);
      increments_.push_back(std::move(file));
      return nullptr;
    case AofFileType::kHistory:
      reserve_increment(std::min(increment_seq_of(file.name), kSeqMax));
      history_.push_back(std::move(file));
      return nullptr;
  }
  return "Unknown AOF file type";
}

std::string AofManifest::format() const {
  std::string text;
  if (base_) append_line(text, *base_);
  for (const AofFile& file : history_) append_line(text, file);
  for (const AofFile& file : increments_) append_line(text, file);
  return text;
}

bool AofManifest::uses(ByteView name) const {
  if (base_ && base_->name == name) return true;
  return std::any_of(increments_.begin(), increments_.end(),
                     [&](const AofFile& file) { return file.name == name; });
}

const AofFile& AofManifest::add_increment(ByteView stem) {
  ++increment_seq_;
  increments_.push_back(
      {aof_increment_name(stem, increment_seq_), increment_seq_, AofFileType::kIncrement});
  return increments_.back();
}

const AofFile& AofManifest::add_base(ByteView stem, AofBaseFormat format) {
  if (base_) {
    base_->type = AofFileType::kHistory;
    history_.insert(history_.begin(), std::move(*base_));
  }
  ++base_seq_;
  base_ = AofFile{aof_base_name(stem, base_seq_, format), base_seq_, AofFileType::kBase};
  return *base_;
}

void AofManifest::add_old_file(ByteView name) {
  CHECK(empty());
  base_seq_ = std::max<uint64_t>(base_seq_, 1);
  base_ = AofFile{std::string(name), base_seq_, AofFileType::kBase};
}

void AofManifest::retire_increments(size_t kept) {
  const size_t retired = increments_.size() - std::min(kept, increments_.size());
  for (size_t i = retired; i-- > 0;) {
    increments_[i].type = AofFileType::kHistory;
    history_.insert(history_.begin(), std::move(increments_[i]));
  }
  increments_.erase(increments_.begin(),
                    increments_.begin() + static_cast<std::ptrdiff_t>(retired));
}

void AofManifest::reserve_increment(uint64_t seq) {
  increment_seq_ = std::max(increment_seq_, seq);
}

}  // namespace ouro
