// SPDX-License-Identifier: BSD-3-Clause
// Eviction: keeps used memory below maxmemory by removing keys, before a command that may add to it runs.
#pragma once

#include "datastructs/keyspace/entry.h"
#include "server/engine/options.h"

namespace ouro {

class Engine;

class Eviction {
 public:
  // Evicts until the limit holds; false when it cannot (noeviction, or nothing left that the policy may remove).
  bool make_room(Engine& engine);
  // What the limit is compared with: used memory less what Redis does not count either, and less what waits to be freed.
  static size_t counted_bytes(const Engine& engine);

  // LFU policies count uses in Entry::access (8-bit logarithmic counter below 16 bits of minutes), others keep a clock.
  static bool counts_uses(EvictionPolicy policy) {
    return policy == EvictionPolicy::kAllkeysLfu || policy == EvictionPolicy::kVolatileLfu;
  }
  void count_use(Entry& entry, Engine& engine);
  // The counter of OBJECT FREQ after decay, 0..255.
  static uint32_t use_count(const Entry& entry, UnixMs now, uint64_t decay_minutes);
};

}  // namespace ouro
