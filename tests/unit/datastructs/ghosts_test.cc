// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/ghosts.h"

#include <gtest/gtest.h>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

TEST(Ghosts, AreFoundOnceAndTellWhoSentThem) {
  Heap heap;
  Ghosts ghosts(heap);
  Prng prng(1);
  for (int i = 0; i < 100; ++i) ghosts.approach(1000);
  const Hash64 one = prng.next();
  const Hash64 other = prng.next();
  ghosts.add(one, GhostOf::kTrial);
  ghosts.add(other, GhostOf::kKept);
  EXPECT_EQ(ghosts.take(other).origin, GhostOf::kKept);
  EXPECT_FALSE(ghosts.take(other).is);
  const Ghosts::Found found = ghosts.take(one);
  EXPECT_TRUE(found.is);
  EXPECT_EQ(found.origin, GhostOf::kTrial);
}

// As many stay as there are places, the latest; strangers are seldom taken for one.
TEST(Ghosts, TheLatestStay) {
  Heap heap;
  Ghosts ghosts(heap);
  constexpr size_t kPlaces = 31 * 300;
  for (int i = 0; i < 400; ++i) ghosts.approach(kPlaces);
  EXPECT_EQ(ghosts.places(), kPlaces);
  std::vector<Hash64> sent;
  Prng prng(2);
  for (size_t i = 0; i < 4 * kPlaces; ++i) {
    sent.push_back(prng.next());
    ghosts.add(sent.back(), GhostOf::kTrial);
  }
  size_t strangers = 0;
  for (size_t i = 0; i < kPlaces; ++i) strangers += ghosts.take(prng.next()).is;
  EXPECT_LT(strangers, kPlaces / 500);
  size_t late = 0;
  for (size_t i = 0; i < kPlaces / 2; ++i) late += ghosts.take(sent[sent.size() - 1 - i]).is;
  EXPECT_GT(late, kPlaces / 2 * 85 / 100);
  size_t early = 0;
  for (size_t i = 0; i < kPlaces; ++i) early += ghosts.take(sent[i]).is;
  EXPECT_LT(early, kPlaces / 100);
}

TEST(Ghosts, GrowAndShrinkByLinesAndKeepMostOfWhatTheyHave) {
  Heap heap;
  {
    Ghosts ghosts(heap);
    Prng prng(3);
    std::vector<Hash64> sent;
    for (size_t i = 0; i < 20'000; ++i) {
      ghosts.approach(i);
      sent.push_back(prng.next());
      ghosts.add(sent.back(), GhostOf::kTrial);
    }
    size_t found = 0;
    for (size_t i = 15'000; i < 20'000; ++i) found += ghosts.take(sent[i]).is;
    EXPECT_GT(found, 4000U);
    const size_t full = heap.used_bytes();
    EXPECT_LT(full, 2 * 20'000U * 33 / 31 + 8192);
    for (int i = 0; i < 2000; ++i) ghosts.approach(100);
    EXPECT_LT(heap.used_bytes(), full / 4);
  }
  EXPECT_EQ(heap.used_bytes(), 0U);
}

}  // namespace
}  // namespace ouro
