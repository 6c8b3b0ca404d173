// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <string>

#include "engine_fixture.h"
#include "test_client.h"

namespace ouro {
namespace {

struct Streams : EngineFixture {
  Streams()
      : EngineFixture({kStreamCommands, kStreamGroupCommands, kStreamInfoCommands,
                       kStreamPendingCommands, kStreamReadCommands, kStreamDeleteCommands,
                       kStreamProducerCommands, kStringSetCommands, kKeyCommands, kObjectCommands,
                       kDebugCommands}) {}

  // The answer without the quotes of its bulks.
  std::string ask(ByteView line) {
    std::string answer = run(line);
    std::erase(answer, '"');
    return answer;
  }
};

TEST(Streams, IdsGrowWithTheClockAndWithinAMillisecond) {
  Streams engine;
  EXPECT_EQ(engine.ask("XADD s * f v"), "1700000000000-0");
  EXPECT_EQ(engine.ask("XADD s * f v"), "1700000000000-1");
  engine.pass(5);
  EXPECT_EQ(engine.ask("XADD s * f v"), "1700000000005-0");
  EXPECT_EQ(engine.ask("XADD s 1800000000000-7 f v"), "1800000000000-7");
  EXPECT_EQ(engine.ask("XADD s * f v"), "1800000000000-8");
  EXPECT_EQ(engine.ask("XADD s 1800000000001-* f v"), "1800000000001-0");
  EXPECT_EQ(engine.ask("XADD s 5 f v"),
            "(ERR The ID specified in XADD is equal or smaller than the target stream top item)");
  EXPECT_EQ(engine.ask("XADD t 0-* f v"), "0-1");
  // The last number of a millisecond has none behind it, but the next millisecond has.
  EXPECT_EQ(engine.ask("XADD u 5-18446744073709551615 f v"), "5-18446744073709551615");
  EXPECT_EQ(engine.ask("XADD u 5-* f v"),
            "(ERR The ID specified in XADD is equal or smaller than the target stream top item)");
  EXPECT_EQ(engine.ask("XADD u 6-* f v"), "6-0");
  EXPECT_EQ(engine.ask("TYPE t"), "stream");
  EXPECT_EQ(engine.ask("OBJECT ENCODING t"), "stream");
}

TEST(Streams, WhatIsAddedIsLeftWithItsIdAndWhatWasTrimmed) {
  Streams engine;
  engine.options.limits.stream_node_entries = 2;
  engine.run("XADD s * f v");
  EXPECT_EQ(engine.effects(), "0: XADD s 1700000000000-0 f v");
  engine.run("XADD s MAXLEN 5 1700000000000-* f v");
  EXPECT_EQ(engine.effects(), "0: XADD s MAXLEN 5 1700000000000-1 f v");
  engine.run("XADD s 1800000000000-0 f v");
  EXPECT_EQ(engine.effects(), "0: XADD s 1800000000000-0 f v");
  engine.run("XADD s NOMKSTREAM MAXLEN ~ 1 LIMIT 7 1800000000000-1 f v");
  EXPECT_EQ(engine.effects(), "0: XADD s MAXLEN = 2 1800000000000-1 f v");
  engine.run("XADD s 1800000000000-2 f v");
  engine.effects();
  engine.run("XTRIM s MINID ~ 1800000000000-2");
  EXPECT_EQ(engine.effects(), "0: XTRIM s MINID = 1800000000000-2");
  engine.run("XTRIM s MAXLEN 9");
  EXPECT_EQ(engine.effects(), "");
}

TEST(Streams, ALimitNeedsWholeNodes) {
  Streams engine;
  for (const char* command : {"XADD s LIMIT 0 1 f v", "XADD s MAXLEN 3 LIMIT 0 1 f v"})
    EXPECT_NE(engine.ask(command).find("special ~ option"), std::string::npos) << command;
  EXPECT_NE(engine.ask("XADD s LIMIT 5 1 f v").find("trimming strategy"), std::string::npos);
  EXPECT_EQ(engine.ask("XADD s LIMIT 0 MAXLEN ~ 3 1 f v"), "1-0");
}

TEST(Streams, ALogIsTrimmedAsItSays) {
  Streams engine;
  engine.caller.origin = Origin::kReplay;
  engine.run("XADD s 1 f v");
  engine.run("XADD s 2 f v");
  EXPECT_EQ(engine.ask("XADD s MAXLEN = 1 LIMIT 10 3 f v"), "3-0");
  EXPECT_EQ(engine.ask("XLEN s"), "1");
}

TEST(Streams, RangesAreReadFromBothEnds) {
  Streams engine;
  engine.run_all({"XADD s 1 a 1", "XADD s 2-5 a 2 b 3", "XADD s 3 a 4"});
  EXPECT_EQ(engine.ask("XRANGE s - + COUNT 2"), "[[1-0 [a 1]] [2-5 [a 2 b 3]]]");
  EXPECT_EQ(engine.ask("XREVRANGE s + - COUNT 1"), "[[3-0 [a 4]]]");
  EXPECT_EQ(engine.ask("XRANGE s (1 2"), "[[2-5 [a 2 b 3]]]");
  EXPECT_EQ(engine.ask("XRANGE s - + COUNT 0"), "*_");
  EXPECT_EQ(engine.ask("XRANGE none - + COUNT 0"), "[]");
  EXPECT_EQ(engine.ask("XRANGE s (18446744073709551615-18446744073709551615 +"),
            "(ERR invalid start ID for the interval)");
  EXPECT_EQ(engine.ask("XDEL s 2-5 2-6 9"), "1");
  EXPECT_EQ(engine.ask("XLEN s"), "2");
}

TEST(Streams, AReaderOfAGroupLeavesWhatItWasGiven) {
  Streams engine;
  engine.run_all({"XADD s 1 a 1", "XADD s 2 a 2", "XGROUP CREATE s g 0"});
  engine.effects();
  engine.resp3 = false;
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g alice STREAMS s >"), "[[s [[1-0 [a 1]] [2-0 [a 2]]]]]");
  EXPECT_EQ(engine.effects(),
            "0: XGROUP SETID s g 2-0 ENTRIESREAD 2; "
            "0: XCLAIM s g alice 0 1-0 2-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID "
            "2-0");
  engine.run("XDEL s 1");
  engine.effects();
  engine.pass(10);
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g alice STREAMS s 0"), "[[s [[1-0 *_] [2-0 [a 2]]]]]");
  EXPECT_EQ(engine.effects(),
            "0: XCLAIM s g alice 0 2-0 TIME 1700000000010 RETRYCOUNT 2 FORCE JUSTID LASTID 2-0");
  EXPECT_EQ(engine.ask("XPENDING s g"), "[2 1-0 2-0 [[alice 2]]]");
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g alice STREAMS s >"), "*_");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g bob NOACK STREAMS s >"), "*_");
}

