// SPDX-License-Identifier: BSD-3-Clause
// import-mode and CLIENT IMPORT-SOURCE: what comes from another server does not end here before
// that server says so.
#include <gtest/gtest.h>

#include "engine_fixture.h"
#include "test_client.h"

namespace ouro {
namespace {

struct ImportMode : testing::Test, EngineFixture {
  ImportMode()
      : EngineFixture({kClientCommands, kConfigCommands, kConnectionCommands, kExpireCommands,
                       kHashCommands, kHashExCommands, kHashExpireCommands, kKeyCommands,
                       kKeyScanCommands, kStringCommands, kStringSetCommands}) {}

  TestTurns turns{engine};
  TestClient source{turns};
  TestClient other{turns};
};

TEST_F(ImportMode, IsAskedForFirst) {
  EXPECT_EQ(source.ask("CLIENT IMPORT-SOURCE ON"), "-ERR Server is not in import mode");
  EXPECT_EQ(source.ask("CLIENT IMPORT-SOURCE OFF"), "+OK");
  EXPECT_EQ(source.ask("CONFIG SET import-mode yes; CLIENT IMPORT-SOURCE x"),
            "+OK -ERR syntax error");
  EXPECT_EQ(source.ask("CLIENT IMPORT-SOURCE ON"), "+OK");
  EXPECT_NE(source.ask("CLIENT INFO").find("flags=I"), std::string::npos);
  EXPECT_EQ(source.ask("RESET"), "+RESET");
  EXPECT_FALSE(source.session().caller().imports);
}

TEST_F(ImportMode, WhatIsDueIsThereForTheSourceAlone) {
  source.ask("CONFIG SET import-mode yes; CLIENT IMPORT-SOURCE ON");
  source.ask("SET k 1 PX 50; HSETEX h PX 50 FIELDS 1 f v; HSET h g w");
  pass(60);
  EXPECT_EQ(other.ask("GET k; EXISTS k; KEYS k; HGET h f; HGETALL h"),
            "$-1 :0 *0 $-1 *2 $1 g $1 w");
  EXPECT_EQ(source.ask("INCR k; GET k; KEYS k; HGET h f"), ":2 $1 2 *1 $1 k $1 v");
  EXPECT_EQ(source.ask("PEXPIRE k 100; GET k"), ":1 $1 2");
  pass(100);
  EXPECT_EQ(other.ask("INCR k; PTTL k"), ":1 :-1") << "who writes it anew begins anew";
}

TEST_F(ImportMode, ATimeThatIsPastEndsNothingForTheSource) {
  source.ask("CONFIG SET import-mode yes; CLIENT IMPORT-SOURCE ON");
  EXPECT_EQ(source.ask("SET k v; PEXPIREAT k 1; GET k"), "+OK :1 $1 v");
  EXPECT_EQ(source.ask("SET l v PXAT 1; GET l"), "+OK $1 v");
  EXPECT_EQ(other.ask("MGET k l"), "*2 $-1 $-1");
}

TEST_F(ImportMode, EndsWithTheMode) {
  source.ask("CONFIG SET import-mode yes; CLIENT IMPORT-SOURCE ON; SET k v PX 50");
  pass(60);
  EXPECT_EQ(source.ask("GET k; CONFIG SET import-mode no; GET k"), "$1 v +OK $-1");
}

TEST_F(ImportMode, NothingExpiresOrIsEvictedByItself) {
  source.ask("CONFIG SET import-mode yes; SET k v PX 50");
  pass(60);
  engine.run_slices();
  EXPECT_EQ(engine.dbs[0].size(), 1U);
  source.ask("CONFIG SET import-mode no");
  engine.run_slices();
  EXPECT_EQ(engine.dbs[0].size(), 0U);
}

}  // namespace
}  // namespace ouro
