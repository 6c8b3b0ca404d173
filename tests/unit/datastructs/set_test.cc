// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/set.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>

namespace ouro {
namespace {

class SetTest : public testing::Test {
 protected:
  ~SetTest() override {
    set_.destroy(heap_);
    EXPECT_EQ(heap_.used_bytes(), 0u);
  }
  bool add(ByteView member) { return set_.add(heap_, limits_, kSeed, member); }
  void add_numbers(int count, const std::string& prefix = "") {
    for (int i = 0; i < count; ++i) add(prefix + std::to_string(i));
  }
  std::set<std::string> contents(const Set& set) const {
    std::set<std::string> all;
    set.for_each([&](ByteView member) { EXPECT_TRUE(all.emplace(member).second); });
    return all;
  }
  // Whether a set with these members has become a table can be told by its number of allocations.
  bool is_table() const { return set_.free_effort() == set_.size() && set_.size() > 1; }
  void expect_fair(int members);

  static constexpr HashSeed kSeed{5};
  Heap heap_;
  Limits limits_;
  Set set_;
};

TEST_F(SetTest, StartsEmptyWithoutMemory) {
  EXPECT_TRUE(set_.empty());
  EXPECT_EQ(set_.memory_bytes(), 0u);
  EXPECT_FALSE(set_.contains("a"));
  EXPECT_FALSE(set_.remove(heap_, "a"));
}

TEST_F(SetTest, IntegersStayIntegersUpToTheLimit) {
  add_numbers(512);
  EXPECT_EQ(set_.encoding(), "intset");
  EXPECT_FALSE(add("511"));
  EXPECT_EQ(set_.encoding(), "intset");
  EXPECT_TRUE(add("512"));
  EXPECT_EQ(set_.encoding(), "hashtable");
  EXPECT_EQ(set_.size(), 513u);
  for (int i = 0; i < 513; ++i) EXPECT_TRUE(set_.contains(std::to_string(i)));
}

TEST_F(SetTest, OnlyExactNumbersAreIntegers) {
  for (const char* member : {"01", "+1", "-0", " 1", "1 ", "9223372036854775808", ""}) {
    EXPECT_TRUE(add("1"));
    EXPECT_EQ(set_.encoding(), "intset");
    EXPECT_FALSE(set_.contains(member)) << member;
    EXPECT_FALSE(set_.remove(heap_, member)) << member;
    EXPECT_TRUE(add(member)) << member;
    EXPECT_EQ(set_.encoding(), "hashtable");
    EXPECT_EQ(contents(set_), (std::set<std::string>{"1", member}));
    set_.destroy(heap_);
  }
}

TEST_F(SetTest, ShortTextIsPackedUntilOneIsLong) {
  add_numbers(128, "m");
  EXPECT_FALSE(is_table());
  EXPECT_FALSE(add("m5"));
  EXPECT_FALSE(is_table());
  EXPECT_TRUE(add("one more"));
  EXPECT_TRUE(is_table());
  set_.destroy(heap_);

  add("a");
  add(std::string(64, 'b'));
  EXPECT_FALSE(is_table());
  add(std::string(65, 'c'));
  EXPECT_TRUE(is_table());
  EXPECT_EQ(set_.size(), 3u);
  EXPECT_TRUE(set_.contains(std::string(64, 'b')));
  EXPECT_EQ(set_.encoding(), "hashtable");
}

TEST_F(SetTest, IntegersBecomePackedWhenFewAndATableWhenMany) {
  add_numbers(100);
  add("text");
  EXPECT_FALSE(is_table());
  EXPECT_EQ(set_.size(), 101u);
  set_.destroy(heap_);
  add_numbers(200);
  add("text");
  EXPECT_TRUE(is_table());
  EXPECT_EQ(set_.size(), 201u);
}

TEST_F(SetTest, LoweringLimitsChangesNothingThatExists) {
  add_numbers(100);
  limits_.set_ints_entries = 10;
  EXPECT_FALSE(add("5"));
  EXPECT_TRUE(set_.remove(heap_, "5"));
  EXPECT_EQ(set_.encoding(), "intset");
  EXPECT_TRUE(add("5"));
  EXPECT_EQ(set_.encoding(), "hashtable");
}

TEST_F(SetTest, RunsOfBinaryMembersStaySmallWhateverTheLimits) {
  limits_.set_packed_entries = 1'000'000;
  limits_.set_packed_value_bytes = 1'000'000;
  for (int i = 0; i < 3000; ++i) add("member " + std::to_string(i));
  EXPECT_TRUE(is_table());
  EXPECT_TRUE(add(std::string(100'000, '\0')));
  EXPECT_TRUE(set_.contains(std::string(100'000, '\0')));
  EXPECT_EQ(set_.memory_bytes(), heap_.used_bytes());
  set_.check_invariants();
}

TEST_F(SetTest, AWalkStopsWhenTold) {
  for (const int count : {50, 5000}) {
    for (const char* prefix : {"", "m"}) {
      add_numbers(count, prefix);
      int seen = 0;
      set_.for_each_while([&](ByteView) { return ++seen < 7; });
      EXPECT_EQ(seen, 7);
      set_.destroy(heap_);
    }
  }
}

TEST_F(SetTest, FreesInSlices) {
  add_numbers(1000, "m");
  EXPECT_EQ(set_.free_effort(), 1000u);
  int slices = 0;
  for (bool done = false; !done; ++slices) {
    size_t budget = 64;
    done = set_.free_some(heap_, budget);
  }
  EXPECT_GE(slices, 1000 / 64);
  EXPECT_EQ(heap_.used_bytes(), 0u);
  EXPECT_TRUE(set_.empty());
}

// Each member is drawn 2,000 times on average; a count 6 standard deviations (45) off is a bias.
void SetTest::expect_fair(int members) {
  Prng prng(11);
  IntText text;
  std::map<std::string, int> seen;
  for (int i = 0; i < members * 2000; ++i) ++seen[std::string(set_.random(prng, text))];
  EXPECT_EQ(seen.size(), static_cast<size_t>(members));
  for (const auto& [member, count] : seen) EXPECT_NEAR(count, 2000, 270) << member;
}

TEST_F(SetTest, RandomIsFairOverIntegers) {
  add_numbers(40);
  expect_fair(40);
}

TEST_F(SetTest, RandomIsFairOverARun) {
  add_numbers(40, "m");
  expect_fair(40);
}

TEST_F(SetTest, RandomIsFairOverATable) {
  add_numbers(300, "m");
  expect_fair(300);
}

TEST_F(SetTest, PopsEachMemberOnce) {
  Prng prng(3);
  for (const int count : {20, 600}) {
    for (const char* prefix : {"", "m"}) {
      add_numbers(count, prefix);
      std::set<std::string> taken;
      const auto take = [&](ByteView member) { EXPECT_TRUE(taken.emplace(member).second); };
      set_.pop_random(heap_, prng, 5, take);
      EXPECT_EQ(set_.size(), static_cast<size_t>(count) - 5);
      for (const std::string& member : taken) EXPECT_FALSE(set_.contains(member));
      set_.pop_random(heap_, prng, 1'000'000, take);
      EXPECT_EQ(taken.size(), static_cast<size_t>(count));
      EXPECT_TRUE(set_.empty());
      set_.destroy(heap_);
    }
  }
}

TEST_F(SetTest, CopyIsIndependent) {
  for (const int count : {10, 1000}) {
    for (const char* prefix : {"", "m"}) {
      add_numbers(count, prefix);
      Set other = set_.copy(heap_);
      EXPECT_EQ(contents(other), contents(set_));
      EXPECT_EQ(other.encoding(), set_.encoding());
      other.remove(heap_, prefix + std::string("3"));
      EXPECT_TRUE(set_.contains(prefix + std::string("3")));
      other.destroy(heap_);
      set_.destroy(heap_);
    }
  }
}

// Bucket by bucket of a table with the same seed, everything would go into few buckets of the new
// one, which took a hundred times as long.
TEST_F(SetTest, FillingASetByTheWalkOfAnotherTakesNoLonger) {
  using Clock = std::chrono::steady_clock;
  const auto fill = [&](FunctionRef<void(Set&)> add_all) {
    const auto started = Clock::now();
    Set fresh;
    add_all(fresh);
    const auto took = Clock::now() - started;
    EXPECT_EQ(fresh.size(), set_.size());
    fresh.destroy(heap_);
    return took;
  };
  add_numbers(200'000, "m");
  const auto in_order = fill([&](Set& fresh) {
    for (int i = 0; i < 200'000; ++i) fresh.add(heap_, limits_, kSeed, "m" + std::to_string(i));
  });
  const auto by_walk = fill([&](Set& fresh) {
    set_.for_each([&](ByteView member) { fresh.add(heap_, limits_, kSeed, member); });
  });
  EXPECT_LT(by_walk, 8 * in_order);
}

}  // namespace
}  // namespace ouro
