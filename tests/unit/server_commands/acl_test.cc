// SPDX-License-Identifier: BSD-3-Clause
// ACL: rules and how they are told again, what is denied and what is said of it, the log, the file,
// and what happens to clients whose user changes or goes.
#include "server/engine/acl.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine_fixture.h"
#include "test_client.h"

namespace ouro {
namespace {

bool contains(const std::string& text, ByteView part) {
  return text.find(part) != std::string::npos;
}

struct AclTest : testing::Test {
  AclTest() { make(admin); }

  void make(std::unique_ptr<TestClient>& slot) { slot = std::make_unique<TestClient>(turns); }
  AccessControl& acl() { return world.engine.acl; }
  // The user's rules as ACL LIST shows them.
  std::string text(ByteView name) {
    const AclUser* user = acl().find(name);
    return user == nullptr ? "none" : user->text();
  }
  // Sets a user from nothing and returns its rules, or the error.
  std::string rules_of(const std::vector<std::string>& words) {
    std::vector<ByteView> argv(words.begin(), words.end());
    std::string error;
    acl().remove_user("u", nullptr);
    return acl().set_user("u", argv, nullptr, error) ? text("u") : "(" + error + ")";
  }
  // The same of one line of words.
  std::string rules(ByteView line) { return rules_of(words_of(line)); }

  EngineFixture world{all()};
  TestTurns turns{world.engine};
  std::unique_ptr<TestClient> admin, client, other;

