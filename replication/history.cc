// SPDX-License-Identifier: BSD-3-Clause
#include "replication/history.h"

#include <algorithm>
#include <utility>

namespace ouro {

bool is_replication_id(ByteView text) {
  const auto is_hex = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  return text.size() == kReplicationIdBytes && std::all_of(text.begin(), text.end(), is_hex);
}

ReplicationId make_replication_id(Prng& prng) {
  constexpr ByteView kDigits = "0123456789abcdef";
  ReplicationId id(kReplicationIdBytes, '0');
  for (char& digit : id) digit = kDigits[prng.below(kDigits.size())];
  return id;
}

bool History::continues(ByteView of, uint64_t at) const {
  return of == id || (!second_id.empty() && of == second_id && at <= second_end);
}

void History::begin(ReplicationId fresh) { *this = {.id = std::move(fresh), .offset = offset}; }

void History::branch(ReplicationId fresh) {
  second_id = std::exchange(id, std::move(fresh));
  second_end = offset;
}

void History::adopt(ReplicationId of, uint64_t at) { *this = {.id = std::move(of), .offset = at}; }

}  // namespace ouro
