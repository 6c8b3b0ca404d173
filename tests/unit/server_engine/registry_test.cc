// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/registry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ouro {
namespace {

constexpr CommandSpec kClientRows[] = {
    {.name = "GETNAME", .arity = exactly(2)},
    {.name = "NO-EVICT", .arity = exactly(3)},
};
constexpr CommandSpec kFirst[] = {
    {.name = "CLIENT", .arity = at_least(2), .subcommands = kClientRows},
    {.name = "GET", .arity = exactly(2)},
    {.name = "GEORADIUSBYMEMBER_RO", .arity = at_least(5)},
};
constexpr CommandSpec kSecond[] = {
    {.name = "DEL", .arity = at_least(2)},
    {.name = "SET", .arity = at_least(3)},
};
constexpr Registry::Table kTables[] = {kFirst, kSecond};

TEST(Registry, FindsInAnyCase) {
  const Registry registry(kTables);
  EXPECT_EQ(registry.find("GET"), &kFirst[1]);
  EXPECT_EQ(registry.find("get"), &kFirst[1]);
  EXPECT_EQ(registry.find("gEt"), &kFirst[1]);
  EXPECT_EQ(registry.find("georadiusBYMEMBER_ro"), &kFirst[2]);
  EXPECT_EQ(registry.find("set"), &kSecond[1]);
}

TEST(Registry, CommandsMayHaveAnotherName) {
  using Renaming = Registry::Renaming;
  Registry registry(kTables);
  EXPECT_EQ(registry.rename("get", "a name far longer than any command has"), Renaming::kDone);
  EXPECT_EQ(registry.rename("CLIENT", "badger"), Renaming::kDone);
  EXPECT_EQ(registry.rename("del", ""), Renaming::kDone);
  EXPECT_EQ(registry.find("get"), nullptr);
  EXPECT_EQ(registry.find("A NAME far longer than any command has"), &kFirst[1]);
  EXPECT_EQ(registry.find("del"), nullptr);
  EXPECT_EQ(registry.find(""), nullptr);
  EXPECT_EQ(registry.find("set"), &kSecond[1]);
  EXPECT_EQ(registry.find_full("client|getname"), nullptr);
  EXPECT_EQ(registry.find_full("Badger|getname"), &kClientRows[0]);
  EXPECT_EQ(registry.find_own("client|GETNAME"), &kClientRows[0]);
  EXPECT_EQ(registry.find_own("get"), &kFirst[1]);
  EXPECT_EQ(registry.find_own("badger"), nullptr);
  EXPECT_EQ(registry.rename("get", "x"), Renaming::kNoSuchCommand);
  EXPECT_EQ(registry.rename("badger", "SET"), Renaming::kNameTaken);
  // Twice, and to a name that is free again.
  EXPECT_EQ(registry.rename("badger", "get"), Renaming::kDone);
  EXPECT_EQ(registry.find("get"), &kFirst[0]);
  EXPECT_EQ(registry.find("badger"), nullptr);
}

TEST(Registry, RefusesWhatIsNoName) {
  const Registry registry(kTables);
  for (const ByteView name :
       {"", "g", "ge", "gett", "getget", "get ", "client|getname", "georadiusbymember_r",
        "georadiusbymember__ro", "a name far longer than any command has"}) {
    EXPECT_EQ(registry.find(name), nullptr) << name;
  }
  // '_' and DEL differ by the bit that separates cases, and 0xC7 is 'G' with the top bit set.
  EXPECT_EQ(registry.find("GEORADIUSBYMEMBER\x7FRO"), nullptr);
  EXPECT_EQ(registry.find("\xC7"
                          "ET"),
            nullptr);
  EXPECT_EQ(registry.find(ByteView("GET\0", 4)), nullptr);
}

// Names of every length find themselves in both cases, and no other name one byte away.
TEST(Registry, EveryLengthCountsEveryByte) {
  std::vector<std::string> names;
  for (size_t bytes = 1; bytes <= Registry::kNameBytesMax; ++bytes)
    names.emplace_back("QWERTYUIOPASDFGHJKLZXCVB", bytes);
  std::vector<CommandSpec> rows;
  for (const std::string& name : names) rows.push_back({.name = name, .arity = 1});
  const Registry::Table table = rows;
  const Registry registry({&table, 1});
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(registry.find(names[i]), &rows[i]);
    std::string name = names[i];
    for (char& c : name) c = static_cast<char>(c | 0x20);
    EXPECT_EQ(registry.find(name), &rows[i]);
    for (char& c : name) {
      const char kept = c;
      c = '7';
      EXPECT_EQ(registry.find(name), nullptr) << name;
      c = kept;
    }
  }
}

