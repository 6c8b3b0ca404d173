// SPDX-License-Identifier: BSD-3-Clause
// Sets and sorted sets many of whose members are due together: a client's command waits until
// slices have removed them, others go on (gates.h). What single commands see of a few that are due:
// member_expire_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine_fixture.h"
#include "event_listener.h"
#include "test_client.h"

namespace ouro {
namespace {

constexpr int kMany = 5000;

class DueMembers : public testing::Test, public EngineFixture {
 protected:
  DueMembers()
      : EngineFixture(
            {kStringCommands,     kStringSetCommands,    kKeyCommands,       kKeyScanCommands,
             kExpireCommands,     kMemberExpireCommands, kSetCommands,       kSetAlgebraCommands,
             kZSetCommands,       kZSetRangeCommands,    kZSetStoreCommands, kZSetPopCommands,
             kListCommands,       kListBlockCommands,    kHashCommands,      kHashExpireCommands,
             kDatabaseCommands,   kObjectCommands,       kSortCommands,      kTransactionCommands,
             kConnectionCommands, kClientCommands,       kDebugCommands}) {
    options.enable_debug_command = Allowed::kEverybody;
  }

  // A set s and a sorted set z of `count` members that are due, and x.
  void prepare(int count = kMany) {
    run_all({"DEL s z other", "SADD s x", "ZADD z 0 x"});
    add_due(count);
  }
  void add_due(int count) {
    const std::string when = std::to_string(now + 10);
    for (int i = 0; i < count; ++i) {
      const std::string member = "m" + std::to_string(i);
      run({"SADD", "s", member});
      run({"ZADD", "z", std::to_string(i + 1), member});
      run({"PEXPIREMEMBERAT", "s", member, when});
      run({"PEXPIREMEMBERAT", "z", member, when});
    }
    pass(10);
    effects();
  }
  void one_turn() {
    engine.begin_turn(now, engine.instant());
    turns.run_one();
    engine.run_slices();
  }
  // Turns until the client is answered.
  std::string answer(int turns_min = 1) {
    for (int count = 1; count < 1000; ++count) {
      one_turn();
      std::string text = client.take();
      if (text.empty()) continue;
      EXPECT_GE(count, turns_min) << text;
      return text;
    }
    return "(none)";
  }
  // The client waits for z, which SWAPDB is about to bring to it with members that are due. With
  // more in z than one that stays.
  void prepare_woken(int count = kMany) {
    engine.active_expire = false;
    client.send("SELECT 1; BZPOPMIN z 0");
    one_turn();
    EXPECT_EQ(client.take(), "+OK");
    prepare(count);
  }
  // Turns until it is served, each with its share.
  std::string served() {
    for (int turn = 0; turn < 100; ++turn) {
      const size_t so_far = ended();
      one_turn();
      EXPECT_LE(ended() - so_far, 1000U);
      if (std::string text = client.take(); !text.empty()) return text;
    }
    return "(none)";
  }
  // Of a command that has to wait.
  std::string late_answer(ByteView command) {
    client.send(command);
    return answer(4);
  }
  size_t ended() const { return engine.stats.expired_elements; }

