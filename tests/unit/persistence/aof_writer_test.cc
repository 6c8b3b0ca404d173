// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_writer.h"

#include <gtest/gtest.h>

#include "aof_text.h"
#include "persistence/aof_line.h"

namespace ouro {
namespace {

constexpr UnixMs kNow = 1'700'000'000'500;

struct AofWriterTest : testing::Test {
  void append(DbIndex db, ByteView line, UnixMs now = kNow) {
    const Effect effects[] = {effect(heap, db, line)};
    writer.append(effects, GroupKind::kCommand, now);
  }
  std::string take() {
    const AofWriter::Write write = writer.take();
    EXPECT_EQ(write.at, file.size());
    file += write.bytes;
    std::string bytes(write.bytes);
    writer.release();
    return bytes;
  }

  Heap heap;
  AofWriter writer{heap, {.checksums = false}};
  std::string file;
};

TEST_F(AofWriterTest, WritesWhatRedisWrites) {
  append(0, "SET k v");
  append(0, "INCR n");
  append(3, "DEL k");
  EXPECT_EQ(take(),
            "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"
            "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"
            "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n");
}

TEST_F(AofWriterTest, WhatCameAsRespIsWrittenAsItCame) {
  const ByteView words[] = {"INCR", "n"};
  writer.append_one(1, words, resp("INCR n"), kNow);
  writer.append_one(1, words, {}, kNow);
  EXPECT_EQ(take(), resp("SELECT 1") + resp("INCR n") + resp("INCR n"));
}

TEST_F(AofWriterTest, TheDatabaseIsKeptBetweenWritesAndToldToEachFile) {
  append(2, "INCR n");
  EXPECT_EQ(take(), resp("SELECT 2") + resp("INCR n"));
  append(2, "INCR n");
  EXPECT_EQ(take(), resp("INCR n"));
  writer.begin_file();
  file.clear();
  append(2, "INCR n");
  EXPECT_EQ(take(), resp("SELECT 2") + resp("INCR n"));
}

TEST_F(AofWriterTest, WhatIsForReplicasAloneIsLeftOut) {
  Effect effects[] = {effect(heap, 0, "PUBLISH c m"), effect(heap, 0, "SET b 2")};
  effects[0].reach = EffectReach::kReplicas;
  writer.append({effects, 1}, GroupKind::kCommand, kNow);
  EXPECT_FALSE(writer.has_gathered());
  writer.append(effects, GroupKind::kTransaction, kNow);
  EXPECT_EQ(take(), resp("SELECT 0") + resp("MULTI") + resp("SET b 2") + resp("EXEC"));
}

TEST_F(AofWriterTest, ATransactionIsOneGroupWhateverItsDatabases) {
  const Effect effects[] = {effect(heap, 0, "SET b 2"), effect(heap, 3, "SET c 3")};
  writer.append(effects, GroupKind::kTransaction, kNow);
  EXPECT_EQ(take(), resp("SELECT 0") + resp("MULTI") + resp("SET b 2") + resp("SELECT 3") +
                        resp("SET c 3") + resp("EXEC"));
}

TEST_F(AofWriterTest, TimestampsComeOncePerSecondAndNeverGoBack) {
  writer.set_options({.checksums = false, .timestamps = true});
  append(0, "INCR n");
  append(0, "INCR n", kNow + 499);
  append(0, "INCR n", kNow - 5000);
  append(0, "INCR n", kNow + 500);
  EXPECT_EQ(take(), "#TS:1700000000\r\n" + resp("SELECT 0") + resp("INCR n") + resp("INCR n") +
                        resp("INCR n") + "#TS:1700000001\r\n" + resp("INCR n"));
  writer.begin_file();
  file.clear();
  append(0, "INCR n", kNow);
  EXPECT_EQ(take(), "#TS:1700000000\r\n" + resp("SELECT 0") + resp("INCR n"));
}

TEST_F(AofWriterTest, EachWriteEndsWithAChecksumOfItsOwnBytes) {
  writer.set_options({.checksums = true});
  append(0, "SET k v");
  const std::string first = "#OURO:1\r\n" + resp("SELECT 0") + resp("SET k v");
  EXPECT_EQ(take(), first + aof_checksum_line(first));
  append(0, "INCR n");
  EXPECT_EQ(take(), resp("INCR n") + aof_checksum_line(resp("INCR n")));
}

// What a file had before is nobody's who goes on with it.
TEST_F(AofWriterTest, AFileThatIsGoneOnWithGetsAHeaderThere) {
  writer.set_options({.checksums = true, .timestamps = true});
  writer.begin_file(1000);
  append(0, "INCR n", kNow);
  EXPECT_EQ(writer.file_bytes() - 1000, writer.buffered_bytes());
  const std::string part = "#OURO:1\r\n" + resp("SELECT 0") + resp("INCR n");
  const AofWriter::Write write = writer.take();
  EXPECT_EQ(write.at, 1000U);
  EXPECT_EQ(write.bytes, "#TS:1700000000\r\n" + part + aof_checksum_line(part));
  writer.release();
}

TEST_F(AofWriterTest, ChecksumsBeginWithAFile) {
  append(0, "INCR n");
  take();
  writer.set_options({.checksums = true});
  append(0, "INCR n");
  EXPECT_EQ(take(), resp("INCR n"));
  writer.begin_file();
  file.clear();
  append(0, "INCR n");
  EXPECT_TRUE(take().starts_with(kAofHeaderLine));
}

TEST_F(AofWriterTest, ALongWriteHasChecksumsInside) {
  writer.set_options({.checksums = true});
  const std::string value(100'000, 'x');
  for (int i = 0; i < 30; ++i) append(0, "SET k " + value);
  const std::string bytes = take();
  size_t lines = 0;
  for (size_t at = 0; (at = bytes.find("\n#C:", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, 3U);
  EXPECT_TRUE(read_aof(bytes).ends_with("\ndone"));
}

TEST_F(AofWriterTest, WhatIsAppendedDuringAWriteComesAfterIt) {
  append(0, "INCR a");
  const AofWriter::Write write = writer.take();
  const std::string before(write.bytes);
  append(0, "INCR b");
  EXPECT_EQ(write.bytes, before);
  EXPECT_EQ(writer.buffered_bytes(), before.size() + resp("INCR b").size());
  EXPECT_EQ(writer.file_bytes(), writer.buffered_bytes());
  writer.release();
  const AofWriter::Write next = writer.take();
  EXPECT_EQ(next.at, before.size());
  EXPECT_EQ(next.bytes, resp("INCR b"));
  writer.release();
  EXPECT_FALSE(writer.has_gathered());
}

TEST_F(AofWriterTest, MemoryOfABurstIsGivenBack) {
  append(0, "SET k " + std::string(8 << 20, 'x'));
  EXPECT_GT(writer.memory_bytes(), size_t{8} << 20);
  EXPECT_GT(heap.used_bytes(), size_t{8} << 20);
  take();
  EXPECT_LT(writer.memory_bytes(), size_t{1} << 20);
  EXPECT_LT(heap.used_bytes(), size_t{1} << 20);
}

TEST(AofLine, ChecksumsAreReadAsTheyAreWritten) {
  const std::string line = aof_checksum_line("abc");
  EXPECT_EQ(line, "#C:3:78af5f94892f3950\r\n");
  const std::optional<AofChecksum> checksum = parse_aof_checksum(line);
  ASSERT_TRUE(checksum.has_value());
  EXPECT_EQ(checksum->bytes, 3U);
  EXPECT_EQ(checksum->hash, aof_hash("abc"));
  for (const char* wrong :
       {"#C:03:78af5f94892f3950\r\n", "#C:3:78AF5f94892f3950\r\n", "#C:3:78af5f94892f395\r\n",
        "#C:3:78af5f94892f3950\n", "#C:3:78af5f94892f39500\r\n", "#C::78af5f94892f3950\r\n",
        "#C:3;78af5f94892f3950\r\n", "#C:0:78af5f94892f3950\r\n", "#C:\r\n", "#C:3\r\n",
        "#C:99999999999999999999999:78af5f94892f3950\r\n"})
    EXPECT_FALSE(parse_aof_checksum(wrong).has_value()) << wrong;
}

TEST(AofLine, Timestamps) {
  EXPECT_EQ(parse_aof_timestamp(aof_timestamp_line(1628217470)), 1628217470);
  for (const char* wrong : {"#TS:\r\n", "#TS:x\r\n", "#TS:1\n", "#T:1\r\n", "#TS:1 \r\n"})
    EXPECT_FALSE(parse_aof_timestamp(wrong).has_value()) << wrong;
}

}  // namespace
}  // namespace ouro