TEST(Registry, FindsSubcommands) {
  const Registry registry(kTables);
  EXPECT_EQ(Registry::find_subcommand(kFirst[0], "getname"), &kClientRows[0]);
  EXPECT_EQ(Registry::find_subcommand(kFirst[0], "No-Evict"), &kClientRows[1]);
  EXPECT_EQ(Registry::find_subcommand(kFirst[0], "getnam"), nullptr);
  EXPECT_EQ(Registry::find_subcommand(kFirst[1], "getname"), nullptr);
  EXPECT_EQ(registry.find_full("client|NO-EVICT"), &kClientRows[1]);
  EXPECT_EQ(registry.find_full("client"), &kFirst[0]);
  EXPECT_EQ(registry.find_full("client|"), nullptr);
  EXPECT_EQ(registry.find_full("nobody|getname"), nullptr);
}

TEST(Registry, ListsInNameOrder) {
  const Registry registry(kTables);
  std::vector<std::string> names;
  for (const CommandSpec* row : registry.commands()) names.emplace_back(row->name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"CLIENT", "DEL", "GEORADIUSBYMEMBER_RO", "GET", "SET"}));
  EXPECT_EQ(registry.count(), 5U);
  std::vector<std::string> full_names;
  registry.for_each_row([&](const CommandSpec& row, const CommandStats&) {
    full_names.emplace_back(registry.full_name(row));
  });
  EXPECT_EQ(full_names, (std::vector<std::string>{"client", "client|getname", "client|no-evict",
                                                  "del", "georadiusbymember_ro", "get", "set"}));
}

TEST(Registry, KnowsTheContainer) {
  const Registry registry(kTables);
  EXPECT_EQ(registry.container(kClientRows[1]), &kFirst[0]);
  EXPECT_EQ(registry.container(kFirst[0]), nullptr);
}

TEST(Registry, CountsPerRowAndPerRegistry) {
  Registry one(kTables);
  Registry other(kTables);
  one.stats(kFirst[1]).calls = 7;
  one.stats(kClientRows[0]).failed = 1;
  EXPECT_EQ(one.stats(kFirst[1]).calls, 7U);
  EXPECT_EQ(one.stats(kClientRows[0]).failed, 1U);
  EXPECT_EQ(one.stats(kFirst[0]).failed, 0U);
  EXPECT_EQ(other.stats(kFirst[1]).calls, 0U);
  one.reset_stats();
  EXPECT_EQ(one.stats(kFirst[1]).calls, 0U);
}

TEST(LatencyHistogram, PercentilesAreAtMostOneCellAbove) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.percentile_nanos(50), 0U);
  for (uint64_t nanos = 1; nanos <= 100'000; ++nanos) histogram.record(nanos);
  for (const double percent : {0.1, 1.0, 50.0, 99.0, 99.9, 100.0}) {
    const double exact = percent * 1000;
    EXPECT_GE(static_cast<double>(histogram.percentile_nanos(percent)), exact);
    EXPECT_LE(static_cast<double>(histogram.percentile_nanos(percent)), exact * (1 + 1.0 / 32));
  }
}

TEST(LatencyHistogram, CountsLongOnesAtTheTop) {
  LatencyHistogram histogram;
  histogram.record(~uint64_t{0});
  histogram.record(0);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.percentile_nanos(100), LatencyHistogram::kMaxNanos);
}

TEST(LatencyHistogram, ShowsPowersOfTwoThatCoverMore) {
  LatencyHistogram histogram;
  for (const uint64_t nanos : {5U, 1023U, 1024U, 5000U}) histogram.record(nanos);
  std::vector<std::pair<uint64_t, uint64_t>> shown;
  histogram.for_each_power_of_two(
      [&](uint64_t bound, uint64_t covered) { shown.emplace_back(bound, covered); });
  EXPECT_EQ(shown, (std::vector<std::pair<uint64_t, uint64_t>>{{1024, 2}, {2048, 3}, {8192, 4}}));
}

}  // namespace
}  // namespace ouro
