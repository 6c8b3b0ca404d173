// SPDX-License-Identifier: BSD-3-Clause
// Waiting for lists: who is served, in which order, when, and what ends a wait.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine_fixture.h"
#include "test_client.h"

namespace ouro {
namespace {

struct ListBlock : testing::Test {
  EngineFixture world{{kListCommands, kListBlockCommands, kListMoveCommands, kListSearchCommands,
                       kStringSetCommands, kKeyCommands, kDatabaseCommands, kTransactionCommands,
                       kConnectionCommands, kClientCommands}};
  TestTurns turns{world.engine};
  TestClient first{turns}, second{turns}, other{turns};
};

TEST_F(ListBlock, ServesTheOneThatWaitsLongest) {
  EXPECT_EQ(first.ask("BLPOP k 0"), "");
  EXPECT_EQ(second.ask("BRPOP k 0"), "");
  EXPECT_EQ(other.ask("RPUSH k a"), ":1");
  EXPECT_EQ(first.take(), "*2 $1 k $1 a");
  EXPECT_EQ(second.take(), "");
  EXPECT_EQ(other.ask("RPUSH k b c"), ":2");
  EXPECT_EQ(second.take(), "*2 $1 k $1 c");
  EXPECT_EQ(other.ask("LRANGE k 0 -1"), "*1 $1 b");
  EXPECT_EQ(world.effects(), "0: RPUSH k a; 0: LPOP k; 0: RPUSH k b c; 0: RPOP k");
}

TEST_F(ListBlock, OnePushServesAsManyAsItCan) {
  first.ask("BLPOP k 0");
  second.ask("BLMPOP 0 1 k RIGHT COUNT 2");
  EXPECT_EQ(other.ask("RPUSH k a b c d"), ":4");
  EXPECT_EQ(first.take(), "*2 $1 k $1 a");
  EXPECT_EQ(second.take(), "*2 $1 k *2 $1 d $1 c");
  EXPECT_EQ(world.effects(), "0: RPUSH k a b c d; 0: LPOP k; 0: RPOP k 2");
}

TEST_F(ListBlock, IsServedFromTheKeyThatBecameReadyFirst) {
  first.ask("BLPOP a b 0");
  other.ask("MULTI; RPUSH b 1; RPUSH a 2; EXEC");
  EXPECT_EQ(first.take(), "*2 $1 b $1 1");
}

TEST_F(ListBlock, TheFirstKeyWithElementsWinsWhenNothingHasToWait) {
  other.ask("RPUSH b 1; RPUSH a 2");
  EXPECT_EQ(first.ask("BLPOP a b 0"), "*2 $1 a $1 2");
}

TEST_F(ListBlock, KeysNamedTwiceAreOneWait) {
  first.ask("BLPOP k k 0");
  other.ask("RPUSH k a b");
  EXPECT_EQ(first.take(), "*2 $1 k $1 a");
  EXPECT_EQ(other.ask("LLEN k"), ":1");
}

TEST_F(ListBlock, ATransactionIsServedAsAWhole) {
  first.ask("BLPOP k 0");
  EXPECT_EQ(other.ask("MULTI; RPUSH k a; DEL k; EXEC"), "+OK +QUEUED +QUEUED *2 :1 :1");
  EXPECT_EQ(first.take(), "");
  other.ask("MULTI; RPUSH k a; DEL k; RPUSH k b; EXEC");
  EXPECT_EQ(first.take(), "*2 $1 k $1 b");
}

TEST_F(ListBlock, InsideATransactionNothingWaits) {
  EXPECT_EQ(first.ask("MULTI; BLPOP k 0; BLMOVE k l LEFT LEFT 0; BLMPOP 0 1 k LEFT; EXEC"),
            "+OK +QUEUED +QUEUED +QUEUED *3 *-1 $-1 *-1");
}

TEST_F(ListBlock, AKeyOfAnotherTypeDoesNotEndTheWait) {
  first.ask("BLPOP k l 0");
  EXPECT_EQ(other.ask("SET k x"), "+OK");
  EXPECT_EQ(first.take(), "");
  // k is in front, but it is l that has become ready.
  other.ask("RPUSH l a");
  EXPECT_EQ(first.take(), "*2 $1 l $1 a");
}

TEST_F(ListBlock, AKeyOfAnotherTypeDoesNotSpoilTheTimeout) {
  first.ask("BLPOP k 1");
  other.ask("SET k x");
  world.pass(1000);
  turns.run();
  EXPECT_EQ(first.take(), "*-1");
}

TEST_F(ListBlock, AWrongDestinationIsAnErrorWhenItsTimeComes) {
  other.ask("SET d x");
  EXPECT_EQ(first.ask("BLMOVE k d LEFT LEFT 0"), "");
  other.ask("RPUSH k a");
  EXPECT_EQ(first.take(), "-WRONGTYPE Operation against a key holding the wrong kind of value");
  EXPECT_EQ(other.ask("LLEN k"), ":1");
}

TEST_F(ListBlock, AServedMoveServesTheNext) {
  first.ask("BLMOVE a b LEFT RIGHT 0");
  second.ask("BRPOPLPUSH b c 0");
  other.ask("RPUSH a x");
  EXPECT_EQ(first.take(), "$1 x");
  EXPECT_EQ(second.take(), "$1 x");
  EXPECT_EQ(other.ask("LRANGE c 0 -1"), "*1 $1 x");
  EXPECT_EQ(world.effects(), "0: RPUSH a x; 0: LMOVE a b left right; 0: RPOPLPUSH b c");
}

TEST_F(ListBlock, AMoveOfSeveralWaitsForEnough) {
  first.ask("BLMOVEM a b LEFT RIGHT 0 EXACTLY 3 OBO");
  second.ask("BLMOVEM c d LEFT RIGHT 0 COUNT 3 BULK");
  other.ask("RPUSH a x y");
  EXPECT_EQ(first.take(), "");
  world.effects();
  other.ask("RPUSH a z; RPUSH c v w");
  EXPECT_EQ(first.take(), "*3 $1 x $1 y $1 z");
  EXPECT_EQ(second.take(), "*2 $1 v $1 w");
  EXPECT_EQ(world.effects(),
            "0: RPUSH a z; (; 0: LPOP a 3; 0: RPUSH b x y z; ); 0: RPUSH c v w; "
            "(; 0: LPOP c 2; 0: RPUSH d v w; )");
  EXPECT_EQ(other.ask("EXISTS a c"), ":0");
  EXPECT_EQ(other.ask("MULTI; BLMOVEM a b LEFT LEFT 0; EXEC"), "+OK +QUEUED *1 *-1");
}

TEST_F(ListBlock, TwoMovesInACircleEnd) {
  first.ask("BLMOVE a b LEFT RIGHT 0");
  second.ask("BLMOVE b a LEFT RIGHT 0");
  other.ask("RPUSH a x");
  EXPECT_EQ(first.take(), "$1 x");
  EXPECT_EQ(second.take(), "$1 x");
  EXPECT_EQ(other.ask("LRANGE a 0 -1"), "*1 $1 x");
}

TEST_F(ListBlock, CommandsBehindAWaitRunAfterIt) {
  EXPECT_EQ(first.ask("BLPOP k 0; RPUSH k later; PING"), "");
  other.ask("RPUSH k a");
  turns.run();
  EXPECT_EQ(first.take(), "*2 $1 k $1 a :1 +PONG");
  EXPECT_EQ(first.ask("BLPOP nothing 1; PING"), "");
  world.pass(1000);
  turns.run();
  EXPECT_EQ(first.take(), "*-1 +PONG");
}

TEST_F(ListBlock, CommandsThatCameDuringAWaitAreAnsweredAtOnceAfterIt) {
  EXPECT_EQ(first.ask("BLPOP k 0"), "");
  EXPECT_EQ(first.ask("BLPOP k 0"), "");
  EXPECT_EQ(first.ask("PING"), "");
  other.ask("RPUSH k a");
  EXPECT_EQ(first.take(), "*2 $1 k $1 a");
  other.ask("RPUSH k b");
  EXPECT_EQ(first.take(), "*2 $1 k $1 b +PONG");
}

TEST_F(ListBlock, WaitsEndByTheClock) {
  EXPECT_EQ(first.ask("BLPOP k 0.5"), "");
  EXPECT_EQ(second.ask("BLMOVE k l LEFT LEFT 0.25"), "");
  EXPECT_EQ(other.ask("BLPOP k 0"), "");
  world.pass(249);
  turns.run();
  EXPECT_EQ(second.take(), "");
  world.pass(1);
  turns.run();
  EXPECT_EQ(second.take(), "*-1");
  EXPECT_EQ(first.take(), "");
  world.pass(250);
  turns.run();
  EXPECT_EQ(first.take(), "*-1");
  world.pass(1'000'000'000);
  turns.run();
  EXPECT_EQ(other.take(), "");
  EXPECT_EQ(world.engine.blocking.session_count(), 1U);
}

TEST_F(ListBlock, ClientUnblockEndsAWaitWithNullOrAnError) {
  first.ask("BLPOP k 0");
  second.ask("BLPOP k 0");
  EXPECT_EQ(other.ask("CLIENT UNBLOCK " + std::to_string(first.session().id)), ":1");
  EXPECT_EQ(other.ask("CLIENT UNBLOCK " + std::to_string(second.session().id) + " ERROR"), ":1");
  EXPECT_EQ(first.take(), "*-1");
  EXPECT_EQ(second.take(), "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
  EXPECT_EQ(other.ask("CLIENT UNBLOCK " + std::to_string(first.session().id)), ":0");
}

TEST_F(ListBlock, OneThatLeavesTakesNothingAlong) {
  auto gone = std::make_unique<TestClient>(turns);
  gone->ask("BLPOP k l 10");
  first.ask("BLPOP k 0");
  gone->disconnect();
  gone.reset();
  other.ask("RPUSH k a");
  EXPECT_EQ(first.take(), "*2 $1 k $1 a");
  EXPECT_FALSE(world.engine.blocking.active());
  EXPECT_EQ(world.engine.blocking.next_deadline(), Wait::kForever);
}

TEST_F(ListBlock, EveryWayInWhichAListAppearsWakes) {
  struct Way {
    const char* before;
    const char* command;
  };
  for (const Way& way :
       {Way{"RPUSH x a", "RENAME x k"}, Way{"RPUSH x a", "COPY x k"},
        Way{"SELECT 1; RPUSH k a", "MOVE k 0"}, Way{"RPUSH x a", "LMOVE x k LEFT LEFT"},
        Way{"RPUSH x a", "RENAMENX x k"}, Way{"SELECT 1; RPUSH k a", "SWAPDB 0 1"}}) {
    TestClient client(turns);
    client.ask(way.before);
    first.ask("BLPOP k 0");
    client.ask(way.command);
    EXPECT_EQ(first.take(), "*2 $1 k $1 a") << way.command;
    client.ask("SELECT 0; DEL x k; SELECT 1; DEL k; SELECT 0");
  }
}

TEST_F(ListBlock, AnAnswerThatNobodyWantsIsNotWritten) {
  EXPECT_EQ(first.ask("CLIENT REPLY SKIP; BLPOP k 0"), "");
  other.ask("RPUSH k a");
  EXPECT_EQ(first.take(), "");
  EXPECT_EQ(first.ask("PING"), "+PONG");
}

TEST_F(ListBlock, AWaitIsOneCommandInTheStatistics) {
  first.ask("BLPOP k 0");
  other.ask("SET k x; DEL k; RPUSH k a");
  EXPECT_EQ(first.take(), "*2 $1 k $1 a");
  EXPECT_EQ(world.engine.registry.stats(*world.engine.registry.find("BLPOP")).calls, 1U);
}

TEST_F(ListBlock, AWaitThatEndsWithAnErrorIsACallThatFailed) {
  first.ask("BLPOP k 0");
  other.ask("CLIENT UNBLOCK 1 ERROR");
  EXPECT_EQ(first.take().rfind("-UNBLOCKED", 0), 0U);
  const Registry& registry = world.engine.registry;
  const CommandStats& stats = registry.stats(*registry.find("BLPOP"));
  EXPECT_EQ(stats.calls, 1U);
  EXPECT_EQ(stats.failed, 1U);
}

}  // namespace
}  // namespace ouro
