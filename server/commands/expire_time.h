// SPDX-License-Identifier: BSD-3-Clause
// What the commands share that set a deadline, of a key or of a hash's field.
#pragma once

#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {

// What a number of theirs counts, and what TTL and its kin answer in.
enum class Unit : uint8_t { kSeconds, kMillis };

inline Status fail_expire_time(Context& ctx) {
  const ByteView name = ctx.engine.registry.full_name(ctx.spec);
  return ctx.fail("ERR invalid expire time in '%.*s' command", static_cast<int>(name.size()),
                  name.data());
}

}  // namespace ouro
