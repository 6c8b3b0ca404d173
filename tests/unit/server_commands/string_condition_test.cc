// SPDX-License-Identifier: BSD-3-Clause
// What each reply here is taken from, since no server of this machine knows these commands: the
// pages of SET, DELEX, DIGEST and MSETEX for Redis 8.4 (redis.io/commands), of SET IFEQ and DELIFEQ
// for Valkey 8.1 and 9.0 (valkey.io/commands), and the public test suites of both for error texts;
// for EXEC the pull request of Valkey 9.2 (valkey#4019).
// XXH3's own test vectors say what the digest is.
#include <map>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct Conditions : EngineFixture {
  Conditions()
      : EngineFixture({kStringCommands, kStringSetCommands, kStringConditionCommands, kKeyCommands,
                       kExpireCommands, kListCommands, kTransactionCommands, kCommandCommands}) {}
};

constexpr ByteView kBadDigestLine = "(ERR digest must be exactly 16 hexadecimal characters)";

TEST(Digest, IsXxh3InHexadecimal) {
  Conditions engine;
  engine.run_all({"SET k \"\"", "SET n 12345", "SET m \" 12345\"", "RPUSH list a"});
  EXPECT_EQ(engine.run("DIGEST k"), "\"2d06800538d394c2\"");
  EXPECT_EQ(engine.run("DIGEST absent"), "_");
  EXPECT_EQ(engine.run("DIGEST list"), kWrongTypeAnswer);
  // As text, however it is stored.
  engine.run_all({"SET t 1234", "APPEND t 5"});
  EXPECT_EQ(engine.run("DIGEST t"), engine.run("DIGEST n"));
  EXPECT_NE(engine.run("DIGEST t"), engine.run("DIGEST m"));
  // Leading zeros stay (the value is of the public Redis suite).
  engine.run(
      "SET k "
      "v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kwlj7626"
      "sd");
  EXPECT_EQ(engine.run("DIGEST k"), "\"00006c38adf31777\"");
  EXPECT_EQ(engine.run("DIGEST k k"), "(ERR wrong number of arguments for 'digest' command)");
}

TEST(SetIf, ComparesTheValue) {
  Conditions engine;
  EXPECT_EQ(engine.run("SET k b IFEQ a"), "_");
  EXPECT_EQ(engine.run("EXISTS k"), "0");
  EXPECT_EQ(engine.run("SET k a IFNE a"), "OK");
  EXPECT_EQ(engine.run("SET k b ifeq a"), "OK");
  EXPECT_EQ(engine.run("SET k c IFEQ a"), "_");
  EXPECT_EQ(engine.run("SET k c IFNE b"), "_");
  EXPECT_EQ(engine.run("SET k c IFEQ x GET"), "\"b\"");
  EXPECT_EQ(engine.run("SET k 12 IFEQ b GET"), "\"b\"");
  EXPECT_EQ(engine.run("SET k c IFEQ 012"), "_");
  EXPECT_EQ(engine.run("SET k c IFEQ 12 EX 10"), "OK");
  EXPECT_EQ(engine.run("TTL k"), "10");
  EXPECT_EQ(engine.run("SET k d IFEQ c KEEPTTL"), "OK");
  EXPECT_EQ(engine.run("TTL k"), "10");
  EXPECT_EQ(engine.run("SET k e IFEQ d"), "OK");
  EXPECT_EQ(engine.run("TTL k"), "-1");
}

