// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/latency.h"

#include <algorithm>

#include "server/engine/engine.h"

namespace ouro {

void LatencyMonitor::add_sample(ByteView event, Millis took, UnixMs now, Millis threshold) {
  if (threshold <= 0 || took < threshold) return;
  auto found = events_.find(event);
  if (found == events_.end()) found = events_.emplace(event, Series()).first;
  Series& series = found->second;
  series.max = std::max(series.max, took);
  const int64_t second = now / 1000;
  if (!series.samples.empty() && series.samples.back().second == second) {
    series.samples.back().worst = std::max(series.samples.back().worst, took);
    return;
  }
  series.samples.push_back({second, took});
  if (series.samples.size() > kSamplesMax) series.samples.pop_front();
}

size_t LatencyMonitor::reset(ByteView event) {
  if (event.empty()) {
    const size_t dropped = events_.size();
    events_.clear();
    return dropped;
  }
  const auto found = events_.find(event);
  if (found == events_.end()) return 0;
  events_.erase(found);
  return 1;
}

LatencySpan::LatencySpan(Engine& engine, ByteView event)
    : engine_(engine), event_(event), timed_(engine.options.latency_monitor_threshold_ms > 0) {
  if (timed_) began_ = engine.stopwatch.ticks();
}

LatencySpan::~LatencySpan() {
  if (!timed_) return;
  const auto ticks = static_cast<double>(engine_.stopwatch.ticks() - began_);
  engine_.latency.add_sample(event_,
                             static_cast<Millis>(ticks / engine_.stopwatch.ticks_per_us() / 1000),
                             engine_.now(), engine_.options.latency_monitor_threshold_ms);
}

}  // namespace ouro
