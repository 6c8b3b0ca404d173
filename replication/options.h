// SPDX-License-Identifier: BSD-3-Clause
// What replication can be told by configuration. Each field has its row (name, bounds, default,
// doc) in options.cc. Who leads and who follows has the same options: roles change.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datastructs/base/option.h"
#include "datastructs/base/units.h"

namespace ouro {

// repl-diskless-load, in the order of its names.
enum class DisklessLoad : uint8_t { kDisabled, kOnEmptyDb, kSwapDb };

// What is to be done when too few replicas acknowledge (semi_sync.h), in the order of its names.
enum class SemiSyncPolicy : uint8_t { kRefuse, kDegrade };
// Which replies wait for replicas: all that tell of data, or those of what has changed some.
enum class SemiSyncVisibility : uint8_t { kLossless, kRelaxed };
// What a replica must have done with a write to count: taken it in, or synced it to its own disk.
enum class SemiSyncDurability : uint8_t { kMemory, kDisk };

// Who ends when a command that a primary has sent on fails at its replica: nobody, the replica and
// a primary that hears of it, or the replica alone. In the order of the names.
enum class PropagationError : uint8_t { kIgnore, kPanic, kPanicOnReplicas };

// Beyond that nobody has replicas.
inline constexpr int64_t kSemiSyncAcksMax = 64;

struct ReplicationOptions {
  // ---- who leads
  uint64_t repl_backlog_size = 1_MiB;
  int64_t repl_backlog_ttl_seconds = 3600;  // 0: the stream is never let go of
  int64_t repl_ping_replica_period_seconds = 10;
  int64_t repl_timeout_seconds = 60;  // of who follows, too
  bool repl_disable_tcp_nodelay = false;
  bool repl_diskless_sync = true;
  int64_t repl_diskless_sync_delay_seconds = 5;
  uint64_t repl_diskless_sync_max_replicas = 0;  // 0: whatever comes within the delay
  uint64_t min_replicas_to_write = 0;            // 0: writes need none
  int64_t min_replicas_max_lag_seconds = 10;     // 0 the same

  PropagationError propagation_error_behavior = PropagationError::kIgnore;

  // ---- semi-sync
  std::vector<std::string>
      semi_sync_members;        // "host:port" of all that could lead; none: no ballots
  uint64_t semi_sync_acks = 0;  // replicas that must have a write before it is answered; 0: off
  Millis semi_sync_timeout = 1000;
  SemiSyncPolicy semi_sync_timeout_policy = SemiSyncPolicy::kRefuse;
  SemiSyncVisibility semi_sync_visibility = SemiSyncVisibility::kLossless;
  SemiSyncDurability semi_sync_durability = SemiSyncDurability::kMemory;

  // ---- who follows
  std::string replicaof;  // host and port; empty: leads
  std::string masteruser;
  std::string masterauth;
  DisklessLoad repl_diskless_load = DisklessLoad::kDisabled;
  std::string replica_announce_ip;
  uint16_t replica_announce_port = 0;
  bool replica_announced = true;
  bool replica_ignore_disk_write_errors = false;
  bool replica_ignore_maxmemory = true;
  bool replica_lazy_flush = false;
  int64_t replica_priority = 100;
  bool replica_read_only = true;
  bool replica_serve_stale_data = true;
  bool rdb_del_sync_files = false;
};

// The rows of ReplicationOptions, sorted by name.
extern const std::span<const OptionRow> kReplicationOptions;

}  // namespace ouro
