// SPDX-License-Identifier: BSD-3-Clause
// Random operations on a RankTree and on a std::set of (score, member); after each batch both are
// compared throughout.
#include <gtest/gtest.h>

#include <cmath>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "datastructs/base/prng.h"
#include "datastructs/rank_tree.h"

namespace ouro {
namespace {

using Key = std::pair<double, std::string>;

class RankTreeModel {
 public:
  explicit RankTreeModel(uint64_t seed) : prng_(seed) {}
  ~RankTreeModel() {
    for (auto& [key, entry] : model_) heap_.release(entry);
  }

  // Few scores make ties the rule; many make them rare.
  void add(uint64_t scores) {
    const double score = std::ldexp(static_cast<double>(prng_.below(scores)), -4) - 8;
    const std::string member = "m" + std::to_string(prng_.below(1'000'000));
    if (model_.contains({score, member})) return;
    ScoredMember* entry = ScoredMember::create(heap_, member, score);
    model_.emplace(Key{score, member}, entry);
    tree_.insert(entry);
  }
  void erase() {
    if (model_.empty()) return;
    const auto at = any();
    tree_.erase(at->second);
    heap_.release(at->second);
    model_.erase(at);
  }
  void rescore(uint64_t scores) {
    if (model_.empty()) return;
    const auto at = any();
    // Half of them move a little only, which is the case of the shortcut.
    const double score =
        prng_.below(2) == 0 ? at->first.first + 0x1p-40 : static_cast<double>(prng_.below(scores));
    ScoredMember* entry = at->second;
    const std::string member = at->first.second;
    if (model_.contains({score, member})) return;
    model_.erase(at);
    model_.emplace(Key{score, member}, entry);
    tree_.rescore(entry, score);
  }
  void erase_range() {
    if (model_.empty()) return;
    const size_t first = prng_.below(model_.size());
    const size_t count = prng_.below(std::min<size_t>(model_.size() - first, 200) + 1);
    auto at = std::next(model_.begin(), static_cast<std::ptrdiff_t>(first));
    tree_.erase_ranks(first, count, [&](ScoredMember* entry) {
      ASSERT_EQ(entry, at->second);
      heap_.release(entry);
      at = model_.erase(at);
    });
  }
  void compare() {
    tree_.check_invariants();
    ASSERT_EQ(tree_.size(), model_.size());
    if (model_.empty()) return;
    auto cursor = tree_.cursor_at(0);
    size_t rank = 0;
    for (const auto& [key, entry] : model_) {
      ASSERT_EQ(cursor.entry(), entry);
      if (rank % 16 == 0) {
        ASSERT_EQ(tree_.rank_of(entry), rank);
        ASSERT_EQ(tree_.at(rank), entry);
      }
      cursor.next();
      ++rank;
    }
    ASSERT_FALSE(cursor.valid());
    for (int i = 0; i < 20; ++i) {
      const double score = any()->first.first;
      const auto less = std::distance(model_.begin(), model_.lower_bound({score, ""}));
      auto past = model_.lower_bound({score, ""});
      while (past != model_.end() && past->first.first == score) ++past;
      ASSERT_EQ(tree_.count_less(score), static_cast<size_t>(less));
      ASSERT_EQ(tree_.count_less_equal(score),
                static_cast<size_t>(std::distance(model_.begin(), past)));
    }
  }
  size_t size() const { return model_.size(); }
  Prng& prng() { return prng_; }

 private:
  using Map = std::map<Key, ScoredMember*>;
  Map::iterator any() {
    const double score = tree_.at(prng_.below(tree_.size()))->score;
    const auto at = model_.lower_bound({score, "m" + std::to_string(prng_.below(1'000'000))});
    return at == model_.end() ? model_.begin() : at;
  }

  Prng prng_;
  Heap heap_;
  RankTree tree_{heap_};
  Map model_;
};

class RankTreeModelTest : public testing::TestWithParam<uint64_t> {};

TEST_P(RankTreeModelTest, AgreesWithAnOrderedMap) {
  const uint64_t scores = GetParam();
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RankTreeModel model(seed);
    for (int step = 0; step < 40'000; ++step) {
      // Grows for a while, then shrinks, and again.
      const bool growing = (step / 8000) % 2 == 0;
      const uint64_t dice = model.prng().below(100);
      if (dice < (growing ? 70u : 20u)) {
        model.add(scores);
      } else if (dice < 90) {
        model.erase();
      } else if (dice < 99 || growing) {
        model.rescore(scores);
      } else {
        model.erase_range();
      }
      if (step % 500 == 0) model.compare();
      if (testing::Test::HasFatalFailure()) return;
    }
    model.compare();
  }
}

INSTANTIATE_TEST_SUITE_P(Scores, RankTreeModelTest, testing::Values(1, 5, 1000, 1'000'000'000));

TEST(RankTreeModelOnce, LargeTreeLosesRandomElements) {
  RankTreeModel model(99);
  while (model.size() < 100'000) model.add(1 << 20);
  model.compare();
  for (int i = 0; i < 95'000; ++i) {
    model.erase();
    if (i % 19'000 == 0) model.compare();
  }
  model.compare();
}

}  // namespace
}  // namespace ouro
