// SPDX-License-Identifier: BSD-3-Clause
// CMS.*: replies and errors as RedisBloom 2.8 gives them; redis.io's command pages of CMS.* and the
// module's own texts are what each expectation rests on, since no server with it is at hand.
#include <string>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct CountMinCommands : EngineFixture {
  CountMinCommands()
      : EngineFixture({kCountMinCommands, kStringSetCommands, kKeyCommands, kDebugCommands}) {}
};

const std::string kMissing = "(CMS: key does not exist)";

TEST(CountMinCommands, CountsItems) {
  CountMinCommands engine;
  EXPECT_EQ(engine.run("CMS.INITBYDIM s 2000 5"), "OK");
  EXPECT_EQ(engine.run("CMS.INCRBY s foo 10 bar 42"), "[10 42]");
  EXPECT_EQ(engine.run("CMS.INCRBY s foo 5"), "[15]");
  EXPECT_EQ(engine.run("CMS.QUERY s foo bar none"), "[15 42 0]");
  EXPECT_EQ(engine.run("CMS.INFO s"), "{width 2000 depth 5 count 57}");
  EXPECT_EQ(engine.run("CMS.INITBYPROB p 0.001 0.01"), "OK");
  EXPECT_EQ(engine.run("CMS.INFO p"), "{width 2000 depth 7 count 0}");
  EXPECT_EQ(engine.run("TYPE s"), "CMSk-TYPE");
}

TEST(CountMinCommands, MakingChecksItsArguments) {
  CountMinCommands engine;
  engine.run("SET text v");
  EXPECT_EQ(engine.run("CMS.INITBYDIM text x y"), "(CMS: key already exists)");
  EXPECT_EQ(engine.run("CMS.INITBYPROB text x y"), "(CMS: key already exists)");
  for (const ByteView bad : {"x", "0", "-1"}) {
    EXPECT_EQ(engine.run({"CMS.INITBYDIM", "s", bad, "5"}), "(CMS: invalid width)");
    EXPECT_EQ(engine.run({"CMS.INITBYDIM", "s", "5", bad}), "(CMS: invalid depth)");
  }
  for (const ByteView bad : {"x", "0", "1", "nan"}) {
    EXPECT_EQ(engine.run({"CMS.INITBYPROB", "s", bad, "0.5"}),
              "(CMS: invalid overestimation value)");
    EXPECT_EQ(engine.run({"CMS.INITBYPROB", "s", "0.5", bad}), "(CMS: invalid prob value)");
  }
  EXPECT_EQ(engine.run("CMS.INITBYDIM s 4611686018427387904 4"), "(CMS: invalid init arguments)");
  EXPECT_EQ(engine.run("CMS.INITBYPROB s 1e-300 0.5"), "(CMS: invalid init arguments)");
  EXPECT_EQ(engine.run("CMS.INITBYDIM s 1000000000000 4"),
            "(CMS: Insufficient memory to create the key)");
  EXPECT_EQ(engine.run("CMS.INITBYDIM s 1 1000000"),
            "(CMS: Insufficient memory to create the key)");
  EXPECT_EQ(engine.run("EXISTS s"), "0");
}

