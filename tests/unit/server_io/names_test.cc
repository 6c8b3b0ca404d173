// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/names.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace ouro {
namespace {

// Asks until it is known.
Names::Answer found(Names& names, const std::string& host) {
  Names::Answer answer = names.find(host, 6379);
  for (int i = 0; i < 20'000 && answer.is_asked; ++i) {
    ::poll(nullptr, 0, 1);
    answer = names.find(host, 6379);
  }
  return answer;
}

TEST(Names, ANumericAddressIsKnownAtOnce) {
  Names names;
  EXPECT_EQ(names.find("127.0.0.1", 6379).address, Address::from_ip("127.0.0.1", 6379));
  EXPECT_EQ(names.find("::1", 1).address, Address::from_ip("::1", 1));
}

TEST(Names, ANameIsFoundAfterAWhileAndKept) {
  Names names;
  EXPECT_TRUE(names.find("localhost", 6379).is_asked) << "nobody waits for it";
  const Names::Answer answer = found(names, "localhost");
  ASSERT_TRUE(answer.address);
  EXPECT_TRUE(answer.address->is_loopback());
  EXPECT_EQ(answer.address->port(), 6379);
  EXPECT_EQ(names.find("localhost", 7).address->port(), 7);
  // It is asked for again, and counts until then.
  for (int i = 0; i < 50; ++i) {
    names.doubt("localhost");
    EXPECT_TRUE(names.find("localhost", 6379).address);
  }
}

TEST(Names, ANameThatNobodyKnowsIsAskedForAgain) {
  Names names;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(names.find("nobody.invalid", 6379).is_asked);
    const Names::Answer answer = found(names, "nobody.invalid");
    EXPECT_FALSE(answer.address);
    EXPECT_FALSE(answer.is_asked);
  }
  names.doubt("nobody.invalid");
}

// Whatever is still being asked for when it ends.
TEST(Names, KeepsABoundedNumberOfThem) {
  Names names;
  for (int i = 0; i < 300; ++i) {
    const std::string host =
        "localhost" + std::string(static_cast<size_t>(i % 3), '.') + std::to_string(i);
    EXPECT_TRUE(names.find(host, 1).is_asked);
  }
}

}  // namespace
}  // namespace ouro