TEST(Streams, AReplayOfWhatWasLeftGivesTheSameGroup) {
  Streams engine;
  engine.run_all({"XADD s 1 a 1", "XADD s 2 a 2", "XGROUP CREATE s g 0",
                  "XREADGROUP GROUP g alice STREAMS s >", "XCLAIM s g bob 0 2 RETRYCOUNT 9",
                  "XADD s 3 a 3", "XREADGROUP GROUP g carol NOACK STREAMS s >", "XDEL s 1",
                  "XAUTOCLAIM s g dave 0 0 COUNT 1"});
  Streams other;
  other.caller.origin = Origin::kReplay;
  for (const std::string& line : engine.effect_log.lines) other.run(line.substr(3));
  for (const char* question : {"XINFO STREAM s FULL", "XPENDING s g - + 9", "XINFO GROUPS s"}) {
    EXPECT_EQ(other.ask(question), engine.ask(question));
  }
}

// Goal: who asks is seen, who gets something is active, as since Redis 7.2.
TEST(Streams, AConsumerThatGetsNothingIsSeenAndInactive) {
  Streams engine;
  engine.run_all({"XADD s 1 a 1", "XGROUP CREATE s g 0", "XGROUP CREATECONSUMER s g alice",
                  "XGROUP CREATECONSUMER s g bob"});
  const auto told = [&] { return engine.ask("XINFO CONSUMERS s g"); };
  const auto full = [&] { return engine.ask("XINFO STREAM s FULL"); };
  const auto has = [](const std::string& text, ByteView part) {
    return text.find(part) != std::string::npos;
  };
  engine.pass(10);
  EXPECT_TRUE(has(told(), "{name alice pending 0 idle 10 inactive -1}")) << told();
  EXPECT_TRUE(has(full(), "name alice seen-time 1700000000000 active-time -1 pel-count 0"));
  engine.run("XREADGROUP GROUP g alice STREAMS s >");
  engine.pass(10);
  EXPECT_TRUE(has(told(), "{name alice pending 1 idle 10 inactive 10}"));
  engine.run("XREADGROUP GROUP g alice STREAMS s >");
  engine.run("XCLAIM s g bob 99999 1");
  EXPECT_TRUE(has(told(), "{name alice pending 1 idle 0 inactive 10}"));
  EXPECT_TRUE(has(told(), "{name bob pending 0 idle 0 inactive -1}"));
  EXPECT_TRUE(has(full(), "name alice seen-time 1700000000020 active-time 1700000000010"));
  // What it has already is nothing new, nor is what it is not to acknowledge.
  engine.run("XREADGROUP GROUP g alice STREAMS s 0");
  EXPECT_TRUE(has(told(), "{name alice pending 1 idle 0 inactive 10}"));
  engine.run("XADD s 2 a 2");
  engine.run("XREADGROUP GROUP g bob NOACK STREAMS s >");
  EXPECT_TRUE(has(told(), "{name bob pending 0 idle 0 inactive -1}"));
  engine.run("XCLAIM s g bob 0 1");
  EXPECT_TRUE(has(told(), "{name bob pending 1 idle 0 inactive 0}"));
  engine.pass(10);
  engine.run("XREADGROUP GROUP g nobody STREAMS s >");
  EXPECT_FALSE(has(told(), "nobody")) << "as in Redis 7.0 it is not made";
  engine.run("XAUTOCLAIM s g alice 0 0");
  EXPECT_TRUE(has(told(), "{name alice pending 1 idle 0 inactive 0}"));
}

