// SPDX-License-Identifier: BSD-3-Clause
// A t-digest beside the sorted samples themselves: small ones are exact, large ones err least at
// the ends, as Dunning and Ertl promise.
#include "datastructs/t_digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

struct TDigestTest : testing::Test {
  ~TDigestTest() override {
    digest.destroy(heap);
    EXPECT_EQ(heap.used_bytes(), 0U);
  }
  void make(int64_t compression) {
    digest.destroy(heap);
    digest = TDigest::create(heap, compression);
  }
  void add(std::initializer_list<double> samples) {
    for (const double sample : samples) digest.add(heap, sample);
  }
  void check() const {
    digest.check_invariants();
    EXPECT_EQ(digest.memory_bytes(), heap.used_bytes());
  }
  std::string parts(const TDigest& of) const {
    std::string all;
    of.for_each_part([&](ByteView part) { all += part; });
    return all;
  }

  Heap heap;
  TDigest digest;
};

TEST_F(TDigestTest, AnEmptyOneHasNoAnswers) {
  make(100);
  const TDigest::View view = digest.view();
  for (const double answer : {view.quantile(0.5), view.cdf(1), view.trimmed_mean(0, 1), view.min(),
                              view.max(), digest.min(), digest.max()}) {
    EXPECT_TRUE(std::isnan(answer));
  }
  EXPECT_EQ(digest.capacity(), 610U);
  EXPECT_EQ(digest.reported_bytes(), 9768U);
  check();
}

// The example of TDIGEST.QUANTILE's documentation.
TEST_F(TDigestTest, FewSamplesAreExact) {
  make(1000);
  add({1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5});
  const TDigest::View view = digest.view();
  const double expected[] = {1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5};
  for (int i = 0; i <= 10; ++i) EXPECT_EQ(view.quantile(i / 10.0), expected[i]) << i;
  // Those below, and half of those equal.
  EXPECT_DOUBLE_EQ(view.cdf(0), 0);
  EXPECT_DOUBLE_EQ(view.cdf(1), 0.5 / 15);
  EXPECT_DOUBLE_EQ(view.cdf(2), 2.0 / 15);
  EXPECT_DOUBLE_EQ(view.cdf(3), 4.5 / 15);
  EXPECT_DOUBLE_EQ(view.cdf(3.5), 6.0 / 15);
  EXPECT_DOUBLE_EQ(view.cdf(5), 12.5 / 15);
  EXPECT_DOUBLE_EQ(view.cdf(6), 1);
  EXPECT_DOUBLE_EQ(view.trimmed_mean(0, 1), 55.0 / 15);
  // Samples 2 to 13 of 15.
  EXPECT_DOUBLE_EQ(view.trimmed_mean(0.1, 0.9), (55.0 - 1 - 5) / 13);
}

TEST_F(TDigestTest, OneSampleIsAllThereIs) {
  make(100);
  add({7});
  const TDigest::View view = digest.view();
  EXPECT_EQ(view.quantile(0), 7);
  EXPECT_EQ(view.quantile(1), 7);
  EXPECT_EQ(view.cdf(7), 0.5);
  EXPECT_EQ(view.cdf(6), 0);
  EXPECT_EQ(view.cdf(8), 1);
  EXPECT_EQ(view.trimmed_mean(0.1, 0.5), 7);
}

double exact_quantile(const std::vector<double>& sorted, double q) {
  const auto at = static_cast<size_t>(q * static_cast<double>(sorted.size()));
  return sorted[std::min(at, sorted.size() - 1)];
}

// In ranks, since that is what a digest bounds: by a quarter of what a centroid there may hold,
// which is little at the ends, and two samples.
double rank_bound(double q, double samples, int64_t compression) {
  return 0.25 * 2 * std::numbers::pi * std::log(samples) * q * (1 - q) /
             static_cast<double>(compression) +
         2 / samples;
}

