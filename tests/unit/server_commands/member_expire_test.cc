// SPDX-License-Identifier: BSD-3-Clause
// EXPIREMEMBER, EXPIREMEMBERAT, PEXPIREMEMBERAT and TTL, PTTL, PERSIST of a member as KeyDB has
// them (docs.keydb.dev/docs/commands; replies and error texts as its expire.cpp gives them). Beyond
// KeyDB: a member that is due is seen by nobody, a past time removes at once, and what is left in
// the log is SREM, ZREM and HDEL; there is an event "expiremember".
#include <map>

#include "engine_fixture.h"
#include "event_listener.h"

namespace ouro {
namespace {

struct Shape {
  const char* name;
  const char* add;     // followed by a member
  const char* remove;  // the fact of a removal
  const char* event;   // of a removal by the clock
  bool packed;
};

class MemberExpiry : public testing::TestWithParam<Shape>, public EngineFixture {
 protected:
  MemberExpiry()
      : EngineFixture({kStringCommands, kStringSetCommands, kKeyCommands, kKeyScanCommands,
                       kExpireCommands, kMemberExpireCommands, kSetCommands, kSetAlgebraCommands,
                       kZSetCommands, kZSetRangeCommands, kZSetStoreCommands, kZSetPopCommands,
                       kHashCommands, kHashExpireCommands, kListCommands, kDatabaseCommands,
                       kObjectCommands, kSortCommands}) {
    if (GetParam().packed) return;
    options.limits.hash_packed_entries = 0;
    options.limits.set_packed_entries = 0;
    options.limits.zset_packed_entries = 0;
  }
  std::string type() const { return GetParam().name; }
  void add(const std::string& members) {
    for (const std::string& member : words_of(members)) {
      run(std::string(GetParam().add) + " " + member + (type() == "hash" ? " value" : ""));
    }
  }
  // The members, whatever holds them.
  std::string members() {
    if (type() == "set") return run("SORT k ALPHA");
    return run(type() == "zset" ? "ZRANGEBYLEX k - +" : "HKEYS k");
  }
  std::string size() {
    return run(type() == "set" ? "SCARD k" : type() == "zset" ? "ZCARD k" : "HLEN k");
  }
  void pass_and_expire(Millis ms) {
    pass(ms);
    while (engine.run_slices()) pass(0);
  }
};
INSTANTIATE_TEST_SUITE_P(Shapes, MemberExpiry,
                         testing::Values(Shape{"set", "SADD k", "SREM", "srem", true},
                                         Shape{"set", "SADD k", "SREM", "srem", false},
                                         Shape{"zset", "ZADD k 1", "ZREM", "zrem", true},
                                         Shape{"zset", "ZADD k 1", "ZREM", "zrem", false},
                                         Shape{"hash", "HSET k", "HDEL", "hexpired", true},
                                         Shape{"hash", "HSET k", "HDEL", "hexpired", false}),
                         [](const auto& shape) {
                           return std::string(shape.param.name) +
                                  (shape.param.packed ? "Packed" : "Table");
                         });

TEST_P(MemberExpiry, SetsAsksAndClears) {
  add("a b c");
  effects();
  EventListener listener(engine);
  EXPECT_EQ(run("EXPIREMEMBER k a 10"), "1");
  EXPECT_EQ(listener.take(), type() == "hash" ? "hexpire" : "expiremember");
  EXPECT_EQ(effects(), type() == "hash" ? "0: HPEXPIREAT k 1700000010000 FIELDS 1 a"
                                        : "0: PEXPIREMEMBERAT k a 1700000010000");
  EXPECT_EQ(run("EXPIREMEMBER k b 1500 ms"), "1");
  EXPECT_EQ(run("TTL k a"), "10");
  EXPECT_EQ(run("PTTL k b"), "1500");
  EXPECT_EQ(run("TTL k b"), "2");
  EXPECT_EQ(run("TTL k c"), "-1");
  EXPECT_EQ(run("TTL k none"), "-1");
  EXPECT_EQ(run("TTL none a"), "-2");
  EXPECT_EQ(run("TTL k"), "-1");
  EXPECT_EQ(run("EXPIREMEMBERAT k b 1700000020"), "1");
  EXPECT_EQ(run("PTTL k b"), "20000");
  EXPECT_EQ(run("PEXPIREMEMBERAT k b 1700000000007"), "1");
  EXPECT_EQ(run("PTTL k b"), "7");
  listener.take();
  effects();
  EXPECT_EQ(run("PERSIST k a"), "1");
  EXPECT_EQ(listener.take(), type() == "hash" ? "hpersist" : "persist");
  EXPECT_EQ(effects(), type() == "hash" ? "0: HPERSIST k FIELDS 1 a" : "0: PERSIST k a");
  EXPECT_EQ(run("PERSIST k a"), "0");
  EXPECT_EQ(run("PERSIST k none"), "0");
  EXPECT_EQ(run("PERSIST none a"), "0");
  EXPECT_EQ(run("TTL k a"), "-1");
  EXPECT_EQ(effects() + listener.take(), "");
}

TEST_P(MemberExpiry, ChecksItsArguments) {
  add("a");
  run("RPUSH list a");
  run("SET string v");
  EXPECT_EQ(run("EXPIREMEMBER k none 10"), "0");
  EXPECT_EQ(run("EXPIREMEMBER none a 10"), "0");
  EXPECT_EQ(run("EXPIREMEMBER k a x"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(run("EXPIREMEMBER k a 1 h"), "(ERR Invalid unit arg)");
  EXPECT_EQ(run("EXPIREMEMBER k a 1 s x"), "(ERR Invalid number of arguments)");
  EXPECT_EQ(run("EXPIREMEMBER k a 9223372036854775807"),
            "(ERR invalid expire time in 'expiremember' command)");
  EXPECT_EQ(run("EXPIREMEMBER list a 1"), "(ERR object type is unsupported)");
  EXPECT_EQ(run("EXPIREMEMBERAT string a 1"), "(ERR object type is unsupported)");
  EXPECT_EQ(run("EXPIREMEMBERAT k a 1 s"),
            "(ERR wrong number of arguments for 'expirememberat' command)");
  EXPECT_EQ(run("TTL k a x"), "(ERR wrong number of arguments for 'ttl' command)");
  EXPECT_EQ(run("TTL list a"), "-1");
}

TEST_P(MemberExpiry, APastTimeRemovesAtOnce) {
  add("a b");
  effects();
  EventListener listener(engine);
  EXPECT_EQ(run("EXPIREMEMBER k a -1"), "1");
  EXPECT_EQ(listener.take(), GetParam().event);
  EXPECT_EQ(effects(), std::string("0: ") + GetParam().remove + " k a");
  EXPECT_EQ(members(), "[\"b\"]");
  EXPECT_EQ(run("EXPIREMEMBERAT k b 1"), "1");
  EXPECT_EQ(listener.take(), std::string(GetParam().event) + " del");
  EXPECT_EQ(run("EXISTS k"), "0");
}

// Nothing else goes with it: a hash hides what is due, and slices remove it.
TEST_P(MemberExpiry, APastTimeTakesNoOtherFieldOfAHash) {
  if (type() != "hash") return;
  add("a b c");
  run("EXPIREMEMBER k a 10 ms");
  pass(10);
  effects();
  EXPECT_EQ(run("EXPIREMEMBER k b -1"), "1");
  EXPECT_EQ(effects(), "0: HDEL k b");
  EXPECT_EQ(size(), "2");
}

TEST_P(MemberExpiry, MembersGoByThemselves) {
  add("a b c");
  run("EXPIREMEMBER k a 10 ms");
  run("EXPIREMEMBER k b 20 ms");
  effects();
  EventListener listener(engine);
  EXPECT_EQ(engine.next_deadline() - engine.instant(), 10'000);
  pass_and_expire(9);
  EXPECT_EQ(effects(), "");
  pass_and_expire(1);
  EXPECT_EQ(effects(), std::string("0: ") + GetParam().remove + " k a");
  EXPECT_EQ(listener.take(), GetParam().event);
  EXPECT_EQ(size(), "2");
  pass_and_expire(10);
  EXPECT_EQ(members(), "[\"c\"]");
  EXPECT_EQ(engine.stats.expired_elements, 2U);
  EXPECT_EQ(db().timed_count(), 0U);
  run("EXPIREMEMBER k c 1 ms");
  pass_and_expire(1);
  EXPECT_EQ(run("EXISTS k"), "0");
}

TEST_P(MemberExpiry, ALargeCollectionGoesInSlices) {
  for (int i = 0; i < 5000; ++i) {
    const std::string member = "member" + std::to_string(i);
    add(member);
    run("EXPIREMEMBER k " + member + " 10 ms");
  }
  pass(10);
  EXPECT_TRUE(engine.run_slices());
  EXPECT_LT(engine.stats.expired_elements, 2000U);
  while (engine.run_slices()) pass(0);
  EXPECT_EQ(run("EXISTS k"), "0");
  EXPECT_EQ(engine.stats.expired_elements, 5000U);
}

TEST_P(MemberExpiry, ASliceEndsInTimeHoweverSlowRemovalIs) {
  for (int i = 0; i < 1000; ++i) {
    const std::string member = "member" + std::to_string(i);
    add(member);
    run("EXPIREMEMBER k " + member + " 10 ms");
  }
  pass(10);
  stopwatch.step = 1000;
  EXPECT_TRUE(engine.run_slices());
  EXPECT_GT(engine.stats.expired_elements, 0U);
  EXPECT_LE(engine.stats.expired_elements, 64U);
}

TEST_P(MemberExpiry, DeadlinesFollowTheCollection) {
  const auto prepare = [this] {
    run("FLUSHALL");
    add("a b");
    run("EXPIREMEMBER k a 10 ms");
  };
  const auto expect_expiry_of = [this](const std::string& key, DbIndex index) {
    caller.db = index;
    EXPECT_EQ(run("PTTL " + key + " a"), "10");
    pass_and_expire(10);
    EXPECT_EQ(run("PTTL " + key + " a"), "-1");
    EXPECT_EQ(run("EXISTS " + key), "1");
    caller.db = 0;
    EXPECT_EQ(engine.dbs[0].timed_count() + engine.dbs[1].timed_count(), 0U);
  };
  prepare();
  run("RENAME k other");
  expect_expiry_of("other", 0);
  prepare();
  run("COPY k other");
  expect_expiry_of("other", 0);
  prepare();
  run("MOVE k 1");
  expect_expiry_of("k", 1);
  prepare();
  run("SWAPDB 0 1");
  expect_expiry_of("k", 1);
  prepare();
  run("EXPIRE k 100");
  run("PERSIST k");
  expect_expiry_of("k", 0);
  for (const ByteView command : {"DEL k", "UNLINK k", "FLUSHALL", "FLUSHDB ASYNC", "SET k v"}) {
    prepare();
    run(command);
    EXPECT_EQ(engine.dbs[0].timed_count(), 0U) << command;
    pass_and_expire(10);
  }
}

TEST_P(MemberExpiry, NothingEndsByTheClockUnderReplay) {
  engine.active_expire = false;
  add("a b");
  run("EXPIREMEMBER k a 10 ms");
  pass(100);
  caller.origin = Origin::kReplay;
  EXPECT_EQ(size(), "2");
  EXPECT_EQ(run("PEXPIREMEMBERAT k b 1"), "1");
  EXPECT_EQ(size(), "2");
  caller.origin = Origin::kEmbedded;
  EXPECT_EQ(run("EXISTS k"), type() == "hash" ? "1" : "0");
}

// ---- sets and sorted sets: what is due is seen by no command (hashes: hash_expire_test.cc)

class SetMembers : public testing::TestWithParam<bool>, public EngineFixture {
 protected:
  SetMembers()
      : EngineFixture({kKeyCommands, kKeyScanCommands, kExpireCommands, kMemberExpireCommands,
                       kSetCommands, kSetAlgebraCommands, kZSetCommands, kZSetRangeCommands,
                       kZSetStoreCommands, kZSetPopCommands, kObjectCommands, kSortCommands}) {
    engine.active_expire = false;
    if (GetParam()) return;
    options.limits.set_packed_entries = 0;
    options.limits.zset_packed_entries = 0;
  }
  // A set s and a sorted set z of d, which is due, and x.
  void prepare() {
    run_all({"DEL s z other", "SADD s d x", "ZADD z 1 d 2 x", "EXPIREMEMBER s d 5 ms",
             "EXPIREMEMBER z d 5 ms"});
    pass(5);
    effects();
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, SetMembers, testing::Bool());

TEST_P(SetMembers, NoCommandSeesWhatIsDue) {
  const struct {
    const char* line;
    const char* reply;
  } kCases[] = {
      {"SCARD s", "1"},
      {"SISMEMBER s d", "0"},
      {"SMISMEMBER s d x", "[0 1]"},
      {"SMEMBERS s", "<\"x\">"},
      {"SRANDMEMBER s 5", "[\"x\"]"},
      {"SPOP s 5", "<\"x\">"},
      {"SREM s d x", "1"},
      {"SADD s d", "1"},
      {"SMOVE s other d", "0"},
      {"SSCAN s 0", "[\"0\" [\"x\"]]"},
      {"SINTER s s", "<\"x\">"},
      {"SUNION s other", "<\"x\">"},
      {"SDIFF s other", "<\"x\">"},
      {"SINTERCARD 2 s s", "1"},
      {"SUNIONSTORE other s", "1"},
      {"SORT s ALPHA", "[\"x\"]"},
      {"COPY s other", "1"},
      {"ZCARD z", "1"},
      {"ZSCORE z d", "_"},
      {"ZMSCORE z d x", "[_ ,2]"},
      {"ZRANK z x", "0"},
      {"ZREVRANK z d", "_"},
      {"ZRANGE z 0 -1", "[\"x\"]"},
      {"ZRANGEBYSCORE z -inf +inf", "[\"x\"]"},
      {"ZCOUNT z -inf +inf", "1"},
      {"ZLEXCOUNT z - +", "1"},
      {"ZINCRBY z 5 d", ",5"},
      {"ZADD z XX CH 7 d", "0"},
      {"ZADD z 7 d", "1"},
      {"ZREM z d x", "1"},
      {"ZREMRANGEBYRANK z 0 0", "1"},
      {"ZPOPMIN z", "[\"x\" ,2]"},
      {"ZRANDMEMBER z 5", "[\"x\"]"},
      {"ZSCAN z 0", "[\"0\" [\"x\" \"2\"]]"},
      {"ZUNION 2 z other", "[\"x\"]"},
      {"ZINTER 2 z s", "[\"x\"]"},
      {"ZDIFFSTORE other 1 z", "1"},
      {"ZUNIONSTORE other 2 s z", "1"},
      {"ZRANGESTORE other z 0 -1", "1"},
  };
  for (const auto& [line, reply] : kCases) {
    prepare();
    EXPECT_EQ(run(line), reply) << line;
    // The removal comes ahead of what the command leaves.
    const std::string left = effects();
    const std::string removed = line[0] == 'Z' ? "0: ZREM z d" : "0: SREM s d";
    EXPECT_NE(left.find(removed), std::string::npos) << line << ": " << left;
  }
}

TEST_P(SetMembers, AKeyOfDueMembersIsNotThere) {
  for (const char* line : {"EXISTS s", "SCARD s", "EXISTS z", "ZCARD z", "DEL s", "UNLINK z",
                           "PERSIST s", "EXPIRE z 10", "COPY s other"}) {
    run_all(
        {"DEL s z", "SADD s d", "ZADD z 1 d", "EXPIREMEMBER s d 5 ms", "EXPIREMEMBER z d 5 ms"});
    pass(5);
    EXPECT_EQ(run(line), "0") << line;
  }
  EXPECT_EQ(run("TYPE s"), "none");
  run_all({"DEL z", "ZADD z 1 d", "EXPIREMEMBER z d 5 ms"});
  pass(5);
  EXPECT_EQ(run("ZADD z XX 1 d"), "0");
  EXPECT_EQ(run("EXISTS z"), "0");
}

// What replaces a member or the collection takes the deadline away; another score does not.
TEST_P(SetMembers, WhatKeepsADeadline) {
  run_all({"SADD s a b", "ZADD z 1 a 2 b", "EXPIREMEMBER s a 100", "EXPIREMEMBER z a 100"});
  run_all({"SADD s a c", "ZADD z 5 a", "ZINCRBY z 1 a"});
  EXPECT_EQ(run("TTL s a"), "100");
  EXPECT_EQ(run("TTL z a"), "100");
  run_all({"SREM s a", "SADD s a", "ZREM z a", "ZADD z 1 a"});
  EXPECT_EQ(run("TTL s a"), "-1");
  EXPECT_EQ(run("TTL z a"), "-1");
  run_all({"EXPIREMEMBER s b 100", "EXPIREMEMBER z b 100"});
  run_all({"SUNIONSTORE s s", "ZUNIONSTORE z 1 z"});
  EXPECT_EQ(run("TTL s b"), "-1");
  EXPECT_EQ(run("TTL z b"), "-1");
}

// A random walk beside maps of member to deadline, the clock going on and members going by
// themselves or by being looked for.
TEST_P(SetMembers, AgreesWithAMap) {
  Prng prng(5);
  std::map<std::string, UnixMs> model;  // of both collections
  for (int step = 0; step < 20'000; ++step) {
    const std::string member = "m" + std::to_string(prng.below(12));
    const auto found = model.find(member);
    const std::string there = found == model.end() ? "0" : "1";
    switch (prng.below(6)) {
      case 0:
      case 1:
        ASSERT_EQ(run("SADD s " + member), there == "0" ? "1" : "0");
        ASSERT_EQ(run("ZADD z " + std::to_string(step) + " " + member), there == "0" ? "1" : "0");
        model.emplace(member, -1);
        break;
      case 2:
        ASSERT_EQ(run("SREM s " + member), there);
        ASSERT_EQ(run("ZREM z " + member), there);
        model.erase(member);
        break;
      case 3: {
        const auto ms = static_cast<Millis>(prng.below(30));
        const std::string time = member + " " + std::to_string(ms) + " ms";
        ASSERT_EQ(run("EXPIREMEMBER s " + time), there);
        ASSERT_EQ(run("EXPIREMEMBER z " + time), there);
        if (found != model.end()) found->second = now + ms;
        break;
      }
      case 4: {
        const bool has = found != model.end() && found->second >= 0;
        ASSERT_EQ(run("PERSIST s " + member), has ? "1" : "0");
        ASSERT_EQ(run("PERSIST z " + member), has ? "1" : "0");
        if (has) found->second = -1;
        break;
      }
      default:
        pass(static_cast<Millis>(prng.below(10)));
        engine.active_expire = prng.below(2) == 0;
        engine.run_slices();
    }
    std::erase_if(model, [&](const auto& one) { return one.second >= 0 && one.second <= now; });
    const std::string size = std::to_string(model.size());
    ASSERT_EQ(run("SCARD s"), size);
    ASSERT_EQ(run("ZCOUNT z -inf +inf"), size);
    ASSERT_EQ(run("SISMEMBER s " + member), model.contains(member) ? "1" : "0");
    const auto at = model.find(member);
    const UnixMs deadline = at == model.end() ? -1 : at->second;
    const std::string left = model.empty()  ? "-2"
                             : deadline < 0 ? "-1"
                                            : std::to_string(deadline - now);
    ASSERT_EQ(run("PTTL s " + member), left);
    ASSERT_EQ(run("PTTL z " + member), left);
    if (step % 100 == 0) db().check_invariants();
  }
}

}  // namespace
}  // namespace ouro
