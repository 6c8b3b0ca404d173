// SPDX-License-Identifier: BSD-3-Clause
// Goal: the newcomer's first file. One SET on its way from bytes to a reply and to the effect that
// the log gets, and what that effect makes of an empty server. Each step names the file to read.
#include <gtest/gtest.h>

#include "engine_fixture.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

constexpr ByteView kBytes =
    "*5\r\n$3\r\nset\r\n$4\r\nuser\r\n$3\r\nada\r\n$2\r\nEX\r\n$2\r\n10\r\n";

// What a server's connection is to a session (server/net/connection.h moves the bytes).
class Connection final : public SessionOwner {
 public:
  void on_session_active() override {}
};

class Walkthrough : public testing::Test {
 protected:
  EngineFixture primary{kStringCommands, kStringSetCommands};
  EngineFixture replay{kStringCommands, kStringSetCommands};
};

// 1. datastructs/codec/resp_reader.h: bytes become an argv, views into the receive buffer.
TEST_F(Walkthrough, BytesBecomeACommand) {
  Heap heap;
  ArgvArena arena(heap);
  RespReader reader(heap);
  RespReader::Command command;
  reader.feed(kBytes);
  ASSERT_EQ(reader.next({}, arena, command), RespReader::Read::kCommand);
  ASSERT_EQ(command.argv.size(), 5U);
  EXPECT_EQ(command.argv[2], "ada");
  EXPECT_EQ(command.argv[2].data(), kBytes.substr(kBytes.find("ada")).data());
  EXPECT_EQ(reader.next({}, arena, command), RespReader::Read::kMore);
  reader.end_turn();
}

// 2. server/engine/command.h: all that is known of a command is its row, beside its handler in
// server/commands/string_set.cc.
TEST_F(Walkthrough, TheNameFindsTheRow) {
  const CommandSpec* row = primary.engine.registry.find("set");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->name, "SET");
  EXPECT_EQ(row->arity, at_least(3));
  EXPECT_TRUE(row->flags.has(Flag::kWrite));
  EXPECT_EQ(first_key_index(*row), 1U);
}

TEST_F(Walkthrough, ASetFromBytesToReplyToEffectToReplay) {
  // 3. server/engine/session.h parses into the turn's batch (batch.h); nothing has run yet.
  Connection connection;
  Session session(primary.engine, {}, connection);
  session.on_bytes(kBytes);
  EXPECT_EQ(primary.db().size(), 0U);

  // 4. The batch runs through the one way in, executor.h: gates.h may refuse, the handler works on
  // the keyspace (datastructs/keyspace/keyspace.h).
  primary.engine.run_batch();
  const Keyspace& db = primary.db();
  const Entry* entry = db.find(db.key("user"));
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->embedded(), "ada");
  EXPECT_EQ(entry->deadline(), primary.now + 10'000);

  // 5. server/engine/commit.h: the log gets facts, not wishes. Ten seconds from now is a time.
  EXPECT_EQ(primary.effects(), "0: SET user ada PXAT 1700000010000");

  // 6. The reply is there, and leaves when the log has come as far as it: datastructs/base/
  // out_buffer.h knows from which byte on.
  ByteView pieces[4];
  EXPECT_EQ(session.out().gather(0, pieces), 0U);
  ASSERT_EQ(session.out().gather(primary.engine.commit.log_end(), pieces), 1U);
  EXPECT_EQ(pieces[0], "+OK\r\n");

  // 7. Replayed later, the effect makes the same entry, whatever the clock says.
  replay.pass(5'000);
  replay.caller.origin = Origin::kReplay;
  EXPECT_EQ(replay.run("SET user ada PXAT 1700000010000"), "OK");
  const Entry* again = replay.db().find(replay.db().key("user"));
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->embedded(), "ada");
  EXPECT_EQ(again->deadline(), entry->deadline());
}

}  // namespace
}  // namespace ouro
