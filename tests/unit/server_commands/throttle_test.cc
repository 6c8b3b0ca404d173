// SPDX-License-Identifier: BSD-3-Clause
// CL.THROTTLE as the redis-cell module's README documents it: five integers (limited, limit,
// remaining, retry after, reset after), GCRA. The cases of the first test are those of the module's
// own published example of a bucket of five that leaks one a second; whole seconds are rounded up
// there, and a string of nanoseconds is stored.
#include <deque>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct Throttle : EngineFixture {
  Throttle()
      : EngineFixture({kStringCommands, kStringSetCommands, kKeyCommands, kExpireCommands,
                       kListCommands, kThrottleCommands}) {}
  std::string at(Millis ms, ByteView line) {
    set_clock(kStart + ms);
    return run(line);
  }
};

TEST(Throttle, LeaksOneASecond) {
  Throttle engine;
  const std::string call = "CL.THROTTLE k 4 1 1 ";
  // More than the bucket holds never passes.
  EXPECT_EQ(engine.at(0, call + "6"), "[1 5 5 -1 0]");
  EXPECT_EQ(engine.at(0, call), "[0 5 4 -1 1]");
  EXPECT_EQ(engine.at(0, call), "[0 5 3 -1 2]");
  EXPECT_EQ(engine.at(0, call), "[0 5 2 -1 3]");
  EXPECT_EQ(engine.at(0, call), "[0 5 1 -1 4]");
  EXPECT_EQ(engine.at(0, call), "[0 5 0 -1 5]");
  EXPECT_EQ(engine.at(0, call), "[1 5 0 1 5]");
  EXPECT_EQ(engine.at(3000, call), "[0 5 2 -1 3]");
  EXPECT_EQ(engine.at(3100, call), "[0 5 1 -1 4]");
  EXPECT_EQ(engine.at(4000, call), "[0 5 1 -1 4]");
  EXPECT_EQ(engine.at(8000, call), "[0 5 4 -1 1]");
  EXPECT_EQ(engine.at(9500, call), "[0 5 4 -1 1]");
  // Nothing asked for only looks.
  EXPECT_EQ(engine.at(9500, call + "0"), "[0 5 4 -1 1]");
  EXPECT_EQ(engine.at(9500, call + "2"), "[0 5 2 -1 3]");
  EXPECT_EQ(engine.at(9500, call + "5"), "[1 5 2 3 3]");
}

TEST(Throttle, KeepsAStringThatExpires) {
  Throttle engine;
  EXPECT_EQ(engine.run("CL.THROTTLE k 0 1 2"), "[0 1 0 -1 2]");
  EXPECT_EQ(engine.run("GET k"), "\"1700000002000000000\"");
  EXPECT_EQ(engine.run("PTTL k"), "2000");
  EXPECT_EQ(engine.effects(), "0: SET k 1700000002000000000 PXAT 1700000002000");
  EXPECT_EQ(engine.run("CL.THROTTLE k 0 1 2"), "[1 1 0 2 2]");
  EXPECT_EQ(engine.effects(), "");
  engine.pass(2000);
  EXPECT_EQ(engine.run("EXISTS k"), "0");
  EXPECT_EQ(engine.run("CL.THROTTLE k 0 1 2"), "[0 1 0 -1 2]");
  // Looking at what is not there stores nothing.
  EXPECT_EQ(engine.run("CL.THROTTLE other 4 1 1 0"), "[0 5 5 -1 0]");
  EXPECT_EQ(engine.run("EXISTS other"), "0");
}

TEST(Throttle, ChecksItsArguments) {
  Throttle engine;
  EXPECT_EQ(engine.run("CL.THROTTLE k 1 1").substr(0, 32), "(Cell error: Store error: Usage:");
  EXPECT_EQ(engine.run("CL.THROTTLE k 1 1 1 1 1").substr(0, 32),
            "(Cell error: Store error: Usage:");
  EXPECT_EQ(engine.run("CL.THROTTLE k a 1 1"),
            "(Cell error: Store error: Couldn't parse as integer: a)");
  for (const char* line :
       {"CL.THROTTLE k 1 0 1", "CL.THROTTLE k 1 1 0", "CL.THROTTLE k 1 9223372036854775807 1"}) {
    EXPECT_EQ(engine.run(line), "(Cell error: Store error: Zero rates are not supported)") << line;
  }
  for (const char* line :
       {"CL.THROTTLE k 9223372036854775807 1 1", "CL.THROTTLE k 9223372036854775806 1 1",
        "CL.THROTTLE k 1 1 1 9223372036854775807", "CL.THROTTLE k 1 1 9223372036854775807"}) {
    EXPECT_EQ(engine.run(line), "(ERR value is not an integer or out of range)") << line;
  }
  engine.run_all({"RPUSH list a", "SET text abc"});
  EXPECT_EQ(engine.run("CL.THROTTLE list 1 1 1"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("CL.THROTTLE text 1 1 1"), "(ERR value is not an integer or out of range)");
  // Numbers of any sign are answered.
  for (const char* tail : {"-5 3 7 1", "3 -3 7 1", "3 3 -7 1", "3 3 7 -2", "-1 -1 -1 -1"}) {
    EXPECT_EQ(engine.run(std::string("CL.THROTTLE n ") + tail).front(), '[') << tail;
  }
}

// What a limiter is for: in no window do more requests pass than the bucket and its leak allow, and
// whoever waits as long as he was told, and the millisecond that may have begun, passes.
TEST(ThrottleModel, LetsPassWhatTheRateAllows) {
  Prng prng(3);
  for (int round = 0; round < 30; ++round) {
    Throttle engine;
    const auto burst = static_cast<int64_t>(prng.below(6));
    const auto count = static_cast<int64_t>(1 + prng.below(5));
    const auto period = static_cast<int64_t>(1 + prng.below(4));
    const std::string line = "CL.THROTTLE k " + std::to_string(burst) + " " +
                             std::to_string(count) + " " + std::to_string(period);
    std::deque<UnixMs> passed;
    for (int step = 0; step < 2000; ++step) {
      engine.pass(static_cast<Millis>(prng.below(300)));
      const std::string reply = engine.run(line);
      if (reply[1] == '0') {
        passed.push_back(engine.now);
      } else if (prng.below(4) == 0) {
        const size_t end = reply.rfind(' ');
        const size_t begin = reply.rfind(' ', end - 1) + 1;
        engine.pass(std::stoll(reply.substr(begin, end - begin)) * 1000 + 1);
        ASSERT_EQ(engine.run(line)[1], '0');
        passed.push_back(engine.now);
      }
      while (passed.front() < engine.now - 20'000) passed.pop_front();
      for (const UnixMs begin : passed) {
        const auto in_window =
            std::count_if(passed.begin(), passed.end(), [&](UnixMs when) { return when >= begin; });
        const double leaked =
            static_cast<double>((engine.now - begin) * count) / static_cast<double>(1000 * period);
        ASSERT_LE(static_cast<double>(in_window), static_cast<double>(burst + 1) + leaked + 1e-6);
      }
    }
  }
}

}  // namespace
}  // namespace ouro
