// SPDX-License-Identifier: BSD-3-Clause
// Members that elect who leads, whatever happens: machines lose their power and what they had, ways
// between them are cut, in one direction or in both, some are slow; anybody is asked to lead or to
// follow at any time. What was acknowledged is there whoever leads later, and nobody reads a value
// below one that somebody was told before the read was sent.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "datastructs/codec/number_text.h"
#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

constexpr size_t kKeys = 4;
constexpr uint16_t kPort = 6379;

std::string key_of(size_t number) { return "key:" + std::to_string(number); }
std::string host_of(int machine) { return SimNet::address_of(machine, kPort).host(); }
std::string name_of(int machine) { return host_of(machine) + ':' + std::to_string(kPort); }

using Servers = std::vector<std::unique_ptr<SimServer>>;

// Scores only grow (ZADD GT), so whatever is executed late changes nothing: what somebody was told
// of a key is the least that everybody must find from then on.
struct Promises {
  int64_t told[kKeys] = {};
  int64_t next[kKeys] = {};
  std::string broken;  // what was found instead
};

// A client that writes or reads, several commands ahead, and goes to another node when it is
// refused.
class Talker {
 public:
  Talker(SimWorld& world, Promises& promises, const Servers& servers, bool writes)
      : world_(world), promises_(promises), servers_(servers), writes_(writes) {}

  void act() {
    if (!client_ || client_->has_ended() || is_refused_) {
      machine_ = static_cast<int>(world_.prng().below(servers_.size()));
      client_ = std::make_unique<SimClient>(world_, machine_);
      asked_.clear();
      is_refused_ = false;
    }
    while (asked_.size() < 1 + world_.prng().below(5)) {
      const size_t key = world_.prng().below(kKeys);
      const int64_t value = writes_ ? ++promises_.next[key] : 0;
      client_->send(writes_ ? resp_command({"ZADD", key_of(key), "GT", std::to_string(value), "m"})
                            : resp_command({"ZSCORE", key_of(key), "m"}));
      asked_.push_back({key, value, promises_.told[key], leads()});
    }
  }
  void hear() {
    if (!client_ || is_refused_) return;
    for (std::string reply = client_->take_reply(); !reply.empty() && !is_refused_;
         reply = client_->take_reply())
      on_reply(reply);
  }
  size_t answered() const { return answered_; }

  static int64_t score_of(ByteView reply) {
    if (reply == "$-1\r\n") return 0;
    const size_t at = reply.find('\n') + 1;
    return parse_int64(reply.substr(at, reply.size() - at - 2)).value_or(-1);
  }

 private:
  struct Asked {
    size_t key;
    int64_t value;
    int64_t told;
    bool of_leader;
  };

  // What a replica shows is its own affair.
  bool leads() const {
    const auto& server = servers_[static_cast<size_t>(machine_)];
    return server != nullptr && server->engine().replication.leads();
  }

  void on_reply(const std::string& reply) {
    const Asked asked = asked_.front();
    asked_.pop_front();
    if (reply.starts_with("-")) {
      is_refused_ = true;
      return;
    }
    ++answered_;
    if (!writes_ && !(asked.of_leader && leads())) return;
    const int64_t seen = writes_ ? asked.value : score_of(reply);
    if (!writes_ && seen < asked.told && promises_.broken.empty()) {
      promises_.broken = key_of(asked.key) + " was read as " + std::to_string(seen) + " at node " +
                         std::to_string(machine_) + ", but somebody was told " +
                         std::to_string(asked.told);
    }
    promises_.told[asked.key] = std::max(promises_.told[asked.key], seen);
  }

  SimWorld& world_;
  Promises& promises_;
  const Servers& servers_;
  bool writes_;
  int machine_ = 0;
  std::unique_ptr<SimClient> client_;
  std::deque<Asked> asked_;
  bool is_refused_ = false;
  size_t answered_ = 0;
};

class Scenario {
 public:
  // keeps_data: a full sync drops what is here only when it is whole.
  Scenario(uint64_t seed, int members, int acks, bool keeps_data)
      : world_(seed), acks_(acks), keeps_data_(keeps_data) {
    for (int i = 0; i < members; ++i) {
      if (i > 0) names_ += ' ';
      names_ += name_of(i);
    }
    for (int i = 0; i < members; ++i) {
      world_.add_machine();
      servers_.push_back(nullptr);
    }
    for (int i = 0; i < members; ++i) start(i);
    for (int i = 0; i < 4; ++i) talkers_.emplace_back(world_, promises_, servers_, i % 2 == 0);
  }

