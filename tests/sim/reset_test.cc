// SPDX-License-Identifier: BSD-3-Clause
// Connections that break at each byte, of commands and of replies: the server lives, forgets the
// client, gives its memory back, and has stored nothing that came by half.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

enum class End { kReset, kClose, kHalfClose };

// A server, and what it holds when it is empty and nobody is there.
class ResetTest : public testing::Test {
 protected:
  ResetTest() {
    // The first client leaves behind what is kept for the next.
    SimClient client(world);
    client.ask({"SET", "k", "v"});
    client.ask({"FLUSHALL"});
    client.close();
    world.run_for(2'000'000);
    EXPECT_EQ(server.clients(), 0U);
    resting = server.used_bytes();
  }
  // A client that sends the first `sent` bytes, reads `read` and is gone.
  void visit(size_t sent, size_t read, End end) {
    SimClient client(world);
    client.pause_reading();
    client.send(ByteView(stream).substr(0, sent));
    if (read > 0) {
      world.run_until([&] { return client.readable() >= read; }, 10);
      if (client.is_connected()) client.read(read);
    } else {
      world.run_for(static_cast<Micros>(world.prng().below(300)));
    }
    if (!client.is_connected()) return;
    if (end == End::kReset) client.reset();
    if (end == End::kHalfClose) {
      client.shutdown_write();
      client.resume_reading();
      world.run_for(2000);
    }
    client.close();
  }
  // Whole bulks of large commands only are stored; then all is given back.
  void expect_rest(const std::string& context) {
    ASSERT_TRUE(world.run_until([&] { return server.clients() == 0; }, 1000)) << context;
    Keyspace& db = server.engine().dbs[0];
    for (const ByteView name : {"whole", "part"}) {
      const Entry* entry = db.find(db.key(name));
      if (entry == nullptr) continue;
      ++stored;
      ASSERT_EQ(ask({"STRLEN", name}), name == "whole" ? ":5\r\n" : ":70000\r\n") << context;
    }
    server.check_invariants();
    ASSERT_EQ(ask({"FLUSHALL"}), "+OK\r\n");
    world.run_for(2'000'000);
    ASSERT_EQ(server.clients(), 0U);
    ASSERT_EQ(server.used_bytes(), resting) << context;
  }
  std::string ask(std::initializer_list<ByteView> words) {
    SimClient client(world);
    return client.ask(words);
  }

