// SPDX-License-Identifier: BSD-3-Clause
#include "engine_fixture.h"

namespace ouro {
namespace {

struct Strings : EngineFixture {
  Strings()
      : EngineFixture({kStringCommands, kStringSetCommands, kStringLcsCommands, kKeyCommands,
                       kExpireCommands, kObjectCommands}) {}
};

TEST(String, WhatIsSetIsGot) {
  Strings engine;
  EXPECT_EQ(engine.run("GET k"), "_");
  EXPECT_EQ(engine.run("SET k value"), "OK");
  EXPECT_EQ(engine.run("GET k"), "\"value\"");
  EXPECT_EQ(engine.run("set k 12"), "OK");
  EXPECT_EQ(engine.run("GET k"), "\"12\"");
  EXPECT_EQ(engine.run("OBJECT ENCODING k"), "\"int\"");
  EXPECT_EQ(engine.run({"SET", ByteView("\0k", 2), ByteView("\0\r\n", 3)}), "OK");
  EXPECT_EQ(engine.run({"GET", ByteView("\0k", 2)}), "\"\\x00\\x0d\\x0a\"");
  EXPECT_EQ(engine.run("SET k \"\""), "OK");
  EXPECT_EQ(engine.run("GET k"), "\"\"");
  EXPECT_EQ(engine.run("SET k"), "(ERR wrong number of arguments for 'set' command)");
}

TEST(String, LargeValuesAreAnsweredFromWhereTheyAre) {
  Strings engine;
  const std::string large(100'000, 'x');
  EXPECT_EQ(engine.run({"SET", "k", large}), "OK");
  EXPECT_EQ(engine.run("GET k"), '"' + large + '"');
  EXPECT_EQ(engine.blobs_answered, 1U);
  EXPECT_EQ(engine.run("GETRANGE k 1 20000"), '"' + large.substr(0, 20000) + '"');
  EXPECT_EQ(engine.blobs_answered, 2U);
  EXPECT_EQ(engine.run("GETRANGE k -3 -1"), "\"xxx\"");
  EXPECT_EQ(engine.blobs_answered, 2U);
  EXPECT_EQ(engine.run("APPEND k yz"), "100002");
  EXPECT_EQ(engine.run("GETRANGE k 99999 -1"), "\"xyz\"");
  EXPECT_EQ(engine.run("SET k small"), "OK");
  EXPECT_EQ(engine.run("GET k"), "\"small\"");
}

// A large argument that came in memory of its own is stored as that memory.
TEST(String, SetTakesABlobOver) {
  Strings engine;
  Blob* blob = Blob::create_from(engine.engine.heap, std::string(50'000, 'b'));
  const ByteView argv[] = {"SET", "k", blob->view()};
  const RespReader::BlobArg blobs[] = {{.index = 2, .blob = blob}};
  ReplyLine reply;
  engine.engine.executor.run(
      engine.caller,
      {.spec = engine.engine.registry.find("SET"), .argv = argv, .first_key = {}, .blobs = blobs},
      reply);
  EXPECT_EQ(reply.take(), "OK");
  EXPECT_EQ(engine.db().find(engine.db().key("k"))->blob(), blob);
  EXPECT_TRUE(blob->is_shared());
  Blob::unpin(engine.engine.heap, blob);
  EXPECT_EQ(engine.run("STRLEN k"), "50000");
}

TEST(String, SetWithConditions) {
  Strings engine;
  EXPECT_EQ(engine.run("SET k 1 XX"), "_");
  EXPECT_EQ(engine.run("SET k 1 NX"), "OK");
  EXPECT_EQ(engine.run("SET k 2 nx"), "_");
  EXPECT_EQ(engine.run("SET k 2 xx get"), "\"1\"");
  EXPECT_EQ(engine.run("SET k 3 NX GET"), "\"2\"");
  EXPECT_EQ(engine.run("GET k"), "\"2\"");
  EXPECT_EQ(engine.run("SET new 3 NX GET"), "_");
  EXPECT_EQ(engine.run("GET new"), "\"3\"");
  EXPECT_EQ(engine.run("SET k 1 NX XX"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("SET k 1 WHAT"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("SET k 1 PERSIST"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("SETNX k 5"), "0");
  EXPECT_EQ(engine.run("SETNX fresh 5"), "1");
  EXPECT_EQ(engine.run("GET fresh"), "\"5\"");
}

TEST(String, SetWithATime) {
  Strings engine;
  EXPECT_EQ(engine.run("SET k v EX 10"), "OK");
  EXPECT_EQ(engine.run("PTTL k"), "10000");
  EXPECT_EQ(engine.effects(), "0: SET k v PXAT 1700000010000");
  EXPECT_EQ(engine.run("SET k v PX 1500"), "OK");
  EXPECT_EQ(engine.run("SET k w KEEPTTL"), "OK");
  EXPECT_EQ(engine.run("PTTL k"), "1500");
  engine.effects();
  EXPECT_EQ(engine.run("SET k w"), "OK");
  EXPECT_EQ(engine.run("PTTL k"), "-1");
  EXPECT_EQ(engine.effects(), "0: SET k w");
  EXPECT_EQ(engine.run("SET k w EXAT 1700000020"), "OK");
  EXPECT_EQ(engine.run("TTL k"), "20");
  for (const ByteView options : {"PXAT 1700000000001 EX 7", "PX 1 KEEPTTL", "KEEPTTL PX 1", "EX"}) {
    EXPECT_EQ(engine.run("SET k w " + std::string(options)), "(ERR syntax error)");
  }
  EXPECT_EQ(engine.run("SET k w EX x"), "(ERR value is not an integer or out of range)");
  for (const ByteView time :
       {"EX 0", "PX -1", "EX 9223372036854775807", "PX 9223372036854775807"}) {
    EXPECT_EQ(engine.run("SET k w " + std::string(time)),
              "(ERR invalid expire time in 'set' command)");
  }
  EXPECT_EQ(engine.run("SETEX k 3 v"), "OK");
  EXPECT_EQ(engine.run("PTTL k"), "3000");
  EXPECT_EQ(engine.run("PSETEX k 4 v"), "OK");
  EXPECT_EQ(engine.run("SETEX k 0 v"), "(ERR invalid expire time in 'setex' command)");
  engine.effects();
  engine.pass(4);
  EXPECT_EQ(engine.run("GET k"), "_");
  EXPECT_EQ(engine.effects(), "0: DEL k");
}

// A command that meets a key that is due leaves its removal ahead of its own effect.
TEST(String, ADueKeyIsAbsentForWriters) {
  Strings engine;
  engine.run("SET k old PX 5");
  engine.effects();
  engine.pass(5);
  EXPECT_EQ(engine.run("APPEND k x"), "1");
  EXPECT_EQ(engine.effects(), "0: DEL k; 0: APPEND k x");
  EXPECT_EQ(engine.run("PTTL k"), "-1");
}

TEST(String, GetexGetdelGetset) {
  Strings engine;
  engine.run("SET k v");
  engine.effects();
  EXPECT_EQ(engine.run("GETEX k"), "\"v\"");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.run("GETEX k PX 100"), "\"v\"");
  EXPECT_EQ(engine.effects(), "0: PEXPIREAT k 1700000000100");
  EXPECT_EQ(engine.run("GETEX k PERSIST"), "\"v\"");
  EXPECT_EQ(engine.effects(), "0: PERSIST k");
  EXPECT_EQ(engine.run("GETEX k PERSIST EX 1"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("GETEX k NX"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("GETEX k EX 0"), "(ERR invalid expire time in 'getex' command)");
  EXPECT_EQ(engine.run("GETEX none EX 0"), "_");
  EXPECT_EQ(engine.run("GETEX k EXAT 1"), "\"v\"");
  EXPECT_EQ(engine.effects(), "0: DEL k");
  EXPECT_EQ(engine.run("EXISTS k"), "0");
  EXPECT_EQ(engine.run("GETSET k 1"), "_");
  EXPECT_EQ(engine.run("GETSET k 2"), "\"1\"");
  EXPECT_EQ(engine.run("GETDEL k"), "\"2\"");
  EXPECT_EQ(engine.run("GETDEL k"), "_");
  EXPECT_EQ(engine.effects(), "0: SET k 1; 0: SET k 2; 0: DEL k");
}

TEST(String, Counting) {
  Strings engine;
  EXPECT_EQ(engine.run("INCR n"), "1");
  EXPECT_EQ(engine.run("INCRBY n 41"), "42");
  EXPECT_EQ(engine.run("DECR n"), "41");
  EXPECT_EQ(engine.run("DECRBY n 50"), "-9");
  engine.run("PEXPIRE n 100");
  EXPECT_EQ(engine.run("INCR n"), "-8");
  EXPECT_EQ(engine.run("PTTL n"), "100");
  EXPECT_EQ(engine.run("INCRBY n x"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(engine.run("DECRBY n -9223372036854775808"), "(ERR decrement would overflow)");
  engine.run("SET n 9223372036854775807");
  EXPECT_EQ(engine.run("INCR n"), "(ERR increment or decrement would overflow)");
  EXPECT_EQ(engine.run("GET n"), "\"9223372036854775807\"");
  engine.run("SET n 01");
  EXPECT_EQ(engine.run("INCR n"), "(ERR value is not an integer or out of range)");
  engine.run("SET n 1");
  engine.run("APPEND n 0");
  EXPECT_EQ(engine.run("OBJECT ENCODING n"), "\"raw\"");
  EXPECT_EQ(engine.run("INCR n"), "11");
  EXPECT_EQ(engine.run("OBJECT ENCODING n"), "\"int\"");
}

TEST(String, CountingInDecimals) {
  Strings engine;
  EXPECT_EQ(engine.run("INCRBYFLOAT f 10.5"), "\"10.5\"");
  EXPECT_EQ(engine.run("INCRBYFLOAT f 0.1"), "\"10.6\"");
  engine.effects();
  EXPECT_EQ(engine.run("INCRBYFLOAT f -5.6e0"), "\"5\"");
  EXPECT_EQ(engine.effects(), "0: SET f 5 KEEPTTL");
  // A whole sum stays text, under another name too; a count makes an integer of it.
  EXPECT_EQ(engine.run("OBJECT ENCODING f"), "\"embstr\"");
  engine.run("RENAME f g");
  engine.run("EXPIRE g 100");
  EXPECT_EQ(engine.run("OBJECT ENCODING g"), "\"embstr\"");
  EXPECT_EQ(engine.run("INCR g"), "6");
  EXPECT_EQ(engine.run("OBJECT ENCODING g"), "\"int\"");
  engine.run("RENAME g f");
  EXPECT_EQ(engine.run("INCRBYFLOAT f x"), "(ERR value is not a valid float)");
  EXPECT_EQ(engine.run("INCRBYFLOAT f inf"), "(ERR increment would produce NaN or Infinity)");
  engine.run("SET f abc");
  EXPECT_EQ(engine.run("INCRBYFLOAT f 1"), "(ERR value is not a valid float)");
}

TEST(String, Parts) {
  Strings engine;
  engine.run("SET k \"Hello World\"");
  EXPECT_EQ(engine.run("GETRANGE k 0 4"), "\"Hello\"");
  EXPECT_EQ(engine.run("SUBSTR k -5 -1"), "\"World\"");
  EXPECT_EQ(engine.run("GETRANGE k -100 100"), "\"Hello World\"");
  EXPECT_EQ(engine.run("GETRANGE k -1 -5"), "\"\"");
  EXPECT_EQ(engine.run("GETRANGE k -200 -100"), "\"H\"");
  EXPECT_EQ(engine.run("GETRANGE k 20 30"), "\"\"");
  EXPECT_EQ(engine.run("GETRANGE none 0 1"), "\"\"");
  EXPECT_EQ(engine.run("SETRANGE k 6 Redis"), "11");
  EXPECT_EQ(engine.run("GET k"), "\"Hello Redis\"");
  EXPECT_EQ(engine.run("SETRANGE k 13 x"), "14");
  EXPECT_EQ(engine.run("GET k"), "\"Hello Redis\\x00\\x00x\"");
  EXPECT_EQ(engine.run("SETRANGE fresh 2 x"), "3");
  EXPECT_EQ(engine.run("GET fresh"), "\"\\x00\\x00x\"");
  EXPECT_EQ(engine.run("SETRANGE none 5 \"\""), "0");
  EXPECT_EQ(engine.run("EXISTS none"), "0");
  EXPECT_EQ(engine.run("SETRANGE k -1 x"), "(ERR offset is out of range)");
  for (const ByteView at : {"536870912", "9223372036854775807"}) {
    EXPECT_EQ(engine.run({"SETRANGE", "k", at, "x"}),
              "(ERR string exceeds maximum allowed size (proto-max-bulk-len))");
  }
  engine.run("SET n 1234");
  EXPECT_EQ(engine.run("SETRANGE n 1 x"), "4");
  EXPECT_EQ(engine.run("GET n"), "\"1x34\"");
}

TEST(String, ANewStringHasNoRoomToSpare) {
  for (const ByteView command : {"SETRANGE k 99999 x", "SETBIT k 799999 1"}) {
    EngineFixture engine{kStringCommands, kBitCommands};
    const size_t before = engine.engine.heap.used_bytes();
    engine.run(command);
    EXPECT_EQ(engine.run("STRLEN k"), "100000");
    EXPECT_LT(engine.engine.heap.used_bytes() - before, 120'000U) << command;
  }
}

// Appending goes through each way a string is held: integer, in its entry, in memory of its own.
TEST(String, AppendGrowsThroughAllForms) {
  Strings engine;
  engine.run("SET k 1 PX 1000");
  std::string expected = "1";
  Prng prng(3);
  while (expected.size() < 200'000) {
    const std::string tail(1 + prng.below(expected.size()),
                           static_cast<char>('a' + prng.below(26)));
    expected += tail;
    EXPECT_EQ(engine.run({"APPEND", "k", tail}), std::to_string(expected.size()));
    ASSERT_EQ(engine.run("GET k"), '"' + expected + '"');
  }
  EXPECT_EQ(engine.run("PTTL k"), "1000");
}

TEST(String, SeveralKeysAtOnce) {
  Strings engine;
  EXPECT_EQ(engine.run("MSET a 1 b 2 a 3"), "OK");
  EXPECT_EQ(engine.run("MGET a none b"), "[\"3\" _ \"2\"]");
  EXPECT_EQ(engine.run("MSETNX c 1 a 1"), "0");
  EXPECT_EQ(engine.run("EXISTS c"), "0");
  EXPECT_EQ(engine.run("MSETNX c 1 d 1"), "1");
  EXPECT_EQ(engine.run("MSET a 1 b"), "(ERR wrong number of arguments for 'mset' command)");
  EXPECT_EQ(engine.run("MSETNX a 1 b"), "(ERR wrong number of arguments for 'msetnx' command)");
}

TEST(String, LongestCommonSubsequence) {
  Strings engine;
  engine.run("MSET a ohmytext b mynewtext");
  EXPECT_EQ(engine.run("LCS a b"), "\"mytext\"");
  EXPECT_EQ(engine.run("LCS a b LEN"), "6");
  EXPECT_EQ(engine.run("LCS a b IDX"), "{\"matches\" [[[4 7] [5 8]] [[2 3] [0 1]]] \"len\" 6}");
  EXPECT_EQ(engine.run("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN"),
            "{\"matches\" [[[4 7] [5 8] 4]] \"len\" 6}");
  EXPECT_EQ(engine.run("LCS a none"), "\"\"");
  EXPECT_EQ(engine.run("LCS a a"), "\"ohmytext\"");
  EXPECT_EQ(engine.run("LCS a b IDX LEN"),
            "(ERR If you want both the length and indexes, please just use IDX.)");
  EXPECT_EQ(engine.run("LCS a b WHAT"), "(ERR syntax error)");
  const std::string large(20'000, 'x');
  engine.run({"MSET", "a", large, "b", large});
  EXPECT_EQ(engine.run("LCS a b"),
            "(ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len)");
}

}  // namespace
}  // namespace ouro
