// SPDX-License-Identifier: BSD-3-Clause
// HeavyHitters against exact counts: it never tells too little, and too much by at most the
// lightest counter.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/heavy_hitters.h"

namespace ouro {
namespace {

// Names whose frequencies fall as in real traffic: name i comes about once in i.
std::string draw_name(Prng& prng) {
  const uint64_t range = uint64_t{1} << (1 + prng.below(14));
  return "name:" + std::to_string(prng.below(range));
}

TEST(HeavyHittersModel, CountsAreWithinTheirBound) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Heap heap;
    {
      Prng prng(seed);
      constexpr size_t kCounters = 64;
      HeavyHitters hitters(heap, HashSeed{seed}, kCounters);
      std::map<std::string, uint64_t> exact;
      uint64_t total = 0;
      for (int i = 0; i < 20'000; ++i) {
        const std::string name = draw_name(prng);
        const uint64_t weight = prng.below(100);
        hitters.add(name, weight);
        exact[name] += weight;
        total += weight;
        if (i % 1000 == 0) hitters.check_invariants();
      }
      uint64_t lightest = ~uint64_t{0};
      std::map<std::string, uint64_t> told;
      uint64_t before = ~uint64_t{0};
      hitters.for_each_top(kCounters, [&](ByteView name, uint64_t weight) {
        EXPECT_LE(weight, before);
        before = weight;
        lightest = std::min(lightest, weight);
        told.emplace(name, weight);
      });
      EXPECT_EQ(told.size(), kCounters);
      EXPECT_LE(lightest, total / kCounters);
      for (const auto& [name, weight] : told) {
        EXPECT_GE(weight, exact[name]);
        EXPECT_LE(weight, exact[name] + lightest);
      }
      for (const auto& [name, weight] : exact) {
        if (weight > total / kCounters) {
          EXPECT_EQ(told.count(name), 1U) << name;
        }
      }
    }
    EXPECT_EQ(heap.used_bytes(), 0U);
  }
}

TEST(HeavyHittersModel, FewNamesAreCountedExactly) {
  Heap heap;
  HeavyHitters hitters(heap, HashSeed{1}, 8);
  hitters.add("a", 5);
  hitters.add("b", 7);
  hitters.add("a", 3);
  std::string told;
  hitters.for_each_top(10, [&](ByteView name, uint64_t weight) {
    told += std::string(name) + "=" + std::to_string(weight) + " ";
  });
  EXPECT_EQ(told, "a=8 b=7 ");
}

}  // namespace
}  // namespace ouro
