// SPDX-License-Identifier: BSD-3-Clause
// What tests of command families drive an Engine with: a clock that stands still until it is moved,
// and answers as text.
//
//   EngineFixture engine{kStringCommands, kKeyCommands};  // the tables it knows
//   EXPECT_EQ(engine.run("SET k \"two words\" PX 10"), "OK");
//   engine.pass(11);
//   EXPECT_EQ(engine.run("GET k"), "_");
//   EXPECT_EQ(engine.run({"GET", binary}), "...");
//
// How answers and effects read: reply_line.h.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datastructs/codec/quoted_words.h"
#include "reply_line.h"
#include "server/commands/tables.h"
#include "server/engine/config.h"
#include "server/engine/engine.h"

namespace ouro {

// Each reading is so many microseconds after the one before.
class FakeStopwatch final : public Stopwatch {
 public:
  uint64_t ticks() override { return ticks_ += step; }
  double ticks_per_us() const override { return 1; }

  uint64_t step = 1;

 private:
  uint64_t ticks_ = 0;
};

class SilentLogger final : public Logger {
 public:
  void write(LogLevel, ByteView) override { ++lines; }

  size_t lines = 0;
};

// Remembers what it was asked for.
class FakeHost : public Host {
 public:
  HostInfo info() override { return {}; }
  void append_info(ByteView, std::string&) override {}
  void reset_stats() override {}
  Status shutdown(ShutdownRequest, std::string&) override {
    ++shutdowns;
    return Status::ok();
  }
  Status abort_shutdown() override { return Err::kUnknown; }
  Status restart(RestartRequest request, std::string& error) override {
    restarts.push_back(request);
    return refuse(error);
  }
  void end_in_failure(const std::string&) override {}
  Status save(SaveRequest request, bool& scheduled, std::string& error) override {
    saves.push_back(request);
    scheduled = request.must_be_later;
    error = save_error;
    return error.empty() ? Status::ok() : Err::kInvalid;
  }
  CancelledSave cancel_save() override { return cancelled; }
  Status reload(ReloadRequest, std::string& error) override { return refuse(error); }
  void on_all_flushed() override {}
  Status rewrite_log(RewriteRequest, bool&, std::string& error) override { return refuse(error); }
  Status load_log(std::string& error) override { return refuse(error); }
  void on_role_changed() override {}
  Status migrate(Migration& migration, std::string& error) override {
    migrating = &migration;
    error = migrate_error;
    return error.empty() ? Status::ok() : Err::kInvalid;
  }
  void break_off_migration() override { migrating = nullptr; }
  void run_exclusive() override {
    if (on_exclusive) on_exclusive();
  }
  bool pump() override {
    ++pumps;
    return on_pump == nullptr || on_pump(*this);
  }
  void purge_memory() override {}
  void return_memory_at_once(bool) override {}
  void stand_still(Micros micros) override { stood_still += micros; }
  Status rewrite_config(RewriteScope scope, std::string&) override {
    rewritten = scope;
    return Status::ok();
  }
  Status read_file(const std::string& path, std::string& bytes, std::string& error) override {
    const auto found = files.find(path);
    if (found == files.end()) {
      error = "No such file or directory";
      return Err::kIo;
    }
    bytes = found->second;
    return Status::ok();
  }
  Status replace_file(const std::string& path, ByteView bytes, std::string&) override {
    files[path] = bytes;
    return Status::ok();
  }
  void fill_random(std::span<unsigned char> bytes) override {
    for (unsigned char& byte : bytes) byte = 0xa5;
  }
  Status apply_config(ByteView, std::string&) override { return Status::ok(); }

  std::map<std::string, std::string> files;
  std::optional<RewriteScope> rewritten;
  std::vector<SaveRequest> saves;
  std::string save_error;  // what it answers, if it is not empty
  CancelledSave cancelled = CancelledSave::kNone;
  std::vector<RestartRequest> restarts;
  Migration* migrating = nullptr;  // the last that was begun, unless it was broken off
  std::string migrate_error;       // what it answers, if it is not empty
  std::function<void()> on_exclusive;
  int shutdowns = 0;
  int pumps = 0;
  Micros stood_still = 0;
  std::function<bool(FakeHost&)> on_pump;  // what happens in a turn inside a script

 private:
  static Status refuse(std::string& error) {
    error = "not in this test";
    return Err::kInvalid;
  }
};

// Every effect as text, one line each: "db: WORD WORD".
class EffectLog final : public EffectSink {
 public:
  void on_group(std::span<const Effect> effects, GroupKind kind) override {
    if (kind == GroupKind::kTransaction) lines.emplace_back("(");
    for (const Effect& effect : effects) on_command(effect.db, effect.argv.argv(), {});
    if (kind == GroupKind::kTransaction) lines.emplace_back(")");
  }
  void on_command(DbIndex db, Argv argv, ByteView /*raw*/) override {
    std::string line = std::to_string(db) + ":";
    for (const ByteView word : argv) line += ' ' + printable(word);
    lines.push_back(std::move(line));
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

// What a command on a key of another type is answered.
inline constexpr ByteView kWrongTypeAnswer =
    "(WRONGTYPE Operation against a key holding the wrong kind of value)";

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
    ReplyLine reply(resp3);
    engine.executor.execute(caller, argv, reply);
    EXPECT_EQ(reply.elements(), 1U);
    blobs_answered += reply.blobs();
    return reply.take();
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
  Config config{Config::Part{kEngineOptions, &options},
                Config::Part{kReplicationOptions, &options.replication}};
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
