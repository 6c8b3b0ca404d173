// SPDX-License-Identifier: BSD-3-Clause
// GEOSEARCH, GEOSEARCHSTORE and the four older forms of them: which places lie within a shape.
//
//   parse -> collect (stretches of scores, each place measured) -> sort -> write or store
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "server/commands/geo_args.h"
#include "server/commands/stored_result.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"

namespace ouro {
namespace {

// What the command's name settles.
struct Form {
  enum class Center : uint8_t { kOption, kPoint, kMember };
  Center center = Center::kOption;  // how the middle of the shape is given
  size_t source = 1;                // argument index of the key that is searched
  bool takes_store = false;         // STORE and STOREDIST with a key
  bool stores = false;              // always, at argument 1
};

enum class Order : uint8_t { kAsFound, kNearest, kFarthest };

class GeoSearch {
 public:
  GeoSearch(Context& ctx, const Form& form) : ctx_(ctx), form_(form) {}

  Status run() {
    OURO_TRY(zset_, ctx_.find_as<ZSet>(ctx_.key(form_.source)));
    OURO_TRY(parse());
    if (zset_ != nullptr) {
      collect();
      sort();
    }
    store_ ? store() : write();
    return Status::ok();
  }

 private:
  struct Match {
    ByteView member = {};
    double score = 0;
    geo::Point point = {};
    double distance_m = 0;
  };

  // ---- arguments

  Status parse() {
    ArgParser args(ctx_.argv, form_.source + 1);
    if (form_.stores) store_ = ctx_.argv[1];
    OURO_TRY(parse_fixed(args));
    while (args.more()) OURO_TRY(parse_option(args));
    OURO_TRY(args.finish());
    OURO_TRY(check_options());
    // The first of those that were found are not the nearest ones.
    if (count_ > 0 && order_ == Order::kAsFound && !any_) order_ = Order::kNearest;
    return Status::ok();
  }

  // The arguments in front of the options that older forms have.
  Status parse_fixed(ArgParser& args) {
    switch (form_.center) {
      case Form::Center::kOption:
        return Status::ok();
      case Form::Center::kPoint: {
        OURO_TRY(center_, take_point(ctx_, args));
        break;
      }
      case Form::Center::kMember:
        // Without a key Redis reads none of them.
        if (zset_ == nullptr) {
          for (int skipped = 0; skipped < 3; ++skipped) args.next();
          return Status::ok();
        }
        OURO_TRY(center_, place_of(args.next()));
    }
    return take_circle(args);
  }

  Status parse_option(ArgParser& args) {
    if (args.word("WITHDIST")) {
      with_distance_ = true;
    } else if (args.word("WITHHASH")) {
      with_hash_ = true;
    } else if (args.word("WITHCOORD")) {
      with_point_ = true;
    } else if (args.word("ANY")) {
      any_ = true;
    } else if (args.word("ASC")) {
      order_ = Order::kNearest;
    } else if (args.word("DESC")) {
      order_ = Order::kFarthest;
    } else if (args.left() >= 2 && args.word("COUNT")) {
      OURO_TRY(const int64_t count, parse_integer(args.next()));
      if (count <= 0) return ctx_.fail_text(errors::kCountTooSmall);
      count_ = static_cast<uint64_t>(count);
    } else if (form_.center == Form::Center::kOption) {
      return parse_shape(args);
    } else if (form_.takes_store && args.left() >= 2 && args.word("STORE")) {
      store_ = args.next();
      store_distances_ = false;
    } else if (form_.takes_store && args.left() >= 2 && args.word("STOREDIST")) {
      store_ = args.next();
      store_distances_ = true;
    } else {
      return Err::kSyntax;
    }
    return Status::ok();
  }

  // What GEOSEARCH alone has as options.
  Status parse_shape(ArgParser& args) {
    if (form_.stores && args.word("STOREDIST")) {
      store_distances_ = true;
    } else if (takes_center(From::kMember) && args.left() >= 2 && args.word("FROMMEMBER")) {
      from_ = From::kMember;
      const ByteView member = args.next();
      if (zset_ == nullptr) return Status::ok();
      OURO_TRY(center_, place_of(member));
    } else if (takes_center(From::kPoint) && args.left() >= 3 && args.word("FROMLONLAT")) {
      from_ = From::kPoint;
      OURO_TRY(center_, take_point(ctx_, args));
    } else if (takes_shape(By::kCircle) && args.left() >= 3 && args.word("BYRADIUS")) {
      return take_circle(args);
    } else if (takes_shape(By::kBox) && args.left() >= 4 && args.word("BYBOX")) {
      return take_box(args);
    } else if (takes_shape(By::kPolygon) && from_ == From::kNone && args.left() >= 2 &&
               args.word("BYPOLYGON")) {
      return take_polygon(args);
    } else {
      return Err::kSyntax;
    }
    return Status::ok();
  }

