// SPDX-License-Identifier: BSD-3-Clause
// Events of keys that Redis 7.0 has not; those that it has are compared with it
// (tests/compat/differential.py). What they are called, and when they come, is taken from the pull
// request that brought them to Redis 8.2 (redis#14141); those of fields, from the page about them
// (redis.io, "Redis subkey notifications") and the pull request of Redis 8.8 (redis#14958).
#include "engine_fixture.h"
#include "event_listener.h"

namespace ouro {
namespace {

struct Events : EngineFixture {
  Events()
      : EngineFixture({kStringCommands, kStringSetCommands, kKeyCommands, kListCommands,
                       kSetCommands, kSetAlgebraCommands, kZSetCommands, kZSetStoreCommands,
                       kSortCommands, kBitCommands, kDumpCommands, kHashCommands, kHashExCommands,
                       kHashExpireCommands, kHashImportCommands, kMemberExpireCommands}) {}
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

// ---- fields of hashes

struct FieldEvents : Events {
  explicit FieldEvents(ByteView classes) : listener(engine, classes, "__subkey*") {}

  // Every message as "channel -> text", one a line.
  std::string heard() {
    const std::string bytes = listener.take_bytes();
    std::string lines;
    std::vector<std::string> words;
    for (size_t at = 0; at < bytes.size();) {
      const bool is_array = bytes[at] == '*';
      const size_t end = bytes.find("\r\n", at);
      const size_t size = std::stoul(bytes.substr(at + 1, end - at - 1));
      at = end + 2;
      if (is_array) continue;
      words.push_back(bytes.substr(at, size));
      at += size + 2;
      if (words.size() < 4) continue;
      EXPECT_EQ(words[0], "pmessage");
      lines += (lines.empty() ? "" : "; ") + words[2] + " -> " + words[3];
      words.clear();
    }
    return lines;
  }
  std::string after(ByteView line) {
    run(line);
    return heard();
  }

