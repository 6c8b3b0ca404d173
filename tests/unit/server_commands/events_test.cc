// SPDX-License-Identifier: BSD-3-Clause
// Events of keys that Redis 7.0 has not; those that it has are compared with it
// (tests/compat/differential.py). What they are called, and when they come, is taken from the pull
// request that brought them to Redis 8.2 (redis#14141).
#include "engine_fixture.h"
#include "event_listener.h"

namespace ouro {
namespace {

struct Events : EngineFixture {
  Events()
      : EngineFixture({kStringCommands, kStringSetCommands, kKeyCommands, kListCommands,
                       kSetCommands, kSetAlgebraCommands, kZSetCommands, kZSetStoreCommands,
                       kSortCommands, kBitCommands, kDumpCommands, kHashCommands}) {}
};

struct Case {
  const char* line;
  const char* events;
};

TEST(Events, AKeyThatIsReplacedWholeIsOverwritten) {
  Events engine;
  EventListener listener(engine.engine, "EAoc");
  for (const Case& one : std::initializer_list<Case>{
           {"SET k v", "set"},
           {"SET k w", "overwritten set"},
           {"SET k w EX 10", "overwritten set expire"},
           {"SET k w NX", ""},
           {"GETSET k 1", "overwritten set"},
           {"APPEND k v", "append"},
           {"MSET k v m v", "overwritten set set"},
           {"DEL k m", "del del"},
           {"LPUSH k a", "lpush"},
           {"SET k v", "overwritten type_changed set"},
           {"SADD s a b", "sadd"},
           {"SUNIONSTORE k s", "overwritten type_changed sunionstore"},
           {"SUNIONSTORE k s", "overwritten sunionstore"},
           {"SINTERSTORE k s none", "del"},
           {"SORT s ALPHA STORE k", "sortstore"},
           {"SORT s ALPHA STORE k", "overwritten sortstore"},
           {"ZUNIONSTORE k 1 s", "overwritten type_changed zunionstore"},
           {"SET bits a", "set"},
           {"BITOP NOT k bits", "overwritten type_changed set"},
           {"COPY s k REPLACE", "copy_to overwritten type_changed"},
           {"COPY s t REPLACE", "copy_to"},
           {"RENAME t k", "rename_from rename_to overwritten"},
           {"RENAME k bits", "rename_from rename_to overwritten type_changed"},
           {"RENAMENX bits s", ""},
       }) {
    EXPECT_NE(engine.run(one.line).front(), '(') << one.line;
    EXPECT_EQ(listener.take(), one.events) << one.line;
  }
}

TEST(Events, ARestoredKeyIsOverwritten) {
  Events engine;
  engine.run_all({"SADD s a", "SET k v"});
  std::string payload = engine.run("DUMP s");
  payload = words_of(payload).front();
  EventListener listener(engine.engine, "EAoc");
  EXPECT_EQ(engine.run({"RESTORE", "k", "0", payload, "REPLACE"}), "OK");
  EXPECT_EQ(listener.take(), "restore overwritten type_changed");
  EXPECT_EQ(engine.run({"RESTORE", "s", "0", payload, "REPLACE"}), "OK");
  EXPECT_EQ(listener.take(), "restore overwritten");
}

TEST(Events, EachClassIsAskedForByItsLetter) {
  Events engine;
  EventListener listener(engine.engine, "EA");
  engine.run_all({"LPUSH k a", "SET k v"});
  EXPECT_EQ(listener.take(), "lpush set");
  EXPECT_TRUE(engine.engine.pubsub.set_event_classes("Ec"));
  engine.run_all({"SET k v", "SADD s a", "COPY s k REPLACE"});
  EXPECT_EQ(listener.take(), "type_changed");
  EXPECT_TRUE(engine.engine.pubsub.set_event_classes("Eo"));
  engine.run("SET k v");
  EXPECT_EQ(listener.take(), "overwritten");
}

}  // namespace
}  // namespace ouro
