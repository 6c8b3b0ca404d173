// SPDX-License-Identifier: BSD-3-Clause
// CF.*: replies and errors as RedisBloom 2.8 gives them; redis.io's command pages of CF.* and the
// module's own texts are what each expectation rests on, since no server with it is at hand.
#include <string>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct CuckooCommands : EngineFixture {
  CuckooCommands()
      : EngineFixture(
            {kCuckooCommands, kStringSetCommands, kKeyCommands, kObjectCommands, kDebugCommands}) {}
};

TEST(CuckooCommands, AddCountDelete) {
  CuckooCommands engine;
  EXPECT_EQ(engine.run("CF.ADD f a"), "#t");
  EXPECT_EQ(engine.run("CF.ADD f a"), "#t");
  EXPECT_EQ(engine.run("CF.ADDNX f a"), "#f");
  EXPECT_EQ(engine.run("CF.ADDNX f b"), "#t");
  EXPECT_EQ(engine.run("CF.COUNT f a"), "2");
  EXPECT_EQ(engine.run("CF.EXISTS f a"), "#t");
  EXPECT_EQ(engine.run("CF.MEXISTS f a x b"), "[#t #f #t]");
  EXPECT_EQ(engine.run("CF.DEL f a"), "#t");
  EXPECT_EQ(engine.run("CF.DEL f a"), "#t");
  EXPECT_EQ(engine.run("CF.DEL f a"), "#f");
  EXPECT_EQ(engine.run("CF.COUNT f a"), "0");
  EXPECT_EQ(engine.run("TYPE f"), "MBbloomCF");
  EXPECT_EQ(engine.run("OBJECT ENCODING f"), "\"raw\"");
}

TEST(CuckooCommands, InsertAnswersByProtocol) {
  CuckooCommands engine;
  EXPECT_EQ(engine.run("CF.INSERT f ITEMS a b a"), "[1 1 1]");
  EXPECT_EQ(engine.run("CF.INSERTNX f ITEMS a c"), "[0 1]");
  engine.resp3 = true;
  EXPECT_EQ(engine.run("CF.INSERT f ITEMS a d"), "[#t #t]");
  // It has a third answer.
  EXPECT_EQ(engine.run("CF.INSERTNX f ITEMS a e"), "[0 1]");
}

TEST(CuckooCommands, InfoAsRedisBloomCounts) {
  CuckooCommands engine;
  engine.run_all({"CF.RESERVE f 9 EXPANSION 0", "CF.ADD f a", "CF.ADD f b", "CF.DEL f a"});
  EXPECT_EQ(engine.run("CF.INFO f"),
            "{Size 64 Number of buckets 4 Number of filters 1 Number of items inserted 1 "
            "Number of items deleted 1 Bucket size 2 Expansion rate 0 Max iterations 20}");
}

TEST(CuckooCommands, MissingKeys) {
  CuckooCommands engine;
  EXPECT_EQ(engine.run("CF.EXISTS none a"), "#f");
  EXPECT_EQ(engine.run("CF.MEXISTS none a b"), "[#f #f]");
  EXPECT_EQ(engine.run("CF.COUNT none a"), "0");
  EXPECT_EQ(engine.run("CF.DEL none a"), "(Not found)");
  EXPECT_EQ(engine.run("CF.COMPACT none"), "(Cuckoo filter was not found)");
  EXPECT_EQ(engine.run("CF.INFO none"), "(ERR not found)");
  EXPECT_EQ(engine.run("CF.SCANDUMP none 0"), "(ERR not found)");
  EXPECT_EQ(engine.run("CF.LOADCHUNK none 2 x"), "(ERR not found)");
  EXPECT_EQ(engine.run("CF.INSERT none NOCREATE ITEMS a"), "(ERR not found)");
  EXPECT_EQ(engine.run("CF.INSERTNX none NOCREATE ITEMS a"), "(ERR not found)");
  EXPECT_EQ(engine.run("EXISTS none"), "0");
}

TEST(CuckooCommands, OtherTypes) {
  CuckooCommands engine;
  engine.run("SET text v");
  for (const ByteView line :
       {"CF.ADD text a", "CF.ADDNX text a", "CF.INSERT text ITEMS a", "CF.INSERTNX text ITEMS a",
        "CF.RESERVE text 10", "CF.INFO text", "CF.SCANDUMP text 0", "CF.LOADCHUNK text 1 x"}) {
    EXPECT_EQ(engine.run(line), kWrongTypeAnswer) << line;
  }
  // The module asks nothing more of a key that is to hold an item.
  EXPECT_EQ(engine.run("CF.EXISTS text a"), "#f");
  EXPECT_EQ(engine.run("CF.MEXISTS text a"), "[#f]");
  EXPECT_EQ(engine.run("CF.COUNT text a"), "0");
  EXPECT_EQ(engine.run("CF.DEL text a"), "(Not found)");
  EXPECT_EQ(engine.run("CF.COMPACT text"), "(Cuckoo filter was not found)");
}

