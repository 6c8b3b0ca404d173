// SPDX-License-Identifier: BSD-3-Clause
#include "replication/canvass.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

std::string said(Canvass& canvass) {
  std::string text;
  ByteView views[16];
  while (const size_t count = canvass.out().gather(kReleaseAll, views)) {
    const size_t before = text.size();
    for (size_t i = 0; i < count; ++i) text.append(views[i]);
    canvass.out().consume(text.size() - before);
  }
  return text;
}

const Ballot kBallot{3, "h:1"};
constexpr ByteView kQuestion =
    "*3\r\n$8\r\nREPLCONF\r\n$12\r\nouro-promise\r\n$10\r\nouro:3:h:1\r\n";

// At once, and byte by byte.
void hear(Canvass& canvass, ByteView bytes, bool in_pieces) {
  if (!in_pieces) return canvass.on_bytes(bytes);
  for (size_t i = 0; i < bytes.size(); ++i) canvass.on_bytes(bytes.substr(i, 1));
}

TEST(Canvass, HearsOfAPromise) {
  for (const bool in_pieces : {false, true}) {
    Heap heap;
    Canvass canvass(heap, kBallot, false, {}, {});
    EXPECT_EQ(said(canvass), kQuestion);
    EXPECT_EQ(canvass.answer(), Canvass::Answer::kNone);
    hear(canvass, "+PROMISED 12 ouro:2:g:1\r\n", in_pieces);
    EXPECT_EQ(canvass.answer(), Canvass::Answer::kPromised);
    EXPECT_EQ(canvass.end(), (LogEnd{{2, "g:1"}, 12}));
    canvass.tell_to_follow();
    EXPECT_EQ(said(canvass), "*3\r\n$8\r\nREPLCONF\r\n$11\r\nouro-follow\r\n$10\r\nouro:3:h:1\r\n");
    hear(canvass, "+OK\r\n", in_pieces);
    EXPECT_EQ(canvass.answer(), Canvass::Answer::kPromised);
  }
}

TEST(Canvass, HearsOfAHigherBallotAndOfNothingNow) {
  Heap heap;
  Canvass canvass(heap, kBallot, false, {}, {});
  canvass.on_bytes("-SEENHIGHER ouro:9:a:2\r\n");
  EXPECT_EQ(canvass.answer(), Canvass::Answer::kSeenHigher);
  EXPECT_EQ(canvass.seen(), (Ballot{9, "a:2"}));
  for (const char* answer : {"-LEASED\r\n", "-NOTWHOLE x\r\n", "+PROMISED\r\n", "+PROMISED 1 x\r\n",
                             "-SEENHIGHER x\r\n", "+OK\r\n", "\r\n", "$-1\r\n"}) {
    (void)said(canvass);
    canvass.ask();
    EXPECT_EQ(said(canvass), kQuestion);
    EXPECT_EQ(canvass.answer(), Canvass::Answer::kNone);
    canvass.on_bytes(answer);
    EXPECT_EQ(canvass.answer(), Canvass::Answer::kNotNow) << answer;
  }
}

TEST(Canvass, LogsInFirst) {
  Heap heap;
  Canvass canvass(heap, kBallot, false, {}, {.user = "u", .password = "p"});
  EXPECT_EQ(said(canvass), "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n" + std::string(kQuestion));
  canvass.on_bytes("+OK\r\n");
  EXPECT_EQ(canvass.answer(), Canvass::Answer::kNone);
  canvass.on_bytes("+PROMISED 0 -\r\n");
  EXPECT_EQ(canvass.answer(), Canvass::Answer::kPromised);
  EXPECT_EQ(canvass.end(), LogEnd());
  canvass.on_closed("gone");
  EXPECT_EQ(canvass.state(), EndpointState::kDoomed);
}

TEST(Canvass, SaysThatItRenews) {
  Heap heap;
  Canvass canvass(heap, kBallot, true, {}, {.password = "p"});
  EXPECT_EQ(said(canvass),
            "*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n"
            "*3\r\n$8\r\nREPLCONF\r\n$10\r\nouro-renew\r\n$10\r\nouro:3:h:1\r\n");
}

// Ahead of each question, since who is asked may have acknowledged again meanwhile.
TEST(Canvass, SaysWhoseLeadershipIsOver) {
  Heap heap;
  Canvass canvass(heap, kBallot, false, "id", {.password = "p"});
  const std::string over = "*3\r\n$8\r\nREPLCONF\r\n$9\r\nouro-over\r\n$2\r\nid\r\n";
  EXPECT_EQ(said(canvass), "*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n" + over + std::string(kQuestion));
  canvass.on_bytes("+OK\r\n+OK\r\n");
  EXPECT_EQ(canvass.answer(), Canvass::Answer::kNone);
  canvass.on_bytes("-LEASED x\r\n");
  EXPECT_EQ(canvass.answer(), Canvass::Answer::kNotNow);
  canvass.ask();
  EXPECT_EQ(said(canvass), over + std::string(kQuestion));
  // One that does not know the word.
  canvass.on_bytes("-ERR Unrecognized REPLCONF option: ouro-over\r\n+PROMISED 12 ouro:2:g:1\r\n");
  EXPECT_EQ(canvass.answer(), Canvass::Answer::kPromised);
}

// A line that does not end takes no more memory than a line may.
TEST(Canvass, KeepsNoLineThatDoesNotEnd) {
  Heap heap;
  Canvass canvass(heap, kBallot, false, {}, {});
  for (int i = 0; i < 100; ++i) canvass.on_bytes(std::string(1000, 'x'));
  canvass.on_bytes("\n");
  EXPECT_EQ(canvass.answer(), Canvass::Answer::kNotNow);
}

}  // namespace
}  // namespace ouro
