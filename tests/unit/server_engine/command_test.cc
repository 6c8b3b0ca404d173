// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/command.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace ouro {
namespace {

using Keys = std::vector<std::pair<size_t, KeyUse>>;

Keys keys_of(const CommandSpec& spec, const std::vector<ByteView>& argv) {
  Keys keys;
  EXPECT_TRUE(
      for_each_key(spec, argv, [&](size_t at, KeyUse use) { keys.emplace_back(at, use); }).is_ok());
  return keys;
}

// Also checks the promise that an error comes before any call.
Err error_of(const CommandSpec& spec, const std::vector<ByteView>& argv) {
  size_t calls = 0;
  const Status status = for_each_key(spec, argv, [&](size_t, KeyUse) { ++calls; });
  EXPECT_EQ(calls, 0U);
  return status.err();
}

constexpr KeySpec keyword_key(ByteView keyword, int from, KeyUse use) {
  return {.begin = KeySpec::Begin::kKeyword, .use = use, .index = from, .keyword = keyword};
}

TEST(ForEachKey, IndexNamesOneKey) {
  const CommandSpec spec{.name = "OBJECT", .arity = exactly(3), .keys = {one_key(2, kReadOnly)}};
  EXPECT_EQ(keys_of(spec, {"object", "encoding", "k"}), (Keys{{2, kReadOnly}}));
}

TEST(ForEachKey, RangeRunsToTheEndOrBeforeIt) {
  const CommandSpec all{
      .name = "DEL", .arity = at_least(2), .keys = {key_range(1, -1, 1, kRemove)}};
  EXPECT_EQ(keys_of(all, {"del", "a", "b", "c"}), (Keys{{1, kRemove}, {2, kRemove}, {3, kRemove}}));
  const CommandSpec but_last{
      .name = "BLPOP", .arity = at_least(3), .keys = {key_range(1, -2, 1, kReadWrite)}};
  EXPECT_EQ(keys_of(but_last, {"blpop", "a", "b", "0"}), (Keys{{1, kReadWrite}, {2, kReadWrite}}));
  const CommandSpec two{
      .name = "LCS", .arity = at_least(3), .keys = {key_range(1, 1, 1, kReadOnly)}};
  EXPECT_EQ(keys_of(two, {"lcs", "a", "b", "LEN"}), (Keys{{1, kReadOnly}, {2, kReadOnly}}));
}

TEST(ForEachKey, RangeToTheEndMayBeEmpty) {
  const CommandSpec spec{
      .name = "SUNSUBSCRIBE", .arity = at_least(1), .keys = {key_range(1, -1, 1, kNotKey)}};
  EXPECT_EQ(keys_of(spec, {"sunsubscribe"}), Keys{});
  EXPECT_EQ(keys_of(spec, {"sunsubscribe", "a"}), (Keys{{1, kNotKey}}));
}

TEST(ForEachKey, StepSkipsValues) {
  const CommandSpec spec{
      .name = "MSET", .arity = at_least(3), .keys = {key_range(1, -1, 2, kOverwrite)}};
  EXPECT_EQ(keys_of(spec, {"mset", "a", "1", "b", "2"}), (Keys{{1, kOverwrite}, {3, kOverwrite}}));
  // The last value is missing: the command itself refuses that, its keys are known all the same.
  EXPECT_EQ(keys_of(spec, {"mset", "a", "1", "b"}), (Keys{{1, kOverwrite}, {3, kOverwrite}}));
}

TEST(ForEachKey, LimitTakesAShareOfWhatFollows) {
  KeySpec streams = keyword_key("STREAMS", 1, kReadOnly);
  streams.last = -1;
  streams.limit = 2;
  const CommandSpec spec{.name = "XREAD", .arity = at_least(4), .keys = {streams}};
  EXPECT_EQ(keys_of(spec, {"xread", "COUNT", "5", "streams", "a", "b", "0", "0"}),
            (Keys{{4, kReadOnly}, {5, kReadOnly}}));
  EXPECT_EQ(keys_of(spec, {"xread", "STREAMS", "a", "$"}), (Keys{{2, kReadOnly}}));
}

TEST(ForEachKey, AbsentKeywordNamesNoKey) {
  const CommandSpec spec{.name = "GEORADIUS",
                         .arity = at_least(6),
                         .keys = {one_key(1, kReadOnly), keyword_key("STORE", 6, kOverwrite),
                                  keyword_key("STOREDIST", 6, kOverwrite)}};
  EXPECT_EQ(keys_of(spec, {"georadius", "k", "1", "2", "3", "m"}), (Keys{{1, kReadOnly}}));
  EXPECT_EQ(keys_of(spec, {"georadius", "k", "1", "2", "3", "m", "store", "d"}),
            (Keys{{1, kReadOnly}, {7, kOverwrite}}));
  // Nothing follows the keyword.
  EXPECT_EQ(keys_of(spec, {"georadius", "k", "1", "2", "3", "m", "STORE"}), (Keys{{1, kReadOnly}}));
  // A word before the start is no keyword.
  EXPECT_EQ(keys_of(spec, {"georadius", "STORE", "1", "2", "3", "m"}), (Keys{{1, kReadOnly}}));
}

TEST(ForEachKey, KeywordIsSearchedBackFromANegativeStart) {
  KeySpec last_words = keyword_key("KEYS", -2, kReadWrite);
  last_words.last = -1;
  const CommandSpec spec{.name = "MIGRATE", .arity = at_least(6), .keys = {last_words}};
  EXPECT_EQ(keys_of(spec, {"migrate", "h", "1", "", "0", "9", "KEYS", "a", "b"}),
            (Keys{{7, kReadWrite}, {8, kReadWrite}}));
  EXPECT_EQ(keys_of(spec, {"migrate", "h", "1", "k", "0", "9"}), Keys{});
}

TEST(ForEachKey, CountedKeysFollowTheirCount) {
  const CommandSpec spec{.name = "ZUNIONSTORE",
                         .arity = at_least(4),
                         .keys = {one_key(1, kOverwrite), counted_keys(2, kReadOnly)}};
  EXPECT_EQ(keys_of(spec, {"zunionstore", "d", "2", "a", "b", "WEIGHTS", "1", "2"}),
            (Keys{{1, kOverwrite}, {3, kReadOnly}, {4, kReadOnly}}));
}

TEST(ForEachKey, RefusesABadCountBeforeTheFirstCall) {
  const CommandSpec spec{.name = "ZUNIONSTORE",
                         .arity = at_least(4),
                         .keys = {one_key(1, kOverwrite), counted_keys(2, kReadOnly)}};
  for (const ByteView count :
       {"0", "-1", "x", "", "3", "9223372036854775808", "9223372036854775807"}) {
    EXPECT_EQ(error_of(spec, {"zunionstore", "d", count, "a", "b"}), Err::kInvalid) << count;
  }
  EXPECT_EQ(error_of(spec, {"zunionstore", "d", "1"}), Err::kInvalid);
}

TEST(ForEachKey, ACountThatIsRefusedCountsAllTheSame) {
  const CommandSpec spec{.name = "ZUNIONSTORE",
                         .arity = at_least(4),
                         .keys = {one_key(1, kOverwrite), counted_keys(2, kReadOnly)}};
  for (const ByteView count : {"01", "1 ", "+1", "1x"}) {
    EXPECT_EQ(keys_of(spec, {"zunionstore", "d", count, "a", "b"}), (Keys{{3, 0}, {1, 0}}))
        << count;
  }
}

TEST(ForEachKey, AllowsNoKeysWhereNoneAreMandatory) {
  const CommandSpec spec{.name = "EVAL",
                         .arity = at_least(3),
                         .flags = Flag::kNoMandatoryKeys,
                         .keys = {counted_keys(2, kReadWrite)}};
  EXPECT_EQ(keys_of(spec, {"eval", "return 1", "0"}), Keys{});
  EXPECT_EQ(keys_of(spec, {"eval", "return 1", "1", "k"}), (Keys{{3, kReadWrite}}));
  EXPECT_EQ(error_of(spec, {"eval", "return 1", "-1"}), Err::kInvalid);
}

TEST(ForEachKey, MovableKeysReplaceTheSpecs) {
  const CommandSpec spec{.name = "SORT",
                         .arity = at_least(2),
                         .keys = {one_key(1, kReadOnly)},
                         .movable_keys = [](Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
                           fn(argv.size() - 1, kOverwrite);
                           return Status::ok();
                         }};
  EXPECT_EQ(keys_of(spec, {"sort", "k", "STORE", "d"}), (Keys{{3, kOverwrite}}));
}

TEST(ForEachKey, UnknownPlacesNameNoKey) {
  const CommandSpec spec{
      .name = "SORT_RO",
      .arity = at_least(2),
      .keys = {one_key(1, kReadOnly),
               {.begin = KeySpec::Begin::kUnknown, .find = KeySpec::Find::kUnknown}}};
  EXPECT_EQ(keys_of(spec, {"sort_ro", "k", "BY", "w_*"}), (Keys{{1, kReadOnly}}));
}

TEST(FirstKeyIndex, KnowsFixedPlacesOnly) {
  EXPECT_EQ(first_key_index({.name = "GET", .arity = exactly(2), .keys = {one_key(1, kReadOnly)}}),
            1U);
  EXPECT_EQ(first_key_index(
                {.name = "ZUNION", .arity = at_least(3), .keys = {counted_keys(1, kReadOnly)}}),
            0U);
  EXPECT_EQ(first_key_index({.name = "PING", .arity = at_least(1)}), 0U);
}

TEST(AclCategories, FollowFromFlags) {
  const auto bits = [](Flags flags, AclCategories acl) {
    return acl_categories({.name = "X", .flags = flags, .acl = acl}).bits;
  };
  EXPECT_EQ(bits(Flag::kWrite | Flag::kFast, Acl::kString),
            (Acl::kString | Acl::kWrite | Acl::kFast).bits);
  EXPECT_EQ(bits(Flag::kReadonly, Acl::kHash), (Acl::kHash | Acl::kRead | Acl::kSlow).bits);
  EXPECT_EQ(bits(Flag::kAdmin, Acl::kNone), (Acl::kAdmin | Acl::kDangerous | Acl::kSlow).bits);
  EXPECT_EQ(bits(Flag::kPubsub | Flag::kBlocking, Acl::kNone),
            (Acl::kPubsub | Acl::kBlocking | Acl::kSlow).bits);
  // A read-only script command is no member of @read.
  EXPECT_EQ(bits(Flag::kReadonly, Acl::kScripting), (Acl::kScripting | Acl::kSlow).bits);
}

}  // namespace
}  // namespace ouro