TEST(CuckooCommands, ReserveChecksItsArguments) {
  CuckooCommands engine;
  EXPECT_EQ(engine.run("CF.RESERVE f x"), "(Bad capacity)");
  EXPECT_EQ(engine.run("CF.RESERVE f 10 BUCKETSIZE"),
            "(ERR wrong number of arguments for 'cf.reserve' command)");
  EXPECT_EQ(engine.run("CF.RESERVE f 10 BUCKETSIZE x"), "(Couldn't parse BUCKETSIZE)");
  EXPECT_EQ(engine.run("CF.RESERVE f 10 MAXITERATIONS x"), "(Couldn't parse MAXITERATIONS)");
  EXPECT_EQ(engine.run("CF.RESERVE f 10 EXPANSION x"), "(Couldn't parse EXPANSION)");
  EXPECT_EQ(engine.run("CF.RESERVE f 10 BUCKETSIZE 256"),
            "(BUCKETSIZE: value must be an integer between 1 and 255, inclusive.)");
  EXPECT_EQ(engine.run("CF.RESERVE f 10 MAXITERATIONS 0"),
            "(MAXITERATIONS: value must be an integer between 1 and 65535, inclusive.)");
  EXPECT_EQ(engine.run("CF.RESERVE f 10 EXPANSION 32769"),
            "(EXPANSION: value must be an integer between 0 and 32768, inclusive.)");
  EXPECT_EQ(engine.run("CF.RESERVE f 3"), "(Capacity must be at least (BucketSize * 2))");
  EXPECT_EQ(engine.run("CF.RESERVE f -1"), "(Capacity must be at least (BucketSize * 2))");
  EXPECT_EQ(engine.run("CF.RESERVE f 10 BUCKETSIZE 6"),
            "(Capacity must be at least (BucketSize * 2))");
  EXPECT_EQ(engine.run("CF.RESERVE f 10 OTHER 6"), "(ERR syntax error)");
  EXPECT_EQ(engine.run("CF.RESERVE f 9223372036854775807"),
            "(ERR Insufficient memory to create filter)");
  EXPECT_EQ(engine.run("EXISTS f"), "0");
  EXPECT_EQ(engine.run("CF.RESERVE f 10 bucketsize 3 maxiterations 7 expansion 4"), "OK");
  EXPECT_EQ(engine.run("CF.RESERVE f 10"), "(ERR item exists)");
}

TEST(CuckooCommands, InsertChecksItsArguments) {
  CuckooCommands engine;
  const std::string arity = "(ERR wrong number of arguments for 'cf.insert' command)";
  EXPECT_EQ(engine.run("CF.INSERT f CAPACITY x ITEMS a"), "(Bad capacity)");
  EXPECT_EQ(engine.run("CF.INSERT f CAPACITY 3 ITEMS a"),
            "(Capacity must be at least (BucketSize * 2))");
  EXPECT_EQ(engine.run("CF.INSERT f OTHER ITEMS a"), "(Unknown argument received)");
  EXPECT_EQ(engine.run("CF.INSERT f NOCREATE ITEMS"), arity);
  EXPECT_EQ(engine.run("CF.INSERT f NOCREATE CAPACITY"), arity);
  EXPECT_EQ(engine.run("CF.INSERT f CAPACITY 9223372036854775807 ITEMS a"),
            "(ERR Insufficient memory to create filter)");
  EXPECT_EQ(engine.run("EXISTS f"), "0");
  EXPECT_EQ(engine.run("CF.INSERT f CAPACITY 64 ITEMS a"), "[1]");
}

TEST(CuckooCommands, FullFilters) {
  CuckooCommands engine;
  engine.run("CF.RESERVE f 4 EXPANSION 0");
  // One item has room for its two buckets only.
  EXPECT_EQ(engine.run("CF.INSERT f ITEMS a a a a a a").substr(0, 5), "[1 1 ");
  const std::string answer = engine.run("CF.INSERT f ITEMS a");
  EXPECT_EQ(answer, "[-1]");
  EXPECT_EQ(engine.run("CF.ADD f a"), "(Filter is full)");
  EXPECT_EQ(engine.run("CF.INSERTNX f ITEMS a"), "[0]");
  engine.resp3 = true;
  EXPECT_EQ(engine.run("CF.INSERT f ITEMS a"), "[#f]");
  engine.effects();
  engine.run("CF.INSERT f ITEMS a");
  EXPECT_EQ(engine.effects(), "");
}

