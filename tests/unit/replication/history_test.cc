// SPDX-License-Identifier: BSD-3-Clause
#include "replication/history.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

const ReplicationId kA(40, 'a');
const ReplicationId kB(40, 'b');
const ReplicationId kC(40, 'c');

TEST(History, AnIdIsFortyHexDigitsAndNewEachTime) {
  Prng prng(7);
  const ReplicationId id = make_replication_id(prng);
  EXPECT_TRUE(is_replication_id(id));
  EXPECT_NE(id, make_replication_id(prng));
  EXPECT_FALSE(is_replication_id("?"));
  EXPECT_FALSE(is_replication_id(std::string(40, 'g')));
  EXPECT_FALSE(is_replication_id(std::string(41, 'a')));
}

TEST(History, WhoHasTheSameStreamGoesOn) {
  const History history{.id = kA, .offset = 100};
  EXPECT_TRUE(history.continues(kA, 100));
  EXPECT_FALSE(history.continues(kB, 100));
  EXPECT_FALSE(history.continues("", 0));
}

TEST(History, APromotedNodeTakesThoseWhoAreNotAheadOfIt) {
  History history{.id = kA, .offset = 100};
  history.branch(kB);
  history.offset = 150;
  EXPECT_TRUE(history.continues(kB, 150));
  EXPECT_TRUE(history.continues(kA, 100));
  EXPECT_TRUE(history.continues(kA, 40));
  EXPECT_FALSE(history.continues(kA, 101));
  // Only the last one's stream is remembered.
  history.branch(kC);
  EXPECT_TRUE(history.continues(kB, 150));
  EXPECT_FALSE(history.continues(kA, 40));
}

TEST(History, ANewStreamHasNoPastButGoesOnCounting) {
  History history{.id = kA, .offset = 100};
  history.branch(kB);
  history.begin(kC);
  EXPECT_EQ(history.offset, 100U);
  EXPECT_FALSE(history.continues(kA, 100));
  EXPECT_FALSE(history.continues(kB, 100));
  history.adopt(kA, 7);
  EXPECT_EQ(history.offset, 7U);
  EXPECT_TRUE(history.second_id.empty());
}

}  // namespace
}  // namespace ouro
