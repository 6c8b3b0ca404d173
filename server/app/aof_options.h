// SPDX-License-Identifier: BSD-3-Clause
// What the append-only log can be told; aof_options.cc has the rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "datastructs/base/option.h"
#include "persistence/fsync_policy.h"

namespace ouro {

struct AofOptions {
  bool appendonly = false;
  AppendFsync appendfsync = AppendFsync::kEverySecond;
  std::string appenddirname = "appendonlydir";
  std::string appendfilename = "appendonly.aof";
  bool aof_timestamp_enabled = false;
  bool aof_load_truncated = true;
  bool aof_use_rdb_preamble = true;
  bool aof_disable_auto_gc = false;
  bool aof_rewrite_incremental_fsync = true;
  bool no_appendfsync_on_rewrite = false;
  int64_t auto_aof_rewrite_min_size = 64_MiB;
  int64_t auto_aof_rewrite_percentage = 100;  // 0: never
};

extern const std::span<const OptionRow> kAofOptions;

}  // namespace ouro
