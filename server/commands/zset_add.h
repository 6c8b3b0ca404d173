// SPDX-License-Identifier: BSD-3-Clause
// Adding to a sorted set: what ZADD and GEOADD share.
#pragma once

#include "datastructs/base/function_ref.h"
#include "datastructs/zset.h"
#include "server/engine/context.h"

namespace ouro {

struct ZAddOptions {
  ZAddRule rule;
  bool count_changes = false;  // CH
};

// Adds `count` elements to the sorted set at argument 1, and answers as ZADD does. Elements are
// asked for one after the other.
Status add_elements(Context& ctx, const ZAddOptions& options, size_t count,
                    FunctionRef<ScoredView(size_t)> element);

}  // namespace ouro