TEST_F(TDigestTest, QuantilesErrLittleAndLeastAtTheEnds) {
  constexpr size_t kSamples = 200'000;
  for (const char* kind : {"uniform", "normal", "exponential", "few values", "ascending"}) {
    for (const int64_t compression : {50, 100, 500}) {
      make(compression);
      Prng prng(99);
      std::vector<double> samples;
      const ByteView name = kind;
      for (size_t i = 0; i < kSamples; ++i) {
        const double unit = prng.unit();
        double sample = unit;
        if (name == "normal")
          sample = std::sqrt(-2 * std::log(1 - unit)) * std::cos(prng.unit() * 6.2831853);
        if (name == "exponential") sample = -std::log(1 - unit);
        if (name == "few values") sample = std::floor(unit * 20);
        if (name == "ascending") sample = static_cast<double>(i);
        samples.push_back(sample);
        digest.add(heap, sample);
      }
      std::sort(samples.begin(), samples.end());
      const TDigest::View view = digest.view();
      ASSERT_EQ(view.quantile(0), samples.front());
      ASSERT_EQ(view.quantile(1), samples.back());
      for (const double q : {0.0001, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999}) {
        const double bound = rank_bound(q, kSamples, compression);
        const double value = view.quantile(q);
        EXPECT_GE(value, exact_quantile(samples, std::max(0.0, q - bound)))
            << kind << compression << " " << q;
        EXPECT_LE(value, exact_quantile(samples, std::min(1.0, q + bound)))
            << kind << compression << " " << q;
        if (name == "few values") continue;
        const double share =
            static_cast<double>(std::lower_bound(samples.begin(), samples.end(), value) -
                                samples.begin()) /
            kSamples;
        EXPECT_NEAR(view.cdf(value), share, bound) << kind << compression << " " << q;
      }
      EXPECT_LT(digest.merged_nodes(), static_cast<uint64_t>(compression) * 2);
      check();
    }
  }
}

