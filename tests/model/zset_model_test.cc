// SPDX-License-Identifier: BSD-3-Clause
// Random operations on a ZSet and on a std::set of (score, member), in both encodings and across
// their border; some members have deadlines, kept beside them in a std::map.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/zset.h"

namespace ouro {
namespace {

using Element = std::pair<double, std::string>;
using Elements = std::vector<Element>;
using Outcome = ZAddResult::Outcome;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class ZSetModel {
 public:
  // With one score all order is by members.
  struct Shape {
    uint64_t members;
    bool one_score;
  };
  ZSetModel(uint64_t seed, const Limits& limits, Shape shape)
      : prng_(seed), limits_(limits), shape_(shape) {}
  ~ZSetModel() { set_.destroy(heap_); }

  Prng& prng() { return prng_; }

  std::string member() { return "m" + std::to_string(prng_.below(shape_.members)); }
  double score() {
    if (shape_.one_score) return 0;
    switch (prng_.below(12)) {
      case 0:
        return kInfinity;
      case 1:
        return -kInfinity;
      case 2:
        return -0.0;
      case 3:
        return 0.0;
      case 4:
      case 5:
        return prng_.unit();
      case 6:
        return static_cast<double>(prng_.next()) - 0x1p63;
      default:
        return static_cast<double>(prng_.below(40)) - 20;
    }
  }

  void add() {
    const uint64_t dice = prng_.below(32);
    const ZAddRule rule = {.only_new = dice == 0,
                           .only_existing = dice == 1,
                           .only_greater = dice == 2 || dice == 5,
                           .only_less = dice == 3,
                           .increment = dice >= 4 && dice < 8};
    const std::string name = member();
    const double given = score();
    const ZAddResult result = set_.add(heap_, limits_, HashSeed{9}, name, given, rule);
    const auto at = scores_.find(name);
    if (at == scores_.end()) {
      ASSERT_EQ(result.outcome, rule.only_existing ? Outcome::kRefused : Outcome::kAdded);
      if (!rule.only_existing) put(name, given);
      return;
    }
    const double wanted = rule.increment ? at->second + given : given;
    if (rule.only_new) {
      ASSERT_EQ(result.outcome, Outcome::kRefused);
    } else if (std::isnan(wanted)) {
      ASSERT_EQ(result.outcome, Outcome::kNotANumber);
    } else if ((rule.only_greater && !(wanted > at->second)) ||
               (rule.only_less && !(wanted < at->second))) {
      ASSERT_EQ(result.outcome, Outcome::kRefused);
    } else if (wanted == at->second) {
      ASSERT_EQ(result.outcome, Outcome::kSame);
    } else {
      ASSERT_EQ(result.outcome, Outcome::kUpdated);
      ASSERT_EQ(result.score, wanted);
      // Another score leaves the deadline.
      const auto deadlines = deadlines_;
      drop(name);
      put(name, wanted);
      deadlines_ = deadlines;
    }
  }
  void remove() {
    const std::string name = member();
    ASSERT_EQ(set_.remove(heap_, name), scores_.contains(name));
    drop(name);
  }
  void set_deadline() {
    const std::string name = member();
    const UnixMs when =
        prng_.below(4) == 0 ? kNoExpiry : now_ + static_cast<UnixMs>(prng_.below(200));
    ASSERT_EQ(set_.set_deadline(heap_, HashSeed{9}, name, when), scores_.contains(name));
    if (!scores_.contains(name)) return;
    deadlines_.erase(name);
    if (when != kNoExpiry) deadlines_[name] = when;
  }
  // The clock goes on, and up to a few of those that are due go.
  void expire() {
    now_ += static_cast<UnixMs>(prng_.below(30));
    size_t budget = 1 + prng_.below(40);
    set_.expire_due(heap_, now_, budget, [&](ByteView view) {
      const std::string name(view);
      ASSERT_TRUE(deadlines_.contains(name));
      ASSERT_LE(deadlines_[name], now_);
      drop(name);
    });
    if (budget == 0) return;
    for (const auto& [name, when] : deadlines_) ASSERT_GT(when, now_) << name;
  }
  void remove_range() {
    const Elements all(model_.begin(), model_.end());
    const RankRange range = any_range();
    set_.remove_ranks(heap_, range);
    for (size_t rank = range.begin; rank < range.end; ++rank) drop(all[rank].second);
  }
  void pop() {
    const Direction direction = any_direction();
    set_.pop(heap_, direction, prng_.below(4), [&](ByteView name, double score) {
      const Element& expected =
          direction == Direction::kAscending ? *model_.begin() : *model_.rbegin();
      ASSERT_EQ(name, expected.second);
      ASSERT_EQ(score, expected.first);
      drop(std::string(name));
    });
  }

  void compare() {
    set_.check_invariants();
    ASSERT_EQ(set_.size(), model_.size());
    ASSERT_EQ(set_.memory_bytes(), heap_.used_bytes());
    ASSERT_EQ(walk(set_.all(), Direction::kAscending), Elements(model_.begin(), model_.end()));
    ASSERT_EQ(walk(set_.all(), Direction::kDescending), Elements(model_.rbegin(), model_.rend()));
    for (int i = 0; i < 10; ++i) compare_questions();
    UnixMs first = kNever;
    for (const auto& [name, when] : deadlines_) {
      ASSERT_EQ(set_.deadline(name), when);
      first = std::min(first, when);
    }
    ASSERT_LE(set_.next_deadline(), first);
    ASSERT_EQ(set_.has_deadlines(), !deadlines_.empty());
    const auto is_due = [this](const auto& timed) { return timed.second <= now_; };
    const bool all_due = deadlines_.size() == scores_.size() &&
                         std::all_of(deadlines_.begin(), deadlines_.end(), is_due);
    ASSERT_TRUE(all_due || !set_.are_all_due(now_));
    const std::string name = member();
    if (!deadlines_.contains(name)) {
      ASSERT_EQ(set_.deadline(name), kNoExpiry);
    }
  }
  void compare_questions() {
    const Elements all(model_.begin(), model_.end());
    const std::string name = member();
    const auto at = scores_.find(name);
    ASSERT_EQ(set_.score(name).has_value(), at != scores_.end());
    if (at != scores_.end()) {
      ASSERT_EQ(*set_.score(name), at->second);
      ASSERT_EQ(std::signbit(*set_.score(name)), std::signbit(at->second));
      const auto place = std::find(all.begin(), all.end(), Element(at->second, name));
      ASSERT_EQ(set_.rank(name), static_cast<size_t>(place - all.begin()));
      ASSERT_EQ(set_.at(*set_.rank(name)).member, name);
    } else {
      ASSERT_EQ(set_.rank(name), std::nullopt);
    }

    const RankRange range = any_range();
    Elements part(all.begin() + static_cast<std::ptrdiff_t>(range.begin),
                  all.begin() + static_cast<std::ptrdiff_t>(range.end));
    ASSERT_EQ(walk(range, Direction::kAscending), part);
    std::reverse(part.begin(), part.end());
    ASSERT_EQ(walk(range, Direction::kDescending), part);

    const ScoreRange scores = {score(), score(), prng_.below(2) == 0, prng_.below(2) == 0};
    Elements expected;
    for (const Element& one : all) {
      if (scores.without_min ? one.first <= scores.min : one.first < scores.min) continue;
      if (scores.without_max ? one.first >= scores.max : one.first > scores.max) continue;
      expected.push_back(one);
    }
    ASSERT_EQ(walk(set_.ranks(scores), Direction::kAscending), expected);
    compare_wanted(scores, expected);
    if (shape_.one_score) compare_members(all);
  }
  // Of a stretch of scores those above a bound, up to some count.
  void compare_wanted(const ScoreRange& scores, Elements expected) {
    const double bound = score();
    const size_t count = 1 + prng_.below(20);
    std::erase_if(expected, [bound](const Element& one) { return one.first <= bound; });
    if (expected.size() > count) expected.resize(count);
    Elements visited;
    set_.for_each_wanted(
        scores, [bound](double own) { return own > bound; },
        [&](ByteView name, double own) {
          visited.emplace_back(own, std::string(name));
          return visited.size() < count;
        });
    ASSERT_EQ(visited, expected);
  }
  void compare_members(const Elements& all) {
    const std::string low = member();
    const std::string high = member();
    const auto kind = [&] { return static_cast<LexBound::Kind>(prng_.below(4)); };
    const LexRange range = {{kind(), low}, {kind(), high}};
    Elements expected;
    for (const Element& one : all) {
      using Kind = LexBound::Kind;
      const std::string& name = one.second;
      if (range.min.kind == Kind::kHighest || range.max.kind == Kind::kLowest) continue;
      if (range.min.kind == Kind::kWith && name < low) continue;
      if (range.min.kind == Kind::kWithout && name <= low) continue;
      if (range.max.kind == Kind::kWith && name > high) continue;
      if (range.max.kind == Kind::kWithout && name >= high) continue;
      expected.push_back(one);
    }
    ASSERT_EQ(walk(set_.ranks(range), Direction::kAscending), expected);
  }
  void scan() {
    std::set<Element> seen;
    uint64_t cursor = 0;
    do {
      cursor = set_.scan(
          cursor, [&](ByteView name, double score) { seen.emplace(score, std::string(name)); });
    } while (cursor != 0);
    ASSERT_EQ(seen, model_);
  }
  void copy_and_free() {
    const size_t before = heap_.used_bytes();
    ZSet copy = set_.copy(heap_);
    copy.check_invariants();
    ASSERT_EQ(copy.memory_bytes(), heap_.used_bytes() - before);
    std::swap(copy, set_);
    for (const auto& [name, when] : deadlines_) ASSERT_EQ(set_.deadline(name), when);
    ASSERT_EQ(walk(set_.all(), Direction::kAscending), Elements(model_.begin(), model_.end()));
    for (bool done = false; !done;) {
      size_t budget = 1 + prng_.below(20);
      done = copy.free_some(heap_, budget);
    }
    ASSERT_EQ(set_.memory_bytes(), heap_.used_bytes());
  }
  void destroy() {
    set_.destroy(heap_);
    model_.clear();
    scores_.clear();
    deadlines_.clear();
    ASSERT_EQ(heap_.used_bytes(), 0u);
  }
  size_t size() const { return model_.size(); }

 private:
  void put(const std::string& name, double score) {
    if (score == 0 && set_.encoding() == "listpack") score = 0;  // without its sign
    scores_[name] = score;
    model_.emplace(score, name);
  }
  void drop(const std::string& name) {
    const auto at = scores_.find(name);
    if (at == scores_.end()) return;
    model_.erase({at->second, name});
    scores_.erase(at);
    deadlines_.erase(name);
  }
  Direction any_direction() {
    return prng_.below(2) == 0 ? Direction::kAscending : Direction::kDescending;
  }
  RankRange any_range() {
    const size_t begin = prng_.below(model_.size() + 1);
    const size_t longest = std::min<size_t>(model_.size() - begin, 150);
    return {begin, begin + prng_.below(longest + 1)};
  }
  Elements walk(RankRange range, Direction direction) const {
    Elements all;
    set_.for_each(range, direction,
                  [&](ByteView name, double score) { all.emplace_back(score, std::string(name)); });
    return all;
  }

  Prng prng_;
  Limits limits_;
  Shape shape_;
  Heap heap_;
  ZSet set_;
  std::set<Element> model_;
  std::map<std::string, double> scores_;
  std::map<std::string, UnixMs> deadlines_;
  UnixMs now_ = 1000;
};

void run(uint64_t seed, const Limits& limits, ZSetModel::Shape shape) {
  ZSetModel model(seed, limits, shape);
  for (int step = 0; step < 12'000; ++step) {
    const int phase = step % 4000;
    const uint64_t dice = model.prng().below(1000);
    if (phase == 0) {
      model.destroy();
    } else if (dice < (phase < 2500 ? 750u : 400u)) {
      model.add();
    } else if (dice < 985) {
      model.remove();
    } else if (dice < 995) {
      model.pop();
    } else if (phase > 1500) {
      model.remove_range();
    }
    // For a quarter of the time no member has a deadline.
    if (phase >= 1000) {
      if (dice % 5 == 0) model.set_deadline();
      if (dice % 25 == 0) model.expire();
    }
    if (step % 200 == 0) model.compare();
    if (step % 500 == 250) model.scan();
    if (step % 500 == 499) model.copy_and_free();
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(ZSetModelTest, AgreesUnderAllLimits) {
  for (const size_t packed : {size_t{0}, size_t{40}, size_t{128}, size_t{100'000}}) {
    for (const bool one_score : {false, true}) {
      for (const uint64_t members : {uint64_t{60}, uint64_t{1000}}) {
        SCOPED_TRACE(testing::Message() << "packed " << packed << " one score " << one_score
                                        << " members " << members);
        run(members + packed, {.zset_packed_entries = packed},
            {.members = members, .one_score = one_score});
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(ZSetModelTest, LargeSetLosesRandomMembers) {
  ZSetModel model(4, {}, {.members = 150'000, .one_score = false});
  while (model.size() < 100'000) model.add();
  model.compare();
  while (model.size() > 10'000) model.remove();
  model.compare();
  model.scan();
  model.copy_and_free();
}

}  // namespace
}  // namespace ouro
