// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_rewrite_policy.h"

#include <algorithm>

namespace ouro {

namespace {

constexpr uint64_t kFailuresMax = 3;
constexpr int64_t kDelayMinutesMax = 60;
constexpr Millis kMinute = 60'000;

}  // namespace

void AofRewritePolicy::on_success(uint64_t bytes) {
  base_bytes_ = bytes;
  failures_ = 0;
}

int64_t AofRewritePolicy::growth_percent(uint64_t bytes) const {
  constexpr double kMax = 1e15;
  const auto base = static_cast<double>(std::max<uint64_t>(base_bytes_, 1));
  return static_cast<int64_t>(std::min(static_cast<double>(bytes) * 100 / base, kMax)) - 100;
}

AofRewritePolicy::Answer AofRewritePolicy::due(uint64_t bytes, const Options& options, UnixMs now) {
  if (options.growth_percent == 0 || bytes <= options.min_bytes) return Answer::kNo;
  if (growth_percent(bytes) < static_cast<int64_t>(options.growth_percent)) return Answer::kNo;
  if (failures_ < kFailuresMax) {
    delay_minutes_ = 0;
    waits_until_.reset();
    return Answer::kYes;
  }
  if (waits_until_ && now < *waits_until_) return Answer::kNo;
  if (waits_until_) {
    waits_until_.reset();
    return Answer::kYes;
  }
  delay_minutes_ = std::clamp<int64_t>(delay_minutes_ * 2, 1, kDelayMinutesMax);
  waits_until_ = now + delay_minutes_ * kMinute;
  return Answer::kWaits;
}

}  // namespace ouro
