// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/commands_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "persistence/aof_reader.h"

namespace ouro {
namespace {

class CommandsWriting : public ::testing::Test {
 protected:
  Keyspace& db(DbIndex index) { return databases[index]; }
  void put(ByteView name, ByteView text, UnixMs deadline = kNoExpiry) {
    db(0).put_string(db(0).key(name), nullptr, text, deadline);
  }
  static std::string rest_of(CommandsWriter& writer, size_t chunk_bytes = 1000) {
    std::string file;
    for (bool is_done = false; !is_done;) {
      size_t budget = 20;
      is_done = writer.next_chunk(chunk_bytes, budget, file);
    }
    return file;
  }
  std::string file_of(const SnapshotFacts& facts = {}, std::optional<int64_t> timestamp = {}) {
    CommandsWriter writer(databases, facts, timestamp);
    return rest_of(writer);
  }
  // A line for each command: the database, and its words.
  static std::vector<std::string> lines_of(ByteView file) {
    std::vector<std::string> lines;
    const auto note = [&](DbIndex index, Argv argv) {
      std::string line = std::to_string(index);
      for (const ByteView word : argv) line += ' ' + std::string(word);
      lines.push_back(line);
      return Status::ok();
    };
    AofReader reader;
    reader.feed(file, note);
    EXPECT_EQ(reader.end(note), AofReader::State::kDone) << reader.reason();
    return lines;
  }
  using Lines = std::vector<std::string>;

