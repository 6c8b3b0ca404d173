// SPDX-License-Identifier: BSD-3-Clause
// BF.*: replies and errors as RedisBloom 2.8 gives them; redis.io's command pages of BF.* and the
// module's own texts are what each expectation rests on, since no server with it is at hand.
#include <string>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct BloomCommands : EngineFixture {
  BloomCommands()
      : EngineFixture({kBloomCommands, kStringCommands, kStringSetCommands, kKeyCommands,
                       kKeyScanCommands, kObjectCommands, kDebugCommands, kMemoryCommands,
                       kTransactionCommands}) {}
};

TEST(BloomCommands, AddMakesTheFilter) {
  BloomCommands engine;
  EXPECT_EQ(engine.run("BF.ADD f a"), "#t");
  EXPECT_EQ(engine.run("BF.ADD f a"), "#f");
  EXPECT_EQ(engine.run("BF.MADD f a b c"), "[#f #t #t]");
  EXPECT_EQ(engine.run("BF.EXISTS f b"), "#t");
  EXPECT_EQ(engine.run("BF.EXISTS f x"), "#f");
  EXPECT_EQ(engine.run("BF.MEXISTS f a x c"), "[#t #f #t]");
  EXPECT_EQ(engine.run("BF.CARD f"), "3");
  EXPECT_EQ(engine.run("TYPE f"), "MBbloom--");
  EXPECT_EQ(engine.run("OBJECT ENCODING f"), "\"raw\"");
}

TEST(BloomCommands, Resp3HasBooleansAndMaps) {
  BloomCommands engine;
  engine.resp3 = true;
  EXPECT_EQ(engine.run("BF.ADD f a"), "#t");
  EXPECT_EQ(engine.run("BF.MADD f a b"), "[#f #t]");
  EXPECT_EQ(engine.run("BF.INSERT f ITEMS b c"), "[#f #t]");
  EXPECT_EQ(engine.run("BF.EXISTS f a"), "#t");
  EXPECT_EQ(engine.run("BF.MEXISTS none a b"), "[#f #f]");
  EXPECT_EQ(engine.run("BF.INFO f"),
            "{Capacity 100 Size 240 Number of filters 1 Number of items inserted 3 "
            "Expansion rate 2}");
  EXPECT_EQ(engine.run("BF.INFO f SIZE"), "{Size 240}");
}

TEST(BloomCommands, InfoOfOneFieldIsAnArrayOfOne) {
  BloomCommands engine;
  engine.run_all({"BF.RESERVE f 0.01 1000 EXPANSION 3", "BF.MADD f a b"});
  EXPECT_EQ(engine.run("BF.INFO f capacity"), "[1000]");
  EXPECT_EQ(engine.run("BF.INFO f FILTERS"), "[1]");
  EXPECT_EQ(engine.run("BF.INFO f ITEMS"), "[2]");
  EXPECT_EQ(engine.run("BF.INFO f EXPANSION"), "[3]");
  EXPECT_EQ(engine.run("BF.INFO f OTHER"), "(Invalid information value)");
  EXPECT_EQ(engine.run("BF.INFO f ITEMS x"),
            "(ERR wrong number of arguments for 'bf.info' command)");
  engine.run("BF.RESERVE fixed 0.01 10 NONSCALING");
  EXPECT_EQ(engine.run("BF.INFO fixed EXPANSION"), "[_]");
}

TEST(BloomCommands, MissingKeys) {
  BloomCommands engine;
  EXPECT_EQ(engine.run("BF.EXISTS none a"), "#f");
  EXPECT_EQ(engine.run("BF.MEXISTS none a b"), "[#f #f]");
  EXPECT_EQ(engine.run("BF.CARD none"), "0");
  EXPECT_EQ(engine.run("BF.INFO none"), "(ERR not found)");
  EXPECT_EQ(engine.run("BF.SCANDUMP none 0"), "(ERR not found)");
  EXPECT_EQ(engine.run("BF.LOADCHUNK none 2 x"), "(ERR not found)");
  EXPECT_EQ(engine.run("BF.INSERT none NOCREATE ITEMS a"), "(ERR not found)");
  EXPECT_EQ(engine.run("EXISTS none"), "0");
}

TEST(BloomCommands, OtherTypes) {
  BloomCommands engine;
  engine.run_all({"SET text v", "BF.ADD f a"});
  for (const ByteView line :
       {"BF.ADD text a", "BF.MADD text a", "BF.INSERT text ITEMS a", "BF.RESERVE text 0.1 10",
        "BF.INFO text", "BF.CARD text", "BF.SCANDUMP text 0", "BF.LOADCHUNK text 1 x", "GET f"}) {
    EXPECT_EQ(engine.run(line), kWrongTypeAnswer) << line;
  }
  // The module asks nothing more of a key that is to hold an item.
  EXPECT_EQ(engine.run("BF.EXISTS text a"), "#f");
  EXPECT_EQ(engine.run("BF.MEXISTS text a"), "[#f]");
}

