// SPDX-License-Identifier: BSD-3-Clause
#include <set>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct Keys : EngineFixture {
  Keys()
      : EngineFixture({kStringCommands, kStringSetCommands, kKeyCommands, kKeyScanCommands,
                       kExpireCommands, kObjectCommands, kDatabaseCommands, kSortCommands,
                       kConnectionCommands, kSetCommands}) {}

  // All keys that a whole SCAN with these options shows.
  std::set<std::string> scan(const std::string& words) {
    std::set<std::string> found;
    std::string cursor = "0";
    do {
      const std::string answer = run("SCAN " + cursor + " " + words);
      // ["17" ["a" "b"]]
      cursor = answer.substr(2, answer.find('"', 2) - 2);
      for (size_t at = answer.find('"', cursor.size() + 3); at != std::string::npos;) {
        const size_t end = answer.find('"', at + 1);
        found.insert(answer.substr(at + 1, end - at - 1));
        at = answer.find('"', end + 1);
      }
    } while (cursor != "0");
    return found;
  }
};

TEST(Keys, ExistenceTypeAndRemoval) {
  Keys engine;
  engine.run_all({"MSET a 1 b 2 c 3", "SET due x PX 5"});
  engine.effects();
  EXPECT_EQ(engine.run("EXISTS a b a none"), "3");
  EXPECT_EQ(engine.run("TOUCH a none"), "1");
  EXPECT_EQ(engine.run("TYPE a"), "string");
  EXPECT_EQ(engine.run("TYPE none"), "none");
  EXPECT_EQ(engine.run("DEL a a none"), "1");
  EXPECT_EQ(engine.run("UNLINK b c"), "2");
  EXPECT_EQ(engine.effects(), "0: DEL a a none; 0: UNLINK b c");
  engine.pass(5);
  EXPECT_EQ(engine.run("DEL due"), "0");
  EXPECT_EQ(engine.effects(), "0: DEL due");
  EXPECT_EQ(engine.run("DBSIZE"), "0");
}

TEST(Keys, AnEditedStringStaysTextUnderItsNewName) {
  Keys engine;
  engine.run_all({"SET a 5", "APPEND a 1"});
  EXPECT_EQ(engine.run("RENAME a b"), "OK");
  EXPECT_EQ(engine.run("OBJECT ENCODING b"), "\"raw\"");
  EXPECT_EQ(engine.run("COPY b c"), "1");
  EXPECT_EQ(engine.run("OBJECT ENCODING c"), "\"raw\"");
  EXPECT_EQ(engine.run("GET c"), "\"51\"");
}

