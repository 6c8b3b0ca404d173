// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/overlay.h"

#include <gtest/gtest.h>

#include "engine_fixture.h"
#include "server/script/tables.h"
#include "value_text.h"

namespace ouro {
namespace {

struct DataEngine : EngineFixture {
  DataEngine()
      : EngineFixture({kStringCommands, kStringSetCommands, kListCommands, kHashCommands,
                       kHashExpireCommands, kKeyCommands, kSetCommands, kZSetCommands,
                       kZSetStoreCommands, kExpireCommands, kMemberExpireCommands,
                       kDatabaseCommands, kStreamCommands, kHyperLogLogCommands, kSortCommands,
                       kListMoveCommands, kSetAlgebraCommands}) {}

  // All that is stored.
  std::string text() {
    std::vector<std::string> keys;
    for (DbIndex index = 0; index < engine.dbs.count(); ++index) {
      db(index).for_each([&](Entry& entry) {
        keys.push_back(std::to_string(index) + " " + quoted_text(entry.key()) +
                       deadline_text(entry.deadline()) + " " + value_text(entry) + "\n");
      });
    }
    return sorted_text(keys);
  }
  // One command of a script that leaves no trace.
  std::string run_in(Overlay& overlay, ByteView line) {
    const std::vector<std::string> words = words_of(line);
    const std::vector<ByteView> argv(words.begin(), words.end());
    const CommandSpec* spec = engine.executor.resolve(argv);
    EXPECT_NE(spec, nullptr) << line;
    overlay.enter();
    const char* refusal = overlay.admit(*spec, argv, caller.db);
    std::string answer = refusal != nullptr ? refusal : run(Argv(argv));
    EXPECT_EQ(overlay.weigh(*spec, argv, caller.db), nullptr);
    overlay.leave();
    return answer;
  }
};

class Commands {
 public:
  explicit Commands(uint64_t seed) : prng_(seed) {}
  // KEY is one of few, with any type, and N a small number.
  std::string draw() {
    constexpr const char* kTemplates[] = {"SET KEY N",
                                          "SET KEY N PX NN",
                                          "APPEND KEY N",
                                          "INCR KEY",
                                          "RPUSH KEY N N",
                                          "LPOP KEY",
                                          "LMOVE KEY KEY LEFT RIGHT",
                                          "SADD KEY N N",
                                          "SREM KEY N",
                                          "SPOP KEY",
                                          "SMOVE KEY KEY N",
                                          "ZADD KEY N N",
                                          "ZREM KEY N",
                                          "HSET KEY N N",
                                          "HDEL KEY N",
                                          "DEL KEY KEY",
                                          "RENAME KEY KEY",
                                          "COPY KEY KEY DB 1",
                                          "MOVE KEY 1",
                                          "PEXPIRE KEY NN",
                                          "PERSIST KEY",
                                          "GETDEL KEY",
                                          "PFADD KEY N",
                                          "XADD KEY * N N",
                                          "HPEXPIRE KEY NN FIELDS 1 N",
                                          "EXPIREMEMBER KEY N 1",
                                          "ZUNIONSTORE KEY 2 KEY KEY",
                                          "SORT KEY BY KEY STORE KEY",
                                          "GET KEY",
                                          "TYPE KEY",
                                          "HGETALL KEY",
                                          "SMEMBERS KEY",
                                          "LRANGE KEY 0 -1",
                                          "PTTL KEY",
                                          "PFCOUNT KEY",
                                          "SDIFFSTORE KEY KEY KEY",
                                          "SETRANGE KEY N N",
                                          "MSET KEY N KEY N"};
    std::string line = kTemplates[prng_.below(std::size(kTemplates))];
    replace(line, "KEY", [&] { return "k" + std::to_string(prng_.below(6)); });
    replace(line, "NN", [&] { return std::to_string(1 + prng_.below(300)); });
    replace(line, " N", [&] { return " " + std::to_string(prng_.below(9)); });
    return line;
  }
  bool chance(uint64_t one_in) { return prng_.below(one_in) == 0; }
  Millis millis() { return static_cast<Millis>(prng_.below(100)); }

