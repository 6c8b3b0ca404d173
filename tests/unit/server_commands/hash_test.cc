// SPDX-License-Identifier: BSD-3-Clause
#include "engine_fixture.h"

namespace ouro {
namespace {

struct HashCommands : EngineFixture {
  HashCommands()
      : EngineFixture({kStringCommands, kStringSetCommands, kKeyCommands, kHashCommands}) {}
};

TEST(Hash, StoresAndAnswersFields) {
  HashCommands engine;
  EXPECT_EQ(engine.run("HSET h a 1 b 2 a 3"), "2");
  EXPECT_EQ(engine.effects(), "0: HSET h a 1 b 2 a 3");
  EXPECT_EQ(engine.run("HSET h a 4 c 5"), "1");
  EXPECT_EQ(engine.run("HMSET h d 6"), "OK");
  EXPECT_EQ(engine.run("HGET h a"), "\"4\"");
  EXPECT_EQ(engine.run("HGET h none"), "_");
  EXPECT_EQ(engine.run("HGET none a"), "_");
  EXPECT_EQ(engine.run("HMGET h a none c"), "[\"4\" _ \"5\"]");
  EXPECT_EQ(engine.run("HMGET none a b"), "[_ _]");
  EXPECT_EQ(engine.run("HLEN h"), "4");
  EXPECT_EQ(engine.run("HLEN none"), "0");
  EXPECT_EQ(engine.run("HSTRLEN h a"), "1");
  EXPECT_EQ(engine.run("HSTRLEN h none"), "0");
  EXPECT_EQ(engine.run("HEXISTS h a"), "1");
  EXPECT_EQ(engine.run("HEXISTS h none"), "0");
  EXPECT_EQ(engine.run("HGETALL h"), R"({"a" "4" "b" "2" "c" "5" "d" "6"})");
  EXPECT_EQ(engine.run("HKEYS h"), R"(["a" "b" "c" "d"])");
  EXPECT_EQ(engine.run("HVALS h"), R"(["4" "2" "5" "6"])");
  EXPECT_EQ(engine.run("HGETALL none"), "{}");
  EXPECT_EQ(engine.run("HKEYS none"), "[]");
}

TEST(Hash, APairWithoutValueIsAnArityError) {
  HashCommands engine;
  engine.run("SET s v");
  EXPECT_EQ(engine.run("HSET h a 1 b"), "(ERR wrong number of arguments for 'hset' command)");
  EXPECT_EQ(engine.run("HMSET s a 1 b"), "(ERR wrong number of arguments for 'hmset' command)");
  EXPECT_EQ(engine.run("EXISTS h"), "0");
}

TEST(Hash, SetsOnlyWhatIsNotThere) {
  HashCommands engine;
  EXPECT_EQ(engine.run("HSETNX h a 1"), "1");
  EXPECT_EQ(engine.run("HSETNX h a 2"), "0");
  EXPECT_EQ(engine.effects(), "0: HSETNX h a 1");
  EXPECT_EQ(engine.run("HGET h a"), "\"1\"");
}

TEST(Hash, TheLastFieldTakesTheKey) {
  HashCommands engine;
  engine.run("HSET h a 1 b 2");
  EXPECT_EQ(engine.run("HDEL h none"), "0");
  EXPECT_EQ(engine.run("HDEL h a a none"), "1");
  EXPECT_EQ(engine.run("HDEL h b c"), "1");
  EXPECT_EQ(engine.run("EXISTS h"), "0");
  EXPECT_EQ(engine.run("HDEL h b"), "0");
}

TEST(Hash, Counts) {
  HashCommands engine;
  EXPECT_EQ(engine.run("HINCRBY h n 5"), "5");
  EXPECT_EQ(engine.run("HINCRBY h n -7"), "-2");
  EXPECT_EQ(engine.run("HINCRBY h n x"), "(ERR value is not an integer or out of range)");
  engine.run("HSET h text x big 9223372036854775807");
  EXPECT_EQ(engine.run("HINCRBY h text 1"), "(ERR hash value is not an integer)");
  EXPECT_EQ(engine.run("HINCRBY h big 1"), "(ERR increment or decrement would overflow)");
  engine.effects();
  EXPECT_EQ(engine.run("HINCRBYFLOAT h f 10.5"), "\"10.5\"");
  EXPECT_EQ(engine.effects(), "0: HSET h f 10.5");
  EXPECT_EQ(engine.run("HINCRBYFLOAT h f 0.1"), "\"10.6\"");
  EXPECT_EQ(engine.run("HINCRBYFLOAT h f x"), "(ERR value is not a valid float)");
  EXPECT_EQ(engine.run("HINCRBYFLOAT h text inf"), "(ERR value is NaN or Infinity)");
  EXPECT_EQ(engine.run("HINCRBYFLOAT h text 1"), "(ERR hash value is not a float)");
  engine.run("HSET h f 1.1e4932");
  EXPECT_EQ(engine.run("HINCRBYFLOAT h f 1.1e4932"),
            "(ERR increment would produce NaN or Infinity)");
  EXPECT_EQ(engine.run("HINCRBY none n x"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(engine.run("EXISTS none"), "0");
}

TEST(Hash, OtherTypesAreRefused) {
  HashCommands engine;
  engine.run("SET s v");
  for (const ByteView command :
       {"HSET s a 1", "HMSET s a 1", "HSETNX s a 1", "HDEL s a", "HINCRBY s a 1",
        "HINCRBYFLOAT s a 1", "HGET s a", "HMGET s a", "HEXISTS s a", "HSTRLEN s a", "HLEN s",
        "HGETALL s", "HKEYS s", "HVALS s", "HSCAN s 0", "HRANDFIELD s", "HRANDFIELD s 2"}) {
    EXPECT_EQ(engine.run(command), kWrongTypeAnswer) << command;
  }
}

TEST(Hash, ScansAllFields) {
  HashCommands engine;
  EXPECT_EQ(engine.run("HSCAN none 0"), "[\"0\" []]");
  engine.run("HSET h aa 1 ab 2 b 3");
  EXPECT_EQ(engine.run("HSCAN h 0 COUNT 1 MATCH a*"), R"(["0" ["aa" "1" "ab" "2"]])");
  EXPECT_EQ(engine.run("HSCAN h 0 COUNT 1 NOVALUES MATCH a*"), R"(["0" ["aa" "ab"]])");
  EXPECT_EQ(engine.run("HSCAN h 0 NOSCORES"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("HSCAN h x"), "(ERR invalid cursor)");
  EXPECT_EQ(engine.run("HSCAN h 0 COUNT 0"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("HSCAN h 0 COUNT x"), "(ERR value is not an integer or out of range)");
}

TEST(Hash, PicksAtRandom) {
  HashCommands engine;
  EXPECT_EQ(engine.run("HRANDFIELD none"), "_");
  EXPECT_EQ(engine.run("HRANDFIELD none 3"), "[]");
  engine.run("HSET h a 1");
  EXPECT_EQ(engine.run("HRANDFIELD h"), "\"a\"");
  EXPECT_EQ(engine.run("HRANDFIELD h 0"), "[]");
  EXPECT_EQ(engine.run("HRANDFIELD h 5"), "[\"a\"]");
  EXPECT_EQ(engine.run("HRANDFIELD h -2"), "[\"a\" \"a\"]");
  EXPECT_EQ(engine.run("HRANDFIELD h -2 WITHVALUES"), R"(["a" "1" "a" "1"])");
  engine.resp3 = true;
  EXPECT_EQ(engine.run("HRANDFIELD h 2 withvalues"), R"([["a" "1"]])");
  EXPECT_EQ(engine.run("HRANDFIELD h 2 values"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("HRANDFIELD h x"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(engine.run("HRANDFIELD h -9223372036854775807 WITHVALUES"),
            "(ERR value is out of range)");
  EXPECT_EQ(engine.run("HRANDFIELD h -1048577"),
            "(ERR value is out of range, at most 1048576 elements are picked with repetition)");
  EXPECT_EQ(engine.run("HRANDFIELD none -1048577"), "[]");
  engine.run("HSET large f " + std::string(1_MiB, 'x'));
  EXPECT_EQ(
      engine.run("HRANDFIELD large -513 WITHVALUES"),
      "(ERR value is out of range, the elements picked would have more than 536870912 bytes)");
}

}  // namespace
}  // namespace ouro