TEST(Streams, ClaimsTakeOverWhatIsIdle) {
  Streams engine;
  engine.run_all({"XADD s 1 a 1", "XADD s 2 a 2", "XADD s 3 a 3", "XGROUP CREATE s g 0",
                  "XREADGROUP GROUP g alice STREAMS s >"});
  engine.pass(100);
  EXPECT_EQ(engine.ask("XCLAIM s g bob 200 1"), "[]");
  EXPECT_EQ(engine.ask("XINFO CONSUMERS s g"), "[{name alice pending 3 idle 100 inactive 100}]");
  EXPECT_EQ(engine.ask("XCLAIM s g bob 100 1 7 JUSTID"), "[1-0]");
  EXPECT_EQ(engine.ask("XPENDING s g - + 9 bob"), "[[1-0 bob 0 1]]");
  engine.run("XDEL s 2");
  engine.effects();
  EXPECT_EQ(engine.ask("XAUTOCLAIM s g bob 50 0 COUNT 1"), "[3-0 [] [2-0]]");
  EXPECT_EQ(engine.effects(), "0: XACK s g 2-0");
  EXPECT_EQ(engine.ask("XAUTOCLAIM s g bob 50 3"), "[0-0 [[3-0 [a 3]]] []]");
  EXPECT_EQ(engine.ask("XCLAIM s g bob 0 1 IDLE 50 NONSENSE"),
            "(ERR Unrecognized XCLAIM option 'NONSENSE')");
  EXPECT_EQ(engine.ask("XCLAIM s g bob 0 1 IDLE 50 JUSTID"), "[1-0]");
  EXPECT_EQ(engine.ask("XPENDING s g - + 1 bob"), "[[1-0 bob 50 1]]");
  EXPECT_EQ(engine.ask("XCLAIM s g bob 0 1 IDLE -5 JUSTID"), "[1-0]");
  EXPECT_EQ(engine.ask("XPENDING s g - + 1 bob"), "[[1-0 bob 0 1]]");
  EXPECT_EQ(engine.ask("XGROUP DELCONSUMER s g bob"), "2");
  EXPECT_EQ(engine.ask("XPENDING s g"), "[0 _ _ *_]");
}

// A consumer that comes is made by the claim of its first entry, or for itself if none follows.
TEST(Streams, AConsumerThatIsNewIsLeftOnce) {
  Streams engine;
  engine.run_all({"XADD s 1 a 1", "XADD s 2 a 2", "XGROUP CREATE s g 0"});
  engine.effects();
  engine.run("XREADGROUP GROUP g alice NOACK COUNT 1 STREAMS s >");
  EXPECT_EQ(engine.effects(),
            "0: XGROUP CREATECONSUMER s g alice; 0: XGROUP SETID s g 1-0 ENTRIESREAD 1");
  engine.run("XREADGROUP GROUP g bob STREAMS s 0");
  EXPECT_EQ(engine.effects(), "0: XGROUP CREATECONSUMER s g bob");
  engine.run("XREADGROUP GROUP g carol STREAMS s >");
  EXPECT_EQ(engine.effects().find("CREATECONSUMER"), std::string::npos);
  engine.run("XCLAIM s g dave 0 2");
  EXPECT_EQ(engine.effects().find("CREATECONSUMER"), std::string::npos);
}

TEST(Streams, AReaderMayFirstClaimWhatIsIdle) {
  Streams engine;
  engine.resp3 = false;
  engine.run_all({"XADD s 1 a 1", "XADD s 2 a 2", "XADD s 3 a 3", "XGROUP CREATE s g 0",
                  "XREADGROUP GROUP g alice COUNT 1 STREAMS s >"});
  engine.pass(10);
  engine.run("XREADGROUP GROUP g bob COUNT 1 STREAMS s >");
  engine.pass(10);
  engine.effects();
  // The longest idle first, then what is new; the count is that before this delivery.
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g carol CLAIM 10 COUNT 3 STREAMS s >"),
            "[[s [[1-0 [a 1] 20 1] [2-0 [a 2] 10 1] [3-0 [a 3] 0 0]]]]");
  EXPECT_EQ(engine.effects(),
            "0: XCLAIM s g carol 0 1-0 2-0 TIME 1700000000020 RETRYCOUNT 2 FORCE JUSTID LASTID "
            "3-0; 0: XGROUP SETID s g 3-0 ENTRIESREAD 3; 0: XCLAIM s g carol 0 3-0 TIME "
            "1700000000020 RETRYCOUNT 1 FORCE JUSTID LASTID 3-0");
  EXPECT_EQ(engine.ask("XPENDING s g"), "[3 1-0 3-0 [[carol 3]]]");
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g dave CLAIM 10 STREAMS s >"), "*_");
  // COUNT is of both together; what has gone is neither claimed nor counted.
  engine.run_all({"XADD s 4 a 4", "XDEL s 1"});
  engine.pass(10);
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g dave CLAIM 10 COUNT 1 NOACK STREAMS s >"),
            "[[s [[2-0 [a 2] 10 2]]]]");
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g dave CLAIM 10 COUNT 2 NOACK STREAMS s >"),
            "[[s [[3-0 [a 3] 10 1] [4-0 [a 4] 0 0]]]]");
  EXPECT_EQ(engine.ask("XPENDING s g"), "[3 1-0 3-0 [[carol 1] [dave 2]]]");
  // History is as ever.
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g carol CLAIM 0 STREAMS s 0"), "[[s [[1-0 *_]]]]");
}