  TestTurns turns{engine};
  TestClient client{turns}, other{turns};
};

TEST_F(DueMembers, EveryCommandWaitsUntilNoneIsLeft) {
  const struct {
    const char* line;
    const char* expected;
  } cases[] = {
      {"SCARD s", ":1"},
      {"SISMEMBER s m7", ":0"},
      {"SRANDMEMBER s 2", "*1 $1 x"},
      {"SPOP s 2", "*1 $1 x"},
      {"SADD s m7", ":1"},
      {"SMOVE s other m7", ":0"},
      {"SSCAN s 0 COUNT 100000", "*2 $1 0 *1 $1 x"},
      {"SINTERCARD 2 s s", ":1"},
      {"SUNIONSTORE other s", ":1"},
      {"SORT s ALPHA", "*1 $1 x"},
      {"ZCARD z", ":1"},
      {"ZCOUNT z -inf +inf", ":1"},
      {"ZRANK z m0", "$-1"},
      {"ZRANGE z 0 -1", "*1 $1 x"},
      {"ZPOPMAX z", "*2 $1 x $1 0"},
      {"ZRANDMEMBER z 2", "*1 $1 x"},
      {"ZADD z XX CH 7 m7", ":0"},
      {"ZADD z NX 7 m7", ":1"},
      {"ZINCRBY z 5 m7", "$1 5"},
      {"ZREMRANGEBYRANK z 0 -1", ":1"},
      {"ZUNIONSTORE other 2 s z", ":1"},
      {"OBJECT ENCODING z", "$8 skiplist"},
      {"COPY z other", ":1"},
      {"DEL z", ":1"},
  };
  for (const auto& [line, expected] : cases) {
    prepare(2000);
    EXPECT_EQ(late_answer(line), expected) << line;
  }
}

TEST_F(DueMembers, OthersGoOnAndNoTurnRemovesMany) {
  prepare();
  const size_t before = ended();
  client.send("ZCARD z; PING");
  for (int turn = 0; turn < 4; ++turn) {
    const size_t so_far = ended();
    other.send("PING; ZCARD none; GET k");
    one_turn();
    EXPECT_EQ(other.take(), "+PONG :0 $-1");
    EXPECT_GT(ended(), so_far);
    EXPECT_LE(ended() - so_far, 1000U);
    EXPECT_EQ(client.take(), "");
  }
  EXPECT_LT(ended() - before, 4000U);
  EXPECT_EQ(engine.clients.postponed_count(), 1U);
  EXPECT_EQ(answer(), ":1 +PONG");
}

// The share of a turn is one for all commands, whatever key they name.
TEST_F(DueMembers, ManyKeysInOneTurnShareItsTime) {
  engine.active_expire = false;
  constexpr int kKeys = 60;
  const std::string when = std::to_string(now + 10);
  for (int i = 0; i < kKeys; ++i) {
    for (int member = 0; member < 50; ++member) {
      const std::string key = "z" + std::to_string(i), name = std::to_string(member);
      run({"ZADD", key, "1", name});
      run({"PEXPIREMEMBERAT", key, name, when});
    }
  }
  pass(10);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < kKeys; ++i) {
    clients.push_back(std::make_unique<TestClient>(turns));
    clients.back()->send("ZCARD z" + std::to_string(i));
  }
  for (int turn = 0; turn < 500 && db().size() > 0; ++turn) {
    const size_t so_far = ended();
    one_turn();
    EXPECT_LE(ended() - so_far, 1000U);
  }
  for (int turn = 0; turn < 20; ++turn) one_turn();
  for (const auto& each : clients) EXPECT_EQ(each->take(), ":0");
  EXPECT_EQ(engine.clients.postponed_count(), 0U);
}

// Of those that wait each has its turn: few members do not wait for the end of many.
TEST_F(DueMembers, AFewDoNotWaitForMany) {
  engine.active_expire = false;
  run({"SADD", "few", "m"});
  run({"PEXPIREMEMBERAT", "few", "m", std::to_string(now + 10)});
  prepare();
  client.send("SCARD s");
  one_turn();
  client.send("PING");
  other.send("ZCARD z; SCARD few");
  TestClient third{turns};
  third.send("SCARD few");
  for (int turn = 0; turn < 6; ++turn) one_turn();
  EXPECT_EQ(third.take(), ":0");
  EXPECT_EQ(client.take() + other.take(), "");
  EXPECT_EQ(answer(), ":1 +PONG");
}

// First come first served, wherever the removal ended.
TEST_F(DueMembers, WhoWaitsForTheSameKeyGoesOnInOrder) {
  for (const int count : {1500, 3000, 7000}) {
    engine.active_expire = false;
    prepare(count);
    run({"ZREM", "z", "x"});
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 8; ++i) {
      clients.push_back(std::make_unique<TestClient>(turns));
      clients.back()->send("BZPOPMIN z 0");
      one_turn();
    }
    while (engine.clients.postponed_count() > 0) one_turn();
    other.send("ZADD z 0 e0; ZADD z 1 e1; ZADD z 2 e2; ZADD z 3 e3");
    one_turn();
    for (size_t i = 0; i < 4; ++i) {
      const std::string number = std::to_string(i);
      EXPECT_EQ(clients[i]->take(), "*3 $1 z $2 e" + number + " $1 " + number);
    }
    EXPECT_EQ(clients[4]->take(), "");
  }
}

