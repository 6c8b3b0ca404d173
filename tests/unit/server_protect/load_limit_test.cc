// SPDX-License-Identifier: BSD-3-Clause
#include "server/protect/load_limit.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

constexpr Instant kMilli = 1000;
constexpr Instant kSecond = 1'000'000;

struct LoadLimitTest : testing::Test {
  bool may_begin() { return limit.next_begin(now) <= now; }
  // Begins a load that may take 3 s.
  uint64_t begin() {
    EXPECT_TRUE(may_begin());
    limit.begin(++token, now, now + 3 * kSecond);
    return token;
  }
  void end(uint64_t which, LoadEnd how = LoadEnd::kAnswered) { limit.end(which, how, now); }
  // As many as are allowed from now on for so long, tried each millisecond.
  int count_begun(Instant span, LoadEnd how) {
    int begun = 0;
    for (const Instant over = now + span; now < over; now += kMilli) {
      while (may_begin()) {
        end(begin(), how);
        ++begun;
      }
    }
    return begun;
  }
  void fail(uint32_t times) {
    for (uint32_t i = 0; i < times; ++i) end(++token, LoadEnd::kFailed);
  }

  Heap heap;
  LoadLimit limit{heap};
  Instant now = 1000 * kSecond;
  uint64_t token = 0;
};

