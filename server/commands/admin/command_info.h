// SPDX-License-Identifier: BSD-3-Clause
// COMMAND INFO's entry of one row.
#pragma once

#include "server/engine/registry.h"
#include "server/engine/reply.h"

namespace ouro {

// First, last and step as Redis told them before key specifications: what can be said of all ranges
// by three numbers.
struct LegacyRange {
  int first = 0;
  int last = 0;  // negative: counted from the end
  int step = 0;
  friend bool operator==(const LegacyRange&, const LegacyRange&) = default;
};
LegacyRange legacy_range(const CommandSpec& row);

// Calls fn(word) for each use in KeyUse, in Redis's order ("RW", "access", ...).
void for_each_use_name(KeyUse use, FunctionRef<void(ByteView)> fn);
// The same as a set of simple strings.
void write_key_use(KeyUse use, Reply& reply);

void write_command_info(const Registry& registry, const CommandSpec& row, Reply& reply);

}  // namespace ouro