// Whoever comes when the last of them go does not pass those who have waited.
TEST_F(DueMembers, WhoComesLateIsServedLate) {
  prepare_woken();
  other.send("SWAPDB 0 1; SELECT 1");
  one_turn();
  std::vector<std::unique_ptr<TestClient>> late;
  std::string served;
  while (served.empty()) {
    late.push_back(std::make_unique<TestClient>(turns));
    late.back()->send("SELECT 1; ZPOPMIN z");
    one_turn();
    served = client.take();
    ASSERT_LT(late.size(), 100U);
  }
  EXPECT_EQ(served, "*3 $1 z $1 x $1 0");
  for (int turn = 0; turn < 3; ++turn) one_turn();
  for (const auto& one : late) EXPECT_EQ(one->take(), "+OK *0");
}

// MOVE, COPY and SWAPDB show what is in another database than the client's.
TEST_F(DueMembers, OtherDatabasesAreLookedAt) {
  const struct {
    const char* queued;
    const char* line;
    const char* expected;
  } cases[] = {{"PING", "MOVE s 1", ":0"},
               {"PING", "COPY s s DB 1", ":0"},
               {"PING", "COPY s s DB 1 REPLACE", ":1"},
               {"MULTI; SWAPDB 0 1; SCARD s", "EXEC", "*2 +OK :1"},
               {"MULTI; SELECT 1; ZCARD z", "EXEC", "*2 +OK :1"}};
  for (const auto& [queued, line, expected] : cases) {
    run({"FLUSHALL"});
    client.send("RESET");
    prepare(2000);
    run({"SWAPDB", "0", "1"});
    run({"SADD", "s", "y"});
    client.send(queued);
    one_turn();
    client.take();
    EXPECT_EQ(late_answer(line), expected) << line;
  }
}

// A key that wakes a client is shown to it when nothing in it is due.
TEST_F(DueMembers, WhoIsWokenWaitsForTheKey) {
  prepare_woken();
  other.send("SWAPDB 0 1; PING");
  one_turn();
  EXPECT_EQ(other.take(), "+OK +PONG");
  EXPECT_EQ(client.take(), "");
  EXPECT_EQ(served(), "*3 $1 z $1 x $1 0");
  EXPECT_EQ(ended(), static_cast<size_t>(kMany));
}

TEST_F(DueMembers, AReadyKeyHoldsUpNoOther) {
  prepare_woken();
  TestClient c{turns}, d{turns}, e{turns};
  c.send("BLPOP C 0");
  d.send("BLPOP D 0");
  e.send("BLPOP E 0");
  one_turn();
  other.send("SWAPDB 0 1; LPUSH C 1; LPOP C; LPUSH D 2; LPOP D; LPUSH E 3; LPOP E");
  one_turn();
  EXPECT_EQ(other.take(), "+OK :1 $-1 :1 $-1 :1 $-1");
  EXPECT_EQ(c.take(), "*2 $1 C $1 1");
  EXPECT_EQ(d.take(), "*2 $1 D $1 2");
  EXPECT_EQ(e.take(), "*2 $1 E $1 3");
  EXPECT_EQ(served(), "*3 $1 z $1 x $1 0");
}

// Nor does it take all the time of those whose command waits.
TEST_F(DueMembers, AReadyKeyTakesTurns) {
  prepare_woken(2 * kMany);
  run({"SADD", "few", "m"});
  run({"PEXPIREMEMBERAT", "few", "m", std::to_string(now + 1)});
  pass(1);
  other.send("SWAPDB 0 1; SELECT 1; SCARD few");
  for (int turn = 0; turn < 6; ++turn) one_turn();
  EXPECT_EQ(other.take(), "+OK +OK :0");
  EXPECT_EQ(client.take(), "");
}

// Redis serves nobody while clients are paused, as no key becomes ready then.
TEST_F(DueMembers, WhoIsWokenWaitsForTheEndOfAPause) {
  for (const char* pause : {"CLIENT PAUSE 60000 WRITE", "CLIENT PAUSE 60000 ALL"}) {
    run({"FLUSHALL"});
    client.send("RESET");
    one_turn();
    client.take();
    prepare_woken();
    other.send("SWAPDB 0 1; " + std::string(pause));
    one_turn();
    EXPECT_EQ(other.take(), "+OK +OK");
    const size_t so_far = ended();
    for (int turn = 0; turn < 20; ++turn) one_turn();
    EXPECT_EQ(client.take(), "");
    EXPECT_EQ(ended(), so_far);
    EXPECT_FALSE(engine.run_slices());
    engine.clients.unpause(Clients::PausedBy::kCommand);
    EXPECT_EQ(served(), "*3 $1 z $1 x $1 0");
  }
}

