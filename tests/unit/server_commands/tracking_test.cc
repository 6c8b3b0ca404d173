// SPDX-License-Identifier: BSD-3-Clause
// CLIENT TRACKING: who is told that a key changed, when, and in which form.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine_fixture.h"
#include "test_client.h"

namespace ouro {
namespace {

struct TrackingTest : testing::Test {
  TrackingTest() {
    reader.ask("HELLO 3");
    reader.take();
  }
  ~TrackingTest() override { tracking().check_invariants(); }

  Tracking& tracking() { return world.engine.tracking; }
  // Slices until nothing is left; messages leave.
  void slices() {
    while (world.engine.run_slices()) {
    }
    turns.run();
  }

  EngineFixture world{{kStringCommands, kStringSetCommands, kKeyCommands, kExpireCommands,
                       kListCommands, kListMoveCommands, kListBlockCommands, kDatabaseCommands,
                       kTransactionCommands, kPubsubCommands, kConnectionCommands, kClientCommands,
                       kDebugCommands, kZSetStoreCommands, kSetAlgebraCommands}};
  TestTurns turns{world.engine};
  TestClient reader{turns}, writer{turns}, other{turns};  // ids 1, 2, 3
};

TEST_F(TrackingTest, AReaderIsToldOnceOfAChange) {
  reader.ask("CLIENT TRACKING ON; GET a; MGET b c");
  writer.ask("SET a 1; SET a 2");
  EXPECT_EQ(reader.take(), ">2 $10 invalidate *1 $1 a");
  EXPECT_EQ(tracking().key_count(), 2U);
  writer.ask("DEL a; MSET b 1 c 1");
  EXPECT_EQ(reader.take(), ">2 $10 invalidate *1 $1 b >2 $10 invalidate *1 $1 c");
  EXPECT_EQ(tracking().key_count(), 0U);
}

TEST_F(TrackingTest, AReadThatIsRefusedForItsCountIsOneAllTheSame) {
  reader.ask("CLIENT TRACKING ON; ZUNION 01 a; SINTERCARD 1x b; ZUNION x c; ZUNION 2 d");
  reader.take();
  EXPECT_EQ(tracking().key_count(), 2U);
  writer.ask("SET a 1; SET b 1");
  EXPECT_EQ(reader.take(), ">2 $10 invalidate *1 $1 a >2 $10 invalidate *1 $1 b");
}

// What is told takes more memory than the key gave back.
TEST_F(TrackingTest, ToTellOfAnEvictedKeyCostsNoFurtherKeys) {
  const std::string tail(1000, 'x');
  for (int i = 0; i < 100; ++i) world.run({"SET", std::to_string(i) + tail, "v"});
  for (TestClient* client : {&reader, &writer, &other}) {
    client->ask("HELLO 3; CLIENT TRACKING ON");
    for (int i = 0; i < 100; ++i) client->ask("GET " + std::to_string(i) + tail);
  }
  world.options.maxmemory = world.engine.heap.used_bytes() - 10'000;
  world.options.maxmemory_policy = EvictionPolicy::kAllkeysRandom;
  EXPECT_TRUE(world.engine.eviction.make_room(world.engine));
  EXPECT_FALSE(world.engine.eviction.has_more(world.engine));
  EXPECT_GE(world.engine.stats.evicted_keys, 5U);
  EXPECT_LE(world.engine.stats.evicted_keys, 10U);
  turns.run();
  EXPECT_NE(reader.take().find("invalidate"), std::string::npos);
}

TEST_F(TrackingTest, WithoutItNothingIsRemembered) {
  reader.ask("GET a");
  writer.ask("SET a 1");
  EXPECT_EQ(reader.take(), "");
  reader.ask("CLIENT TRACKING ON; GET a; CLIENT TRACKING OFF");
  EXPECT_EQ(tracking().key_count(), 0U);
  EXPECT_FALSE(tracking().active());
  writer.ask("SET a 2");
  EXPECT_EQ(reader.take(), "");
}

TEST_F(TrackingTest, AClientsOwnChangeIsToldBehindItsAnswer) {
  reader.ask("CLIENT TRACKING ON; MGET a b");
  EXPECT_EQ(reader.ask("SET a 1"), "+OK >2 $10 invalidate *1 $1 a");
  reader.ask("GET a");
  EXPECT_EQ(reader.ask("MULTI; SET a 2; GET b; EXEC"),
            "+OK +QUEUED +QUEUED *2 +OK _ >2 $10 invalidate *1 $1 a");
  reader.ask("CLIENT TRACKING ON NOLOOP; GET a");
  EXPECT_EQ(reader.ask("SET a 3"), "+OK");
  reader.ask("GET a");
  writer.ask("SET a 4");
  EXPECT_EQ(reader.take(), ">2 $10 invalidate *1 $1 a");
}

TEST_F(TrackingTest, AnotherMayBeToldInItsPlace) {
  EXPECT_EQ(writer.ask("CLIENT TRACKING ON REDIRECT 3; GET a; CLIENT GETREDIR"), "+OK $-1 :3");
  // RESP2 has only messages, and those are for subscribers.
  reader.ask("SET a 1");
  EXPECT_EQ(other.take(), "");
  other.ask("SUBSCRIBE __redis__:invalidate");
  writer.ask("GET a");
  reader.ask("SET a 2");
  EXPECT_EQ(other.take(), "*3 $7 message $20 __redis__:invalidate *1 $1 a");
}

TEST_F(TrackingTest, ARedirectThatLeftIsTold) {
  auto away = std::make_unique<TestClient>(turns);
  reader.ask("CLIENT TRACKING ON REDIRECT 4; GET a");
  away.reset();
  writer.ask("SET a 1");
  EXPECT_EQ(reader.take(), ">2 $21 tracking-redir-broken :4");
  EXPECT_EQ(reader.ask("CLIENT TRACKINGINFO"),
            "%3 $5 flags ~2 $2 on $15 broken_redirect $8 redirect :4 $8 prefixes *0");
  EXPECT_NE(reader.ask("CLIENT INFO").find("flags=tR "), std::string::npos);
}

TEST_F(TrackingTest, BroadcastsTellOfPrefixesOnceATurn) {
  reader.ask("CLIENT TRACKING ON BCAST PREFIX a: PREFIX b");
  writer.ask("MSET a:2 1 a:1 1 a 1 b 1; SET a:2 2; SET c 1; DEL bb");
  EXPECT_EQ(reader.take(), ">2 $10 invalidate *2 $3 a:1 $3 a:2 >2 $10 invalidate *1 $1 b");
  EXPECT_EQ(tracking().prefix_count(), 2U);
  EXPECT_EQ(tracking().key_count(), 0U);
  reader.ask("CLIENT TRACKING OFF; CLIENT TRACKING ON BCAST");
  writer.ask("SET x 1");
  EXPECT_EQ(reader.take(), ">2 $10 invalidate *1 $1 x");
}

TEST_F(TrackingTest, EveryPrefixOfAKeyIsFound) {
  // Those of one client do not overlap; those of several do.
  reader.ask("CLIENT TRACKING ON BCAST PREFIX abc");
  other.ask("HELLO 3");
  other.ask("CLIENT TRACKING ON BCAST PREFIX a");
  TestClient third(turns);
  third.ask("HELLO 3");
  third.ask("CLIENT TRACKING ON BCAST");
  TestClient fourth(turns);
  fourth.ask("HELLO 3");
  fourth.ask("CLIENT TRACKING ON BCAST PREFIX abd PREFIX abbz");
  writer.ask("SET abcd 1");
  const std::string told = ">2 $10 invalidate *1 $4 abcd";
  EXPECT_EQ(reader.take(), told);
  EXPECT_EQ(other.take(), told);
  EXPECT_EQ(third.take(), told);
  EXPECT_EQ(fourth.take(), "");
}

TEST_F(TrackingTest, ABroadcastLeavesOutTheClientsOwnChanges) {
  reader.ask("CLIENT TRACKING ON BCAST NOLOOP");
  EXPECT_EQ(reader.ask("SET a 1"), "+OK");
  reader.send("SET a 1");
  writer.send("SET b 1");
  turns.run();
  EXPECT_EQ(reader.take(), "+OK >2 $10 invalidate *1 $1 b");
  // The clock is nobody.
  EXPECT_EQ(reader.ask("SET a 1 PX 5"), "+OK");
  world.pass(10);
  EXPECT_EQ(reader.ask("GET a"), "_ >2 $10 invalidate *1 $1 a");
}

TEST_F(TrackingTest, ABroadcastDoesNotDivideATransactionThatWaits) {
  world.options.enable_debug_command = Allowed::kEverybody;
  reader.ask("CLIENT TRACKING ON BCAST");
  EXPECT_EQ(writer.ask("MULTI; SET a 1; DEBUG SLEEP 0.01; SET b 1; EXEC"),
            "+OK +QUEUED +QUEUED +QUEUED *3 +OK");
  EXPECT_EQ(reader.take(), "");
  world.pass(20);
  turns.run();
  EXPECT_EQ(writer.take(), "+OK +OK");
  EXPECT_EQ(reader.take(), ">2 $10 invalidate *2 $1 a $1 b");
  EXPECT_EQ(world.effects(), "(; 0: SET a 1; 0: SET b 1; )");
}

TEST_F(TrackingTest, OptInAndOptOutHoldForOneCommandOrTransaction) {
  reader.ask("CLIENT TRACKING ON OPTIN; GET a");
  EXPECT_EQ(tracking().item_count(), 0U);
  reader.ask("CLIENT CACHING YES; CLIENT GETNAME; GET a; GET b");
  EXPECT_EQ(tracking().item_count(), 1U);
  reader.ask("CLIENT CACHING YES; MULTI; GET c; GET d; EXEC; GET e");
  EXPECT_EQ(tracking().item_count(), 3U);
  reader.ask("CLIENT CACHING YES; NOSUCH; GET e");
  EXPECT_EQ(tracking().item_count(), 3U);
  reader.ask("CLIENT TRACKING OFF; CLIENT TRACKING ON OPTOUT; CLIENT CACHING NO; GET a; GET b");
  EXPECT_EQ(tracking().item_count(), 1U);
}

TEST_F(TrackingTest, WhatEndsByTheClockIsTold) {
  writer.ask("SET a 1 PX 5; SET b 1 PX 5");
  reader.ask("CLIENT TRACKING ON; MGET a b");
  world.pass(10);
  writer.ask("GET a");
  EXPECT_EQ(reader.take(), ">2 $10 invalidate *1 $1 a");
  slices();
  EXPECT_EQ(reader.take(), ">2 $10 invalidate *1 $1 b");
}

TEST_F(TrackingTest, EmptyingADatabaseInvalidatesAll) {
  reader.ask("CLIENT TRACKING ON; GET a");
  other.ask("HELLO 3");
  other.ask("CLIENT TRACKING ON BCAST");
  writer.ask("FLUSHALL");
  EXPECT_EQ(reader.take(), ">2 $10 invalidate _");
  EXPECT_EQ(other.take(), ">2 $10 invalidate _");
  EXPECT_EQ(tracking().key_count(), 0U);
  EXPECT_EQ(reader.ask("MULTI; FLUSHDB; EXEC"), "+OK +QUEUED *1 +OK >2 $10 invalidate _");
}

TEST_F(TrackingTest, AWokenWaiterIsToldBehindItsAnswer) {
  reader.ask("CLIENT TRACKING ON; LRANGE to 0 -1");
  EXPECT_EQ(reader.ask("BLMOVE from to LEFT LEFT 0"), "");
  writer.ask("RPUSH from x");
  EXPECT_EQ(reader.take(), "$1 x >2 $10 invalidate *1 $2 to");
}

TEST_F(TrackingTest, ATableThatIsFullForgetsOneForEachNewKey) {
  world.options.tracking_table_max_keys = 3;
  reader.ask("CLIENT TRACKING ON; MGET a b c");
  const std::string answer = reader.ask("MGET d e");
  EXPECT_EQ(answer.rfind("*2 _ _ >2 $10 invalidate *1", 0), 0U);
  EXPECT_EQ(tracking().key_count(), 3U);
  EXPECT_EQ(tracking().item_count(), 3U);
  world.options.tracking_table_max_keys = 1;
  slices();
  EXPECT_EQ(tracking().key_count(), 1U);
  EXPECT_NE(reader.take(), "");
}

TEST_F(TrackingTest, MemoryOfATableThatNobodyNeedsComesBack) {
  const size_t before = world.engine.heap.used_bytes();
  reader.ask("CLIENT TRACKING ON");
  for (int i = 0; i < 5000; ++i) reader.ask("GET key:" + std::to_string(i));
  reader.ask("CLIENT TRACKING OFF");
  slices();
  EXPECT_LE(world.engine.heap.used_bytes(), before + 1024);
}

TEST_F(TrackingTest, AClientThatLeftIsForgotten) {
  auto away = std::make_unique<TestClient>(turns);
  away->ask("HELLO 3");
  away->ask("CLIENT TRACKING ON BCAST PREFIX x");
  reader.ask("CLIENT TRACKING ON; GET a");
  away->send("SET x 1");
  away.reset();
  turns.run();
  EXPECT_EQ(tracking().client_count(), 1U);
  EXPECT_EQ(tracking().prefix_count(), 0U);
  reader.ask("RESET");
  EXPECT_FALSE(tracking().active());
}

TEST_F(TrackingTest, ModesMustAgree) {
  EXPECT_EQ(reader.ask("CLIENT CACHING YES"),
            "-ERR CLIENT CACHING can be called only when the client is in tracking mode with "
            "OPTIN or OPTOUT mode enabled");
  EXPECT_EQ(reader.ask("CLIENT TRACKING ON PREFIX a"),
            "-ERR PREFIX option requires BCAST mode to be enabled");
  EXPECT_EQ(reader.ask("CLIENT TRACKING ON BCAST PREFIX foo PREFIX foobar"),
            "-ERR Prefix 'foo' overlaps with another provided prefix 'foobar'. Prefixes for a "
            "single client must not overlap.");
  EXPECT_EQ(reader.ask("CLIENT TRACKING ON REDIRECT 99"),
            "-ERR The client ID you want redirect to does not exist");
  EXPECT_EQ(reader.ask("CLIENT TRACKING ON BCAST PREFIX a"), "+OK");
  EXPECT_EQ(reader.ask("CLIENT TRACKING ON BCAST PREFIX ab"),
            "-ERR Prefix 'ab' overlaps with an existing prefix 'a'. Prefixes for a single client "
            "must not overlap.");
  EXPECT_EQ(reader.ask("CLIENT TRACKING ON").rfind("-ERR You can't switch BCAST mode", 0), 0U);
  EXPECT_EQ(reader.ask("CLIENT TRACKINGINFO"),
            "%3 $5 flags ~2 $2 on $5 bcast $8 redirect :0 $8 prefixes *1 $1 a");
}

}  // namespace
}  // namespace ouro
