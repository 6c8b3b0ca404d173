// SPDX-License-Identifier: BSD-3-Clause
// TDIGEST.*: replies and errors as RedisBloom 2.8 gives them; redis.io's command pages of TDIGEST.*
// and the module's own texts are what each expectation rests on, since no server with it is at
// hand.
#include <string>

#include "engine_fixture.h"

namespace ouro {
namespace {

struct TDigestCommands : EngineFixture {
  TDigestCommands()
      : EngineFixture({kTDigestCommands, kStringSetCommands, kKeyCommands, kDebugCommands}) {}
};

const std::string kMissing = "(ERR T-Digest: key does not exist)";

TEST(TDigestCommands, AnswersOfFewSamples) {
  TDigestCommands engine;
  EXPECT_EQ(engine.run("TDIGEST.CREATE t COMPRESSION 1000"), "OK");
  EXPECT_EQ(engine.run("TDIGEST.ADD t 1 2 2 3 3 3 4 4 4 4 5 5 5 5 5"), "OK");
  EXPECT_EQ(engine.run("TDIGEST.MIN t"), ",1");
  EXPECT_EQ(engine.run("TDIGEST.MAX t"), ",5");
  EXPECT_EQ(engine.run("TDIGEST.QUANTILE t 0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1"),
            "[,1 ,2 ,3 ,3 ,4 ,4 ,4 ,5 ,5 ,5 ,5]");
  EXPECT_EQ(engine.run("TDIGEST.QUANTILE t 1 0 0.5"), "[,5 ,1 ,4]");
  EXPECT_EQ(engine.run("TDIGEST.CDF t 0 2 6"), "[,0 ,0.13333333333333333 ,1]");
  EXPECT_EQ(engine.run("TYPE t"), "TDIS-TYPE");
}

// The pages of TDIGEST.RANK, REVRANK, BYRANK and BYREVRANK have these numbers.
TEST(TDigestCommands, Ranks) {
  TDigestCommands engine;
  engine.run_all({"TDIGEST.CREATE s COMPRESSION 1000", "TDIGEST.ADD s 10 20 30 40 50 60"});
  EXPECT_EQ(engine.run("TDIGEST.RANK s 0 10 20 30 40 50 60 70"), "[-1 0 1 2 3 4 5 6]");
  EXPECT_EQ(engine.run("TDIGEST.REVRANK s 0 10 20 30 40 50 60 70"), "[6 5 4 3 2 1 0 -1]");
  engine.run("TDIGEST.ADD s 10 10 20");
  engine.run_all(
      {"TDIGEST.CREATE t COMPRESSION 1000", "TDIGEST.ADD t 1 2 2 3 3 3 4 4 4 4 5 5 5 5 5"});
  EXPECT_EQ(engine.run("TDIGEST.BYRANK t 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"),
            "[,1 ,2 ,2 ,3 ,3 ,3 ,4 ,4 ,4 ,4 ,5 ,5 ,5 ,5 ,5 ,inf]");
  EXPECT_EQ(engine.run("TDIGEST.BYREVRANK t 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"),
            "[,5 ,5 ,5 ,5 ,5 ,4 ,4 ,4 ,4 ,3 ,3 ,3 ,2 ,2 ,1 ,-inf]");
}

TEST(TDigestCommands, TrimmedMean) {
  TDigestCommands engine;
  engine.run_all({"TDIGEST.CREATE t COMPRESSION 1000", "TDIGEST.ADD t 1 2 3 4 5 6 7 8 9 10"});
  EXPECT_EQ(engine.run("TDIGEST.TRIMMED_MEAN t 0.1 0.6"), ",4");
  EXPECT_EQ(engine.run("TDIGEST.TRIMMED_MEAN t 0.3 0.9"), ",6.5");
  EXPECT_EQ(engine.run("TDIGEST.TRIMMED_MEAN t 0 1"), ",5.5");
  EXPECT_EQ(engine.run("TDIGEST.TRIMMED_MEAN t x 1"),
            "(ERR T-Digest: error parsing low_cut_percentile)");
  EXPECT_EQ(engine.run("TDIGEST.TRIMMED_MEAN t 0 x"),
            "(ERR T-Digest: error parsing high_cut_percentile)");
  EXPECT_EQ(engine.run("TDIGEST.TRIMMED_MEAN t -0.1 1"),
            "(ERR T-Digest: low_cut_percentile and high_cut_percentile should be in [0,1])");
  EXPECT_EQ(engine.run("TDIGEST.TRIMMED_MEAN t 0.5 0.5"),
            "(ERR T-Digest: low_cut_percentile should be lower than high_cut_percentile)");
}

TEST(TDigestCommands, AnEmptyDigest) {
  TDigestCommands engine;
  engine.run("TDIGEST.CREATE t");
  EXPECT_EQ(engine.run("TDIGEST.MIN t"), ",nan");
  EXPECT_EQ(engine.run("TDIGEST.MAX t"), ",nan");
  EXPECT_EQ(engine.run("TDIGEST.QUANTILE t 0.5"), "[,nan]");
  EXPECT_EQ(engine.run("TDIGEST.CDF t 1"), "[,nan]");
  EXPECT_EQ(engine.run("TDIGEST.TRIMMED_MEAN t 0 1"), ",nan");
  EXPECT_EQ(engine.run("TDIGEST.RANK t 1"), "[-2]");
  EXPECT_EQ(engine.run("TDIGEST.REVRANK t 1"), "[-2]");
  EXPECT_EQ(engine.run("TDIGEST.BYRANK t 0 1"), "[,nan ,nan]");
  EXPECT_EQ(engine.run("TDIGEST.BYREVRANK t 0"), "[,nan]");
  EXPECT_EQ(engine.run("TDIGEST.INFO t"),
            "{Compression 100 Capacity 610 Merged nodes 0 Unmerged nodes 0 Merged weight 0 "
            "Unmerged weight 0 Observations 0 Total compressions 0 Memory usage 9768}");
}

TEST(TDigestCommands, CreateChecksItsArguments) {
  TDigestCommands engine;
  engine.run("SET text v");
  EXPECT_EQ(engine.run("TDIGEST.CREATE text"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("TDIGEST.CREATE t COMPRESSION"),
            "(ERR wrong number of arguments for 'tdigest.create' command)");
  EXPECT_EQ(engine.run("TDIGEST.CREATE t OTHER 1"), "(ERR T-Digest: wrong keyword)");
  EXPECT_EQ(engine.run("TDIGEST.CREATE t COMPRESSION x"),
            "(ERR T-Digest: error parsing compression parameter)");
  EXPECT_EQ(engine.run("TDIGEST.CREATE t COMPRESSION 0"),
            "(ERR T-Digest: compression parameter needs to be a positive integer)");
  EXPECT_EQ(engine.run("TDIGEST.CREATE t COMPRESSION 10001"), "(ERR T-Digest: allocation failed)");
  EXPECT_EQ(engine.run("TDIGEST.CREATE t COMPRESSION 10000"), "OK");
  EXPECT_EQ(engine.run("TDIGEST.CREATE t"), "(ERR T-Digest: key already exists)");
}

TEST(TDigestCommands, OtherErrors) {
  TDigestCommands engine;
  engine.run_all({"SET text v", "TDIGEST.CREATE t"});
  engine.effects();
  for (const char* command : {"ADD", "QUANTILE", "CDF", "RANK", "REVRANK", "BYRANK", "BYREVRANK"}) {
    const std::string name = std::string("TDIGEST.") + command;
    EXPECT_EQ(engine.run({name, "none", "1"}), kMissing) << name;
    EXPECT_EQ(engine.run({name, "text", "1"}), kWrongTypeAnswer) << name;
  }
  for (const char* command : {"MIN", "MAX", "INFO", "RESET"}) {
    const std::string name = std::string("TDIGEST.") + command;
    EXPECT_EQ(engine.run({name, "none"}), kMissing) << name;
    EXPECT_EQ(engine.run({name, "text"}), kWrongTypeAnswer) << name;
  }
  EXPECT_EQ(engine.run("TDIGEST.ADD t 1 x"), "(ERR T-Digest: error parsing val parameter)");
  EXPECT_EQ(engine.run("TDIGEST.ADD t 1 nan"), "(ERR T-Digest: error parsing val parameter)");
  EXPECT_EQ(engine.run("TDIGEST.ADD t 1 -inf"),
            "(ERR T-Digest: val parameter needs to be a finite number)");
  EXPECT_EQ(engine.run("TDIGEST.QUANTILE t x"), "(ERR T-Digest: error parsing quantile)");
  EXPECT_EQ(engine.run("TDIGEST.QUANTILE t 1.1"), "(ERR T-Digest: quantile should be in [0,1])");
  EXPECT_EQ(engine.run("TDIGEST.CDF t x"), "(ERR T-Digest: error parsing cdf)");
  EXPECT_EQ(engine.run("TDIGEST.RANK t x"), "(ERR T-Digest: error parsing value)");
  EXPECT_EQ(engine.run("TDIGEST.BYRANK t x"), "(ERR T-Digest: error parsing rank)");
  EXPECT_EQ(engine.run("TDIGEST.BYREVRANK t -1"), "(ERR T-Digest: rank needs to be non negative)");
  EXPECT_EQ(engine.run("TDIGEST.MIN t"), ",nan");
  EXPECT_EQ(engine.effects(), "");
}

TEST(TDigestCommands, Merge) {
  TDigestCommands engine;
  engine.run_all({"SET text v", "TDIGEST.CREATE a COMPRESSION 50",
                  "TDIGEST.CREATE b COMPRESSION 200", "TDIGEST.ADD a 1 2 3",
                  "TDIGEST.ADD b 10 20"});
  const auto shape = [&](ByteView key) {
    const TDigest& digest = engine.db().find(engine.db().key(key))->as<TDigest>();
    return std::to_string(digest.compression()) + "/" +
           std::to_string(static_cast<int>(digest.view().total()));
  };
  // A new one has the largest compression of its sources; one that exists keeps its own.
  EXPECT_EQ(engine.run("TDIGEST.MERGE d 2 a b"), "OK");
  EXPECT_EQ(shape("d"), "200/5");
  EXPECT_EQ(engine.run("TDIGEST.MAX d"), ",20");
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 1 b"), "OK");
  EXPECT_EQ(shape("a"), "50/5");
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 1 a"), "OK");
  EXPECT_EQ(shape("a"), "50/10");
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 1 b COMPRESSION 70"), "OK");
  EXPECT_EQ(shape("a"), "70/12");
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 1 b OVERRIDE"), "OK");
  EXPECT_EQ(shape("a"), "200/2");
  engine.effects();
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 2 a b override compression 60"), "OK");
  EXPECT_EQ(shape("a"), "60/4");
  EXPECT_EQ(engine.effects(), "0: TDIGEST.MERGE a 2 a b override compression 60");
  const std::string arity = "(ERR wrong number of arguments for 'tdigest.merge' command)";
  EXPECT_EQ(engine.run("TDIGEST.MERGE text 1 b"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 1 text"), kWrongTypeAnswer);
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 1 none"), kMissing);
  EXPECT_EQ(engine.run("TDIGEST.MERGE none 1 none"), kMissing);
  EXPECT_EQ(engine.run("TDIGEST.MERGE a x b"), "(ERR T-Digest: error parsing numkeys)");
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 0 b"),
            "(ERR T-Digest: numkeys needs to be a positive integer)");
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 2 b"), arity);
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 1 b COMPRESSION"), arity);
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 1 b OTHER"), "(ERR T-Digest: wrong keyword)");
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 1 b COMPRESSION x"),
            "(ERR T-Digest: error parsing compression parameter)");
  EXPECT_EQ(engine.run("TDIGEST.MERGE a 1 b COMPRESSION 10001"),
            "(ERR T-Digest: allocation of destination digest failed)");
  EXPECT_EQ(shape("a"), "60/4");
}

// What a replica is not asked must not change what it answers later.
TEST(TDigestCommands, ReplayingTheLogGivesTheSameValue) {
  TDigestCommands engine;
  engine.run("TDIGEST.CREATE t COMPRESSION 20");
  Prng prng(4);
  for (int i = 0; i < 5000; ++i) {
    engine.run({"TDIGEST.ADD", "t", std::to_string(prng.unit())});
    if (i % 7 == 0) engine.run("TDIGEST.QUANTILE t 0.5 0.9");
  }
  TDigestCommands replica;
  for (const std::string& line : engine.effect_log.lines) replica.run(ByteView(line).substr(3));
  EXPECT_EQ(replica.run("DEBUG DIGEST-VALUE t"), engine.run("DEBUG DIGEST-VALUE t"));
  EXPECT_EQ(engine.run("COPY t u"), "1");
  EXPECT_EQ(engine.run("DEBUG DIGEST-VALUE u"), engine.run("DEBUG DIGEST-VALUE t"));
  EXPECT_EQ(engine.run("TDIGEST.RESET u"), "OK");
  EXPECT_EQ(engine.run("TDIGEST.MIN u"), ",nan");
}

}  // namespace
}  // namespace ouro
