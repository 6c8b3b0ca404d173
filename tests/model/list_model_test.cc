// SPDX-License-Identifier: BSD-3-Clause
// Random operations on List and on a std::deque, compared as a whole after each. Node limits are
// small and the plain threshold low, so that every change of form happens often. Of each list that
// was pressed by one depth from the beginning every node is looked at, whether it has to be
// pressed; other lists change the depth as they go. The seed is printed on failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/list.h"

namespace ouro {
namespace {

struct Setting {
  int64_t node_limit;
  size_t plain_bytes;
  size_t size_max;
};

constexpr size_t kAnyDepth = 4;  // 0 to 3, changed now and then

class ListModel {
 public:
  ListModel(Setting setting, size_t depth, uint64_t seed)
      : setting_(setting), depth_(depth), prng_(seed) {
    limits_.list_node_limit = setting.node_limit;
    limits_.list_plain_bytes = setting.plain_bytes;
    limits_.list_compress_depth = depth % kAnyDepth;
  }
  ~ListModel() {
    for (Share& share : shares_) {
      check_share(share);
      share.list.destroy(heap_);
    }
    list_.destroy(heap_);
    EXPECT_EQ(heap_.used_bytes(), 0u);
  }

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      if (depth_ == kAnyDepth && prng_.below(100) == 0)
        limits_.list_compress_depth = prng_.below(kAnyDepth);
      step();
      compare();
    }
  }
  // Nodes that were seen pressed.
  size_t pressed() const { return pressed_; }

 private:
  struct Share {
    List list;
    std::deque<std::string> model;
  };
  void check_share(const Share& share) {
    share.list.check_invariants();
    ASSERT_EQ(share.list.size(), share.model.size());
    size_t index = 0;
    share.list.for_each(0, share.model.size(), [&](ListElement element) {
      ASSERT_EQ(element.bytes, share.model[index++]);
    });
  }

