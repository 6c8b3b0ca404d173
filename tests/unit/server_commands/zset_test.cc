// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <set>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct ZSets : EngineFixture {
  ZSets()
      : EngineFixture({kZSetCommands, kZSetPopCommands, kZSetRangeCommands, kZSetStoreCommands,
                       kSetCommands, kStringCommands, kStringSetCommands, kKeyCommands}) {}
};

TEST(ZSets, AddFollowsItsConditions) {
  ZSets engine;
  EXPECT_EQ(engine.run("ZADD z 1 a 2 b 3 a"), "2");
  EXPECT_EQ(engine.run("ZSCORE z a"), ",3");
  EXPECT_EQ(engine.run("ZADD z NX 9 a 4 c"), "1");
  EXPECT_EQ(engine.run("ZADD z XX CH 5 a 6 d"), "1");
  EXPECT_EQ(engine.run("ZADD z GT CH 4 a 7 b"), "1");
  EXPECT_EQ(engine.run("ZADD z LT CH 8 b 1 c"), "1");
  EXPECT_EQ(engine.run("ZMSCORE z a b c d"), "[,5 ,7 ,1 _]");
  EXPECT_EQ(engine.run("ZADD z INCR 0.5 a"), ",5.5");
  EXPECT_EQ(engine.run("ZADD z NX INCR 1 a"), "_");
  EXPECT_EQ(engine.run("ZADD none XX 1 a"), "0");
  EXPECT_EQ(engine.run("ZADD none XX INCR 1 a"), "_");
  EXPECT_EQ(engine.run("EXISTS none"), "0");
  EXPECT_EQ(engine.run("ZADD z -0 zero"), "1");
  EXPECT_EQ(engine.run("ZSCORE z zero"), ",0");
  EXPECT_EQ(engine.run("ZINCRBY z -0 sum"), ",-0");
  EXPECT_EQ(engine.run("ZSCORE z sum"), ",0");
}

