// SPDX-License-Identifier: BSD-3-Clause
// What the engine counts for INFO and CONFIG RESETSTAT resets.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

struct Stats {
  uint64_t connections_received = 0;
  uint64_t connections_rejected = 0;
  uint64_t commands_processed = 0;
  uint64_t net_input_bytes = 0;
  uint64_t net_output_bytes = 0;
  uint64_t keyspace_hits = 0;
  uint64_t keyspace_misses = 0;
  uint64_t expired_keys = 0;
  uint64_t expire_cycles_cut = 0;  // expiry slices that ended by their budget
  uint64_t evicted_keys = 0;
  uint64_t evicted_clients = 0;
  uint64_t error_replies = 0;
  uint64_t unexpected_errors = 0;
  uint64_t client_query_limit_closed = 0;
  uint64_t client_output_limit_closed = 0;
  // By the first word of the error ("ERR", "WRONGTYPE"); bounded by kErrorCodesMax.
  std::map<std::string, uint64_t, std::less<>> errors;
  static constexpr size_t kErrorCodesMax = 128;

  void count_error(ByteView text);
  void reset() { *this = Stats(); }
};

}  // namespace ouro
