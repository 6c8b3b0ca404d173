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
  EXPECT_EQ(run("HSETEX h EX 5 FIELDS x"), arity);
  EXPECT_EQ(run("HSETEX h FNX EX 5 PX"),
            "(ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified)");
  EXPECT_EQ(run("HSETEX h FNX FNX EX 5"),
            "(ERR Only one of FXX or FNX arguments can be specified)");
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

// Goal: where KEEPTTL has nothing to keep Redis 7.0 understands what is left.
TEST_P(HashEx, SetexWithoutDeadlinesIsLeftAsHset) {
  EXPECT_EQ(run("HSETEX h KEEPTTL FIELDS 1 a 1"), "1");
  EXPECT_EQ(effects(), "0: HSET h a 1");
  run("HEXPIRE h 10 FIELDS 1 a");
  effects();
  EXPECT_EQ(run("HSETEX h KEEPTTL FIELDS 1 b 2"), "1");
  EXPECT_EQ(effects(), "0: HSETEX h KEEPTTL FIELDS 1 b 2");
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
  EXPECT_EQ(listener.take(), "hset hdel");
  EXPECT_EQ(effects(), "0: HDEL h a b d");
  EXPECT_EQ(run("HSETEX h EXAT 1 FIELDS 1 c 1"), "1");
  EXPECT_EQ(listener.take(), "hset hdel del");
  EXPECT_EQ(run("HSETEX h EXAT 1 FIELDS 1 c 1"), "1");
  EXPECT_EQ(listener.take(), "hset hdel del") << "also where nothing was";
  EXPECT_EQ(run("EXISTS h"), "0");
}

// A time of zero is past; one below zero is an error. So it is with HEXPIRE; SET, GETEX and their
// kin take neither.
TEST_P(HashEx, NowIsPast) {
  run("HSET h a 1 b 2 c 3");
  for (const char* time : {"EX 0", "PX 0", "EXAT 0", "PXAT 0", "PXAT 1700000000000"}) {
    run("HSET h x 1");
    EXPECT_EQ(run(std::string("HGETEX h ") + time + " FIELDS 1 x"), "[\"1\"]");
    EXPECT_EQ(run(std::string("HSETEX h ") + time + " FIELDS 1 y 2"), "1");
    EXPECT_EQ(run("HMGET h x y"), "[_ _]") << time;
  }
  for (const char* time : {"EX -1", "PX -1", "EXAT -1", "PXAT -1"}) {
    const std::string refused = "(ERR invalid expire time, must be >= 0)";
    EXPECT_EQ(run(std::string("HGETEX h ") + time + " FIELDS 1 a"), refused);
    EXPECT_EQ(run(std::string("HSETEX h ") + time + " FIELDS 1 a 2"), refused);
  }
  EXPECT_EQ(run("HEXPIRE h 0 FIELDS 1 a"), "[2]");
  EXPECT_EQ(run("HPEXPIREAT h 0 FIELDS 1 b"), "[2]");
  EXPECT_EQ(run("HEXPIRE h -1 FIELDS 1 c"), "(ERR invalid expire time, must be >= 0)");
  EXPECT_EQ(run("SET s v EX 0"), "(ERR invalid expire time in 'set' command)");
  EXPECT_EQ(run("SET s v PXAT 0"), "(ERR invalid expire time in 'set' command)");
  EXPECT_EQ(run("GETEX h EX 0"), kWrongTypeAnswer);
}

// A map of field to value and deadline, and what the commands say of it.
class FieldMap {
 public:
  void pass_to(UnixMs now) {
    now_ = now;
    std::erase_if(fields_, [&](const auto& item) {
      return item.second.deadline >= 0 && item.second.deadline <= now;
    });
  }
  bool contains(const std::string& name) const { return fields_.contains(name); }
  std::string get(const std::string& name) const {
    const auto at = fields_.find(name);
    return at == fields_.end() ? "_" : '"' + at->second.value + '"';
  }
  std::string expire_time(const std::string& name) const {
    const auto at = fields_.find(name);
    return at == fields_.end() ? "-2" : std::to_string(at->second.deadline);
  }
  void set(const std::string& name, const std::string& value) {
    fields_[name] = {value, kNoExpiry};
  }
  void set_keeping_deadline(const std::string& name, const std::string& value) {
    fields_[name].value = value;
  }
  void persist(const std::string& name) { expire_at(name, kNoExpiry); }
  // One that is past ends the field.
  void expire_at(const std::string& name, UnixMs when) {
    const auto at = fields_.find(name);
    if (at == fields_.end()) return;
    at->second.deadline = when;
    if (when >= 0 && when <= now_) fields_.erase(at);
  }
  void remove(const std::string& name) { fields_.erase(name); }

