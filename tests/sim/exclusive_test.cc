// SPDX-License-Identifier: BSD-3-Clause
// Exclusive waits (DEBUG SLEEP): nobody's command runs meanwhile, and a transaction stays whole.
#include <gtest/gtest.h>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

class ExclusiveTest : public testing::Test {
 protected:
  SimWorld world{run_seed()};
  SimMachine& machine = world.add_machine();
  SimServer server{
      machine, [](Options& options) { options.engine.enable_debug_command = Allowed::kEverybody; }};
  SimClient client{world};
  SimClient other{world};
};

TEST_F(ExclusiveTest, NobodyRunsMeanwhile) {
  client.send(resp_command({"DEBUG", "SLEEP", "2"}));
  world.run_for(1'000'000);
  other.send(resp_command({"PING"}));
  world.run_for(900'000);
  EXPECT_EQ(other.received(), "");
  world.run_for(200'000);
  EXPECT_EQ(client.take(), "+OK\r\n");
  EXPECT_EQ(other.take(), "+PONG\r\n");
}

TEST_F(ExclusiveTest, PausesATransactionBetweenTwoCommands) {
  client.ask({"MULTI"});
  client.ask({"INCR", "n"});
  client.ask({"DEBUG", "SLEEP", "1"});
  client.ask({"INCR", "n"});
  client.ask({"DEBUG", "SLEEP", "1"});
  client.ask({"INCR", "n"});
  client.send(resp_command({"EXEC"}));
  world.run_for(500'000);
  other.send(resp_command({"GET", "n"}));
  world.run_for(1'000'000);
  EXPECT_EQ(other.received(), "");
  world.run_for(1'000'000);
  EXPECT_EQ(client.take(), "*5\r\n:1\r\n+OK\r\n:2\r\n+OK\r\n:3\r\n");
  EXPECT_EQ(other.take(), "$1\r\n3\r\n");
  EXPECT_EQ(client.ask({"GET", "n"}), "$1\r\n3\r\n");
}

// A transaction is whole even if its client goes in the middle.
TEST_F(ExclusiveTest, ATransactionWhoseClientGoesRunsToItsEnd) {
  client.ask({"MULTI"});
  client.ask({"INCR", "n"});
  client.ask({"DEBUG", "SLEEP", "1000"});
  client.ask({"INCR", "n"});
  client.send(resp_command({"EXEC"}));
  world.run_for(500'000);
  other.send(resp_command({"GET", "n"}));
  world.run_for(500'000);
  EXPECT_EQ(other.received(), "");
  client.reset();
  world.run_for(500'000);
  EXPECT_EQ(other.take(), "$1\r\n2\r\n");
  EXPECT_EQ(server.clients(), 1U);
}

// No key dies in the middle of a transaction, nor while clients are paused.
TEST_F(ExclusiveTest, NothingExpiresMeanwhile) {
  other.ask({"SET", "short", "v", "PX", "300"});
  client.send(resp_command({"DEBUG", "SLEEP", "1"}));
  world.run_for(900'000);
  EXPECT_EQ(server.engine().stats.expired_keys, 0U);
  world.run_for(300'000);
  EXPECT_EQ(server.engine().stats.expired_keys, 1U);
}

// A paused write is held back before it is queued; one that was queued before holds EXEC back.
TEST_F(ExclusiveTest, APauseOfWritesHoldsTransactionsBack) {
  client.ask({"MULTI"});
  other.ask({"CLIENT", "PAUSE", "1000", "WRITE"});
  EXPECT_EQ(client.ask({"GET", "n"}), "+QUEUED\r\n");
  client.send(resp_command({"INCR", "n"}));
  world.run_for(800'000);
  EXPECT_EQ(client.received(), "");
  world.run_for(300'000);
  EXPECT_EQ(client.take(), "+QUEUED\r\n");
  other.ask({"CLIENT", "PAUSE", "1000", "WRITE"});
  client.send(resp_command({"EXEC"}));
  world.run_for(800'000);
  EXPECT_EQ(client.received(), "");
  world.run_for(300'000);
  EXPECT_EQ(client.take(), "*2\r\n$-1\r\n:1\r\n");
}

// MONITOR makes a replica of a kind: it has no access to keys, and no pause holds it back.
TEST_F(ExclusiveTest, AMonitorTouchesNoKeysAndIsNotPaused) {
  other.ask({"MONITOR"});
  const ByteView refusal = "-ERR Replica can't interact with the keyspace\r\n";
  EXPECT_EQ(other.ask({"GET", "n"}), refusal);
  EXPECT_EQ(other.ask({"INCR", "n"}), refusal);
  EXPECT_EQ(other.ask({"PUBLISH", "c", "m"}), refusal);
  client.ask({"CLIENT", "PAUSE", "1000"});
  other.send(resp_command({"PING"}));
  world.run_for(100'000);
  EXPECT_TRUE(other.take().starts_with("+PONG\r\n"));
  client.ask({"CLIENT", "UNPAUSE"});
  EXPECT_EQ(other.ask({"RESET"}), "+RESET\r\n");
  client.ask({"CLIENT", "PAUSE", "1000"});
  other.send(resp_command({"GET", "n"}));
  world.run_for(900'000);
  EXPECT_EQ(other.received(), "");
  world.run_for(200'000);
  EXPECT_EQ(other.take(), "$-1\r\n");
}

TEST_F(ExclusiveTest, PausedClientsSeeDueKeysAsGoneButNoneIsRemoved) {
  other.ask({"SET", "short", "v", "PX", "100"});
  EXPECT_EQ(client.ask({"CLIENT", "PAUSE", "60000", "WRITE"}), "+OK\r\n");
  world.run_for(500'000);
  EXPECT_EQ(other.ask({"GET", "short"}), "$-1\r\n");
  EXPECT_EQ(other.ask({"RANDOMKEY"}), "$5\r\nshort\r\n");
  EXPECT_EQ(server.engine().stats.expired_keys, 0U);
  EXPECT_EQ(client.ask({"CLIENT", "UNPAUSE"}), "+OK\r\n");
  world.run_for(100'000);
  EXPECT_EQ(server.engine().stats.expired_keys, 1U);
}

}  // namespace
}  // namespace ouro
