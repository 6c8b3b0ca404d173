// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/persistence.h"

namespace ouro {

std::string Persistence::write_refusal() const {
  if (writes_need_snapshots && !snapshot.last_is_ok) {
    return "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to "
           "persist to disk. Commands that may modify the data set are disabled, because this "
           "instance is configured to report errors during writes if RDB snapshotting fails "
           "(stop-writes-on-bgsave-error option). Please check the Redis logs for details about "
           "the RDB error.";
  }
  if (!log_problem.empty()) return "MISCONF Errors writing to the AOF file: " + log_problem;
  return {};
}

}  // namespace ouro
