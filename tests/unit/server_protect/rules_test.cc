// SPDX-License-Identifier: BSD-3-Clause
#include "server/protect/rules.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "datastructs/base/option.h"
#include "datastructs/base/prng.h"

namespace ouro {
namespace {

std::optional<RuleChange> parse(ByteView text, std::string& error) {
  const std::vector<ByteView> words = split_words(text);
  return parse_rule_change(words, error);
}

RuleChange change(ByteView text) {
  std::string error;
  const auto parsed = parse(text, error);
  EXPECT_TRUE(parsed) << text << ": " << error;
  return parsed.value_or(RuleChange{});
}

std::string error_of(ByteView text) {
  std::string error;
  EXPECT_FALSE(parse(text, error)) << text;
  return error;
}

std::string text_after(std::initializer_list<ByteView> changes) {
  RuleSettings settings;
  for (const ByteView each : changes) change(each).apply_to(settings);
  return rule_text(settings);
}

TEST(RuleSettings, TextIsWhatWasParsedInOneOrder) {
  EXPECT_EQ(text_after({""}), "");
  EXPECT_EQ(text_after({"filter on RATE 100 1000 jitter 20"}), "JITTER 20 RATE 100 1000 FILTER ON");
  const ByteView all = "JITTER 10 STALE 30000 NEG 5000 LEASE 500 LOADS 50 RATE 7 60000 FILTER ON";
  EXPECT_EQ(text_after({all}), all);
  EXPECT_EQ(text_after({"JITTER 10 JITTER 30"}), "JITTER 30");
}

TEST(RuleSettings, AChangeLeavesWhatItDoesNotSay) {
  EXPECT_EQ(text_after({"JITTER 10 RATE 5 100", "STALE 7"}), "JITTER 10 STALE 7 RATE 5 100");
  EXPECT_EQ(text_after({"JITTER 10 RATE 5 100 FILTER ON", "RATE 0 0 FILTER OFF"}), "JITTER 10");
  EXPECT_EQ(text_after({"RATE 5 100", "RATE 0 100"}), "");
}

TEST(RuleSettings, WhatCannotBeIsTold) {
  EXPECT_EQ(error_of("JITTER"), "syntax error");
  EXPECT_EQ(error_of("RATE 5"), "syntax error");
  EXPECT_EQ(error_of("TTL 5"), "syntax error");
  EXPECT_EQ(error_of("JITTER 10 7"), "syntax error");
  EXPECT_EQ(error_of("JITTER many"), "value is not an integer or out of range");
  EXPECT_EQ(error_of("JITTER 101"), "JITTER must be 0 or between 1 and 100");
  EXPECT_EQ(error_of("STALE -1"), "STALE must be 0 or between 1 and 604800000");
  EXPECT_EQ(error_of("NEG 600001"), "NEG must be 0 or between 1 and 600000");
  EXPECT_EQ(error_of("LEASE 9"), "LEASE must be 0 or between 10 and 600000");
  EXPECT_EQ(error_of("LOADS 10001"), "LOADS must be 0 or between 1 and 10000");
  EXPECT_EQ(error_of("RATE 1000001 1"), "RATE must be 0 or between 1 and 1000000");
  EXPECT_EQ(error_of("RATE 5 3600001"), "RATE must be 0 or between 1 and 3600000");
  EXPECT_EQ(error_of("RATE 5 0"), "RATE needs a period in milliseconds");
  EXPECT_EQ(error_of("FILTER maybe"), "FILTER must be ON or OFF");
}

struct RulesTest : testing::Test {
  Rule& set(ByteView prefix, ByteView text = "JITTER 1") {
    const Result<Rule*> rule = rules.set(prefix, change(text));
    EXPECT_TRUE(rule.is_ok()) << prefix;
    rules.check_invariants();
    return **rule;
  }
  // The prefix of the rule that holds, or "-".
  std::string holds_for(ByteView key) const {
    const Rule* rule = rules.find(key);
    return rule == nullptr ? "-" : rule->prefix;
  }

