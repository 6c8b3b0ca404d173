// SPDX-License-Identifier: BSD-3-Clause
// Vectors from the reference code that MurmurHash2's author published. Whoever changes these can no
// longer read the filters of another server.
#include "datastructs/base/murmur.h"

#include <gtest/gtest.h>

#include <string>

#include "datastructs/base/prng.h"

namespace ouro {
namespace {

TEST(Murmur, HashesAsTheReferenceDoes) {
  struct Vector {
    size_t bytes;
    uint32_t hash32;
    uint64_t hash64;
  };
  const Vector vectors[] = {
      {0, 0x4a8566e0, 0x1ab11ea5a7b2c56e},  {1, 0xf23cf517, 0x4292cee227b9150a},
      {2, 0xa2fb8a6b, 0x2db1bf3a2e66542c},  {3, 0xd88274d7, 0xca52f3863690cd7b},
      {4, 0x81b55b43, 0xc19f5358d983a6bf},  {7, 0xd6cef0a6, 0x9fa0b24601c1e9a9},
      {8, 0x53479e6d, 0xd435df7a565a8af1},  {13, 0xbb1576fb, 0x2407060734c8952c},
      {26, 0xbab2b621, 0x8806e5e85f71b0f9},
  };
  const ByteView text = "abcdefghijklmnopqrstuvwxyz";
  for (const Vector& vector : vectors) {
    EXPECT_EQ(murmur32(text.substr(0, vector.bytes), 1919), vector.hash32) << vector.bytes;
    EXPECT_EQ(murmur64(text.substr(0, vector.bytes), 0xc6a4a7935bd1e995), vector.hash64)
        << vector.bytes;
  }
}

#ifdef __GLIBCXX__
// libstdc++ hashes strings by the same function.
TEST(Murmur, HashesAsTheStandardLibraryDoes) {
  Prng prng(7);
  for (int i = 0; i < 1000; ++i) {
    std::string bytes(prng.below(100), '\0');
    for (char& c : bytes) c = static_cast<char>(prng.next());
    const uint64_t seed = prng.next();
    EXPECT_EQ(murmur64(bytes, seed), std::_Hash_bytes(bytes.data(), bytes.size(), seed));
  }
}
#endif

}  // namespace
}  // namespace ouro
