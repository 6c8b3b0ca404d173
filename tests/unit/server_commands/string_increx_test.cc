// SPDX-License-Identifier: BSD-3-Clause
// INCREX as redis.io/commands/increx documents it for Redis 8.8; error texts, events and what goes
// to the log are those of that release's public test suite.
#include "engine_fixture.h"

namespace ouro {
namespace {

struct Increx : EngineFixture {
  Increx()
      : EngineFixture({kStringCommands, kStringSetCommands, kStringIncrexCommands, kKeyCommands,
                       kExpireCommands, kObjectCommands, kListCommands}) {}
  std::string after(ByteView value, ByteView command) {
    run({"SET", "k", value});
    return run(command);
  }
};

TEST(Increx, AddsWholeNumbers) {
  Increx engine;
  EXPECT_EQ(engine.run("INCREX k"), "[1 1]");
  EXPECT_EQ(engine.run("INCREX k BYINT -5"), "[-4 -5]");
  EXPECT_EQ(engine.run("INCREX k byint 0"), "[-4 0]");
  EXPECT_EQ(engine.run("OBJECT ENCODING k"), "\"int\"");
  EXPECT_EQ(engine.after("abc", "INCREX k"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(engine.after("1.5", "INCREX k"), "(ERR value is not an integer or out of range)");
  engine.run("RPUSH list a");
  EXPECT_EQ(engine.run("INCREX list"), kWrongTypeAnswer);
}

TEST(Increx, KeepsWithinItsBounds) {
  Increx engine;
  EXPECT_EQ(engine.after("10", "INCREX k BYINT 10 UBOUND 15"), "[10 0]");
  EXPECT_EQ(engine.after("10", "INCREX k BYINT 10 UBOUND 15 SATURATE"), "[15 5]");
  EXPECT_EQ(engine.after("10", "INCREX k BYINT -10 LBOUND 5"), "[10 0]");
  EXPECT_EQ(engine.after("10", "INCREX k BYINT -10 LBOUND 5 SATURATE"), "[5 -5]");
  EXPECT_EQ(engine.after("5", "INCREX k BYINT 5 UBOUND 10"), "[10 5]");
  // A value that is outside already is treated the same way.
  EXPECT_EQ(engine.after("50", "INCREX k BYINT 5 UBOUND 30"), "[50 0]");
  EXPECT_EQ(engine.after("50", "INCREX k BYINT 5 UBOUND 30 SATURATE"), "[30 -20]");
  EXPECT_EQ(engine.after("50", "INCREX k BYINT -25 UBOUND 30"), "[25 -25]");
  engine.run("DEL k");
  EXPECT_EQ(engine.run("INCREX k BYINT 5 LBOUND 10"), "[0 0]");
  EXPECT_EQ(engine.run("EXISTS k"), "0");
  EXPECT_EQ(engine.run("INCREX k UBOUND 0 SATURATE"), "[0 0]");
  EXPECT_EQ(engine.run("GET k"), "\"0\"");
}

TEST(Increx, EndsAtWhatANumberHolds) {
  Increx engine;
  const ByteView high = "9223372036854775800";
  EXPECT_EQ(engine.after(high, "INCREX k BYINT 9223372036854775800"), "[9223372036854775800 0]");
  EXPECT_EQ(engine.after(high, "INCREX k BYINT 9223372036854775800 SATURATE"),
            "[9223372036854775807 7]");
  EXPECT_EQ(engine.after("-9223372036854775800", "INCREX k BYINT -9223372036854775800 SATURATE"),
            "[-9223372036854775808 -8]");
  EXPECT_EQ(engine.after(high, "INCREX k SATURATE UBOUND -9223372036854775808"),
            "(ERR applied increment would overflow)");
  EXPECT_EQ(engine.run("GET k"), "\"9223372036854775800\"");
}

TEST(Increx, AddsFloats) {
  Increx engine;
  EXPECT_EQ(engine.after("1.5", "INCREX k BYFLOAT 0.25"), "[\"1.75\" \"0.25\"]");
  EXPECT_EQ(engine.run("GET k"), "\"1.75\"");
  EXPECT_EQ(engine.after("10", "INCREX k BYFLOAT 100 UBOUND 42.5"), "[\"10\" \"0\"]");
  EXPECT_EQ(engine.after("10", "INCREX k BYFLOAT 100 UBOUND 42.5 SATURATE"), "[\"42.5\" \"32.5\"]");
  EXPECT_EQ(engine.after("0", "INCREX k BYFLOAT -100 LBOUND -5.5 SATURATE"), "[\"-5.5\" \"-5.5\"]");
  EXPECT_EQ(engine.after("10", "INCREX k BYFLOAT 1 LBOUND -inf UBOUND inf"), "[\"11\" \"1\"]");
  EXPECT_EQ(engine.after("10", "INCREX k BYFLOAT 1 LBOUND inf UBOUND inf"), "[\"10\" \"0\"]");
  EXPECT_EQ(engine.after("10", "INCREX k BYFLOAT 1 LBOUND inf UBOUND inf SATURATE"),
            "(ERR applied increment would be Infinity)");
  EXPECT_EQ(engine.run("INCREX k BYFLOAT inf"), "(ERR BYFLOAT increment cannot be Infinity)");
  EXPECT_EQ(engine.after("-inf", "INCREX k BYFLOAT 1"), "(ERR value cannot be Infinity)");
  EXPECT_EQ(engine.after("hello", "INCREX k BYFLOAT 1"), "(ERR value is not a valid float)");
  engine.resp3 = true;
  EXPECT_EQ(engine.after("1.5", "INCREX k BYFLOAT 0.25"), "[,1.75 ,0.25]");
}

TEST(Increx, ChecksItsArguments) {
  Increx engine;
  for (const char* options :
       {"FOO", "BYINT 1 BYFLOAT 1", "BYFLOAT 1 BYINT 1", "BYINT 1 BYINT 2", "LBOUND 0 LBOUND 1",
        "UBOUND", "SATURATE SATURATE", "ENX ENX EX 1", "PERSIST PERSIST", "EX 1 EX 2", "EX 1 PX 1",
        "EX 1 PERSIST", "PERSIST EX 1", "PERSIST ENX", "ENX PERSIST", "EX"}) {
    EXPECT_EQ(engine.run(std::string("INCREX k ") + options), "(ERR syntax error)") << options;
  }
  EXPECT_EQ(engine.run("INCREX k ENX"), "(ERR ENX flag requires an expiration)");
  EXPECT_EQ(engine.run("INCREX k BYINT 1.5"), "(ERR Increment is not an integer or out of range)");
  EXPECT_EQ(engine.run("INCREX k BYFLOAT x"), "(ERR Increment is not a valid float)");
  EXPECT_EQ(engine.run("INCREX k UBOUND inf"), "(ERR UBOUND is not an integer or out of range)");
  EXPECT_EQ(engine.run("INCREX k BYFLOAT 1 LBOUND x"), "(ERR LBOUND is not a valid float)");
  EXPECT_EQ(engine.run("INCREX k LBOUND 2 UBOUND 1"), "(ERR LBOUND can't be greater than UBOUND)");
  EXPECT_EQ(engine.run("INCREX k EX 0"), "(ERR invalid expire time in 'increx' command)");
  EXPECT_EQ(engine.run("EXISTS k"), "0");
}

// Each way to treat the deadline, and what the log has of it.
TEST(Increx, SetsTheExpiry) {
  Increx engine;
  engine.run("INCREX k EX 10");
  EXPECT_EQ(engine.effects(), "0: SET k 1 PXAT 1700000010000");
  EXPECT_EQ(engine.run("TTL k"), "10");
  engine.run("INCREX k");
  EXPECT_EQ(engine.effects(), "0: SET k 2 KEEPTTL");
  EXPECT_EQ(engine.run("TTL k"), "10");
  engine.run("INCREX k EX 99 ENX");
  EXPECT_EQ(engine.effects(), "0: SET k 3 KEEPTTL");
  engine.run("INCREX k PERSIST");
  EXPECT_EQ(engine.effects(), "0: SET k 4");
  EXPECT_EQ(engine.run("TTL k"), "-1");
  engine.run("INCREX k PX 500 ENX");
  EXPECT_EQ(engine.effects(), "0: SET k 5 PXAT 1700000000500");
  engine.run("INCREX k BYINT 9 UBOUND 5 EX 99");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.run("PTTL k"), "500");
  EXPECT_EQ(engine.run("INCREX k EXAT 1 ENX"), "[6 1]");
  EXPECT_EQ(engine.run("PTTL k"), "500");
  engine.effects();
  EXPECT_EQ(engine.run("INCREX k EXAT 1"), "[7 1]");
  EXPECT_EQ(engine.effects(), "0: DEL k");
  EXPECT_EQ(engine.run("INCREX k PXAT 1"), "[1 1]");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.run("EXISTS k"), "0");
}

// Random sums beside 128-bit arithmetic.
TEST(IncrexModel, AgreesWithWideArithmetic) {
  Increx engine;
  Prng prng(11);
  __extension__ using Wide = __int128;
  const auto number = [&]() -> int64_t {
    const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    if (prng.below(3) == 0) return extremes[prng.below(7)];
    return static_cast<int64_t>(prng.next()) >> prng.below(64);
  };
  bool exists = false;
  int64_t value = 0;
  for (int step = 0; step < 20'000; ++step) {
    const int64_t by = number();
    int64_t lower = number();
    int64_t upper = number();
    if (lower > upper) std::swap(lower, upper);
    const bool saturate = prng.below(2) == 0;
    std::string line = "INCREX k BYINT " + std::to_string(by) + " LBOUND " + std::to_string(lower) +
                       " UBOUND " + std::to_string(upper) + (saturate ? " SATURATE" : "");
    Wide sum = Wide{value} + by;
    const bool inside = sum >= lower && sum <= upper;
    if (!inside) sum = saturate ? (sum < lower ? Wide{lower} : Wide{upper}) : Wide{value};
    const Wide applied = sum - value;
    const bool beyond = applied < INT64_MIN || applied > INT64_MAX;
    std::string expected = "(ERR applied increment would overflow)";
    if (!beyond) {
      expected = "[" + std::to_string(static_cast<int64_t>(sum)) + " " +
                 std::to_string(static_cast<int64_t>(applied)) + "]";
    }
    ASSERT_EQ(engine.run(line), expected) << line << " on " << value;
    if (!beyond && (inside || saturate)) {
      exists = true;
      value = static_cast<int64_t>(sum);
    }
    ASSERT_EQ(engine.run("GET k"), exists ? '"' + std::to_string(value) + '"' : "_");
  }
}

}  // namespace
}  // namespace ouro