  // What was broken; empty if nothing was.
  std::string run(uint64_t steps) {
    if (!found()) return "no leader could be founded: " + logs();
    for (uint64_t i = 0; i < steps && promises_.broken.empty(); ++i) {
      talkers_[world_.prng().below(talkers_.size())].act();
      happen();
      world_.run_for(static_cast<Micros>(world_.prng().below(20'000)));
      for (Talker& talker : talkers_) talker.hear();
    }
    if (!promises_.broken.empty()) return promises_.broken + logs();
    return settle();
  }
  size_t answered() const {
    size_t sum = 0;
    for (const Talker& talker : talkers_) sum += talker.answered();
    return sum;
  }

  // How long nobody leads while the lead goes from one to the next; empty if that cannot be said.
  std::string hand_over(Micros& longest) {
    if (!found()) return "no leader could be founded: " + logs();
    longest = 0;
    for (int from = 0; from < size(); ++from) {
      const int to = (from + 1) % size();
      // All have acknowledged just now.
      world_.run_for(1'000'000 + static_cast<Micros>(world_.prng().below(100'000)));
      const Instant began = world_.now();
      say(from, {"FAILOVER", "TO", host_of(to), std::to_string(kPort)});
      if (!world_.run_until([&] { return leads(to); }, 10'000)) return "no switch: " + logs();
      longest = std::max(longest, world_.now() - began);
      const auto all_follow = [&] { return engine(to).replication.replicas().size() + 1; };
      const auto is_whole = [&] { return all_follow() == servers_.size(); };
      if (!world_.run_until(is_whole, 10'000)) return "they do not follow: " + logs();
    }
    return {};
  }
  // What a member answers to who asks for its promise and says that a leadership is over.
  std::string ask_behind(ByteView over) {
    SimClient client(world_, size() - 1);
    client.ask({"REPLCONF", "ouro-over", over});
    return client.ask({"REPLCONF", "ouro-promise", "ouro:99:" + name_of(1)});
  }
  bool begin() { return found(); }
  const std::string& stream() { return engine(0).replication.history().id; }
  bool is_led() { return leads(0); }

  // By which somebody led in the end.
  uint64_t ballots() { return last_ballot_; }

 private:
  int size() const { return static_cast<int>(servers_.size()); }
  int any() { return static_cast<int>(world_.prng().below(servers_.size())); }
  bool is_up(int i) const { return servers_[static_cast<size_t>(i)] != nullptr; }
  Engine& engine(int i) { return servers_[static_cast<size_t>(i)]->engine(); }

  void start(int i) {
    servers_[static_cast<size_t>(i)] =
        std::make_unique<SimServer>(world_.machine(static_cast<size_t>(i)), [&](Options& options) {
          ReplicationOptions& replication = options.engine.replication;
          replication.repl_diskless_sync_delay_seconds = 0;
          replication.semi_sync_acks = static_cast<uint64_t>(acks_);
          replication.semi_sync_timeout = 300;
          if (keeps_data_) replication.repl_diskless_load = DisklessLoad::kSwapDb;
          replication.replica_announce_ip = host_of(i);
          for (int member = 0; member < size(); ++member)
            replication.semi_sync_members.push_back(name_of(member));
          options.app.protected_mode = false;
          options.engine.enable_debug_command = Allowed::kEverybody;
        });
  }

  // By hand, as an operator does at first.
  bool found() {
    SimClient client(world_, 0);
    client.ask({"CONFIG", "SET", "semi-sync-members", ""});
    client.ask({"REPLICAOF", "NO", "ONE"});
    if (client.ask({"CONFIG", "SET", "semi-sync-members", names_}) != "+OK\r\n") return false;
    for (int i = 1; i < size(); ++i)
      SimClient(world_, i).ask({"REPLICAOF", host_of(0), std::to_string(kPort)});
    return world_.run_until(
        [this] {
          for (int i = 1; i < size(); ++i) {
            if (!engine(i).leadership.voter().is_whole()) return false;
          }
          return leads(0);
        },
        30'000);
  }
  bool leads(int i) {
    return is_up(i) && engine(i).replication.leads() && engine(i).leadership.serves() &&
           engine(i).replication.semi_sync().state() == SemiSync::State::kHeld;
  }

  void happen() {
    switch (world_.prng().below(60)) {
      case 0: {
        const int from = any(), to = any();
        if (from != to) world_.net().cut(from, to);
        return;
      }
      case 1: {
        const int alone = any();
        for (int i = 0; i < size(); ++i) {
          if (i == alone) continue;
          world_.net().cut(i, alone);
          world_.net().cut(alone, i);
        }
        return;
      }
      case 2:
      case 3:
        return heal();
      case 4:
        return lose_power(any());
      case 5:
        for (int i = 0; i < size(); ++i) restart(i);
        return;
      case 6:
      case 7:
      case 8:
        return say(any(), {"REPLICAOF", "NO", "ONE"});
      case 9: {
        const int to = any();
        return say(any(), {"REPLICAOF", host_of(to), std::to_string(kPort)});
      }
      case 10: {
        const int to = any();
        if (world_.prng().below(2) == 0)
          return say(any(), {"FAILOVER", "TO", host_of(to), std::to_string(kPort)});
        return say(any(), {"FAILOVER"});
      }
      case 11:
        return say(any(), {"FAILOVER", "ABORT"});
      case 12:
        return world_.machine(static_cast<size_t>(any()))
            .stand_still(static_cast<Micros>(world_.prng().below(900'000)));
      case 13:
        return write_around({"REPLICAOF", "NO", "ONE"});
      case 14: {
        const int to = any();
        return write_around({"REPLICAOF", host_of(to), std::to_string(kPort)});
      }
      default:
        return;
    }
  }

  void heal() {
    for (int from = 0; from < size(); ++from) {
      for (int to = 0; to < size(); ++to) {
        if (from != to) world_.net().heal(from, to);
      }
    }
  }
  // Not while another has not all again: then nobody could lead before an operator decides.
  void lose_power(int i) {
    for (int other = 0; other < size(); ++other) {
      if (other == i) continue;
      if (!is_up(other) || !engine(other).leadership.voter().is_whole()) return;
    }
    if (!is_up(i)) return;
    world_.machine(static_cast<size_t>(i)).crash(CrashKeeps::kNothing);
    servers_[static_cast<size_t>(i)].reset();
  }
  void restart(int i) {
    if (is_up(i)) return;
    world_.machine(static_cast<size_t>(i)).restart();
    start(i);
  }
  // A transaction that writes, has its node change its role, and writes again: what none but this
  // node had would show in the end.
  void write_around(std::initializer_list<ByteView> order) {
    const int i = any();
    say(i, {"MULTI"});
    if (!is_up(i)) return;
    const auto write = [&] { return resp_command({"SADD", "w", std::to_string(++writes_)}); };
    orders_.back()->send(write() + resp_command(order) + write() + resp_command({"EXEC"}));
  }
  // Whoever hears it; nobody waits for the answer.
  void say(int i, std::initializer_list<ByteView> words) {
    if (!is_up(i)) return;
    orders_.push_back(std::make_unique<SimClient>(world_, i));
    orders_.back()->send(resp_command(words));
    if (orders_.size() > 8) orders_.pop_front();
  }

  int leader() {
    for (int i = 0; i < size(); ++i) {
      if (leads(i)) return i;
    }
    return -1;
  }

  // Everything is well again; whoever is asked leads, or another, who has all that was promised.
  std::string settle() {
    heal();
    for (int i = 0; i < size(); ++i) restart(i);
    std::string problem = "nobody leads in the end";
    for (int attempt = 0; attempt < 12 && !problem.empty(); ++attempt) {
      for (int i = 0; i < size(); ++i) say(i, {"FAILOVER", "ABORT"});
      world_.run_for(2'000'000);
      if (leader() < 0) say(attempt % size(), {"REPLICAOF", "NO", "ONE"});
      if (world_.run_until([this] { return leader() >= 0; }, 15'000)) problem = find_all();
      if (problem.starts_with("key:")) break;
    }
    if (!problem.empty() && is_stuck()) return {};
    return problem.empty() ? problem : problem + logs();
  }

  // Too few have all that they acknowledged, since a full sync was broken off: an operator's
  // affair.
  bool is_stuck() {
    int whole = 0;
    for (int i = 0; i < size(); ++i) whole += engine(i).leadership.voter().is_whole() ? 1 : 0;
    return !keeps_data_ && whole < size() - acks_;
  }

  std::string find_all() {
    const int where = leader();
    SimClient client(world_, where);
    for (size_t key = 0; key < kKeys; ++key) {
      const std::string reply = client.ask({"ZSCORE", key_of(key), "m"});
      if (reply.starts_with("-")) return "refused: " + reply;
      if (Talker::score_of(reply) < promises_.told[key]) {
        return key_of(key) + " is " + reply + " at " + std::to_string(where) +
               ", but somebody was told " + std::to_string(promises_.told[key]);
      }
    }
    last_ballot_ = engine(where).leadership.voter().last().counter;
    return compare_with(where);
  }

  // All members come to have what the leader has, and where it has it.
  std::string compare_with(int where) {
    for (int i = 0; i < size(); ++i)
      if (i != where) say(i, {"REPLICAOF", host_of(where), std::to_string(kPort)});
    const auto offset = [&](int i) { return engine(i).replication.history().offset; };
    for (int i = 0; i < size(); ++i) {
      const bool is_there = world_.run_until(
          [&] {
            return leader() != where || ((i == where || engine(i).replication.primary.is_up()) &&
                                         offset(i) == offset(where));
          },
          30'000);
      if (leader() != where) return "the lead has gone on";
      if (!is_there) return "node " + std::to_string(i) + " does not come to follow";
      if (digest(where).starts_with("-")) return "refused: " + digest(where);
      if (digest(i) != digest(where)) return "node " + std::to_string(i) + " has other data";
    }
    return {};
  }
  std::string digest(int i) { return SimClient(world_, i).ask({"DEBUG", "DIGEST"}); }

  std::string logs() {
    std::string text;
    for (int i = 0; i < size(); ++i) {
      text += "\n-- " + std::to_string(i);
      if (!is_up(i)) continue;
      const Voter& voter = engine(i).leadership.voter();
      text += std::string(voter.is_whole() ? " whole" : " not whole") + ", promised " +
              marker_of(voter.promised()) + ", last " + marker_of(voter.last());
      const std::vector<std::string>& lines = servers_[static_cast<size_t>(i)]->log().lines;
      const size_t shown = std::min<size_t>(lines.size(), 40);
      for (size_t n = lines.size() - shown; n < lines.size(); ++n) text += "\n" + lines[n];
    }
    return text;
  }

  SimWorld world_;
  int acks_;
  bool keeps_data_;
  uint64_t last_ballot_ = 0;
  uint64_t writes_ = 0;
  std::string names_;
  Servers servers_;
  Promises promises_;
  std::vector<Talker> talkers_;
  std::deque<std::unique_ptr<SimClient>> orders_;
};

TEST(Election, NothingIsLostWhoeverLeads) {
  constexpr uint64_t kScenarios = 8;
  size_t answered = 0;
  uint64_t ballots = 0;
  for (uint64_t i = 0; i < kScenarios * run_rounds(); ++i) {
    const uint64_t seed = run_seed() + i;
    const bool is_large = seed % 4 == 3;
    Scenario scenario(seed, is_large ? 5 : 3, is_large ? 2 : 1, seed % 3 != 0);
    const std::string broken = scenario.run(2000);
    ASSERT_EQ(broken, "") << "scenario of --seed=" << seed;
    answered += scenario.answered();
    ballots += scenario.ballots();
  }
  // They did have something to lose, and somebody else did lead.
  EXPECT_GT(answered, kScenarios * run_rounds() * 100);
  EXPECT_GT(ballots, kScenarios * run_rounds() * 3);
}

// Their leases last 300 ms.
TEST(Election, AHandOverWaitsForNoLease) {
  constexpr Micros kFewWays = 5'000;
  for (const auto& [members, acks] : {std::pair{3, 1}, {4, 1}, {5, 1}, {5, 2}, {5, 4}, {7, 3}}) {
    Scenario scenario(run_seed(), members, acks, true);
    Micros longest = 0;
    ASSERT_EQ(scenario.hand_over(longest), "") << members << " members";
    EXPECT_LT(longest, kFewWays) << members << " members, " << acks << " acks";
  }
}

// Only the leadership that is over loses its leases.
TEST(Election, ALeaseEndsByTheWordOfAnEndOfItsOwnLeadershipAlone) {
  Scenario scenario(run_seed(), 5, 2, true);
  ASSERT_TRUE(scenario.begin());
  for (const std::string& other : {std::string(40, '0'), std::string("?"), std::string()})
    EXPECT_TRUE(scenario.ask_behind(other).starts_with("-LEASED")) << other;
  EXPECT_TRUE(scenario.ask_behind(scenario.stream()).starts_with("+PROMISED"));
  EXPECT_TRUE(scenario.is_led()) << "one of four promised another the lead";
}

}  // namespace
}  // namespace ouro
