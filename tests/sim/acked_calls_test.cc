// SPDX-License-Identifier: BSD-3-Clause
// CLIENT ACKS: a call whose reply waits for as many replicas as it says, whatever semi-sync-acks
// says. Replicas stand still for a while; a reply comes when enough of the others have the write,
// not before, in its order, and nobody else notices.
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

constexpr ByteView kOk = "+OK\r\n";
constexpr Micros kShort = 30'000;  // far more than a way to a replica and back
constexpr Micros kStill = 400'000;
constexpr Micros kTimeout = 1'000'000;

using Words = std::initializer_list<ByteView>;

// A primary and its replicas, all of which are there.
class Group {
 public:
  Group(int replicas, uint64_t acks, const SimServer::Change& change = {}) {
    for (int i = 0; i <= replicas; ++i) {
      servers.push_back(std::make_unique<SimServer>(world.add_machine(), [&](Options& options) {
        options.engine.replication.repl_diskless_sync_delay_seconds = 0;
        options.engine.replication.semi_sync_timeout = kTimeout / 1000;
        options.app.protected_mode = false;
        if (i == 0) options.engine.replication.semi_sync_acks = acks;
        if (i == 0 && change) change(options);
      }));
    }
    const std::string host = SimNet::address_of(0, 6379).host();
    for (int i = 1; i <= replicas; ++i) SimClient(world, i).ask({"REPLICAOF", host, "6379"});
    EXPECT_TRUE(world.run_until(
        [&] { return engine(0).replication.count_acked(1) == servers.size() - 1; }, 30'000));
    world.run_for(2'000'000);
  }

  Engine& engine(size_t number = 0) { return servers[number]->engine(); }
  void still(size_t number, Micros span = kStill) { world.machine(number).stand_still(span); }

  SimWorld world{run_seed()};
  std::vector<std::unique_ptr<SimServer>> servers;
};

// Sends all at once.
void pipeline(SimClient& client, std::initializer_list<Words> commands) {
  std::string bytes;
  for (const Words& words : commands) bytes += resp_command(words);
  client.send(bytes);
}

std::string taken_after(Group& group, SimClient& client, Micros span) {
  group.world.run_for(span);
  return client.take();
}

TEST(AckedCalls, WithoutSemiSyncOneCallWaitsAndNobodyElse) {
  Group group(2, 0);
  SimClient client(group.world), other(group.world);
  group.still(2);
  pipeline(client, {{"SET", "k", "1"}, {"CLIENT", "ACKS", "2"}, {"SET", "k", "2"}, {"GET", "k"}});
  EXPECT_EQ(taken_after(group, client, kShort), "+OK\r\n+OK\r\n");
  // What stands behind it has not run; others see what it wrote.
  EXPECT_EQ(other.ask({"GET", "k"}), "$1\r\n2\r\n");
  EXPECT_EQ(other.ask({"SET", "k", "3"}), kOk);
  EXPECT_NE(other.ask({"CLIENT", "LIST"}).find(" flags=b "), std::string::npos);
  EXPECT_EQ(taken_after(group, client, kStill / 2), "");
  EXPECT_EQ(taken_after(group, client, kStill), "+OK\r\n$1\r\n3\r\n");
  // It was said of one call.
  group.still(2);
  EXPECT_EQ(client.ask({"SET", "k", "4"}), kOk);
}

TEST(AckedCalls, AReplyComesWithTheLastAcknowledgementThatItNeeds) {
  Group group(3, 0);
  SimClient client(group.world);
  group.still(2, 200'000);
  group.still(3, 400'000);
  const Instant began = group.world.now();
  const auto answered_at = [&](ByteView acks) {
    pipeline(client, {{"CLIENT", "ACKS", acks}, {"SET", "k", acks}});
    EXPECT_TRUE(
        group.world.run_until([&] { return client.received() == "+OK\r\n+OK\r\n"; }, 5'000));
    client.take();
    return group.world.now() - began;
  };
  EXPECT_LT(answered_at("0"), 1000);
  EXPECT_LT(answered_at("1"), 2000);
  const Instant of_two = answered_at("2");
  EXPECT_GE(of_two, 200'000);
  EXPECT_LT(of_two, 202'000);
  const Instant of_three = answered_at("3");
  EXPECT_GE(of_three, 400'000);
  EXPECT_LT(of_three, 402'000);
}

TEST(AckedCalls, FewerThanSemiSyncAsksForReleaseTheReplyOfTheCallAlone) {
  Group group(2, 2);
  SimClient client(group.world), other(group.world), reader(group.world);
  group.still(2);
  pipeline(client, {{"CLIENT", "ACKS", "1"}, {"SET", "a", "1"}});
  EXPECT_EQ(taken_after(group, client, kShort), "+OK\r\n+OK\r\n");
  pipeline(client, {{"CLIENT", "ACKS", "0"}, {"SET", "b", "1"}, {"SET", "c", "1"}});
  // What others read has its own rule, and so has what it says next.
  reader.send(resp_command({"GET", "b"}));
  EXPECT_EQ(taken_after(group, client, kShort), "+OK\r\n+OK\r\n");
  EXPECT_EQ(reader.take(), "");
  // Nor does it overtake what was said before it on its connection.
  pipeline(other, {{"SET", "d", "1"}, {"CLIENT", "ACKS", "0"}, {"SET", "e", "1"}, {"GET", "d"}});
  EXPECT_EQ(taken_after(group, other, kShort), "");
  EXPECT_EQ(taken_after(group, other, kStill), "+OK\r\n+OK\r\n+OK\r\n$1\r\n1\r\n");
  EXPECT_EQ(client.take(), kOk);
  EXPECT_EQ(reader.take(), "$1\r\n1\r\n");
}

TEST(AckedCalls, MoreThanSemiSyncAsksForHoldTheReplyOfTheCallAlone) {
  Group group(3, 1);
  SimClient client(group.world), other(group.world);
  group.still(3);
  pipeline(client, {{"SET", "a", "1"},
                    {"CLIENT", "ACKS", "1"},
                    {"SET", "a", "2"},
                    {"CLIENT", "ACKS", "3"},
                    {"GET", "a"},
                    {"SET", "a", "4"}});
  EXPECT_EQ(taken_after(group, client, kShort), "+OK\r\n+OK\r\n+OK\r\n+OK\r\n");
  EXPECT_EQ(other.ask({"GET", "a"}), "$1\r\n2\r\n");
  EXPECT_EQ(taken_after(group, client, kStill), "$1\r\n2\r\n+OK\r\n");
}

TEST(AckedCalls, ATransactionIsOneCall) {
  Group group(2, 0);
  SimClient client(group.world);
  group.still(2);
  pipeline(client, {{"CLIENT", "ACKS", "2"}, {"MULTI"}, {"SET", "a", "1"}, {"SET", "b", "2"}});
  EXPECT_EQ(taken_after(group, client, kShort), "+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n");
  pipeline(client, {{"EXEC"}, {"GET", "a"}});
  EXPECT_EQ(taken_after(group, client, kShort), "");
  EXPECT_EQ(taken_after(group, client, kStill), "*2\r\n+OK\r\n+OK\r\n$1\r\n1\r\n");
  // With fewer than semi-sync asks for it leaves as one, too.
  SimClient(group.world).ask({"CONFIG", "SET", "semi-sync-acks", "2"});
  group.world.run_for(1'000'000);
  group.still(2);
  pipeline(client, {{"CLIENT", "ACKS", "0"}, {"MULTI"}, {"SET", "a", "1"}, {"GET", "a"}, {"EXEC"}});
  EXPECT_EQ(taken_after(group, client, kShort),
            "+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n$1\r\n1\r\n");
  EXPECT_EQ(taken_after(group, client, kStill), "");
  // DISCARD ends it as EXEC does.
  pipeline(client, {{"CLIENT", "ACKS", "2"}, {"MULTI"}, {"DISCARD"}});
  EXPECT_EQ(taken_after(group, client, kShort), "+OK\r\n+OK\r\n+OK\r\n");
  group.still(2);
  pipeline(client, {{"CLIENT", "ACKS", "0"}, {"MULTI"}, {"DISCARD"}, {"SET", "a", "1"}});
  EXPECT_EQ(taken_after(group, client, kShort), "+OK\r\n+OK\r\n+OK\r\n");
}

TEST(AckedCalls, ACallThatHasWaitedForAKeyWaitsForReplicasThen) {
  Group group(2, 0);
  SimClient client(group.world), other(group.world);
  pipeline(client, {{"CLIENT", "ACKS", "2"}, {"BLPOP", "list", "0"}, {"PING"}});
  EXPECT_EQ(taken_after(group, client, kShort), kOk);
  group.still(2);
  EXPECT_EQ(other.ask({"RPUSH", "list", "x"}), ":1\r\n");
  EXPECT_EQ(taken_after(group, client, kShort), "");
  EXPECT_EQ(other.ask({"EXISTS", "list"}), ":0\r\n");
  EXPECT_EQ(taken_after(group, client, kStill), "*2\r\n$4\r\nlist\r\n$1\r\nx\r\n+PONG\r\n");
}

TEST(AckedCalls, MessagesStandBehindAReplyThatWaits) {
  Group group(2, 0);
  SimClient client(group.world), other(group.world);
  client.ask({"SUBSCRIBE", "before"});
  group.still(2);
  SimClient late(group.world);
  other.ask({"SET", "k", "1"});
  pipeline(late, {{"CLIENT", "ACKS", "2"}, {"SUBSCRIBE", "ch"}});
  group.world.run_for(kShort);
  EXPECT_EQ(other.ask({"PUBLISH", "ch", "m"}), ":1\r\n");
  EXPECT_EQ(other.ask({"PUBLISH", "before", "m"}), ":1\r\n");
  EXPECT_EQ(taken_after(group, late, kShort), kOk);
  EXPECT_NE(taken_after(group, client, kShort), "");
  EXPECT_EQ(taken_after(group, late, kStill),
            "*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n"
            "*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$1\r\nm\r\n");
}

TEST(AckedCalls, WhereTheReplicasDoNotComeThePolicyDecides) {
  for (const uint64_t acks : {0U, 1U}) {
    Group group(2, acks);
    SimClient client(group.world), second(group.world), control(group.world);
    group.still(2, 10 * kTimeout);
    pipeline(client, {{"SET", "k", "0"}, {"CLIENT", "ACKS", "2"}, {"SET", "k", "1"}});
    pipeline(second, {{"CLIENT", "ACKS", "2"}, {"GET", "k"}});
    EXPECT_EQ(taken_after(group, client, kTimeout - kShort), "+OK\r\n+OK\r\n");
    EXPECT_FALSE(client.has_ended());
    group.world.run_for(2 * kShort);
    EXPECT_TRUE(client.has_ended());
    EXPECT_TRUE(second.has_ended());
    EXPECT_EQ(client.take(), "");
    // The write has happened; nobody was told a false no.
    EXPECT_EQ(control.ask({"GET", "k"}), "$1\r\n1\r\n");
    EXPECT_EQ(group.engine().acked_calls.timeouts(), 2U);

    control.ask({"CONFIG", "SET", "semi-sync-timeout-policy", "degrade"});
    SimClient third(group.world);
    pipeline(third, {{"CLIENT", "ACKS", "2"}, {"SET", "k", "2"}, {"GET", "k"}});
    EXPECT_EQ(taken_after(group, third, kTimeout - kShort), kOk);
    EXPECT_EQ(taken_after(group, third, 2 * kShort), "+OK\r\n$1\r\n2\r\n");
    EXPECT_EQ(group.engine().acked_calls.timeouts(), 3U);
    EXPECT_EQ(group.engine().acked_calls.waiting(), 0U);
    size_t told = 0;
    for (const std::string& line : group.servers[0]->log().lines) {
      if (line.starts_with("CLIENT ACKS: fewer than 2 replicas")) ++told;
    }
    EXPECT_EQ(told, 1U) << "until it works again";
  }
}

TEST(AckedCalls, OurOwnDiskIsWaitedForWhateverIsSaid) {
  Group group(1, 1, [](Options& options) {
    options.aof.appendonly = true;
    options.aof.appendfsync = AppendFsync::kAlways;
  });
  SimClient client(group.world);
  for (int i = 0; i < 20; ++i) {
    pipeline(client, {{"CLIENT", "ACKS", "0"}, {"INCR", "n"}});
    const std::string answer = "+OK\r\n:" + std::to_string(i + 1) + "\r\n";
    ASSERT_TRUE(group.world.run_until([&] { return client.received() == answer; }, 1'000));
    client.take();
    EXPECT_GE(group.engine().persistence.log_durable_to, group.engine().commit.log_end());
  }
}

TEST(AckedCalls, WhatIsRefusedIsToldAtOnce) {
  Group group(2, 2);
  SimClient client(group.world);
  EXPECT_TRUE(client.ask({"CLIENT", "ACKS", "x"}).starts_with("-ERR value is not an integer"));
  for (const ByteView number : {"-1", "65"}) {
    EXPECT_EQ(client.ask({"CLIENT", "ACKS", number}),
              "-ERR CLIENT ACKS takes a number of replicas from 0 to 64\r\n");
  }
  SimClient replica(group.world, 1);
  EXPECT_EQ(replica.ask({"CLIENT", "ACKS", "1"}),
            "-ERR CLIENT ACKS cannot be used with replica instances\r\n");
  EXPECT_TRUE(client.ask({"EVAL", "return redis.call('client', 'acks', 1)", "0"})
                  .starts_with("-ERR This Redis command is not allowed from script"));
  client.ask({"MULTI"});
  EXPECT_EQ(client.ask({"CLIENT", "ACKS", "1"}),
            "-ERR Command not allowed inside a transaction\r\n");
  EXPECT_TRUE(client.ask({"EXEC"}).starts_with("-EXECABORT"));
  // The lease has lapsed: what is not done waits for nobody, and 0 does not lead where another may.
  group.still(1, 20 * kTimeout);
  group.world.run_for(2 * kTimeout);
  for (const ByteView number : {"0", "2"}) {
    EXPECT_EQ(client.ask({"CLIENT", "ACKS", number}), kOk);
    const Instant began = group.world.now();
    EXPECT_TRUE(client.ask({"SET", "k", "1"}).starts_with("-READONLY Too few replicas"));
    EXPECT_LT(group.world.now() - began, kShort);
  }
  // It was used up by the call that was refused.
  EXPECT_EQ(client.ask({"PING"}), "+PONG\r\n");
}

TEST(AckedCalls, AnotherRoleEndsWhatWaits) {
  Group group(2, 0);
  SimClient waits(group.world), said(group.world), unblocked(group.world), control(group.world);
  group.still(2);
  pipeline(waits, {{"CLIENT", "ACKS", "2"}, {"SET", "k", "1"}});
  pipeline(said, {{"CLIENT", "ACKS", "1"}});
  pipeline(unblocked, {{"CLIENT", "ACKS", "1"}, {"BLPOP", "list", "0"}});
  group.world.run_for(kShort);
  control.ask({"REPLICAOF", SimNet::address_of(1, 6379).host(), "6379"});
  group.world.run_for(kShort);
  EXPECT_TRUE(waits.has_ended());
  EXPECT_EQ(waits.take(), kOk);
  EXPECT_TRUE(unblocked.take().starts_with("+OK\r\n-UNBLOCKED"));
  EXPECT_TRUE(said.take() == kOk && !said.has_ended());
  said.send(resp_command({"PING"}));
  group.world.run_for(kShort);
  EXPECT_TRUE(said.has_ended());
  EXPECT_EQ(said.take(), "");
}

TEST(AckedCalls, WhoGoesWhileItWaitsLeavesNothing) {
  Group group(2, 0);
  group.still(2);
  for (int i = 0; i < 5; ++i) {
    SimClient client(group.world);
    pipeline(client, {{"CLIENT", "ACKS", "2"}, {"SET", "k", "1"}, {"SET", "k", "2"}});
    group.world.run_for(kShort);
    EXPECT_EQ(group.engine().acked_calls.waiting(), 1U);
    client.reset();
    group.world.run_for(kShort);
    EXPECT_EQ(group.engine().acked_calls.waiting(), 0U);
  }
  // One that only has no more to say is answered to the end.
  SimClient half(group.world);
  group.still(2);
  pipeline(half, {{"CLIENT", "ACKS", "2"}, {"SET", "k", "1"}, {"SET", "k", "2"}});
  group.world.run_for(kShort);
  half.shutdown_write();
  EXPECT_EQ(taken_after(group, half, 2 * kStill), "+OK\r\n+OK\r\n+OK\r\n");
  EXPECT_TRUE(half.has_ended());
  SimClient silent(group.world);
  group.still(2);
  pipeline(silent, {{"CLIENT", "REPLY", "OFF"}, {"CLIENT", "ACKS", "2"}, {"SET", "k", "3"}});
  silent.send(resp_command({"SET", "k", "4"}));
  EXPECT_EQ(SimClient(group.world).ask({"GET", "k"}), "$1\r\n3\r\n");
  group.world.run_for(2 * kStill);
  EXPECT_EQ(SimClient(group.world).ask({"GET", "k"}), "$1\r\n4\r\n");
  SimClient reset(group.world);
  group.still(2);
  pipeline(reset, {{"CLIENT", "ACKS", "2"}, {"RESET"}, {"SET", "k", "5"}});
  EXPECT_EQ(taken_after(group, reset, kShort), "+OK\r\n+RESET\r\n+OK\r\n");
}

// A client that counts up, each call with another number of replicas or with none said: when it
// hears of a number, at least so many replicas have counted so far.
class Counter {
 public:
  Counter(Group& group, size_t acks, std::string key)
      : group_(group), acks_(acks), key_(std::move(key)), client_(group.world) {}

  void act() {
    Prng& prng = group_.world.prng();
    std::string bytes;
    while (asked_.size() < 1 + prng.below(6)) {
      size_t wanted = acks_;
      if (prng.below(2) == 0) {
        wanted = prng.below(group_.servers.size());
        bytes += resp_command({"CLIENT", "ACKS", std::to_string(wanted)});
        asked_.push_back({false, 0});
      }
      bytes += resp_command({"INCR", key_});
      asked_.push_back({true, wanted});
    }
    if (!bytes.empty()) client_.send(bytes);
  }
  void hear() {
    for (std::string reply = client_.take_reply(); !reply.empty(); reply = client_.take_reply()) {
      const Asked asked = asked_.front();
      asked_.pop_front();
      if (!asked.counts) {
        ASSERT_EQ(reply, kOk);
        continue;
      }
      ASSERT_EQ(reply, ':' + std::to_string(++heard_) + "\r\n");
      size_t have = 0;
      for (size_t i = 1; i < group_.servers.size(); ++i) have += counted(i) >= heard_;
      ASSERT_GE(have, asked.wanted) << key_ << " is " << heard_;
    }
  }
  int64_t heard() const { return heard_; }
  bool has_ended() const { return client_.has_ended(); }

 private:
  struct Asked {
    bool counts;
    size_t wanted;
  };
  int64_t counted(size_t replica) {
    Keyspace& db = group_.engine(replica).dbs[0];
    const Entry* entry = db.find(db.key(key_));
    return entry == nullptr ? 0 : entry->integer();
  }

  Group& group_;
  size_t acks_;
  std::string key_;
  SimClient client_;
  std::deque<Asked> asked_;
  int64_t heard_ = 0;
};

TEST(AckedCalls, NobodyHearsOfWhatFewerHaveThanItAskedFor) {
  for (size_t acks = 0; acks <= 2; ++acks) {
    Group group(3, acks);
    std::deque<Counter> counters;
    for (const char* key : {"a", "b", "c"}) counters.emplace_back(group, acks, key);
    Prng& prng = group.world.prng();
    for (int i = 0; i < 3000 && !HasFatalFailure(); ++i) {
      counters[prng.below(counters.size())].act();
      if (prng.below(60) == 0)
        group.still(1 + prng.below(3), static_cast<Micros>(prng.below(90'000)));
      group.world.run_for(static_cast<Micros>(prng.below(3000)));
      for (Counter& counter : counters) counter.hear();
    }
    group.world.run_for(500'000);
    for (Counter& counter : counters) {
      counter.hear();
      EXPECT_GT(counter.heard(), 100);
      EXPECT_FALSE(counter.has_ended());
    }
    EXPECT_EQ(group.engine().acked_calls.waiting(), 0U);
  }
}

}  // namespace
}  // namespace ouro
