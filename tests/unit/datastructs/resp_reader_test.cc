// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/resp_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "resp_transcript.h"

namespace ouro {
namespace {

std::string encoded(const std::vector<std::string>& args) {
  std::string text = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args)
    text += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  return text;
}

// What comes out of the stream, after making sure that it does not depend on where the stream is
// cut.
std::string read_all(const std::string& stream, RespReader::Limits limits = {}) {
  RespTranscript transcript(limits);
  const std::string whole = transcript.whole(stream);
  for (size_t at = 0; at <= stream.size() && stream.size() < 3000; ++at) {
    EXPECT_EQ(transcript.cut_at(stream, at), whole) << "cut at " << at;
  }
  for (const size_t step :
       {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{100}, size_t{16000}}) {
    if (stream.size() / step < 100000) {
      EXPECT_EQ(transcript.in_steps(stream, step), whole) << "step " << step;
    }
  }
  Prng prng(stream.size());
  const int rounds = stream.size() < 100000 ? 50 : 10;
  for (int i = 0; i < rounds; ++i)
    EXPECT_EQ(transcript.at_random(stream, prng), whole) << "round " << i;
  return whole;
}

TEST(RespReader, ReadsPipelinedArrays) {
  const std::string stream = encoded({"SET", "key", std::string("\0\r\n\xff", 4)}) +
                             encoded({"GET", ""}) + encoded({"PING"}) +
                             encoded(std::vector<std::string>(100, "x"));
  EXPECT_EQ(read_all(stream), stream);
}

TEST(RespReader, WholeCommandsAreViewsIntoWhatWasFed) {
  Heap heap;
  ArgvArena arena(heap);
  RespReader reader(heap);
  const std::string stream = encoded({"GET", "a"}) + encoded({"GET", "b"}) + "GET c\r\n";
  reader.feed(stream);
  RespReader::Command command;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(reader.next({}, arena, command), RespReader::Read::kCommand);
    EXPECT_GE(command.argv[1].data(), stream.data());
    EXPECT_LT(command.argv[1].data(), stream.data() + stream.size());
    EXPECT_EQ(command.raw.empty(), i == 2);
    EXPECT_EQ(reader.memory_bytes(), 0U);
  }
  EXPECT_EQ(reader.next({}, arena, command), RespReader::Read::kMore);
  reader.end_turn();
}

TEST(RespReader, SkipsBlankLinesAndEmptyArrays) {
  EXPECT_EQ(read_all("\r\n\n  \t\r\n*0\r\n*-1\r\n*-5\r\nPING\r\n*0\r\n" + encoded({"PING"})),
            encoded({"PING"}) + encoded({"PING"}));
  EXPECT_EQ(read_all(""), "");
  EXPECT_EQ(read_all("*1\r\n$4\r\nPIN"), "");
}

TEST(RespReader, SplitsInlineCommandsAsRedisDoes) {
  EXPECT_EQ(read_all("SET a b\n  GET\ta \r\n"), encoded({"SET", "a", "b"}) + encoded({"GET", "a"}));
  EXPECT_EQ(read_all("PING a\"b c\"\r\n"), encoded({"PING", "ab c"}));
  EXPECT_EQ(read_all("PING \"\\x41\\n\\q\\xzz\\\"\\t\\r\\b\\a\\\\\"\r\n"),
            encoded({"PING", "A\nqxzz\"\t\r\b\a\\"}));
  EXPECT_EQ(read_all("PING 'a\\'b\\n' \"\" ''\r\n"), encoded({"PING", "a'b\\n", "", ""}));
  EXPECT_EQ(read_all("PING \\\"a b\"\r\n"), encoded({"PING", "\\a b"}));
  EXPECT_EQ(read_all("PING a\\x41 a\rb\r\n"), encoded({"PING", "a\\x41", "a", "b"}));
  EXPECT_EQ(read_all("\vPING a\vb \"a\"\vb\r\n"), encoded({"PING", "a\vb", "a", "b"}));
  EXPECT_EQ(read_all("'' \"\" '' a a a a a a a\n"),
            encoded({"", "", "", "a", "a", "a", "a", "a", "a", "a"}));
}