// In import-mode only who writes removes what is due, in slices too.
TEST_F(DueMembers, InImportModeWhoWritesWaits) {
  prepare_woken();
  options.import_mode = true;
  other.send("SWAPDB 0 1; PING");
  one_turn();
  EXPECT_EQ(other.take(), "+OK +PONG");
  EXPECT_EQ(served(), "*3 $1 z $1 x $1 0");
  client.send("SCARD s; MULTI; SMEMBERS none; SADD s y");
  one_turn();
  EXPECT_EQ(client.take(), ":5001 +OK +QUEUED +QUEUED");
  client.send("EXEC");
  EXPECT_EQ(served(), "*2 *0 :1");
}

// Nothing is removed, and nobody is served, between the commands of a transaction.
TEST_F(DueMembers, ATransactionThatWaitsStaysAlone) {
  prepare_woken();
  TestClient waiter{turns};
  waiter.send("BLPOP L 0");
  other.send("SWAPDB 0 1; MULTI; LPUSH L a; SELECT 1; DBSIZE; DEBUG SLEEP 2; DBSIZE; SELECT 0");
  other.send("LLEN L; SET a 1; EXEC");
  for (int turn = 0; turn < 20; ++turn) one_turn();
  EXPECT_EQ(client.take() + waiter.take(), "");
  pass(3000);
  for (int turn = 0; turn < 3; ++turn) one_turn();
  const std::string queued = " +QUEUED +QUEUED +QUEUED +QUEUED +QUEUED +QUEUED +QUEUED +QUEUED";
  EXPECT_EQ(other.take(), "+OK +OK" + queued + " *8 :1 +OK :2 +OK :2 +OK :1 +OK");
  EXPECT_EQ(waiter.take(), "*2 $1 L $1 a");
  EXPECT_EQ(served(), "*3 $1 z $1 x $1 0");
  EXPECT_NE(effects().find("(; 0: LPUSH L a; 0: SET a 1; ); "), std::string::npos);
}

// A command that names many keys goes on where it was.
TEST_F(DueMembers, ManyKeysOfOneCommandAreWalkedOverOnce) {
  engine.active_expire = false;
  constexpr int kKeys = 1000;
  std::string command = "EXISTS";
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = "k" + std::to_string(i);
    command += " " + key;
    run({"SADD", key, "a", "b", "c", "d", "e", "x"});
    for (const char* member : {"a", "b", "c", "d", "e"})
      run({"PEXPIREMEMBERAT", key, member, std::to_string(now + 10)});
  }
  pass(10);
  client.send(command);
  int turns_taken = 0;
  while (ended() < 5U * kKeys && turns_taken < 100) {
    const size_t so_far = ended();
    one_turn();
    ++turns_taken;
    EXPECT_LE(ended() - so_far, 1000U);
    EXPECT_GT(ended(), so_far);
    // Whoever is tried again in between is not held back then.
    if (ended() < 5U * kKeys) {
      EXPECT_EQ(engine.clients.postponed_count(), 1U);
    }
  }
  EXPECT_EQ(answer(), ":1000");
}

