// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/blob.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

TEST(Blob, IsKeptWhenNoneButItsReadersHaveIt) {
  Heap heap;
  Blob* const blob = Blob::create_from(heap, std::string(20'000, 'v'));
  const size_t bytes = blob->memory_bytes();
  blob->pin_to_read();
  blob->pin_to_read();
  blob->pin();
  Blob::unpin(heap, blob);
  EXPECT_EQ(heap.kept_bytes(), 0U) << "its key has it";
  Blob::unpin(heap, blob);
  EXPECT_EQ(heap.kept_bytes(), bytes);
  EXPECT_EQ(heap.used_bytes(), bytes);
  Blob::unpin_reader(heap, blob);
  EXPECT_EQ(heap.kept_bytes(), bytes) << "another still reads it";
  Blob::unpin_reader(heap, blob);
  EXPECT_EQ(heap.kept_bytes(), 0U);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST(Blob, IsLeftToItsShareAndLentToReplies) {
  Heap heap;
  Blob* const blob = Blob::create_from(heap, std::string(20'000, 'v'));
  const size_t bytes = blob->memory_bytes();
  const size_t own = heap.own_bytes();
  blob->share();
  blob->pin();  // by a reply
  Blob::leave(heap, blob);
  EXPECT_EQ(heap.left_bytes(), bytes);
  EXPECT_EQ(own - heap.own_bytes(), bytes);
  Blob::leave(heap, blob);
  EXPECT_EQ(heap.left_bytes(), bytes) << "a reply is no share";
  EXPECT_EQ(own - heap.own_bytes(), 2 * bytes);
  EXPECT_EQ(heap.used_bytes(), bytes);
  Blob::unpin(heap, blob);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST(Blob, IsNotKeptIfItsReadersGoFirst) {
  Heap heap;
  Blob* const blob = Blob::create_from(heap, std::string(20'000, 'v'));
  blob->pin_to_read();
  Blob::unpin_reader(heap, blob);
  EXPECT_FALSE(blob->is_shared());
  Blob::unpin(heap, blob);
  EXPECT_EQ(heap.kept_bytes(), 0U);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

}  // namespace
}  // namespace ouro