  std::string draw_element() {
    switch (prng_.below(8)) {
      case 0:
        return std::to_string(static_cast<int64_t>(prng_.next()) >> prng_.below(64));
      case 1:
        return std::string(prng_.below(400), static_cast<char>(prng_.next()));
      case 2:
        return prng_.below(8) == 0 ? std::string(prng_.below(20'000), 'L') : "";
      default:
        return std::to_string(prng_.below(5));
    }
  }
  ListEnd draw_end() { return prng_.below(2) == 0 ? ListEnd::kFront : ListEnd::kBack; }

  void step() {
    // A list that is too long shrinks for a while, and an empty one grows: both borders are crossed
    // again and again.
    if (model_.size() >= setting_.size_max) growing_ = false;
    if (model_.empty()) growing_ = true;
    switch (prng_.below(13)) {
      case 0:
      case 1:
      case 2:
        return growing_ ? push() : pop();
      case 3:
        return growing_ ? insert() : erase_range();
      case 4:
        return insert();
      case 5:
        return insert_beside();
      case 6:
        return set();
      case 7:
        return growing_ ? push() : erase_equal();
      case 8:
        return prng_.below(20) == 0 ? trim() : push();
      case 9:
        return search();
      case 10:
        return prng_.below(20) == 0 ? copy() : pop();
      case 11:
        return prng_.below(10) == 0 ? share() : unshare();
      default:
        return read_range();
    }
  }

  void push() {
    const ListEnd end = draw_end();
    const std::string element = draw_element();
    list_.push(heap_, limits_, end, element);
    model_.insert(end == ListEnd::kFront ? model_.begin() : model_.end(), element);
  }
  void pop() {
    const ListEnd end = draw_end();
    std::string popped;
    const bool any =
        list_.pop(heap_, limits_, end, [&](ListElement element) { popped = element.bytes; });
    ASSERT_EQ(any, !model_.empty());
    if (!any) return;
    const auto expected = end == ListEnd::kFront ? model_.begin() : model_.end() - 1;
    ASSERT_EQ(popped, *expected);
    model_.erase(expected);
  }
  void insert() {
    const size_t index = prng_.below(model_.size() + 1);
    const std::string element = draw_element();
    list_.insert(heap_, limits_, index, element);
    model_.insert(model_.begin() + static_cast<long>(index), element);
  }
  void insert_beside() {
    const std::string pivot = draw_element();
    const std::string element = draw_element();
    const ListEnd side = draw_end();
    const auto found = std::find(model_.begin(), model_.end(), pivot);
    ASSERT_EQ(list_.insert_beside(heap_, limits_, {.pivot = pivot, .side = side}, element),
              found != model_.end());
    if (found != model_.end()) model_.insert(side == ListEnd::kFront ? found : found + 1, element);
  }
  void set() {
    if (model_.empty()) return;
    const size_t index = prng_.below(model_.size());
    const std::string element = draw_element();
    list_.set(heap_, limits_, index, element);
    model_[index] = element;
  }
  void erase_equal() {
    const std::string element = draw_element();
    const ListEnd from = draw_end();
    const size_t max = prng_.below(2) == 0 ? ~size_t{0} : prng_.below(4);
    size_t expected = 0;
    if (from == ListEnd::kBack) std::reverse(model_.begin(), model_.end());
    for (auto at = model_.begin(); at != model_.end() && expected < max;) {
      if (*at == element) {
        at = model_.erase(at);
        ++expected;
      } else {
        ++at;
      }
    }
    if (from == ListEnd::kBack) std::reverse(model_.begin(), model_.end());
    ASSERT_EQ(list_.erase_equal(heap_, limits_, from, max, element), expected);
  }
  void erase_range() {
    const size_t first = prng_.below(model_.size() + 1);
    const size_t count = prng_.below(std::min<size_t>(model_.size() - first, 30) + 1);
    list_.erase_range(heap_, limits_, first, count);
    const auto from = model_.begin() + static_cast<long>(first);
    model_.erase(from, from + static_cast<long>(count));
  }
  void trim() {
    const size_t first = prng_.below(model_.size() + 1);
    const size_t count = prng_.below(model_.size() - first + 1);
    list_.trim(heap_, limits_, first, count);
    const auto from = model_.begin() + static_cast<long>(first);
    model_ = std::deque<std::string>(from, from + static_cast<long>(count));
  }
  void search() {
    const std::string element = draw_element();
    const ListNeedle needle(element);
    const ListEnd towards = draw_end();
    const size_t start = prng_.below(model_.size() + 1);
    std::vector<size_t> expected;
    if (start < model_.size()) {
      for (size_t i = start; i < model_.size(); i += towards == ListEnd::kBack ? 1 : ~size_t{0}) {
        if (model_[i] == element) expected.push_back(i);
      }
    }
    std::vector<size_t> found;
    ListCursor cursor(list_, start, towards);
    size_t budget = model_.size();
    while (cursor.next_equal(needle, budget)) found.push_back(cursor.index());
    ASSERT_EQ(found, expected);
  }
  void read_range() {
    if (model_.empty()) return;
    const size_t first = prng_.below(model_.size());
    const size_t count = prng_.below(model_.size() - first + 1);
    size_t index = first;
    list_.for_each(first, count,
                   [&](ListElement element) { ASSERT_EQ(element.bytes, model_[index++]); });
    ASSERT_EQ(index, first + count);
    ListElementScratch scratch;
    ASSERT_EQ(list_.get(first, scratch).bytes, model_[first]);
    ListCursor cursor(list_, first, ListEnd::kFront);
    ListElement element;
    for (size_t i = first + 1; i-- > 0;) {
      ASSERT_TRUE(cursor.next(element));
      ASSERT_EQ(element.bytes, model_[i]);
      ASSERT_EQ(cursor.index(), i);
    }
    ASSERT_FALSE(cursor.next(element));
  }
  // Up to four others have the same nodes, as of then.
  void share() {
    if (shares_.size() < 4) shares_.push_back({list_.share(heap_), model_});
  }
  // One of them is looked at, and ends, or is the one that is changed from now on.
  void unshare() {
    if (shares_.empty() || prng_.below(5) != 0) return;
    Share& share = shares_[prng_.below(shares_.size())];
    check_share(share);
    if (prng_.below(2) == 0) {
      std::swap(list_, share.list);
      std::swap(model_, share.model);
    }
    for (size_t budget = 0; !share.list.free_some(heap_, budget);) budget = 1 + prng_.below(3);
    std::swap(share, shares_.back());
    shares_.pop_back();
  }
  void copy() {
    List fresh = list_.copy(heap_);
    list_.destroy(heap_);
    list_ = fresh;
  }

  void check_pressed() {
    const size_t nodes = list_.node_count();
    size_t place = 0;
    list_.for_each_node([&](const ListNode& node) {
      const size_t others = std::min(place, nodes - 1 - place);
      ++place;
      pressed_ += node.is_pressed();
      if (depth_ == kAnyDepth) return;
      if (depth_ == 0 || others < depth_) {
        ASSERT_FALSE(node.is_pressed());
      } else if (node.is_packed()) {
        ASSERT_EQ(press_run(heap_, node.run()), nullptr);
      }
    });
  }

  void compare() {
    list_.check_invariants();
    check_pressed();
    ASSERT_EQ(list_.size(), model_.size());
    ASSERT_EQ(list_.empty(), model_.empty());
    if (shares_.empty()) {
      ASSERT_EQ(list_.memory_bytes(), heap_.used_bytes());
    }
    ASSERT_LE(list_.memory_bytes(), heap_.used_bytes());
    size_t index = 0;
    list_.for_each(0, model_.size(),
                   [&](ListElement element) { ASSERT_EQ(element.bytes, model_[index++]); });
    ASSERT_EQ(index, model_.size());
  }

  Setting setting_;
  size_t depth_;
  size_t pressed_ = 0;
  Limits limits_;
  Heap heap_;
  List list_;
  std::deque<std::string> model_;
  std::vector<Share> shares_;
  Prng prng_;
  bool growing_ = true;
};

TEST(ListModel, AgreesWithADequeInAllForms) {
  constexpr Setting kSettings[] = {
      {1, 1 << 30, 700}, {3, 100, 900}, {20, 1 << 30, 200}, {-1, 1 << 30, 400}, {-2, 30, 300}};
  for (size_t depth = 0; depth <= kAnyDepth; ++depth) {
    size_t pressed = 0;
    for (const Setting& setting : kSettings) {
      for (uint64_t seed = 1; seed <= 2; ++seed) {
        SCOPED_TRACE(testing::Message() << "node limit " << setting.node_limit << ", depth "
                                        << depth << ", seed " << seed);
        ListModel model(setting, depth, seed);
        model.run(3000);
        pressed += model.pressed();
        if (HasFailure()) return;
      }
    }
    EXPECT_EQ(pressed > 0, depth > 0);
  }
}

}  // namespace
}  // namespace ouro
