// SPDX-License-Identifier: BSD-3-Clause
// The swarm: clients with random commands over a random network, which come, pause, break and go,
// while the wall clock steps. After each run: the server lives, every client that stayed has got
// each of its replies in order, the databases are sound, and the memory is given back.
//
// The same seed is the same run. Not with maxmemory: what is evicted depends on the sizes of
// blocks, which are the allocator's choice.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"
#include "sim/workload.h"

namespace ouro {
namespace {

class Member {
 public:
  Member(SimWorld& world, uint64_t id_in) : client(world), id(id_in) {
    client.send("HELLO 3\r\n");
    expected_.push_back({.command = "HELLO 3", .text = {}});
  }
  void send(const WorkUnit& unit) {
    client.send(unit.bytes);
    expected_.insert(expected_.end(), unit.replies.begin(), unit.replies.end());
  }
  // Compares what has come.
  void check() {
    for (std::string reply = client.take_reply(); !reply.empty(); reply = client.take_reply()) {
      if (reply[0] == '>') continue;
      ASSERT_FALSE(expected_.empty()) << id << " got more: " << reply.substr(0, 100);
      const AwaitedReply awaited = std::move(expected_.front());
      expected_.pop_front();
      const bool is_right = !awaited.text || reply == *awaited.text;
      ASSERT_TRUE(is_right) << "client " << id << ": " << reply.substr(0, 200)
                            << "\nwas the answer to " << awaited.command << "\nafter " << before_;
      before_ = awaited.command + "-> " + reply.substr(0, 200);
    }
  }
  bool is_answered() const { return expected_.empty(); }
  size_t unanswered() const { return expected_.size(); }

  SimClient client;
  const uint64_t id;

 private:
  std::deque<AwaitedReply> expected_;
  std::string before_;  // the last command, and its reply
};

StreamPolicy draw_policy(Prng& prng) {
  constexpr StreamPolicy::Cut kCuts[] = {StreamPolicy::Cut::kWhole, StreamPolicy::Cut::kRandom,
                                         StreamPolicy::Cut::kRandom};
  return {.cut = kCuts[prng.below(3)],
          .run_max = size_t{64} << prng.below(11),
          .gap = static_cast<Micros>(1 + prng.below(50)),
          .delay_min = 10,
          .delay_max = static_cast<Micros>(10 + prng.below(2000)),
          .buffer_bytes = 4_KiB << prng.below(8)};
}

class Swarm {
 public:
  Swarm(uint64_t seed, uint64_t maxmemory)
      : world_(seed),
        machine_(world_.add_machine()),
        server_(machine_,
                [&](Options& options) {
                  options.engine.maxmemory = maxmemory;
                  options.engine.maxmemory_policy = EvictionPolicy::kAllkeysLru;
                  options.engine.notify_keyspace_events = seed % 2 == 0 ? "KEA" : "";
                }),
        workload_(world_.prng(), maxmemory == 0) {}

  void run(int steps) {
    serve_one();
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
      if (i % 500 == 0) server_.check_invariants();
      if (i % 300 == 0) world_.net().set_policies(draw_policy(prng()), draw_policy(prng()));
      step();
    }
    finish();
  }
  uint64_t trace_hash() const { return world_.trace_hash(); }

 private:
  static constexpr size_t kMembersMax = 12;

  Prng& prng() { return world_.prng(); }

  void serve_one() {
    SimClient first(world_);
    EXPECT_EQ(first.ask({"PING"}), "+PONG\r\n");
    first.close();
    world_.run_for(1'000'000);
    idle_bytes_ = server_.used_bytes();
  }

  void step() {
    if (prng().below(3) == 0) world_.run_for(static_cast<Micros>(prng().below(3000)));
    if (prng().below(400) == 0) {
      machine_.step_wall_clock(static_cast<Millis>(prng().below(20'000)) - 5000);
    }
    if (members_.size() < kMembersMax && prng().below(4) == 0) {
      members_.push_back(std::make_unique<Member>(world_, ++ids_));
    }
    if (members_.empty()) return;
    const size_t index = prng().below(members_.size());
    Member& member = *members_[index];
    member.check();
    bool goes = member.client.has_ended();
    switch (prng().below(60)) {
      case 0:
        member.client.reset();
        goes = true;
        break;
      case 1:
        goes = true;
        break;
      case 2:
      case 3:
        member.client.pause_reading();
        break;
      case 4:
      case 5:
      case 6:
        member.client.resume_reading();
        break;
      default:
        if (member.client.unsent() < 100'000) member.send(workload_.draw(member.id));
    }
    if (goes) members_.erase(members_.begin() + static_cast<ptrdiff_t>(index));
  }

  // Everybody reads to the end and goes.
  void finish() {
    if (testing::Test::HasFatalFailure()) return;
    for (const auto& member : members_) member->client.resume_reading();
    for (const auto& member : members_) {
      const bool answered = world_.run_until(
          [&] {
            member->check();
            return testing::Test::HasFatalFailure() || member->is_answered() ||
                   member->client.has_ended();
          },
          60'000);
      EXPECT_TRUE(answered) << member->unanswered() << " replies are missing, "
                            << member->client.unsent() << " bytes not sent";
    }
    members_.clear();
    EXPECT_TRUE(world_.run_until([&] { return server_.clients() == 0; }, 10'000));
    server_.check_invariants();
    SimClient last(world_);
    EXPECT_EQ(last.ask({"SLOWLOG", "RESET"}), "+OK\r\n");
    EXPECT_EQ(last.ask({"FLUSHALL"}), "+OK\r\n");
    last.close();
    world_.run_for(3'000'000);
    // Nothing but what an empty server holds, and arrays that grew with the load.
    EXPECT_LE(server_.used_bytes(), idle_bytes_ + 128_KiB);
  }

  SimWorld world_;
  SimMachine& machine_;
  SimServer server_;
  Workload workload_;
  std::vector<std::unique_ptr<Member>> members_;
  uint64_t ids_ = 0;
  size_t idle_bytes_ = 0;  // what the server holds when it has served somebody
};

uint64_t run_swarm(uint64_t seed, int steps, uint64_t maxmemory = 0) {
  SCOPED_TRACE(testing::Message() << "swarm seed " << seed);
  Swarm swarm(seed, maxmemory);
  swarm.run(steps);
  return swarm.trace_hash();
}

#ifdef __SANITIZE_ADDRESS__
constexpr int kRuns = 10;
#else
constexpr int kRuns = 60;
#endif

TEST(Swarm, GetsItsRepliesInOrder) {
  for (int i = 0; i < kRuns && !HasFailure(); ++i) {
    run_swarm(run_seed() + static_cast<uint64_t>(i), 6000);
  }
}

TEST(Swarm, GetsItsRepliesInOrderWhileKeysAreEvicted) {
  for (int i = 0; i < kRuns / 2 && !HasFailure(); ++i) {
    run_swarm(run_seed() + static_cast<uint64_t>(i), 4000, 1_MiB);
  }
}

TEST(Swarm, TheSameSeedIsTheSameRun) {
  const uint64_t hash = run_swarm(run_seed(), 3000);
  EXPECT_EQ(run_swarm(run_seed(), 3000), hash);
  EXPECT_NE(run_swarm(run_seed() + 1, 3000), hash);
}

}  // namespace
}  // namespace ouro
