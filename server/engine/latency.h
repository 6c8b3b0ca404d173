// SPDX-License-Identifier: BSD-3-Clause
// LatencyMonitor: for each kind of event the last 160 seconds in which it was slow, with the worst
// time of the second, as LATENCY HISTORY, LATEST, GRAPH and DOCTOR show them.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

class Engine;

class LatencyMonitor {
 public:
  static constexpr size_t kSamplesMax = 160;

  struct Sample {
    int64_t second;  // unix time
    Millis worst;
  };
  struct Series {
    std::deque<Sample> samples;
    Millis max = 0;
  };

  // Below the threshold nothing is kept.
  void add_sample(ByteView event, Millis took, UnixMs now, Millis threshold);
  const std::map<std::string, Series, std::less<>>& events() const { return events_; }
  // How many series were dropped: the named one, or all when `event` is empty.
  size_t reset(ByteView event);

 private:
  std::map<std::string, Series, std::less<>> events_;
};

// Times what happens from here to the end of a scope as one event. One test while
// latency-monitor-threshold is 0.
class LatencySpan {
 public:
  LatencySpan(Engine& engine, ByteView event);
  ~LatencySpan();
  LatencySpan(const LatencySpan&) = delete;
  LatencySpan& operator=(const LatencySpan&) = delete;

 private:
  Engine& engine_;
  const ByteView event_;
  const bool timed_;
  uint64_t began_ = 0;  // ticks
};

}  // namespace ouro
