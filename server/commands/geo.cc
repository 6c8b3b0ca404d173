// SPDX-License-Identifier: BSD-3-Clause
// Commands on places: members of a sorted set whose scores are geohashes (datastructs/geo.h).
// Searching is in geo_search.cc.
#include "datastructs/geo.h"

#include <vector>

#include "server/commands/geo_args.h"
#include "server/commands/tables.h"
#include "server/commands/zset_add.h"
#include "server/engine/context.h"

namespace ouro {
namespace {

Status cmd_geoadd(Context& ctx) {
  ZAddOptions options;
  ArgParser args(ctx.argv, 2);
  for (;;) {
    if (args.word("NX")) {
      options.rule.only_new = true;
    } else if (args.word("XX")) {
      options.rule.only_existing = true;
    } else if (args.word("CH")) {
      options.count_changes = true;
    } else {
      break;
    }
  }
  if (args.left() == 0 || args.left() % 3 != 0) return Err::kSyntax;
  if (options.rule.only_new && options.rule.only_existing) return Err::kSyntax;
  std::vector<ScoredView> places;
  while (args.more()) {
    OURO_TRY(const geo::Point point, take_point(ctx, args));
    places.push_back({.member = args.next(), .score = static_cast<double>(geo::encode(point))});
  }
  return add_elements(ctx, options, places.size(), [&places](size_t i) { return places[i]; });
}

Status cmd_geodist(Context& ctx) {
  double unit_m = 1;
  if (ctx.argv.size() > 5) return Err::kSyntax;
  if (ctx.argv.size() == 5) {
    OURO_TRY(unit_m, parse_unit(ctx, ctx.argv[4]));
  }
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(1)));
  const auto from = zset == nullptr ? std::nullopt : zset->score(ctx.argv[2]);
  const auto to = zset == nullptr ? std::nullopt : zset->score(ctx.argv[3]);
  if (from && to) {
    reply_distance(ctx.reply, geo::distance_m(geo::decode(*from), geo::decode(*to)) / unit_m);
  } else {
    ctx.reply.null();
  }
  return Status::ok();
}

Status cmd_geohash(Context& ctx) {
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(1)));
  const Argv members = ctx.argv.subspan(2);
  ctx.reply.array(members.size());
  for (const ByteView member : members) {
    const auto score = zset == nullptr ? std::nullopt : zset->score(member);
    if (score) {
      const auto text = geo::text_of(geo::decode(*score));
      ctx.reply.bulk({text.data(), text.size()});
    } else {
      ctx.reply.null();
    }
  }
  return Status::ok();
}

Status cmd_geopos(Context& ctx) {
  OURO_TRY(const ZSet* zset, ctx.find_as<ZSet>(ctx.key(1)));
  const Argv members = ctx.argv.subspan(2);
  ctx.reply.array(members.size());
  for (const ByteView member : members) {
    const auto score = zset == nullptr ? std::nullopt : zset->score(member);
    score ? reply_point(ctx.reply, geo::decode(*score)) : ctx.reply.null_array();
  }
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "GEOADD",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kGeo,
     .handler = cmd_geoadd,
     .doc = {.summary = "Adds places by longitude and latitude to a sorted set, or moves them.",
             .complexity = "O(log(N)) a place, N members in the sorted set",
             .since = "3.2.0",
             .group = "geo",
             .args = "key:key#0 [condition:<nx!NX | xx!XX>@6.2.0] [change!CH@6.2.0] "
                     "longitude_latitude_member:{longitude:double latitude:double "
                     "member:string}..."}},
    {.name = "GEODIST",
     .arity = at_least(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kGeo,
     .handler = cmd_geodist,
     .doc = {.summary = "Returns the distance between two places.",
             .complexity = "O(1)",
             .since = "3.2.0",
             .group = "geo",
             .args = "key:key#0 member1:string member2:string "
                     "[unit:<m!M | km!KM | ft!FT | mi!MI>]"}},
    {.name = "GEOHASH",
     .arity = at_least(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kGeo,
     .handler = cmd_geohash,
     .doc = {.summary = "Returns places as textual geohashes.",
             .complexity = "O(N), N places asked for",
             .since = "3.2.0",
             .group = "geo",
             .args = "key:key#0 member:string..."}},
    {.name = "GEOPOS",
     .arity = at_least(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kGeo,
     .handler = cmd_geopos,
     .doc = {.summary = "Returns the longitudes and latitudes of places.",
             .complexity = "O(N), N places asked for",
             .since = "3.2.0",
             .group = "geo",
             .args = "key:key#0 member:string..."}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kGeoCommands = kRows;

}  // namespace ouro
