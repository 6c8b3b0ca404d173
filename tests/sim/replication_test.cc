// SPDX-License-Identifier: BSD-3-Clause
// Two servers, one follows the other through a relay that ends the connection wherever a test says:
// at every byte of the handshake, of a full sync and of the stream. What they have is the same in
// the end, and a replica never shows a part of a snapshot, nor of a transaction.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <string>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

// Passes bytes on between who connects and a server, until so many have gone to either side.
class Relay {
 public:
  Relay(SimWorld& world, SimMachine& machine, int server)
      : net_(world.net()), machine_(machine.number()), server_(server) {
    int error = 0;
    listener_ = net_.listen(machine_, SimNet::address_of(machine_, 6379), {}, error);
    CHECK(error == 0);
    listener_->on_change = [this] { accept(); };
  }
  ~Relay() {
    net_.stop_listening(*listener_);
    end_all();
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Of the next connection; those behind it pass everything.
  void cut_next_after(uint64_t to_client, uint64_t to_server) {
    to_client_left_ = to_client;
    to_server_left_ = to_server;
  }
  // Whether that has happened.
  bool was_cut() const { return to_client_left_ == kNever && to_server_left_ == kNever; }
  void end_all() {
    for (Pair& pair : pairs_) end(pair);
  }

 private:
  static constexpr uint64_t kNever = UINT64_MAX;
  struct Pair {
    SimSocket client, server;
    uint64_t to_client = kNever, to_server = kNever;
  };

  void accept() {
    while (!listener_->waiting.empty()) {
      Pair& pair = pairs_.emplace_back();
      pair.client = std::move(listener_->waiting.front());
      listener_->waiting.pop_front();
      pair.to_client = to_client_left_;
      pair.to_server = to_server_left_;
      net_.connect(machine_, server_, SimNet::address_of(server_, 6379),
                   [this, &pair](int error, SimSocket socket) {
                     if (error != 0) return pair.client.reset();
                     pair.server = std::move(socket);
                     pair.client.set_on_change([this, &pair] { move(pair); });
                     pair.server.set_on_change([this, &pair] { move(pair); });
                     move(pair);
                   });
    }
  }
  void move(Pair& pair) {
    move(pair, pair.server, pair.client, pair.to_client);
    move(pair, pair.client, pair.server, pair.to_server);
  }
  void move(Pair& pair, SimSocket& from, SimSocket& to, uint64_t& left) {
    if (from.is_closed() || to.is_closed()) return;
    const size_t part = static_cast<size_t>(std::min<uint64_t>({from.readable(), to.room(), left}));
    if (part > 0) to.send(from.read(part));
    if (left != kNever) left -= part;
    if (left == 0) to_client_left_ = to_server_left_ = kNever;
    if (left == 0 || from.at_end() || from.error() != 0) end(pair);
  }
  static void end(Pair& pair) {
    pair.client.set_on_change({});
    pair.client.close();
    if (!pair.server) return;
    pair.server.set_on_change({});
    pair.server.close();
  }

  SimNet& net_;
  int machine_;
  int server_;
  std::shared_ptr<SimListener> listener_;
  std::list<Pair> pairs_;
  uint64_t to_client_left_ = kNever;
  uint64_t to_server_left_ = kNever;
};

class ReplicationTest : public ::testing::Test {
 protected:
  static void configure(Options& options) {
    options.engine.replication.repl_diskless_sync_delay_seconds = 0;
    options.engine.enable_debug_command = Allowed::kEverybody;
    options.app.protected_mode = false;
  }

