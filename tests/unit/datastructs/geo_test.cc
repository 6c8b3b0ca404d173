// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/geo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

using geo::Point;
using geo::Shape;

constexpr Point kPalermo = {13.361389, 38.115556};
constexpr Point kCatania = {15.087269, 37.502669};

TEST(Geo, APlaceIsFoundAgainWithinAMeter) {
  Prng prng(1);
  for (int i = 0; i < 10'000; ++i) {
    const Point point{prng.unit() * 360 - 180, prng.unit() * 170 - 85};
    const Point decoded = geo::decode(static_cast<double>(geo::encode(point)));
    ASSERT_LT(geo::distance_m(point, decoded), 1);
    // What was decoded is coded as the same.
    ASSERT_EQ(geo::encode(decoded), geo::encode(point));
  }
}

// As redis-server 7.0.15 answers.
TEST(Geo, ScoresAndDistancesAreThoseOfRedis) {
  EXPECT_EQ(geo::encode(kPalermo), 3479099956230698U);
  EXPECT_EQ(geo::encode({180, 85.05112878}), 13510798882111488U);
  const Point palermo = geo::decode(3479099956230698);
  EXPECT_EQ(palermo.longitude, 13.36138933897018433);
  EXPECT_EQ(palermo.latitude, 38.11555639549629859);
  EXPECT_NEAR(geo::distance_m(palermo, geo::decode(3479447370796909)), 166274.1516, 0.0001);
  const auto text = geo::text_of(geo::decode(3479447370796909));
  EXPECT_EQ(std::string(text.data(), text.size()), "sqdtr74hyu0");
}

// Sorted sets hold any number; none of them is undefined.
TEST(Geo, AnyScoreIsSomePlace) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double score : {-1.0, 1e300, -1e300, kInfinity, -kInfinity, 0x1p63, 0x1p64, 0.5}) {
    EXPECT_TRUE(geo::is_valid(geo::decode(score))) << score;
  }
  EXPECT_EQ(geo::decode(-1).longitude, 180);
  EXPECT_NEAR(geo::decode(kInfinity).longitude, -180, 1e-5);
}

bool is_among(const Shape::Stretches& stretches, double score) {
  const auto used = stretches.used();
  return std::any_of(used.begin(), used.end(), [score](const Shape::Stretch& stretch) {
    return stretch.min <= score && score < stretch.max;
  });
}

// Places inside a circle, found by their distance, beside the cells that are searched for it.
TEST(Geo, TheCellsOfACircleHaveAllOfIt) {
  Prng prng(2);
  for (int round = 0; round < 2000; ++round) {
    const Point center{prng.unit() * 340 - 170, prng.unit() * 130 - 65};
    const double radius_m = std::pow(10, 1 + prng.unit() * 5);
    const Shape circle = Shape::circle(center, radius_m);
    const auto stretches = circle.stretches();
    for (int i = 0; i < 50; ++i) {
      const double reach = radius_m / 100'000;
      const Point near{center.longitude + (prng.unit() * 4 - 2) * reach,
                       center.latitude + (prng.unit() * 2 - 1) * reach};
      if (!geo::is_valid(near)) continue;
      const double distance = geo::distance_m(center, near);
      const auto within = circle.distance_within(near);
      ASSERT_EQ(within.has_value(), distance <= radius_m);
      if (!within) continue;
      ASSERT_EQ(*within, distance);
      ASSERT_TRUE(is_among(stretches, static_cast<double>(geo::encode(near))));
    }
  }
}

TEST(Geo, StretchesDoNotOverlap) {
  Prng prng(3);
  for (int round = 0; round < 5000; ++round) {
    const Point center{prng.unit() * 360 - 180, prng.unit() * 170 - 85};
    auto stretches = Shape::circle(center, std::pow(10, prng.unit() * 8)).stretches();
    std::sort(stretches.all.begin(), stretches.all.begin() + stretches.count,
              [](const auto& a, const auto& b) { return a.min < b.min; });
    for (size_t i = 1; i < stretches.count; ++i) {
      ASSERT_LE(stretches.all[i - 1].max, stretches.all[i].min);
    }
  }
}

TEST(Geo, ABoxHasItsSides) {
  const Shape box = Shape::box({0, 0}, 400'000, 200'000);
  EXPECT_TRUE(box.distance_within({1.79, 0.89}));
  EXPECT_FALSE(box.distance_within({1.81, 0}));
  EXPECT_FALSE(box.distance_within({0, 0.91}));
}

// A horseshoe: its middle is outside of it.
TEST(Geo, APolygonMayBeHollow) {
  const Shape horseshoe =
      Shape::polygon({{0, 0}, {10, 0}, {10, 10}, {8, 10}, {8, 2}, {2, 2}, {2, 10}, {0, 10}});
  EXPECT_TRUE(horseshoe.distance_within({1, 9}));
  EXPECT_TRUE(horseshoe.distance_within({9, 9}));
  EXPECT_TRUE(horseshoe.distance_within({5, 1}));
  EXPECT_FALSE(horseshoe.distance_within({5, 5}));
  EXPECT_FALSE(horseshoe.distance_within({11, 5}));
}

TEST(Geo, TheCellsOfAPolygonHaveAllOfIt) {
  Prng prng(4);
  for (int round = 0; round < 1000; ++round) {
    const double size = std::pow(10, prng.unit() * 4 - 2);
    const Point corner{prng.unit() * 300 - 150, prng.unit() * 100 - 50};
    std::vector<Point> vertices;
    for (uint64_t i = 3 + prng.below(6); i > 0; --i) {
      vertices.push_back({std::clamp(corner.longitude + prng.unit() * size, -180.0, 180.0),
                          std::clamp(corner.latitude + prng.unit() * size, -85.0, 85.0)});
    }
    const Shape polygon = Shape::polygon(vertices);
    const auto stretches = polygon.stretches();
    for (int i = 0; i < 50; ++i) {
      const Point point{corner.longitude + prng.unit() * size,
                        corner.latitude + prng.unit() * size};
      if (!geo::is_valid(point) || !polygon.distance_within(point)) continue;
      ASSERT_TRUE(is_among(stretches, static_cast<double>(geo::encode(point))));
    }
  }
}

}  // namespace
}  // namespace ouro
