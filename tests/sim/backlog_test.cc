// SPDX-License-Identifier: BSD-3-Clause
// Clients that send more than can be run at once: they wait in their own buffers, and what stays
// unread at an end holds nothing up.
#include <gtest/gtest.h>

#include <algorithm>

#include "many.h"
#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

class BacklogTest : public testing::Test {
 protected:
  SimWorld world{run_seed()};
  SimMachine& machine = world.add_machine();
  SimServer server{machine};
};

// What is not run yet stays with the sender, but for a bounded part.
TEST_F(BacklogTest, InputIsTakenAsItIsRun) {
  SimClient hog(world);
  ASSERT_EQ(hog.ask({"PING"}), "+PONG\r\n");
  const size_t before = server.used_bytes();
  size_t held_max = 0;
  hog.send(many(400'000, "INCR n\r\n"));
  const auto is_done = [&] {
    held_max = std::max(held_max, server.used_bytes());
    return server.engine().stats.commands_processed > 400'000;
  };
  EXPECT_TRUE(world.run_until(is_done, 600'000));
  EXPECT_LT(held_max, before + 2_MiB);
}

// One that waits reads on: so it notices its peer's end, and takes nothing with it.
TEST_F(BacklogTest, AWaitingClientWithMuchBehindItsWaitMayGo) {
  SimClient other(world);
  SimClient waiting(world);
  waiting.send("BLPOP queue 0\r\n" + many(300'000, "SET k v\r\n"));
  world.run_for(5'000'000);
  EXPECT_EQ(server.clients(), 2U);
  waiting.reset();
  world.run_for(5'000'000);
  EXPECT_EQ(server.clients(), 1U);
  EXPECT_EQ(other.ask({"RPUSH", "queue", "precious"}), ":1\r\n");
  EXPECT_EQ(other.ask({"LLEN", "queue"}), ":1\r\n");
}

// What came behind a QUIT is never run, and keeps no connection.
TEST_F(BacklogTest, NothingIsLeftBehindAQuit) {
  for (const size_t before : {0U, 1U, 400U, 511U, 512U, 600U, 1100U}) {
    SimClient client(world);
    client.send(many(before, "PING\r\n") + "QUIT\r\n" + many(1000, "PING\r\n"));
    world.run_for(1'000'000);
    EXPECT_EQ(client.take(), many(before, "+PONG\r\n") + "+OK\r\n");
    EXPECT_TRUE(client.has_ended());
    EXPECT_EQ(server.clients(), 0U) << before;
  }
}

// Broken bytes behind a wait are answered when their turn has come.
TEST_F(BacklogTest, BrokenInputWaitsForWhatIsBeforeIt) {
  SimClient client(world);
  client.send("BLPOP none 0.3\r\nSET k v\r\n*1\r\n!broken\r\n");
  world.run_for(100'000);
  EXPECT_EQ(client.received(), "");
  world.run_for(1'000'000);
  EXPECT_EQ(client.take(), "*-1\r\n+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n");
  EXPECT_TRUE(client.has_ended());
}

TEST(Backlog, AQuitBeforeAuthenticationLeavesNothing) {
  SimWorld world(run_seed());
  SimServer server(world.add_machine(),
                   [](Options& options) { options.engine.requirepass = "secret"; });
  SimClient client(world);
  client.send("QUIT\r\n");
  world.run_for(1'000'000);
  EXPECT_EQ(client.take(), "+OK\r\n");
  EXPECT_EQ(server.clients(), 0U);
}

}  // namespace
}  // namespace ouro
