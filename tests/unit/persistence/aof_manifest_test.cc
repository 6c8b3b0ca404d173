// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_manifest.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

constexpr ByteView kStem = "appendonly.aof";

AofManifest parsed(ByteView text) {
  const AofManifest::Parsed result = AofManifest::parse(text);
  EXPECT_FALSE(result.error.has_value()) << result.error->reason;
  return result.manifest;
}

// What is wrong, with its line.
std::string error_of(ByteView text) {
  const AofManifest::Parsed result = AofManifest::parse(text);
  if (!result.error) return "none";
  EXPECT_EQ(result.manifest, AofManifest());
  return std::to_string(result.error->line) + ": " + result.error->reason;
}

TEST(AofManifest, ReadsAndWritesRedissLines) {
  const std::string text =
      "file appendonly.aof.7.base.rdb seq 7 type b\n"
      "file appendonly.aof.2.incr.aof seq 2 type h\n"
      "file appendonly.aof.6.base.rdb seq 6 type h\n"
      "file appendonly.aof.3.incr.aof seq 3 type i\n"
      "file appendonly.aof.5.incr.aof seq 5 type i\n";
  const AofManifest manifest = parsed(text);
  EXPECT_EQ(manifest.base()->seq, 7U);
  EXPECT_EQ(manifest.history().size(), 2U);
  EXPECT_EQ(manifest.increments().back().name, "appendonly.aof.5.incr.aof");
  EXPECT_EQ(manifest.format(), text);
}

TEST(AofManifest, WordsMayComeInAnyOrderAndOthersAmongThem) {
  EXPECT_EQ(
      parsed("# a comment\ntype b SEQ 3 new thing file \"x.aof\"\n \tfile y seq 9 type i \r\n")
          .format(),
      "file x.aof seq 3 type b\nfile y seq 9 type i\n");
}

TEST(AofManifest, NamesAreQuotedWhenTheyMustBe) {
  AofManifest manifest;
  manifest.add_base(" file seq \n\n.aof ", AofBaseFormat::kSnapshot);
  manifest.add_increment("it's");
  const std::string text =
      "file \" file seq \\n\\n.aof .1.base.rdb\" seq 1 type b\n"
      "file \"it's.1.incr.aof\" seq 1 type i\n";
  EXPECT_EQ(manifest.format(), text);
  EXPECT_EQ(parsed(text), manifest);
}

TEST(AofManifest, SaysWhatIsWrongAsRedisDoes) {
  const std::string good = "file a seq 1 type b\n";
  const std::string format = "Invalid AOF manifest file format";
  EXPECT_EQ(error_of(""), "0: Found an empty AOF manifest");
  EXPECT_EQ(error_of("# nothing\n"), "none");
  EXPECT_EQ(error_of(good + "\n"), "2: " + format);
  EXPECT_EQ(error_of(good + "filx b seq 1 type i\n"), "2: " + format);
  EXPECT_EQ(error_of("file b type i\n"), "1: " + format);
  EXPECT_EQ(error_of("file b seq 1 type i newkey\n"), "1: " + format);
  EXPECT_EQ(error_of("file b seq 0 type i\n"), "1: " + format);
  EXPECT_EQ(error_of("file b seq x type i\n"), "1: " + format);
  EXPECT_EQ(error_of("file b seq 18446744073709551615 type i\n"), "1: " + format);
  EXPECT_EQ(error_of("file \"b seq 1 type i\n"), "1: " + format);
  EXPECT_EQ(error_of("file b seq 1 type \"\"\n"), "1: " + format);
  EXPECT_EQ(error_of("file b seq 1 type x\n"), "1: Unknown AOF file type");
  EXPECT_EQ(error_of(good + "file b seq 2 type b\n"), "2: Found duplicate base file information");
  EXPECT_EQ(error_of("file a seq 2 type i\nfile b seq 2 type i\n"),
            "2: Found a non-monotonic sequence number");
  EXPECT_EQ(error_of("file a seq 2 type i\nfile a seq 3 type i\n"), "2: Found a file name twice");
  EXPECT_EQ(error_of("file a seq 2 type i\nfile a seq 3 type b\n"), "2: Found a file name twice");
  for (const char* name : {"a/b", "/a", "a\\\\b", "..", ".", "\"\"", "\"a\\x00b\""}) {
    const std::string line = "file \"" + std::string(name) + "\" seq 1 type i\n";
    EXPECT_NE(error_of(name[0] == '"' ? "file " + std::string(name) + " seq 1 type i\n" : line),
              "none")
        << name;
  }
  EXPECT_EQ(error_of("file a/b seq 1 type i\n"), "1: File can't be a path, just a filename");
  const std::string too_long = "The AOF manifest file contains too long line";
  EXPECT_EQ(error_of("file a seq 1 type b"), "1: " + too_long);
  std::string line = "file a seq 1 type b x ";
  line += std::string(1023 - line.size(), 'x');
  EXPECT_EQ(error_of(line + "\n"), "none");
  EXPECT_EQ(error_of(line + "x\n"), "1: " + too_long);
}

TEST(AofManifest, ARewriteReplacesTheBaseAndAllButTheLastIncrement) {
  AofManifest manifest = parsed(
      "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n"
      "file appendonly.aof.3.incr.aof seq 3 type i\n");
  EXPECT_EQ(manifest.add_increment(kStem).name, "appendonly.aof.4.incr.aof");
  EXPECT_EQ(manifest.add_base(kStem, AofBaseFormat::kSnapshot).name, "appendonly.aof.3.base.rdb");
  manifest.retire_increments(1);
  EXPECT_EQ(manifest.format(),
            "file appendonly.aof.3.base.rdb seq 3 type b\n"
            "file appendonly.aof.2.incr.aof seq 2 type h\n"
            "file appendonly.aof.3.incr.aof seq 3 type h\n"
            "file appendonly.aof.2.base.rdb seq 2 type h\n"
            "file appendonly.aof.4.incr.aof seq 4 type i\n");
  EXPECT_EQ(parsed(manifest.format()), manifest);
  manifest.forget_history();
  EXPECT_EQ(manifest.format(),
            "file appendonly.aof.3.base.rdb seq 3 type b\n"
            "file appendonly.aof.4.incr.aof seq 4 type i\n");
}

TEST(AofManifest, NumbersOfHistoryAreNotUsedAgain) {
  AofManifest manifest = parsed(
      "file appendonly.aof.4.base.rdb seq 4 type b\nfile appendonly.aof.6.incr.aof seq 6 type h\n");
  EXPECT_EQ(manifest.add_increment(kStem).name, "appendonly.aof.7.incr.aof");
  manifest.reserve_increment(20);
  EXPECT_EQ(manifest.add_increment(kStem).seq, 21U);
}

TEST(AofManifest, AnOldFileIsABase) {
  AofManifest manifest;
  manifest.add_old_file(kStem);
  manifest.add_increment(kStem);
  EXPECT_EQ(manifest.format(),
            "file appendonly.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n");
  EXPECT_EQ(manifest.add_base(kStem, AofBaseFormat::kCommands).name, "appendonly.aof.2.base.aof");
  EXPECT_TRUE(manifest.uses("appendonly.aof.1.incr.aof"));
  EXPECT_FALSE(manifest.uses("appendonly.aof"));
}

}  // namespace
}  // namespace ouro