TEST(BloomCommands, ReserveChecksItsArguments) {
  BloomCommands engine;
  EXPECT_EQ(engine.run("BF.RESERVE f x 10"), "(ERR bad error rate)");
  EXPECT_EQ(engine.run("BF.RESERVE f nan 10"), "(ERR bad error rate)");
  for (const ByteView rate : {"0", "1", "-0.1", "inf"}) {
    EXPECT_EQ(engine.run({"BF.RESERVE", "f", rate, "10"}), "(ERR (0 < error rate range < 1) )");
  }
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 x"), "(ERR bad capacity)");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 0"), "(ERR (capacity should be larger than 0))");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 10 EXPANSION"), "(ERR no expansion)");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 10 EXPANSION x"), "(ERR bad expansion)");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 10 EXPANSION 4294967296"), "(ERR bad expansion)");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 10 EXPANSION 0"),
            "(ERR expansion should be greater or equal to 1)");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 10 NONSCALING EXPANSION 2"),
            "(Nonscaling filters cannot expand)");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 10 OTHER"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 10 EXPANSION 2 NONSCALING x"),
            "(ERR wrong number of arguments for 'bf.reserve' command)");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.0001 9223372036854775807"),
            "(ERR Insufficient memory to create filter)");
  EXPECT_EQ(engine.run("EXISTS f"), "0");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 10"), "OK");
  EXPECT_EQ(engine.run("BF.RESERVE f 0.1 10"), "(ERR item exists)");
}

TEST(BloomCommands, InsertChecksItsArguments) {
  BloomCommands engine;
  const std::string arity = "(ERR wrong number of arguments for 'bf.insert' command)";
  EXPECT_EQ(engine.run("BF.INSERT f ERROR x ITEMS a"), "(Bad error rate)");
  EXPECT_EQ(engine.run("BF.INSERT f CAPACITY x ITEMS a"), "(Bad capacity)");
  EXPECT_EQ(engine.run("BF.INSERT f EXPANSION x ITEMS a"), "(Bad expansion)");
  EXPECT_EQ(engine.run("BF.INSERT f OTHER ITEMS a"), "(Unknown argument received)");
  EXPECT_EQ(engine.run("BF.INSERT f ERROR 0 ITEMS a"), "(Bad argument received)");
  EXPECT_EQ(engine.run("BF.INSERT f CAPACITY 0 ITEMS a"), "(Bad argument received)");
  EXPECT_EQ(engine.run("BF.INSERT f EXPANSION 0 ITEMS a"), "(Bad argument received)");
  EXPECT_EQ(engine.run("BF.INSERT f NOCREATE ITEMS"), arity);
  EXPECT_EQ(engine.run("BF.INSERT f NOCREATE CAPACITY"), arity);
  EXPECT_EQ(engine.run("BF.INSERT f NOCREATE NONSCALING"), arity);
  EXPECT_EQ(engine.run("BF.INSERT f CAPACITY 1000000000000000 ITEMS a"),
            "(ERR Insufficient memory to create filter)");
  EXPECT_EQ(engine.run("EXISTS f"), "0");
  EXPECT_EQ(engine.run("BF.INSERT f CAPACITY 7 ERROR 0.1 EXPANSION 3 ITEMS a ITEMS a"),
            "[#t #t #f]");
  EXPECT_EQ(engine.run("BF.INFO f CAPACITY"), "[7]");
  EXPECT_EQ(engine.run("BF.INFO f EXPANSION"), "[3]");
  EXPECT_EQ(engine.run("BF.INSERT f NOCREATE ITEMS b"), "[#t]");
}

TEST(BloomCommands, AFullFilterEndsTheAnswer) {
  BloomCommands engine;
  engine.run("BF.RESERVE f 0.0001 2 NONSCALING");
  EXPECT_EQ(engine.run("BF.MADD f a b a c d"), "[#t #t #f (ERR non scaling filter is full)]");
  EXPECT_EQ(engine.run("BF.ADD f c"), "(ERR non scaling filter is full)");
  EXPECT_EQ(engine.run("BF.CARD f"), "2");
  engine.run("BF.RESERVE g 0.0001 1 EXPANSION 4294967295");
  EXPECT_EQ(engine.run("BF.MADD g a b"), "[#t (ERR problem inserting into filter)]");
}

TEST(BloomCommands, OnlyChangesAreInTheLog) {
  BloomCommands engine;
  engine.run_all({"BF.ADD f a"});
  EXPECT_EQ(engine.effects(), "0: BF.ADD f a");
  engine.run_all({"BF.ADD f a", "BF.EXISTS f a", "BF.INFO f", "BF.SCANDUMP f 0", "BF.CARD f"});
  EXPECT_EQ(engine.effects(), "");
}

