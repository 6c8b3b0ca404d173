// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/docs.h"

#include <gtest/gtest.h>

#include "reply_line.h"
#include "server/engine/registry.h"

namespace ouro {
namespace {

using Type = DocArgument::Type;

std::vector<DocArgument> parse(ByteView text) {
  Result<std::vector<DocArgument>> parsed = parse_doc_arguments(text);
  EXPECT_TRUE(parsed.is_ok()) << text;
  return parsed.is_ok() ? std::move(parsed).value() : std::vector<DocArgument>{};
}

TEST(DocArguments, PlainOnesHaveNameTypeAndKey) {
  const auto arguments = parse("key:key#0 ip:port:string value:unix-time@6.2.0~7.0.0");
  ASSERT_EQ(arguments.size(), 3U);
  EXPECT_EQ(arguments[0].name, "key");
  EXPECT_EQ(arguments[0].type, Type::kKey);
  EXPECT_EQ(arguments[0].key_spec_index, 0);
  EXPECT_FALSE(arguments[0].optional);
  EXPECT_FALSE(arguments[0].has_token);
  EXPECT_EQ(arguments[1].name, "ip:port");
  EXPECT_EQ(arguments[1].type, Type::kString);
  EXPECT_EQ(arguments[1].key_spec_index, -1);
  EXPECT_EQ(arguments[2].type, Type::kUnixTime);
  EXPECT_EQ(arguments[2].since, "6.2.0");
  EXPECT_EQ(arguments[2].deprecated_since, "7.0.0");
}

TEST(DocArguments, RepetitionIsMarkedByDots) {
  const auto arguments = parse("key:key#1... [GET=pattern:pattern#1&...] [weight:double@2.0.0...]");
  ASSERT_EQ(arguments.size(), 3U);
  EXPECT_TRUE(arguments[0].multiple);
  EXPECT_FALSE(arguments[0].multiple_token);
  EXPECT_EQ(arguments[0].key_spec_index, 1);
  EXPECT_TRUE(arguments[1].optional);
  EXPECT_TRUE(arguments[1].multiple);
  EXPECT_TRUE(arguments[1].multiple_token);
  EXPECT_EQ(arguments[1].token, "GET");
  EXPECT_EQ(arguments[2].since, "2.0.0");
  EXPECT_TRUE(arguments[2].multiple);
  const auto bare = parse("field:string...");
  ASSERT_EQ(bare.size(), 1U);
  EXPECT_EQ(bare[0].name, "field");
  EXPECT_TRUE(bare[0].multiple);
}

TEST(DocArguments, TokensMayBeSignsOrEmpty) {
  const auto arguments =
      parse(R"(operator:<equal!= | approximately!~ | old!OLD~2.0.0 | star!*> none!"")");
  ASSERT_EQ(arguments.size(), 2U);
  const auto& operators = arguments[0].arguments;
  ASSERT_EQ(operators.size(), 4U);
  EXPECT_EQ(operators[0].type, Type::kPureToken);
  EXPECT_EQ(operators[0].token, "=");
  EXPECT_EQ(operators[1].token, "~");
  EXPECT_EQ(operators[2].token, "OLD");
  EXPECT_EQ(operators[2].deprecated_since, "2.0.0");
  EXPECT_EQ(operators[3].token, "*");
  EXPECT_TRUE(arguments[1].has_token);
  EXPECT_EQ(arguments[1].token, "");
}

TEST(DocArguments, NestInBlocksAndChoices) {
  const auto arguments = parse(
      "[LIMIT=offset_count:{offset:integer count:integer}@7.0.0] [by:<a!A | B=b:{c:<d!D | "
      "e:key#2>}>...]");
  ASSERT_EQ(arguments.size(), 2U);
  EXPECT_EQ(arguments[0].type, Type::kBlock);
  EXPECT_EQ(arguments[0].token, "LIMIT");
  EXPECT_EQ(arguments[0].since, "7.0.0");
  ASSERT_EQ(arguments[0].arguments.size(), 2U);
  EXPECT_EQ(arguments[0].arguments[1].name, "count");
  EXPECT_EQ(arguments[1].type, Type::kOneOf);
  EXPECT_TRUE(arguments[1].multiple);
  ASSERT_EQ(arguments[1].arguments.size(), 2U);
  const DocArgument& inner = arguments[1].arguments[1];
  EXPECT_EQ(inner.token, "B");
  ASSERT_EQ(inner.arguments.size(), 1U);
  EXPECT_EQ(inner.arguments[0].arguments[1].key_spec_index, 2);
}

TEST(DocArguments, NoTextIsNoArguments) { EXPECT_TRUE(parse("").empty()); }

TEST(DocArguments, RefusesWhatTheGrammarDoesNotSay) {
  for (const ByteView text : {" ",
                              "key",
                              "key:",
                              ":key",
                              "key:keys",
                              "key:oneof",
                              "key:pure-token",
                              "key:key#",
                              "key:key#x",
                              "key:key#-1",
                              "key:key@",
                              "key:key~",
                              "key:key&",
                              "key:key  b:key",
                              "key:key ",
                              "[key:key",
                              "key:key]",
                              "a:<b!B",
                              "a:<b!B|c!C>",
                              "a:{b:key",
                              "a:{}",
                              "a:<>",
                              "b!",
                              "!B",
                              "=a:key",
                              "a:key#0#1",
                              "a:key....",
                              "[[a:key]]",
                              "a:{b:key>"}) {
    EXPECT_EQ(parse_doc_arguments(text).err(), Err::kSyntax) << text;
  }
}

constexpr CommandSpec kInner[] = {
    {.name = "GET",
     .arity = exactly(2),
     .doc = {.summary = "Inner.", .since = "2.0.0", .group = "server"}},
};
constexpr CommandSpec kDocumented[] = {
    {.name = "BOX",
     .arity = at_least(2),
     .flags = Flag::kSystem,
     .subcommands = kInner,
     .doc = {.summary = "Outer.", .complexity = "cheap", .since = "1.0.0", .group = "server"}},
    {.name = "OLD",
     .arity = at_least(2),
     .doc = {.summary = "Was good.",
             .since = "1.0.0",
             .group = "string",
             .history = "1.10.0 Is slow. | 2.0.0 Is fast. | 1.2.0 Is.",
             .args = "key:key#0 [GET=pattern:pattern@2.0.0~3.0.0&...] [by:<a!A | b:{c:integer}>]",
             .deprecated_since = "4.0.0",
             .replaced_by = "`NEW`"}},
};

TEST(WriteCommandDocs, FollowsTheOrderOfRedis) {
  const Registry::Table table = kDocumented;
  const Registry registry({&table, 1});
  ReplyLine reply;
  write_command_docs(registry, kDocumented[0], reply);
  EXPECT_EQ(reply.take(),
            R"("box" {"summary" "Outer." "since" "1.0.0" "group" "server" "complexity" "cheap" )"
            R"("doc_flags" <syscmd> "subcommands" )"
            R"({"box|get" {"summary" "Inner." "since" "2.0.0" "group" "server"}}})");
  write_command_docs(registry, kDocumented[1], reply);
  EXPECT_EQ(reply.take(),
            R"("old" {"summary" "Was good." "since" "1.0.0" "group" "string" )"
            R"("doc_flags" <deprecated> "deprecated_since" "4.0.0" "replaced_by" "`NEW`" )"
            R"("history" <["1.2.0" "Is."] ["1.10.0" "Is slow."] ["2.0.0" "Takes `GET`."] )"
            R"(["2.0.0" "Is fast."]> "arguments" [{"name" "key" "type" "key" "key_spec_index" 0} )"
            R"({"name" "pattern" "type" "pattern" "token" "GET" "since" "2.0.0" )"
            R"("deprecated_since" "3.0.0" "flags" <optional multiple multiple_token>} )"
            R"({"name" "by" "type" "oneof" "flags" <optional> "arguments" )"
            R"([{"name" "a" "type" "pure-token" "token" "A"} )"
            R"({"name" "b" "type" "block" "arguments" [{"name" "c" "type" "integer"}]}]}]})");
}

}  // namespace
}  // namespace ouro
