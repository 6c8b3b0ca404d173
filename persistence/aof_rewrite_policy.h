// SPDX-License-Identifier: BSD-3-Clause
// AofRewritePolicy: when an append-only file has grown so much that it is written anew.
//
// As in Redis: it is larger than min_bytes, and has grown by growth_percent since the last rewrite
// (after a start: beyond its base). After 3 failures in a row an automatic rewrite waits, 1
// minute first, then twice as long each time, at most an hour; one that is asked for does not wait.
#pragma once

#include <cstdint>
#include <optional>

#include "datastructs/base/units.h"

namespace ouro {

class AofRewritePolicy {
 public:
  struct Options {
    uint32_t growth_percent = 100;  // auto-aof-rewrite-percentage; 0: never
    uint64_t min_bytes = 64_MiB;    // auto-aof-rewrite-min-size
  };
  enum class Answer : uint8_t {
    kNo,
    kYes,
    kWaits,  // it is due, but not before a delay has passed, which began now: see delay_minutes()
  };

  // The files have been loaded, and their base is so large.
  void on_base(uint64_t bytes) { base_bytes_ = bytes; }
  void on_success(uint64_t bytes);
  void on_failure() { ++failures_; }

  // Asked now and then while no rewrite is running.
  Answer due(uint64_t bytes, const Options& options, UnixMs now);

  // By how much the files have grown since the last rewrite.
  int64_t growth_percent(uint64_t bytes) const;
  uint64_t base_bytes() const { return base_bytes_; }
  uint64_t consecutive_failures() const { return failures_; }
  int64_t delay_minutes() const { return delay_minutes_; }

 private:
  uint64_t base_bytes_ = 0;
  uint64_t failures_ = 0;  // in a row
  int64_t delay_minutes_ = 0;
  std::optional<UnixMs> waits_until_;
};

}  // namespace ouro