  enum class From : uint8_t { kNone, kMember, kPoint };
  enum class By : uint8_t { kNone, kCircle, kBox, kPolygon };

  // Giving the same kind again replaces it.
  bool takes_center(From from) const {
    return (from_ == From::kNone || from_ == from) && by_ != By::kPolygon;
  }
  bool takes_shape(By by) const { return by_ == By::kNone || by_ == by; }

  Result<geo::Point> place_of(ByteView member) {
    const auto score = zset_->score(member);
    if (!score) return ctx_.fail("ERR could not decode requested zset member");
    return geo::decode(*score);
  }

  // A length of the shape, in the unit that follows.
  Result<double> take_length(ArgParser& args, const char* error) {
    const Result<double> length = parse_real(args.next());
    if (!length.is_ok()) return ctx_.fail("%s", error);
    return *length;
  }

  Status take_circle(ArgParser& args) {
    by_ = By::kCircle;
    OURO_TRY(width_, take_length(args, "ERR need numeric radius"));
    if (width_ < 0) return ctx_.fail("ERR radius cannot be negative");
    OURO_TRY(unit_m_, parse_unit(ctx_, args.next()));
    return Status::ok();
  }

  Status take_box(ArgParser& args) {
    by_ = By::kBox;
    OURO_TRY(width_, take_length(args, "ERR need numeric width"));
    OURO_TRY(height_, take_length(args, "ERR need numeric height"));
    if (width_ < 0 || height_ < 0) return ctx_.fail("ERR height or width cannot be negative");
    OURO_TRY(unit_m_, parse_unit(ctx_, args.next()));
    return Status::ok();
  }

  Status take_polygon(ArgParser& args) {
    by_ = By::kPolygon;
    unit_m_ = 1;
    const Result<int64_t> count = parse_integer(args.next());
    if (!count.is_ok()) return ctx_.fail("ERR invalid number of vertices");
    if (*count < 3 || static_cast<uint64_t>(*count) > args.left() / 2) {
      return ctx_.fail("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices");
    }
    vertices_.clear();
    for (int64_t i = 0; i < *count; ++i) {
      OURO_TRY(const geo::Point vertex, take_point(ctx_, args));
      vertices_.push_back(vertex);
    }
    return Status::ok();
  }

