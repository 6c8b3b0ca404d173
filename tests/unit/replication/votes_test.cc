// SPDX-License-Identifier: BSD-3-Clause
#include "replication/votes.h"

#include <gtest/gtest.h>

#include "datastructs/codec/checksum.h"

namespace ouro {
namespace {

const Votes kVotes{.member = "10.0.0.1:6379",
                   .promised = {.counter = 7, .member = "10.0.0.2:6379"}};

TEST(Votes, AreThreeLinesOfWhichTheLastIsTheChecksumOfTheOthers) {
  const std::string lines = "member 10.0.0.1:6379\npromised ouro:7:10.0.0.2:6379\n";
  EXPECT_EQ(text_of(kVotes), lines + "crc64 " + std::to_string(crc64(0, lines)) + "\n");
  EXPECT_EQ(parse_votes(text_of(kVotes)), kVotes);
}

TEST(Votes, AreReadInTheirOlderForm) {
  const std::optional<Votes> older = parse_votes("promised ouro:7:10.0.0.2:6379\n");
  ASSERT_TRUE(older);
  EXPECT_EQ(older->member, "");
  EXPECT_EQ(older->promised, kVotes.promised);
  EXPECT_EQ(text_of(*older), "promised ouro:7:10.0.0.2:6379\n");
}

TEST(Votes, AreNotReadIfAnythingIsAmiss) {
  const std::string good = text_of(kVotes);
  for (size_t bytes = 0; bytes < good.size(); ++bytes) {
    EXPECT_FALSE(parse_votes(good.substr(0, bytes))) << bytes;
    EXPECT_FALSE(parse_votes(good.substr(bytes + 1))) << bytes;
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[bytes] = static_cast<char>(bad[bytes] ^ (1 << bit));
      EXPECT_FALSE(parse_votes(bad)) << bytes << ": " << bad;
    }
  }
  EXPECT_FALSE(parse_votes(good + "\n"));
  EXPECT_FALSE(parse_votes(good + good));
  for (const char* text :
       {"", "\n", "promised", "promised ouro:7:a", "promised ouro:0:a\n", "promised  ouro:7:a\n",
        "promised ouro:07:a\n", "member \npromised ouro:7:a\n",
        "promised ouro:7:a\npromised ouro:8:a\n"}) {
    EXPECT_FALSE(parse_votes(text)) << text;
  }
}

}  // namespace
}  // namespace ouro
