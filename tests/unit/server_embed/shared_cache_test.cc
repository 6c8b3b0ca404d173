// SPDX-License-Identifier: BSD-3-Clause
// The cache of many threads: spreading of keys, commands over shards, single flight.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include "server/embed/ouro.h"

namespace ouro {
namespace {

struct FakeClock {
  static CacheTime read(void* self) {
    const int64_t passed_ms = static_cast<FakeClock*>(self)->passed_ms.load();
    return {.unix_ms = 1'700'000'000'000 + passed_ms, .monotonic_us = 1'000'000 + passed_ms * 1000};
  }
  std::atomic<int64_t> passed_ms = 0;
};

SharedCache open_shared(CacheOptions options = {}, size_t shards = 8) {
  options.seed = 1;
  Outcome<SharedCache> cache = SharedCache::open(options, shards);
  EXPECT_FALSE(cache.is_error()) << cache.error();
  return std::move(*cache);
}

template <class Fn>
void on_threads(int count, Fn fn) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(fn, i);
  for (std::thread& thread : threads) thread.join();
}

TEST(SharedCache, HasTheSameCallsAsACache) {
  SharedCache cache = open_shared();
  for (int i = 0; i < 1000; ++i) cache.set("k" + std::to_string(i), std::to_string(i));
  EXPECT_EQ(cache.size(), 1000U);
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(cache.get("k" + std::to_string(i)).value_or(""), std::to_string(i));
  EXPECT_EQ(*cache.incr("n", 3), 3);
  EXPECT_EQ(*cache.zadd("z", 1, "m"), 1);
  EXPECT_EQ(*cache.lrange("none", 0, -1), std::vector<std::string>());
  size_t bytes = 0;
  EXPECT_TRUE(
      cache.get("k7", [&](std::string_view value) { bytes = value.size(); }).value_or(false));
  EXPECT_EQ(bytes, 1U);
  EXPECT_TRUE(cache.mset({"a", "1", "b", "2", "c", "3"}).value_or(false));
  EXPECT_EQ(*cache.mget({"a", "none", "z", "c"}),
            (std::vector<std::optional<std::string>>{"1", std::nullopt, std::nullopt, "3"}));
  EXPECT_EQ(*cache.del({"a", "b", "none"}), 2);
  EXPECT_GT(cache.used_bytes(), 20'000U);
  EXPECT_TRUE(SharedCache::open({.databases = 2}).is_error());
  EXPECT_TRUE(SharedCache::open({}, 0).is_error());
}

TEST(SharedCache, CommandsGoToTheShardOfTheirKeys) {
  SharedCache cache = open_shared();
  EXPECT_EQ(cache.execute({"SET", "k", "v"}).text, "OK");
  EXPECT_EQ(cache.execute({"GET", "k"}).text, "v");
  EXPECT_EQ(*cache.get("k"), "v");
  // Of 40 keys two lie on different shards, and several on that of the first.
  std::string same;
  std::string other;
  for (int i = 0; i < 40; ++i) {
    const std::string key = "k" + std::to_string(i);
    const Answer answer = cache.execute({"DEL", "k", key});
    (answer.is_error() ? other : same) = key;
    EXPECT_EQ(answer.text.substr(0, 9), answer.is_error() ? "CROSSSLOT" : "");
  }
  ASSERT_NE(same, "");
  ASSERT_NE(other, "");
  cache.set("k", "v");
  EXPECT_EQ(cache.execute({"RENAME", "k", same}).text, "OK");
  EXPECT_TRUE(cache.execute({"RENAME", same, other}).is_error());
  EXPECT_EQ(*cache.get(same), "v");
}

TEST(SharedCache, CommandsWithoutKeysConcernAllShardsOrNone) {
  SharedCache cache = open_shared();
  for (int i = 0; i < 100; ++i) cache.set("k" + std::to_string(i), "v");
  EXPECT_EQ(cache.execute({"DBSIZE"}).integer, 100);
  EXPECT_EQ(cache.execute({"KEYS", "k*"}).items.size(), 100U);
  EXPECT_EQ(cache.execute({"RANDOMKEY"}).text.substr(0, 1), "k");
  EXPECT_EQ(cache.execute({"ECHO", "hi"}).text, "hi");
  EXPECT_TRUE(cache.execute({"SCAN", "0"}).is_error());
  const std::string sha = cache.execute({"SCRIPT", "LOAD", "return 1"}).text;
  const Answer known = cache.execute({"SCRIPT", "EXISTS", sha, std::string(40, '0')});
  ASSERT_EQ(known.items.size(), 2U);
  EXPECT_EQ(known.items[0].integer, 1);
  EXPECT_EQ(known.items[1].integer, 0);
  EXPECT_TRUE(cache.execute({"MULTI"}).is_error());
  EXPECT_TRUE(cache.execute({"WATCH", "k1"}).is_error());
  EXPECT_EQ(cache.execute({"GET"}).text, "ERR wrong number of arguments for 'get' command");
  EXPECT_EQ(cache.execute({"FLUSHALL"}).text, "OK");
  EXPECT_EQ(cache.size(), 0U);
}

TEST(SharedCache, WithHoldsOneShardForSeveralCalls) {
  SharedCache cache = open_shared();
  on_threads(4, [&](int) {
    for (int i = 0; i < 1000; ++i) {
      cache.with("balance", [](Cache& shard) {
        const int64_t before = std::stoll(shard.get("balance").value_or("0"));
        shard.set("balance", std::to_string(before + 1));
      });
    }
  });
  EXPECT_EQ(*cache.get("balance"), "4000");
  EXPECT_THROW(cache.with("k", [](Cache&) { throw std::runtime_error("stop"); }),
               std::runtime_error);
  EXPECT_TRUE(cache.set("k", "the lock was given back").value_or(false));
}

TEST(SharedCache, ThreadsLoseNothing) {
  SharedCache cache = open_shared({}, 4);
  on_threads(4, [&](int number) {
    for (int i = 0; i < 2000; ++i) {
      cache.incr("shared");
      cache.set("k" + std::to_string(number) + ":" + std::to_string(i), "v");
      cache.sadd("members", std::to_string(i));
    }
  });
  EXPECT_EQ(*cache.get("shared"), "8000");
  EXPECT_EQ(*cache.scard("members"), 2000);
  EXPECT_EQ(cache.size(), 8002U);
}

TEST(SharedCache, TimePassesWithoutTicks) {
  FakeClock clock;
  CacheOptions options;
  options.clock = FakeClock::read;
  options.clock_context = &clock;
  SharedCache cache = open_shared(options);
  cache.set("k", "v", {.ttl_ms = 100});
  clock.passed_ms = 99;
  EXPECT_TRUE(cache.get("k").has_value());
  clock.passed_ms = 100;
  EXPECT_FALSE(cache.get("k").has_value());
  for (int i = 0; i < 100; ++i) cache.set("k" + std::to_string(i), "v", {.ttl_ms = 10});
  clock.passed_ms = 200;
  cache.tick();
  EXPECT_EQ(cache.size(), 0U);
}

TEST(SharedCache, MemoryIsDividedAmongShards) {
  CacheOptions options;
  options.maxmemory_bytes = 16 << 20;
  options.maxmemory_policy = "allkeys-random";
  SharedCache cache = open_shared(options, 4);
  const std::string value(1000, 'x');
  for (int i = 0; i < 40'000; ++i)
    ASSERT_TRUE(cache.set("k" + std::to_string(i), value).value_or(false));
  EXPECT_LT(cache.used_bytes(), options.maxmemory_bytes + (256 << 10));
  EXPECT_GT(cache.size(), 8000U);
}

// Eight threads miss one key. The one who loads waits until the others have come, so all of them
// share its flight.
TEST(SharedCache, OneThreadLoadsForAll) {
  constexpr int kThreads = 8;
  SharedCache cache = open_shared();
  std::atomic<int> loads = 0;
  std::atomic<int> right = 0;
  std::latch started(kThreads);
  on_threads(kThreads, [&](int) {
    started.count_down();
    const Outcome<std::string> value = cache.get_or_load(
        "k",
        [&] {
          started.wait();
          ++loads;
          return std::string("loaded");
        },
        60'000);
    if (value.value_or("") == "loaded") ++right;
  });
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(right, kThreads);
  EXPECT_EQ(*cache.get("k"), "loaded");
  EXPECT_GT(*cache.ttl_ms("k"), 50'000);
}

TEST(SharedCache, LoadersOfDifferentKeysRunAtOnce) {
  SharedCache cache = open_shared({}, 1);
  std::latch both(2);
  on_threads(2, [&](int number) {
    // Each waits for the other: a lock held while loading would stop them for ever.
    cache.get_or_load("k" + std::to_string(number), [&] {
      both.arrive_and_wait();
      return std::string("v");
    });
  });
  EXPECT_EQ(cache.size(), 2U);
}

// Whoever waits gets what the leader got; whoever comes later tries anew. How many wait is up to
// the scheduler, so each of the rounds counts only that nobody got anything else.
TEST(SharedCache, ExceptionsReachAllWhoWait) {
  SharedCache cache = open_shared();
  std::atomic<int> thrown = 0;
  std::atomic<int> loads = 0;
  std::latch started(4);
  on_threads(4, [&](int) {
    started.count_down();
    try {
      cache.get_or_load("k", [&]() -> std::string {
        started.wait();
        ++loads;
        throw std::runtime_error("database is down");
      });
    } catch (const std::runtime_error& error) {
      if (std::string_view(error.what()) == "database is down") ++thrown;
    }
  });
  EXPECT_EQ(thrown, 4);
  EXPECT_GE(loads, 1);
  EXPECT_FALSE(cache.exists("k").value_or(true));
  EXPECT_EQ(*cache.get_or_load("k", [] { return std::string("up again"); }), "up again");
}

TEST(SharedCache, AbsenceAndErrorsOfALoaderAreNotStored) {
  SharedCache cache = open_shared();
  EXPECT_FALSE(cache.get_or_load("k", [] { return std::optional<std::string>(); }).has_value());
  EXPECT_EQ(cache.get_or_load("k", [] { return Outcome<std::string>::failure("down"); }).error(),
            "down");
  EXPECT_EQ(cache.size(), 0U);
}

TEST(SharedCache, LoadersMayAskForOtherKeysButNotForTheirOwn) {
  SharedCache cache = open_shared({}, 1);
  const auto inner = [&] {
    return cache.get_or_load("b", [] { return std::string("B"); }).value_or("?") + "!";
  };
  EXPECT_EQ(*cache.get_or_load("a", inner), "B!");
  const auto own = [&] { return cache.get_or_load("c", [] { return std::string("never"); }); };
  EXPECT_EQ(cache.get_or_load("c", own).error(), "ERR a loader asks for its own key");
}

}  // namespace
}  // namespace ouro
