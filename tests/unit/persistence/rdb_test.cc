// SPDX-License-Identifier: BSD-3-Clause
// The parts of RDB, byte by byte.
#include <gtest/gtest.h>

#include "persistence/rdb_reader.h"
#include "persistence/rdb_writer.h"

namespace ouro {
namespace {

using Packing = RdbWriter::Packing;

template <class Write>
std::string written(Write write, Packing packing = Packing::kLzf) {
  std::string out;
  RdbWriter writer(out, packing);
  write(writer);
  return out;
}

std::string length(uint64_t value) {
  return written([&](RdbWriter& out) { out.length(value); });
}
std::string string(ByteView text, Packing packing = Packing::kLzf) {
  return written([&](RdbWriter& out) { out.string(text); }, packing);
}

TEST(RdbWriter, LengthsTakeOneTwoFiveOrNineBytes) {
  EXPECT_EQ(length(0), ByteView("\0", 1));
  EXPECT_EQ(length(63), "\x3f");
  EXPECT_EQ(length(64), "\x40\x40");
  EXPECT_EQ(length(16383), "\x7f\xff");
  EXPECT_EQ(length(16384), ByteView("\x80\0\0\x40\0", 5));
  EXPECT_EQ(length(UINT32_MAX), "\x80\xff\xff\xff\xff");
  EXPECT_EQ(length(uint64_t{1} << 32), ByteView("\x81\0\0\0\1\0\0\0\0", 9));
}

TEST(RdbWriter, TextOfNumbersBecomesNumbers) {
  EXPECT_EQ(string("0"), ByteView("\xc0\0", 2));
  EXPECT_EQ(string("-128"), "\xc0\x80");
  EXPECT_EQ(string("128"), ByteView("\xc1\x80\0", 3));
  EXPECT_EQ(string("-2147483648"), ByteView("\xc2\0\0\0\x80", 5));
  for (const char* text : {"2147483648", "00", "-0", "+1", " 1", "1 ", ""}) {
    EXPECT_EQ(string(text), std::string(1, static_cast<char>(std::strlen(text))) + text);
  }
}

TEST(RdbWriter, LongTextIsPackedIfThatSavesFourBytes) {
  EXPECT_EQ(string(std::string(20, 'a')), "\x14" + std::string(20, 'a'));
  EXPECT_EQ(string(std::string(21, 'a')), ByteView("\xc3\6\x15\1aa\xe0\n\0", 9));
  EXPECT_EQ(string(std::string(21, 'a'), Packing::kNone), "\x15" + std::string(21, 'a'));
  EXPECT_EQ(string("abcdefghijklmnopqrstuvwxyz"),
            "\x1a"
            "abcdefghijklmnopqrstuvwxyz");
}

TEST(RdbWriter, RemembersWhoCanReadIt) {
  std::string out;
  RdbWriter writer(out, Packing::kNone);
  EXPECT_EQ(writer.needs_version(), kRdbVersion);
  EXPECT_EQ(writer.needs(), RdbDialect::kRedis);
  writer.need_version(kRdbVersionTimed);
  writer.need(RdbDialect::kOuro);
  writer.need(RdbDialect::kRedisBloom);
  EXPECT_EQ(writer.needs_version(), kRdbVersionTimed);
  EXPECT_EQ(writer.needs(), RdbDialect::kOuro);
}

TEST(RdbReader, ReadsWhatWasWritten) {
  const std::string long_text(10'000, 'x');
  const std::string bytes = written([&](RdbWriter& out) {
    for (const uint64_t value : {uint64_t{0}, uint64_t{70}, uint64_t{20'000}, UINT64_MAX})
      out.length(value);
    for (const char* text : {"", "text", "-7", "300", "-70000"}) out.string(text);
    out.string(long_text);
    out.fixed(1.5);
    out.module_signed(-3);
    out.module_unsigned(3);
    out.module_double(0.25);
    out.module_string("name");
    out.module_end();
  });
  RdbReader in(bytes);
  std::string scratch;
  for (const uint64_t value : {uint64_t{0}, uint64_t{70}, uint64_t{20'000}, UINT64_MAX})
    EXPECT_EQ(in.length(), value);
  for (const char* text : {"", "text", "-7", "300", "-70000"}) EXPECT_EQ(in.string(scratch), text);
  EXPECT_EQ(in.string(scratch), long_text);
  EXPECT_EQ(in.fixed<double>(), 1.5);
  EXPECT_EQ(in.module_signed(), -3);
  EXPECT_EQ(in.module_unsigned(), 3U);
  EXPECT_EQ(in.module_double(), 0.25);
  EXPECT_EQ(in.module_string(scratch), "name");
  in.module_end();
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.left(), 0U);
}

TEST(RdbReader, ScoresAsTextAreReadToo) {
  const std::string bytes =
      "\x3"
      "1.5"
      "\xfe\xff\x2"
      "-7";
  RdbReader in(bytes);
  EXPECT_EQ(in.score_text(), 1.5);
  EXPECT_EQ(in.score_text(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(in.score_text(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(in.score_text(), -7);
  EXPECT_TRUE(in.ok());
  for (const char* wrong : {"\xfd",
                            "\x3"
                            "nan",
                            "\x1x", "\x2 1"}) {
    RdbReader bad{ByteView(wrong)};
    EXPECT_EQ(bad.score_text(), 0);
    EXPECT_EQ(bad.state(), RdbReader::State::kCorrupt) << wrong;
  }
}

TEST(RdbReader, TellsTooFewBytesFromWrongOnes) {
  std::string scratch;
  for (const std::string& cut :
       {string("some text"), string(std::string(50, 'a')), length(70000), string("-70000")}) {
    for (size_t size = 0; size < cut.size(); ++size) {
      RdbReader in(ByteView(cut).substr(0, size), 1000);
      EXPECT_EQ(in.string(scratch), "");
      EXPECT_EQ(in.state(), RdbReader::State::kNeedsMore) << size;
      EXPECT_EQ(in.offset(), 1000U);
      // The first thing that was wrong stays.
      in.refuse("something else");
      EXPECT_EQ(in.state(), RdbReader::State::kNeedsMore);
      EXPECT_EQ(in.length(), 0U);
    }
  }
  RdbReader unknown(ByteView("\1x\xc4"), 7);
  EXPECT_EQ(unknown.string(scratch), "x");
  unknown.string(scratch);
  EXPECT_EQ(unknown.state(), RdbReader::State::kCorrupt);
  EXPECT_EQ(unknown.offset(), 9U);
}

TEST(RdbReader, NoLengthIsBelievedBeforeItsBytesAreThere) {
  std::string scratch;
  // A packed string that claims 4 GiB out of five bytes, a string of 2^63 bytes, and as many
  // elements.
  RdbReader packed(ByteView("\xc3\5\x80\xff\xff\xff\xff\0a\xe0\xb\0", 12));
  packed.string(scratch);
  EXPECT_EQ(packed.state(), RdbReader::State::kCorrupt);
  EXPECT_LT(scratch.capacity(), 1000U);
  const std::string huge = length(uint64_t{1} << 63);
  RdbReader text(huge);
  text.string(scratch);
  EXPECT_EQ(text.state(), RdbReader::State::kNeedsMore);
  RdbReader elements(huge);
  EXPECT_EQ(elements.count(2), 0U);
  EXPECT_EQ(elements.state(), RdbReader::State::kNeedsMore);
}

}  // namespace
}  // namespace ouro