TEST(SetIf, ComparesTheDigest) {
  Conditions engine;
  EXPECT_EQ(engine.run("SET k \"\" IFDEQ 2d06800538d394c2"), "_");
  EXPECT_EQ(engine.run("SET k \"\" IFDNE 2d06800538d394c2"), "OK");
  EXPECT_EQ(engine.run("SET k a IFDNE 2d06800538d394c2"), "_");
  EXPECT_EQ(engine.run("SET k a IFDEQ 2D06800538D394C2"), "OK");
  EXPECT_EQ(engine.run("SET k b IFDEQ 2d06800538d394c2"), "_");
  EXPECT_EQ(engine.run("GET k"), "\"a\"");
  for (const char* digest : {"2d06800538d394c", "02d06800538d394c2", "\"\"", "2d06800538d394cg"}) {
    for (const char* word : {"IFDEQ ", "IFDNE "}) {
      EXPECT_EQ(engine.run(std::string("SET k b ") + word + digest), kBadDigestLine);
      EXPECT_EQ(engine.run(std::string("DELEX k ") + word + digest), kBadDigestLine);
      // Nothing to compare it with.
      EXPECT_EQ(engine.run(std::string("DELEX absent ") + word + digest), "0");
    }
  }
}

TEST(SetIf, RefusesOtherTypesAndMixedConditions) {
  Conditions engine;
  engine.run("RPUSH list a");
  for (const char* condition : {"IFEQ a", "IFNE a", "IFDEQ 1", "IFDNE 1"}) {
    EXPECT_EQ(engine.run(std::string("SET list v ") + condition), kWrongTypeAnswer);
    EXPECT_EQ(engine.run(std::string("SET k v NX ") + condition), "(ERR syntax error)");
    EXPECT_EQ(engine.run(std::string("SET k v ") + condition + " XX"), "(ERR syntax error)");
    EXPECT_EQ(engine.run(std::string("SET k v ") + condition + " IFEQ b"), "(ERR syntax error)");
    EXPECT_EQ(engine.run(std::string("GETEX k ") + condition), "(ERR syntax error)");
  }
  EXPECT_EQ(engine.run("SET k v IFEQ"), "(ERR syntax error)");
}

TEST(SetIf, LeavesTheFactWithoutItsCondition) {
  Conditions engine;
  engine.run("SET k a");
  engine.effects();
  engine.run("SET k b IFEQ x");
  EXPECT_EQ(engine.effects(), "");
  engine.run("SET k b IFEQ a GET");
  EXPECT_EQ(engine.effects(), "0: SET k b");
  engine.run("SET k c IFNE a KEEPTTL");
  EXPECT_EQ(engine.effects(), "0: SET k c KEEPTTL");
  engine.run("SET k d IFEQ c PX 10");
  EXPECT_EQ(engine.effects(), "0: SET k d PXAT 1700000000010");
}

TEST(Delex, DeletesWhatMeetsTheCondition) {
  Conditions engine;
  engine.run_all({"SET k hello", "RPUSH list a"});
  EXPECT_EQ(engine.run("DELEX k IFEQ x"), "0");
  EXPECT_EQ(engine.run("DELEX k IFNE hello"), "0");
  EXPECT_EQ(engine.run("DELEX list IFEQ a"),
            "(ERR Key should be of string type if conditions are specified)");
  EXPECT_EQ(engine.run("DELEX k WHAT hello"),
            "(ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE)");
  EXPECT_EQ(engine.run("DELEX k IFEQ"), "(ERR wrong number of arguments for 'delex' command)");
  EXPECT_EQ(engine.run("DELEX k IFEQ a b"), "(ERR wrong number of arguments for 'delex' command)");
  engine.effects();
  EXPECT_EQ(engine.run("DELEX k IFEQ hello"), "1");
  EXPECT_EQ(engine.effects(), "0: DEL k");
  EXPECT_EQ(engine.run("DELEX k IFNE hello"), "0");
  EXPECT_EQ(engine.effects(), "");
  EXPECT_EQ(engine.run("DELEX list"), "1");
  EXPECT_EQ(engine.run("DELEX list"), "0");
  EXPECT_EQ(engine.effects(), "0: DEL list");
}