 private:
  static std::initializer_list<Registry::Table> all() {
    static const std::initializer_list<Registry::Table> tables = {
        kAclCommands,        kDatabaseCommands,  kClientCommands,     kConfigCommands,
        kConnectionCommands, kDebugCommands,     kInfoCommands,       kKeyCommands,
        kListCommands,       kListMoveCommands,  kPubsubCommands,     kSetCommands,
        kSortCommands,       kStringCommands,    kStringSetCommands,  kTransactionCommands,
        kZSetCommands,       kZSetStoreCommands, kCommandLogCommands, kMemoryCommands,
        kKeyScanCommands,    kObjectCommands,    kHotKeysCommands};
    return tables;
  }
};

// ---- rules

TEST_F(AclTest, ANewUserMayDoNothing) {
  EXPECT_EQ(rules(""), "off resetchannels -@all");
  EXPECT_EQ(text("default"), "on nopass ~* &* +@all");
}

TEST_F(AclTest, RulesAreToldInOneForm) {
  EXPECT_EQ(rules("ON NOPASS AllKeys +@ALL allchannels"), "on nopass ~* &* +@all");
  EXPECT_EQ(rules("reset"), "off sanitize-payload resetchannels -@all");
  EXPECT_EQ(rules("skip-sanitize-payload"), "off skip-sanitize-payload resetchannels -@all");
  EXPECT_EQ(rules("%R~a %W~b %rw~c ~d %R~e %W~e"), "off %R~a %W~b ~c ~d ~e resetchannels -@all");
  EXPECT_EQ(rules("%R"), "off %R~ resetchannels -@all");
  EXPECT_EQ(rules("&a &b &a"), "off resetchannels &a &b -@all");
  EXPECT_EQ(rules("+get +SELECT|0 +select|x"), "off resetchannels -@all +get +select|0 +select|x");
  EXPECT_EQ(rules("+select|0 +select"), "off resetchannels -@all +select");
  EXPECT_EQ(rules("+@all +select|0 -select"), "off resetchannels +@all -select");
  EXPECT_EQ(rules("+select|0 -@fast"), "off resetchannels -@all +select|0 -@fast");
  EXPECT_EQ(rules("+@all -get +get"), "off resetchannels +@all");
  EXPECT_EQ(rules("+@all -config +config|get"), "off resetchannels +@all -config +config|get");
  EXPECT_EQ(rules("+config -config|set"), "off resetchannels -@all +config -config|set");
  EXPECT_EQ(rules("+debug|object"), "off resetchannels -@all +debug|object");
  EXPECT_EQ(rules("~x resetkeys &y resetchannels ~z"), "off ~z resetchannels -@all");
}

// Whatever a later version adds to a category must come to nobody who was not given the category.
TEST_F(AclTest, RulesOfCommandsAreToldAsTheyWereGiven) {
  const auto told = [&](ByteView line) { return rules(line).substr(sizeof("off resetchannels")); };
  EXPECT_EQ(told("+client"), "-@all +client");
  EXPECT_EQ(told("+client -client|id"), "-@all +client -client|id");
  EXPECT_EQ(told("-client|id +client"), "-@all +client");
  EXPECT_EQ(told("+client|id +CLIENT|List -client|id"), "-@all +client|list -client|id");
  EXPECT_EQ(told("+@all -client"), "+@all -client");
  EXPECT_EQ(told("+get +@Read"), "-@all +get +@read");
  EXPECT_EQ(told("+@read -get +get"), "-@all +@read +get");
  EXPECT_EQ(told("+@read +@write -@string -@read"), "-@all +@write -@string -@read");
  EXPECT_EQ(told("+@write -@all +get"), "-@all +get");
  EXPECT_EQ(told("+config|get +config|set -config"), "-@all") << "nothing remains of which";
  EXPECT_EQ(told("-debug +get"), "-@all +get") << "it is not permitted anyway";
  EXPECT_EQ(told("+@all +client|id -get +config"), "+@all -get +config");
  EXPECT_EQ(told("+select|A +get +select|a"), "-@all +get +select|a");
  EXPECT_EQ(told("+select|A -@fast +select|a"), "-@all +select|a");
  EXPECT_EQ(told("+get +get|k"), "-@all +get +get|k");
}

TEST_F(AclTest, EachCategoryIsToldByItsName) {
  for (const ByteView category : kAclCategoryNames) {
    const std::string name(category);
    // The commands of this test are not all: some categories have none.
    if (world.run("ACL CAT " + name) == "[]") continue;
    EXPECT_EQ(rules("+@" + name), "off resetchannels -@all +@" + name);
    EXPECT_EQ(rules("+@all -@" + name), "off resetchannels +@all -@" + name);
  }
}

TEST_F(AclTest, DatabasesAreToldOnlyWhereTheyAreNotAll) {
  EXPECT_EQ(rules("~* DB=3,0,3 +@all"), "off ~* resetchannels db=0,3 +@all");
  EXPECT_EQ(rules("db=1 db=2"), "off resetchannels db=2 -@all") << "the last list counts";
  EXPECT_EQ(rules("db=1 resetdbs"), "off resetchannels resetdbs -@all");
  EXPECT_EQ(rules("resetdbs ALLDBS"), "off resetchannels -@all");
  EXPECT_EQ(rules("db=1 reset"), "off sanitize-payload resetchannels -@all");
  EXPECT_EQ(rules("(db=2147483647 +get) db=1"),
            "off resetchannels db=1 -@all (resetchannels db=2147483647 -@all +get)");
  world.run("ACL SETUSER u reset db=0,1 (+get)");
  world.resp3 = true;
  const std::string told = world.run("ACL GETUSER u");
  EXPECT_TRUE(contains(told, R"("channels" "" "databases" "db=0,1" "selectors")")) << told;
  EXPECT_TRUE(contains(told, R"("databases" "alldbs"})")) << told;
}

TEST_F(AclTest, SelectorsAreRulesInParentheses) {
  EXPECT_EQ(rules("+get (+set ~a)"), "off resetchannels -@all +get (~a resetchannels -@all +set)");
  EXPECT_EQ(rules_of({"(+set", "~a", ")", "( &x +@all)", "()"}),
            "off resetchannels -@all (~a resetchannels -@all +set) (resetchannels &x +@all) "
            "(resetchannels -@all)");
  EXPECT_EQ(rules_of({"(+get)", "clearselectors"}), "off resetchannels -@all");
  EXPECT_EQ(rules_of({"(+get", "~x"}),
            "(Unmatched parenthesis in acl selector starting at '(+get'.)");
  EXPECT_EQ(rules_of({"(on)"}), "(Error in ACL SETUSER modifier '(on)': Syntax error)");
  EXPECT_EQ(rules_of({")"}), "(Error in ACL SETUSER modifier ')': Syntax error)");
}

TEST_F(AclTest, ABadRuleChangesNothing) {
  rules("on +get ~a");
  std::string error;
  const ByteView bad[] = {"off", "+nosuch"};
  EXPECT_FALSE(acl().set_user("u", bad, nullptr, error));
  EXPECT_EQ(text("u"), "on ~a resetchannels -@all +get");
  EXPECT_FALSE(acl().set_user("new", bad, nullptr, error));
  EXPECT_EQ(text("new"), "none");
}

TEST_F(AclTest, FaultsHaveRedissTexts) {
  const auto fault = [&](ByteView rule) {
    const std::string text = rules_of({std::string(rule)});
    const size_t colon = text.find("': ");
    return colon == std::string::npos ? text : text.substr(colon + 3);
  };
  for (const ByteView rule : {"+nosuch", "-nosuch", "+@nosuch", "-@nosuch", "+config|nosuch",
                              "-get|x", "+get|a|b", "+", "-", "+@"})
    EXPECT_EQ(fault(rule), "Unknown command or category name in ACL)") << rule;
  for (const ByteView rule :
       {"nosuch", "~a b", "&a b", "%", "%~a", "%RR~a", "%Xa", "%Rfoo", "+get|", "+config|",
        "(nosuch)", "+get|a b", "db=", "db=x", "db=,1", "db=1,", "db=0,,1", "db"})
    EXPECT_EQ(fault(rule), "Syntax error)") << rule;
  for (const ByteView rule : {"db=-1", "db=2147483648", "db=0,12345678987654321"})
    EXPECT_EQ(fault(rule), "The provided database ID is out of range)") << rule;
  EXPECT_EQ(fault("+config|get|x"), "Allowing first-arg of a subcommand is not supported)");
  EXPECT_EQ(fault("<none"), "The password you are trying to remove from the user does not exist)");
  EXPECT_TRUE(contains(fault("#12"), "exactly 64 characters"));
  EXPECT_TRUE(contains(fault("!12"), "exactly 64 characters"));
  EXPECT_TRUE(contains(rules("allkeys ~x"), "Try 'resetkeys' to start"));
  EXPECT_TRUE(contains(rules("allchannels &x"), "Try 'resetchannels' to start"));
  EXPECT_EQ(world.run({"ACL", "SETUSER", "a b"}),
            "(ERR Usernames can't contain spaces or null characters)");
}

TEST_F(AclTest, NewUsersMayHaveAllChannels) {
  world.options.acl_pubsub_default = NewChannels::kAll;
  EXPECT_EQ(rules("(+get)"), "off &* -@all (&* -@all +get)");
  EXPECT_EQ(rules("resetchannels reset"), "off sanitize-payload &* -@all");
}

// Random rules to a user and to a plain set of names: what may be run must be the same, and what is
// told of the user must make the same user again.
TEST_F(AclTest, RandomRulesMeanWhatASetOfNamesSays) {
  Prng prng(20260101);
  const Registry& registry = world.engine.registry;
  std::vector<std::string> names;
  for (size_t i = 0; i < registry.row_count(); ++i)
    names.emplace_back(registry.full_name(registry.row(i)));
  const auto reached = [&](const std::string& rule) {
    std::set<std::string> reach;
    for (size_t i = 0; i < names.size(); ++i) {
      const CommandSpec& row = registry.row(i);
      const CommandSpec* container = registry.container(row);
      const auto is_member = [&](const CommandSpec& spec) {
        const uint32_t bits = acl_categories(spec).bits;
        for (size_t c = 0; c < kAclCategoryNames.size(); ++c) {
          if ((bits >> c & 1) != 0 && rule == "@" + std::string(kAclCategoryNames[c])) return true;
        }
        return rule == "@all" || rule == registry.full_name(spec);
      };
      if (is_member(row) || (container != nullptr && is_member(*container))) reach.insert(names[i]);
    }
    return reach;
  };
  for (int round = 0; round < 300; ++round) {
    AclUser user("u", {acl().commands(), false});
    std::set<std::string> allowed;
    for (uint64_t left = 1 + prng.below(12); left > 0; --left) {
      std::string rule = prng.below(2) == 0 ? names[prng.below(names.size())] : "@all";
      if (rule == "@all" && prng.below(6) != 0)
        rule = "@" + std::string(kAclCategoryNames[prng.below(kAclCategoryNames.size())]);
      const bool adds = prng.below(2) == 0;
      ASSERT_EQ(user.apply({acl().commands(), false}, (adds ? "+" : "-") + rule), AclFault::kNone);
      for (const std::string& name : reached(rule)) {
        if (adds) {
          allowed.insert(name);
        } else {
          allowed.erase(name);
        }
      }
    }
    for (size_t i = 0; i < names.size(); ++i) {
      if (registry.row(i).flags.has(Flag::kNoAuth)) continue;
      // Checks are made of commands with as many words as they need.
      std::vector<ByteView> argv(static_cast<size_t>(std::abs(registry.row(i).arity)), "x");
      argv[0] = names[i];
      const bool denied = user.check(acl().commands(), registry.row(i), argv, {}).reason ==
                          AclDenial::Reason::kCommand;
      ASSERT_EQ(denied, !allowed.contains(names[i])) << names[i];
    }
    const std::string told = user.text();
    AclUser again("u", {acl().commands(), false});
    for (const std::string& word : words_of(told))
      ASSERT_EQ(again.apply({acl().commands(), false}, word), AclFault::kNone) << word;
    ASSERT_EQ(again.text(), told);
  }
}

// ---- what is denied

TEST_F(AclTest, DryrunTellsWhatWouldBeDenied) {
  world.run("ACL SETUSER u +@all -del %R~r* %W~w* &c*");
  const auto dry = [&](const std::string& command) { return world.run("ACL DRYRUN u " + command); };
  EXPECT_EQ(dry("GET r1"), "OK");
  EXPECT_TRUE(contains(dry("GET w1"), "no permissions to access the 'w1' key"));
  EXPECT_TRUE(contains(dry("SET w1 v GET"), "access the 'w1' key"));
  EXPECT_EQ(dry("SET w1 v"), "OK");
  EXPECT_EQ(dry("COPY r1 w1"), "OK");
  EXPECT_TRUE(contains(dry("COPY w1 r1"), "access the 'w1' key"));
  EXPECT_EQ(dry("EXISTS w1"), "OK");
  EXPECT_EQ(dry("EXISTS r1"), "OK");
  EXPECT_TRUE(contains(dry("EXISTS r1 x"), "access the 'x' key"));
  EXPECT_TRUE(contains(dry("DEL w1"), "run the 'del' command"));
  EXPECT_EQ(dry("SUBSCRIBE c1 c2"), "OK");
  EXPECT_TRUE(contains(dry("SUBSCRIBE c1 d"), "access the 'd' channel"));
  EXPECT_EQ(dry("PSUBSCRIBE c*"), "OK");
  EXPECT_TRUE(contains(dry("PSUBSCRIBE c1"), "access the 'c1' channel"));
  EXPECT_TRUE(contains(dry("SPUBLISH d x"), "access the 'd' channel"));
  EXPECT_EQ(dry("SUNSUBSCRIBE d"), "OK");
  EXPECT_EQ(dry("SORT r1 STORE w1"), "OK");
  EXPECT_TRUE(contains(dry("SORT r1 STORE r2"), "access the 'r2' key"));
  EXPECT_EQ(dry("ZUNIONSTORE w1 nokeys r1"), "OK") << "the command's own error";
  EXPECT_EQ(dry("AUTH x"), "OK");
  EXPECT_EQ(dry("GET"), "(ERR wrong number of arguments for 'get' command)");
  EXPECT_EQ(dry("NOSUCH x"), "(ERR Command 'NOSUCH' not found)");
  EXPECT_EQ(dry("CONFIG nosuch"), "(ERR Command 'CONFIG' not found)");
  EXPECT_EQ(world.run("ACL DRYRUN nobody GET a"), "(ERR User 'nobody' not found)");
}

TEST_F(AclTest, DryrunAsksForTheDatabases) {
  world.run("ACL SETUSER u +@all ~* db=0,1");
  const auto dry = [&](const std::string& command) { return world.run("ACL DRYRUN u " + command); };
  const auto denied = [](const std::string& what) {
    return "\"This user has no permissions to access database " + what + "\"";
  };
  EXPECT_EQ(dry("GET a"), "OK");
  EXPECT_EQ(dry("SELECT 1"), "OK");
  EXPECT_EQ(dry("SELECT 2"), denied("2"));
  EXPECT_EQ(dry("SELECT 99"), "OK") << "the command's own error";
  EXPECT_EQ(dry("SELECT x"), "OK");
  EXPECT_EQ(dry("SWAPDB 0 1"), "OK");
  EXPECT_EQ(dry("SWAPDB 0 2"), denied("2"));
  EXPECT_EQ(dry("SWAPDB 3 2"), denied("3"));
  EXPECT_EQ(dry("MOVE k 1"), "OK");
  EXPECT_EQ(dry("MOVE k 2"), denied("2"));
  EXPECT_EQ(dry("COPY a b DB 1 REPLACE"), "OK");
  EXPECT_EQ(dry("COPY a b REPLACE db 2"), denied("2"));
  EXPECT_EQ(dry("FLUSHALL"), denied("FLUSHALL"));
  EXPECT_EQ(dry("DEBUG POPULATE 5"), denied("DEBUG"));
  EXPECT_EQ(dry("FLUSHDB"), "OK");
  world.run("SELECT 2");
  for (const char* command : {"GET a", "DEL a", "WATCH a", "RANDOMKEY", "FLUSHDB", "MOVE k 1"}) {
    const std::string line = command;
    EXPECT_EQ(dry(line), denied(line.substr(0, line.find(' '))));
  }
  for (const char* command : {"PING", "SELECT 0", "SWAPDB 0 1", "CONFIG GET x", "MULTI"})
    EXPECT_EQ(dry(command), "OK");
}

TEST_F(AclTest, ExecMayReadTheKeysOfItsConditions) {
  admin->ask("ACL SETUSER u on nopass +@all %R~r* %W~w* db=1,2; SELECT 1; SET r1 v");
  make(client);
  client->ask("AUTH u x; SELECT 1");
  EXPECT_EQ(client->ask("MULTI; SET w1 x; EXEC IFEQ r1 v NX r2"), "+OK +QUEUED *1 +OK");
  const std::string refused =
      "-EXECABORT Transaction discarded because of: NOPERM this user has no permissions to access "
      "one of the keys used as arguments";
  for (const char* words : {"NX w1", "IFEQ r1 v IFEQ w1 x", "XX k"}) {
    EXPECT_EQ(client->ask(std::string("MULTI; SET w1 y; EXEC ") + words), "+OK +QUEUED " + refused);
    EXPECT_EQ(client->ask("EXEC"), "-ERR EXEC without MULTI");
  }
  // They are looked up where the client is, not where its queue ends.
  EXPECT_EQ(client->ask("MULTI; SELECT 2; EXEC XX r1"), "+OK +QUEUED *1 +OK");
  EXPECT_EQ(client->ask("MULTI; SELECT 1; EXEC NX r1"), "+OK +QUEUED *1 +OK");
  EXPECT_EQ(client->ask("MULTI; SELECT 2; EXEC"), "+OK +QUEUED *1 +OK");
  admin->ask("ACL SETUSER u db=1");
  EXPECT_EQ(client->ask("MULTI; SELECT 1; EXEC XX r1"),
            "+OK +QUEUED -EXECABORT Transaction discarded because of: NOPERM No permissions to "
            "access database");
}

TEST_F(AclTest, AClientIsKeptInItsDatabases) {
  const std::string refused = "-NOPERM No permissions to access database";
  admin->ask("ACL SETUSER u on nopass +@all ~* &* db=1,2");
  make(client);
  EXPECT_NE(client->ask("AUTH u x; PING"), "");
  EXPECT_EQ(client->ask("GET a; SELECT 3; SELECT 99; SELECT 1; GET a"),
            refused + " " + refused + " -ERR DB index is out of range +OK $-1");
  EXPECT_EQ(acl().log.entries().front().object, "3");
  EXPECT_EQ(acl().log.entries().front().reason, AclLog::Reason::kDatabase);
  EXPECT_TRUE(contains(world.run("INFO stats"), "acl_access_denied_db:2"));
  // A transaction is asked for the database that is selected where its queue ends.
  EXPECT_EQ(client->ask("MULTI; SELECT 2; SET k v; SELECT 1; SET k w; EXEC"),
            "+OK +QUEUED +QUEUED +QUEUED +QUEUED *4 +OK +OK +OK +OK");
  EXPECT_EQ(client->ask("MULTI; SELECT 0; EXEC"),
            "+OK " + refused + " -EXECABORT Transaction discarded because of previous errors.");
  EXPECT_EQ(client->ask("MULTI; SELECT 2; GET k"), "+OK +QUEUED +QUEUED");
  admin->ask("ACL SETUSER u db=1");
  EXPECT_EQ(client->ask("EXEC"),
            "*2 -NOPERM ACLs rules changed between the moment the transaction was accumulated and "
            "the EXEC call. This command is no longer allowed for the following reason: no "
            "permission to access the database $1 w");
  admin->ask("ACL SETUSER u alldbs");
  EXPECT_EQ(client->session().caller().gates & Gate::kAcl, 0U);
}

// Reports of keys show none that their reader may not read, and are of all databases.
TEST_F(AclTest, ReportsNameOnlyKeysThatTheUserMayRead) {
  world.run_all({"SET a:1 v", "SET b:1 v", "HOTKEYS START METRICS 1 CPU", "GET a:1", "GET b:1",
                 "HOTKEYS STOP"});
  admin->ask("ACL SETUSER u on nopass +@all ~a:*");
  make(client);
  client->ask("AUTH u x");
  for (const char* report : {"MEMORY BIGKEYS", "HOTKEYS GET"}) {
    const std::string all = world.run(report);
    EXPECT_TRUE(contains(all, "a:1") && contains(all, "b:1")) << all;
    const std::string seen = client->ask(report);
    EXPECT_TRUE(contains(seen, "a:1") && !contains(seen, "b:1")) << seen;
  }
  admin->ask("ACL SETUSER u db=0");
  for (const char* report : {"MEMORY BIGKEYS", "HOTKEYS GET"})
    EXPECT_TRUE(client->ask(report).starts_with("-NOPERM")) << report;
}

TEST_F(AclTest, OneSelectorMustPermitAllOfACommand) {
  world.run("ACL SETUSER u (+@all %R~r*) (+@all %W~w*)");
  EXPECT_EQ(world.run("ACL DRYRUN u GET r1"), "OK");
  EXPECT_EQ(world.run("ACL DRYRUN u SET w1 v"), "OK");
  EXPECT_TRUE(contains(world.run("ACL DRYRUN u COPY r1 w1"), "'w1' key"));
}

TEST_F(AclTest, FirstArgumentsPermitOneUseOfACommand) {
  world.run("ACL SETUSER u +select|0");
  EXPECT_EQ(world.run("ACL DRYRUN u SELECT 0"), "OK");
  EXPECT_TRUE(contains(world.run("ACL DRYRUN u SELECT 1"), "run the 'select' command"));
}

TEST_F(AclTest, ARestrictedClientIsRefusedAndOthersAreNotAsked) {
  admin->ask("ACL SETUSER u on >p +get +publish ~a*");
  EXPECT_EQ(admin->session().caller().gates & Gate::kAcl, 0U);
  make(client);
  EXPECT_EQ(client->ask("AUTH u wrong"),
            "-WRONGPASS invalid username-password pair or user is disabled.");
  EXPECT_EQ(client->ask("AUTH u p; GET a1"), "+OK $-1");
  EXPECT_NE(client->session().caller().gates & Gate::kAcl, 0U);
  EXPECT_EQ(client->ask("SET a1 v"),
            "-NOPERM this user has no permissions to run the 'set' command");
  EXPECT_EQ(client->ask("GET b"),
            "-NOPERM this user has no permissions to access one of the keys used as arguments");
  EXPECT_EQ(client->ask("PUBLISH c m"),
            "-NOPERM this user has no permissions to access one of the channels used as arguments");
  EXPECT_EQ(client->ask("ACL WHOAMI"),
            "-NOPERM this user has no permissions to run the 'acl|whoami' command");
  // A change counts at once.
  admin->ask("ACL SETUSER u +@all allkeys allchannels");
  EXPECT_EQ(client->session().caller().gates & Gate::kAcl, 0U);
  EXPECT_EQ(client->ask("SET a1 v; RESET; ACL WHOAMI"), "+OK +RESET $7 default");
}

TEST_F(AclTest, TransactionsAreAskedWhenQueuedAndAgainWhenRun) {
  admin->ask("ACL SETUSER u on nopass +@all ~*");
  make(client);
  client->ask("AUTH u x");
  admin->ask("ACL SETUSER u -set");
  EXPECT_EQ(client->ask("MULTI; SET a 1; EXEC"),
            "+OK -NOPERM this user has no permissions to run the 'set' command "
            "-EXECABORT Transaction discarded because of previous errors.");
  EXPECT_EQ(client->ask("MULTI; GET a; PING"), "+OK +QUEUED +QUEUED");
  admin->ask("ACL SETUSER u -get");
  EXPECT_EQ(client->ask("EXEC"),
            "*2 -NOPERM ACLs rules changed between the moment the transaction was accumulated and "
            "the EXEC call. This command is no longer allowed for the following reason: no "
            "permission to execute the command or subcommand +PONG");
  EXPECT_EQ(acl().log.entries().front().object, "get");
  EXPECT_EQ(acl().log.entries().front().context, AclLog::Context::kMulti);
}

TEST_F(AclTest, SortFollowsPatternsOnlyForWhoMayReadEverything) {
  admin->ask("RPUSH l 1; ACL SETUSER u on nopass (+sort ~l %W~*)");
  make(client);
  EXPECT_EQ(client->ask("AUTH u x; SORT l; SORT l BY w_*; SORT l GET #"),
            "+OK *1 $1 1 -ERR BY option of SORT denied due to insufficient ACL permissions. "
            "-ERR GET option of SORT denied due to insufficient ACL permissions.");
  admin->ask("ACL SETUSER u (+sort %R~*)");
  EXPECT_EQ(client->ask("SORT l BY w_* GET #"), "*1 $1 1");
}

// RM names no key: what it meets and the user may not write stays, and is not told of.
TEST_F(AclTest, RemovalByPatternTakesOnlyWhatTheUserMayWrite) {
  const std::string fill = "MSET mine:1 x mine:2 x read:1 x other:1 x both:1 x";
  admin->ask(fill + "; ACL SETUSER u on nopass ~mine:* %R~read:* %W~both:* +rm +multi +exec");
  make(client);
  client->ask("AUTH u x");
  EXPECT_EQ(client->ask("RM 0 MATCH other:* COUNT 100"), "*2 $1 0 :0");
  EXPECT_EQ(client->ask("RM 0 MATCH read:* COUNT 100"), "*2 $1 0 :0");
  EXPECT_EQ(client->ask("RM 0 COUNT 100"), "*2 $1 0 :3");
  EXPECT_EQ(admin->ask("EXISTS read:1 other:1; DBSIZE"), ":2 :2");
  EXPECT_EQ(world.engine.stats.keys_removed_by_pattern, 3U);

  admin->ask(fill);
  EXPECT_EQ(client->ask("MULTI; RM 0 COUNT 100; EXEC"), "+OK +QUEUED *1 *2 $1 0 :3");
  // A selector permits its own keys to its own commands; two do not add up.
  admin->ask(fill + "; ACL SETUSER u reset on nopass +rm ~mine:1 (~other:* +del) (~read:* +rm)");
  client->ask("AUTH u x");
  EXPECT_EQ(client->ask("RM 0 COUNT 100"), "*2 $1 0 :2");
  EXPECT_EQ(admin->ask("EXISTS mine:1; EXISTS read:1; DBSIZE"), ":0 :0 :3");
  // Who may write all, and who has no user.
  EXPECT_EQ(admin->ask("RM 0 COUNT 100"), "*2 $1 0 :3");
  admin->ask(fill);
  EXPECT_EQ(world.run("RM 0 MATCH mine:* COUNT 100"), "[\"0\" 2]");
}

// ---- logging in

// However much comes at once: what a stranger may send is little.
TEST_F(AclTest, WhatStandsBehindResetIsTakenForAStrangers) {
  ASSERT_EQ(admin->ask("CONFIG SET requirepass secret"), "+OK");
  const std::string many = "*11\r\n$4\r\nMGET\r\n" + [] {
    std::string keys;
    for (int i = 0; i < 10; ++i) keys += "$1\r\nk\r\n";
    return keys;
  }();
  const std::string torn_value = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$50000\r\nxxx";
  const auto answers = [&](const std::string& input) {
    make(client);
    client->session().on_bytes(input);
    turns.run();
    return client->take();
  };
  const std::string in = "+OK +RESET ";
  EXPECT_EQ(answers("AUTH secret\r\nRESET\r\n" + many),
            in + "-ERR Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(answers("AUTH secret\r\nreset\r\n" + torn_value),
            in + "-ERR Protocol error: unauthenticated bulk length");
  EXPECT_EQ(
      answers("AUTH secret\r\nRESET\r\nAUTH secret\r\n" + many), in + "+OK *10" + [] {
        std::string nothings;
        for (int i = 0; i < 10; ++i) nothings += " $-1";
        return nothings;
      }());
  EXPECT_EQ(answers("AUTH secret\r\nMULTI\r\nRESET\r\nRESET\r\nPING\r\n"),
            "+OK +OK +RESET +RESET -NOAUTH Authentication required.");
}

TEST_F(AclTest, RequirepassIsTheDefaultUsersPassword) {
  EXPECT_TRUE(contains(admin->ask("AUTH x"), "called without any password configured"));
  EXPECT_EQ(admin->ask("CONFIG SET requirepass secret"), "+OK");
  EXPECT_EQ(admin->ask("GET a"), "$-1") << "who was in stays in";
  make(client);
  EXPECT_EQ(client->ask("GET a; AUTH wrong; AUTH secret; GET a"),
            "-NOAUTH Authentication required. -WRONGPASS invalid username-password pair or user is "
            "disabled. +OK $-1");
  make(other);
  EXPECT_EQ(other->ask("GET a"), "-NOAUTH Authentication required.");
  admin->ask("ACL SETUSER default nopass");
  EXPECT_EQ(other->ask("GET a"), "$-1") << "an open default user needs no login";
  admin->ask("ACL SETUSER default off");
  EXPECT_EQ(other->ask("GET a"), "-NOAUTH Authentication required.");
  EXPECT_EQ(other->ask("AUTH default x"),
            "-WRONGPASS invalid username-password pair or user is disabled.");
}

TEST_F(AclTest, HelloLogsIn) {
  admin->ask("ACL SETUSER u on >p");
  make(client);
  EXPECT_TRUE(contains(client->ask("HELLO 2 AUTH u nope"), "-WRONGPASS"));
  EXPECT_TRUE(contains(client->ask("HELLO 2 AUTH u p"), "$6 server"));
  EXPECT_EQ(client->session().user().name(), "u");
}

// ---- the log

TEST_F(AclTest, TheLogCountsWhatComesAgain) {
  admin->ask("ACL SETUSER u on nopass +get ~a");
  make(client);
  client->ask("AUTH u x; GET b; GET b; SET a 1; AUTH u x; AUTH none y");
  world.pass(1500);
  client->ask("GET b");
  const auto& entries = acl().log.entries();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].reason, AclLog::Reason::kKey);
  EXPECT_EQ(entries[0].count, 3U);
  EXPECT_EQ(entries[1].reason, AclLog::Reason::kAuth);
  EXPECT_EQ(entries[1].user, "none");
  EXPECT_EQ(entries[1].object, "AUTH");
  EXPECT_EQ(entries[2].reason, AclLog::Reason::kCommand);
  EXPECT_EQ(entries[2].object, "set");
  world.pass(61'000);
  client->ask("GET b");
  EXPECT_EQ(entries.size(), 4U) << "more than a minute later it is another matter";
  EXPECT_TRUE(contains(world.run("INFO stats"), "acl_access_denied_key:4"));
  world.resp3 = true;
  EXPECT_TRUE(contains(world.run("ACL LOG 1"),
                       R"("reason" "key" "context" "toplevel" "object" "b" "username" "u")"));
  EXPECT_TRUE(contains(world.run("ACL LOG 1"), "cmd=get user=u"));
  EXPECT_EQ(world.run("ACL LOG 0"), "[]");
  EXPECT_EQ(world.run("ACL LOG RESET"), "OK");
  EXPECT_EQ(world.run("ACL LOG"), "[]");
}

TEST_F(AclTest, AnEntryOfTheLogHasAnIdAndTimes) {
  admin->ask("ACL SETUSER u on nopass +get ~a");
  make(client);
  const UnixMs start = world.now;
  const auto told = [&](uint64_t id, UnixMs created, UnixMs updated) {
    return "\"entry-id\" " + std::to_string(id) + " \"timestamp-created\" " +
           std::to_string(created) + " \"timestamp-last-updated\" " + std::to_string(updated);
  };
  client->ask("AUTH u x; GET b; SET a 1");
  world.pass(1500);
  client->ask("GET b");
  EXPECT_TRUE(contains(world.run("ACL LOG 1"), told(0, start, start + 1500)))
      << "counted up: " << world.run("ACL LOG 1");
  EXPECT_TRUE(contains(world.run("ACL LOG"), told(1, start, start)));
  world.run("ACL LOG RESET");
  client->ask("GET b");
  EXPECT_TRUE(contains(world.run("ACL LOG"), told(2, start + 1500, start + 1500)))
      << "no id comes twice";
}

TEST_F(AclTest, TheLogIsBounded) {
  admin->ask("CONFIG SET acllog-max-len 5; ACL SETUSER u on nopass +get");
  make(client);
  client->ask("AUTH u x");
  for (int i = 0; i < 20; ++i) client->ask("GET " + std::to_string(i));
  EXPECT_EQ(acl().log.entries().size(), 5U);
}

// ---- clients whose user changes

TEST_F(AclTest, AClientOfAUserThatGoesIsClosed) {
  admin->ask("ACL SETUSER u on nopass +@all");
  make(client);
  make(other);
  client->ask("AUTH u x");
  other->ask("AUTH u x");
  EXPECT_EQ(client->ask("ACL DELUSER u nobody; PING"), ":1") << "the reply, and no more";
  EXPECT_EQ(client->session().state(), EndpointState::kFinishing);
  EXPECT_EQ(other->session().state(), EndpointState::kDoomed);
  EXPECT_EQ(admin->ask("ACL DELUSER default"), "-ERR The 'default' user cannot be removed");
}

TEST_F(AclTest, ASubscriberThatLosesItsChannelIsClosed) {
  admin->ask("ACL SETUSER u on nopass +@all resetchannels &a &b*");
  const auto closed_by = [&](const std::string& subscribe, const std::string& rules) {
    admin->ask("ACL SETUSER u resetchannels &a &b*");
    make(client);
    client->ask("AUTH u x; " + subscribe);
    admin->ask("ACL SETUSER u " + rules);
    const bool closed = client->session().state() == EndpointState::kDoomed;
    client.reset();
    return closed;
  };
  EXPECT_FALSE(closed_by("SUBSCRIBE a", "&c"));
  EXPECT_FALSE(closed_by("SUBSCRIBE a", "allchannels"));
  EXPECT_FALSE(closed_by("SUBSCRIBE a", "resetchannels &a"));
  EXPECT_TRUE(closed_by("SUBSCRIBE a", "resetchannels &b*"));
  EXPECT_FALSE(closed_by("SUBSCRIBE b1", "resetchannels &b?"));
  EXPECT_TRUE(closed_by("PSUBSCRIBE b*", "resetchannels &b?"));
  EXPECT_TRUE(closed_by("SSUBSCRIBE a", "resetchannels"));
}

TEST_F(AclTest, ClientListAndKillKnowUsers) {
  admin->ask("ACL SETUSER u on nopass +@all");
  make(client);
  client->ask("AUTH u x");
  EXPECT_TRUE(contains(admin->ask("CLIENT LIST"), "user=u"));
  EXPECT_EQ(admin->ask("CLIENT KILL USER nobody"), "-ERR No such user 'nobody'");
  EXPECT_EQ(admin->ask("CLIENT KILL USER u"), ":1");
  EXPECT_EQ(client->session().state(), EndpointState::kDoomed);
}

// ---- the file and the configuration

TEST_F(AclTest, UsersAreSavedAndLoaded) {
  EXPECT_TRUE(contains(world.run("ACL SAVE"), "not configured to use an ACL file"));
  EXPECT_TRUE(contains(world.run("ACL LOAD"), "not configured to use an ACL file"));
  world.options.aclfile = "users.acl";
  EXPECT_EQ(world.run("ACL LOAD"),
            "(ERR Error loading ACLs, opening file 'users.acl': No such file or directory)");
  admin->ask("ACL SETUSER u on nopass +@all ~k (+get); ACL SETUSER default resetkeys ~y");
  EXPECT_EQ(world.run("ACL SAVE"), "OK");
  EXPECT_EQ(world.host.files["users.acl"],
            "user default on nopass ~y &* +@all\n"
            "user u on nopass ~k resetchannels +@all (resetchannels -@all +get)\n");
  admin->ask("ACL SETUSER u off; ACL SETUSER v");
  make(client);
  EXPECT_EQ(world.run("ACL LOAD"), "OK");
  EXPECT_EQ(text("u"), "on nopass ~k resetchannels +@all (resetchannels -@all +get)");
  EXPECT_EQ(text("v"), "none");
  EXPECT_EQ(admin->session().state(), EndpointState::kOpen) << "the default user stays";
  world.host.files["users.acl"] = "";
  EXPECT_EQ(world.run("ACL LOAD"), "OK");
  EXPECT_EQ(text("default"), "on nopass ~* &* +@all") << "a file without it has it as new";
}

TEST_F(AclTest, AFileWithFaultsIsRefusedAsAWhole) {
  world.options.aclfile = "f";
  world.host.files["f"] =
      "user a on nopass ~* +@all\n\n  \n user b on +nosuch +nosuch2 foo foo2 \nuser a on\nuser\n"
      "foo bar\nuser c ( +get\nuser d (+get ~x) ( +set )";
  EXPECT_EQ(
      world.run("ACL LOAD"),
      "(ERR f:4: Error in applying operation '+nosuch': Unknown command or category name in ACL. "
      "f:4: Error in applying operation '+nosuch2': Unknown command or category name in ACL. "
      "f:4: Syntax error. WARNING: Duplicate user 'a' found on line 5. "
      "f:6 should start with user keyword followed by the username. "
      "f:7 should start with user keyword followed by the username. "
      "f:8: Unmatched parenthesis in selector definition."
      "WARNING: ACL errors detected, no change to the previously active ACL rules was performed)");
  EXPECT_EQ(acl().users().size(), 1U);
}

TEST_F(AclTest, LinesOfTheConfigurationDefineUsers) {
  std::string error;
  const OptionRow* row = world.config.find("user");
  ASSERT_NE(row, nullptr);
  const auto line = [&](std::initializer_list<ByteView> words) {
    return world.config.load(*row, {words.begin(), words.size()}, error);
  };
  EXPECT_TRUE(line({"a", "on", ">two words", "(+get", "~x)"}));
  EXPECT_TRUE(line({"default", "on", "nopass", "+@all", "-keys"}));
  EXPECT_FALSE(line({"a", "off"}));
  EXPECT_TRUE(contains(error, "Duplicate user found"));
  error.clear();
  EXPECT_TRUE(acl().load_at_start(error)) << error;
  EXPECT_TRUE(acl().find("a")->accepts("two words"));
  EXPECT_EQ(text("default"), "on nopass sanitize-payload resetchannels +@all -keys");
  EXPECT_NE(admin->session().caller().gates & Gate::kAcl, 0U);
  EXPECT_TRUE(line({"b", "+nosuch"}));
  EXPECT_FALSE(acl().load_at_start(error));
  EXPECT_EQ(error,
            "Error loading ACL rule '+nosuch' for the user named 'b': Unknown command or category "
            "name in ACL");
  world.options.aclfile = "f";
  EXPECT_FALSE(acl().load_at_start(error));
}

TEST_F(AclTest, RewritingPutsUsersWhereTheyStood) {
  const Config::Directive users[] = {
      {.name = "user", .lines = {"user a on", quoted_line("user b (+get ~\"x)")}}};
  EXPECT_EQ(world.config.rewrite("user x\n# text\nuser y\n", RewriteScope::kWhatDiffers, users),
            "user a on\nuser b (+get \"~\\\"x)\"\n# text\n");
  EXPECT_EQ(world.config.rewrite("# text\n", RewriteScope::kWhatDiffers, users),
            "# text\n# Written by CONFIG REWRITE\nuser a on\nuser b (+get \"~\\\"x)\"\n");
  const Config::Directive nobody[] = {{.name = "user", .lines = {}}};
  EXPECT_EQ(world.config.rewrite("user x\n# text\n", RewriteScope::kWhatDiffers, nobody),
            "# text\n");
}

// ---- secrets

TEST_F(AclTest, SlowlogAndMonitorShowNoSecrets) {
  make(other);
  other->ask("MONITOR");
  admin->ask("CONFIG SET slowlog-log-slower-than 0");
  admin->ask(
      "AUTH p; AUTH default p; HELLO 2 SETNAME auth AUTH u p; HELLO 2 AUTH default x SETNAME n");
  const std::string seen = other->take();
  for (const ByteView words :
       {R"-("AUTH" "(redacted)" +)-", R"-("AUTH" "(redacted)" "(redacted)" +)-",
        R"-("HELLO" "2" "SETNAME" "auth" "AUTH" "(redacted)" "(redacted)" +)-",
        R"-("HELLO" "2" "AUTH" "(redacted)" "(redacted)" "SETNAME" "n")-"})
    EXPECT_TRUE(contains(seen, words)) << words << " in " << seen;
  admin->ask("ACL SETUSER u on >p; CONFIG SET timeout 0 REQUIREPASS \"\"");
  const std::string logged = world.run("SLOWLOG GET");
  for (const ByteView words : {R"-("ACL" "SETUSER" "(redacted)" "(redacted)" "(redacted)")-",
                               R"-("SET" "timeout" "0" "REQUIREPASS" "(redacted)")-"})
    EXPECT_TRUE(contains(logged, words)) << words << " in " << logged;
}

// ---- the small ones

TEST_F(AclTest, TellsUsersCategoriesAndPasswords) {
  world.run("ACL SETUSER a");
  EXPECT_EQ(world.run("ACL USERS"), R"(["a" "default"])");
  EXPECT_EQ(world.run("ACL LIST"),
            "[\"user a off resetchannels -@all\" \"user default on nopass ~* &* +@all\"]");
  EXPECT_EQ(world.run("ACL GETUSER nobody"), "_");
  EXPECT_TRUE(contains(world.run("ACL CAT transaction"), "exec"));
  EXPECT_EQ(world.run("ACL CAT nosuch"), "(ERR Unknown category 'nosuch')");
  EXPECT_TRUE(contains(world.run("ACL CAT a b"),
                       "unknown subcommand or wrong number of arguments for 'CAT'"));
  EXPECT_EQ(world.run("ACL GENPASS 5"), "\"55\"");
  EXPECT_EQ(world.run("ACL GENPASS").size(), 64U + 2);
  EXPECT_TRUE(contains(world.run("ACL GENPASS 4097"), "a positive number up to 4096"));
  EXPECT_EQ(world.run("ACL WHOAMI"), "_") << "a caller without a user";
  EXPECT_EQ(admin->ask("ACL WHOAMI"), "$7 default");
}

}  // namespace
}  // namespace ouro
