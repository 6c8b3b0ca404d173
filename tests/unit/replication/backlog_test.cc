// SPDX-License-Identifier: BSD-3-Clause
#include "replication/backlog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

std::string sent(OutBuffer& out) {
  std::string bytes;
  while (!out.empty()) {
    ByteView views[8];
    const size_t count = out.gather(kReleaseAll, views);
    size_t taken = 0;
    for (size_t i = 0; i < count; ++i) {
      bytes.append(views[i]);
      taken += views[i].size();
    }
    out.consume(taken);
  }
  return bytes;
}

class BacklogTest : public ::testing::Test {
 protected:
  std::string from(const Backlog& backlog, uint64_t offset, size_t bytes_max = ~size_t{0}) {
    OutBuffer out(heap);
    (void)backlog.send(offset, bytes_max, out);
    return sent(out);
  }
  Heap heap;
};

TEST_F(BacklogTest, KeepsTheLastBytesUpToItsLimit) {
  Backlog backlog(heap, 10);
  backlog.clear(1000);
  backlog.append("0123456789");
  EXPECT_EQ(backlog.begin(), 1000U);
  EXPECT_EQ(from(backlog, 1003), "3456789");
  backlog.append("abc");
  EXPECT_EQ(backlog.begin(), 1003U);
  EXPECT_EQ(backlog.end(), 1013U);
  EXPECT_FALSE(backlog.holds(1002));
  EXPECT_TRUE(backlog.holds(1013));
  EXPECT_FALSE(backlog.holds(1014));
  EXPECT_EQ(from(backlog, 1003, 4), "3456");
  EXPECT_EQ(from(backlog, 1013), "");
}

TEST_F(BacklogTest, KeepsWhatSomebodyNeeds) {
  Backlog backlog(heap, 10);
  backlog.clear(0);
  backlog.keep_from(0);
  const std::string many(1'000'000, 'x');
  backlog.append(many);
  EXPECT_EQ(backlog.begin(), 0U);
  EXPECT_EQ(backlog.size(), many.size());
  backlog.keep_from(500'000);
  EXPECT_EQ(backlog.begin(), 500'000U);
  EXPECT_LT(backlog.memory_bytes(), 700'000U);
  backlog.keep_from(Backlog::kNobody);
  EXPECT_EQ(backlog.size(), 10U);
}

// A replica that is let go of leaves much behind: it goes in parts.
TEST_F(BacklogTest, FreesABoundedPartAtOnce) {
  Backlog backlog(heap, 10);
  backlog.clear(0);
  backlog.keep_from(0);
  backlog.append(std::string(Backlog::kBlockBytes * 200, 'x'));
  const size_t before = backlog.memory_bytes();
  backlog.keep_from(Backlog::kNobody);
  EXPECT_EQ(backlog.size(), 10U);
  EXPECT_GT(backlog.memory_bytes(), before / 2);
  for (int turn = 0; turn < 5; ++turn) backlog.keep_from(Backlog::kNobody);
  EXPECT_LT(backlog.memory_bytes(), 2 * Backlog::kBlockBytes);
  backlog.check_invariants();
}

// Outputs point into blocks, which live for as long as that.
TEST_F(BacklogTest, WhatIsBeingSentOutlivesIt) {
  OutBuffer out(heap);
  {
    Backlog backlog(heap, 100'000);
    backlog.append(std::string(50'000, 'a'));
    EXPECT_EQ(backlog.send(0, 40'000, out), 40'000U);
    backlog.append(std::string(50'000, 'b'));
  }
  EXPECT_EQ(sent(out), std::string(40'000, 'a'));
  EXPECT_EQ(heap.used_bytes(), out.memory_bytes());
}

// Random bytes, limits and readers against one long string.
TEST_F(BacklogTest, AgreesWithAString) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Prng prng(seed);
    const uint64_t start = prng.below(1'000'000);
    size_t limit = 1 + prng.below(300'000);
    Backlog backlog(heap, limit);
    backlog.clear(start);
    std::string all;
    uint64_t needed = Backlog::kNobody;
    uint64_t begin = start;
    for (int step = 0; step < 400; ++step) {
      const uint64_t end = start + all.size();
      switch (prng.below(5)) {
        case 0:
        case 1: {
          std::string bytes(prng.below(prng.below(4) == 0 ? 200'000 : 100), '\0');
          for (char& c : bytes) c = static_cast<char>(prng.next());
          backlog.append(bytes);
          all += bytes;
          break;
        }
        case 2:
          limit = 1 + prng.below(300'000);
          backlog.set_limit(limit);
          break;
        case 3:
          needed = prng.below(3) == 0 ? Backlog::kNobody : begin + prng.below(end - begin + 1);
          backlog.keep_from(needed);
          break;
        case 4: {
          const uint64_t at = begin + prng.below(end - begin + 1);
          const size_t most = prng.below(2) == 0 ? ~size_t{0} : prng.below(100'000);
          ASSERT_EQ(from(backlog, at, most), all.substr(at - start, most));
          break;
        }
      }
      const uint64_t now = start + all.size();
      if (now - begin > limit) begin = std::max(begin, std::min(now - limit, needed));
      ASSERT_EQ(backlog.begin(), begin);
      ASSERT_EQ(backlog.end(), now);
      backlog.check_invariants();
    }
  }
  EXPECT_EQ(heap.used_bytes(), 0U);
}

}  // namespace
}  // namespace ouro
