// SPDX-License-Identifier: BSD-3-Clause
// What a member has promised, on a disk that fails or has something else there.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

constexpr const char* kVotes = "semi-sync.votes";

std::string name_of(int machine) { return SimNet::address_of(machine, 6379).host() + ":6379"; }
const std::string kMembers = name_of(0) + ' ' + name_of(1) + ' ' + name_of(2);

// The only member that is there, of three.
class VotesTest : public testing::Test {
 protected:
  VotesTest() { start(true); }

  void start(bool is_member) {
    server = std::make_unique<SimServer>(machine, [&](Options& options) {
      ReplicationOptions& replication = options.engine.replication;
      replication.semi_sync_acks = 1;
      replication.semi_sync_timeout = 300;
      replication.replica_announce_ip = SimNet::address_of(0, 6379).host();
      if (!is_member) return;
      for (int i = 0; i < 3; ++i) replication.semi_sync_members.push_back(name_of(i));
    });
  }
  void crash() {
    machine.crash(CrashKeeps::kNothing);
    server.reset();
    machine.restart();
  }
  std::string ask(std::initializer_list<ByteView> words) { return SimClient(world).ask(words); }
  // It led once, and does not any more: nobody acknowledges.
  void found() {
    ask({"CONFIG", "SET", "semi-sync-members", ""});
    ask({"REPLICAOF", "NO", "ONE"});
    ASSERT_EQ(ask({"CONFIG", "SET", "semi-sync-members", kMembers}), "+OK\r\n");
    world.run_for(1'000'000);
  }
  std::string ask_for_promise(const std::string& counter) {
    return ask({"REPLCONF", "ouro-promise", "ouro:" + counter + ':' + name_of(1)});
  }
  std::string promised() { return marker_of(server->engine().leadership.voter().promised()); }
  void write(ByteView bytes) {
    SimFile file;
    ASSERT_GE(machine.disk().open(kVotes, OpenFor::kReplace, file), 0);
    ASSERT_GE(machine.disk().write_at(file, bytes, 0), 0);
  }
  int64_t count_lines(ByteView part) {
    return std::count_if(
        server->log().lines.begin(), server->log().lines.end(),
        [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

  SimWorld world{run_seed()};
  SimMachine& machine = world.add_machine();
  std::unique_ptr<SimServer> server;
};

TEST_F(VotesTest, APromiseIsOnDiskBeforeItIsTold) {
  found();
  EXPECT_TRUE(ask_for_promise("7").starts_with("+PROMISED"));
  crash();
  start(true);
  EXPECT_EQ(promised(), "ouro:7:" + name_of(1));
}

TEST_F(VotesTest, WhatCannotBeWrittenIsNotPromised) {
  found();
  const std::string before = promised();
  for (int i = 0; i < 5; ++i) {
    i % 2 == 0 ? machine.disk().fail_writes(1) : machine.disk().fail_syncs(1);
    EXPECT_TRUE(ask_for_promise("8").starts_with("-ERR Cannot write semi-sync.votes: "));
    EXPECT_EQ(promised(), before);
    EXPECT_TRUE(server->engine().replication.leads()) << "nobody was promised its lead";
  }
  EXPECT_EQ(count_lines("Until it can, this node promises nothing"), 1);
  EXPECT_EQ(count_lines("is written again"), 0);
  EXPECT_TRUE(ask_for_promise("8").starts_with("+PROMISED"));
  EXPECT_EQ(count_lines("is written again"), 1);
  machine.disk().fail_writes(1);
  EXPECT_TRUE(ask_for_promise("9").starts_with("-ERR Cannot write"));
  EXPECT_EQ(count_lines("Until it can, this node promises nothing"), 2);
  crash();
  start(true);
  EXPECT_EQ(promised(), "ouro:8:" + name_of(1));
}

TEST_F(VotesTest, WhoBecomesAMemberLaterStillHasWhatItPromised) {
  found();
  EXPECT_TRUE(ask_for_promise("7").starts_with("+PROMISED"));
  crash();
  start(false);
  EXPECT_EQ(ask({"CONFIG", "SET", "semi-sync-members", kMembers}), "+OK\r\n");
  // It leads, by a ballot above that.
  EXPECT_EQ(promised(), "ouro:8:" + name_of(0));
}

TEST_F(VotesTest, AFileThatIsDamagedOrAnothersIsNotTakenForNone) {
  found();
  EXPECT_TRUE(ask_for_promise("7").starts_with("+PROMISED"));
  const std::string good = machine.disk().seen(kVotes);
  crash();
  start(false);
  const std::string foreign =
      text_of(Votes{.member = name_of(2), .promised = {.counter = 7, .member = name_of(1)}});
  for (const std::string& bad : {std::string(), good.substr(0, good.size() - 1), foreign}) {
    write(bad);
    const std::string answer = ask({"CONFIG", "SET", "semi-sync-members", kMembers});
    EXPECT_NE(answer.find(bad == foreign ? "has promised, but" : "is damaged"), std::string::npos)
        << answer;
    EXPECT_EQ(machine.disk().seen(kVotes), bad);
    EXPECT_FALSE(server->engine().leadership.is_on());
  }
  write(good);
  EXPECT_EQ(ask({"CONFIG", "SET", "semi-sync-members", kMembers}), "+OK\r\n");
}

TEST_F(VotesTest, TheOlderFormIsReadAndGetsItsOwner) {
  crash();
  write("promised ouro:7:" + name_of(1) + "\n");
  start(true);
  EXPECT_EQ(promised(), "ouro:7:" + name_of(1));
  found();
  EXPECT_TRUE(
      machine.disk().seen(kVotes).starts_with("member " + name_of(0) + "\npromised ouro:8:"));
}

}  // namespace
}  // namespace ouro