TEST(Keys, RenameTakesValueDeadlineAndUseAlong) {
  Keys engine;
  engine.run("SET a v PX 1000");
  engine.pass(500);
  EXPECT_EQ(engine.run("RENAME a b"), "OK");
  EXPECT_EQ(engine.run("PTTL b"), "500");
  EXPECT_EQ(engine.run("EXISTS a"), "0");
  engine.run("SET c w");
  EXPECT_EQ(engine.run("RENAMENX b c"), "0");
  EXPECT_EQ(engine.run("RENAME b c"), "OK");
  EXPECT_EQ(engine.run("GET c"), "\"v\"");
  EXPECT_EQ(engine.run("PTTL c"), "500");
  EXPECT_EQ(engine.run("RENAMENX c d"), "1");
  EXPECT_EQ(engine.run("RENAME d d"), "OK");
  EXPECT_EQ(engine.run("RENAMENX d d"), "0");
  EXPECT_EQ(engine.run("RENAME none d"), "(ERR no such key)");
  const std::string large(50'000, 'l');
  engine.run({"SET", "large", large});
  EXPECT_EQ(engine.run("RENAME large moved"), "OK");
  EXPECT_EQ(engine.run("GET moved"), '"' + large + '"');
}

TEST(Keys, MoveAndCopy) {
  Keys engine;
  engine.run("SET a v PX 1000");
  EXPECT_EQ(engine.run("COPY a b"), "1");
  EXPECT_EQ(engine.run("PTTL b"), "1000");
  EXPECT_EQ(engine.run("COPY a b"), "0");
  engine.run("SET a w");
  EXPECT_EQ(engine.run("COPY a b REPLACE"), "1");
  EXPECT_EQ(engine.run("GET b"), "\"w\"");
  EXPECT_EQ(engine.run("PTTL b"), "-1");
  EXPECT_EQ(engine.run("COPY a a DB 3"), "1");
  EXPECT_EQ(engine.run("COPY a a"), "(ERR source and destination objects are the same)");
  EXPECT_EQ(engine.run("COPY a c DB 16"), "(ERR DB index is out of range)");
  EXPECT_EQ(engine.run("COPY a c DB"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("COPY none c"), "0");
  EXPECT_EQ(engine.run("MOVE a 3"), "0");
  EXPECT_EQ(engine.run("MOVE b 3"), "1");
  EXPECT_EQ(engine.run("MOVE a 0"), "(ERR source and destination objects are the same)");
  EXPECT_EQ(engine.run("MOVE a 99999999999"),
            "(ERR value is out of range, value must between -2147483648 and 2147483647)");
  engine.run("SWAPDB 0 3");
  EXPECT_EQ(engine.run("MGET a b"), "[\"w\" \"w\"]");
  EXPECT_EQ(engine.run("SWAPDB x 3"), "(ERR invalid first DB index)");
  EXPECT_EQ(engine.run("SWAPDB 0 99999999999"), "(ERR invalid second DB index)");
  EXPECT_EQ(engine.run("SWAPDB 0 16"), "(ERR DB index is out of range)");
}

TEST(Keys, MoveReplacesWhereItIsTold) {
  Keys engine;
  engine.run_all({"SET a old", "MOVE a 3", "SET a new PX 5000"});
  EXPECT_EQ(engine.run("MOVE a 3 REPLACED"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("MOVE a 3 REPLACE REPLACE"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("MOVE a 3"), "0");
  EXPECT_EQ(engine.run("MOVE none 3 REPLACE"), "0");
  engine.effects();
  EXPECT_EQ(engine.run("MOVE a 3 replace"), "1");
  EXPECT_EQ(engine.effects(), "(; 3: DEL a; 0: MOVE a 3; )") << "as Redis 7.0 knows it";
  EXPECT_EQ(engine.run("EXISTS a"), "0");
  engine.run("SWAPDB 0 3");
  EXPECT_EQ(engine.run("GET a"), "\"new\"");
  EXPECT_EQ(engine.run("PTTL a"), "5000");
  engine.effects();
  EXPECT_EQ(engine.run("MOVE a 3 REPLACE"), "1") << "also where nothing is";
  EXPECT_EQ(engine.effects(), "0: MOVE a 3");
}

TEST(Keys, KeysAndScanShowAllButDueOnes) {
  Keys engine;
  std::set<std::string> all;
  for (int i = 0; i < 500; ++i) {
    const std::string key = "key:" + std::to_string(i);
    engine.run({"SET", key, "v"});
    all.insert(key);
    engine.run({"SET", "due:" + std::to_string(i), "v", "PX", "10"});
  }
  engine.pass(10);
  EXPECT_EQ(engine.run("KEYS due:*"), "[]");
  EXPECT_EQ(engine.run("KEYS key:49[89]").size(), std::string("[\"key:498\" \"key:499\"]").size());
  EXPECT_EQ(engine.run("DBSIZE"), "1000");
  EXPECT_EQ(engine.scan("COUNT 7"), all);
  // What was met and due is gone.
  EXPECT_EQ(engine.run("DBSIZE"), "500");
  EXPECT_EQ(engine.scan("MATCH key:1? COUNT 1000").size(), 10U);
  EXPECT_EQ(engine.scan("TYPE STRING"), all);
  EXPECT_EQ(engine.scan("TYPE list").size(), 0U);
  EXPECT_EQ(engine.scan("TYPE nonsense").size(), 0U);
}

// RM as dragonflydb.io/docs/command-reference/generic/rm has it: SCAN's arguments, a cursor and how
// many keys went.
TEST(Keys, RmRemovesWhatItMeets) {
  Keys engine;
  // What a whole walk removes.
  const auto remove = [&](const std::string& words) {
    uint64_t removed = 0;
    std::string cursor = "0";
    do {
      const std::string answer = engine.run("RM " + cursor + " " + words);
      cursor = answer.substr(2, answer.find('"', 2) - 2);
      removed += std::stoull(answer.substr(answer.find(' ')));
    } while (cursor != "0");
    return removed;
  };
  engine.run_all({"MSET key:1 a key:2 b key:3 c other d", "SET due v PX 1"});
  engine.pass(1);
  engine.effects();
  EXPECT_EQ(engine.run("RM 0 MATCH key:* COUNT 100"), "[\"0\" 3]");
  const std::string left = engine.effects();
  EXPECT_EQ(left.find("0: DEL due"), 0U);
  EXPECT_EQ(engine.run("EXISTS key:1 key:2 key:3"), "0");
  EXPECT_EQ(engine.run("EXISTS other"), "1");
  engine.run("RM 0 MATCH none*");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(remove("TYPE list"), 0U);
  EXPECT_EQ(remove("TYPE string"), 1U);
  for (int i = 0; i < 20'000; ++i) engine.run({"SET", "k" + std::to_string(i), "v"});
  EXPECT_EQ(remove("MATCH k1*"), 11'111U);
  // However many are asked for, a call is bounded.
  const std::string answer = engine.run("RM 0 COUNT 1000000");
  EXPECT_NE(answer.find("[\"0\""), 0U);
  const uint64_t size = engine.db().size();
  EXPECT_LT(size, 8'889U);
  EXPECT_GT(size, 7'000U);
  EXPECT_EQ(remove(""), size);
  EXPECT_EQ(engine.run("RANDOMKEY"), "_");
  EXPECT_EQ(engine.engine.stats.keys_removed_by_pattern, 20'004U);
  EXPECT_EQ(engine.run("RM x"), "(ERR invalid cursor)");
  EXPECT_EQ(engine.run("RM 0 badopt"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("RM 0 COUNT 0"), "(ERR syntax error)");
}

// Not by keys alone: fifty allocations of each, or half a megabyte.
TEST(Keys, RmIsBoundedByWhatItFrees) {
  for (const bool is_string : {false, true}) {
    Keys engine;
    for (int i = 0; i < 300; ++i) {
      const std::string key = "k" + std::to_string(i);
      if (is_string) engine.run({"SETRANGE", key, "500000", "x"});
      for (int j = 0; j < 50 && !is_string; ++j)
        engine.run({"SADD", key, "member " + std::string(100, 'x') + std::to_string(j)});
    }
    const std::string answer = engine.run("RM 0 COUNT 1000000");
    EXPECT_NE(answer.find("[\"0\""), 0U);
    EXPECT_LT(engine.db().size(), 300U);
    EXPECT_GT(engine.db().size(), 200U);
  }
}

TEST(Keys, ScanRefusesWhatRedisRefuses) {
  Keys engine;
  engine.run("SET k v");
  for (const ByteView cursor : {"x", " 0", "0 ", "-", "--1", "99999999999999999999"}) {
    EXPECT_EQ(engine.run({"SCAN", cursor}), "(ERR invalid cursor)") << cursor;
  }
  for (const ByteView cursor : {"0", "+0", "00", ""}) {
    EXPECT_EQ(engine.run({"SCAN", cursor}), "[\"0\" [\"k\"]]") << cursor;
  }
  EXPECT_EQ(engine.run("SCAN 0 COUNT 0"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("SCAN 0 COUNT x"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(engine.run("SCAN 0 MATCH"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("SCAN 0 WHAT"), "(ERR syntax error)");
}

TEST(Keys, RandomKeyShowsNoneThatIsDue) {
  Keys engine;
  EXPECT_EQ(engine.run("RANDOMKEY"), "_");
  for (int i = 0; i < 50; ++i) engine.run({"SET", std::to_string(i), "v", "PX", "1"});
  engine.run("SET lives v");
  engine.pass(1);
  EXPECT_EQ(engine.run("RANDOMKEY"), "\"lives\"");
  engine.run("DEL lives");
  EXPECT_EQ(engine.run("RANDOMKEY"), "_");
  EXPECT_EQ(engine.run("DBSIZE"), "0");
}

TEST(Keys, Object) {
  Keys engine;
  engine.run_all({"SET number 7", "SET short abc", "APPEND short d"});
  engine.run({"SET", "long", std::string(45, 'x')});
  EXPECT_EQ(engine.run("OBJECT ENCODING number"), "\"int\"");
  EXPECT_EQ(engine.run("OBJECT ENCODING short"), "\"raw\"");
  EXPECT_EQ(engine.run("OBJECT ENCODING long"), "\"raw\"");
  EXPECT_EQ(engine.run("OBJECT ENCODING none"), "_");
  EXPECT_EQ(engine.run("OBJECT REFCOUNT short"), "1");
  EXPECT_EQ(engine.run("OBJECT REFCOUNT number"), "2147483647");
  engine.options.maxmemory = 1_GiB;
  for (const auto policy : {EvictionPolicy::kNone, EvictionPolicy::kVolatileTtl}) {
    engine.options.maxmemory_policy = policy;
    EXPECT_EQ(engine.run("OBJECT REFCOUNT number"), "2147483647");
  }
  for (const auto policy : {EvictionPolicy::kAllkeysLru, EvictionPolicy::kVolatileLfu}) {
    engine.options.maxmemory_policy = policy;
    EXPECT_EQ(engine.run("OBJECT REFCOUNT number"), "1");
  }
  engine.options.maxmemory_policy = EvictionPolicy::kNone;
  EXPECT_EQ(engine.run("OBJECT IDLETIME short"), "0");
  engine.pass(7000);
  EXPECT_EQ(engine.run("EXISTS short"), "1");
  EXPECT_EQ(engine.run("OBJECT IDLETIME short"), "7");
  EXPECT_EQ(engine.run("TOUCH short"), "1");
  EXPECT_EQ(engine.run("OBJECT IDLETIME short"), "0");
  EXPECT_EQ(engine.run("OBJECT FREQ none"), "_");
  // Under every policy, in steps of 32 above what a new key has.
  EXPECT_EQ(engine.run("OBJECT FREQ long"), "5");
  engine.run("GET long");
  EXPECT_EQ(engine.run("OBJECT FREQ long"), "37");
  engine.options.maxmemory_policy = EvictionPolicy::kAllkeysLfu;
  engine.pass(1);
  engine.run("SET fresh v");
  EXPECT_EQ(engine.run("OBJECT FREQ fresh"), "5");
  EXPECT_EQ(engine.run("OBJECT IDLETIME fresh").substr(0, 41),
            "(ERR An LFU maxmemory policy is selected,");
  EXPECT_EQ(engine.run("OBJECT NONSENSE k"),
            "(ERR unknown subcommand 'NONSENSE'. Try OBJECT HELP.)");
}

TEST(Keys, FlushIsAnEffectEvenOfNothing) {
  Keys engine;
  EXPECT_EQ(engine.run("FLUSHDB"), "OK");
  EXPECT_EQ(engine.effects(), "0: FLUSHDB");
  engine.run_all({"SET a 1", "MOVE a 2", "SET b 1"});
  EXPECT_EQ(engine.run("FLUSHDB SYNC"), "OK");
  EXPECT_EQ(engine.db(2).size(), 1U);
  EXPECT_EQ(engine.run("FLUSHALL ASYNC"), "OK");
  EXPECT_EQ(engine.db(2).size(), 0U);
  EXPECT_EQ(engine.run("FLUSHALL WHAT"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("FLUSHALL SYNC SYNC"), "(ERR syntax error)");
}

}  // namespace
}  // namespace ouro
