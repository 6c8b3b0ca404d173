// SPDX-License-Identifier: BSD-3-Clause
// What tests of command families drive an Engine with: a clock that stands still until it is moved,
// and answers as text.
//
//   EngineFixture engine{kStringCommands, kKeyCommands};       // the tables it knows; standard
//   options EXPECT_EQ(engine.run("SET k \"two words\" PX 10"), "OK"); engine.pass(11);
//   EXPECT_EQ(engine.run("GET k"), "nil");
//   EXPECT_EQ(engine.run({"GET", binary}), "...");
//
// How answers read: OK (simple)  "bulk" (quoted)  7 (integer)  ERR text (error)  nil  nil-array
// ,1.5 (double)  #t  #f (1234 (big number)  =txt:text (verbatim)  [a, b] (array)  {k: v, k: v}
// (map)  ~[a, b] (set)  >[a, b] (push)
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "datastructs/codec/number_text.h"
#include "datastructs/codec/quoted_words.h"
#include "server/commands/tables.h"
#include "server/engine/config.h"
#include "server/engine/engine.h"

namespace ouro {

// Bytes as a test can show them: printable ones as they are, others as \xHH.
inline std::string shown(ByteView bytes) {
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

// Writes an answer as text and checks its shape: one element at the top, as many in an aggregate as
// were announced.
class TextReply final : public Reply {
 public:
  explicit TextReply(bool resp3 = false) : resp3_(resp3) {}

  bool is_resp3() const override { return resp3_; }
  void simple(ByteView text) override { put(std::string(text)); }
  void error(ByteView text) override { put(std::string(text)); }
  void integer(int64_t value) override { put(std::to_string(value)); }
  void bulk(ByteView bytes) override { put('"' + shown(bytes) + '"'); }
  void blob(Blob* blob, ByteView part) override {
    const ByteView whole = blob->view();
    EXPECT_TRUE(part.data() >= whole.data() &&
                part.data() + part.size() <= whole.data() + whole.size());
    ++blobs_;
    bulk(part);
  }
  void null() override { put("nil"); }
  void null_array() override { put("nil-array"); }
  void array(size_t count) override { open("[", "]", count); }
  void map(size_t pairs) override { open("{", "}", pairs * 2); }
  void set(size_t count) override { open("~[", "]", count); }
  void push(size_t count) override { open(">[", "]", count); }
  void attribute(size_t pairs) override { open("|{", "}", pairs * 2); }
  void real(double value) override {
    char text[kDoubleTextMax];
    put(',' + std::string(text, format_double(value, text)));
  }
  void boolean(bool value) override { put(value ? "#t" : "#f"); }
  void big_number(ByteView digits) override { put('(' + std::string(digits)); }
  void verbatim(ByteView format, ByteView text) override {
    put('=' + std::string(format) + ':' + shown(text));
  }
  Mark begin() override {
    separate();
    levels_.push_back({.begin = text_.size()});
    return levels_.size();
  }
  void end_array(Mark mark, size_t count) override { end(mark, count, "[", "]"); }
  void end_map(Mark mark, size_t pairs) override { end(mark, pairs * 2, "{", "}"); }
  void end_set(Mark mark, size_t count) override { end(mark, count, "~[", "]"); }

  bool is_complete() const { return levels_.empty() && elements_ == 1; }
  bool is_empty() const { return levels_.empty() && elements_ == 0; }
  const std::string& text() const { return text_; }
  // Bulks that were answered from stored blobs.
  size_t blobs() const { return blobs_; }

 private:
  static constexpr size_t kUnknown = ~size_t{0};
  struct Level {
    size_t begin;  // where its elements start in the text
    const char* closing = "";
    size_t left = kUnknown;
    size_t count = 0;
  };

  void separate() {
    if (levels_.empty()) {
      ++elements_;
      if (!text_.empty()) text_ += '\n';
      return;
    }
    Level& level = levels_.back();
    if (level.count > 0) {
      const bool after_key = level.count % 2 == 1 && *level.closing == '}';
      text_ += after_key ? ": " : ", ";
    }
    ++level.count;
  }
  // The aggregates that end with the element just written.
  void close_full() {
    while (!levels_.empty() && levels_.back().left != kUnknown &&
           levels_.back().count == levels_.back().left) {
      text_ += levels_.back().closing;
      levels_.pop_back();
    }
  }
  void put(std::string_view element) {
    separate();
    text_ += element;
    close_full();
  }
  void open(const char* opening, const char* closing, size_t count) {
    separate();
    text_ += opening;
    levels_.push_back({.begin = text_.size(), .closing = closing, .left = count});
    close_full();
  }
  void end(Mark mark, size_t count, const char* opening, const char* closing) {
    ASSERT_EQ(mark, levels_.size()) << text_;
    EXPECT_EQ(count, levels_.back().count) << text_;
    text_.insert(levels_.back().begin, opening);
    text_ += closing;
    levels_.pop_back();
    close_full();
  }

  bool resp3_;
  std::string text_;
  std::vector<Level> levels_;
  size_t elements_ = 0;
  size_t blobs_ = 0;
};

// Each reading is one microsecond after the one before.
class FakeStopwatch final : public Stopwatch {
 public:
  uint64_t ticks() override { return ++ticks_; }
  double ticks_per_us() const override { return 1; }

 private:
  uint64_t ticks_ = 0;
};

class SilentLogger final : public Logger {
 public:
  void write(LogLevel, ByteView) override {}
};

// Remembers what it was asked for.
class FakeHost : public Host {
 public:
  HostInfo info() override { return {}; }
  void append_info(ByteView, std::string&) override {}
  Status shutdown(ShutdownRequest, std::string&) override {
    ++shutdowns;
    return Status::ok();
  }
  Status abort_shutdown() override { return Err::kUnknown; }
  Status rewrite_config(std::string&) override { return Status::ok(); }
  Status apply_config(ByteView, std::string&) override { return Status::ok(); }

  int shutdowns = 0;
};

// Every effect as text, one line each: "db: WORD WORD".
class EffectLog final : public EffectSink {
 public:
  void on_group(std::span<const Effect> effects, bool in_transaction) override {
    if (in_transaction) lines.emplace_back("(");
    for (const Effect& effect : effects) {
      std::string line = std::to_string(effect.db) + ":";
      for (const ByteView word : effect.argv.argv()) line += ' ' + shown(word);
      lines.push_back(std::move(line));
    }
    if (in_transaction) lines.emplace_back(")");
  }
  // All lines since the last call, joined by "; ".
  std::string take() {
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
    lines.clear();
    return text;
  }

  std::vector<std::string> lines;
};

// Words of a command line with redis-cli's quotes.
inline std::vector<std::string> words_of(ByteView line) {
  std::vector<std::string> words;
  std::string buffer(line.size() + 1, '\0');
  ByteView rest = line;
  for (;;) {
    ByteView word;
    size_t used = 0;
    const WordResult result = next_quoted_word(rest, buffer.data(), word, used);
    EXPECT_NE(result, WordResult::kUnbalanced) << line;
    if (result != WordResult::kWord) return words;
    words.emplace_back(word);
  }
}

class EngineFixture {
 public:
  static constexpr UnixMs kStart = 1'700'000'000'000;

  EngineFixture(std::initializer_list<Registry::Table> tables)
      : engine({.options = options,
                .tables = {tables.begin(), tables.size()},
                .seed = 1,
                .stopwatch = stopwatch,
                .log = log,
                .host = host,
                .config = config,
                .sinks = sinks_}) {
    engine.begin_turn(now, 1);
  }
  ~EngineFixture() {
    for (DbIndex db = 0; db < engine.dbs.count(); ++db) engine.dbs[db].check_invariants();
  }

  // One command of `caller`; its answer as text.
  std::string run(ByteView line) { return run(words_of(line)); }
  std::string run(std::initializer_list<ByteView> argv) {
    return run(Argv(argv.begin(), argv.size()));
  }
  std::string run(const std::vector<std::string>& words) {
    const std::vector<ByteView> argv(words.begin(), words.end());
    return run(Argv(argv));
  }
  std::string run(Argv argv) {
    TextReply reply(resp3);
    engine.executor.execute(caller, argv, reply);
    EXPECT_TRUE(reply.is_complete()) << reply.text();
    blobs_answered += reply.blobs();
    return reply.text();
  }
  // Runs each line; for preparing.
  void run_all(std::initializer_list<ByteView> lines) {
    for (const ByteView line : lines) run(line);
  }
  // The clock moves; nothing is expired by that alone.
  void pass(Millis ms) {
    now += ms;
    engine.begin_turn(now, engine.instant() + ms * 1000);
  }
  void set_clock(UnixMs wall) { pass(wall - now); }
  // What a command was run for is in the log: takes it.
  std::string effects() { return effect_log.take(); }
  Keyspace& db(DbIndex index = 0) { return engine.dbs[index]; }

  EngineOptions options;
  FakeStopwatch stopwatch;
  SilentLogger log;
  FakeHost host;
  Config config{std::span<const Config::Part>()};
  EffectLog effect_log;

 private:
  EffectSink* sinks_[1] = {&effect_log};

 public:
  Engine engine;
  Caller caller{Origin::kEmbedded};
  UnixMs now = kStart;
  bool resp3 = false;
  size_t blobs_answered = 0;
};

}  // namespace ouro
