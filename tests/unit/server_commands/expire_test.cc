// SPDX-License-Identifier: BSD-3-Clause
#include "engine_fixture.h"

namespace ouro {
namespace {

struct Expiry : EngineFixture {
  Expiry() : EngineFixture({kStringCommands, kStringSetCommands, kKeyCommands, kExpireCommands}) {}
};

TEST(Expire, SetsAsksAndClears) {
  Expiry engine;
  engine.run("SET k v");
  engine.effects();
  EXPECT_EQ(engine.run("TTL k"), "-1");
  EXPECT_EQ(engine.run("TTL none"), "-2");
  EXPECT_EQ(engine.run("EXPIRE k 10"), "1");
  EXPECT_EQ(engine.effects(), "0: PEXPIREAT k 1700000010000");
  EXPECT_EQ(engine.run("PTTL k"), "10000");
  EXPECT_EQ(engine.run("EXPIRETIME k"), "1700000010");
  EXPECT_EQ(engine.run("PEXPIRETIME k"), "1700000010000");
  EXPECT_EQ(engine.run("PEXPIRE k 1499"), "1");
  EXPECT_EQ(engine.run("TTL k"), "1");
  EXPECT_EQ(engine.run("PEXPIREAT k 1700000001500"), "1");
  EXPECT_EQ(engine.run("TTL k"), "2");
  EXPECT_EQ(engine.run("EXPIREAT k 1700000003"), "1");
  EXPECT_EQ(engine.run("PTTL k"), "3000");
  engine.effects();
  EXPECT_EQ(engine.run("PERSIST k"), "1");
  EXPECT_EQ(engine.effects(), "0: PERSIST k");
  EXPECT_EQ(engine.run("PERSIST k"), "0");
  EXPECT_EQ(engine.run("PERSIST none"), "0");
  EXPECT_EQ(engine.run("EXPIRE none 10"), "0");
  EXPECT_EQ(engine.effects(), "");
}

// The deadline is part of the entry's block: the value survives its coming and going in each form.
TEST(Expire, KeepsTheValue) {
  for (const std::string& value :
       {std::string("text"), std::string("123"), std::string(30'000, 'x'), std::string()}) {
    Expiry engine;
    engine.run({"SET", "k", value});
    EXPECT_EQ(engine.run("PEXPIRE k 100"), "1");
    EXPECT_EQ(engine.run("GET k"), '"' + value + '"');
    EXPECT_EQ(engine.run("PEXPIRE k 200"), "1");
    EXPECT_EQ(engine.run("PERSIST k"), "1");
    EXPECT_EQ(engine.run("GET k"), '"' + value + '"');
  }
}

// active-expire-effort: so many times as many keys may end in one turn.
TEST(Expire, EffortSaysHowMuchOfATurnItTakes) {
  uint64_t gone[2] = {};
  for (const uint64_t effort : {uint64_t{1}, uint64_t{10}}) {
    Expiry engine;
    engine.options.active_expire_effort = effort;
    for (int i = 0; i < 20'000; ++i) engine.run("SET key:" + std::to_string(i) + " v PX 100");
    engine.pass(200);
    EXPECT_TRUE(engine.engine.run_slices());
    gone[effort == 1 ? 0 : 1] = engine.engine.stats.expired_keys;
  }
  EXPECT_GT(gone[0], 0U);
  EXPECT_GT(gone[1], 5 * gone[0]);
  EXPECT_LT(gone[1], 20'000U);
}

TEST(Expire, APastTimeRemovesTheKey) {
  Expiry engine;
  for (const ByteView command : {"EXPIRE k 0", "EXPIRE k -5", "EXPIREAT k 1", "PEXPIREAT k -1",
                                 "PEXPIRE k -9223372036854775808"}) {
    engine.run("SET k v");
    engine.effects();
    EXPECT_EQ(engine.run(command), "1");
    EXPECT_EQ(engine.effects(), "0: DEL k");
    EXPECT_EQ(engine.run("EXISTS k"), "0");
  }
}

TEST(Expire, Conditions) {
  Expiry engine;
  engine.run("SET k v");
  EXPECT_EQ(engine.run("EXPIRE k 10 XX"), "0");
  EXPECT_EQ(engine.run("EXPIRE k 10 GT"), "0");
  EXPECT_EQ(engine.run("EXPIRE k -1 GT"), "0");
  EXPECT_EQ(engine.run("EXPIRE k 10 LT"), "1");
  EXPECT_EQ(engine.run("EXPIRE k 10 NX"), "0");
  EXPECT_EQ(engine.run("EXPIRE k 20 LT"), "0");
  EXPECT_EQ(engine.run("EXPIRE k 10 GT"), "0");
  EXPECT_EQ(engine.run("EXPIRE k 20 xx gt"), "1");
  EXPECT_EQ(engine.run("EXPIRE k 5 XX LT"), "1");
  EXPECT_EQ(engine.run("TTL k"), "5");
  const std::string incompatible =
      "(ERR NX and XX, GT or LT options at the same time are not compatible)";
  EXPECT_EQ(engine.run("EXPIRE k 5 NX XX"), incompatible);
  EXPECT_EQ(engine.run("EXPIRE k 5 NX LT GT"), incompatible);
  EXPECT_EQ(engine.run("EXPIRE k 5 GT LT"),
            "(ERR GT and LT options at the same time are not compatible)");
  EXPECT_EQ(engine.run("EXPIRE none 5 what"), "(ERR Unsupported option what)");
  const std::string long_word(5000, 'w');
  EXPECT_EQ(engine.run({"EXPIRE", "none", "5", long_word}),
            "(ERR Unsupported option " + long_word + ")");
}

TEST(Expire, TimesThatDoNotFit) {
  Expiry engine;
  engine.run("SET k v");
  for (const std::string command :
       {"EXPIRE k 9223372036854775807", "EXPIRE k -9223372036854775808",
        "EXPIREAT k 92233720368547758", "PEXPIRE k 9223372036854775807"}) {
    std::string name = command.substr(0, command.find(' '));
    for (char& c : name) c = static_cast<char>(c + 32);
    EXPECT_EQ(engine.run(command), "(ERR invalid expire time in '" + name + "' command)");
  }
  EXPECT_EQ(engine.run("EXPIRE k 1.5"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(engine.run("PEXPIREAT k 9223372036854775807"), "1");
  EXPECT_EQ(engine.run("PEXPIRETIME k"), "9223372036854775807");
  EXPECT_EQ(engine.run("EXPIRETIME k"), "9223372036854776");
}

// Replay: the log itself says when a key ends.
TEST(Expire, NothingEndsByTheClockUnderReplay) {
  Expiry engine;
  engine.caller.origin = Origin::kReplay;
  engine.run("SET k v");
  EXPECT_EQ(engine.run("PEXPIREAT k 5"), "1");
  EXPECT_EQ(engine.run("GET k"), "\"v\"");
  engine.caller.origin = Origin::kEmbedded;
  EXPECT_EQ(engine.run("GET k"), "_");
}

}  // namespace
}  // namespace ouro
