// SPDX-License-Identifier: BSD-3-Clause
// The promises of a count-min sketch: it never says too little, and seldom much too much.
#include "datastructs/count_min.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

struct CountMinTest : testing::Test {
  ~CountMinTest() override {
    for (CountMin& sketch : sketches) sketch.destroy(heap);
    EXPECT_EQ(heap.used_bytes(), 0U);
  }
  CountMin& make(uint64_t width, uint64_t depth) {
    sketches.push_back(CountMin::create(heap, {.width = width, .depth = depth}));
    return sketches.back();
  }
  std::string parts(const CountMin& of) {
    std::string all;
    of.for_each_part([&](ByteView part) { all += part; });
    return all;
  }

  Heap heap;
  std::vector<CountMin> sketches;
};

// CMS.INITBYPROB 0.001 0.01 makes 2000 columns and 7 rows, as the documentation's example has it.
TEST_F(CountMinTest, ShapeFollowsFromErrorAndProbability) {
  const CountMin::Shape shape = CountMin::shape_for(0.001, 0.01);
  EXPECT_EQ(shape.width, 2000U);
  EXPECT_EQ(shape.depth, 7U);
  EXPECT_EQ(CountMin::shape_for(0.5, 0.5).width, 4U);
  EXPECT_EQ(CountMin::shape_for(0.5, 0.5).depth, 1U);
  EXPECT_FALSE(CountMin::fits(CountMin::shape_for(1e-300, 0.01)));
  EXPECT_FALSE(CountMin::fits({.width = 1, .depth = CountMin::kDepthMax + 1}));
}

TEST_F(CountMinTest, EstimatesAreNeverTooSmallAndSeldomMuchTooLarge) {
  constexpr double kError = 0.002;
  constexpr double kProbability = 0.01;
  const CountMin::Shape shape = CountMin::shape_for(kError, kProbability);
  CountMin& sketch = make(shape.width, shape.depth);
  Prng prng(11);
  std::map<std::string, uint64_t> truth;
  for (int i = 0; i < 200'000; ++i) {
    // A few of 20,000 items come most of the time.
    const double unit = prng.unit();
    const std::string item = std::to_string(static_cast<int>(unit * unit * unit * 20'000));
    const uint64_t by = 1 + prng.below(3);
    truth[item] += by;
    ASSERT_GE(sketch.add(heap, item, by), truth[item]);
  }
  size_t off = 0;
  for (const auto& [item, count] : truth) {
    const uint32_t estimate = sketch.estimate(item);
    ASSERT_GE(estimate, count);
    off += static_cast<double>(estimate - count) > kError * static_cast<double>(sketch.total());
  }
  EXPECT_LE(static_cast<double>(off), kProbability * static_cast<double>(truth.size()));
  sketch.check_invariants();
  EXPECT_EQ(sketch.memory_bytes(), heap.used_bytes());
}

TEST_F(CountMinTest, CountersStopAtTheLargest) {
  CountMin& sketch = make(10, 3);
  EXPECT_EQ(sketch.add(heap, "a", UINT32_MAX - 1), UINT32_MAX - 1);
  EXPECT_EQ(sketch.add(heap, "a", 0), UINT32_MAX - 1);
  EXPECT_EQ(sketch.add(heap, "a", 5), CountMin::kCounterMax);
  EXPECT_EQ(sketch.add(heap, "a", uint64_t{1} << 40), CountMin::kCounterMax);
  EXPECT_EQ(sketch.total(), int64_t{UINT32_MAX} + 4 + (int64_t{1} << 40));
  sketch.add(heap, "a", INT64_MAX);
  EXPECT_EQ(sketch.total(), INT64_MAX);
}

TEST_F(CountMinTest, MergingEqualsCountingTogether) {
  sketches.reserve(4);
  // Several chunks, of which some stay blank.
  CountMin& a = make(20'000, 5);
  CountMin& b = make(20'000, 5);
  CountMin& both = make(20'000, 5);
  CountMin& merged = make(20'000, 5);
  Prng prng(5);
  for (int i = 0; i < 3; ++i) {
    const std::string item = std::to_string(prng.next());
    a.add(heap, item, 2);
    b.add(heap, "other" + item, 3);
    both.add(heap, item, 2 * 10);
    both.add(heap, "other" + item, 3 * 4);
  }
  merged.add(heap, "overwritten", 9);
  const CountMin* const sources[] = {&a, &b};
  const int64_t weights[] = {10, 4};
  ASSERT_TRUE(merged.merge(heap, sources, weights));
  EXPECT_TRUE(parts(merged) == parts(both));
  // Into itself.
  const CountMin* const self[] = {&a, &a};
  const int64_t ones[] = {1, 1};
  ASSERT_TRUE(a.merge(heap, self, ones));
  EXPECT_EQ(a.total(), 12);
  a.check_invariants();
}

TEST_F(CountMinTest, AMergeThatDoesNotFitChangesNothing) {
  sketches.reserve(2);
  CountMin& a = make(10, 2);
  CountMin& b = make(10, 2);
  a.add(heap, "x", 5);
  b.add(heap, "x", UINT32_MAX - 3);
  const std::string before = parts(a);
  const auto merges = [&](int64_t of_a, int64_t of_b) {
    const CountMin* const sources[] = {&a, &b};
    const int64_t weights[] = {of_a, of_b};
    return a.merge(heap, sources, weights);
  };
  EXPECT_FALSE(merges(1, 1));
  EXPECT_FALSE(merges(-1, 0));
  EXPECT_FALSE(merges(INT64_MAX, 1));
  EXPECT_FALSE(merges(1, INT64_MIN));
  EXPECT_TRUE(parts(a) == before);
  EXPECT_TRUE(merges(-1, 1));
  EXPECT_EQ(a.estimate("x"), UINT32_MAX - 8);
}

TEST_F(CountMinTest, ACopyIsApart) {
  sketches.reserve(2);
  CountMin& a = make(50'000, 4);
  a.add(heap, "x", 7);
  sketches.push_back(a.copy(heap));
  CountMin& b = sketches.back();
  a.add(heap, "x", 1);
  EXPECT_EQ(b.estimate("x"), 7U);
  EXPECT_EQ(a.memory_bytes() + b.memory_bytes(), heap.used_bytes());
}

}  // namespace
}  // namespace ouro
