// SPDX-License-Identifier: BSD-3-Clause
// Many members of a set and a sorted set that are due together, in a whole server: all who ask for
// them, scripts too, wait until they are gone (server/engine/gates.h).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

class DueMembersTest : public testing::Test {
 protected:
  static constexpr int kMembers = 20'000;

  // s and z of so many members that have come due, and x.
  void SetUp() override {
    std::string commands = resp_command({"SADD", "s", "x"}) + resp_command({"ZADD", "z", "0", "x"});
    size_t replies = 2;
    for (int i = 0; i < kMembers; ++i) {
      const std::string member = "m" + std::to_string(i);
      commands += resp_command({"SADD", "s", member}) +
                  resp_command({"ZADD", "z", std::to_string(i), member}) +
                  resp_command({"EXPIREMEMBER", "s", member, "600"}) +
                  resp_command({"EXPIREMEMBER", "z", member, "600"});
      replies += 4;
    }
    client.send(commands);
    const std::string one = ":1\r\n";
    world.run_until([&] { return client.received().size() >= replies * one.size(); }, 9'000'000);
    ASSERT_EQ(client.take().size(), replies * one.size());
    ASSERT_EQ(server.engine().stats.expired_elements, 0U);
    server.engine().active_expire = false;
    machine.step_wall_clock(3'600'000);
  }

  SimWorld world{run_seed()};
  SimMachine& machine = world.add_machine();
  SimServer server{machine};
  SimClient client{world};
  SimClient other{world};
};

TEST_F(DueMembersTest, WhoWaitsIsAnsweredAndTheServerRests) {
  client.send(resp_command({"ZCARD", "z"}) + resp_command({"PING"}));
  EXPECT_EQ(other.ask({"SCARD", "s"}), ":1\r\n");
  EXPECT_TRUE(world.run_until([&] { return client.received().size() > 4; }, 1'000'000));
  EXPECT_EQ(client.take(), ":1\r\n+PONG\r\n");
  EXPECT_EQ(server.engine().stats.expired_elements, 2U * kMembers);
  EXPECT_FALSE(server.engine().batch.has_more());
  server.check_invariants();
}

TEST_F(DueMembersTest, AScriptWaitsForTheKeysItNames) {
  const ByteView script = "return {redis.call('ZCARD', KEYS[1]), redis.call('SCARD', KEYS[2])}";
  EXPECT_EQ(client.ask({"EVAL", script, "2", "z", "s"}), "*2\r\n:1\r\n:1\r\n");
  EXPECT_EQ(server.engine().stats.expired_elements, 2U * kMembers);
}

TEST_F(DueMembersTest, AScriptSeesNoneOfKeysThatItDoesNotName) {
  EXPECT_EQ(client.ask({"EVAL", "return redis.call('ZCOUNT', 'z', '-inf', 'inf')", "0"}), ":1\r\n");
}

// DEBUG PAUSE-CRON: the server does not rest while a command waits.
TEST_F(DueMembersTest, WhoWaitsIsAnsweredInTimeThoughTheClockEndsNothing) {
  server.engine().cron_paused = true;
  client.send(resp_command({"ZCARD", "z"}));
  EXPECT_TRUE(world.run_until([&] { return client.received().size() == 4; }, 200'000));
  EXPECT_EQ(client.take(), ":1\r\n");
}

// One after the other tries again, so that none of a crowd costs every turn a look.
TEST_F(DueMembersTest, ACrowdIsAnswered) {
  std::vector<std::unique_ptr<SimClient>> crowd;
  for (int i = 0; i < 100; ++i) {
    crowd.push_back(std::make_unique<SimClient>(world));
    crowd.back()->send(resp_command({"ZRANGE", "z", "0", "-1"}) + resp_command({"PING"}));
  }
  world.run_for(5'000'000);
  for (const auto& each : crowd) EXPECT_EQ(each->take(), "*1\r\n$1\r\nx\r\n+PONG\r\n");
  EXPECT_EQ(server.engine().clients.postponed_count(), 0U);
  EXPECT_FALSE(server.engine().batch.has_more());
}

}  // namespace
}  // namespace ouro
