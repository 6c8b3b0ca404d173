// SPDX-License-Identifier: BSD-3-Clause
// Which of the log's groups a session's output waits for: nobody may be told of a change that is
// not yet in the log (out_buffer.h).
#include <gtest/gtest.h>

#include "engine_fixture.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

class Client final : public SessionOwner {
 public:
  explicit Client(Engine& engine) : engine_(engine), session_(engine, {}, *this) {}
  void on_session_active() override {}

  // Inline commands, all in one turn.
  void send(ByteView lines) {
    session_.on_bytes(lines);
    engine_.run_batch();
  }
  // What may leave when so many groups are safe.
  std::string released_by(uint64_t groups) {
    ByteView views[16];
    std::string bytes;
    const size_t count = session_.out().gather(groups, views);
    for (size_t i = 0; i < count; ++i) bytes += views[i];
    return bytes;
  }
  void take_all() { session_.out().consume(session_.out().size_bytes()); }

 private:
  Engine& engine_;
  Session session_;
};

class ReleaseTest : public testing::Test {
 protected:
  EngineFixture fixture{kStringCommands,      kStringSetCommands, kConnectionCommands,
                        kTransactionCommands, kPubsubCommands,    kDebugCommands};
  Client client{fixture.engine};
  Client other{fixture.engine};
};

TEST_F(ReleaseTest, AReplyWaitsForItsOwnGroup) {
  client.send("SET a 1\r\nSET a 2\r\nGET a\r\n");
  EXPECT_EQ(client.released_by(0), "");
  EXPECT_EQ(client.released_by(1), "+OK\r\n");
  EXPECT_EQ(client.released_by(2), "+OK\r\n+OK\r\n$1\r\n2\r\n");
}

// Who reads a value may be told it only when the change that made it is safe.
TEST_F(ReleaseTest, AReadWaitsForAllBeforeIt) {
  other.send("GET a\r\n");
  client.send("SET a 1\r\n");
  other.send("GET a\r\n");
  EXPECT_EQ(other.released_by(0), "$-1\r\n");
  EXPECT_EQ(other.released_by(1), "$-1\r\n$1\r\n1\r\n");
}

TEST_F(ReleaseTest, ATransactionWaitsAsAWhole) {
  client.send("MULTI\r\nINCR n\r\nINCR n\r\nEXEC\r\n");
  EXPECT_EQ(client.released_by(0), "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
  EXPECT_EQ(client.released_by(1), "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:2\r\n");
}

// What stands before a wait in the middle (DEBUG SLEEP) must not leave before the group is closed.
TEST_F(ReleaseTest, ATransactionThatPausesWaitsAsAWhole) {
  fixture.options.enable_debug_command = Allowed::kEverybody;
  client.send("MULTI\r\nINCR n\r\nDEBUG SLEEP 1\r\nGET n\r\nEXEC\r\n");
  const std::string queued = "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n";
  EXPECT_EQ(client.released_by(0), queued);
  EXPECT_EQ(fixture.engine.commit.log_end(), 0U);
  fixture.pass(1000);
  fixture.engine.run_batch();
  EXPECT_EQ(fixture.engine.commit.log_end(), 1U);
  EXPECT_EQ(client.released_by(0), queued);
  EXPECT_EQ(client.released_by(1), queued + "*3\r\n:1\r\n+OK\r\n$1\r\n1\r\n");
}

// Who is told of no data need not wait for it: refusals, and what is asked of the server itself.
TEST_F(ReleaseTest, ARefusalDoesNotWait) {
  client.send("SET a 1\r\n");
  other.send("SET a\r\nPING\r\nGET a\r\n");
  EXPECT_EQ(other.released_by(0), "-ERR wrong number of arguments for 'set' command\r\n+PONG\r\n");
  // Not ahead of what was said before.
  client.send("PING\r\n");
  EXPECT_EQ(client.released_by(0), "");
  EXPECT_EQ(client.released_by(1), "+OK\r\n+PONG\r\n");
}

TEST_F(ReleaseTest, AMessageWaitsForTheCommandThatMadeIt) {
  other.send("PSUBSCRIBE *\r\n");
  other.take_all();
  fixture.engine.pubsub.set_event_classes("KEA");
  client.send("SET a 1\r\n");
  EXPECT_EQ(other.released_by(0), "");
  EXPECT_NE(other.released_by(1).find("__keyspace@0__:a"), std::string::npos);
  other.take_all();
  client.send("PUBLISH channel hello\r\n");
  EXPECT_EQ(other.released_by(1), "");
  EXPECT_NE(other.released_by(2).find("hello"), std::string::npos);
}

// Its own message stands among its replies.
TEST_F(ReleaseTest, ASubscribersOwnWritesWait) {
  fixture.engine.pubsub.set_event_classes("KEA");
  client.send("HELLO 3\r\nSUBSCRIBE __keyevent@0__:set\r\n");
  client.take_all();
  client.send("SET a 1\r\n");
  EXPECT_EQ(client.released_by(0), "");
  EXPECT_NE(client.released_by(1).find("+OK\r\n"), std::string::npos);
}

}  // namespace
}  // namespace ouro
