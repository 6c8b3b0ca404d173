// SPDX-License-Identifier: BSD-3-Clause
// The C interface; that it compiles as C is for tests/compat/install_test.sh to show.
#include "server/embed/ouro_c.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace {

void append_to(void* text, const char* bytes, size_t count) {
  static_cast<std::string*>(text)->append(bytes, count);
}

struct Load {
  int calls = 0;
  ouro_status says = OURO_OK;
};
ouro_status load(void* context, const char* key, size_t key_bytes, ouro_loaded* loaded) {
  Load& self = *static_cast<Load*>(context);
  ++self.calls;
  ouro_loaded_append(loaded, "of ", 3);
  ouro_loaded_append(loaded, key, key_bytes);
  return self.says;
}

// Both forms of cache answer alike.
class OuroC : public testing::TestWithParam<size_t> {
 protected:
  OuroC() {
    ouro_options options = OURO_OPTIONS_DEFAULT;
    options.shards = GetParam();
    options.seed = 1;
    options.clock = [](void* ms, int64_t* unix_ms, int64_t* monotonic_us) {
      *unix_ms = 1'700'000'000'000 + *static_cast<int64_t*>(ms);
      *monotonic_us = *static_cast<int64_t*>(ms) * 1000;
    };
    options.clock_context = &passed_ms_;
    cache_ = ouro_open(&options, nullptr, 0);
  }
  ~OuroC() override { ouro_close(cache_); }

  ouro_status set(std::string_view key, std::string_view value, int64_t ttl_ms = 0) {
    return ouro_set(cache_, key.data(), key.size(), value.data(), value.size(), ttl_ms);
  }
  std::string get(std::string_view key) {
    std::string text;
    const ouro_status status = ouro_visit(cache_, key.data(), key.size(), append_to, &text);
    return status == OURO_OK ? text : status == OURO_ABSENT ? "(absent)" : "(error)";
  }

  int64_t passed_ms_ = 1;
  ouro_cache* cache_ = nullptr;
};

TEST_P(OuroC, StoresAndReads) {
  ASSERT_NE(cache_, nullptr);
  EXPECT_EQ(set("k", "value"), OURO_OK);
  EXPECT_EQ(get("k"), "value");
  EXPECT_EQ(get("none"), "(absent)");
  char room[3] = {};
  size_t bytes = 0;
  EXPECT_EQ(ouro_get(cache_, "k", 1, room, sizeof(room), &bytes), OURO_OK);
  EXPECT_EQ(std::string(room, 3), "val");
  EXPECT_EQ(bytes, 5U);
  EXPECT_EQ(ouro_add(cache_, "k", 1, "w", 1, 0), OURO_ABSENT);
  EXPECT_EQ(ouro_add(cache_, "l", 1, "w", 1, 0), OURO_OK);
  EXPECT_EQ(ouro_size(cache_), 2U);
  EXPECT_EQ(ouro_del(cache_, "k", 1), OURO_OK);
  EXPECT_EQ(ouro_del(cache_, "k", 1), OURO_ABSENT);
  EXPECT_GT(ouro_used_bytes(cache_), 0U);
  int64_t sum = 0;
  EXPECT_EQ(ouro_incr(cache_, "n", 1, 5, &sum), OURO_OK);
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(ouro_incr(cache_, "l", 1, 5, &sum), OURO_ERROR);
}

TEST_P(OuroC, KeysEnd) {
  set("k", "v", 100);
  set("e", "v");
  int64_t left = 0;
  EXPECT_EQ(ouro_ttl(cache_, "k", 1, &left), OURO_OK);
  EXPECT_EQ(left, 100);
  EXPECT_EQ(ouro_ttl(cache_, "none", 4, &left), OURO_ABSENT);
  EXPECT_EQ(ouro_expire(cache_, "e", 1, 50), OURO_OK);
  EXPECT_EQ(ouro_expire(cache_, "none", 4, 50), OURO_ABSENT);
  passed_ms_ += 100;
  EXPECT_EQ(ouro_tick(cache_), 0);
  EXPECT_EQ(get("k"), "(absent)");
  EXPECT_EQ(ouro_size(cache_), 0U);
}

TEST_P(OuroC, AnswersAreTrees) {
  const char* add[] = {"RPUSH", "l", "a", "bc"};
  ouro_answer* answer = ouro_execute(cache_, 4, add, nullptr);
  EXPECT_EQ(ouro_answer_kind(answer), OURO_INTEGER);
  EXPECT_EQ(ouro_answer_integer(answer), 2);
  ouro_answer_free(answer);
  const char* range[] = {"LRANGE", "l", "0", "-1....."};
  const size_t sizes[] = {6, 1, 1, 2};
  answer = ouro_execute(cache_, 4, range, sizes);
  EXPECT_EQ(ouro_answer_kind(answer), OURO_ARRAY);
  ASSERT_EQ(ouro_answer_count(answer), 2U);
  size_t bytes = 0;
  EXPECT_STREQ(ouro_answer_text(ouro_answer_item(answer, 1), &bytes), "bc");
  EXPECT_EQ(bytes, 2U);
  EXPECT_EQ(ouro_answer_item(answer, 2), nullptr);
  ouro_answer_free(answer);
  const char* wrong[] = {"GET", "l"};
  answer = ouro_execute(cache_, 2, wrong, nullptr);
  EXPECT_EQ(ouro_answer_kind(answer), OURO_FAILURE);
  EXPECT_EQ(std::string(ouro_answer_text(answer, nullptr)).substr(0, 9), "WRONGTYPE");
  ouro_answer_free(answer);
}

TEST_P(OuroC, LoadsWhatIsMissing) {
  Load context;
  std::string text;
  EXPECT_EQ(ouro_get_or_load(cache_, "k", 1, load, &context, 100, append_to, &text), OURO_OK);
  EXPECT_EQ(ouro_get_or_load(cache_, "k", 1, load, &context, 100, append_to, &text), OURO_OK);
  EXPECT_EQ(text, "of kof k");
  EXPECT_EQ(context.calls, 1);
  context.says = OURO_ABSENT;
  EXPECT_EQ(ouro_get_or_load(cache_, "a", 1, load, &context, 100, append_to, &text), OURO_ABSENT);
  context.says = OURO_ERROR;
  EXPECT_EQ(ouro_get_or_load(cache_, "a", 1, load, &context, 100, append_to, &text), OURO_ERROR);
  EXPECT_EQ(context.calls, 3);
  EXPECT_EQ(ouro_size(cache_), 1U);
}

INSTANTIATE_TEST_SUITE_P(Forms, OuroC, testing::Values(size_t{0}, size_t{4}));

TEST(OuroCOpen, WrongOptionsSayWhy) {
  const char* settings[] = {"maxmemory-samples", "0", nullptr};
  ouro_options options = OURO_OPTIONS_DEFAULT;
  options.settings = settings;
  char error[128] = "";
  EXPECT_EQ(ouro_open(&options, error, sizeof(error)), nullptr);
  EXPECT_NE(std::strstr(error, "maxmemory-samples"), nullptr) << error;
  ouro_cache* cache = ouro_open(nullptr, nullptr, 0);
  EXPECT_NE(cache, nullptr);
  ouro_close(cache);
}

}  // namespace
