// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <set>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct Sets : EngineFixture {
  Sets()
      : EngineFixture({kSetCommands, kSetAlgebraCommands, kStringCommands, kStringSetCommands,
                       kKeyCommands, kObjectCommands}) {}

  // The bulks of an answer, in order of bytes.
  std::multiset<std::string> members(ByteView line) {
    std::multiset<std::string> found;
    const std::string answer = run(line);
    for (size_t at = answer.find('"'); at != std::string::npos;) {
      const size_t end = answer.find('"', at + 1);
      found.insert(answer.substr(at + 1, end - at - 1));
      at = answer.find('"', end + 1);
    }
    return found;
  }
};
using Members = std::multiset<std::string>;

TEST(Sets, CountsOnlyWhatIsNewOrGone) {
  Sets engine;
  EXPECT_EQ(engine.run("SADD s a b a 1"), "3");
  EXPECT_EQ(engine.run("SADD s b c"), "1");
  EXPECT_EQ(engine.run("SCARD s"), "4");
  EXPECT_EQ(engine.run("SISMEMBER s 1"), "1");
  EXPECT_EQ(engine.run("SMISMEMBER s a x c"), "[1 0 1]");
  EXPECT_EQ(engine.run("SREM s a x 1"), "2");
  EXPECT_EQ(engine.members("SMEMBERS s"), (Members{"b", "c"}));
  EXPECT_EQ(engine.run("SREM s b c"), "2");
  EXPECT_EQ(engine.run("EXISTS s"), "0");
}

