// SPDX-License-Identifier: BSD-3-Clause
// COMMAND through the executor, over a few rows of its own.
#include <gtest/gtest.h>

#include "engine_fixture.h"

namespace ouro {
namespace {

Status answer_ok(Context& ctx) {
  ctx.reply.ok();
  return Status::ok();
}

// The last word is the key, as a stand-in for what no key specification can say.
Status last_word(Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
  fn(argv.size() - 1, kReadWrite);
  return Status::ok();
}

constexpr Doc kDoc{.summary = "For this test.", .since = "1.0.0", .group = "string"};
constexpr CommandSpec kBoxRows[] = {
    {.name = "LEN",
     .arity = exactly(3),
     .keys = {one_key(2, kReadOnly)},
     .handler = answer_ok,
     .doc = kDoc},
    {.name = "WAY", .arity = exactly(2), .handler = answer_ok, .doc = kDoc},
};
constexpr CommandSpec kRows[] = {
    {.name = "BOX", .arity = at_least(2), .subcommands = kBoxRows, .doc = kDoc},
    {.name = "CHAN",
     .arity = at_least(2),
     .keys = {key_range(1, -1, 1, kNotKey)},
     .handler = answer_ok,
     .doc = kDoc},
    {.name = "LAST",
     .arity = at_least(2),
     .handler = answer_ok,
     .movable_keys = last_word,
     .doc = kDoc},
    {.name = "RUN",
     .arity = at_least(3),
     .flags = Flag::kNoMandatoryKeys,
     .keys = {counted_keys(2, kReadWrite)},
     .acl = Acl::kScripting,
     .handler = answer_ok,
     .doc = kDoc},
    {.name = "TAKE",
     .arity = at_least(3),
     .flags = Flag::kWrite,
     .keys = {one_key(1, kOverwrite | kUpdate), counted_keys(2, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = answer_ok,
     .doc = kDoc},
};
static_assert(table_is_valid(kBoxRows));
static_assert(table_is_valid(kRows));

struct Commands : EngineFixture {
  Commands() : EngineFixture({kCommandCommands, kRows}) {}
};

TEST(Command, CountsAndDescribesAll) {
  Commands engine;
  EXPECT_EQ(engine.run("COMMAND COUNT"), "6");
  EXPECT_EQ(engine.run("COMMAND"), engine.run("COMMAND INFO"));
  EXPECT_EQ(engine.run("COMMAND").find("[[\"box\" -2 "), 0U);
  EXPECT_EQ(engine.run("COMMAND NOPE"), "(ERR unknown subcommand 'NOPE'. Try COMMAND HELP.)");
  EXPECT_EQ(engine.run("COMMAND COUNT x"),
            "(ERR wrong number of arguments for 'command|count' command)");
}

TEST(Command, InfoHasAnEntryForEachName) {
  Commands engine;
  engine.resp3 = true;
  EXPECT_EQ(engine.run("COMMAND INFO nope BOX|Way box|nope way"),
            R"([_ ["box|way" 2 <> 0 0 0 <@slow> <> <> <>] _ _])");
}

TEST(Command, DocsSkipUnknownNames) {
  Commands engine;
  engine.resp3 = true;
  EXPECT_EQ(engine.run("COMMAND DOCS nope box|way CHAN"),
            // reads with commas
            R"({"box|way" {"summary" "For this test." "since" "1.0.0" "group" "string"} )"
            R"("chan" {"summary" "For this test." "since" "1.0.0" "group" "string"}})");
  EXPECT_EQ(engine.run("COMMAND DOCS nope"), "{}");
  EXPECT_NE(engine.run("COMMAND DOCS").find("\"command|docs\" {"), std::string::npos);
}

TEST(Command, ListFilters) {
  Commands engine;
  EXPECT_NE(engine.run("COMMAND LIST").find(R"("box" "box|len" "box|way" "chan" "command")"),
            std::string::npos);
  EXPECT_EQ(engine.run("COMMAND LIST FILTERBY ACLCAT SET"), R"(["take"])");
  EXPECT_EQ(engine.run("COMMAND LIST filterby aclcat scripting"), R"(["run"])");
  EXPECT_EQ(engine.run("COMMAND LIST FILTERBY ACLCAT nope"), "[]");
  EXPECT_EQ(engine.run("COMMAND LIST FILTERBY PATTERN BOX|*"), R"(["box|len" "box|way"])");
  EXPECT_EQ(engine.run("COMMAND LIST FILTERBY MODULE any"), "[]");
  for (const ByteView line :
       {"COMMAND LIST x", "COMMAND LIST FILTERBY", "COMMAND LIST FILTERBY PATTERN",
        "COMMAND LIST FILTERBY nope x", "COMMAND LIST FILTERBY PATTERN x y"}) {
    EXPECT_EQ(engine.run(line), "(ERR syntax error)") << line;
  }
}

TEST(Command, GetKeysNamesTheKeys) {
  Commands engine;
  EXPECT_EQ(engine.run("COMMAND GETKEYS take d 2 a b x"), R"(["d" "a" "b"])");
  EXPECT_EQ(engine.run("COMMAND GETKEYS box len k"), R"(["k"])");
  EXPECT_EQ(engine.run("COMMAND GETKEYS last x k"), R"(["k"])");
  EXPECT_EQ(engine.run("COMMAND GETKEYS run code 0"), "[]");
  EXPECT_EQ(engine.run("COMMAND GETKEYS run code nope"), "[]");
  // A count that the key specs refuse is read as leniently as Redis reads it then.
  EXPECT_EQ(engine.run("COMMAND GETKEYS take d 02x a b x"), R"(["a" "b" "d"])");
  EXPECT_EQ(engine.run("COMMAND GETKEYSANDFLAGS take d 1x a b"), R"([["a" <>] ["d" <>]])");
  EXPECT_EQ(engine.run("COMMAND GETKEYSANDFLAGS take d 1 a"),
            R"([["d" <OW update>] ["a" <RO access>]])");
}

TEST(Command, GetKeysRefuses) {
  Commands engine;
  EXPECT_EQ(engine.run("COMMAND GETKEYS nope k"), "(ERR Invalid command specified)");
  EXPECT_EQ(engine.run("COMMAND GETKEYS box nope"), "(ERR Invalid command specified)");
  EXPECT_EQ(engine.run("COMMAND GETKEYS box way"), "(ERR The command has no key arguments)");
  EXPECT_EQ(engine.run("COMMAND GETKEYS chan c"), "(ERR The command has no key arguments)");
  EXPECT_EQ(engine.run("COMMAND GETKEYS box len k x"),
            "(ERR Invalid number of arguments specified for command)");
  EXPECT_EQ(engine.run("COMMAND GETKEYS take d"),
            "(ERR Invalid number of arguments specified for command)");
  EXPECT_EQ(engine.run("COMMAND GETKEYS take d 0"),
            "(ERR Invalid arguments specified for command)");
  EXPECT_EQ(engine.run("COMMAND GETKEYS take d 3 a b"),
            "(ERR Invalid arguments specified for command)");
  EXPECT_EQ(engine.run("COMMAND GETKEYS take"),
            "(ERR wrong number of arguments for 'command|getkeys' command)");
}

TEST(Command, HelpListsTheSubcommands) {
  Commands engine;
  EXPECT_EQ(engine.run("COMMAND HELP")
                .find("[COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are: COUNT "),
            0U);
}

// Each with its arguments as a person would write them.
TEST(Command, HelpSaysWhatASubcommandTakes) {
  struct Admin : EngineFixture {
    Admin() : EngineFixture({kAclCommands, kClientCommands, kStreamGroupCommands}) {}
  } engine;
  struct Line {
    ByteView command;
    ByteView usage;
  };
  constexpr Line kLines[] = {
      {"ACL HELP", "CAT [<categoryname>]"},
      {"ACL HELP", "DELUSER <username> [<username> ...]"},
      {"ACL HELP", "LOG [<count>|RESET]"},
      {"ACL HELP", "WHOAMI"},
      {"CLIENT HELP", "CACHING (YES|NO)"},
      {"CLIENT HELP", "PAUSE <timeout> [WRITE|ALL]"},
      {"CLIENT HELP",
       "TRACKING (ON|OFF) [REDIRECT <client-id>] [PREFIX <prefix> [PREFIX <prefix> ...]] [BCAST] "
       "[OPTIN] [OPTOUT] [NOLOOP]"},
      {"XGROUP HELP", "CREATE <key> <groupname> (<id>|$) [MKSTREAM] [ENTRIESREAD <entries_read>]"},
  };
  for (const Line& line : kLines) {
    const std::string help = engine.run(line.command);
    EXPECT_NE(help.find(" " + std::string(line.usage) + "     "), std::string::npos)
        << line.usage << " in " << help;
  }
}

}  // namespace
}  // namespace ouro
