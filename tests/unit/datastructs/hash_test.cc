// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/hash.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace ouro {
namespace {

constexpr HashSeed kSeed{42};

// Every test runs on a hash that stays packed and on one that is a table from the first field on.
class HashTest : public testing::TestWithParam<bool> {
 protected:
  HashTest() {
    if (GetParam()) limits_.hash_packed_entries = 0;
  }
  ~HashTest() override {
    hash_.destroy(heap_);
    EXPECT_EQ(heap_.used_bytes(), 0u);
  }
  bool set(ByteView field, ByteView value, Hash::Write how = {}) {
    return hash_.set(heap_, limits_, kSeed, field, value, how);
  }
  void check() const {
    hash_.check_invariants();
    EXPECT_EQ(hash_.memory_bytes(), heap_.used_bytes());
  }
  std::map<std::string, std::string> all(UnixMs now = kTimeless) const {
    check();
    std::map<std::string, std::string> fields;
    hash_.for_each([&](const Hash::Item& item) { fields.emplace(item.field, item.value); }, now);
    return fields;
  }

  Heap heap_;
  Limits limits_;
  Hash hash_;
};
INSTANTIATE_TEST_SUITE_P(Forms, HashTest, testing::Bool(),
                         [](const auto& param) { return param.param ? "Table" : "Packed"; });

TEST_P(HashTest, SetsGetsAndErases) {
  EXPECT_TRUE(set("a", "1"));
  EXPECT_FALSE(set("a", "2"));
  EXPECT_TRUE(set("", ""));
  const std::string binary("\0\r\n\xff", 4);
  EXPECT_TRUE(set(binary, binary));
  EXPECT_EQ(hash_.encoding(), GetParam() ? "hashtable" : "listpack");
  EXPECT_EQ(all(), (std::map<std::string, std::string>{{"a", "2"}, {"", ""}, {binary, binary}}));
  EXPECT_EQ(hash_.get("a"), "2");
  EXPECT_EQ(hash_.get("b"), std::nullopt);
  EXPECT_TRUE(hash_.erase(heap_, ""));
  EXPECT_FALSE(hash_.erase(heap_, ""));
  EXPECT_EQ(hash_.size(), 2u);
  EXPECT_TRUE(hash_.erase(heap_, "a"));
  EXPECT_TRUE(hash_.erase(heap_, binary));
  EXPECT_TRUE(hash_.empty());
  EXPECT_EQ(heap_.used_bytes(), 0u);
}

TEST_P(HashTest, ADueFieldIsHiddenUntilItIsRemoved) {
  set("stays", "1");
  set("goes", "2");
  EXPECT_TRUE(hash_.set_deadline(heap_, "goes", 1000));
  EXPECT_FALSE(hash_.set_deadline(heap_, "none", 1000));
  EXPECT_EQ(hash_.find("goes", 999)->deadline, 1000);
  EXPECT_EQ(hash_.find("stays", 999)->deadline, kNoExpiry);
  EXPECT_TRUE(hash_.contains("goes", 999));
  EXPECT_FALSE(hash_.contains("goes", 1000));
  EXPECT_TRUE(hash_.contains("goes"));
  EXPECT_EQ(hash_.size(), 2u);
  EXPECT_LE(hash_.next_deadline(), 1000);
  EXPECT_EQ(all(1000), (std::map<std::string, std::string>{{"stays", "1"}}));
  EXPECT_FALSE(hash_.set_deadline(heap_, "goes", 5000, 1000));
  std::vector<std::string> expired;
  const auto note = [&](ByteView field) { expired.emplace_back(field); };
  size_t budget = 100;
  EXPECT_EQ(hash_.expire_due(heap_, 999, budget, note), 0u);
  budget = 100;
  EXPECT_EQ(hash_.expire_due(heap_, 1000, budget, note), 1u);
  EXPECT_EQ(expired, std::vector<std::string>{"goes"});
  EXPECT_EQ(hash_.size(), 1u);
  check();
}

// A small budget comes to them however many stay in front of them.
TEST_P(HashTest, DueFieldsBehindOthersAreFound) {
  for (int i = 0; i < 50; ++i) set("stays" + std::to_string(i), "v");
  for (int i = 0; i < 5; ++i) {
    const std::string name = "goes" + std::to_string(i);
    set(name, "v");
    hash_.set_deadline(heap_, name, 10);
  }
  size_t removed = 0;
  for (int call = 0; call < 100 && removed < 5; ++call) {
    size_t budget = 2;
    removed += hash_.expire_due(heap_, 10, budget, [](ByteView) {});
  }
  EXPECT_EQ(removed, 5u);
  EXPECT_EQ(hash_.size(), 50u);
  check();
}

TEST_P(HashTest, AWriteClearsOrKeepsTheDeadline) {
  set("f", "1");
  hash_.set_deadline(heap_, "f", 1000);
  EXPECT_FALSE(set("f", "22", {.now = 500, .keep_deadline = true}));
  EXPECT_EQ(hash_.find("f")->deadline, 1000);
  EXPECT_EQ(hash_.get("f"), "22");
  EXPECT_TRUE(set("f", std::string(40, 'x'), {.now = 1000, .keep_deadline = true}));
  EXPECT_EQ(hash_.find("f")->deadline, kNoExpiry);
  hash_.set_deadline(heap_, "f", 2000);
  EXPECT_FALSE(set("f", "3", {.now = 1500}));
  EXPECT_EQ(hash_.find("f")->deadline, kNoExpiry);
  hash_.set_deadline(heap_, "f", 3000);
  EXPECT_TRUE(hash_.set_deadline(heap_, "f", kNoExpiry));
  EXPECT_EQ(all(9999), (std::map<std::string, std::string>{{"f", "3"}}));
}

TEST_P(HashTest, ErasingADueFieldSaysThatItWasNotThere) {
  set("f", "1");
  hash_.set_deadline(heap_, "f", 1000);
  EXPECT_FALSE(hash_.erase(heap_, "f", 1000));
  EXPECT_TRUE(hash_.empty());
}

TEST_P(HashTest, TheLastFieldToExpireLeavesAnEmptyHash) {
  for (const char* field : {"a", "b", "c"}) {
    set(field, "v");
    hash_.set_deadline(heap_, field, 10);
  }
  size_t removed = 0;
  while (!hash_.empty()) {
    size_t budget = 2;
    removed += hash_.expire_due(heap_, 10, budget, [](ByteView) {});
  }
  EXPECT_EQ(removed, 3u);
  EXPECT_EQ(heap_.used_bytes(), 0u);
}

TEST_P(HashTest, RandomFieldsAreFair) {
  Prng prng(7);
  for (int i = 0; i < 40; ++i) set(std::to_string(i), "v");
  std::map<std::string, int> drawn;
  std::map<std::string, int> repeated;
  std::map<std::string, int> distinct;
  constexpr int kRounds = 8000;
  for (int i = 0; i < kRounds; ++i) {
    ++drawn[std::string(hash_.random(prng)->field)];
    hash_.random_each(heap_, prng, 1,
                      [&](const Hash::Item& item) { ++repeated[std::string(item.field)]; });
    hash_.random_distinct(heap_, prng, 1 + static_cast<size_t>(i % 12),
                          [&](const Hash::Item& item) { ++distinct[std::string(item.field)]; });
  }
  ASSERT_EQ(drawn.size(), 40u);
  for (const auto& [field, times] : drawn) {
    EXPECT_NEAR(times, kRounds / 40, 70) << field;
    EXPECT_NEAR(repeated[field], kRounds / 40, 70) << field;
    EXPECT_NEAR(distinct[field], kRounds * 6.5 / 40, 180) << field;
  }
}

TEST_P(HashTest, DistinctFieldsAreDistinctForEveryCount) {
  Prng prng(8);
  for (int i = 0; i < 60; ++i) set(std::to_string(i), "v");
  for (int timed = 0; timed < 2; ++timed) {
    const size_t alive = timed == 0 ? 60 : 50;
    for (size_t count = 0; count < 70; ++count) {
      std::map<std::string, int> seen;
      size_t given = 0;
      hash_.random_distinct(
          heap_, prng, count,
          [&](const Hash::Item& item) {
            ++given;
            ++seen[std::string(item.field)];
          },
          1000);
      EXPECT_EQ(given, std::min(count, alive));
      EXPECT_EQ(seen.size(), given);
    }
    for (int i = 0; i < 10; ++i) hash_.set_deadline(heap_, std::to_string(i), 1000);
  }
  check();
}

TEST_P(HashTest, RandomNeverGivesADueField) {
  Prng prng(9);
  EXPECT_EQ(hash_.random(prng), std::nullopt);
  for (int i = 0; i < 30; ++i) {
    set(std::to_string(i), "v");
    if (i != 17) hash_.set_deadline(heap_, std::to_string(i), 5);
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(hash_.random(prng, 5)->field, "17");
  size_t given = 0;
  hash_.random_each(
      heap_, prng, 20, [&](const Hash::Item& item) { given += item.field == "17" ? 1u : 0u; }, 5);
  EXPECT_EQ(given, 20u);
  hash_.erase(heap_, "17");
  EXPECT_EQ(hash_.random(prng, 5), std::nullopt);
}

// Goal: many draws where few fields live are no many walks. Method: a million of them; each walk
// over all fields would make it minutes.
TEST_P(HashTest, ManyRandomFieldsOfFewThatLive) {
  constexpr int kFields = 10'000;
  for (int i = 0; i < kFields; ++i) {
    set(std::to_string(i), "v");
    if (i >= 4) hash_.set_deadline(heap_, std::to_string(i), 5);
  }
  Prng prng(3);
  std::map<std::string, int> seen;
  hash_.random_each(
      heap_, prng, 1'000'000, [&](const Hash::Item& item) { ++seen[std::string(item.field)]; }, 5);
  EXPECT_EQ(seen.size(), 4u);
  // 250,000 are expected of each; twelve standard deviations around.
  for (const auto& [field, count] : seen) EXPECT_NEAR(count, 250'000, 5'200) << field;
}

TEST_P(HashTest, CopyIsIndependentAndKeepsDeadlines) {
  set("a", "1");
  set("b", "2");
  hash_.set_deadline(heap_, "b", 77);
  Hash other = hash_.copy(heap_);
  set("a", "changed");
  EXPECT_EQ(other.get("a"), "1");
  EXPECT_EQ(other.find("b")->deadline, 77);
  EXPECT_EQ(other.encoding(), hash_.encoding());
  other.check_invariants();
  other.destroy(heap_);
}

TEST_P(HashTest, ScanVisitsAllAndHidesTheDue) {
  for (int i = 0; i < 100; ++i) set(std::to_string(i), "v");
  hash_.set_deadline(heap_, "50", 5);
  std::map<std::string, int> seen;
  uint64_t cursor = 0;
  do {
    cursor = hash_.scan(
        cursor, [&](const Hash::Item& item) { ++seen[std::string(item.field)]; }, 5);
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), 99u);
  EXPECT_EQ(seen.count("50"), 0u);
}

TEST_P(HashTest, ValuesOfAllSizesAreReplaced) {
  for (const size_t bytes : {0u, 1u, 64u, 3u, 60u, 0u, 17u}) {
    set("f", std::string(bytes, 'v'));
    set("g", "neighbour");
    EXPECT_EQ(all(), (std::map<std::string, std::string>{{"f", std::string(bytes, 'v')},
                                                         {"g", "neighbour"}}));
  }
  EXPECT_EQ(hash_.encoding(), GetParam() ? "hashtable" : "listpack");
  for (const size_t bytes : {65u, 127u, 128u, 8192u, 300'000u, 2u}) {
    set("f", std::string(bytes, 'v'));
    EXPECT_EQ(all(), (std::map<std::string, std::string>{{"f", std::string(bytes, 'v')},
                                                         {"g", "neighbour"}}));
  }
}

using HashFormTest = HashTest;
INSTANTIATE_TEST_SUITE_P(Packed, HashFormTest, testing::Values(false),
                         [](const auto&) { return "FromPacked"; });

TEST_P(HashFormTest, BecomesATableAboveEachLimit) {
  limits_.hash_packed_entries = 3;
  for (const char* field : {"a", "b", "c"}) set(field, std::string(64, 'v'));
  set("c", "again");
  hash_.set_deadline(heap_, "b", 99);
  EXPECT_EQ(hash_.encoding(), "listpackex");
  set("d", "v");
  EXPECT_EQ(hash_.encoding(), "hashtable");
  EXPECT_EQ(hash_.find("b")->deadline, 99);
  EXPECT_EQ(hash_.next_deadline(), 99);
  EXPECT_EQ(all().size(), 4u);
  for (const auto& [field_bytes, value_bytes] : {std::pair<size_t, size_t>{65, 0}, {0, 65}}) {
    hash_.destroy(heap_);
    set("a", "v");
    set(std::string(field_bytes, 'f'), std::string(value_bytes, 'v'));
    EXPECT_EQ(hash_.encoding(), "hashtable");
    EXPECT_EQ(all().size(), 2u);
  }
}

TEST_P(HashFormTest, NoLimitMakesAPackedRunOfAnySize) {
  limits_.hash_packed_value_bytes = 1'000'000'000;
  limits_.hash_packed_entries = 1'000'000'000;
  set("f", std::string(100'000, 'v'));
  EXPECT_EQ(hash_.encoding(), "listpack");
  set("g", std::string(100'000, 'v'));
  EXPECT_EQ(hash_.encoding(), "hashtable");
  check();
}

TEST_P(HashFormTest, FreesALargeTableInSlices) {
  limits_.hash_packed_entries = 0;
  for (int i = 0; i < 1000; ++i) set(std::to_string(i), "v");
  EXPECT_EQ(hash_.free_effort(), 1000u);
  size_t slices = 0;
  for (bool done = false; !done; ++slices) {
    size_t budget = 300;
    done = hash_.free_some(heap_, budget);
  }
  EXPECT_GE(slices, 4u);
  EXPECT_EQ(heap_.used_bytes(), 0u);
}

TEST_P(HashFormTest, AMillionFieldsOfTwelveAndSixteenBytesStayBelow75BytesEach) {
  limits_.hash_packed_entries = 0;
  constexpr size_t kFields = 200'000;
  for (size_t i = 0; i < kFields; ++i)
    set("field:" + std::to_string(100'000 + i), "0123456789abcdef");
  EXPECT_LT(hash_.memory_bytes() / kFields, 65u);
  check();
}

}  // namespace
}  // namespace ouro