// Nor is it looked at in one turn how many keys there are, while anything is due.
TEST_F(DueMembers, LookingAtManyKeysIsDivided) {
  engine.active_expire = false;
  prepare(1);
  std::string command = "EXISTS";
  for (int i = 0; i < 20'000; ++i) command += " x";
  EXPECT_EQ(late_answer(command), ":0");
  std::string queue = "MULTI";
  for (int i = 0; i < 9'000; ++i) queue += "; SCARD s";
  client.send(queue);
  while (!turns.engine().batch.has_more()) one_turn();
  while (turns.engine().batch.has_more()) one_turn();
  client.take();
  EXPECT_TRUE(late_answer("EXEC").starts_with("*9000 :1 :1"));
}

// Many members may come due behind the walk: it begins again until it meets few.
TEST_F(DueMembers, WhatComesDueBehindTheWalkIsRemovedToo) {
  engine.active_expire = false;
  prepare();
  client.send("EXISTS s z");
  while (db().find(db().key("s"))->as<Set>().size() > 1) one_turn();
  for (int i = 0; i < 3000; ++i) {
    const std::string member = "late" + std::to_string(i);
    run({"SADD", "s", member});
    run({"PEXPIREMEMBERAT", "s", member, std::to_string(now + 1)});
  }
  pass(1);
  for (size_t so_far = ended(); client.take().empty(); so_far = ended()) {
    one_turn();
    ASSERT_LE(ended() - so_far, 1000U);
  }
  EXPECT_EQ(db().find(db().key("s"))->as<Set>().size(), 1U);
}

// However many keys it names.
TEST_F(DueMembers, AllKeysAreLookedAtBeforeTheCommandRuns) {
  engine.active_expire = false;
  prepare();
  std::string command = "EXISTS";
  for (int i = 0; i < 6000; ++i) command += " x";
  // Behind the keys that one turn looks at, and passed when its members come due.
  client.send(command + " late s z");
  while (db().find(db().key("s"))->as<Set>().size() > 1) one_turn();
  for (int i = 0; i < 3000; ++i) {
    const std::string member = "m" + std::to_string(i);
    run({"SADD", "late", member});
    run({"PEXPIREMEMBERAT", "late", member, std::to_string(now + 1)});
  }
  pass(1);
  for (size_t so_far = ended(); client.take().empty(); so_far = ended()) {
    one_turn();
    ASSERT_LE(ended() - so_far, 1000U);
  }
  EXPECT_EQ(db().find(db().key("late")), nullptr);
}

// What a command waits for is not the clock's alone.
TEST_F(DueMembers, WhatWaitsGoesOnWhileTheClockStandsStill) {
  prepare();
  engine.cron_paused = true;
  client.send("ZCARD z");
  one_turn();
  for (int turn = 0; engine.clients.postponed_count() > 0; ++turn) {
    ASSERT_LT(turn, 100);
    ASSERT_TRUE(engine.run_slices());
    one_turn();
  }
  EXPECT_EQ(answer(), ":1");
}

TEST_F(DueMembers, TheKeyOfWhoWaitsIsCounted) {
  const std::string key(50'000, 'k');
  run({"SADD", key, "m"});
  run({"PEXPIREMEMBERAT", key, "m", std::to_string(now + 10)});
  pass(10);
  engine.clients.pause(Clients::PausedBy::kCommand, Clients::Pause::kWrite, Wait::kForever);
  const size_t before = client.session().memory_bytes();
  client.send("SCARD " + key);
  one_turn();
  EXPECT_EQ(engine.clients.postponed_count(), 1U);
  // As what came, and as what it waits for.
  EXPECT_GE(client.session().memory_bytes() - before, 2 * key.size());
  engine.clients.unpause(Clients::PausedBy::kCommand);
  EXPECT_EQ(answer(), ":0");
  client.send("BLPOP " + key + " 0");
  one_turn();
  EXPECT_GE(client.session().memory_bytes() - before, 2 * key.size());
}

// A fair choice among few fields that are not due would walk over all that are.
TEST_F(DueMembers, WhoDrawsFieldsWaitsForDueOnes) {
  const auto prepare_hash = [this] {
    run({"HSET", "h", "x", "1"});
    for (int i = 0; i < kMany; ++i) {
      const std::string field = "f" + std::to_string(i);
      run({"HSET", "h", field, "1"});
      run({"HPEXPIREAT", "h", std::to_string(now + 10), "FIELDS", "1", field});
    }
    pass(10);
  };
  engine.active_expire = false;
  prepare_hash();
  EXPECT_EQ(late_answer("HRANDFIELD h"), "$1 x");
  prepare_hash();
  EXPECT_EQ(late_answer("HRANDFIELD h 2"), "*1 $1 x");
  prepare_hash();
  client.send("MULTI; HRANDFIELD h -2");
  one_turn();
  client.take();
  EXPECT_EQ(late_answer("EXEC"), "*1 *2 $1 x $1 x");
  // Others do not: due fields are hidden. Nor where nothing may be removed.
  prepare_hash();
  client.send("HGET h f1; HGET h x");
  one_turn();
  EXPECT_EQ(client.take(), "$-1 $1 1");
  other.send("CLIENT PAUSE 60000 WRITE");
  one_turn();
  client.send("HRANDFIELD h");
  one_turn();
  EXPECT_EQ(client.take(), "$1 x");
}

TEST_F(DueMembers, ASliceEndsInTimeHoweverSlowRemovalIs) {
  prepare();
  stopwatch.step = 1000;
  client.send("ZCARD z");
  const size_t so_far = ended();
  one_turn();
  EXPECT_GT(ended(), so_far);
  EXPECT_LE(ended() - so_far, 64U);
  stopwatch.step = 1;
  EXPECT_EQ(answer(), ":1");
}

// Nobody else removes them: what waits does, a share in each of its turns.
TEST_F(DueMembers, WhatWaitsNeedsNoActiveExpiry) {
  engine.active_expire = false;
  prepare();
  EXPECT_EQ(late_answer("SCARD s"), ":1");
  EXPECT_EQ(ended(), static_cast<size_t>(kMany));
  EXPECT_EQ(late_answer("ZCARD z"), ":1");
}

TEST_F(DueMembers, AFewGoAtOnce) {
  engine.active_expire = false;
  prepare(10);
  client.send("SCARD s; ZCARD z");
  one_turn();
  EXPECT_EQ(client.take(), ":1 :1");
}

// The removal is told of before the command's own effect, in groups of its own.
TEST_F(DueMembers, WhatIsRemovedIsTold) {
  prepare(1500);
  run("DEL s");
  effects();
  EventListener listener(engine);
  EXPECT_EQ(late_answer("ZADD z 9 m3"), ":1");
  const std::string left = effects();
  EXPECT_TRUE(left.starts_with("0: ZREM z m"));
  EXPECT_TRUE(left.ends_with("; 0: ZADD z 9 m3"));
  EXPECT_EQ(left.find('('), std::string::npos);
  EXPECT_EQ(static_cast<int>(std::count(left.begin(), left.end(), 'm')), 1501);
  const std::string events = listener.take();
  EXPECT_TRUE(events.starts_with("zrem "));
  EXPECT_TRUE(events.ends_with(" zadd"));
}

TEST_F(DueMembers, TheKeyGoesWithItsLastMember) {
  add_due(1500);
  EventListener listener(engine);
  EXPECT_EQ(late_answer("EXISTS s z"), ":0");
  EXPECT_EQ(db().size(), 0U);
  const std::string events = listener.take();
  EXPECT_NE(events.find("srem del"), std::string::npos);
  EXPECT_NE(events.find("zrem del"), std::string::npos);
}

// A transaction waits as a whole, for the keys of all its commands, in the databases they run in.
TEST_F(DueMembers, ATransactionWaitsBeforeItBegins) {
  prepare();
  client.send("SELECT 1; MULTI; GET k; SELECT 0; ZCARD z; SCARD s");
  one_turn();
  EXPECT_EQ(client.take(), "+OK +OK +QUEUED +QUEUED +QUEUED +QUEUED");
  EXPECT_EQ(late_answer("EXEC"), "*4 $-1 +OK :1 :1");
}

TEST_F(DueMembers, ACommandIsQueuedWithoutWaiting) {
  prepare();
  client.send("MULTI; ZCARD z");
  one_turn();
  EXPECT_EQ(client.take(), "+OK +QUEUED");
  client.send("DISCARD");
  one_turn();
  EXPECT_EQ(client.take(), "+OK");
}

// Nothing may be removed while writes are paused, so those who would see it wait with them.
TEST_F(DueMembers, WhileWritesArePausedTheyStayAndAreNotSeen) {
  prepare(10);
  other.send("CLIENT PAUSE 60000 WRITE");
  one_turn();
  client.send("ZCARD z");
  for (int turn = 0; turn < 5; ++turn) one_turn();
  EXPECT_EQ(client.take(), "");
  EXPECT_FALSE(engine.batch.has_more());
  EXPECT_EQ(ended(), 0U);
  other.send("ZCARD none; CLIENT UNPAUSE");
  one_turn();
  EXPECT_EQ(other.take(), "+OK :0 +OK");
  EXPECT_EQ(answer(), ":1");
}

// Whoever walks over keys names none that a look-up would not find, and removes nothing large.
TEST_F(DueMembers, KeysWithoutALivingMemberAreNotNamed) {
  prepare();
  EXPECT_EQ(run("KEYS *"), "[\"s\" \"z\"]") << "x lives";
  run_all({"DEL s z", "SET k v"});
  add_due(kMany);
  const size_t before = ended();
  EXPECT_EQ(run("KEYS *"), "[\"k\"]");
  EXPECT_EQ(run("SCAN 0 COUNT 100"), "[\"0\" [\"k\"]]");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(run("RANDOMKEY"), "\"k\"");
  EXPECT_EQ(ended(), before);
  EXPECT_EQ(run("DBSIZE"), "3") << "as a key that is due counts until it is removed";
  run("DEL k");
  EXPECT_EQ(run("RANDOMKEY"), "_");
  EXPECT_EQ(run("KEYS *"), "[]");

  EXPECT_EQ(run("SADD s new"), "1");
  EXPECT_EQ(run("KEYS *"), "[\"s\"]");
  // Nothing ends by the clock for who replays.
  caller.origin = Origin::kReplay;
  EXPECT_EQ(run("KEYS z"), "[\"z\"]");
}

// The latest deadline is remembered also when its member has gone: then the key is named until its
// members are removed, which is at most a slice or two.
TEST_F(DueMembers, OneThatMightHaveALivingMemberIsNamed) {
  run_all({"SADD s a b", "PEXPIREMEMBERAT s b 1800000000000"});
  run({"PEXPIREMEMBERAT", "s", "a", std::to_string(now + 10)});
  run("SREM s b");
  pass(10);
  EXPECT_EQ(run("KEYS *"), "[\"s\"]");
  EXPECT_EQ(run("EXISTS s"), "0");
  EXPECT_EQ(run("KEYS *"), "[]");
}

TEST_F(DueMembers, OneThatWaitsMayLeave) {
  prepare();
  auto leaver = std::make_unique<TestClient>(turns);
  leaver->send("ZCARD z");
  one_turn();
  leaver->disconnect();
  one_turn();
  leaver.reset();
  for (int turn = 0; turn < 30; ++turn) one_turn();
  EXPECT_EQ(engine.clients.postponed_count(), 0U);
  EXPECT_FALSE(engine.batch.has_more());
  EXPECT_EQ(ended(), 2U * kMany);
}

// A random walk beside a map of member to deadline: crowds of members come, come due together, and
// are asked for while slices have removed some of them. Scores follow the order of the names.
TEST_F(DueMembers, AgreesWithAMapHoweverManyAreDue) {
  Prng prng(11);
  std::map<int, UnixMs> model;
  for (int step = 0; step < 200; ++step) {
    const UnixMs when = prng.below(4) == 0 ? kNever : now + 1 + static_cast<UnixMs>(prng.below(20));
    for (int left = static_cast<int>(prng.below(400)); left > 0; --left) {
      const int number = static_cast<int>(prng.below(5000));
      const std::string name = std::to_string(number);
      run({"SADD", "s", name});
      run({"ZADD", "z", name, name});
      for (const char* key : {"s", "z"}) {
        if (when == kNever) {
          run({"PERSIST", key, name});
        } else {
          run({"PEXPIREMEMBERAT", key, name, std::to_string(when)});
        }
      }
      model[number] = when;
    }
    pass(static_cast<Millis>(prng.below(15)));
    stopwatch.step = prng.below(2) == 0 ? 1 : 1000;
    for (int turn = static_cast<int>(prng.below(4)); turn > 0; --turn) one_turn();
    std::erase_if(model, [this](const auto& one) { return one.second <= now; });
    const std::string count = std::to_string(model.size());
    if (model.empty()) continue;
    const std::string last = std::to_string(model.rbegin()->first);
    const auto ask = [this](const std::string& command) {
      client.send(command);
      return answer();
    };
    ASSERT_EQ(ask("SCARD s"), ":" + count);
    ASSERT_EQ(ask("ZCOUNT z -inf inf"), ":" + count);
    ASSERT_EQ(ask("ZREVRANK z " + last), ":0");
    ASSERT_EQ(ask("ZRANK z " + last), ":" + std::to_string(model.size() - 1));
    stopwatch.step = 1;
    db().check_invariants();
  }
}

// Who cannot wait sees the same, at the cost of the whole removal.
TEST_F(DueMembers, TheEmbeddingProgramSeesNone) {
  prepare();
  EXPECT_EQ(run("ZCARD z"), "1");
  EXPECT_EQ(run("SCARD s"), "1");
}

}  // namespace
}  // namespace ouro
