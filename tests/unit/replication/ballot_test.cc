// SPDX-License-Identifier: BSD-3-Clause
#include "replication/ballot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

TEST(Marker, IsReadAsItWasWritten) {
  const Ballot ballot{.counter = Ballot::kCounterMax, .member = "10.0.0.1:6379"};
  EXPECT_EQ(marker_of(ballot), "ouro:4611686018427387904:10.0.0.1:6379");
  EXPECT_EQ(parse_marker(marker_of(ballot)), ballot);
}

TEST(Marker, IsNoOtherWord) {
  for (const char* word :
       {"", "ouro", "ouro:", "ouro:1", "ouro:1:", "ouro:0:a", "ouro::a", "ouro:-1:a",
        "ouro:18446744073709551616:a", "ouro:4611686018427387905:a", "Ouro:1:a", "PING"}) {
    EXPECT_FALSE(parse_marker(word)) << word;
  }
  EXPECT_FALSE(parse_marker("ouro:1:" + std::string(1000, 'a')));
}

TEST(Voter, PromisesOnlyWhatIsHigher) {
  Voter voter;
  EXPECT_EQ(voter.ask({1, "a"}, 0), Voter::Answer::kNotWhole);
  voter.set_whole(true);
  EXPECT_EQ(voter.ask({2, "a"}, 0), Voter::Answer::kPromised);
  EXPECT_EQ(voter.ask({2, "a"}, 0), Voter::Answer::kPromised);
  EXPECT_EQ(voter.ask({1, "z"}, 0), Voter::Answer::kSeenHigher);
  EXPECT_EQ(voter.ask({2, "b"}, 0), Voter::Answer::kPromised);
  EXPECT_EQ(voter.promised(), (Ballot{2, "b"}));
  EXPECT_FALSE(voter.may_acknowledge({2, "a"}));
  EXPECT_TRUE(voter.may_acknowledge({2, "b"}));
  EXPECT_TRUE(voter.may_acknowledge({3, "a"}));
}

TEST(Voter, PromisesNothingWhileSomebodyLeadsForSure) {
  Voter voter;
  voter.set_whole(true);
  voter.grant(100);
  voter.grant(50);
  EXPECT_EQ(voter.ask({1, "a"}, 99), Voter::Answer::kLeased);
  EXPECT_EQ(voter.promised(), Ballot());
  EXPECT_EQ(voter.ask({1, "a"}, 100), Voter::Answer::kPromised);
  voter.grant(300);
  EXPECT_EQ(voter.ask({2, "a"}, 200), Voter::Answer::kLeased);
  voter.end_lease();
  EXPECT_EQ(voter.ask({2, "a"}, 200), Voter::Answer::kPromised);
  // Who leads may begin anew at any time.
  voter.on_log({2, "a"});
  voter.grant(500);
  EXPECT_EQ(voter.ask({3, "b"}, 400), Voter::Answer::kLeased);
  EXPECT_EQ(voter.ask({3, "a"}, 400), Voter::Answer::kPromised);
}

TEST(Voter, IsNotWholeWithoutItsLog) {
  Voter voter(Ballot{3, "b"});
  voter.set_whole(true);
  voter.on_log({3, "b"});
  voter.forget_log();
  EXPECT_EQ(voter.ask({4, "a"}, 0), Voter::Answer::kNotWhole);
  EXPECT_EQ(voter.last(), Ballot());
  EXPECT_FALSE(voter.may_acknowledge({2, "a"}));
}

TEST(Voter, NamesABallotAboveAllItKnows) {
  Voter voter(Ballot{5, "b"});
  EXPECT_EQ(voter.next_of("a"), (Ballot{6, "a"}));
  voter.on_log({7, "c"});
  EXPECT_EQ(voter.next_of("a"), (Ballot{8, "a"}));
}

TEST(Election, OfOneWhoIsFurthestNeedsNoFetch) {
  Election election(3, 1, {4, "a"}, "a", LogEnd{{3, "c"}, 100});
  EXPECT_EQ(election.stage(), Election::Stage::kAsking);
  EXPECT_EQ(election.promises_needed(), 2U);
  election.on_promise("a", {{9, "x"}, 1});  // counts once
  EXPECT_EQ(election.stage(), Election::Stage::kAsking);
  election.on_promise("b", {{3, "c"}, 100});
  EXPECT_EQ(election.stage(), Election::Stage::kMarking);
  election.on_marker_acked();
  EXPECT_EQ(election.stage(), Election::Stage::kLeads);
}

TEST(Election, FetchesWhatAnotherHas) {
  Election election(5, 2, {4, "a"}, "a", LogEnd{{2, "a"}, 900});
  election.on_promise("b", {{3, "b"}, 10});
  election.on_promise("c", {{3, "b"}, 20});
  ASSERT_EQ(election.stage(), Election::Stage::kFetching);
  EXPECT_EQ(election.source(), "c");
  election.on_fetched({{3, "b"}, 19});
  EXPECT_EQ(election.stage(), Election::Stage::kFetching);
  election.on_fetched({{3, "b"}, 20});
  EXPECT_EQ(election.stage(), Election::Stage::kMarking);
}

