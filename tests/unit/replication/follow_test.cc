// SPDX-License-Identifier: BSD-3-Clause
#include "replication/follow.h"

#include <gtest/gtest.h>

#include "aof_text.h"
#include "follow_transcript.h"

namespace ouro {
namespace {

const std::string kId = "0123456789abcdef0123456789abcdef01234567";
const std::string kOtherId(40, 'f');
const std::string kMark = "ddddddddddddddddddddddddddddddddddddddde";
const std::string kGreeting = "+PONG\r\n+OK\r\n";
const std::string kFull = "+FULLRESYNC " + kId + " 100\r\n";
const std::string kWhole = kGreeting + "\n" + kFull + "\n\n$8\r\nSNAPSHOT";
const std::string kStart = "full " + kId + " 100\nsnapshot 8\nwhole: SNAPSHOT\n";

Follow::Introduction with_history() {
  Follow::Introduction introduction;
  introduction.history = History{.id = kId, .offset = 41};
  introduction.db = 3;
  return introduction;
}

TEST(Follow, SaysPingFirstAndTheRestWhenThatIsAnswered) {
  FollowTalk talk({.user = "ann", .password = "secret", .port = 7000, .announced_ip = "10.0.0.1"});
  EXPECT_EQ(talk.said(), resp("PING"));
  talk.hear("+PONG\r\n");
  EXPECT_EQ(talk.said(), resp("AUTH ann secret") + resp("REPLCONF listening-port 7000") +
                             resp("REPLCONF ip-address 10.0.0.1") +
                             resp("REPLCONF capa eof capa psync2 capa ouro"));
  talk.hear("+OK\r\n+OK\r\n+OK\r\n");
  EXPECT_EQ(talk.said(), "");
  talk.hear("+OK\r\n");
  EXPECT_EQ(talk.said(), resp("PSYNC ? -1"));
  EXPECT_EQ(talk.follow.talk(), Follow::State::kWaiting);
}

TEST(Follow, WhoHasAHistoryAsksForWhatComesBehindIt) {
  FollowTalk talk(with_history());
  talk.hear(kGreeting);
  EXPECT_TRUE(talk.said().ends_with(resp("PSYNC " + kId + " 42")));
  Follow::Introduction introduction = with_history();
  introduction.asks_to_take_over = true;
  FollowTalk other(introduction);
  other.hear(kGreeting);
  EXPECT_TRUE(other.said().ends_with(resp("PSYNC " + kId + " 42 FAILOVER")));
}

TEST(Follow, LogsInWhereItMust) {
  FollowTalk talk({.password = "secret"});
  talk.hear("-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(talk.follow.talk(), Follow::State::kHandshake);
  talk.hear("-WRONGPASS no\r\n");
  EXPECT_EQ(talk.follow.problem(), "Unable to AUTH to MASTER: -WRONGPASS no");
  EXPECT_EQ(talk.follow.state(), EndpointState::kDoomed);
}

TEST(Follow, WhatItMayDoWithoutIsRemarked) {
  FollowTalk talk({.port = 7000});
  talk.hear("+PONG\r\n-ERR what\r\n-ERR that\r\n");
  EXPECT_EQ(talk.sink.text,
            "remark The primary does not understand REPLCONF: -ERR what\n"
            "remark The primary does not understand REPLCONF: -ERR that\n");
  EXPECT_EQ(talk.follow.talk(), Follow::State::kWaiting);
}

TEST(Follow, RefusalsEndIt) {
  for (const std::string said :
       {"-LOADING wait\r\n", "+PONG\r\n+OK\r\n-NOMASTERLINK wait\r\n", "+PONG\r\n+OK\r\n-ERR\r\n",
        "+PONG\r\n+OK\r\n+CONTINUE\r\n", "+PONG\r\n+OK\r\n+FULLRESYNC 12 12\r\n"}) {
    FollowTalk talk;
    talk.hear(said);
    EXPECT_EQ(talk.follow.talk(), Follow::State::kFailed) << said;
    EXPECT_NE(talk.follow.problem(), "");
  }
  for (const std::string said :
       {"+PONG", "-ERR no\r\n", "$9x\r\n", "$EOF:123\r\n", "$\r\n", "$-1\r\n"}) {
    FollowTalk talk;
    talk.hear(kGreeting + kFull + said + "\r\n");
    EXPECT_EQ(talk.follow.talk(), Follow::State::kFailed) << said;
  }
}

TEST(Follow, ALineThatDoesNotEndEndsIt) {
  FollowTalk talk;
  talk.hear("+" + std::string(1022, 'x'));
  EXPECT_EQ(talk.follow.talk(), Follow::State::kHandshake);
  talk.hear("x");
  EXPECT_EQ(talk.follow.talk(), Follow::State::kFailed);
}

TEST(Follow, TakesASnapshotOfKnownLengthAndTheStreamBehindIt) {
  FollowTalk talk;
  talk.hear(kWhole + resp("SET k v"));
  EXPECT_EQ(talk.sink.text, kStart + "0: SET k v; applied 27 in 0\n");
  EXPECT_EQ(talk.follow.applied(), 127U);
  EXPECT_TRUE(talk.said().ends_with(resp("REPLCONF ACK 100")));
}

TEST(Follow, TakesASnapshotUpToItsMark) {
  FollowTalk talk;
  // What looks like the mark is none before all of it is there.
  const std::string snapshot = "REDIS dddddddddddddddddddd d";
  talk.hear(kGreeting + kFull + "$EOF:" + kMark + "\r\n" + snapshot + kMark);
  EXPECT_EQ(talk.sink.text, "full " + kId + " 100\nsnapshot marked\nwhole: " + snapshot + "\n");
  EXPECT_EQ(talk.follow.talk(), Follow::State::kStream);
}

TEST(Follow, ReadsNothingMoreBeforeTheSnapshotIsInItsPlace) {
  FollowTalk talk;
  talk.loads_at_once = false;
  talk.hear(kWhole + resp("SET k v").substr(0, 5));
  EXPECT_EQ(talk.follow.state(), EndpointState::kNotReading);
  (void)talk.said();
  talk.follow.send_newline();
  EXPECT_EQ(talk.said(), "\n");
  // What was on its way.
  talk.hear(resp("SET k v").substr(5));
  EXPECT_EQ(talk.sink.text, kStart);
  talk.follow.on_loaded();
  EXPECT_EQ(talk.sink.text, kStart + "0: SET k v; applied 27 in 0\n");
  EXPECT_EQ(talk.follow.state(), EndpointState::kOpen);
}

TEST(Follow, TakesNoMoreOfASnapshotThanTheSinkDoes) {
  FollowTalk talk;
  talk.hear(kGreeting + kFull + "$8\r\nSNAP");
  EXPECT_EQ(talk.follow.state(), EndpointState::kOpen);
  talk.sink.is_slow = true;
  EXPECT_EQ(talk.follow.state(), EndpointState::kNotReading);
}

TEST(Follow, ASnapshotThatCannotBeTakenInEndsIt) {
  FollowTalk talk;
  talk.hear(kGreeting + kFull + "$8\r\n-BADSNAP");
  EXPECT_EQ(talk.follow.talk(), Follow::State::kFailed);
}

TEST(Follow, GoesOnWhereItWas) {
  FollowTalk talk(with_history());
  const std::string stream = resp("INCR n") + resp("SELECT 1") + resp("INCR n");
  talk.hear(kGreeting + "+CONTINUE\r\n" + stream);
  EXPECT_EQ(talk.sink.text,
            "partial same id\n3: INCR n; applied 21 in 3\napplied 23 in 1\n"
            "1: INCR n; applied 21 in 1\n");
  EXPECT_EQ(talk.sink.stream, stream);
  EXPECT_EQ(talk.follow.applied(), 41 + stream.size());
  FollowTalk other(with_history());
  other.hear(kGreeting + "+CONTINUE " + kOtherId + "\r\n");
  EXPECT_EQ(other.sink.text, "partial " + kOtherId + "\n");
  FollowTalk same(with_history());
  same.hear(kGreeting + "+CONTINUE " + kId + "\r\n");
  EXPECT_EQ(same.sink.text, "partial same id\n");
}

TEST(Follow, AGroupIsAppliedWhenItsExecHasCome) {
  FollowTalk talk;
  talk.hear(kWhole + resp("MULTI") + resp("SET a 1") + resp("SELECT 2") + resp("SET b 2"));
  EXPECT_EQ(talk.sink.text, kStart);
  EXPECT_EQ(talk.follow.applied(), 100U);
  talk.hear(resp("exec"));
  EXPECT_EQ(talk.sink.text, kStart + "group 0: SET a 1; 2: SET b 2; applied 106 in 2\n");
  EXPECT_EQ(talk.follow.applied(), 206U);
}

TEST(Follow, AnswersNothingButGetack) {
  FollowTalk talk;
  talk.hear(kWhole);
  (void)talk.said();
  talk.hear(resp("PING") + resp("REPLCONF GETACK *") + resp("SET k v"));
  EXPECT_EQ(talk.said(), resp("REPLCONF ACK 114"));
  talk.follow.send_ack();
  EXPECT_EQ(talk.said(), resp("REPLCONF ACK 178"));
  EXPECT_EQ(talk.sink.stream, resp("PING") + resp("REPLCONF GETACK *") + resp("SET k v"));
}

TEST(Follow, WhatIsNoCommandEndsIt) {
  for (const std::string said : {"hello\r\n", "*0\r\n", "*1\r\n+x\r\n", "#x\r\n"}) {
    FollowTalk talk;
    talk.hear(kWhole + said);
    EXPECT_EQ(talk.follow.talk(), Follow::State::kFailed) << said;
  }
  FollowTalk talk;
  talk.hear(kWhole + resp("SELECT first"));
  EXPECT_EQ(talk.follow.talk(), Follow::State::kFailed);
}

// Cut in two at every place, and byte by byte.
TEST(Follow, TheSameComesOfTheSameBytesWhereverTheyAreCut) {
  const std::string stream = resp("MULTI") + resp("SET a 1") + resp("EXEC") + resp("SELECT 2") +
                             resp("REPLCONF GETACK *") + resp("SET k v") + resp("SET k");
  for (const std::string& snapshot :
       {kWhole, kGreeting + kFull + "$EOF:" + kMark + "\r\nSNAP" + kMark}) {
    const std::string all = snapshot + stream;
    FollowTalk whole;
    whole.hear(all);
    const std::string expected = whole.outcome();
    EXPECT_EQ(whole.sink.stream,
              stream.substr(0, stream.size() - resp("SET k").size()) + resp("SET k"));
    for (size_t cut = 1; cut < all.size(); ++cut) {
      FollowTalk talk;
      talk.hear(all.substr(0, cut));
      talk.hear(all.substr(cut));
      EXPECT_EQ(talk.outcome(), expected) << cut;
    }
    FollowTalk bytewise;
    for (const char byte : all) bytewise.hear({&byte, 1});
    EXPECT_EQ(bytewise.outcome(), expected);
  }
}

// ---- members

Follow::Introduction as_member(const Ballot& least) {
  return {.membership = Follow::Introduction::Membership{.member = "10.0.0.2:6379",
                                                         .lease = 500,
                                                         .least = least,
                                                         .must_lead = true,
                                                         .promised = least}};
}

TEST(Follow, AMemberSaysWhichAndAsksByWhatBallotIsLed) {
  FollowTalk talk(as_member({2, "a"}));
  (void)talk.said();
  talk.hear("+PONG\r\n");
  EXPECT_EQ(talk.said(),
            resp("REPLCONF capa eof capa psync2 capa ouro") +
                resp("REPLCONF ouro-member 10.0.0.2:6379 ouro-lease 500 ouro-promised ouro:2:a") +
                resp("REPLCONF ouro-ballot ?"));
  talk.hear("+OK\r\n+OK\r\n+LEADS 77 ouro:3:b\r\n");
  EXPECT_EQ(talk.said(), resp("PSYNC ? -1"));
  EXPECT_EQ(talk.follow.primary_end(), (LogEnd{{3, "b"}, 77}));
  EXPECT_TRUE(talk.follow.primary_leads());
}

TEST(Follow, AMemberFollowsNobodyWhoLedBefore) {
  for (const char* answer : {"+LEADS 77 ouro:2:z\r\n", "+LEADS 0 -\r\n", "+FOLLOWS 77 ouro:4:z\r\n",
                             "+77 ouro:4:z\r\n", "-ERR no\r\n", "+OK\r\n"}) {
    FollowTalk talk(as_member({3, "a"}));
    talk.hear("+PONG\r\n+OK\r\n+OK\r\n");
    (void)talk.said();
    talk.hear(answer);
    EXPECT_EQ(talk.follow.talk(), Follow::State::kFailed) << answer;
    EXPECT_EQ(talk.said(), "") << answer;
    EXPECT_FALSE(talk.follow.was_refused());
  }
}

// One that has lost what it promised does not know whether somebody else leads by now.
TEST(Follow, AMemberWithoutPromisesFollowsOnlyWhoLeadsForSure) {
  for (const uint64_t promised : {uint64_t{0}, uint64_t{3}}) {
    FollowTalk talk(as_member({promised, promised == 0 ? "" : "a"}));
    talk.hear("+PONG\r\n+OK\r\n+OK\r\n+LAPSED 77 ouro:3:a\r\n");
    const bool is_failed = talk.follow.talk() == Follow::State::kFailed;
    EXPECT_EQ(is_failed, promised == 0);
  }
}

TEST(Follow, AMemberFollowsOnlyWhoCountsIt) {
  FollowTalk talk(as_member({}));
  talk.hear("+PONG\r\n+OK\r\n-ERR Unrecognized REPLCONF option: ouro-member\r\n");
  EXPECT_EQ(talk.follow.talk(), Follow::State::kFailed);
}

TEST(Follow, IsToldToTryAgain) {
  FollowTalk talk;
  talk.hear("+PONG\r\n+OK\r\n-TRYAGAIN soon\r\n");
  EXPECT_EQ(talk.follow.talk(), Follow::State::kFailed);
  EXPECT_TRUE(talk.follow.is_to_try_again());
  EXPECT_FALSE(talk.follow.was_refused());
}

TEST(Follow, HearsOfBallotsInTheStream) {
  FollowTalk talk;
  const std::string id(40, 'a');
  talk.hear("+PONG\r\n+OK\r\n+FULLRESYNC " + id + " 0\r\n$1\r\nx");
  (void)talk.said();
  talk.sink.text.clear();
  talk.sink.is_held_back = true;
  talk.hear(resp("PING ouro:4:c") + resp("PING") + resp("REPLCONF GETACK *"));
  EXPECT_EQ(talk.sink.text.substr(0, 17), "ballot ouro:4:c\na");
  EXPECT_EQ(talk.said(), "");
  talk.sink.is_held_back = false;
  talk.hear(resp("REPLCONF GETACK *"));
  EXPECT_NE(talk.said(), "");
}

}  // namespace
}  // namespace ouro
