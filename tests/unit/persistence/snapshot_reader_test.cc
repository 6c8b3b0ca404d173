// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/snapshot_reader.h"

#include "datastructs/codec/checksum.h"
#include "snapshot_text.h"
#include "value_fixture.h"

namespace ouro {
namespace {

using State = SnapshotReader::State;

class Snapshot : public ValueFixture {
 protected:
  struct Result {
    State state;
    std::vector<std::string> lines;
    std::string problem;  // "offset: reason"
    size_t left = 0;
    uint64_t keys = 0;
    uint64_t empty = 0;
  };
  // Fed in chunks of so many bytes.
  Result read_file(ByteView file, size_t chunk_bytes = SIZE_MAX) {
    SnapshotText sink(db);
    SnapshotReader reader(sink, {heap, limits, db.seed()});
    while (!file.empty() && reader.state() == State::kReading) {
      ByteView chunk = file.substr(0, chunk_bytes);
      const size_t given = chunk.size();
      reader.feed(chunk);
      EXPECT_TRUE(chunk.empty() || reader.state() != State::kReading);
      file.remove_prefix(given - chunk.size());
    }
    Result result{reader.end(), sink.lines, "", file.size(), reader.keys(), reader.empty_skipped()};
    if (result.state == State::kFailed)
      result.problem = std::to_string(reader.offset()) + ": " + reader.reason();
    return result;
  }
  static std::string head(int version = 10) {
    char text[16];
    std::snprintf(text, sizeof text, "REDIS%04d", version);
    return text;
  }
  static std::string ended(std::string file) {
    file += '\xff';
    append_fixed(file, crc64(0, file));
    return file;
  }
  static void add_key(std::string& file, ByteView name, RdbType type, ByteView value) {
    RdbWriter out(file, RdbWriter::Packing::kNone);
    out.type(type);
    out.string(name);
    out.raw(value);
  }
  // A file of values of all kinds.
  std::string large_file() {
    RandomValues values(db, limits, 21);
    std::string file = head();
    for (uint64_t form = 0; form < RandomValues::kForms; ++form) {
      const Written written = write(values.put("made", form));
      add_key(file, "key" + std::to_string(form), written.type, written.bytes);
    }
    return ended(file);
  }
};

TEST_F(Snapshot, EverythingThatAFileMayHave) {
  std::string file = head();
  RdbWriter out(file, RdbWriter::Packing::kNone);
  out.opcode(RdbOpcode::kAux);
  out.string("redis-ver");
  out.string("7.0.15");
  out.opcode(RdbOpcode::kFunction);
  out.string("#!lua name=x");
  out.opcode(RdbOpcode::kModuleAux);
  out.module_id(12345);
  out.module_unsigned(2);
  out.module_string("whatever");
  out.module_end();
  out.opcode(RdbOpcode::kSelect);
  out.length(3);
  out.opcode(RdbOpcode::kResize);
  out.length(2);
  out.length(1);
  out.opcode(RdbOpcode::kSlotInfo);
  for (const uint64_t number : {1U, 2U, 3U}) out.length(number);
  out.opcode(RdbOpcode::kExpiryMillis);
  out.fixed<int64_t>(1'700'000'000'123);
  out.opcode(RdbOpcode::kIdle);
  out.length(100);
  add_key(file, "a", RdbType::kString, "\3abc");
  out.opcode(RdbOpcode::kExpirySeconds);
  out.fixed<int32_t>(1'700'000'000);
  out.opcode(RdbOpcode::kFrequency);
  out.byte(200);
  add_key(file, "b", RdbType::kList, "\1\1x");
  add_key(file, "c", RdbType::kString, "\xc0\x7");
  const std::string whole = ended(file) + "behind";
  const std::vector<std::string> expected = {
      "aux \"redis-ver\" \"7.0.15\"",
      "function \"#!lua name=x\"",
      "size 3: 2 1",
      "3 \"a\" ends 1700000000123 idle 100 string \"abc\"",
      "3 \"b\" ends 1700000000000 used 200 list \"x\" ",
      "3 \"c\" string \"7\"",
  };
  for (const size_t chunk : {SIZE_MAX, size_t{1}, size_t{3}, size_t{50}}) {
    const Result result = read_file(whole, chunk);
    EXPECT_EQ(result.state, State::kDone) << result.problem;
    EXPECT_EQ(result.lines, expected);
    EXPECT_EQ(result.keys, 3U);
    EXPECT_EQ(result.left, 6U);
  }
}

// Goal: chunks make no difference. Method: a file with values of all forms, in chunks of many
// sizes.
TEST_F(Snapshot, ChunksMakeNoDifference) {
  const std::string file = large_file();
  const Result whole = read_file(file);
  ASSERT_EQ(whole.state, State::kDone) << whole.problem;
  ASSERT_EQ(whole.keys, RandomValues::kForms);
  for (const size_t chunk : {7U, 100U, 4096U, 65536U, 100'000U}) {
    const Result parts = read_file(file, chunk);
    EXPECT_EQ(parts.state, State::kDone) << parts.problem;
    EXPECT_EQ(parts.lines, whole.lines) << chunk;
  }
}

TEST_F(Snapshot, ACutFileHasNoEnd) {
  const std::string file = large_file();
  for (size_t size = 0; size < file.size(); size += 1 + file.size() / 100) {
    const Result result = read_file(ByteView(file).substr(0, size));
    EXPECT_EQ(result.state, State::kFailed);
    EXPECT_EQ(result.problem, std::to_string(size) + ": the file ends here, before its end mark");
  }
}

TEST_F(Snapshot, AChangedBitIsFound) {
  const std::string file = large_file();
  Prng prng(22);
  for (int round = 0; round < 60; ++round) {
    std::string bad = file;
    const size_t at = prng.below(bad.size());
    bad[at] = static_cast<char>(bad[at] ^ (1 << prng.below(8)));
    EXPECT_EQ(read_file(bad).state, State::kFailed) << at;
  }
}

TEST_F(Snapshot, OldFilesHaveNoChecksum) {
  std::string file = head(4);
  add_key(file, "k", RdbType::kString, "\1v");
  const Result result = read_file(file +
                                      "\xff"
                                      "rest",
                                  2);
  EXPECT_EQ(result.state, State::kDone);
  EXPECT_EQ(result.left, 4U);
  // And one that was not asked for is not compared.
  file = head() + "\xff" + std::string(8, '\0');
  EXPECT_EQ(read_file(file).state, State::kDone);
}

TEST_F(Snapshot, WhatIsNotReadIsNamed) {
  EXPECT_EQ(read_file("REDIX0010").problem, "0: no RDB file begins so");
  EXPECT_EQ(read_file("REDIS00x0").problem, "5: the version is no number");
  EXPECT_EQ(read_file(head(13)).problem, "5: the version is one that is not read here");
  EXPECT_EQ(read_file(head(0)).problem, "5: the version is one that is not read here");
  EXPECT_EQ(read_file(head() + "\x08").problem, "9: no record or value begins so");
  EXPECT_EQ(read_file(head() + "\xf3").problem, "9: no record or value begins so");
  EXPECT_EQ(read_file(head() + "\xf6\1x").problem,
            "9: functions as release candidates of 7.0 wrote them");
  EXPECT_EQ(read_file(head() + "\xfe\xc8").problem, "10: no length begins so");
  std::string file = head();
  add_key(file, "k", RdbType::kSet, "\2\1a\1a");
  EXPECT_EQ(read_file(file).problem, "15: a member stands twice");
}

TEST_F(Snapshot, EmptyCollectionsArePassedOver) {
  std::string file = head();
  add_key(file, "none", RdbType::kHash, ByteView("\0", 1));
  add_key(file, "k", RdbType::kString, "\1v");
  const Result result = read_file(ended(file));
  EXPECT_EQ(result.state, State::kDone) << result.problem;
  EXPECT_EQ(result.lines, std::vector<std::string>{"0 \"k\" string \"v\""});
  EXPECT_EQ(result.empty, 1U);
}

TEST_F(Snapshot, TheBufferHoldsOnlyWhatHasCome) {
  SnapshotText sink(db);
  SnapshotReader reader(sink, {heap, limits, db.seed()});
  // A string of 2^60 bytes is announced.
  const std::string file = head() + std::string("\0\1k\x81\x10\0\0\0\0\0\0\0", 12) + "some";
  ByteView chunk = file;
  EXPECT_EQ(reader.feed(chunk), State::kReading);
  EXPECT_EQ(reader.bytes_taken(), file.size());
}

}  // namespace
}  // namespace ouro
