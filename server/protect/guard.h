// SPDX-License-Identifier: BSD-3-Clause
// Guard: stands before the database that a cache is filled from. The commands (server/commands/
// cache*.cc) and the embedded get_or_load ask it; it knows keys, tokens and time, no value.
//
//      reader, nothing fresh --> knows_absent()   no such key: ask nobody
//                            --> ask()            you load | somebody does | too many load
//      loader, with a token  --> accept()         may what it brings be stored
//                            --> answer_absent(), give_up()
//      any other change of a key --> on_changed() what is being loaded is older than that
//
// How a load ends counts for its rule's LoadLimit, whoever the key belongs to by then.
#pragma once

#include <algorithm>

#include "datastructs/key_filter_pieces.h"
#include "datastructs/latency_histogram.h"
#include "server/protect/leases.h"
#include "server/protect/rules.h"

namespace ouro {

// INFO cache; counted since the start, or CONFIG RESETSTAT.
struct CacheCounters {
  uint64_t hits = 0;
  uint64_t leases_granted = 0;
  uint64_t leases_expired = 0;
  uint64_t refused_sets = 0;
  uint64_t refused_versions = 0;
  uint64_t woken = 0;
  uint64_t stale_served = 0;
  uint64_t negative_hits = 0;
  uint64_t filter_rejects = 0;
  uint64_t shed = 0;
  uint64_t early = 0;
  LatencyHistogram load_time;
};

class Guard {
 public:
  // How long a loader may take if nobody says.
  static constexpr Millis kLeaseDefault = 3000;
  // How long a key is known to be absent if nobody says.
  static constexpr Millis kNegativeDefault = 5000;
  // How long CACHE.STALE keeps a value if nobody says.
  static constexpr Millis kStaleDefault = 60'000;
  // Tokens stay exact in a double, as JavaScript has them.
  static constexpr uint64_t kTokenMax = (uint64_t{1} << 53) - 1;
  // How long to wait for a place among the leases.
  static constexpr Millis kFullRetry = 100;

  Guard(Heap& heap, HashSeed seed) noexcept
      : rules(heap, seed), filters_to_come(heap), leases(heap, seed) {}

  // ---- readers
  // The rule's filter has never heard of the key.
  static bool knows_absent(const Rule* rule, ByteView key) {
    return rule != nullptr && rule->denies(key);
  }

  struct Asked {
    DbIndex db;
    Key key;
    Rule* rule;       // of the key, or null
    uint64_t holder;  // the client
    Millis lease;     // 0: the rule's, or kLeaseDefault
    Instant now;
    Micros wall;  // Unix time in us
    size_t leases_max;
  };
  struct Answer {
    enum Kind : uint8_t { kLoad, kTaken, kShed } kind;
    uint64_t token = 0;    // kLoad
    Instant until = 0;     // else: when to ask again
    bool is_mine = false;  // kTaken: the client itself holds the lease
  };
  Answer ask(const Asked& asked);
  // Whether somebody loads the key, or may not yet.
  bool is_taken(DbIndex db, const Key& key, Instant now) const {
    const Lease* lease = leases.empty() ? nullptr : leases.find(db, key);
    return lease != nullptr && lease->holds(now);
  }

  // ---- loaders
  // The load has come back with an answer. True if it is to be taken: the lease is gone then, and
  // `load_ms` is how long it took.
  struct Loaded {
    bool accepted;
    uint32_t load_ms;
  };
  Loaded accept(DbIndex db, const Key& key, uint64_t token, Instant now);
  // Nobody is given the key for `cool_down`. False if the token is not the key's.
  bool give_up(DbIndex db, const Key& key, uint64_t token, Instant now, Millis cool_down);

  // ---- what happens meanwhile
  void on_changed(DbIndex db, const Key& key) {
    if (!leases.empty()) leases.drop(db, key);
  }
  // A key has come that filters are to know.
  void on_key(ByteView key) { rules.feed(key); }
  // Leases whose time is over; in slices of `budget`.
  void end_due(Instant now, size_t& budget);

  // ---- tokens: max(last + 1, Unix time in us), never twice
  // All tokens up to here have been given out, or may have been (by whose data these are).
  void note_tokens_used(uint64_t up_to) { last_token_ = std::max(last_token_, up_to); }
  uint64_t last_token() const { return last_token_; }

  // CONFIG RESETSTAT.
  void reset_counters();

  Rules rules;
  // By CACHE.LOADCHUNK.
  FilterIntake filters_to_come;
  Leases leases;
  CacheCounters counters;

 private:
  uint64_t next_token(Micros wall);

  uint64_t last_token_ = 0;
};

}  // namespace ouro
