// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/rank_tree.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class RankTreeTest : public testing::Test {
 protected:
  ~RankTreeTest() override {
    for (ScoredMember* entry : entries_) heap_.release(entry);
  }
  ScoredMember* add(ByteView member, double score) {
    entries_.push_back(ScoredMember::create(heap_, member, score));
    tree_.insert(entries_.back());
    return entries_.back();
  }
  ScoredMember* add_numbered(size_t number, double score) {
    char name[32];
    const int size = std::snprintf(name, sizeof name, "member:%09zu", number);
    return add({name, static_cast<size_t>(size)}, score);
  }
  std::string members() const {
    std::string all;
    if (tree_.empty()) return all;
    for (auto at = tree_.cursor_at(0); at.valid(); at.next()) {
      all.append(at.entry()->member()).append(" ");
    }
    return all;
  }

  Heap heap_;
  RankTree tree_{heap_};
  std::vector<ScoredMember*> entries_;
};

TEST_F(RankTreeTest, OrdersByScoreThenBytes) {
  add("b", 1);
  add("a", 1);
  add("", 1);
  add("z", -kInfinity);
  add("y", kInfinity);
  add("c", 0.0);
  add("ab", -0.0);  // one score with 0.0
  tree_.check_invariants();
  EXPECT_EQ(members(), "z ab c  a b y ");
}

TEST_F(RankTreeTest, AnswersRanksAndBounds) {
  for (size_t i = 0; i < 5000; ++i) add_numbered(i, static_cast<double>(i / 10));
  tree_.check_invariants();
  for (size_t i = 0; i < 5000; i += 7) {
    EXPECT_EQ(tree_.at(i), entries_[i]);
    EXPECT_EQ(tree_.rank_of(entries_[i]), i);
  }
  EXPECT_EQ(tree_.count_less(100), 1000u);
  EXPECT_EQ(tree_.count_less_equal(100), 1010u);
  EXPECT_EQ(tree_.count_less(99.5), 1000u);
  EXPECT_EQ(tree_.count_less(-kInfinity), 0u);
  EXPECT_EQ(tree_.count_less_equal(kInfinity), 5000u);
}

TEST_F(RankTreeTest, CountsByMemberWhenScoresAreEqual) {
  for (size_t i = 0; i < 3000; ++i) add_numbered((i * 7919) % 3000, 0);
  tree_.check_invariants();
  EXPECT_EQ(tree_.count_less(ByteView("member:000001500")), 1500u);
  EXPECT_EQ(tree_.count_less_equal(ByteView("member:000001500")), 1501u);
  EXPECT_EQ(tree_.count_less(ByteView("member:0000015001")), 1501u);
  EXPECT_EQ(tree_.count_less(ByteView("")), 0u);
  EXPECT_EQ(tree_.count_less(ByteView("n")), 3000u);
}

TEST_F(RankTreeTest, WalksBothWays) {
  for (size_t i = 0; i < 1000; ++i) add_numbered(i, static_cast<double>(i));
  auto at = tree_.cursor_at(500);
  for (size_t i = 500; i < 1000; ++i, at.next()) ASSERT_EQ(at.entry(), entries_[i]);
  EXPECT_FALSE(at.valid());
  at = tree_.cursor_at(500);
  for (size_t i = 501; i-- > 0; at.prev()) ASSERT_EQ(at.score(), static_cast<double>(i));
  EXPECT_FALSE(at.valid());
}

TEST_F(RankTreeTest, RescoreStaysOrMoves) {
  for (size_t i = 0; i < 1000; ++i) add_numbered(i, static_cast<double>(i));
  tree_.rescore(entries_[500], 500.5);
  EXPECT_EQ(tree_.rank_of(entries_[500]), 500u);
  tree_.rescore(entries_[500], 501);  // ties with the next, whose member is greater
  EXPECT_EQ(tree_.rank_of(entries_[500]), 500u);
  tree_.rescore(entries_[500], 502);
  EXPECT_EQ(tree_.rank_of(entries_[500]), 501u);
  tree_.rescore(entries_[500], -1);
  EXPECT_EQ(tree_.rank_of(entries_[500]), 0u);
  tree_.rescore(entries_[500], kInfinity);
  EXPECT_EQ(tree_.rank_of(entries_[500]), 999u);
  tree_.check_invariants();
}

TEST_F(RankTreeTest, EraseRanksTakesExactlyThose) {
  for (size_t i = 0; i < 2000; ++i) add_numbered(i, static_cast<double>(i));
  size_t next = 300;
  tree_.erase_ranks(300, 1500, [&](ScoredMember* entry) { EXPECT_EQ(entry, entries_[next++]); });
  tree_.check_invariants();
  EXPECT_EQ(next, 1800u);
  EXPECT_EQ(tree_.size(), 500u);
  EXPECT_EQ(tree_.at(299), entries_[299]);
  EXPECT_EQ(tree_.at(300), entries_[1800]);
}

TEST_F(RankTreeTest, OrderedInsertsFillTheirNodes) {
  for (size_t i = 0; i < 20'000; ++i) add_numbered(i, static_cast<double>(i));
  EXPECT_LT(tree_.memory_bytes(), 20'000u * 18);
  tree_.check_invariants();
}

TEST_F(RankTreeTest, DescendingInsertsFillTheirNodes) {
  for (size_t i = 0; i < 20'000; ++i) add_numbered(i, -static_cast<double>(i));
  EXPECT_LT(tree_.memory_bytes(), 20'000u * 18);
  tree_.check_invariants();
}

TEST_F(RankTreeTest, RandomInsertsFillNodesAndRandomErasesGiveThemBack) {
  Prng prng(7);
  for (size_t i = 0; i < 50'000; ++i) add_numbered(i, prng.unit());
  tree_.check_invariants();
  EXPECT_LT(tree_.memory_bytes(), 50'000u * 22);
  for (size_t left = entries_.size(); left > 500; --left) {
    std::swap(entries_[prng.below(left)], entries_[left - 1]);
    tree_.erase(entries_[left - 1]);
    if (left % 5000 == 0) tree_.check_invariants();
  }
  tree_.check_invariants();
  EXPECT_EQ(tree_.size(), 500u);
  EXPECT_LT(tree_.memory_bytes(), 500u * 16 * 3);
  for (size_t left = 500; left > 0; --left) {
    tree_.erase(entries_[left - 1]);
    tree_.check_invariants();
  }
  EXPECT_EQ(tree_.memory_bytes(), 0u);
}

TEST_F(RankTreeTest, FreesInSlices) {
  for (size_t i = 0; i < 10'000; ++i) add_numbered(i, static_cast<double>(i));
  const size_t nodes = tree_.node_count();
  size_t slices = 0;
  for (bool done = false; !done; ++slices) {
    size_t budget = 10;
    done = tree_.free_some(budget);
    if (!done) {
      EXPECT_EQ(budget, 0u);
    }
  }
  EXPECT_EQ(slices, (nodes + 9) / 10);
  EXPECT_EQ(tree_.memory_bytes(), 0u);
  tree_.check_invariants();
}

}  // namespace
}  // namespace ouro
