// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/admin/command_info.h"

#include <gtest/gtest.h>

#include "reply_line.h"

namespace ouro {
namespace {

constexpr KeySpec kUnknown{.begin = KeySpec::Begin::kUnknown,
                           .find = KeySpec::Find::kUnknown,
                           .use = kOverwrite | kUpdate};

LegacyRange range_of(const std::array<KeySpec, kKeySpecsMax>& keys) {
  return legacy_range({.name = "X", .arity = at_least(9), .keys = keys});
}

TEST(LegacyRange, TellsALoneRange) {
  EXPECT_EQ(range_of({}), (LegacyRange{0, 0, 0}));
  EXPECT_EQ(range_of({one_key(2, kReadOnly)}), (LegacyRange{2, 2, 1}));
  EXPECT_EQ(range_of({key_range(1, -1, 2, kReadOnly)}), (LegacyRange{1, -1, 2}));
  EXPECT_EQ(range_of({key_range(1, 1, 1, kReadOnly)}), (LegacyRange{1, 2, 1}));
}

TEST(LegacyRange, JoinsWhatFollows) {
  // RENAME, SDIFFSTORE: one key, then more right behind it.
  EXPECT_EQ(range_of({one_key(1, kReadOnly), one_key(2, kOverwrite)}), (LegacyRange{1, 2, 1}));
  EXPECT_EQ(range_of({one_key(1, kOverwrite), key_range(2, -1, 1, kReadOnly)}),
            (LegacyRange{1, -1, 1}));
  // There is a gap.
  EXPECT_EQ(range_of({one_key(1, kReadOnly), one_key(3, kOverwrite)}), (LegacyRange{1, 1, 1}));
}

TEST(LegacyRange, LeavesOutWhatNumbersCannotTell) {
  EXPECT_EQ(range_of({counted_keys(1, kReadOnly)}), (LegacyRange{0, 0, 0}));
  EXPECT_EQ(range_of({one_key(1, kOverwrite), counted_keys(2, kReadOnly)}), (LegacyRange{1, 1, 1}));
  EXPECT_EQ(range_of({one_key(1, kReadOnly), kUnknown, kUnknown}), (LegacyRange{1, 1, 1}));
}

constexpr CommandSpec kInner[] = {
    {.name = "LEN", .arity = exactly(2), .flags = Flag::kFast, .acl = Acl::kConnection}};
constexpr CommandSpec kRows[] = {
    {.name = "BOX", .arity = at_least(2), .subcommands = kInner},
    {.name = "ZSTORE",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kMovableKeys | Flag::kMayReplicate | Flag::kInsideMulti,
     .keys = {one_key(1, kOverwrite | kUpdate),
              counted_keys(2, kReadOnly | kAccess),
              {.begin = KeySpec::Begin::kKeyword,
               .use = kReadOnly,
               .index = -2,
               .keyword = "BY",
               .last = -1,
               .limit = 2}},
     .acl = Acl::kSortedSet,
     .doc = {.tips = "one two:three"}},
};

TEST(WriteCommandInfo, HasRedisShape) {
  const Registry::Table table = kRows;
  const Registry registry({&table, 1});
  ReplyLine reply;
  write_command_info(registry, kRows[0], reply);
  EXPECT_EQ(reply.take(), R"(["box" -2 <> 0 0 0 <@slow> <> <> )"
                          R"([["box|len" 2 <fast> 0 0 0 <@fast @connection> <> <> <>]]])");
  write_command_info(registry, kRows[1], reply);
  EXPECT_EQ(
      reply.take(),
      R"(["zstore" -4 <write movablekeys> 1 1 1 <@write @sortedset @slow> <"one" "two:three"> <)"
      R"({"flags" <OW update> "begin_search" {"type" "index" "spec" {"index" 1}} )"
      R"("find_keys" {"type" "range" "spec" {"lastkey" 0 "keystep" 1 "limit" 0}}} )"
      R"({"flags" <RO access> "begin_search" {"type" "index" "spec" {"index" 2}} )"
      R"("find_keys" {"type" "keynum" "spec" {"keynumidx" 0 "firstkey" 1 "keystep" 1}}} )"
      R"({"flags" <RO> "begin_search" {"type" "keyword" "spec" {"keyword" "BY" "startfrom" -2}} )"
      R"("find_keys" {"type" "range" "spec" {"lastkey" -1 "keystep" 1 "limit" 2}}}> <>])");
}

TEST(WriteKeyUse, NamesEveryBit) {
  ReplyLine reply;
  write_key_use((1U << 11) - 1, reply);
  EXPECT_EQ(reply.take(),
            "<RO RW OW RM access update insert delete not_key incomplete variable_flags>");
}

}  // namespace
}  // namespace ouro