// Valkey 9.2.
TEST(Sets, IsMemberTellsAnAbsentKeyIfAsked) {
  Sets engine;
  engine.run_all({"SADD s a", "SET text v"});
  EXPECT_EQ(engine.run("SISMEMBER s a xx"), "1");
  EXPECT_EQ(engine.run("SISMEMBER s b XX"), "0");
  EXPECT_EQ(engine.run("SISMEMBER none a XX"), "-1");
  EXPECT_EQ(engine.run("SISMEMBER none a"), "0");
  EXPECT_EQ(engine.run("SISMEMBER text a XX"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("SISMEMBER text a NX"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("SISMEMBER none a XX XX"), "(ERR syntax error)");
}

TEST(Sets, WrongTypeIsRefusedAndNothingChanges) {
  Sets engine;
  engine.run_all({"SET text v", "SADD s a"});
  for (const ByteView line :
       {"SADD text a", "SREM text a", "SCARD text", "SMOVE s text a", "SMOVE text s a", "SPOP text",
        "SRANDMEMBER text 2", "SSCAN text 0", "SINTER none text", "SUNION s text", "SDIFF s text",
        "SDIFF none text", "SINTERSTORE d s text", "SINTERCARD 2 none text"}) {
    EXPECT_EQ(engine.run(line), kWrongTypeAnswer) << line;
  }
  // Where nothing moves the destination is not looked at.
  EXPECT_EQ(engine.run("SMOVE none text a"), "0");
  EXPECT_EQ(engine.run("SCARD s"), "1");
}

TEST(Sets, MoveEndsTheSourceWithItsLastMember) {
  Sets engine;
  engine.run_all({"SADD a x", "SADD b y"});
  EXPECT_EQ(engine.run("SMOVE a a x"), "1");
  EXPECT_EQ(engine.run("SMOVE a b x"), "1");
  EXPECT_EQ(engine.run("EXISTS a"), "0");
  EXPECT_EQ(engine.members("SMEMBERS b"), (Members{"x", "y"}));
}

TEST(Sets, PopLeavesTheFactInTheLog) {
  Sets engine;
  engine.run("SADD s a");
  engine.effects();
  EXPECT_EQ(engine.run("SPOP s"), "\"a\"");
  EXPECT_EQ(engine.effects(), "0: SREM s a");
  EXPECT_EQ(engine.run("SPOP s"), "_");
  EXPECT_EQ(engine.run("SPOP s 2"), "<>");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.engine.stats.keyspace_hits, 0U) << "no look-up to read";

  engine.run("SADD s a b c");
  engine.effects();
  const Members popped = engine.members("SPOP s 2");
  ASSERT_EQ(popped.size(), 2U);
  const std::string effect = engine.effects();
  EXPECT_EQ(effect.size(), std::string("0: SREM s x y").size());
  for (const std::string& member : popped) {
    EXPECT_NE(effect.find(" " + member, 9), std::string::npos);
    EXPECT_EQ(engine.run("SISMEMBER s " + member), "0");
  }
  EXPECT_EQ(engine.engine.stats.keyspace_hits, 2U) << "of SISMEMBER";
  engine.run("SPOP s 7");
  EXPECT_EQ(engine.engine.stats.keyspace_hits, 3U) << "all of it is looked up to be read, too";
  EXPECT_EQ(engine.effects(), "0: DEL s");
  EXPECT_EQ(engine.run("EXISTS s"), "0");
}

TEST(Sets, RandomMembersAreDistinctUnlessTheCountIsNegative) {
  Sets engine;
  for (int i = 0; i < 2000; ++i) engine.run("SADD big m" + std::to_string(i));
  for (int i = 0; i < 60; ++i) engine.run("SADD small " + std::to_string(i));
  for (const std::string key : {"big", "small"}) {
    for (const size_t count : {1U, 7U, 50U}) {
      const Members picked = engine.members("SRANDMEMBER " + key + " " + std::to_string(count));
      EXPECT_EQ(std::set(picked.begin(), picked.end()).size(), count);
      for (const std::string& member : picked) {
        EXPECT_EQ(engine.run("SISMEMBER " + key + " " + member), "1");
      }
    }
  }
  EXPECT_EQ(engine.members("SRANDMEMBER small 61").size(), 60U);
  EXPECT_EQ(engine.members("SRANDMEMBER small -200").size(), 200U);
  EXPECT_EQ(engine.run("SRANDMEMBER small 0"), "[]");
}

// Goal: an answer that repeats members has a bound. Method: one pick too many, and few picks of a
// member that is large.
TEST(Sets, RepeatedPicksAreBoundedInNumberAndBytes) {
  Sets engine;
  engine.run_all({"SADD s a", "SADD large " + std::string(1_MiB, 'x')});
  const std::string too_many =
      "(ERR value is out of range, at most 1048576 elements are picked with repetition)";
  EXPECT_EQ(engine.members("SRANDMEMBER s -1048576").size(), 1'048'576U);
  EXPECT_EQ(engine.run("SRANDMEMBER s -1048577"), too_many);
  EXPECT_EQ(engine.run("SRANDMEMBER s -9223372036854775807"), too_many);
  EXPECT_EQ(engine.run("SRANDMEMBER none -9223372036854775807"), "[]");
  EXPECT_EQ(engine.members("SRANDMEMBER large -10").size(), 10U);
  EXPECT_EQ(
      engine.run("SRANDMEMBER large -513"),
      "(ERR value is out of range, the elements picked would have more than 536870912 bytes)");
}

TEST(Sets, EveryMemberIsPickedAboutAsOften) {
  Sets engine;
  engine.run("SADD s 0 1 2 3 4 5 6 7 8 9");
  std::array<int, 10> seen{};
  for (int i = 0; i < 4000; ++i) {
    for (const std::string& member : engine.members("SRANDMEMBER s 3"))
      ++seen[static_cast<size_t>(member[0] - '0')];
  }
  // 1200 are expected of each; eleven standard deviations around.
  for (const int count : seen) EXPECT_NEAR(count, 1200, 320);
}

TEST(Sets, AlgebraAgreesWithItsDefinition) {
  Sets engine;
  engine.run_all({"SADD a 1 2 3 x", "SADD b 2 3 y", "SADD c 3 x y", "SADD e 9"});
  EXPECT_EQ(engine.members("SINTER a b c"), (Members{"3"}));
  EXPECT_EQ(engine.members("SINTER a a"), (Members{"1", "2", "3", "x"}));
  EXPECT_EQ(engine.run("SINTER a none"), "<>");
  EXPECT_EQ(engine.members("SUNION a none b c"), (Members{"1", "2", "3", "x", "y"}));
  EXPECT_EQ(engine.members("SUNION a b c e a b"), (Members{"1", "2", "3", "9", "x", "y"}));
  EXPECT_EQ(engine.members("SDIFF a b e"), (Members{"1", "x"}));
  EXPECT_EQ(engine.members("SDIFF a b e e e e none"), (Members{"1", "x"}));
  EXPECT_EQ(engine.run("SDIFF none a"), "<>");
  EXPECT_EQ(engine.run("SINTERCARD 2 a b"), "2");
  EXPECT_EQ(engine.run("SINTERCARD 2 a b LIMIT 1"), "1");
  EXPECT_EQ(engine.run("SINTERCARD 3 a b"),
            "(ERR Number of keys can't be greater than number of args)");
}

TEST(Sets, UnionsAndDifferencesAreCounted) {
  Sets engine;
  engine.run_all({"SADD a 1 2 3", "SADD b 3 4", "SADD c 1 5"});
  EXPECT_EQ(engine.run("SUNIONCARD 3 a b none"), "4");
  EXPECT_EQ(engine.run("SUNIONCARD 3 a b c LIMIT 0"), "5");
  EXPECT_EQ(engine.run("SUNIONCARD 3 a b c LIMIT 2"), "2");
  EXPECT_EQ(engine.run("SUNIONCARD 7 a b c a b c a LIMIT 4"), "4");
  EXPECT_EQ(engine.run("SUNIONCARD 3 a b c APPROX"), "5");
  EXPECT_EQ(engine.run("SUNIONCARD 3 a b c LIMIT 3 APPROX"), "3");
  EXPECT_EQ(engine.run("SDIFFCARD 2 a b"), "2");
  EXPECT_EQ(engine.run("SDIFFCARD 2 a b LIMIT 1"), "1");
  EXPECT_EQ(engine.run("SDIFFCARD 3 a b c"), "1");
  EXPECT_EQ(engine.run("SDIFFCARD 2 none a"), "0");
  EXPECT_EQ(engine.run("SDIFFCARD 2 a b APPROX"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("SUNIONCARD 0 a"), "(ERR numkeys should be greater than 0)");
  EXPECT_EQ(engine.run("SUNIONCARD 3 a b"),
            "(ERR Number of keys can't be greater than number of args)");
  EXPECT_EQ(engine.run("SUNIONCARD 1 a LIMIT -1"), "(ERR LIMIT can't be negative)");
}

TEST(Sets, StoringReplacesWhateverTheKeyHeld) {
  Sets engine;
  engine.run_all({"SADD a 1 2 3", "SADD b 2 3", "SET d text PX 1000"});
  EXPECT_EQ(engine.run("SUNIONSTORE d a b"), "3");
  EXPECT_EQ(engine.run("TYPE d"), "set");
  engine.pass(2000);
  EXPECT_EQ(engine.run("SCARD d"), "3");
  EXPECT_EQ(engine.run("SDIFFSTORE a a b"), "1");
  EXPECT_EQ(engine.members("SMEMBERS a"), (Members{"1"}));
  engine.effects();
  EXPECT_EQ(engine.run("SINTERSTORE d a b"), "0");
  EXPECT_EQ(engine.effects(), "0: SINTERSTORE d a b");
  EXPECT_EQ(engine.run("EXISTS d"), "0");
  EXPECT_EQ(engine.run("SINTERSTORE d a b"), "0");
  EXPECT_EQ(engine.effects(), "");
}

// The first set is copied and the others are taken out only if they are small beside it; then what
// was copied shows in the encoding, even of a result without any text.
TEST(Sets, StoredDifferenceHasTheEncodingOfTheWayItWasMade) {
  Sets engine;
  engine.run_all({"SADD whole 1 2 3 4 5 6 x", "SADD text x", "SADD one 1", "SADD ints 1 2 x"});
  // Two inputs: 7 * 2 / 2 > 7 + 1 does not hold.
  EXPECT_EQ(engine.run("SDIFFSTORE d whole text"), "6");
  EXPECT_EQ(engine.run("OBJECT ENCODING d"), "\"intset\"");
  // Three: 7 * 3 / 2 > 7 + 1 + 1 does, and an absent key is no input.
  EXPECT_EQ(engine.run("SDIFFSTORE d whole text none"), "6");
  EXPECT_EQ(engine.run("OBJECT ENCODING d"), "\"intset\"");
  EXPECT_EQ(engine.run("SDIFFSTORE d whole text one"), "5");
  EXPECT_EQ(engine.run("OBJECT ENCODING d"), "\"hashtable\"");
  EXPECT_EQ(engine.members("SMEMBERS d"), (Members{"2", "3", "4", "5", "6"}));
  // 7 * 3 / 2 > 7 + 3 + 1 does not.
  EXPECT_EQ(engine.run("SDIFFSTORE d whole ints one"), "4");
  EXPECT_EQ(engine.run("OBJECT ENCODING d"), "\"intset\"");
  // The encoding of the first set itself counts for nothing, and all may be taken out.
  engine.run("SREM whole x");
  EXPECT_EQ(engine.run("SDIFFSTORE d whole one one"), "5");
  EXPECT_EQ(engine.run("OBJECT ENCODING d"), "\"intset\"");
  engine.run_all({"SADD few 1 2 3 4", "SADD two 2", "SADD three 3", "SADD four 4"});
  EXPECT_EQ(engine.run("SDIFFSTORE d few one two three four"), "0");
  EXPECT_EQ(engine.run("EXISTS d"), "0");
}

TEST(Sets, ScanShowsAllAndFilters) {
  Sets engine;
  for (int i = 0; i < 1000; ++i) engine.run("SADD s m" + std::to_string(i));
  std::set<std::string> found;
  std::string cursor = "0";
  do {
    const std::string answer = engine.run("SSCAN s " + cursor + " MATCH m*7 COUNT 50");
    cursor = answer.substr(2, answer.find('"', 2) - 2);
    for (size_t at = answer.find("\"m"); at != std::string::npos; at = answer.find("\"m", at + 1)) {
      found.insert(answer.substr(at, answer.find('"', at + 1) - at));
    }
  } while (cursor != "0");
  EXPECT_EQ(found.size(), 100U);
  EXPECT_EQ(engine.run("SSCAN none 0 NONSENSE"), "[\"0\" []]");
  EXPECT_EQ(engine.run("SSCAN s 0 COUNT 0"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("SSCAN s x"), "(ERR invalid cursor)");
}

}  // namespace
}  // namespace ouro