TEST(Streams, WhatWasReleasedIsClaimedFirst) {
  Streams engine;
  engine.resp3 = false;
  engine.run_all({"XADD s 1 a 1", "XADD s 2 a 2", "XADD s 3 a 3", "XGROUP CREATE s g 0",
                  "XREADGROUP GROUP g alice COUNT 3 STREAMS s >"});
  engine.effects();
  EXPECT_EQ(engine.ask("XNACK s g FAIL IDS 2 3 9"), "1");
  EXPECT_EQ(engine.effects(), "0: XNACK s g FAIL IDS 2 3 9");
  EXPECT_EQ(engine.ask("XNACK s g SILENT IDS 1 2"), "1");
  EXPECT_EQ(engine.ask("XPENDING s g - + 9"), "[[1-0 alice 0 1] [2-0  -1 0] [3-0  -1 1]]");
  EXPECT_EQ(engine.ask("XPENDING s g IDLE 1000 - + 9"), "[[2-0  -1 0] [3-0  -1 1]]");
  EXPECT_EQ(engine.ask("XPENDING s g"), "[3 1-0 3-0 [[alice 1]]]");
  EXPECT_NE(engine.ask("XINFO STREAM s FULL").find("pel-count 3 nacked-count 2 pending"),
            std::string::npos);
  // In the order in which they were released, whatever the idle time.
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g bob CLAIM 99999 STREAMS s >"),
            "[[s [[3-0 [a 3] 1700000000000 1] [2-0 [a 2] 1700000000000 0]]]]");
  EXPECT_EQ(engine.ask("XINFO STREAM s FULL").find("nacked"), std::string::npos);
  EXPECT_EQ(engine.ask("XNACK s g FATAL IDS 1 1"), "1");
  EXPECT_EQ(engine.ask("XCLAIM s g carol 5000 1"), "[[1-0 [a 1]]]");
  EXPECT_EQ(engine.ask("XPENDING s g - + 1"), "[[1-0 carol 0 9223372036854775807]]");
  EXPECT_EQ(engine.ask("XNACK s g FATAL RETRYCOUNT 4 IDS 1 1"), "1");
  EXPECT_EQ(engine.ask("XACK s g 1"), "1");
  EXPECT_EQ(engine.ask("XNACK s g FAIL IDS 2 1 7"), "0");
  EXPECT_EQ(engine.effects().find("XNACK s g FAIL"), std::string::npos);
  EXPECT_EQ(engine.ask("XNACK s g FAIL FORCE IDS 2 1 7"), "1");
  EXPECT_EQ(engine.ask("XPENDING s g - + 1"), "[[1-0  -1 0]]");
  EXPECT_EQ(engine.ask("XAUTOCLAIM s g dave 5000 0 COUNT 1 JUSTID"), "[2-0 [1-0] []]");
}

TEST(Streams, ReleasingNamesItsErrors) {
  Streams engine;
  engine.run_all({"XADD s 1 a 1", "XGROUP CREATE s g 0"});
  EXPECT_EQ(engine.ask("XNACK s h FAIL IDS 1 1"),
            "(NOGROUP No such key 's' or consumer group 'h')");
  EXPECT_EQ(engine.ask("XNACK s g LOUD IDS 1 1"), "(ERR mode must be SILENT, FAIL, or FATAL)");
  EXPECT_EQ(engine.ask("XNACK s g FAIL IDS 0 1"), "(ERR numids must be a positive integer)");
  EXPECT_EQ(engine.ask("XNACK s g FAIL IDS 2 1"), "(ERR number of IDs doesn't match numids)");
  EXPECT_EQ(engine.ask("XNACK s g FAIL IDS 1 1 LOUD"), "(ERR Unrecognized XNACK option 'LOUD')");
  EXPECT_EQ(engine.ask("XNACK s g FAIL IDS 1 1 RETRYCOUNT -1"),
            "(ERR Invalid RETRYCOUNT value, must be >= 0)");
  EXPECT_EQ(engine.ask("XNACK s g FAIL FORCE RETRYCOUNT 1"),
            "(ERR syntax error, expected IDS keyword)");
}

TEST(Streams, AReaderMayLimitWhatItGetsOfAllStreams) {
  Streams engine;
  engine.resp3 = false;
  engine.run_all({"XADD s 1 a 1", "XADD s 2 a 2", "XADD s 3 a 3", "XADD t 1 b 1", "XADD t 2 b 2"});
  EXPECT_EQ(engine.ask("XREAD MAXCOUNT 4 STREAMS s t 0 0"),
            "[[s [[1-0 [a 1]] [2-0 [a 2]] [3-0 [a 3]]]] [t [[1-0 [b 1]]]]]");
  EXPECT_EQ(engine.ask("XREAD COUNT 2 MAXCOUNT 3 STREAMS s t 0 0"),
            "[[s [[1-0 [a 1]] [2-0 [a 2]]]] [t [[1-0 [b 1]]]]]");
  EXPECT_EQ(engine.ask("XREAD MAXCOUNT 3 STREAMS s t 0 0"),
            "[[s [[1-0 [a 1]] [2-0 [a 2]] [3-0 [a 3]]]]]");
  // An entry here is 31 bytes of a reply; one that begins within the limit is answered whole.
  EXPECT_EQ(engine.ask("XREAD MAXSIZE 1 STREAMS s t 0 0"), "[[s [[1-0 [a 1]]]]]");
  EXPECT_EQ(engine.ask("XREAD MAXSIZE 31 STREAMS s t 0 0"), "[[s [[1-0 [a 1]]]]]");
  EXPECT_EQ(engine.ask("XREAD MAXSIZE 94 STREAMS s t 0 0"),
            "[[s [[1-0 [a 1]] [2-0 [a 2]] [3-0 [a 3]]]] [t [[1-0 [b 1]]]]]");
  engine.run_all({"XGROUP CREATE s g 0", "XGROUP CREATE t g 0"});
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g alice MAXCOUNT 2 STREAMS t s > >"),
            "[[t [[1-0 [b 1]] [2-0 [b 2]]]]]");
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g alice MAXSIZE 32 STREAMS t s 0 >"),
            "[[t [[1-0 [b 1]] [2-0 [b 2]]]]]");
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g alice MAXSIZE 32 STREAMS s t > 0"),
            "[[s [[1-0 [a 1]] [2-0 [a 2]]]]]");
  EXPECT_EQ(engine.ask("XPENDING s g"), "[2 1-0 2-0 [[alice 2]]]");
  EXPECT_EQ(engine.ask("XREAD MAXCOUNT 0 STREAMS s 0"),
            "(ERR MAXCOUNT must be a positive integer)");
  EXPECT_EQ(engine.ask("XREAD MAXSIZE -1 STREAMS s 0"), "(ERR MAXSIZE must be a positive integer)");
  EXPECT_EQ(engine.ask("XREAD MAXCOUNT 1 COUNT 2 STREAMS s 0"),
            "(ERR MAXCOUNT must be greater than or equal to COUNT)");
  EXPECT_EQ(engine.ask("XREAD CLAIM 5 STREAMS s 0"),
            "(ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.)");
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g a CLAIM -5 STREAMS s >"),
            "(ERR min-idle-time must be a positive integer)");
  EXPECT_EQ(engine.ask("XREADGROUP GROUP g a CLAIM x STREAMS s >"),
            "(ERR min-idle-time is not an integer or out of range)");
}