TEST_F(LoadLimitTest, WithoutBoundsAnyNumberMayBegin) {
  for (int i = 0; i < 1000; ++i) begin();
  EXPECT_TRUE(may_begin());
  EXPECT_EQ(limit.in_flight(now), 0U);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST_F(LoadLimitTest, SoManyAtOnce) {
  limit.set_limits({.loads = 3});
  const uint64_t first = begin();
  begin();
  begin();
  EXPECT_FALSE(may_begin());
  EXPECT_EQ(limit.in_flight(now), 3U);
  end(first);
  EXPECT_TRUE(may_begin());
  begin();
  EXPECT_FALSE(may_begin());
  // A token that is not in flight makes no room.
  end(first);
  end(999);
  EXPECT_FALSE(may_begin());
}

TEST_F(LoadLimitTest, ALoadThatNobodyEndsIsOverAtItsTime) {
  limit.set_limits({.loads = 2});
  limit.begin(1, now, now + 5 * kSecond);
  limit.begin(2, now, now + 2 * kSecond);
  EXPECT_EQ(limit.next_begin(now), now + 2 * kSecond);
  now += 2 * kSecond - 1;
  EXPECT_FALSE(may_begin());
  now += 1;
  EXPECT_TRUE(may_begin());
  EXPECT_EQ(limit.in_flight(now), 1U);
  now += 3 * kSecond;
  EXPECT_EQ(limit.in_flight(now), 0U);
}

TEST_F(LoadLimitTest, TheHintIsHowLongALoadUsuallyTakes) {
  limit.set_limits({.loads = 1});
  for (int i = 0; i < 50; ++i) {
    const uint64_t load = begin();
    now += 40 * kMilli;
    end(load);
  }
  begin();
  EXPECT_NEAR(static_cast<double>(limit.next_begin(now) - now), 40e3, 1e3);
  // But never later than the load's own end.
  now += 3 * kSecond - kMilli;
  EXPECT_EQ(limit.next_begin(now), now + kMilli);
}

TEST_F(LoadLimitTest, FewerAtOnceHoldsForTheNext) {
  limit.set_limits({.loads = 3});
  const uint64_t loads[] = {begin(), begin(), begin()};
  limit.set_limits({.loads = 1});
  end(loads[0]);
  end(loads[1]);
  EXPECT_FALSE(may_begin());
  end(loads[2]);
  EXPECT_TRUE(may_begin());
}

TEST_F(LoadLimitTest, SoManyInAPeriod) {
  limit.set_limits({.rate_count = 10, .rate_period = 1000});
  for (int i = 0; i < 10; ++i) begin();
  EXPECT_FALSE(may_begin());
  // The next when one's share of the time is over.
  EXPECT_EQ(limit.next_begin(now), now + 100 * kMilli);
  now += 100 * kMilli - 1;
  EXPECT_FALSE(may_begin());
  now += 1;
  EXPECT_TRUE(may_begin());
  const int begun = count_begun(100 * kSecond, LoadEnd::kAnswered);
  EXPECT_GE(begun, 999);
  EXPECT_LE(begun, 1001);
}

TEST_F(LoadLimitTest, BothBoundsHold) {
  limit.set_limits({.loads = 2, .rate_count = 3, .rate_period = 1000});
  const uint64_t first = begin();
  begin();
  EXPECT_FALSE(may_begin());
  end(first);
  const uint64_t third = begin();
  end(third);
  // One in flight, but three in this period.
  EXPECT_EQ(limit.in_flight(now), 1U);
  EXPECT_FALSE(may_begin());
}

TEST_F(LoadLimitTest, FiveFailuresInARowHalveTheRateEachSecond) {
  limit.set_limits({.rate_count = 64, .rate_period = 1000});
  fail(4);
  EXPECT_FALSE(limit.is_tripped());
  fail(1);
  ASSERT_TRUE(limit.is_tripped());
  for (const int most : {32, 16, 8, 4, 2, 1, 1, 1}) {
    const int begun = count_begun(kSecond, LoadEnd::kFailed);
    EXPECT_LE(begun, most + 1) << most;
    EXPECT_GE(begun, most - 1) << most;
  }
  // Never less than one a second, for that is how it finds out.
  EXPECT_GE(count_begun(100 * kSecond, LoadEnd::kFailed), 99);
}

TEST_F(LoadLimitTest, OneSuccessEndsIt) {
  limit.set_limits({.rate_count = 64, .rate_period = 1000});
  fail(5);
  now += 10 * kSecond;
  const uint64_t probe = begin();
  EXPECT_FALSE(may_begin());
  end(probe);
  EXPECT_FALSE(limit.is_tripped());
  // The rest of its own rate.
  EXPECT_GE(count_begun(kSecond, LoadEnd::kAnswered), 64);
}

TEST_F(LoadLimitTest, ASuccessBetweenFailuresKeepsItClosed) {
  for (int i = 0; i < 10; ++i) {
    fail(4);
    end(++token);
  }
  EXPECT_FALSE(limit.is_tripped());
}

TEST_F(LoadLimitTest, ExpiredLoadsCountAsFailures) {
  limit.set_limits({.loads = 10});
  std::vector<uint64_t> loads;
  for (int i = 0; i < 5; ++i) loads.push_back(begin());
  now += 3 * kSecond;
  for (const uint64_t load : loads) end(load, LoadEnd::kExpired);
  EXPECT_TRUE(limit.is_tripped());
  // Its loads are over by then; that alone is no failure.
  EXPECT_EQ(limit.in_flight(now), 0U);
}

TEST_F(LoadLimitTest, WhereNoRateIsSetItHalvesWhatBeganBefore) {
  for (int i = 0; i < 200; ++i) {
    end(begin());
    now += 5 * kMilli;
  }
  fail(5);
  const int begun = count_begun(kSecond, LoadEnd::kFailed);
  EXPECT_GE(begun, 95);
  EXPECT_LE(begun, 105);
  const int then = count_begun(kSecond, LoadEnd::kFailed);
  EXPECT_GE(then, 47);
  EXPECT_LE(then, 53);
}

TEST_F(LoadLimitTest, ASlowRateIsNotMadeFasterByTheFloor) {
  limit.set_limits({.rate_count = 1, .rate_period = 60'000});
  begin();
  fail(5);
  now += 10 * kSecond;
  EXPECT_FALSE(may_begin());
  EXPECT_EQ(limit.next_begin(now), now + 50 * kSecond);
}

// Whatever comes, no more than LOADS are in flight: beside a plain set of (token, until).
TEST_F(LoadLimitTest, NeverMoreAtOnceThanAllowed) {
  constexpr uint32_t kLoads = 20;
  limit.set_limits({.loads = kLoads});
  Prng prng(5);
  std::set<std::pair<Instant, uint64_t>> model;
  for (int step = 0; step < 100'000; ++step) {
    now += static_cast<Instant>(prng.below(20)) * kMilli;
    while (!model.empty() && model.begin()->first <= now) model.erase(model.begin());
    ASSERT_EQ(limit.in_flight(now), model.size());
    ASSERT_EQ(may_begin(), model.size() < kLoads);
    if (may_begin() && prng.below(3) != 0) {
      const Instant until = now + static_cast<Instant>(prng.below(1000) + 1) * kMilli;
      limit.begin(++token, now, until);
      model.emplace(until, token);
    } else if (!model.empty()) {
      auto which = model.begin();
      std::advance(which, static_cast<std::ptrdiff_t>(prng.below(model.size())));
      limit.end(which->second, LoadEnd::kAnswered, now);
      model.erase(which);
    }
  }
}

}  // namespace
}  // namespace ouro
