// SPDX-License-Identifier: BSD-3-Clause
// Snapshots on a disk that loses what was not synced: what is on it after a crash, a failure, an
// orderly end.
#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <string>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

class SnapshotSimTest : public testing::Test {
 protected:
  static void usual(Options& options) { options.engine.enable_debug_command = Allowed::kEverybody; }

  void start(const SimServer::Change& change = usual) {
    server.emplace(machine, change);
    client.emplace(world);
  }
  void crash(CrashKeeps kept) {
    machine.crash(kept);
    client.reset();
    server.reset();
    machine.restart();
  }
  void crash_and_start(CrashKeeps kept = CrashKeeps::kNothing) {
    crash(kept);
    start();
  }
  // Keys 0 to `count`, all with this value.
  void fill(int count, const std::string& value) {
    for (int i = 0; i < count; ++i)
      ASSERT_EQ(client->ask({"SET", "key:" + std::to_string(i), value}), "+OK\r\n");
  }
  std::string get(const std::string& key) {
    const std::string reply = client->ask({"GET", key});
    return reply.substr(reply.find('\n') + 1, reply.size() - reply.find('\n') - 3);
  }
  std::string info(const std::string& field) {
    const std::string text = client->ask({"INFO", "persistence"});
    const size_t at = text.find("\n" + field + ":");
    if (at == std::string::npos) return "(none)";
    const size_t begin = at + field.size() + 2;
    return text.substr(begin, text.find('\r', begin) - begin);
  }
  void put_file(const std::string& name, ByteView bytes) {
    SimFile file;
    ASSERT_EQ(machine.disk().open(name, OpenFor::kReplace, file), 0);
    ASSERT_EQ(machine.disk().write_at(file, bytes, 0), static_cast<int32_t>(bytes.size()));
  }
  bool await_idle() {
    return world.run_until([&] { return !server->engine().persistence.snapshot.active; }, 60'000);
  }

  SimWorld world{run_seed()};
  SimMachine& machine = world.add_machine();
  std::optional<SimServer> server;
  std::optional<SimClient> client;
};

TEST_F(SnapshotSimTest, WhatWasSavedIsThereAfterACrash) {
  start();
  fill(10, "kept");
  EXPECT_EQ(client->ask({"SAVE"}), "+OK\r\n");
  EXPECT_EQ(info("rdb_changes_since_last_save"), "0");
  EXPECT_EQ(client->ask({"SET", "later", "lost"}), "+OK\r\n");
  crash_and_start();
  EXPECT_EQ(client->ask({"DBSIZE"}), ":10\r\n");
  EXPECT_EQ(get("key:7"), "kept");
}

// How far it is, and what its moment costs: old values that were to be written when they changed.
TEST_F(SnapshotSimTest, WhatASnapshotCostsIsToldWhileItIsWritten) {
  start([](Options& options) {
    options.app.rdb_key_save_delay = 5'000;
    options.engine.rdbcompression = false;
  });
  fill(200, std::string(500, 'v'));
  for (const char* field : {"current_cow_size", "current_save_keys_processed",
                            "current_save_keys_total", "rdb_last_cow_size"})
    EXPECT_EQ(info(field), "0") << field;
  EXPECT_EQ(client->ask({"BGSAVE"}), "+Background saving started\r\n");
  EXPECT_EQ(info("current_save_keys_total"), "200");
  world.run_for(200'000);
  const int processed = std::stoi(info("current_save_keys_processed"));
  EXPECT_GT(processed, 20);
  EXPECT_GT(std::stod(info("current_fork_perc")), 0);
  const int copied_before = std::stoi(info("current_cow_size"));
  for (int i = 0; i < 50; ++i) client->ask({"SETRANGE", "key:" + std::to_string(i), "0", "new"});
  const int copied = std::stoi(info("current_cow_size"));
  EXPECT_GT(copied, copied_before + 4'096);
  world.run_for(200'000);
  EXPECT_GT(std::stoi(info("current_save_keys_processed")), processed);
  ASSERT_TRUE(await_idle());
  EXPECT_EQ(info("current_cow_size"), "0");
  EXPECT_EQ(info("current_save_keys_total"), "0");
  EXPECT_GE(std::stoi(info("rdb_last_cow_size")), copied);
}

TEST_F(SnapshotSimTest, ACancelledSnapshotLeavesNothingAndHasNotFailed) {
  const std::string none = "-ERR Background saving is currently not in progress or scheduled\r\n";
  start([](Options& options) { options.app.rdb_key_save_delay = 5'000; });
  fill(100, "v");
  EXPECT_EQ(client->ask({"BGSAVE", "CANCEL"}), none);
  EXPECT_EQ(client->ask({"BGSAVE"}), "+Background saving started\r\n");
  // It is over with the answer, not when its file is gone.
  client->send(resp_command({"BGSAVE", "CANCEL"}) + resp_command({"BGSAVE", "CANCEL"}) +
               resp_command({"INFO", "persistence"}));
  world.run_for(100'000);
  EXPECT_EQ(client->take_reply(), "+Background saving cancelled\r\n");
  EXPECT_EQ(client->take_reply(), none);
  EXPECT_NE(client->take_reply().find("rdb_bgsave_in_progress:0\r\n"), std::string::npos);
  ASSERT_TRUE(world.run_until([&] { return server->log().has("given up is removed"); }, 60'000));
  EXPECT_FALSE(server->log().has("error"));
  EXPECT_EQ(info("rdb_last_bgsave_status"), "ok");
  EXPECT_EQ(info("rdb_changes_since_last_save"), "100");
  // Inside a transaction none begins, so it is still to come.
  client->ask({"MULTI"});
  client->ask({"BGSAVE"});
  client->ask({"BGSAVE", "CANCEL"});
  EXPECT_EQ(client->ask({"EXEC"}),
            "*2\r\n+Background saving scheduled\r\n+Scheduled background saving cancelled\r\n");
  world.run_for(5'000'000);
  EXPECT_EQ(info("rdb_changes_since_last_save"), "100");
  crash_and_start();
  EXPECT_EQ(client->ask({"DBSIZE"}), ":0\r\n");
}

TEST_F(SnapshotSimTest, TheNextOneNeedNotWaitForTheFileOfACancelledOne) {
  start([](Options& options) { options.app.rdb_key_save_delay = 5'000; });
  fill(20, "v");
  const auto expect_saved = [&](ByteView command, const std::string& answer) {
    client->ask({"SET", "key:1", "w"});
    client->send(resp_command({"BGSAVE"}) + resp_command({"BGSAVE", "CANCEL"}) +
                 resp_command({command}));
    world.run_for(1'000'000);
    EXPECT_EQ(client->take(),
              "+Background saving started\r\n+Background saving cancelled\r\n" + answer + "\r\n");
    ASSERT_TRUE(await_idle());
    EXPECT_EQ(info("rdb_changes_since_last_save"), "0");
  };
  expect_saved("BGSAVE", "+Background saving scheduled");
  expect_saved("SAVE", "+OK");
}

// A large value whose key goes meanwhile gives its memory back when it has been written, not
// before: that it gives nothing at once is no reason to remove the next key, and the next.
struct LargeValue {
  const char* kind;
  const char* put;  // a script
  size_t bytes;
};

class SnapshotOfLargeValues : public SnapshotSimTest,
                              public testing::WithParamInterface<LargeValue> {
 protected:
  void put(const std::string& key) {
    EXPECT_EQ(client->ask({"EVAL", GetParam().put, "1", key}), "$-1\r\n");
  }
};

// Pinned by the snapshot, read through a view of it, and shared with it.
constexpr LargeValue kLargeValues[] = {
    {"APinnedString", "redis.call('SET', KEYS[1], string.rep('v', 100000))", 100'000},
    {"AViewedString", "redis.call('SET', KEYS[1], string.rep('v', 1100000))", 1'100'000},
    {"AList", "for i = 1, 1000 do redis.call('RPUSH', KEYS[1], string.rep('v', 100)) end", 100'000},
    {"AStream", "for i = 1, 1000 do redis.call('XADD', KEYS[1], i, 'f', string.rep('v', 100)) end",
     100'000},
    {"AFilter",
     "redis.call('BF.RESERVE', KEYS[1], 0.01, 100000) for i = 1, 1000 do redis.call('BF.ADD', "
     "KEYS[1], i) end",
     100'000}};
INSTANTIATE_TEST_SUITE_P(Kinds, SnapshotOfLargeValues, testing::ValuesIn(kLargeValues),
                         [](const auto& its) { return std::string(its.param.kind); });

TEST_P(SnapshotOfLargeValues, CostsNoKeys) {
  constexpr uint64_t kNew = 20;
  const size_t bytes = GetParam().bytes;
  start([](Options& options) { options.app.rdb_key_save_delay = 100'000; });
  for (int i = 0; i < 50; ++i) {
    put("key:" + std::to_string(i));
    client->ask({"EXPIRE", "key:" + std::to_string(i), "1000"});
  }
  Engine& engine = server->engine();
  client->ask({"CONFIG", "SET", "maxmemory-policy", "volatile-ttl", "maxmemory",
               std::to_string(server->used_bytes())});
  client->ask({"BGSAVE"});
  for (uint64_t i = 0; i < kNew; ++i) put("new:" + std::to_string(i));
  EXPECT_TRUE(engine.persistence.snapshot.active);
  EXPECT_GT(engine.heap.kept_bytes(), (kNew - 5) * bytes);
  EXPECT_LE(engine.stats.evicted_keys, kNew + 3);
  ASSERT_TRUE(await_idle());
  world.run_for(100'000);
  EXPECT_EQ(engine.heap.kept_bytes(), 0U);
  EXPECT_LE(Eviction::counted_bytes(engine), engine.options.maxmemory + 2 * bytes);
}

// What a reply takes with it is no copy for the snapshot, nor kept for it.
TEST_F(SnapshotSimTest, LargeElementsThatPassMeanwhileAreNotItsOwn) {
  start([](Options& options) { options.app.rdb_key_save_delay = 1'000'000; });
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 10; ++j)
      client->ask({"RPUSH", "list:" + std::to_string(i), std::string(20'000, 'v')});
  }
  client->ask({"BGSAVE"});
  for (int i = 0; i < 5; ++i) client->ask({"RPUSH", "list:" + std::to_string(i), "changes"});
  Engine& engine = server->engine();
  EXPECT_TRUE(engine.heap.has_shares());
  const size_t kept = engine.heap.kept_bytes();
  const size_t left = engine.heap.left_bytes();
  for (int i = 0; i < 100; ++i) {
    client->ask({"RPUSH", "queue", std::string(40'000, 'v'), std::string(40'000, 'v')});
    client->ask({"LPOP", "queue"});
    client->send(resp_command({"LRANGE", "queue", "0", "-1"}) + resp_command({"DEL", "queue"}));
    EXPECT_GT(client->ask({"PING"}).size(), 0U);
    client->take();
  }
  EXPECT_TRUE(engine.persistence.snapshot.active);
  EXPECT_LE(engine.heap.kept_bytes(), kept);
  EXPECT_EQ(engine.heap.left_bytes(), left);
}

// A database that is flushed meanwhile gives nothing back before it is written.
TEST_F(SnapshotSimTest, AFlushedDatabaseCostsNoKeys) {
  constexpr size_t kKeys = 5000;
  const std::string value(200, 'v');
  start([](Options& options) { options.app.rdb_key_save_delay = 10'000; });
  fill(kKeys, value);
  Engine& engine = server->engine();
  client->ask({"CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory",
               std::to_string(server->used_bytes() + 100'000)});
  client->ask({"BGSAVE"});
  EXPECT_EQ(client->ask({"FLUSHDB"}), "+OK\r\n");
  for (size_t i = 0; i < kKeys / 2; ++i)
    ASSERT_EQ(client->ask({"SET", "new:" + std::to_string(i), value}), "+OK\r\n");
  EXPECT_TRUE(engine.persistence.snapshot.active);
  EXPECT_GT(engine.heap.kept_bytes(), kKeys * value.size());
  ASSERT_TRUE(await_idle());
  world.run_for(100'000);
  EXPECT_EQ(engine.heap.kept_bytes(), 0U);
}

// In a simulated world there is no program to be started anew, and nothing ends for that.
TEST_F(SnapshotSimTest, WhatCannotRestartGoesOn) {
  start();
  for (const char* word : {"RESTART", "CRASH-AND-RECOVER"}) {
    EXPECT_EQ(client->ask({"DEBUG", word}),
              "-ERR failed to restart the server. Check server logs.\r\n");
  }
  EXPECT_EQ(client->ask({"PING"}), "+PONG\r\n");
}

// The file holds the moment when BGSAVE ran, whatever is written meanwhile.
TEST_F(SnapshotSimTest, CommandsGoOnDuringASnapshot) {
  // Slow enough that it is still being written when all has been asked.
  start([](Options& options) { options.app.rdb_key_save_delay = 5'000; });
  fill(300, "before");
  client->ask({"RPUSH", "list", "a", "b"});
  EXPECT_EQ(client->ask({"BGSAVE"}), "+Background saving started\r\n");
  EXPECT_EQ(client->ask({"BGSAVE"}), "-ERR Background save already in progress\r\n");
  EXPECT_EQ(client->ask({"SAVE"}), "-ERR Background save already in progress\r\n");
  fill(300, "after");
  client->ask({"DEL", "list"});
  ASSERT_TRUE(await_idle());
  EXPECT_EQ(info("rdb_last_bgsave_status"), "ok");
  EXPECT_EQ(info("rdb_changes_since_last_save"), "301");
  crash_and_start();
  EXPECT_EQ(client->ask({"DBSIZE"}), ":301\r\n");
  for (int i = 0; i < 300; ++i) ASSERT_EQ(get("key:" + std::to_string(i)), "before");
  EXPECT_EQ(client->ask({"LLEN", "list"}), ":2\r\n");
}

// Wherever the power fails, the file is the old one or the new one, whole.
TEST_F(SnapshotSimTest, ACrashAtAnyMomentLeavesOneWholeFile) {
  constexpr int kKeys = 40;
  start();
  fill(kKeys, "0");
  ASSERT_EQ(client->ask({"SAVE"}), "+OK\r\n");
  std::string saved = "0";
  for (int round = 1; round <= 200; ++round) {
    const std::string value = std::to_string(round);
    fill(kKeys, value);
    ASSERT_EQ(client->ask({"BGSAVE"}), "+Background saving started\r\n");
    world.run_for(static_cast<Micros>(world.prng().below(2'000)));
    const bool was_done = !server->engine().persistence.snapshot.active;
    crash_and_start(CrashKeeps::kSome);
    const std::string found = get("key:0");
    ASSERT_TRUE(found == value || (found == saved && !was_done)) << found << ' ' << value;
    for (int i = 0; i < kKeys; ++i) ASSERT_EQ(get("key:" + std::to_string(i)), found);
    saved = found;
  }
}

TEST_F(SnapshotSimTest, AFullDiskStopsWritesUntilItHasRoom) {
  start([](Options& options) { options.app.save = "3600 1000000"; });
  fill(100, std::string(1000, 'v'));
  machine.disk().set_capacity(1'000);
  EXPECT_EQ(client->ask({"BGSAVE"}), "+Background saving started\r\n");
  ASSERT_TRUE(await_idle());
  EXPECT_EQ(info("rdb_last_bgsave_status"), "err");
  EXPECT_TRUE(
      client->ask({"SET", "k", "v"}).starts_with("-MISCONF Redis is configured to save RDB"));
  EXPECT_TRUE(client->ask({"PING"}).starts_with("-MISCONF"));
  EXPECT_EQ(get("key:1"), std::string(1000, 'v'));
  // Scripts may read.
  for (const char* head : {"", "#!lua\n"}) {
    const std::string writes = std::string(head) + "return redis.call('SET', 'k', 'v')";
    EXPECT_NE(client->ask({"EVAL", writes, "0"}).find("MISCONF"), std::string::npos) << head;
  }
  for (const char* head : {"", "#!lua flags=no-writes\n"}) {
    const std::string reads = std::string(head) + "return redis.call('STRLEN', 'key:1')";
    EXPECT_EQ(client->ask({"EVAL", reads, "0"}), ":1000\r\n") << head;
  }
  EXPECT_EQ(client->ask({"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"}), "+OK\r\n");
  EXPECT_EQ(client->ask({"SET", "k", "v"}), "+OK\r\n");
  EXPECT_EQ(client->ask({"CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"}), "+OK\r\n");
  EXPECT_TRUE(client->ask({"SET", "k", "v"}).starts_with("-MISCONF"));
  // What was written of it is gone.
  EXPECT_EQ(machine.disk().used_bytes(), 0U);
  machine.disk().set_capacity(UINT64_MAX);
  EXPECT_EQ(client->ask({"SAVE"}), "+OK\r\n");
  EXPECT_EQ(client->ask({"SET", "k", "v"}), "+OK\r\n");
}

TEST_F(SnapshotSimTest, AFailedSyncIsAFailedSnapshot) {
  start();
  fill(10, "old");
  ASSERT_EQ(client->ask({"SAVE"}), "+OK\r\n");
  fill(10, "new");
  machine.disk().fail_syncs(1);
  EXPECT_EQ(client->ask({"SAVE"}), "-ERR\r\n");
  EXPECT_TRUE(server->log().has("Cannot sync temp-dump.rdb: Input/output error"));
  crash_and_start();
  EXPECT_EQ(get("key:3"), "old");
}

TEST_F(SnapshotSimTest, SavePointsSave) {
  start([](Options& options) { options.app.save = "10 5"; });
  fill(4, "few");
  world.run_for(20'000'000);
  EXPECT_EQ(info("rdb_saves"), "0");
  fill(1, "enough");
  world.run_for(1'000'000);
  ASSERT_TRUE(await_idle());
  EXPECT_EQ(info("rdb_saves"), "1");
  crash_and_start();
  EXPECT_EQ(get("key:0"), "enough");
}

TEST_F(SnapshotSimTest, TheEndSavesIfAskedOrIfThereAreSavePoints) {
  start();
  fill(10, "first");
  client->send(resp_command({"SHUTDOWN", "SAVE"}));
  ASSERT_TRUE(world.run_until([&] { return server->server().is_stopping(); }, 10'000));
  crash_and_start();
  EXPECT_EQ(get("key:3"), "first");
  fill(10, "second");
  client->send(resp_command({"SHUTDOWN"}));
  ASSERT_TRUE(world.run_until([&] { return server->server().is_stopping(); }, 10'000));
  crash(CrashKeeps::kNothing);
  start([](Options& options) { options.app.save = "3600 1"; });
  EXPECT_EQ(get("key:3"), "first");
  fill(10, "third");
  // Its asker goes: nobody's command may run all the same, since it would not be in the file.
  SimClient asker(world);
  asker.send(resp_command({"BGSAVE"}) + resp_command({"SHUTDOWN"}));
  world.run_for(400);
  asker.close();
  client->send(resp_command({"SET", "key:3", "fourth"}));
  ASSERT_TRUE(world.run_until([&] { return server->server().is_stopping(); }, 10'000));
  const std::string answer = client->received();
  crash_and_start();
  EXPECT_EQ(get("key:3"), answer == "+OK\r\n" ? "fourth" : "third");
}

TEST_F(SnapshotSimTest, AnEndThatCannotSaveIsNone) {
  start();
  fill(10, "kept");
  machine.disk().set_capacity(10);
  EXPECT_EQ(client->ask({"SHUTDOWN", "SAVE"}), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
  EXPECT_EQ(get("key:3"), "kept");
  client->send(resp_command({"SHUTDOWN", "SAVE", "FORCE"}));
  EXPECT_TRUE(world.run_until([&] { return server->server().is_stopping(); }, 10'000));
}

TEST_F(SnapshotSimTest, DebugReloadKeepsWhatThereIs) {
  start();
  fill(10, "kept");
  client->ask({"SET", "timed", "v", "PX", "100000"});
  client->ask({"ZADD", "z", "1.5", "a"});
  const std::string digest = client->ask({"DEBUG", "DIGEST"});
  EXPECT_EQ(client->ask({"DEBUG", "RELOAD"}), "+OK\r\n");
  EXPECT_EQ(client->ask({"DEBUG", "DIGEST"}), digest);
  EXPECT_EQ(client->ask({"DEBUG", "RELOAD", "NOFLUSH", "MERGE"}), "+OK\r\n");
  EXPECT_EQ(client->ask({"DEBUG", "DIGEST"}), digest);
  EXPECT_EQ(client->ask({"DEBUG", "RELOAD", "NOFLUSH", "NOSAVE"}),
            "-ERR Error trying to load the RDB dump\r\n");
  // What there is stays when the file is none.
  SimFile file;
  machine.disk().open("dump.rdb", OpenFor::kChange, file);
  machine.disk().write_at(file, "x", 20);
  EXPECT_EQ(client->ask({"DEBUG", "RELOAD", "NOSAVE"}),
            "-ERR Error trying to load the RDB dump\r\n");
  EXPECT_EQ(client->ask({"DEBUG", "DIGEST"}), digest);
  server->check_invariants();
}

// A list of a few KB that opens to some hundred is written in pieces, as it was when BGSAVE ran.
TEST_F(SnapshotSimTest, APressedListIsSavedAsItWas) {
  start([](Options& options) {
    usual(options);
    options.app.rdb_key_save_delay = 5'000;
    options.engine.limits.list_compress_depth = 1;
  });
  fill(100, "kept");
  for (int i = 0; i < 10'000; ++i)
    ASSERT_NE(client->ask({"RPUSH", "list", "the same in each, but " + std::to_string(i)}), "");
  const std::string digest = client->ask({"DEBUG", "DIGEST"});
  EXPECT_EQ(client->ask({"DEBUG", "RELOAD"}), "+OK\r\n");
  EXPECT_EQ(client->ask({"DEBUG", "DIGEST"}), digest);
  EXPECT_EQ(client->ask({"BGSAVE"}), "+Background saving started\r\n");
  for (int i = 0; i < 200; ++i) {
    client->ask({"LSET", "list", std::to_string(40 * i), "changed"});
    client->ask({"LINSERT", "list", "BEFORE", "changed", "new"});
    client->ask({"LPOP", "list", "20"});
  }
  client->ask({"LTRIM", "list", "1000", "2000"});
  ASSERT_TRUE(server->engine().persistence.snapshot.active);
  server->check_invariants();
  ASSERT_TRUE(await_idle());
  crash_and_start();
  EXPECT_EQ(client->ask({"DEBUG", "DIGEST"}), digest);
  server->check_invariants();
}

// A transaction is no moment: what is asked for inside of one begins behind it.
TEST_F(SnapshotSimTest, ASnapshotInATransactionBeginsBehindIt) {
  start();
  client->ask({"MULTI"});
  client->ask({"SET", "a", "1"});
  client->ask({"BGSAVE"});
  client->ask({"SET", "b", "2"});
  EXPECT_EQ(client->ask({"EXEC"}), "*3\r\n+OK\r\n+Background saving scheduled\r\n+OK\r\n");
  world.run_for(1'000'000);
  crash_and_start();
  EXPECT_EQ(get("b"), "2");
}

TEST_F(SnapshotSimTest, AFlippedBitKeepsTheServerFromStarting) {
  start();
  fill(10, "kept");
  ASSERT_EQ(client->ask({"SAVE"}), "+OK\r\n");
  crash(CrashKeeps::kNothing);
  const std::string bytes = machine.disk().seen("dump.rdb");
  SimFile file;
  ASSERT_EQ(machine.disk().open("dump.rdb", OpenFor::kChange, file), 0);
  const size_t at = world.prng().below(bytes.size());
  const char flipped = static_cast<char>(bytes[at] ^ (1 << world.prng().below(8)));
  ASSERT_EQ(machine.disk().write_at(file, ByteView(&flipped, 1), at), 1);
  start();
  EXPECT_TRUE(server->server().is_stopping());
  // Damaged at an offset; or refused, when the name of a key has become another's.
  EXPECT_TRUE(server->log().has("The RDB file dump.rdb is "));
  EXPECT_EQ(server->log().lines.back(), "Terminating server after rdb file reading failure.");
}

// As Redis keeps none, either; but it is told which they are.
TEST_F(SnapshotSimTest, KeysWithoutElementsAreNamedAndNotLoaded) {
  std::string file = "REDIS0010";
  for (char letter = 'a'; letter < 'm'; ++letter)
    file += std::string("\4\6empty", 7) + letter + '\0';  // hashes of no fields
  file += std::string("\0\4full\1v\xff\0\0\0\0\0\0\0\0", 17);
  put_file("dump.rdb", file);
  start();
  EXPECT_EQ(client->ask({"DBSIZE"}), ":1\r\n");
  EXPECT_TRUE(server->log().has("skipping empty key: emptya"));
  EXPECT_TRUE(server->log().has("skipping empty key: emptyj"));
  EXPECT_FALSE(server->log().has("emptyk"));
  EXPECT_TRUE(server->log().has("keys loaded: 1, keys expired: 0, empty keys skipped: 12."));
}

TEST_F(SnapshotSimTest, AValueThatIsRefusedIsNamed) {
  put_file("dump.rdb", std::string("REDIS0010\2\3set\2\1a\1a\xff\0\0\0\0\0\0\0\0", 28));
  start();
  EXPECT_TRUE(server->server().is_stopping());
  EXPECT_TRUE(server->log().has(
      "The RDB file dump.rdb is damaged at offset 17: Set integrity check failed: a member stands "
      "twice, of key set in database 0"));
}

// What has been removed does not come back with a file that is of before.
TEST_F(SnapshotSimTest, FlushallEndsASnapshot) {
  start([](Options& options) { options.app.rdb_key_save_delay = 100'000; });
  fill(100, "v");
  EXPECT_EQ(client->ask({"BGSAVE"}), "+Background saving started\r\n");
  EXPECT_EQ(client->ask({"FLUSHALL"}), "+OK\r\n");
  world.run_for(200'000);
  EXPECT_EQ(info("rdb_bgsave_in_progress"), "0");
  EXPECT_EQ(info("rdb_last_bgsave_status"), "ok");
  EXPECT_EQ(info("rdb_saves"), "0");
  EXPECT_GE(std::stoi(info("rdb_changes_since_last_save")), 100);
  EXPECT_EQ(machine.disk().seen("temp-dump.rdb"), "(none)");
}

TEST_F(SnapshotSimTest, WithSavePointsFlushallSavesThatThereIsNothing) {
  start([](Options& options) { options.app.save = "10000 1"; });
  fill(10, "v");
  EXPECT_EQ(client->ask({"SAVE"}), "+OK\r\n");
  client->ask({"MULTI"});
  client->ask({"FLUSHALL"});
  client->ask({"SET", "after", "v"});
  client->ask({"EXEC"});
  world.run_for(200'000);
  EXPECT_EQ(info("rdb_saves"), "2");
  crash_and_start();
  EXPECT_EQ(client->ask({"DBSIZE"}), ":1\r\n");
}

TEST_F(SnapshotSimTest, WhileItReloadsOthersAreToldOfLoading) {
  start([](Options& options) {
    usual(options);
    options.app.key_load_delay = 10'000;
  });
  fill(100, "v");
  SimClient other(world);
  SimClient waiting(world);
  other.ask({"PING"});
  client->send(resp_command({"DEBUG", "RELOAD"}));
  waiting.send(resp_command({"GET", "key:1"}));
  world.run_for(300'000);
  EXPECT_EQ(client->take(), "");
  EXPECT_EQ(other.ask({"GET", "key:1"}), "-LOADING Redis is loading the dataset in memory\r\n");
  EXPECT_NE(other.ask({"INFO", "persistence"}).find("loading:1"), std::string::npos);
  EXPECT_TRUE(other.ask({"DEBUG", "RELOAD"}).starts_with("-ERR "));
  EXPECT_EQ(waiting.take(), "-LOADING Redis is loading the dataset in memory\r\n");
  world.run_for(2'000'000);
  EXPECT_EQ(client->take(), "+OK\r\n");
  EXPECT_EQ(other.ask({"GET", "key:1"}), "$1\r\nv\r\n");
}

// Beside a log the snapshot is held when it is written.
TEST_F(SnapshotSimTest, ASavePointDoesNotWriteToAnothersFile) {
  const int32_t lock = machine.loop().lock_name(".", "dump.rdb");
  ASSERT_GE(lock, 0);
  start([](Options& options) {
    options.aof.appendonly = true;
    options.app.save = "1 1";
  });
  EXPECT_EQ(client->ask({"SET", "k", "v"}), "+OK\r\n");
  world.run_for(2'500'000);
  EXPECT_EQ(info("rdb_last_bgsave_status"), "err");
  EXPECT_TRUE(server->log().has("Another server keeps its data in ./dump.rdb"));
  machine.loop().unlock_name({lock});
  world.run_for(7'000'000);
  EXPECT_EQ(info("rdb_last_bgsave_status"), "ok");
}

TEST_F(SnapshotSimTest, AFileIsOneServers) {
  start([](Options& options) { options.engine.enable_protected_configs = Allowed::kEverybody; });
  const int32_t lock = machine.loop().lock_name(".", "dump.rdb");
  ASSERT_GE(lock, 0);
  EXPECT_EQ(client->ask({"SAVE"}), "-ERR Another server keeps its data in ./dump.rdb\r\n");
  EXPECT_TRUE(client->ask({"CONFIG", "SET", "save", "1 1"})
                  .ends_with("Another server keeps its data in ./dump.rdb\r\n"));
  EXPECT_EQ(client->ask({"CONFIG", "SET", "dbfilename", "other.rdb"}), "+OK\r\n");
  EXPECT_EQ(client->ask({"SAVE"}), "+OK\r\n");
  EXPECT_EQ(machine.loop().lock_name(".", "other.rdb"), -EWOULDBLOCK);
  EXPECT_EQ(client->ask({"CONFIG", "SET", "dbfilename", "dump.rdb"}), "+OK\r\n");
  machine.loop().unlock_name({lock});
  EXPECT_EQ(client->ask({"SAVE"}), "+OK\r\n");
  EXPECT_EQ(machine.loop().lock_name(".", "dump.rdb"), -EWOULDBLOCK);
  const int32_t let_go = machine.loop().lock_name(".", "other.rdb");
  ASSERT_GE(let_go, 0);
  machine.loop().unlock_name({let_go});
}

}  // namespace
}  // namespace ouro
