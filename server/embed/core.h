// SPDX-License-Identifier: BSD-3-Clause
// Core: what stands behind one Cache. An engine with what it needs from a program: options, a
// clock, a log, a host that says "not here". Nothing of it is seen through ouro.h.
//
// Two callers share the engine: execute() has one that may open a transaction, typed calls have one
// that never queues.
#pragma once

#include <string>

#include "server/embed/ouro.h"
#include "server/embed/value_reply.h"
#include "server/engine/config.h"
#include "server/engine/engine.h"
#include "server/io/clock.h"
#include "server/io/random_bytes.h"

namespace ouro::embedded {

// The host's log, or none.
class HostLogger final : public Logger {
 public:
  explicit HostLogger(const CacheOptions& options)
      : log_(options.log), context_(options.log_context) {}
  void write(LogLevel level, ByteView line) override {
    if (log_ != nullptr) log_(context_, static_cast<CacheLogLevel>(level), line);
  }

 private:
  void (*log_)(void*, CacheLogLevel, std::string_view);
  void* context_;
};

// The host's clock, or the system's.
class HostClock final : public Stopwatch {
 public:
  explicit HostClock(const CacheOptions& options)
      : clock_(options.clock), context_(options.clock_context) {}

  bool is_host() const { return clock_ != nullptr; }
  CacheTime now() const {
    if (clock_ != nullptr) return clock_(context_);
    return {.unix_ms = wall_clock_now(), .monotonic_us = monotonic_now()};
  }
  // Cheaper and as exact as deciding about a tick asks for.
  Instant coarse_now() const {
    return clock_ != nullptr ? clock_(context_).monotonic_us : monotonic_coarse_now();
  }

  // Commands are timed by it too: by the microsecond, where the host's clock rules, so that a
  // virtual clock rules everything.
  uint64_t ticks() override {
    return clock_ != nullptr ? static_cast<uint64_t>(clock_(context_).monotonic_us)
                             : cycles_.ticks();
  }
  double ticks_per_us() const override { return clock_ != nullptr ? 1 : ticks_per_us_; }
  void refine() override;

 private:
  CacheTime (*clock_)(void*);
  void* context_;
  CycleClock cycles_;
  double ticks_per_us_ = 1e9 / static_cast<double>(cycles_.nanos(1'000'000));
};

// No server, but a process: it can make secrets.
class EmbedHost final : public NoHost {
 public:
  void fill_random(std::span<unsigned char> bytes) override {
    random_bytes(bytes.data(), bytes.size());
  }
};

class Core {
 public:
  // Null when an option is wrong, with the reason in `error`.
  static std::unique_ptr<Core> create(const CacheOptions& options, std::string& error);

  bool tick();
  // A turn of its own if the last was long enough ago, for those whose host does not tick.
  void tick_if_due() {
    if (clock_.coarse_now() - ticked_ >= kTurnEvery) tick();
  }

  Peek peek(ByteView key);
  Outcome<bool> set(ByteView key, ByteView value, const SetOptions& options);
  // A command of the typed calls.
  void run(Argv argv, Reply& reply);
  void execute(Argv argv, Reply& reply);
  bool select(DbIndex database);
  const Keyspace& database() const { return engine_.dbs[typed_.db]; }
  const Engine& engine() const { return engine_; }

 private:
  static constexpr Micros kTurnEvery = 1000;

  struct Settings {
    EngineOptions options;
    Config config{Config::Part{kEngineOptions, &options}};

    bool set(ByteView name, ByteView value, std::string& error);
    bool apply(const CacheOptions& options, std::string& error);
  };

  Core(std::unique_ptr<Settings> settings, const CacheOptions& options);
  void run_as(Caller& caller, Argv argv, Reply& reply);
  bool are_storable(Argv argv) const;

  std::unique_ptr<Settings> settings_;
  HostLogger log_;
  HostClock clock_;
  EmbedHost host_;
  Engine engine_;
  Caller caller_{Origin::kEmbedded};
  Caller typed_{Origin::kEmbedded};
  const CommandSpec& get_row_;
  const CommandSpec& set_row_;
  CommandStats& get_stats_;
  NullReply no_reply_;
  Instant ticked_ = 0;
  Instant next_second_ = 0;
  NumberText number_;    // what peek() found, when it is kept as an integer
  std::string failure_;  // why peek() failed
};

}  // namespace ouro::embedded
