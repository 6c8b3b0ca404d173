// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_reader.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "aof_text.h"
#include "persistence/aof_line.h"
#include "persistence/aof_writer.h"

namespace ouro {
namespace {

// A block of commands and the checksum behind it; the first has the header in it.
std::string checked(const std::string& bytes) { return bytes + aof_checksum_line(bytes); }
std::string first(const std::string& bytes) { return checked(std::string(kAofHeaderLine) + bytes); }

TEST(AofReader, AppliesCommandsInTheirDatabases) {
  EXPECT_EQ(read_aof(resp("SET k v") + resp("SELECT 3") + resp("INCR n") + resp("select 0") +
                     resp("DEL k")),
            "0: SET k v\n3: INCR n\n0: DEL k\ndone");
  EXPECT_EQ(read_aof(""), "done");
}

TEST(AofReader, AnyBytesMayStandInAnArgument) {
  const std::string value("\0\r\n*3\r\n#C:\n", 11);
  const std::string file = "*2\r\n$0\r\n\r\n$11\r\n" + value + "\r\n";
  EXPECT_EQ(read_aof(file), "0:  " + value + "\ndone");
}

TEST(AofReader, LinesBetweenCommandsArePassedOver) {
  EXPECT_EQ(read_aof("#TS:1628217470\r\n" + resp("MULTI") + "#\n" + resp("INCR n") +
                     "#anything at all\r\n" + resp("EXEC") + "#TS:5\r\n"),
            "0: INCR n\ndone");
}

TEST(AofReader, ATransactionIsAppliedWhenItsExecHasCome) {
  AofReader reader;
  std::string text;
  const auto apply = [&](DbIndex, Argv argv) {
    text += std::string(argv[0]) + ' ';
    return Status::ok();
  };
  reader.feed(resp("a") + resp("multi") + resp("b") + resp("SELECT 1") + resp("c"), apply);
  EXPECT_EQ(text, "a ");
  reader.feed(resp("exec"), apply);
  EXPECT_EQ(text, "a b c ");
  EXPECT_EQ(reader.end(apply), AofReader::State::kDone);
  EXPECT_EQ(reader.commands_applied(), 3U);
}

TEST(AofReader, AFileThatEndsWithinACommandIsTornThere) {
  const std::string good = resp("INCR a") + resp("SELECT 2") + resp("INCR b");
  const std::string last = resp("SET k value");
  const std::string applied = "0: INCR a\n2: INCR b\n";
  for (size_t cut = 1; cut < last.size(); ++cut) {
    EXPECT_EQ(read_aof(good + last.substr(0, cut)),
              applied + "torn, good up to " + std::to_string(good.size()) + " at " +
                  std::to_string(good.size()) + ": the file ends within a command or a line");
  }
}

TEST(AofReader, AnOpenTransactionAtTheEndIsTornFromItsMulti) {
  const std::string good = resp("INCR a");
  const std::string open = good + resp("MULTI") + resp("INCR b");
  const std::string torn = "torn, good up to " + std::to_string(good.size()) + " at " +
                           std::to_string(good.size()) + ": the file ends within a transaction";
  EXPECT_EQ(read_aof(open), "0: INCR a\n" + torn);
  EXPECT_EQ(read_aof(open + "#TS:1\r\n" + resp("INCR c").substr(0, 5)), "0: INCR a\n" + torn);
  AofReader reader;
  read_aof(reader, open, [] { return 7; });
  EXPECT_TRUE(reader.ends_in_transaction());
  EXPECT_EQ(reader.ok_up_to_line(), 6U);
}

TEST(AofReader, SaysWhatIsWrongAndWhere) {
  const std::string good = resp("SET k v");
  const auto wrong = [&](const std::string& bytes) {
    const std::string text = read_aof(good + bytes);
    const std::string start = "0: SET k v\n";
    EXPECT_TRUE(text.starts_with(start)) << text;
    return text.substr(start.size());
  };
  const std::string here = "damaged, good up to " + std::to_string(good.size()) + " at ";
  const auto at = [&](size_t offset) { return here + std::to_string(good.size() + offset) + ": "; };
  const std::string neither = "neither a command nor a line that begins with '#'";
  EXPECT_EQ(wrong("!!!"), at(0) + neither);
  EXPECT_EQ(wrong("SET k v\r\n"), at(0) + neither);
  EXPECT_EQ(wrong("*x\r\n"), at(1) + neither);
  EXPECT_EQ(wrong("*01\r\n$1\r\na\r\n"), at(2) + neither);
  EXPECT_EQ(wrong("*2147483648\r\n"), at(10) + neither);
  EXPECT_EQ(wrong("*-1\r\n"), at(1) + neither);
  EXPECT_EQ(wrong("*1\n"), at(2) + neither);
  EXPECT_EQ(wrong("*1\r\r"), at(3) + neither);
  EXPECT_EQ(wrong("*0\r\n"), at(0) + "a command without words");
  EXPECT_EQ(wrong("*1\r\n*1\r\n"), at(4) + "not the length of an argument");
  EXPECT_EQ(wrong("*1\r\n$-1\r\n"), at(5) + "not the length of an argument");
  EXPECT_EQ(wrong("*1\r\n$4294967296\r\n"), at(14) + "not the length of an argument");
  EXPECT_EQ(wrong("*1\r\n$1\r\nab\r\n"), at(9) + "an argument does not end where its length says");
  EXPECT_EQ(wrong(resp("EXEC")), at(0) + "EXEC without MULTI");
  EXPECT_EQ(wrong(resp("MULTI") + resp("MULTI")), at(15) + "MULTI inside of MULTI");
  EXPECT_EQ(wrong(resp("SELECT x")), at(0) + "SELECT of no database");
  EXPECT_EQ(wrong(resp("SELECT 4294967296")), at(0) + "SELECT of no database");
  EXPECT_EQ(wrong('#' + std::string(1023, 'x') + "\r\n"), at(0) + "a line that does not end");
  EXPECT_EQ(wrong('#' + std::string(1020, 'x') + "\r\n"), "done");
  EXPECT_EQ(wrong(aof_checksum_line("x")),
            at(0) + "a checksum, although no line #OURO:1 stands before it");
}

// An ouro goes on with a file that others wrote, or ouros before it.
TEST(AofReader, ChecksumsMayBeginInMidFile) {
  const std::string a = resp("SET a 1");
  const std::string b = first(resp("SET b 2"));
  const std::string all = "0: SET a 1\n0: SET b 2\n";
  EXPECT_EQ(read_aof(a + b), all + "done");
  EXPECT_EQ(read_aof("#TS:1\r\n" + a + "#TS:2\r\n" + b), all + "done");
  EXPECT_EQ(read_aof(first(a) + b), all + "done");
  EXPECT_EQ(read_aof(first(a) + a + b), "0: SET a 1\n" + all + "done");
  AofReader reader;
  read_aof(reader, first(a) + a + b, [] { return 7; });
  EXPECT_EQ(reader.unchecked_commands(), 1U);
  EXPECT_EQ(read_aof(resp("MULTI") + a + b),
            "damaged, good up to 0 at 42: a header inside of a transaction");
  const std::string torn = a + b + b.substr(0, b.size() - 1);
  const size_t good = (a + b + std::string(kAofHeaderLine) + resp("SET b 2")).size();
  const std::string text = read_aof(torn);
  EXPECT_TRUE(
      text.starts_with(all + "0: SET b 2\ntorn, good up to " + std::to_string(good) + " at "))
      << text;
}

// What has checksums is not given up for what has none and claims to go on beyond it.
TEST(AofReader, ADamagedLengthBeforeTheFirstChecksumIsNoTornTail) {
  std::string file = resp("SET a 1") + resp("SET b 2") + first(resp("SET c 3"));
  file[file.find("$1\r\nb") + 1] = '9';
  EXPECT_NE(read_aof(file).find("damaged, good up to"), std::string::npos) << read_aof(file);
  file[file.find("$9\r\nb") + 2] = '9';
  EXPECT_NE(read_aof(file).find("damaged, good up to"), std::string::npos) << read_aof(file);
}

TEST(AofReader, ARefusedCommandEndsTheReading) {
  AofReader reader;
  const std::string text =
      read_aof(reader, resp("a") + resp("REFUSED x") + resp("b"), [] { return 100; });
  EXPECT_EQ(text, "0: a\n0: REFUSED x\n");
  EXPECT_EQ(reader.state(), AofReader::State::kRefused);
  EXPECT_EQ(reader.refused_word(), "REFUSED");
  EXPECT_EQ(reader.refused_because(), Err::kUnknown);
  EXPECT_EQ(reader.offset(), resp("a").size());
  EXPECT_EQ(reader.ok_up_to(), resp("a").size());
}

TEST(AofReader, ASnapshotAtTheFrontIsHandedOn) {
  const std::string file = "REDIS0010 and so on" + resp("INCR a") + "*1\r\n";
  for (size_t chunk = 1; chunk < file.size(); ++chunk) {
    FakePreamble preamble(19);
    AofReader reader(&preamble);
    EXPECT_EQ(read_aof(reader, file, [&] { return chunk; }), "0: INCR a\n");
    EXPECT_EQ(state_text(reader),
              "torn, good up to 40 at 40: the file ends within a command or a line");
    EXPECT_TRUE(reader.has_preamble());
  }
  EXPECT_EQ(read_aof("REDIS0010"),
            "damaged, good up to 0 at 0: neither a command nor a line that begins with '#'");
}

TEST(AofReader, ASnapshotThatIsNotWholeIsNoTornTail) {
  for (const char* file : {"REDIS0010", "REDIS0010 and! so on", "REDIS"}) {
    FakePreamble preamble(19);
    AofReader reader(&preamble);
    read_aof(reader, file, [] { return 3; });
    EXPECT_EQ(reader.state(), AofReader::State::kBadPreamble) << file;
  }
  FakePreamble preamble(19);
  AofReader reader(&preamble);
  read_aof(reader, "RED", [] { return 3; });
  EXPECT_EQ(reader.state(), AofReader::State::kDamaged);
}

TEST(AofReader, ChecksumsBeginBehindASnapshot) {
  FakePreamble preamble(9);
  AofReader reader(&preamble);
  EXPECT_EQ(read_aof(reader, "REDIS0010" + first(resp("INCR a")), [] { return 4; }), "0: INCR a\n");
  EXPECT_EQ(state_text(reader), "done");
  EXPECT_TRUE(reader.has_checksums());
}

TEST(AofReader, ACommandIsAppliedWhenItsChecksumHasCome) {
  AofReader reader;
  size_t applied = 0;
  const auto apply = [&](DbIndex, Argv) {
    ++applied;
    return Status::ok();
  };
  const std::string file = first(resp("INCR a") + "#TS:5\r\n" + resp("INCR b"));
  reader.feed(ByteView(file).substr(0, file.size() - 1), apply);
  EXPECT_EQ(applied, 0U);
  reader.feed(ByteView(file).substr(file.size() - 1), apply);
  EXPECT_EQ(applied, 2U);
  EXPECT_EQ(reader.end(apply), AofReader::State::kDone);
  EXPECT_EQ(reader.unchecked_commands(), 0U);
}

TEST(AofReader, ATransactionMaySpanChecksums) {
  const std::string start = first(resp("INCR a") + resp("MULTI") + resp("INCR b"));
  EXPECT_EQ(read_aof(start + checked(resp("INCR c")) + checked(resp("EXEC") + resp("INCR d"))),
            "0: INCR a\n0: INCR b\n0: INCR c\n0: INCR d\ndone");
  const size_t multi = kAofHeaderLine.size() + resp("INCR a").size();
  const std::string torn = "torn, good up to " + std::to_string(multi);
  EXPECT_EQ(read_aof(start + checked(resp("INCR c"))), "0: INCR a\n" + torn + " at " +
                                                           std::to_string(multi) +
                                                           ": the file ends within a transaction");
  std::string damaged = start + checked(resp("EXEC") + resp("INCR d"));
  damaged[damaged.size() - 3] ^= 1;
  EXPECT_TRUE(read_aof(damaged).starts_with("0: INCR a\n" + torn)) << read_aof(damaged);
}

TEST(AofReader, WhatIsDamagedInTheMiddleIsNoTornTail) {
  const std::string a = first(resp("SET a 1"));
  std::string b = checked(resp("SET b 2"));
  const std::string c = checked(resp("SET c 3"));
  b[b.find('2', b.find("$1\r\n2"))] = '3';
  AofReader reader;
  EXPECT_EQ(read_aof(reader, a + b + c, [] { return 5; }), "0: SET a 1\n");
  EXPECT_EQ(state_text(reader), "damaged, good up to " + std::to_string(a.size()) + " at " +
                                    std::to_string(a.size()) +
                                    ": the checksum behind these bytes is another");
  EXPECT_EQ(reader.damage_end(), a.size() + b.size());
  // The same at the end.
  EXPECT_EQ(read_aof(a + b), "0: SET a 1\ntorn, good up to " + std::to_string(a.size()) + " at " +
                                 std::to_string(a.size()) +
                                 ": the checksum behind these bytes is another");
}

TEST(AofReader, ALengthThatSwallowsTheRestIsFoundByTheChecksumsInIt) {
  const std::string a = first(resp("SET a 1"));
  std::string b = checked(resp("SET b 2"));
  const std::string c = checked(resp("SET c 3"));
  b.replace(b.find("$1\r\n2"), 2, "$900000");
  AofReader reader;
  EXPECT_EQ(read_aof(reader, a + b + c, [] { return 1000; }), "0: SET a 1\n");
  EXPECT_EQ(reader.state(), AofReader::State::kDamaged);
  EXPECT_EQ(reader.ok_up_to(), a.size());
  EXPECT_EQ(reader.damage_end(), a.size() + b.size());
}

TEST(AofReader, AMissingOrDoubledWriteIsFound) {
  const std::string a = first(resp("SET a 1"));
  const std::string b = checked(resp("SET b 2"));
  const std::string c = checked(resp("SET c 3"));
  const std::string without_checksum = a + resp("SET b 2") + c + b;
  EXPECT_NE(read_aof(without_checksum).find("damaged, good up to " + std::to_string(a.size())),
            std::string::npos);
  EXPECT_TRUE(read_aof(a + b + c).ends_with("\ndone"));
}

TEST(AofReader, AChecksumIsOfAllThatStandsBeforeIt) {
  const std::string a = first(resp("SET a 1"));
  const std::string b = resp("SET b 2");
  EXPECT_EQ(read_aof(a + b + resp("SET c 3") + aof_checksum_line(b)),
            "0: SET a 1\ntorn, good up to " + std::to_string(a.size()) + " at " +
                std::to_string(a.size()) +
                ": the checksum behind these bytes is of another number of bytes");
}

TEST(AofReader, CommandsOfARedisBehindTheLastChecksumAreAppliedAndCounted) {
  const std::string a = first(resp("SET a 1"));
  AofReader reader;
  EXPECT_EQ(
      read_aof(reader, a + resp("SELECT 1") + resp("SET b 2") + "#TS:1\r\n", [] { return 1; }),
      "0: SET a 1\n1: SET b 2\n");
  EXPECT_EQ(reader.state(), AofReader::State::kDone);
  EXPECT_EQ(reader.unchecked_commands(), 1U);
  const std::string good = a + resp("SET b 2");
  EXPECT_EQ(read_aof(good + "*1\r\n"),
            "0: SET a 1\n0: SET b 2\ntorn, good up to " + std::to_string(good.size()) + " at " +
                std::to_string(good.size()) + ": the file ends within a command or a line");
  EXPECT_EQ(read_aof(good + std::string(500, '\0')),
            "0: SET a 1\n0: SET b 2\ntorn, good up to " + std::to_string(good.size()) + " at " +
                std::to_string(good.size()) +
                ": neither a command nor a line that begins with '#'");
}

TEST(AofReader, NoMoreIsKeptThanAWriterLeavesUnchecked) {
  AofReader reader;
  const auto apply = [](DbIndex, Argv) { return Status::ok(); };
  reader.feed(first(resp("SET a 1")), apply);
  const std::string command = resp("SET k " + std::string(1 << 20, 'x'));
  for (int i = 0; i < 200; ++i) {
    reader.feed(command, apply);
    EXPECT_LT(reader.kept_bytes(), kAofTornBytesMax + (3 << 20));
  }
  EXPECT_EQ(reader.end(apply), AofReader::State::kDone);
  EXPECT_EQ(reader.unchecked_commands(), 200U);
}

TEST(AofReader, ATailIsTornUpToALimit) {
  const auto apply = [](DbIndex, Argv) { return Status::ok(); };
  const std::string zeros(1 << 20, '\0');
  for (const size_t megabytes : {size_t{60}, size_t{70}}) {
    AofReader reader;
    reader.feed(first(resp("SET a 1")), apply);
    for (size_t i = 0; i < megabytes; ++i) reader.feed(zeros, apply);
    reader.end(apply);
    EXPECT_EQ(reader.state(),
              megabytes < 64 ? AofReader::State::kTorn : AofReader::State::kDamaged);
  }
}

TEST(AofReader, OtherLinesAreDamageAmongChecksums) {
  const std::string a = first(resp("SET a 1"));
  const std::string torn = "0: SET a 1\ntorn, good up to " + std::to_string(a.size()) + " at " +
                           std::to_string(a.size()) + ": ";
  EXPECT_EQ(read_aof(a + "#TS:x\r\n"), torn + "a line that is neither a checksum nor a time");
  EXPECT_EQ(read_aof(a + "#OURO:2\r\n"), torn + "a header of another version");
  EXPECT_EQ(read_aof(a + "#C:1\r\n"), torn + "a checksum that cannot be read");
  EXPECT_EQ(read_aof("#OURO:2\r\n" + resp("SET a 1")),
            "damaged, good up to 0 at 0: a header of another version");
}

// Values full of lines that look like checksums: the search for a valid one ends.
TEST(AofReader, TheSearchForAChecksumIsBounded) {
  std::string file = first(resp("SET a 1"));
  const size_t good = file.size();
  file += "!\n";
  for (int i = 0; i < 400'000; ++i)
    file += "#C:" + std::to_string(file.size() - good) + ":0123456789abcdef\r\n";
  AofReader reader;
  read_aof(reader, file, [] { return 1 << 20; });
  EXPECT_EQ(reader.state(), AofReader::State::kDamaged);
}

// What a writer made of random effects, and where each write ended.
struct WrittenFile {
  std::string bytes;
  std::vector<size_t> write_ends;
};

WrittenFile random_file(uint64_t seed, AofWriter::Options options, int writes) {
  Prng prng(seed);
  Heap heap;
  AofWriter writer(heap, options);
  WrittenFile file;
  UnixMs now = 1'700'000'000'000;
  for (int i = 0; i < writes; ++i) {
    for (uint64_t groups = 1 + prng.below(4); groups > 0; --groups) {
      std::vector<Effect> effects;
      for (uint64_t count = 1 + prng.below(3); count > 0; --count) {
        std::string value(prng.below(40), '\0');
        for (char& c : value) c = "\r\n*$#C:0123456789 ab"[prng.below(20)];
        effects.push_back(effect(heap, static_cast<DbIndex>(prng.below(3)),
                                 std::vector<std::string>{"SET", "k", value}));
      }
      now += static_cast<Millis>(prng.below(800));
      writer.append(effects, effects.size() > 1 ? GroupKind::kTransaction : GroupKind::kCommand,
                    now);
    }
    file.bytes += writer.take().bytes;
    writer.release();
    file.write_ends.push_back(file.bytes.size());
  }
  return file;
}

TEST(AofReader, WhereverAFileIsCutIntoChunksTheSameComesOut) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Prng prng(seed);
    const WrittenFile file =
        random_file(seed, {.checksums = seed % 2 == 0, .timestamps = seed % 3 == 0}, 6);
    std::string bytes = file.bytes;
    if (seed % 5 == 0) bytes.resize(prng.below(bytes.size()));
    if (seed % 7 == 0) bytes[prng.below(bytes.size())] ^= 4;
    const std::string whole = read_aof(bytes);
    EXPECT_EQ(read_aof(bytes, 1), whole);
    for (int i = 0; i < 5; ++i) {
      AofReader reader;
      const std::string text =
          read_aof(reader, bytes, [&] { return 1 + prng.below(prng.below(200) + 1); });
      EXPECT_EQ(text + state_text(reader), whole);
    }
  }
}

TEST(AofReader, ACutAnywhereLosesOnlyWhatWasCut) {
  const WrittenFile file = random_file(3, {.checksums = true, .timestamps = true}, 5);
  const std::string all = read_aof(file.bytes);
  for (size_t cut = 0; cut < file.bytes.size(); ++cut) {
    AofReader reader;
    const std::string text =
        read_aof(reader, ByteView(file.bytes).substr(0, cut), [] { return 99; });
    EXPECT_TRUE(all.starts_with(text));
    EXPECT_LE(reader.ok_up_to(), cut);
    ASSERT_TRUE(reader.state() == AofReader::State::kTorn ||
                reader.state() == AofReader::State::kDone);
    if (reader.state() == AofReader::State::kDone) {
      EXPECT_EQ(reader.ok_up_to(), cut);
    }
    // What is cut at ok_up_to() is good, and the same comes out of it.
    EXPECT_EQ(read_aof(ByteView(file.bytes).substr(0, reader.ok_up_to())), text + "done");
    // Every whole write is there.
    size_t whole = 0;
    for (const size_t end : file.write_ends) whole = end <= cut ? end : whole;
    EXPECT_GE(reader.ok_up_to(), whole);
  }
}

// Every single bit, one after the other: nothing wrong is applied, and what is named holds the bit.
TEST(AofReader, EveryFlippedBitIsFoundAndNamed) {
  size_t torn = 0;
  size_t damaged = 0;
  const WrittenFile file = random_file(11, {.checksums = true, .timestamps = true}, 8);
  const std::string all = read_aof(file.bytes);
  const std::vector<size_t>& ends = file.write_ends;
  const size_t header_at = file.bytes.find(kAofHeaderLine);
  for (size_t bit = 0; bit < file.bytes.size() * 8; ++bit) {
    std::string bytes = file.bytes;
    const size_t at = bit / 8;
    bytes[at] = static_cast<char>(bytes[at] ^ 1 << bit % 8);
    AofReader reader;
    const std::string text = read_aof(reader, bytes, [] { return 4096; });
    if (reader.state() == AofReader::State::kDone) {
      // Another time in front of the header is no other data.
      EXPECT_EQ(text + "done", all);
      EXPECT_LT(at, header_at);
    } else if (reader.state() == AofReader::State::kTorn) {
      ++torn;
      EXPECT_GE(at, reader.ok_up_to());
      // Only the last write can be lost as a torn tail.
      EXPECT_GE(at, ends[ends.size() - 2]);
    } else {
      ++damaged;
      ASSERT_EQ(reader.state(), AofReader::State::kDamaged) << "bit " << bit;
      // Without its header a file has no checksums to go by, until the first of them comes.
      if (reader.has_checksums()) {
        EXPECT_GE(at, reader.ok_up_to());
        EXPECT_LT(at, reader.damage_end());
      } else {
        EXPECT_LT(at, header_at + kAofHeaderLine.size());
      }
    }
    ASSERT_TRUE(all.starts_with(text)) << "bit " << bit;
  }
  EXPECT_GT(torn, 100U);
  EXPECT_GT(damaged, 1000U);
}

TEST(AofReader, AThousandRandomFlipsInALargeFileAreFound) {
  const WrittenFile file = random_file(5, {.checksums = true}, 400);
  const std::string all = read_aof(file.bytes);
  Prng prng(77);
  for (int i = 0; i < 1000; ++i) {
    std::string bytes = file.bytes;
    const size_t at = prng.below(bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 1 << prng.below(8));
    AofReader reader;
    const std::string text = read_aof(reader, bytes, [] { return 65536; });
    ASSERT_NE(reader.state(), AofReader::State::kDone);
    ASSERT_TRUE(all.starts_with(text));
    ASSERT_GE(at, reader.ok_up_to());
    if (reader.has_checksums() && reader.state() == AofReader::State::kDamaged) {
      ASSERT_LT(at, reader.damage_end());
    }
  }
}

}  // namespace
}  // namespace ouro
