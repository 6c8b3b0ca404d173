// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes what a primary may say to its replica: wherever it is cut the same comes of it, the bytes
// of the stream are counted once each, and the sanitizers stay silent. How it is run:
// fuzz_program.h.
#include <iterator>
#include <string>

#include "aof_text.h"
#include "datastructs/base/hash.h"
#include "follow_transcript.h"
#include "fuzz_program.h"

namespace ouro {
namespace {

const std::string kId(40, 'a');

Follow::Introduction introduction() {
  Follow::Introduction we{.password = "p", .port = 7000};
  we.history = History{.id = kId, .offset = 9};
  return we;
}

void check_talk(ByteView input) {
  FollowTalk whole(introduction());
  whole.hear(input);
  const std::string expected = whole.outcome();
  if (whole.follow.talk() == Follow::State::kStream) {
    CHECK(whole.follow.applied() >= whole.sink.stream.size());
    CHECK(input.find(whole.sink.stream) != ByteView::npos);
  }
  Prng prng(hash_bytes(input, {}));
  for (int i = 0; i < 8; ++i) {
    FollowTalk cut(introduction());
    cut.hear_in_pieces(input, prng);
    CHECK(cut.outcome() == expected);
  }
}

std::string fragment(Prng& prng) {
  static const std::string kFragments[] = {"+PONG\r\n",
                                           "+OK\r\n",
                                           "-NOAUTH\r\n",
                                           "-ERR\r\n",
                                           "\n",
                                           "\r\n",
                                           "+PONG\r\n+OK\r\n+OK\r\n+OK\r\n",
                                           "+FULLRESYNC " + kId + " 5\r\n",
                                           "+CONTINUE\r\n",
                                           "+CONTINUE " + kId + "\r\n",
                                           "$EOF:" + kId + "\r\n",
                                           kId,
                                           "$5\r\nREDIS",
                                           "BAD",
                                           "$18446744073709551615\r\n",
                                           "*2147483647\r\n",
                                           "$4294967295\r\n",
                                           resp("MULTI"),
                                           resp("EXEC"),
                                           resp("SELECT 2"),
                                           resp("SELECT 4294967296"),
                                           resp("PING"),
                                           resp("REPLCONF GETACK *"),
                                           resp("SET k v")};
  return kFragments[prng.below(std::size(kFragments))];
}

}  // namespace

constinit const FuzzTarget kFuzzTarget = {
    .name = "follow_fuzz", .check = check_talk, .fragment = fragment};

}  // namespace ouro
