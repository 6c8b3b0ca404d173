// SPDX-License-Identifier: BSD-3-Clause
// Eviction: keeps used memory below maxmemory by removing keys, before a command that may add to it
// runs.
//
// The policies of LRU, LFU and `ouro` are one and the same order, adaptive and safe from scans
// (datastructs/keyspace/eviction_order.h): the names differ in what OBJECT IDLETIME and OBJECT FREQ
// answer. LRM (Redis 8.6), the last change instead of the last use, is approximated as Redis does
// it: `maxmemory-samples` random keys of each database compete with the best candidates of earlier
// rounds, which a small pool keeps by name (their keys may be gone or changed by then).
// volatile-ttl is exact: the keyspace knows its nearest deadline. Nothing is done while memory is
// below the limit.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datastructs/keyspace/eviction_order.h"
#include "datastructs/keyspace/miniature.h"
#include "server/engine/options.h"

namespace ouro {

class Engine;

class Eviction {
 public:
  // Evicts until keys have given back what is too much; false when it cannot (noeviction, or
  // nothing left that the policy may remove). One call removes at most keys_max() keys, so that
  // a limit that was lowered far holds nobody up: what is left goes at the next calls.
  bool make_room(Engine& engine) {
    outcome_ = try_to_make_room(engine);
    if (outcome_ != Outcome::kDone || exceeded_since_ != kNever) [[unlikely]]
      note_excess(engine);
    return outcome_ != Outcome::kShort;
  }
  // What was said before and is not sent yet counts from now on.
  void begin_turn(const Engine& engine);
  // The limit or the policy has changed: an order is kept from now on, or no more.
  void apply_policy(Engine& engine);
  // Forgets an order that is kept no more, in slices; true when more of it is left.
  bool run_slice(const Engine& engine);
  // A key may be written soon, and be new.
  void prefetch(Hash64 hash) const {
    if (order_ != nullptr) order_->prefetch(hash);
  }
  // Null while none is kept.
  const EvictionOrder* order() const { return order_.get(); }

  // What other memory would give (datastructs/keyspace/miniature.h): null while no order is kept.
  const Miniatures* miniatures() const { return miniatures_.get(); }
  // Whether a read or a new key has to be noted there.
  bool samples(Hash64 hash) const { return miniatures_ != nullptr && miniatures_->samples(hash); }
  // entry: null if it was not there.
  void note_read(const Engine& engine, Hash64 hash, const Entry* entry);
  void note_new(Engine& engine, DbIndex db, const Key& key);
  // The limit or the policy has changed: room is made at the end of the turn, or ahead of a command
  // before that.
  void want_room() { outcome_ = Outcome::kUnfinished; }
  // What the last call found: as of the command that runs.
  bool is_short() const { return outcome_ == Outcome::kShort; }
  // How many keys one call removes, by maxmemory-eviction-tenacity: what Redis says in time, in
  // keys. kKeysAtDefault at 10, in proportion below it but kKeysMin at least, as Redis looks at its
  // clock after so many; above it 15 % more a step, and no bound at 100.
  static size_t keys_max(uint64_t tenacity);
  static constexpr size_t kKeysMin = 16;
  static constexpr size_t kKeysAtDefault = 4096;

  // For how long memory has been above the limit although room was asked for: now, 0 when it is
  // not; and in all, with that.
  Micros exceeded_now(Instant now) const {
    return exceeded_since_ == kNever ? 0 : now - exceeded_since_;
  }
  Micros exceeded_in_all(Instant now) const { return exceeded_before_ + exceeded_now(now); }
  void reset_excess() {
    exceeded_since_ = kNever;
    exceeded_before_ = 0;
  }

  // True when the last call left something for the next, or room is wanted.
  bool has_more(const Engine& engine) const;
  // What the limit is compared with: used memory less what keys cannot help.
  static size_t counted_bytes(const Engine& engine);
  // What does not, beside the replies of this turn.
  static size_t uncounted_bytes(const Engine& engine);

  // Whether the policy removes keys in the order that is kept of them.
  static bool keeps_order(EvictionPolicy policy) {
    return counts_uses(policy) || policy == EvictionPolicy::kAllkeysLru ||
           policy == EvictionPolicy::kVolatileLru || policy == EvictionPolicy::kAllkeysOuro ||
           policy == EvictionPolicy::kVolatileOuro;
  }
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
  // Whether the policy asks when or how often a key is used, or changed.
  static bool keeps_clocks(EvictionPolicy policy) {
    return keeps_order(policy) || keeps_changes(policy);
  }
  // A new key starts with a few uses, so that it is not the first to go.
  static constexpr uint32_t kUsesOfNew = 5;
  static uint32_t access_of_new(UnixMs now) {
    return ((static_cast<uint32_t>(now / 60000) & 0xFFFF) << 8) | kUsesOfNew;
  }
  void count_use(Entry& entry, Engine& engine);
  // The counter of OBJECT FREQ after decay, 0..255.
  static uint32_t use_count(const Entry& entry, UnixMs now, uint64_t decay_minutes);
  // The same under a policy without that counter, in rougher steps: by Entry::uses.
  static uint32_t rough_use_count(const Entry& entry) {
    return kUsesOfNew + kRoughStep * entry.uses();
  }
  // And back, of any counter that was saved.
  static unsigned uses_of_rough_count(uint32_t count) {
    return count < kUsesOfNew ? 0 : std::min((count - kUsesOfNew) / kRoughStep, Entry::kUsesMax);
  }

 private:
  static constexpr size_t kPoolSize = 16;
  static constexpr uint32_t kRoughStep = 32;

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
  void note_excess(const Engine& engine);
  // A value that has ended and is only kept to be shown as stale goes before any other, from the
  // next turn on. Bytes given back; nothing if there is none.
  std::optional<size_t> evict_stale(Engine& engine);
  // Bytes given back at once, or nothing when no key may go.
  std::optional<size_t> evict_one(Engine& engine);
  bool pick(Engine& engine, Candidate& picked);
  void fit_miniatures(const Engine& engine);
  bool is_ordering(const Engine& engine) const;
  void sample(Engine& engine, DbIndex db);
  void offer(uint64_t score, DbIndex db, ByteView key);
  bool take_best(Engine& engine, Candidate& best);
  bool pick_random(Engine& engine, Candidate& picked);
  static bool pick_nearest_deadline(Engine& engine, Candidate& picked);
  static Entry* random_entry(Engine& engine, DbIndex db, bool with_deadline);
  // Requires: key is not of the entry's own bytes.
  size_t remove(Engine& engine, DbIndex db, const Key& key, Entry* entry);

  std::unique_ptr<EvictionOrder> order_;
  std::unique_ptr<Miniatures> miniatures_;
  unsigned until_fit_ = 0;
  std::string name_;             // of the key that is removed: its own memory goes first
  std::vector<Candidate> pool_;  // sorted by score, the best last
  size_t unsent_before_ = 0;     // when the turn began
  bool has_no_stale_ = false;    // there was none in this turn
  Outcome outcome_ = Outcome::kDone;
  Instant exceeded_since_ = kNever;
  Micros exceeded_before_ = 0;
  DbIndex next_db_ = 0;
};

}  // namespace ouro
