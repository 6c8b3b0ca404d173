// SPDX-License-Identifier: BSD-3-Clause
// The append-only log in a world whose power fails, whose disks are full, and whose syncs fail:
// what was acknowledged is there afterwards.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

class AofTest : public testing::Test {
 protected:
  explicit AofTest(uint64_t seed = run_seed()) : world(seed) {}

  void start(AppendFsync fsync, bool appendonly = true) {
    server = std::make_unique<SimServer>(machine, [=](Options& options) {
      options.aof.appendonly = appendonly;
      options.aof.appendfsync = fsync;
      options.engine.enable_debug_command = Allowed::kEverybody;
    });
  }
  void crash(CrashKeeps kept) {
    machine.crash(kept);
    server.reset();
    machine.restart();
  }
  std::string info(ByteView field) {
    SimClient client(world);
    const std::string text = client.ask({"INFO", "persistence"});
    const size_t at = text.find(std::string(field) + ":");
    return at == std::string::npos ? "" : text.substr(at, text.find('\r', at) - at);
  }

  SimWorld world;
  SimMachine& machine = world.add_machine();
  std::unique_ptr<SimServer> server;
};

TEST_F(AofTest, WhatWasWrittenIsThereAfterAnOrderlyEnd) {
  start(AppendFsync::kNo);
  {
    SimClient client(world);
    client.ask({"SET", "a", "1"});
    client.ask({"MULTI"});
    client.ask({"LPUSH", "l", "x", "y"});
    client.ask({"SELECT", "3"});
    client.ask({"SET", "b", "2"});
    EXPECT_EQ(client.ask({"EXEC"}), "*3\r\n:2\r\n+OK\r\n+OK\r\n");
  }
  for (int i = 0; i < 3; ++i) {
    server.reset();
    start(AppendFsync::kNo);
    SimClient client(world);
    EXPECT_EQ(client.ask({"GET", "a"}), "$1\r\n1\r\n");
    EXPECT_EQ(client.ask({"LLEN", "l"}), ":2\r\n");
    client.ask({"SELECT", "3"});
    EXPECT_EQ(client.ask({"GET", "b"}), "$1\r\n2\r\n");
  }
}

// Whoever wrote it: what each start adds has checksums of its own.
TEST_F(AofTest, TheLogGoesOnInItsLastFile) {
  const std::string path = "appendonlydir/appendonly.aof.1.incr.aof";
  const auto headers = [&] {
    const std::string bytes = machine.disk().seen(path);
    size_t count = 0;
    for (size_t at = bytes.find("#OURO:1"); at != std::string::npos;
         at = bytes.find("#OURO:1", at + 1))
      ++count;
    return count;
  };
  for (size_t i = 1; i < 4; ++i) {
    start(AppendFsync::kAlways);
    SimClient client(world);
    EXPECT_EQ(client.ask({"INCR", "n"}), ":" + std::to_string(i) + "\r\n");
    EXPECT_EQ(headers(), i);
    if (i == 2) {
      crash(CrashKeeps::kNothing);
    } else {
      server.reset();
    }
  }
  std::vector<std::string> names;
  machine.disk().list_dir("appendonlydir", names);
  EXPECT_EQ(names.size(), 3U);
}

