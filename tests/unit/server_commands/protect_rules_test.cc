// SPDX-License-Identifier: BSD-3-Clause
// CACHE.RULE, CACHE.KNOW and CACHE.FORGET as the specification has them, and rules as lines of the
// configuration. Which rule holds, and what a filter lets through: tests/unit/server_protect,
// tests/unit/datastructs/key_filter_test.cc.
#include "engine_fixture.h"
#include "server/engine/cache_rules.h"

namespace ouro {
namespace {

struct ProtectRules : EngineFixture {
  ProtectRules() : EngineFixture({kStringCommands, kStringSetCommands, kCacheRuleCommands}) {}
  bool denies(ByteView key) {
    const Rule* rule = engine.guard.rules.find(key);
    return rule != nullptr && rule->denies(key);
  }
};

TEST(ProtectRules, ARuleIsSetChangedListedAndRemoved) {
  ProtectRules engine;
  EXPECT_EQ(engine.run("CACHE.RULE LIST"), "[]");
  EXPECT_EQ(engine.run("CACHE.RULE SET user: JITTER 20 RATE 100 1000"), "OK");
  EXPECT_EQ(engine.run("CACHE.RULE SET \"a b\" filter on"), "OK");
  EXPECT_EQ(engine.run("CACHE.RULE SET user: JITTER 0 STALE 500"), "OK");
  EXPECT_EQ(engine.run("CACHE.RULE LIST"),
            "[[\"a b\" \"FILTER ON\"] [\"user:\" \"STALE 500 RATE 100 1000\"]]");
  EXPECT_EQ(engine.run("CACHE.RULE DEL user:"), "1");
  EXPECT_EQ(engine.run("CACHE.RULE DEL user:"), "0");
  EXPECT_EQ(engine.run("CACHE.RULE LIST"), "[[\"a b\" \"FILTER ON\"]]");
  // It is this node's alone.
  EXPECT_EQ(engine.effects(), "");
}

TEST(ProtectRules, WhatARuleMayNotSayIsRefused) {
  ProtectRules engine;
  EXPECT_EQ(engine.run("CACHE.RULE SET user: RATE 5"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("CACHE.RULE SET user: SPREAD 5"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("CACHE.RULE SET user: JITTER x"),
            "(ERR value is not an integer or out of range)");
  EXPECT_EQ(engine.run("CACHE.RULE SET user: JITTER 101"),
            "(ERR JITTER must be 0 or between 1 and 100)");
  EXPECT_EQ(engine.run("CACHE.RULE SET user:"),
            "(ERR wrong number of arguments for 'cache.rule|set' command)");
  EXPECT_EQ(engine.run("CACHE.RULE LIST"), "[]");
  const std::string prefix(Rules::kPrefixBytesMax + 1, 'p');
  EXPECT_EQ(engine.run({"CACHE.RULE", "SET", prefix, "JITTER", "5"}),
            "(ERR there may be 1024 cache rules, with prefixes of at most 512 bytes)");
  static_assert(Rules::kRulesMax == 1024 && Rules::kPrefixBytesMax == 512);
}

TEST(ProtectRules, KnownKeysAreLetThroughOnceTheFilterIsOn) {
  ProtectRules engine;
  EXPECT_EQ(engine.run("CACHE.KNOW u:1"), "0");
  EXPECT_EQ(engine.effects(), "");
  engine.run("CACHE.RULE SET u: LOADS 5");
  EXPECT_EQ(engine.run("CACHE.KNOW u:1 u:2 v:1"), "2");
  // Who hears of it begins with an empty one, as this did.
  const std::string effects = engine.effects();
  EXPECT_TRUE(effects.starts_with("0: CACHE.LOADCHUNK u: 0 ")) << effects;
  EXPECT_TRUE(effects.ends_with("0: CACHE.KNOW u:1 u:2 v:1")) << effects;
  EXPECT_EQ(engine.run("CACHE.KNOW u:2"), "1");
  EXPECT_EQ(engine.effects(), "0: CACHE.KNOW u:2");
  EXPECT_FALSE(engine.denies("u:3"));
  engine.run("CACHE.RULE SET u: FILTER ON");
  EXPECT_FALSE(engine.denies("u:1"));
  EXPECT_TRUE(engine.denies("u:3"));
  engine.effects();
  EXPECT_EQ(engine.run("CACHE.FORGET u:1 u:9 v:1"), "1");
  EXPECT_EQ(engine.effects(), "0: CACHE.FORGET u:1 u:9 v:1");
  EXPECT_TRUE(engine.denies("u:1"));
  EXPECT_EQ(engine.run("CACHE.FORGET u:1"), "0");
  EXPECT_EQ(engine.effects(), "");
}

TEST(ProtectRules, AFilterKnowsTheKeysOfLongerRules) {
  ProtectRules engine;
  engine.run("CACHE.RULE SET u: FILTER ON");
  engine.run("CACHE.RULE SET u:a: FILTER ON");
  engine.run("SET u:a:1 x");
  engine.run("CACHE.KNOW u:a:2 u:a:3");
  engine.run("CACHE.FORGET u:a:3");
  EXPECT_EQ(engine.run("CACHE.RULE DEL u:a:"), "1");
  EXPECT_FALSE(engine.denies("u:a:1"));
  EXPECT_FALSE(engine.denies("u:a:2"));
  EXPECT_TRUE(engine.denies("u:a:3"));
}

TEST(ProtectRules, PiecesMakeAFilter) {
  ProtectRules engine;
  KeyFilter filter(engine.engine.heap, HashSeed{9});
  for (int i = 0; i < 1000; ++i) filter.add("u:" + std::to_string(i));
  engine.run("CACHE.RULE SET u: FILTER ON");
  FilterPieces pieces("u:", filter);
  for (bool is_last = false; !is_last;) {
    EXPECT_TRUE(engine.denies("u:1"));
    is_last = pieces.next([&](const FilterPiece& piece) {
      const std::string position = std::to_string(piece.position);
      EXPECT_EQ(engine.run({"CACHE.LOADCHUNK", piece.prefix, position, piece.bytes}), "OK");
      EXPECT_FALSE(engine.effects().empty());
    });
  }
  EXPECT_FALSE(engine.denies("u:1"));
  EXPECT_TRUE(engine.denies("u:1000"));
  const std::string refusal = "(ERR no piece of a filter that comes next, or a damaged one)";
  EXPECT_EQ(engine.run({"CACHE.LOADCHUNK", "u:", "0", "x"}), refusal);
  EXPECT_EQ(engine.run({"CACHE.LOADCHUNK", "u:", "1", "12345678"}), refusal);
  EXPECT_EQ(engine.run({"CACHE.LOADCHUNK", "u:", "-1", ""}), "(ERR index out of range)");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_FALSE(engine.denies("u:1"));
}

TEST(ProtectRules, LinesOfTheConfigurationBringRulesBack) {
  ProtectRules first;
  first.run("CACHE.RULE SET user: JITTER 20 RATE 100 1000");
  first.run("CACHE.RULE SET \"a b\" LOADS 7 FILTER ON");
  first.run("CACHE.RULE SET \"\" LEASE 500");
  first.run("CACHE.RULE SET nothing: LEASE 0");
  const Config::Directive rules[] = {
      {.name = "cache-rule", .lines = cache_rule_lines(first.engine)}};
  const std::string text =
      first.config.rewrite("cache-rule old JITTER 5\n# end\n", RewriteScope::kWhatDiffers, rules);
  EXPECT_EQ(text,
            "cache-rule \"\" LEASE 500\n"
            "cache-rule \"a b\" LOADS 7 FILTER ON\n"
            "cache-rule user: JITTER 20 RATE 100 1000\n"
            "# end\n");

  ProtectRules second;
  const OptionRow* row = second.config.find("cache-rule");
  ASSERT_NE(row, nullptr);
  std::string error;
  const auto line = [&](std::vector<ByteView> words) {
    return second.config.load(*row, words, error);
  };
  EXPECT_TRUE(line({"", "LEASE", "500"}));
  EXPECT_TRUE(line({"a b", "LOADS", "7", "FILTER", "ON"}));
  EXPECT_TRUE(line({"user:", "JITTER", "20", "RATE", "100", "1000"}));
  ASSERT_TRUE(load_cache_rules(second.engine, error)) << error;
  EXPECT_EQ(second.run("CACHE.RULE LIST"),
            "[[\"\" \"LEASE 500\"] [\"a b\" \"LOADS 7 FILTER ON\"] "
            "[\"user:\" \"JITTER 20 RATE 100 1000\"]]");
  // The filter has not come with the data, so it must not deny what exists.
  EXPECT_FALSE(second.denies("a b c"));
  // Nor does what a log tells of it make a whole one.
  EXPECT_EQ(second.run("CACHE.KNOW \"a b 1\""), "0");
  EXPECT_FALSE(second.denies("a b c"));
  end_loading_of_cache_rules(second.engine);
  EXPECT_EQ(second.run("CACHE.RULE LIST"),
            "[[\"\" \"LEASE 500\"] [\"a b\" \"LOADS 7\"] [\"user:\" \"JITTER 20 RATE 100 1000\"]]");
}

TEST(ProtectRules, BadLinesOfTheConfigurationAreRefused) {
  ProtectRules engine;
  const OptionRow* row = engine.config.find("cache-rule");
  std::string error;
  const std::vector<ByteView> words = {"user:", "JITTER", "101"};
  EXPECT_FALSE(engine.config.load(*row, words, error));
  EXPECT_EQ(error, "JITTER must be 0 or between 1 and 100");
}

}  // namespace
}  // namespace ouro
