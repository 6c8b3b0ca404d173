// SPDX-License-Identifier: BSD-3-Clause
#include "engine_fixture.h"
#include "event_listener.h"

namespace ouro {
namespace {

// Both forms of a hash behave alike: packed and table.
class FieldExpiry : public testing::TestWithParam<bool>, public EngineFixture {
 protected:
  FieldExpiry()
      : EngineFixture({kStringCommands, kStringSetCommands, kKeyCommands, kExpireCommands,
                       kDatabaseCommands, kHashCommands, kHashExpireCommands, kInfoCommands,
                       kObjectCommands}) {
    if (GetParam()) options.limits.hash_packed_entries = 0;
  }
  // The clock moves, and what is due goes by itself.
  void pass_and_expire(Millis ms) {
    pass(ms);
    while (engine.run_slices()) pass(0);
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, FieldExpiry, testing::Values(false, true));

TEST_P(FieldExpiry, Events) {
  engine.active_expire = false;
  EventListener listener(engine);
  run("HSET h a 1 b 2 c 3 d 4 e 5 f 6");
  listener.take();
  run("HPEXPIRE h 10 FIELDS 3 a b c");
  EXPECT_EQ(listener.take(), "hexpire");
  run("HPERSIST h FIELDS 2 a d");
  EXPECT_EQ(listener.take(), "hpersist");
  run("HPERSIST h FIELDS 1 d");
  run("HPEXPIRE h 10 XX FIELDS 1 d");
  EXPECT_EQ(listener.take(), "");
  run("HEXPIREAT h 1 FIELDS 1 f");
  EXPECT_EQ(listener.take(), "hdel");
  pass(10);
  effects();
  // Several due fields are one event and one effect.
  EXPECT_EQ(run("HMGET h a b b c none"), R"(["1" _ _ _ _])");
  EXPECT_EQ(listener.take(), "hexpired");
  EXPECT_EQ(effects(), "0: HDEL h b c");
  run("HPEXPIRE h 10 FIELDS 3 a d e");
  pass(10);
  listener.take();
  EXPECT_EQ(run("HPERSIST h FIELDS 3 a d e"), "[-2 -2 -2]");
  EXPECT_EQ(listener.take(), "hexpired del");
  run("HSET h a 1 b 2");
  run("HPEXPIRE h 10 FIELDS 2 a b");
  pass(10);
  listener.take();
  EXPECT_EQ(run("HPEXPIRE h 10 FIELDS 2 a b"), "[-2 -2]");
  EXPECT_EQ(listener.take(), "hexpired del");
}

// The names of Redis 7.4.
TEST_P(FieldExpiry, ShowsInEncodingAndInfo) {
  const auto keyspace = [this] { return run("INFO keyspace"); };
  run("HSET h a 1 b 2");
  run("HSET other a 1");
  EXPECT_EQ(run("OBJECT ENCODING h"), GetParam() ? "\"hashtable\"" : "\"listpack\"");
  EXPECT_EQ(keyspace().find("subexpiry"), std::string::npos);
  run("HEXPIRE h 10 FIELDS 1 a");
  EXPECT_EQ(run("OBJECT ENCODING h"), GetParam() ? "\"hashtable\"" : "\"listpackex\"");
  EXPECT_NE(keyspace().find("db0:keys=2,expires=0,avg_ttl=0,subexpiry=1"), std::string::npos)
      << keyspace();
  pass_and_expire(10'000);
  EXPECT_EQ(keyspace().find("subexpiry"), std::string::npos);
}

TEST_P(FieldExpiry, SetsAsksAndClears) {
  run("HSET h a 1 b 2 c 3");
  effects();
  EXPECT_EQ(run("HEXPIRE h 10 FIELDS 2 a none"), "[1 -2]");
  EXPECT_EQ(effects(), "0: HPEXPIREAT h 1700000010000 FIELDS 1 a");
  EXPECT_EQ(run("HPEXPIRE h 1500 FIELDS 1 b"), "[1]");
  EXPECT_EQ(run("HTTL h FIELDS 4 a b c none"), "[10 2 -1 -2]");
  EXPECT_EQ(run("HPTTL h FIELDS 2 a b"), "[10000 1500]");
  EXPECT_EQ(run("HEXPIREAT h 1700000020 FIELDS 1 a"), "[1]");
  EXPECT_EQ(run("HPEXPIREAT h 1700000001001 FIELDS 1 b"), "[1]");
  EXPECT_EQ(run("HEXPIRETIME h FIELDS 2 a b"), "[1700000020 1700000002]");
  EXPECT_EQ(run("HPEXPIRETIME h FIELDS 2 a b"), "[1700000020000 1700000001001]");
  effects();
  EXPECT_EQ(run("HPERSIST h FIELDS 3 a c none"), "[1 -1 -2]");
  EXPECT_EQ(effects(), "0: HPERSIST h FIELDS 3 a c none");
  EXPECT_EQ(run("HPERSIST h FIELDS 1 a"), "[-1]");
  EXPECT_EQ(effects(), "");
  for (const ByteView name : {"HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST"}) {
    EXPECT_EQ(run({name, "none", "FIELDS", "2", "a", "b"}), "[-2 -2]");
  }
  EXPECT_EQ(run("HEXPIRE none 10 FIELDS 2 a b"), "[-2 -2]");
}

TEST_P(FieldExpiry, Conditions) {
  run("HSET h a 1 b 2");
  EXPECT_EQ(run("HPEXPIRE h 100 XX FIELDS 2 a b"), "[0 0]");
  EXPECT_EQ(run("HPEXPIRE h 100 GT FIELDS 1 a"), "[0]");
  EXPECT_EQ(run("HPEXPIRE h 100 nx FIELDS 1 a"), "[1]");
  EXPECT_EQ(run("HPEXPIRE h 200 NX FIELDS 2 a b"), "[0 1]");
  EXPECT_EQ(run("HPEXPIRE h 100 GT FIELDS 1 a"), "[0]");
  EXPECT_EQ(run("HPEXPIRE h 100 LT FIELDS 2 a b"), "[0 1]");
  EXPECT_EQ(run("HPEXPIRE h 150 GT FIELDS 1 a"), "[1]");
  EXPECT_EQ(run("HPEXPIRE h 300 XX FIELDS 1 a"), "[1]");
  run("HPERSIST h FIELDS 1 a");
  EXPECT_EQ(run("HPEXPIRE h 300 LT FIELDS 1 a"), "[1]");
  EXPECT_EQ(run("HPEXPIRE h 0 NX FIELDS 1 a"), "[0]");
}

TEST_P(FieldExpiry, APastTimeRemoves) {
  run("HSET h a 1 b 2 c 3");
  effects();
  EXPECT_EQ(run("HEXPIREAT h 1 FIELDS 3 a a none"), "[2 -2 -2]");
  EXPECT_EQ(effects(), "0: HDEL h a");
  EXPECT_EQ(run("HPEXPIRE h 0 FIELDS 2 b c"), "[2 2]");
  EXPECT_EQ(effects(), "0: HDEL h b c");
  EXPECT_EQ(run("EXISTS h"), "0");
}

TEST_P(FieldExpiry, Errors) {
  run("SET s v");
  run("HSET h a 1");
  const std::string missing =
      "(ERR Mandatory argument FIELDS is missing or not at the right position)";
  const std::string mismatch = "(ERR The `numfields` parameter must match the number of arguments)";
  const std::string count = "(ERR Parameter `numFields` should be greater than 0)";
  const std::string asked_count = "(ERR Number of fields must be a positive integer)";
  EXPECT_EQ(run("HEXPIRE s x FIELDS 1 a"), kWrongTypeAnswer);
  EXPECT_EQ(run("HTTL s FIELDS 0 a"), kWrongTypeAnswer);
  EXPECT_EQ(run("HPERSIST s FIELDS 0 a"), kWrongTypeAnswer);
  EXPECT_EQ(run("HEXPIRE h x FIELDS 1 a"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(run("HEXPIRE h -1 FIELDS 1 a"), "(ERR invalid expire time, must be >= 0)");
  EXPECT_EQ(run("HEXPIRE h 70368744178 FIELDS 1 a"),
            "(ERR invalid expire time in 'hexpire' command)");
  EXPECT_EQ(run("HPEXPIREAT h 70368744177664 FIELDS 1 a"),
            "(ERR invalid expire time in 'hpexpireat' command)");
  EXPECT_EQ(run("HPEXPIREAT h 70368744177663 FIELDS 1 a"), "[1]");
  EXPECT_EQ(run("HPEXPIRE h 70368744177663 FIELDS 1 a"),
            "(ERR invalid expire time in 'hpexpire' command)");
  EXPECT_EQ(run("HEXPIRE h 1 NX XX FIELDS 1 a"), missing);
  EXPECT_EQ(run("HEXPIRE h 1 FIELD 1 a"), missing);
  EXPECT_EQ(run("HEXPIRE h 1 FIELDS 0 a"), count);
  EXPECT_EQ(run("HEXPIRE h 1 FIELDS x a"), count);
  EXPECT_EQ(run("HEXPIRE h 1 FIELDS 2 a"), mismatch);
  EXPECT_EQ(run("HEXPIRE h 1 NX FIELDS 1"), mismatch);
  EXPECT_EQ(run("HTTL h FIELDS 0 a"), asked_count);
  EXPECT_EQ(run("HTTL h FIELDS 2 a"), mismatch);
  EXPECT_EQ(run("HPERSIST h FIELDS x a"), asked_count);
  EXPECT_EQ(run("HPERSIST h NX 1 a"), missing);
}

TEST_P(FieldExpiry, WritesKeepOrClearTheDeadline) {
  run("HSET h a 1 b 1 c 1");
  run("HPEXPIRE h 100 FIELDS 3 a b c");
  run("HSET h a 2");
  effects();
  EXPECT_EQ(run("HINCRBY h b 5"), "6");
  EXPECT_EQ(run("HINCRBYFLOAT h c 0.5"), "\"1.5\"");
  EXPECT_EQ(effects(),
            "0: HINCRBY h b 5; 0: HSET h c 1.5; 0: HPEXPIREAT h 1700000000100 FIELDS 1 c");
  EXPECT_EQ(run("HPTTL h FIELDS 3 a b c"), "[-1 100 100]");
}

// A look-up removes what it finds due; others hide it, HLEN counts it still.
TEST_P(FieldExpiry, DueFieldsAreNotThere) {
  engine.active_expire = false;
  run("HSET h a 1 b 2 c 3 d 4 e 5");
  run("HPEXPIRE h 10 FIELDS 4 a b c d");
  pass(10);
  effects();
  EXPECT_EQ(run("HLEN h"), "5");
  EXPECT_EQ(run("HGETALL h"), R"({"e" "5"})");
  EXPECT_EQ(run("HKEYS h"), R"(["e"])");
  EXPECT_EQ(run("HSCAN h 0"), R"(["0" ["e" "5"]])");
  EXPECT_EQ(run("HTTL h FIELDS 1 a"), "[-2]");
  EXPECT_EQ(effects(), "");
  EXPECT_EQ(run("HGET h a"), "_");
  EXPECT_EQ(effects(), "0: HDEL h a");
  EXPECT_EQ(run("HSETNX h b 7"), "1");
  EXPECT_EQ(effects(), "0: HDEL h b; 0: HSETNX h b 7");
  EXPECT_EQ(run("HINCRBY h c 1"), "1");
  EXPECT_EQ(effects(), "0: HDEL h c; 0: HINCRBY h c 1");
  EXPECT_EQ(run("HDEL h d"), "0");
  EXPECT_EQ(effects(), "0: HDEL h d");
  EXPECT_EQ(run("HLEN h"), "3");
}

TEST_P(FieldExpiry, TheLastDueFieldTakesTheKey) {
  engine.active_expire = false;
  run("HSET h a 1");
  run("HPEXPIRE h 10 FIELDS 1 a");
  pass(10);
  EXPECT_EQ(run("EXISTS h"), "1");
  EXPECT_EQ(run("HMGET h a b"), "[_ _]");
  EXPECT_EQ(run("EXISTS h"), "0");
  run("HSET h a 1 b 2");
  run("HPEXPIRE h 10 FIELDS 2 a b");
  pass(10);
  effects();
  EXPECT_EQ(run("HRANDFIELD h 2"), "[]");
  EXPECT_EQ(run("EXISTS h"), "0");
  EXPECT_EQ(engine.stats.expired_elements, 3U);
}

TEST_P(FieldExpiry, FieldsGoByThemselves) {
  run("HSET h a 1 b 2 c 3");
  run("HSET gone a 1");
  run("HPEXPIRE h 10 FIELDS 1 a");
  run("HPEXPIRE h 20 FIELDS 1 b");
  run("HPEXPIRE gone 30 FIELDS 1 a");
  effects();
  EXPECT_EQ(engine.next_deadline() - engine.instant(), 10'000);
  pass_and_expire(9);
  EXPECT_EQ(effects(), "");
  pass_and_expire(1);
  EXPECT_EQ(effects(), "0: HDEL h a");
  EXPECT_EQ(run("HLEN h"), "2");
  EXPECT_EQ(engine.next_deadline() - engine.instant(), 10'000);
  pass_and_expire(20);
  EXPECT_EQ(run("EXISTS h gone"), "1");
  EXPECT_EQ(run("HKEYS h"), R"(["c"])");
  EXPECT_EQ(db().next_element_deadline(), kNever);
}

TEST_P(FieldExpiry, ALargeHashGoesInSlices) {
  for (int i = 0; i < 5000; ++i) {
    const std::string field = "field" + std::to_string(i);
    run({"HSET", "h", field, "value"});
    run({"HPEXPIRE", "h", "10", "FIELDS", "1", field});
  }
  pass(10);
  EXPECT_TRUE(engine.run_slices());
  EXPECT_EQ(run("EXISTS h"), "1");
  EXPECT_LT(engine.stats.expired_elements, 2000U);
  while (engine.run_slices()) pass(0);
  EXPECT_EQ(run("EXISTS h"), "0");
  EXPECT_EQ(engine.stats.expired_elements, 5000U);
}

TEST_P(FieldExpiry, DeadlinesFollowTheHash) {
  const auto prepare = [this] {
    run("FLUSHALL");
    run("HSET h a 1 b 2");
    run("HPEXPIRE h 10 FIELDS 1 a");
  };
  const auto expect_expiry_of = [this](ByteView key, DbIndex db) {
    caller.db = db;
    EXPECT_EQ(run({"HLEN", key}), "2");
    pass_and_expire(10);
    EXPECT_EQ(run({"HLEN", key}), "1");
    caller.db = 0;
    EXPECT_EQ(engine.dbs[0].timed_count() + engine.dbs[1].timed_count(), 0U);
  };
  prepare();
  run("RENAME h other");
  expect_expiry_of("other", 0);
  prepare();
  run("HSET other a 1");
  run("HPEXPIRE other 5 FIELDS 1 a");
  run("RENAME h other");
  expect_expiry_of("other", 0);
  prepare();
  run("COPY h other");
  expect_expiry_of("other", 0);
  prepare();
  run("MOVE h 1");
  expect_expiry_of("h", 1);
  prepare();
  run("SWAPDB 0 1");
  expect_expiry_of("h", 1);
  prepare();
  run("EXPIRE h 100");
  run("PERSIST h");
  expect_expiry_of("h", 0);
  for (const ByteView command : {"DEL h", "UNLINK h", "FLUSHALL", "FLUSHDB ASYNC", "SET h v"}) {
    prepare();
    run(command);
    EXPECT_EQ(engine.dbs[0].timed_count(), 0U) << command;
    pass_and_expire(10);
  }
  // Deadlines that were taken away are noticed when they would have come.
  prepare();
  run("HPERSIST h FIELDS 1 a");
  pass_and_expire(10);
  EXPECT_EQ(engine.dbs[0].timed_count(), 0U);
  EXPECT_EQ(run("HLEN h"), "2");
}

TEST_P(FieldExpiry, NothingEndsByTheClockUnderReplay) {
  engine.active_expire = false;
  run("HSET h a 1");
  run("HPEXPIRE h 10 FIELDS 1 a");
  pass(100);
  caller.origin = Origin::kReplay;
  EXPECT_EQ(run("HINCRBY h a 1"), "2");
  EXPECT_EQ(run("HPEXPIREAT h 5 FIELDS 1 a"), "[1]");
  EXPECT_EQ(run("HGET h a"), "\"2\"");
  EXPECT_EQ(run("HDEL h a"), "1");
}

}  // namespace
}  // namespace ouro