  EventListener listener;
};

TEST(FieldEvents, EachLetterHasItsChannel) {
  FieldEvents events("Sh");
  EXPECT_EQ(events.after("HSET k f v field w"), "__subkeyspace@0__:k -> hset|1:f,5:field");
  const auto choose = [&](ByteView classes) {
    EXPECT_TRUE(events.engine.pubsub.set_event_classes(classes));
  };
  choose("Th");
  EXPECT_EQ(events.after("HSET k f v a,b:c w"), "__subkeyevent@0__:hset -> 1:k|1:f,5:a,b:c");
  choose("Ih");
  EXPECT_EQ(events.after("HSET k f v g w"),
            "__subkeyspaceitem@0__:k\nf -> hset; __subkeyspaceitem@0__:k\ng -> hset");
  EXPECT_EQ(events.after("HSET \"k\\nl\" f v"), "") << "whose key would be ambiguous";
  choose("VA");
  EXPECT_EQ(events.after("HSET k f v g w"), "__subkeyspaceevent@0__:hset|k -> 1:f,1:g");
  // The class is asked for beside the channel, and the channels of keys are others.
  for (const ByteView classes : {"STIVg", "KEA", "h", ""}) {
    choose(classes);
    EXPECT_EQ(events.after("HSET k f v"), "") << classes;
  }
}

TEST(FieldEvents, TellWhatEachCommandChanges) {
  FieldEvents events("Vh");
  const std::string of = "__subkeyspaceevent@0__:";
  for (const Case& one : std::initializer_list<Case>{
           {"HSET k a 1 b 2 a 3", "hset|k -> 1:a,1:b,1:a"},
           {"HMSET k c 1", "hset|k -> 1:c"},
           {"HSETNX k d 1", "hset|k -> 1:d"},
           {"HSETNX k d 1", ""},
           {"HINCRBY k a 2", "hincrby|k -> 1:a"},
           {"HINCRBYFLOAT k new 2", "hincrbyfloat|k -> 3:new"},
           {"HDEL k a x a b", "hdel|k -> 1:a,1:b"},
           {"HDEL k x", ""},
           {"HEXPIRE k 100 FIELDS 3 c d x", "hexpire|k -> 1:c,1:d"},
           {"HEXPIRE k 50 GT FIELDS 1 c", ""},
           {"HPERSIST k FIELDS 3 c new x", "hpersist|k -> 1:c"},
           {"HPEXPIREAT k 1 FIELDS 1 c", "hdel|k -> 1:c"},
           {"HGETEX k EX 100 FIELDS 2 d x", "hexpire|k -> 1:d"},
           {"HGETEX k PERSIST FIELDS 2 d new", "hpersist|k -> 1:d"},
           {"HGETDEL k FIELDS 2 d x", "hdel|k -> 1:d"},
           {"HSETEX k FIELDS 1 e 1", "hset|k -> 1:e"},
           {"EXPIREMEMBER k e 100", "hexpire|k -> 1:e"},
           {"HPERSIST k FIELDS 1 e", "hpersist|k -> 1:e"},
           {"HGETALL k", ""},
           {"DEL k", ""},
           {"HIMPORT PREPARE u a b", ""},
           {"HIMPORT SET k u 1 2", "hset|k -> 1:a,1:b"},
       }) {
    EXPECT_EQ(events.run(one.line).find("ERR"), std::string::npos) << one.line;
    const std::string heard = events.heard();
    EXPECT_EQ(heard, *one.events == '\0' ? "" : of + one.events) << one.line;
  }
  EXPECT_EQ(events.after("HSETEX k EX 100 FIELDS 2 a 1 b 2"),
            of + "hset|k -> 1:a,1:b; " + of + "hexpire|k -> 1:a,1:b");
}

TEST(FieldEvents, TellWhatTheClockEnds) {
  FieldEvents events("Th");
  events.run_all({"HSET k a 1 b 2 c 3 d 4 e 5 f 6 stays 7", "HPEXPIRE k 10 FIELDS 6 a b c d e f"});
  events.pass(10);
  events.heard();
  EXPECT_EQ(events.after("HGET k a"), "__subkeyevent@0__:hexpired -> 1:k|1:a");
  EXPECT_EQ(events.after("HMGET k b c stays"), "__subkeyevent@0__:hexpired -> 1:k|1:b,1:c");
  EXPECT_EQ(events.after("HDEL k d"), "__subkeyevent@0__:hexpired -> 1:k|1:d");
  EXPECT_EQ(events.after("HDEL k e stays"), "__subkeyevent@0__:hdel -> 1:k|5:stays");
  events.engine.run_slices();
  EXPECT_EQ(events.heard(), "__subkeyevent@0__:hexpired -> 1:k|1:f");
  EXPECT_EQ(events.run("EXISTS k"), "0");
}

// The channels in the order in which they are told.
std::string take_channels(EventListener& listener) {
  const std::string bytes = listener.take_bytes();
  const std::string start = "\r\n__";
  std::string channels;
  for (size_t at = bytes.find(start); at != std::string::npos; at = bytes.find(start, at)) {
    at += start.size();
    channels += (channels.empty() ? "" : " ") + bytes.substr(at, bytes.find('@', at) - at);
  }
  return channels;
}

TEST(FieldEvents, ComeBehindTheEventOfTheKey) {
  FieldEvents events("KEAST");
  EventListener listener(events.engine, "KEAST", "*@0__:*");
  const std::string of_key = "keyspace keyevent";
  const std::string of_fields = " subkeyspace subkeyevent";
  const std::string of_both = of_key + of_fields;
  const auto channels_of = [&](ByteView line) {
    events.run(line);
    return take_channels(listener);
  };
  EXPECT_EQ(channels_of("HSET k f v"), of_both);
  EXPECT_EQ(channels_of("HDEL k f"), of_both + " " + of_key);
  // Those that the clock ends, too: named by a command, or met by the slice at a turn's end.
  events.run_all({"HSET k f v g w h x", "HPEXPIRE k 10 FIELDS 2 f g"});
  events.pass(10);
  (void)take_channels(listener);
  EXPECT_EQ(channels_of("HGET k f"), of_both);
  events.engine.run_slices();
  EXPECT_EQ(take_channels(listener), of_both);
  // In pieces, of one event of the key.
  for (size_t i = 0; i < kEffectElementsMax; ++i)
    events.run("HSETEX k PX 10 FIELDS 1 " + std::to_string(i) + " v");
  events.run("HPEXPIRE k 10 FIELDS 1 h");
  events.pass(10);
  (void)take_channels(listener);
  const Key key = events.db().key("k");
  events.engine.expire_all_elements(0, key, *events.db().find(key));
  EXPECT_EQ(take_channels(listener), of_both + of_fields + " " + of_key);
}

}  // namespace
}  // namespace ouro
