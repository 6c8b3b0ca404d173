// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/miniature.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

// Reads of keys that are all asked for alike: what is there is hit, whatever stays of them.
TEST(Miniatures, TellTheHitRatioOfOtherMemory) {
  Heap heap;
  Miniatures all(heap, 3);
  constexpr uint64_t kKeys = 40'000;
  constexpr size_t kBytes = 2000;
  all.fit(kKeys / 2, kKeys / 2 * kBytes);
  EXPECT_GT(all.rate(), 0.01);
  Prng prng(4);
  for (uint64_t reads = 1; reads < 2'000'000; ++reads) {
    const uint64_t key = prng.below(kKeys);
    const Hash64 hash = hash_bytes({reinterpret_cast<const char*>(&key), sizeof(key)}, {5});
    if (!all.samples(hash)) continue;
    all.on_read(hash, 0, reads);
    all.on_new(hash, kBytes);
  }
  EXPECT_NEAR(all.hit_ratio(0), 0.25, 0.08);
  EXPECT_NEAR(all.hit_ratio(1), 0.5, 0.08);
  EXPECT_GT(all.hit_ratio(2), 0.9);
  EXPECT_GT(all.hit_ratio(3), 0.95);
}

// They take what they may, however many keys there are.
TEST(Miniatures, AreBounded) {
  Heap heap;
  Miniatures all(heap, 3);
  Prng prng(4);
  size_t keys = 1000;
  for (uint64_t reads = 1; reads < 3'000'000; ++reads) {
    if (reads % 10'000 == 0) {
      keys += keys / 50;
      all.fit(keys, keys * 200);
    }
    const Hash64 hash = prng.next();
    if (!all.samples(hash)) continue;
    all.on_read(hash, 0, reads);
    all.on_new(hash, 200);
  }
  EXPECT_GT(keys, 300'000U);
  EXPECT_LT(heap.used_bytes(), 1'500'000U);
}

}  // namespace
}  // namespace ouro
