// SPDX-License-Identifier: BSD-3-Clause
// List commands that do not wait: answers, events' effects on keys, and what they leave for the
// log.
#include <gtest/gtest.h>

#include <string>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct ListCommands : testing::Test {
  EngineFixture engine{{kListCommands, kListBlockCommands, kListMoveCommands, kListSearchCommands,
                        kStringSetCommands, kKeyCommands, kExpireCommands}};
  std::string run(ByteView line) { return engine.run(line); }
  std::string all(const std::string& key) { return run("LRANGE " + key + " 0 -1"); }
};

TEST_F(ListCommands, PushesKeepTheOrderInWhichElementsAreNamed) {
  EXPECT_EQ(run("RPUSH l a b"), "2");
  EXPECT_EQ(run("LPUSH l x y"), "4");
  EXPECT_EQ(all("l"), R"(["y" "x" "a" "b"])");
  EXPECT_EQ(run("LPUSHX l z"), "5");
  EXPECT_EQ(run("RPUSHX absent z"), "0");
  EXPECT_EQ(all("absent"), "[]");
  EXPECT_EQ(engine.effects(), "0: RPUSH l a b; 0: LPUSH l x y; 0: LPUSHX l z");
}

TEST_F(ListCommands, PopsAnswerNullOrNullArrayAndRemoveTheKeyThatIsEmpty) {
  run("RPUSH l a b c d");
  EXPECT_EQ(run("LPOP l"), R"("a")");
  EXPECT_EQ(run("RPOP l 2"), R"(["d" "c"])");
  EXPECT_EQ(run("LPOP l 0"), "[]");
  EXPECT_EQ(run("LPOP l 10"), R"(["b"])");
  EXPECT_EQ(run("LPOP l 10"), "*_");
  EXPECT_EQ(run("LPOP l"), "_");
  EXPECT_EQ(engine.db().size(), 0U);
  EXPECT_EQ(run("LPOP l x"), "(ERR value is out of range, must be positive)");
  EXPECT_EQ(run("RPOP l 1 2"), "(ERR wrong number of arguments for 'rpop' command)");
}

TEST_F(ListCommands, IndexesCountFromBothEnds) {
  run("RPUSH l a b c");
  EXPECT_EQ(run("LINDEX l -1"), R"("c")");
  EXPECT_EQ(run("LINDEX l 3"), "_");
  EXPECT_EQ(run("LINDEX l -9223372036854775808"), "_");
  EXPECT_EQ(run("LSET l -3 x"), "OK");
  EXPECT_EQ(run("LSET l 3 x"), "(ERR index out of range)");
  EXPECT_EQ(run("LSET absent x y"), "(ERR no such key)");
  EXPECT_EQ(run("LINDEX absent x"), "_");
  EXPECT_EQ(run("LRANGE l -100 1"), R"(["x" "b"])");
  EXPECT_EQ(run("LRANGE l 9223372036854775807 -9223372036854775808"), "[]");
}

TEST_F(ListCommands, TrimLeavesNoEffectWhenNothingGoes) {
  run("RPUSH l a b c d");
  engine.effects();
  EXPECT_EQ(run("LTRIM l 0 -1"), "OK");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(run("LTRIM l 1 -2"), "OK");
  EXPECT_EQ(all("l"), R"(["b" "c"])");
  EXPECT_EQ(run("LTRIM l 5 9"), "OK");
  EXPECT_EQ(engine.db().size(), 0U);
  EXPECT_EQ(engine.effects(), "0: LTRIM l 1 -2; 0: LTRIM l 5 9");
}

TEST_F(ListCommands, RemovesFromTheEndThatTheSignSays) {
  run("RPUSH l a b a c a");
  EXPECT_EQ(run("LREM l -1 a"), "1");
  EXPECT_EQ(all("l"), R"(["a" "b" "a" "c"])");
  EXPECT_EQ(run("LREM l 1 a"), "1");
  EXPECT_EQ(all("l"), R"(["b" "a" "c"])");
  EXPECT_EQ(run("LREM l 0 zz"), "0");
  run("RPUSH m a a");
  EXPECT_EQ(run("LREM m -9223372036854775808 a"), "2");
  EXPECT_EQ(all("m"), "[]");
}

