// SPDX-License-Identifier: BSD-3-Clause
// TOPK.*: replies and errors as RedisBloom 2.8 gives them; redis.io's command pages of TOPK.* and
// the module's own texts are what each expectation rests on, since no server with it is at hand.
#include <string>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct TopKCommands : EngineFixture {
  TopKCommands()
      : EngineFixture({kTopKCommands, kStringSetCommands, kKeyCommands, kDebugCommands}) {}
};

const std::string kMissing = "(TopK: key does not exist)";

TEST(TopKCommands, CountsAndLists) {
  TopKCommands engine;
  EXPECT_EQ(engine.run("TOPK.RESERVE t 2 50 5 0.9"), "OK");
  EXPECT_EQ(engine.run("TOPK.ADD t a a a b b c"), "[_ _ _ _ _ _]");
  EXPECT_EQ(engine.run("TOPK.INCRBY t c 9 d 1"), "[\"b\" _]");
  EXPECT_EQ(engine.run("TOPK.LIST t"), "[\"c\" \"a\"]");
  EXPECT_EQ(engine.run("TOPK.LIST t withcount"), "[\"c\" 10 \"a\" 3]");
  EXPECT_EQ(engine.run("TOPK.QUERY t a b c"), "[#t #f #t]");
  EXPECT_EQ(engine.run("TOPK.COUNT t a b c none"), "[3 2 10 0]");
  EXPECT_EQ(engine.run("TOPK.INFO t"), "{k 2 width 50 depth 5 decay ,0.90000000000000002}");
  EXPECT_EQ(engine.run("TYPE t"), "TopK-TYPE");
  engine.run("TOPK.RESERVE d 10");
  EXPECT_EQ(engine.run("TOPK.INFO d"), "{k 10 width 8 depth 7 decay ,0.90000000000000002}");
  EXPECT_EQ(engine.run("TOPK.LIST d"), "[]");
}

TEST(TopKCommands, ItemsMayHoldAnyByte) {
  TopKCommands engine;
  engine.run("TOPK.RESERVE t 1 50 5 0.9");
  engine.run({"TOPK.ADD", "t", ByteView("a\0b", 3)});
  EXPECT_EQ(engine.run("TOPK.LIST t"), "[\"a\\x00b\"]");
  EXPECT_EQ(engine.run("TOPK.INCRBY t c 5"), "[\"a\\x00b\"]");
}

TEST(TopKCommands, ReserveChecksItsArguments) {
  TopKCommands engine;
  engine.run("SET text v");
  EXPECT_EQ(engine.run("TOPK.RESERVE text x"), "(TopK: key already exists)");
  EXPECT_EQ(engine.run("TOPK.RESERVE t 1 2"),
            "(ERR wrong number of arguments for 'topk.reserve' command)");
  for (const ByteView bad : {"x", "0", "4294967296"}) {
    EXPECT_EQ(engine.run({"TOPK.RESERVE", "t", bad}), "(TopK: invalid k)");
    EXPECT_EQ(engine.run({"TOPK.RESERVE", "t", "1", bad, "1", "1"}), "(TopK: invalid width)");
    EXPECT_EQ(engine.run({"TOPK.RESERVE", "t", "1", "1", bad, "1"}), "(TopK: invalid depth)");
  }
  for (const ByteView bad : {"x", "0", "1.1", "nan"}) {
    EXPECT_EQ(engine.run({"TOPK.RESERVE", "t", "1", "1", "1", bad}),
              "(TopK: invalid decay value. must be '<= 1' & '> 0')");
  }
  EXPECT_EQ(engine.run("TOPK.RESERVE t 4294967295"),
            "(ERR Insufficient memory to create topk data structure)");
  EXPECT_EQ(engine.run("EXISTS t"), "0");
  EXPECT_EQ(engine.run("TOPK.RESERVE t 1 1 1 1"), "OK");
}

TEST(TopKCommands, OtherErrors) {
  TopKCommands engine;
  engine.run_all({"SET text v", "TOPK.RESERVE t 3"});
  for (const char* command : {"TOPK.ADD", "TOPK.QUERY", "TOPK.COUNT"}) {
    EXPECT_EQ(engine.run({command, "none", "a"}), kMissing);
    EXPECT_EQ(engine.run({command, "text", "a"}), kWrongTypeAnswer);
  }
  for (const char* command : {"TOPK.LIST", "TOPK.INFO"}) {
    EXPECT_EQ(engine.run({command, "none"}), kMissing);
    EXPECT_EQ(engine.run({command, "text"}), kWrongTypeAnswer);
  }
  EXPECT_EQ(engine.run("TOPK.INCRBY none a 1"), kMissing);
  EXPECT_EQ(engine.run("TOPK.LIST t other"), "(WITHCOUNT keyword expected)");
  EXPECT_EQ(engine.run("TOPK.INCRBY t a 1 b"),
            "(ERR wrong number of arguments for 'topk.incrby' command)");
  for (const ByteView bad : {"x", "-1", "100001"}) {
    const std::string answer = engine.run({"TOPK.INCRBY", "t", "a", "1", "b", bad});
    EXPECT_EQ(answer, "(TopK: increment must be an integer greater or equal to 0" +
                          std::string(28, ' ') + "and smaller or equal to 100,000)");
  }
  EXPECT_EQ(engine.run("TOPK.LIST t"), "[]");
  EXPECT_EQ(engine.run("TOPK.INCRBY t a 0 b 100000"), "[_ _]");
  EXPECT_EQ(engine.run("TOPK.LIST t WITHCOUNT"), "[\"b\" 100000]");
}

// The log has the commands as they were sent, and they give the same value again.
TEST(TopKCommands, ReplayingTheLogGivesTheSameValue) {
  TopKCommands engine;
  engine.run("TOPK.RESERVE t 5 4 3 0.9");
  Prng prng(4);
  for (int i = 0; i < 3000; ++i) {
    engine.run({"TOPK.INCRBY", "t", std::to_string(prng.below(60)), std::to_string(prng.below(9))});
  }
  TopKCommands replica;
  for (const std::string& line : engine.effect_log.lines) replica.run(ByteView(line).substr(3));
  EXPECT_EQ(replica.run("DEBUG DIGEST-VALUE t"), engine.run("DEBUG DIGEST-VALUE t"));
  EXPECT_EQ(replica.run("TOPK.LIST t WITHCOUNT"), engine.run("TOPK.LIST t WITHCOUNT"));
  engine.run("COPY t u");
  EXPECT_EQ(engine.run("DEBUG DIGEST-VALUE u"), engine.run("DEBUG DIGEST-VALUE t"));
  for (const char* key : {"t", "u"}) engine.run({"TOPK.ADD", key, "x", "y", "z", "x", "y"});
  EXPECT_EQ(engine.run("DEBUG DIGEST-VALUE u"), engine.run("DEBUG DIGEST-VALUE t"));
  EXPECT_EQ(engine.run("UNLINK t u"), "2");
}

}  // namespace
}  // namespace ouro
