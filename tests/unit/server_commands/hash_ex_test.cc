// SPDX-License-Identifier: BSD-3-Clause
// HGETDEL, HGETEX and HSETEX as redis.io/commands documents them for Redis 8.0; error texts, events
// and what goes to the log are those of that release's public test suite
// (unit/type/hash-field-expire).
#include <map>

#include "engine_fixture.h"
#include "event_listener.h"

namespace ouro {
namespace {

// Both forms of a hash behave alike: packed and table.
class HashEx : public testing::TestWithParam<bool>, public EngineFixture {
 protected:
  HashEx()
      : EngineFixture({kStringCommands, kStringSetCommands, kKeyCommands, kHashCommands,
                       kHashExpireCommands, kHashExCommands}) {
    if (GetParam()) options.limits.hash_packed_entries = 0;
    engine.active_expire = false;
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, HashEx, testing::Values(false, true));

TEST_P(HashEx, GetdelReturnsAndRemoves) {
  EventListener listener(engine);
  run("HSET h a 1 b 2 c 3");
  listener.take();
  effects();
  EXPECT_EQ(run("HGETDEL h FIELDS 4 a none b a"), "[\"1\" _ \"2\" _]");
  EXPECT_EQ(effects(), "0: HDEL h a b");
  EXPECT_EQ(listener.take(), "hdel");
  EXPECT_EQ(run("HGETDEL h FIELDS 1 c"), "[\"3\"]");
  EXPECT_EQ(listener.take(), "hdel del");
  EXPECT_EQ(run("HGETDEL h FIELDS 2 a c"), "[_ _]");
  EXPECT_EQ(listener.take(), "");
}

TEST_P(HashEx, GetdelDoesNotSeeWhatIsDue) {
  run("HSETEX h PX 5 FIELDS 1 a 1");
  run("HSETEX h FIELDS 1 b 2");
  pass(5);
  effects();
  EXPECT_EQ(run("HGETDEL h FIELDS 2 a b"), "[_ \"2\"]");
  EXPECT_EQ(effects(), "0: HDEL h a; 0: HDEL h b");
  EXPECT_EQ(run("EXISTS h"), "0");
}

TEST_P(HashEx, ReadersCheckTheirArguments) {
  run("SET string v");
  const std::string missing =
      "(ERR Mandatory argument FIELDS is missing or not at the right position)";
  const std::string mismatch = "(ERR The `numfields` parameter must match the number of arguments)";
  const std::string not_positive = "(ERR Number of fields must be a positive integer)";
  for (const std::string name : {"HGETDEL", "HGETEX"}) {
    EXPECT_EQ(run(name + " h XFIELDX 1 a"), missing);
    EXPECT_EQ(run(name + " h FIELDS 2 a"), mismatch);
    EXPECT_EQ(run(name + " h FIELDS 1 a b"), mismatch);
    EXPECT_EQ(run(name + " h FIELDS 0 a"), not_positive);
    EXPECT_EQ(run(name + " h FIELDS -1 a"), not_positive);
    EXPECT_EQ(run(name + " h FIELDS 9223372036854775808 a"), not_positive);
    EXPECT_EQ(run(name + " string FIELDS 1 a"), kWrongTypeAnswer);
    EXPECT_EQ(run(name + " h FIELDS 1").substr(0, 32), "(ERR wrong number of arguments f");
  }
  EXPECT_EQ(run("HGETEX h PXAT 1 1"), missing);
  EXPECT_EQ(run("HGETEX h PERSIST 1 FIELDS 1 a"), missing);
  EXPECT_EQ(run("HGETEX h EX 1 PERSIST FIELDS 1 a"), missing);
  EXPECT_EQ(run("HGETEX h EX bla FIELDS 1 a"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(run("HGETEX h PX -1 FIELDS 1 a"), "(ERR invalid expire time, must be >= 0)");
  EXPECT_EQ(run("HGETEX h EX 281474976710656 FIELDS 1 a"),
            "(ERR invalid expire time in 'hgetex' command)");
}

TEST_P(HashEx, GetexSetsAndClearsDeadlines) {
  EventListener listener(engine);
  run("HSET h a 1 b 2 c 3");
  listener.take();
  effects();
  EXPECT_EQ(run("HGETEX h FIELDS 2 a none"), "[\"1\" _]");
  EXPECT_EQ(listener.take() + effects(), "");
  EXPECT_EQ(run("HGETEX h EX 10 FIELDS 3 a none b"), "[\"1\" _ \"2\"]");
  EXPECT_EQ(listener.take(), "hexpire");
  EXPECT_EQ(effects(), "0: HPEXPIREAT h 1700000010000 FIELDS 2 a b");
  EXPECT_EQ(run("HGETEX h PXAT 1700000000007 FIELDS 1 b"), "[\"2\"]");
  EXPECT_EQ(run("HPTTL h FIELDS 3 a b c"), "[10000 7 -1]");
  listener.take();
  effects();
  EXPECT_EQ(run("HGETEX h PERSIST FIELDS 2 a c"), "[\"1\" \"3\"]");
  EXPECT_EQ(listener.take(), "hpersist");
  EXPECT_EQ(effects(), "0: HPERSIST h FIELDS 1 a");
  EXPECT_EQ(run("HGETEX h PERSIST FIELDS 1 a"), "[\"1\"]");
  EXPECT_EQ(listener.take() + effects(), "");
  EXPECT_EQ(run("HGETEX h PXAT 1 FIELDS 3 a b c"), "[\"1\" \"2\" \"3\"]");
  EXPECT_EQ(listener.take(), "hdel del");
  EXPECT_EQ(effects(), "0: HDEL h a b c");
}

TEST_P(HashEx, SetexChecksItsArguments) {
  const std::string arity = "(ERR wrong number of arguments for 'hsetex' command)";
  for (const char* tail :
       {"FIELDS 2 a b", "FIELDS 2 a b c", "FIELDS 3 a b c d", "FIELDS 1 a b x"}) {
    EXPECT_EQ(run(std::string("HSETEX h ") + tail), arity);
  }
  EXPECT_EQ(run("HSETEX h NX FIELDS 1 a b"), "(ERR unknown argument: NX)");
  for (const char* two : {"FXX FXX", "FXX FNX", "FNX FXX", "FNX EX 1 FNX"}) {
    EXPECT_EQ(run(std::string("HSETEX h ") + two + " FIELDS 1 a b"),
              "(ERR Only one of FXX or FNX arguments can be specified)");
  }
  for (const char* two :
       {"EX 100 PX 1000", "EX 100 EX 100", "KEEPTTL EX 1", "PXAT 9 KEEPTTL", "KEEPTTL KEEPTTL"}) {
    EXPECT_EQ(run(std::string("HSETEX h ") + two + " FIELDS 1 a b"),
              "(ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified)");
  }
  EXPECT_EQ(run("HSETEX h EX FIELDS 1 a b"), "(ERR value is not an integer or out of range)");
  EXPECT_EQ(run("HSETEX h EXAT 281474976710656 1 a b"),
            "(ERR invalid expire time in 'hsetex' command)");
  EXPECT_EQ(run("HSETEX h EXAT -1 1 a b"), "(ERR invalid expire time, must be >= 0)");
  for (const char* count : {"x", "0", "-1", "9223372036854775808"}) {
    EXPECT_EQ(run(std::string("HSETEX h FIELDS ") + count + " a b"),
              "(ERR invalid number of fields)");
  }
  EXPECT_EQ(run("EXISTS h"), "0");
}

TEST_P(HashEx, SetexStoresAllOrNone) {
  EXPECT_EQ(run("HSETEX h FXX FIELDS 1 a 1"), "0");
  EXPECT_EQ(run("EXISTS h"), "0");
  EXPECT_EQ(run("HSETEX h FNX FIELDS 1 a 1"), "1");
  EXPECT_EQ(run("HSETEX h FNX FIELDS 2 a 1 b 2"), "0");
  EXPECT_EQ(run("HSETEX h FXX FIELDS 2 a 1 b 2"), "0");
  EXPECT_EQ(run("HGETALL h"), "{\"a\" \"1\"}");
  EXPECT_EQ(run("HSETEX h PX 50 FXX FIELDS 1 a 2"), "1");
  EXPECT_EQ(run("HPTTL h FIELDS 1 a"), "[50]");
  pass(50);
  // What is due is not there.
  EXPECT_EQ(run("HSETEX h FXX FIELDS 1 a 3"), "0");
  EXPECT_EQ(run("EXISTS h"), "0");
}

TEST_P(HashEx, SetexTreatsDeadlines) {
  EventListener listener(engine);
  effects();
  EXPECT_EQ(run("HSETEX h EX 10 FIELDS 2 a 1 b 2"), "1");
  EXPECT_EQ(listener.take(), "hset hexpire");
  EXPECT_EQ(effects(), "0: HSET h a 1 b 2; 0: HPEXPIREAT h 1700000010000 FIELDS 2 a b");
  EXPECT_EQ(run("HSETEX h KEEPTTL FIELDS 2 a 3 c 4"), "1");
  EXPECT_EQ(listener.take(), "hset");
  EXPECT_EQ(effects(), "0: HSETEX h KEEPTTL FIELDS 2 a 3 c 4");
  EXPECT_EQ(run("HTTL h FIELDS 3 a b c"), "[10 10 -1]");
  EXPECT_EQ(run("HSETEX h FIELDS 1 a 5"), "1");
  EXPECT_EQ(effects(), "0: HSET h a 5");
  EXPECT_EQ(run("HTTL h FIELDS 3 a b c"), "[-1 10 -1]");
  listener.take();
  effects();
  EXPECT_EQ(run("HSETEX h EXAT 1 FIELDS 3 a 1 b 2 d 4"), "1");
  EXPECT_EQ(listener.take(), "hdel");
  EXPECT_EQ(effects(), "0: HDEL h a b");
  EXPECT_EQ(run("HSETEX h EXAT 1 FIELDS 1 c 1"), "1");
  EXPECT_EQ(listener.take(), "hdel del");
  EXPECT_EQ(run("HSETEX h EXAT 1 FIELDS 1 c 1"), "1");
  EXPECT_EQ(run("EXISTS h"), "0");
}

// A random walk beside a map of field to value and deadline, the clock going on.
TEST_P(HashEx, AgreesWithAMap) {
  struct Field {
    std::string value;
    UnixMs deadline;  // -1: none
  };
  Prng prng(23);
  std::map<std::string, Field> model;
  const std::string names[] = {"a", "b", "c", "d", "e"};
  for (int step = 0; step < 20'000; ++step) {
    pass(static_cast<Millis>(prng.below(3)));
    std::erase_if(model, [&](const auto& item) {
      return item.second.deadline >= 0 && item.second.deadline <= now;
    });
    const std::string& first = names[prng.below(5)];
    const std::string& second = names[prng.below(5)];
    const std::string value = std::to_string(step);
    const UnixMs when = now + static_cast<Millis>(prng.below(8));
    const std::string time =
        prng.below(2) == 0 ? " PX " + std::to_string(when - now) : " PXAT " + std::to_string(when);
    const uint64_t action = prng.below(5);
    const uint64_t condition = prng.below(3);
    const auto shown = [&](const std::string& name) {
      const auto at = model.find(name);
      return at == model.end() ? std::string("_") : '"' + at->second.value + '"';
    };
    const auto end = [&](const std::string& name) {
      const auto at = model.find(name);
      if (at == model.end()) return;
      at->second.deadline = when;
      if (when <= now) model.erase(at);
    };
    std::string expected =
        "[" + shown(first) + " " + (action != 0 || first != second ? shown(second) : "_") + "]";
    const std::string fields = " FIELDS 2 " + first + " " + second;
    std::string line;
    if (action == 0) {
      line = "HGETDEL h" + fields;
      model.erase(first);
      model.erase(second);
    } else if (action == 1) {
      line = "HGETEX h" + time + fields;
      // A field that goes is not there for its second mention.
      if (first == second && when <= now) expected = "[" + shown(first) + " _]";
      end(first);
      end(second);
    } else if (action == 2) {
      line = "HGETEX h PERSIST" + fields;
      for (const std::string& name : {first, second}) {
        if (const auto at = model.find(name); at != model.end()) at->second.deadline = -1;
      }
    } else {
      const bool keep = action == 4;
      const char* const words[] = {"", " FNX", " FXX"};
      line = std::string("HSETEX h") + words[condition] + (keep ? " KEEPTTL" : time) +
             " FIELDS 2 " + first + " " + value + " " + second + " " + value;
      const bool has_first = model.contains(first);
      const bool has_second = model.contains(second);
      const bool met = condition == 0 || (condition == 1 && !has_first && !has_second) ||
                       (condition == 2 && has_first && has_second);
      expected = met ? "1" : "0";
      for (const std::string& name : {first, second}) {
        if (!met) break;
        const auto at = model.find(name);
        const UnixMs kept = keep && at != model.end() ? at->second.deadline : UnixMs{-1};
        model[name] = {value, kept};
        if (!keep) end(name);
      }
    }
    ASSERT_EQ(run(line), expected) << "step " << step << ": " << line;
    for (const std::string& name : names) {
      const auto at = model.find(name);
      ASSERT_EQ(run("HGET h " + name), shown(name)) << "step " << step << ": " << line;
      ASSERT_EQ(run("HPEXPIRETIME h FIELDS 1 " + name),
                at == model.end() ? "[-2]" : "[" + std::to_string(at->second.deadline) + "]");
    }
  }
}

}  // namespace
}  // namespace ouro
