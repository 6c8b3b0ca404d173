// SPDX-License-Identifier: BSD-3-Clause
// CLIENT LIST, KILL and what a client says about itself.
#include <gtest/gtest.h>

#include <string>

#include "engine_fixture.h"
#include "test_client.h"

namespace ouro {
namespace {

struct ClientTest : testing::Test {
  // The ids that CLIENT LIST answers, joined by blanks.
  std::string listed(const std::string& filters) {
    const std::string text = first.ask("CLIENT LIST " + filters);
    if (text.rfind('-', 0) == 0) return text;
    std::string ids;
    for (size_t at = 0; (at = text.find("id=", at)) != std::string::npos; at += 3) {
      if (at > 0 && text[at - 1] != ' ' && text[at - 1] != '\n') continue;
      ids += (ids.empty() ? "" : " ") + text.substr(at + 3, text.find(' ', at) - at - 3);
    }
    return ids;
  }

  EngineFixture world{{kStringCommands, kStringSetCommands, kKeyCommands, kObjectCommands,
                       kTransactionCommands, kPubsubCommands, kConnectionCommands,
                       kClientCommands}};
  TestTurns turns{world.engine};
  TestClient first{turns}, second{turns}, third{turns};  // ids 1, 2, 3
};

TEST_F(ClientTest, FiltersChooseTogether) {
  second.ask(
      "CLIENT SETNAME two; SELECT 3; CLIENT SETINFO LIB-NAME lib; CLIENT SETINFO LIB-VER 1.2");
  third.ask("SUBSCRIBE x");
  EXPECT_EQ(listed(""), "1 2 3");
  EXPECT_EQ(listed("ID 3 1"), "3 1");
  EXPECT_EQ(listed("ID 3 1 TYPE normal"), "1");
  EXPECT_EQ(listed("TYPE pubsub"), "3");
  EXPECT_EQ(listed("NAME two"), "2");
  EXPECT_EQ(listed("NOT-NAME two SKIPME yes"), "3");
  EXPECT_EQ(listed("DB 3"), "2");
  EXPECT_EQ(listed("FLAGS P"), "3");
  EXPECT_EQ(listed("LIB-NAME lib LIB-VER 1.2"), "2");
  EXPECT_EQ(listed("USER default NOT-ID 1 2"), "3");
  EXPECT_EQ(listed("IDLE 10"), "");
  world.pass(20'000);
  EXPECT_EQ(listed("IDLE 10"), "2 3");
  EXPECT_EQ(listed("MAXAGE 10"), "1 2 3");
  EXPECT_EQ(listed("MAXAGE 30"), "");
}

TEST_F(ClientTest, WrongFiltersAreRefused) {
  EXPECT_EQ(listed("TYPE x"), "-ERR Unknown client type 'x'");
  EXPECT_EQ(listed("ID x"), "-ERR Invalid client ID");
  EXPECT_EQ(listed("ID"), "-ERR syntax error");
  EXPECT_EQ(listed("MAXAGE 0"), "-ERR maxage should be greater than 0");
  EXPECT_EQ(listed("FLAGS ?"), "-ERR Unknown flags found in the provided filter: ?");
  EXPECT_EQ(listed("DB 99"), "-ERR DB index is out of range");
  EXPECT_EQ(first.ask("CLIENT KILL ID 0"), "-ERR client-id should be greater than 0");
  EXPECT_EQ(first.ask("CLIENT KILL ID 1 x"), "-ERR syntax error");
}

TEST_F(ClientTest, KillSparesTheCallerUnlessTold) {
  EXPECT_EQ(first.ask("CLIENT KILL ID 1 2"), ":1");
  EXPECT_EQ(second.session().state(), EndpointState::kDoomed);
  EXPECT_EQ(third.session().state(), EndpointState::kOpen);
  EXPECT_EQ(first.ask("CLIENT KILL TYPE normal SKIPME no"), ":2");
  EXPECT_EQ(first.session().state(), EndpointState::kFinishing);
}

TEST_F(ClientTest, ALibraryTellsWhatItIs) {
  EXPECT_EQ(second.ask("CLIENT SETINFO lib-name jedis"), "+OK");
  EXPECT_EQ(second.ask("CLIENT SETINFO lib-vers 1"), "-ERR Unrecognized option 'lib-vers'");
  EXPECT_EQ(second.ask("CLIENT SETINFO lib-ver \"a b\""),
            "-ERR lib-ver cannot contain spaces, newlines or special characters.");
  EXPECT_NE(second.ask("CLIENT INFO").find(" resp=2 lib-name=jedis lib-ver="), std::string::npos);
}

TEST_F(ClientTest, WatchedKeysAreCountedAndTheThreadIsTheOneThereIs) {
  EXPECT_TRUE(second.ask("CLIENT INFO").ends_with(" lib-name= lib-ver= watch=0 io-thread=0\n"));
  EXPECT_TRUE(second.ask("WATCH a b a; CLIENT INFO").ends_with(" watch=2 io-thread=0\n"));
  EXPECT_TRUE(second.ask("UNWATCH; CLIENT INFO").ends_with(" watch=0 io-thread=0\n"));
}

TEST_F(ClientTest, HelloTellsTheZoneAndTheRole) {
  EXPECT_EQ(first.ask("HELLO 2").find("availability_zone"), std::string::npos);
  world.options.availability_zone = "eu-1b";
  EXPECT_TRUE(first.ask("HELLO 2").ends_with("$7 modules *0 $17 availability_zone $5 eu-1b"))
      << first.ask("HELLO 2");
  EXPECT_TRUE(first.ask("HELLO 3").starts_with("%8 ")) << first.ask("HELLO 3");
  EXPECT_NE(first.ask("HELLO 2").find("$4 role $6 master"), std::string::npos);
  world.engine.replication.follow("10.0.0.1", 6379);
  EXPECT_NE(first.ask("HELLO 2").find("$4 role $7 replica"), std::string::npos);
}

TEST_F(ClientTest, NoTouchLeavesTheAccessClockAlone) {
  first.ask("SET k v");
  world.pass(50'000);
  EXPECT_EQ(first.ask("CLIENT NO-TOUCH ON; GET k; OBJECT IDLETIME k"), "+OK $1 v :50");
  EXPECT_NE(first.ask("CLIENT INFO").find("flags=T "), std::string::npos);
  EXPECT_EQ(first.ask("TOUCH k; OBJECT IDLETIME k"), ":1 :0");
}

}  // namespace
}  // namespace ouro
