// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_rewrite_policy.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

using Answer = AofRewritePolicy::Answer;
constexpr AofRewritePolicy::Options kOptions = {.growth_percent = 100, .min_bytes = 1000};
constexpr Millis kMinute = 60'000;

TEST(AofRewritePolicy, ASmallFileIsLeftAlone) {
  AofRewritePolicy policy;
  EXPECT_EQ(policy.due(1000, kOptions, 0), Answer::kNo);
  EXPECT_EQ(policy.due(1001, kOptions, 0), Answer::kYes);
}

TEST(AofRewritePolicy, GrowthCountsFromTheLastRewrite) {
  AofRewritePolicy policy;
  policy.on_base(5000);
  EXPECT_EQ(policy.due(9999, kOptions, 0), Answer::kNo);
  EXPECT_EQ(policy.due(10000, kOptions, 0), Answer::kYes);
  EXPECT_EQ(policy.growth_percent(10000), 100);
  policy.on_success(2000);
  EXPECT_EQ(policy.due(4000, kOptions, 0), Answer::kYes);
  EXPECT_EQ(policy.due(3999, kOptions, 0), Answer::kNo);
}

TEST(AofRewritePolicy, ZeroPercentIsNever) {
  AofRewritePolicy policy;
  EXPECT_EQ(policy.due(UINT64_MAX, {.growth_percent = 0, .min_bytes = 0}, 0), Answer::kNo);
  EXPECT_EQ(policy.due(UINT64_MAX, {.growth_percent = 1, .min_bytes = 0}, 0), Answer::kYes);
}

TEST(AofRewritePolicy, AfterThreeFailuresItWaitsLongerEachTime) {
  AofRewritePolicy policy;
  policy.on_failure();
  policy.on_failure();
  EXPECT_EQ(policy.due(5000, kOptions, 0), Answer::kYes);
  policy.on_failure();
  UnixMs now = 0;
  for (const int64_t minutes : {1, 2, 4, 8, 16, 32, 60, 60}) {
    EXPECT_EQ(policy.due(5000, kOptions, now), Answer::kWaits);
    EXPECT_EQ(policy.delay_minutes(), minutes);
    now += minutes * kMinute - 1;
    EXPECT_EQ(policy.due(5000, kOptions, now), Answer::kNo);
    EXPECT_EQ(policy.due(5000, kOptions, ++now), Answer::kYes);
    policy.on_failure();
  }
  policy.on_success(1);
  EXPECT_EQ(policy.due(5000, kOptions, now), Answer::kYes);
  EXPECT_EQ(policy.delay_minutes(), 0);
}

}  // namespace
}  // namespace ouro
