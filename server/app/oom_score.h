// SPDX-License-Identifier: BSD-3-Clause
// OomAdjuster: oom-score-adj, by which the kernel chooses whom to end when memory is short. What
// the score was before is known and comes back when the parameter is switched off.
#pragma once

#include <optional>

#include "server/app/options.h"

namespace ouro {

class OomAdjuster {
 public:
  // Writes the score of a primary or a replica, if it is to be moved or has been. 0 or an errno.
  int apply(const AppOptions& options, bool is_replica);

 private:
  std::optional<int> before_;  // while it is moved
};

}  // namespace ouro
