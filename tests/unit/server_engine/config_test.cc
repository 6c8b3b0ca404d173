// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/config.h"

#include <gtest/gtest.h>

#include <map>

namespace ouro {
namespace {

struct Options {
  int64_t samples = 5;
  uint64_t memory = 0;
  bool lazy = false;
};

// Words in pairs; what they say replaces or adds to what holds.
bool check_save(Words words, OptionValue& value, std::string& error) {
  if (words.size() % 2 != 0) {
    error = "Invalid save parameters";
    return false;
  }
  value.text.clear();
  for (const ByteView word : words) value.text.append(value.text.empty() ? "" : " ").append(word);
  return true;
}

constexpr OptionRow kRows[] = {
    {.name = "samples",
     .alias = "old-samples",
     .kind = OptionKind::kInteger,
     .standard = "5",
     .least = 1,
     .most = 100,
     .field = option_field<&Options::samples>()},
    {.name = "maxmemory",
     .kind = OptionKind::kBytes,
     .standard = "0",
     .field = option_field<&Options::memory>()},
    {.name = "lazy",
     .kind = OptionKind::kBool,
     .standard = "no",
     .field = option_field<&Options::lazy>()},
};
constexpr OptionRow kKeptRows[] = {
    {.name = "save",
     .kind = OptionKind::kWords,
     .flags = OptionFlag::kAccumulates,
     .standard = "3600 1",
     .check = check_save},
    {.name = "port",
     .kind = OptionKind::kInteger,
     .flags = OptionFlag::kImmutable,
     .standard = "6379"},
    {.name = "dir", .flags = OptionFlag::kProtected | OptionFlag::kNotLoading, .standard = "."},
    {.name = "delay", .kind = OptionKind::kInteger, .flags = OptionFlag::kHidden, .standard = "0"},
    {.name = "include", .flags = OptionFlag::kFileOnly},
};

class ConfigTest : public ::testing::Test {
 protected:
  std::map<std::string, std::string> get(std::vector<ByteView> patterns) {
    std::map<std::string, std::string> found;
    config.for_each_match(patterns, [&](ByteView name, ByteView value) {
      EXPECT_TRUE(found.emplace(name, value).second) << name << " twice";
    });
    return found;
  }
  std::string set(std::vector<Config::Pair> pairs, Config::Circumstances now = {}) {
    std::string error;
    applied.clear();
    const auto apply = [&](const OptionRow& row, std::string& reason) {
      applied.push_back(std::string(row.name) + "=" + config.get(row));
      if (row.name != refused) return true;
      reason = "no room";
      refused = {};
      return false;
    };
    return config.set(pairs, now, apply, error) ? "OK" : error;
  }
  bool load(ByteView name, std::vector<ByteView> words) {
    std::string error;
    return config.load(*config.find(name), words, error);
  }