TEST(ZSets, AddRefusesAsAWhole) {
  ZSets engine;
  EXPECT_EQ(engine.run("ZADD z 1 a x b"), "(ERR value is not a valid float)");
  EXPECT_EQ(engine.run("ZADD z 1 a 2"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("ZADD z NX XX 1 a"),
            "(ERR XX and NX options at the same time are not compatible)");
  EXPECT_EQ(engine.run("ZADD z GT LT 1 a"),
            "(ERR GT, LT, and/or NX options at the same time are not compatible)");
  EXPECT_EQ(engine.run("ZADD z INCR 1 a 2 b"),
            "(ERR INCR option supports a single increment-element pair)");
  EXPECT_EQ(engine.run("EXISTS z"), "0");
  engine.run("ZADD z inf a");
  EXPECT_EQ(engine.run("ZINCRBY z -inf a"), "(ERR resulting score is not a number (NaN))");
  EXPECT_EQ(engine.run("ZSCORE z a"), ",inf");
}

TEST(ZSets, RanksAndRemoval) {
  ZSets engine;
  engine.run("ZADD z 1 a 2 b 2 c 3 d");
  EXPECT_EQ(engine.run("ZRANK z c"), "2");
  EXPECT_EQ(engine.run("ZREVRANK z c"), "1");
  EXPECT_EQ(engine.run("ZRANK z x"), "_");
  // Redis 7.2.
  EXPECT_EQ(engine.run("ZRANK z c WITHSCORE"), "[2 ,2]");
  EXPECT_EQ(engine.run("ZREVRANK z d withscore"), "[0 ,3]");
  EXPECT_EQ(engine.run("ZRANK z x WITHSCORE"), "*_");
  EXPECT_EQ(engine.run("ZRANK none x WITHSCORE"), "*_");
  EXPECT_EQ(engine.run("ZRANK z c WITHSCORES"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("ZRANK z c WITHSCORE x"),
            "(ERR wrong number of arguments for 'zrank' command)");
  EXPECT_EQ(engine.run("ZREM z a x b"), "2");
  EXPECT_EQ(engine.run("ZCARD z"), "2");
  EXPECT_EQ(engine.run("ZREM z c d"), "2");
  EXPECT_EQ(engine.run("EXISTS z"), "0");
}

TEST(ZSets, RangesByRankScoreAndMember) {
  ZSets engine;
  engine.run_all({"ZADD z 1 a 2 b 3 c 4 d", "ZADD lex 0 a 0 b 0 c 0 d"});
  EXPECT_EQ(engine.run("ZRANGE z 1 -2"), "[\"b\" \"c\"]");
  EXPECT_EQ(engine.run("ZRANGE z 0 1 REV WITHSCORES"), "[\"d\" ,4 \"c\" ,3]");
  EXPECT_EQ(engine.run("ZREVRANGE z -1 -1"), "[\"a\"]");
  EXPECT_EQ(engine.run("ZRANGEBYSCORE z (1 3"), "[\"b\" \"c\"]");
  EXPECT_EQ(engine.run("ZREVRANGEBYSCORE z +inf -inf LIMIT 1 2"), "[\"c\" \"b\"]");
  EXPECT_EQ(engine.run("ZRANGE z 3 1 BYSCORE REV LIMIT 1 -1"), "[\"b\" \"a\"]");
  EXPECT_EQ(engine.run("ZRANGEBYSCORE z -inf +inf LIMIT -1 5"), "[]");
  EXPECT_EQ(engine.run("ZRANGEBYSCORE z '' 1e999"), "[\"a\" \"b\" \"c\" \"d\"]");
  EXPECT_EQ(engine.run("ZRANGEBYLEX lex (a [c"), "[\"b\" \"c\"]");
  EXPECT_EQ(engine.run("ZREVRANGEBYLEX lex + (b"), "[\"d\" \"c\"]");
  EXPECT_EQ(engine.run("ZRANGEBYLEX lex + -"), "[]");
  EXPECT_EQ(engine.run("ZCOUNT z 2 (4"), "2");
  EXPECT_EQ(engine.run("ZLEXCOUNT lex - [b"), "2");
  EXPECT_EQ(engine.run("ZREMRANGEBYRANK z 0 0"), "1");
  EXPECT_EQ(engine.run("ZREMRANGEBYSCORE z (2 3"), "1");
  EXPECT_EQ(engine.run("ZREMRANGEBYLEX lex - +"), "4");
  EXPECT_EQ(engine.run("ZRANGE z 0 -1"), "[\"b\" \"d\"]");
  EXPECT_EQ(engine.run("EXISTS lex"), "0");
}

// Valkey 9.2.
TEST(ZSets, RangesTellAnAbsentKeyIfAsked) {
  ZSets engine;
  engine.run_all({"ZADD z 1 a", "SET text v"});
  for (const std::string name : {"ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE"}) {
    EXPECT_EQ(engine.run(name + " none 1 2 xx"), "*_") << name;
    EXPECT_EQ(engine.run(name + " none 1 2 WITHSCORES"), "[]") << name;
    EXPECT_EQ(engine.run(name + " z 5 6 XX WITHSCORES"), "[]") << name;
    EXPECT_EQ(engine.run(name + " text 1 2 XX"), kWrongTypeAnswer) << name;
  }
  for (const std::string name : {"ZRANGEBYLEX", "ZREVRANGEBYLEX"}) {
    EXPECT_EQ(engine.run(name + " none - + LIMIT 0 1 XX"), "*_") << name;
    EXPECT_EQ(engine.run(name + " z [x [x XX"), "[]") << name;
  }
  EXPECT_EQ(engine.run("ZRANGE z 0 0 XX"), "[\"a\"]");
  EXPECT_EQ(engine.run("ZRANGESTORE d z 0 1 XX"), "(ERR syntax error)");
}

TEST(ZSets, RangeOptionsThatDoNotGoTogether) {
  ZSets engine;
  EXPECT_EQ(engine.run("ZRANGE z 0 -1 LIMIT 0 1"),
            "(ERR syntax error, LIMIT is only supported in combination with either BYSCORE or "
            "BYLEX)");
  EXPECT_EQ(engine.run("ZRANGE z - + BYLEX WITHSCORES"),
            "(ERR syntax error, WITHSCORES not supported in combination with BYLEX)");
  EXPECT_EQ(engine.run("ZRANGE z 0 1 BYLEX BYSCORE"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("ZREVRANGE z 0 1 REV"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("ZRANGESTORE d z 0 1 WITHSCORES"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("ZCOUNT z a 1"), "(ERR min or max is not a float)");
  EXPECT_EQ(engine.run("ZLEXCOUNT z a +"), "(ERR min or max not valid string range item)");
}

TEST(ZSets, ScoresStandInPairsInResp3) {
  ZSets engine;
  engine.resp3 = true;
  engine.run("ZADD z 1 a 2.5 b 3 c 4 d");
  EXPECT_EQ(engine.run("ZRANGE z 0 1 WITHSCORES"), "[[\"a\" ,1] [\"b\" ,2.5]]");
  EXPECT_EQ(engine.run("ZRANDMEMBER z 4 WITHSCORES"),
            "[[\"a\" ,1] [\"b\" ,2.5] [\"c\" ,3] [\"d\" ,4]]");
  EXPECT_EQ(engine.run("ZUNION 1 z WITHSCORES"), "[[\"a\" ,1] [\"b\" ,2.5] [\"c\" ,3] [\"d\" ,4]]");
  EXPECT_EQ(engine.run("ZSCAN z 0 MATCH b"), "[\"0\" [\"b\" \"2.5\"]]");
  EXPECT_EQ(engine.run("ZSCAN z 0 MATCH b noscores"), "[\"0\" [\"b\"]]");
  EXPECT_EQ(engine.run("ZSCAN z 0 NOVALUES"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("ZPOPMIN z"), "[\"a\" ,1]");
  EXPECT_EQ(engine.run("ZPOPMIN z 1"), "[[\"b\" ,2.5]]");
  EXPECT_EQ(engine.run("BZPOPMAX z 0"), "[\"z\" \"d\" ,4]");
  EXPECT_EQ(engine.run("ZMPOP 1 z MAX"), "[\"z\" [[\"c\" ,3]]]");
}

TEST(ZSets, PopsTakeFromTheEndAndLeaveTheFactInTheLog) {
  ZSets engine;
  engine.run("ZADD z 1 a 2 b 3 c 4 d 5 e");
  engine.effects();
  EXPECT_EQ(engine.run("ZPOPMIN z"), "[\"a\" ,1]");
  EXPECT_EQ(engine.effects(), "0: ZPOPMIN z 1");
  EXPECT_EQ(engine.run("ZPOPMAX z 2"), "[\"e\" ,5 \"d\" ,4]");
  EXPECT_EQ(engine.effects(), "0: ZPOPMAX z 2");
  EXPECT_EQ(engine.run("ZMPOP 2 none z MIN COUNT 9"), "[\"z\" [[\"b\" ,2] [\"c\" ,3]]]");
  EXPECT_EQ(engine.effects(), "0: ZPOPMIN z 2");
  EXPECT_EQ(engine.run("EXISTS z"), "0");
  EXPECT_EQ(engine.run("ZPOPMIN z 3"), "[]");
  EXPECT_EQ(engine.run("ZMPOP 1 z MIN"), "*_");
  // Nobody may wait here: the answer is that of a time that is over.
  EXPECT_EQ(engine.run("BZPOPMIN z 0"), "*_");
  EXPECT_EQ(engine.run("BZMPOP 0 1 z MIN"), "*_");
  EXPECT_EQ(engine.effects(), "");
}

TEST(ZSets, PopArguments) {
  ZSets engine;
  EXPECT_EQ(engine.run("ZPOPMIN z -1"), "(ERR value is out of range, must be positive)");
  EXPECT_EQ(engine.run("ZPOPMIN z 1 2"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("ZMPOP 0 z MIN"), "(ERR numkeys should be greater than 0)");
  EXPECT_EQ(engine.run("ZMPOP 2 z MIN"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("ZMPOP 1 z MIN COUNT 0"), "(ERR count should be greater than 0)");
  EXPECT_EQ(engine.run("ZMPOP 1 z MIN COUNT 1 COUNT 1"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("BZMPOP x 1 z FIRST"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("BZPOPMIN z x"), "(ERR timeout is not a float or out of range)");
}

TEST(ZSets, UnionIntersectionDifference) {
  ZSets engine;
  engine.run_all({"ZADD a 1 x 2 y 3 z", "ZADD b 10 y 20 z 30 w", "SADD s z q", "SET text v"});
  EXPECT_EQ(engine.run("ZUNION 2 a b WITHSCORES"), "[\"x\" ,1 \"y\" ,12 \"z\" ,23 \"w\" ,30]");
  EXPECT_EQ(engine.run("ZUNION 2 a b WEIGHTS 2 -1 AGGREGATE MIN WITHSCORES"),
            "[\"w\" ,-30 \"z\" ,-20 \"y\" ,-10 \"x\" ,2]");
  EXPECT_EQ(engine.run("ZINTER 2 a b AGGREGATE MAX WITHSCORES"), "[\"y\" ,10 \"z\" ,20]");
  // Redis 8.8: how many have it, or the sum of their weights.
  EXPECT_EQ(engine.run("ZINTER 2 a b AGGREGATE COUNT WITHSCORES"), "[\"y\" ,2 \"z\" ,2]");
  EXPECT_EQ(engine.run("ZINTER 2 a b AGGREGATE count WEIGHTS 3 0.5 WITHSCORES"),
            "[\"y\" ,3.5 \"z\" ,3.5]");
  EXPECT_EQ(engine.run("ZUNION 2 a b AGGREGATE COUNT WITHSCORES"),
            "[\"w\" ,1 \"x\" ,1 \"y\" ,2 \"z\" ,2]");
  engine.effects();
  EXPECT_EQ(engine.run("ZINTERSTORE n 2 a b AGGREGATE COUNT WEIGHTS 3 0.5"), "2");
  EXPECT_EQ(engine.effects(), "(; 0: DEL n; 0: ZADD n 3.5 y 3.5 z; )") << "as Redis 7.0 knows it";
  EXPECT_EQ(engine.run("ZINTERSTORE n 2 a none AGGREGATE COUNT"), "0");
  EXPECT_EQ(engine.effects(), "0: DEL n");
  EXPECT_EQ(engine.run("ZINTERSTORE n 2 a none AGGREGATE COUNT"), "0");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.run("ZUNION 2 a b AGGREGATE COUNT AGGREGATE SUM WITHSCORES"),
            engine.run("ZUNION 2 a b WITHSCORES"));
  EXPECT_EQ(engine.run("ZINTER 3 a b s WITHSCORES"), "[\"z\" ,24]");
  EXPECT_EQ(engine.run("ZINTER 2 a a WEIGHTS 1 10 WITHSCORES"), "[\"x\" ,11 \"y\" ,22 \"z\" ,33]");
  EXPECT_EQ(engine.run("ZDIFF 2 a s WITHSCORES"), "[\"x\" ,1 \"y\" ,2]");
  EXPECT_EQ(engine.run("ZDIFF 2 a a"), "[]");
  EXPECT_EQ(engine.run("ZINTERCARD 2 a b"), "2");
  EXPECT_EQ(engine.run("ZINTERCARD 2 a b LIMIT 1"), "1");
  EXPECT_EQ(engine.run("ZUNION 2 a text"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("ZUNION 0 a"), "(ERR at least 1 input key is needed for 'zunion' command)");
  EXPECT_EQ(engine.run("ZUNION 2 a b WEIGHTS 1"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("ZUNION 1 a WEIGHTS x"), "(ERR weight value is not a float)");
}

TEST(ZSets, SumsThatAreNoNumberAreZero) {
  ZSets engine;
  engine.run_all({"ZADD a inf x", "ZADD b -inf x"});
  EXPECT_EQ(engine.run("ZUNION 2 a b WITHSCORES"), "[\"x\" ,0]");
  EXPECT_EQ(engine.run("ZINTER 2 a b WITHSCORES"), "[\"x\" ,0]");
  EXPECT_EQ(engine.run("ZUNION 1 a WEIGHTS 0 WITHSCORES"), "[\"x\" ,0]");
}

TEST(ZSets, StoringReplacesWhateverTheKeyHeld) {
  ZSets engine;
  engine.run_all({"ZADD a 1 x 2 y 3 z", "SET d text PX 1000"});
  EXPECT_EQ(engine.run("ZUNIONSTORE d 1 a"), "3");
  engine.pass(2000);
  EXPECT_EQ(engine.run("ZRANGE d 0 -1"), "[\"x\" \"y\" \"z\"]");
  EXPECT_EQ(engine.run("ZRANGESTORE a a 1 2"), "2");
  EXPECT_EQ(engine.run("ZRANGE a 0 -1"), "[\"y\" \"z\"]");
  EXPECT_EQ(engine.run("ZDIFFSTORE d 2 d a"), "1");
  EXPECT_EQ(engine.run("ZINTERSTORE d 2 d a"), "0");
  EXPECT_EQ(engine.run("EXISTS d"), "0");
}

TEST(ZSets, RandomElementsAreDistinctUnlessTheCountIsNegative) {
  ZSets engine;
  for (int i = 0; i < 2000; ++i) engine.run("ZADD z 1 m" + std::to_string(1000 + i));
  for (const size_t count : {1U, 9U, 600U}) {
    const std::string answer = engine.run("ZRANDMEMBER z " + std::to_string(count));
    std::set<std::string> found;
    for (size_t at = answer.find("\"m"); at != std::string::npos; at = answer.find("\"m", at + 1)) {
      found.insert(answer.substr(at, 6));
    }
    EXPECT_EQ(found.size(), count);
  }
  const std::string repeated = engine.run("ZRANDMEMBER z -3 WITHSCORES");
  EXPECT_EQ(std::count(repeated.begin(), repeated.end(), '"'), 6);
  EXPECT_EQ(engine.run("ZRANDMEMBER z 9223372036854775807 WITHSCORES"),
            "(ERR value is out of range)");
  EXPECT_EQ(engine.run("ZRANDMEMBER none"), "_");
  const std::string too_many =
      "(ERR value is out of range, at most 1048576 elements are picked with repetition)";
  EXPECT_EQ(engine.run("ZRANDMEMBER z -1048577"), too_many);
  EXPECT_EQ(engine.run("ZRANDMEMBER none -1048577 WITHSCORES"), "[]");
  engine.run("ZADD large 1 " + std::string(1_MiB, 'x'));
  EXPECT_EQ(
      engine.run("ZRANDMEMBER large -513"),
      "(ERR value is out of range, the elements picked would have more than 536870912 bytes)");
}

}  // namespace
}  // namespace ouro
