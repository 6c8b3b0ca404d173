// SPDX-License-Identifier: BSD-3-Clause
// What the engine can be told by configuration. Each field has its row (name, bounds, default, doc)
// in options.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "datastructs/base/option.h"
#include "datastructs/base/units.h"
#include "datastructs/limits.h"
#include "replication/options.h"

namespace ouro {

// In the order of their names in options.cc.
enum class EvictionPolicy : uint8_t {
  kVolatileOuro,
  kVolatileLru,
  kVolatileLfu,
  kVolatileLrm,
  kVolatileRandom,
  kVolatileTtl,
  kAllkeysOuro,
  kAllkeysLru,
  kAllkeysLfu,
  kAllkeysLrm,
  kAllkeysRandom,
  kNone,  // noeviction
};

// enable-debug-command and its kind: who may use what could do harm.
enum class Allowed : uint8_t { kNobody, kEverybody, kLocalPeers };

// Output limits of one class of clients: at `hard` at once, at `soft` when it lasts soft_seconds; 0
// = none.
struct OutputLimit {
  uint64_t hard_bytes = 0;
  uint64_t soft_bytes = 0;
  int64_t soft_seconds = 0;
};

// acl-pubsub-default: the channels of a new user.
enum class NewChannels : uint8_t { kAll, kNone };

struct EngineOptions {
  Limits limits;
  ReplicationOptions replication;  // its rows stand in its own folder

  uint32_t databases = 16;

  // The lines `rename-command`, less that word, each with its line end.
  std::string renamed_commands;

  // The lines `cache-rule`, less that word, each with its line end.
  std::string cache_rules;

  std::string requirepass;  // the default user's
  std::string users;        // the lines `user`, less that word, each with its line end
  std::string aclfile;
  NewChannels acl_pubsub_default = NewChannels::kNone;
  uint64_t acllog_max_len = 128;

  std::string availability_zone;  // as clients are told, who may prefer one near them

  uint64_t maxmemory = 0;         // bytes, 0 = no limit
  int64_t maxmemory_clients = 0;  // bytes; negative: percent of maxmemory
  EvictionPolicy maxmemory_policy = EvictionPolicy::kNone;
  uint64_t maxmemory_samples = 5;
  uint64_t maxmemory_eviction_tenacity = 10;
  uint64_t lfu_log_factor = 10;
  uint64_t lfu_decay_time = 1;  // minutes
  bool lazyfree_lazy_eviction = false;
  bool import_mode = false;
  bool lazyfree_lazy_expire = false;
  bool lazyfree_lazy_server_del = false;
  bool lazyfree_lazy_user_del = false;
  bool lazyfree_lazy_user_flush = false;
  uint64_t active_expire_effort = 1;
  int64_t busy_reply_threshold_ms = 5000;  // 0 or less: no script is ever too slow

  uint64_t cache_max_leases = 100'000;
  uint64_t cache_negative_max_percent = 5;  // of maxmemory
  int64_t cache_version_window_ms = 60'000;

  uint64_t hll_sparse_max_bytes = 3000;
  bool rdbcompression = true;

  uint64_t proto_max_bulk_len = 512_MiB;
  uint64_t client_query_buffer_limit = 1_GiB;
  OutputLimit output_normal;
  OutputLimit output_replica{256_MiB, 64_MiB, 60};
  OutputLimit output_pubsub{32_MiB, 8_MiB, 60};
  uint64_t maxclients = 10000;
  int64_t timeout_seconds = 0;

  int64_t slowlog_log_slower_than_us = 10000;
  uint64_t slowlog_max_len = 128;
  int64_t log_request_larger_than = 1'048'576;  // bytes; COMMANDLOG
  uint64_t large_request_max_len = 128;
  int64_t log_reply_larger_than = 1'048'576;
  uint64_t large_reply_max_len = 128;
  int64_t latency_monitor_threshold_ms = 0;
  bool latency_tracking = true;
  std::string latency_tracking_info_percentiles = "50 99 99.9";
  std::string notify_keyspace_events;
  uint64_t tracking_table_max_keys = 1'000'000;  // 0 = no limit
  Allowed enable_debug_command = Allowed::kNobody;
  Allowed enable_module_command = Allowed::kNobody;
  Allowed enable_protected_configs = Allowed::kNobody;
};

// The rows of EngineOptions, sorted by name.
extern const std::span<const OptionRow> kEngineOptions;

class Engine;

// Brings the engine in line with an option that has changed (or with all of them, at start). False
// leaves a text in `error`.
bool apply_engine_option(Engine& engine, ByteView name, std::string& error);
void apply_all_engine_options(Engine& engine);
// rename-command: at start, once. False leaves a text in `error`.
bool rename_commands(Engine& engine, std::string& error);

}  // namespace ouro
