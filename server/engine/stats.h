// SPDX-License-Identifier: BSD-3-Clause
// What the engine counts for INFO and CONFIG RESETSTAT resets.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

struct Stats {
  uint64_t connections_received = 0;
  uint64_t connections_rejected = 0;
  uint64_t commands_processed = 0;
  uint64_t net_input_bytes = 0;  // of replicas and primaries, too, as the output
  uint64_t net_output_bytes = 0;
  uint64_t net_replication_input_bytes = 0;   // from our primary
  uint64_t net_replication_output_bytes = 0;  // to our replicas
  uint64_t syncs_full = 0;
  uint64_t syncs_partial = 0;
  uint64_t syncs_partial_refused = 0;  // a full one came instead
  uint64_t keyspace_hits = 0;
  uint64_t keyspace_misses = 0;
  uint64_t expired_keys = 0;
  uint64_t expired_elements = 0;         // fields and members (INFO's expired_subkeys)
  uint64_t expire_cycles_cut = 0;        // expiry slices that ended by their budget
  uint64_t expire_ticks = 0;             // that expiry slices took, by the stopwatch
  uint64_t keys_removed_by_pattern = 0;  // RM (INFO's rm_deleted_keys)
  uint64_t payloads_checked = 0;         // collections that came by RESTORE
  uint64_t evicted_keys = 0;
  uint64_t evicted_clients = 0;
  uint64_t evicted_scripts = 0;
  uint64_t error_replies = 0;
  uint64_t unexpected_errors = 0;
  std::array<uint64_t, 5> acl_denials{};  // by AclLog::Reason
  uint64_t client_query_limit_closed = 0;
  uint64_t client_output_limit_closed = 0;
  // By the first word of the error ("ERR", "WRONGTYPE"); bounded by kErrorCodesMax.
  std::map<std::string, uint64_t, std::less<>> errors;
  static constexpr size_t kErrorCodesMax = 128;

  // How much a counter grew in the last second that was looked at.
  struct Rate {
    uint64_t before = 0;
    uint64_t per_second = 0;
    void update(uint64_t now, Micros elapsed) {
      per_second = now < before || elapsed <= 0
                       ? 0
                       : (now - before) * 1'000'000 / static_cast<uint64_t>(elapsed);
      before = now;
    }
  };
  Rate commands_rate, input_rate, output_rate;
  Rate replication_input_rate, replication_output_rate;
  // Called about once a second.
  void update_rates(Instant now);

  void count_error(ByteView text);
  void reset() { *this = Stats(); }

 private:
  Instant rates_at_ = 0;
};

}  // namespace ouro
