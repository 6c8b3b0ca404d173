// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/out_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

// All that may leave at `released`.
std::string gathered(const OutBuffer& out, uint64_t released = kReleaseAll) {
  std::vector<ByteView> views(4096);
  const size_t count = out.gather(released, views);
  std::string all;
  for (size_t i = 0; i < count; ++i) {
    EXPECT_FALSE(views[i].empty());
    all += views[i];
  }
  return all;
}

void format(OutBuffer& out, ByteView text) {
  std::memcpy(out.room(text.size()), text.data(), text.size());
  out.keep(text.size());
}

TEST(OutBuffer, HoldsNothingBeforeTheFirstByteAndAfterShrink) {
  Heap heap;
  {
    OutBuffer out(heap);
    EXPECT_EQ(heap.used_bytes(), 0U);
    out.append("+OK\r\n");
    EXPECT_LE(out.memory_bytes(), 1100U);
    EXPECT_EQ(out.memory_bytes(), heap.used_bytes());
    out.consume(5);
    EXPECT_TRUE(out.empty());
    EXPECT_GT(heap.used_bytes(), 0U);  // the chunk stays for the next turn
    out.shrink();                      // used since the last visit: stays
    EXPECT_GT(heap.used_bytes(), 0U);
    out.shrink();
    EXPECT_EQ(heap.used_bytes(), 0U);
    EXPECT_EQ(out.memory_bytes(), 0U);
    out.append("+OK\r\n");
    out.check_invariants();
  }
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST(OutBuffer, WhatIsHeldStaysWhateverIsReleased) {
  Heap heap;
  OutBuffer out(heap);
  out.append("one ");
  out.release_from(0, 1);
  const uint64_t at = out.stream_end();
  out.append("two ");
  out.hold_from(at);
  out.append("three");
  EXPECT_EQ(gathered(out, 0), "");
  EXPECT_EQ(gathered(out), "one ");
  out.consume(4);
  EXPECT_EQ(gathered(out), "");
  out.let_go();
  EXPECT_EQ(gathered(out, 1), "two three");
  // What has left cannot be held any more.
  out.consume(4);
  out.hold_from(at);
  EXPECT_EQ(gathered(out), "");
  out.let_go();
  EXPECT_EQ(gathered(out), "three");
  out.check_invariants();
}

TEST(OutBuffer, WhatIsUnmarkedLeavesWithWhatStandsBeforeIt) {
  Heap heap;
  OutBuffer out(heap);
  out.append("one ");
  out.release_from(0, 5);
  const uint64_t at = out.stream_end();
  out.append("two ");
  out.release_from(at, 7);
  const uint64_t later = out.stream_end();
  out.append("three ");
  out.release_from(later, 8);
  out.unmark_from(at);
  out.check_invariants();
  EXPECT_EQ(gathered(out, 4), "");
  EXPECT_EQ(gathered(out, 5), "one two three ");
  // What follows has its own mark, also a lower one than those that were there.
  const uint64_t last = out.stream_end();
  out.append("four");
  out.release_from(last, 6);
  EXPECT_EQ(gathered(out, 5), "one two three ");
  EXPECT_EQ(gathered(out, 6), "one two three four");
  out.consume(out.size_bytes());
  // With nothing before it, it leaves at once.
  const uint64_t alone = out.stream_end();
  out.append("five");
  out.release_from(alone, 9);
  EXPECT_EQ(gathered(out, 8), "");
  out.unmark_from(alone);
  EXPECT_EQ(gathered(out, 0), "five");
  out.check_invariants();
}

// What somebody else holds, too, is no memory of this output, but it cannot be freed before it is
// sent.
TEST(OutBuffer, ClaimsThePartsOfBlobsThatItPointsAt) {
  Heap heap;
  Blob* blob = Blob::create_from(heap, std::string(100'000, 'x'));
  {
    OutBuffer out(heap);
    out.append("$40000\r\n");
    const size_t chunk = out.memory_bytes();
    EXPECT_EQ(out.claimed_bytes(), chunk);
    EXPECT_EQ(out.front_chunk().memory_bytes, chunk);
    EXPECT_EQ(out.front_chunk().unsent_bytes, 8U);
    out.append_blob(blob, blob->view().substr(0, 40'000));
    out.append("\r\n");
    EXPECT_EQ(out.piece_count(), 3U);
    EXPECT_LT(out.memory_bytes(), 40'000U);
    EXPECT_EQ(out.claimed_bytes(), out.memory_bytes() + 40'000);
    // As long as a byte of the part is to be sent.
    out.consume(10'000);
    EXPECT_EQ(out.front_chunk().memory_bytes, 0U);
    EXPECT_GT(out.claimed_bytes(), 40'000U);
    out.check_invariants();
    out.consume(out.size_bytes());
    EXPECT_EQ(out.claimed_bytes(), out.memory_bytes());
    EXPECT_EQ(out.piece_count(), 1U);
  }
  Blob::unpin(heap, blob);
}

TEST(OutBuffer, ABusyPeerWithSmallRepliesAllocatesNothing) {
  Heap heap;
  OutBuffer out(heap);
  auto turn = [&] {
    out.append(std::string(900, 'x'));
    format(out, ":1\r\n");
    out.consume(out.size_bytes());
  };
  turn();
  const size_t used = heap.used_bytes();
  EXPECT_GT(used, 0U);
  heap.reset_peak();
  for (int i = 0; i < 100; ++i) turn();
  EXPECT_EQ(heap.peak_bytes(), used);
}

// Its chunk would count as long as the peer lives, though it is another who needs it next.
TEST(OutBuffer, LargeRepliesLeaveNothingBehind) {
  Heap heap;
  OutBuffer out(heap);
  for (int i = 0; i < 3; ++i) {
    out.append(std::string(6000, 'x'));
    out.consume(out.size_bytes());
    EXPECT_EQ(out.memory_bytes(), 0U);
    EXPECT_EQ(heap.used_bytes(), 0U);
    out.check_invariants();
  }
  format(out, ":1\r\n");
  EXPECT_EQ(out.size_bytes(), 4U);
  out.check_invariants();
}

// Over the limit one chunk takes all that follows, over and over. Part of it may have been sent, so
// that its bytes begin anywhere: behind the last ones there would be no room.
TEST(OutBuffer, WhatIsOverItsLimitHasRoomWhereverSendingHasGotTo) {
  Heap heap;
  OutBuffer out(heap);
  const size_t limit = 100;
  out.limit(&limit);
  const std::string reply(100, 'x');
  while (!out.is_over()) out.append(reply);
  // The chunks before it are sent, and nearly all of its first filling.
  for (int i = 0; i < 162; ++i) out.append(reply);
  out.consume(out.size_bytes() - limit);
  const size_t held = out.memory_bytes();
  const std::string larger(500, 'y');
  for (int i = 0; i < 100; ++i) {
    format(out, larger);
    out.check_invariants();
  }
  EXPECT_EQ(out.memory_bytes(), held);
}

TEST(OutBuffer, BlobIsPointedAtAndUnpinnedWhenSent) {
  Heap heap;
  Blob* blob = Blob::create_from(heap, std::string(20000, 'b'));
  OutBuffer out(heap);
  out.append("$20000\r\n");
  out.append_blob(blob, blob->view());
  out.append("\r\n");
  EXPECT_TRUE(blob->is_shared());
  std::vector<ByteView> views(8);
  ASSERT_EQ(out.gather(kReleaseAll, views), 3U);
  EXPECT_EQ(views[1].data(), blob->bytes());
  EXPECT_LT(out.memory_bytes(), 4000U);
  out.consume(8 + 19999);
  EXPECT_TRUE(blob->is_shared());
  out.consume(1);
  EXPECT_FALSE(blob->is_shared());
  EXPECT_EQ(gathered(out), "\r\n");
  out.append_blob(blob, blob->view().substr(5, 7));
  Blob::unpin(heap, blob);                // deleted from the keyspace
  EXPECT_GT(out.memory_bytes(), 20000U);  // this output alone holds it now
  EXPECT_EQ(gathered(out), "\r\nbbbbbbb");
  out.clear();
  out.check_invariants();
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST(OutBuffer, GateHoldsBackBytesAboveTheReleasedOffset) {
  Heap heap;
  OutBuffer out(heap);
  out.append("a");
  out.release_at(10);
  out.append("b");
  out.release_at(20);
  out.release_at(30);  // nothing was appended at 20
  out.append("cd");
  out.check_invariants();
  EXPECT_EQ(gathered(out, 0), "a");
  EXPECT_EQ(gathered(out, 9), "a");
  EXPECT_EQ(gathered(out, 10), "ab");
  EXPECT_EQ(gathered(out, 29), "ab");
  EXPECT_EQ(gathered(out, 30), "abcd");
  out.consume(2);
  EXPECT_EQ(gathered(out, 29), "");
  out.consume(1);
  EXPECT_EQ(gathered(out, 29), "");
  EXPECT_EQ(gathered(out, kReleaseAll), "d");
  out.consume(1);
  out.append("e");  // still at 30
  EXPECT_EQ(gathered(out, 29), "");
  EXPECT_EQ(gathered(out, 30), "e");
}

TEST(OutBuffer, GatherStopsAtBytesMaxAndAtTheLastView) {
  Heap heap;
  OutBuffer out(heap);
  out.append(std::string(100000, 'x'));
  std::vector<ByteView> views(3);
  EXPECT_EQ(out.gather(kReleaseAll, views), 3U);
  EXPECT_EQ(out.gather(kReleaseAll, views, 1), 1U);
}

TEST(OutBuffer, InsertsNestedHeadersFromTheInsideOut) {
  Heap heap;
  OutBuffer out(heap);
  const OutBuffer::Position outer = out.position();
  out.append("x");
  const OutBuffer::Position inner = out.position();
  out.append(std::string(5000, 'y'));
  out.insert(inner, "*1\r\n");
  out.insert(outer, "*2\r\n");
  EXPECT_EQ(gathered(out), "*2\r\nx*1\r\n" + std::string(5000, 'y'));
}

TEST(OutBuffer, InsertsBeforeABlobThatCameFirst) {
  Heap heap;
  Blob* blob = Blob::create_from(heap, "blobblob");
  {
    OutBuffer out(heap);
    const OutBuffer::Position start = out.position();
    out.append_blob(blob, blob->view());
    out.insert(start, "*1\r\n");
    const OutBuffer::Position end = out.position();
    out.append_blob(blob, blob->view());
    out.insert(end, "!");
    EXPECT_EQ(gathered(out), "*1\r\nblobblob!blobblob");
    out.check_invariants();
  }
  Blob::unpin(heap, blob);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST(OutBuffer, InsertKeepsTheMarksWithTheirBytes) {
  Heap heap;
  OutBuffer out(heap);
  out.append("a");
  const OutBuffer::Position here = out.position();
  out.append("b");
  out.release_at(7);
  out.append("c");
  out.insert(here, "123");
  EXPECT_EQ(gathered(out, 6), "a123b");
  EXPECT_EQ(gathered(out, 7), "a123bc");
}

// An OutBuffer, and a plain string with the offset of each byte beside it.
struct OutBufferTwins {
  OutBufferTwins(Heap& heap, Blob* shared, uint64_t seed) : prng(seed), blob(shared), out(heap) {}

  void added(size_t at, const std::string& bytes) {
    text.insert(at, bytes);
    offsets.insert(offsets.begin() + static_cast<std::ptrdiff_t>(at), bytes.size(), offset);
  }
  std::string random_bytes(uint64_t bound) {
    return std::string(prng.below(bound), static_cast<char>('a' + prng.below(26)));
  }

  void append_some() {
    std::string bytes = random_bytes(prng.below(20) == 0 ? 40000 : 200);
    switch (prng.below(3)) {
      case 0:
        bytes.assign(prng.below(300), 'B');
        out.append_blob(blob, blob->view().substr(prng.below(1000), bytes.size()));
        break;
      case 1:
        bytes.resize(std::min(bytes.size(), OutBuffer::kRoomBytesMax));
        format(out, bytes);
        break;
      default:
        out.append(bytes);
    }
    added(text.size(), bytes);
  }

  // A header, once with another one inside.
  void insert_headers() {
    const size_t outer_at = text.size();
    const OutBuffer::Position outer = out.position();
    for (uint64_t i = prng.below(3); i > 0; --i) append_some();
    const size_t inner_at = text.size();
    const OutBuffer::Position inner = out.position();
    for (uint64_t i = prng.below(3); i > 0; --i) append_some();
    for (const auto& [where, at] : {std::pair{inner, inner_at}, std::pair{outer, outer_at}}) {
      const std::string header = random_bytes(40);
      out.insert(where, header);
      added(at, header);
    }
  }

  void release_later() {
    offset += prng.below(3);
    out.release_at(offset);
  }

  void send_some() {
    const uint64_t released = offset - std::min(offset, prng.below(5));
    size_t expected = 0;
    while (expected < text.size() && offsets[expected] <= released) ++expected;
    ASSERT_EQ(gathered(out, released), text.substr(0, expected));
    const size_t sent = prng.below(3) == 0 ? expected : prng.below(expected + 1);
    out.consume(sent);
    text.erase(0, sent);
    offsets.erase(offsets.begin(), offsets.begin() + static_cast<std::ptrdiff_t>(sent));
  }

  void shrink_or_clear() {
    if (prng.below(20) == 0) out.shrink();
    if (prng.below(50) != 0) return;
    out.clear();
    text.clear();
    offsets.clear();
  }

  void take_step() {
    switch (prng.below(8)) {
      case 0:
        return insert_headers();
      case 1:
        return release_later();
      case 2:
      case 3:
        return send_some();
      case 4:
        return shrink_or_clear();
      default:
        return append_some();
    }
  }

  Prng prng;
  Blob* blob;
  OutBuffer out;
  std::string text;
  std::deque<uint64_t> offsets;
  uint64_t offset = 0;
};

class OutBufferModel : public ::testing::TestWithParam<uint64_t> {};

TEST_P(OutBufferModel, EqualsAString) {
  Heap heap;
  Blob* blob = Blob::create_from(heap, std::string(50000, 'B'));
  {
    OutBufferTwins twins(heap, blob, GetParam());
    for (int step = 0; step < 1000; ++step) {
      SCOPED_TRACE(step);
      twins.take_step();
      ASSERT_FALSE(HasFatalFailure());
      twins.out.check_invariants();
      ASSERT_EQ(twins.out.size_bytes(), twins.text.size());
      ASSERT_EQ(twins.out.empty(), twins.text.empty());
    }
    ASSERT_EQ(gathered(twins.out), twins.text);
  }
  EXPECT_FALSE(blob->is_shared());
  Blob::unpin(heap, blob);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, OutBufferModel, ::testing::Range<uint64_t>(1, 11));

}  // namespace
}  // namespace ouro
