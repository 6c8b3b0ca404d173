// SPDX-License-Identifier: BSD-3-Clause
// The cache of one thread, from the outside: only ouro.h is included, as a host would.
#include <gtest/gtest.h>

#include <stdexcept>

#include "server/embed/ouro.h"

namespace ouro {
namespace {

// A clock that stands still until it is moved.
struct FakeClock {
  static CacheTime read(void* self) {
    const FakeClock& clock = *static_cast<FakeClock*>(self);
    return {.unix_ms = 1'700'000'000'000 + clock.passed_ms,
            .monotonic_us = 1'000'000 + clock.passed_ms * 1000};
  }
  int64_t passed_ms = 0;
};

Cache open_cache(CacheOptions options = {}) {
  options.seed = 1;
  Outcome<Cache> cache = Cache::open(options);
  EXPECT_FALSE(cache.is_error()) << cache.error();
  return std::move(*cache);
}

CacheOptions with_clock(FakeClock& clock) {
  CacheOptions options;
  options.clock = FakeClock::read;
  options.clock_context = &clock;
  return options;
}

std::string text_at(const Answer& answer, size_t index) {
  return index < answer.items.size() ? answer.items[index].text : "(missing)";
}

TEST(Cache, GivesBackWhatWasSet) {
  Cache cache = open_cache();
  EXPECT_FALSE(cache.get("k").has_value());
  EXPECT_TRUE(cache.set("k", "one").value_or(false));
  EXPECT_EQ(*cache.get("k"), "one");
  const std::string binary("a\0b\r\n", 5);
  cache.set(binary, binary);
  EXPECT_EQ(*cache.get(binary), binary);
  EXPECT_EQ(cache.size(), 2U);
}

TEST(Cache, GetShowsTheStoredBytesInEveryEncoding) {
  Cache cache = open_cache();
  for (const std::string& value : {std::string("123456"), std::string("-9"), std::string("short"),
                                   std::string(100'000, 'x'), std::string()}) {
    cache.set("k", value);
    std::string seen = "nothing";
    EXPECT_TRUE(cache.get("k", [&](std::string_view bytes) { seen = bytes; }).value_or(false));
    EXPECT_EQ(seen, value);
  }
  EXPECT_FALSE(cache.get("absent", [](std::string_view) { FAIL(); }).value_or(true));
}

TEST(Cache, SetHasConditions) {
  Cache cache = open_cache();
  EXPECT_FALSE(cache.set("k", "1", {.only_existing = true}).value_or(true));
  EXPECT_TRUE(cache.set("k", "1", {.only_new = true}).value_or(false));
  EXPECT_FALSE(cache.set("k", "2", {.only_new = true}).value_or(true));
  EXPECT_EQ(*cache.get("k"), "1");
  EXPECT_EQ(cache.set("k", "2", {.only_new = true, .only_existing = true}).error(),
            "ERR syntax error");
  EXPECT_EQ(cache.set("k", "2", {.ttl_ms = -5}).error(),
            "ERR invalid expire time in 'set' command");
}

TEST(Cache, KeysEndByTheHostsClock) {
  FakeClock clock;
  Cache cache = open_cache(with_clock(clock));
  cache.set("short", "v", {.ttl_ms = 100});
  cache.set("long", "v", {.ttl_ms = 1000});
  cache.set("kept", "v");
  EXPECT_TRUE(cache.expire("kept", 50).value_or(false));
  EXPECT_TRUE(cache.persist("kept").value_or(false));
  EXPECT_EQ(*cache.ttl_ms("short"), 100);
  EXPECT_EQ(*cache.ttl_ms("kept"), -1);
  EXPECT_FALSE(cache.ttl_ms("absent").has_value());
  clock.passed_ms = 100;
  EXPECT_TRUE(cache.get("short").has_value()) << "time moves by tick() alone";
  cache.tick();
  EXPECT_FALSE(cache.get("short").has_value());
  EXPECT_EQ(*cache.ttl_ms("long"), 900);
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_TRUE(cache.set("long", "w", {.keep_ttl = true}).value_or(false));
  clock.passed_ms = 1000;
  cache.tick();
  EXPECT_FALSE(cache.exists("long").value_or(true));
  EXPECT_EQ(*cache.get("kept"), "v");
}

TEST(Cache, TicksRemoveKeysThatNobodyAsksFor) {
  FakeClock clock;
  Cache cache = open_cache(with_clock(clock));
  for (int i = 0; i < 5000; ++i) cache.set("k" + std::to_string(i), "v", {.ttl_ms = 10});
  clock.passed_ms = 11;
  int ticks = 1;
  while (cache.tick()) ++ticks;
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_GT(ticks, 1) << "one tick takes a bounded slice";
}

TEST(Cache, NumbersCount) {
  Cache cache = open_cache();
  EXPECT_EQ(*cache.incr("n"), 1);
  EXPECT_EQ(*cache.incr("n", 41), 42);
  EXPECT_EQ(*cache.decr("n", 2), 40);
  EXPECT_EQ(*cache.append("n", "x"), 3);
  EXPECT_EQ(cache.incr("n").error(), "ERR value is not an integer or out of range");
  EXPECT_EQ(*cache.strlen("n"), 3);
  EXPECT_EQ(*cache.getset("n", "new"), "40x");
  EXPECT_EQ(*cache.getdel("n"), "new");
  EXPECT_FALSE(cache.getdel("n").has_value());
}

TEST(Cache, SeveralKeysAtOnce) {
  Cache cache = open_cache();
  EXPECT_TRUE(cache.mset({"a", "1", "b", "2"}).value_or(false));
  const auto values = cache.mget({"a", "absent", "b"});
  ASSERT_TRUE(values.has_value());
  ASSERT_EQ(values->size(), 3U);
  EXPECT_EQ((*values)[0], "1");
  EXPECT_FALSE((*values)[1].has_value());
  EXPECT_EQ((*values)[2], "2");
  EXPECT_EQ(*cache.del({"a", "b", "c"}), 2);
  EXPECT_EQ(cache.mset({"a", "1", "b"}).error(),
            "ERR wrong number of arguments for 'mset' command");
}

TEST(Cache, ResultsMayBeRangedOverAtOnce) {
  Cache cache = *Cache::open();
  cache.rpush("l", {"a text that needs memory of its own", "b"});
  std::string joined;
  for (const std::string& text : *cache.lrange("l", 0, -1)) joined += text + ';';
  EXPECT_EQ(joined, "a text that needs memory of its own;b;");
}

TEST(Cache, Hashes) {
  Cache cache = open_cache();
  EXPECT_EQ(*cache.hset("h", "a", "1"), 1);
  EXPECT_EQ(*cache.hset("h", {"a", "2", "b", "3"}), 1);
  EXPECT_EQ(*cache.hget("h", "a"), "2");
  EXPECT_FALSE(cache.hget("h", "none").has_value());
  EXPECT_TRUE(cache.hexists("h", "b").value_or(false));
  EXPECT_EQ(*cache.hlen("h"), 2);
  EXPECT_EQ(*cache.hincr("h", "b", 4), 7);
  EXPECT_EQ(*cache.hmget("h", {"b", "none"}),
            (std::vector<std::optional<std::string>>{"7", std::nullopt}));
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(*cache.hgetall("h"), (Pairs{{"a", "2"}, {"b", "7"}}));
  EXPECT_EQ(*cache.hgetall("none"), Pairs());
  EXPECT_EQ(*cache.hdel("h", "a"), 1);
  EXPECT_EQ(cache.hincr("h", "b", INT64_MAX).error(), "ERR increment or decrement would overflow");
}

TEST(Cache, ListsSetsAndSortedSets) {
  Cache cache = open_cache();
  EXPECT_EQ(*cache.rpush("l", {"b", "c"}), 2);
  EXPECT_EQ(*cache.lpush("l", "a"), 3);
  EXPECT_EQ(*cache.lrange("l", 0, -1), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(*cache.lpop("l"), "a");
  EXPECT_EQ(*cache.rpop("l"), "c");
  EXPECT_EQ(*cache.llen("l"), 1);
  EXPECT_FALSE(cache.lpop("none").has_value());

  EXPECT_EQ(*cache.sadd("s", {"x", "y", "x"}), 2);
  EXPECT_TRUE(cache.sismember("s", "x").value_or(false));
  EXPECT_FALSE(cache.sismember("s", "z").value_or(true));
  EXPECT_EQ(*cache.srem("s", "x"), 1);
  EXPECT_EQ(*cache.smembers("s"), (std::vector<std::string>{"y"}));
  EXPECT_EQ(*cache.scard("s"), 1);
  EXPECT_EQ(*cache.spop("s"), "y");

  EXPECT_EQ(*cache.zadd("z", 1.5, "m"), 1);
  EXPECT_EQ(*cache.zadd("z", -2, "n"), 1);
  EXPECT_EQ(*cache.zscore("z", "m"), 1.5);
  EXPECT_FALSE(cache.zscore("z", "none").has_value());
  EXPECT_EQ(*cache.zincr("z", 1e300, "m"), 1e300);
  EXPECT_EQ(*cache.zrank("z", "m"), 1);
  EXPECT_FALSE(cache.zrank("z", "none").has_value());
  EXPECT_EQ(*cache.zrange("z", 0, -1), (std::vector<std::string>{"n", "m"}));
  const auto scored = cache.zrange_with_scores("z", 0, 0);
  ASSERT_TRUE(scored.has_value());
  ASSERT_EQ(scored->size(), 1U);
  EXPECT_EQ((*scored)[0].text, "n");
  EXPECT_EQ((*scored)[0].score, -2);
  EXPECT_EQ(*cache.zrem("z", "n"), 1);
  EXPECT_EQ(*cache.zcard("z"), 1);
  EXPECT_EQ(*cache.type("z"), "zset");
}

TEST(Cache, ErrorsAreValuesWithRedisTexts) {
  Cache cache = open_cache();
  cache.rpush("l", "a");
  const std::string wrong_type =
      "WRONGTYPE Operation against a key holding the wrong kind of value";
  EXPECT_EQ(cache.get("l").error(), wrong_type);
  EXPECT_EQ(cache.get("l", [](std::string_view) { FAIL(); }).error(), wrong_type);
  EXPECT_EQ(cache.incr("l").error(), wrong_type);
  EXPECT_EQ(cache.smembers("l").error(), wrong_type);
  EXPECT_EQ(cache.zscore("l", "m").error(), wrong_type);
  EXPECT_EQ(cache.zrange_with_scores("l", 0, 1).error(), wrong_type);
  const Answer answer = cache.execute({"SADD", "l", "m"});
  EXPECT_TRUE(answer.is_error());
  EXPECT_EQ(answer.text, wrong_type);
  EXPECT_EQ(cache.execute({"NOSUCH", "x"}).text,
            "ERR unknown command 'NOSUCH', with args beginning with: 'x' ");
  EXPECT_EQ(cache.execute({"GET"}).text, "ERR wrong number of arguments for 'get' command");
  EXPECT_TRUE(cache.execute(Words()).is_error());
}

TEST(Cache, ExecuteAnswersTrees) {
  Cache cache = open_cache();
  EXPECT_EQ(cache.execute({"SET", "k", "v"}).text, "OK");
  EXPECT_TRUE(cache.execute({"GET", "absent"}).is_nil());
  EXPECT_EQ(cache.execute({"STRLEN", "k"}).integer, 1);
  cache.execute({"ZADD", "z", "1.5", "m", "2", "n"});
  const Answer scored = cache.execute({"ZRANGE", "z", "0", "-1", "WITHSCORES"});
  ASSERT_EQ(scored.kind, Answer::Kind::kArray);
  ASSERT_EQ(scored.items.size(), 2U);
  EXPECT_EQ(text_at(scored.items[0], 0), "m");
  EXPECT_EQ(scored.items[0].items[1].kind, Answer::Kind::kReal);
  EXPECT_EQ(scored.items[0].items[1].real, 1.5);
  cache.sadd("s", "one");
  EXPECT_EQ(cache.execute({"SMEMBERS", "s"}).kind, Answer::Kind::kSet);
  const Answer docs = cache.execute({"COMMAND", "DOCS", "get"});
  ASSERT_EQ(docs.kind, Answer::Kind::kMap);
  const Answer* get = docs.find("get");
  ASSERT_NE(get, nullptr);
  ASSERT_NE(get->find("group"), nullptr);
  EXPECT_EQ(get->find("group")->text, "string");
  EXPECT_EQ(get->find("none"), nullptr);
  const Answer scan = cache.execute({"SCAN", "0", "COUNT", "100"});
  ASSERT_EQ(scan.items.size(), 2U);
  EXPECT_EQ(scan.items[1].items.size(), 3U);
}

TEST(Cache, TransactionsHoldWhatExecuteIsGiven) {
  Cache cache = open_cache();
  EXPECT_EQ(cache.execute({"MULTI"}).text, "OK");
  EXPECT_EQ(cache.execute({"INCR", "n"}).text, "QUEUED");
  EXPECT_EQ(*cache.incr("n", 10), 10) << "typed calls are never queued";
  EXPECT_EQ(cache.execute({"GET", "n"}).text, "QUEUED");
  const Answer answers = cache.execute({"EXEC"});
  ASSERT_EQ(answers.items.size(), 2U);
  EXPECT_EQ(answers.items[0].integer, 11);
  EXPECT_EQ(text_at(answers, 1), "11");

  cache.execute({"WATCH", "n"});
  cache.set("n", "1");
  cache.execute({"MULTI"});
  cache.execute({"INCR", "n"});
  EXPECT_TRUE(cache.execute({"EXEC"}).is_nil()) << "the typed call broke the watch";
}

TEST(Cache, BlockingCommandsAnswerAtOnce) {
  Cache cache = open_cache();
  EXPECT_TRUE(cache.execute({"BLPOP", "l", "0"}).is_nil());
  cache.rpush("l", "a");
  EXPECT_EQ(text_at(cache.execute({"BLPOP", "l", "0"}), 1), "a");
}

// A connection's reader would have refused them: what is kept has lengths of 32 bits at most.
TEST(Cache, LongArgumentsAreRefused) {
  CacheOptions options;
  options.settings = {{"proto-max-bulk-len", "1mb"}};
  Cache cache = std::move(*Cache::open(options));
  const std::string fits(1 << 20, 'v');
  const std::string too_long = fits + "v";
  EXPECT_TRUE(cache.set("k", fits).has_value());
  EXPECT_TRUE(cache.set("k", too_long).is_error());
  EXPECT_TRUE(cache.hset("h", "f", too_long).is_error());
  EXPECT_TRUE(cache.execute({"SADD", "s", too_long}).is_error());
  EXPECT_EQ(*cache.get("k"), fits);
  options.settings = {{"proto-max-bulk-len", "4gb"}};
  EXPECT_TRUE(Cache::open(options).is_error());
}

// What needs a connection or a server says so; nothing of it may touch the host.
TEST(Cache, CommandsOfAServerAnswerErrors) {
  Cache cache = open_cache();
  for (const WordList argv :
       {WordList{"REPLICAOF", "1.1.1.1", "1"}, WordList{"SLAVEOF", "NO", "ONE"},
        WordList{"FAILOVER"}, WordList{"SAVE"}, WordList{"BGSAVE"}, WordList{"BGREWRITEAOF"},
        WordList{"SHUTDOWN"}, WordList{"MIGRATE", "h", "1", "k", "0", "1"},
        WordList{"CLIENT", "PAUSE", "1"}, WordList{"CLIENT", "KILL", "ID", "1"},
        WordList{"DEBUG", "SEGFAULT"}, WordList{"DEBUG", "RELOAD"}, WordList{"DEBUG", "LOADAOF"},
        WordList{"PSYNC", "?", "-1"}}) {
    EXPECT_EQ(cache.execute(argv).text, "ERR this command needs a server") << *argv.begin();
  }
  for (const WordList argv :
       {WordList{"SUBSCRIBE", "c"}, WordList{"MONITOR"}, WordList{"HELLO", "3"},
        WordList{"CLIENT", "LIST", "ID"}, WordList{"CLIENT", "SETNAME", "x"}, WordList{"SHUTDOWN"},
        WordList{"CONFIG", "REWRITE"}, WordList{"CLIENT", "REPLY", "OFF"}}) {
    EXPECT_TRUE(cache.execute(argv).is_error()) << *argv.begin();
  }
  EXPECT_EQ(cache.execute({"PING"}).text, "PONG");
}

TEST(Cache, DatabasesAreApart) {
  Cache cache = open_cache({.databases = 4});
  cache.set("k", "zero");
  EXPECT_TRUE(cache.select(3));
  EXPECT_FALSE(cache.get("k").has_value());
  cache.set("k", "three");
  EXPECT_EQ(cache.execute({"SELECT", "0"}).text, "OK");
  EXPECT_EQ(*cache.get("k"), "zero") << "SELECT holds for typed calls too";
  EXPECT_FALSE(cache.select(4));
}

TEST(Cache, ManyCachesInOneProcessShareNothing) {
  std::vector<Cache> caches;
  for (int i = 0; i < 20; ++i) caches.push_back(open_cache());
  for (size_t i = 0; i < caches.size(); ++i) caches[i].set("k", std::to_string(i));
  caches[3].execute({"FLUSHALL"});
  for (size_t i = 0; i < caches.size(); ++i) {
    EXPECT_EQ(caches[i].get("k").value_or("none"), i == 3 ? "none" : std::to_string(i));
  }
  const size_t before = caches[4].used_bytes();
  caches[5].set("large", std::string(100'000, 'x'));
  EXPECT_EQ(caches[4].used_bytes(), before) << "memory is counted apart";
  EXPECT_GT(caches[5].used_bytes(), before + 90'000);
}

TEST(Cache, MemoryLimitRefusesOrEvicts) {
  CacheOptions options;
  options.maxmemory_bytes = 4 << 20;
  Cache refusing = open_cache(options);
  const std::string value(1000, 'x');
  std::string error;
  for (int i = 0; i < 10'000 && error.empty(); ++i)
    error = refusing.set("k" + std::to_string(i), value).error();
  EXPECT_EQ(error, "OOM command not allowed when used memory > 'maxmemory'.");
  EXPECT_TRUE(refusing.get("k0").has_value()) << "reading goes on";
  EXPECT_EQ(*refusing.del("k0"), 1);

  options.maxmemory_policy = "allkeys-lru";
  Cache evicting = open_cache(options);
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_TRUE(evicting.set(key, value).value_or(false));
    ASSERT_LT(evicting.used_bytes(), options.maxmemory_bytes + (64 << 10));
  }
  EXPECT_GT(evicting.size(), 2000U);
  EXPECT_LT(evicting.size(), 5000U);
}

TEST(Cache, OptionsHaveNames) {
  Cache cache = open_cache(
      {.settings = {{"hash-max-listpack-entries", "2"}, {"set-max-intset-entries", "3"}}});
  cache.sadd("s", {"1", "2", "3"});
  EXPECT_EQ(cache.execute({"OBJECT", "ENCODING", "s"}).text, "intset");
  cache.sadd("s", "4");
  EXPECT_EQ(cache.execute({"OBJECT", "ENCODING", "s"}).text, "hashtable");

  EXPECT_EQ(Cache::open({.maxmemory_policy = "lru"}).error().substr(0, 17), "maxmemory-policy:");
  EXPECT_EQ(Cache::open({.settings = {{"maxmemory-sample", "3"}}}).error(),
            "unknown parameter 'maxmemory-sample', did you mean 'maxmemory-samples'?");
  EXPECT_TRUE(Cache::open({.databases = 0}).is_error());
}

TEST(Cache, GetOrLoadLoadsOnce) {
  FakeClock clock;
  Cache cache = open_cache(with_clock(clock));
  int loads = 0;
  const auto load = [&] { return "v" + std::to_string(++loads); };
  EXPECT_EQ(*cache.get_or_load("k", load, 100), "v1");
  EXPECT_EQ(*cache.get_or_load("k", load, 100), "v1");
  clock.passed_ms = 101;
  cache.tick();
  EXPECT_EQ(*cache.get_or_load("k", load), "v2");
  EXPECT_EQ(*cache.ttl_ms("k"), -1);
}

TEST(Cache, GetOrLoadStoresNoAbsenceAndNoError) {
  Cache cache = open_cache();
  EXPECT_FALSE(cache.get_or_load("k", [] { return std::optional<std::string>(); }).has_value());
  EXPECT_EQ(cache.get_or_load("k", [] { return Outcome<std::string>::failure("database is down"); })
                .error(),
            "database is down");
  EXPECT_THROW(cache.get_or_load("k", []() -> std::string { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(*cache.get_or_load("k", [] { return std::optional<std::string>("v"); }), "v");
  cache.rpush("l", "a");
  EXPECT_TRUE(cache.get_or_load("l", []() -> std::string { return "never"; }).is_error());
}

TEST(Cache, WhatAHostsFunctionThrowsPassesThroughGet) {
  Cache cache = open_cache();
  cache.set("k", "v");
  EXPECT_THROW((void)cache.get("k", [](std::string_view) { throw std::runtime_error("stop"); }),
               std::runtime_error);
  EXPECT_EQ(*cache.get("k"), "v");
}

TEST(Cache, LinesOfTheLogGoToTheHost) {
  // The engine has little to say; that a sink is kept and nothing is printed is what can be seen.
  size_t lines = 0;
  CacheOptions options;
  options.log = [](void* count, CacheLogLevel, std::string_view) {
    ++*static_cast<size_t*>(count);
  };
  options.log_context = &lines;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  {
    Cache cache = open_cache(options);
    cache.execute({"SHUTDOWN"});
    cache.execute({"FLUSHALL"});
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Cache, ReadingIsUsing) {
  FakeClock clock;
  Cache cache = open_cache(with_clock(clock));
  cache.set("k", "v");
  clock.passed_ms = 90'000;
  cache.tick();
  EXPECT_EQ(cache.execute({"OBJECT", "IDLETIME", "k"}).integer, 90);
  EXPECT_TRUE(cache.get("k").has_value());
  EXPECT_EQ(cache.execute({"OBJECT", "IDLETIME", "k"}).integer, 0);
}

}  // namespace
}  // namespace ouro
