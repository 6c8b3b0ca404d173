// SPDX-License-Identifier: BSD-3-Clause
#include "engine_fixture.h"

namespace ouro {
namespace {

class PersistenceTest : public testing::Test {
 protected:
  EngineFixture engine{kPersistenceCommands, kTransactionCommands, kStringSetCommands,
                       kConnectionCommands};
};

TEST_F(PersistenceTest, BgsaveSaysWhetherItHasBegun) {
  EXPECT_EQ(engine.run("BGSAVE"), "Background saving started");
  EXPECT_EQ(engine.run("BGSAVE SCHEDULE"), "Background saving started");
  EXPECT_EQ(engine.run("BGSAVE LATER"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("BGSAVE SCHEDULE SCHEDULE"), "(ERR syntax error)");
  ASSERT_EQ(engine.host.saves.size(), 2U);
  EXPECT_FALSE(engine.host.saves[0].may_be_later);
  EXPECT_TRUE(engine.host.saves[1].may_be_later);
  engine.host.save_error = "Background save already in progress";
  EXPECT_EQ(engine.run("BGSAVE"), "(ERR Background save already in progress)");
}

TEST_F(PersistenceTest, EachBgsaveIsForkless) {
  EXPECT_EQ(engine.run("BGSAVE FORKLESS"), "Background saving started");
  EXPECT_EQ(engine.run("BGSAVE SCHEDULE FORKLESS"), "Background saving started");
  EXPECT_EQ(engine.host.saves.size(), 2U);
  EXPECT_TRUE(engine.host.saves[1].may_be_later);
  const std::string refusal =
      "(ERR BGSAVE FORK cannot be done: this server makes its snapshots without fork)";
  EXPECT_EQ(engine.run("BGSAVE FORK"), refusal);
  EXPECT_EQ(engine.run("BGSAVE SCHEDULE FORK"), refusal);
  EXPECT_EQ(engine.run("BGSAVE FORKLESS SCHEDULE"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("BGSAVE FORK FORKLESS"), "(ERR syntax error)");
  EXPECT_EQ(engine.host.saves.size(), 2U);
}

TEST_F(PersistenceTest, BgsaveCancelSaysWhatItHasEnded) {
  EXPECT_EQ(engine.run("BGSAVE CANCEL"),
            "(ERR Background saving is currently not in progress or scheduled)");
  engine.host.cancelled = Host::CancelledSave::kRunning;
  EXPECT_EQ(engine.run("BGSAVE CANCEL"), "Background saving cancelled");
  engine.host.cancelled = Host::CancelledSave::kScheduled;
  EXPECT_EQ(engine.run("BGSAVE CANCEL"), "Scheduled background saving cancelled");
  EXPECT_EQ(engine.run("BGSAVE CANCEL SCHEDULE"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("BGSAVE SCHEDULE CANCEL"), "(ERR syntax error)");
  EXPECT_TRUE(engine.host.saves.empty());
}

TEST_F(PersistenceTest, LastsaveIsInSeconds) {
  engine.engine.persistence.last_save = 1'234'567;
  EXPECT_EQ(engine.run("LASTSAVE"), "1234");
}

// Redis refuses PING, too, so that who watches a node sees it.
TEST_F(PersistenceTest, WritesAndPingAreRefusedWhileNothingCanBeKept) {
  engine.caller.origin = Origin::kClient;
  Persistence& facts = engine.engine.persistence;
  facts.writes_need_snapshots = true;
  facts.snapshot.last_is_ok = false;
  engine.engine.apply_write_refusal();
  EXPECT_TRUE(engine.run("SET k v").starts_with("(MISCONF Redis is configured to save RDB snap"));
  EXPECT_TRUE(engine.run("PING").starts_with("(MISCONF"));
  EXPECT_EQ(engine.run("LASTSAVE"), "0");
  facts.snapshot.last_is_ok = true;
  facts.log_problem = "No space left on device";
  engine.engine.apply_write_refusal();
  EXPECT_EQ(engine.run("SET k v"),
            "(MISCONF Errors writing to the AOF file: No space left on device)");
  facts.log_problem.clear();
  engine.engine.apply_write_refusal();
  EXPECT_EQ(engine.run("SET k v"), "OK");
}

}  // namespace
}  // namespace ouro
