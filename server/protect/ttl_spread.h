// SPDX-License-Identifier: BSD-3-Clause
// When values end: two ways to keep many ends, or many reloads, from falling into one moment.
#pragma once

#include "datastructs/base/hash.h"
#include "datastructs/base/units.h"

namespace ouro {

// JITTER: a time to live between (100 - percent) % of `ttl` and all of it, evenly spread over keys
// and moments. Never longer than asked, at least 1 ms. Requires: ttl > 0, percent <= 100.
Millis spread_ttl(Millis ttl, uint32_t percent, Hash64 key_hash, UnixMs now) noexcept;

// EARLY: whether this reader is the one to reload a value before it ends: XFetch (Vattani,
// Chierichetti, Lowenstein: "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015). The
// nearer the end, and the longer a load takes, the likelier.
struct EarlyLoad {
  UnixMs fresh_until;
  Micros load_time;   // how long the last load took
  double beta = 1.0;  // above 1: earlier; 0: never
};
// unit is uniform in [0, 1).
bool should_load_early(const EarlyLoad& value, UnixMs now, double unit) noexcept;

}  // namespace ouro
