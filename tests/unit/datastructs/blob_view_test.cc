// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <string>

#include "datastructs/base/blob.h"
#include "datastructs/keyspace/databases.h"

namespace ouro {
namespace {

std::string numbered(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i % 251);
  return text;
}

std::string read_all(BlobView& view) {
  std::string text;
  while (!view.is_complete()) text.append(view.next());
  return text;
}

void write(Heap& heap, Blob& blob, size_t at, ByteView bytes) {
  blob.before_change(heap, at, bytes.size());
  bytes.copy(blob.bytes() + at, bytes.size());
}

TEST(BlobView, SeesItsMomentThroughWritesGrowthAndCuts) {
  Heap heap;
  const std::string text = numbered(10 * BlobView::kChunkBytes + 17);
  Blob* blob = Blob::create_from(heap, text);
  {
    BlobView early, late;
    early.begin(heap, *blob);
    EXPECT_EQ(early.next(), text.substr(0, BlobView::kChunkBytes));
    write(heap, *blob, BlobView::kChunkBytes - 5, "over an edge");
    const std::string later(blob->view());
    late.begin(heap, *blob);
    write(heap, *blob, text.size() - 3, "end");
    blob = Blob::grow(heap, blob, 4 * text.size());
    blob->set_size(2 * text.size());
    write(heap, *blob, text.size() - 2, "behind the end, too");
    blob->before_change(heap, 100, ~size_t{0});
    blob->set_size(100);
    blob->bytes()[0] = 'x';  // one has passed it, the other has a copy of the chunk
    EXPECT_TRUE(read_all(early) == text.substr(BlobView::kChunkBytes));
    EXPECT_TRUE(read_all(late) == later);
    EXPECT_TRUE(blob->has_views());
  }
  EXPECT_FALSE(blob->has_views());
  Blob::unpin(heap, blob);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

TEST(BlobView, CopiesTheChunksThatChangeAndAreNotRead) {
  Heap heap;
  Blob* blob = Blob::create_from(heap, numbered(100 * BlobView::kChunkBytes));
  BlobView view;
  view.begin(heap, *blob);
  write(heap, *blob, 50 * BlobView::kChunkBytes, "x");
  write(heap, *blob, 50 * BlobView::kChunkBytes + 9, "y");
  EXPECT_GE(heap.left_bytes(), BlobView::kChunkBytes);
  EXPECT_LT(heap.left_bytes(), 2 * BlobView::kChunkBytes);
  const size_t left = heap.left_bytes();
  view.next();
  write(heap, *blob, 10, "is read");
  EXPECT_EQ(heap.left_bytes(), left);
  view.end();
  Blob::unpin(heap, blob);
  EXPECT_EQ(heap.used_bytes(), 0U);
}

// What the commands do to a string of 64 MiB: neither may copy it as a whole.
TEST(BlobView, StringsAreEditedInPlaceUnderIt) {
  Heap heap;
  Databases databases(heap, HashSeed{1}, 1);
  Keyspace& db = databases[0];
  const Key key = db.key("key");
  Blob* const blob = Blob::create(heap, 65_MiB);
  blob->set_size(64_MiB);
  std::fill_n(blob->bytes(), blob->size(), 'b');
  Entry* entry = db.put_blob(key, nullptr, blob, kNoExpiry);
  BlobView view;
  view.begin(heap, *entry->blob());
  const size_t used = heap.used_bytes();
  auto text = db.edit_string(key, entry, 64_MiB, {.at = 32_MiB, .bytes = 1});
  text.bytes[32_MiB] = 'x';
  text = db.edit_string(key, text.entry, 64_MiB + 5, {.at = 64_MiB, .bytes = 5});
  text.bytes[64_MiB] = 'y';
  EXPECT_LT(heap.used_bytes() - used, 2 * BlobView::kChunkBytes);
  db.erase(key, Freeing::kNow);
  EXPECT_FALSE(databases.lazy_free().empty());
  EXPECT_TRUE(read_all(view) == std::string(64_MiB, 'b'));
  view.end();
  EXPECT_TRUE(databases.lazy_free().run(100'000));
  EXPECT_TRUE(databases.lazy_free().empty());
}

}  // namespace
}  // namespace ouro