TEST(Streams, AnIdempotentEntryIsAddedOnce) {
  Streams engine;
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 * f v"), "1700000000000-0");
  EXPECT_EQ(engine.effects(), "0: XADD s IDMP p 1 1700000000000-0 f v");
  engine.pass(10);
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 * f other"), "1700000000000-0");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.ask("XADD s IDMP q 1 * f v"), "1700000000010-0");
  EXPECT_EQ(engine.ask("XADD s IDMP p 2 * f v"), "1700000000010-1");
  EXPECT_EQ(engine.ask("XLEN s"), "3");
  // That the entry has gone does not make it new.
  engine.run("XDEL s 1700000000000-0");
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 * f v"), "1700000000000-0");
  const std::string info = engine.ask("XINFO STREAM s");
  EXPECT_NE(info.find("idmp-duration 100 idmp-maxsize 100 pids-tracked 2 iids-tracked 3 "
                      "iids-added 3 iids-duplicates 2 groups 0"),
            std::string::npos)
      << info;
  engine.pass(99'989);
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 * f v"), "1700000000000-0");
  engine.pass(1);
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 * f v"), "1700000100000-0");
  EXPECT_EQ(engine.ask("XADD none NOMKSTREAM IDMP p 1 * f v"), "_");
  EXPECT_EQ(engine.ask("COPY s t"), "1");
  EXPECT_EQ(engine.ask("XADD t IDMP p 1 * f v"), "1700000100000-0");
}

TEST(Streams, ALogWithIdsAheadOfTheClockForgetsNoProducer) {
  Streams engine;
  engine.caller.origin = Origin::kReplay;
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 1700000000000-0 f v"), "1700000000000-0");
  EXPECT_EQ(engine.ask("XADD s 1700000200000-0 f v"), "1700000200000-0");
  EXPECT_EQ(engine.ask("XADD s IDMP q 2 1700000200000-1 f v"), "1700000200000-1");
  engine.caller.origin = Origin::kEmbedded;
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 * f v"), "1700000000000-0");
}

TEST(Streams, AnEntryMayBeNamedByWhatItSays) {
  Streams engine;
  EXPECT_EQ(engine.ask("XADD s IDMPAUTO p * a 1 b 2"), "1700000000000-0");
  EXPECT_EQ(engine.effects(), "0: XADD s IDMPAUTO p 1700000000000-0 a 1 b 2");
  EXPECT_EQ(engine.ask("XADD s IDMPAUTO p * b 2 a 1"), "1700000000000-0");
  EXPECT_EQ(engine.ask("XADD s IDMPAUTO p * a 2 b 1"), "1700000000000-1");
  EXPECT_EQ(engine.ask("XADD s IDMPAUTO p * a 1"), "1700000000000-2");
  EXPECT_EQ(engine.ask("XADD s IDMPAUTO p * a1 \"\""), "1700000000000-3");
  engine.effects();
  EXPECT_EQ(engine.ask("XADD s IDMPAUTO q MAXLEN ~ 9 * a 1"), "1700000000000-4");
  EXPECT_EQ(engine.effects(), "0: XADD s MAXLEN = 5 IDMPAUTO q 1700000000000-4 a 1");
}

TEST(Streams, AStreamRemembersSoManyOfAProducerForSoLong) {
  Streams engine;
  engine.run_all({"XADD s IDMP p 1 * f v", "XADD s IDMP p 2 * f v", "XADD s IDMP p 3 * f v"});
  engine.effects();
  EXPECT_EQ(engine.ask("XCFGSET s IDMP-MAXSIZE 2"), "OK");
  EXPECT_EQ(engine.effects(), "0: XCFGSET s IDMP-DURATION 100 IDMP-MAXSIZE 2");
  EXPECT_EQ(engine.ask("XCFGSET s IDMP-DURATION 100"), "OK");
  EXPECT_EQ(engine.effects(), "");
  // What was known before is forgotten.
  EXPECT_EQ(engine.ask("XADD s IDMP p 3 * f v"), "1700000000000-3");
  EXPECT_EQ(engine.ask("XADD s IDMP p 4 * f v"), "1700000000000-4");
  EXPECT_EQ(engine.ask("XADD s IDMP p 3 * f v"), "1700000000000-3");
  EXPECT_EQ(engine.ask("XADD s IDMP p 5 * f v"), "1700000000000-5");
  EXPECT_EQ(engine.ask("XADD s IDMP p 3 * f v"), "1700000000000-6");
  EXPECT_EQ(engine.ask("XCFGSET none IDMP-MAXSIZE 2"), "(ERR no such key)");
  EXPECT_EQ(engine.ask("XCFGSET s"), "(ERR At least one parameter must be specified)");
  EXPECT_EQ(engine.ask("XCFGSET s IDMP-MAXSIZE"), "(ERR syntax error)");
  EXPECT_EQ(engine.ask("XCFGSET s IDMP-MAXSIZE 10001"),
            "(ERR IDMP-MAXSIZE must be between 1 and 10000 entries)");
  EXPECT_EQ(engine.ask("XCFGSET s IDMP-DURATION 0"),
            "(ERR IDMP-DURATION must be between 1 and 86400 seconds)");
  EXPECT_EQ(engine.ask("XCFGSET s IDMP-DURATION 5 IDMP-DURATION 6"),
            "(ERR IDMP-DURATION specified multiple times)");
}

TEST(Streams, IdempotenceNamesItsErrors) {
  Streams engine;
  EXPECT_EQ(engine.ask("XADD s IDMP p * f v"),
            "(ERR Invalid stream ID specified as stream command argument)");
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 1-1 f v"),
            "(ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs)");
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 IDMPAUTO q * f v"),
            "(ERR syntax error, IDMP/IDMPAUTO specified multiple times)");
  EXPECT_EQ(engine.ask("XADD s IDMPAUTO \"\" * f v"),
            "(ERR syntax error, IDMPAUTO requires a non-empty producer ID)");
  EXPECT_EQ(engine.ask("XADD s IDMP p \"\" * f v"),
            "(ERR syntax error, IDMP requires a non-empty idempotent ID)");
  EXPECT_EQ(engine.ask("EXISTS s"), "0");
}