 private:
  template <class Draw>
  static void replace(std::string& line, ByteView what, Draw draw) {
    for (size_t at = 0; (at = line.find(what, at)) != std::string::npos;) {
      const std::string word = draw();
      line.replace(at, what.size(), word);
      at += word.size();
    }
  }
  Prng prng_;
};

// Goal: whatever a session does, others have what they would have without it, and so has the log.
// Method: two engines with the same commands of others, one of them with a session besides.
TEST(Overlay, LeavesNoTrace) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    DataEngine with;
    DataEngine without;
    Commands commands(seed);
    auto overlay = std::make_unique<Overlay>(with.engine);
    for (int i = 0; i < 300; ++i) {
      const std::string line = commands.draw();
      if (!commands.chance(3)) {
        with.run_in(*overlay, line);
        continue;
      }
      // Both draw the same dice.
      if (line.starts_with("SPOP")) continue;
      EXPECT_EQ(with.run(line), without.run(line)) << line << " of seed " << seed;
      ASSERT_EQ(with.text(), without.text()) << line << " of seed " << seed;
      EXPECT_EQ(with.effects(), without.effects()) << line << " of seed " << seed;
      EXPECT_EQ(with.engine.changes, without.engine.changes);
      const Millis ms = commands.millis();
      with.pass(ms);
      without.pass(ms);
      if (commands.chance(20)) overlay = std::make_unique<Overlay>(with.engine);
    }
    overlay.reset();
    EXPECT_EQ(with.text(), without.text()) << "seed " << seed;
    EXPECT_EQ(with.engine.rehearsed_bytes, 0U);
  }
}

// Goal: a session sees what it would see if it were the only one. Method: the same commands in an
// engine of their own.
TEST(Overlay, SeesItsOwnChanges) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    DataEngine ours;
    DataEngine plain;
    Commands commands(seed);
    for (int i = 0; i < 50; ++i) {
      const std::string line = commands.draw();
      if (line.starts_with("SPOP")) continue;
      EXPECT_EQ(ours.run(line), plain.run(line));
    }
    Overlay overlay(ours.engine);
    for (int i = 0; i < 300; ++i) {
      const std::string line = commands.draw();
      // Members that are due show in a session until it writes to their key.
      if (line.starts_with("SPOP") || line.starts_with("EXPIREMEMBER")) continue;
      EXPECT_EQ(ours.run_in(overlay, line), plain.run(line)) << line << " of seed " << seed;
      const Millis ms = commands.millis();
      ours.pass(ms);
      plain.pass(ms);
    }
  }
}

// Goal: what is held is known while it is held, as it grows and shrinks. Method: what an engine
// has more, or less, of used memory.
TEST(Overlay, KnowsWhatItHolds) {
  DataEngine engine;
  engine.run("SET k x");
  engine.run("RPUSH l a b c");
  const std::string value(300'000, 'v');
  Overlay overlay(engine.engine);
  const size_t before = engine.engine.heap.used_bytes();
  const std::vector<std::string> lines = {"APPEND k " + value,  "RPUSH l " + value + " " + value,
                                          "SET other " + value, "LPOP l",
                                          "DEL other",          "SETRANGE wide 2000000 x"};
  for (const std::string& line : lines) {
    engine.run_in(overlay, line);
    engine.engine.dbs.lazy_free().run(~size_t{0});
    const size_t grown = engine.engine.heap.used_bytes() - before;
    EXPECT_NEAR(static_cast<double>(engine.engine.rehearsed_bytes), static_cast<double>(grown),
                20'000)
        << line.substr(0, 20);
  }
}

TEST(Overlay, RefusesWhatItCannotTakeBack) {
  DataEngine engine;
  Overlay overlay(engine.engine);
  for (const char* line : {"FLUSHALL", "FLUSHDB", "SWAPDB 0 1"})
    EXPECT_NE(engine.run_in(overlay, line).find("cannot be taken back"), std::string::npos) << line;
  EXPECT_EQ(engine.run_in(overlay, "SET k v"), "OK");
}

}  // namespace
}  // namespace ouro
