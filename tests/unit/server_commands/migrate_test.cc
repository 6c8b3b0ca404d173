// SPDX-License-Identifier: BSD-3-Clause
// MIGRATE's words, what is said to a target, and what its answers do here. The connection is in
// tests/sim/migrate_test.cc.
#include "engine_fixture.h"
#include "server/engine/migration.h"

namespace ouro {
namespace {

class Migrate : public ::testing::Test {
 protected:
  Migrate() { engine.run_all({"SET a 1", "SET b 2", "SET c 3 PX 5000"}); }

  // As a script's: all that is said is answered with `answers`, then it is over.
  std::string run(ByteView line, std::initializer_list<ByteView> answers) {
    engine.host.on_exclusive = [&, lines = std::vector<ByteView>(answers)] {
      OutBuffer out(engine.engine.heap);
      Migration& migration = *engine.host.migrating;
      migration.restart(selected);
      do {
        migration.write_more(out);
        ByteView views[16];
        const size_t count = out.gather(kReleaseAll, views);
        for (const ByteView view : std::span(views).first(count)) said += view;
        out.clear();
      } while (!migration.is_all_written());
      for (const ByteView answer : lines) migration.on_line(answer);
      EXPECT_TRUE(migration.is_answered());
      selected = migration.selected_db();
      migration.end();
      engine.engine.exclusive.end({});
    };
    engine.effects();
    said.clear();
    return engine.run(line);
  }
  // What was said without payloads: the words up to the third of each command.
  bool says(ByteView part) const { return said.find(part) != std::string::npos; }

  EngineFixture engine{kMigrateCommands, kStringCommands, kStringSetCommands, kKeyCommands,
                       kExpireCommands,  kDumpCommands,   kPubsubCommands};
  int64_t selected = -1;
  std::string said;
};

TEST_F(Migrate, ReadsItsWords) {
  EXPECT_EQ(engine.run("MIGRATE h 1 a 0"), "(ERR wrong number of arguments for 'migrate' command)");
  for (const char* words : {"AUTH", "AUTH2 user", "FOO", "COPY FOO", "COPY REPLACE AUTH"}) {
    EXPECT_EQ(engine.run("MIGRATE h 1 a 0 9 " + std::string(words)), "(ERR syntax error)") << words;
  }
  EXPECT_EQ(engine.run("MIGRATE h 1 a 0 9 KEYS b"),
            "(ERR When using MIGRATE KEYS option, the key argument must be set to the empty "
            "string)");
  const char* not_integer = "(ERR value is not an integer or out of range)";
  EXPECT_EQ(engine.run("MIGRATE h 1 a x 9"), not_integer);
  EXPECT_EQ(engine.run("MIGRATE h 1 a 0 x"), not_integer);
  EXPECT_EQ(engine.run("MIGRATE h 1 none 0 9"), "NOKEY");
  EXPECT_EQ(engine.run("MIGRATE h 1 '' 0 9 KEYS"), "NOKEY");
  engine.host.migrate_error = "not here";
  EXPECT_EQ(engine.run("MIGRATE h 1 a 0 9"), "(ERR not here)");
}

TEST_F(Migrate, SaysWhatIsNeeded) {
  EXPECT_EQ(run("MIGRATE h 1 a 3 9", {"+OK", "+OK"}), "OK");
  EXPECT_TRUE(
      said.starts_with("*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n"
                       "*4\r\n$7\r\nRESTORE\r\n$1\r\na\r\n$1\r\n0\r\n"));
  EXPECT_EQ(run("MIGRATE h 1 c 3 9 REPLACE", {"+OK"}), "OK");
  EXPECT_TRUE(said.starts_with("*5\r\n$7\r\nRESTORE\r\n$1\r\nc\r\n$4\r\n5000\r\n"));
  EXPECT_TRUE(said.ends_with("\r\n$7\r\nREPLACE\r\n"));
  EXPECT_EQ(run("MIGRATE h 1 b 3 9 COPY AUTH word", {"+OK", "+OK"}), "OK");
  EXPECT_TRUE(said.starts_with("*2\r\n$4\r\nAUTH\r\n$4\r\nword\r\n*4\r\n"));
  EXPECT_EQ(run("MIGRATE h 1 b 3 9 COPY AUTH2 me word", {"+OK", "+OK"}), "OK");
  EXPECT_TRUE(said.starts_with("*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$4\r\nword\r\n*4\r\n"));
}

TEST_F(Migrate, TheEffectIsTheRemovalOfWhatWasTaken) {
  EXPECT_EQ(run("MIGRATE h 1 '' 0 9 KEYS a none b c", {"+OK", "+OK", "-BUSYKEY there", "+OK"}),
            "(ERR Target instance replied with error: BUSYKEY there)");
  EXPECT_EQ(engine.effects(), "0: DEL a c");
  EXPECT_EQ(engine.run("EXISTS a b c"), "1");
  EXPECT_EQ(run("MIGRATE h 1 b 0 9 COPY", {"+OK", "+OK"}), "OK");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(run("MIGRATE h 1 '' 0 9 KEYS b b", {"+OK", "-BUSYKEY there"}),
            "(ERR Target instance replied with error: BUSYKEY there)");
  EXPECT_EQ(engine.effects(), "0: DEL b");
}

TEST_F(Migrate, WhatEndsMeanwhileIsNotSent) {
  engine.host.on_exclusive = [&] { engine.pass(6000); };
  const auto pass_first = [&] {
    OutBuffer out(engine.engine.heap);
    Migration& migration = *engine.host.migrating;
    migration.restart(0);
    engine.pass(6000);
    migration.write_more(out);
    EXPECT_FALSE(migration.is_answered());
    // From the beginning over another connection: c is as little there.
    out.clear();
    migration.restart(0);
    migration.write_more(out);
    migration.on_line("+OK");
    EXPECT_FALSE(migration.is_answered());
    migration.on_line("+OK");
    EXPECT_TRUE(migration.is_answered());
    migration.end();
  };
  engine.host.on_exclusive = pass_first;
  EXPECT_EQ(engine.run("MIGRATE h 1 '' 0 9 KEYS a c b"), "OK");
  EXPECT_EQ(engine.run("EXISTS a b c"), "0");
}

TEST_F(Migrate, OneThatIsNotOverIsBrokenOff) {
  engine.host.on_exclusive = [] {};
  EXPECT_EQ(engine.run("MIGRATE h 1 a 0 9"), "(IOERR error or timeout reading to target instance)");
  EXPECT_EQ(engine.host.migrating, nullptr);
  EXPECT_EQ(engine.run("EXISTS a"), "1");
}

}  // namespace
}  // namespace ouro
