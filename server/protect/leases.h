// SPDX-License-Identifier: BSD-3-Clause
// Leases: who loads the value of a key from the database behind the cache. A key has one live lease
// at most (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013).
//
//      grant() --> live --its time is over--> late --another is granted, or no room--> gone
//                   |  \                        |
//                   |   `---- cool() --> cooling: nobody gets one until its time is over
//                   `--- take(), drop() --------+--> gone
//
// A lease belongs to its token, not to a connection. What its loader brings is accepted by take(),
// also late, as long as nobody else was given the key; a write or removal of the key drops it, so
// that what was read before cannot win over what was written since. None of this is data: nothing
// is saved or replicated.
//
// At most leases_max of all states; where there is no more room those go that have been late for
// the longest, and live ones never. Memory: 64 bytes, the key, and a table's 12. Cost: Dict's.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "datastructs/base/function_ref.h"
#include "datastructs/dict.h"
#include "datastructs/keyspace/key.h"

namespace ouro {

struct Lease {
  enum class State : uint8_t { kLive, kLate, kCooling };

  uint64_t token = 0;
  uint64_t holder = 0;  // the client that it was granted to; 0: none that could wait for itself
  Instant granted = 0;
  Instant until = 0;
  Lease* older = nullptr;  // among those that are late
  Lease* newer = nullptr;
  DbIndex db = 0;
  State state = State::kLive;
  uint32_t key_bytes = 0;

  // Nobody else may load the key now.
  bool holds(Instant now) const { return state != State::kLate && now < until; }
  ByteView key() const { return {reinterpret_cast<const char*>(this + 1), key_bytes}; }
};
static_assert(sizeof(Lease) == 64);

template <>
struct DictTraits<Lease> {
  static ByteView key(const Lease& lease) { return lease.key(); }
  static UnixMs deadline(const Lease& lease) {
    return lease.state == Lease::State::kLate ? kNoExpiry : lease.until;
  }
};

class Leases {
 public:
  // Keys are hashed as those of the databases.
  Leases(Heap& heap, HashSeed seed) noexcept : heap_(heap), seed_(seed) {}
  ~Leases() { clear(); }
  Leases(const Leases&) = delete;
  Leases& operator=(const Leases&) = delete;

  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }
  size_t live_count() const { return live_; }

  // The lease of the key, in whatever state; null if there is none.
  Lease* find(DbIndex db, const Key& key) const;

  struct Grant {
    uint64_t token;
    uint64_t holder;
    Instant now;
    Millis time;
  };
  // False if there is no room. Requires: no lease of the key holds.
  bool grant(DbIndex db, const Key& key, const Grant& what, size_t leases_max);
  // The key may be written by who has this token: the lease is gone, and this is when it was
  // granted.
  std::optional<Instant> take(DbIndex db, const Key& key, uint64_t token);
  // The loader has given up. Nobody is given the key until `until`. False if the token is not the
  // key's.
  bool cool(DbIndex db, const Key& key, uint64_t token, Instant until);
  // The key was written or removed.
  void drop(DbIndex db, const Key& key);
  // All keys of a database were.
  void drop_all(DbIndex db);
  void clear();

  // Live leases whose time is over become late, one by one: `visit` hears of each. Looks at no more
  // than `budget`, which is counted down.
  void end_due(Instant now, size_t& budget, FunctionRef<void(const Lease&)> visit);
  // A lower bound; kNever if none ends.
  Instant next_end() const;
  void check_invariants() const;

 private:
  Dict<Lease>& table_of(DbIndex db);
  Lease* add(DbIndex db, const Key& key);
  void remove(Lease& lease, Hash64 hash);
  void free(Lease& lease);
  void note_late(Lease& lease);
  void unlink(Lease& lease);
  void set_state(Lease& lease, Lease::State state);

  Heap& heap_;
  HashSeed seed_;
  std::vector<std::unique_ptr<Dict<Lease>>> tables_;  // by database; null where there were none
  size_t count_ = 0;
  size_t live_ = 0;
  Lease* oldest_ = nullptr;  // of those that are late
  Lease* newest_ = nullptr;
};

}  // namespace ouro