TEST_F(ListCommands, InsertsBesideThePivot) {
  run("RPUSH l a c");
  EXPECT_EQ(run("LINSERT l BEFORE c b"), "3");
  EXPECT_EQ(run("LINSERT l after c d"), "4");
  EXPECT_EQ(run("LINSERT l after zz d"), "-1");
  EXPECT_EQ(run("LINSERT absent after zz d"), "0");
  EXPECT_EQ(run("LINSERT absent at zz d"), "(ERR syntax error)");
  EXPECT_EQ(all("l"), R"(["a" "b" "c" "d"])");
}

TEST_F(ListCommands, PositionsByRankCountAndLength) {
  run("RPUSH l a b c 1 2 3 c c");
  EXPECT_EQ(run("LPOS l c"), "2");
  EXPECT_EQ(run("LPOS l c RANK 2"), "6");
  EXPECT_EQ(run("LPOS l c RANK -1"), "7");
  EXPECT_EQ(run("LPOS l c COUNT 2"), "[2 6]");
  EXPECT_EQ(run("LPOS l c COUNT 0 RANK -2"), "[6 2]");
  EXPECT_EQ(run("LPOS l c MAXLEN 2"), "_");
  EXPECT_EQ(run("LPOS l c MAXLEN 7 COUNT 0"), "[2 6]");
  EXPECT_EQ(run("LPOS l zz COUNT 1"), "[]");
  EXPECT_EQ(run("LPOS absent c COUNT 1"), "[]");
  EXPECT_EQ(run("LPOS absent c"), "_");
  EXPECT_EQ(run("LPOS l c COUNT -1"), "(ERR COUNT can't be negative)");
  EXPECT_EQ(run("LPOS l c RANK x"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(run("LPOS l c RANK"), "(ERR syntax error)");
}

TEST_F(ListCommands, MovesBetweenListsAndWithinOne) {
  run("RPUSH l a b c");
  EXPECT_EQ(run("LMOVE l m LEFT RIGHT"), R"("a")");
  EXPECT_EQ(run("RPOPLPUSH l m"), R"("c")");
  EXPECT_EQ(all("m"), R"(["c" "a"])");
  EXPECT_EQ(run("LMOVE m m LEFT RIGHT"), R"("c")");
  EXPECT_EQ(all("m"), R"(["a" "c"])");
  EXPECT_EQ(run("LMOVE l l LEFT LEFT"), R"("b")");
  EXPECT_EQ(run("LMOVE l m LEFT LEFT"), R"("b")");
  EXPECT_EQ(engine.db().size(), 1U);
  run("SET s x");
  EXPECT_EQ(run("LMOVE absent s LEFT LEFT"), "_");
  EXPECT_EQ(run("LMOVE m s LEFT LEFT").substr(0, 10), "(WRONGTYPE");
  EXPECT_EQ(run("LMOVE m s LEFT UP"), "(ERR syntax error)");
}

TEST_F(ListCommands, MovesSeveralInTheirOrderOrOneByOne) {
  struct Case {
    const char* command;
    const char* answer;
    const char* left;
    const char* moved;
  };
  for (const Case& one : {
           Case{"LMOVEM l m LEFT LEFT", R"(["a"])", R"(["b" "c" "d"])", R"(["a" "x"])"},
           {"LMOVEM l m LEFT LEFT COUNT 2 OBO", R"(["b" "a"])", R"(["c" "d"])", R"(["b" "a" "x"])"},
           {"LMOVEM l m LEFT RIGHT COUNT 2 OBO", R"(["a" "b"])", R"(["c" "d"])",
            R"(["x" "a" "b"])"},
           {"LMOVEM l m RIGHT LEFT COUNT 2 OBO", R"(["c" "d"])", R"(["a" "b"])",
            R"(["c" "d" "x"])"},
           {"LMOVEM l m RIGHT RIGHT EXACTLY 2 OBO", R"(["d" "c"])", R"(["a" "b"])",
            R"(["x" "d" "c"])"},
           {"LMOVEM l m LEFT LEFT EXACTLY 2 BULK", R"(["a" "b"])", R"(["c" "d"])",
            R"(["a" "b" "x"])"},
           {"LMOVEM l m RIGHT RIGHT COUNT 2 BULK", R"(["c" "d"])", R"(["a" "b"])",
            R"(["x" "c" "d"])"},
           {"LMOVEM l m LEFT RIGHT COUNT 9 BULK", R"(["a" "b" "c" "d"])", "[]",
            R"(["x" "a" "b" "c" "d"])"},
           {"LMOVEM l m LEFT RIGHT EXACTLY 5 BULK", "*_", R"(["a" "b" "c" "d"])", R"(["x"])"},
           {"LMOVEM l l LEFT LEFT EXACTLY 2 OBO", R"(["b" "a"])", R"(["b" "a" "c" "d"])",
            R"(["x"])"},
           {"LMOVEM l l LEFT LEFT COUNT 3 BULK", R"(["a" "b" "c"])", R"(["a" "b" "c" "d"])",
            R"(["x"])"},
           {"LMOVEM none m LEFT LEFT COUNT 2 OBO", "[]", R"(["a" "b" "c" "d"])", R"(["x"])"},
           {"LMOVEM none m LEFT LEFT EXACTLY 1 OBO", "*_", R"(["a" "b" "c" "d"])", R"(["x"])"},
       }) {
    run("LTRIM l 1 0");
    run("LTRIM m 1 0");
    run("RPUSH l a b c d");
    run("RPUSH m x");
    EXPECT_EQ(run(one.command), one.answer) << one.command;
    EXPECT_EQ(all("l"), one.left) << one.command;
    EXPECT_EQ(all("m"), one.moved) << one.command;
  }
  for (const char* wrong : {"LMOVEM l m LEFT LEFT COUNT 2", "LMOVEM l m LEFT LEFT COUNT 2 BOTH",
                            "LMOVEM l m LEFT LEFT 2 OBO", "LMOVEM l m LEFT LEFT COUNT 2 OBO x"}) {
    EXPECT_EQ(run(wrong), "(ERR syntax error)") << wrong;
  }
  EXPECT_EQ(run("LMOVEM l m LEFT LEFT COUNT 0 OBO"), "(ERR count should be greater than 0)");
  run("SET s x");
  EXPECT_EQ(run("LMOVEM l s LEFT LEFT").substr(0, 10), "(WRONGTYPE");
}

// Goal: what a move leaves gives the same lists again, whatever it was; Redis 7.0 has no LMOVEM.
TEST_F(ListCommands, WhatSeveralMovesLeaveIsWhatTheyDid) {
  for (const char* command :
       {"LMOVEM l m LEFT LEFT", "LMOVEM l m LEFT LEFT COUNT 2 OBO",
        "LMOVEM l m RIGHT LEFT COUNT 9 OBO", "LMOVEM l m RIGHT RIGHT COUNT 3 BULK",
        "LMOVEM l m LEFT LEFT COUNT 3 BULK", "LMOVEM l l LEFT LEFT COUNT 9 OBO",
        "LMOVEM l l LEFT RIGHT COUNT 4 BULK", "LMOVEM l l RIGHT LEFT COUNT 3 OBO"}) {
    const auto prepare = [&] {
      for (const char* line : {"DEL l m", "RPUSH l a b c d", "RPUSH m x", "PEXPIRE l 5000"})
        run(line);
      engine.effects();
    };
    const auto state = [&] { return all("l") + all("m") + run("PTTL l"); };
    prepare();
    run(command);
    const std::string wanted = state();
    const std::string left = engine.effects();
    EXPECT_EQ(left.find("LMOVEM"), std::string::npos) << left;
    prepare();
    for (size_t at = 0; at < left.size();) {
      const size_t end = std::min(left.find("; ", at), left.size());
      const std::string line = left.substr(at, end - at);
      if (line.starts_with("0: ")) run(line.substr(3));
      at = end + 2;
    }
    EXPECT_EQ(state(), wanted) << command << ": " << left;
  }
}

// Goal: an element above the size of a node, which is a Blob, goes every way that a small one goes.
TEST_F(ListCommands, LargeElementsMoveAndLeave) {
  const std::string large(100'000, 'x');
  engine.run({"RPUSH", "l", large, "small", large});
  EXPECT_EQ(engine.run("LMOVE l m LEFT RIGHT").size(), large.size() + 2);
  EXPECT_EQ(engine.run("LMOVE m m LEFT RIGHT").size(), large.size() + 2);
  EXPECT_EQ(engine.run("RPOP l").size(), large.size() + 2);
  EXPECT_EQ(engine.run("LINDEX m 0").size(), large.size() + 2);
  EXPECT_EQ(engine.run({"LPOS", "m", large}), "0");
  EXPECT_EQ(engine.run({"LREM", "m", "0", large}), "1");
  EXPECT_EQ(all("l"), R"(["small"])");
}

TEST_F(ListCommands, ManyPopTakesTheFirstListThatHasElements) {
  run("RPUSH l a b c");
  engine.effects();
  EXPECT_EQ(run("LMPOP 2 absent l RIGHT COUNT 2"), R"(["l" ["c" "b"]])");
  EXPECT_EQ(run("LMPOP 1 l LEFT COUNT 9"), R"(["l" ["a"]])");
  EXPECT_EQ(engine.effects(), "0: RPOP l 2; 0: LPOP l 1");
  EXPECT_EQ(run("LMPOP 1 l LEFT"), "*_");
  EXPECT_EQ(run("LMPOP 0 l LEFT"), "(ERR numkeys should be greater than 0)");
  EXPECT_EQ(run("LMPOP 2 l LEFT"), "(ERR syntax error)");
  EXPECT_EQ(run("LMPOP 9223372036854775807 l LEFT"), "(ERR syntax error)");
  EXPECT_EQ(run("LMPOP 1 l LEFT COUNT 0"), "(ERR count should be greater than 0)");
  EXPECT_EQ(run("LMPOP 1 l LEFT COUNT 1 COUNT 1"), "(ERR syntax error)");
}

TEST_F(ListCommands, WithoutAConnectionNothingWaits) {
  EXPECT_EQ(run("BLPOP absent 0"), "*_");
  EXPECT_EQ(run("BLMOVE absent l LEFT LEFT 0"), "_");
  EXPECT_EQ(run("BLMPOP 0 1 absent LEFT"), "*_");
  run("RPUSH l a b c d");
  engine.effects();
  EXPECT_EQ(run("BRPOP absent l 0"), R"(["l" "d"])");
  EXPECT_EQ(run("BLMOVE l m LEFT RIGHT 0"), R"("a")");
  EXPECT_EQ(run("BRPOPLPUSH l m 0"), R"("c")");
  EXPECT_EQ(run("BLMPOP 0 1 l LEFT COUNT 5"), R"(["l" ["b"]])");
  EXPECT_EQ(engine.effects(), "0: RPOP l; 0: LMOVE l m left right; 0: RPOPLPUSH l m; 0: LPOP l 1");
}

TEST_F(ListCommands, TimeoutsAreReadAsRedisReadsThem) {
  EXPECT_EQ(run("BLPOP l x"), "(ERR timeout is not a float or out of range)");
  EXPECT_EQ(run("BLPOP l nan"), "(ERR timeout is not a float or out of range)");
  EXPECT_EQ(run("BLPOP l -1"), "(ERR timeout is negative)");
  EXPECT_EQ(run("BLPOP l inf"), "(ERR timeout is negative)");
  EXPECT_EQ(run("BLPOP l 9223372036854776"), "(ERR timeout is negative)");
  EXPECT_EQ(run("BLPOP l 9223372036854775"), "*_");
  EXPECT_EQ(run("BLPOP l -0.0001"), "*_");
}

}  // namespace
}  // namespace ouro
