// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/list.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ouro {
namespace {

using Strings = std::vector<std::string>;

class ListTest : public testing::Test {
 protected:
  ~ListTest() override {
    list_.destroy(heap_);
    EXPECT_EQ(heap_.used_bytes(), 0u);
  }
  void push_all(const Strings& elements) {
    for (const std::string& element : elements) list_.push(heap_, limits_, ListEnd::kBack, element);
  }
  Strings all() const {
    list_.check_invariants();
    EXPECT_EQ(list_.memory_bytes(), heap_.used_bytes());
    Strings elements;
    list_.for_each(0, list_.size(),
                   [&](ListElement element) { elements.emplace_back(element.bytes); });
    return elements;
  }
  std::string at(size_t index) const {
    ListElementScratch scratch;
    return std::string(list_.get(index, scratch).bytes);
  }

  Heap heap_;
  Limits limits_;
  List list_;
};

TEST_F(ListTest, EmptyListHoldsNothingAndPopsNothing) {
  EXPECT_EQ(list_.size(), 0u);
  EXPECT_EQ(list_.memory_bytes(), 0u);
  EXPECT_FALSE(list_.pop(heap_, limits_, ListEnd::kFront, [](ListElement) { FAIL(); }));
  size_t budget = 0;
  EXPECT_TRUE(list_.free_some(heap_, budget));
  ListCursor cursor(list_, 0, ListEnd::kBack);
  ListElement element;
  EXPECT_FALSE(cursor.next(element));
}

TEST_F(ListTest, AnElementLargerThanANodeIsABlobThatAReplyCanPin) {
  const std::string big(100'000, 'b');
  const std::string other(50'000, 'o');
  push_all({"first", big, other, "last"});
  EXPECT_EQ(all(), (Strings{"first", big, other, "last"}));
  Blob* pinned = nullptr;
  list_.for_each(1, 1, [&](const ListElement& element) { pinned = element.blob; });
  ASSERT_NE(pinned, nullptr);
  pinned->pin();
  list_.erase_range(heap_, limits_, 1, 1);
  EXPECT_EQ(pinned->view(), big);
  list_.check_invariants();
  EXPECT_EQ(list_.memory_bytes() + pinned->memory_bytes(), heap_.used_bytes());
  Blob::unpin(heap_, pinned);
  EXPECT_EQ(all(), (Strings{"first", other, "last"}));
}

TEST_F(ListTest, ThePlainThresholdMovesSmallElementsOutOfNodes) {
  limits_.list_plain_bytes = 3;
  push_all({"a", "abc", "b", ""});
  EXPECT_EQ(list_.free_effort(), 3u);
  EXPECT_EQ(all(), (Strings{"a", "abc", "b", ""}));
  list_.set(heap_, limits_, 1, "x");
  list_.set(heap_, limits_, 0, "plain");
  EXPECT_EQ(all(), (Strings{"plain", "x", "b", ""}));
}

TEST_F(ListTest, NodesKeepToTheirLimits) {
  const std::string element(50, 'e');
  for (const auto& [limit, nodes] : {std::pair<int64_t, size_t>{-1, 13},
                                     {-2, 7},
                                     {-5, 1},
                                     {-9, 1},
                                     {100, 10},
                                     {1, 1000},
                                     {0, 1000}}) {
    limits_.list_node_limit = limit;
    push_all(Strings(1000, element));
    EXPECT_EQ(list_.free_effort(), nodes) << limit;
    all();
    list_.destroy(heap_);
  }
}

TEST_F(ListTest, AMillionElementsAreFoundByIndexFromBothEnds) {
  for (int i = 0; i < 1'000'000; ++i) {
    list_.push(heap_, limits_, ListEnd::kBack, "element:" + std::to_string(10'000'000 + i));
  }
  EXPECT_EQ(list_.size(), 1'000'000u);
  list_.check_invariants();
  for (const size_t index :
       {size_t{0}, size_t{1}, size_t{499'999}, size_t{500'000}, size_t{999'998}, size_t{999'999}}) {
    EXPECT_EQ(at(index), "element:" + std::to_string(10'000'000 + index));
  }
  EXPECT_LT(list_.memory_bytes(), 1'000'000u * 19);
}

TEST_F(ListTest, InsertBesideFindsTheFirstPivot) {
  push_all({"a", "p", "b", "p"});
  EXPECT_TRUE(
      list_.insert_beside(heap_, limits_, {.pivot = "p", .side = ListEnd::kFront}, "before"));
  EXPECT_TRUE(list_.insert_beside(heap_, limits_, {.pivot = "p", .side = ListEnd::kBack}, "after"));
  EXPECT_FALSE(list_.insert_beside(heap_, limits_, {.pivot = "none", .side = ListEnd::kBack}, "x"));
  EXPECT_EQ(all(), (Strings{"a", "before", "p", "after", "b", "p"}));
}

TEST_F(ListTest, CursorLooksAtNoMoreThanItsBudget) {
  push_all({"a", "b", "c", "a"});
  ListCursor cursor(list_, 0, ListEnd::kBack);
  const ListNeedle needle("a");
  size_t budget = 3;
  EXPECT_TRUE(cursor.next_equal(needle, budget));
  EXPECT_EQ(cursor.index(), 0u);
  EXPECT_FALSE(cursor.next_equal(needle, budget));
  EXPECT_EQ(budget, 0u);
  budget = 1;
  EXPECT_TRUE(cursor.next_equal(needle, budget));
  EXPECT_EQ(cursor.index(), 3u);
}

TEST_F(ListTest, FreesInSlices) {
  limits_.list_node_limit = 10;
  push_all(Strings(1000, "element"));
  size_t slices = 0;
  for (bool done = false; !done; ++slices) {
    size_t budget = 30;
    done = list_.free_some(heap_, budget);
    list_.check_invariants();
  }
  EXPECT_EQ(slices, 4u);
  EXPECT_EQ(heap_.used_bytes(), 0u);
}

class ListPressTest : public ListTest {
 protected:
  static constexpr size_t kElements = 100'000;

  ListPressTest() { limits_.list_compress_depth = 2; }
  void push_many() {
    for (size_t i = 0; i < kElements; ++i) list_.push(heap_, limits_, ListEnd::kBack, text_of(i));
  }
  static std::string text_of(size_t index) {
    return "{\"name\":\"the same in each\",\"number\":" + std::to_string(index) + "}";
  }
  // A letter for each node: P pressed, b plain, o open.
  std::string forms() const {
    std::string text;
    list_.for_each_node([&](const ListNode& node) {
      text += node.is_pressed() ? 'P' : node.is_plain() ? 'b' : 'o';
    });
    return text;
  }
  static std::string forms_of(size_t nodes, size_t depth) {
    return std::string(depth, 'o') + std::string(nodes - 2 * depth, 'P') + std::string(depth, 'o');
  }
};

TEST_F(ListPressTest, NodesFarFromTheEndsTakeAFractionOfTheMemory) {
  push_many();
  const size_t pressed_bytes = list_.memory_bytes();
  EXPECT_EQ(forms(), forms_of(list_.node_count(), 2));
  for (const size_t index : {size_t{0}, kElements / 2, kElements / 2 + 1, kElements - 1})
    EXPECT_EQ(at(index), text_of(index));
  all();
  list_.destroy(heap_);
  limits_.list_compress_depth = 0;
  push_many();
  EXPECT_EQ(forms(), std::string(list_.node_count(), 'o'));
  EXPECT_LT(pressed_bytes, list_.memory_bytes() / 5);
}

TEST_F(ListPressTest, WhatComesNearAnEndIsOpened) {
  push_many();
  const size_t nodes = list_.node_count();
  while (list_.node_count() > nodes - 3) {
    list_.pop(heap_, limits_, ListEnd::kFront, [](const ListElement&) {});
    ASSERT_EQ(forms(), forms_of(list_.node_count(), 2));
  }
  list_.erase_range(heap_, limits_, list_.size() - 5000, 5000);
  EXPECT_EQ(forms(), forms_of(list_.node_count(), 2));
  list_.erase_range(heap_, limits_, 1000, list_.size() / 2);
  EXPECT_EQ(forms(), forms_of(list_.node_count(), 2));
  limits_.list_compress_depth = 1;
  list_.trim(heap_, limits_, list_.size() / 2, 1000);
  EXPECT_EQ(forms(), forms_of(list_.node_count(), 1));
  EXPECT_GT(list_.node_count(), 3u);
  list_.trim(heap_, limits_, list_.size() / 2, 200);
  EXPECT_EQ(forms(), "oo");
  all();
}

TEST_F(ListPressTest, AChangeInTheMiddlePressesAgain) {
  push_many();
  const size_t middle = kElements / 2;
  list_.set(heap_, limits_, middle, "set");
  list_.insert(heap_, limits_, middle, "inserted");
  list_.insert(heap_, limits_, middle, std::string(20'000, 'b'));
  EXPECT_EQ(at(middle), std::string(20'000, 'b'));
  EXPECT_EQ(at(middle + 1), "inserted");
  EXPECT_EQ(at(middle + 2), "set");
  EXPECT_EQ(list_.erase_equal(heap_, limits_, ListEnd::kBack, 1, text_of(middle + 1)), 1u);
  std::string expected = forms_of(list_.node_count(), 2);
  expected[forms().find('b')] = 'b';
  EXPECT_EQ(forms(), expected);
  all();
}

TEST_F(ListPressTest, ANodeThatGainsNothingStaysAsItIs) {
  limits_.list_node_limit = 1;
  limits_.list_compress_depth = 1;
  // 5 bytes of a run's head and 2 or 4 of lengths make 47, 53 and 269.
  push_all({"end", std::string(40, 's'), std::string(46, 's'), std::string(260, 's'), "end"});
  EXPECT_EQ(forms(), "oooPo");
  limits_.list_compress_depth = 0;
  list_.push(heap_, limits_, ListEnd::kBack, "end");
  list_.set(heap_, limits_, 2, std::string(300, 's'));
  EXPECT_EQ(forms(), "oooPoo");
  all();
}

TEST_F(ListPressTest, AnotherDepthIsForNodesThatChangeFromThenOn) {
  push_many();
  const std::string before = forms();
  limits_.list_compress_depth = 0;
  EXPECT_TRUE(list_.pop(heap_, limits_, ListEnd::kFront, [](const ListElement&) {}));
  EXPECT_EQ(forms(), before);
  // Then the ends may be pressed, too.
  list_.erase_range(heap_, limits_, 0, 10'000);
  EXPECT_EQ(forms()[1], 'P');
  std::string popped;
  const std::string last = at(list_.size() - 1);
  list_.trim(heap_, limits_, 0, list_.size() - 10'000);
  const std::string first = at(0);
  list_.pop(heap_, limits_, ListEnd::kFront, [&](const ListElement& e) { popped = e.bytes; });
  EXPECT_EQ(popped, first);
  list_.push(heap_, limits_, ListEnd::kFront, first);
  list_.push(heap_, limits_, ListEnd::kBack, last);
  EXPECT_EQ(at(0), first);
  EXPECT_EQ(at(list_.size() - 1), last);
  all();
}

// Goal: pages of nodes split in the middle, and join again as their nodes go.
TEST_F(ListTest, ManyNodesInsertedAndErasedInTheMiddle) {
  limits_.list_node_limit = 1;
  push_all(Strings(300, "a"));
  for (int i = 0; i < 700; ++i) list_.insert(heap_, limits_, 150, "b");
  Strings expected(300, "a");
  expected.insert(expected.begin() + 150, 700, "b");
  EXPECT_EQ(all(), expected);
  EXPECT_EQ(list_.erase_equal(heap_, limits_, ListEnd::kBack, 699, "b"), 699u);
  EXPECT_EQ(at(150), "b");
  list_.trim(heap_, limits_, 149, 3);
  EXPECT_EQ(all(), (Strings{"a", "b", "a"}));
}

}  // namespace
}  // namespace ouro
