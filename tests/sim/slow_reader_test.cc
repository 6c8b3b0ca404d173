// SPDX-License-Identifier: BSD-3-Clause
// Clients that ask for more than they read: what waits for them is bounded, others are served, and
// nothing is lost or kept in the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "many.h"
#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

// A list whose LRANGE is about 100 KB of copied bytes, and its reply.
std::string fill_list(SimClient& client) {
  for (int i = 0; i < 1000; ++i) {
    client.ask({"RPUSH", "list", std::string(90, static_cast<char>('a' + i % 26))});
  }
  return client.ask({"LRANGE", "list", "0", "-1"});
}

// What a server holds when nobody but `control` is there and everything is quiet.
size_t resting_bytes(SimWorld& world, SimServer& server) {
  world.run_for(5'000'000);
  return server.used_bytes();
}

TEST(SlowReader, IsClosedAtTheHardLimitAndItsMemoryReturns) {
  SimWorld world(run_seed());
  SimServer server(world.add_machine(),
                   [](Options& options) { options.engine.output_normal = {.hard_bytes = 4_MiB}; });
  SimClient control(world);
  const std::string reply = fill_list(control);
  EXPECT_GT(reply.size(), 90'000U);
  size_t before = 0;
  for (int round = 0; round < 3; ++round) {
    SimClient slow(world);
    slow.pause_reading();
    slow.send(many(5000, "LRANGE list 0 -1\r\n"));
    int served = 0;
    size_t held_max = 0;
    const bool closed = world.run_until(
        [&] {
          held_max = std::max(held_max, server.used_bytes());
          if (world.prng().below(4) == 0 && control.ask({"PING"}) == "+PONG\r\n") ++served;
          return server.engine().stats.client_output_limit_closed ==
                 static_cast<uint64_t>(round) + 1;
        },
        60'000);
    EXPECT_TRUE(closed);
    EXPECT_EQ(control.ask({"PING"}), "+PONG\r\n");
    EXPECT_LT(held_max, 12_MiB);
    EXPECT_TRUE(world.run_until([&] { return server.clients() == 1; }, 10'000));
    // What it had received before is what it may still read; the rest is cut off.
    slow.resume_reading();
    world.run_for(1'000'000);
    EXPECT_TRUE(slow.has_ended());
    const size_t resting = resting_bytes(world, server);
    if (round == 0) before = resting;
    EXPECT_EQ(resting, before);
  }
  EXPECT_TRUE(server.log().has("output buffer limits"));
}

// An answer that is refused for its size closes whom it would have closed; others get the error.
TEST(OutputLimit, ClosesForAnAnswerThatIsNotBuilt) {
  SimWorld world(run_seed());
  SimServer server(world.add_machine());
  SimClient control(world);
  SimClient greedy(world);
  control.ask({"SADD", "set", "a"});
  EXPECT_EQ(greedy.ask({"SRANDMEMBER", "set", "-9000000"}).substr(0, 4), "-ERR");
  control.ask({"CONFIG", "SET", "client-output-buffer-limit", "normal 60000000 0 0"});
  EXPECT_EQ(greedy.ask({"SRANDMEMBER", "set", "-9000000"}).substr(0, 4), "-ERR");
  greedy.send(resp_command({"SRANDMEMBER", "set", "-10000000"}));
  world.run_for(1'000'000);
  EXPECT_TRUE(greedy.has_ended());
  EXPECT_EQ(server.engine().stats.client_output_limit_closed, 1U);
  EXPECT_EQ(control.ask({"PING"}), "+PONG\r\n");
}

// One command's answer alone may be larger than all memory: what is above the limit is not kept.
TEST(OutputLimit, BoundsWhatOneCommandBuilds) {
  SimWorld world(run_seed());
  SimServer server(world.add_machine(),
                   [](Options& options) { options.engine.output_normal = {.hard_bytes = 1_MiB}; });
  SimClient control(world);
  control.ask({"SET", "copied", std::string(15'000, 'c')});
  control.ask({"SET", "pinned", std::string(100'000, 'p')});
  control.ask({"RPUSH", "list", std::string(1000, 'a'), std::string(1000, 'b')});
  const size_t resting = resting_bytes(world, server);
  const std::vector<std::string> asked = {
      resp_command({"EVAL",
                    "local t = {} for i = 1, 20000 do t[i] = {string.rep('x', 1000)} end return t",
                    "0"}),
      "*20001\r\n$4\r\nMGET\r\n" + many(20'000, "$6\r\ncopied\r\n"),
      "*20001\r\n$4\r\nMGET\r\n" + many(20'000, "$6\r\npinned\r\n"),
      "MULTI\r\n" + many(2000, "GET copied\r\n") +
          "CONFIG SET client-output-buffer-limit \"normal 0 0 0\"\r\nEXEC\r\n",
  };
  for (const std::string& command : asked) {
    SimClient greedy(world);
    greedy.send(command);
    server.engine().heap.reset_peak();
    EXPECT_TRUE(world.run_until([&] { return greedy.has_ended(); }, 60'000))
        << command.substr(0, 60);
    EXPECT_LT(server.engine().heap.peak_bytes(), resting + 8_MiB) << command.substr(0, 60);
  }
  EXPECT_EQ(control.ask({"PING"}), "+PONG\r\n");
}

TEST(SlowReader, IsClosedWhenTheSoftLimitLasts) {
  SimWorld world(run_seed());
  SimServer server(world.add_machine(), [](Options& options) {
    options.engine.output_normal = {.soft_bytes = 2_MiB, .soft_seconds = 10};
  });
  SimClient control(world);
  fill_list(control);
  SimClient slow(world);
  slow.pause_reading();
  slow.send(many(50, "LRANGE list 0 -1\r\n"));
  world.run_for(9'000'000);
  EXPECT_EQ(server.clients(), 2U);
  world.run_for(3'000'000);
  EXPECT_EQ(server.clients(), 1U);
  // One that reads in time stays.
  SimClient late(world);
  late.pause_reading();
  late.send(many(50, "LRANGE list 0 -1\r\n"));
  world.run_for(8'000'000);
  late.resume_reading();
  world.run_for(10'000'000);
  EXPECT_EQ(server.clients(), 2U);
}

// Without a limit it may send all before it reads any, as in Redis: many clients do.
TEST(SlowReader, WithoutALimitGetsEverything) {
  SimWorld world(run_seed());
  SimServer server(world.add_machine());
  SimClient control(world);
  const std::string reply = fill_list(control);
  const size_t before = resting_bytes(world, server);
  SimClient slow(world);
  slow.pause_reading();
  constexpr size_t kAsked = 3000;
  const std::string question = "LRANGE list 0 -1" + std::string(1000, ' ') + "\r\n";
  // A few at a time, as one batch is run before anybody looks at its output.
  for (size_t i = 0; i < kAsked / 100; ++i) {
    slow.send(many(100, question));
    world.run_for(10'000);
    EXPECT_EQ(control.ask({"PING"}), "+PONG\r\n");
  }
  world.run_for(1'000'000);
  EXPECT_EQ(slow.unsent(), 0U);
  EXPECT_EQ(server.clients(), 2U);
  slow.resume_reading();
  world.run_until([&] { return slow.received().size() >= kAsked * reply.size(); }, 60'000);
  EXPECT_EQ(slow.received().size(), kAsked * reply.size());
  for (size_t i = 0; i < kAsked; ++i) {
    ASSERT_EQ(slow.received().compare(i * reply.size(), reply.size(), reply), 0) << i;
  }
  slow.close();
  EXPECT_TRUE(world.run_until([&] { return server.clients() == 1; }, 10'000));
  EXPECT_EQ(resting_bytes(world, server), before);
}

TEST(SlowReader, ReadingByteByByteGetsExactBytes) {
  SimWorld world(run_seed());
  // A tiny window, so that every send of the server is short.
  world.net().set_policies({}, {.cut = StreamPolicy::Cut::kOneByte, .gap = 1, .buffer_bytes = 3});
  SimServer server(world.add_machine());
  SimClient client(world);
  client.pause_reading();
  const std::string value(5000, 'v');
  std::string expected = "+OK\r\n";
  client.send(resp_command({"SET", "k", value}));
  for (int i = 0; i < 4; ++i) {
    client.send(resp_command({"GET", "k"}) + resp_command({"ECHO", std::to_string(i)}));
    expected += "$5000\r\n" + value + "\r\n$1\r\n" + std::to_string(i) + "\r\n";
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(world.run_until([&] { return client.readable() > 0; }, 1000)) << i;
    client.read(1);
    ASSERT_EQ(client.received()[i], expected[i]) << i;
  }
  world.run_for(1'000'000);
  EXPECT_EQ(client.readable(), 0U);
}

// A value of which a slow reader still holds a part may be deleted and overwritten meanwhile.
TEST(SlowReader, GetsTheValueAsItWas) {
  SimWorld world(run_seed());
  // The logs of large requests and replies keep a line for each.
  SimServer server(world.add_machine(), [](Options& options) {
    options.engine.large_request_max_len = options.engine.large_reply_max_len = 0;
  });
  SimClient control(world);
  // The table that the first key makes stays.
  control.ask({"SET", "k", "v"});
  control.ask({"DEL", "k"});
  const size_t before = resting_bytes(world, server);
  control.ask({"SET", "k", std::string(3'000'000, 'o')});
  SimClient slow(world);
  slow.pause_reading();
  slow.send(resp_command({"GET", "k"}) + resp_command({"GET", "k"}));
  world.run_for(100'000);
  EXPECT_EQ(control.ask({"SETRANGE", "k", "10", "new"}), ":3000000\r\n");
  EXPECT_EQ(control.ask({"DEL", "k"}), ":1\r\n");
  slow.resume_reading();
  const std::string reply = "$3000000\r\n" + std::string(3'000'000, 'o') + "\r\n";
  world.run_until([&] { return slow.received().size() >= 2 * reply.size(); }, 60'000);
  EXPECT_TRUE(slow.received() == reply + reply);
  slow.close();
  EXPECT_EQ(resting_bytes(world, server), before);
}

}  // namespace
}  // namespace ouro
