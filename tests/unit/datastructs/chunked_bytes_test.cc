// SPDX-License-Identifier: BSD-3-Clause
// A ChunkedBytes beside a plain string of the same size.
#include "datastructs/chunked_bytes.h"

#include <gtest/gtest.h>

#include <string>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

std::string contents(const ChunkedBytes& bytes) {
  std::string all(bytes.size(), 'x');
  bytes.read(0, all.size(), all.data());
  return all;
}

TEST(ChunkedBytes, HoldsWhatWasWritten) {
  Prng prng(3);
  for (const size_t size : {size_t{1}, size_t{100}, ChunkedBytes::kChunkBytes,
                            ChunkedBytes::kChunkBytes + 8, size_t{1'000'000}}) {
    Heap heap;
    ChunkedBytes bytes = ChunkedBytes::create(heap, size);
    std::string model(size, '\0');
    for (int i = 0; i < 200; ++i) {
      const size_t at = prng.below(size);
      if (prng.below(2) == 0) {
        model[at] = static_cast<char>(prng.next());
        bytes.set<uint8_t>(heap, at, static_cast<uint8_t>(model[at]));
      } else {
        const std::string run(prng.below(size - at), static_cast<char>(prng.next()));
        model.replace(at, run.size(), run);
        bytes.write(heap, at, run);
      }
      const size_t other = prng.below(size);
      ASSERT_EQ(bytes.get<char>(other), model[other]);
      ASSERT_EQ(bytes.memory_bytes(), heap.used_bytes());
    }
    bytes.check_invariants();
    ASSERT_TRUE(contents(bytes) == model);
    ChunkedBytes copy = bytes.copy(heap);
    copy.check_invariants();
    ASSERT_TRUE(contents(copy) == model);
    bytes.destroy(heap);
    copy.destroy(heap);
    ASSERT_EQ(heap.used_bytes(), 0U);
  }
}

TEST(ChunkedBytes, ReadingTakesNoMemoryAndZeroChunksAreNoPart) {
  Heap heap;
  ChunkedBytes bytes = ChunkedBytes::create(heap, 1_MiB);
  const size_t empty = heap.used_bytes();
  EXPECT_EQ(bytes.get<uint64_t>(1000), 0U);
  EXPECT_EQ(contents(bytes), std::string(1_MiB, '\0'));
  EXPECT_EQ(heap.used_bytes(), empty);
  bytes.set<uint32_t>(heap, 100'000, 7);
  bytes.set<uint32_t>(heap, 0, 0);
  size_t chunks = 0;
  bytes.for_each_chunk([&](size_t at, ByteView chunk) {
    ++chunks;
    EXPECT_EQ(at, 6 * ChunkedBytes::kChunkBytes);
    EXPECT_EQ(chunk.size(), ChunkedBytes::kChunkBytes);
  });
  EXPECT_EQ(chunks, 1U);
  bytes.destroy(heap);
}

TEST(ChunkedBytes, IsFreedInSlices) {
  Heap heap;
  ChunkedBytes bytes = ChunkedBytes::create(heap, 10 * ChunkedBytes::kChunkBytes);
  for (size_t i = 0; i < 10; ++i) bytes.set<uint8_t>(heap, i * ChunkedBytes::kChunkBytes, 1);
  size_t budget = 4;
  EXPECT_FALSE(bytes.free_some(heap, budget));
  EXPECT_EQ(budget, 0U);
  EXPECT_FALSE(bytes.free_some(heap, budget));
  budget = 100;
  EXPECT_TRUE(bytes.free_some(heap, budget));
  EXPECT_EQ(budget, 94U);
  EXPECT_EQ(heap.used_bytes(), 0U);
  EXPECT_EQ(bytes.size(), 0U);
}

TEST(ChunkedBytes, AWriteIntoWhatIsSharedCopiesOneChunk) {
  Heap heap;
  ChunkedBytes bytes = ChunkedBytes::create(heap, 10 * ChunkedBytes::kChunkBytes);
  for (size_t i = 0; i < 9; ++i) bytes.set<uint8_t>(heap, i * ChunkedBytes::kChunkBytes, 1);
  ChunkedBytes share = bytes.share(heap);
  const std::string before = contents(share);
  const size_t used = heap.used_bytes();
  bytes.set<uint8_t>(heap, 5 * ChunkedBytes::kChunkBytes + 7, 2);
  bytes.set<uint8_t>(heap, 5 * ChunkedBytes::kChunkBytes + 8, 3);
  EXPECT_LT(heap.used_bytes() - used, 2 * ChunkedBytes::kChunkBytes);
  EXPECT_EQ(heap.used_bytes() - used, heap.left_bytes());
  // What was all zeros is nobody's.
  bytes.set<uint8_t>(heap, 9 * ChunkedBytes::kChunkBytes, 4);
  EXPECT_TRUE(contents(share) == before);
  EXPECT_FALSE(contents(bytes) == before);
  bytes.check_invariants();
  share.check_invariants();
  bytes.destroy(heap);
  EXPECT_TRUE(contents(share) == before);
  share.destroy(heap);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

}  // namespace
}  // namespace ouro
