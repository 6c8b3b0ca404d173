// SPDX-License-Identifier: BSD-3-Clause
#include "engine_fixture.h"

namespace ouro {
namespace {

// Collections are made directly: the commands that fill them are tested elsewhere.
struct Sorting : EngineFixture {
  Sorting()
      : EngineFixture(
            {kStringCommands, kStringSetCommands, kSortCommands, kKeyCommands, kObjectCommands}) {}

  void list(ByteView name, std::initializer_list<ByteView> elements) {
    List& list = db().add<List>(db().key(name));
    for (const ByteView e : elements) list.push(engine.heap, options.limits, ListEnd::kBack, e);
  }
  void set(ByteView name, std::initializer_list<ByteView> members) {
    Set& set = db().add<Set>(db().key(name));
    for (const ByteView m : members) set.add(engine.heap, options.limits, db().seed(), m);
  }
  void zset(ByteView name, std::initializer_list<std::pair<ByteView, double>> members) {
    ZSet& zset = db().add<ZSet>(db().key(name));
    for (const auto& [member, score] : members) {
      zset.add(engine.heap, options.limits, db().seed(), member, score, {});
    }
  }
  void hash(ByteView name, ByteView field, ByteView value) {
    Hash& hash = db().add<Hash>(db().key(name));
    hash.set(engine.heap, options.limits, db().seed(), field, value);
  }
  // Keys that were reached only through add() are not checked by commands: read one back.
  std::string contents(ByteView name) { return run({"SORT", name, "BY", "nosort"}); }
};

TEST(Sort, NumbersAndText) {
  Sorting engine;
  engine.list("l", {"3", "10", "-1.5", "2"});
  EXPECT_EQ(engine.run("SORT l"), R"(["-1.5" "2" "3" "10"])");
  EXPECT_EQ(engine.run("SORT l DESC"), R"(["10" "3" "2" "-1.5"])");
  EXPECT_EQ(engine.run("SORT l ALPHA"), R"(["-1.5" "10" "2" "3"])");
  EXPECT_EQ(engine.run("SORT l LIMIT 1 2"), R"(["2" "3"])");
  EXPECT_EQ(engine.run("SORT l LIMIT -3 2"), R"(["-1.5" "2"])");
  EXPECT_EQ(engine.run("SORT l LIMIT 2 -1"), R"(["3" "10"])");
  EXPECT_EQ(engine.run("SORT l LIMIT 9 1"), "[]");
  EXPECT_EQ(engine.run("SORT l LIMIT 0 0"), "[]");
  EXPECT_EQ(engine.run("SORT none"), "[]");
  engine.list("words", {"b", "1"});
  EXPECT_EQ(engine.run("SORT words"), "(ERR One or more scores can't be converted into double)");
  // As strtod: nothing is 0, hexadecimal and infinity are numbers.
  engine.list("odd", {"0x10", "", "inf", " 3"});
  EXPECT_EQ(engine.run("SORT odd"), R"(["" " 3" "0x10" "inf"])");
}

TEST(Sort, SetsAndSortedSets) {
  Sorting engine;
  engine.set("s", {"30", "4", "200"});
  EXPECT_EQ(engine.run("SORT s"), R"(["4" "30" "200"])");
  engine.zset("z", {{"c", 1}, {"a", 2}, {"b", 3}});
  EXPECT_EQ(engine.run("SORT z ALPHA"), R"(["a" "b" "c"])");
  EXPECT_EQ(engine.run("SORT z BY nosort"), R"(["c" "a" "b"])");
  EXPECT_EQ(engine.run("SORT z BY nosort DESC"), R"(["b" "a" "c"])");
  EXPECT_EQ(engine.run("SORT z BY nosort LIMIT 1 1"), R"(["a"])");
  EXPECT_EQ(engine.run("SORT z BY nosort DESC LIMIT 0 2"), R"(["b" "a"])");
  engine.run("SET text v");
  EXPECT_EQ(engine.run("SORT text"), kWrongTypeAnswer);
}

TEST(Sort, ByOtherKeys) {
  Sorting engine;
  engine.list("l", {"1", "2", "3", "4"});
  engine.run("MSET w_1 30 w_2 10 w_3 20 n_1 one n_3 three");
  EXPECT_EQ(engine.run("SORT l BY w_*"), R"(["4" "2" "3" "1"])");
  EXPECT_EQ(engine.run("SORT l BY n_* ALPHA"), R"(["2" "4" "1" "3"])");
  EXPECT_EQ(engine.run("SORT l BY w_* GET # GET n_* LIMIT 1 2"), R"(["2" _ "3" "three"])");
  engine.hash("h_1", "weight", "2");
  engine.hash("h_2", "weight", "1");
  EXPECT_EQ(engine.run("SORT l BY h_*->weight LIMIT 2 2 GET # GET h_*->weight"),
            R"(["2" "1" "1" "2"])");
  EXPECT_EQ(engine.run("SORT l BY nosort GET h_*->none GET nostar LIMIT 0 1"), "[_ _]");
  EXPECT_EQ(engine.run("SORT l BY nosort DESC LIMIT 1 2"), R"(["3" "2"])");
}

TEST(Sort, DueKeysWeighNothing) {
  Sorting engine;
  engine.list("l", {"1", "2"});
  engine.run_all({"SET w_1 5", "SET w_2 -5 PX 10"});
  EXPECT_EQ(engine.run("SORT l BY w_*"), R"(["2" "1"])");
  engine.run("SET w_1 -1");
  engine.pass(10);
  EXPECT_EQ(engine.run("SORT l BY w_*"), R"(["1" "2"])");
}

TEST(Sort, Stores) {
  Sorting engine;
  engine.list("l", {"3", "1", "2"});
  EXPECT_EQ(engine.run("SORT l DESC STORE out"), "3");
  EXPECT_EQ(engine.effects(), "0: SORT l DESC STORE out");
  EXPECT_EQ(engine.contents("out"), R"(["3" "2" "1"])");
  EXPECT_EQ(engine.run("TYPE out"), "list");
  EXPECT_EQ(engine.run("SORT l STORE l"), "3");
  EXPECT_EQ(engine.contents("l"), R"(["1" "2" "3"])");
  // What GET does not find is stored as an empty element, and it may read the key that is replaced.
  engine.run_all({"SET v_1 x PX 1000", "SET dst old"});
  EXPECT_EQ(engine.run("SORT l GET v_* GET # STORE v_1"), "6");
  EXPECT_EQ(engine.contents("v_1"), R"(["x" "1" "" "2" "" "3"])");
  // An empty result removes the key.
  EXPECT_EQ(engine.run("SORT none STORE dst"), "0");
  EXPECT_EQ(engine.run("EXISTS dst"), "0");
  // A set without order gets one where it is stored.
  engine.set("s", {"c", "a", "b"});
  EXPECT_EQ(engine.run("SORT s BY nosort STORE out"), "3");
  EXPECT_EQ(engine.contents("out"), R"(["a" "b" "c"])");
  EXPECT_EQ(engine.run("SORT_RO l STORE out"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("SORT_RO l DESC"), R"(["3" "2" "1"])");
}

TEST(Sort, SyntaxComesBeforeType) {
  Sorting engine;
  engine.run("SET text v");
  for (const ByteView words : {"WHAT", "LIMIT 1", "BY", "GET", "STORE"}) {
    EXPECT_EQ(engine.run("SORT text " + std::string(words)), "(ERR syntax error)");
  }
  EXPECT_EQ(engine.run("SORT text LIMIT a 1"), "(ERR value is not an integer or out of range)");
}

// A short window of many elements, cut by a partial sort, is the same as of all in order.
TEST(Sort, AWindowIsPartOfTheWhole) {
  Sorting engine;
  List& list = engine.db().add<List>(engine.db().key("l"));
  Prng prng(7);
  for (int i = 0; i < 2000; ++i) {
    const std::string number = std::to_string(prng.below(500));
    list.push(engine.engine.heap, engine.options.limits, ListEnd::kBack, number);
  }
  engine.run("SORT l STORE sorted");
  for (const ByteView window : {"0 10", "995 10", "1990 100"}) {
    const std::string limit = " LIMIT " + std::string(window);
    EXPECT_EQ(engine.run("SORT l" + limit), engine.run("SORT sorted BY nosort" + limit));
  }
}

TEST(Sort, NamesItsKeys) {
  const std::vector<ByteView> argv = {"SORT", "l", "BY", "store", "GET", "STORE", "STORE", "out"};
  std::string keys;
  EXPECT_TRUE(for_each_key(kSortCommands[0], argv, [&](size_t index, KeyUse) {
                keys += std::string(argv[index]) + ' ';
              }).is_ok());
  EXPECT_EQ(keys, "l out ");
}

}  // namespace
}  // namespace ouro