TEST(CountMinCommands, IncrementsAreReadFirst) {
  CountMinCommands engine;
  engine.run_all({"SET text v", "CMS.INITBYDIM s 100 3"});
  engine.effects();
  EXPECT_EQ(engine.run("CMS.INCRBY none a 1"), kMissing);
  EXPECT_EQ(engine.run("CMS.INCRBY text a 1"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("CMS.QUERY none a"), kMissing);
  EXPECT_EQ(engine.run("CMS.QUERY text a"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("CMS.INFO none"), kMissing);
  EXPECT_EQ(engine.run("CMS.INCRBY s a 1 b"),
            "(ERR wrong number of arguments for 'cms.incrby' command)");
  EXPECT_EQ(engine.run("CMS.INCRBY s a 1 b x"), "(CMS: Cannot parse number)");
  EXPECT_EQ(engine.run("CMS.INCRBY s a 1 b -1"), "(CMS: Number cannot be negative)");
  EXPECT_EQ(engine.run("CMS.QUERY s a"), "[0]");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.run("CMS.INCRBY s a 4294967294 a 1 b 0"),
            "[4294967294 (CMS: INCRBY overflow) 0]");
}

TEST(CountMinCommands, Merge) {
  CountMinCommands engine;
  engine.run_all({"CMS.INITBYDIM a 1000 5", "CMS.INITBYDIM b 1000 5", "CMS.INITBYDIM d 1000 5",
                  "CMS.INITBYDIM other 1000 4", "SET text v", "CMS.INCRBY a x 10 y 2",
                  "CMS.INCRBY b x 1 z 7"});
  engine.effects();
  EXPECT_EQ(engine.run("CMS.MERGE d 2 a b"), "OK");
  EXPECT_EQ(engine.effects(), "0: CMS.MERGE d 2 a b");
  EXPECT_EQ(engine.run("CMS.QUERY d x y z"), "[11 2 7]");
  EXPECT_EQ(engine.run("CMS.MERGE d 2 a b WEIGHTS 2 3"), "OK");
  EXPECT_EQ(engine.run("CMS.QUERY d x y z"), "[23 4 21]");
  EXPECT_EQ(engine.run("CMS.INFO d"), "{width 1000 depth 5 count 48}");
  EXPECT_EQ(engine.run("CMS.MERGE a 2 a b"), "OK");
  EXPECT_EQ(engine.run("CMS.QUERY a x"), "[11]");
  EXPECT_EQ(engine.run("CMS.MERGE none 1 a"), kMissing);
  EXPECT_EQ(engine.run("CMS.MERGE text 1 a"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("CMS.MERGE d x a"), "(CMS: invalid numkeys)");
  EXPECT_EQ(engine.run("CMS.MERGE d 0 a"), "(CMS: Number of keys must be positive)");
  EXPECT_EQ(engine.run("CMS.MERGE d 2 a"), "(CMS: wrong number of keys)");
  EXPECT_EQ(engine.run("CMS.MERGE d 1 a b"), "(CMS: wrong number of keys)");
  EXPECT_EQ(engine.run("CMS.MERGE d 2 a b WEIGHTS 1"), "(CMS: wrong number of keys/weights)");
  EXPECT_EQ(engine.run("CMS.MERGE d 9223372036854775807 a"), "(CMS: wrong number of keys)");
  EXPECT_EQ(engine.run("CMS.MERGE d 1 a WEIGHTS x"), "(CMS: invalid weight value)");
  EXPECT_EQ(engine.run("CMS.MERGE d 1 none"), kMissing);
  EXPECT_EQ(engine.run("CMS.MERGE d 1 text"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("CMS.MERGE d 1 other"), "(CMS: width/depth is not equal)");
  EXPECT_EQ(engine.run("CMS.MERGE d 1 a WEIGHTS -1"), "(CMS: MERGE overflow)");
  EXPECT_EQ(engine.run("CMS.MERGE d 1 a WEIGHTS 1000000000"), "(CMS: MERGE overflow)");
  EXPECT_EQ(engine.run("CMS.QUERY d x y z"), "[23 4 21]");
}

TEST(CountMinCommands, SketchesMoveLikeOtherValues) {
  CountMinCommands engine;
  engine.run_all({"CMS.INITBYDIM s 100000 5", "CMS.INCRBY s a 3", "COPY s t"});
  EXPECT_EQ(engine.run("DEBUG DIGEST-VALUE s"), engine.run("DEBUG DIGEST-VALUE t"));
  engine.run("CMS.INCRBY t a 1");
  EXPECT_NE(engine.run("DEBUG DIGEST-VALUE s"), engine.run("DEBUG DIGEST-VALUE t"));
  EXPECT_EQ(engine.run("UNLINK s t"), "2");
}

}  // namespace
}  // namespace ouro