TEST(Streams, ALogSaysWhichEntriesAreTheSame) {
  Streams engine;
  engine.caller.origin = Origin::kReplay;
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 5-0 f v"), "5-0");
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 5-0 f v"), "5-0");
  EXPECT_EQ(engine.ask("XLEN s"), "1");
  // It was overdue there.
  EXPECT_EQ(engine.ask("XADD s IDMP p 1 100005-0 f v"), "100005-0");
  EXPECT_EQ(engine.ask("XIDMPRECORD s p 2 5-0"), "OK");
  EXPECT_EQ(engine.ask("XIDMPRECORD s p 2 5-0"), "OK");
  EXPECT_EQ(engine.ask("XADD s IDMP p 2 5-0 f v"), "5-0");
  EXPECT_EQ(engine.ask("XIDMPRECORD s p 1 5-0"),
            "(ERR IID already exists for this producer with a different stream ID)");
  EXPECT_EQ(engine.ask("XIDMPRECORD s p 9 6-0"), "(ERR No such message in stream)");
  EXPECT_EQ(engine.ask("XIDMPRECORD s \"\" 9 5-0"), "(ERR producer ID must be non-empty)");
  EXPECT_EQ(engine.ask("XIDMPRECORD s p \"\" 5-0"), "(ERR idempotent ID must be non-empty)");
  EXPECT_EQ(engine.ask("XIDMPRECORD none p 9 5-0"), "(ERR no such key)");
}

TEST(Streams, CopyTakesGroupsAlong) {
  Streams engine;
  engine.run_all({"XADD s 1 a 1", "XGROUP CREATE s g 0", "XREADGROUP GROUP g alice STREAMS s >"});
  EXPECT_EQ(engine.ask("COPY s t"), "1");
  EXPECT_EQ(engine.ask("XACK s g 1"), "1");
  EXPECT_EQ(engine.ask("XPENDING t g - + 9"), "[[1-0 alice 0 1]]");
  EXPECT_EQ(engine.ask("DEBUG DIGEST-VALUE s") == engine.run("DEBUG DIGEST-VALUE t"), false);
  EXPECT_EQ(engine.ask("XACK t g 1"), "1");
  EXPECT_EQ(engine.ask("DEBUG DIGEST-VALUE s"), engine.run("DEBUG DIGEST-VALUE t"));
}

// ---- references (Redis 8.2)

// Two groups: g has acknowledged 1, has 2 pending and was not given 3 and 4; h has 1 pending.
struct ReferencedStream : Streams {
  ReferencedStream() {
    run_all({"XADD s 1 f v", "XADD s 2 f v", "XGROUP CREATE s g 0", "XGROUP CREATE s h 0",
             "XREADGROUP GROUP g alice STREAMS s >", "XREADGROUP GROUP h bob COUNT 1 STREAMS s >",
             "XADD s 3 f v", "XADD s 4 f v", "XACK s g 1"});
    effects();
  }
};

TEST(Streams, DeletingMayKeepReferences) {
  ReferencedStream engine;
  EXPECT_EQ(engine.ask("XDELEX s IDS 3 1 9 2"), "[1 -1 1]");
  EXPECT_EQ(engine.effects(), "0: XDEL s 1-0 2-0");
  EXPECT_EQ(engine.ask("XPENDING s g"), "[1 2-0 2-0 [[alice 1]]]");
  EXPECT_EQ(engine.ask("XDELEX none KEEPREF IDS 2 1 2"), "[-1 -1]");
}

TEST(Streams, DeletingMayDropReferences) {
  ReferencedStream engine;
  EXPECT_EQ(engine.ask("XDELEX s IDS 1 2 DELREF"), "[1]");
  EXPECT_EQ(engine.effects(), "0: XACK s g 2-0; 0: XDEL s 2-0");
  EXPECT_EQ(engine.ask("XPENDING s g"), "[0 _ _ *_]");
  // A reference to what has gone goes, too.
  engine.run("XDEL s 1");
  EXPECT_EQ(engine.ask("XDELEX s DELREF IDS 1 1"), "[-1]");
  EXPECT_EQ(engine.ask("XPENDING s h"), "[0 _ _ *_]");
}