TEST(CuckooCommands, ExpansionsHaveAnEnd) {
  CuckooCommands engine;
  engine.run("CF.RESERVE f 4");
  std::string answer;
  for (int i = 0; i < 1000 && answer != "(Maximum expansions reached)"; ++i) {
    answer = engine.run("CF.ADD f same");
  }
  EXPECT_EQ(answer, "(Maximum expansions reached)");
  EXPECT_EQ(engine.run("CF.INSERT f ITEMS a"), "(Maximum expansions reached)");
  EXPECT_EQ(engine.run("CF.COMPACT f"), "OK");
}

TEST(CuckooCommands, ADumpMovesAFilter) {
  CuckooCommands engine;
  engine.run("CF.RESERVE f 100000");
  EXPECT_EQ(engine.run("CF.SCANDUMP f 0"), "[0 _]");
  for (int i = 0; i < 150'000; ++i) engine.run("CF.ADD f item" + std::to_string(i));
  const Cuckoo& filter = engine.db().find(engine.db().key("f"))->as<Cuckoo>();
  EXPECT_EQ(engine.run("CF.SCANDUMP f 0"), "[1 \"" + printable(filter.header()) + "\"]");
  EXPECT_EQ(engine.run({"CF.LOADCHUNK", "g", "1", filter.header()}), "OK");
  int64_t iterator = 1;
  for (;;) {
    const std::string bytes = filter.read(static_cast<uint64_t>(iterator - 1), 1_MiB);
    const std::string answer = engine.run("CF.SCANDUMP f " + std::to_string(iterator));
    if (bytes.empty()) {
      EXPECT_EQ(answer, "[0 _]");
      break;
    }
    iterator += static_cast<int64_t>(bytes.size());
    EXPECT_EQ(answer, "[" + std::to_string(iterator) + " \"" + printable(bytes) + "\"]");
    EXPECT_EQ(engine.run({"CF.LOADCHUNK", "g", std::to_string(iterator), bytes}), "OK");
  }
  EXPECT_EQ(engine.run("DEBUG DIGEST-VALUE f"), engine.run("DEBUG DIGEST-VALUE g"));
  EXPECT_EQ(engine.run("COPY g h"), "1");
  EXPECT_EQ(engine.run("DEBUG DIGEST-VALUE h"), engine.run("DEBUG DIGEST-VALUE g"));
}

TEST(CuckooCommands, DumpsAreChecked) {
  CuckooCommands engine;
  engine.run("CF.ADD f a");
  EXPECT_EQ(engine.run("CF.SCANDUMP f x"), "(Invalid position)");
  EXPECT_EQ(engine.run("CF.SCANDUMP f -1"), "(Invalid position)");
  EXPECT_EQ(engine.run("CF.SCANDUMP f 1025"), "[0 _]");
  EXPECT_EQ(engine.run("CF.LOADCHUNK f 0 y"), "(Invalid position)");
  EXPECT_EQ(engine.run("CF.LOADCHUNK f 1 y"), "(ERR item exists)");
  EXPECT_EQ(engine.run("CF.LOADCHUNK g 1 y"), "(Invalid header)");
  EXPECT_EQ(engine.run({"CF.LOADCHUNK", "g", "1", std::string(Cuckoo::kHeaderBytes, 'y')}),
            "(Couldn't create filter!)");
  EXPECT_EQ(engine.run("EXISTS g"), "0");
  for (const ByteView iterator : {"-5", "3", "1026", "9223372036854775807"}) {
    EXPECT_EQ(engine.run({"CF.LOADCHUNK", "f", iterator, "yyy"}), "(Couldn't load chunk!)");
  }
  EXPECT_EQ(engine.run({"CF.LOADCHUNK", "f", "4", ""}), "(Couldn't load chunk!)");
  EXPECT_EQ(engine.run({"CF.LOADCHUNK", "f", "4", "yyy"}), "OK");
}

TEST(CuckooCommands, OnlyChangesAreInTheLog) {
  CuckooCommands engine;
  engine.run("CF.ADD f a");
  EXPECT_EQ(engine.effects(), "0: CF.ADD f a");
  engine.run_all({"CF.ADDNX f a", "CF.DEL f x", "CF.COUNT f a", "CF.SCANDUMP f 0"});
  EXPECT_EQ(engine.effects(), "");
  engine.run("CF.DEL f a");
  EXPECT_EQ(engine.effects(), "0: CF.DEL f a");
}

}  // namespace
}  // namespace ouro
