// SPDX-License-Identifier: BSD-3-Clause
// DUMP and RESTORE. That redis-server gives and takes the same is shown by
// tests/compat/dump_test.py.
#include "datastructs/codec/little_endian.h"
#include "engine_fixture.h"
#include "persistence/dump_payload.h"

namespace ouro {
namespace {

using namespace std::string_literals;

class Dump : public ::testing::Test {
 protected:
  std::string payload_of(ByteView key) {
    const Entry* entry = engine.db().find(engine.db().key(key));
    return dump_payload(*entry, RdbWriter::Packing::kLzf);
  }
  std::string restore(ByteView key, ByteView ttl, ByteView payload,
                      std::initializer_list<ByteView> options = {}) {
    std::vector<ByteView> argv = {"RESTORE", key, ttl, payload};
    argv.insert(argv.end(), options);
    return engine.run(Argv(argv));
  }

  EngineFixture engine{kDumpCommands,   kStringCommands,     kStringSetCommands, kKeyCommands,
                       kExpireCommands, kListCommands,       kObjectCommands,    kBloomCommands,
                       kHashCommands,   kHashExpireCommands, kStreamCommands,    kTDigestCommands,
                       kSetCommands};
};

TEST_F(Dump, GivesWhatRedisGives) {
  engine.run("SET k hello");
  EXPECT_EQ(engine.run("DUMP k"), "\"\\x00\\x05hello\\x0a\\x00cr\\xdfve4 \\x0a\"");
  EXPECT_EQ(engine.run("DUMP absent"), "_");
}

TEST_F(Dump, CompressionIsAParameter) {
  engine.run("SET k " + std::string(100, 'a'));
  EXPECT_LT(engine.run("DUMP k").size(), 100U);
  engine.options.rdbcompression = false;
  EXPECT_GT(engine.run("DUMP k").size(), 100U);
}

TEST_F(Dump, RestoreMakesTheValueAgain) {
  engine.run("RPUSH l a 1 b");
  const std::string payload = payload_of("l");
  engine.effects();
  EXPECT_EQ(restore("copy", "0", payload), "OK");
  EXPECT_EQ(engine.run("LRANGE copy 0 -1"), "[\"a\" \"1\" \"b\"]");
  EXPECT_EQ(engine.run("TTL copy"), "-1");
  EXPECT_EQ(engine.effects(), "0: RESTORE copy 0 " + printable(payload));
}

TEST_F(Dump, AKeyThatIsThereIsKeptOrReplaced) {
  engine.run_all({"SET k old", "SET other new"});
  const std::string payload = payload_of("other");
  EXPECT_EQ(restore("k", "0", payload), "(BUSYKEY Target key name already exists.)");
  EXPECT_EQ(engine.run("GET k"), "\"old\"");
  EXPECT_EQ(restore("k", "0", payload, {"replace"}), "OK");
  EXPECT_EQ(engine.run("GET k"), "\"new\"");
}

TEST_F(Dump, TimesToLiveBecomeTimes) {
  engine.run("SET s v");
  const std::string payload = payload_of("s");
  engine.effects();
  EXPECT_EQ(restore("a", "1000", payload), "OK");
  EXPECT_EQ(engine.run("PTTL a"), "1000");
  EXPECT_EQ(engine.effects(), "0: RESTORE a 1700000001000 " + printable(payload) + " ABSTTL");
  EXPECT_EQ(restore("b", "1700000002000", payload, {"ABSTTL", "REPLACE"}), "OK");
  EXPECT_EQ(engine.run("PTTL b"), "2000");
  EXPECT_EQ(engine.effects(),
            "0: RESTORE b 1700000002000 " + printable(payload) + " ABSTTL REPLACE");
}

// Goal: Redis 7.0 would refuse what a later one dumped: a set as a listpack, in version 11.
TEST_F(Dump, APayloadOfALaterRedisIsLeftAsOfItsOwn) {
  std::string later =
      "\x14\x0a\x0a\x00\x00\x00\x01\x00\x81"
      "a\x02\xff"s;
  seal_payload(11, later);
  engine.effects();
  EXPECT_EQ(restore("s", "1000", later), "OK");
  EXPECT_EQ(engine.run("SISMEMBER s a"), "1");
  EXPECT_EQ(engine.effects(),
            "0: RESTORE s 1700000001000 " + printable(payload_of("s")) + " ABSTTL");
  // A string looks the same in all.
  std::string text = "\x00\x01v"s;
  seal_payload(11, text);
  EXPECT_EQ(restore("t", "0", text), "OK");
  EXPECT_EQ(engine.effects(), "0: RESTORE t 0 " + printable(payload_of("t")));
}

TEST_F(Dump, WhatHasEndedIsNotMade) {
  engine.run_all({"SET s v", "SET k old"});
  const std::string payload = payload_of("s");
  engine.effects();
  EXPECT_EQ(restore("absent", "1699999999999", payload, {"ABSTTL"}), "OK");
  EXPECT_EQ(engine.run("EXISTS absent"), "0");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(restore("k", "1", payload, {"ABSTTL", "REPLACE"}), "OK");
  EXPECT_EQ(engine.run("EXISTS k"), "0");
  EXPECT_EQ(engine.effects(), "0: DEL k");
}

TEST_F(Dump, AgesAndUsesAreThoseGiven) {
  engine.run("SET s v");
  const std::string payload = payload_of("s");
  EXPECT_EQ(restore("a", "0", payload, {"IDLETIME", "1000"}), "OK");
  EXPECT_EQ(engine.run("OBJECT IDLETIME a"), "1000");
  engine.options.maxmemory_policy = EvictionPolicy::kAllkeysLfu;
  EXPECT_EQ(restore("b", "0", payload, {"FREQ", "100"}), "OK");
  EXPECT_EQ(engine.run("OBJECT FREQ b"), "100");
}

TEST_F(Dump, CollectionsAreCountedWhenTheyAreChecked) {
  engine.run("SET s v");
  engine.run("RPUSH l a");
  EXPECT_EQ(restore("a", "0", payload_of("s"), {}), "OK");
  EXPECT_EQ(engine.engine.stats.payloads_checked, 0U);
  EXPECT_EQ(restore("b", "0", payload_of("l"), {}), "OK");
  EXPECT_EQ(engine.engine.stats.payloads_checked, 1U);
}

TEST_F(Dump, ArgumentsAreCheckedAsInRedis) {
  engine.run("SET s v");
  const std::string payload = payload_of("s");
  const std::string syntax = "(ERR syntax error)";
  EXPECT_EQ(restore("k", "0", payload, {"IDLETIME"}), syntax);
  EXPECT_EQ(restore("k", "0", payload, {"IDLETIME", "1", "FREQ", "1"}), syntax);
  EXPECT_EQ(restore("k", "0", payload, {"KEEPTTL"}), syntax);
  EXPECT_EQ(restore("k", "0", payload, {"IDLETIME", "-1"}),
            "(ERR Invalid IDLETIME value, must be >= 0)");
  EXPECT_EQ(restore("k", "0", payload, {"FREQ", "256"}),
            "(ERR Invalid FREQ value, must be >= 0 and <= 255)");
  EXPECT_EQ(restore("k", "-1", payload), "(ERR Invalid TTL value, must be >= 0)");
  EXPECT_EQ(restore("k", "x", payload), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(restore("k", "9223372036854775807", payload),
            "(ERR invalid expire time in 'restore' command)");
  // The key comes before the time, the time before the payload.
  EXPECT_EQ(restore("s", "-1", "x"), "(BUSYKEY Target key name already exists.)");
}

TEST_F(Dump, BadPayloadsAreRefused) {
  engine.run("SET s v");
  std::string payload = payload_of("s");
  EXPECT_EQ(restore("k", "0", ""), "(ERR DUMP payload version or checksum are wrong)");
  payload[0] = '\1';
  EXPECT_EQ(restore("k", "0", payload), "(ERR DUMP payload version or checksum are wrong)");
  std::string unknown = "\x63whatever";
  seal_payload(10, unknown);
  EXPECT_EQ(restore("k", "0", unknown), "(ERR Bad data format)");
  std::string more("\0\1vx", 4);
  seal_payload(10, more);
  EXPECT_EQ(restore("k", "0", more), "(ERR Bad data format)");
  std::string empty("\2\0", 2);
  seal_payload(10, empty);
  EXPECT_EQ(restore("k", "0", empty), "(ERR Bad data format)");
  EXPECT_EQ(engine.run("EXISTS k"), "0");
}

TEST_F(Dump, TestsMayLeaveTheChecksumOut) {
  EngineFixture debug{kDumpCommands, kDebugCommands, kStringCommands};
  const std::string wrong("\0\1v\12\0nonsense", 13);
  EXPECT_EQ(debug.run({"RESTORE", "k", "0", wrong}),
            "(ERR DUMP payload version or checksum are wrong)");
  EXPECT_EQ(debug.run("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1"), "OK");
  EXPECT_EQ(debug.run({"RESTORE", "k", "0", wrong}), "OK");
  EXPECT_EQ(debug.run("GET k"), "\"v\"");
}

TEST_F(Dump, WhatIdempotentProducersAddedIsRemembered) {
  const std::string id = engine.run("XADD x IDMP pid name * f v");
  EXPECT_EQ(restore("copy", "0", payload_of("x")), "OK");
  EXPECT_EQ(engine.run("XADD copy IDMP pid name * f v"), id);
  EXPECT_EQ(engine.run("XLEN copy"), "1");
}

TEST_F(Dump, DeadlinesOfFieldsTravelAndEnd) {
  engine.run_all({"HSET h a 1 b 2", "HPEXPIREAT h 1700000000500 FIELDS 1 a"});
  EXPECT_EQ(restore("copy", "0", payload_of("h")), "OK");
  EXPECT_EQ(engine.run("HPEXPIRETIME copy FIELDS 2 a b"), "[1700000000500 -1]");
  engine.pass(1000);
  EXPECT_EQ(engine.run("HGETALL copy"), "{\"b\" \"2\"}");
}

TEST_F(Dump, AFilterOfZerosIsNotWrittenBeyondTheLimit) {
  engine.run("BF.RESERVE f 0.001 400000000");
  EXPECT_EQ(engine.run("DUMP f"), "(ERR string exceeds maximum allowed size (proto-max-bulk-len))");
}

}  // namespace
}  // namespace ouro
