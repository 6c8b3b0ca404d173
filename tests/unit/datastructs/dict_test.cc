// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/dict.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ouro {
namespace {

struct Word {
  std::string text;
};

}  // namespace

template <>
struct DictTraits<Word> {
  static ByteView key(const Word& word) { return word.text; }
};

namespace {

class DictTest : public testing::Test {
 protected:
  void add(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      words_.push_back(std::make_unique<Word>(Word{"w" + std::to_string(words_.size())}));
      dict_.insert(words_.back().get(), dict_.hash(words_.back()->text));
    }
  }
  Heap heap_;
  Dict<Word> dict_{heap_, HashSeed{42}};
  std::vector<std::unique_ptr<Word>> words_;
};

TEST_F(DictTest, EmptyTableAllocatesNothingAndAnswers) {
  EXPECT_EQ(heap_.used_bytes(), 0u);
  EXPECT_EQ(dict_.find("x"), nullptr);
  EXPECT_EQ(dict_.take("x", dict_.hash("x")), nullptr);
  Prng prng(1);
  EXPECT_EQ(dict_.random(prng), nullptr);
  EXPECT_EQ(dict_.scan(0, [](Word&) { FAIL(); }), 0u);
  EXPECT_EQ(dict_.scan(12345678901, [](Word&) { FAIL(); }), 0u);
  EXPECT_EQ(dict_.next_deadline(), kNever);
  dict_.prefetch_bucket(7);
  dict_.prefetch_entry(7);
  dict_.check_invariants();
}

TEST_F(DictTest, EmptyAgainAllocatesNothing) {
  for (const size_t count : {1u, 8u, 100u, 5000u}) {
    words_.clear();
    add(count);
    EXPECT_EQ(heap_.used_bytes(), dict_.memory_bytes());
    for (const auto& word : words_)
      EXPECT_EQ(dict_.take(word->text, dict_.hash(word->text)), word.get());
    EXPECT_TRUE(dict_.empty());
    EXPECT_EQ(heap_.used_bytes(), 0u) << count;
  }
}

TEST_F(DictTest, EveryHashOfATagIsFoundWhenTagsAreZeroOrCollide) {
  // Tag 0 means an empty cell, so the hash's 0 becomes another tag.
  EXPECT_NE(DictCore::tag_of(0x1234567800), 0);
  add(100000);
  for (const auto& word : words_) ASSERT_EQ(dict_.find(word->text), word.get());
  for (size_t i = 0; i < 100000; ++i) ASSERT_EQ(dict_.find("x" + std::to_string(i)), nullptr);
}

// Goal: a flood of keys with bad hashes costs time, not the process. Method: keys searched for that
// all share a home.
TEST_F(DictTest, KeysOfOneHomeGoToTheOverflowListAndComeBack) {
  for (size_t i = 0; words_.size() < 400; ++i) {
    const std::string text = "same" + std::to_string(i);
    if (DictCore::position_of(dict_.hash(text)) > 1000) continue;
    words_.push_back(std::make_unique<Word>(Word{text}));
    dict_.insert(words_.back().get(), dict_.hash(text));
  }
  dict_.check_invariants();
  EXPECT_GT(dict_.stats().stashed, 300u);
  EXPECT_EQ(dict_.stats().segments, 1u);
  size_t met = 0;
  uint64_t cursor = 0;
  do cursor = dict_.scan(cursor, [&](Word&) { ++met; });
  while (cursor != 0);
  EXPECT_EQ(met, 400u);
  Prng prng(3);
  std::map<const Word*, int> times;
  for (unsigned i = 0; i < 20000; ++i) ++times[dict_.random(prng)];
  EXPECT_EQ(times.size(), 400u);
  for (size_t i = 0; i < 400; ++i) {
    const Word* word = words_[i].get();
    ASSERT_EQ(dict_.find(word->text), word);
    ASSERT_EQ(dict_.take(word->text, dict_.hash(word->text)), word);
    dict_.check_invariants();
  }
  EXPECT_EQ(heap_.used_bytes(), 0u);
}

