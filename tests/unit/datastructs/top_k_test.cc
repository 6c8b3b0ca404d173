// SPDX-License-Identifier: BSD-3-Clause
// HeavyKeeper finds the heavy ones, and does the same thing each time.
#include "datastructs/top_k.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

struct TopKTest : testing::Test {
  ~TopKTest() override {
    top.destroy(heap);
    EXPECT_EQ(heap.used_bytes(), 0U);
  }
  void make(const TopK::Shape& shape) {
    top.destroy(heap);
    top = TopK::create(heap, shape);
  }
  // The item that left, or "".
  std::string add(ByteView item, uint32_t by = 1) {
    Blob* expelled = top.add(heap, item, by);
    if (expelled == nullptr) return "";
    const std::string name(expelled->view());
    Blob::unpin(heap, expelled);
    return name;
  }
  std::string list(const TopK& of) const {
    std::string text;
    of.for_each([&](ByteView item, uint32_t count) {
      text += std::string(item) + ":" + std::to_string(count) + " ";
    });
    return text;
  }
  std::string parts(const TopK& of) const {
    std::string all;
    of.for_each_part([&](ByteView part) { all += part; });
    return all;
  }
  void check() const {
    top.check_invariants();
    EXPECT_EQ(top.memory_bytes(), heap.used_bytes());
  }

  Heap heap;
  TopK top;
};

TEST_F(TopKTest, ListsByCount) {
  make({.k = 3, .width = 50, .depth = 5});
  EXPECT_EQ(add("a", 5), "");
  EXPECT_EQ(add("b", 9), "");
  EXPECT_EQ(add("c", 7), "");
  EXPECT_EQ(list(top), "b:9 c:7 a:5 ");
  EXPECT_EQ(add("d", 6), "a");
  EXPECT_EQ(add("e", 2), "");
  EXPECT_EQ(list(top), "b:9 c:7 d:6 ");
  EXPECT_TRUE(top.contains("d"));
  EXPECT_FALSE(top.contains("a"));
  EXPECT_EQ(top.estimate("a"), 5U);
  EXPECT_EQ(top.estimate("e"), 2U);
  EXPECT_EQ(top.estimate("none"), 0U);
  check();
}

TEST_F(TopKTest, AnIncrementOfZeroChangesNothing) {
  make({.k = 3});
  const std::string before = parts(top);
  EXPECT_EQ(add("a", 0), "");
  EXPECT_TRUE(parts(top) == before);
}

TEST_F(TopKTest, EqualCountsAreListedByName) {
  make({.k = 5, .width = 100, .depth = 4});
  for (const char* item : {"d", "a", "c", "b"}) add(item, 3);
  EXPECT_EQ(list(top), "a:3 b:3 c:3 d:3 ");
}

TEST_F(TopKTest, FindsTheHeavyOnes) {
  // 50,000 items, of which number i comes with weight 1 / (i + 1).
  constexpr int kItems = 50'000;
  std::vector<double> upto(kItems);
  double sum = 0;
  for (int i = 0; i < kItems; ++i) upto[static_cast<size_t>(i)] = sum += 1.0 / (i + 1);
  make({.k = 50, .width = 2000, .depth = 4, .decay = 0.9});
  Prng prng(17);
  std::map<std::string, uint32_t> truth;
  for (int i = 0; i < 300'000; ++i) {
    const auto at = std::lower_bound(upto.begin(), upto.end(), prng.unit() * sum);
    const std::string item = "item" + std::to_string(at - upto.begin());
    ++truth[item];
    add(item);
  }
  std::vector<std::pair<uint32_t, std::string>> order;
  for (const auto& [item, count] : truth) order.emplace_back(count, item);
  std::sort(order.rbegin(), order.rend());
  std::set<std::string> listed;
  top.for_each([&](ByteView item, uint32_t count) {
    listed.emplace(item);
    // Never more than the truth but for equal fingerprints, and little less.
    const double real = truth[std::string(item)];
    EXPECT_LE(count, real);
    EXPECT_GE(count, real * 0.9);
  });
  size_t found = 0;
  for (size_t i = 0; i < 50; ++i) found += listed.contains(order[i].second);
  EXPECT_GE(found, 48U);
  for (size_t i = 0; i < 30; ++i) EXPECT_TRUE(listed.contains(order[i].second)) << i;
  check();
}

// One row of one cell: to wear down a count of c by one takes a newcomer 1 / decay^c adds, on
// average.
TEST_F(TopKTest, DecayIsAsLikelyAsSaid) {
  constexpr double kDecay = 0.8;
  constexpr uint32_t kCount = 5;
  make({.k = 1, .width = 1, .depth = 1, .decay = kDecay});
  add("n0", kCount);
  double expected = 0;
  for (uint32_t c = 1; c <= kCount; ++c) expected += std::pow(kDecay, -static_cast<double>(c));
  double trials = 0;
  constexpr int kRounds = 20'000;
  for (int round = 1; round <= kRounds; ++round) {
    const std::string name = "n" + std::to_string(round);
    while (top.estimate(name) == 0) {
      add(name);
      ++trials;
    }
    add(name, kCount - 1);
  }
  EXPECT_NEAR(trials / kRounds, expected, expected * 0.03);
}

TEST_F(TopKTest, TheSameAddsGiveTheSameBytes) {
  const auto run = [&](TopK& on) {
    Prng prng(3);
    for (uint32_t i = 0; i < 20'000; ++i) {
      if (Blob* expelled = on.add(heap, std::to_string(prng.below(500)), 1 + i % 3U)) {
        Blob::unpin(heap, expelled);
      }
    }
  };
  make({.k = 10});
  TopK other = TopK::create(heap, {.k = 10});
  run(top);
  run(other);
  EXPECT_TRUE(parts(top) == parts(other));
  // A copy goes on like its original.
  TopK copy = other.copy(heap);
  run(top);
  run(copy);
  EXPECT_TRUE(parts(top) == parts(copy));
  EXPECT_FALSE(parts(top) == parts(other));
  copy.destroy(heap);
  other.destroy(heap);
  check();
}

TEST_F(TopKTest, KeepsTheHeapsOrder) {
  make({.k = 30, .width = 16, .depth = 3, .decay = 0.7});
  Prng prng(29);
  for (int i = 0; i < 5000; ++i) {
    add(std::to_string(prng.below(200)), static_cast<uint32_t>(prng.below(20)));
    if (i % 50 == 0) check();
  }
  size_t listed = 0;
  uint32_t last = UINT32_MAX;
  top.for_each([&](ByteView item, uint32_t count) {
    ++listed;
    EXPECT_LE(count, last);
    EXPECT_TRUE(top.contains(item));
    last = count;
  });
  EXPECT_EQ(listed, top.size());
}

TEST_F(TopKTest, LimitsAndSlices) {
  EXPECT_FALSE(TopK::fits({.k = TopK::kItemsMax + 1}));
  EXPECT_FALSE(TopK::fits({.k = 1, .width = 1, .depth = TopK::kDepthMax + 1}));
  EXPECT_FALSE(TopK::fits({.k = 1, .width = UINT32_MAX, .depth = 4000}));
  make({.k = 1000, .width = 100'000, .depth = 2});
  for (int i = 0; i < 1000; ++i) add(std::to_string(i));
  EXPECT_GT(top.free_effort(), 1000U);
  int slices = 0;
  for (bool done = false; !done; ++slices) {
    size_t budget = 100;
    done = top.free_some(heap, budget);
  }
  EXPECT_GE(slices, 10);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

}  // namespace
}  // namespace ouro
