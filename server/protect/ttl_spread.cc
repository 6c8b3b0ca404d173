// SPDX-License-Identifier: BSD-3-Clause
#include "server/protect/ttl_spread.h"

#include <algorithm>
#include <cmath>

#include "datastructs/base/check.h"
#include "datastructs/base/prng.h"

namespace ouro {

Millis spread_ttl(Millis ttl, uint32_t percent, Hash64 key_hash, UnixMs now) noexcept {
  DCHECK(ttl > 0);
  DCHECK(percent <= 100);
  // The same key drawn again in another millisecond ends elsewhere.
  const double unit = Prng(key_hash ^ static_cast<uint64_t>(now)).unit();
  const double earlier = static_cast<double>(ttl) * (static_cast<double>(percent) / 100.0) * unit;
  return std::max<Millis>(ttl - static_cast<Millis>(earlier), 1);
}

bool should_load_early(const EarlyLoad& value, UnixMs now, double unit) noexcept {
  // -log(1 - unit) is exponentially distributed with mean 1, and finite.
  const double head_start_us =
      static_cast<double>(value.load_time) * value.beta * -std::log1p(-unit);
  const double left_us = static_cast<double>(value.fresh_until - now) * 1000.0;
  return head_start_us >= left_us;
}

}  // namespace ouro