  Options options;
  Config config{Config::Part{kRows, &options}, Config::Part{kKeptRows, nullptr}};
  std::vector<std::string> applied;
  std::string_view refused;
};

TEST_F(ConfigTest, GetMatchesNamesAndAliasesOnceInAnyCase) {
  using Found = std::map<std::string, std::string>;
  EXPECT_EQ(get({"*SAMPLES"}), (Found{{"samples", "5"}, {"old-samples", "5"}}));
  EXPECT_EQ(get({"samples", "*samples"}), (Found{{"samples", "5"}, {"old-samples", "5"}}));
  EXPECT_EQ(get({"Samples"}), (Found{{"Samples", "5"}}));
  EXPECT_EQ(get({"nothing"}), Found{});
  EXPECT_EQ(get({"*"}).count("delay"), 0U);
  EXPECT_EQ(get({"delay"}), (Found{{"delay", "0"}}));
  EXPECT_EQ(get({"include"}), Found{});
  EXPECT_EQ(get({"save"}), (Found{{"save", "3600 1"}}));
}

TEST_F(ConfigTest, SetChangesFieldsAndTellsWhatChanged) {
  EXPECT_EQ(set({{"samples", "7"}, {"MAXMEMORY", "1kb"}, {"lazy", "no"}}), "OK");
  EXPECT_EQ(options.samples, 7);
  EXPECT_EQ(options.memory, 1024U);
  EXPECT_EQ(applied, (std::vector<std::string>{"samples=7", "maxmemory=1024"}));
}

TEST_F(ConfigTest, SetIsAllOrNothingWhenAValueIsBad) {
  EXPECT_EQ(set({{"samples", "7"}, {"maxmemory", "abc"}}),
            "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a "
            "memory value");
  EXPECT_EQ(options.samples, 5);
  EXPECT_TRUE(applied.empty());
}

TEST_F(ConfigTest, SetTakesAllBackWhenApplyingFails) {
  refused = "maxmemory";
  EXPECT_EQ(set({{"samples", "7"}, {"maxmemory", "10"}, {"lazy", "yes"}}),
            "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - no room");
  EXPECT_EQ(options.samples, 5);
  EXPECT_EQ(options.memory, 0U);
  EXPECT_FALSE(options.lazy);
  EXPECT_EQ(applied,
            (std::vector<std::string>{"samples=7", "maxmemory=10", "samples=5", "maxmemory=0"}));
}

TEST_F(ConfigTest, SetRefusesWhatMayNotBeSet) {
  EXPECT_EQ(set({{"samples", "7"}, {"foo", "bar"}}),
            "ERR Unknown option or number of arguments for CONFIG SET - 'foo'");
  EXPECT_EQ(set({{"include", "x"}}),
            "ERR Unknown option or number of arguments for CONFIG SET - 'include'");
  EXPECT_EQ(
      set({{"port", "1"}}),
      "ERR CONFIG SET failed (possibly related to argument 'port') - can't set immutable config");
  EXPECT_EQ(
      set({{"dir", "/"}}),
      "ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config");
  EXPECT_EQ(set({{"samples", "1"}, {"dir", "/"}, {"foo", "bar"}},
                {.allow_protected = true, .is_loading = true}),
            "LOADING Redis is loading the dataset in memory");
  EXPECT_EQ(set({{"dir", "/"}}, {.allow_protected = true}), "OK");
  EXPECT_EQ(config.get("dir"), "/");
  EXPECT_EQ(set({{"samples", "1"}, {"SAMPLES", "2"}}),
            "ERR CONFIG SET failed (possibly related to argument 'SAMPLES') - duplicate parameter");
  EXPECT_EQ(set({{"samples", "1"}, {"old-samples", "2"}}), "OK");
  EXPECT_EQ(options.samples, 2);
}

TEST_F(ConfigTest, RepeatedLinesOfAFileAddUpFromTheFirst) {
  EXPECT_TRUE(load("save", {"900", "1"}));
  EXPECT_EQ(config.get("save"), "900 1");
  EXPECT_TRUE(load("save", {"30 10"}));
  EXPECT_EQ(config.get("save"), "900 1 30 10");
  EXPECT_FALSE(load("save", {"1"}));
  EXPECT_TRUE(load("port", {"7000"}));
  EXPECT_EQ(config.get("port"), "7000");
}

TEST_F(ConfigTest, NearestProposesOnlyWhatIsNear) {
  EXPECT_EQ(config.nearest("prot"), "port");
  EXPECT_EQ(config.nearest("maxmemroy"), "maxmemory");
  EXPECT_EQ(config.nearest("MAXMEMORY-"), "maxmemory");
  EXPECT_EQ(config.nearest("something-else-entirely"), "");
}

TEST_F(ConfigTest, RewriteKeepsWhatIsThereAndAppendsWhatDiffers) {
  ASSERT_EQ(set({{"maxmemory", "10mb"}, {"samples", "9"}, {"save", "60 1"}}), "OK");
  const std::string text = config.rewrite(
      "# a comment\n\nmaxmemory 5mb\nsave 900 1\nsave 30 10\nlazy no\n  # indented\nunknown "
      "thing\ninclude x.conf",
      RewriteScope::kWhatDiffers);
  EXPECT_EQ(text,
            "# a comment\n\nmaxmemory 10485760\nsave 60 1\nlazy no\n  # indented\nunknown "
            "thing\ninclude x.conf\n"
            "# Written by CONFIG REWRITE\nsamples 9\n");
  // Written again, nothing changes.
  EXPECT_EQ(config.rewrite(text, RewriteScope::kWhatDiffers), text);
}

TEST_F(ConfigTest, RewriteLeavesLinesThatSayTheSame) {
  ASSERT_EQ(set({{"maxmemory", "10mb"}}), "OK");
  EXPECT_EQ(config.rewrite("MaxMemory   10MB\n", RewriteScope::kWhatDiffers), "MaxMemory   10MB\n");
}

TEST(ConfigWords, QuotingIsReadBackAsItWas) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& word : {std::string(), std::string("plain"), std::string("two words"),
                                  all, std::string("#x"), std::string("it's \"quoted\"\n")}) {
    std::string buffer;
    std::vector<ByteView> words;
    const std::string line = "name " + quoted_word(word);
    ASSERT_TRUE(split_config_line(line, buffer, words)) << line;
    ASSERT_EQ(words.size(), 2U) << line;
    EXPECT_EQ(words[1], word);
  }
}

TEST(ConfigWords, AnOpenQuoteIsAnError) {
  std::string buffer;
  std::vector<ByteView> words;
  EXPECT_FALSE(split_config_line("dir \"/tmp", buffer, words));
  EXPECT_TRUE(split_config_line("a \"b c\" 'd e' f", buffer, words));
  EXPECT_EQ(words, (std::vector<ByteView>{"a", "b c", "d e", "f"}));
}

}  // namespace
}  // namespace ouro