 private:
  struct Field {
    std::string value;
    UnixMs deadline = kNoExpiry;
  };
  UnixMs now_ = 0;
  std::map<std::string, Field> fields_;
};

// Draws commands on two fields of "h" and does them to a map.
class FieldWalk {
 public:
  static constexpr const char* kNames[] = {"a", "b", "c", "d", "e"};

  struct Step {
    std::string line;
    std::string reply;
  };
  Step draw(FieldMap& map, UnixMs now, const std::string& value) {
    const Draw drawn = draw_parts(now);
    switch (prng_.below(5)) {
      case 0:
        return get_and_remove(map, drawn);
      case 1:
        return get_and_expire(map, drawn);
      case 2:
        return get_and_persist(map, drawn);
      case 3:
        return set(map, drawn, value, " KEEPTTL");
      default:
        return set(map, drawn, value, drawn.time);
    }
  }
  Prng& prng() { return prng_; }

 private:
  struct Draw {
    std::string names[2];
    UnixMs when;
    std::string time;  // as an option
    std::string fields() const { return " FIELDS 2 " + names[0] + " " + names[1]; }
  };
  Draw draw_parts(UnixMs now) {
    Draw drawn{.names = {kNames[prng_.below(5)], kNames[prng_.below(5)]},
               .when = now + static_cast<Millis>(prng_.below(8)),
               .time = {}};
    drawn.time = prng_.below(2) == 0 ? " PX " + std::to_string(drawn.when - now)
                                     : " PXAT " + std::to_string(drawn.when);
    return drawn;
  }
  // One after the other: what happens to a field shows in its second mention.
  template <class Change>
  static std::string each(FieldMap& map, const Draw& drawn, Change change) {
    std::string values;
    for (const std::string& name : drawn.names) {
      values += (values.empty() ? "" : " ") + map.get(name);
      change(name);
    }
    return "[" + values + "]";
  }
  static Step get_and_remove(FieldMap& map, const Draw& drawn) {
    return {"HGETDEL h" + drawn.fields(),
            each(map, drawn, [&](const std::string& name) { map.remove(name); })};
  }
  static Step get_and_expire(FieldMap& map, const Draw& drawn) {
    return {"HGETEX h" + drawn.time + drawn.fields(),
            each(map, drawn, [&](const std::string& name) { map.expire_at(name, drawn.when); })};
  }
  static Step get_and_persist(FieldMap& map, const Draw& drawn) {
    return {"HGETEX h PERSIST" + drawn.fields(),
            each(map, drawn, [&](const std::string& name) { map.persist(name); })};
  }
  Step set(FieldMap& map, const Draw& drawn, const std::string& value, const std::string& time) {
    const auto& [first, second] = drawn.names;
    const bool any = map.contains(first) || map.contains(second);
    const bool all = map.contains(first) && map.contains(second);
    const uint64_t condition = prng_.below(3);
    const char* const words[] = {"", " FNX", " FXX"};
    const bool met[] = {true, !any, all};
    if (met[condition]) {
      for (const std::string& name : drawn.names) {
        if (time == " KEEPTTL") {
          map.set_keeping_deadline(name, value);
        } else {
          map.set(name, value);
          map.expire_at(name, drawn.when);
        }
      }
    }
    return {std::string("HSETEX h") + words[condition] + time + " FIELDS 2 " + first + " " + value +
                " " + second + " " + value,
            met[condition] ? "1" : "0"};
  }

  Prng prng_{23};
};

// A random walk beside the map, the clock going on.
TEST_P(HashEx, AgreesWithAMap) {
  FieldMap map;
  FieldWalk walk;
  for (int i = 0; i < 20'000; ++i) {
    pass(static_cast<Millis>(walk.prng().below(3)));
    map.pass_to(now);
    const FieldWalk::Step step = walk.draw(map, now, std::to_string(i));
    ASSERT_EQ(run(step.line), step.reply) << "step " << i << ": " << step.line;
    for (const std::string name : FieldWalk::kNames) {
      ASSERT_EQ(run("HGET h " + name), map.get(name)) << "step " << i << ": " << step.line;
      ASSERT_EQ(run("HPEXPIRETIME h FIELDS 1 " + name), "[" + map.expire_time(name) + "]")
          << "step " << i << ": " << step.line;
    }
  }
}

}  // namespace
}  // namespace ouro
