// SPDX-License-Identifier: BSD-3-Clause
// Persistence: what the engine knows of snapshots, of the log, and of the loading of either. Those
// who write and read files (server/app) fill it in; INFO, the gates and commands look. What a
// command wants done goes through Host.
#pragma once

#include <cstdint>
#include <string>

#include "datastructs/base/units.h"
#include "persistence/aof_writer.h"

namespace ouro {

// A reading of files into the databases, which the gate kLoading keeps clients from meanwhile.
struct LoadingFacts {
  bool active = false;
  // Into databases that take their places later: clients go on reading those of before.
  bool is_async = false;
  UnixMs began = 0;
  uint64_t total_bytes = 0;
  uint64_t loaded_bytes = 0;
  uint64_t saved_used_memory = 0;  // as the snapshot says its server had
  // Of the last one that ended, too.
  uint64_t keys_loaded = 0;
  uint64_t keys_expired = 0;
};

// A snapshot or a rewrite, and how the last one went.
struct SavingFacts {
  bool active = false;
  bool scheduled = false;  // begins when nothing is in its way
  Instant began = 0;
  Micros last_micros = -1;  // -1: none has ended yet
  bool last_is_ok = true;
  uint64_t done = 0;               // how many have succeeded
  uint64_t copied_bytes = 0;       // copied or kept from being freed for it, by now
  uint64_t last_copied_bytes = 0;  // of the last one, the most
  uint64_t keys_saved = 0;
  uint64_t keys_total = 0;
  uint64_t bytes_written = 0;
};

struct Persistence {
  LoadingFacts loading;
  uint64_t views_begun = 0;  // what Redis forks for (total_forks)

  bool syncs_replicas = false;  // a snapshot is on its way to some

  SavingFacts snapshot;
  UnixMs last_save = 0;  // of the last whole snapshot, or when the node started
  // There are save points, and stop-writes-on-bgsave-error.
  bool writes_need_snapshots = false;

  SavingFacts rewrite;
  uint64_t rewrite_failures = 0;  // in a row
  bool log_is_on = false;
  // Whether it is to be, as CONFIG SET has said: what that leads to takes some turns. Null without
  // a log's keeper.
  const bool* log_wanted = nullptr;
  bool log_waits = false;   // appendonly is on, and its first base is being made
  std::string log_problem;  // why the log cannot be written; empty while it can
  uint64_t log_bytes = 0;
  uint64_t log_base_bytes = 0;  // after the last rewrite or at start
  // What is on its way to the log; null while there is none. Asked when somebody wants to know:
  // each write changes it, and eviction counts without it.
  const AofWriter* log_writer = nullptr;
  uint64_t log_durable_to = 0;  // is on disk, by the end of the log (commit.h); 0 without a log
  uint64_t log_pending_syncs = 0;
  uint64_t log_delayed_syncs = 0;
  Micros log_write_delay = 0;  // DEBUG AOF-FLUSH-SLEEP: each write comes so much later

  bool log_is_wanted() const { return log_wanted == nullptr ? log_is_on : *log_wanted; }
  uint64_t log_buffered_bytes() const {
    return log_writer == nullptr ? 0 : log_writer->buffered_bytes();
  }
  // What these take, with what is kept for the next.
  size_t log_buffer_memory() const {
    return log_writer == nullptr ? 0 : log_writer->memory_bytes();
  }

  // What a write is answered while what it changes cannot be kept; empty if it can.
  std::string write_refusal() const;
};

}  // namespace ouro
