// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/lzf.h"

#include <gtest/gtest.h>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

std::string packed(ByteView text) {
  std::string out;
  return pack_lzf(text, text.size() + 100, out) ? out : "does not fit";
}

std::string unpacked(ByteView bytes, size_t size) {
  std::string out;
  return unpack_lzf(bytes, size, out) ? out : "broken";
}

TEST(Lzf, PacksAsRedisDoes) {
  EXPECT_EQ(packed(std::string(100, 'a')), ByteView("\1aa\xe0\x57\0\1aa", 9));
  EXPECT_EQ(unpacked(ByteView("\0a\xe0\x5a\0", 5), 100), std::string(100, 'a'));
  EXPECT_EQ(unpacked(ByteView("\3abcX\x20\3\0Y\x20\3", 11), 11), "abcXabcYabc");
  EXPECT_EQ(packed("a"), "does not fit");
  EXPECT_EQ(packed(""), "does not fit");
}

// Goal: what is packed comes back, whatever it is. Method: texts of a few letters, of words and of
// noise, of sizes around the bounds of the codes.
TEST(Lzf, WhatIsPackedComesBack) {
  Prng prng(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const uint64_t letters = 1 + prng.below(prng.below(2) == 0 ? 3 : 256);
    const uint64_t size = 2 + prng.below(prng.below(4) == 0 ? 40'000 : 600);
    while (text.size() < size) {
      const size_t at = text.empty() ? 0 : prng.below(text.size());
      if (prng.below(3) == 0) text.append(text, at, prng.below(400));
      text += static_cast<char>(prng.below(letters));
    }
    const std::string bytes = packed(text);
    ASSERT_EQ(unpacked(bytes, text.size()), text);
    ASSERT_LE(text.size(), bytes.size() * kLzfGrowthMax);
    // The same text, the same bytes.
    ASSERT_EQ(packed(text), bytes);
    std::string none = "kept";
    ASSERT_FALSE(pack_lzf(text, bytes.size() - 1, none));
    ASSERT_EQ(none, "kept");
  }
}

TEST(Lzf, NothingIsReadOrWrittenOutside) {
  EXPECT_EQ(unpacked(ByteView("\3ab", 3), 4), "broken");          // too few plain bytes
  EXPECT_EQ(unpacked(ByteView("\1ab", 3), 1), "broken");          // more than was announced
  EXPECT_EQ(unpacked(ByteView("\1ab", 3), 3), "broken");          // less
  EXPECT_EQ(unpacked(ByteView("\0a\x20\1", 4), 4), "broken");     // from before the beginning
  EXPECT_EQ(unpacked(ByteView("\0a\x20", 3), 4), "broken");       // no distance
  EXPECT_EQ(unpacked(ByteView("\0a\xe0", 3), 10), "broken");      // no length
  EXPECT_EQ(unpacked(ByteView("\0a\xe0\1", 4), 11), "broken");    // no distance behind it
  EXPECT_EQ(unpacked(ByteView("\0a\xe0\1\0", 5), 10), "broken");  // beyond the end
  EXPECT_EQ(unpacked("", 0), "broken");
  EXPECT_EQ(unpacked(ByteView("\0a", 2), 0), "broken");
  EXPECT_EQ(unpacked(ByteView("\0a", 2), SIZE_MAX), "broken");
}

}  // namespace
}  // namespace ouro
