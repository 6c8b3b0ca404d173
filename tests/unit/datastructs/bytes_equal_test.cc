// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/bytes_equal.h"

#include <gtest/gtest.h>

#include <string>

namespace ouro {
namespace {

// Every size around the borders of its branches, and a difference at every place.
TEST(BytesEqual, SeesADifferenceAtEveryPlace) {
  for (size_t size = 0; size <= 70; ++size) {
    std::string one(size, 'x');
    for (size_t i = 0; i < size; ++i) one[i] = static_cast<char>(i * 7);
    std::string other = one;
    EXPECT_TRUE(bytes_equal(one, other)) << size;
    EXPECT_FALSE(bytes_equal(one, other + "y")) << size;
    for (char& c : other) {
      c = static_cast<char>(c ^ 1);
      EXPECT_FALSE(bytes_equal(one, other)) << size;
      c = static_cast<char>(c ^ 1);
    }
  }
}

}  // namespace
}  // namespace ouro
