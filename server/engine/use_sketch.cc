// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/use_sketch.h"

#include <algorithm>

namespace ouro {

void UseSketch::note(ByteView key, UnixMs now) {
  if (key.size() > kKeyBytesMax) return;
  turn_over(now);
  if (running_ == nullptr) running_ = std::make_unique<Window>(seed_, now);
  running_->uses.add(key, kSampled);
}

// What is older than two windows tells nothing of now.
void UseSketch::turn_over(UnixMs now) {
  if (running_ != nullptr && now - running_->began >= kWindow) before_ = std::move(running_);
  if (before_ != nullptr && now - before_->began >= 2 * kWindow) before_ = nullptr;
}

UnixMs UseSketch::began(UnixMs now) {
  turn_over(now);
  return before_ != nullptr ? before_->began : running_ != nullptr ? running_->began : 0;
}

std::vector<UseSketch::Uses> UseSketch::top(UnixMs now) {
  turn_over(now);
  std::vector<Uses> all;
  const auto add = [&](ByteView key, uint64_t count) {
    const auto known =
        std::find_if(all.begin(), all.end(), [&](const Uses& uses) { return uses.key == key; });
    if (known == all.end()) {
      all.push_back({.key = key, .count = count});
    } else {
      known->count += count;
    }
  };
  for (const auto* window : {&before_, &running_}) {
    if (*window != nullptr) (*window)->uses.for_each_top(kCounters, add);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Uses& a, const Uses& b) { return a.count > b.count; });
  return all;
}

}  // namespace ouro
