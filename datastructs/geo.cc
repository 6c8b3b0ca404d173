// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/geo.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ouro::geo {
namespace {

constexpr unsigned kSteps = 26;  // halvings of each side

constexpr double kLongitudeMax = 180;
// Where the Web Mercator map ends; it is a square then.
constexpr double kLatitudeMax = 85.05112878;
constexpr double kEarthRadiusM = 6372797.560856;
constexpr double kHalfMapM = 20037726.37;

constexpr double kRadian = std::numbers::pi / 180.0;
double radians(double degrees) noexcept { return degrees * kRadian; }
double degrees(double radians) noexcept { return radians / kRadian; }

// ---- interleaving

// 32 bits to the even positions.
uint64_t spread(uint32_t value) noexcept {
  uint64_t bits = value;
  bits = (bits | bits << 16) & 0x0000ffff0000ffff;
  bits = (bits | bits << 8) & 0x00ff00ff00ff00ff;
  bits = (bits | bits << 4) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits << 2) & 0x3333333333333333;
  return (bits | bits << 1) & 0x5555555555555555;
}

uint32_t gather(uint64_t bits) noexcept {
  bits &= 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits >> 4) & 0x00ff00ff00ff00ff;
  bits = (bits | bits >> 8) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(bits | bits >> 16);
}

// ---- cells

// A side of the map, cut into 2^step parts.
struct Side {
  double min, max;

  // The eastern and northern ends of the map belong to a part behind the last one, as in Redis.
  uint32_t part_of(double value, unsigned step) const noexcept {
    const double offset = (value - min) / (max - min);
    return static_cast<uint32_t>(offset * static_cast<double>(uint64_t{1} << step));
  }
  double begin_of(uint32_t part, unsigned step) const noexcept {
    return min + part * 1.0 / static_cast<double>(uint64_t{1} << step) * (max - min);
  }
  double middle_of(uint32_t part, unsigned step) const noexcept {
    const double middle = (begin_of(part, step) + begin_of(part + 1, step)) / 2;
    return std::clamp(middle, min, max);
  }
};
constexpr Side kLongitudes = {-kLongitudeMax, kLongitudeMax};
constexpr Side kLatitudes = {-kLatitudeMax, kLatitudeMax};
constexpr Side kAllLatitudes = {-90, 90};

// A cell of the grid of one step.
struct Cell {
  uint32_t x = 0;
  uint32_t y = 0;
  unsigned step = 0;

  static Cell at(Point point, unsigned step) noexcept {
    return {kLongitudes.part_of(point.longitude, step), kLatitudes.part_of(point.latitude, step),
            step};
  }
  uint64_t bits() const noexcept { return spread(x) << 1 | spread(y); }
  double west() const noexcept { return kLongitudes.begin_of(x, step); }
  double east() const noexcept { return kLongitudes.begin_of(x + 1, step); }
  double south() const noexcept { return kLatitudes.begin_of(y, step); }
  double north() const noexcept { return kLatitudes.begin_of(y + 1, step); }
  // The map is round in both directions.
  Cell moved(int east, int north) const noexcept {
    const uint32_t mask = (uint32_t{1} << step) - 1;
    Cell cell = *this;
    if (east != 0) cell.x = (x + static_cast<uint32_t>(east)) & mask;
    if (north != 0) cell.y = (y + static_cast<uint32_t>(north)) & mask;
    return cell;
  }
  Shape::Stretch scores() const noexcept {
    const unsigned unused = 2 * (kSteps - step);
    return {static_cast<double>(bits() << unused), static_cast<double>((bits() + 1) << unused)};
  }
};

// The finest grid in which a circle lies within a cell and its neighbours, nearly.
unsigned step_for(double radius_m, double latitude) noexcept {
  if (radius_m == 0) return kSteps;
  int step = 1;
  for (; radius_m < kHalfMapM; radius_m *= 2) ++step;
  // One more in most cases, since the circle may lie anywhere in the cell.
  step -= 2;
  // Towards the poles cells are narrow.
  if (latitude > 66 || latitude < -66) --step;
  if (latitude > 80 || latitude < -80) --step;
  return static_cast<unsigned>(std::clamp(step, 1, static_cast<int>(kSteps)));
}

// What the processor makes of a double that no uint64_t holds: Redis has it so.
uint64_t wrapped_integer(double score) noexcept {
  if (score >= 0x1p63) return score < 0x1p64 ? static_cast<uint64_t>(score) : 0;
  if (score >= -0x1p63) return static_cast<uint64_t>(static_cast<int64_t>(score));
  return uint64_t{1} << 63;
}

// (half the chord between two points / the Earth's radius)^2, where `latitude_cosines` are both
// points' multiplied.
double half_chord_squared(double latitude_sine, double longitude_sine,
                          double latitude_cosines) noexcept {
  return latitude_sine * latitude_sine + latitude_cosines * longitude_sine * longitude_sine;
}

