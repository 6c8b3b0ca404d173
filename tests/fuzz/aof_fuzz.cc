// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes the reader of append-only files: wherever a file is cut into chunks the same comes out;
// what is cut at ok_up_to() is good and gives what was applied; what was applied, written again, is
// read again, and one flipped bit in that is found. How it is run: fuzz_program.h.
#include <iterator>
#include <string>

#include "aof_text.h"
#include "datastructs/base/ascii.h"
#include "datastructs/base/hash.h"
#include "fuzz_program.h"
#include "persistence/aof_line.h"
#include "persistence/aof_writer.h"

namespace ouro {
namespace {

struct Outcome {
  std::string text;
  AofReader::State state;
  uint64_t ok_up_to;
  uint64_t damage_end;
  std::vector<std::pair<DbIndex, std::vector<std::string>>> commands;
};

// The first bytes of a file that begins as a snapshot does are one, as many as the next byte says.
Outcome outcome_of(ByteView file, Prng* prng) {
  FakePreamble snapshot(file.size() > 5 ? 6 + static_cast<unsigned char>(file[5]) % 8U : 6);
  AofReader reader(&snapshot);
  Outcome outcome;
  const auto apply = [&](DbIndex db, Argv argv) {
    outcome.commands.push_back({db, {argv.begin(), argv.end()}});
    return argv[0] == "REFUSED" ? Status(Err::kUnknown) : Status::ok();
  };
  while (!file.empty()) {
    const ByteView chunk =
        prng == nullptr ? file : file.substr(0, 1 + prng->below(1 + prng->below(file.size())));
    file.remove_prefix(chunk.size());
    const std::vector<char> copy(chunk.begin(), chunk.end());
    reader.feed({copy.data(), copy.size()}, apply);
    CHECK(reader.ok_up_to() <= reader.offset() || reader.state() == AofReader::State::kReading);
  }
  outcome.state = reader.end(apply);
  CHECK(outcome.state != AofReader::State::kReading);
  outcome.text = state_text(reader) + " line " + std::to_string(reader.ok_up_to_line());
  outcome.ok_up_to = reader.ok_up_to();
  outcome.damage_end = reader.damage_end();
  return outcome;
}

void check_written_again(const Outcome& outcome, Prng& prng) {
  Heap heap;
  AofWriter writer(heap, {.checksums = true, .timestamps = prng.below(2) == 0});
  std::string file;
  UnixMs now = 0;
  for (const auto& [db, words] : outcome.commands) {
    const Effect effects[] = {effect(heap, db, words)};
    writer.append(effects, prng.below(4) == 0 ? GroupKind::kTransaction : GroupKind::kCommand,
                  now += 400);
    if (prng.below(3) > 0) continue;
    file += writer.take().bytes;
    writer.release();
  }
  if (writer.has_gathered()) file += writer.take().bytes;
  Outcome again = outcome_of(file, &prng);
  CHECK(again.state == AofReader::State::kDone);
  CHECK(again.commands == outcome.commands);
  if (file.empty()) return;
  const size_t at = prng.below(file.size());
  const size_t header_at = file.find(kAofHeaderLine);
  file[at] = static_cast<char>(file[at] ^ 1 << prng.below(8));
  const Outcome flipped = outcome_of(file, &prng);
  // Another time in front of the header is no other data.
  if (at < header_at && flipped.state == AofReader::State::kDone) {
    CHECK(flipped.commands == outcome.commands);
    return;
  }
  CHECK(flipped.state == AofReader::State::kTorn || flipped.state == AofReader::State::kDamaged);
  CHECK(flipped.commands.size() <= outcome.commands.size());
  CHECK(std::equal(flipped.commands.begin(), flipped.commands.end(), outcome.commands.begin()));
  // Without its header a file has no checksums to go by until the first of them comes.
  if (at < header_at + kAofHeaderLine.size()) return;
  CHECK(flipped.ok_up_to <= at);
  if (flipped.state == AofReader::State::kDamaged) CHECK(at < flipped.damage_end);
}

// Commands of the reader's own are not handed out as others are.
bool has_own_words(const Outcome& outcome) {
  for (const auto& [db, words] : outcome.commands) {
    const std::string name = to_lower(words[0]);
    if ((words.size() == 1 && (name == "multi" || name == "exec" || name == "refused")) ||
        (words.size() == 2 && name == "select"))
      return true;
  }
  return false;
}

void check_file(ByteView file) {
  const Outcome whole = outcome_of(file, nullptr);
  Prng prng(hash_bytes(file, {}));
  for (int i = 0; i < 4; ++i) {
    const Outcome cut = outcome_of(file, &prng);
    CHECK(cut.text == whole.text);
    CHECK(cut.commands == whole.commands);
  }
  if (whole.state == AofReader::State::kTorn) {
    const Outcome good = outcome_of(file.substr(0, whole.ok_up_to), nullptr);
    CHECK(good.state == AofReader::State::kDone);
    CHECK(good.commands == whole.commands);
  }
  if (!has_own_words(whole)) check_written_again(whole, prng);
}

std::string fragment(Prng& prng) {
  static constexpr const char* kFragments[] = {"*1\r\n$5\r\nMULTI\r\n",
                                               "*1\r\n$4\r\nEXEC\r\n",
                                               "*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n",
                                               "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nvv\r\n",
                                               "*1\r\n$7\r\nREFUSED\r\n",
                                               "*1\r\n",
                                               "$3\r\n",
                                               "$0\r\n\r\n",
                                               "$4294967295\r\n",
                                               "*2147483647\r\n",
                                               "\r\n",
                                               "#TS:1700000000\r\n",
                                               "#C:",
                                               "#\r\n",
                                               "#OURO:1\r\n",
                                               "REDIS"};
  if (prng.below(6) == 0) {
    // A write as it should be.
    const std::string bytes = resp("INCR n" + std::to_string(prng.below(100)));
    return bytes + aof_checksum_line(bytes);
  }
  return kFragments[prng.below(std::size(kFragments))];
}

}  // namespace

constinit const FuzzTarget kFuzzTarget = {
    .name = "aof_fuzz", .check = check_file, .fragment = fragment};

}  // namespace ouro
