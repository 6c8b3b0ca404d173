// SPDX-License-Identifier: BSD-3-Clause
// HIMPORT: hashes of prepared fields, what is left for the log, whose the lists of fields are, and
// what they cost.
#include <gtest/gtest.h>

#include "engine_fixture.h"
#include "event_listener.h"
#include "test_client.h"

namespace ouro {
namespace {

struct HashImport : testing::Test, EngineFixture {
  HashImport()
      : EngineFixture({kConnectionCommands, kExpireCommands, kHashCommands, kHashImportCommands,
                       kKeyCommands, kStringCommands, kStringSetCommands, kTransactionCommands}) {}
};

TEST_F(HashImport, ValuesGoToTheFieldsInTheirOrder) {
  EventListener listener(engine);
  EXPECT_EQ(run("HIMPORT PREPARE u name mail age"), "OK");
  EXPECT_EQ(effects(), "");
  EXPECT_EQ(run("HIMPORT SET u:1 u ann a@b 7"), "OK");
  EXPECT_EQ(effects(), "0: HSET u:1 name ann mail a@b age 7");
  EXPECT_EQ(listener.take(), "hset");
  EXPECT_EQ(run("HMGET u:1 name mail age"), "[\"ann\" \"a@b\" \"7\"]");
  EXPECT_EQ(run({"HIMPORT", "PREPARE", "", "", "b"}), "OK") << "names may be empty";
  EXPECT_EQ(run({"HIMPORT", "SET", "e", "", "1", "2"}), "OK");
  EXPECT_EQ(run({"HGET", "e", ""}), "\"1\"");
}

TEST_F(HashImport, AHashIsReplacedAndNothingElse) {
  run("HIMPORT PREPARE u name");
  run("HSET h old 1");
  run("EXPIRE h 100");
  effects();
  EXPECT_EQ(run("HIMPORT SET h u ann"), "OK");
  EXPECT_EQ(effects(), "(; 0: DEL h; 0: HSET h name ann; )");
  EXPECT_EQ(run("HGETALL h"), "{\"name\" \"ann\"}");
  EXPECT_EQ(run("TTL h"), "-1");
  run("SET s v");
  EXPECT_EQ(run("HIMPORT SET s u ann"), kWrongTypeAnswer);
  EXPECT_EQ(run("GET s"), "\"v\"");
}

TEST_F(HashImport, FaultsChangeNothing) {
  EXPECT_EQ(run("HIMPORT PREPARE u a b a"), "(ERR duplicate field name in fieldset)");
  EXPECT_EQ(run("HIMPORT SET k u 1 2 3"), "(ERR no such fieldset)");
  run("HIMPORT PREPARE u a b");
  for (const char* values : {"1", "1 2 3"}) {
    EXPECT_EQ(run(std::string("HIMPORT SET k u ") + values),
              "(ERR value count does not match fieldset field count)");
  }
  EXPECT_EQ(run("EXISTS k"), "0");
  EXPECT_EQ(run("HIMPORT PREPARE u x"), "OK") << "the same name again replaces";
  EXPECT_EQ(run("HIMPORT SET k u 1"), "OK");
  EXPECT_EQ(run("HIMPORT PREPARE u"),
            "(ERR wrong number of arguments for 'himport|prepare' command)");
  EXPECT_EQ(run("HIMPORT DISCARDALL x"),
            "(ERR wrong number of arguments for 'himport|discardall' command)");
}

TEST_F(HashImport, ListsAreDiscardedOneByOneOrAllAtOnce) {
  run("HIMPORT PREPARE a x");
  run("HIMPORT PREPARE b x");
  run("HIMPORT PREPARE c x");
  EXPECT_EQ(run("HIMPORT DISCARD a"), "1");
  EXPECT_EQ(run("HIMPORT DISCARD a"), "0");
  EXPECT_EQ(run("HIMPORT DISCARDALL"), "2");
  EXPECT_EQ(run("HIMPORT DISCARDALL"), "0");
  EXPECT_EQ(caller.field_sets.memory_bytes(), 0U);
}

TEST_F(HashImport, ListsBelongToTheirConnection) {
  TestTurns turns(engine);
  TestClient one(turns);
  TestClient other(turns);
  const size_t before = one.session().memory_bytes();
  EXPECT_EQ(one.ask("HIMPORT PREPARE u a_field_of_twenty_bytes b"), "+OK");
  EXPECT_GT(one.session().memory_bytes(), before + 20);
  EXPECT_EQ(other.ask("HIMPORT SET k u 1 2"), "-ERR no such fieldset");
  EXPECT_EQ(one.ask("MULTI; HIMPORT SET k u 1 2; HIMPORT DISCARD u; EXEC"),
            "+OK +QUEUED +QUEUED *2 +OK :1");
  EXPECT_EQ(one.ask("HIMPORT PREPARE u a; RESET; HIMPORT SET k u 1"),
            "+OK +RESET -ERR no such fieldset");
}

TEST_F(HashImport, ListsAreBounded) {
  const std::string field(1_MiB, 'f');
  size_t prepared = 0;
  while (run({"HIMPORT", "PREPARE", std::to_string(prepared), field}) == "OK") ++prepared;
  EXPECT_EQ(prepared, FieldSets::kBytesMax / 1_MiB - 1);
  EXPECT_EQ(run({"HIMPORT", "PREPARE", "0", "a"}), "OK") << "what takes the place of more";
  EXPECT_EQ(run({"HIMPORT", "PREPARE", "new", field}), "OK");
  EXPECT_EQ(run({"HIMPORT", "PREPARE", "newer", field}), "(ERR too many fieldsets)");
}

}  // namespace
}  // namespace ouro
