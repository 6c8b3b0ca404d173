// SPDX-License-Identifier: BSD-3-Clause
// A primary whose writes wait for one of two replicas, and whatever may happen to it: it loses its
// power, or the way to one or both of them, in one direction or in both; one of them is late. Then
// the replica that is furthest leads. What was acknowledged, by whom and whenever, is there, and
// so is what anybody has read.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <string>

#include "datastructs/codec/number_text.h"
#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

constexpr int kPrimary = 0;
constexpr std::array<int, 2> kReplicas = {1, 2};
constexpr size_t kKeys = 5;

std::string key_of(size_t number) { return "key:" + std::to_string(number); }

// What clients know of each key, whose values only grow: what they were told is the least that
// everybody must find from then on.
using Promises = std::array<int64_t, kKeys>;

// A client that writes or reads, several commands ahead, and comes again when it is closed.
class Talker {
 public:
  Talker(SimWorld& world, Promises& promises, bool writes)
      : world_(world), promises_(promises), writes_(writes) {}

  // `next`: the value that was written last of each key.
  void act(Promises& next) {
    if (!client_ || client_->has_ended()) {
      client_ = std::make_unique<SimClient>(world_, kPrimary);
      asked_.clear();
    }
    while (asked_.size() < 1 + world_.prng().below(6)) {
      const size_t key = world_.prng().below(kKeys);
      const int64_t value = writes_ ? ++next[key] : 0;
      client_->send(writes_ ? resp_command({"SET", key_of(key), std::to_string(value)})
                            : resp_command({"GET", key_of(key)}));
      asked_.push_back({key, value});
    }
  }
  void hear() {
    if (!client_) return;
    for (std::string reply = client_->take_reply(); !reply.empty(); reply = client_->take_reply()) {
      const Asked asked = asked_.front();
      asked_.pop_front();
      if (reply.starts_with("-") || reply == "$-1\r\n") continue;
      ++answered_;
      const int64_t seen = writes_ ? asked.value : value_of(reply);
      promises_[asked.key] = std::max(promises_[asked.key], seen);
    }
  }
  size_t answered() const { return answered_; }

  static int64_t value_of(ByteView reply) {
    const size_t at = reply.find('\n') + 1;
    return parse_int64(reply.substr(at, reply.size() - at - 2)).value_or(0);
  }

 private:
  struct Asked {
    size_t key;
    int64_t value;
  };
  SimWorld& world_;
  Promises& promises_;
  bool writes_;
  std::unique_ptr<SimClient> client_;
  std::deque<Asked> asked_;
  size_t answered_ = 0;
};

class Scenario {
 public:
  explicit Scenario(uint64_t seed) : world_(seed) {
    for (int i = 0; i < 3; ++i) {
      servers_.push_back(std::make_unique<SimServer>(world_.add_machine(), [&](Options& options) {
        ReplicationOptions& replication = options.engine.replication;
        replication.repl_diskless_sync_delay_seconds = 0;
        replication.semi_sync_acks = i == kPrimary ? 1 : 0;
        replication.semi_sync_timeout = 300;
        options.app.protected_mode = false;
      }));
    }
  }

  // False if something was lost; says what.
  ::testing::AssertionResult run() {
    const std::string host = SimNet::address_of(kPrimary, 6379).host();
    for (const int replica : kReplicas) SimClient(world_, replica).ask({"REPLICAOF", host, "6379"});
    const auto is_up = [&] {
      return engine(1).replication.primary.is_up() && engine(2).replication.primary.is_up();
    };
    if (!world_.run_until(is_up, 30'000)) return ::testing::AssertionFailure() << "no replicas";
    talk(100 + world_.prng().below(200));
    const size_t before = answered();
    break_something();
    talk(1 + world_.prng().below(300));
    if (world_.prng().below(2) == 0) heal();
    talk(1 + world_.prng().below(200));
    const int leader = promote();
    // Whoever was left behind does not know, and goes on.
    talk(100);
    if (before == 0) return ::testing::AssertionFailure() << "nothing was answered";
    return finds_all(leader);
  }

 private:
  Engine& engine(int number) { return servers_[static_cast<size_t>(number)]->engine(); }
  size_t answered() const {
    size_t sum = 0;
    for (const Talker& talker : talkers_) sum += talker.answered();
    return sum;
  }

  void talk(uint64_t steps) {
    for (uint64_t i = 0; i < steps; ++i) {
      if (is_alive_) talkers_[world_.prng().below(talkers_.size())].act(written_);
      world_.run_for(static_cast<Micros>(world_.prng().below(3000)));
      for (Talker& talker : talkers_) talker.hear();
    }
  }

  void break_something() {
    SimNet& net = world_.net();
    const int one = kReplicas[world_.prng().below(2)];
    switch (world_.prng().below(6)) {
      case 0:
        is_alive_ = false;
        world_.machine(kPrimary).crash(CrashKeeps::kNothing);
        return servers_[kPrimary].reset();
      case 1:
        for (const int replica : kReplicas) net.cut(kPrimary, replica);
        return;
      case 2:
        for (const int replica : kReplicas) net.cut(replica, kPrimary);
        return;
      case 3:
        for (const int replica : kReplicas) {
          net.cut(kPrimary, replica);
          net.cut(replica, kPrimary);
        }
        return;
      case 4:
        return net.cut(kPrimary, one);
      default:
        return net.cut(one, kPrimary);
    }
  }
  void heal() {
    for (const int replica : kReplicas) {
      world_.net().heal(kPrimary, replica);
      world_.net().heal(replica, kPrimary);
    }
  }

  // First neither follows the old primary any more, then the furthest of them leads.
  int promote() {
    for (const int replica : kReplicas) SimClient(world_, replica).ask({"REPLICAOF", "NO", "ONE"});
    const auto offset = [&](int number) { return engine(number).replication.history().offset; };
    return offset(1) >= offset(2) ? 1 : 2;
  }

  ::testing::AssertionResult finds_all(int leader) {
    SimClient client(world_, leader);
    for (size_t key = 0; key < kKeys; ++key) {
      const int64_t found = Talker::value_of(client.ask({"GET", key_of(key)}));
      if (found < promises_[key]) {
        return ::testing::AssertionFailure() << key_of(key) << " is " << found << " at " << leader
                                             << ", but somebody was told " << promises_[key];
      }
    }
    return ::testing::AssertionSuccess();
  }

  SimWorld world_;
  std::vector<std::unique_ptr<SimServer>> servers_;
  Promises promises_{};
  Promises written_{};
  std::array<Talker, 3> talkers_ = {Talker(world_, promises_, true),
                                    Talker(world_, promises_, true),
                                    Talker(world_, promises_, false)};
  bool is_alive_ = true;
};

TEST(SemiSync, NothingThatSomebodyWasToldIsLost) {
  constexpr uint64_t kScenarios = 20;
  for (uint64_t i = 0; i < kScenarios * run_rounds(); ++i) {
    Scenario scenario(run_seed() + i);
    ASSERT_TRUE(scenario.run()) << "scenario " << i;
  }
}

}  // namespace
}  // namespace ouro
