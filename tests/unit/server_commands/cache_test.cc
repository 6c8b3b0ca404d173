// SPDX-License-Identifier: BSD-3-Clause
// CACHE.* and SET's options of a loader: who loads, what is shown meanwhile, what is refused.
#include "engine_fixture.h"
#include "event_listener.h"

namespace ouro {
namespace {

struct CacheTest : ::testing::Test, EngineFixture {
  CacheTest()
      : EngineFixture({kStringCommands, kStringSetCommands, kStringConditionCommands, kKeyCommands,
                       kKeyScanCommands, kExpireCommands, kDatabaseCommands, kListCommands,
                       kCacheGetCommands, kCacheLoadCommands}) {}

  // Asks to load and returns the token, as text.
  std::string load(const std::string& key) {
    const std::string answer = run("CACHE.GET " + key);
    EXPECT_TRUE(answer.starts_with("[\"LOAD\"")) << answer;
    const size_t at = answer.rfind(' ') + 1;
    return answer.substr(at, answer.size() - at - 1);
  }
  // The command of a primary, or of a log.
  std::string run_as(Origin origin, ByteView line) {
    caller.origin = origin;
    std::string answer = run(line);
    caller.origin = Origin::kEmbedded;
    return answer;
  }
  void rule(ByteView prefix, ByteView text) {
    const std::vector<std::string> words = words_of(text);
    const std::vector<ByteView> argv(words.begin(), words.end());
    std::string error;
    const auto change = parse_rule_change(Argv(argv), error);
    ASSERT_TRUE(change) << error;
    ASSERT_TRUE(engine.guard.rules.set(prefix, *change).is_ok());
  }
};

// ---- who loads

TEST_F(CacheTest, OneLoadsAndTheOthersWait) {
  EXPECT_EQ(run("CACHE.GET k"), "[\"LOAD\" _ 1700000000000000]");
  EXPECT_EQ(run("CACHE.GET k"), "[\"BUSY\" _ 3000]");
  pass(1000);
  EXPECT_EQ(run("CACHE.GET k"), "[\"BUSY\" _ 2000]");
  EXPECT_EQ(run("SET k v EX 60 LEASE 1700000000000000"), "OK");
  EXPECT_EQ(run("CACHE.GET k"), "[\"HIT\" \"v\" 60000]");
  EXPECT_EQ(run("SET k v"), "OK");
  EXPECT_EQ(run("CACHE.GET k"), "[\"HIT\" \"v\" -1]");
}

// Class L of notify-keyspace-events, which A does not stand for.
TEST_F(CacheTest, SubscribersHearWhatBecomesOfLoads) {
  EventListener listener(engine, "EA$L");
  const std::string first = load("k");
  EXPECT_EQ(listener.take(), "lease");
  run("CACHE.GET k");
  EXPECT_EQ(listener.take(), "") << "somebody else loads";
  run("SET k v LEASE " + first);
  EXPECT_EQ(listener.take(), "set fill");
  run("SET k w LEASE " + first);
  EXPECT_EQ(listener.take(), "") << "refused";
  const std::string second = load("gone");
  run("CACHE.NIL gone " + second);
  EXPECT_EQ(listener.take(), "lease absent");
  const std::string third = load("down");
  run("CACHE.FAIL down " + third);
  run("CACHE.FAIL down " + third);
  EXPECT_EQ(listener.take(), "lease fail");
  run("CACHE.GET late LEASE 500");
  pass(500);
  run("CACHE.GET late");
  EXPECT_EQ(listener.take(), "lease lease");
  EXPECT_TRUE(engine.pubsub.set_event_classes("EA"));
  run("SET late v LEASE " + load("other"));
  load("more");
  EXPECT_EQ(listener.take(), "");
}

TEST_F(CacheTest, ALeaseEndsByItself) {
  EXPECT_EQ(run("CACHE.GET k LEASE 500"), "[\"LOAD\" _ 1700000000000000]");
  pass(499);
  EXPECT_EQ(run("CACHE.GET k"), "[\"BUSY\" _ 1]");
  pass(1);
  EXPECT_EQ(run("CACHE.GET k"), "[\"LOAD\" _ 1700000000500000]");
  EXPECT_EQ(engine.guard.counters.leases_expired, 1U);
  // The first loader is late, and another one has been asked since.
  EXPECT_EQ(run("SET k old LEASE 1700000000000000"), "_");
  EXPECT_EQ(run("SET k new LEASE 1700000000500000"), "OK");
  EXPECT_EQ(run("GET k"), "\"new\"");
}

TEST_F(CacheTest, ALateAnswerCountsWhileNobodyElseWasAsked) {
  const std::string token = load("k");
  pass(10'000);
  engine.run_slices();
  EXPECT_EQ(engine.guard.leases.live_count(), 0U);
  EXPECT_EQ(run("SET k v LEASE " + token), "OK");
  EXPECT_EQ(run("SET k again LEASE " + token), "_");
}

TEST_F(CacheTest, WhatWasReadBeforeAChangeIsNotStored) {
  for (const ByteView change :
       {"DEL k", "UNLINK k", "SET k new", "CACHE.STALE k", "FLUSHALL", "DELEX k", "RPUSH k a"}) {
    run("DEL k");
    const std::string token = load("k");
    run(change);
    EXPECT_EQ(run("SET k old LEASE " + token), "_") << change;
  }
  EXPECT_EQ(engine.guard.counters.refused_sets, 7U);
}

TEST_F(CacheTest, ItsOwnEndDoesNotVoidALease) {
  run("SET k v PX 100 STALE 5000");
  pass(200);
  const std::string token = load("k");
  pass(5000);
  engine.run_slices();
  EXPECT_EQ(run("SET k w LEASE " + token), "OK");
}

TEST_F(CacheTest, TokensGrowThoughTheClockStandsStill) {
  EXPECT_EQ(load("a"), "1700000000000000");
  EXPECT_EQ(load("b"), "1700000000000001");
  engine.guard.note_tokens_used(1'800'000'000'000'000);
  EXPECT_EQ(load("c"), "1800000000000001");
}

TEST_F(CacheTest, GivingUpHandsTheKeyOn) {
  std::string token = load("k");
  EXPECT_EQ(run("CACHE.FAIL k 7"), "0");
  EXPECT_EQ(run("CACHE.FAIL k " + token), "1");
  EXPECT_EQ(run("CACHE.FAIL k " + token), "0");
  token = load("k");
  EXPECT_EQ(run("CACHE.FAIL k " + token + " PX 200"), "1");
  EXPECT_EQ(run("CACHE.GET k"), "[\"BUSY\" _ 200]");
  EXPECT_EQ(run("SET k v LEASE " + token), "_");
  pass(200);
  load("k");
  EXPECT_EQ(effects(), "");
}

TEST_F(CacheTest, SoManyLeasesAndNoMore) {
  options.cache_max_leases = 3;
  for (const char* key : {"a", "b", "c"}) load(key);
  EXPECT_EQ(run("CACHE.GET d"), "[\"BUSY\" _ 100]");
  pass(3000);
  engine.run_slices();
  EXPECT_EQ(engine.guard.leases.size(), 3U);
  // Those whose time is over make room.
  load("d");
  EXPECT_EQ(engine.guard.leases.size(), 3U);
  engine.guard.leases.check_invariants();
}

TEST_F(CacheTest, ARuleBoundsLoads) {
  rule("u:", "LOADS 2");
  const std::string a = load("u:a");
  load("u:b");
  EXPECT_TRUE(run("CACHE.GET u:c").starts_with("[\"BUSY\""));
  load("other");
  // Their keys are anew, the database still works on the old loads.
  run("FLUSHALL");
  EXPECT_TRUE(run("CACHE.GET u:a").starts_with("[\"BUSY\""));
  EXPECT_EQ(run("SET u:a v LEASE " + a), "_");
  load("u:c");
  EXPECT_EQ(engine.guard.counters.shed, 2U);
}

// ---- stale values

TEST_F(CacheTest, AStaleValueIsShownToCacheGetAlone) {
  run("SET k v PX 1000 STALE 5000");
  EXPECT_EQ(effects(), "0: SET k v PXAT 1700000001000 STALE 5000");
  pass(1000);
  EXPECT_EQ(run("GET k"), "_");
  EXPECT_EQ(effects(), "0: CACHE.STALE k PXAT 1700000006000");
  EXPECT_EQ(run("EXISTS k"), "0");
  EXPECT_EQ(run("DBSIZE"), "0");
  EXPECT_EQ(run("KEYS *"), "[]");
  pass(214);
  EXPECT_EQ(run("CACHE.GET k"), "[\"LOAD\" \"v\" 1700000001214000]");
  EXPECT_EQ(run("CACHE.GET k"), "[\"STALE\" \"v\" 214]");
  pass(4785);
  EXPECT_EQ(run("CACHE.GET k"), "[\"LOAD\" \"v\" 1700000005999000]");
  pass(1);
  EXPECT_EQ(run("CACHE.GET k"), "[\"BUSY\" _ 2999]");
  engine.run_slices();
  EXPECT_TRUE(db().aside()->empty());
}

TEST_F(CacheTest, ANewValueEndsTheStaleOne) {
  for (const ByteView change :
       {"SET k new PX 10", "INCR k", "RPUSH k a", "DEL k", "CACHE.NIL k 0"}) {
    run("DEL k");
    run("SET k v PX 1000 STALE 60000");
    pass(1000);
    run("GET k");
    ASSERT_EQ(db().aside()->stale_count(), 1U);
    // A token of 0 is nobody's: refused.
    run(change);
    EXPECT_EQ(db().aside()->stale_count(), change.starts_with("CACHE") ? 1U : 0U) << change;
  }
}

TEST_F(CacheTest, DelOfAStaleValueIsTold) {
  run("SET k v PX 1000 STALE 60000");
  pass(1000);
  run("GET k");
  effects();
  EXPECT_EQ(run("DEL k"), "0");
  EXPECT_EQ(effects(), "0: DEL k");
  EXPECT_EQ(run("DEL k"), "0");
  EXPECT_EQ(effects(), "");
  EXPECT_TRUE(run("CACHE.GET k").starts_with("[\"LOAD\" _"));
}

TEST_F(CacheTest, StaleByHand) {
  run_all({"SET a 1", "SET b 2 EX 100", "SET c 3 EX 100 STALE 7000"});
  effects();
  EXPECT_EQ(run("CACHE.STALE a b c d"), "3");
  EXPECT_EQ(effects(),
            "0: CACHE.STALE a PXAT 1700000060000; 0: CACHE.STALE b PXAT 1700000060000; "
            "0: CACHE.STALE c PXAT 1700000007000");
  EXPECT_EQ(run("MGET a b c"), "[_ _ _]");
  pass(10);
  EXPECT_TRUE(run("CACHE.GET a").starts_with("[\"LOAD\" \"1\""));
  EXPECT_EQ(run("CACHE.GET a"), "[\"STALE\" \"1\" 10]");
  run("SET a 1");
  EXPECT_EQ(run("CACHE.STALE a PX 5"), "1");
  pass(5);
  EXPECT_TRUE(run("CACHE.GET a").starts_with("[\"LOAD\" _"));
  run("RPUSH l x");
  run("SET e 1");
  EXPECT_EQ(run("CACHE.STALE e l"), kWrongTypeAnswer);
  EXPECT_EQ(run("GET e"), "\"1\"");
}

TEST_F(CacheTest, OneThatWasOverwrittenHasNoWindowAnyMore) {
  run("SET k v PX 1000 STALE 60000");
  run("SET k w PX 1000");
  pass(1000);
  EXPECT_TRUE(run("CACHE.GET k").starts_with("[\"LOAD\" _"));
}

TEST_F(CacheTest, ChangesInPlaceKeepTheWindow) {
  run("SET k 1 PX 1000 STALE 60000");
  run("INCR k");
  run("APPEND k \" and a text that has no room where the number was\"");
  run("PEXPIRE k 500");
  pass(500);
  EXPECT_TRUE(
      run("CACHE.GET k").starts_with("[\"LOAD\" \"2 and a text that has no room where the number"));
}

TEST_F(CacheTest, WhatIsKnownGoesWithTheValueToAnotherName) {
  run("SET k v PX 1000 STALE 60000");
  run_all({"COPY k copy", "RENAME k renamed"});
  pass(1500);
  EXPECT_TRUE(run("CACHE.GET renamed").starts_with("[\"LOAD\" \"v\""));
  EXPECT_TRUE(run("CACHE.GET copy").starts_with("[\"LOAD\" \"v\""));
  EXPECT_TRUE(run("CACHE.GET k").starts_with("[\"LOAD\" _"));
}

TEST_F(CacheTest, PersistKeepsWhatIsKnown) {
  run("SET k v PX 1000 STALE 700");
  run("PERSIST k");
  pass(2000);
  EXPECT_EQ(run("CACHE.GET k"), "[\"HIT\" \"v\" -1]");
  run("PEXPIRE k 10");
  pass(10);
  EXPECT_TRUE(run("CACHE.GET k").starts_with("[\"LOAD\" \"v\""));
}

// ---- early

TEST_F(CacheTest, OneReaderLoadsEarly) {
  const std::string token = load("k");
  pass(100);
  EXPECT_EQ(run("SET k v PX 1000 LEASE " + token), "OK");
  EXPECT_EQ(run("CACHE.GET k"), "[\"HIT\" \"v\" 1000]");
  // So early that it always is its turn.
  pass(999);
  int loads = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string answer = run("CACHE.GET k EARLY 1000");
    EXPECT_NE(answer.find("\"v\""), std::string::npos);
    loads += answer.starts_with("[\"LOAD\"") ? 1 : 0;
  }
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(engine.guard.counters.early, 1U);
  // How long it took is known of loaded values only.
  run("SET plain v PX 10");
  EXPECT_EQ(run("CACHE.GET plain EARLY 1000"), "[\"HIT\" \"v\" 10]");
}

// ---- absent keys

TEST_F(CacheTest, AKeyIsKnownToBeAbsent) {
  std::string token = load("k");
  EXPECT_EQ(run("CACHE.NIL k 5"), "0");
  EXPECT_EQ(run("CACHE.NIL k " + token), "1");
  EXPECT_EQ(effects(), "0: CACHE.NIL k 0 PXAT 1700000005000");
  pass(10);
  EXPECT_EQ(run("CACHE.GET k"), "[\"ABSENT\" _ 4990]");
  EXPECT_EQ(run("GET k"), "_");
  EXPECT_EQ(run("DBSIZE"), "0");
  run("SET k v");
  EXPECT_EQ(run("CACHE.GET k"), "[\"HIT\" \"v\" -1]");
  run("DEL k");
  token = load("k");
  EXPECT_EQ(run("CACHE.NIL k " + token + " PX 100"), "1");
  EXPECT_EQ(run("DEL k"), "0");
  load("k");
  EXPECT_EQ(run("CACHE.NIL k " + load("j")), "0");
  pass(100);
  engine.run_slices();
}

TEST_F(CacheTest, NotesOnAbsentKeysAreBounded) {
  options.maxmemory = 40_MiB;
  size_t most = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string key = "absent:" + std::to_string(i);
    EXPECT_EQ(run("CACHE.NIL " + key + " " + load(key)), "1");
    most = std::max(most, db().aside()->absent_bytes());
  }
  EXPECT_LE(most, 2_MiB);
  EXPECT_GT(most, 1_MiB);
  // Those that end last are still known.
  EXPECT_TRUE(run("CACHE.GET absent:59999").starts_with("[\"ABSENT\""));
}

TEST_F(CacheTest, AFilterKnowsWhatExists) {
  rule("u:", "FILTER ON");
  run("SET u:1 v");
  run("DEL u:1");
  load("u:1");
  EXPECT_EQ(run("CACHE.GET u:2"), "[\"ABSENT\" _ -1]");
  load("v:2");
  EXPECT_EQ(engine.guard.counters.filter_rejects, 1U);
}

// ---- rules for all who write

TEST_F(CacheTest, ARuleSpreadsEndsAndKeepsStaleValues) {
  rule("u:", "JITTER 20 STALE 5000");
  int64_t least = 100'000;
  int64_t most = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "u:" + std::to_string(i);
    run((i % 2 == 0 ? "SET " + key + " v PX 100000" : "PSETEX " + key + " 100000 v"));
    const int64_t ttl = std::stoll(run("PTTL " + key));
    least = std::min(least, ttl);
    most = std::max(most, ttl);
  }
  EXPECT_GE(least, 80'000);
  EXPECT_LT(least, 82'000);
  EXPECT_GT(most, 98'000);
  EXPECT_LE(most, 100'000);
  run("SET u:a v PX 100 JITTER 0");
  EXPECT_EQ(run("PTTL u:a"), "100");
  pass(100);
  EXPECT_TRUE(run("CACHE.GET u:a").starts_with("[\"LOAD\" \"v\""));
  run("SET plain v PX 100000");
  EXPECT_EQ(run("PTTL plain"), "100000");
}

// ---- versions

TEST_F(CacheTest, AnOlderVersionIsNotStored) {
  EXPECT_EQ(run("SET k v5 VERSION 5"), "OK");
  EXPECT_EQ(effects(), "0: SET k v5 VERSION 5");
  EXPECT_EQ(run("SET k v5 VERSION 5"), "_");
  EXPECT_EQ(run("SET k v4 VERSION 4 GET"), "\"v5\"");
  EXPECT_EQ(run("GET k"), "\"v5\"");
  EXPECT_EQ(run("SET k v6 VERSION 6 EX 10"), "OK");
  EXPECT_EQ(effects(), "0: SET k v6 PXAT 1700000010000 VERSION 6");
  // Who tells none has the last word, and the key carries none any more.
  EXPECT_EQ(run("SET k plain"), "OK");
  EXPECT_EQ(run("SET k v1 VERSION 1"), "OK");
  EXPECT_EQ(engine.guard.counters.refused_versions, 2U);
}

TEST_F(CacheTest, ARemovalLeavesItsVersion) {
  for (const ByteView removal : {"DEL k", "UNLINK k", "DELEX k", "DELEX k VERSION 5"}) {
    run("SET k v VERSION 5");
    EXPECT_EQ(run(removal), "1") << removal;
    EXPECT_EQ(run("SET k old VERSION 5"), "_") << removal;
    EXPECT_EQ(run("CACHE.GET k").substr(0, 7), "[\"LOAD\"");
    EXPECT_EQ(run("SET k new VERSION 6"), "OK") << removal;
    run("SET k plain");
    run("DEL k");
    pass(60'000);
    engine.run_slices();
    EXPECT_EQ(run("SET k v VERSION 1"), "OK") << removal;
    run("SET k plain");
  }
}

TEST_F(CacheTest, ARemovalSaysItsVersion) {
  const auto told_by = [&](const std::string& removal, const std::string& key) {
    run("SET " + key + " w VERSION 4");
    run("SET " + key + " v VERSION 5");
    effects();
    run(removal);
    EXPECT_EQ(run("SET " + key + " v VERSION 5"), "_") << removal;
    return effects();
  };
  EXPECT_EQ(told_by("DEL a", "a"), "0: DELEX a VERSION 5 PXAT 1700000060000; 0: DEL a");
  EXPECT_EQ(told_by("UNLINK b x", "b"), "0: DELEX b VERSION 5 PXAT 1700000060000; 0: UNLINK b x");
  EXPECT_EQ(told_by("GETDEL c", "c"), "0: DELEX c VERSION 5 PXAT 1700000060000; 0: DEL c");
  EXPECT_EQ(told_by("DELEX d IFEQ v", "d"), "0: DELEX d VERSION 5 PXAT 1700000060000; 0: DEL d");
  EXPECT_EQ(told_by("DELEX e VERSION 7", "e"), "0: DELEX e VERSION 7 PXAT 1700000060000");
}

// A primary says DEL of a key that has ended, or was evicted: its value is not out of date.
TEST_F(CacheTest, AnEndLeavesNoVersion) {
  const auto end = [&](Origin origin, const std::string& key) {
    run_as(origin, "SET " + key + " v PXAT 1700000010000 VERSION 5");
    run_as(origin, "DEL " + key);
    EXPECT_EQ(run("SET " + key + " v VERSION 5"), "OK");
    run_as(origin, "DELEX " + key + " VERSION 5 PXAT 1700000060000");
    run_as(origin, "DEL " + key);
    EXPECT_EQ(run("SET " + key + " v VERSION 5"), "_");
  };
  end(Origin::kPrimary, "a");
  end(Origin::kReplay, "b");
}

TEST_F(CacheTest, ARemovalWithAVersionSaysThatOne) {
  EXPECT_EQ(run("DELEX k VERSION 9"), "0");
  EXPECT_EQ(effects(), "0: DELEX k VERSION 9 PXAT 1700000060000");
  EXPECT_EQ(run("SET k v VERSION 9"), "_");
  EXPECT_EQ(run("SET k v VERSION 10"), "OK");
  // What is newer than the removal stays.
  EXPECT_EQ(run("DELEX k VERSION 8"), "0");
  EXPECT_EQ(run("CACHE.STALE k VERSION 8"), "0");
  EXPECT_EQ(run("GET k"), "\"v\"");
  EXPECT_EQ(run("CACHE.STALE k VERSION 11"), "1");
  EXPECT_EQ(run("SET k v VERSION 11"), "_");
  EXPECT_EQ(run("SET k v VERSION 12"), "OK");
}

TEST_F(CacheTest, UpdateThenDeleteIsNotUndoneByASlowReader) {
  // A reads version 1 and is slow; the database is updated to 2 and the key deleted.
  run("DELEX k VERSION 2");
  EXPECT_EQ(run("SET k old VERSION 1"), "_");
  EXPECT_EQ(run("SET k new VERSION 3"), "OK");
}

// ---- other callers

TEST_F(CacheTest, WhatAPrimaryDecidedIsNotDecidedAgain) {
  EXPECT_EQ(run_as(Origin::kPrimary, "SET k v PXAT 1700000001000 STALE 5000 VERSION 3"), "OK");
  EXPECT_EQ(run_as(Origin::kPrimary, "SET k w PXAT 1700000001000 STALE 5000 VERSION 2"), "OK");
  EXPECT_EQ(run_as(Origin::kPrimary, "CACHE.NIL n 0 PXAT 1700000001000"), "1");
  EXPECT_EQ(run("CACHE.GET n"), "[\"ABSENT\" _ 1000]");
  pass(1000);
  EXPECT_EQ(run_as(Origin::kPrimary, "CACHE.STALE k PXAT 1700000006000"), "1");
  pass(100);
  load("k");
  EXPECT_EQ(run("CACHE.GET k"), "[\"STALE\" \"w\" 100]");
}

TEST_F(CacheTest, InATransactionNobodyLoads) {
  caller.txn.executing = true;
  EXPECT_EQ(run("CACHE.GET k"), "[\"MISS\" _ 0]");
  caller.txn.executing = false;
}

TEST_F(CacheTest, SeveralKeysAtOnce) {
  run("SET a 1");
  EXPECT_EQ(run("CACHE.MGET a b b"),
            "[[\"HIT\" \"1\" -1] [\"LOAD\" _ 1700000000000000] [\"BUSY\" _ 3000]]");
  run("RPUSH l x");
  EXPECT_EQ(run("CACHE.MGET c l"), kWrongTypeAnswer);
  EXPECT_EQ(run("CACHE.GET l"), kWrongTypeAnswer);
}

TEST_F(CacheTest, WrongArguments) {
  for (const ByteView line :
       {"CACHE.GET k WAIT",        "CACHE.GET k NOW",         "CACHE.GET k WAIT x",
        "CACHE.GET k WAIT -1",     "CACHE.GET k LEASE 9",     "CACHE.GET k LEASE 600001",
        "CACHE.GET k EARLY -1",    "CACHE.GET k EARLY x",     "CACHE.NIL k x",
        "CACHE.NIL k 1 PX 0",      "CACHE.NIL k 1 PX 600001", "CACHE.NIL k 1 PX 5 PXAT 5",
        "CACHE.FAIL k -1",         "CACHE.FAIL k 1 PX 0",     "CACHE.STALE k PX 0",
        "CACHE.STALE k VERSION 0", "SET k v STALE -1",        "SET k v JITTER 101",
        "SET k v LEASE x",         "SET k v VERSION 0",       "SET k v STALE",
        "DELEX k VERSION x",       "DELEX k VERSION 1 PXAT"}) {
    EXPECT_TRUE(run(line).starts_with("(ERR ")) << line << ": " << run(line);
  }
  EXPECT_EQ(run("EXISTS k"), "0");
}

}  // namespace
}  // namespace ouro
