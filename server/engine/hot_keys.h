// SPDX-License-Identifier: BSD-3-Clause
// HotKeys: which keys take the most time, or move the most bytes, for as long as somebody wants to
// know (HOTKEYS). A command's cost is shared out evenly among its keys.
//
// One collection at a time. It keeps kCounters counters for each measure (heavy_hitters.h),
// whatever the keyspace; after it has stopped its results stay until reset(). Cost: a test of
// active() when nobody asks; else a look-up for each key of a sampled command.
#pragma once

#include <memory>

#include "datastructs/heavy_hitters.h"
#include "server/engine/command.h"

namespace ouro {

class Engine;

class HotKeys {
 public:
  static constexpr size_t kShownMax = 64;

  struct Setup {
    bool by_time = false, by_bytes = false;
    size_t shown = 10;
    Millis duration = 0;        // 0: until stop()
    uint64_t sample_ratio = 1;  // one command in so many is looked at
  };
  struct Totals {
    uint64_t nanos = 0;
    uint64_t bytes = 0;
  };
  // What the process had used.
  struct Usage {
    double user_s = 0, system_s = 0;
  };

  explicit HotKeys(Engine& engine) : engine_(engine) {}

  // Requires !active().
  void start(const Setup& setup);
  void stop();
  void reset();
  // Collecting now; ends what the clock ends.
  bool active() const { return active_; }
  void end_if_due();

  // A command is over. Only while active().
  void note(const CommandSpec& spec, Argv argv, uint64_t nanos, uint64_t bytes);

  // ---- results
  bool has_results() const { return began_ != 0; }
  const Setup& setup() const { return setup_; }
  UnixMs began() const { return began_; }
  Millis duration() const;
  const Totals& totals() const { return totals_; }  // of all commands, looked at or not
  Usage usage() const;                              // since the start
  const HeavyHitters* by_time() const { return by_time_.get(); }
  const HeavyHitters* by_bytes() const { return by_bytes_.get(); }

 private:
  static constexpr size_t kCounters = 1024;

  Usage usage_now() const;

  Engine& engine_;
  bool active_ = false;
  Setup setup_;
  UnixMs began_ = 0;
  UnixMs ended_ = 0;
  Totals totals_;
  Usage usage_began_, usage_ended_;
  std::unique_ptr<HeavyHitters> by_time_, by_bytes_;
};

}  // namespace ouro