TEST(Delifeq, DeletesAnEqualString) {
  Conditions engine;
  engine.run_all({"SET k 1", "RPUSH list a"});
  EXPECT_EQ(engine.run("DELIFEQ k 2"), "0");
  EXPECT_EQ(engine.run("DELIFEQ absent 2"), "0");
  EXPECT_EQ(engine.run("DELIFEQ list a"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("DELIFEQ k 1"), "1");
  EXPECT_EQ(engine.run("EXISTS k"), "0");
}

TEST(Msetex, StoresAllOrNone) {
  Conditions engine;
  EXPECT_EQ(engine.run("MSETEX 2 a 1 b 2 XX"), "0");
  EXPECT_EQ(engine.run("MSETEX 2 a 1 b 2 EX 10"), "1");
  EXPECT_EQ(engine.run("MSETEX 2 b x c 3 NX"), "0");
  EXPECT_EQ(engine.run("MSETEX 2 b x c 3 XX"), "0");
  EXPECT_EQ(engine.run("MGET a b c"), "[\"1\" \"2\" _]");
  EXPECT_EQ(engine.run("TTL b"), "10");
  engine.effects();
  EXPECT_EQ(engine.run("MSETEX 2 b y c 3 KEEPTTL"), "1");
  EXPECT_EQ(engine.effects(), "(; 0: SET b y KEEPTTL; 0: SET c 3 KEEPTTL; )");
  EXPECT_EQ(engine.run("TTL b"), "10");
  EXPECT_EQ(engine.run("TTL c"), "-1");
  EXPECT_EQ(engine.run("MSETEX 2 b z b zz PX 100 XX"), "1");
  EXPECT_EQ(engine.effects(),
            "(; 0: SET b z PXAT 1700000000100; 0: SET b zz PXAT 1700000000100; )");
  EXPECT_EQ(engine.run("GET b"), "\"zz\"");
  EXPECT_EQ(engine.run("MSETEX 1 b w"), "1");
  EXPECT_EQ(engine.run("TTL b"), "-1");
}

TEST(Msetex, RefusesWhatDoesNotFit) {
  Conditions engine;
  EXPECT_EQ(engine.run("MSETEX key1 val1 ex 10"), "(ERR invalid numkeys value)");
  EXPECT_EQ(engine.run("MSETEX 0 a b"), "(ERR invalid numkeys value)");
  EXPECT_EQ(engine.run("MSETEX 2147483648 a b ex 10"), "(ERR invalid numkeys value)");
  EXPECT_EQ(engine.run("MSETEX 2147483647 a b ex 10"), "(ERR wrong number of key-value pairs)");
  EXPECT_EQ(engine.run("MSETEX 2 a 1 b"), "(ERR wrong number of key-value pairs)");
  for (const char* options :
       {"NX XX", "EX 1 PX 1", "KEEPTTL EX 1", "GET", "IFEQ a", "PERSIST", "x"}) {
    EXPECT_EQ(engine.run(std::string("MSETEX 1 a 1 ") + options), "(ERR syntax error)") << options;
  }
  EXPECT_EQ(engine.run("MSETEX 1 a 1 EX 0"), "(ERR invalid expire time in 'msetex' command)");
  EXPECT_EQ(engine.run("EXISTS a"), "0");
}

// A random walk beside a plain map: replies and contents.
TEST(ConditionModel, AgreesWithAMap) {
  Conditions engine;
  Prng prng(7);
  std::map<std::string, std::string> model;
  const auto digest = [&](const std::string& value) {
    engine.run({"SET", "scratch", value});
    const std::string line = engine.run("DIGEST scratch");
    return line.substr(1, line.size() - 2);
  };
  const std::vector<std::string> values = {"", "1", "01", "aaa", "bbb", std::string(9000, 'x')};
  const auto any_of = [&](const auto& list) { return list[prng.below(list.size())]; };
  for (int step = 0; step < 30'000; ++step) {
    const std::string key(1, static_cast<char>('a' + prng.below(4)));
    const std::string value = any_of(values);
    const std::string operand = any_of(values);
    const uint64_t kind = prng.below(4);
    const char* const words[] = {"IFEQ", "IFNE", "IFDEQ", "IFDNE"};
    const auto at = model.find(key);
    const bool equal = at != model.end() && at->second == operand;
    const bool met = kind % 2 == 0 ? equal : !equal;
    const std::string sent = kind < 2 ? operand : digest(operand);
    if (prng.below(2) == 0) {
      ASSERT_EQ(engine.run({"SET", key, value, words[kind], sent}), met ? "OK" : "_");
      if (met) model[key] = value;
    } else {
      const bool gone = met && at != model.end();
      ASSERT_EQ(engine.run({"DELEX", key, words[kind], sent}), gone ? "1" : "0");
      if (gone) model.erase(at);
    }
    for (const char* name : {"a", "b", "c", "d"}) {
      const auto entry = model.find(name);
      ASSERT_EQ(engine.run({"GET", name}), entry == model.end() ? "_" : '"' + entry->second + '"');
    }
  }
}

// What EXEC with these conditions says of a transaction that stores "x", and whether it did.
std::string exec_if(Conditions& engine, const std::string& conditions) {
  engine.run_all({"DEL stored", "MULTI", "SET stored x"});
  const std::string answer = engine.run("EXEC " + conditions);
  EXPECT_EQ(engine.run("EXISTS stored"), answer == "[OK]" ? "1" : "0") << conditions;
  EXPECT_EQ(engine.run("EXEC"), "(ERR EXEC without MULTI)") << conditions;
  return answer;
}

TEST(ExecIf, AllConditionsMustHold) {
  Conditions engine;
  engine.run_all({"SET k v", "SET n 12", "RPUSH list a", "SET short s PX 5"});
  engine.pass(5);
  for (const char* holding :
       {"", "IFEQ k v", "ifeq n 12", "IFNE k w", "IFNE absent v", "NX absent", "XX k", "XX list",
        "NX short", "IFEQ k v IFEQ n 12 NX absent XX list IFNE k x XX k"})
    EXPECT_EQ(exec_if(engine, holding), "[OK]") << holding;
  for (const char* broken :
       {"IFEQ k w", "IFEQ absent v", "IFEQ n 012", "IFNE k v", "NX k", "NX list", "XX absent",
        "XX short", "IFEQ short s", "IFEQ k v XX absent", "XX absent IFEQ k v", "NX k NX absent"})
    EXPECT_EQ(exec_if(engine, broken), "*_") << broken;
  EXPECT_EQ(exec_if(engine, "XX k IFEQ list a"), kWrongTypeAnswer);
  EXPECT_EQ(exec_if(engine, "IFNE list a"), kWrongTypeAnswer);
}

TEST(ExecIf, OtherWordsDiscardTheTransaction) {
  Conditions engine;
  engine.run("SET k v");
  for (const char* words :
       {"IFEQ", "IFEQ k", "NX", "IFEQ k v XX", "k", "IFDEQ k v", "XX k v", "\"\""})
    EXPECT_EQ(exec_if(engine, words),
              "(EXECABORT Transaction discarded because of: invalid check condition syntax)")
        << words;
  EXPECT_EQ(engine.run("EXEC IFEQ k v"), "(ERR EXEC without MULTI)");
}

TEST(ExecIf, TellsItsKeys) {
  Conditions engine;
  EXPECT_EQ(engine.run("COMMAND GETKEYSANDFLAGS EXEC IFEQ a b NX c"),
            R"([["a" <RO access>] ["c" <RO access>]])");
  EXPECT_EQ(engine.run("COMMAND GETKEYS EXEC NX a IFEQ b"), "[]");
}

TEST(ExecIf, AsksBeforeTheQueueRuns) {
  Conditions engine;
  engine.run_all({"SET k 1", "MULTI", "INCR k", "INCR k"});
  EXPECT_EQ(engine.run("EXEC IFEQ k 1"), "[2 3]");
  engine.run_all({"MULTI", "INCR k"});
  EXPECT_EQ(engine.run("EXEC IFEQ k 1"), "*_");
  EXPECT_EQ(engine.run("GET k"), "\"3\"");
}

}  // namespace
}  // namespace ouro
