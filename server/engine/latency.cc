// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/latency.h"

#include <algorithm>

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

}  // namespace ouro