  SimWorld world{run_seed()};
  SimServer server{world.add_machine()};
  size_t resting = 0;
  size_t stored = 0;
  const std::string stream = resp_command({"SET", "whole", "12345"}) + "PING\r\n" +
                             resp_command({"MULTI"}) + resp_command({"INCR", "n"}) +
                             resp_command({"EXEC"}) + resp_command({"SUBSCRIBE", "channel"}) +
                             resp_command({"UNSUBSCRIBE"}) + resp_command({"WATCH", "whole"}) +
                             resp_command({"SET", "part", std::string(70'000, 'p')}) +
                             resp_command({"GET", "part"}) + resp_command({"BLPOP", "none", "0"});
};

TEST_F(ResetTest, InMidCommandAtEachByte) {
  const size_t large_at = stream.find("pppp");
  const size_t large_end = stream.rfind("pppp") + 4;
  for (size_t at = 0; at <= stream.size(); ++at) {
    // Inside of the large bulk a sample.
    if (at > large_at + 10 && at < large_end - 10 && at % 2503 != 0) continue;
    const End end = static_cast<End>(at % 3);
    visit(at, 0, end);
    expect_rest("at " + std::to_string(at) + " end " + std::to_string(at % 3));
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(stored, 100U);
}

TEST_F(ResetTest, InMidReplyAtEachByte) {
  const size_t replies = 70'250;
  for (size_t read = 1; read < replies; read += read < 300 || read > 70'000 ? 1 : 1009) {
    visit(stream.size(), read, static_cast<End>(read % 3));
    expect_rest("after " + std::to_string(read));
    if (HasFatalFailure()) return;
  }
}

// Many at once, which break while the server works for all of them.
TEST_F(ResetTest, OfAHundredClientsAtOnce) {
  for (int round = 0; round < 20; ++round) {
    {
      std::vector<std::unique_ptr<SimClient>> clients;
      for (int i = 0; i < 100; ++i) {
        SimClient& client = *clients.emplace_back(std::make_unique<SimClient>(world));
        if (i % 3 == 0) client.pause_reading();
        client.send(ByteView(stream).substr(0, world.prng().below(stream.size() + 1)));
      }
      while (!clients.empty()) {
        world.run_for(static_cast<Micros>(world.prng().below(50)));
        const size_t index = world.prng().below(clients.size());
        if (world.prng().below(2) == 0) clients[index]->reset();
        clients.erase(clients.begin() + static_cast<ptrdiff_t>(index));
      }
    }
    expect_rest("round " + std::to_string(round));
    if (HasFatalFailure()) return;
  }
}

// A client whose network is gone does not end; what it was sent waits, bounded, and arrives later.
TEST_F(ResetTest, APartitionDelaysAndLosesNothing) {
  SimClient client(world);
  EXPECT_EQ(client.ask({"SET", "k", "v"}), "+OK\r\n");
  world.net().cut(0, SimNet::kOutside);
  client.send(resp_command({"APPEND", "k", "w"}) + resp_command({"GET", "k"}));
  world.run_for(30'000'000);
  EXPECT_EQ(client.received(), "");
  world.net().heal(0, SimNet::kOutside);
  world.run_for(1000);
  EXPECT_EQ(client.take(), ":2\r\n$2\r\nvw\r\n");
  world.net().cut(SimNet::kOutside, 0);
  client.send(resp_command({"GET", "k"}));
  world.run_for(30'000'000);
  EXPECT_EQ(client.received(), "");
  world.net().heal(SimNet::kOutside, 0);
  world.run_for(1000);
  EXPECT_EQ(client.take(), "$2\r\nvw\r\n");
}

// Who sends many commands and then says that no more come is answered to the end, however many
// batches that takes, and though others send as much.
TEST(HalfClose, EverythingThatWasSentIsDone) {
  SimWorld world(run_seed());
  SimMachine& machine = world.add_machine();
  SimServer server(machine);
  std::string commands;
  for (int i = 0; i < 3000; ++i) commands += resp_command({"INCR", "n"});
  std::vector<std::unique_ptr<SimClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<SimClient>(world));
    if (i == 0) clients.back()->send(resp_command({"CLIENT", "REPLY", "OFF"}));
    clients.back()->send(commands);
  }
  EXPECT_TRUE(world.run_until(
      [&] {
        size_t unsent = 0;
        for (const auto& client : clients) unsent += client->is_connected() ? client->unsent() : 1;
        return unsent == 0;
      },
      60'000));
  for (const auto& client : clients) client->shutdown_write();
  EXPECT_TRUE(world.run_until([&] { return server.clients() == 0; }, 60'000));
  SimClient last(world);
  EXPECT_EQ(last.ask({"GET", "n"}), "$5\r\n15000\r\n");
}

// The same for what came while nobody's command could run.
TEST(HalfClose, InputDuringAnExclusiveWaitIsDone) {
  SimWorld world(run_seed());
  SimMachine& machine = world.add_machine();
  SimServer server(
      machine, [](Options& options) { options.engine.enable_debug_command = Allowed::kEverybody; });
  SimClient sleeper(world);
  sleeper.send(resp_command({"DEBUG", "SLEEP", "1"}) + resp_command({"PING"}));
  SimClient other(world);
  world.run_for(200'000);
  other.send(resp_command({"SET", "a", "1"}) + resp_command({"GET", "a"}));
  world.run_for(200'000);
  other.shutdown_write();
  sleeper.shutdown_write();
  world.run_for(1'500'000);
  EXPECT_EQ(sleeper.received(), "+OK\r\n+PONG\r\n");
  EXPECT_EQ(other.received(), "+OK\r\n$1\r\n1\r\n");
  EXPECT_EQ(server.clients(), 0U);
}

}  // namespace
}  // namespace ouro
