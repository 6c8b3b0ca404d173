// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/zset.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace ouro {
namespace {

using Outcome = ZAddResult::Outcome;
using Kind = LexBound::Kind;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// All tests run on both encodings: the limits alone differ.
class ZSetTest : public testing::TestWithParam<size_t> {
 protected:
  ZSetTest() { limits_.zset_packed_entries = GetParam(); }
  ~ZSetTest() override {
    set_.destroy(heap_);
    EXPECT_EQ(heap_.used_bytes(), 0u);
  }
  ZAddResult add(ByteView member, double score, const ZAddRule& rule = {}) {
    const ZAddResult result = set_.add(heap_, limits_, kSeed, member, score, rule);
    set_.check_invariants();
    return result;
  }
  void add_letters(int count) {
    for (int i = 0; i < count; ++i) add(std::string(1, static_cast<char>('a' + i)), i);
  }
  std::string walk(RankRange range, Direction direction = Direction::kAscending) const {
    std::string all;
    set_.for_each(range, direction, [&](ByteView member, double) { all.append(member); });
    return all;
  }
  std::string walk(const ScoreRange& range) const { return walk(set_.ranks(range)); }
  std::string walk(const LexRange& range) const { return walk(set_.ranks(range)); }

  static constexpr HashSeed kSeed{5};
  Heap heap_;
  Limits limits_;
  ZSet set_;
};

INSTANTIATE_TEST_SUITE_P(Encodings, ZSetTest, testing::Values(0, 128),
                         [](const auto& tested) { return tested.param == 0 ? "Table" : "Packed"; });

TEST_P(ZSetTest, OrdersByScoreThenBytes) {
  add("b", 1);
  add("a", 1);
  add("y", kInfinity);
  add("z", -kInfinity);
  add("d", 0.0);
  add("c", -0.0);
  EXPECT_EQ(walk(set_.all()), "zcdaby");
  EXPECT_EQ(walk(set_.all(), Direction::kDescending), "ybadcz");
  EXPECT_EQ(set_.encoding(), GetParam() == 0 ? "skiplist" : "listpack");
}

TEST_P(ZSetTest, KeepsEveryScoreExactly) {
  const std::vector<double> scores = {
      0.0,   1,     -1,     127,        128,         -128,        -129,
      32767, 32768, -32769, 2147483647, 2147483648., -2147483647, -2147483648.,
      0.1,   1e300, 5e-324, kInfinity,  -kInfinity,  1.5,         9007199254740993.};
  for (size_t i = 0; i < scores.size(); ++i) add("m" + std::to_string(i), scores[i]);
  for (size_t i = 0; i < scores.size(); ++i) {
    const double score = set_.score("m" + std::to_string(i)).value();
    EXPECT_EQ(score, scores[i]);
  }
}

TEST_P(ZSetTest, KeepsTheSignOfAZeroInATableOnly) {
  const bool is_table = GetParam() == 0;
  EXPECT_TRUE(std::signbit(add("a", -0.0).score));
  add("b", 0.0);
  EXPECT_EQ(std::signbit(*set_.score("a")), is_table);
  EXPECT_FALSE(std::signbit(*set_.score("b")));
  // Both zeros are one score, so the one that is kept stays; the sum is told with its sign.
  EXPECT_EQ(add("a", 0.0, {.increment = true}).outcome, Outcome::kSame);
  EXPECT_EQ(std::signbit(*set_.score("a")), is_table);
  EXPECT_EQ(std::signbit(add("a", -0.0, {.increment = true}).score), is_table);
}

TEST_P(ZSetTest, TellsZerosApartWhileAResultIsBuilt) {
  const ZAddRule sum = {.increment = true, .zero_signs = true};
  add("a", -0.0, sum);
  add("b", -0.0, sum);
  add("c", 1, sum);
  EXPECT_TRUE(std::signbit(*set_.score("a")));
  add("a", -0.0, sum);
  EXPECT_TRUE(std::signbit(*set_.score("a")));
  EXPECT_EQ(add("a", 0.0, sum).outcome, Outcome::kUpdated);
  EXPECT_FALSE(std::signbit(*set_.score("a")));
  set_.drop_zero_signs(heap_);
  set_.check_invariants();
  EXPECT_EQ(std::signbit(*set_.score("b")), GetParam() == 0);
  EXPECT_EQ(walk(set_.all()), "abc");
}

TEST_P(ZSetTest, TellsAddedUpdatedAndSame) {
  EXPECT_EQ(add("a", 1).outcome, Outcome::kAdded);
  EXPECT_EQ(add("a", 1).outcome, Outcome::kSame);
  EXPECT_EQ(add("a", 2).outcome, Outcome::kUpdated);
  EXPECT_EQ(add("z", 0).outcome, Outcome::kAdded);
  EXPECT_EQ(add("z", -0.0).outcome, Outcome::kSame);
  EXPECT_FALSE(std::signbit(*set_.score("z")));
  EXPECT_EQ(set_.size(), 2u);
  EXPECT_EQ(set_.score("a"), 2);
  EXPECT_EQ(set_.score("b"), std::nullopt);
}

TEST_P(ZSetTest, FollowsTheRules) {
  add("a", 5);
  EXPECT_EQ(add("a", 9, {.only_new = true}).outcome, Outcome::kRefused);
  EXPECT_EQ(add("n", 9, {.only_new = true}).outcome, Outcome::kAdded);
  EXPECT_EQ(add("x", 9, {.only_existing = true}).outcome, Outcome::kRefused);
  EXPECT_EQ(add("a", 6, {.only_existing = true}).outcome, Outcome::kUpdated);
  EXPECT_EQ(add("a", 6, {.only_greater = true}).outcome, Outcome::kRefused);
  EXPECT_EQ(add("a", 5, {.only_greater = true}).outcome, Outcome::kRefused);
  EXPECT_EQ(add("a", 7, {.only_greater = true}).outcome, Outcome::kUpdated);
  EXPECT_EQ(add("a", 8, {.only_less = true}).outcome, Outcome::kRefused);
  EXPECT_EQ(add("a", 1, {.only_less = true}).outcome, Outcome::kUpdated);
  EXPECT_EQ(add("g", 1, {.only_greater = true}).outcome, Outcome::kAdded);
  EXPECT_EQ(set_.score("a"), 1);
  EXPECT_EQ(set_.size(), 3u);
}

TEST_P(ZSetTest, Increments) {
  EXPECT_EQ(add("a", 2, {.increment = true}).score, 2);
  const ZAddResult sum = add("a", 2.5, {.increment = true});
  EXPECT_EQ(sum.outcome, Outcome::kUpdated);
  EXPECT_EQ(sum.score, 4.5);
  EXPECT_EQ(add("a", 0, {.increment = true}).outcome, Outcome::kSame);
  EXPECT_EQ(add("a", -1, {.only_greater = true, .increment = true}).outcome, Outcome::kRefused);
  EXPECT_EQ(add("a", kInfinity, {.increment = true}).score, kInfinity);
  EXPECT_EQ(add("a", -kInfinity, {.increment = true}).outcome, Outcome::kNotANumber);
  EXPECT_EQ(set_.score("a"), kInfinity);
}

TEST_P(ZSetTest, GivesRanks) {
  add_letters(10);
  EXPECT_EQ(set_.rank("a"), 0u);
  EXPECT_EQ(set_.rank("j"), 9u);
  EXPECT_EQ(set_.rank("k"), std::nullopt);
  EXPECT_EQ(set_.at(3).member, "d");
  EXPECT_EQ(set_.at(3).score, 3);
}

TEST_P(ZSetTest, FindsScoresBetweenBounds) {
  add_letters(10);
  EXPECT_EQ(walk({.min = 2, .max = 4}), "cde");
  EXPECT_EQ(walk({.min = 2, .max = 4, .without_min = true}), "de");
  EXPECT_EQ(walk({.min = 2, .max = 4, .without_max = true}), "cd");
  EXPECT_EQ(walk(ScoreRange{}), "abcdefghij");
  EXPECT_EQ(walk({.min = 2.5, .max = 2.6}), "");
  EXPECT_EQ(walk({.min = 4, .max = 2}), "");
  EXPECT_EQ(walk({.min = 4, .max = 4, .without_min = true, .without_max = true}), "");
  EXPECT_EQ(walk({.min = -kInfinity, .max = 1}), "ab");
  EXPECT_EQ(walk({.min = 8, .max = kInfinity}), "ij");
  add("~", kInfinity);
  EXPECT_EQ(walk({.min = 9, .max = kInfinity, .without_max = true}), "j");
  EXPECT_EQ(walk({.min = 20, .max = kInfinity}), "~");
}

TEST_P(ZSetTest, FindsMembersBetweenBounds) {
  for (const char* member : {"", "a", "ab", "b", "c", "\xFF"}) add(member, 7);
  const LexBound lowest{Kind::kLowest};
  const LexBound highest{Kind::kHighest};
  const auto with = [](ByteView member) { return LexBound{Kind::kWith, member}; };
  const auto without = [](ByteView member) { return LexBound{Kind::kWithout, member}; };
  EXPECT_EQ(set_.ranks(LexRange{}), (RankRange{0, 6}));
  EXPECT_EQ(walk(LexRange{with("a"), with("b")}), "aabb");
  EXPECT_EQ(walk(LexRange{without("a"), with("b")}), "abb");
  EXPECT_EQ(walk(LexRange{with("a"), without("b")}), "aab");
  EXPECT_EQ(walk(LexRange{with("aa"), highest}), "abbc\xFF");
  EXPECT_EQ(set_.ranks(LexRange{lowest, with("")}).size(), 1u);
  EXPECT_EQ(set_.ranks(LexRange{lowest, without("")}).size(), 0u);
  EXPECT_EQ(set_.ranks(LexRange{highest, lowest}).size(), 0u);
  EXPECT_EQ(set_.ranks(LexRange{highest, highest}).size(), 0u);
  EXPECT_EQ(set_.ranks(LexRange{with("c"), with("a")}).size(), 0u);
}

TEST_P(ZSetTest, RemovesRangesAndPops) {
  add_letters(20);
  set_.remove_ranks(heap_, set_.ranks(ScoreRange{.min = 5, .max = 14}));
  set_.check_invariants();
  EXPECT_EQ(walk(set_.all()), "abcdepqrst");
  std::string taken;
  const auto take = [&](ByteView member, double) { taken.append(member); };
  set_.pop(heap_, Direction::kAscending, 2, take);
  set_.pop(heap_, Direction::kDescending, 3, take);
  EXPECT_EQ(taken, "abtsr");
  EXPECT_TRUE(set_.remove(heap_, "e"));
  EXPECT_FALSE(set_.remove(heap_, "e"));
  EXPECT_EQ(set_.rank("e"), std::nullopt);
  EXPECT_EQ(walk(set_.all()), "cdpq");
  set_.pop(heap_, Direction::kDescending, 100, take);
  EXPECT_TRUE(set_.empty());
}

TEST_P(ZSetTest, RandomIsFair) {
  // Each member is drawn 2,000 times on average; a count 6 standard deviations (45) off is a bias.
  for (int i = 0; i < 100; ++i) add("m" + std::to_string(i), i % 7);
  Prng prng(1);
  std::map<std::string, int> seen;
  for (int i = 0; i < 200'000; ++i) ++seen[std::string(set_.random(prng).member)];
  EXPECT_EQ(seen.size(), 100u);
  for (const auto& [member, count] : seen) EXPECT_NEAR(count, 2000, 270) << member;
}

TEST_P(ZSetTest, WalksBackOverManyElements) {
  // More than a packed walk towards the front notes at a time.
  limits_.zset_packed_entries *= 10;
  for (int i = 0; i < 700; ++i) set_.add(heap_, limits_, kSeed, std::to_string(i), i, {});
  int expected = 650;
  set_.for_each({5, 651}, Direction::kDescending, [&](ByteView member, double score) {
    ASSERT_EQ(score, expected);
    ASSERT_EQ(member, std::to_string(expected));
    --expected;
  });
  EXPECT_EQ(expected, 4);
}

TEST(ZSetEncoding, BecomesATableByCountOrSize) {
  Heap heap;
  Limits limits;
  ZSet set;
  for (int i = 0; i < 128; ++i) set.add(heap, limits, {}, "m" + std::to_string(i), i, {});
  EXPECT_EQ(set.encoding(), "listpack");
  set.add(heap, limits, {}, "m5", 1000, {});
  EXPECT_EQ(set.encoding(), "listpack");
  set.add(heap, limits, {}, "one more", 5.5, {});
  EXPECT_EQ(set.encoding(), "skiplist");
  EXPECT_EQ(set.size(), 129u);
  EXPECT_EQ(set.rank("one more"), 5u);  // m5 has left its place
  EXPECT_EQ(set.rank("m5"), 128u);
  set.check_invariants();
  set.destroy(heap);

  set.add(heap, limits, {}, std::string(64, 'x'), 1, {});
  EXPECT_EQ(set.encoding(), "listpack");
  set.add(heap, limits, {}, std::string(65, 'x'), 1, {});
  EXPECT_EQ(set.encoding(), "skiplist");
  set.destroy(heap);
  EXPECT_EQ(heap.used_bytes(), 0u);
}

TEST(ZSetEncoding, LoweringLimitsChangesNothingThatExists) {
  Heap heap;
  Limits limits;
  ZSet set;
  for (int i = 0; i < 100; ++i) set.add(heap, limits, {}, "m" + std::to_string(i), i, {});
  limits.zset_packed_entries = 10;
  set.add(heap, limits, {}, "m5", 1000, {});
  set.remove(heap, "m6");
  EXPECT_EQ(set.encoding(), "listpack");
  set.add(heap, limits, {}, "m6", 6, {});
  EXPECT_EQ(set.encoding(), "skiplist");
  set.destroy(heap);
}

// Few and many, over the end of a run, with equal scores: as if each had been added.
TEST(ZSetBuilder, MakesWhatAddingMakes) {
  for (const int count : {0, 1, 128, 129, 3000, 300'000}) {
    Heap heap;
    const Limits limits;
    Prng prng(7);
    ZSet added;
    ZSetBuilder builder(heap, limits, HashSeed{5});
    for (int i = 0; i < count; ++i) {
      const std::string member = "m" + std::to_string(prng.below(1'000'000'000));
      const double score = static_cast<double>(prng.below(1000)) - 500;
      const auto result = added.add(heap, limits, HashSeed{5}, member, score, {.only_new = true});
      EXPECT_EQ(builder.add(member, score), result.outcome == Outcome::kAdded);
    }
    ZSet built = builder.take();
    built.check_invariants();
    ASSERT_EQ(built.size(), added.size());
    EXPECT_EQ(built.encoding(), added.encoding());
    std::vector<std::pair<std::string, double>> all;
    added.for_each([&](ByteView member, double score) { all.emplace_back(member, score); });
    size_t at = 0;
    built.for_each([&](ByteView member, double score) {
      EXPECT_EQ(all[at].first, member);
      EXPECT_EQ(all[at++].second, score);
    });
    built.destroy(heap);
    added.destroy(heap);
    EXPECT_EQ(heap.used_bytes(), 0U);
  }
}

TEST(ZSetBuilder, FreesWhatNobodyTook) {
  Heap heap;
  const Limits limits;
  for (const int count : {3, 1000}) {
    ZSetBuilder builder(heap, limits, HashSeed{5});
    for (int i = 0; i < count; ++i) EXPECT_TRUE(builder.add(std::to_string(i), -i));
    EXPECT_FALSE(builder.add("0", 1));
  }
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST(ZSetRange, WindowsCountFromWhereTheDirectionStarts) {
  const RankRange range{10, 20};
  EXPECT_EQ(range.window(Direction::kAscending, 2, 3), (RankRange{12, 15}));
  EXPECT_EQ(range.window(Direction::kDescending, 2, 3), (RankRange{15, 18}));
  EXPECT_EQ(range.window(Direction::kAscending, 8, 100), (RankRange{18, 20}));
  EXPECT_TRUE(range.window(Direction::kAscending, 100, 100).empty());
  EXPECT_TRUE(range.window(Direction::kDescending, 10, ~size_t{0}).empty());
  EXPECT_EQ(range.window(Direction::kDescending, 0, ~size_t{0}), range);
}

TEST(ZSetRange, IndexesAreCutAndMirrored) {
  constexpr auto kUp = Direction::kAscending;
  constexpr auto kDown = Direction::kDescending;
  EXPECT_EQ(RankRange::from_indexes(0, -1, 5, kUp), (RankRange{0, 5}));
  EXPECT_EQ(RankRange::from_indexes(1, 2, 5, kUp), (RankRange{1, 3}));
  EXPECT_EQ(RankRange::from_indexes(0, 1, 5, kDown), (RankRange{3, 5}));
  EXPECT_EQ(RankRange::from_indexes(-2, -1, 5, kDown), (RankRange{0, 2}));
  EXPECT_EQ(RankRange::from_indexes(-100, 100, 5, kUp), (RankRange{0, 5}));
  EXPECT_TRUE(RankRange::from_indexes(5, 9, 5, kUp).empty());
  EXPECT_TRUE(RankRange::from_indexes(2, 1, 5, kUp).empty());
  EXPECT_TRUE(RankRange::from_indexes(0, -6, 5, kUp).empty());
  EXPECT_TRUE(RankRange::from_indexes(0, -1, 0, kUp).empty());
  EXPECT_TRUE(RankRange::from_indexes(INT64_MIN, INT64_MAX, 0, kDown).empty());
}

}  // namespace
}  // namespace ouro
