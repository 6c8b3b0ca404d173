// SPDX-License-Identifier: BSD-3-Clause
// GCRA, the generic cell rate algorithm: a leaky bucket that keeps one number, the theoretical
// arrival time of the request after the last one, if requests came evenly.
//
//      interval     the time that one request uses up
//      tolerance    the size of the bucket as a time: a burst may be tolerance / interval requests
//      allowed      if max(arrival, now) + increment - tolerance <= now
//
// Times are in nanoseconds of any clock. Cost: a few additions.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ouro {

__extension__ using Nanos = __int128;  // sums of 64-bit times do not overflow

struct GcraRequest {
  Nanos arrival;    // what the last allowed request left; now or earlier if there was none
  Nanos increment;  // what this one uses up: its quantity times the interval
  Nanos tolerance;
};

struct GcraVerdict {
  Nanos arrival;  // to be kept if allowed
  Nanos ahead;    // of what is tolerated: so long to wait, if anything will help; <= 0 if allowed

  bool allowed() const noexcept { return ahead <= 0; }
};

inline GcraVerdict ask_gcra(const GcraRequest& request, Nanos now) noexcept {
  const Nanos next = std::max(now, request.arrival) + request.increment;
  return {.arrival = next, .ahead = next - request.tolerance - now};
}

}  // namespace ouro
