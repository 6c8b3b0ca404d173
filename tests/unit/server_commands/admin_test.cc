// SPDX-License-Identifier: BSD-3-Clause
// CONFIG, INFO, MEMORY, LATENCY, SLOWLOG, DEBUG and the small ones.
#include <gtest/gtest.h>

#include "engine_fixture.h"
#include "test_client.h"

namespace ouro {
namespace {

class AdminTest : public ::testing::Test {
 protected:
  bool contains(const std::string& text, ByteView part) {
    return text.find(part) != std::string::npos;
  }

  EngineFixture engine{kConfigCommands,    kDebugCommands,  kInfoCommands,       kLatencyCommands,
                       kMemoryCommands,    kServerCommands, kCommandLogCommands, kStringCommands,
                       kStringSetCommands, kKeyCommands,    kListCommands,       kSetCommands,
                       kExpireCommands,    kHotKeysCommands};
};

TEST_F(AdminTest, ConfigSetChangesWhatGetShows) {
  EXPECT_EQ(engine.run("CONFIG SET maxmemory-samples 7 hash-max-ziplist-entries 9"),
            engine.run("DEBUG LOG x"));
  EXPECT_EQ(engine.options.maxmemory_samples, 7U);
  EXPECT_EQ(engine.options.limits.hash_packed_entries, 9U);
  EXPECT_TRUE(contains(engine.run("CONFIG GET hash-max-*-entries"), "hash-max-listpack-entries"));
  EXPECT_TRUE(contains(engine.run("CONFIG SET maxmemory-samples"),
                       "wrong number of arguments for 'config|set' command"));
  EXPECT_TRUE(contains(engine.run("CONFIG SET foo bar"),
                       "Unknown option or number of arguments for CONFIG SET - 'foo'"));
  EXPECT_TRUE(contains(engine.run("CONFIG SET maxmemory-samples 0"),
                       "argument must be between 1 and 2147483647 inclusive"));
}

// What each version of Redis has drawn by: three numbers, two, none.
TEST_F(AdminTest, LolwutReadsTheNumbersOfItsVersion) {
  for (const ByteView command :
       {"LOLWUT", "LOLWUT x y z", "LOLWUT VERSION", "LOLWUT VERSION 7 x", "LOLWUT VERSION -1 x",
        "LOLWUT VERSION 5 1 2 3 x", "LOLWUT VERSION 6 1 2 x", "LOLWUT VERSION 5"}) {
    EXPECT_TRUE(contains(engine.run(command), "Redis ver. 7.0")) << command;
  }
  for (const ByteView command : {"LOLWUT VERSION x", "LOLWUT VERSION 5 x", "LOLWUT VERSION 5 1 2 x",
                                 "LOLWUT VERSION 6 1 x"}) {
    EXPECT_EQ(engine.run(command), "(ERR value is not an integer or out of range)") << command;
  }
}

// As in Redis, whose texts are C strings.
TEST_F(AdminTest, AnErrorShowsArgumentsUpToAZeroByte) {
  const ByteView word("a\0b", 3);
  EXPECT_EQ(engine.run({word, word, "c"}),
            "(ERR unknown command 'a', with args beginning with: 'a' 'c' )");
  EXPECT_EQ(engine.run({"CONFIG", word}), "(ERR unknown subcommand 'a'. Try CONFIG HELP.)");
  EXPECT_EQ(engine.run({"CONFIG", "SET", word, "1"}),
            "(ERR Unknown option or number of arguments for CONFIG SET - 'a')");
}

TEST_F(AdminTest, ConfigSetActsOnTheEngine) {
  engine.run("CONFIG SET maxmemory 1gb notify-keyspace-events KEA");
  EXPECT_NE(engine.engine.executor.node_gates() & Gate::kMemory, 0U);
  EXPECT_TRUE(engine.engine.pubsub.notifies());
  engine.run("CONFIG SET maxmemory 0 notify-keyspace-events \"\"");
  EXPECT_EQ(engine.engine.executor.node_gates() & Gate::kMemory, 0U);
  EXPECT_FALSE(engine.engine.pubsub.notifies());
}

TEST_F(AdminTest, InfoShowsTheSectionsThatWereAskedFor) {
  engine.run("SET k v");
  const std::string standard = engine.run("INFO");
  EXPECT_TRUE(contains(standard, "redis_version:7.0.15"));
  EXPECT_TRUE(contains(standard, "server_name:ouro"));
  EXPECT_TRUE(contains(standard, "db0:keys=1,expires=0,avg_ttl=0"));
  EXPECT_FALSE(contains(standard, "rejected_calls"));
  const std::string two = engine.run("INFO cpu commandSTATS");
  EXPECT_TRUE(contains(two, "used_cpu_user:"));
  EXPECT_TRUE(contains(two, "cmdstat_set:calls=1,"));
  EXPECT_FALSE(contains(two, "used_memory"));
  EXPECT_TRUE(contains(engine.run("INFO all"), "# Modules"));
  EXPECT_TRUE(contains(engine.run("INFO everything"), "# Modules"));
  EXPECT_TRUE(contains(engine.run("INFO latencystats"), "latency_percentiles_usec_set:p50="));
  engine.run("CONFIG RESETSTAT");
  EXPECT_FALSE(contains(engine.run("INFO commandstats"), "cmdstat_set"));
}

TEST_F(AdminTest, MemoryUsageIsWhatTheEntryTakes) {
  engine.run("SET k v");
  const size_t bytes = engine.db().find(engine.db().key("k"))->memory_bytes();
  EXPECT_EQ(engine.run("MEMORY USAGE k"), std::to_string(bytes));
  EXPECT_EQ(engine.run("MEMORY USAGE k SAMPLES 0"), std::to_string(bytes));
  EXPECT_TRUE(contains(engine.run("MEMORY USAGE k SAMPLES"), "syntax error"));
  EXPECT_TRUE(contains(engine.run("MEMORY USAGE k SAMPLES -1"), "syntax error"));
  EXPECT_TRUE(contains(engine.run("MEMORY USAGE k SAMPLES x"), "not an integer"));
  EXPECT_TRUE(contains(engine.run("MEMORY STATS"), "peak.allocated"));
}

TEST_F(AdminTest, SlowlogCutsArgumentsAndKeepsSoMany) {
  engine.run("CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 2");
  engine.run("SLOWLOG RESET");
  engine.run({"SET", "k", std::string(200, 'x')});
  EXPECT_TRUE(contains(engine.run("SLOWLOG GET 1"), "... (72 more bytes)"));
  std::vector<std::string> many = {"DEL"};
  for (int i = 0; i < 40; ++i) many.push_back("k" + std::to_string(i));
  engine.run(many);
  EXPECT_TRUE(contains(engine.run("SLOWLOG GET 1"), "... (10 more arguments)"));
  EXPECT_TRUE(
      contains(engine.run("SLOWLOG GET 1 DETAILS"), "[\"SLOWLOG\" \"GET\" \"1\"] \"\" \"\" 3 0]]"));
  EXPECT_EQ(engine.engine.command_log.lines(CommandLog::Kind::kSlow).size(), 2U);
  EXPECT_TRUE(
      contains(engine.run("SLOWLOG GET -2"), "count should be greater than or equal to -1"));
}

TEST_F(AdminTest, CommandlogKeepsLargeRequests) {
  engine.run("CONFIG SET commandlog-request-larger-than 100 commandlog-large-request-max-len 1");
  engine.run("COMMANDLOG RESET large-request");
  engine.run({"SET", "k", std::string(40, 'x')});
  EXPECT_EQ(engine.run("COMMANDLOG LEN large-request"), "0");
  engine.run({"SET", "k", std::string(150, 'x')});
  engine.run({"SET", "l", std::string(250, 'x')});
  EXPECT_EQ(engine.run("COMMANDLOG LEN LARGE-REQUEST"), "1");
  EXPECT_TRUE(contains(engine.run("COMMANDLOG GET -1 large-request"), R"(294 ["SET" "l" ")"));
  EXPECT_EQ(engine.run("COMMANDLOG LEN large-reply"), "0");
  EXPECT_EQ(engine.run("COMMANDLOG RESET large-request"), "OK");
  EXPECT_EQ(engine.run("COMMANDLOG LEN large-request"), "0");
  EXPECT_TRUE(contains(engine.run("COMMANDLOG LEN fast"), "type should be one of the following"));
  EXPECT_TRUE(contains(engine.run("CONFIG GET commandlog-execution-slower-than"), "10000"));
}

TEST_F(AdminTest, KeysizesCountsByPowersOfTwo) {
  engine.run_all({"SET a abc", "SET b \"\"", "SET c 12345678", "RPUSH l 1 2 3 4 5", "SADD s x",
                  "RPUSH m 1 2 3 4 5 6 7"});
  engine.run({"SET", "d", std::string(2000, 'x')});
  const std::string text = engine.run("INFO keysizes");
  EXPECT_TRUE(contains(text, "db0_distrib_strings_sizes:0=1,2=1,8=1,1K=1")) << text;
  EXPECT_TRUE(contains(text, "db0_distrib_lists_items:4=2"));
  EXPECT_TRUE(contains(text, "db0_distrib_sets_items:1=1"));
  EXPECT_FALSE(contains(text, "hashes"));
  EXPECT_FALSE(contains(engine.run("INFO everything"), "Keysizes"));
}

// Redis 8.6: by the memory that MEMORY USAGE tells of each.
TEST_F(AdminTest, KeysizesCountsMemoryByPowersOfTwo) {
  engine.run_all({"SET a abc", "SADD s x"});
  std::vector<std::string> line = {"RPUSH", "large"};
  for (int i = 0; i < 3000; ++i) line.push_back("element " + std::to_string(i));
  engine.run(line);
  const auto bin_of = [&](const std::string& key) {
    const unsigned long bytes = std::stoul(engine.run("MEMORY USAGE " + key));
    const unsigned long bin = std::bit_floor(bytes);
    return bin < 1024 ? std::to_string(bin) : std::to_string(bin / 1024) + "K";
  };
  const std::string text = engine.run("INFO keysizes");
  EXPECT_TRUE(contains(text, "db0_distrib_lists_sizes:" + bin_of("large") + "=1")) << text;
  EXPECT_TRUE(contains(text, "db0_distrib_sets_sizes:" + bin_of("s") + "=1")) << text;
  EXPECT_TRUE(contains(text, "db0_distrib_strings_sizes:2=1")) << text;
  EXPECT_NE(bin_of("large"), bin_of("s"));
}

TEST_F(AdminTest, KeysizesOfManyKeysAreCountedInSlices) {
  for (int i = 0; i < 20'000; ++i) engine.run({"SET", "k" + std::to_string(i), "v"});
  EXPECT_FALSE(contains(engine.run("INFO keysizes"), "distrib"));
  int slices = 0;
  while (engine.engine.run_slices()) ++slices;
  EXPECT_GE(slices, 10);
  EXPECT_TRUE(contains(engine.run("INFO keysizes"), "strings_sizes:1=20000"));
}

TEST_F(AdminTest, BigkeysListsTheLargestFirst) {
  engine.run_all({"SET a abc", "RPUSH l 1 2 3 4 5", "SADD s x y"});
  engine.run({"SET", "big", std::string(2000, 'x')});
  const std::string text = engine.run("MEMORY BIGKEYS COUNT 2");
  EXPECT_TRUE(contains(text, "\"keys\" 4 \"keys-walked\" 0 \"by-bytes\" [[\"big\" 0 \"string\" 2"))
      << text;
  EXPECT_TRUE(contains(text, "\"by-elements\" [[\"l\" 0 \"list\" 5] [\"s\" 0 \"set\" 2]]")) << text;
  EXPECT_EQ(engine.run("MEMORY BIGKEYS COUNT 0"), "(ERR COUNT must be between 1 and 64)");
  EXPECT_EQ(engine.run("MEMORY BIGKEYS COUNT"), "(ERR syntax error)");
}

TEST_F(AdminTest, BigkeysOfManyKeysAreFoundInSlices) {
  for (int i = 0; i < 20'000; ++i) {
    engine.run({"SET", "k" + std::to_string(i), std::string(static_cast<size_t>(i) / 100, 'v')});
  }
  EXPECT_TRUE(contains(engine.run("MEMORY BIGKEYS"), "\"ended-at\" 0 \"keys\" 0"));
  int slices = 0;
  while (engine.engine.run_slices()) {
    if (slices++ == 3) {
      EXPECT_FALSE(contains(engine.run("MEMORY BIGKEYS"), "\"keys-walked\" 0"));
    }
  }
  EXPECT_GE(slices, 10);
  const std::string text = engine.run("MEMORY BIGKEYS COUNT 64");
  EXPECT_TRUE(contains(text, "\"keys\" 20000"));
  EXPECT_TRUE(contains(text, "[\"k19")) << text;
}

TEST_F(AdminTest, HotkeysCountsKeysByCost) {
  EXPECT_EQ(engine.run("HOTKEYS GET"), "_");
  EXPECT_EQ(engine.run("HOTKEYS STOP"), "_");
  EXPECT_TRUE(contains(engine.run("HOTKEYS START"), "METRICS parameter is required"));
  EXPECT_TRUE(contains(engine.run("HOTKEYS START METRICS 2 CPU"), "count does not match"));
  EXPECT_TRUE(contains(engine.run("HOTKEYS START METRICS 3 CPU NET"), "must be > 0 and <= 2"));
  EXPECT_TRUE(contains(engine.run("HOTKEYS START METRICS 1 NET COUNT 65"), "between 1 and 64"));
  EXPECT_EQ(engine.run("HOTKEYS START METRICS 1 NET COUNT 2 DURATION 10"), "OK");
  EXPECT_TRUE(contains(engine.run("HOTKEYS START METRICS 1 NET"), "already in progress"));
  EXPECT_TRUE(contains(engine.run("HOTKEYS RESET"), "stop tracking first"));
  engine.run_all({"SET hot 1", "SET warm 1", "SET cold 1", "GET hot", "GET hot", "GET warm"});
  // 10 bytes around a command and each word: SET hot 1 takes 47, GET hot 36.
  EXPECT_TRUE(contains(engine.run("HOTKEYS GET"), R"("by-net-bytes" ["hot" 119 "warm" 85])"));
  engine.pass(10'000);
  EXPECT_TRUE(contains(engine.run("HOTKEYS GET"), R"("tracking-active" 0)"));
  EXPECT_EQ(engine.run("HOTKEYS RESET"), "OK");
  EXPECT_EQ(engine.run("HOTKEYS GET"), "_");
}

// Without a collection: of 100,000 uses half are one key's, and an eighth another's.
TEST_F(AdminTest, HotkeysKnowsWhatIsUsedMostWithoutBeingAsked) {
  const std::string long_key(UseSketch::kKeyBytesMax + 1, 'k');
  engine.run("SET hot 1");
  engine.run("SET warm 1");
  engine.run("SET " + long_key + " 1");
  for (int i = 0; i < 8000; ++i) engine.run("SET key:" + std::to_string(i) + " 1");
  const size_t used = engine.engine.heap.used_bytes();
  for (int i = 0; i < 100'000; ++i) {
    const int turn = i % 8;
    engine.run(turn < 4    ? "GET hot"
               : turn == 4 ? "GET warm"
               : turn == 5 ? "GET " + long_key
                           : "GET key:" + std::to_string(i % 8000));
  }
  EXPECT_EQ(engine.engine.heap.used_bytes(), used);
  const std::vector<UseSketch::Uses> top = engine.engine.use_sketch.top(engine.engine.now());
  ASSERT_GE(top.size(), 2U);
  EXPECT_LE(top.size(), UseSketch::kCounters);
  EXPECT_EQ(top[0].key, "hot");
  EXPECT_NEAR(static_cast<double>(top[0].count), 50'000, 2'500);
  EXPECT_EQ(top[1].key, "warm");
  EXPECT_NEAR(static_cast<double>(top[1].count), 12'500, 2'500);
  const std::string text = engine.run("HOTKEYS GET");
  EXPECT_TRUE(contains(text, R"("tracking-active" 0)")) << text;
  EXPECT_TRUE(contains(text, R"("by-uses" ["hot" )")) << text;
  EXPECT_FALSE(contains(text, long_key));
  // The window before the one that runs still counts, older ones do not.
  engine.pass(UseSketch::kWindow);
  for (int i = 0; i < 1000; ++i) engine.run("GET warm");
  EXPECT_TRUE(contains(engine.run("HOTKEYS GET"), R"("by-uses" ["hot" )"));
  engine.pass(UseSketch::kWindow);
  EXPECT_TRUE(contains(engine.run("HOTKEYS GET"), R"("by-uses" ["warm" )"));
  engine.pass(2 * UseSketch::kWindow);
  EXPECT_EQ(engine.run("HOTKEYS GET"), "_");
  // A collection is shown in its place.
  engine.run("HOTKEYS START METRICS 1 CPU");
  EXPECT_FALSE(contains(engine.run("HOTKEYS GET"), "by-uses"));
}

// However slow the allocator is: a slice of freeing ends by its budget or by the stopwatch.
TEST_F(AdminTest, ASliceOfFreeingEndsInTime) {
  for (const uint64_t micros : {uint64_t{1}, uint64_t{1000}}) {
    for (int i = 0; i < 10'000; ++i) engine.run("SADD set member:" + std::to_string(i));
    engine.run("UNLINK set");
    engine.stopwatch.step = micros;
    const LazyFree& waiting = engine.engine.dbs.lazy_free();
    int slices = 0;
    while (!waiting.empty()) {
      const bool more = engine.engine.run_slices();
      EXPECT_EQ(more, !waiting.empty());
      ++slices;
    }
    EXPECT_GE(slices, micros == 1 ? 5 : 200);
    EXPECT_LE(slices, micros == 1 ? 7 : 220);
    engine.stopwatch.step = 1;
  }
}

TEST_F(AdminTest, LatencyShowsWhatWasRecorded) {
  EXPECT_TRUE(contains(engine.run("LATENCY DOCTOR"), "Nothing is recorded"));
  engine.engine.latency.add_sample("command", 500, engine.now, 100);
  EXPECT_TRUE(contains(engine.run("LATENCY LATEST"), "500"));
  EXPECT_TRUE(contains(engine.run("LATENCY GRAPH command"),
                       "command - high 500 ms, low 500 ms (all time high 500 ms)"));
  EXPECT_TRUE(contains(engine.run("LATENCY GRAPH none"), "No samples available for event 'none'"));
  EXPECT_EQ(engine.run("LATENCY RESET none"), "0");
  EXPECT_EQ(engine.run("LATENCY RESET"), "1");
  engine.run("SET k v");
  EXPECT_TRUE(contains(engine.run("LATENCY HISTOGRAM set"), "histogram_usec"));
  EXPECT_FALSE(contains(engine.run("LATENCY HISTOGRAM nothing"), "calls"));
}

// Under the names that Redis gives them.
TEST_F(AdminTest, LatencyRecordsExpiryAndEviction) {
  engine.run("SET due v PX 10");
  engine.run("SET due-too v PX 10");
  engine.stopwatch.step = 20'000;
  engine.pass(10);
  engine.run("GET due-too");
  EXPECT_EQ(engine.engine.latency.events().size(), 0U);
  engine.run("SET due-too v PX 10");
  engine.run("CONFIG SET latency-monitor-threshold 15");
  engine.pass(10);
  engine.run("GET due-too");
  EXPECT_TRUE(contains(engine.run("LATENCY HISTORY expire-del"), " 20]"));
  EXPECT_EQ(engine.run("LATENCY HISTORY expire-cycle"), "[]");
  engine.engine.run_slices();
  // One reading at each end of it, and of the key's removal inside.
  EXPECT_TRUE(contains(engine.run("LATENCY HISTORY expire-cycle"), " 60]"));
  engine.run({"SET", "k", std::string(10'000, 'v')});
  engine.run("CONFIG SET maxmemory-policy allkeys-random maxmemory 1");
  EXPECT_TRUE(contains(engine.run("LATENCY HISTORY eviction-del"), " 20]"));
  EXPECT_TRUE(contains(engine.run("LATENCY HISTORY eviction-cycle"), " 60]"));
  EXPECT_TRUE(contains(engine.run("LATENCY DOCTOR"), "eviction-cycle"));
}

TEST_F(AdminTest, DigestsDependOnContentsOnly) {
  engine.run("SADD a 1 2 3");
  engine.run("SADD b 3 2 1");
  engine.run("SADD b x");
  engine.run("SREM b x");
  const std::string a = engine.run("DEBUG DIGEST-VALUE a");
  EXPECT_EQ(a, engine.run("DEBUG DIGEST-VALUE b"));
  const std::string all = engine.run("DEBUG DIGEST");
  engine.run("RPUSH l x y");
  EXPECT_NE(all, engine.run("DEBUG DIGEST"));
  engine.run("DEL l");
  EXPECT_EQ(all, engine.run("DEBUG DIGEST"));
  engine.run("SADD a 4");
  EXPECT_NE(a, engine.run("DEBUG DIGEST-VALUE a"));
  EXPECT_TRUE(contains(engine.run("DEBUG DIGEST-VALUE none"), std::string(40, '0')));
}

TEST_F(AdminTest, DebugKnowsItsWords) {
  engine.run("DEBUG POPULATE 3 pre 10");
  EXPECT_EQ(engine.db().size(), 3U);
  EXPECT_EQ(engine.run("STRLEN pre:1"), "10");
  EXPECT_TRUE(contains(engine.run("DEBUG OBJECT pre:1"), "encoding:"));
  EXPECT_TRUE(contains(engine.run("DEBUG OBJECT none"), "ERR no such key"));
  EXPECT_TRUE(
      contains(engine.run("DEBUG JMAP"),
               "unknown subcommand or wrong number of arguments for 'JMAP'. Try DEBUG HELP."));
  EXPECT_TRUE(contains(engine.run("DEBUG SLEEP"),
                       "unknown subcommand or wrong number of arguments for 'SLEEP'"));
  engine.run("DEBUG SET-ACTIVE-EXPIRE 0");
  EXPECT_FALSE(engine.engine.active_expire);
  EXPECT_TRUE(
      contains(engine.run("DEBUG PROTOCOL push"), "RESP2 is not supported by this command"));
  engine.run("CONFIG REWRITE");
  EXPECT_EQ(engine.host.rewritten, RewriteScope::kWhatDiffers);
  engine.run("DEBUG CONFIG-REWRITE-FORCE-ALL");
  EXPECT_EQ(engine.host.rewritten, RewriteScope::kEverything);
}

TEST_F(AdminTest, DebugSaysFromWhichSizeOnAnElementIsANode) {
  const auto nodes_of_three = [&] {
    engine.run_all({"DEL l", "RPUSH l a 12345678901234567890 b"});
    return engine.run("DEBUG OBJECT l");
  };
  const auto threshold = [&](const std::string& bytes) {
    return engine.run("DEBUG QUICKLIST-PACKED-THRESHOLD " + bytes);
  };
  EXPECT_TRUE(contains(nodes_of_three(), " ql_nodes:1 "));
  EXPECT_EQ(threshold("10b"), "OK");
  EXPECT_TRUE(contains(nodes_of_three(), " ql_nodes:3 "));
  EXPECT_EQ(engine.run("LRANGE l 0 -1"), R"(["a" "12345678901234567890" "b"])");
  EXPECT_EQ(threshold("21"), "OK");
  EXPECT_TRUE(contains(nodes_of_three(), " ql_nodes:1 "));
  EXPECT_EQ(threshold("20"), "OK");
  EXPECT_TRUE(contains(nodes_of_three(), " ql_nodes:3 "));
  EXPECT_TRUE(contains(threshold("4293918721"), "smaller than 4gb"));
  EXPECT_TRUE(contains(threshold("-1"), "smaller than 4gb"));
  EXPECT_TRUE(contains(nodes_of_three(), " ql_nodes:3 ")) << "what is refused changes nothing";
  EXPECT_EQ(threshold("4293918720"), "OK");
  EXPECT_TRUE(contains(nodes_of_three(), " ql_nodes:1 "));
  threshold("1");
  EXPECT_EQ(threshold("0"), "OK");
  EXPECT_TRUE(contains(nodes_of_three(), " ql_nodes:1 "));
}

TEST_F(AdminTest, DebugEndsNoHostProgram) {
  const std::string needs_server = "(" + std::string(errors::kNeedsServer) + ")";
  for (const char* name :
       {"ASSERT", "CRASH-AND-RECOVER", "OOM x", "PANIC", "RESTART 5", "SEGFAULT"})
    EXPECT_EQ(engine.run(std::string("DEBUG ") + name), needs_server);
  EXPECT_EQ(engine.run("DEBUG RESTART x"), "(ERR value is not an integer or out of range)");
  EXPECT_TRUE(engine.host.restarts.empty());
  engine.caller.origin = Origin::kClient;
  engine.options.enable_debug_command = Allowed::kEverybody;
  EXPECT_TRUE(contains(engine.run("DEBUG RESTART 5"), "not in this test"));
  EXPECT_TRUE(contains(engine.run("DEBUG CRASH-AND-RECOVER -5"), "not in this test"));
  ASSERT_EQ(engine.host.restarts.size(), 2U);
  EXPECT_TRUE(engine.host.restarts[0].in_order);
  EXPECT_EQ(engine.host.restarts[0].delay, 5);
  EXPECT_FALSE(engine.host.restarts[1].in_order);
  EXPECT_EQ(engine.host.restarts[1].delay, 0);
}

TEST_F(AdminTest, DebugShowsTheMemoryOfAString) {
  engine.run_all({"SET n 12", "SET k hello", "SADD s a"});
  engine.run({"SET", "large", std::string(20'000, 'x')});
  const auto told = [&](const std::string& key) { return engine.run("DEBUG SDSLEN " + key); };
  EXPECT_EQ(told("none"), "(ERR no such key)");
  EXPECT_EQ(told("n"), "(ERR Not an sds encoded string.)");
  EXPECT_EQ(told("s"), "(ERR Not an sds encoded string.)");
  EXPECT_TRUE(contains(told("k"), "key_sds_len:1, key_sds_avail:0, key_zmalloc: "));
  EXPECT_TRUE(contains(told("k"), ", val_sds_len:5, val_sds_avail:"));
  EXPECT_TRUE(told("k").ends_with(", val_zmalloc: 0")) << told("k");
  const Entry* large = engine.db().find(engine.db().key("large"));
  EXPECT_TRUE(contains(told("large"), "val_sds_len:20000, "));
  EXPECT_TRUE(
      told("large").ends_with("val_zmalloc: " + std::to_string(large->blob()->memory_bytes())));
  engine.run({"APPEND", "large", "y"});
  large = engine.db().find(engine.db().key("large"));
  EXPECT_TRUE(contains(told("large"), "val_sds_len:20001, val_sds_avail:" +
                                          std::to_string(large->blob()->capacity() - 20'001)));
}

TEST_F(AdminTest, DebugListsPackedValuesInTheLog) {
  for (int i = 0; i < 2000; ++i) engine.run({"RPUSH", "l", "element:" + std::to_string(i)});
  engine.run_all({"SET k v", "SADD s a"});
  EXPECT_EQ(engine.run("DEBUG LISTPACK none"), "(ERR no such key)");
  EXPECT_EQ(engine.run("DEBUG LISTPACK s"), "(ERR Not a listpack encoded object.)");
  EXPECT_EQ(engine.run("DEBUG LISTPACK l"), "(ERR Not a listpack encoded object.)");
  EXPECT_EQ(engine.run("DEBUG QUICKLIST none"), "(ERR no such key)");
  EXPECT_EQ(engine.run("DEBUG QUICKLIST k"), "(ERR Not a quicklist encoded object.)");
  const size_t nodes = engine.db().find(engine.db().key("l"))->as<List>().node_count();
  ASSERT_GT(nodes, 1U);
  EXPECT_EQ(engine.run("DEBUG QUICKLIST l"), "Quicklist structure printed in the log");
  EXPECT_EQ(engine.log.lines, 1 + nodes);
  engine.log.lines = 0;
  engine.run("DEBUG QUICKLIST l 1");
  EXPECT_EQ(engine.log.lines, 1001U) << "no more than so many, and how many are left";
}

TEST_F(AdminTest, ListsArePressedAsTheDepthSays) {
  const auto push = [&](ByteView name) {
    for (int i = 0; i < 10'000; ++i) engine.run({"RPUSH", name, "the same in each of them"});
    return std::stoul(engine.run({"MEMORY", "USAGE", name}));
  };
  const auto told = [&](const std::string& name) {
    const std::string text = engine.run("DEBUG OBJECT " + name);
    return text.substr(text.find(" ql_nodes"));
  };
  const size_t opened_bytes = push("l");
  const std::string opened = told("l");
  EXPECT_TRUE(contains(opened, " ql_compressed:0 ")) << opened;
  engine.run("CONFIG SET list-compress-depth 1");
  EXPECT_LT(push("p"), opened_bytes / 5);
  EXPECT_EQ(told("p"), told("l"));
  EXPECT_TRUE(contains(told("p"), " ql_compressed:1 "));
  EXPECT_EQ(told("p").substr(told("p").find("ql_uncompressed")),
            opened.substr(opened.find("ql_uncompressed")));
  EXPECT_EQ(engine.run("LRANGE p 0 -1"), engine.run("LRANGE l 0 -1"));
  EXPECT_EQ(engine.run("DEBUG DIGEST-VALUE p"), engine.run("DEBUG DIGEST-VALUE l"));
}

TEST_F(AdminTest, DebugTellsHowTablesAreFilled) {
  EXPECT_EQ(engine.run("DEBUG HTSTATS 16"), "(ERR Out of range database)");
  EXPECT_EQ(engine.run("DEBUG HTSTATS x"), "(ERR value is not an integer or out of range)");
  EXPECT_TRUE(contains(engine.run("DEBUG HTSTATS 1"), "The table is empty"));
  engine.run("DEBUG POPULATE 5000");
  engine.run("EXPIRE key:1 1000");
  const DictStats table = engine.db().table().stats();
  const std::string text = engine.run("DEBUG HTSTATS 0");
  EXPECT_TRUE(contains(text, " entries: 5000")) << text;
  EXPECT_TRUE(contains(text, " segments: " + std::to_string(table.segments) + " of up to 64"));
  EXPECT_TRUE(contains(text, " longest probe: " + std::to_string(table.longest_probe) + " lines"));
  EXPECT_TRUE(contains(text, " deadlines: 1,"));
  EXPECT_FALSE(contains(text, "home buckets with"));
  EXPECT_TRUE(contains(engine.run("DEBUG HTSTATS 0 full"), "home buckets with 7 entries"));
  engine.run_all({"SADD s a b", "RPUSH l a"});
  const std::string none =
      "(ERR The value stored at the specified key is not represented using an hash table)";
  EXPECT_EQ(engine.run("DEBUG HTSTATS-KEY s"), none) << "it is packed";
  EXPECT_EQ(engine.run("DEBUG HTSTATS-KEY l"), none);
  EXPECT_EQ(engine.run("DEBUG HTSTATS-KEY none"), "(ERR no such key)");
  for (int i = 0; i < 1000; ++i) engine.run({"SADD", "s", "member:" + std::to_string(i)});
  EXPECT_TRUE(contains(engine.run("DEBUG HTSTATS-KEY s"), " entries: 1002"));
}

TEST_F(AdminTest, DebugTellsWhatClientsOfEachSizeHold) {
  EXPECT_EQ(engine.run("DEBUG CLIENT-EVICTION"), "(ERR maxmemory-clients is disabled.)");
  engine.run("CONFIG SET maxmemory-clients 1mb");
  TestTurns turns(engine.engine);
  TestClient client(turns);
  client.ask("PING");
  engine.engine.client_memory.keep_limit();
  const std::string text = engine.run("DEBUG CLIENT-EVICTION");
  const std::string bytes = std::to_string(engine.engine.client_memory.counted_bytes());
  EXPECT_TRUE(contains(text, bytes + ", clients: 1")) << text;
  EXPECT_TRUE(contains(text, "bucket       32768 -       65535: tot-mem:          0, clients: 0"));
}

TEST_F(AdminTest, DebugChangesTheIdOfTheStream) {
  const ReplicationId before = engine.engine.replication.history().id;
  EXPECT_EQ(engine.run("DEBUG CHANGE-REPL-ID"), "OK");
  EXPECT_NE(engine.engine.replication.history().id, before);
  EXPECT_TRUE(engine.engine.replication.history().second_id.empty());
}

TEST_F(AdminTest, DebugMatchesPatternsAndTellsSizes) {
  EXPECT_TRUE(contains(engine.run("DEBUG STRINGMATCH-TEST"), "test passed"));
  EXPECT_TRUE(contains(engine.run("DEBUG STRUCTSIZE"), "bits:64 entry:8 "));
}

TEST_F(AdminTest, ShutdownChecksItsWords) {
  EXPECT_TRUE(contains(engine.run("SHUTDOWN SAVE NOSAVE"), "syntax error"));
  EXPECT_TRUE(contains(engine.run("SHUTDOWN ABORT NOW"), "syntax error"));
  EXPECT_TRUE(contains(engine.run("SHUTDOWN ABORT"), "No shutdown in progress."));
  EXPECT_EQ(engine.host.shutdowns, 0);
  engine.run("SHUTDOWN NOSAVE");
  EXPECT_EQ(engine.host.shutdowns, 1);
}

// ---- eviction
class EvictionTest : public AdminTest {
 protected:
  // Keys of about 1 KB, then a limit below what they take.
  void fill(int keys) {
    const std::string value(1000, 'v');
    for (int i = 0; i < keys; ++i) engine.run({"SET", "key:" + std::to_string(i), value});
  }
  void limit_to_half(ByteView policy) {
    const size_t used = engine.engine.heap.used_bytes();
    const std::string bytes = std::to_string(used / 2);
    engine.run({"CONFIG", "SET", "maxmemory-policy", policy, "maxmemory", bytes});
  }
  bool fits() { return Eviction::counted_bytes(engine.engine) <= engine.options.maxmemory; }
};

TEST_F(EvictionTest, EveryAllkeysPolicyKeepsTheLimit) {
  for (const ByteView policy :
       {"allkeys-ouro", "allkeys-lru", "allkeys-lfu", "allkeys-lrm", "allkeys-random"}) {
    engine.run("CONFIG SET maxmemory 0");
    fill(500);
    const uint64_t before = engine.engine.stats.evicted_keys;
    limit_to_half(policy);
    engine.effects();
    EXPECT_TRUE(contains(engine.run("SET fresh v"), "OK")) << policy;
    EXPECT_TRUE(fits()) << policy;
    EXPECT_GT(engine.engine.stats.evicted_keys, before) << policy;
    EXPECT_GT(engine.db().size(), 100U) << policy;
  }
}

// Strings of 1 byte to 40 KB, new ones and changed ones: after each write memory is above the limit
// by what that write brought at most. Large and small ones take turns, so that the number of keys
// swings, and the tables with it.
TEST_F(EvictionTest, TheLimitHoldsUnderAStormOfWrites) {
  fill(2000);
  limit_to_half("allkeys-ouro");
  Prng prng(20261127);
  // What is appended to gets room for as much again. The rest is a segment more of the table and a
  // chunk of the order of eviction, 4 KiB each, and the entry.
  const auto allowance = [](size_t value_bytes) { return 2 * value_bytes + 9_KiB; };
  size_t most_over = 0;
  for (int i = 0; i < 60'000; ++i) {
    const size_t most = i / 5000 % 2 == 0 ? 200 : 40'000;
    const std::string value(1 + prng.below(most), 'v');
    const std::string number = std::to_string(prng.below(20'000));
    const ByteView command = i % 3 == 0 ? "APPEND" : "SET";
    ASSERT_FALSE(contains(engine.run({command, "key:" + number, value}), "ERR"));
    const size_t counted = Eviction::counted_bytes(engine.engine);
    const Entry* entry = engine.db().find(engine.db().key("key:" + number));
    ASSERT_NE(entry, nullptr);
    NumberText text;
    ASSERT_LE(counted, engine.options.maxmemory + allowance(entry->text(text).size())) << i;
    if (counted > engine.options.maxmemory)
      most_over = std::max(most_over, counted - engine.options.maxmemory);
  }
  // The limit was met, not stayed away from.
  EXPECT_GT(most_over, 0U);
  EXPECT_GT(engine.engine.stats.evicted_keys, 1000U);
}

// They leave when the turn ends, unless the peer does not read them.
TEST_F(EvictionTest, RepliesCostKeysOnlyIfTheyStay) {
  fill(500);
  limit_to_half("allkeys-random");
  const Engine& its = engine.engine;
  const uint64_t before = its.stats.evicted_keys;
  OutBuffer out(engine.engine.heap);
  out.append(std::string(100'000, 'r'));
  EXPECT_TRUE(engine.engine.eviction.make_room(engine.engine));
  EXPECT_EQ(its.stats.evicted_keys, before);
  engine.engine.eviction.begin_turn(its);
  EXPECT_FALSE(fits());
  EXPECT_TRUE(engine.engine.eviction.make_room(engine.engine));
  EXPECT_GT(its.stats.evicted_keys, before + 50);
  out.clear();
  engine.engine.eviction.begin_turn(its);
  EXPECT_EQ(engine.engine.heap.unsent_bytes(), 0U);
}

// As Redis bounds it in time: in proportion up to the default, then 15 % more a step.
TEST_F(EvictionTest, TenacitySaysHowManyKeysOneCallRemoves) {
  engine.run("CONFIG SET maxmemory-policy allkeys-random");
  const auto removed = [&](const std::string& tenacity) {
    fill(6'000);
    engine.run("CONFIG SET maxmemory-eviction-tenacity " + tenacity);
    const uint64_t before = engine.engine.stats.evicted_keys;
    engine.options.maxmemory = 1;
    (void)engine.engine.eviction.make_room(engine.engine);
    engine.options.maxmemory = 0;
    return engine.engine.stats.evicted_keys - before;
  };
  EXPECT_EQ(removed("0"), 16U);
  EXPECT_EQ(removed("1"), 409U);
  EXPECT_EQ(removed("5"), 2048U);
  EXPECT_EQ(removed("10"), 4096U);
  EXPECT_EQ(removed("11"), 4710U);
  EXPECT_EQ(removed("100"), 6'000U);
  EXPECT_EQ(Eviction::keys_max(20), 16'570U);
  for (uint64_t tenacity = 1; tenacity <= 100; ++tenacity)
    EXPECT_GT(Eviction::keys_max(tenacity), Eviction::keys_max(tenacity - 1)) << tenacity;
}

// Takes what is to go to the log, and never writes it.
class Gatherer final : public EffectSink {
 public:
  explicit Gatherer(Heap& heap) : writer(heap, {}) {}
  void on_group(std::span<const Effect> effects, GroupKind kind) override {
    writer.append(effects, kind, 0);
  }
  void on_command(DbIndex db, Argv argv, ByteView raw) override {
    writer.append_one(db, argv, raw, 0);
  }

  AofWriter writer;
};

// Between two looks of whoever writes the log, too.
TEST_F(EvictionTest, WhatWaitsForTheLogCostsNoKeys) {
  fill(100);
  Gatherer log(engine.engine.heap);
  engine.engine.commit.attach(log);
  engine.engine.persistence.log_writer = &log.writer;
  const size_t used = engine.engine.heap.used_bytes();
  engine.run({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory",
              std::to_string(used + 100'000)});
  const std::string value(1000, 'w');
  for (int i = 0; i < 1000; ++i) engine.run({"SET", "key:1", value});
  EXPECT_GT(log.writer.memory_bytes(), 1_MiB);
  EXPECT_GT(engine.engine.heap.used_bytes(), engine.options.maxmemory);
  EXPECT_TRUE(fits());
  EXPECT_EQ(engine.engine.stats.evicted_keys, 0U);
  const size_t counted = Eviction::counted_bytes(engine.engine);
  (void)log.writer.take();
  log.writer.release();
  EXPECT_LT(engine.engine.heap.used_bytes(), engine.options.maxmemory);
  EXPECT_EQ(Eviction::counted_bytes(engine.engine), counted);
  engine.engine.persistence.log_writer = nullptr;
  engine.engine.commit.detach(log);
}

TEST_F(EvictionTest, TheTimeAboveTheLimitIsCounted) {
  const auto expect_ms = [&](int64_t now, int64_t in_all) {
    const std::string info = engine.run("INFO stats");
    const auto line = [](const char* name, int64_t ms) {
      return name + std::to_string(ms) + "\r\n";
    };
    EXPECT_TRUE(contains(info, line("current_eviction_exceeded_time:", now))) << info;
    EXPECT_TRUE(contains(info, line("total_eviction_exceeded_time:", in_all))) << info;
  };
  fill(100);
  expect_ms(0, 0);
  limit_to_half("noeviction");
  EXPECT_TRUE(contains(engine.run("SET more v"), "OOM"));
  engine.pass(70);
  expect_ms(70, 70);
  engine.run("CONFIG SET maxmemory 0");
  engine.run("SET more v");
  engine.pass(50);
  expect_ms(0, 70);
  limit_to_half("noeviction");
  EXPECT_TRUE(contains(engine.run("SET more v"), "OOM"));
  engine.pass(5);
  expect_ms(5, 75);
  engine.run("CONFIG RESETSTAT");
  expect_ms(0, 0);
}

TEST_F(EvictionTest, LruKeepsWhatWasReadLately) {
  fill(400);
  engine.pass(1000 * 1000);
  for (int i = 0; i < 100; ++i) engine.run("GET key:" + std::to_string(i));
  limit_to_half("allkeys-lru");
  int kept = 0;
  for (int i = 0; i < 100; ++i)
    kept += engine.db().find(engine.db().key("key:" + std::to_string(i))) != nullptr;
  EXPECT_TRUE(fits());
  EXPECT_GT(kept, 90);
}

// Redis 8.6: reading is no change.
TEST_F(EvictionTest, LrmKeepsWhatWasChangedLately) {
  engine.run("CONFIG SET maxmemory-policy allkeys-lrm");
  fill(400);
  engine.pass(1000 * 1000);
  for (int i = 0; i < 100; ++i) engine.run("APPEND key:" + std::to_string(i) + " w");
  engine.pass(1000 * 1000);
  for (int i = 100; i < 400; ++i) engine.run("GET key:" + std::to_string(i));
  limit_to_half("allkeys-lrm");
  int kept = 0;
  for (int i = 0; i < 100; ++i)
    kept += engine.db().find(engine.db().key("key:" + std::to_string(i))) != nullptr;
  EXPECT_TRUE(fits());
  EXPECT_GT(kept, 90);
}

TEST_F(EvictionTest, VolatilePoliciesLeaveOtherKeysAlone) {
  for (const ByteView policy : {"volatile-ouro", "volatile-lru", "volatile-lfu", "volatile-lrm",
                                "volatile-random", "volatile-ttl"}) {
    engine.run("CONFIG SET maxmemory 0");
    fill(200);
    for (int i = 0; i < 150; ++i)
      engine.run("EXPIRE key:" + std::to_string(i) + " " + std::to_string(1000 + i));
    limit_to_half(policy);
    EXPECT_TRUE(fits()) << policy;
    for (int i = 150; i < 200; ++i) {
      EXPECT_NE(engine.db().find(engine.db().key("key:" + std::to_string(i))), nullptr) << policy;
    }
  }
}

TEST_F(EvictionTest, VolatileTtlTakesTheNearestDeadlinesFirst) {
  fill(100);
  for (int i = 0; i < 100; ++i)
    engine.run("EXPIRE key:" + std::to_string(i) + " " + std::to_string(1000 + i));
  limit_to_half("volatile-ttl");
  int first_kept = 0;
  while (engine.db().find(engine.db().key("key:" + std::to_string(first_kept))) == nullptr)
    ++first_kept;
  EXPECT_GT(first_kept, 0);
  EXPECT_EQ(engine.db().size(), static_cast<size_t>(100 - first_kept));
}

TEST_F(EvictionTest, WithoutEvictionWritesAreRefusedAndReadsAreNot) {
  fill(100);
  limit_to_half("noeviction");
  EXPECT_TRUE(contains(engine.run("SET fresh v"),
                       "OOM command not allowed when used memory > 'maxmemory'."));
  EXPECT_TRUE(contains(engine.run("STRLEN key:1"), "1000"));
  EXPECT_EQ(engine.db().size(), 100U);
  limit_to_half("volatile-lru");
  EXPECT_TRUE(contains(engine.run("SET fresh v"), "OOM"));
}

TEST(Eviction, ALimitThatATransactionSetsEvictsBehindIt) {
  EngineFixture engine{kTransactionCommands, kConfigCommands, kStringCommands, kKeyCommands};
  TestTurns turns(engine.engine);
  TestClient client(turns);
  EXPECT_EQ(client.ask("MULTI; INCR x; CONFIG SET maxmemory-policy allkeys-lru maxmemory 1; "
                       "INCR x; EXEC"),
            "+OK +QUEUED +QUEUED +QUEUED *3 :1 +OK :2");
  while (engine.engine.run_slices()) {
  }
  EXPECT_EQ(engine.effects(), "(; 0: INCR x; 0: INCR x; ); 0: DEL x");
  EXPECT_EQ(engine.db().size(), 0U);
}

TEST_F(EvictionTest, UseCountersGrowSlowlyAndDecay) {
  engine.run("CONFIG SET maxmemory-policy allkeys-lfu");
  engine.pass(1);
  engine.run("SET k v");
  const auto uses = [&] {
    return Eviction::use_count(*engine.db().find(engine.db().key("k")), engine.now, 1);
  };
  EXPECT_GE(uses(), Eviction::kUsesOfNew);
  for (int i = 0; i < 1000; ++i) engine.run("GET k");
  const uint32_t many = uses();
  EXPECT_GT(many, Eviction::kUsesOfNew);
  EXPECT_LT(many, 60U);
  engine.pass(3 * 60 * 1000);
  EXPECT_EQ(uses(), many - 3);
  engine.pass(1000 * 60 * 1000);
  EXPECT_EQ(uses(), 0U);
}

}  // namespace
}  // namespace ouro