TEST(RespReader, RefusesUnbalancedQuotes) {
  for (const char* line : {"PING \"abc", "PING 'a", "PING \"a\"b", "PING 'a'b", "PING \"a\\",
                           "PING 'a\\'", "\"", "a'b"}) {
    EXPECT_EQ(read_all(std::string("PING\r\n") + line + "\r\nPING\r\n"),
              encoded({"PING"}) + "Protocol error: unbalanced quotes in request")
        << line;
  }
}

// The texts were taken from redis-server 7.0.15. It takes more than 1,048,576 arguments; that limit
// is ours.
TEST(RespReader, ReportsBrokenProtocolInRedissWords) {
  const std::string one = encoded({"PING"});
  const auto expect = [&](const std::string& tail, const std::string& error) {
    EXPECT_EQ(read_all(one + tail), one + "Protocol error: " + error) << tail.substr(0, 50);
  };
  for (const char* count : {"", "+1", "01", "-0", "x", "1x", " 1", "1048577", "2147483648",
                            "99999999999999999999999"}) {
    expect(std::string("*") + count + "\r\nPING\r\n", "invalid multibulk length");
  }
  for (const char* size : {"", "-1", "+1", "01", "x", "536870913", "99999999999999999999"}) {
    expect(std::string("*1\r\n$") + size + "\r\n", "invalid bulk length");
  }
  expect("*1\r\nfoo\r\n", "expected '$', got 'f'");
  expect("*1\r\n\r\n", "expected '$', got ' '");
  expect("*1\r\n\n\r\n", "expected '$', got ' '");
  expect("*2\r\n$4\r\nPING\r\n:1\r\n", "expected '$', got ':'");
  expect(std::string(65537, 'x'), "too big inline request");
  expect(std::string(65537, 'x') + "\r\n", "too big inline request");
  expect("*" + std::string(65536, '1'), "too big mbulk count string");
  expect("*1\r\n$" + std::string(65536, '1'), "too big bulk count string");
}

TEST(RespReader, LongestLinesPass) {
  const std::string word(65535, 'x');
  EXPECT_EQ(read_all(word + "\r\n"), encoded({word}));
  EXPECT_EQ(read_all(word + "x\n"), encoded({word + "x"}));
  EXPECT_EQ(read_all("*" + std::string(65535, '1')), "");
}

TEST(RespReader, SkipsLineEndsUnseenAsRedisDoes) {
  EXPECT_EQ(read_all("*1\r\n$4\r\nPINGxx*1\rX$4\rYPING\r\n"),
            encoded({"PING"}) + encoded({"PING"}));
}

