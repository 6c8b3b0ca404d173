// SPDX-License-Identifier: BSD-3-Clause
// Append-only files as tests see them: effects from a line of words, and what a reader makes of a
// file, as text.
//
//   0: SET k v
//   3: INCR n
//   done
#pragma once

#include <string>
#include <vector>

#include "datastructs/base/prng.h"
#include "persistence/aof_reader.h"
#include "persistence/effect.h"

namespace ouro {

inline std::vector<std::string> split_words(ByteView line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

inline Effect effect(Heap& heap, DbIndex db, const std::vector<std::string>& words) {
  const std::vector<ByteView> argv(words.begin(), words.end());
  return {db, OwnedArgv(heap, argv)};
}
inline Effect effect(Heap& heap, DbIndex db, ByteView line) {
  return effect(heap, db, split_words(line));
}

// A command as RESP.
inline std::string resp(ByteView line) {
  const std::vector<std::string> words = split_words(line);
  std::string text = '*' + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words)
    text += '$' + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return text;
}

// A snapshot of a known size, which begins as one does and fails at a '!'.
class FakePreamble final : public AofPreamble {
 public:
  explicit FakePreamble(size_t bytes) : bytes_(bytes), left_(bytes) {}
  State feed(ByteView& bytes) override {
    const ByteView mine = bytes.substr(0, left_);
    bytes.remove_prefix(mine.size());
    left_ -= mine.size();
    if (mine.find('!') != ByteView::npos) return State::kFailed;
    return left_ == 0 ? State::kDone : State::kReading;
  }

  const char* reason() const override { return "it has a '!'"; }
  uint64_t offset() const override { return bytes_ - left_; }

 private:
  size_t bytes_;
  size_t left_;
};

inline std::string state_text(const AofReader& reader) {
  const std::string where = " at " + std::to_string(reader.offset()) + ": " + reader.reason();
  switch (reader.state()) {
    case AofReader::State::kReading:
      return "reading";
    case AofReader::State::kDone:
      return "done";
    case AofReader::State::kTorn:
      return "torn, good up to " + std::to_string(reader.ok_up_to()) + where;
    case AofReader::State::kDamaged:
      return "damaged, good up to " + std::to_string(reader.ok_up_to()) + where;
    case AofReader::State::kRefused:
      return "refused" + where;
    case AofReader::State::kBadPreamble:
      return "bad snapshot" + where;
  }
  return {};
}

// What a reader gives of a file that comes in chunks, each as long as `chunk()` says.
template <class Chunk>
std::string read_aof(AofReader& reader, ByteView file, Chunk chunk) {
  std::string text;
  const auto apply = [&](DbIndex db, Argv argv) {
    text += std::to_string(db) + ':';
    for (const ByteView word : argv) text.append(" ").append(word);
    text += '\n';
    return argv[0] == "REFUSED" ? Status(Err::kUnknown) : Status::ok();
  };
  while (!file.empty()) {
    const ByteView part = file.substr(0, chunk());
    file.remove_prefix(part.size());
    // A copy of its own: what reads beyond it is found.
    const std::vector<char> copy(part.begin(), part.end());
    reader.feed({copy.data(), copy.size()}, apply);
  }
  reader.end(apply);
  return text;
}

inline std::string read_aof(ByteView file, size_t chunk_bytes = ~size_t{0}) {
  AofReader reader;
  const std::string text = read_aof(reader, file, [&] { return chunk_bytes; });
  return text + state_text(reader);
}

}  // namespace ouro
