// SPDX-License-Identifier: BSD-3-Clause
// The state of a connection: whether it must log in, what it is subscribed to, whether it is
// answered.
#include <gtest/gtest.h>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

class ClientsTest : public testing::Test {
 protected:
  // Commands in one piece; all that comes back.
  std::string pipeline(SimClient& of,
                       std::initializer_list<std::initializer_list<ByteView>> commands) {
    std::string bytes;
    for (const auto& command : commands) bytes += resp_command(command);
    of.send(bytes);
    world.run_for(2'000'000);
    return of.take();
  }

  SimWorld world{run_seed()};
  SimMachine& machine = world.add_machine();
  SimServer server{
      machine, [](Options& options) { options.engine.enable_debug_command = Allowed::kEverybody; }};
  SimClient client{world};
};

constexpr ByteView kNoAuth = "-NOAUTH Authentication required.\r\n";

TEST_F(ClientsTest, ASessionIsServedWhenThereIsNoPasswordAnyMore) {
  client.ask({"CONFIG", "SET", "requirepass", "first"});
  SimClient late(world);
  EXPECT_EQ(late.ask({"GET", "k"}), kNoAuth);
  client.ask({"CONFIG", "SET", "requirepass", ""});
  EXPECT_EQ(late.ask({"GET", "k"}), "$-1\r\n");
  EXPECT_TRUE(late.ask({"AUTH", "first"}).starts_with("-ERR AUTH <password> called without any"));
  EXPECT_TRUE(late.ask({"HELLO", "2"}).starts_with("-NOAUTH HELLO must be called"));
  // More than ten arguments, which nobody may send who has to log in.
  EXPECT_EQ(late.ask({"DEL", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}), ":0\r\n");
  // It never gave one; the other did not have to.
  client.ask({"CONFIG", "SET", "requirepass", "second"});
  EXPECT_EQ(late.ask({"GET", "k"}), kNoAuth);
  EXPECT_EQ(client.ask({"GET", "k"}), "$-1\r\n");
  EXPECT_TRUE(late.ask({"AUTH", "first"}).starts_with("-WRONGPASS"));
  EXPECT_EQ(late.ask({"AUTH", "second"}), "+OK\r\n");
  EXPECT_EQ(late.ask({"GET", "k"}), "$-1\r\n");
}

