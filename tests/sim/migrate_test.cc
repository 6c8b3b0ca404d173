// SPDX-License-Identifier: BSD-3-Clause
// MIGRATE: to another server, and to targets that a test plays, which refuse, fail and are slow.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "datastructs/base/ascii.h"
#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

// Answers each command with what the test says; empty: with nothing.
class FakeTarget {
 public:
  FakeTarget(SimWorld& world, SimMachine& machine, uint16_t port)
      : net_(world.net()), address(SimNet::address_of(machine.number(), port)) {
    int error = 0;
    listener_ = net_.listen(machine.number(), address, {}, error);
    CHECK(error == 0);
    listener_->on_change = [this] { accept(); };
  }
  ~FakeTarget() {
    stop_listening();
    close();
  }
  FakeTarget(const FakeTarget&) = delete;
  FakeTarget& operator=(const FakeTarget&) = delete;

  void stop_listening() {
    if (listener_ != nullptr) net_.stop_listening(*listener_);
    listener_ = nullptr;
  }
  void close() {
    for (const auto& peer : peers_) peer->socket.close();
  }
  void reset() {
    for (const auto& peer : peers_) peer->socket.reset();
  }
  void read_on() {
    reads = true;
    for (const auto& peer : peers_) move(*peer);
  }
  void say(ByteView text) { peers_.back()->socket.send(text); }
  // The names of what came: "SELECT RESTORE".
  std::string take_commands() { return std::exchange(commands_, {}); }
  size_t connections() const { return peers_.size(); }

  std::function<std::string(ByteView name)> answer = [](ByteView) { return "+OK\r\n"; };
  bool reads = true;

 private:
  struct Peer {
    SimSocket socket;
    std::string received;
  };

  void accept() {
    while (!listener_->waiting.empty()) {
      peers_.push_back(std::make_unique<Peer>(Peer{listener_->waiting.front(), {}}));
      listener_->waiting.pop_front();
      peers_.back()->socket.set_on_change([this, peer = peers_.back().get()] { move(*peer); });
    }
  }
  void move(Peer& peer) {
    if (!reads || peer.socket.is_closed()) return;
    peer.received += peer.socket.read();
    if (peer.socket.at_end()) return peer.socket.close();
    for (size_t size = 0; (size = reply_size(peer.received)) > 0; peer.received.erase(0, size)) {
      const size_t at = peer.received.find("\r\n", peer.received.find('$')) + 2;
      const std::string name = peer.received.substr(at, peer.received.find("\r\n", at) - at);
      commands_ += (commands_.empty() ? "" : " ") + name;
      const std::string text = answer(name);
      if (!peer.socket.is_closed()) peer.socket.send(text);
    }
  }

  SimNet& net_;
  std::shared_ptr<SimListener> listener_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::string commands_;

 public:
  Address address;
};

class MigrateTest : public testing::Test {
 protected:
  MigrateTest() { EXPECT_TRUE(client.ask({"SET", "k", "v"}) == "+OK\r\n"); }

