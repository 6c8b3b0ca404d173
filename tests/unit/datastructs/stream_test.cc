// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/stream.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace ouro {
namespace {

// ---- ids

std::string read_id(ByteView text, uint64_t missing_seq = 0) {
  const auto parsed = parse_stream_id(text, missing_seq);
  if (!parsed) return "none";
  return std::string(StreamIdText(parsed->id).view()) + (parsed->any_seq ? " any" : "");
}

TEST(StreamId, IsReadInItsThreeForms) {
  EXPECT_EQ(read_id("1526919030474-55"), "1526919030474-55");
  EXPECT_EQ(read_id("7"), "7-0");
  EXPECT_EQ(read_id("7", UINT64_MAX), "7-18446744073709551615");
  EXPECT_EQ(read_id("7-*"), "7-0 any");
  EXPECT_EQ(read_id("18446744073709551615-18446744073709551615"),
            "18446744073709551615-18446744073709551615");
}

TEST(StreamId, NumbersAreReadAsRedisReadsThem) {
  EXPECT_EQ(read_id(" 7-+1"), "7-1");
  EXPECT_EQ(read_id("007-01"), "7-1");
  EXPECT_EQ(read_id(ByteView("3\0x", 3)), "3-0");
  EXPECT_EQ(read_id("1--01"), "1-18446744073709551615");
  for (const char* text : {"", "-", "+", "-1", "1-", "1--1", "a", "1-a", "1-2-3", "1-*x", "1 ",
                           "18446744073709551616", "1-18446744073709551616"}) {
    EXPECT_EQ(read_id(text), "none") << text;
  }
  EXPECT_EQ(read_id(std::string(127, '0')), "0-0");
  EXPECT_EQ(read_id(std::string(128, '0')), "none");
}

TEST(StreamId, HasNeighboursButForTheEnds) {
  EXPECT_EQ((StreamId{1, UINT64_MAX}.next()), (StreamId{2, 0}));
  EXPECT_EQ((StreamId{2, 0}.prev()), (StreamId{1, UINT64_MAX}));
  EXPECT_EQ(kStreamIdMax.next(), std::nullopt);
  EXPECT_EQ(StreamId().prev(), std::nullopt);
}

// ---- SortedPages

struct NumberItself {
  static uint64_t key(uint64_t number) { return number; }
};
using Numbers = SortedPages<uint64_t, NumberItself>;

TEST(SortedPages, AppendedPagesStayFull) {
  Heap heap;
  Numbers numbers;
  for (uint64_t i = 0; i < 10 * Numbers::kPageItems; ++i) numbers.append(heap, i);
  EXPECT_EQ(numbers.page_count(), 10U);
  numbers.check_invariants();
  numbers.release(heap);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST(SortedPages, MemoryFollowsWhatGoesFromTheFront) {
  Heap heap;
  Numbers numbers;
  uint64_t next = 0;
  for (; next < 2000; ++next) numbers.append(heap, next);
  const size_t bytes = heap.used_bytes();
  for (int i = 0; i < 100'000; ++i) {
    numbers.append(heap, next++);
    numbers.erase(heap, numbers.begin());
    ASSERT_LE(heap.used_bytes(), bytes * 3 / 2);
  }
  EXPECT_EQ(numbers.front(), next - 2000);
  while (!numbers.empty()) numbers.erase(heap, numbers.begin());
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST(SortedPages, PagesThatWereThinnedOutAreJoined) {
  Heap heap;
  Numbers numbers;
  const uint64_t count = 20 * Numbers::kPageItems;
  for (uint64_t i = 0; i < count; ++i) numbers.append(heap, i);
  for (uint64_t i = 0; i < count; ++i) {
    if (i % 20 != 0) numbers.erase(heap, numbers.lower_bound(i));
  }
  numbers.check_invariants();
  EXPECT_LE(numbers.page_count(), 5U);
  for (uint64_t i = 0; i < count; ++i) ASSERT_EQ(numbers.find(i) != nullptr, i % 20 == 0);
  numbers.release(heap);
}

// ---- Stream

class StreamTest : public testing::Test {
 protected:
  ~StreamTest() override {
    stream.check_invariants();
    EXPECT_EQ(stream.memory_bytes(), heap.used_bytes());
    stream.destroy(heap);
    EXPECT_EQ(heap.used_bytes(), 0U);
  }
  void add(StreamId id, std::initializer_list<ByteView> pairs) {
    stream.append(heap, limits, id, StreamNode::Pairs(pairs.begin(), pairs.size()));
  }
  void add_numbered(uint64_t first, uint64_t last) {
    for (uint64_t i = first; i <= last; ++i) add({i, 0}, {"f", "v"});
  }
  std::string ids() const {
    std::string text;
    stream.for_each([&](const StreamEntry& entry) {
      text += std::to_string(entry.id.ms) + " ";
      return true;
    });
    return text;
  }

  Heap heap;
  Limits limits;
  Stream stream;
};

TEST_F(StreamTest, OneThatWasNeverTouchedTakesNoMemory) {
  EXPECT_EQ(stream.size(), 0U);
  EXPECT_EQ(stream.memory_bytes(), 0U);
  EXPECT_EQ(stream.first_id(), StreamId());
  EXPECT_EQ(stream.find_group("g"), nullptr);
  EXPECT_FALSE(stream.erase(heap, {1, 1}));
  EXPECT_EQ(stream.trim(heap, {}), 0U);
}

TEST_F(StreamTest, AShortEntryTakesSixBytesInItsNode) {
  add_numbered(1, 50);
  const size_t bytes = stream.memory_bytes();
  add_numbered(51, 100);
  EXPECT_EQ(stream.node_count(), 1U);
  EXPECT_LE(stream.memory_bytes(), bytes + 50 * 6 + 300);
  // Large streams: with node heads, table and the allocator's slack.
  add_numbered(101, 100'000);
  EXPECT_EQ(stream.node_count(), 1000U);
  EXPECT_LE(stream.memory_bytes(), 100'000U * 8);
}

TEST_F(StreamTest, ANodeIsFullByEntriesThatHaveGoneToo) {
  limits.stream_node_entries = 3;
  add_numbered(1, 3);
  EXPECT_TRUE(stream.erase(heap, {2, 0}));
  add_numbered(4, 4);
  EXPECT_EQ(stream.node_count(), 2U);
  EXPECT_EQ(stream.trim(heap, {.length = 1, .whole_nodes = true}), 2U);
  EXPECT_EQ(ids(), "4 ");
}

TEST_F(StreamTest, TrimmingByWholeNodesKeepsWhatANodeHasTooMany) {
  limits.stream_node_entries = 10;
  add_numbered(1, 35);
  EXPECT_EQ(stream.trim(heap, {.length = 12, .whole_nodes = true}), 20U);
  EXPECT_EQ(stream.trim(heap, {.length = 12}), 3U);
  EXPECT_EQ(stream.first_id(), (StreamId{24, 0}));
  add_numbered(36, 60);
  EXPECT_EQ(stream.trim(heap, {.length = 1, .whole_nodes = true, .count_max = 16}), 7U);
  EXPECT_EQ(stream.trim(heap, {.by = StreamTrim::By::kId, .first_id = {45, 0}}), 14U);
  EXPECT_EQ(stream.first_id(), (StreamId{45, 0}));
}

TEST_F(StreamTest, ANodeWhoseLastEntryGoesIsFreed) {
  limits.stream_node_entries = 2;
  add_numbered(1, 6);
  EXPECT_TRUE(stream.erase(heap, {3, 0}));
  EXPECT_TRUE(stream.erase(heap, {4, 0}));
  EXPECT_EQ(stream.node_count(), 2U);
  EXPECT_EQ(ids(), "1 2 5 6 ");
  EXPECT_EQ(stream.max_deleted_id(), (StreamId{4, 0}));
  for (const uint64_t ms : {1U, 2U, 5U, 6U}) EXPECT_TRUE(stream.erase(heap, {ms, 0}));
  EXPECT_EQ(stream.size(), 0U);
  EXPECT_EQ(stream.last_id(), (StreamId{6, 0}));
}

TEST_F(StreamTest, LagIsKnownWhereNothingWasDeletedAhead) {
  StreamGroup& group = stream.add_group(heap, "g");
  EXPECT_EQ(stream.lag(group), 0);
  add_numbered(1, 5);
  EXPECT_EQ(stream.lag(group), 5);
  stream.erase(heap, {3, 0});
  EXPECT_EQ(stream.lag(group), std::nullopt);
  for (const uint64_t ms : {1U, 2U, 4U}) stream.note_delivered(group, {ms, 0});
  EXPECT_EQ(group.entries_read, StreamGroup::kUnknown);
  stream.note_delivered(group, {5, 0});
  EXPECT_EQ(group.entries_read, 5);
  EXPECT_EQ(stream.lag(group), 0);
}

// Clients may set the counters, and entries come and are read behind that.
TEST_F(StreamTest, CountersGoRoundAtTheirEnd) {
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  StreamGroup& group = stream.add_group(heap, "g");
  add_numbered(1, 1);
  group.entries_read = kEnd;
  stream.note_delivered(group, {1, 0});
  EXPECT_EQ(group.entries_read, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(stream.lag(group), std::numeric_limits<int64_t>::min() + 1);
}

TEST_F(StreamTest, AnEntryMovesFromConsumerToConsumer) {
  StreamGroup& group = stream.add_group(heap, "g");
  StreamConsumer& alice = group.add_consumer(heap, "alice", 1);
  StreamConsumer& bob = group.add_consumer(heap, "bob", 1);
  group.assign(heap, {1, 0}, alice, 0).deliveries = 7;
  EXPECT_EQ(group.assign(heap, {1, 0}, bob, 0).deliveries, 7U);
  EXPECT_TRUE(alice.pending.empty());
  EXPECT_EQ(bob.pending.size(), 1U);
  group.erase_consumer(heap, bob);
  EXPECT_EQ(group.pending_count(), 0U);
}

TEST_F(StreamTest, AChangeOfWhatIsSharedCopiesOneNode) {
  const ByteView pair[] = {"field", "value"};
  StreamGroup& group = stream.add_group(heap, "group");
  StreamConsumer& consumer = group.add_consumer(heap, "consumer", 0);
  for (uint64_t i = 1; i <= 10'000; ++i) {
    stream.append(heap, limits, {i, 0}, pair);
    group.assign(heap, {i, 0}, consumer, 1);
  }
  Stream share = stream.share(heap);
  const size_t used = heap.used_bytes();
  stream.append(heap, limits, {10'001, 0}, pair);
  EXPECT_TRUE(stream.erase(heap, {5'000, 0}));
  EXPECT_TRUE(group.erase_pending(heap, {5'000, 0}));
  // Two nodes and their pages; a page of the group's list, of its queue, and of the consumer's.
  EXPECT_LT(heap.used_bytes() - used, 24_KiB);
  EXPECT_EQ(share.size(), 10'000U);
  EXPECT_TRUE(share.contains({5'000, 0}));
  EXPECT_EQ(share.find_group("group")->pending_count(), 10'000U);
  share.destroy(heap);
  EXPECT_EQ(stream.memory_bytes(), heap.used_bytes());
}

TEST_F(StreamTest, LargeValuesHaveNodesOfTheirOwn) {
  const std::string large(100'000, 'x');
  for (uint64_t i = 1; i <= 3; ++i) add({i, 0}, {"f", large});
  EXPECT_EQ(stream.node_count(), 3U);
  stream.for_each([&](const StreamEntry& entry) {
    entry.for_each_field([&](ByteView, ByteView value) { EXPECT_EQ(value, large); });
    return true;
  });
}

}  // namespace
}  // namespace ouro
