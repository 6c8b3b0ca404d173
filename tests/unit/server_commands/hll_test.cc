// SPDX-License-Identifier: BSD-3-Clause
#include "engine_fixture.h"

namespace ouro {
namespace {

struct HyperLogLogs : EngineFixture {
  HyperLogLogs()
      : EngineFixture({kHyperLogLogCommands, kStringCommands, kStringSetCommands, kListCommands,
                       kKeyCommands, kObjectCommands, kConfigCommands}) {}
};

TEST(HyperLogLogCommands, ElementsAreCountedOnce) {
  HyperLogLogs engine;
  EXPECT_EQ(engine.run("PFADD h"), "1");
  EXPECT_EQ(engine.run("PFADD h"), "0");
  EXPECT_EQ(engine.run("PFCOUNT h"), "0");
  EXPECT_EQ(engine.run("PFADD h a b c \"\""), "1");
  EXPECT_EQ(engine.run("PFADD h a c"), "0");
  EXPECT_EQ(engine.run("PFCOUNT h"), "4");
  EXPECT_EQ(engine.run("PFADD other c d"), "1");
  EXPECT_EQ(engine.run("PFCOUNT h other none"), "5");
  EXPECT_EQ(engine.run("PFCOUNT none"), "0");
  EXPECT_EQ(engine.run("OBJECT ENCODING h"), "\"raw\"");
}

// The count that is kept in the value is a change, too, once.
TEST(HyperLogLogCommands, EffectsOfCounting) {
  HyperLogLogs engine;
  engine.run("PFADD h a b");
  EXPECT_EQ(engine.effects(), "0: PFADD h a b");
  engine.run("PFCOUNT h");
  EXPECT_EQ(engine.effects(), "0: PFCOUNT h");
  engine.run("PFCOUNT h");
  engine.run("PFADD h b");
  engine.run("PFCOUNT h none");
  EXPECT_EQ(engine.effects(), "");
}

TEST(HyperLogLogCommands, MergeTakesTheDenseFormFromAnySource) {
  HyperLogLogs engine;
  engine.run_all({"PFADD a 1 2 3", "PFADD b 3 4", "PFADD c 5"});
  EXPECT_EQ(engine.run("PFMERGE d a b"), "OK");
  EXPECT_EQ(engine.run("PFCOUNT d"), "4");
  EXPECT_EQ(engine.run("PFDEBUG ENCODING d"), "sparse");
  EXPECT_EQ(engine.run("PFDEBUG TODENSE c"), "1");
  EXPECT_EQ(engine.run("PFDEBUG TODENSE c"), "0");
  EXPECT_EQ(engine.run("PFMERGE d c"), "OK");
  EXPECT_EQ(engine.run("PFCOUNT d"), "5");
  EXPECT_EQ(engine.run("PFDEBUG ENCODING d"), "dense");
  EXPECT_EQ(engine.run("PFMERGE fresh"), "OK");
  EXPECT_EQ(engine.run("PFCOUNT fresh"), "0");
}

TEST(HyperLogLogCommands, TheSparseLimitIsAnOption) {
  HyperLogLogs engine;
  EXPECT_EQ(engine.run("CONFIG SET hll-sparse-max-bytes 20"), "OK");
  engine.run("PFADD h a");
  EXPECT_EQ(engine.run("PFDEBUG ENCODING h"), "dense");
  EXPECT_EQ(engine.run("PFADD h a"), "0");
  EXPECT_EQ(engine.run("PFCOUNT h"), "1");
}

TEST(HyperLogLogCommands, OtherStringsAreRefused) {
  constexpr ByteView kInvalid = "(WRONGTYPE Key is not a valid HyperLogLog string value.)";
  HyperLogLogs engine;
  engine.run_all({"SET s text", "SET n 12", "RPUSH l x", "PFADD h a b c"});
  for (const char* key : {"s", "n"}) {
    EXPECT_EQ(engine.run({"PFADD", key, "a"}), kInvalid);
    EXPECT_EQ(engine.run({"PFCOUNT", key}), kInvalid);
    EXPECT_EQ(engine.run({"PFCOUNT", "h", key}), kInvalid);
    EXPECT_EQ(engine.run({"PFMERGE", key, "h"}), kInvalid);
    EXPECT_EQ(engine.run({"PFDEBUG", "ENCODING", key}), kInvalid);
  }
  EXPECT_EQ(engine.run("PFADD l a"), kWrongTypeAnswer);
  engine.run("APPEND h tail");
  for (const char* line : {"PFCOUNT h", "PFCOUNT h none", "PFMERGE d h", "PFDEBUG TODENSE h"}) {
    EXPECT_EQ(engine.run(line), "(INVALIDOBJ Corrupted HLL object detected)");
  }
}

TEST(HyperLogLogCommands, DebugShowsRunsAndRegisters) {
  HyperLogLogs engine;
  engine.run("PFADD h a b c");
  EXPECT_EQ(engine.run("PFDEBUG DECODE h"), "\"Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603\"");
  EXPECT_EQ(engine.run("PFDEBUG GETREG h").substr(0, 6), "[0 0 0");
  EXPECT_EQ(engine.run("PFDEBUG DECODE h"), "(ERR HLL encoding is not sparse)");
  EXPECT_EQ(engine.run("PFDEBUG WHAT h"), "(ERR Unknown PFDEBUG subcommand 'WHAT')");
  EXPECT_EQ(engine.run("PFDEBUG ENCODING none"), "(ERR The specified key does not exist)");
  EXPECT_EQ(engine.run("PFSELFTEST"), "OK");
}

}  // namespace
}  // namespace ouro