TEST(RespReader, LimitsPeersThatMustAuthenticate) {
  const RespReader::Limits limits{.authenticated = false};
  const std::vector<std::string> ten(10, std::string(16384, 'x'));
  EXPECT_EQ(read_all(encoded(ten), limits), encoded(ten));
  EXPECT_EQ(read_all("*11\r\n", limits), "Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(read_all("*1048577\r\n", limits), "Protocol error: invalid multibulk length");
  EXPECT_EQ(read_all("*1\r\n$16385\r\n", limits), "Protocol error: unauthenticated bulk length");
  EXPECT_EQ(read_all("*1\r\n$600000000\r\n", limits), "Protocol error: invalid bulk length");
  EXPECT_EQ(read_all("*1\r\n$1025\r\n", {.bulk_bytes_max = 1024}),
            "Protocol error: invalid bulk length");
}

TEST(RespReader, LargeBulksGetTheirOwnMemory) {
  const std::string stream =
      encoded({"MSET", "a", std::string(32768, 'a'), "b", std::string(700000, 'b')}) +
      encoded({"SET", "c", std::string(32767, 'c')}) + encoded({"GET", "c"});
  EXPECT_EQ(read_all(stream), stream);
  const std::string larger = encoded({"SET", "a", std::string(9000000, 'a')});
  EXPECT_TRUE(read_all(larger) == larger);
}

TEST(RespReader, ATornLargeBulkIsWantedAndMayBeTakenOver) {
  Heap heap;
  Blob* kept = nullptr;
  {
    ArgvArena arena(heap);
    RespReader reader(heap);
    RespReader::Command command;
    reader.feed("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nabc");
    EXPECT_EQ(reader.next({}, arena, command), RespReader::Read::kMore);
    reader.end_turn();
    EXPECT_EQ(reader.pending_bytes(), 33U);
    EXPECT_EQ(reader.argument_bytes(), 4U);
    EXPECT_EQ(reader.unparsed_bytes(), 3U);
    size_t left = 1000000 - 3;
    while (left > 0) {
      const std::span<char> place = reader.want();
      ASSERT_FALSE(place.empty());
      ASSERT_LE(place.size(), left);
      std::fill(place.begin(), place.end(), 'x');
      reader.on_filled(place.size());
      left -= place.size();
      EXPECT_EQ(reader.next({}, arena, command), RespReader::Read::kMore);
    }
    EXPECT_TRUE(reader.want().empty());
    reader.feed("\r\n*1\r\n");
    ASSERT_EQ(reader.next({}, arena, command), RespReader::Read::kCommand);
    ASSERT_EQ(command.argv.size(), 3U);
    ASSERT_EQ(command.blobs.size(), 1U);
    EXPECT_EQ(command.blobs[0].index, 2U);
    kept = command.blobs[0].blob;
    EXPECT_EQ(command.argv[2], "abc" + std::string(1000000 - 3, 'x'));
    EXPECT_EQ(command.argv[2].data(), kept->bytes());
    kept->pin();
    EXPECT_EQ(reader.next({}, arena, command), RespReader::Read::kMore);
    reader.end_turn();
    arena.clear();
    EXPECT_FALSE(kept->is_shared());
  }
  EXPECT_EQ(heap.used_bytes(), kept->memory_bytes());
  Blob::unpin(heap, kept);
}

// A peer that announces the largest bulk, or a million of arguments, and sends nothing costs
// little.
TEST(RespReader, AnnouncementsAloneCommitLittle) {
  Heap heap;
  ArgvArena arena(heap);
  RespReader reader(heap);
  RespReader::Command command;
  reader.feed("*1048576\r\n$536870912\r\n");
  EXPECT_EQ(reader.next({}, arena, command), RespReader::Read::kMore);
  reader.end_turn();
  EXPECT_LT(heap.peak_bytes(), 300000U);
  EXPECT_LE(reader.want().size(), 262144U);
  EXPECT_LE(reader.memory_bytes(), heap.used_bytes());
}

TEST(RespReader, CommandsGivenBackComeFirstAgain) {
  Heap heap;
  ArgvArena arena(heap);
  RespReader reader(heap);
  std::vector<RespReader::Command> commands(3);
  const std::string stream =
      encoded({"BLPOP", "l", "0"}) + "GET 'a b'\r\n" + encoded({"GET", "c"}) + "*1\r\n$4\r\nPI";
  reader.feed(stream);
  for (RespReader::Command& command : commands) {
    ASSERT_EQ(reader.next({}, arena, command), RespReader::Read::kCommand);
  }
  RespReader::Command command;
  EXPECT_EQ(reader.next({}, arena, command), RespReader::Read::kMore);
  reader.unread(std::span(commands).subspan(1));
  reader.end_turn();
  arena.clear();
  reader.feed("NG\r\n");
  std::string log;
  while (reader.next({}, arena, command) == RespReader::Read::kCommand)
    log += std::string(command.argv.back()) + ";";
  EXPECT_EQ(log, "a b;c;PING;");
  reader.end_turn();
  EXPECT_EQ(reader.memory_bytes(), 0U);
}

// Long dribbled lines and commands of many arguments must not be scanned again from their start:
// this would take minutes.
TEST(RespReader, DribbledBytesAreScannedOnce) {
  std::vector<std::string> args(60000, "argument");
  const std::string stream = encoded(args);
  EXPECT_TRUE(RespTranscript().in_steps(stream, 1) == stream);
}

}  // namespace
}  // namespace ouro