TEST(Election, OfOneWhoIsNotWholeNeedsOthers) {
  Election election(3, 1, {4, "a"}, "a", std::nullopt);
  election.on_promise("b", {{3, "b"}, 10});
  EXPECT_EQ(election.stage(), Election::Stage::kAsking);
  election.on_promise("c", {{3, "b"}, 5});
  ASSERT_EQ(election.stage(), Election::Stage::kFetching);
  EXPECT_EQ(election.source(), "b");
}

TEST(Election, IsLostToAHigherBallot) {
  Election election(3, 1, {4, "b"}, "b", LogEnd{});
  election.on_seen_higher({4, "a"});
  EXPECT_EQ(election.stage(), Election::Stage::kAsking);
  election.on_seen_higher({4, "c"});
  EXPECT_EQ(election.stage(), Election::Stage::kLost);
  election.on_promise("c", {});
  EXPECT_EQ(election.stage(), Election::Stage::kLost);
}

// ---- a log that several members write: what was acknowledged is in the log of everybody who leads
// later. Messages are late or lost, members stop for a while, several want to lead at once; disks
// lose nothing.

struct Record {
  Ballot ballot;
  int value = 0;
  bool operator==(const Record&) const = default;
};

struct Member {
  std::string name;
  Voter voter;
  std::vector<Record> log;
  std::unique_ptr<Election> election;
  size_t marker_end = 0;           // of the ballot it leads, or wants to
  std::vector<size_t> acked = {};  // by each member, of that ballot
  bool leads() const { return election && election->stage() == Election::Stage::kLeads; }
  LogEnd end() const { return {voter.last(), log.size()}; }
};

struct Message {
  enum class Kind { kAsk, kPromise, kRefusal, kAck } kind;
  size_t from, to;
  Ballot ballot;
  LogEnd end = {};
};

class Cluster {
 public:
  Cluster(size_t members, size_t acks, size_t wrong_quorum, uint64_t seed)
      : acks_(acks), wrong_quorum_(wrong_quorum), prng_(seed), members_(members) {
    for (size_t i = 0; i < members; ++i) {
      members_[i].name = std::string(1, static_cast<char>('a' + i));
      members_[i].voter.set_whole(true);
    }
  }

  // False when an acknowledged write is gone.
  bool run(int steps) {
    for (int step = 0; step < steps && is_well_; ++step) {
      const size_t who = below(members_.size());
      switch (below(8)) {
        case 0:
          if (below(10) == 0) begin_election(who);
          break;
        case 1:
          write(who);
          break;
        case 2:
          fetch(who);
          break;
        case 3:
        case 4:
          replicate(who, below(members_.size()));
          break;
        default:
          deliver();
      }
    }
    return is_well_;
  }
  size_t acknowledged() const { return acknowledged_.size(); }

 private:
  size_t below(size_t bound) { return static_cast<size_t>(prng_.below(bound)); }

  void begin_election(size_t who) {
    Member& me = members_[who];
    const Ballot ballot = me.voter.next_of(me.name);
    if (me.voter.ask(ballot, 0) != Voter::Answer::kPromised) return;
    me.election = std::make_unique<Election>(members_.size(), acks_ + wrong_quorum_, ballot,
                                             me.name, me.end());
    me.marker_end = 0;
    me.acked.assign(members_.size(), 0);
    for (size_t to = 0; to < members_.size(); ++to) {
      if (to != who) messages_.push_back({Message::Kind::kAsk, who, to, ballot});
    }
    mark(who);
  }

  // The log has all it needs: the ballot begins.
  void mark(size_t who) {
    Member& me = members_[who];
    if (me.election->stage() != Election::Stage::kMarking || me.marker_end != 0) return;
    me.log.push_back({me.election->ballot(), 0});
    me.voter.on_log(me.election->ballot());
    me.marker_end = me.log.size();
    settle(who);
  }

  void settle(size_t who) {
    Member& me = members_[who];
    const auto have = [&](size_t end) {
      return static_cast<size_t>(
          std::count_if(me.acked.begin(), me.acked.end(), [=](size_t at) { return at >= end; }));
    };
    const bool led = me.leads();
    if (have(me.marker_end) >= acks_) me.election->on_marker_acked();
    if (!me.leads()) return;
    if (!led) check(me);
    for (size_t end = me.marker_end + 1; end <= me.log.size() && have(end) >= acks_; ++end) {
      const Record& record = me.log[end - 1];
      if (std::find(acknowledged_.begin(), acknowledged_.end(), record.value) ==
          acknowledged_.end()) {
        acknowledged_.push_back(record.value);
      }
    }
  }

