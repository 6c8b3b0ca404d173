// SPDX-License-Identifier: BSD-3-Clause
// What follows in the program from CONFIG SET and SHUTDOWN.
#include <gtest/gtest.h>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

class ConfigSimTest : public testing::Test {
 protected:
  bool is_open(uint16_t port) {
    SimClient probe(world, 0, port);
    return probe.ask({"PING"}) == "+PONG\r\n";
  }

  SimWorld world{run_seed()};
  SimMachine& machine = world.add_machine();
  SimServer server{machine, [](Options& options) {
                     options.engine.enable_protected_configs = Allowed::kEverybody;
                   }};
  SimClient client{world};
};

TEST_F(ConfigSimTest, APortThatIsLeftCanBeTakenAgainAtOnce) {
  client.send(resp_command({"CONFIG", "SET", "port", "7000"}) +
              resp_command({"CONFIG", "SET", "port", "6379"}) +
              resp_command({"CONFIG", "SET", "port", "7000"}));
  world.run_for(100'000);
  EXPECT_EQ(client.take(), "+OK\r\n+OK\r\n+OK\r\n");
  EXPECT_TRUE(is_open(7000));
  EXPECT_FALSE(is_open(6379));
}

// All or nothing: the sockets, too.
TEST_F(ConfigSimTest, ARefusedChangeLeavesThePortOpen) {
  EXPECT_TRUE(client.ask({"CONFIG", "SET", "port", "7000", "dir", "/none/such"})
                  .starts_with("-ERR CONFIG SET failed (possibly related to argument 'dir')"));
  EXPECT_EQ(client.ask({"CONFIG", "GET", "port"}), "*2\r\n$4\r\nport\r\n$4\r\n6379\r\n");
  EXPECT_TRUE(is_open(6379));
  EXPECT_FALSE(is_open(7000));
}

// Whoever waits for a server's PID in its log finds that server at the port, and no other.
TEST_F(ConfigSimTest, TheLogTellsThePidOnceThePortIsItsOwn) {
  EXPECT_TRUE(server.log().has("; PID: "));
  SimLog log;
  SimStopwatch stopwatch;
  Allocator allocator;
  Options options;
  Config config = make_config(options);
  Server second({.loop = machine.loop(),
                 .stopwatch = stopwatch,
                 .allocator = allocator,
                 .log = log,
                 .options = options,
                 .config = config,
                 .seed = 1,
                 .run_id = std::string(40, '1'),
                 .io_reason = "simulated",
                 .handle_signals = false});
  EXPECT_FALSE(second.start());
  EXPECT_TRUE(log.has("Failed listening on port 6379 of "));
  EXPECT_FALSE(log.has("PID: "));
}

TEST_F(ConfigSimTest, ARenamedCommandIsKnownByItsNewNameAlone) {
  SimMachine& other = world.add_machine();
  SimServer renamed(other, [](Options& options) {
    options.engine.renamed_commands = "flushdb badger\nFLUSHALL \"\"\n";
  });
  SimClient caller(world, 1);
  EXPECT_TRUE(caller.ask({"FLUSHDB"}).starts_with("-ERR unknown command 'FLUSHDB'"));
  EXPECT_TRUE(caller.ask({"flushall"}).starts_with("-ERR unknown command 'flushall'"));
  EXPECT_EQ(caller.ask({"BADGER"}), "+OK\r\n");
}

TEST_F(ConfigSimTest, MoreClientsThanDescriptorsAreRefused) {
  const std::string refused = client.ask({"CONFIG", "SET", "maxclients", "4294967295"});
  EXPECT_TRUE(
      refused.starts_with("-ERR CONFIG SET failed (possibly related to argument "
                          "'maxclients') - The operating system is not able to handle the "
                          "specified number of clients, try with "))
      << refused;
  EXPECT_EQ(client.ask({"CONFIG", "GET", "maxclients"}),
            "*2\r\n$10\r\nmaxclients\r\n$5\r\n10000\r\n");
}

}  // namespace
}  // namespace ouro
