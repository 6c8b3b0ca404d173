// SPDX-License-Identifier: BSD-3-Clause
// Clocks: what is promised by the wall clock (expiry) follows its steps, and everything else goes
// by the monotonic clock, to the millisecond.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

class ClockTest : public testing::Test {
 protected:
  SimWorld world{run_seed()};
  SimMachine& machine = world.add_machine();
  SimServer server{machine, [](Options& options) { options.engine.timeout_seconds = 300; }};
  SimClient client{world};

  // How long it takes until the next reply is here; the network's part is 40 us.
  Micros time_of_reply() {
    const Instant start = world.now();
    EXPECT_TRUE(world.run_until([&] { return reply_size(client.received()) > 0; }, 3'600'000));
    return world.now() - start;
  }
};

// A deadline that the clock cannot count to is no reason to look at it turn after turn.
TEST_F(ClockTest, ADeadlineBeyondTheClockLetsTheServerIdle) {
  for (const ByteView deadline : {"9300000000000000", "9000000000000000000"}) {
    EXPECT_EQ(client.ask({"SET", "key", "v", "PX", deadline}), "+OK\r\n");
    const Micros before = machine.loop().thread_cpu();  // one a turn
    world.run_for(1'000'000);
    EXPECT_LT(machine.loop().thread_cpu() - before, 50) << deadline;
  }
}

TEST_F(ClockTest, AForwardStepExpiresKeys) {
  EXPECT_EQ(client.ask({"SET", "short", "v", "EX", "60"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"SET", "long", "v", "EX", "7200"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"HSET", "hash", "f", "v", "g", "v"}), ":2\r\n");
  EXPECT_EQ(client.ask({"HEXPIRE", "hash", "60", "FIELDS", "1", "f"}), "*1\r\n:1\r\n");
  EXPECT_EQ(client.ask({"SADD", "set", "m", "n"}), ":2\r\n");
  EXPECT_EQ(client.ask({"ZADD", "zset", "1", "m", "2", "n"}), ":2\r\n");
  EXPECT_EQ(client.ask({"EXPIREMEMBER", "set", "m", "60"}), ":1\r\n");
  EXPECT_EQ(client.ask({"EXPIREMEMBER", "zset", "m", "60"}), ":1\r\n");
  machine.step_wall_clock(3'600'000);
  EXPECT_EQ(client.ask({"SMEMBERS", "set"}), "*1\r\n$1\r\nn\r\n");
  EXPECT_EQ(client.ask({"ZRANGE", "zset", "0", "-1"}), "*1\r\n$1\r\nn\r\n");
  EXPECT_EQ(client.ask({"EXISTS", "short", "long"}), ":1\r\n");
  EXPECT_EQ(client.ask({"TTL", "long"}), ":3600\r\n");
  EXPECT_EQ(client.ask({"HGETALL", "hash"}), "*2\r\n$1\r\ng\r\n$1\r\nv\r\n");
  // Nobody asks for it, and it goes all the same.
  EXPECT_EQ(client.ask({"SET", "silent", "v", "EX", "60"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"EXPIREMEMBER", "set", "n", "60"}), ":1\r\n");
  EXPECT_EQ(client.ask({"EXPIREMEMBER", "zset", "n", "60"}), ":1\r\n");
  machine.step_wall_clock(3'600'000);
  world.run_for(1'000'000);
  EXPECT_EQ(server.engine().dbs[0].size(), 1U);
  server.check_invariants();
}

