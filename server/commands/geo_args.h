// SPDX-License-Identifier: BSD-3-Clause
// How places and distances are read and answered.
#pragma once

#include <cstdio>

#include "datastructs/geo.h"
#include "server/engine/context.h"

namespace ouro {

// Meters of a unit's name.
inline Result<double> parse_unit(Context& ctx, ByteView name) {
  constexpr struct {
    ByteView name;
    double meters;
  } kUnits[] = {{"M", 1}, {"KM", 1000}, {"FT", 0.3048}, {"MI", 1609.34}};
  for (const auto& unit : kUnits) {
    if (equals_ignoring_case(name, unit.name)) return unit.meters;
  }
  return ctx.fail("ERR unsupported unit provided. please use M, KM, FT, MI");
}

// The next two arguments, a longitude and a latitude.
inline Result<geo::Point> take_point(Context& ctx, ArgParser& args) {
  OURO_TRY(const double longitude, parse_real(args.next()));
  OURO_TRY(const double latitude, parse_real(args.next()));
  const geo::Point point{longitude, latitude};
  if (!geo::is_valid(point)) {
    return ctx.fail("ERR invalid longitude,latitude pair %f,%f", longitude, latitude);
  }
  return point;
}

inline void reply_point(Reply& reply, geo::Point point) {
  reply.array(2);
  reply.decimal(point.longitude);
  reply.decimal(point.latitude);
}

// With four decimals.
inline void reply_distance(Reply& reply, double distance) {
  char text[400];
  const int length = std::snprintf(text, sizeof(text), "%.4f", distance);
  reply.bulk({text, static_cast<size_t>(length)});
}

}  // namespace ouro
