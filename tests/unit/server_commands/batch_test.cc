// SPDX-License-Identifier: BSD-3-Clause
// Who comes into a turn when more was sent than one turn runs.
#include <gtest/gtest.h>

#include "engine_fixture.h"
#include "many.h"
#include "test_client.h"

namespace ouro {
namespace {

class BatchTest : public testing::Test {
 protected:
  EngineFixture fixture{kStringCommands, kStringSetCommands, kConnectionCommands};
  TestTurns turns{fixture.engine};
  TestClient hog{turns};
  TestClient other{turns};
};

TEST_F(BatchTest, AClientWithABacklogHasEveryOtherTurn) {
  hog.send(many(20 * Batch::kCommandsMax, "PING; "));
  for (int i = 0; i < 5; ++i) {
    other.send("PING");
    turns.run_one();
    turns.run_one();
    turns.run_one();
    EXPECT_EQ(other.take(), "+PONG") << i;
  }
  EXPECT_TRUE(fixture.engine.batch.has_more());
  turns.run();
  EXPECT_EQ(fixture.engine.stats.commands_processed, 20 * Batch::kCommandsMax + 5);
}

// As long as new input of the same clients keeps coming, too.
TEST_F(BatchTest, ManyBacklogsShareTheTurns) {
  TestClient second(turns);
  TestClient third(turns);
  TestClient* const hogs[] = {&hog, &second, &third};
  for (int turn = 0; turn < 60; ++turn) {
    for (TestClient* each : hogs) each->send(many(Batch::kCommandsMax, "PING; "));
    turns.run_one();
  }
  for (TestClient* each : hogs) {
    EXPECT_GE(each->take().size(), 15 * Batch::kCommandsMax * ByteView("+PONG ").size());
  }
}

}  // namespace
}  // namespace ouro
