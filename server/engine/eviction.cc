// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/eviction.h"

#include <algorithm>

#include "server/engine/engine.h"

namespace ouro {
namespace {

// A key with an expiry is looked for among so many random ones, before the nearest deadline is
// taken instead.
constexpr size_t kTriesMax = 64;
// How many allocations one call frees of what waits.
constexpr size_t kFreeBudget = 20000;
constexpr size_t kDueBudget = 1000;

bool wants_deadline(EvictionPolicy policy) {
  return policy == EvictionPolicy::kVolatileLru || policy == EvictionPolicy::kVolatileLfu ||
         policy == EvictionPolicy::kVolatileLrm || policy == EvictionPolicy::kVolatileRandom ||
         policy == EvictionPolicy::kVolatileTtl;
}

// The entry that is due first in one database, or null. Exact: the table's bounds are corrected
// until one holds.
Entry* nearest_deadline(Keyspace& db) {
  while (db.next_deadline() != INT64_MAX) {
    size_t budget = kDueBudget;
    if (Entry* entry = db.find_due(db.next_deadline(), budget)) return entry;
  }
  return nullptr;
}

}  // namespace

// What waits to be written to the log, or to be sent to a replica that is behind, is on its way
// out: no key need go for it, and each removal would add to it. What will be taken back is to leave
// no trace.
size_t Eviction::uncounted_bytes(const Engine& engine) {
  return engine.persistence.log_buffered_bytes + engine.replication.memory().outgoing_bytes +
         engine.rehearsed_bytes;
}

size_t Eviction::counted_bytes(const Engine& engine) {
  const size_t used = engine.heap.used_bytes();
  return used - std::min(used, uncounted_bytes(engine));
}

bool Eviction::has_more(const Engine& engine) const {
  return outcome_ == Outcome::kUnfinished && !engine.keeps_all() && engine.options.maxmemory > 0 &&
         engine.options.maxmemory_policy != EvictionPolicy::kNone;
}

Eviction::Outcome Eviction::try_to_make_room(Engine& engine) {
  if (engine.keeps_all()) return Outcome::kDone;
  // What is seen now is not what there is.
  if (engine.rehearses) [[unlikely]]
    return outcome_;
  const auto fits = [&] {
    return engine.options.maxmemory == 0 || counted_bytes(engine) <= engine.options.maxmemory;
  };
  if (fits()) [[likely]]
    return Outcome::kDone;
  const LatencySpan span(engine, "eviction-cycle");
  // What is gone for the clients must not cost further keys. While some of it waits its memory is
  // on the way.
  LazyFree& lazy_free = engine.dbs.lazy_free();
  if (!lazy_free.run(kFreeBudget)) return Outcome::kUnfinished;
  if (fits()) return Outcome::kDone;
  // Telling clients of an eviction takes memory until they have read it. Only what keys give back
  // counts here: else the word of one would cost the next.
  const size_t wanted = counted_bytes(engine) - engine.options.maxmemory;
  size_t freed = 0;
  for (size_t removed = 0; removed < kKeysMax; ++removed) {
    const std::optional<size_t> bytes = evict_one(engine);
    if (!bytes) return Outcome::kShort;
    const size_t before = engine.heap.used_bytes();
    if (!lazy_free.empty() && !lazy_free.run(kFreeBudget)) return Outcome::kUnfinished;
    freed += *bytes + (before - engine.heap.used_bytes());
    if (freed >= wanted || fits()) return Outcome::kDone;
  }
  return Outcome::kUnfinished;
}

std::optional<size_t> Eviction::evict_stale(Engine& engine) {
  for (DbIndex db = 0; db < engine.dbs.count(); ++db) {
    Aside* aside = engine.dbs[db].aside();
    if (aside == nullptr || aside->stale_count() == 0) continue;
    const std::string name(aside->any_stale(engine.prng)->key());
    const Key key = engine.dbs[db].key(name);
    const ByteView effect[] = {"DEL", name};
    engine.commit.add_first(db, effect);
    const size_t before = engine.heap.used_bytes();
    aside->forget(key);
    ++engine.stats.evicted_keys;
    return before - engine.heap.used_bytes();
  }
  return std::nullopt;
}

std::optional<size_t> Eviction::evict_one(Engine& engine) {
  const EvictionPolicy policy = engine.options.maxmemory_policy;
  if (policy != EvictionPolicy::kNone) {
    if (const auto bytes = evict_stale(engine)) return bytes;
  }
  Candidate candidate;
  bool found = false;
  switch (policy) {
    case EvictionPolicy::kNone:
      break;
    case EvictionPolicy::kAllkeysRandom:
    case EvictionPolicy::kVolatileRandom:
      found = pick_random(engine, candidate);
      break;
    case EvictionPolicy::kVolatileTtl:
      found = pick_nearest_deadline(engine, candidate);
      break;
    case EvictionPolicy::kAllkeysLru:
    case EvictionPolicy::kAllkeysLfu:
    case EvictionPolicy::kAllkeysLrm:
    case EvictionPolicy::kVolatileLru:
    case EvictionPolicy::kVolatileLfu:
    case EvictionPolicy::kVolatileLrm:
      // Clocks and counters do not compare: a change of policy starts afresh.
      if (pool_counts_uses_ != counts_uses(policy)) pool_.clear();
      pool_counts_uses_ = counts_uses(policy);
      for (DbIndex db = 0; db < engine.dbs.count(); ++db) sample(engine, db);
      found = take_best(engine, candidate);
      break;
  }
  // Few of many keys have an expiry, and no sample met one.
  if (!found && wants_deadline(policy)) found = pick_nearest_deadline(engine, candidate);
  if (!found) return std::nullopt;
  return remove(engine, candidate);
}

Entry* Eviction::random_entry(Engine& engine, DbIndex db, bool with_deadline) {
  const Keyspace& keys = engine.dbs[db];
  if (keys.size() == 0 || (with_deadline && keys.expires_count() == 0)) return nullptr;
  for (size_t tries = 0; tries < kTriesMax; ++tries) {
    Entry* entry = keys.random(engine.prng);
    if (entry == nullptr || !with_deadline || entry->has_deadline()) return entry;
  }
  return nullptr;
}

void Eviction::sample(Engine& engine, DbIndex db) {
  const EvictionPolicy policy = engine.options.maxmemory_policy;
  const bool uses = counts_uses(policy);
  for (uint64_t i = 0; i < engine.options.maxmemory_samples; ++i) {
    const Entry* entry = random_entry(engine, db, wants_deadline(policy));
    if (entry == nullptr) return;
    const uint64_t score =
        uses ? 255 - use_count(*entry, engine.now(), engine.options.lfu_decay_time)
             : (engine.access_clock() - entry->access()) & Entry::kAccessMask;
    offer(score, db, entry->key());
  }
}

void Eviction::offer(uint64_t score, DbIndex db, ByteView key) {
  if (pool_.size() == kPoolSize && score <= pool_.front().score) return;
  const auto is_same = [&](const Candidate& other) { return other.db == db && other.key == key; };
  if (const auto same = std::find_if(pool_.begin(), pool_.end(), is_same); same != pool_.end())
    pool_.erase(same);
  const auto at = std::upper_bound(pool_.begin(), pool_.end(), score,
                                   [](uint64_t s, const Candidate& c) { return s < c.score; });
  pool_.insert(at, {score, db, std::string(key)});
  if (pool_.size() > kPoolSize) pool_.erase(pool_.begin());
}

bool Eviction::take_best(Engine& engine, Candidate& best) {
  while (!pool_.empty()) {
    best = std::move(pool_.back());
    pool_.pop_back();
    if (best.db >= engine.dbs.count()) continue;
    const Keyspace& keys = engine.dbs[best.db];
    const Entry* entry = keys.find(keys.key(best.key));
    if (entry == nullptr) continue;
    if (entry->has_deadline() || !wants_deadline(engine.options.maxmemory_policy)) return true;
  }
  return false;
}

bool Eviction::pick_random(Engine& engine, Candidate& picked) {
  const bool with_deadline = wants_deadline(engine.options.maxmemory_policy);
  for (uint32_t visited = 0; visited < engine.dbs.count(); ++visited) {
    next_db_ = (next_db_ + 1) % engine.dbs.count();
    if (const Entry* entry = random_entry(engine, next_db_, with_deadline)) {
      picked = {0, next_db_, std::string(entry->key())};
      return true;
    }
  }
  return false;
}

bool Eviction::pick_nearest_deadline(Engine& engine, Candidate& picked) {
  UnixMs nearest = INT64_MAX;
  for (DbIndex db = 0; db < engine.dbs.count(); ++db) {
    if (engine.dbs[db].next_deadline() >= nearest) continue;
    const Entry* entry = nearest_deadline(engine.dbs[db]);
    if (entry == nullptr || entry->deadline() >= nearest) continue;
    nearest = entry->deadline();
    picked = {0, db, std::string(entry->key())};
  }
  return nearest != INT64_MAX;
}

size_t Eviction::remove(Engine& engine, const Candidate& candidate) {
  Keyspace& keys = engine.dbs[candidate.db];
  const Key key = keys.key(candidate.key);
  const ByteView effect[] = {"DEL", candidate.key};
  engine.commit.add_first(candidate.db, effect);
  const size_t before = engine.heap.used_bytes();
  {
    const LatencySpan span(engine, "eviction-del");
    keys.erase(key, engine.options.lazyfree_lazy_eviction ? Freeing::kLazy : Freeing::kNow);
  }
  const size_t after = engine.heap.used_bytes();
  ++engine.stats.evicted_keys;
  engine.key_changed(candidate.db, key, Event::kEvicted, "evicted");
  return before - after;
}

void Eviction::count_use(Entry& entry, Engine& engine) {
  const uint32_t minutes = static_cast<uint32_t>(engine.now() / 60000) & 0xFFFF;
  uint32_t uses = use_count(entry, engine.now(), engine.options.lfu_decay_time);
  if (uses < 255) {
    // The more uses were counted, the less probable is the next count: 255 stands for millions.
    const double base = uses > kUsesOfNew ? static_cast<double>(uses - kUsesOfNew) : 0.0;
    if (engine.prng.unit() < 1.0 / (base * static_cast<double>(engine.options.lfu_log_factor) + 1))
      ++uses;
  }
  entry.set_access(minutes << 8 | uses);
}

uint32_t Eviction::use_count(const Entry& entry, UnixMs now, uint64_t decay_minutes) {
  const uint32_t uses = entry.access() & 0xFF;
  if (decay_minutes == 0) return uses;
  const uint32_t minutes = static_cast<uint32_t>(now / 60000) & 0xFFFF;
  const uint64_t periods = ((minutes - (entry.access() >> 8)) & 0xFFFF) / decay_minutes;
  return periods >= uses ? 0 : uses - static_cast<uint32_t>(periods);
}

}  // namespace ouro
