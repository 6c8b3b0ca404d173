// SPDX-License-Identifier: BSD-3-Clause
// Every byte is what the C library says of it in its own locale, and bytes above 127 are nothing.
#include "datastructs/base/ascii.h"

#include <gtest/gtest.h>

#include <cctype>

namespace ouro {
namespace {

TEST(Ascii, EachByteIsWhatTheCLocaleSays) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(is_digit(c), std::isdigit(byte) != 0) << byte;
    EXPECT_EQ(is_letter(c), std::isalpha(byte) != 0) << byte;
    EXPECT_EQ(is_blank(c), std::isspace(byte) != 0) << byte;
    EXPECT_EQ(to_lower(c), static_cast<char>(std::tolower(byte))) << byte;
    EXPECT_EQ(hex_value(c) >= 0, std::isxdigit(byte) != 0) << byte;
  }
  EXPECT_EQ(hex_value('7'), 7);
  EXPECT_EQ(hex_value('a'), 10);
  EXPECT_EQ(hex_value('F'), 15);
}

TEST(Ascii, WordsAreEqualWhateverTheirCase) {
  EXPECT_EQ(to_lower(ByteView("GetRange-1\xC4")), "getrange-1\xC4");
  EXPECT_TRUE(equals_ignoring_case("SETEX", "setEx"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("SETEX", "SETE"));
  EXPECT_FALSE(equals_ignoring_case("SETEX", "SETNX"));
  // Thirty-two apart, but no letters.
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
  EXPECT_FALSE(equals_ignoring_case("\xC4", "\xE4"));
}

}  // namespace
}  // namespace ouro