// What half_chord_squared() of a longer distance is above. Rounding is far below the margin.
double half_chord_bound(double distance_m) noexcept {
  constexpr double kMargin = 1 + 1e-9;
  const double angle = distance_m / (2 * kEarthRadiusM);
  if (!(angle < std::numbers::pi / 2)) return std::numeric_limits<double>::infinity();
  const double sine = std::sin(angle);
  return sine * sine * kMargin;
}

}  // namespace

bool is_valid(Point point) noexcept {
  return point.longitude >= -kLongitudeMax && point.longitude <= kLongitudeMax &&
         point.latitude >= -kLatitudeMax && point.latitude <= kLatitudeMax;
}

uint64_t encode(Point point) noexcept { return Cell::at(point, kSteps).bits(); }

Point decode(double score) noexcept {
  const uint64_t bits = wrapped_integer(score);
  return {kLongitudes.middle_of(gather(bits >> 1), kSteps),
          kLatitudes.middle_of(gather(bits), kSteps)};
}

double distance_m(Point a, Point b) noexcept {
  const double longitude_sine = std::sin((radians(b.longitude) - radians(a.longitude)) / 2);
  const double latitude_a = radians(a.latitude);
  const double latitude_b = radians(b.latitude);
  if (longitude_sine == 0) return kEarthRadiusM * std::fabs(latitude_b - latitude_a);
  const double latitude_sine = std::sin((latitude_b - latitude_a) / 2);
  const double squared = half_chord_squared(latitude_sine, longitude_sine,
                                            std::cos(latitude_a) * std::cos(latitude_b));
  return 2.0 * kEarthRadiusM * std::asin(std::sqrt(squared));
}

std::array<char, kTextBytes> text_of(Point point) noexcept {
  constexpr char kAlphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  constexpr unsigned kCharacterBits = 5;
  const uint64_t bits = spread(kLongitudes.part_of(point.longitude, kSteps)) << 1 |
                        spread(kAllLatitudes.part_of(point.latitude, kSteps));
  std::array<char, kTextBytes> text;
  // Ten characters have 50 of the 52 bits; Redis's last one is always zero.
  text.back() = kAlphabet[0];
  for (unsigned i = 0; i + 1 < kTextBytes; ++i) {
    text[i] = kAlphabet[bits >> (2 * kSteps - kCharacterBits * (i + 1)) & 0x1f];
  }
  return text;
}

// ---- shapes

Shape Shape::circle(Point center, double radius_m) noexcept {
  Shape shape;
  shape.kind_ = Kind::kCircle;
  shape.set_center(center);
  shape.radius_m_ = radius_m;
  shape.bounds_ = shape.bounds_around(radius_m, radius_m);
  shape.reach_chord_ = half_chord_bound(radius_m);
  return shape;
}

Shape Shape::box(Point center, double width_m, double height_m) noexcept {
  Shape shape;
  shape.kind_ = Kind::kBox;
  shape.set_center(center);
  shape.half_width_m_ = width_m / 2;
  shape.half_height_m_ = height_m / 2;
  shape.radius_m_ = std::sqrt(shape.half_width_m_ * shape.half_width_m_ +
                              shape.half_height_m_ * shape.half_height_m_);
  shape.bounds_ = shape.bounds_around(shape.half_width_m_, shape.half_height_m_);
  shape.reach_chord_ = half_chord_bound(shape.half_width_m_);
  return shape;
}

Shape Shape::polygon(std::vector<Point> vertices) noexcept {
  Shape shape;
  shape.kind_ = Kind::kPolygon;
  shape.vertices_ = std::move(vertices);
  double x = 0;
  double y = 0;
  double z = 0;
  Bounds bounds{kLongitudeMax, kLatitudeMax, -kLongitudeMax, -kLatitudeMax};
  for (const Point vertex : shape.vertices_) {
    const double longitude = radians(vertex.longitude);
    const double latitude = radians(vertex.latitude);
    x += std::cos(latitude) * std::cos(longitude);
    y += std::cos(latitude) * std::sin(longitude);
    z += std::sin(latitude);
    bounds.west = std::min(bounds.west, vertex.longitude);
    bounds.east = std::max(bounds.east, vertex.longitude);
    bounds.south = std::min(bounds.south, vertex.latitude);
    bounds.north = std::max(bounds.north, vertex.latitude);
  }
  shape.set_center({degrees(std::atan2(y, x)), degrees(std::atan2(z, std::hypot(x, y)))});
  shape.bounds_ = bounds;
  for (const Point vertex : shape.vertices_) {
    shape.radius_m_ = std::max(shape.radius_m_, distance_m(shape.center_, vertex));
  }
  return shape;
}

void Shape::set_center(Point center) noexcept {
  center_ = center;
  center_longitude_ = radians(center.longitude);
  center_latitude_ = radians(center.latitude);
  center_latitude_cosine_ = std::cos(center_latitude_);
}

