// SPDX-License-Identifier: BSD-3-Clause
// The directory: from hash prefix to segment. The root doubles up to 2^14 words (about 5M entries);
// then each of its words may become a child that doubles on its own. So the largest copy makes 128
// KiB out of 64 (about 20 us), and there are 2^24 segments at most. A dense root matters: with 2^12
// words a random look-up among 5M entries took half as long again, for the directory did not stay
// in the cache.
#include <algorithm>
#include <new>

#include "datastructs/dict_core.h"

namespace ouro {

DictDirectory* DictCore::make_directory(unsigned depth) {
  const size_t bytes = sizeof(DictWord) + (sizeof(DictWord) << depth);
  auto* directory = new (allocate_lines((bytes + 63) / 64)) DictDirectory;
  directory->depth = depth;
  directory->single = 0;
  return directory;
}

// The word that points at the deepest directory on the way to `prefix`, or at the only segment.
// `base` is how many bits of the prefix are used up above it.
DictWord* DictCore::innermost(uint32_t prefix, unsigned& base) {
  base = 0;
  DictWord* link = &root_;
  if (!is_directory(*link)) return link;
  for (;;) {
    DictDirectory* directory = directory_of(*link);
    DictWord* word = &directory->words()[word_index(prefix, base, directory->depth)];
    if (!is_directory(*word)) return link;
    base += directory->depth;
    link = word;
  }
}

// Sets all words for the `depth` first bits of `prefix`. The directory must be deep enough.
void DictCore::point(uint32_t prefix, unsigned depth, DictWord target) {
  unsigned base = 0;
  DictWord* link = innermost(prefix, base);
  if (!is_directory(*link)) {
    CHECK(depth == 0);
    *link = target;
    return;
  }
  DictDirectory* directory = directory_of(*link);
  CHECK(depth >= base && depth <= base + directory->depth);
  DictWord* words = directory->words() + word_index(prefix, base, directory->depth);
  const size_t count = size_t{1} << (base + directory->depth - depth);
  for (size_t i = 0; i < count; ++i) words[i] = target;
}

// Makes room for the two halves of a segment.
void DictCore::deepen(const DictSegment& segment) {
  CHECK(segment.depth < kDictPrefixBits);
  unsigned base = 0;
  DictWord* link = innermost(segment.prefix, base);
  if (is_directory(*link)) {
    DictDirectory* directory = directory_of(*link);
    if (segment.depth < base + directory->depth) return;
    if (directory->depth < kDictDirectoryBits) {
      DictDirectory* doubled = make_directory(directory->depth + 1);
      const size_t count = size_t{1} << directory->depth;
      for (size_t i = 0; i < count; ++i)
        doubled->words()[2 * i] = doubled->words()[2 * i + 1] = directory->words()[i];
      release(directory);
      *link = word_of(doubled);
      return;
    }
    link = &directory->words()[word_index(segment.prefix, base, directory->depth)];
  }
  DictDirectory* child = make_directory(1);
  child->words()[0] = child->words()[1] = word_of(&segment);
  *link = word_of(child);
}

void DictCore::point_split(const DictSegment& low, const DictSegment& high) {
  point(low.prefix, low.depth, word_of(&low));
  point(high.prefix, high.depth, word_of(&high));
  unsigned base = 0;
  DictDirectory* directory = directory_of(*innermost(low.prefix, base));
  if (low.depth == base + directory->depth) directory->single += 2;
  if (low.depth > depth_max_) depth_max_ = low.depth;
}

void DictCore::point_merged(const DictSegment& merged) {
  unsigned base = 0;
  DictWord* link = innermost(merged.prefix, base);
  DictDirectory* directory = directory_of(*link);
  if (merged.depth + 1u == base + directory->depth) directory->single -= 2;
  point(merged.prefix, merged.depth, word_of(&merged));
  while (is_directory(*link) && directory_of(*link)->single == 0) halve(link, base);
  if (link == &root_ && depth_max_ > 0)
    depth_max_ = is_directory(root_) ? std::min(depth_max_, depth_bound()) : uint8_t{0};
}

// A directory in which every word has its twin is replaced by one of half the size; one of a single
// word by its segment.
void DictCore::halve(DictWord* link, unsigned base) {
  DictDirectory* directory = directory_of(*link);
  const unsigned depth = directory->depth - 1;
  if (depth == 0) {
    *link = directory->words()[0];
    release(directory);
    return;
  }
  DictDirectory* half = make_directory(depth);
  for (size_t i = 0; i < size_t{1} << depth; ++i) {
    const DictWord word = half->words()[i] = directory->words()[2 * i];
    if (is_directory(word) || segment_of(word)->depth == base + depth) ++half->single;
  }
  release(directory);
  *link = word_of(half);
}

// No segment is deeper than this as long as the root has no children.
uint8_t DictCore::depth_bound() const {
  const unsigned depth = directory_of(root_)->depth;
  return static_cast<uint8_t>(depth < kDictDirectoryBits ? depth : kDictPrefixBits);
}

void DictCore::release_directories(DictWord word) {
  if (!is_directory(word)) return;
  DictDirectory* directory = directory_of(word);
  for (size_t i = 0; i < size_t{1} << directory->depth; ++i)
    release_directories(directory->words()[i]);
  release(directory);
}

}  // namespace ouro