  Heap heap;
  Rules rules{heap, HashSeed{3}};
};

TEST_F(RulesTest, TheLongestPrefixHolds) {
  EXPECT_EQ(holds_for("user:1"), "-");
  set("user:");
  set("user:1");
  set("u");
  EXPECT_EQ(holds_for("user:1"), "user:1");
  EXPECT_EQ(holds_for("user:17"), "user:1");
  EXPECT_EQ(holds_for("user:2"), "user:");
  EXPECT_EQ(holds_for("user"), "u");
  EXPECT_EQ(holds_for("v"), "-");
  EXPECT_EQ(holds_for(""), "-");
  set("");
  EXPECT_EQ(holds_for("v"), "");
  EXPECT_EQ(holds_for(""), "");
  EXPECT_TRUE(rules.erase("user:"));
  EXPECT_FALSE(rules.erase("user:"));
  EXPECT_EQ(holds_for("user:2"), "u");
  EXPECT_EQ(rules.find_exact("user:"), nullptr);
  EXPECT_EQ(rules.find_exact("user:1")->prefix, "user:1");
}

TEST_F(RulesTest, SettingAgainChangesTheSameRule) {
  Rule& rule = set("a", "JITTER 10 LOADS 1");
  rule.counters.hits = 5;
  rule.load_limit.begin(1, 0, 1000);
  EXPECT_EQ(&set("a", "STALE 20"), &rule);
  EXPECT_EQ(rules.size(), 1U);
  EXPECT_EQ(rule_text(rule.settings), "JITTER 10 STALE 20 LOADS 1");
  EXPECT_EQ(rule.counters.hits, 5U);
  EXPECT_EQ(rule.load_limit.in_flight(500), 1U);
}

TEST_F(RulesTest, PrefixesAreBytes) {
  set(ByteView("\0\xFF", 2));
  set("\xFF\xFF");
  EXPECT_EQ(holds_for(ByteView("\0\xFFz", 3)), std::string("\0\xFF", 2));
  EXPECT_EQ(holds_for(ByteView("\0", 1)), "-");
  EXPECT_EQ(holds_for("\xFF\xFF\xFF"), "\xFF\xFF");
  EXPECT_EQ(holds_for("\xFF\xFE"), "-");
}

TEST_F(RulesTest, NoMoreThanTheLimits) {
  for (size_t i = 0; i < Rules::kRulesMax; ++i) set("p" + std::to_string(i) + ":");
  EXPECT_EQ(rules.set("one more", change("JITTER 1")).err(), Err::kTooBig);
  set("p7:", "STALE 1");
  EXPECT_TRUE(rules.erase("p8:"));
  EXPECT_EQ(rules.set(std::string(Rules::kPrefixBytesMax + 1, 'x'), change("")).err(),
            Err::kTooBig);
  set(std::string(Rules::kPrefixBytesMax, 'x'));
}

// Prefixes and keys of two letters, so that they often lie within each other.
TEST_F(RulesTest, FindsWhatALookAtEachRuleFinds) {
  Prng prng(9);
  const auto word = [&](uint64_t bytes_max) {
    std::string text(prng.below(bytes_max + 1), 'a');
    for (char& letter : text) letter = static_cast<char>('a' + prng.below(2));
    return text;
  };
  std::set<std::string> model;
  for (int step = 0; step < 3000; ++step) {
    const std::string prefix = word(7);
    if (prng.below(3) != 0) {
      set(prefix);
      model.insert(prefix);
    } else {
      ASSERT_EQ(rules.erase(prefix), model.erase(prefix) == 1);
    }
    rules.check_invariants();
    for (int i = 0; i < 10; ++i) {
      const std::string key = word(10);
      std::string expected = "-";
      for (size_t bytes = 0; bytes <= key.size(); ++bytes) {
        if (model.contains(key.substr(0, bytes))) expected = key.substr(0, bytes);
      }
      ASSERT_EQ(holds_for(key), expected) << key;
    }
  }
}

TEST_F(RulesTest, AFilterIsFilledBeforeItDenies) {
  Rule& rule = set("u:", "JITTER 1");
  rules.feed("u:1");  // nobody asked for a filter
  EXPECT_EQ(rule.filter, nullptr);
  rules.filter_of(rule).add("u:1");
  rules.feed("u:2");
  EXPECT_FALSE(rule.denies("u:3"));
  set("u:", "FILTER ON");
  EXPECT_FALSE(rule.denies("u:1"));
  EXPECT_FALSE(rule.denies("u:2"));
  EXPECT_TRUE(rule.denies("u:3"));
  set("u:", "JITTER 5");
  EXPECT_TRUE(rule.denies("u:3"));
  set("u:", "FILTER OFF");
  EXPECT_FALSE(rule.denies("u:3"));
  EXPECT_EQ(rule.filter, nullptr);
}

TEST_F(RulesTest, AFilterThatIsLetGoOfIsFreedInSlices) {
  set("u:", "FILTER ON");
  set("v:", "FILTER ON");
  for (int i = 0; i < 100'000; ++i) rules.feed("u:" + std::to_string(i));
  set("u:", "FILTER OFF");
  EXPECT_TRUE(rules.erase("v:"));
  EXPECT_GT(heap.used_bytes(), 200'000U);
  int slices = 0;
  for (size_t budget = 1; !rules.free_some(budget); budget = 1) ++slices;
  EXPECT_GE(slices, 4);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST_F(RulesTest, AFilterThatWasNotSavedIsSwitchedOff) {
  const auto load = [&](ByteView prefix) {
    return rules.load(prefix, change("JITTER 5 FILTER ON")).value();
  };
  Rule* lost = load("a:");
  Rule* saved = load("b:");
  EXPECT_FALSE(lost->denies("a:1"));
  saved->filter = std::make_unique<KeyFilter>(heap, HashSeed{1});
  std::vector<std::string> told;
  rules.switch_off_lost_filters([&](const Rule& rule) { told.push_back(rule.prefix); });
  EXPECT_EQ(told, std::vector<std::string>{"a:"});
  EXPECT_EQ(rule_text(lost->settings), "JITTER 5");
  EXPECT_TRUE(saved->denies("b:1"));
}

}  // namespace
}  // namespace ouro
