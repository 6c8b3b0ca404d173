// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/packed_list.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ouro {
namespace {

using Strings = std::vector<std::string>;

class PackedListTest : public testing::Test {
 protected:
  ~PackedListTest() override {
    run_.destroy(heap_);
    EXPECT_EQ(heap_.used_bytes(), 0u);
  }
  void append(const Strings& elements) {
    for (const std::string& element : elements) run_.insert(heap_, run_.end(), element);
  }
  Strings all() const {
    run_.check_invariants();
    ListScratch scratch;
    Strings forwards;
    for (auto at = run_.begin(); at != run_.end();) forwards.emplace_back(run_.read(at, scratch));
    Strings backwards;
    for (auto at = run_.end(); at != run_.begin();) {
      backwards.insert(backwards.begin(), std::string(run_.read_back(at, scratch)));
    }
    EXPECT_EQ(forwards, backwards);
    EXPECT_EQ(forwards.size(), run_.count());
    return forwards;
  }

  Heap heap_;
  PackedList run_;
};

// Goal: every form of an entry, at its borders, read from both sides next to every other.
TEST_F(PackedListTest, ReadsEveryFormFromBothSides) {
  Strings elements = {"", "a", std::string("\0\xff", 2), "007", "-0", "+1", "-", "1e3", " 1", "1 "};
  for (const size_t length : {19u, 20u, 21u, 127u, 128u, 8191u, 8192u, 70000u})
    elements.emplace_back(length, '7');
  for (int bits = 0; bits < 64; ++bits) {
    const uint64_t power = uint64_t{1} << bits;
    for (const uint64_t value : {power - 1, power, power + 1}) {
      elements.push_back(std::to_string(static_cast<int64_t>(value)));
      elements.push_back(std::to_string(static_cast<int64_t>(0 - value)));
    }
  }
  elements.insert(elements.end(), {"9223372036854775807", "9223372036854775808",
                                   "-9223372036854775808", "-9223372036854775809"});
  append(elements);
  EXPECT_EQ(all(), elements);
}

TEST_F(PackedListTest, IntegersAreSmallerThanTheirText) {
  EXPECT_EQ(PackedList::entry_bytes("0"), 2u);
  EXPECT_EQ(PackedList::entry_bytes("4095"), 2u);
  EXPECT_EQ(PackedList::entry_bytes("-1"), 3u);
  EXPECT_EQ(PackedList::entry_bytes("32767"), 4u);
  EXPECT_EQ(PackedList::entry_bytes("32768"), 5u);
  EXPECT_EQ(PackedList::entry_bytes("-9223372036854775808"), 10u);
  EXPECT_EQ(PackedList::entry_bytes("00"), 4u);
}

TEST_F(PackedListTest, InsertsReplacesAndErasesByIndex) {
  append({"a", "17", "c"});
  run_.insert(heap_, run_.at_index(1), "100000");
  run_.replace(heap_, run_.at_index(0), "-5");
  EXPECT_EQ(all(), (Strings{"-5", "100000", "17", "c"}));
  run_.replace(heap_, run_.at_index(2), std::string(200, 'z'));
  run_.erase(heap_, run_.at_index(0), 2);
  EXPECT_EQ(all(), (Strings{std::string(200, 'z'), "c"}));
}

TEST_F(PackedListTest, ErasesEqualEntriesWithinSkipAndMax) {
  append({"x", "1", "x", "x", "2", "x"});
  EXPECT_EQ(run_.count_equal(ListNeedle("x")), 4u);
  EXPECT_EQ(run_.erase_equal(heap_, ListNeedle("x"), 1, 2), 2u);
  EXPECT_EQ(all(), (Strings{"x", "1", "2", "x"}));
  EXPECT_EQ(run_.erase_equal(heap_, ListNeedle("1"), 0, 9), 1u);
  EXPECT_EQ(run_.erase_equal(heap_, ListNeedle("01"), 0, 9), 0u);
  EXPECT_EQ(run_.erase_equal(heap_, ListNeedle("x"), 0, 9), 2u);
  EXPECT_EQ(run_.erase_equal(heap_, ListNeedle("2"), 0, 9), 1u);
  EXPECT_TRUE(run_.empty());
}

TEST_F(PackedListTest, SplitsAndMergesAtAnyPlace) {
  const Strings elements = {"a", "12", "", "-70000", std::string(300, 'x')};
  for (size_t cut = 0; cut <= elements.size(); ++cut) {
    append(elements);
    PackedList tail = run_.split(heap_, run_.at_index(cut));
    tail.check_invariants();
    EXPECT_EQ(all(), Strings(elements.begin(), elements.begin() + static_cast<long>(cut)));
    EXPECT_EQ(tail.count(), elements.size() - cut);
    run_.merge(heap_, tail);
    EXPECT_TRUE(tail.empty());
    EXPECT_EQ(all(), elements);
    run_.destroy(heap_);
  }
}

TEST_F(PackedListTest, AHundredElementsOfSixteenBytesTakeLessThanTwoKilobytes) {
  for (int i = 0; i < 100; ++i) append({"element:" + std::to_string(10000000 + i)});
  EXPECT_EQ(run_.bytes(), 1805u);
}

}  // namespace
}  // namespace ouro
