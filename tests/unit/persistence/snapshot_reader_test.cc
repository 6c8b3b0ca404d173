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

// Each key of records that come whole is told before it is handed out, and none is handed out
// behind one that is damaged.
TEST_F(Snapshot, KeysAreToldAhead) {
  struct Ahead final : SnapshotText {
    using SnapshotText::SnapshotText;
    void on_coming(DbIndex, ByteView key) override { told.emplace_back(key); }
    bool on_string(const SnapshotKey& key, ByteView text) override {
      EXPECT_TRUE(handed < told.size() && told[handed] == key.key);
      ++handed;
      return SnapshotText::on_string(key, text);
    }
    std::vector<std::string> told;
    size_t handed = 0;
  };
  std::string file = head();
  size_t damaged_at = 0;
  for (int i = 0; i < 100; ++i) {
    if (i == 42) damaged_at = file.size();
    std::string value;
    RdbWriter(value, RdbWriter::Packing::kNone).string("value");
    add_key(file, "key" + std::to_string(i), RdbType::kString, value);
  }
  file = ended(file);
  Ahead sink(db);
  SnapshotReader reader(sink, {heap, limits, db.seed()});
  ByteView whole = file;
  EXPECT_EQ(reader.feed(whole), State::kDone);
  EXPECT_EQ(sink.handed, 100U);
  EXPECT_EQ(sink.told.size(), 100U);

  file[damaged_at] = '\xc8';  // no record begins so
  Ahead cut(db);
  SnapshotReader fails(cut, {heap, limits, db.seed()});
  ByteView bad = file;
  EXPECT_EQ(fails.feed(bad), State::kFailed);
  EXPECT_EQ(cut.handed, 42U);
  EXPECT_EQ(fails.offset(), damaged_at);
}

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

// What redis-server 7.0.15 saved.
constexpr const char* kRedisFile =
    "524544495330303130fa0972656469732d76657206372e302e3135fa0a72656469732d62697473c040fa0563"
    "74696d65c2f144076bfa08757365642d6d656dc2881d1400fa08616f662d62617365c000f5404423216c7561"
    "206e616d653d6c69620a72656469732e72656769737465725f66756e6374696f6e282266222c2066756e6374"
    "696f6e28292072657475726e203120656e6429fe00fb0d01040a686173685f7461626c6502016601760167c0"
    "64100b686173685f7061636b656412120000000400816602817602816e020c01ff130673747265616d011000"
    "0000000000000500000000000000013d3d000000180002010101010181660200010201000100018176020401"
    "03010101dfff0281770204010001010102010201816702010181680202010801ff0206030501060003020367"
    "7270050181ffffffffffffffff01000000000000000500000000000000012a4e6514a2010000010103626f62"
    "2a4e6514a20100000100000000000000050000000000000001056f74686572060381ffffffffffffffff0000"
    "050a7a7365745f7461626c6503016f000000000000f07f016d000000000000f83f016e000000000000f0bf00"
    "067061636b6564405a6162636162636162636162636162636162636162636162636162636162636162636162"
    "6361626361626361626361626361626361626361626361626361626361626361626361626361626361626361"
    "6263616263616263616263fc2c36dc5cb90100000006737472696e670568656c6c6f110b7a7365745f706163"
    "6b65641f1f0000000600816302862d33652b32300781610283312e35048162020201ff0b087365745f696e74"
    "73140400000003000000010000000300000070110100130c73747265616d5f656d7074790000000000000000"
    "00010167000081ffffffffffffffff000000066e756d626572c290eefeff120a6c6973745f6e6f6465730402"
    "0d0d0000000200816102816202ff020d0d0000000200816302816402ff020d0d0000000200816502816602ff"
    "023e3e0000000200816702b27979797979797979797979797979797979797979797979797979797979797979"
    "79797979797979797979797979797979797933ff12046c6973740102405d5d00000005008161020101d06002"
    "f270110104e04678787878787878787878787878787878787878787878787878787878787878787878787878"
    "78787878787878787878787878787878787878787878787878787878787878787848ff02097365745f746162"
    "6c65030374776fc003036f6e65fe02fb010000016b0176ffff63addcf12ee153";

TEST_F(Snapshot, AFileOfRedisIsRead) {
  const Result result = read_file(from_hex(kRedisFile), 100);
  EXPECT_EQ(result.state, State::kDone) << result.problem;
  const std::vector<std::string> expected = {
      "aux \"redis-ver\" \"7.0.15\"",
      "aux \"redis-bits\" \"64\"",
      "aux \"ctime\" \"1795638513\"",
      "aux \"used-mem\" \"1318280\"",
      "aux \"aof-base\" \"0\"",
      "function \"#!lua name=lib\\x0aredis.register_function(\\x22f\\x22, function() return 1 "
      "end)\"",
      "size 0: 13 1",
      "0 \"hash_table\" hash \"f\"=\"v\" \"g\"=\"100\" ",
      "0 \"hash_packed\" hash \"f\"=\"v\" \"n\"=\"12\" ",
      "0 \"stream\" stream 5-1:\"f\"=\"v\" 6-3:\"g\"=\"1\" \"h\"=\"2\"  last 6-3 deleted 6-0 added "
      "3 group \"grp\" at 5-1 read -1 consumer \"bob\" 1795638513194 pending 5-1 1 at "
      "1795638513194 of \"bob\" then 5-1 group \"other\" at 6-3 read -1",
      "0 \"zset_table\" zset \"n\"=-0x1p+0 \"m\"=0x1.8p+0 \"o\"=inf ",
      "0 \"packed\" string "
      "\"abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabc"
      "\"",
      "0 \"string\" ends 1895638513196 string \"hello\"",
      "0 \"zset_packed\" zset \"c\"=" + real_text(-3e20) + " \"a\"=0x1.8p+0 \"b\"=0x1p+1 ",
      "0 \"set_ints\" set \"1\" \"3\" \"70000\" ",
      "0 \"stream_empty\" stream  last 0-0 deleted 0-0 added 0 group \"g\" at 0-0 read -1",
      "0 \"number\" string \"-70000\"",
      "0 \"list_nodes\" list \"a\" \"b\" \"c\" \"d\" \"e\" \"f\" \"g\" "
      "\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\" ",
      "0 \"list\" list \"a\" \"1\" \"-4000\" \"70000\" "
      "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" ",
      "0 \"set_table\" set \"3\" \"one\" \"two\" ",
      "size 2: 1 0",
      "2 \"k\" string \"v\"",
  };
  EXPECT_EQ(result.lines, expected);
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
  EXPECT_EQ(read_file(file).problem,
            "15: Set integrity check failed: a member stands twice, of key k in database 0");
}

TEST_F(Snapshot, AKeyIsNamedInOneLine) {
  std::string file = head() + "\xfe\3";
  add_key(file, "a\nb\1" + std::string(200, 'c'), RdbType::kZSet, "\1\1a" + std::string(8, '\xff'));
  const std::string problem = read_file(file).problem;
  EXPECT_EQ(problem.substr(problem.find(' ')),
            " Zset integrity check failed: a score is no number, of key a\\nb\\x01" +
                std::string(124, 'c') + " in database 3");
}

TEST_F(Snapshot, EmptyCollectionsArePassedOver) {
  std::string file = head();
  add_key(file, "none", RdbType::kHash, ByteView("\0", 1));
  add_key(file, "k", RdbType::kString, "\1v");
  const Result result = read_file(ended(file));
  EXPECT_EQ(result.state, State::kDone) << result.problem;
  EXPECT_EQ(result.lines, (std::vector<std::string>{"0 \"none\" empty", "0 \"k\" string \"v\""}));
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
