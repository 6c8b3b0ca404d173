// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/bits.h"

#include "engine_fixture.h"

namespace ouro {
namespace {

struct Bits : EngineFixture {
  Bits()
      : EngineFixture({kBitCommands, kStringCommands, kStringSetCommands, kListCommands,
                       kKeyCommands, kObjectCommands, kExpireCommands}) {}
};

TEST(BitCommands, ABitIsSetAndRead) {
  Bits engine;
  EXPECT_EQ(engine.run("SETBIT k 7 1"), "0");
  EXPECT_EQ(engine.run("SETBIT k 7 1"), "1");
  EXPECT_EQ(engine.run("GET k"), "\"\\x01\"");
  EXPECT_EQ(engine.run("SETBIT k 23 0"), "0");
  EXPECT_EQ(engine.run("STRLEN k"), "3");
  EXPECT_EQ(engine.run("GETBIT k 7"), "1");
  EXPECT_EQ(engine.run("GETBIT k 100"), "0");
  EXPECT_EQ(engine.run("GETBIT none 1"), "0");
  EXPECT_EQ(engine.run("SETBIT k 1 2"), "(ERR bit is not an integer or out of range)");
  EXPECT_EQ(engine.run("SETBIT k -1 1"), "(ERR bit offset is not an integer or out of range)");
  EXPECT_EQ(engine.run("SETBIT k 4294967296 1"),
            "(ERR bit offset is not an integer or out of range)");
}

// What changes nothing leaves no effect; growth is a change.
TEST(BitCommands, EffectsTellOfChangesOnly) {
  Bits engine;
  engine.run("SETBIT k 7 0");
  EXPECT_EQ(engine.effects(), "0: SETBIT k 7 0");
  engine.run("SETBIT k 7 0");
  engine.run("BITFIELD k GET u8 0");
  engine.run("BITFIELD k SET u8 0 0");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.run("BITFIELD k OVERFLOW FAIL INCRBY u8 8 -1"), "[_]");
  EXPECT_EQ(engine.effects(), "0: BITFIELD k OVERFLOW FAIL INCRBY u8 8 -1");
}

TEST(BitCommands, AnIntegerBecomesText) {
  Bits engine;
  engine.run("SET k 12");
  EXPECT_EQ(engine.run("BITCOUNT k"), "6");
  EXPECT_EQ(engine.run("SETBIT k 7 1"), "1");
  EXPECT_EQ(engine.run("OBJECT ENCODING k"), "\"raw\"");
  EXPECT_EQ(engine.run("GET k"), "\"12\"");
}

TEST(BitCommands, BitcountOfParts) {
  Bits engine;
  engine.run("SET k foobar");
  EXPECT_EQ(engine.run("BITCOUNT k"), "26");
  EXPECT_EQ(engine.run("BITCOUNT k 0 0"), "4");
  EXPECT_EQ(engine.run("BITCOUNT k 1"), "22") << "to the end";
  EXPECT_EQ(engine.run("BITCOUNT k -2"), "7");
  EXPECT_EQ(engine.run("BITCOUNT k 6"), "0");
  EXPECT_EQ(engine.run("BITCOUNT k x"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(engine.run("BITCOUNT k -2 -1"), "7");
  EXPECT_EQ(engine.run("BITCOUNT k 5 30 BIT"), "17");
  EXPECT_EQ(engine.run("BITCOUNT k 1 1 byte"), "6");
  EXPECT_EQ(engine.run("BITCOUNT k -90 -100"), "0");
  EXPECT_EQ(engine.run("BITCOUNT k 1 2 WORD"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("BITCOUNT k 1 2 BIT x"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("BITCOUNT none x y"), "0");
}

TEST(BitCommands, BitposKnowsWhereAStringEnds) {
  Bits engine;
  engine.run("SETRANGE k 0 \"\\xff\\xf0\\x00\"");
  EXPECT_EQ(engine.run("BITPOS k 0"), "12");
  EXPECT_EQ(engine.run("BITPOS k 1 2"), "-1");
  EXPECT_EQ(engine.run("BITPOS k 1 13 15 BIT"), "-1");
  EXPECT_EQ(engine.run("BITPOS k 0 13 15 BIT"), "13");
  engine.run("SETRANGE ones 0 \"\\xff\\xff\"");
  EXPECT_EQ(engine.run("BITPOS ones 0"), "16");
  EXPECT_EQ(engine.run("BITPOS ones 0 0 -1"), "-1");
  EXPECT_EQ(engine.run("BITPOS none 0"), "0");
  EXPECT_EQ(engine.run("BITPOS none 1"), "-1");
  EXPECT_EQ(engine.run("BITPOS k 2"), "(ERR The bit argument must be 1 or 0.)");
}

TEST(BitCommands, BitopStoresText) {
  Bits engine;
  engine.run_all({"SET a 1", "SET b 3", "SET d old EX 100", "RPUSH list x"});
  EXPECT_EQ(engine.run("BITOP AND d a b none"), "1");
  EXPECT_EQ(engine.run("GET d"), "\"\\x00\"");
  EXPECT_EQ(engine.run("TTL d"), "-1");
  EXPECT_EQ(engine.run("BITOP or d a b"), "1");
  EXPECT_EQ(engine.run("GET d"), "\"3\"");
  EXPECT_EQ(engine.run("OBJECT ENCODING d"), "\"raw\"");
  EXPECT_EQ(engine.run("BITOP NOT d none"), "0");
  EXPECT_EQ(engine.run("EXISTS d"), "0");
  EXPECT_EQ(engine.run("BITOP NOT d a b"),
            "(ERR BITOP NOT must be called with a single source key.)");
  EXPECT_EQ(engine.run("BITOP NAND d a b"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("BITOP AND d a list"), kWrongTypeAnswer);
}

TEST(BitCommands, BitopsOperationsOfRedis8) {
  Bits engine;
  engine.run_all({"SETRANGE x 0 \"\\xf0\"", "SETRANGE y 0 \"\\xcc\"", "SETRANGE z 0 \"\\xaa\""});
  EXPECT_EQ(engine.run("BITOP DIFF d x y z"), "1");
  EXPECT_EQ(engine.run("GET d"), "\"\\x10\"");
  engine.run("BITOP DIFF1 d x y z");
  EXPECT_EQ(engine.run("GET d"), "\"\\x0e\"");
  engine.run("BITOP ANDOR d x y z");
  EXPECT_EQ(engine.run("GET d"), "\"\\xe0\"");
  engine.run("BITOP ONE d x y z");
  EXPECT_EQ(engine.run("GET d"), "\"\\x16\"");
  EXPECT_EQ(engine.run("BITOP ONE d x"), "1");
  engine.effects();
  engine.run_all({"BITOP DIFF d x y z", "BITOP DIFF d none none", "BITOP DIFF d none none"});
  EXPECT_EQ(engine.effects(), "0: SET d \\x10; 0: DEL d") << "as Redis 7.0 knows it";
  EXPECT_EQ(engine.run("BITOP andor d x"),
            "(ERR BITOP ANDOR must be called with at least two source keys.)");
}

// A large string that is being sent is not changed under its reader's eyes.
TEST(BitCommands, LargeStrings) {
  Bits engine;
  EXPECT_EQ(engine.run("SETBIT k 799999 1"), "0");
  EXPECT_EQ(engine.run("STRLEN k"), "100000");
  Blob* blob = engine.db().find(engine.db().key("k"))->blob();
  blob->pin();
  EXPECT_EQ(engine.run("SETBIT k 0 1"), "0");
  EXPECT_EQ(bits::count(blob->view()), 1U);
  EXPECT_EQ(engine.run("BITCOUNT k"), "2");
  Blob::unpin(engine.engine.heap, blob);
  EXPECT_EQ(engine.run("BITOP NOT d k"), "100000");
  EXPECT_EQ(engine.run("BITCOUNT d"), "799998");
  EXPECT_EQ(engine.run("BITPOS k 1 1"), "799999");
}

TEST(BitCommands, FieldsOfAllKinds) {
  Bits engine;
  EXPECT_EQ(engine.run("BITFIELD k INCRBY i5 100 1 GET u4 0"), "[1 0]");
  EXPECT_EQ(engine.run("BITFIELD k SET u8 #1 200 GET u8 8 GET i8 8"), "[0 200 -56]");
  EXPECT_EQ(engine.run("BITFIELD k OVERFLOW SAT INCRBY u8 8 100 OVERFLOW WRAP INCRBY u8 8 1"),
            "[255 0]");
  EXPECT_EQ(engine.run("BITFIELD k"), "[]");
  EXPECT_EQ(engine.run("BITFIELD_RO k GET u8 #0"), "[0]");
  EXPECT_EQ(engine.run("BITFIELD_RO k SET u8 0 1"),
            "(ERR BITFIELD_RO only supports the GET subcommand)");
  EXPECT_EQ(engine.run("BITFIELD k GET u64 0"),
            "(ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported "
            "but i64 is.)");
  EXPECT_EQ(engine.run("BITFIELD k OVERFLOW NOW"), "(ERR Invalid OVERFLOW type specified)");
  EXPECT_EQ(engine.run("BITFIELD k GET u8 #-1"),
            "(ERR bit offset is not an integer or out of range)");
  EXPECT_EQ(engine.run("BITFIELD k SET u8 0"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("BITFIELD none GET i64 0"), "[0]");
  EXPECT_EQ(engine.run("EXISTS none"), "0");
}

}  // namespace
}  // namespace ouro