TEST(BloomCommands, ADumpMovesAFilter) {
  BloomCommands engine;
  engine.run("BF.RESERVE f 0.01 20000");
  for (int i = 0; i < 30'000; ++i) engine.run("BF.ADD f item" + std::to_string(i));
  const Bloom& filter = engine.db().find(engine.db().key("f"))->as<Bloom>();
  EXPECT_EQ(engine.run({"BF.LOADCHUNK", "g", "1", filter.header()}), "OK");
  int64_t iterator = 1;
  for (;;) {
    const std::string bytes = filter.read(static_cast<uint64_t>(iterator - 1), 1_MiB);
    const std::string answer = engine.run("BF.SCANDUMP f " + std::to_string(iterator));
    if (bytes.empty()) {
      EXPECT_EQ(answer, "[0 \"\"]");
      break;
    }
    iterator += static_cast<int64_t>(bytes.size());
    EXPECT_EQ(answer, "[" + std::to_string(iterator) + " \"" + printable(bytes) + "\"]");
    EXPECT_EQ(engine.run({"BF.LOADCHUNK", "g", std::to_string(iterator), bytes}), "OK");
  }
  EXPECT_EQ(engine.run("DEBUG DIGEST-VALUE f"), engine.run("DEBUG DIGEST-VALUE g"));
  EXPECT_EQ(engine.run("BF.CARD g"), engine.run("BF.CARD f"));
}

TEST(BloomCommands, DumpsAreChecked) {
  BloomCommands engine;
  engine.run("BF.ADD f a");
  EXPECT_EQ(engine.run("BF.SCANDUMP f x"), "(Second argument must be numeric)");
  EXPECT_EQ(engine.run("BF.SCANDUMP f -1"), "[0 \"\"]");
  EXPECT_EQ(engine.run("BF.SCANDUMP f 145"), "[0 \"\"]");
  EXPECT_EQ(engine.run("BF.LOADCHUNK f x y"), "(ERR Second argument must be numeric)");
  EXPECT_EQ(engine.run("BF.LOADCHUNK g 1 y"), "(ERR received bad data)");
  EXPECT_EQ(engine.run("EXISTS g"), "0");
  const std::string half(72, 'y');
  EXPECT_EQ(engine.run({"BF.LOADCHUNK", "f", "0", half}), "(ERR received bad data)");
  EXPECT_EQ(engine.run({"BF.LOADCHUNK", "f", "71", half}), "(ERR received bad data)");
  EXPECT_EQ(engine.run({"BF.LOADCHUNK", "f", "72", half}), "(ERR invalid offset - no link found)");
  EXPECT_EQ(engine.run({"BF.LOADCHUNK", "f", "146", half}),
            "(ERR invalid chunk - Too big for current filter)");
  EXPECT_EQ(engine.run({"BF.LOADCHUNK", "f", "217", half}), "(ERR invalid offset - no link found)");
  EXPECT_EQ(engine.run("BF.EXISTS f a"), "#t");
  EXPECT_EQ(engine.run({"BF.LOADCHUNK", "f", "145", half}), "OK");
}

TEST(BloomCommands, FiltersMoveLikeOtherValues) {
  BloomCommands engine;
  engine.run("BF.RESERVE f 0.001 100000");
  for (int i = 0; i < 1000; ++i) engine.run("BF.ADD f item" + std::to_string(i));
  EXPECT_EQ(engine.run("COPY f g"), "1");
  EXPECT_EQ(engine.run("DEBUG DIGEST-VALUE f"), engine.run("DEBUG DIGEST-VALUE g"));
  engine.run("BF.ADD g other");
  EXPECT_NE(engine.run("DEBUG DIGEST-VALUE f"), engine.run("DEBUG DIGEST-VALUE g"));
  EXPECT_EQ(engine.run("RENAME g h"), "OK");
  EXPECT_EQ(engine.run("BF.EXISTS h other"), "#t");
  EXPECT_EQ(engine.run("SCAN 0 TYPE mbbloom--").size(), sizeof("[\"0\" [\"f\" \"h\"]]") - 1);
  const size_t used = engine.engine.heap.used_bytes();
  EXPECT_GT(used, 180'000U * 2);
  EXPECT_EQ(engine.run("UNLINK f h"), "2");
  engine.engine.dbs.lazy_free().run(1000);
  EXPECT_LT(engine.engine.heap.used_bytes(), used - 180'000U * 2);
}

TEST(BloomCommands, WatchSeesAdds) {
  BloomCommands engine;
  engine.run("BF.ADD f a");
  const auto other_runs = [&](std::initializer_list<ByteView> argv) {
    Caller other{Origin::kEmbedded};
    NullReply reply;
    engine.engine.executor.execute(other, Argv(argv.begin(), argv.size()), reply);
  };
  engine.run("WATCH f");
  other_runs({"BF.ADD", "f", "a"});
  engine.run_all({"MULTI", "BF.CARD f"});
  EXPECT_EQ(engine.run("EXEC"), "[1]");
  engine.run("WATCH f");
  other_runs({"BF.ADD", "f", "b"});
  engine.run_all({"MULTI", "BF.CARD f"});
  EXPECT_EQ(engine.run("EXEC"), "*_");
}

}  // namespace
}  // namespace ouro
