// SPDX-License-Identifier: BSD-3-Clause
// CACHE.GET with WAIT over connections: who is woken, when, and with what; and, under random
// clients whose loaders die, that nobody loads a key while another's lease holds and that no value
// is stored that was read before a change.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "datastructs/codec/number_text.h"
#include "server/engine/session.h"
#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

// [state, value, number] as it came.
struct CacheAnswer {
  std::string state, value;
  int64_t number = 0;
};

CacheAnswer parse_answer(const std::string& reply) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < reply.size();) {
    const size_t end = reply.find("\r\n", at);
    lines.push_back(reply.substr(at, end - at));
    at = end + 2;
  }
  CacheAnswer answer;
  if (lines.size() < 5 || lines[0] != "*3") {
    answer.state = reply;
    return answer;
  }
  answer.state = lines[2];
  if (lines[3] != "$-1") answer.value = lines[4];
  answer.number = parse_int64(lines.back().substr(1)).value_or(-2);
  return answer;
}

class CacheWaitTest : public ::testing::Test {
 protected:
  CacheAnswer get(std::initializer_list<ByteView> more = {}) {
    std::vector<ByteView> words = {"CACHE.GET", "k"};
    words.insert(words.end(), more);
    std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
    for (const ByteView word : words)
      bytes += "$" + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
    control.send(bytes);
    std::string reply;
    world.run_until([&] { return !(reply = control.take_reply()).empty(); }, 10'000);
    return parse_answer(reply);
  }
  // So many clients wait for the key.
  void add_waiters(size_t count, ByteView wait) {
    for (size_t i = 0; i < count; ++i) {
      waiters.push_back(std::make_unique<SimClient>(world));
      waiters.back()->send(resp_command({"CACHE.GET", "k", "WAIT", wait}));
      // One after the other, so that it is known who is the oldest.
      ASSERT_TRUE(world.run_until(
          [&] { return server.engine().blocking.session_count() == waiters.size(); }, 1000));
    }
  }
  bool all_answered() {
    for (const auto& waiter : waiters) {
      if (waiter->received().empty()) return false;
    }
    return true;
  }

  SimWorld world{run_seed()};
  SimServer server{world.add_machine()};
  SimClient control{world};
  std::vector<std::unique_ptr<SimClient>> waiters;
};

TEST_F(CacheWaitTest, AFillAnswersAllWhoWait) {
  const CacheAnswer load = get();
  ASSERT_EQ(load.state, "LOAD");
  add_waiters(100, "2000");
  world.run_for(200'000);
  EXPECT_EQ(control.ask({"SET", "k", "v", "EX", "60", "LEASE", std::to_string(load.number)}),
            "+OK\r\n");
  ASSERT_TRUE(world.run_until([&] { return all_answered(); }, 20));
  for (const auto& waiter : waiters) {
    const CacheAnswer answer = parse_answer(waiter->take());
    EXPECT_EQ(answer.state, "HIT");
    EXPECT_EQ(answer.value, "v");
  }
  EXPECT_EQ(server.engine().guard.counters.leases_granted, 1U);
  EXPECT_EQ(server.engine().guard.counters.woken, 100U);
}

TEST_F(CacheWaitTest, TheOldestLoadsWhenALeaseIsOver) {
  EXPECT_EQ(get({"LEASE", "500"}).state, "LOAD");
  add_waiters(3, "5000");
  ASSERT_TRUE(world.run_until([&] { return !waiters[0]->received().empty(); }, 600));
  const CacheAnswer second = parse_answer(waiters[0]->take());
  EXPECT_EQ(second.state, "LOAD");
  EXPECT_TRUE(waiters[1]->received().empty());
  waiters[0]->send(resp_command({"CACHE.FAIL", "k", std::to_string(second.number)}));
  ASSERT_TRUE(world.run_until([&] { return !waiters[1]->received().empty(); }, 50));
  const CacheAnswer third = parse_answer(waiters[1]->take());
  EXPECT_EQ(third.state, "LOAD");
  EXPECT_TRUE(waiters[2]->received().empty());
  waiters[1]->send(resp_command({"CACHE.NIL", "k", std::to_string(third.number)}));
  ASSERT_TRUE(world.run_until([&] { return !waiters[2]->received().empty(); }, 50));
  EXPECT_EQ(parse_answer(waiters[2]->take()).state, "ABSENT");
}

TEST_F(CacheWaitTest, ARemovalHandsTheKeyOn) {
  EXPECT_EQ(get().state, "LOAD");
  add_waiters(2, "5000");
  EXPECT_EQ(control.ask({"DEL", "k"}), ":0\r\n");
  ASSERT_TRUE(world.run_until([&] { return !waiters[0]->received().empty(); }, 50));
  EXPECT_EQ(parse_answer(waiters[0]->take()).state, "LOAD");
  EXPECT_TRUE(waiters[1]->received().empty());
  // The one that loads now has gone.
  waiters[0]->close();
  EXPECT_EQ(control.ask({"FLUSHALL"}), "+OK\r\n");
  ASSERT_TRUE(world.run_until([&] { return !waiters[1]->received().empty(); }, 50));
  EXPECT_EQ(parse_answer(waiters[1]->take()).state, "LOAD");
}

TEST_F(CacheWaitTest, AWaitEnds) {
  EXPECT_EQ(get().state, "LOAD");
  add_waiters(2, "300");
  uint64_t blocked = 0;
  for (const auto& [id, session] : server.engine().clients.all())
    if (session->is_blocked()) blocked = id;
  EXPECT_EQ(control.ask({"CLIENT", "UNBLOCK", std::to_string(blocked)}), ":1\r\n");
  world.run_for(10'000);
  EXPECT_NE(waiters[0]->received().empty(), waiters[1]->received().empty());
  ASSERT_TRUE(world.run_until([&] { return all_answered(); }, 310));
  for (const auto& waiter : waiters) EXPECT_EQ(parse_answer(waiter->take()).state, "BUSY");
  EXPECT_EQ(server.engine().blocking.session_count(), 0U);
}

TEST_F(CacheWaitTest, NobodyWaitsForItself) {
  EXPECT_EQ(get().state, "LOAD");
  EXPECT_EQ(get({"WAIT", "5000"}).state, "BUSY");
}

TEST_F(CacheWaitTest, AReplicaGivesNoLease) {
  SimServer replica{world.add_machine()};
  SimClient to_replica(world, 1);
  control.ask({"CONFIG", "SET", "repl-diskless-sync-delay", "0"});
  control.ask({"CONFIG", "SET", "protected-mode", "no"});
  control.ask({"SET", "k", "v", "PX", "1000", "STALE", "60000"});
  to_replica.ask({"REPLICAOF", SimNet::address_of(0, 6379).host(), "6379"});
  ASSERT_TRUE(world.run_until(
      [&] { return replica.engine().replication.primary.link == LinkState::kConnected; }, 10'000));
  EXPECT_EQ(parse_answer(to_replica.ask({"CACHE.GET", "k"})).state, "HIT");
  EXPECT_EQ(parse_answer(to_replica.ask({"CACHE.GET", "other"})).state, "MISS");
  world.run_for(1'500'000);
  const CacheAnswer stale = parse_answer(to_replica.ask({"CACHE.GET", "k"}));
  EXPECT_EQ(stale.state, "STALE");
  EXPECT_EQ(stale.value, "v");
  control.ask({"DEL", "k"});
  world.run_for(100'000);
  EXPECT_EQ(parse_answer(to_replica.ask({"CACHE.GET", "k"})).state, "MISS");
}

// ---- random clients

// What a database would have: each key's value is the count of its changes. Two nodes, one of which
// leads; the lead goes to the other one while keys are being loaded.
class Loads {
 public:
  explicit Loads(uint64_t seed) : world_(seed) {
    for (int i = 0; i < kNodes; ++i) {
      nodes_.push_back(std::make_unique<SimServer>(world_.add_machine(), [](Options& options) {
        options.engine.replication.repl_diskless_sync_delay_seconds = 0;
        options.app.protected_mode = false;
      }));
    }
    SimClient(world_, 1).ask({"REPLICAOF", SimNet::address_of(0, 6379).host(), "6379"});
    EXPECT_TRUE(world_.run_until([&] { return is_linked(1); }, 10'000));
    for (int i = 0; i < kClients; ++i) clients_.emplace_back().connect(world_);
  }

  void run() {
    for (int i = 0; i < kSteps; ++i) {
      step(clients_[world_.prng().below(clients_.size())]);
      world_.run_for(static_cast<Micros>(world_.prng().below(20'000)));
    }
    for (const auto& node : nodes_) {
      node->engine().guard.leases.check_invariants();
      node->check_invariants();
    }
  }

 private:
  static constexpr int kNodes = 2;
  static constexpr int kClients = 6;
  static constexpr int kSteps = 300;
  static constexpr Millis kLease = 50;

  struct Load {
    std::string key;
    int64_t token;
    int read;  // what the database had
  };
  struct LoadingClient {
    std::unique_ptr<SimClient> sockets[kNodes];
    std::vector<Load> loads;

    void connect(SimWorld& world) {
      for (int i = 0; i < kNodes; ++i) sockets[i] = std::make_unique<SimClient>(world, i);
    }
  };

  bool is_linked(int node) {
    return nodes_[static_cast<size_t>(node)]->engine().replication.primary.link ==
           LinkState::kConnected;
  }
  std::string ask(LoadingClient& client, std::initializer_list<ByteView> words) {
    return client.sockets[leader_]->ask(words);
  }

  void step(LoadingClient& client) {
    const std::string key(1, static_cast<char>('a' + world_.prng().below(3)));
    switch (world_.prng().below(32)) {
      case 0:
        return hand_over(client);
      case 1:
      case 2:
      case 3:
        return change(client, key);
      case 4:
      case 5:
      case 6:
        if (!client.loads.empty()) client.loads.pop_back();  // the loader dies
        return;
      case 7:
        return give_up(client);
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
      case 13:
        return bring(client);
      default:
        return read(client, key);
    }
  }

  void hand_over(LoadingClient& client) {
    EXPECT_EQ(ask(client, {"FAILOVER"}), "+OK\r\n");
    const int other = 1 - leader_;
    EXPECT_TRUE(world_.run_until(
        [&] {
          return nodes_[static_cast<size_t>(other)]->engine().replication.leads() &&
                 is_linked(leader_);
        },
        20'000));
    leader_ = other;
    // Its loads are not known there: one more for each.
    leases_.clear();
    // Who was connected to the old one may have been sent away.
    for (LoadingClient& each : clients_) each.connect(world_);
  }

  // The database changes, then the cache is told.
  void change(LoadingClient& client, const std::string& key) {
    ++database_[key];
    if (world_.prng().below(3) == 0) {
      ask(client, {"CACHE.STALE", key, "PX", "100"});
    } else {
      ask(client, {"DEL", key});
    }
    leases_.erase(key);
  }

  void give_up(LoadingClient& client) {
    if (client.loads.empty()) return;
    const Load load = client.loads.back();
    client.loads.pop_back();
    if (ask(client, {"CACHE.FAIL", load.key, std::to_string(load.token)}) == ":1\r\n")
      leases_.erase(load.key);
  }

  void read(LoadingClient& client, const std::string& key) {
    const std::string ms = std::to_string(kLease);
    const CacheAnswer answer =
        parse_answer(ask(client, {"CACHE.GET", key, "LEASE", ms, "WAIT", "30"}));
    if (answer.state == "HIT") {
      EXPECT_EQ(answer.value, std::to_string(database_[key]));
      return;
    }
    if (answer.state != "LOAD") return;
    const auto held = leases_.find(key);
    // A message takes a moment to come back.
    EXPECT_TRUE(held == leases_.end() || world_.now() >= held->second - 10'000)
        << "two live leases of " << key;
    EXPECT_TRUE(tokens_.insert(answer.number).second) << "a token was given twice";
    leases_[key] = world_.now() + kLease * 1000;
    client.loads.push_back({key, answer.number, database_[key]});
  }

  void bring(LoadingClient& client) {
    if (client.loads.empty()) return;
    const Load load = client.loads.back();
    client.loads.pop_back();
    const std::string answer = ask(client, {"SET", load.key, std::to_string(load.read), "PX", "200",
                                            "LEASE", std::to_string(load.token)});
    if (answer != "+OK\r\n") return;
    EXPECT_EQ(load.read, database_[load.key]) << "an old value was stored";
    leases_.erase(load.key);
  }

  SimWorld world_;
  std::vector<std::unique_ptr<SimServer>> nodes_;
  int leader_ = 0;
  std::vector<LoadingClient> clients_;
  std::map<std::string, int> database_;
  std::map<std::string, Instant> leases_;  // until when, as their readers know
  std::set<int64_t> tokens_;
};

TEST(CacheLoads, NoTwoLoadAndNothingOldIsStored) {
  for (uint64_t round = 0; round < run_rounds(); ++round) {
    Loads(run_seed() + round).run();
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << "seed " << run_seed() + round;
      return;
    }
  }
}

}  // namespace
}  // namespace ouro
