// SPDX-License-Identifier: BSD-3-Clause
#include "replication/feed.h"

#include <algorithm>

namespace ouro {

ByteView Feed::name_of(State state) {
  switch (state) {
    case State::kGreeting:
    case State::kWaiting:
    case State::kSaving:
    case State::kWalk:
      return "wait_bgsave";
    case State::kSnapshot:
      return "send_bulk";
    case State::kLoading:
    case State::kOnline:
      break;
  }
  return "online";
}

void Feed::on_ack(uint64_t offset, uint64_t on_disk, Instant now) {
  acked = std::max(acked, offset);
  durable = std::max(durable, on_disk);
  heard_at = now;
  if (state == State::kLoading) state = State::kOnline;
}

int64_t Feed::lag_seconds(Instant now) const {
  return is_online() ? (now - heard_at) / 1'000'000 : 0;
}

}  // namespace ouro