TEST_F(DictTest, ScanOfAStillTableReturnsEachEntryOnce) {
  for (const size_t more : {3u, 20u, 200u, 3000u, 40000u}) {
    add(more);
    std::map<ByteView, int> met;
    uint64_t cursor = 0;
    size_t calls = 0;
    do {
      cursor = dict_.scan(cursor, [&](Word& word) { ++met[word.text]; });
      ++calls;
      ASSERT_LT(cursor, uint64_t{1} << 40);
    } while (cursor != 0);
    EXPECT_EQ(met.size(), words_.size());
    for (const auto& [text, times] : met) ASSERT_EQ(times, 1) << text;
    EXPECT_LT(calls, words_.size() / 2 + 2);
  }
}

TEST_F(DictTest, ScanTakesAnyCursor) {
  add(2000);
  Prng prng(5);
  for (unsigned i = 0; i < 1000; ++i) {
    uint64_t cursor = prng.next();
    size_t steps = 0;
    do {
      cursor = dict_.scan(cursor, [](Word&) {});
    } while (cursor != 0 && ++steps < 2000);
    ASSERT_EQ(cursor, 0U) << "a walk from anywhere comes to its end";
  }
}

// Goal: a choice at random is fair, not by bucket. Method: chi-square over many choices; with k - 1
// degrees of freedom the sum stays within 5 standard deviations of its mean. Tables of one segment,
// of a few, and of many of different depth.
TEST_F(DictTest, RandomIsFair) {
  Prng prng(99);
  for (const size_t count : {10u, 100u, 700u, 10000u}) {
    add(count - words_.size());
    const double expected = 200;
    const auto draws = static_cast<size_t>(expected) * count;
    std::map<const Word*, double> times;
    for (size_t i = 0; i < draws; ++i) ++times[dict_.random(prng)];
    double sum = 0;
    for (const auto& word : words_) {
      const double off = times[word.get()] - expected;
      sum += off * off / expected;
    }
    const double freedom = static_cast<double>(count) - 1;
    EXPECT_LT(sum, freedom + 5 * std::sqrt(2 * freedom)) << count;
    EXPECT_GT(sum, freedom - 5 * std::sqrt(2 * freedom)) << count;
  }
}

TEST_F(DictTest, FreeSomeEmptiesInSlicesOfTheBudget) {
  add(30000);
  size_t freed = 0;
  size_t slices = 0;
  for (bool done = false; !done; ++slices) {
    size_t budget = 1000;
    const size_t before = freed;
    const size_t bytes = dict_.memory_bytes();
    done = dict_.free_some(budget, [&](Word*) { ++freed; });
    ASSERT_LE(freed - before, 1000u);
    ASSERT_EQ(dict_.size(), words_.size() - freed);
    ASSERT_LT(dict_.memory_bytes(), bytes);
    ASSERT_EQ(dict_.memory_bytes(), heap_.used_bytes());
  }
  EXPECT_EQ(freed, words_.size());
  // Segments count, too.
  EXPECT_GE(slices, 30u);
  EXPECT_LE(slices, 32u);
  EXPECT_EQ(heap_.used_bytes(), 0u);
  words_.clear();
  add(10);  // usable again
  dict_.check_invariants();
}

TEST_F(DictTest, DestructorFreesATableThatIsHalfFreed) {
  {
    Dict<Word> other(heap_, HashSeed{1});
    add(20000);
    for (const auto& word : words_) other.insert(word.get(), other.hash(word->text));
    size_t budget = 7777;
    EXPECT_FALSE(other.free_some(budget, [](Word*) {}));
  }
  EXPECT_EQ(heap_.used_bytes(), dict_.memory_bytes());
}

// Goal: the table's memory stays near 12 bytes an entry. (bench/micro/dict_bench.cc has the exact
// figures.)
TEST_F(DictTest, TableCostsLessThanThirteenBytesAnEntryOnAverage) {
  double sum = 0;
  unsigned steps = 0;
  for (size_t count = 20000; count < 160000; count += count / 10, ++steps) {
    add(count - words_.size());
    const double each = static_cast<double>(dict_.memory_bytes()) / static_cast<double>(count);
    EXPECT_LT(each, 17);
    sum += each;
  }
  EXPECT_LT(sum / steps, 13);
}

}  // namespace
}  // namespace ouro