  Status check_options() {
    if (store_ && (with_distance_ || with_hash_ || with_point_)) {
      return ctx_.fail("ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                       form_.stores ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
    }
    const ByteView name = errors::shown(ctx_.argv[0]);
    const bool by_options = form_.center == Form::Center::kOption;
    if (by_options && from_ == From::kNone && by_ != By::kPolygon) {
      return ctx_.fail("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %.*s",
                       printed_size(name), name.data());
    }
    if (by_options && by_ == By::kNone) {
      return ctx_.fail("ERR exactly one of BYRADIUS and BYBOX can be specified for %.*s",
                       printed_size(name), name.data());
    }
    if (any_ && count_ == 0) return ctx_.fail("ERR the ANY argument requires COUNT argument");
    return Status::ok();
  }

  // ---- searching

  geo::Shape shape() {
    switch (by_) {
      case By::kNone:
      case By::kCircle:
        return geo::Shape::circle(center_, width_ * unit_m_);
      case By::kBox:
        return geo::Shape::box(center_, width_ * unit_m_, height_ * unit_m_);
      case By::kPolygon:
        return geo::Shape::polygon(std::move(vertices_));
    }
    OURO_UNREACHABLE();
  }

  void collect() {
    const geo::Shape shape = this->shape();
    const auto stretches = shape.stretches();
    Match match;
    const auto is_inside = [&](double score) {
      match.point = geo::decode(score);
      const auto distance = shape.distance_within(match.point);
      match.distance_m = distance.value_or(0);
      return distance.has_value();
    };
    const auto take = [&](ByteView member, double score) {
      match.member = member;
      match.score = score;
      matches_.push_back(match);
      return !is_enough();
    };
    for (const geo::Shape::Stretch& stretch : stretches.used()) {
      if (is_enough()) return;
      zset_->for_each_wanted({.min = stretch.min, .max = stretch.max, .without_max = true},
                             is_inside, take);
    }
  }
  bool is_enough() const { return any_ && matches_.size() >= count_; }

  // Leaves the matches that are asked for.
  void sort() {
    const size_t kept = count_ == 0 ? matches_.size() : std::min<size_t>(matches_.size(), count_);
    const auto nearer = [](const Match& a, const Match& b) { return a.distance_m < b.distance_m; };
    const auto farther = [](const Match& a, const Match& b) { return a.distance_m > b.distance_m; };
    if (order_ == Order::kNearest) sort_by(nearer, kept);
    if (order_ == Order::kFarthest) sort_by(farther, kept);
    matches_.resize(kept);
  }
  template <class Before>
  void sort_by(Before before, size_t kept) {
    if (kept == matches_.size()) {
      std::stable_sort(matches_.begin(), matches_.end(), before);
    } else {
      std::partial_sort(matches_.begin(), matches_.begin() + static_cast<std::ptrdiff_t>(kept),
                        matches_.end(), before);
    }
  }

  // ---- answering

  void write() {
    Reply& reply = ctx_.reply;
    const size_t extras = size_t{with_distance_} + size_t{with_hash_} + size_t{with_point_};
    reply.array(matches_.size());
    for (const Match& match : matches_) {
      if (extras > 0) reply.array(1 + extras);
      reply.bulk(match.member);
      if (with_distance_) reply_distance(reply, match.distance_m / unit_m_);
      if (with_hash_) reply.integer(static_cast<int64_t>(match.score));
      if (with_point_) reply_point(reply, match.point);
    }
  }

  // The result is made aside: the key may be the one that was searched.
  void store() {
    ZSet made;
    for (const Match& match : matches_) {
      const double score = store_distances_ ? match.distance_m / unit_m_ : match.score;
      made.add(ctx_.heap(), ctx_.limits(), ctx_.db.seed(), match.member, score, {});
    }
    const bool is_new_form = form_.center == Form::Center::kOption;
    store_result(ctx_, ctx_.db.key(*store_), made, Event::kZSet,
                 is_new_form ? "geosearchstore" : "georadiusstore");
    if (by_ == By::kPolygon) leave_as_made(ctx_, ctx_.db.key(*store_));
  }

  Context& ctx_;
  const Form form_;
  const ZSet* zset_ = nullptr;

  From from_ = From::kNone;
  By by_ = By::kNone;
  geo::Point center_;
  double width_ = 0;  // or the radius; in units
  double height_ = 0;
  double unit_m_ = 1;
  std::vector<geo::Point> vertices_;

  uint64_t count_ = 0;  // 0: all
  bool any_ = false;
  Order order_ = Order::kAsFound;
  bool with_distance_ = false;
  bool with_hash_ = false;
  bool with_point_ = false;
  std::optional<ByteView> store_;
  bool store_distances_ = false;

  std::vector<Match> matches_;
};

Status cmd_geosearch(Context& ctx) { return GeoSearch(ctx, {}).run(); }
Status cmd_geosearchstore(Context& ctx) {
  return GeoSearch(ctx, {.source = 2, .stores = true}).run();
}
Status cmd_georadius(Context& ctx) {
  return GeoSearch(ctx, {.center = Form::Center::kPoint, .takes_store = true}).run();
}
Status cmd_georadius_ro(Context& ctx) {
  return GeoSearch(ctx, {.center = Form::Center::kPoint}).run();
}
Status cmd_georadiusbymember(Context& ctx) {
  return GeoSearch(ctx, {.center = Form::Center::kMember, .takes_store = true}).run();
}
Status cmd_georadiusbymember_ro(Context& ctx) {
  return GeoSearch(ctx, {.center = Form::Center::kMember}).run();
}

// A key behind a word, from argument `from` on.
constexpr KeySpec key_behind(std::string_view keyword, int from) {
  return {.begin = KeySpec::Begin::kKeyword,
          .use = kOverwrite | kUpdate,
          .index = from,
          .keyword = keyword};
}

#define OURO_GEO_UNIT "unit:<m!M | km!KM | ft!FT | mi!MI>"
#define OURO_GEO_WITH "[withcoord!WITHCOORD] [withdist!WITHDIST] [withhash!WITHHASH]"
#define OURO_GEO_SHAPE                                                                \
  "from:<FROMMEMBER=member:string | FROMLONLAT=longitude_latitude:{longitude:double " \
  "latitude:double}> by:<circle:{BYRADIUS=radius:double " OURO_GEO_UNIT               \
  "} | box:{BYBOX=width:double height:double " OURO_GEO_UNIT                          \
  "}> [order:<asc!ASC | desc!DESC>] "                                                 \
  "[count:{COUNT=count:integer [any!ANY]}]"

constexpr CommandSpec kRows[] = {
    {.name = "GEORADIUS",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .keys = {one_key(1, kReadOnly | kAccess), key_behind("STORE", 6), key_behind("STOREDIST", 6)},
     .acl = Acl::kGeo,
     .handler = cmd_georadius,
     .doc = {.summary = "Returns or stores the places within a distance of a point.",
             .complexity = "O(N+log(M)), N places near the circle, M in the sorted set",
             .since = "3.2.0",
             .group = "geo",
             .history = "7.0.0 Units in any case.",
             .args = "key:key#0 longitude:double latitude:double radius:double " OURO_GEO_UNIT
                     " " OURO_GEO_WITH
                     " [count:{COUNT=count:integer [any!ANY@6.2.0]}] [order:<asc!ASC | "
                     "desc!DESC>] [STORE=key:key#1] [STOREDIST=key:key#2]",
             .deprecated_since = "6.2.0",
             .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"}},
    {.name = "GEORADIUSBYMEMBER",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .keys = {one_key(1, kReadOnly | kAccess), key_behind("STORE", 5), key_behind("STOREDIST", 5)},
     .acl = Acl::kGeo,
     .handler = cmd_georadiusbymember,
     .doc = {.summary = "Returns or stores the places within a distance of a member.",
             .complexity = "O(N+log(M)), N places near the circle, M in the sorted set",
             .since = "3.2.0",
             .group = "geo",
             .history = "7.0.0 Units in any case.",
             .args = "key:key#0 member:string radius:double " OURO_GEO_UNIT " " OURO_GEO_WITH
                     " [count:{COUNT=count:integer [any!ANY]}] [order:<asc!ASC | desc!DESC>] "
                     "[STORE=key:key#1] [STOREDIST=key:key#2]",
             .deprecated_since = "6.2.0",
             .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and "
                            "`FROMMEMBER` arguments"}},
    {.name = "GEORADIUSBYMEMBER_RO",
     .arity = at_least(5),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kGeo,
     .handler = cmd_georadiusbymember_ro,
     .doc = {.summary = "Returns the places within a distance of a member.",
             .complexity = "O(N+log(M)), N places near the circle, M in the sorted set",
             .since = "3.2.10",
             .group = "geo",
             .args = "key:key#0 member:string radius:double " OURO_GEO_UNIT " " OURO_GEO_WITH
                     " [count:{COUNT=count:integer [any!ANY]}] [order:<asc!ASC | desc!DESC>]",
             .deprecated_since = "6.2.0",
             .replaced_by = "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"}},
    {.name = "GEORADIUS_RO",
     .arity = at_least(6),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kGeo,
     .handler = cmd_georadius_ro,
     .doc = {.summary = "Returns the places within a distance of a point.",
             .complexity = "O(N+log(M)), N places near the circle, M in the sorted set",
             .since = "3.2.10",
             .group = "geo",
             .args = "key:key#0 longitude:double latitude:double radius:double " OURO_GEO_UNIT
                     " " OURO_GEO_WITH
                     " [count:{COUNT=count:integer [any!ANY@6.2.0]}] [order:<asc!ASC | "
                     "desc!DESC>]",
             .deprecated_since = "6.2.0",
             .replaced_by = "`GEOSEARCH` with the `BYRADIUS` argument"}},
    {.name = "GEOSEARCH",
     .arity = at_least(7),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kGeo,
     .handler = cmd_geosearch,
     .doc = {.summary = "Returns the places within a circle, a box or a polygon.",
             .complexity = "O(N+log(M)), N places near the shape, M in the sorted set",
             .since = "6.2.0",
             .group = "geo",
             .history = "7.0.0 Units in any case.",
             .args = "key:key#0 " OURO_GEO_SHAPE " " OURO_GEO_WITH}},
    {.name = "GEOSEARCHSTORE",
     .arity = at_least(8),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kOverwrite | kUpdate), one_key(2, kReadOnly | kAccess)},
     .acl = Acl::kGeo,
     .handler = cmd_geosearchstore,
     .doc = {.summary = "Stores the places within a circle, a box or a polygon.",
             .complexity = "O(N+log(M)), N places near the shape, M in the sorted set",
             .since = "6.2.0",
             .group = "geo",
             .history = "7.0.0 Units in any case.",
             .args = "destination:key#0 source:key#1 " OURO_GEO_SHAPE " [storedist!STOREDIST]"}},
};
static_assert(table_is_valid(kRows));

#undef OURO_GEO_UNIT
#undef OURO_GEO_WITH
#undef OURO_GEO_SHAPE

}  // namespace

constinit const std::span<const CommandSpec> kGeoSearchCommands = kRows;

}  // namespace ouro
