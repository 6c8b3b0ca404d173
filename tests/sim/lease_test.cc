// SPDX-License-Identifier: BSD-3-Clause
// The lease of who leads among members that elect: while it lasts nobody else can be promised the
// lead, it lasts as long as enough members answer, and it ends soon when nobody hears of who leads.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

constexpr uint16_t kPort = 6379;
constexpr int kMembers = 3;
std::string host_of(int machine) { return SimNet::address_of(machine, kPort).host(); }

// Three members, one of which leads; what it writes one other has to acknowledge.
class Members {
 public:
  Members(uint64_t seed, Millis timeout) : world(seed) {
    std::string names;
    for (int i = 0; i < kMembers; ++i)
      names += (i > 0 ? " " : "") + host_of(i) + ':' + std::to_string(kPort);
    for (int i = 0; i < kMembers; ++i) {
      servers_.push_back(std::make_unique<SimServer>(world.add_machine(), [&](Options& options) {
        ReplicationOptions& replication = options.engine.replication;
        replication.repl_diskless_sync_delay_seconds = 0;
        replication.semi_sync_acks = 1;
        replication.semi_sync_timeout = timeout;
        replication.replica_announce_ip = host_of(i);
        for (int member = 0; member < kMembers; ++member)
          replication.semi_sync_members.push_back(host_of(member) + ':' + std::to_string(kPort));
        options.app.protected_mode = false;
      }));
    }
    SimClient client(world, 0);
    client.ask({"CONFIG", "SET", "semi-sync-members", ""});
    client.ask({"REPLICAOF", "NO", "ONE"});
    client.ask({"CONFIG", "SET", "semi-sync-members", names});
    for (int i = 1; i < kMembers; ++i)
      SimClient(world, i).ask({"REPLICAOF", host_of(0), std::to_string(kPort)});
    CHECK(world.run_until([&] { return leads(0) && voter(1).is_whole() && voter(2).is_whole(); },
                          30'000));
  }

  Engine& engine(int i) { return servers_[static_cast<size_t>(i)]->engine(); }
  const Voter& voter(int i) { return engine(i).leadership.voter(); }
  const SemiSync& semi_sync(int i) { return engine(i).replication.semi_sync(); }
  bool leads(int i) {
    return engine(i).replication.leads() && engine(i).leadership.serves() &&
           semi_sync(i).state() == SemiSync::State::kHeld;
  }
  // Cuts what comes from machine 0, and what goes to it.
  void cut(bool from, bool to) {
    for (int i = 1; i < kMembers; ++i) {
      from ? world.net().cut(0, i) : world.net().heal(0, i);
      to ? world.net().cut(i, 0) : world.net().heal(i, 0);
    }
  }
  // One of the others has promised for at least as long as who leads believes to do so.
  bool is_lease_kept() {
    if (!leads(0)) return true;
    const Instant until = semi_sync(0).lapses_at();
    return std::max(voter(1).leased_until(), voter(2).leased_until()) >= until;
  }

  SimWorld world;

 private:
  std::vector<std::unique_ptr<SimServer>> servers_;
};

// Goal: an acknowledgement that was long on its way grants nothing that its sender does not keep.
// Method: ways are cut and healed at any time, which delays what is on them.
TEST(Lease, WhoLeadsNeverCountsOnMoreThanWasGranted) {
  for (uint64_t i = 0; i < 10 * run_rounds(); ++i) {
    const uint64_t seed = run_seed() + i;
    Members members(seed, 2000);
    Prng& prng = members.world.prng();
    SimClient client(members.world, 0);
    for (int step = 0; step < 300; ++step) {
      switch (prng.below(12)) {
        case 0:
        case 1:
          members.cut(prng.below(2) == 0, prng.below(2) == 0);
          break;
        case 2:
        case 3:
          members.cut(false, false);
          break;
        case 4:
          client.send(resp_command({"INCR", "n"}));
          break;
        case 5:
          client.send(resp_command({"CLIENT", "PAUSE", "3000", "WRITE"}));
          break;
        default:
          break;
      }
      const Instant end = members.world.now() + static_cast<Micros>(prng.below(1'000'000));
      const bool is_broken = members.world.run_until(
          [&] { return members.world.now() >= end || !members.is_lease_kept(); }, 1'001);
      ASSERT_TRUE(is_broken);
      ASSERT_TRUE(members.is_lease_kept()) << "--seed=" << seed << ", step " << step;
    }
  }
}

// Goal: writes go on as soon as a pause is over, however long it was, and reads meanwhile.
TEST(Lease, OutlivesAPause) {
  Members members(run_seed(), 500);
  SimClient client(members.world, 0);
  client.ask({"SET", "k", "v"});
  const uint64_t lapses = members.semi_sync(0).lapses();
  EXPECT_EQ(client.ask({"CLIENT", "PAUSE", "20000", "WRITE"}), "+OK\r\n");
  for (int i = 0; i < 100; ++i) {
    members.world.run_for(150'000);
    ASSERT_TRUE(members.leads(0)) << i;
  }
  EXPECT_EQ(client.ask({"GET", "k"}), "$1\r\nv\r\n");
  client.ask({"CLIENT", "UNPAUSE"});
  EXPECT_EQ(client.ask({"SET", "k", "w"}), "+OK\r\n");
  EXPECT_EQ(members.semi_sync(0).lapses(), lapses);
}

// The same while FAILOVER waits for a replica that does not answer.
TEST(Lease, OutlivesAFailoverThatWaits) {
  Members members(run_seed(), 500);
  SimClient client(members.world, 0);
  members.world.net().cut(0, 1);
  client.ask({"SET", "k", "v"});
  EXPECT_EQ(client.ask({"FAILOVER", "TO", host_of(1), std::to_string(kPort)}), "+OK\r\n");
  for (int i = 0; i < 50; ++i) {
    members.world.run_for(150'000);
    ASSERT_TRUE(members.leads(0)) << i;
  }
  members.world.net().heal(0, 1);
  EXPECT_TRUE(members.world.run_until([&] { return members.leads(1); }, 10'000));
  EXPECT_EQ(SimClient(members.world, 1).ask({"GET", "k"}), "$1\r\nv\r\n");
}

// Goal: members that hear nothing of who leads are free when its lease is over, though they go on
// to tell it how far they are.
TEST(Lease, EndsWithTheLastThatWasHeard) {
  constexpr Millis kTimeout = 4000;
  Members members(run_seed(), kTimeout);
  members.world.run_for(10'000'000);
  members.cut(true, true);
  members.world.run_for(kTimeout * 1000);
  SimClient client(members.world, 1);
  client.send(resp_command({"REPLICAOF", "NO", "ONE"}));
  EXPECT_TRUE(members.world.run_until([&] { return members.leads(1); }, 2'000));
  EXPECT_FALSE(members.leads(0));
}

}  // namespace
}  // namespace ouro
