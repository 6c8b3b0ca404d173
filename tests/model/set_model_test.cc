// SPDX-License-Identifier: BSD-3-Clause
// Random operations on a Set and on a std::set of strings, under limits that make it pass through
// all its encodings; some members have deadlines, kept beside them in a std::map.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/set.h"

namespace ouro {
namespace {

class SetModel {
 public:
  SetModel(uint64_t seed, const Limits& limits) : prng_(seed), limits_(limits) {}
  ~SetModel() { set_.destroy(heap_); }

  Prng& prng() { return prng_; }
  bool empty() const { return model_.empty(); }

  // Mostly small integers; text comes late, so that each form lives for a while.
  std::string member(uint64_t text_percent) {
    const std::string number = std::to_string(static_cast<int64_t>(prng_.below(600)) - 300);
    if (prng_.below(100) >= text_percent) {
      return prng_.below(20) == 0 ? std::to_string(static_cast<int64_t>(prng_.next())) : number;
    }
    return std::string(prng_.below(30), 'x') + number;
  }
  void add(const std::string& member) {
    ASSERT_EQ(set_.add(heap_, limits_, HashSeed{9}, member), model_.insert(member).second);
  }
  void remove(const std::string& member) {
    ASSERT_EQ(set_.remove(heap_, member), model_.erase(member) == 1);
    deadlines_.erase(member);
  }
  void pop() {
    set_.pop_random(heap_, prng_, prng_.below(4), [&](ByteView member) {
      ASSERT_EQ(model_.erase(std::string(member)), 1u);
      deadlines_.erase(std::string(member));
    });
  }
  void set_deadline(const std::string& member) {
    const UnixMs when =
        prng_.below(4) == 0 ? kNoExpiry : now_ + static_cast<UnixMs>(prng_.below(200));
    ASSERT_EQ(set_.set_deadline(heap_, HashSeed{9}, member, when), model_.contains(member));
    if (!model_.contains(member)) return;
    deadlines_.erase(member);
    if (when != kNoExpiry) deadlines_[member] = when;
  }
  // The clock goes on, and up to a few of those that are due go.
  void expire() {
    now_ += static_cast<UnixMs>(prng_.below(30));
    size_t budget = 1 + prng_.below(40);
    const size_t count = set_.expire_due(heap_, now_, budget, [&](ByteView view) {
      const std::string member(view);
      ASSERT_TRUE(deadlines_.contains(member));
      ASSERT_LE(deadlines_[member], now_);
      deadlines_.erase(member);
      model_.erase(member);
    });
    if (budget == 0) return;
    for (const auto& [member, when] : deadlines_) ASSERT_GT(when, now_) << count;
  }
  void random() {
    if (model_.empty()) return;
    IntText text;
    ASSERT_TRUE(model_.contains(std::string(set_.random(prng_, text))));
  }
  void compare() {
    set_.check_invariants();
    ASSERT_EQ(set_.size(), model_.size());
    ASSERT_EQ(set_.memory_bytes(), heap_.used_bytes());
    std::set<std::string> walked;
    UnixMs first = kNever;
    set_.for_each([&](ByteView member) { ASSERT_TRUE(walked.emplace(member).second); });
    ASSERT_EQ(walked, model_);
    for (const auto& [member, when] : deadlines_) {
      ASSERT_EQ(set_.deadline(member), when);
      first = std::min(first, when);
    }
    ASSERT_LE(set_.next_deadline(), first);
    ASSERT_EQ(set_.has_deadlines(), !deadlines_.empty());
    const auto is_due = [this](const auto& timed) { return timed.second <= now_; };
    const bool all_due = deadlines_.size() == model_.size() &&
                         std::all_of(deadlines_.begin(), deadlines_.end(), is_due);
    ASSERT_TRUE(all_due || !set_.are_all_due(now_));
    walked.clear();
    set_.for_each_while([&](ByteView member) { return walked.emplace(member).second; });
    ASSERT_EQ(walked, model_);
    for (int i = 0; i < 20; ++i) {
      const std::string one = member(50);
      ASSERT_EQ(set_.contains(one), model_.contains(one));
      if (!deadlines_.contains(one)) {
        ASSERT_EQ(set_.deadline(one), kNoExpiry);
      }
    }
  }
  // Members come and go between the steps; those that stay must all be seen.
  void scan_while_changing() {
    const std::set<std::string> before = model_;
    std::set<std::string> removed;
    std::set<std::string> seen;
    uint64_t cursor = 0;
    do {
      cursor = set_.scan(cursor, [&](ByteView member) { seen.emplace(member); });
      const std::string one = member(50);
      if (prng_.below(2) == 0) {
        add(one);
      } else {
        remove(one);
        removed.insert(one);
      }
    } while (cursor != 0);
    for (const std::string& member : before) {
      ASSERT_TRUE(seen.contains(member) || removed.contains(member)) << member;
    }
  }
  void copy_and_free() {
    const size_t before = heap_.used_bytes();
    Set copy = set_.copy(heap_);
    copy.check_invariants();
    ASSERT_EQ(copy.memory_bytes(), heap_.used_bytes() - before);
    std::set<std::string> walked;
    copy.for_each([&](ByteView member) { walked.emplace(member); });
    ASSERT_EQ(walked, model_);
    ASSERT_EQ(copy.encoding(), set_.encoding());
    for (const auto& [member, when] : deadlines_) ASSERT_EQ(copy.deadline(member), when);
    for (bool done = false; !done;) {
      size_t budget = 1 + prng_.below(10);
      done = copy.free_some(heap_, budget);
    }
    ASSERT_EQ(heap_.used_bytes(), before);
  }
  void destroy() {
    set_.destroy(heap_);
    model_.clear();
    deadlines_.clear();
    ASSERT_EQ(heap_.used_bytes(), 0u);
  }

 private:
  Prng prng_;
  Limits limits_;
  Heap heap_;
  Set set_;
  std::set<std::string> model_;
  std::map<std::string, UnixMs> deadlines_;
  UnixMs now_ = 1000;
};

void run(uint64_t seed, const Limits& limits) {
  SetModel model(seed, limits);
  for (int step = 0; step < 12'000; ++step) {
    const int phase = step % 3000;
    const uint64_t text = phase < 1000 ? 0 : phase < 1200 ? 10 : 50;
    const uint64_t growth = phase < 2000 ? 60 : 20;
    const uint64_t dice = model.prng().below(100);
    if (phase == 0) {
      model.destroy();
    } else if (dice < growth) {
      model.add(model.member(text));
    } else if (dice < 90) {
      model.remove(model.member(text));
    } else if (dice < 97) {
      model.random();
    } else {
      model.pop();
    }
    // For a third of the time no member has a deadline.
    if (phase >= 700) {
      if (dice % 5 == 0) model.set_deadline(model.member(text));
      if (dice % 25 == 0) model.expire();
    }
    if (step % 100 == 0) model.compare();
    if (step % 500 == 250) model.scan_while_changing();
    if (step % 500 == 499) model.copy_and_free();
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(SetModel, AgreesUnderAllLimits) {
  for (const size_t ints : {size_t{0}, size_t{20}, size_t{512}}) {
    for (const size_t packed : {size_t{0}, size_t{30}, size_t{128}}) {
      for (uint64_t seed = 1; seed <= 2; ++seed) {
        SCOPED_TRACE(testing::Message()
                     << "ints " << ints << " packed " << packed << " seed " << seed);
        run(seed, {.set_ints_entries = ints,
                   .set_packed_entries = packed,
                   .set_packed_value_bytes = packed == 30 ? 8u : 64u});
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

}  // namespace
}  // namespace ouro