TEST_F(TDigestTest, TheTrimmedMeanIsNearTheExactOne) {
  make(100);
  Prng prng(1);
  std::vector<double> samples;
  for (int i = 0; i < 50'000; ++i) {
    samples.push_back(-std::log(1 - prng.unit()));
    digest.add(heap, samples.back());
  }
  std::sort(samples.begin(), samples.end());
  double sum = 0;
  for (size_t i = 5'000; i < 45'000; ++i) sum += samples[i];
  EXPECT_NEAR(digest.view().trimmed_mean(0.1, 0.9), sum / 40'000, 0.01);
}

TEST_F(TDigestTest, AnswersGrowWithTheirQuestions) {
  make(30);
  Prng prng(6);
  for (int i = 0; i < 20'000; ++i) digest.add(heap, std::floor(prng.unit() * prng.unit() * 1000));
  const TDigest::View view = digest.view();
  double last = view.min();
  for (int i = 0; i <= 10'000; ++i) {
    const double value = view.quantile(i / 10'000.0);
    EXPECT_GE(value, last);
    EXPECT_LE(value, view.max());
    last = value;
  }
  double share = 0;
  for (double x = -1; x < 1001; x += 0.25) {
    const double now = view.cdf(x);
    EXPECT_GE(now, share - 1e-12) << x;
    EXPECT_LE(now, 1);
    share = now;
  }
}

TEST_F(TDigestTest, AskingChangesNothing) {
  make(100);
  for (int i = 0; i < 1000; ++i) digest.add(heap, i * 7919 % 1000);
  const std::string before = parts(digest);
  (void)digest.view().quantile(0.5);
  EXPECT_TRUE(parts(digest) == before);
  EXPECT_GT(digest.unmerged_nodes(), 0U);
}

TEST_F(TDigestTest, MergingIsNearlyAddingAll) {
  make(100);
  TDigest other = TDigest::create(heap, 200);
  std::vector<double> samples;
  Prng prng(8);
  for (int i = 0; i < 30'000; ++i) {
    samples.push_back(prng.unit() * (i % 2 == 0 ? 1 : 2));
    (i % 2 == 0 ? digest : other).add(heap, samples.back());
  }
  std::sort(samples.begin(), samples.end());
  digest.merge(heap, other);
  const TDigest::View view = digest.view();
  EXPECT_EQ(view.total(), 30'000);
  EXPECT_EQ(view.min(), samples.front());
  EXPECT_EQ(view.max(), samples.back());
  // Each digest errs, and so does what is made of both.
  for (const double x : {0.01, 0.1, 0.5, 0.9, 1.2, 1.9, 1.99}) {
    const auto below = std::lower_bound(samples.begin(), samples.end(), x) - samples.begin();
    const double share = static_cast<double>(below) / 30'000;
    EXPECT_NEAR(view.cdf(x), share, 2 * rank_bound(share, 30'000, 100)) << x;
  }
  EXPECT_EQ(digest.compression(), 100);
  other.destroy(heap);
  check();
}

TEST_F(TDigestTest, ResetAndCopy) {
  make(60);
  for (int i = 0; i < 5000; ++i) digest.add(heap, i);
  TDigest copy = digest.copy(heap);
  EXPECT_TRUE(parts(copy) == parts(digest));
  digest.reset(heap);
  EXPECT_EQ(digest.compression(), 60);
  EXPECT_EQ(digest.compressions(), 0U);
  EXPECT_EQ(digest.view().total(), 0);
  EXPECT_EQ(copy.view().total(), 5000);
  digest.add(heap, 4);
  EXPECT_EQ(digest.view().max(), 4);
  copy.destroy(heap);
  check();
}

// Sums and distances of what a double holds are more than one holds.
TEST_F(TDigestTest, AnswersOfHugeNumbersAreAmongThem) {
  constexpr double kHuge[] = {1.7e308, -1.7e308, 1e308, -1e308, 1.0, 0.0, -4.9e-324, 9e307};
  Prng prng(308);
  for (int round = 0; round < 200; ++round) {
    make(1 + static_cast<int64_t>(prng.below(100)));
    const size_t kinds = 1 + prng.below(std::size(kHuge));
    for (uint64_t left = 1 + prng.below(2000); left > 0; --left)
      digest.add(heap, kHuge[prng.below(kinds)]);
    check();
    const TDigest::View view = digest.view();
    const auto is_among = [&](double x) { return view.min() <= x && x <= view.max(); };
    double below = view.min();
    for (int i = 0; i <= 20; ++i) {
      const double value = view.quantile(i / 20.0);
      ASSERT_TRUE(is_among(value)) << i << ": " << value;
      ASSERT_GE(value, below) << i;
      below = value;
      const double share = view.cdf(value);
      ASSERT_TRUE(share >= 0 && share <= 1) << share;
      if (i == 20) continue;
      const double mean = view.trimmed_mean(i / 20.0, 1.0);
      ASSERT_TRUE(is_among(mean)) << i << ": " << mean;
    }
  }
  make(100);
  for (int i = 0; i < 10; ++i) digest.add(heap, i < 5 ? 1.5e308 : 1.7e308);
  EXPECT_NEAR(digest.view().trimmed_mean(0, 1) / 1e308, 1.6, 1e-9);
}

TEST_F(TDigestTest, EveryCompressionHasRoom) {
  Prng prng(2);
  for (int64_t compression = 1; compression < 40; ++compression) {
    make(compression);
    for (int i = 0; i < 3000; ++i) digest.add(heap, prng.unit());
    check();
  }
  make(TDigest::kCompressionMax);
  for (int i = 0; i < 200'000; ++i) digest.add(heap, prng.unit());
  check();
  EXPECT_NEAR(digest.view().quantile(0.5), 0.5, 0.01);
}

}  // namespace
}  // namespace ouro
