// SPDX-License-Identifier: BSD-3-Clause
// A Reply that writes one readable line, so a test compares whole answers with a literal:
//
//   array [a b]   map {k v k v}   set <a b>   push >[a b]   bulk "text"   simple text   integer 7
//   null _   null array *_   real ,1.5 boolean #t   error (ERR ...)
//   verbatim txt"..."   big number 123n
//
// Bytes of bulks that cannot be printed are written as \xHH.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "server/engine/reply.h"

namespace ouro {

inline std::string printable(ByteView bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c >= ' ' && c <= '~') {
      text += c;
      continue;
    }
    char hex[8];
    std::snprintf(hex, sizeof(hex), "\\x%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += hex;
  }
  return text;
}

class ReplyLine final : public Reply {
 public:
  explicit ReplyLine(bool resp3 = true) : resp3_(resp3) {}

  // All that was written; elements outside of aggregates are divided by a blank. Every aggregate
  // must be full.
  std::string take() {
    EXPECT_TRUE(open_.empty()) << "an aggregate lacks elements: " << text_;
    open_.clear();
    elements_ = 0;
    return std::exchange(text_, {});
  }

  // Elements outside of aggregates since the last take(): a command writes one.
  size_t elements() const { return elements_; }
  // Bulks that were answered from stored blobs.
  size_t blobs() const { return blobs_; }

  bool is_resp3() const override { return resp3_; }
  void simple(ByteView text) override { element(std::string(text)); }
  void error(ByteView text) override { element("(" + std::string(text) + ")"); }
  void integer(int64_t value) override { element(std::to_string(value)); }
  void bulk(ByteView bytes) override { element('"' + printable(bytes) + '"'); }
  void blob(Blob* blob, ByteView part) override {
    const ByteView whole = blob->view();
    EXPECT_TRUE(part.data() >= whole.data() && part.end() <= whole.end());
    ++blobs_;
    bulk(part);
  }
  void null() override { element("_"); }
  void null_array() override { element("*_"); }
  void array(size_t count) override { aggregate("[", "]", count); }
  void map(size_t pairs) override { aggregate("{", "}", pairs * 2); }
  void set(size_t count) override { aggregate("<", ">", count); }
  void push(size_t count) override { aggregate(">[", "]", count); }
  void attribute(size_t pairs) override { aggregate("|{", "}", pairs * 2); }
  void real(double value) override {
    char text[40];
    std::snprintf(text, sizeof(text), ",%.17g", value);
    element(text);
  }
  void boolean(bool value) override { element(value ? "#t" : "#f"); }
  void big_number(ByteView digits) override { element(std::string(digits) + "n"); }
  void verbatim(ByteView format, ByteView text) override {
    element(std::string(format) + '"' + std::string(text) + '"');
  }
  // A mark holds its place in the tree by staying open without a count.
  Mark begin() override {
    aggregate("?", "", kUncounted);
    return text_.size();
  }
  void end_array(Mark mark, size_t count) override { end(mark, "[", "]", count); }
  void end_map(Mark mark, size_t pairs) override { end(mark, "{", "}", pairs * 2); }
  void end_set(Mark mark, size_t count) override { end(mark, "<", ">", count); }

 private:
  static constexpr size_t kUncounted = SIZE_MAX;
  struct Open {
    std::string closer;
    size_t count;
    size_t written = 0;
  };

  void separate() {
    if (open_.empty()) {
      ++elements_;
      if (!text_.empty()) text_ += ' ';
    } else if (open_.back().written++ > 0) {
      text_ += ' ';
    }
  }
  void element(const std::string& text) {
    separate();
    text_ += text;
    close_full();
  }
  void aggregate(const char* opener, const char* closer, size_t count) {
    separate();
    text_ += opener;
    open_.push_back({.closer = closer, .count = count});
    close_full();
  }
  void close_full() {
    while (!open_.empty() && open_.back().written == open_.back().count) {
      text_ += open_.back().closer;
      open_.pop_back();
    }
  }
  void end(Mark mark, const char* opener, const char* closer, size_t count) {
    ASSERT_FALSE(open_.empty());
    EXPECT_EQ(open_.back().count, kUncounted) << "an inner aggregate lacks elements: " << text_;
    EXPECT_EQ(open_.back().written, count) << text_;
    text_.replace(mark - 1, 1, opener);
    text_ += closer;
    open_.pop_back();
    close_full();
  }

  bool resp3_;
  std::string text_;
  std::vector<Open> open_;
  size_t elements_ = 0;
  size_t blobs_ = 0;
};

}  // namespace ouro