  Heap heap;
  Limits limits;
  Databases databases{heap, HashSeed{}, 3};
};

TEST_F(CommandsWriting, AFilterIsItsPieces) {
  KeyFilter filter(heap, HashSeed{3});
  for (int i = 0; i < 100'000; ++i) filter.add("f:" + std::to_string(i));
  const std::string header = filter.header();
  put("k", "v");
  CommandsWriter writer(databases, {.filters = {{"f:", &filter}}}, {});
  EXPECT_TRUE(writer.has_only_ours());
  filter.remove("f:1");
  FilterIntake intake(heap);
  std::vector<std::string> others;
  const auto note = [&](DbIndex /*db*/, Argv argv) -> Status {
    if (argv[0] != "CACHE.LOADCHUNK") {
      others.emplace_back(argv[0]);
      return Status::ok();
    }
    return intake.take({argv[1], std::stoull(std::string(argv[2])), argv[3]});
  };
  AofReader reader;
  const std::string file = rest_of(writer);
  ByteView bytes = file;
  reader.feed(bytes, note);
  EXPECT_EQ(reader.end(note), AofReader::State::kDone) << reader.reason();
  EXPECT_EQ(others, (std::vector<std::string>{"SET"}));
  ASSERT_TRUE(intake.is_whole());
  EXPECT_EQ(intake.finish()->header(), header);
}

TEST_F(CommandsWriting, AFileIsCommandsByteForByte) {
  EXPECT_EQ(file_of(), "");
  EXPECT_EQ(file_of({}, 17), "#TS:17\r\n");
  put("k", "v", 1234);
  EXPECT_EQ(file_of({.functions = {"lua"}}),
            "*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n$3\r\nlua\r\n"
            "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"
            "*3\r\n$9\r\nPEXPIREAT\r\n$1\r\nk\r\n$4\r\n1234\r\n");
}

TEST_F(CommandsWriting, EachTypeHasItsCommand) {
  List& list = db(1).add<List>(db(1).key("list"));
  for (const char* element : {"a", "b"}) list.push(heap, limits, ListEnd::kBack, element);
  EXPECT_EQ(lines_of(file_of()), Lines{"1 RPUSH list a b"});
  db(1).clear(Freeing::kNow);
  ZSet& zset = db(1).add<ZSet>(db(1).key("zset"));
  zset.add(heap, limits, db(1).seed(), "m", 1.5, {});
  EXPECT_EQ(lines_of(file_of()), Lines{"1 ZADD zset 1.5 m"});
  db(1).clear(Freeing::kNow);
  Hash& hash = db(1).add<Hash>(db(1).key("hash"));
  hash.set(heap, limits, db(1).seed(), "f", "v");
  EXPECT_EQ(lines_of(file_of()), Lines{"1 HMSET hash f v"});
  db(1).clear(Freeing::kNow);
  Set& set = db(1).add<Set>(db(1).key("set"));
  for (int i = 0; i < 130; ++i) set.add(heap, limits, db(1).seed(), std::to_string(i));
  const Lines lines = lines_of(file_of());
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with("1 SADD set ")) << lines[0];
}

TEST_F(CommandsWriting, AStreamComesWithItsGroups) {
  Stream& stream = db(0).add<Stream>(db(0).key("s"));
  const ByteView pairs[] = {"f", "v"};
  stream.append(heap, limits, {1, 0}, pairs);
  stream.append(heap, limits, {2, 0}, pairs);
  StreamGroup& group = stream.add_group(heap, "g");
  group.last_id = {2, 0};
  group.entries_read = 2;
  StreamConsumer& consumer = group.add_consumer(heap, "c", 5);
  (void)group.add_consumer(heap, "idle", 5);
  group.assign(heap, {2, 0}, consumer, 77);
  EXPECT_EQ(lines_of(file_of()),
            (Lines{"0 XADD s 1-0 f v", "0 XADD s 2-0 f v",
                   "0 XSETID s 2-0 ENTRIESADDED 2 MAXDELETEDID 0-0",
                   "0 XGROUP CREATE s g 2-0 ENTRIESREAD 2", "0 XGROUP CREATECONSUMER s g c",
                   "0 XGROUP CREATECONSUMER s g idle",
                   "0 XCLAIM s g c 0 2-0 TIME 77 RETRYCOUNT 0 JUSTID FORCE"}));
}

// Goal: what is written in pieces is the moment. Method: all is changed before the rest is asked
// for.
TEST_F(CommandsWriting, LargeValuesAreAsTheyWereAtTheMoment) {
  const std::string text(3'000'000, 't');
  put("string", text, 99);
  put("shorter", text.substr(0, 500'000));
  limits.list_compress_depth = 1;  // most of the list is pressed
  List& list = db(0).add<List>(db(0).key("list"));
  Set& set = db(0).add<Set>(db(0).key("set"));
  ZSet& zset = db(0).add<ZSet>(db(0).key("zset"));
  Hash& hash = db(0).add<Hash>(db(0).key("hash"));
  for (int i = 0; i < 20'000; ++i) {
    const std::string element = "element" + std::to_string(i);
    list.push(heap, limits, ListEnd::kBack, element);
    set.add(heap, limits, db(0).seed(), element);
    zset.add(heap, limits, db(0).seed(), element, i, {});
    hash.set(heap, limits, db(0).seed(), element, element);
  }
  CommandsWriter writer(databases, {}, {});
  std::string file;
  size_t budget = 20;
  ASSERT_FALSE(writer.next_chunk(1000, budget, file));
  for (const char* name : {"string", "shorter", "list", "set", "zset", "hash"})
    db(0).erase(db(0).key(name), Freeing::kNow);
  put("later", "x");
  file += rest_of(writer);
  std::map<std::string, size_t> items;
  for (const std::string& line : lines_of(file)) {
    const std::string name = line.substr(2, line.find(' ', 2) - 2);
    items[name] += static_cast<size_t>(std::count(line.begin(), line.end(), ' ')) - 2;
    if (name == "SET") items["bytes"] += line.size();
    EXPECT_EQ(line.find("later"), std::string::npos);
  }
  EXPECT_EQ(items["RPUSH"], 20'000U);
  EXPECT_EQ(items["SADD"], 20'000U);
  EXPECT_EQ(items["ZADD"], 40'000U);
  EXPECT_EQ(items["HMSET"], 40'000U);
  EXPECT_EQ(items["PEXPIREAT"], 1U);
  EXPECT_EQ(items["bytes"], 3'500'000 + std::string("0 SET string 0 SET shorter ").size());
}

}  // namespace
}  // namespace ouro
