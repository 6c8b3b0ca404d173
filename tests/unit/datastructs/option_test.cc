// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/option.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace ouro {
namespace {

struct Inner {
  size_t entries = 512;
};
enum class Mode : uint8_t { kOff, kOn };
struct Options {
  Inner inner;
  bool flag = false;
  int32_t count = 5;
  Mode mode = Mode::kOff;
  std::string text;
  std::vector<std::string> list = {"a", "b"};
};

constexpr std::array<std::string_view, 4> kNames = {"default", "save", "nosave", "now"};

bool parse(const OptionRow& row, std::vector<ByteView> words, OptionValue& value,
           std::string& error) {
  error.clear();
  return parse_option(row, words, value, error);
}

std::string error_of(const OptionRow& row, std::vector<ByteView> words) {
  OptionValue value;
  std::string error;
  return parse(row, std::move(words), value, error) ? "" : error;
}

std::string text_of(const OptionRow& row, std::vector<ByteView> words) {
  OptionValue value;
  std::string error;
  return parse(row, std::move(words), value, error) ? format_option(row, value) : "error: " + error;
}

TEST(Option, FieldsOfAnyTypeAreReachedThroughTheErasedOptions) {
  Options options;
  void* erased = &options;
  const OptionField entries = option_field<&Options::inner, &Inner::entries>();
  const OptionField flag = option_field<&Options::flag>();
  const OptionField mode = option_field<&Options::mode>();
  const OptionField text = option_field<&Options::text>();
  const OptionField list = option_field<&Options::list>();
  EXPECT_EQ(list.load(erased).text, "a b");
  list.store(erased, {.text = "c"});
  EXPECT_EQ(options.list, std::vector<std::string>{"c"});
  EXPECT_EQ(entries.load(erased).number, 512);
  entries.store(erased, {.number = 7});
  flag.store(erased, {.number = 1});
  mode.store(erased, {.number = 1});
  text.store(erased, {.text = "abc"});
  EXPECT_EQ(options.inner.entries, 7U);
  EXPECT_TRUE(options.flag);
  EXPECT_EQ(options.mode, Mode::kOn);
  EXPECT_EQ(text.load(erased).text, "abc");
}

TEST(Option, BytesTakeUnitsInAnyCase) {
  const auto bytes = [](ByteView text) {
    uint64_t value = 0;
    return parse_bytes(text, value) ? static_cast<int64_t>(value) : -1;
  };
  EXPECT_EQ(bytes("100"), 100);
  EXPECT_EQ(bytes("100b"), 100);
  EXPECT_EQ(bytes("1k"), 1000);
  EXPECT_EQ(bytes("1KB"), 1024);
  EXPECT_EQ(bytes("2m"), 2000000);
  EXPECT_EQ(bytes("2Mb"), 2 * 1024 * 1024);
  EXPECT_EQ(bytes("1g"), 1000000000);
  EXPECT_EQ(bytes("1GB"), 1024 * 1024 * 1024);
  EXPECT_EQ(bytes(""), 0);
  EXPECT_EQ(bytes("kb"), 0);
  for (const ByteView bad : {"1.5gb", "-1", "1 kb", "1tb", "%"}) EXPECT_EQ(bytes(bad), -1) << bad;
  for (const ByteView large : {"99999999999999999999", "99999999999gb"}) {
    uint64_t value = 0;
    EXPECT_TRUE(parse_bytes(large, value));
    EXPECT_EQ(value, UINT64_MAX) << large;
  }
}

TEST(Option, IntegersStayWithinBoundsAndAreWrittenOneWay) {
  const OptionRow row{.name = "n", .kind = OptionKind::kInteger, .least = -1, .most = 10};
  EXPECT_EQ(text_of(row, {"10"}), "10");
  EXPECT_EQ(text_of(row, {"-1"}), "-1");
  EXPECT_EQ(error_of(row, {"11"}), "argument must be between -1 and 10 inclusive");
  for (const ByteView bad : {"", "x", "1x", "007", "-0", "+1", " 1"}) {
    EXPECT_EQ(error_of(row, {bad}), "argument couldn't be parsed into an integer") << bad;
  }
  EXPECT_EQ(error_of(row, {"1", "2"}), "wrong number of arguments");
}

TEST(Option, PercentIsKeptApartFromBytes) {
  const OptionRow row{.name = "p", .kind = OptionKind::kPercentOrBytes};
  EXPECT_EQ(text_of(row, {"5%"}), "5%");
  EXPECT_EQ(text_of(row, {"1kb"}), "1024");
  EXPECT_EQ(error_of(row, {"101%"}), "percentage argument must be less or equal to 100");
  EXPECT_EQ(error_of(row, {"x"}), "argument must be a memory or percent value");
}

TEST(Option, NamesAreListedWhenNoneFits) {
  const OptionRow one{.name = "e", .kind = OptionKind::kEnum, .names = kNames};
  EXPECT_EQ(text_of(one, {"NoSave"}), "nosave");
  EXPECT_EQ(error_of(one, {"x"}),
            "argument(s) must be one of the following: default, save, nosave, now");
  const OptionRow many{.name = "f", .kind = OptionKind::kFlags, .names = kNames};
  EXPECT_EQ(text_of(many, {"now", "save"}), "save now");
  EXPECT_EQ(text_of(many, {"default"}), "default");
  EXPECT_EQ(error_of(many, {}),
            "argument(s) must be one of the following: default, save, nosave, now");
}

TEST(Option, OctalAndBooleans) {
  const OptionRow mode{.name = "o", .kind = OptionKind::kOctal, .most = 0777};
  EXPECT_EQ(text_of(mode, {"700"}), "700");
  EXPECT_EQ(error_of(mode, {"999"}), "argument couldn't be parsed as an octal number");
  const OptionRow flag{.name = "b", .kind = OptionKind::kBool};
  EXPECT_EQ(text_of(flag, {"YES"}), "yes");
  EXPECT_EQ(error_of(flag, {"1"}), "argument must be 'yes' or 'no'");
}

TEST(Option, AFeatureOfALaterVersionTakesItsStandardValueOnly) {
  const OptionRow row{.name = "appendonly",
                      .kind = OptionKind::kBool,
                      .standard = "no",
                      .later = "append-only file"};
  EXPECT_EQ(text_of(row, {"no"}), "no");
  EXPECT_EQ(error_of(row, {"yes"}),
            "append-only file is not available in this version: the only value is 'no'");
  EXPECT_EQ(error_of(row, {"maybe"}), "argument must be 'yes' or 'no'");
}

TEST(Option, AFailedParseLeavesTheValueAlone) {
  const OptionRow row{.name = "n", .kind = OptionKind::kInteger, .most = 10};
  OptionValue value{.number = 3};
  std::string error;
  EXPECT_FALSE(parse(row, {"11"}, value, error));
  EXPECT_EQ(value.number, 3);
}

}  // namespace
}  // namespace ouro
