// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace ouro {
namespace {

TEST(Glob, PlainBytesMatchThemselves) {
  EXPECT_TRUE(glob_matches("key:1", "key:1"));
  EXPECT_FALSE(glob_matches("key:1", "key:2"));
  EXPECT_FALSE(glob_matches("key", "key:1"));
  EXPECT_FALSE(glob_matches("key:1", "key"));
  EXPECT_TRUE(glob_matches(ByteView("a\0b", 3), ByteView("a\0b", 3)));
}

TEST(Glob, StarTakesAnyRun) {
  EXPECT_TRUE(glob_matches("*", "anything"));
  EXPECT_TRUE(glob_matches("user:*:name", "user:7:name"));
  EXPECT_TRUE(glob_matches("user:*:name", "user::name"));
  EXPECT_TRUE(glob_matches("*a*b*", "xxaxxbxx"));
  EXPECT_TRUE(glob_matches("*ab", "aab"));
  EXPECT_FALSE(glob_matches("*ab", "aba"));
  EXPECT_TRUE(glob_matches("a**", "a"));
}

TEST(Glob, OnlyTheEmptyPatternMatchesTheEmptyText) {
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("*", ""));
  EXPECT_FALSE(glob_matches("", "a"));
}

TEST(Glob, BracketsTakeOneByte) {
  EXPECT_TRUE(glob_matches("h[ae]llo", "hallo"));
  EXPECT_FALSE(glob_matches("h[ae]llo", "hillo"));
  EXPECT_TRUE(glob_matches("h[^e]llo", "hbllo"));
  EXPECT_FALSE(glob_matches("h[^e]llo", "hello"));
  EXPECT_TRUE(glob_matches("h[a-c]llo", "hbllo"));
  EXPECT_TRUE(glob_matches("h[c-a]llo", "hbllo"));
  EXPECT_FALSE(glob_matches("h[a-c]llo", "hdllo"));
  EXPECT_TRUE(glob_matches("[\\]]", "]"));
  EXPECT_TRUE(glob_matches("[abc", "c"));  // the bracket at the end may be missing
  EXPECT_FALSE(glob_matches("[]", "]"));
  EXPECT_TRUE(glob_matches("[\x80-\xff]", "\xc3"));  // bytes have no sign
}

TEST(Glob, BackslashTakesTheMeaningAway) {
  EXPECT_TRUE(glob_matches("a\\*", "a*"));
  EXPECT_FALSE(glob_matches("a\\*", "ab"));
  EXPECT_TRUE(glob_matches("a\\", "a\\"));
  EXPECT_FALSE(glob_matches("\\?", "a"));
}

TEST(Glob, MayIgnoreCase) {
  EXPECT_TRUE(glob_matches("MAX*", "maxmemory", {.ignore_case = true}));
  EXPECT_TRUE(glob_matches("[A-C]x", "bX", {.ignore_case = true}));
  EXPECT_FALSE(glob_matches("MAX*", "maxmemory"));
}

// Nested retries of the stars would take longer than the life of the universe.
TEST(Glob, ManyStarsStayCheap) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "a*";
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(20'000, 'a')));
}

// The verdicts were taken from redis-server 7.0.15 (KEYS, COMMAND LIST FILTERBY PATTERN).
TEST(Glob, RangesCompareSignedBytesAndSwapBeforeTheirCaseIsDropped) {
  EXPECT_TRUE(glob_matches("[b-\x80]", "B"));
  EXPECT_FALSE(glob_matches("[z\x80-\\]", "]"));
  EXPECT_FALSE(glob_matches("[*-\xff]", "\x80"));
  EXPECT_TRUE(glob_matches("[\x80-\xff]", "\x90"));
  EXPECT_FALSE(glob_matches("[Z-b]", "m", {.ignore_case = true}));
  EXPECT_TRUE(glob_matches("[A-P]", "m", {.ignore_case = true}));
}

}  // namespace
}  // namespace ouro