// So far from the center to each side. A degree of longitude is shortest on the side that is nearer
// to a pole.
Shape::Bounds Shape::bounds_around(double width_m, double height_m) const noexcept {
  const double latitude_delta = degrees(height_m / kEarthRadiusM);
  const double outer_latitude =
      center_.latitude < 0 ? center_.latitude - latitude_delta : center_.latitude + latitude_delta;
  const double longitude_delta =
      degrees(width_m / kEarthRadiusM / std::cos(radians(outer_latitude)));
  return {center_.longitude - longitude_delta, center_.latitude - latitude_delta,
          center_.longitude + longitude_delta, center_.latitude + latitude_delta};
}

bool Shape::is_inside_polygon(Point point) const noexcept {
  bool inside = false;
  Point from = vertices_.back();
  for (const Point to : vertices_) {
    if ((from.latitude > point.latitude) != (to.latitude > point.latitude)) {
      const double part = (point.latitude - from.latitude) / (to.latitude - from.latitude);
      const double crossing = from.longitude + part * (to.longitude - from.longitude);
      if (point.longitude < crossing) inside = !inside;
    }
    from = to;
  }
  return inside;
}

// Circles and boxes give up as soon as a part of distance_m()'s sum is too large; what they answer
// is its value to the last bit.
std::optional<double> Shape::distance_within(Point point) const noexcept {
  switch (kind_) {
    case Kind::kCircle: {
      const double latitude = radians(point.latitude);
      const double latitude_sine = std::sin((latitude - center_latitude_) / 2);
      if (latitude_sine * latitude_sine > reach_chord_) return std::nullopt;
      const double longitude_sine = std::sin((radians(point.longitude) - center_longitude_) / 2);
      double distance = kEarthRadiusM * std::fabs(latitude - center_latitude_);
      if (longitude_sine != 0) {
        const double squared = half_chord_squared(latitude_sine, longitude_sine,
                                                  center_latitude_cosine_ * std::cos(latitude));
        if (squared > reach_chord_) return std::nullopt;
        distance = 2.0 * kEarthRadiusM * std::asin(std::sqrt(squared));
      }
      if (distance > radius_m_) return std::nullopt;
      return distance;
    }
    case Kind::kBox: {
      const double latitude = radians(point.latitude);
      if (kEarthRadiusM * std::fabs(latitude - center_latitude_) > half_height_m_) {
        return std::nullopt;
      }
      // To the east or west along the point's own latitude.
      const double longitude_sine = std::sin((radians(point.longitude) - center_longitude_) / 2);
      if (longitude_sine != 0) {
        const double cosine = std::cos(latitude);
        const double squared = half_chord_squared(0, longitude_sine, cosine * cosine);
        if (squared > reach_chord_) return std::nullopt;
        const double distance = 2.0 * kEarthRadiusM * std::asin(std::sqrt(squared));
        if (distance > half_width_m_) return std::nullopt;
      }
      return distance_m(center_, point);
    }
    case Kind::kPolygon:
      if (!is_inside_polygon(point)) return std::nullopt;
      return distance_m(center_, point);
  }
  return std::nullopt;
}

Shape::Stretches Shape::stretches() const noexcept {
  unsigned step = step_for(radius_m_, center_.latitude);
  Cell middle = Cell::at(center_, step);
  const auto covers = [&] {
    return !(middle.moved(0, 1).north() < bounds_.north) &&
           !(middle.moved(0, -1).south() > bounds_.south) &&
           !(middle.moved(1, 0).east() < bounds_.east) &&
           !(middle.moved(-1, 0).west() > bounds_.west);
  };
  // Redis goes back one step at most; a polygon may need more, for its center can be at its side.
  unsigned steps_back = kind_ == Kind::kPolygon ? kSteps : 1;
  for (; step > 1 && steps_back > 0 && !covers(); --steps_back) {
    middle = Cell::at(center_, --step);
  }
  // Neighbours behind a side of the middle cell that the shape does not cross are of no use; in the
  // coarsest grid they are the same ones on both sides.
  const bool all = step < 2;
  const bool north = all || !(middle.north() > bounds_.north);
  const bool south = all || !(middle.south() < bounds_.south);
  const bool east = all || !(middle.east() > bounds_.east);
  const bool west = all || !(middle.west() < bounds_.west);
  const struct {
    int east, north;
    bool is_useful;
  } order[] = {{0, 0, true},           {0, 1, north},          {0, -1, south},
               {1, 0, east},           {-1, 0, west},          {1, 1, north && east},
               {-1, 1, north && west}, {1, -1, south && east}, {-1, -1, south && west}};
  Stretches found;
  uint64_t last = ~uint64_t{0};
  for (const auto& neighbour : order) {
    if (!neighbour.is_useful) continue;
    const Cell cell = middle.moved(neighbour.east, neighbour.north);
    // In the coarsest grid neighbours on both sides are one.
    if (cell.bits() == last) continue;
    last = cell.bits();
    found.all[found.count++] = cell.scores();
  }
  return found;
}

}  // namespace ouro::geo
