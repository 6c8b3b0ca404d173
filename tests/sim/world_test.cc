// SPDX-License-Identifier: BSD-3-Clause
// The world itself: time, streams, partitions and crashes. That SimLoop keeps the Loop's contract
// is tested where the other loops are: tests/unit/server_io and tests/unit/server_net.
#include "sim/world.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "sim/seed.h"
#include "sim/sim_loop.h"

namespace ouro {
namespace {

TEST(SimWorld, TimeJumpsFromEventToEvent) {
  SimWorld world(1);
  const Instant start = world.now();
  std::vector<Instant> seen;
  world.after(5'000'000, [&] { seen.push_back(world.now() - start); });
  world.after(2'000'000, [&] {
    seen.push_back(world.now() - start);
    world.after(1'000'000, [&] { seen.push_back(world.now() - start); });
  });
  EXPECT_FALSE(world.run_until([] { return false; }, 10'000));
  EXPECT_EQ(seen, (std::vector<Instant>{2'000'000, 3'000'000, 5'000'000}));
  EXPECT_EQ(world.now() - start, 10'000'000);
}

TEST(SimWorld, WallClocksStepAndTimersDoNotCare) {
  SimWorld world(1);
  SimMachine& machine = world.add_machine();
  SimLoop& loop = machine.loop();
  struct Ring {
    int rings = 0;
    Timer timer{this, timer_to<&Ring::ring>()};
    void ring() { ++rings; }
  } ring;
  loop.set_timer(ring.timer, loop.now() + 1'000'000);
  const UnixMs wall = loop.wall_now();
  machine.step_wall_clock(3'600'000);
  loop.run_once(500);
  EXPECT_EQ(loop.wall_now(), wall + 3'600'500);
  EXPECT_EQ(ring.rings, 0);
  machine.step_wall_clock(-7'200'000);
  loop.run_once(1000);
  EXPECT_EQ(ring.rings, 1);
  EXPECT_EQ(loop.wall_now(), wall - 3'600'000 + 1000);
}

// What a reader gets of one write, run by run.
std::vector<std::string> runs_of(const StreamPolicy& policy, ByteView first, ByteView second) {
  SimWorld world(3);
  world.add_machine();
  auto [near, far] = world.net().pair(0);
  near.set_policy(policy);
  std::vector<std::string> runs;
  far.set_on_change([&runs, &reader = far] { runs.push_back(reader.read()); });
  EXPECT_EQ(near.send(first), static_cast<int32_t>(first.size()));
  EXPECT_EQ(near.send(second), static_cast<int32_t>(second.size()));
  world.run_for(1'000'000);
  far.set_on_change({});
  return runs;
}

TEST(SimNet, CutsStreamsAsItsPolicySays) {
  using Runs = std::vector<std::string>;
  EXPECT_EQ(runs_of({.cut = StreamPolicy::Cut::kWhole}, "abc", "de"), (Runs{"abcde"}));
  EXPECT_EQ(runs_of({.cut = StreamPolicy::Cut::kOneByte}, "abc", "de"),
            (Runs{"a", "b", "c", "d", "e"}));
  for (uint64_t at = 1; at < 5; ++at) {
    const std::string all = "abcde";
    EXPECT_EQ(runs_of({.cut = StreamPolicy::Cut::kAt, .at = at}, "abc", "de"),
              (Runs{all.substr(0, at), all.substr(at)}))
        << at;
  }
  const Runs random = runs_of({.cut = StreamPolicy::Cut::kRandom, .run_max = 3, .delay_max = 500},
                              "abcdefghijkl", "mnopqrstuvwxyz");
  std::string joined;
  for (const std::string& run : random) joined += run;
  EXPECT_EQ(joined, "abcdefghijklmnopqrstuvwxyz");
  EXPECT_GT(random.size(), 5U);
}

TEST(SimNet, ASlowReaderMakesSendsShort) {
  SimWorld world(3);
  auto [near, far] = world.net().pair(0);
  near.set_policy({.buffer_bytes = 10});
  EXPECT_EQ(near.send("0123456"), 7);
  EXPECT_EQ(near.send("789abc"), 3);
  EXPECT_EQ(near.send("abc"), 0);
  int changes = 0;
  near.set_on_change([&] { ++changes; });
  world.run_for(1000);
  EXPECT_EQ(near.room(), 0U);
  EXPECT_EQ(far.read(4), "0123");
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(near.send("abcdef"), 4);
  world.run_for(1000);
  EXPECT_EQ(far.read(), "456789abcd");
  near.set_on_change({});
}

TEST(SimNet, EndsAndResetsComeInOrder) {
  SimWorld world(3);
  auto [near, far] = world.net().pair(0);
  EXPECT_EQ(near.send("last words"), 10);
  near.shutdown_write();
  EXPECT_EQ(near.send("x"), -EPIPE);
  EXPECT_FALSE(far.at_end());
  world.run_for(1000);
  EXPECT_FALSE(far.at_end());
  EXPECT_EQ(far.read(), "last words");
  EXPECT_TRUE(far.at_end());
  // The other direction goes on.
  EXPECT_EQ(far.send("answer"), 6);
  far.reset();
  world.run_for(1000);
  EXPECT_EQ(near.error(), 0);
  EXPECT_EQ(near.read(), "answer");
  EXPECT_EQ(near.take_error(), ECONNRESET);
  EXPECT_EQ(near.take_error(), 0);
  EXPECT_TRUE(near.at_end());
}

TEST(SimNet, BytesToWhoHasClosedComeBackAsAReset) {
  SimWorld world(3);
  SimMachine& machine = world.add_machine();
  const ListenOutcome listening = machine.loop().listen(*Address::from_ip("*", 7000), {});
  SimSocket client;
  world.net().connect(SimNet::kOutside, 0, SimNet::address_of(0, 7000),
                      [&](int, SimSocket socket) { client = std::move(socket); });
  world.run_for(1000);
  ASSERT_TRUE(client);
  struct Accepted {
    int fd = -1;
    Op op{this, op_to<&Accepted::on_accepted>()};
    void on_accepted(const Outcome& outcome) {
      if (outcome.result >= 0) fd = outcome.result;
    }
  } accepted;
  machine.loop().accept(accepted.op, listening.fd);
  machine.loop().run_once(0);
  ASSERT_GE(accepted.fd, 0);
  machine.loop().close_now(accepted.fd);
  EXPECT_EQ(client.send("too late"), 8);
  world.run_for(1000);
  EXPECT_EQ(client.error(), ECONNRESET);
  machine.loop().cancel(accepted.op);
  while (accepted.op.busy()) machine.loop().run_once(1);
}

TEST(SimNet, APartitionHoldsOneWayUntilItHeals) {
  SimWorld world(3);
  world.add_machine();
  auto [near, far] = world.net().pair(0);  // the machine's, and the outside's
  world.net().cut(SimNet::kOutside, 0);
  EXPECT_EQ(far.send("held"), 4);
  EXPECT_EQ(near.send("free"), 4);
  world.run_for(1'000'000);
  EXPECT_EQ(far.read(), "free");
  EXPECT_EQ(near.readable(), 0U);
  world.net().heal(SimNet::kOutside, 0);
  EXPECT_EQ(near.read(), "held");
}

// Two machines that exchange bytes at random: the same seed is the same run, another is not.
uint64_t hash_of_run(uint64_t seed) {
  SimWorld world(seed);
  SimMachine& a = world.add_machine();
  SimMachine& b = world.add_machine();
  struct Echo {
    SimLoop& loop;
    SocketFd fd;
    std::string out;
    Op receiving{this, op_to<&Echo::on_received>()};
    Op sending{this, op_to<&Echo::on_sent>()};
    size_t got = 0;
    Echo(SimLoop& loop_in, SimSocket socket) : loop(loop_in), fd(loop.adopt(std::move(socket))) {}
    void on_received(const Outcome& outcome) {
      got += outcome.bytes.size();
      if (got < 200'000) out += outcome.bytes;
    }
    void on_sent(const Outcome& outcome) {
      if (outcome.result > 0) out.erase(0, static_cast<size_t>(outcome.result));
    }
    void turn() {
      loop.run_once(100);
      if (out.empty() || sending.busy()) return;
      const ByteView view = out;
      const int32_t sent = loop.send(sending, fd, {&view, 1}, SendEnd::kPrompt);
      if (sent > 0) out.erase(0, static_cast<size_t>(sent));
    }
    void stop() {
      loop.cancel(receiving);
      loop.cancel(sending);
      while (receiving.busy() || sending.busy()) loop.run_once(10);
    }
  };
  const StreamPolicy random{.cut = StreamPolicy::Cut::kRandom, .run_max = 100, .delay_max = 900};
  world.net().set_policies(random, random);
  auto [near, far] = world.net().pair(0);
  Echo first(a.loop(), near);
  Echo second(b.loop(), far);
  first.loop.receive(first.receiving, first.fd);
  second.loop.receive(second.receiving, second.fd);
  first.out = std::string(1000, 'e');
  a.set_program([&] { first.turn(); });
  b.set_program([&] { second.turn(); });
  EXPECT_TRUE(world.run_until([&] { return first.got + second.got > 100'000; }, 600'000));
  first.stop();
  second.stop();
  return world.trace_hash();
}

TEST(SimWorld, TheSameSeedIsTheSameRun) {
  const uint64_t hash = hash_of_run(run_seed());
  EXPECT_EQ(hash, hash_of_run(run_seed()));
  EXPECT_NE(hash, hash_of_run(run_seed() + 1));
}

TEST(SimMachine, ACrashEndsEverythingAndARestartFindsTheDisk) {
  SimWorld world(run_seed());
  SimMachine& machine = world.add_machine();
  struct Noted {
    int32_t result = INT32_MIN;
    Op op{this, op_to<&Noted::on_outcome>()};
    void on_outcome(const Outcome& outcome) { result = outcome.result; }
  } file, receive, connect;
  SimLoop* loop = &machine.loop();
  loop->open(file.op, "/log", OpenFor::kChange);
  while (file.op.busy()) loop->run_once(1);
  const FileFd fd{file.result};
  int32_t written = loop->write_at(file.op, fd, "abc", 0, WriteEnd::kPrompt);
  while (file.op.busy()) loop->run_once(1);
  loop->sync(file.op, fd);
  while (file.op.busy()) loop->run_once(1);
  loop->sync_dir(file.op, "/");
  while (file.op.busy()) loop->run_once(1);
  written = loop->write_at(file.op, fd, "def", 3, WriteEnd::kPrompt);
  while (file.op.busy()) loop->run_once(1);
  EXPECT_EQ(written == kInFlight ? file.result : written, 3);
  auto [near, far] = world.net().pair(0);
  const SocketFd socket = loop->adopt(near);
  loop->receive(receive.op, socket);
  loop->connect(connect.op, *Address::from_ip("127.0.0.1", 9), {});
  loop->sync(file.op, fd);
  machine.crash(CrashKeeps::kNothing);
  while (file.op.busy() || receive.op.busy() || connect.op.busy()) loop->run_once(1);
  EXPECT_EQ(file.result, -ECANCELED);
  EXPECT_EQ(receive.result, -ECANCELED);
  EXPECT_EQ(connect.result, -ECANCELED);
  const ByteView view = "x";
  EXPECT_EQ(loop->send(receive.op, socket, {&view, 1}, SendEnd::kPrompt), -EIO);
  world.run_for(1000);
  EXPECT_EQ(far.error(), ECONNRESET);

  machine.restart();
  loop = &machine.loop();
  EXPECT_EQ(machine.disk().seen("/log"), "abc");
  loop->open(file.op, "/log", OpenFor::kRead);
  while (file.op.busy()) loop->run_once(1);
  EXPECT_GE(file.result, 0);
  written = loop->write_at(file.op, {file.result}, "x", 0, WriteEnd::kPrompt);
  while (file.op.busy()) loop->run_once(1);
  EXPECT_EQ(written == kInFlight ? file.result : written, -EBADF);
  EXPECT_EQ(machine.disk().seen("/log"), "abc");
}

}  // namespace
}  // namespace ouro
