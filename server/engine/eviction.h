// SPDX-License-Identifier: BSD-3-Clause
// Eviction: keeps used memory below maxmemory by removing keys, before a command that may add to it
// runs.
//
// As in Redis the LRU and LFU policies are approximated: `maxmemory-samples` random keys of each
// database compete with the best candidates of earlier rounds, which a small pool keeps by name
// (their keys may be gone or used again by then). volatile-ttl is exact: the keyspace knows its
// nearest deadline. LRM (Redis 8.6) is LRU by the last change instead of the last use. Cost: about
// samples x 100 ns for each key removed; nothing while memory is below the limit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datastructs/keyspace/keyspace.h"
#include "server/engine/options.h"

namespace ouro {

class Engine;

class Eviction {
 public:
  // Evicts until keys have given back what is too much; false when it cannot (noeviction, or
  // nothing left that the policy may remove). One call removes at most kKeysMax keys, so that a
  // limit that was lowered far holds nobody up: what is left goes at the next calls.
  bool make_room(Engine& engine) {
    outcome_ = try_to_make_room(engine);
    return outcome_ != Outcome::kShort;
  }
  // The limit or the policy has changed: room is made at the end of the turn, or ahead of a command
  // before that.
  void want_room() { outcome_ = Outcome::kUnfinished; }
  // What the last call found: as of the command that runs.
  bool is_short() const { return outcome_ == Outcome::kShort; }
  static constexpr size_t kKeysMax = 4096;
  // True when the last call left something for the next, or room is wanted.
  bool has_more(const Engine& engine) const;
  // What the limit is compared with: used memory less what keys cannot help.
  static size_t counted_bytes(const Engine& engine);
  // What does not.
  static size_t uncounted_bytes(const Engine& engine);

  // LFU policies count uses in Entry::access (8-bit logarithmic counter below 16 bits of minutes),
  // LRM policies keep the clock of the last change there, others that of the last use.
  static bool counts_uses(EvictionPolicy policy) {
    return policy == EvictionPolicy::kAllkeysLfu || policy == EvictionPolicy::kVolatileLfu;
  }
  static bool keeps_changes(EvictionPolicy policy) {
    return policy == EvictionPolicy::kAllkeysLrm || policy == EvictionPolicy::kVolatileLrm;
  }
  static bool keeps_uses(EvictionPolicy policy) {
    return !counts_uses(policy) && !keeps_changes(policy);
  }
  // Whether the policy compares what Entry::access holds.
  static bool keeps_clocks(EvictionPolicy policy) {
    return counts_uses(policy) || keeps_changes(policy) || policy == EvictionPolicy::kAllkeysLru ||
           policy == EvictionPolicy::kVolatileLru;
  }
  // A new key starts with a few uses, so that it is not the first to go.
  static constexpr uint32_t kUsesOfNew = 5;
  static uint32_t access_of_new(UnixMs now) {
    return ((static_cast<uint32_t>(now / 60000) & 0xFFFF) << 8) | kUsesOfNew;
  }
  void count_use(Entry& entry, Engine& engine);
  // The counter of OBJECT FREQ after decay, 0..255.
  static uint32_t use_count(const Entry& entry, UnixMs now, uint64_t decay_minutes);

 private:
  static constexpr size_t kPoolSize = 16;

  // The higher the score, the sooner it goes.
  struct Candidate {
    uint64_t score;
    DbIndex db;
    std::string key;
  };

  enum class Outcome : uint8_t {
    kDone,
    kUnfinished,  // more keys have to go than one call removes
    kShort,
  };

  Outcome try_to_make_room(Engine& engine);
  // A value that has ended and is only kept to be shown as stale goes before any other. Bytes given
  // back; nothing if there is none.
  static std::optional<size_t> evict_stale(Engine& engine);
  // Bytes given back at once, or nothing when no key may go.
  std::optional<size_t> evict_one(Engine& engine);
  void sample(Engine& engine, DbIndex db);
  void offer(uint64_t score, DbIndex db, ByteView key);
  bool take_best(Engine& engine, Candidate& best);
  bool pick_random(Engine& engine, Candidate& picked);
  static bool pick_nearest_deadline(Engine& engine, Candidate& picked);
  static Entry* random_entry(Engine& engine, DbIndex db, bool with_deadline);
  static size_t remove(Engine& engine, const Candidate& candidate);

  std::vector<Candidate> pool_;  // sorted by score, the best last
  bool pool_counts_uses_ = false;
  Outcome outcome_ = Outcome::kDone;
  DbIndex next_db_ = 0;
};

}  // namespace ouro
