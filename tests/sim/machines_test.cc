// SPDX-License-Identifier: BSD-3-Clause
// Several servers in one world: they share the clock and nothing else, and one may lose its power.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

class MachinesTest : public testing::Test {
 protected:
  static constexpr int kMachines = 3;

  MachinesTest() {
    for (int i = 0; i < kMachines; ++i) {
      servers.push_back(std::make_unique<SimServer>(world.add_machine()));
      clients.push_back(std::make_unique<SimClient>(world, i));
    }
  }
  SimClient& client(int number) { return *clients[static_cast<size_t>(number)]; }

  SimWorld world{run_seed()};
  std::vector<std::unique_ptr<SimServer>> servers;
  std::vector<std::unique_ptr<SimClient>> clients;
};

TEST_F(MachinesTest, ServersShareNothingButTheClock) {
  for (int i = 0; i < kMachines; ++i) {
    EXPECT_EQ(client(i).ask({"SET", "who", std::to_string(i), "EX", "100"}), "+OK\r\n");
  }
  world.machine(1).step_wall_clock(200'000);
  EXPECT_EQ(client(0).ask({"GET", "who"}), "$1\r\n0\r\n");
  EXPECT_EQ(client(1).ask({"GET", "who"}), "$-1\r\n");
  EXPECT_EQ(client(2).ask({"GET", "who"}), "$1\r\n2\r\n");
  world.run_for(100'000'000);
  EXPECT_EQ(client(2).ask({"GET", "who"}), "$-1\r\n");
}

TEST_F(MachinesTest, OneLosesItsPowerAndStartsAgain) {
  for (int i = 0; i < kMachines; ++i) {
    EXPECT_EQ(client(i).ask({"SET", "k", std::string(2'000'000, 'v')}), "+OK\r\n");
  }
  // In the middle of everything: a reply on its way, a bulk half received, a client that waits.
  SimClient reader(world, 1);
  reader.pause_reading();
  reader.send("GET k\r\n");
  SimClient writer(world, 1);
  writer.send("*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1000000\r\n" + std::string(500'000, 'h'));
  SimClient waiter(world, 1);
  waiter.send("BLPOP none 0\r\n");
  world.run_for(10'000);
  world.machine(1).crash(CrashKeeps::kNothing);
  servers[1].reset();
  world.run_for(1'000'000);
  EXPECT_TRUE(client(1).has_ended());
  EXPECT_TRUE(writer.has_ended());
  EXPECT_TRUE(waiter.has_ended());
  SimClient early(world, 1);
  world.run_for(1'000'000);
  EXPECT_FALSE(early.is_connected());
  for (const int i : {0, 2}) EXPECT_EQ(client(i).ask({"STRLEN", "k"}), ":2000000\r\n");

  world.machine(1).restart();
  servers[1] = std::make_unique<SimServer>(world.machine(1));
  SimClient again(world, 1);
  EXPECT_EQ(again.ask({"EXISTS", "k", "half"}), ":0\r\n");
  EXPECT_EQ(again.ask({"SET", "k", "new"}), "+OK\r\n");
}

}  // namespace
}  // namespace ouro