// A reply comes when a sync has, and so does a read of what waits for one.
TEST_F(AofTest, RepliesWaitForTheDisk) {
  start(AppendFsync::kAlways);
  SimClient writer(world);
  SimClient reader(world);
  writer.ask({"PING"});
  reader.ask({"PING"});
  machine.disk().fail_syncs(3);
  writer.send(resp_command({"SET", "k", "v"}));
  world.run_for(100'000);
  reader.send(resp_command({"GET", "k"}));
  world.run_for(100'000);
  EXPECT_EQ(writer.take(), "");
  EXPECT_EQ(reader.take(), "");
  SimClient other(world);
  EXPECT_EQ(other.ask({"SET", "k", "w"}),
            "-MISCONF Errors writing to the AOF file: Input/output error\r\n");
  // The log is begun anew, and has it then.
  world.run_for(3'000'000);
  EXPECT_EQ(writer.take(), "+OK\r\n");
  EXPECT_EQ(reader.take(), "$1\r\nv\r\n");
  EXPECT_EQ(other.ask({"SET", "k", "w"}), "+OK\r\n");
  crash(CrashKeeps::kNothing);
  start(AppendFsync::kAlways);
  SimClient client(world);
  EXPECT_EQ(client.ask({"GET", "k"}), "$1\r\nw\r\n");
}

// The new base cannot be opened, while the file for what follows it can: that alone is no log.
TEST_F(AofTest, NothingIsSafeInAFileWithoutItsBase) {
  start(AppendFsync::kAlways);
  SimClient writer(world);
  EXPECT_EQ(writer.ask({"SET", "k", "v"}), "+OK\r\n");
  machine.disk().fail_syncs(1);
  machine.disk().fail_opens("appendonlydir/temp-appendonly.aof.base", 1);
  writer.send(resp_command({"SET", "k", "w"}));
  world.run_for(500'000);
  EXPECT_TRUE(server->log().has("Background AOF rewrite failed"));
  EXPECT_EQ(writer.take(), "");
  SimClient other(world);
  EXPECT_TRUE(other.ask({"SET", "other", "v"}).starts_with("-MISCONF "));
  world.run_for(2'000'000);
  EXPECT_EQ(writer.take(), "+OK\r\n");
  crash(CrashKeeps::kNothing);
  start(AppendFsync::kAlways);
  SimClient client(world);
  EXPECT_EQ(client.ask({"GET", "k"}), "$1\r\nw\r\n");
}

// ---- which files the log is

class AofFilesTest : public AofTest {
 protected:
  std::string manifest() {
    std::string text = machine.disk().seen("appendonlydir/appendonly.aof.manifest");
    for (size_t at; (at = text.find("appendonly.aof.")) != std::string::npos;) text.erase(at, 15);
    return text;
  }
  std::vector<std::string> files() {
    std::vector<std::string> names;
    machine.disk().list_dir("appendonlydir", names);
    return names;
  }
  bool has(const std::string& name) {
    const std::vector<std::string> names = files();
    return std::find(names.begin(), names.end(), "appendonly.aof." + name) != names.end();
  }
  void rewrite(SimClient& client) {
    EXPECT_EQ(client.ask({"BGREWRITEAOF"}), "+Background append only file rewriting started\r\n");
    world.run_for(200'000);
  }
  // Its base cannot be synced.
  void rewrite_in_vain(SimClient& client, const std::string& key) {
    EXPECT_EQ(client.ask({"BGREWRITEAOF"}), "+Background append only file rewriting started\r\n");
    world.run_until([&] { return manifest().find(key) != std::string::npos; }, 10'000);
    machine.disk().set_capacity(machine.disk().used_bytes());
    for (int i = 0; i < 100 && info("aof_rewrite_in_progress").back() == '1'; ++i)
      world.run_for(100'000);
    machine.disk().set_capacity(UINT64_MAX);
    world.run_for(1'200'000);
  }
};

TEST_F(AofFilesTest, EachRewriteThatFailsLeavesAnIncrement) {
  start(AppendFsync::kNo);
  SimClient client(world);
  // A second for the base, so that it is not whole before a slow disk has the next increment.
  client.ask({"CONFIG", "SET", "rdb-key-save-delay", "50000"});
  for (int i = 0; i < 20; ++i)
    client.ask({"SET", "k" + std::to_string(i), std::string(9'000, 'v')});
  rewrite_in_vain(client, "2.incr");
  rewrite_in_vain(client, "3.incr");
  EXPECT_EQ(info("aof_last_bgrewrite_status"), "aof_last_bgrewrite_status:err");
  EXPECT_EQ(manifest(),
            "file 1.base.rdb seq 1 type b\nfile 1.incr.aof seq 1 type i\n"
            "file 2.incr.aof seq 2 type i\nfile 3.incr.aof seq 3 type i\n");
  client.ask({"CONFIG", "SET", "rdb-key-save-delay", "0"});
  rewrite(client);
  EXPECT_EQ(manifest(), "file 2.base.rdb seq 2 type b\nfile 4.incr.aof seq 4 type i\n");
  EXPECT_FALSE(has("3.incr.aof"));
  EXPECT_EQ(client.ask({"DEBUG", "LOADAOF"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"DBSIZE"}), ":20\r\n");
  rewrite(client);
  EXPECT_EQ(manifest(), "file 3.base.rdb seq 3 type b\nfile 5.incr.aof seq 5 type i\n");
}

// As in Redis: the next one that nobody asked for waits a minute, one that is asked for does not.
TEST_F(AofFilesTest, AfterThreeFailuresAnAutomaticRewriteWaits) {
  start(AppendFsync::kNo);
  SimClient client(world);
  client.ask({"CONFIG", "SET", "rdb-key-save-delay", "50000"});
  for (int i = 0; i < 20; ++i)
    client.ask({"SET", "k" + std::to_string(i), std::string(9'000, 'v')});
  for (const char* name : {"2.incr", "3.incr", "4.incr"}) rewrite_in_vain(client, name);
  const std::string failed = manifest();
  client.ask({"CONFIG", "SET", "auto-aof-rewrite-percentage", "1", "auto-aof-rewrite-min-size",
              "1kb", "rdb-key-save-delay", "0"});
  client.ask({"SET", "k", std::string(9'000, 'v')});
  EXPECT_TRUE(world.run_until([&] { return server->log().has("triggered the limit"); }, 5'000));
  EXPECT_TRUE(server->log().has("will retry in 1 minutes"));
  world.run_for(30'000'000);
  EXPECT_EQ(info("aof_rewrite_in_progress"), "aof_rewrite_in_progress:0");
  EXPECT_EQ(manifest(), failed);
  rewrite(client);
  EXPECT_EQ(manifest(), "file 2.base.rdb seq 2 type b\nfile 5.incr.aof seq 5 type i\n");
  // It has succeeded, so that the next one waits for nothing.
  client.ask({"SET", "k", std::string(9'000, 'w')});
  world.run_for(3'000'000);
  EXPECT_EQ(manifest(), "file 3.base.rdb seq 3 type b\nfile 6.incr.aof seq 6 type i\n");
}

TEST_F(AofFilesTest, TurningTheLogOffGivesUpARewrite) {
  start(AppendFsync::kNo);
  SimClient client(world);
  client.ask({"CONFIG", "SET", "rdb-key-save-delay", "1000000"});
  for (int i = 0; i < 20; ++i) client.ask({"SET", "k" + std::to_string(i), "v"});
  EXPECT_EQ(client.ask({"BGREWRITEAOF"}), "+Background append only file rewriting started\r\n");
  world.run_for(500'000);
  EXPECT_EQ(files().size(), 5U);  // manifest, base, two increments, what is written of the new base
  EXPECT_EQ(client.ask({"CONFIG", "SET", "appendonly", "no"}), "+OK\r\n");
  world.run_for(500'000);
  EXPECT_TRUE(server->log().has("Killing AOF child"));
  EXPECT_EQ(info("aof_rewrite_in_progress"), "aof_rewrite_in_progress:0");
  EXPECT_EQ(files().size(), 4U);
  EXPECT_EQ(manifest(),
            "file 1.base.rdb seq 1 type b\nfile 1.incr.aof seq 1 type i\n"
            "file 2.incr.aof seq 2 type i\n");
}

TEST_F(AofFilesTest, TurningTheLogOffGivesUpARewriteThatHasNotBegun) {
  start(AppendFsync::kNo);
  SimClient client(world);
  client.ask({"SET", "k", "v"});
  client.send(resp_command({"BGREWRITEAOF"}) + resp_command({"CONFIG", "SET", "appendonly", "no"}));
  world.run_for(500'000);
  EXPECT_EQ(client.take(), "+Background append only file rewriting started\r\n+OK\r\n");
  EXPECT_TRUE(server->log().has("Killing AOF child"));
  EXPECT_EQ(manifest(), "file 1.base.rdb seq 1 type b\nfile 1.incr.aof seq 1 type i\n");
  client.ask({"CONFIG", "SET", "appendonly", "yes"});
  world.run_for(500'000);
  client.ask({"CONFIG", "SET", "rdb-key-save-delay", "1000000"});
  client.ask({"BGSAVE"});
  EXPECT_EQ(client.ask({"BGREWRITEAOF"}), "+Background append only file rewriting scheduled\r\n");
  client.ask({"CONFIG", "SET", "appendonly", "no"});
  world.run_for(100'000);
  EXPECT_EQ(info("aof_rewrite_scheduled"), "aof_rewrite_scheduled:0");
}

// Until the first base is whole what is written is in no log; no file of the attempt is named.
TEST_F(AofFilesTest, ALogThatCannotBeginIsTriedAgain) {
  start(AppendFsync::kNo, false);
  SimClient client(world);
  for (int i = 0; i < 20; ++i)
    client.ask({"SET", "k" + std::to_string(i), std::string(9'000, 'v')});
  machine.disk().set_capacity(500);
  EXPECT_EQ(client.ask({"CONFIG", "SET", "appendonly", "yes"}), "+OK\r\n");
  EXPECT_EQ(info("aof_rewrite_in_progress"), "aof_rewrite_in_progress:1");
  world.run_for(500'000);
  EXPECT_TRUE(server->log().has("Background AOF rewrite failed"));
  EXPECT_EQ(client.ask({"SET", "meanwhile", "v"}), "+OK\r\n");
  EXPECT_EQ(manifest(), "(none)");
  EXPECT_FALSE(has("1.base.rdb"));
  machine.disk().set_capacity(UINT64_MAX);
  world.run_for(3'000'000);
  EXPECT_EQ(manifest(), "file 1.base.rdb seq 1 type b\nfile 1.incr.aof seq 1 type i\n");
  EXPECT_EQ(files().size(), 3U);
  EXPECT_EQ(client.ask({"SET", "later", "v"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"DEBUG", "LOADAOF"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"DBSIZE"}), ":22\r\n");
}

TEST_F(AofFilesTest, WhatIsThereStaysUntilALogBeginsAgain) {
  start(AppendFsync::kNo);
  SimClient client(world);
  client.ask({"SET", "k", "v"});
  client.ask({"CONFIG", "SET", "appendonly", "no"});
  machine.disk().fail_opens("appendonlydir/temp-appendonly.aof.base", 1);
  client.ask({"CONFIG", "SET", "appendonly", "yes"});
  world.run_for(500'000);
  EXPECT_TRUE(server->log().has("Background AOF rewrite failed"));
  EXPECT_EQ(manifest(), "file 1.base.rdb seq 1 type b\nfile 1.incr.aof seq 1 type i\n");
  world.run_for(2'000'000);
  EXPECT_EQ(manifest(), "file 2.base.rdb seq 2 type b\nfile 2.incr.aof seq 2 type i\n");
}

// Who has turned the log on waits for its base by INFO, from the next command on.
TEST_F(AofFilesTest, ALogThatIsToBeginIsSeenAtOnce) {
  start(AppendFsync::kNo);
  SimClient client(world);
  client.ask({"SET", "k", "v"});
  const auto turn_and_look = [&](ByteView whether) {
    client.send(resp_command({"CONFIG", "SET", "appendonly", whether}) +
                resp_command({"INFO", "persistence"}));
    world.run_for(10'000);
    return client.take();
  };
  EXPECT_NE(turn_and_look("no").find("aof_enabled:0"), std::string::npos);
  world.run_for(500'000);
  const std::string begins = turn_and_look("yes");
  EXPECT_NE(begins.find("aof_enabled:1"), std::string::npos);
  EXPECT_NE(begins.find("aof_rewrite_in_progress:1"), std::string::npos);
  world.run_for(500'000);
  EXPECT_EQ(info("aof_rewrite_in_progress"), "aof_rewrite_in_progress:0");
  EXPECT_EQ(manifest(), "file 2.base.rdb seq 2 type b\nfile 2.incr.aof seq 2 type i\n");
}

TEST_F(AofFilesTest, WithoutALogARewriteMakesABaseAlone) {
  start(AppendFsync::kNo);
  SimClient client(world);
  client.ask({"SET", "k", "v"});
  client.ask({"CONFIG", "SET", "appendonly", "no"});
  world.run_for(100'000);
  rewrite(client);
  EXPECT_EQ(info("aof_rewrite_in_progress"), "aof_rewrite_in_progress:0");
  EXPECT_EQ(manifest(), "file 2.base.rdb seq 2 type b\n");
  EXPECT_FALSE(has("1.incr.aof"));
  EXPECT_EQ(client.ask({"DEBUG", "LOADAOF"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"GET", "k"}), "$1\r\nv\r\n");
  client.ask({"CONFIG", "SET", "appendonly", "yes"});
  world.run_for(200'000);
  EXPECT_EQ(manifest(), "file 3.base.rdb seq 3 type b\nfile 2.incr.aof seq 2 type i\n");
}

TEST_F(AofFilesTest, WhatIsReplacedMayBeKept) {
  start(AppendFsync::kNo);
  SimClient client(world);
  client.ask({"CONFIG", "SET", "aof-disable-auto-gc", "yes"});
  rewrite(client);
  rewrite(client);
  EXPECT_EQ(manifest(),
            "file 3.base.rdb seq 3 type b\nfile 2.incr.aof seq 2 type h\n"
            "file 2.base.rdb seq 2 type h\nfile 1.incr.aof seq 1 type h\n"
            "file 1.base.rdb seq 1 type h\nfile 3.incr.aof seq 3 type i\n");
  EXPECT_TRUE(has("1.base.rdb"));
  client.ask({"CONFIG", "SET", "aof-disable-auto-gc", "no"});
  world.run_for(100'000);
  EXPECT_EQ(manifest(), "file 3.base.rdb seq 3 type b\nfile 3.incr.aof seq 3 type i\n");
  EXPECT_FALSE(has("1.base.rdb"));
}

TEST_F(AofFilesTest, ALogThatIsTurnedOnWaitsForASnapshot) {
  start(AppendFsync::kNo, false);
  SimClient client(world);
  client.ask({"CONFIG", "SET", "rdb-key-save-delay", "100000"});
  for (int i = 0; i < 10; ++i) client.ask({"SET", "k" + std::to_string(i), "v"});
  client.ask({"BGSAVE"});
  client.ask({"CONFIG", "SET", "appendonly", "yes"});
  EXPECT_EQ(info("aof_rewrite_scheduled"), "aof_rewrite_scheduled:1");
  world.run_for(200'000);
  EXPECT_EQ(manifest(), "(none)");
  client.ask({"CONFIG", "SET", "rdb-key-save-delay", "0"});
  world.run_for(2'000'000);
  EXPECT_EQ(manifest(), "file 1.base.rdb seq 1 type b\nfile 1.incr.aof seq 1 type i\n");
}

// What it was before it was turned off is read, and what it will be begins with that.
TEST_F(AofFilesTest, ALogThatIsToBeginMayBeReadBefore) {
  start(AppendFsync::kNo);
  SimClient client(world);
  client.ask({"SET", "old", "v"});
  client.ask({"CONFIG", "SET", "appendonly", "no", "rdb-key-save-delay", "1000000"});
  client.ask({"SET", "new", "v"});
  client.ask({"BGSAVE"});
  client.ask({"CONFIG", "SET", "appendonly", "yes"});
  EXPECT_EQ(client.ask({"DEBUG", "LOADAOF"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"KEYS", "*"}), "*1\r\n$3\r\nold\r\n");
  EXPECT_EQ(info("aof_rewrite_scheduled"), "aof_rewrite_scheduled:1");
  client.ask({"CONFIG", "SET", "rdb-key-save-delay", "0"});
  world.run_for(3'000'000);
  EXPECT_EQ(manifest(), "file 2.base.rdb seq 2 type b\nfile 2.incr.aof seq 2 type i\n");
  EXPECT_EQ(client.ask({"DEBUG", "LOADAOF"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"KEYS", "*"}), "*1\r\n$3\r\nold\r\n");
}

TEST_F(AofFilesTest, ARewriteWithinATransactionComesAfterIt) {
  start(AppendFsync::kNo);
  SimClient client(world);
  for (const char* name : {"MULTI", "BGREWRITEAOF", "BGREWRITEAOF"}) client.ask({name});
  client.ask({"SET", "k", "v"});
  const std::string scheduled = "+Background append only file rewriting scheduled\r\n";
  EXPECT_EQ(client.ask({"EXEC"}), "*3\r\n" + scheduled + scheduled + "+OK\r\n");
  world.run_for(200'000);
  EXPECT_EQ(info("aof_rewrite_scheduled"), "aof_rewrite_scheduled:0");
  EXPECT_EQ(manifest(), "file 2.base.rdb seq 2 type b\nfile 2.incr.aof seq 2 type i\n");
  EXPECT_EQ(client.ask({"DEBUG", "LOADAOF"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"GET", "k"}), "$1\r\nv\r\n");
}

// Whoever reads the log on cannot know that there was nothing to remove.
TEST_F(AofTest, AFlushOfNothingIsInTheLog) {
  start(AppendFsync::kAlways);
  SimClient client(world);
  for (const char* name : {"FLUSHDB", "FLUSHDB", "FLUSHALL", "FLUSHALL"})
    EXPECT_EQ(client.ask({name}), "+OK\r\n");
  const std::string bytes = machine.disk().seen("appendonlydir/appendonly.aof.1.incr.aof");
  const auto count = [&](const std::string& word) {
    size_t found = 0;
    for (size_t at = 0; (at = bytes.find(word, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  EXPECT_EQ(count("FLUSHDB"), 2U);
  EXPECT_EQ(count("FLUSHALL"), 2U);
}

TEST_F(AofTest, WhatIsReadFromTheLogIsInNoAccount) {
  start(AppendFsync::kAlways);
  {
    SimClient client(world);
    for (int i = 0; i < 5; ++i) client.ask({"SET", "k", "v"});
  }
  server.reset();
  start(AppendFsync::kAlways);
  SimClient client(world);
  EXPECT_EQ(client.ask({"INFO", "commandstats"}).find("cmdstat_set"), std::string::npos);
  EXPECT_EQ(client.ask({"GET", "k"}), "$1\r\nv\r\n");
  EXPECT_NE(client.ask({"LASTSAVE"}), ":0\r\n");
}

TEST_F(AofTest, RepliesWaitForAWriteThatIsDelayed) {
  for (const AppendFsync fsync : {AppendFsync::kAlways, AppendFsync::kEverySecond}) {
    start(fsync);
    SimClient client(world);
    EXPECT_EQ(client.ask({"DEBUG", "AOF-FLUSH-SLEEP", "500000"}), "+OK\r\n");
    client.ask({"GET", "k"});
    const size_t before = machine.disk().used_bytes();
    client.send(resp_command({"SET", "k", "v"}) + resp_command({"GET", "k"}));
    world.run_for(400'000);
    EXPECT_EQ(client.take(), "");
    EXPECT_EQ(machine.disk().used_bytes(), before);
    world.run_for(200'000);
    EXPECT_EQ(client.take(), "+OK\r\n$1\r\nv\r\n");
    EXPECT_GT(machine.disk().used_bytes(), before);
    client.ask({"DEBUG", "AOF-FLUSH-SLEEP", "0"});
    server.reset();
  }
}

TEST_F(AofTest, AFullDiskStopsWritesUntilThereIsRoom) {
  start(AppendFsync::kEverySecond);
  SimClient writer(world);
  writer.ask({"SET", "k", "v"});
  machine.disk().set_capacity(machine.disk().used_bytes() + 10);
  writer.send(resp_command({"SET", "k", "w"}));
  world.run_for(100'000);
  EXPECT_EQ(writer.take(), "");
  SimClient other(world);
  EXPECT_EQ(other.ask({"SET", "other", "v"}),
            "-MISCONF Errors writing to the AOF file: No space left on device\r\n");
  EXPECT_EQ(info("aof_last_write_status"), "aof_last_write_status:err");
  machine.disk().set_capacity(UINT64_MAX);
  world.run_for(1'500'000);
  EXPECT_EQ(writer.take(), "+OK\r\n");
  EXPECT_EQ(other.ask({"SET", "other", "v"}), "+OK\r\n");
  EXPECT_EQ(info("aof_last_write_status"), "aof_last_write_status:ok");
  server.reset();
  start(AppendFsync::kEverySecond);
  SimClient client(world);
  EXPECT_EQ(client.ask({"MGET", "k", "other"}), "*2\r\n$1\r\nw\r\n$1\r\nv\r\n");
}

TEST_F(AofTest, IsTurnedOnAndOffWhileClientsWrite) {
  start(AppendFsync::kAlways, false);
  SimClient client(world);
  client.ask({"SET", "before", "1"});
  EXPECT_EQ(client.ask({"CONFIG", "SET", "appendonly", "yes"}), "+OK\r\n");
  client.ask({"INCR", "n"});
  EXPECT_TRUE(world.run_until([&] { return server->log().has("Background AOF rewrite finished"); },
                              10'000));
  client.ask({"INCR", "n"});
  crash(CrashKeeps::kNothing);
  start(AppendFsync::kAlways);
  SimClient again(world);
  EXPECT_EQ(again.ask({"MGET", "before", "n"}), "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
  EXPECT_EQ(again.ask({"CONFIG", "SET", "appendonly", "no"}), "+OK\r\n");
  EXPECT_EQ(again.ask({"INCR", "n"}), ":3\r\n");
  world.run_for(1'000'000);
  EXPECT_EQ(again.ask({"CONFIG", "SET", "appendonly", "yes"}), "+OK\r\n");
  EXPECT_EQ(again.ask({"INCR", "n"}), ":4\r\n");
  world.run_for(1'000'000);
  EXPECT_EQ(info("aof_enabled"), "aof_enabled:1");
  crash(CrashKeeps::kNothing);
  start(AppendFsync::kAlways);
  SimClient last(world);
  EXPECT_EQ(last.ask({"GET", "n"}), "$1\r\n4\r\n");
}

TEST_F(AofTest, ARewriteKeepsWhatComesMeanwhile) {
  start(AppendFsync::kAlways);
  SimClient client(world);
  for (int i = 0; i < 300; ++i) client.ask({"INCR", "n"});
  EXPECT_EQ(client.ask({"BGREWRITEAOF"}), "+Background append only file rewriting started\r\n");
  EXPECT_EQ(client.ask({"BGREWRITEAOF"}).substr(0, 5), "-ERR ");
  for (int i = 0; i < 300; ++i) client.ask({"INCR", "n"});
  world.run_for(1'000'000);
  EXPECT_EQ(info("aof_rewrites"), "aof_rewrites:1");
  EXPECT_EQ(client.ask({"DEBUG", "LOADAOF"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"GET", "n"}), "$3\r\n600\r\n");
  crash(CrashKeeps::kNothing);
  start(AppendFsync::kAlways);
  SimClient again(world);
  EXPECT_EQ(again.ask({"GET", "n"}), "$3\r\n600\r\n");
}

TEST_F(AofTest, ATransactionThatPausesIsNotHeardOfBeforeItIsSafe) {
  start(AppendFsync::kAlways);
  SimClient client(world);
  client.ask({"MULTI"});
  client.ask({"INCR", "n"});
  client.ask({"DEBUG", "SLEEP", "1"});
  client.ask({"INCR", "n"});
  client.send(resp_command({"EXEC"}));
  world.run_for(500'000);
  EXPECT_EQ(client.received(), "");
  world.run_for(700'000);
  EXPECT_EQ(client.take(), "*3\r\n:1\r\n+OK\r\n:2\r\n");
}

// ---- many losses of power

// Clients that each count a key of their own and now and then a common one, until the power fails
// at a moment of chance. Whatever a client was told must hold afterwards; what it was not told may.
class PowerLoss {
 public:
  PowerLoss(uint64_t seed, AppendFsync fsync) : world_(seed), fsync_(fsync) {}

  void run() {
    start();
    for (int round = 0; round < kRounds && !testing::Test::HasFailure(); ++round) {
      clients_.clear();
      for (int i = 0; i < kClients; ++i) clients_.push_back(std::make_unique<SimClient>(world_));
      asked_ = told_;
      awaited_.assign(kClients, false);
      const Instant end = world_.now() + 1'000 + static_cast<Instant>(prng().below(300'000));
      while (world_.now() < end) {
        write();
        world_.run_for(1 + static_cast<Micros>(prng().below(400)));
        read();
      }
      read();
      clients_.clear();
      machine_.crash(prng().below(2) == 0 ? CrashKeeps::kNothing : CrashKeeps::kSome);
      server_.reset();
      machine_.restart();
      start();
      if (!testing::Test::HasFailure()) check();
    }
  }

 private:
  static constexpr int kRounds = 3;
  static constexpr int kClients = 5;

  Prng& prng() { return world_.prng(); }
  static std::string key(size_t i) { return "n" + std::to_string(i); }

  void start() {
    server_ = std::make_unique<SimServer>(machine_, [this](Options& options) {
      options.aof.appendonly = true;
      options.aof.appendfsync = fsync_;
    });
    if (!server_->server().is_stopping()) return;
    for (const std::string& line : server_->log().lines) ADD_FAILURE() << line;
  }
  void write() {
    for (size_t i = 0; i < kClients; ++i) {
      if (awaited_[i] || prng().below(3) != 0) continue;
      if (i == 0 && prng().below(20) == 0) clients_[0]->send(resp_command({"BGREWRITEAOF"}));
      clients_[i]->send(resp_command({"INCR", key(i)}));
      ++asked_[i];
      awaited_[i] = true;
    }
  }
  void read() {
    for (size_t i = 0; i < kClients; ++i) {
      for (std::string reply = clients_[i]->take_reply(); !reply.empty();
           reply = clients_[i]->take_reply()) {
        if (!reply.starts_with(':')) continue;
        told_[i] = std::stoull(reply.substr(1));
        EXPECT_EQ(told_[i], asked_[i]);
        awaited_[i] = false;
      }
    }
  }
  void check() {
    SimClient client(world_);
    for (size_t i = 0; i < kClients; ++i) {
      const std::string reply = client.ask({"GET", key(i)});
      ASSERT_TRUE(reply.starts_with('$')) << reply << server_->log().lines.back();
      const size_t at = reply.find('\n');
      const uint64_t found = reply.starts_with("$-1") ? 0 : std::stoull(reply.substr(at + 1));
      EXPECT_GE(found, told_[i]) << key(i);
      EXPECT_LE(found, asked_[i]) << key(i);
      told_[i] = found;
    }
  }

  SimWorld world_;
  SimMachine& machine_ = world_.add_machine();
  AppendFsync fsync_;
  std::unique_ptr<SimServer> server_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::vector<uint64_t> asked_ = std::vector<uint64_t>(kClients, 0);  // if all had been done
  std::vector<uint64_t> told_ = std::vector<uint64_t>(kClients, 0);
  std::vector<bool> awaited_;
};

TEST(AofPowerLoss, AlwaysLosesNothingAcknowledged) {
  constexpr uint64_t kSeeds = 20;
  for (uint64_t i = 0; i < kSeeds && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("seed " + std::to_string(run_seed() + i));
    PowerLoss(run_seed() + i, AppendFsync::kAlways).run();
  }
}

}  // namespace
}  // namespace ouro
