// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/options.h"

#include <gtest/gtest.h>

#include <string>

#include "server/engine/config.h"

namespace ouro {
namespace {

class EngineOptionsTest : public ::testing::Test {
 protected:
  std::string set(ByteView name, ByteView value) {
    const Config::Pair pair{name, value};
    std::string error;
    const auto apply = [](const OptionRow&, std::string&) { return true; };
    if (config.set({&pair, 1}, {}, apply, error)) return "OK";
    return error.substr(error.find(" - ") + 3);
  }

  EngineOptions options;
  Config config{Config::Part{kEngineOptions, &options}};
};

TEST_F(EngineOptionsTest, FieldsStartWithTheStandardValuesOfTheirRows) {
  for (const OptionRow& row : kEngineOptions) {
    ASSERT_NE(row.field.load, nullptr) << row.name;
    EXPECT_EQ(config.get(row), row.standard) << row.name;
    EXPECT_FALSE(row.doc.empty()) << row.name;
  }
}

TEST_F(EngineOptionsTest, ARowsValueSurvivesBeingSetToItself) {
  for (const OptionRow& row : kEngineOptions) {
    if (row.has(OptionFlag::kImmutable) || row.has(OptionFlag::kFileOnly)) continue;
    const std::string before = config.get(row);
    EXPECT_EQ(set(row.name, before), "OK") << row.name;
    EXPECT_EQ(config.get(row), before) << row.name;
  }
}

TEST_F(EngineOptionsTest, OutputLimitsChangeClassByClass) {
  EXPECT_EQ(set("client-output-buffer-limit", "normal 1mb 2kb 3 REPLICA 5 6 7"), "OK");
  EXPECT_EQ(options.output_normal.hard_bytes, 1024U * 1024U);
  EXPECT_EQ(options.output_normal.soft_seconds, 3);
  EXPECT_EQ(config.get("client-output-buffer-limit"),
            "normal 1048576 2048 3 slave 5 6 7 pubsub 33554432 8388608 60");
  EXPECT_EQ(set("client-output-buffer-limit", "normal 1"),
            "Wrong number of arguments in buffer limit configuration.");
  EXPECT_EQ(set("client-output-buffer-limit", "master 1 1 1"),
            "Invalid client class specified in buffer limit configuration.");
  EXPECT_EQ(set("client-output-buffer-limit", "normal 0 0 0 pubsub a 1 1"),
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
  EXPECT_EQ(options.output_normal.soft_seconds, 3);
  EXPECT_EQ(set("client-output-buffer-limit", "normal 99999999999999999999 0 +05 pubsub 0 0 "),
            "OK");
  EXPECT_EQ(config.get("client-output-buffer-limit"),
            "normal 18446744073709551615 0 5 slave 5 6 7 pubsub 0 0 0");
  EXPECT_EQ(set("client-output-buffer-limit", "normal 0 0 2147483648"),
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
}

// A space more is an empty word more, and no other blank parts words.
TEST_F(EngineOptionsTest, ValuesOfManyWordsArePartedByOneSpace) {
  const std::string before = options.latency_tracking_info_percentiles;
  for (const ByteView text : {" ", " 1", "1 ", "1  2", "1\t2", "\t1", "1\n"}) {
    EXPECT_EQ(set("latency-tracking-info-percentiles", text),
              "Invalid latency-tracking-info-percentiles parameters")
        << text;
  }
  EXPECT_EQ(options.latency_tracking_info_percentiles, before);
  for (const ByteView text : {" normal 1 2 3", "normal 1 2 3 ", "normal  1  2  3"}) {
    EXPECT_EQ(set("client-output-buffer-limit", text),
              "Wrong number of arguments in buffer limit configuration.")
        << text;
  }
  EXPECT_EQ(set("client-output-buffer-limit", "\tnormal 1 2 3"),
            "Invalid client class specified in buffer limit configuration.");
}

TEST_F(EngineOptionsTest, EventLettersComeBackInOneOrder) {
  const auto letters = [&](ByteView text) {
    EXPECT_EQ(set("notify-keyspace-events", text), "OK");
    return options.notify_keyspace_events;
  };
  EXPECT_EQ(letters("KEA"), "AKE");
  EXPECT_EQ(letters("E$gK"), "g$KE");
  EXPECT_EQ(letters("mxK"), "xKm");
  EXPECT_EQ(letters(""), "");
  EXPECT_EQ(letters("KEgnm"), "gnKEm");
  EXPECT_EQ(letters("coAnnK"), "AnocK");
  EXPECT_EQ(letters("VLKThSImI"), "hKmSTIVL");
  EXPECT_EQ(set("notify-keyspace-events", "foo"),
            "Invalid event class character. Use 'Ag$lshzxeKEtmdnocSTIVL'.");
}

TEST_F(EngineOptionsTest, PercentilesAreChecked) {
  EXPECT_EQ(set("latency-tracking-info-percentiles", "50 99.99 100.0"), "OK");
  EXPECT_EQ(options.latency_tracking_info_percentiles, "50 99.99 100");
  EXPECT_EQ(set("latency-tracking-info-percentiles", "33.123456789 1e-5 99.9999999 0"), "OK");
  EXPECT_EQ(options.latency_tracking_info_percentiles, "33.123457 0.00001 100 0");
  EXPECT_EQ(set("latency-tracking-info-percentiles", ""), "OK");
  EXPECT_EQ(options.latency_tracking_info_percentiles, "");
  EXPECT_EQ(set("latency-tracking-info-percentiles", "x"),
            "Invalid latency-tracking-info-percentiles parameters");
  EXPECT_EQ(set("latency-tracking-info-percentiles", "101"),
            "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
}

TEST_F(EngineOptionsTest, PoliciesMapToTheirNames) {
  EXPECT_EQ(set("maxmemory-policy", "allkeys-lfu"), "OK");
  EXPECT_EQ(options.maxmemory_policy, EvictionPolicy::kAllkeysLfu);
  EXPECT_EQ(set("maxmemory-policy", "VOLATILE-ttl"), "OK");
  EXPECT_EQ(options.maxmemory_policy, EvictionPolicy::kVolatileTtl);
  EXPECT_EQ(set("maxmemory-policy", "noeviction"), "OK");
  EXPECT_EQ(options.maxmemory_policy, EvictionPolicy::kNone);
}

}  // namespace
}  // namespace ouro