  std::string host() const { return target.address.host(); }
  // One key to the target, which has the time that it is given.
  std::string migrate(ByteView key, ByteView db = "0", ByteView timeout = "1000") {
    return client.ask({"MIGRATE", host(), "7000", key, db, timeout});
  }
  std::string migrate_keys(std::initializer_list<ByteView> keys, ByteView option = "REPLACE") {
    std::string command = "MIGRATE " + host() + " 7000 '' 0 1000 ";
    command.append(option).append(" KEYS");
    for (const ByteView key : keys) command.append(" ").append(key);
    return ask_inline(client, command);
  }
  std::string ask_inline(SimClient& who, const std::string& line) {
    who.send(line + "\r\n");
    world.run_until([&] { return reply_size(who.received()) > 0; }, 10'000);
    return who.take_reply();
  }
  size_t kept() { return server->server().migration_connections(); }
  void fill(std::initializer_list<ByteView> keys) {
    for (const ByteView key : keys) other.ask({"SET", key, "v"});
  }

  SimWorld world{run_seed()};
  SimMachine& machine = world.add_machine();
  SimMachine& target_machine = world.add_machine();
  std::unique_ptr<SimServer> server = std::make_unique<SimServer>(
      machine, [](Options& options) { options.engine.enable_debug_command = Allowed::kEverybody; });
  FakeTarget target{world, target_machine, 7000};
  SimClient client{world};
  SimClient other{world};

  static constexpr ByteView kConnecting = "-IOERR error or timeout connecting to the client\r\n";
  static constexpr ByteView kWriting = "-IOERR error or timeout writing to target instance\r\n";
  static constexpr ByteView kReading = "-IOERR error or timeout reading to target instance\r\n";
};

TEST_F(MigrateTest, TakesKeysToAnotherServer) {
  SimServer there(target_machine, [](Options& options) { options.app.protected_mode = false; });
  SimClient reader(world, 1);
  client.ask({"SET", "short", "lived", "PX", "50000"});
  client.ask({"RPUSH", "l", "a", "b"});
  const std::string where = host();
  EXPECT_EQ(
      client.ask({"MIGRATE", where, "6379", "", "2", "1000", "KEYS", "k", "none", "short", "l"}),
      "+OK\r\n");
  EXPECT_EQ(client.ask({"DBSIZE"}), ":0\r\n");
  reader.ask({"SELECT", "2"});
  EXPECT_EQ(reader.ask({"GET", "k"}), "$1\r\nv\r\n");
  EXPECT_EQ(reader.ask({"GET", "short"}), "$5\r\nlived\r\n");
  EXPECT_EQ(reader.ask({"LRANGE", "l", "0", "-1"}), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  const int64_t left = std::stoll(reader.ask({"PTTL", "short"}).substr(1));
  EXPECT_GT(left, 49'000);
  EXPECT_LE(left, 50'000);
  EXPECT_EQ(client.ask({"MIGRATE", where, "6379", "none", "2", "1000"}), "+NOKEY\r\n");
}

TEST_F(MigrateTest, CopiedKeysStay) {
  EXPECT_EQ(client.ask({"MIGRATE", host(), "7000", "k", "0", "1000", "COPY"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"GET", "k"}), "$1\r\nv\r\n");
}

TEST_F(MigrateTest, KeepsItsConnectionAndSelectsWhenTheDatabaseIsAnother) {
  fill({"a", "b", "c"});
  EXPECT_EQ(migrate("k"), "+OK\r\n");
  EXPECT_EQ(target.take_commands(), "SELECT RESTORE");
  const Instant began = world.now();
  EXPECT_EQ(migrate("a"), "+OK\r\n");
  EXPECT_LT(world.now() - began, 10'000);
  EXPECT_EQ(target.take_commands(), "RESTORE");
  EXPECT_EQ(migrate("b", "3", "9223372036854775807"), "+OK\r\n");
  EXPECT_EQ(target.take_commands(), "SELECT RESTORE");
  EXPECT_EQ(client.ask({"MIGRATE", host(), "7000", "c", "3", "1000", "AUTH", "word"}), "+OK\r\n");
  EXPECT_EQ(target.take_commands(), "AUTH RESTORE");
  EXPECT_EQ(target.connections(), 1U);
  EXPECT_EQ(kept(), 1U);
  world.run_for(12'000'000);
  EXPECT_EQ(kept(), 0U);
}

TEST_F(MigrateTest, KeepsSoManyConnectionsAndNoMore) {
  std::vector<std::unique_ptr<FakeTarget>> many;
  for (uint16_t port = 8000; port < 8070; ++port) {
    many.push_back(std::make_unique<FakeTarget>(world, target_machine, port));
    const std::string text = std::to_string(port);
    EXPECT_EQ(client.ask({"MIGRATE", host(), text, "k", "0", "1000", "COPY"}), "+OK\r\n");
  }
  EXPECT_EQ(kept(), Migrator::kKeptMax);
}

TEST_F(MigrateTest, AConnectionThatHasDiedIsMadeAgainOnce) {
  fill({"a", "b", "c"});
  migrate("k");
  // Noticed before it is used, or not.
  target.close();
  world.run_for(100'000);
  EXPECT_EQ(kept(), 0U);
  EXPECT_EQ(migrate("a"), "+OK\r\n");
  EXPECT_EQ(target.connections(), 2U);
  target.answer = [this](ByteView) {
    if (target.connections() == 2) target.reset();
    return "+OK\r\n";
  };
  EXPECT_EQ(migrate("b"), "+OK\r\n");
  EXPECT_EQ(target.connections(), 3U);
  // But only once.
  target.answer = [this](ByteView) {
    target.close();
    return "";
  };
  EXPECT_EQ(migrate("c"), kReading);
  EXPECT_EQ(target.connections(), 4U);
  EXPECT_EQ(client.ask({"EXISTS", "c"}), ":1\r\n");
}

TEST_F(MigrateTest, NobodyListens) {
  target.stop_listening();
  EXPECT_EQ(migrate("k"), kWriting);
  EXPECT_EQ(client.ask({"EXISTS", "k"}), ":1\r\n");
  EXPECT_EQ(other.ask({"PING"}), "+PONG\r\n");
}

TEST_F(MigrateTest, TheWayIsCut) {
  world.net().cut(0, 1);
  EXPECT_EQ(migrate("k"), kConnecting);
  EXPECT_EQ(client.ask({"EXISTS", "k"}), ":1\r\n");
}

TEST_F(MigrateTest, NobodyRunsUntilASlowTargetHasAnsweredOrItsTimeIsOver) {
  target.answer = [](ByteView) { return ""; };
  client.send("MIGRATE " + host() + " 7000 k 0 3000\r\n");
  world.run_for(2'900'000);
  other.send(resp_command({"GET", "k"}));
  EXPECT_EQ(other.received(), "");
  EXPECT_EQ(client.received(), "");
  world.run_for(300'000);
  EXPECT_EQ(client.take(), kReading);
  EXPECT_EQ(other.take(), "$1\r\nv\r\n");
  EXPECT_EQ(kept(), 0U);
  // A timeout is not tried again; and 0 is a second.
  EXPECT_EQ(target.connections(), 1U);
  const Instant began = world.now();
  EXPECT_EQ(migrate("k", "0", "0"), kReading);
  EXPECT_NEAR(static_cast<double>(world.now() - began), 1e6, 2e5);
}

TEST_F(MigrateTest, OnlyWhatWasAnsweredIsGoneWhenTheTargetDiesInTheMiddle) {
  fill({"a", "b", "c"});
  int answers = 0;
  target.answer = [&](ByteView) {
    if (++answers > 2) target.close();
    return "+OK\r\n";
  };
  EXPECT_EQ(migrate_keys({"a", "b", "c"}), kReading);
  EXPECT_EQ(target.connections(), 1U);
  EXPECT_EQ(client.ask({"EXISTS", "a"}), ":0\r\n");
  EXPECT_EQ(client.ask({"EXISTS", "b", "c"}), ":2\r\n");
}

TEST_F(MigrateTest, ARefusedKeyStaysAndTheDatabaseIsSelectedAgain) {
  fill({"a", "b", "c"});
  int answers = 0;
  target.answer = [&](ByteView) {
    return ++answers == 3 ? "-BUSYKEY Target key name already exists.\r\n" : "+OK\r\n";
  };
  EXPECT_EQ(migrate_keys({"a", "b", "c"}),
            "-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n");
  EXPECT_EQ(client.ask({"EXISTS", "a"}), ":0\r\n");
  EXPECT_EQ(client.ask({"EXISTS", "b"}), ":1\r\n");
  EXPECT_EQ(client.ask({"EXISTS", "c"}), ":0\r\n");
  target.take_commands();
  EXPECT_EQ(migrate("b"), "+OK\r\n");
  EXPECT_EQ(target.take_commands(), "SELECT RESTORE");
  EXPECT_EQ(target.connections(), 1U);
}

TEST_F(MigrateTest, NothingIsTakenByATargetThatRefusesThePassword) {
  target.answer = [](ByteView name) {
    return name == "AUTH" ? "-WRONGPASS no\r\n" : name == "SELECT" ? "-NOAUTH\r\n" : "+OK\r\n";
  };
  EXPECT_EQ(migrate_keys({"k"}, "AUTH2 me word"),
            "-ERR Target instance replied with error: WRONGPASS no\r\n");
  EXPECT_EQ(client.ask({"EXISTS", "k"}), ":1\r\n");
}

TEST_F(MigrateTest, WhatATargetSaysUnaskedEndsItsConnection) {
  target.answer = [](ByteView name) { return name == "SELECT" ? "+OK\r\n" : "+OK\r\n+what\r\n"; };
  EXPECT_EQ(migrate("k"), "+OK\r\n");
  world.run_for(100'000);
  EXPECT_EQ(kept(), 0U);
}

TEST_F(MigrateTest, ManyLargeKeysStandInMemoryOnce) {
  Prng prng(run_seed());
  std::string command = "MIGRATE " + host() + " 7000 '' 0 1000 KEYS";
  for (int i = 0; i < 100; ++i) {
    std::string value(100'000, '\0');
    for (char& byte : value) byte = static_cast<char>(prng.next());
    const std::string key = "big" + std::to_string(i);
    client.ask({"SET", key, value});
    command += " " + key;
  }
  target.reads = false;
  const size_t before = server->used_bytes();
  client.send(command + "\r\n");
  world.run_for(500'000);
  EXPECT_LT(server->used_bytes(), before + 1_MiB);
  const Instant began = world.now();
  target.read_on();
  world.run_until([&] { return reply_size(client.received()) > 0; }, 10'000);
  EXPECT_EQ(client.take(), "+OK\r\n");
  EXPECT_LT(world.now() - began, 500'000);
  EXPECT_EQ(client.ask({"DBSIZE"}), ":1\r\n");
  // A target that takes nothing more is given up while there is something to write.
  client.ask({"SET", "big", std::string(1'000'000, '\0')});
  client.ask({"CONFIG", "SET", "rdbcompression", "no"});
  target.reads = false;
  EXPECT_EQ(migrate("big"), kWriting);
  target.reads = true;
}

TEST_F(MigrateTest, GoesOnThoughItsClientLeaves) {
  target.answer = [](ByteView) { return ""; };
  client.send("MIGRATE " + host() + " 7000 k 0 5000\r\n");
  world.run_for(1'000'000);
  client.reset();
  other.send(resp_command({"GET", "k"}));
  world.run_for(1'000'000);
  EXPECT_EQ(other.received(), "");
  EXPECT_EQ(server->clients(), 1U);
  target.answer = [](ByteView) { return "+OK\r\n"; };
  target.reset();  // the second attempt does
  world.run_for(1'000'000);
  EXPECT_EQ(other.take(), "$-1\r\n");
  // What nobody hears is not told the next who waits.
  other.ask({"SET", "k", "v"});
  SimClient leaver(world);
  target.answer = [&](ByteView name) {
    leaver.reset();
    // The server learns of that first.
    world.after(200'000, [this] { target.say("-ERR no\r\n"); });
    return name == "SELECT" ? "+OK\r\n" : "";
  };
  leaver.send("MIGRATE " + host() + " 7000 k 0 5000\r\n");
  world.run_for(1'000'000);
  EXPECT_EQ(server->clients(), 1U);
  EXPECT_EQ(other.ask({"DEBUG", "SLEEP", "0.1"}), "+OK\r\n");
}

TEST_F(MigrateTest, IsAPartOfATransaction) {
  client.ask({"MULTI"});
  client.ask({"SET", "a", "1"});
  client.ask({"MIGRATE", host(), "7000", "", "0", "1000", "KEYS", "k", "a"});
  client.ask({"EXISTS", "k", "a"});
  client.ask({"MIGRATE", host(), "7000", "a", "0", "1000"});
  EXPECT_EQ(client.ask({"EXEC"}), "*4\r\n+OK\r\n+OK\r\n:0\r\n+NOKEY\r\n");
}

TEST_F(MigrateTest, IsBrokenOffInATransactionWhoseClientLeaves) {
  target.answer = [](ByteView) { return ""; };
  client.ask({"MULTI"});
  client.ask({"MIGRATE", host(), "7000", "k", "0", "5000"});
  client.ask({"SET", "a", "1"});
  client.send(resp_command({"EXEC"}));
  world.run_for(1'000'000);
  client.reset();
  EXPECT_EQ(other.ask({"EXISTS", "k", "a"}), ":2\r\n");
  EXPECT_EQ(kept(), 0U);
}

TEST_F(MigrateTest, AScriptWaitsWhereItStands) {
  const std::string script = "redis.call('migrate', '" + host() +
                             "', '7000', 'k', '0', '3000')\nreturn redis.call('exists', 'k')";
  Instant asked = 0;
  target.answer = [&](ByteView) {
    if (asked == 0) {
      asked = world.now();
      other.send(resp_command({"GET", "k"}));
    }
    return "+OK\r\n";
  };
  EXPECT_EQ(client.ask({"EVAL", script, "0"}), ":0\r\n");
  world.run_for(100'000);
  EXPECT_EQ(other.take(), "$-1\r\n");
  client.ask({"SET", "k", "v"});
  target.answer = [](ByteView) { return ""; };
  EXPECT_EQ(client.ask({"EVAL", script, "0"}).substr(0, 47), ByteView(kReading).substr(0, 47));
  EXPECT_EQ(client.ask({"EXISTS", "k"}), ":1\r\n");
  EXPECT_EQ(other.ask({"PING"}), "+PONG\r\n");
}

// Those of its client, and of another whose bytes came in the same turn.
TEST_F(MigrateTest, CommandsBehindAScriptThatWaitsKeepTheirOrder) {
  const std::string script =
      "return redis.call('migrate', '" + host() + "', '7000', 'k', '0', '3000')";
  client.send(resp_command({"EVAL", script, "0"}) + resp_command({"EXISTS", "k"}) +
              resp_command({"INCR", "n"}));
  other.send(resp_command({"INCR", "m"}) + resp_command({"INCR", "m"}));
  world.run_for(200'000);
  EXPECT_EQ(client.take(), "+OK\r\n:0\r\n:1\r\n");
  EXPECT_EQ(other.take(), ":1\r\n:2\r\n");
  client.ask({"SET", "k", "v"});
  target.answer = [this](ByteView) {
    client.send(resp_command({"INCR", "n"}));
    other.shutdown_write();
    return "+OK\r\n";
  };
  other.send(resp_command({"INCR", "m"}));
  client.send(resp_command({"EVAL", script, "0"}) + resp_command({"INCR", "n"}));
  other.send(resp_command({"INCR", "m"}));
  world.run_for(200'000);
  EXPECT_EQ(client.take(), "+OK\r\n:2\r\n:3\r\n");
  EXPECT_EQ(other.take(), ":3\r\n:4\r\n");
}

TEST_F(MigrateTest, AScriptIsLeftByItsClient) {
  const std::string script = "redis.call('migrate', '" + host() +
                             "', '7000', 'k', '0', '3000')\nreturn redis.call('incr', 'n')";
  target.answer = [this](ByteView) {
    client.reset();
    return "+OK\r\n";
  };
  client.send(resp_command({"EVAL", script, "0"}));
  world.run_for(200'000);
  EXPECT_EQ(other.ask({"EXISTS", "k", "n"}), ":1\r\n");
  EXPECT_EQ(server->clients(), 1U);
}

TEST_F(MigrateTest, TheServerEndsMeanwhile) {
  target.answer = [](ByteView) { return ""; };
  client.send("MIGRATE " + host() + " 7000 k 0 100000\r\n");
  world.run_for(1'000'000);
  server.reset();
  world.run_for(1'000'000);
  EXPECT_TRUE(client.has_ended());
  target.stop_listening();
  server = std::make_unique<SimServer>(machine);
  SimClient again(world);
  again.ask({"SET", "k", "v"});
  again.send("MIGRATE " + host() + " 7000 k 0 100000\r\n");
  server.reset();  // while it is dialed
}

// Also where nobody has waited for the end.
TEST_F(MigrateTest, TheLogHasTheRemovals) {
  const auto start = [&] {
    server = std::make_unique<SimServer>(machine, [](Options& options) {
      options.aof.appendonly = true;
      options.aof.appendfsync = AppendFsync::kAlways;
    });
  };
  server.reset();
  start();
  {
    SimClient writer(world);
    writer.ask({"MSET", "a", "1", "b", "2", "c", "3", "d", "4"});
    EXPECT_EQ(writer.ask({"MIGRATE", host(), "7000", "a", "0", "1000"}), "+OK\r\n");
    writer.ask({"MULTI"});
    writer.ask({"MIGRATE", host(), "7000", "b", "0", "1000"});
    writer.ask({"SET", "e", "5"});
    EXPECT_EQ(writer.ask({"EXEC"}), "*2\r\n+OK\r\n+OK\r\n");
    target.answer = [&](ByteView) {
      writer.reset();
      return "+OK\r\n";
    };
    writer.send("MIGRATE " + host() + " 7000 c 0 1000\r\n");
    world.run_for(100'000);
  }
  machine.crash(CrashKeeps::kNothing);
  server.reset();
  machine.restart();
  start();
  SimClient reader(world);
  for (const ByteView key : {"a", "b", "c"}) EXPECT_EQ(reader.ask({"EXISTS", key}), ":0\r\n");
  EXPECT_EQ(reader.ask({"EXISTS", "d", "e"}), ":2\r\n");
}

TEST_F(MigrateTest, WhoWaitsForAKeyIsToldThatItIsGone) {
  client.ask({"XADD", "x", "1-1", "f", "v"});
  client.ask({"XGROUP", "CREATE", "x", "g", "$"});
  other.send(resp_command({"XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "x", ">"}));
  world.run_for(10'000);
  EXPECT_EQ(migrate("x"), "+OK\r\n");
  world.run_for(10'000);
  EXPECT_EQ(other.take(), "-UNBLOCKED the stream key no longer exists\r\n");
}

}  // namespace
}  // namespace ouro