TEST(Streams, DeletingMayWaitForAllGroups) {
  ReferencedStream engine;
  EXPECT_EQ(engine.ask("XDELEX s ACKED IDS 3 1 2 3"), "[2 2 2]");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.ask("XACKDEL s h ACKED IDS 1 1"), "[1]");
  EXPECT_EQ(engine.effects(), "0: XACK s h 1-0; 0: XDEL s 1-0");
  EXPECT_EQ(engine.ask("XACKDEL s g ACKED IDS 2 2 3"), "[2 -1]");
  EXPECT_EQ(engine.ask("XACKDEL s g IDS 1 2"), "[-1]");
  EXPECT_EQ(engine.ask("XLEN s"), "3");
}

TEST(Streams, TrimmingRegardsReferences) {
  ReferencedStream engine;
  EXPECT_EQ(engine.ask("XTRIM s MAXLEN 1 ACKED"), "0");
  engine.run("XACK s h 1");
  EXPECT_EQ(engine.ask("XTRIM s ACKED MAXLEN 1"), "1");
  engine.effects();
  EXPECT_EQ(engine.ask("XADD s DELREF MAXLEN 2 5 f v"), "5-0");
  EXPECT_EQ(engine.effects(), "0: XACK s g 2-0; 0: XADD s MAXLEN = 2 5-0 f v");
  EXPECT_EQ(engine.ask("XADD s KEEPREF 6 f v"), "6-0");
  EXPECT_EQ(engine.effects(), "0: XADD s 6-0 f v");
  EXPECT_EQ(engine.ask("XPENDING s g"), "[0 _ _ *_]");
}

TEST(Streams, IdsAreCountedAndOptionsStandOnce) {
  Streams engine;
  for (const char* command : {"XDELEX s IDS 0 1", "XDELEX s IDS a 1", "XDELEX s IDS -5 1"}) {
    EXPECT_EQ(engine.ask(command), "(ERR Number of IDs must be greater than 0)");
  }
  EXPECT_EQ(engine.ask("XDELEX s IDS 2 1"),
            "(ERR The `numids` parameter must match the number of arguments)");
  for (const char* command :
       {"XDELEX s KEEPREF DELREF IDS 1 1", "XDELEX s IDS 1 1 2", "XDELEX s IDS 1 1 IDS 1 1",
        "XACKDEL s g KEEPREF ACKED x", "XDELEX s KEEPREF 1 1"}) {
    EXPECT_EQ(engine.ask(command), "(ERR syntax error)") << command;
  }
}

// ---- waiting

struct StreamBlock : testing::Test {
  EngineFixture world{{kStreamCommands, kStreamGroupCommands, kStreamPendingCommands,
                       kStreamReadCommands, kStringSetCommands, kKeyCommands, kDatabaseCommands,
                       kTransactionCommands, kConnectionCommands, kClientCommands,
                       kExpireCommands}};
  TestTurns turns{world.engine};
  TestClient first{turns}, second{turns}, other{turns};
};

TEST_F(StreamBlock, TheEndIsThatOfTheTimeWhenTheWaitBegan) {
  other.ask("XADD s 1 a 1");
  EXPECT_EQ(first.ask("XREAD BLOCK 0 STREAMS s none $ $"), "");
  EXPECT_EQ(second.ask("XREAD BLOCK 0 STREAMS s 1"), "");
  EXPECT_EQ(other.ask("MULTI; XADD s 2 a 2; XADD s 3 a 3; EXEC"),
            "+OK +QUEUED +QUEUED *2 $3 2-0 $3 3-0");
  const std::string both = "*1 *2 $1 s *2 *2 $3 2-0 *2 $1 a $1 2 *2 $3 3-0 *2 $1 a $1 3";
  EXPECT_EQ(first.take(), both);
  EXPECT_EQ(second.take(), both);
}

TEST_F(StreamBlock, WhatCameAndWentIsAnAnswerWithoutEntries) {
  first.ask("XREAD BLOCK 0 STREAMS s $");
  other.ask("MULTI; XADD s 2 a 2; XDEL s 2; EXEC");
  EXPECT_EQ(first.take(), "*1 *2 $1 s *0");
}

TEST_F(StreamBlock, NobodyIsWokenByWhatIsTakenAway) {
  other.ask("XADD s 1 a 1; XADD s 2 a 2; XGROUP CREATE s g $; XSETID s 9");
  first.ask("XREADGROUP GROUP g alice BLOCK 0 STREAMS s >");
  other.ask("XDEL s 1");
  EXPECT_EQ(first.take(), "");
  other.ask("XTRIM s MAXLEN 0");
  EXPECT_EQ(first.take(), "");
  other.ask("XADD s 10 a 1");
  EXPECT_EQ(first.take(), "*1 *2 $1 s *1 *2 $4 10-0 *2 $1 a $1 1");
}

TEST_F(StreamBlock, AReaderWaitsOnWhileItsKeyIsNoStream) {
  first.ask("XREAD BLOCK 0 STREAMS s $");
  other.ask("SET s v");
  EXPECT_EQ(first.take(), "");
  other.ask("DEL s; XADD s 2 a 2");
  EXPECT_EQ(first.take(), "*1 *2 $1 s *1 *2 $3 2-0 *2 $1 a $1 2");
}