// In whatever pieces and turns it comes.
TEST_F(ClientsTest, WhatStandsBehindAnAuthIsJudgedByItsOutcome) {
  client.ask({"CONFIG", "SET", "requirepass", "secret"});
  const std::string large(100'000, 'x');
  for (int i = 0; i < 40; ++i) {
    SimClient good(world), bad(world);
    const std::string behind =
        resp_command({"SET", "k", large}) +
        resp_command({"DEL", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"});
    good.send(resp_command({"AUTH", "secret"}) + behind);
    bad.send(resp_command({"AUTH", "wrong"}) + behind);
    world.run_for(2'000'000);
    EXPECT_EQ(good.take(), "+OK\r\n+OK\r\n:0\r\n");
    const std::string refused = bad.take();
    EXPECT_TRUE(refused.starts_with("-WRONGPASS")) << refused;
    EXPECT_TRUE(refused.ends_with("-ERR Protocol error: unauthenticated bulk length\r\n"))
        << refused;
    EXPECT_TRUE(bad.has_ended());
  }
}

// Before it logs in, a client is the default user, as in Redis.
TEST_F(ClientsTest, KillByUserMeetsThoseWhoHaveNotLoggedIn) {
  client.ask({"CONFIG", "SET", "requirepass", "secret"});
  SimClient late(world);
  EXPECT_EQ(late.ask({"GET", "k"}), kNoAuth);
  EXPECT_EQ(client.ask({"CLIENT", "KILL", "USER", "default"}), ":1\r\n");
  world.run_for(100'000);
  EXPECT_TRUE(late.has_ended());
}

// Refused as it comes, so that the transaction fails; and before a password is asked for, as in
// Redis.
TEST_F(ClientsTest, AProtectedCommandIsNotQueued) {
  for (const Allowed allowed : {Allowed::kNobody, Allowed::kEverybody}) {
    server.engine().options.enable_debug_command = allowed;
    client.ask({"MULTI"});
    const bool runs = allowed == Allowed::kEverybody;
    EXPECT_EQ(client.ask({"DEBUG", "SLEEP", "0"}).starts_with("-ERR DEBUG command not allowed."),
              !runs);
    EXPECT_EQ(client.ask({"EXEC"}).starts_with("-EXECABORT"), !runs);
  }
  server.engine().options.enable_debug_command = Allowed::kNobody;
  client.ask({"CONFIG", "SET", "requirepass", "secret"});
  SimClient late(world);
  EXPECT_TRUE(late.ask({"DEBUG", "SLEEP", "0"}).starts_with("-ERR DEBUG command not allowed."));
}

// What a subscribed client may send depends on the protocol that it speaks now.
TEST_F(ClientsTest, TheSubscribedModeFollowsTheProtocol) {
  client.ask({"HELLO", "3"});
  client.ask({"SUBSCRIBE", "news"});
  EXPECT_EQ(client.ask({"GET", "k"}), "_\r\n");
  EXPECT_TRUE(client.ask({"HELLO", "2"}).starts_with("*14\r\n"));
  const std::string refused = client.ask({"GET", "k"});
  EXPECT_TRUE(refused.starts_with("-ERR Can't execute 'get': only (P|S)SUBSCRIBE")) << refused;
  EXPECT_EQ(client.ask({"PING"}), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
}

const std::initializer_list<ByteView> kPing = {"PING"};
const std::initializer_list<ByteView> kMulti = {"MULTI"};
const std::initializer_list<ByteView> kExec = {"EXEC"};
const std::initializer_list<ByteView> kSkip = {"CLIENT", "REPLY", "SKIP"};
const std::initializer_list<ByteView> kOff = {"CLIENT", "REPLY", "OFF"};
const std::initializer_list<ByteView> kOn = {"CLIENT", "REPLY", "ON"};
const std::initializer_list<ByteView> kSleep = {"DEBUG", "SLEEP", "0.1"};

// The answers are what redis-server gives.
TEST_F(ClientsTest, ASkippedReplyIsThatOfAWaitToo) {
  EXPECT_EQ(pipeline(client, {kSkip, kSleep, kPing}), "+PONG\r\n");
  EXPECT_EQ(pipeline(client, {kMulti, kSleep, kPing, kSkip, kExec, kPing, kPing}),
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n+PONG\r\n+PONG\r\n");
}

TEST_F(ClientsTest, ASkippedReplyIsThatOfBrokenInputToo) {
  SimClient other(world), third(world);
  client.send(resp_command(kSkip) + "*x\r\n");
  other.send(resp_command(kOff) + "*x\r\n");
  third.send(resp_command(kSkip) + resp_command(kPing) + "*x\r\n");
  world.run_for(2'000'000);
  EXPECT_EQ(client.take(), "");
  EXPECT_EQ(other.take(), "");
  EXPECT_EQ(third.take(), "-ERR Protocol error: invalid multibulk length\r\n");
  for (const SimClient* ended : {&client, &other, &third}) EXPECT_TRUE(ended->has_ended());
}

TEST_F(ClientsTest, ASkippedCommandThatIsHeldBackIsNotAnsweredLater) {
  SimClient other(world);
  other.ask({"CLIENT", "PAUSE", "1000", "WRITE"});
  EXPECT_EQ(pipeline(client, {kSkip, {"SET", "k", "v"}, kPing}), "+PONG\r\n");
}

// What may change a key or reach a replica by another way than a write waits as well.
TEST_F(ClientsTest, APauseOfWritesHoldsBackWhatMayLeaveEffects) {
  SimClient other(world);
  other.ask({"CLIENT", "PAUSE", "1000", "WRITE"});
  EXPECT_EQ(client.ask({"GET", "k"}), "$-1\r\n");
  SimClient counter(world);
  SimClient publisher(world);
  counter.send(resp_command({"PFCOUNT", "k"}));
  publisher.send(resp_command({"PUBLISH", "news", "x"}));
  world.run_for(10'000);
  EXPECT_NE(other.ask({"INFO", "clients"}).find("blocked_clients:2\r\n"), std::string::npos);
  other.ask({"CLIENT", "UNPAUSE"});
  world.run_for(10'000);
  EXPECT_EQ(counter.take(), ":0\r\n");
  EXPECT_EQ(publisher.take(), ":0\r\n");
}

// A node without replicas does not have the one that writes are to wait for.
TEST_F(ClientsTest, WithoutEnoughReplicasNothingIsWritten) {
  const std::string refused = "NOREPLICAS Not enough good replicas to write.\r\n";
  client.ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
  EXPECT_EQ(client.ask({"SET", "k", "v"}), "-" + refused);
  EXPECT_EQ(client.ask({"GET", "k"}), "$-1\r\n");
  EXPECT_EQ(
      pipeline(client, {kMulti, {"SET", "k", "v"}, kExec}),
      "+OK\r\n-" + refused + "-EXECABORT Transaction discarded because of previous errors.\r\n");
  client.ask({"CONFIG", "SET", "min-slaves-max-lag", "0"});
  EXPECT_EQ(client.ask({"SET", "k", "v"}), "+OK\r\n");
  client.ask({"MULTI"});
  client.ask({"SET", "k", "w"});
  SimClient(world).ask({"CONFIG", "SET", "min-replicas-max-lag", "1"});
  EXPECT_EQ(client.ask({"EXEC"}), "-EXECABORT Transaction discarded because of: " + refused);
}

TEST_F(ClientsTest, ATransactionSubscribesToChannelsButNotToThoseOfAShard) {
  EXPECT_EQ(pipeline(client, {kMulti, {"SUBSCRIBE", "a"}, {"SSUBSCRIBE", "b"}, kExec}),
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
            "-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n");
}

TEST_F(ClientsTest, AQueuedCommandIsAnsweredAsThoseBeforeItSay) {
  EXPECT_EQ(pipeline(client, {kMulti, kPing, kOff, kPing, kExec, kPing, kOn}),
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+PONG\r\n+OK\r\n");
  EXPECT_EQ(pipeline(client, {kMulti, kPing, kOff, kOn, kPing, kExec, kPing}),
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
            "*4\r\n+PONG\r\n+OK\r\n+PONG\r\n+PONG\r\n");
  EXPECT_EQ(pipeline(client, {kMulti, kPing, kSkip, kPing, kExec, kPing, kPing}),
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+PONG\r\n+PONG\r\n+PONG\r\n");
  EXPECT_EQ(pipeline(client, {kMulti, {"HELLO", "3"}, {"GET", "k"}, {"HELLO", "2"}, kExec})
                .find("*3\r\n%7\r\n"),
            5U + 3 * 9);
}

TEST_F(ClientsTest, OneThatKillsItselfInATransactionIsAnsweredUpToThere) {
  const std::string id = client.ask({"CLIENT", "ID"}).substr(1, 1);
  EXPECT_EQ(
      pipeline(client,
               {kMulti, kPing, {"CLIENT", "KILL", "ID", id, "SKIPME", "no"}, kPing, kExec, kPing}),
      "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+PONG\r\n:1\r\n");
  EXPECT_TRUE(client.has_ended());
}

// The texts are those of redis-server.
TEST_F(ClientsTest, AScriptIsDeniedWhatItsUserMayNot) {
  client.ask({"ACL", "SETUSER", "a", "on", "nopass", "+@all", "-incr", "~k*", "&n*"});
  SimClient user(world);
  user.ask({"AUTH", "a", "x"});
  const auto says = [&](ByteView call) {
    return user.ask({"EVAL", "return redis.pcall(" + std::string(call) + ")", "0"});
  };
  EXPECT_EQ(says("'INCR', 'k'"),
            "-ERR The user executing the script can't run this command or subcommand\r\n");
  EXPECT_EQ(says("'SET', 'w', 1"),
            "-ERR The user executing the script can't access at least one of the keys mentioned "
            "in the command arguments\r\n");
  EXPECT_EQ(says("'PUBLISH', 'x', 'm'"),
            "-ERR The user executing the script can't publish to the channel mentioned in the "
            "command\r\n");
  EXPECT_EQ(says("'SET', 'k', 1"), "+OK\r\n");
  const std::string log = client.ask({"ACL", "LOG", "1"});
  EXPECT_NE(log.find("\r\nlua\r\n"), std::string::npos) << log;
  EXPECT_NE(log.find(" cmd=eval user=a "), std::string::npos) << log;
}

// Its end is beyond the clock in milliseconds, where Redis's is long gone by.
TEST_F(ClientsTest, APauseBeyondTheClockHoldsNobodyBack) {
  EXPECT_EQ(client.ask({"CLIENT", "PAUSE", "9223372036854775807"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"PING"}), "+PONG\r\n");
  EXPECT_EQ(client.ask({"CLIENT", "PAUSE", "7000000000000000000", "WRITE"}), "+OK\r\n");
  client.send(resp_command({"SET", "k", "v"}));
  world.run_for(10'000'000);
  EXPECT_EQ(client.received(), "");
}

// In the simulation both clocks begin with a whole millisecond.
TEST_F(ClientsTest, MonitorTellsTheMicrosecond) {
  SimClient monitor(world);
  monitor.ask({"MONITOR"});
  bool has_fraction = false;
  for (int i = 0; i < 10; ++i) {
    world.run_for(1'003);
    client.ask({"PING"});
    const Engine& engine = server.engine();
    EXPECT_EQ(engine.wall_micros() % 1000, engine.instant() % 1000);
    world.run_for(10'000);
    has_fraction |= monitor.take_reply().find("000 [") == std::string::npos;
  }
  EXPECT_TRUE(has_fraction);
}

}  // namespace
}  // namespace ouro
