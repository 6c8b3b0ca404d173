// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/packed_reader.h"

#include <gtest/gtest.h>

#include <climits>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/codec/little_endian.h"
#include "persistence/listpack_writer.h"

namespace ouro {
namespace {

using Format = PackedReader::Format;

// All elements, or "broken" behind those that could be read.
std::vector<std::string> elements_of(Format format, ByteView bytes) {
  PackedReader in(format, bytes);
  std::vector<std::string> all;
  PackedElement element;
  PackedElement::Scratch scratch;
  while (in.next(element)) all.emplace_back(element.bytes(scratch));
  if (!in.is_whole()) all.emplace_back("broken");
  return all;
}
using Elements = std::vector<std::string>;

std::string ziplist(ByteView entries, uint16_t count, size_t last_at) {
  std::string out;
  append_fixed(out, static_cast<uint32_t>(10 + entries.size() + 1));
  append_fixed(out, static_cast<uint32_t>(10 + last_at));
  append_fixed(out, count);
  return out.append(entries) + "\xff";
}

// Goal: every width of number and text, and of the size behind an entry. Method: the numbers around
// each power of two, texts around each bound.
TEST(Listpack, WhatIsWrittenIsRead) {
  ListpackWriter out;
  Elements expected;
  for (int bits = 0; bits < 64; ++bits) {
    for (int64_t near = -1; near <= 1; ++near) {
      const auto number = static_cast<int64_t>((uint64_t{1} << bits) + static_cast<uint64_t>(near));
      expected.push_back(std::to_string(number));
      expected.push_back(std::to_string(number == INT64_MIN ? number : -number));
    }
  }
  for (const size_t size : {0U, 1U, 63U, 64U, 124U, 125U, 126U, 4095U, 4096U, 16376U, 16377U,
                            16378U, 16379U, 2'097'140U, 2'097'145U, 2'097'150U}) {
    expected.emplace_back(size, 'x');
  }
  for (const std::string& element : expected) out.append(ByteView(element));
  EXPECT_EQ(elements_of(Format::kListpack, out.finish()), expected);
}

TEST(Listpack, NumbersTakeTheFewestBytes) {
  const auto bytes = [](int64_t number) {
    ListpackWriter out;
    out.append(number);
    return out.bytes() - 6;
  };
  EXPECT_EQ(bytes(0), 2U);
  EXPECT_EQ(bytes(127), 2U);
  EXPECT_EQ(bytes(-1), 3U);
  EXPECT_EQ(bytes(4095), 3U);
  EXPECT_EQ(bytes(-4096), 3U);
  EXPECT_EQ(bytes(4096), 4U);
  EXPECT_EQ(bytes(-32769), 5U);
  EXPECT_EQ(bytes(1 << 23), 6U);
  EXPECT_EQ(bytes(INT64_MIN), 10U);
}

TEST(Listpack, MoreElementsThanItCanCount) {
  ListpackWriter out;
  for (int i = 0; i < 70'000; ++i) out.append(int64_t{1});
  const ByteView bytes = out.finish();
  EXPECT_EQ(bytes.substr(4, 2), "\xff\xff");
  EXPECT_EQ(elements_of(Format::kListpack, bytes).size(), 70'000U);
}

TEST(Listpack, EveryByteIsChecked) {
  ListpackWriter out;
  for (const char* text : {"a", "17", "-300", "70000", "some longer text"})
    out.append(ByteView(text));
  const std::string good(out.finish());
  for (size_t size = 0; size < good.size(); ++size) {
    const Elements cut = elements_of(Format::kListpack, ByteView(good).substr(0, size));
    ASSERT_FALSE(cut.empty());
    EXPECT_EQ(cut.back(), "broken") << size;
  }
  for (const size_t at : {0U, 4U, 8U, 10U}) {  // size, count, sizes of entries
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    EXPECT_EQ(elements_of(Format::kListpack, bad).back(), "broken") << at;
  }
  EXPECT_EQ(elements_of(Format::kListpack, good + "x").back(), "broken");
}

TEST(Ziplist, AllCodesAreRead) {
  const ByteView entries(
      "\0\2hi"                    // text
      "\4\xf1"                    // 0
      "\2\xfd"                    // 12
      "\2\xfe\x80"                // -128
      "\3\xc0\xff\x7f"            // 32767
      "\4\xf0\0\0\x80"            // -8388608
      "\5\xd0\0\0\0\x80"          // -2147483648
      "\6\xe0\0\0\0\0\0\0\0\x80"  // the least of all
      "\xa\x40\3abc"              // text with a length of 14 bits
      "\6\x80\0\0\0\2xy",         // and of 32
      4 + 2 + 2 + 3 + 4 + 5 + 6 + 10 + 6 + 8);
  const Elements expected = {"hi",    "0",        "12",          "-128",
                             "32767", "-8388608", "-2147483648", "-9223372036854775808",
                             "abc",   "xy"};
  EXPECT_EQ(elements_of(Format::kZiplist, ziplist(entries, 10, entries.size() - 8)), expected);
  EXPECT_EQ(elements_of(Format::kZiplist, ziplist(entries, 65535, entries.size() - 8)), expected);
  EXPECT_EQ(elements_of(Format::kZiplist, ziplist(entries, 9, entries.size() - 8)).back(),
            "broken");
  EXPECT_EQ(elements_of(Format::kZiplist, ziplist(entries, 10, 0)).back(), "broken");
}

TEST(Ziplist, LongEntriesAreAnnouncedInFourBytes) {
  const std::string text(300, 'x');
  const std::string entries =
      std::string("\0\x41\x2c", 3) + text + std::string("\xfe\x2f\1\0\0\xf2", 6);
  EXPECT_EQ(elements_of(Format::kZiplist, ziplist(entries, 2, 303)), (Elements{text, "1"}));
  std::string bad = entries;
  bad[304] = '\x2e';
  EXPECT_EQ(elements_of(Format::kZiplist, ziplist(bad, 2, 303)), (Elements{text, "broken"}));
}

TEST(Zipmap, KeysAndValuesWithUnusedBytes) {
  const std::string good("\2\3foo\2\1hi?\1x\xfe\2\0\0\0\0yz\xff", 21);
  EXPECT_EQ(elements_of(Format::kZipmap, good), (Elements{"foo", "hi", "x", "yz"}));
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(elements_of(Format::kZipmap, ByteView(good).substr(0, size)).back(), "broken");
  std::string uncounted = good;
  uncounted[0] = '\xfe';
  EXPECT_EQ(elements_of(Format::kZipmap, uncounted).size(), 4U);
  EXPECT_EQ(elements_of(Format::kZipmap, ByteView("\1\1k\xff", 4)), (Elements{"k", "broken"}));
}

// Goal: nothing is read outside of the bytes, and the walk ends. Method: noise behind good heads;
// the sanitizers' build watches.
TEST(PackedReader, NoiseIsBrokenOrRead) {
  Prng prng(3);
  for (int round = 0; round < 30'000; ++round) {
    std::string bytes;
    for (uint64_t left = prng.below(40); left > 0; --left)
      bytes += static_cast<char>(prng.below(4) == 0 ? prng.next() : prng.below(6));
    if (bytes.size() >= 4 && prng.below(2) == 0) {
      const auto size = static_cast<uint32_t>(bytes.size());
      std::memcpy(bytes.data(), &size, sizeof size);
    }
    for (const Format format : {Format::kListpack, Format::kZiplist, Format::kZipmap})
      EXPECT_LE(elements_of(format, bytes).size(), bytes.size() + 1);
  }
}

}  // namespace
}  // namespace ouro