TEST_F(StreamBlock, OneEntryGoesToOneConsumer) {
  other.ask("XGROUP CREATE s g $ MKSTREAM");
  first.ask("XREADGROUP GROUP g alice BLOCK 0 STREAMS s >");
  second.ask("XREADGROUP GROUP g bob BLOCK 0 STREAMS s >");
  other.ask("XADD s 2 a 2");
  EXPECT_EQ(first.take(), "*1 *2 $1 s *1 *2 $3 2-0 *2 $1 a $1 2");
  EXPECT_EQ(second.take(), "");
  other.ask("XADD s 3 a 3");
  EXPECT_EQ(second.take(), "*1 *2 $1 s *1 *2 $3 3-0 *2 $1 a $1 3");
}

TEST_F(StreamBlock, AConsumerLearnsThatItsKeyHasGone) {
  const std::string gone = "-UNBLOCKED the stream key no longer exists";
  for (const char* end : {"DEL s", "SET s v", "FLUSHALL", "SWAPDB 0 1",
                          "MULTI; DEL s; SET s v; EXEC", "RENAME s t", "PEXPIRE s 1"}) {
    other.ask("DEL s; XGROUP CREATE s g $ MKSTREAM");
    EXPECT_EQ(first.ask("XREADGROUP GROUP g alice BLOCK 0 STREAMS s >"), "") << end;
    other.ask(end);
    if (ByteView(end).starts_with("PEXPIRE")) {
      world.pass(5);
      other.ask("EXISTS s");
    }
    EXPECT_EQ(first.take(), gone) << end;
  }
}

TEST_F(StreamBlock, AConsumerLearnsThatItsGroupHasGone) {
  other.ask("XGROUP CREATE s g $ MKSTREAM");
  first.ask("XREADGROUP GROUP g alice BLOCK 0 STREAMS s >");
  other.ask("XGROUP DESTROY s g");
  EXPECT_EQ(first.take(),
            "-NOGROUP the consumer group this client was blocked on no longer exists");
}

TEST_F(StreamBlock, WhoWaitsForListsIsNotToldOfRemoval) {
  other.ask("XGROUP CREATE s g $ MKSTREAM");
  first.ask("XREAD BLOCK 0 STREAMS s $");
  second.ask("XREADGROUP GROUP g alice BLOCK 0 STREAMS s >");
  other.ask("DEL s");
  EXPECT_EQ(first.take(), "");
  EXPECT_EQ(second.take(), "-UNBLOCKED the stream key no longer exists");
}

TEST_F(StreamBlock, WhatIsPendingIsClaimedWhenItsTimeHasCome) {
  other.ask("XADD s 1 a 1; XGROUP CREATE s g 0; XREADGROUP GROUP g alice STREAMS s >");
  EXPECT_EQ(first.ask("XREADGROUP GROUP g bob BLOCK 0 CLAIM 50 STREAMS none s > >"),
            "-NOGROUP No such key 'none' or consumer group 'g' in XREADGROUP with GROUP option");
  first.ask("XREADGROUP GROUP g bob BLOCK 0 CLAIM 50 STREAMS s >");
  second.ask("XREADGROUP GROUP g carol BLOCK 60 CLAIM 1000 STREAMS s >");
  EXPECT_LE(world.engine.next_deadline(), world.engine.instant() + 50'000);
  world.pass(49);
  turns.run();
  EXPECT_EQ(first.take(), "");
  world.pass(1);
  turns.run();
  EXPECT_EQ(first.take(), "*1 *2 $1 s *1 *4 $3 1-0 *2 $1 a $1 1 :50 :1");
  EXPECT_EQ(second.take(), "");
  world.pass(10);
  turns.run();
  EXPECT_EQ(second.take(), "*-1");
  EXPECT_EQ(world.engine.next_deadline(), Wait::kForever);
}

TEST_F(StreamBlock, WhatBecomesPendingMeanwhileIsClaimedToo) {
  other.ask("XGROUP CREATE s g $ MKSTREAM");
  first.ask("XREADGROUP GROUP g bob BLOCK 0 CLAIM 50 STREAMS s >");
  // Bob waits behind alice, who gets the entry.
  world.pass(30);
  other.ask("MULTI; XADD s 1 a 1; XREADGROUP GROUP g alice STREAMS s >; EXEC");
  EXPECT_EQ(first.take(), "");
  for (int i = 0; i < 5; ++i) {
    world.pass(10);
    turns.run();
  }
  EXPECT_EQ(first.take(), "*1 *2 $1 s *1 *4 $3 1-0 *2 $1 a $1 1 :50 :1");
}

TEST_F(StreamBlock, WhatIsReleasedIsClaimedAtOnce) {
  other.ask("XADD s 1 a 1; XGROUP CREATE s g 0; XREADGROUP GROUP g alice STREAMS s >");
  first.ask("XREADGROUP GROUP g bob BLOCK 0 STREAMS s >");
  second.ask("XREADGROUP GROUP g carol BLOCK 0 CLAIM 5000 STREAMS s >");
  other.ask("XNACK s g FAIL IDS 1 1");
  EXPECT_EQ(first.take(), "");
  EXPECT_EQ(second.take(), "*1 *2 $1 s *1 *4 $3 1-0 *2 $1 a $1 1 :1700000000000 :1");
}

TEST_F(StreamBlock, HistoryNeverWaits) {
  other.ask("XGROUP CREATE s g $ MKSTREAM");
  EXPECT_EQ(first.ask("XREADGROUP GROUP g alice BLOCK 0 STREAMS s 0"), "*1 *2 $1 s *0");
  EXPECT_EQ(first.ask("XREAD BLOCK 1.5 STREAMS s 0"),
            "-ERR timeout is not an integer or out of range");
}

}  // namespace
}  // namespace ouro