  void follow() {
    const std::string host = SimNet::address_of(relay_machine.number(), 6379).host();
    ASSERT_EQ(to_replica.ask({"REPLICAOF", host, "6379"}), "+OK\r\n");
  }
  void follow_nobody() {
    ASSERT_EQ(to_replica.ask({"REPLICAOF", "NO", "ONE"}), "+OK\r\n");
    ASSERT_EQ(to_replica.ask({"FLUSHALL"}), "+OK\r\n");
  }
  bool is_up() { return replica.engine().replication.primary.is_up(); }
  uint64_t offset_of(SimServer& server) { return server.engine().replication.history().offset; }
  // With what both say, if it does not.
  ::testing::AssertionResult comes_up() {
    const bool is_well = world.run_until(
        [this] { return is_up() && offset_of(replica) == offset_of(primary); }, 30'000);
    if (is_well) return ::testing::AssertionSuccess();
    ::testing::AssertionResult result = ::testing::AssertionFailure();
    for (const SimServer* server : {&primary, &replica}) {
      const std::vector<std::string>& lines = server->log().lines;
      const size_t shown = std::min<size_t>(lines.size(), 12);
      for (size_t i = lines.size() - shown; i < lines.size(); ++i) result << '\n' << lines[i];
      result << "\n--";
    }
    return result;
  }
  uint64_t full_syncs() { return primary.engine().stats.syncs_full; }
  void expect_same_data() {
    EXPECT_EQ(to_primary.ask({"DEBUG", "DIGEST"}), to_replica.ask({"DEBUG", "DIGEST"}));
  }
  void fill() {
    to_primary.ask({"MSET", "a", "1", "b", "2"});
    to_primary.ask({"RPUSH", "l", "x", "y", "z"});
    to_primary.ask({"SELECT", "3"});
    to_primary.ask({"HSET", "h", "f", "v"});
    to_primary.ask({"SET", "gone", "soon", "PX", "100000"});
    to_primary.ask({"SELECT", "0"});
  }
  void set_mode(const char* mode) { to_replica.ask({"CONFIG", "SET", "repl-diskless-load", mode}); }

  SimWorld world{run_seed()};
  SimMachine& primary_machine = world.add_machine();
  SimMachine& replica_machine = world.add_machine();
  SimMachine& relay_machine = world.add_machine();
  SimServer primary{primary_machine, configure};
  SimServer replica{replica_machine, configure};
  Relay relay{world, relay_machine, 0};
  SimClient to_primary{world, 0};
  SimClient to_replica{world, 1};
};

TEST_F(ReplicationTest, AReplicaHasWhatItsPrimaryHas) {
  fill();
  for (const char* mode : {"disabled", "on-empty-db", "swapdb"}) {
    set_mode(mode);
    follow();
    ASSERT_TRUE(comes_up()) << mode;
    expect_same_data();
    to_primary.ask({"INCR", "n"});
    ASSERT_TRUE(comes_up());
    expect_same_data();
    follow_nobody();
  }
}

TEST_F(ReplicationTest, AReplicaThatTakesASnapshotIsSentLargerPartsIfThatIsWanted) {
  for (const bool is_wanted : {false, true}) {
    to_primary.ask({"CONFIG", "SET", "repl-disable-tcp-nodelay", is_wanted ? "yes" : "no"});
    follow();
    ASSERT_TRUE(comes_up());
    const Session& session = *primary.engine().replication.replicas().at(0);
    EXPECT_EQ(primary_machine.loop().tuning_of({session.peer.fd}).no_delay, !is_wanted);
    follow_nobody();
    world.run_until([&] { return primary.engine().replication.replicas().empty(); }, 1'000);
  }
}

TEST_F(ReplicationTest, AStreamThatFallsSilentIsAcknowledgedAtOnce) {
  follow();
  ASSERT_TRUE(comes_up());
  const Feed& feed = *primary.engine().replication.replicas().at(0)->feed;
  for (int i = 0; i < 5; ++i) {
    to_primary.ask({"INCR", "n"});
    EXPECT_TRUE(world.run_until([&] { return feed.acked == offset_of(primary); }, 50));
    world.run_for(150'000);
  }
}

// Goal: what is kept for a replica that never gets to the end of its snapshot has a bound: the data
// that a new one would bring, and at least the output limit. Method: one that asks and then says
// nothing, with a snapshot that stays on its way, and one that is sent and not acknowledged.
TEST_F(ReplicationTest, WhatASyncMayMissIsWhatANewOneWouldBring) {
  constexpr uint64_t kLimit = 3'000'000;
  const std::string value(100'000, 'x');
  to_primary.ask({"CONFIG", "SET", "client-output-buffer-limit", "replica 3000000 0 0"});
  const auto& replicas = primary.engine().replication.replicas();
  for (const uint64_t values : {0U, 80U}) {
    for (uint64_t i = 0; i < values; ++i) to_primary.ask({"SET", "k" + std::to_string(i), value});
    SimClient slow(world, 0);
    slow.pause_reading();
    slow.send(resp_command({"REPLCONF", "capa", "eof"}) + resp_command({"PSYNC", "?", "-1"}));
    ASSERT_TRUE(world.run_until(
        [&] { return !replicas.empty() && replicas[0]->feed->needs_stream(); }, 10'000));
    world.run_for(1'000'000);
    EXPECT_EQ(replicas.at(0)->feed->state,
              values == 0 ? Feed::State::kLoading : Feed::State::kWalk);
    const uint64_t allowed = std::max(replicas[0]->feed->missed_max, kLimit);
    EXPECT_GE(allowed, values * value.size());
    const uint64_t from = offset_of(primary);
    uint64_t missed = 0;
    while (!replicas.empty() && missed < 2 * allowed) {
      missed = offset_of(primary) - from;
      to_primary.ask({"SET", "x", value});
    }
    EXPECT_LE(missed, allowed);
    EXPECT_GE(missed + 2 * value.size(), allowed);
    EXPECT_NE(primary.log().lines.back().find("and a new sync brings less"), std::string::npos);
  }
  EXPECT_LT(primary.engine().replication.memory().outgoing_bytes, 100'000U) << "and is given back";
}

// Goal: a replica that stands still costs no keys. Method: what of the stream is short is copied to
// its output, what is long is pointed at there, and not kept beyond that.
TEST_F(ReplicationTest, WhatAReplicaIsStillToBeSentDoesNotCountForTheLimit) {
  to_primary.ask({"CONFIG", "SET", "repl-backlog-size", "16384"});
  const auto& replicas = primary.engine().replication.replicas();
  for (const size_t bytes : {300U, 30'000U}) {
    const std::string value(bytes, 'x');
    to_primary.ask({"SET", "k", value});
    SimClient slow(world, 0);
    slow.send(resp_command({"REPLCONF", "capa", "eof"}) + resp_command({"PSYNC", "?", "-1"}));
    world.run_for(1'000'000);
    slow.send(resp_command({"REPLCONF", "ACK", "0"}));
    ASSERT_TRUE(world.run_until(
        [&] { return !replicas.empty() && replicas[0]->feed->takes_stream(); }, 10'000));
    slow.pause_reading();
    const size_t used = primary.engine().heap.used_bytes();
    const size_t counted = Eviction::counted_bytes(primary.engine());
    const size_t normal = primary.engine().clients.memory().claimed_bytes;
    for (size_t sent = 0; sent < 6'000'000; sent += bytes)
      to_primary.ask({"SETRANGE", "k", "0", value});
    EXPECT_GT(primary.engine().heap.used_bytes(), used + 4'000'000);
    EXPECT_LT(Eviction::counted_bytes(primary.engine()), counted + 200'000);
    EXPECT_LT(primary.engine().clients.memory().claimed_bytes, normal + 100'000);
    EXPECT_GT(primary.engine().replication.memory().replicas_bytes, 4'000'000U);
    to_primary.ask({"CLIENT", "KILL", "TYPE", "replica"});
    ASSERT_TRUE(world.run_until([&] { return replicas.empty(); }, 10'000));
    EXPECT_EQ(primary.engine().replication.memory().replicas_bytes, 0U);
    // What was being sent goes with the connection, a turn or two later.
    EXPECT_TRUE(world.run_until(
        [&] { return Eviction::counted_bytes(primary.engine()) < counted + 200'000; }, 10'000));
  }
}

// The connection is lost after so many bytes to the replica, and to the primary.
TEST_F(ReplicationTest, AFullSyncThatIsCutAtAnyByteIsMadeAgain) {
  fill();
  for (const char* mode : {"disabled", "on-empty-db", "swapdb"}) {
    set_mode(mode);
    bool was_cut = true;
    for (uint64_t bytes = 1; was_cut; ++bytes) {
      relay.cut_next_after(bytes, UINT64_MAX);
      follow();
      ASSERT_TRUE(comes_up()) << mode << ' ' << bytes;
      expect_same_data();
      was_cut = relay.was_cut();
      follow_nobody();
    }
    relay.cut_next_after(UINT64_MAX, UINT64_MAX);
  }
  replica.check_invariants();
}

TEST_F(ReplicationTest, AFileThatIsCutAtAnyByteIsSentAgain) {
  fill();
  to_primary.ask({"CONFIG", "SET", "repl-diskless-sync", "no"});
  bool was_cut = true;
  for (uint64_t bytes = 1; was_cut; bytes += 3) {
    relay.cut_next_after(bytes, UINT64_MAX);
    follow();
    ASSERT_TRUE(comes_up()) << bytes;
    expect_same_data();
    was_cut = relay.was_cut();
    follow_nobody();
  }
}

TEST_F(ReplicationTest, AHandshakeThatIsCutAtAnyByteIsMadeAgain) {
  fill();
  for (uint64_t bytes = 1; bytes < 400; ++bytes) {
    relay.cut_next_after(UINT64_MAX, bytes);
    follow();
    ASSERT_TRUE(comes_up()) << bytes;
    expect_same_data();
    if (!relay.was_cut()) break;
    follow_nobody();
  }
}

// Data are kept until others are whole.
TEST_F(ReplicationTest, WhatIsHereStaysUntilASnapshotIsWhole) {
  fill();
  set_mode("swapdb");
  to_replica.ask({"SET", "mine", "1"});
  for (uint64_t bytes = 1;; bytes += 7) {
    relay.cut_next_after(bytes, UINT64_MAX);
    follow();
    world.run_until([this] { return relay.was_cut() || is_up(); }, 30'000);
    world.run_for(1'000);
    if (!relay.was_cut()) break;
    EXPECT_EQ(to_replica.ask({"GET", "mine"}), "$1\r\n1\r\n");
    EXPECT_EQ(to_replica.ask({"DBSIZE"}), ":1\r\n");
    to_replica.ask({"REPLICAOF", "NO", "ONE"});
  }
}

TEST_F(ReplicationTest, AStreamThatIsCutAnywhereGoesOnWhereItWas) {
  fill();
  follow();
  ASSERT_TRUE(comes_up());
  const uint64_t full = full_syncs();
  for (uint64_t bytes = 200; bytes < 600; ++bytes) {
    relay.cut_next_after(bytes, UINT64_MAX);
    relay.end_all();
    for (int i = 0; i < 3; ++i) {
      to_primary.ask({"MULTI"});
      to_primary.ask({"INCR", "n"});
      to_primary.ask({"INCR", "m"});
      to_primary.ask({"EXEC"});
      // Both or none.
      const std::string both = to_replica.ask({"MGET", "n", "m"}).substr(4);
      EXPECT_EQ(both.substr(0, both.size() / 2), both.substr(both.size() / 2));
    }
    ASSERT_TRUE(comes_up()) << bytes;
    expect_same_data();
  }
  EXPECT_EQ(full_syncs(), full);
}

TEST_F(ReplicationTest, APrimaryThatIsGoneForLongIsFollowedAgain) {
  fill();
  follow();
  ASSERT_TRUE(comes_up());
  world.net().cut(0, 2);
  world.net().cut(2, 0);
  to_primary.ask({"INCR", "n"});
  world.run_for(70'000'000);
  EXPECT_FALSE(is_up());
  world.net().heal(0, 2);
  world.net().heal(2, 0);
  ASSERT_TRUE(comes_up());
  expect_same_data();
}

TEST_F(ReplicationTest, WhoWasPromotedIsFollowedByWhoLed) {
  fill();
  follow();
  ASSERT_TRUE(comes_up());
  ASSERT_EQ(to_replica.ask({"REPLICAOF", "NO", "ONE"}), "+OK\r\n");
  to_replica.ask({"INCR", "n"});
  const std::string host = SimNet::address_of(replica_machine.number(), 6379).host();
  to_primary.ask({"REPLICAOF", host, "6379"});
  ASSERT_TRUE(world.run_until(
      [this] {
        return primary.engine().replication.primary.is_up() &&
               offset_of(replica) == offset_of(primary);
      },
      30'000));
  expect_same_data();
  EXPECT_EQ(replica.engine().stats.syncs_full, 0U);
}

// Goal: what this node wrote in another stream, which was longer, is nothing to wait for in this
// one.
TEST_F(ReplicationTest, ALeadIsHandedOverThoughMoreWasWrittenInAnotherStream) {
  SimServer third{world.add_machine(), configure};
  SimClient to_third(world, 3);
  const std::string host = SimNet::address_of(replica_machine.number(), 6379).host();
  ASSERT_EQ(to_third.ask({"REPLICAOF", host, "6379"}), "+OK\r\n");
  const auto is_third_up = [&] {
    return third.engine().replication.primary.is_up() && offset_of(third) == offset_of(replica);
  };
  ASSERT_TRUE(world.run_until(is_third_up, 30'000));
  for (int i = 0; i < 200; ++i) to_replica.ask({"INCR", "n"});
  const uint64_t written = offset_of(replica);
  follow();
  ASSERT_TRUE(comes_up());
  ASSERT_EQ(to_replica.ask({"REPLICAOF", "NO", "ONE"}), "+OK\r\n");
  ASSERT_TRUE(world.run_until(is_third_up, 30'000));
  const uint64_t before = offset_of(replica);
  ASSERT_LT(before, written);
  // A ping, which is no write, is not acknowledged.
  world.net().cut(3, 1);
  to_replica.ask({"CONFIG", "SET", "repl-ping-replica-period", "1"});
  world.run_for(2'500'000);
  ASSERT_EQ(to_replica.ask({"FAILOVER"}), "+OK\r\n");
  for (int i = 0; i < 100; ++i) to_replica.ask({"GET", "n"});
  world.net().heal(3, 1);
  ASSERT_TRUE(world.run_until([&] { return third.engine().replication.leads(); }, 30'000));
  EXPECT_LT(offset_of(third), before + 200) << "they are asked once";
}

// The lead goes to the replica, which its primary reaches through a relay of its own. Whatever is
// lost of their talk, one of them leads in the end, and it is the one that was to.
TEST_F(ReplicationTest, ALeadIsHandedOverWhereverTheTalkIsCut) {
  SimMachine& target_machine = world.add_machine();
  Relay target{world, target_machine, 1};
  const std::string host = SimNet::address_of(target_machine.number(), 6379).host();
  to_replica.ask({"CONFIG", "SET", "replica-announce-ip", host});
  fill();
  for (const bool is_answer : {false, true}) {
    bool was_cut = true;
    for (uint64_t bytes = 1; was_cut; ++bytes) {
      follow();
      ASSERT_TRUE(comes_up()) << bytes;
      const uint64_t full = replica.engine().stats.syncs_full;
      target.cut_next_after(is_answer ? bytes : UINT64_MAX, is_answer ? UINT64_MAX : bytes);
      to_primary.ask({"INCR", "n"});
      ASSERT_EQ(to_primary.ask({"FAILOVER", "TO", host, "6379"}), "+OK\r\n");
      ASSERT_TRUE(world.run_until(
          [this] {
            return !primary.engine().failover.is_on() &&
                   primary.engine().replication.primary.is_up() &&
                   offset_of(replica) == offset_of(primary);
          },
          30'000))
          << is_answer << ' ' << bytes;
      EXPECT_TRUE(replica.engine().replication.leads());
      EXPECT_EQ(replica.engine().stats.syncs_full, full);
      expect_same_data();
      was_cut = target.was_cut() && bytes < 400;
      ASSERT_EQ(to_primary.ask({"REPLICAOF", "NO", "ONE"}), "+OK\r\n");
    }
    target.cut_next_after(UINT64_MAX, UINT64_MAX);
  }
}

}  // namespace
}  // namespace ouro