  void check(const Member& leader) {
    for (const int value : acknowledged_) {
      is_well_ &= std::any_of(leader.log.begin(), leader.log.end(),
                              [=](const Record& record) { return record.value == value; });
    }
  }

  bool is_current(const Member& member) const {
    return member.election && member.voter.promised() == member.election->ballot();
  }

  void write(size_t who) {
    Member& me = members_[who];
    if (!me.leads() || !is_current(me)) return;
    me.log.push_back({me.election->ballot(), ++last_value_});
  }

  // A part of what a leader has comes to another, which says so.
  void replicate(size_t from, size_t to) {
    Member& leader = members_[from];
    Member& replica = members_[to];
    if (from == to || leader.marker_end == 0 || !is_current(leader)) return;
    const Ballot& ballot = leader.election->ballot();
    if (!replica.voter.may_acknowledge(ballot)) return;
    replica.election.reset();
    take(replica, leader, below(leader.log.size() + 1));
    // It has promised what it follows.
    (void)replica.voter.ask(ballot, 0);
    // What it has of another's log, which it has not, is not the leader's to count.
    size_t same = 0;
    while (same < replica.log.size() && same < leader.log.size() &&
           replica.log[same] == leader.log[same])
      ++same;
    if (same == replica.log.size())
      messages_.push_back({Message::Kind::kAck, to, from, ballot, {{}, same}});
  }

  // `to` has at least `end` records of the other's log, and nothing else; a log that is a part of
  // it is not cut.
  static void take(Member& to, const Member& from, size_t end) {
    size_t same = 0;
    while (same < to.log.size() && same < from.log.size() && to.log[same] == from.log[same]) ++same;
    const bool is_part = same == to.log.size();
    // Another log is replaced as a whole, as a full sync does.
    if (!is_part) end = from.log.size();
    if (is_part && end <= to.log.size()) return;
    to.log.assign(from.log.begin(), from.log.begin() + static_cast<std::ptrdiff_t>(end));
    Voter voter(to.voter.promised());
    voter.set_whole(true);
    if (!to.log.empty()) voter.on_log(to.log.back().ballot);
    to.voter = voter;
  }

  void fetch(size_t who) {
    Member& me = members_[who];
    if (!is_current(me) || me.election->stage() != Election::Stage::kFetching) return;
    const Member& source = members_[static_cast<size_t>(me.election->source()[0] - 'a')];
    if (source.voter.promised() != me.election->ballot()) return me.election->give_up();
    take(me, source, source.log.size());
    me.election->on_fetched(me.end());
    mark(who);
  }

  void deliver() {
    if (messages_.empty()) return;
    const size_t at = below(messages_.size());
    const Message message = messages_[at];
    messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(at));
    if (below(5) == 0) return;  // lost
    Member& me = members_[message.to];
    switch (message.kind) {
      case Message::Kind::kAsk: {
        const bool promises = me.voter.ask(message.ballot, 0) == Voter::Answer::kPromised;
        messages_.push_back({promises ? Message::Kind::kPromise : Message::Kind::kRefusal,
                             message.to, message.from,
                             promises ? message.ballot : me.voter.promised(), me.end()});
        return;
      }
      case Message::Kind::kPromise:
        if (!is_current(me) || me.election->ballot() != message.ballot) return;
        me.election->on_promise(members_[message.from].name, message.end);
        return mark(message.to);
      case Message::Kind::kRefusal:
        if (me.election) me.election->on_seen_higher(message.ballot);
        return;
      case Message::Kind::kAck:
        if (!me.election || me.election->ballot() != message.ballot || me.marker_end == 0) return;
        me.acked[message.from] =
            std::max(me.acked[message.from], static_cast<size_t>(message.end.offset));
        return settle(message.to);
    }
  }

  size_t acks_;
  size_t wrong_quorum_;
  Prng prng_;
  std::vector<Member> members_;
  std::deque<Message> messages_;
  std::vector<int> acknowledged_;
  int last_value_ = 0;
  bool is_well_ = true;
};

constexpr int kSteps = 1500;

TEST(Ballots, LoseNoAcknowledgedWrite) {
  size_t acknowledged = 0;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    for (const auto& [members, acks] : {std::pair<size_t, size_t>{3, 1}, {3, 2}, {5, 2}, {4, 1}}) {
      Cluster cluster(members, acks, 0, seed);
      ASSERT_TRUE(cluster.run(kSteps)) << members << " members, " << acks << " acks, seed " << seed;
      acknowledged += cluster.acknowledged();
    }
  }
  EXPECT_GT(acknowledged, 10'000U);
}

// What the test above is worth: with a promise less it finds a loss.
TEST(Ballots, WithOnePromiseLessLoseSome) {
  size_t lost = 0;
  for (uint64_t seed = 1; seed <= 3000; ++seed) lost += !Cluster(3, 1, 1, seed).run(kSteps);
  EXPECT_GT(lost, 0U);
}

}  // namespace
}  // namespace ouro
