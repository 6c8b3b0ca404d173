// SPDX-License-Identifier: BSD-3-Clause
#include "server/protect/ttl_spread.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

constexpr HashSeed kSeed{7};

TEST(SpreadTtl, IsNeverLongerThanAskedAndNeverNothing) {
  for (uint64_t i = 0; i < 10'000; ++i) {
    const Hash64 hash = hash_bytes(std::to_string(i), kSeed);
    EXPECT_EQ(spread_ttl(60'000, 0, hash, 5), 60'000);
    const Millis ttl = spread_ttl(60'000, 20, hash, 5);
    EXPECT_LE(ttl, 60'000);
    EXPECT_GE(ttl, 48'000);
    EXPECT_EQ(spread_ttl(1, 100, hash, 5), 1);
  }
}

TEST(SpreadTtl, DrawsAnewForEachKeyAndEachMoment) {
  const Hash64 hash = hash_bytes("key", kSeed);
  EXPECT_EQ(spread_ttl(60'000, 50, hash, 5), spread_ttl(60'000, 50, hash, 5));
  EXPECT_NE(spread_ttl(60'000, 50, hash, 5), spread_ttl(60'000, 50, hash, 6));
  EXPECT_NE(spread_ttl(60'000, 50, hash, 5), spread_ttl(60'000, 50, hash_bytes("kez", kSeed), 5));
}

// 100,000 keys of 60 s, spread by 20 %: their ends fill twelve seconds evenly.
TEST(SpreadTtl, TheBusiestSecondIsLittleAboveTheMean) {
  std::array<int, 60> ends{};
  for (int i = 0; i < 100'000; ++i) {
    const Hash64 hash = hash_bytes("key:" + std::to_string(i), kSeed);
    // Ends at 60 s sharp belong to the second before.
    ++ends[static_cast<size_t>((spread_ttl(60'000, 20, hash, 1'000'000) - 1) / 1000)];
  }
  const int busiest = *std::max_element(ends.begin(), ends.end());
  EXPECT_LE(busiest, 1.05 * 100'000 / 12);
  for (size_t second = 0; second < ends.size(); ++second) {
    EXPECT_EQ(ends[second] > 0, second >= 48) << second;
  }
}

TEST(SpreadTtl, LongTimesDoNotOverflow) {
  const Hash64 hash = hash_bytes("key", kSeed);
  const Millis century = 100LL * 365 * 24 * 3'600'000;
  EXPECT_GE(spread_ttl(century, 10, hash, 5), century / 10 * 9);
  EXPECT_LE(spread_ttl(century, 10, hash, 5), century);
}

TEST(EarlyLoad, NeverWithoutALoadTimeOrBetaAndAlwaysAtTheEnd) {
  Prng prng(1);
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(should_load_early({.fresh_until = 1001, .load_time = 0}, 1000, prng.unit()));
    const EarlyLoad never{.fresh_until = 1001, .load_time = 5'000'000, .beta = 0};
    EXPECT_FALSE(should_load_early(never, 1000, prng.unit()));
    EXPECT_TRUE(should_load_early({.fresh_until = 1000, .load_time = 1000}, 1000, prng.unit()));
  }
}

// The chance at the time t before the end is exp(-t / (load time x beta)).
TEST(EarlyLoad, IsAsLikelyAsThePaperSays) {
  Prng prng(2);
  const auto share = [&](double beta, Millis left) {
    int early = 0;
    constexpr int kDraws = 200'000;
    for (int i = 0; i < kDraws; ++i) {
      const EarlyLoad value{.fresh_until = 10'000 + left, .load_time = 100'000, .beta = beta};
      early += should_load_early(value, 10'000, prng.unit()) ? 1 : 0;
    }
    return static_cast<double>(early) / kDraws;
  };
  EXPECT_NEAR(share(1, 100), 0.3679, 0.005);
  EXPECT_NEAR(share(1, 300), 0.0498, 0.003);
  EXPECT_NEAR(share(2, 100), 0.6065, 0.005);
  EXPECT_NEAR(share(0.5, 100), 0.1353, 0.005);
}

// A key that is read each millisecond and loads in 100 ms is never found ended: who draws early
// loads once, while the others go on with what is there.
TEST(EarlyLoad, AKeyThatIsReadOftenIsNeverMissed) {
  Prng prng(3);
  constexpr Millis kTtl = 1000;
  constexpr Millis kLoad = 100;
  UnixMs fresh_until = kTtl;
  UnixMs loaded_at = 0;  // > 0: somebody loads
  int misses = 0, loads = 0;
  for (UnixMs now = 1; now < 1'000'000; ++now) {
    if (loaded_at == now) {
      fresh_until = now + kTtl;
      loaded_at = 0;
    }
    if (now >= fresh_until) ++misses;
    const EarlyLoad value{.fresh_until = fresh_until, .load_time = kLoad * 1000};
    if (loaded_at == 0 && should_load_early(value, now, prng.unit())) {
      loaded_at = now + kLoad;
      ++loads;
    }
  }
  EXPECT_EQ(misses, 0);
  // Each value serves some 600 ms before its successor is begun, and 100 ms meanwhile.
  EXPECT_GT(loads, 1000);
  EXPECT_LT(loads, 2000);
}

}  // namespace
}  // namespace ouro
