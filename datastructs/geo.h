// SPDX-License-Identifier: BSD-3-Clause
// Places on the Earth as scores of a sorted set, and the stretches of scores where those near a
// point are found. All arithmetic is Redis's, down to the last bit of a double, so that answers
// are.
//
// A place is a geohash of 52 bits, which a double holds exactly: longitude and latitude are cut
// into 2^26 parts each, and the bits of the two numbers alternate (longitude in the odd bits; a
// Z-order curve, Morton 1966). Halving both sides `step` times makes a grid whose cells are
// stretches of scores:
//
//      latitude  85.05 +----+----+----+----+          step 2: 16 cells, the upper four bits of the
//                      | 5  | 7  | 13 | 15 |          geohash, that is all scores in
//                      +----+----+----+----+          [bits << 48, (bits + 1) << 48)
//                      | 4  | 6  | 12 | 14 |
//                      +----+----+----+----+          A search takes the finest grid where the cell
//                      | 1  | 3  | 9  | 11 |          of the center and its eight neighbours cover
//                      +----+----+----+----+          the shape, and looks at each place in them.
//                      | 0  | 2  | 8  | 10 |
//               -85.05 +----+----+----+----+
//                    -180       longitude 180
//
// Distances are those on a sphere (the haversine formula), off by up to 0.5 %.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ouro::geo {

// Degrees.
struct Point {
  double longitude = 0;
  double latitude = 0;
};

// Whether it can be stored: the poles cannot, from 85.05112878 degrees on.
bool is_valid(Point point) noexcept;
// The geohash. Requires: is_valid(point).
uint64_t encode(Point point) noexcept;
// The middle of the place that a score stands for; any score gives some point.
Point decode(double score) noexcept;
double distance_m(Point a, Point b) noexcept;

// The textual geohash that others use: eleven characters, of a grid from pole to pole.
inline constexpr size_t kTextBytes = 11;
std::array<char, kTextBytes> text_of(Point point) noexcept;

// What is searched.
class Shape {
 public:
  Shape() = default;
  static Shape circle(Point center, double radius_m) noexcept;
  // Its sides run north-south and east-west.
  static Shape box(Point center, double width_m, double height_m) noexcept;
  // Straight lines between longitudes and latitudes; what an odd number of sides must be crossed to
  // leave is inside. The center is that of the vertices, seen from the middle of the Earth.
  static Shape polygon(std::vector<Point> vertices) noexcept;

  // The distance from the center, of a point that lies inside.
  std::optional<double> distance_within(Point point) const noexcept;

  // The scores of a cell: min <= score < max.
  struct Stretch {
    double min, max;
  };
  // The cells that can have places inside the shape, in Redis's order: the middle one, then those
  // north, south, east, west, and the corners.
  struct Stretches {
    std::array<Stretch, 9> all;
    size_t count = 0;
    std::span<const Stretch> used() const noexcept { return {all.data(), count}; }
  };
  Stretches stretches() const noexcept;

 private:
  enum class Kind : uint8_t { kCircle, kBox, kPolygon };
  // Degrees; beyond 180 when the shape crosses the date line.
  struct Bounds {
    double west, south, east, north;
  };

  void set_center(Point center) noexcept;
  Bounds bounds_around(double width_m, double height_m) const noexcept;
  bool is_inside_polygon(Point point) const noexcept;

  Kind kind_ = Kind::kCircle;
  Point center_;
  double center_longitude_ = 0;  // the same in radians
  double center_latitude_ = 0;
  double center_latitude_cosine_ = 1;
  Bounds bounds_{};
  double radius_m_ = 0;       // of a circle that has all of the shape
  double half_width_m_ = 0;   // of a box
  double half_height_m_ = 0;  // of a box
  // (Half the chord / the Earth's radius)^2 of the radius, or of half a box's width: what is longer
  // is outside.
  double reach_chord_ = 0;
  std::vector<Point> vertices_;
};

}  // namespace ouro::geo