TEST_F(ClockTest, ABackwardStepBreaksNothing) {
  EXPECT_EQ(client.ask({"SET", "k", "v", "PX", "1500"}), "+OK\r\n");
  machine.step_wall_clock(-3'600'000);
  world.run_for(10'000'000);
  EXPECT_EQ(client.ask({"EXISTS", "k"}), ":1\r\n");
  // The deadline is a time of the wall clock, so it is as far as the clock was set back.
  EXPECT_EQ(client.ask({"TTL", "k"}), ":3592\r\n");
  EXPECT_EQ(client.ask({"SET", "other", "v", "PX", "1500"}), "+OK\r\n");
  world.run_for(1'600'000);
  EXPECT_EQ(client.ask({"EXISTS", "other"}), ":0\r\n");
  for (int i = 0; i < 50; ++i) {
    const auto hours = static_cast<Millis>(world.prng().below(48)) - 24;
    machine.step_wall_clock(hours * 3'600'000);
    world.run_for(300'000);
    EXPECT_EQ(client.ask({"SET", std::to_string(i), "v", "EX", "3600"}), "+OK\r\n");
    EXPECT_EQ(client.ask({"PING"}), "+PONG\r\n");
  }
  server.check_invariants();
  EXPECT_EQ(client.ask({"INFO", "clients"}).substr(0, 1), "$");
}

TEST_F(ClockTest, BlockingTimeoutsAreExactToTheMillisecond) {
  for (const int ms : {1, 2, 7, 99, 100, 101, 999, 1000, 1001, 2500, 60'000}) {
    char seconds[16];
    std::snprintf(seconds, sizeof(seconds), "%d.%03d", ms / 1000, ms % 1000);
    client.send(resp_command({"BLPOP", "none", seconds}));
    const Micros took = time_of_reply();
    EXPECT_EQ(client.take(), "*-1\r\n");
    EXPECT_EQ(took / 1000, ms) << took;
  }
}

TEST_F(ClockTest, BlockingTimeoutsDoNotFollowTheWallClock) {
  for (const Millis step : {3'600'000, -7'200'000}) {
    client.send(resp_command({"BLPOP", "none", "2"}));
    world.run_for(1'000'000);
    machine.step_wall_clock(step);
    const Micros rest = time_of_reply();
    EXPECT_EQ(client.take(), "*-1\r\n");
    EXPECT_EQ(rest / 1000, 1000) << step;
  }
}

TEST_F(ClockTest, PausesDoNotFollowTheWallClock) {
  for (const Millis step : {3'600'000, -7'200'000}) {
    EXPECT_EQ(client.ask({"CLIENT", "PAUSE", "2000"}), "+OK\r\n");
    client.send(resp_command({"PING"}));
    world.run_for(1'000'000);
    machine.step_wall_clock(step);
    const Micros rest = time_of_reply();
    EXPECT_EQ(client.take(), "+PONG\r\n");
    EXPECT_EQ(rest / 1000, 1000) << step;
  }
}

TEST_F(ClockTest, IdleClientsAreClosedAfterTheirTime) {
  EXPECT_EQ(client.ask({"PING"}), "+PONG\r\n");
  SimClient blocked(world);
  blocked.send(resp_command({"BLPOP", "none", "0"}));
  SimClient subscriber(world);
  subscriber.send(resp_command({"SUBSCRIBE", "channel"}));
  world.run_for(299'000'000);
  EXPECT_EQ(server.clients(), 3U);
  EXPECT_FALSE(client.has_ended());
  world.run_for(3'000'000);
  EXPECT_TRUE(client.has_ended());
  // Who waits for something is not idle.
  EXPECT_EQ(server.clients(), 2U);
}

// A large argument that stops coming is no sign of life; one that comes slowly is.
TEST_F(ClockTest, AStalledUploadIsIdle) {
  client.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n");
  for (int i = 0; i < 18; ++i) {
    client.send(std::string(i % 2 == 0 ? 100'000 : 1, 'x'));
    world.run_for(200'000'000);
    ASSERT_FALSE(client.has_ended()) << i;
  }
  world.run_for(103'000'000);
  EXPECT_TRUE(client.has_ended());
}

// It is the server that lets it wait.
TEST_F(ClockTest, APausedClientIsNotIdle) {
  SimClient other(world);
  other.ask({"CLIENT", "PAUSE", "400000", "WRITE"});
  client.send(resp_command({"SET", "k", "v"}));
  world.run_for(399'000'000);
  EXPECT_FALSE(client.has_ended());
  world.run_for(2'000'000);
  EXPECT_EQ(client.take(), "+OK\r\n");
}

TEST_F(ClockTest, IdleTimeDoesNotFollowTheWallClock) {
  EXPECT_EQ(client.ask({"PING"}), "+PONG\r\n");
  machine.step_wall_clock(86'400'000);
  world.run_for(200'000'000);
  EXPECT_FALSE(client.has_ended());
  machine.step_wall_clock(-200'000'000);
  world.run_for(98'000'000);
  EXPECT_FALSE(client.has_ended());
  world.run_for(4'000'000);
  EXPECT_TRUE(client.has_ended());
}

}  // namespace
}  // namespace ouro
