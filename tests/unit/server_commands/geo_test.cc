// SPDX-License-Identifier: BSD-3-Clause
#include "engine_fixture.h"

namespace ouro {
namespace {

struct Geo : EngineFixture {
  Geo()
      : EngineFixture({kGeoCommands, kGeoSearchCommands, kZSetCommands, kZSetRangeCommands,
                       kStringSetCommands, kKeyCommands}) {
    run("GEOADD sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
    effects();
  }
};

TEST(GeoCommands, PlacesAreMembersOfASortedSet) {
  Geo engine;
  EXPECT_EQ(engine.run("ZSCORE sicily Palermo"), ",3479099956230698");
  EXPECT_EQ(engine.run("GEOADD sicily NX CH 0 0 Palermo 1 1 new"), "1");
  EXPECT_EQ(engine.run("GEOADD sicily XX CH 13 38 Palermo 1 1 none"), "1");
  EXPECT_EQ(engine.run("ZCARD sicily"), "3");
  EXPECT_EQ(engine.run("GEOADD sicily NX XX 1 1 a"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("GEOADD sicily 1 1 a 2"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("GEOADD sicily 181 1 a"),
            "(ERR invalid longitude,latitude pair 181.000000,1.000000)");
  EXPECT_EQ(engine.run("GEOADD sicily x 1 a"), "(ERR value is not a valid float)");
  EXPECT_EQ(engine.run("GEOADD fresh XX 1 1 a"), "0");
  EXPECT_EQ(engine.run("EXISTS fresh"), "0");
}

TEST(GeoCommands, PositionsDistancesAndHashes) {
  Geo engine;
  EXPECT_EQ(engine.run("GEODIST sicily Palermo Catania"), "\"166274.1516\"");
  EXPECT_EQ(engine.run("GEODIST sicily Palermo Catania Km"), "\"166.2742\"");
  EXPECT_EQ(engine.run("GEODIST sicily Palermo none"), "_");
  EXPECT_EQ(engine.run("GEODIST none a b"), "_");
  EXPECT_EQ(engine.run("GEODIST sicily Palermo Catania yard"),
            "(ERR unsupported unit provided. please use M, KM, FT, MI)");
  EXPECT_EQ(engine.run("GEODIST sicily Palermo Catania km x"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("GEOHASH sicily Palermo none"), "[\"sqc8b49rny0\" _]");
  EXPECT_EQ(engine.run("GEOPOS none a"), "[*_]");
}

TEST(GeoCommands, SearchByCircleAndBox) {
  Geo engine;
  engine.run("GEOADD sicily 12.758489 38.788135 edge1 17.241510 38.788135 edge2");
  EXPECT_EQ(engine.run("GEOSEARCH sicily FROMLONLAT 15 37 BYRADIUS 200 km ASC"),
            "[\"Catania\" \"Palermo\"]");
  EXPECT_EQ(engine.run("GEOSEARCH sicily FROMLONLAT 15 37 BYBOX 400 400 km DESC WITHDIST"),
            "[[\"edge1\" \"279.7405\"] [\"edge2\" \"279.7403\"] [\"Palermo\" \"190.4424\"] "
            "[\"Catania\" \"56.4413\"]]");
  EXPECT_EQ(engine.run("GEOSEARCH sicily FROMMEMBER Palermo BYRADIUS 0 m WITHHASH"),
            "[[\"Palermo\" 3479099956230698]]");
  EXPECT_EQ(engine.run("GEOSEARCH sicily FROMLONLAT 15 37 BYRADIUS 1000 km COUNT 1"),
            "[\"Catania\"]");
  EXPECT_EQ(engine.run("GEORADIUSBYMEMBER sicily Palermo 100 mi COUNT 2 DESC"),
            "[\"edge1\" \"Palermo\"]");
  EXPECT_EQ(engine.run("GEORADIUS_RO sicily 15 37 100 km"), "[\"Catania\"]");
}

TEST(GeoCommands, SearchByPolygon) {
  Geo engine;
  EXPECT_EQ(engine.run("GEOSEARCH sicily BYPOLYGON 4 13 38 14 38 14 39 13 39"), "[\"Palermo\"]");
  EXPECT_EQ(engine.run("GEOSEARCH sicily BYPOLYGON 3 12 36 18 36 15 41 ASC WITHDIST").substr(0, 11),
            "[[\"Catania\"");
  EXPECT_EQ(engine.run("GEOSEARCH sicily BYPOLYGON 2 13 38 14 38 ASC"),
            "(ERR GEOSEARCH BYPOLYGON must have at least 3 vertices)");
  EXPECT_EQ(engine.run("GEOSEARCH sicily BYPOLYGON 3 13 38 14 38"),
            "(ERR GEOSEARCH BYPOLYGON must have at least 3 vertices)");
  EXPECT_EQ(engine.run("GEOSEARCH sicily BYPOLYGON x 13 38 14 38"),
            "(ERR invalid number of vertices)");
  EXPECT_EQ(engine.run("GEOSEARCH sicily FROMMEMBER Palermo BYPOLYGON 3 1 1 2 2 3 1"),
            "(ERR syntax error)");
  EXPECT_EQ(engine.run("GEOSEARCH sicily BYPOLYGON 3 1 1 2 2 3 1 FROMMEMBER Palermo"),
            "(ERR syntax error)");
  engine.effects();
  EXPECT_EQ(engine.run("GEOSEARCHSTORE d sicily BYPOLYGON 4 13 38 14 38 14 39 13 39"), "1");
  EXPECT_EQ(engine.effects(), "(; 0: DEL d; 0: ZADD d 3479099956230698 Palermo; )")
      << "as Redis 7.0 knows it";
}

TEST(GeoCommands, ResultsAreStored) {
  Geo engine;
  engine.run("GEOADD far 100 10 x");
  EXPECT_EQ(engine.run("GEOSEARCHSTORE d sicily FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST"), "2");
  EXPECT_EQ(engine.run("ZRANGE d 0 -1"), "[\"Catania\" \"Palermo\"]");
  EXPECT_EQ(engine.run("GEORADIUS sicily 15 37 200 km STOREDIST e STORE d"), "2");
  EXPECT_EQ(engine.run("ZSCORE d Palermo"), ",3479099956230698");
  EXPECT_EQ(engine.run("EXISTS e"), "0");
  // The source itself, and nothing found.
  EXPECT_EQ(engine.run("GEOSEARCHSTORE d d FROMMEMBER Palermo BYRADIUS 1 km"), "1");
  EXPECT_EQ(engine.run("GEOSEARCHSTORE d far FROMLONLAT 0 0 BYRADIUS 1 km"), "0");
  EXPECT_EQ(engine.run("EXISTS d"), "0");
  EXPECT_EQ(engine.run("GEORADIUSBYMEMBER none x y z STORE sicily"), "0");
  EXPECT_EQ(engine.run("EXISTS sicily"), "0");
}

TEST(GeoCommands, ArgumentsThatDoNotGoTogether) {
  Geo engine;
  const std::pair<ByteView, ByteView> kErrors[] = {
      {"GEOSEARCH sicily BYRADIUS 1 km ASC ASC",
       "(ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH)"},
      {"geosearch sicily FROMLONLAT 1 1 ASC ASC",
       "(ERR exactly one of BYRADIUS and BYBOX can be specified for geosearch)"},
      {"GEOSEARCH sicily FROMLONLAT 1 1 BYRADIUS 1 km ANY",
       "(ERR the ANY argument requires COUNT argument)"},
      {"GEOSEARCH sicily FROMLONLAT 1 1 BYRADIUS 1 km COUNT 0", "(ERR COUNT must be > 0)"},
      {"GEOSEARCH sicily FROMLONLAT 1 1 BYRADIUS -1 km", "(ERR radius cannot be negative)"},
      {"GEOSEARCH sicily FROMLONLAT 1 1 BYBOX 1 -1 km", "(ERR height or width cannot be negative)"},
      {"GEOSEARCH sicily FROMLONLAT 1 1 BYBOX x 1 km", "(ERR need numeric width)"},
      {"GEOSEARCH sicily FROMMEMBER none BYRADIUS 1 km",
       "(ERR could not decode requested zset member)"},
      {"GEOSEARCH sicily FROMLONLAT 1 1 BYRADIUS 1 km BYBOX 1 1 km", "(ERR syntax error)"},
      {"GEOSEARCH sicily FROMLONLAT 1 1 BYRADIUS 1 km STOREDIST", "(ERR syntax error)"},
      {"GEORADIUS_RO sicily 1 1 1 km STORE d", "(ERR syntax error)"},
      {"GEORADIUS sicily 1 1 1 km STORE d WITHDIST",
       "(ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD "
       "options)"},
      {"GEOSEARCHSTORE d sicily FROMLONLAT 1 1 BYRADIUS 1 km WITHHASH",
       "(ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options)"},
  };
  for (const auto& [line, answer] : kErrors) EXPECT_EQ(engine.run(line), answer) << line;
}

}  // namespace
}  // namespace ouro
