// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/password_hash.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

// FIPS 180-4's example, and that of nothing.
TEST(PasswordHash, IsTheSha256OfThePassword) {
  EXPECT_EQ(PasswordHash::of("abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(PasswordHash::of("").hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_FALSE(PasswordHash::of(ByteView("a\0b", 3)) == PasswordHash::of("a"));
}

TEST(PasswordHash, IsReadFromLowerCaseHexOnly) {
  const PasswordHash hash = PasswordHash::of("x");
  ASSERT_TRUE(PasswordHash::from_hex(hash.hex()).has_value());
  EXPECT_TRUE(*PasswordHash::from_hex(hash.hex()) == hash);
  std::string digits(64, 'a');
  EXPECT_TRUE(PasswordHash::from_hex(digits).has_value());
  EXPECT_FALSE(PasswordHash::from_hex(digits + "a").has_value());
  EXPECT_FALSE(PasswordHash::from_hex(digits.substr(1)).has_value());
  digits[7] = 'A';
  EXPECT_FALSE(PasswordHash::from_hex(digits).has_value());
  digits[7] = 'g';
  EXPECT_FALSE(PasswordHash::from_hex(digits).has_value());
}

}  // namespace
}  // namespace ouro
