// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/eviction.h"

#include <algorithm>
#include <cmath>

#include "server/engine/engine.h"

namespace ouro {
namespace {

// A key with an expiry is looked for among so many random ones, before the nearest deadline is
// taken instead.
constexpr size_t kTriesMax = 64;
// How many allocations one call frees of what waits.
constexpr size_t kFreeBudget = 20000;
constexpr size_t kDueBudget = 1000;

// The default of maxmemory-eviction-tenacity.
constexpr uint64_t kTenacityDefault = 10;
constexpr uint64_t kTenacityMax = 100;
constexpr size_t kUnbounded = ~size_t{0};

// What keys have, and clients: what a removal lowers also when a snapshot reads on.
size_t held_bytes(const Engine& engine) {
  return engine.heap.used_bytes() - engine.heap.kept_bytes();
}

// What was given back meanwhile. Telling of a removal may take more.
size_t given_back(const Engine& engine, size_t held_before) {
  return held_before - std::min(held_before, held_bytes(engine));
}

bool wants_deadline(EvictionPolicy policy) {
  return policy == EvictionPolicy::kVolatileOuro || policy == EvictionPolicy::kVolatileLru ||
         policy == EvictionPolicy::kVolatileLfu || policy == EvictionPolicy::kVolatileLrm ||
         policy == EvictionPolicy::kVolatileRandom || policy == EvictionPolicy::kVolatileTtl;
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
// out: no key need go for it, and each removal would add to it. So is what only snapshots still
// read: a key that is removed while one is made may give back nothing before it is written. What
// will be taken back is to leave no trace.
size_t Eviction::uncounted_bytes(const Engine& engine) {
  return engine.persistence.log_buffer_memory() + engine.replication.outgoing_bytes() +
         engine.heap.kept_bytes() + engine.rehearsed_bytes;
}

void Eviction::begin_turn(const Engine& engine) {
  unsent_before_ = engine.heap.unsent_bytes();
  has_no_stale_ = false;
}

// The replies of this turn leave at its end, or count from the next on: a batch of large reads
// would else cost keys for memory that is back before anything is written.
size_t Eviction::counted_bytes(const Engine& engine) {
  const size_t used = engine.heap.used_bytes();
  const size_t unsent = engine.heap.unsent_bytes();
  const size_t of_turn = unsent - std::min(unsent, engine.eviction.unsent_before_);
  return used - std::min(used, uncounted_bytes(engine) + of_turn);
}

size_t Eviction::keys_max(uint64_t tenacity) {
  if (tenacity >= kTenacityMax) return kUnbounded;
  if (tenacity <= kTenacityDefault)
    return std::max(kKeysMin, kKeysAtDefault * tenacity / kTenacityDefault);
  const auto steps = static_cast<double>(tenacity - kTenacityDefault);
  return static_cast<size_t>(static_cast<double>(kKeysAtDefault) * std::pow(1.15, steps));
}

bool Eviction::has_more(const Engine& engine) const {
  return outcome_ == Outcome::kUnfinished && !engine.keeps_all() && engine.options.maxmemory > 0 &&
         engine.options.maxmemory_policy != EvictionPolicy::kNone;
}

void Eviction::note_excess(const Engine& engine) {
  if (outcome_ == Outcome::kDone) {
    exceeded_before_ = exceeded_in_all(engine.instant());
    exceeded_since_ = kNever;
  } else if (exceeded_since_ == kNever) {
    exceeded_since_ = engine.instant();
  }
}

Eviction::Outcome Eviction::try_to_make_room(Engine& engine) {
  if (engine.keeps_all()) return Outcome::kDone;
  // What is seen now is not what there is.
  if (engine.rehearses) [[unlikely]]
    return outcome_;
  const auto fits = [&] {
    const uint64_t limit = engine.options.maxmemory;
    return limit == 0 || engine.heap.used_bytes() <= limit || counted_bytes(engine) <= limit;
  };
  if (fits()) [[likely]]
    return Outcome::kDone;
  const LatencySpan span(engine, "eviction-cycle");
  // What is gone for the clients must not cost further keys. While some of it waits its memory is
  // on the way.
  LazyFree& lazy_free = engine.dbs.lazy_free();
  const size_t keys = keys_max(engine.options.maxmemory_eviction_tenacity);
  const size_t free_budget = keys == kUnbounded ? kUnbounded : kFreeBudget;
  if (!lazy_free.empty()) {
    if (!lazy_free.run(free_budget)) return Outcome::kUnfinished;
    if (fits()) return Outcome::kDone;
  }
  // Telling clients of an eviction takes memory until they have read it. Only what keys give back
  // counts here: else the word of one would cost the next.
  const size_t wanted = counted_bytes(engine) - engine.options.maxmemory;
  size_t freed = 0;
  for (size_t removed = 0; removed < keys; ++removed) {
    const std::optional<size_t> bytes = evict_one(engine);
    if (!bytes) return Outcome::kShort;
    const size_t before = held_bytes(engine);
    if (!lazy_free.empty() && !lazy_free.run(free_budget)) return Outcome::kUnfinished;
    freed += *bytes + given_back(engine, before);
    if (freed >= wanted || fits()) return Outcome::kDone;
  }
  return Outcome::kUnfinished;
}

std::optional<size_t> Eviction::evict_stale(Engine& engine) {
  if (has_no_stale_) return std::nullopt;
  for (DbIndex db = 0; db < engine.dbs.count(); ++db) {
    Aside* aside = engine.dbs[db].aside();
    if (aside == nullptr || aside->stale_count() == 0) continue;
    const std::string name(aside->any_stale(engine.prng)->key());
    const Key key = engine.dbs[db].key(name);
    const ByteView effect[] = {"DEL", name};
    engine.commit.add_first(db, effect);
    const size_t before = held_bytes(engine);
    aside->forget(key);
    ++engine.stats.evicted_keys;
    return given_back(engine, before);
  }
  has_no_stale_ = true;
  return std::nullopt;
}

bool Eviction::is_ordering(const Engine& engine) const {
  return engine.options.maxmemory > 0 && keeps_order(engine.options.maxmemory_policy);
}

void Eviction::apply_policy(Engine& engine) {
  if (!is_ordering(engine)) {
    if (order_ != nullptr) order_->stop();
    miniatures_.reset();
    return;
  }
  const auto scope = wants_deadline(engine.options.maxmemory_policy)
                         ? EvictionOrder::Scope::kWithDeadline
                         : EvictionOrder::Scope::kAll;
  if (order_ == nullptr)
    order_ = std::make_unique<EvictionOrder>(engine.heap, engine.dbs, engine.prng.next());
  order_->start(scope);
  if (miniatures_ == nullptr)
    miniatures_ = std::make_unique<Miniatures>(engine.heap, engine.prng.next());
}

void Eviction::note_read(const Engine& engine, Hash64 hash, const Entry* entry) {
  miniatures_->on_read(hash, entry == nullptr ? 0 : entry->memory_bytes(),
                       engine.stats.keyspace_hits + engine.stats.keyspace_misses);
}

void Eviction::note_new(Engine& engine, DbIndex db, const Key& key) {
  if (const Entry* entry = engine.dbs[db].find(key))
    miniatures_->on_new(key.hash, entry->memory_bytes());
}

bool Eviction::run_slice(const Engine& engine) {
  if (order_ == nullptr || is_ordering(engine)) return false;
  constexpr size_t kForgetBudget = 1000;
  if (!order_->forget_some(kForgetBudget)) return true;
  order_.reset();
  return false;
}

std::optional<size_t> Eviction::evict_one(Engine& engine) {
  if (engine.options.maxmemory_policy != EvictionPolicy::kNone) {
    if (const auto bytes = evict_stale(engine)) return bytes;
  }
  if (is_ordering(engine)) {
    fit_miniatures(engine);
    if (const auto victim = order_->next(engine.heap.used_bytes())) {
      name_.assign(victim->entry->key());
      return remove(engine, victim->db, {name_, victim->hash}, victim->entry);
    }
  }
  Candidate candidate;
  if (!pick(engine, candidate)) return std::nullopt;
  const Keyspace& keys = engine.dbs[candidate.db];
  const Key key = keys.key(candidate.key);
  return remove(engine, candidate.db, key, keys.find(key));
}

// Of what is evicted for the first time there are as many keys as the memory holds.
void Eviction::fit_miniatures(const Engine& engine) {
  constexpr unsigned kFitEvery = 1024;
  if (until_fit_++ % kFitEvery == 0) miniatures_->fit(engine.dbs.size(), engine.heap.used_bytes());
}

bool Eviction::pick(Engine& engine, Candidate& picked) {
  const EvictionPolicy policy = engine.options.maxmemory_policy;
  switch (policy) {
    case EvictionPolicy::kNone:
      return false;
    case EvictionPolicy::kVolatileTtl:
      return pick_nearest_deadline(engine, picked);
    case EvictionPolicy::kAllkeysLrm:
    case EvictionPolicy::kVolatileLrm:
      for (DbIndex db = 0; db < engine.dbs.count(); ++db) sample(engine, db);
      if (take_best(engine, picked)) return true;
      break;
    // An order that has found nobody within its bounds has met none but those that may stay.
    case EvictionPolicy::kAllkeysOuro:
    case EvictionPolicy::kAllkeysLru:
    case EvictionPolicy::kAllkeysLfu:
    case EvictionPolicy::kAllkeysRandom:
    case EvictionPolicy::kVolatileOuro:
    case EvictionPolicy::kVolatileLru:
    case EvictionPolicy::kVolatileLfu:
    case EvictionPolicy::kVolatileRandom:
      if (pick_random(engine, picked)) return true;
      break;
  }
  // Few of many keys have an expiry, and no random one was met.
  return wants_deadline(policy) && pick_nearest_deadline(engine, picked);
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
  const bool with_deadline = wants_deadline(engine.options.maxmemory_policy);
  for (uint64_t i = 0; i < engine.options.maxmemory_samples; ++i) {
    const Entry* entry = random_entry(engine, db, with_deadline);
    if (entry == nullptr) return;
    offer((engine.access_clock() - entry->access()) & Entry::kAccessMask, db, entry->key());
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

size_t Eviction::remove(Engine& engine, DbIndex db, const Key& key, Entry* entry) {
  const ByteView effect[] = {"DEL", key.bytes};
  engine.commit.add_first(db, effect);
  const size_t before = held_bytes(engine);
  {
    const LatencySpan span(engine, "eviction-del");
    engine.dbs[db].erase(key, entry,
                         engine.options.lazyfree_lazy_eviction ? Freeing::kLazy : Freeing::kNow);
  }
  const size_t bytes = given_back(engine, before);
  ++engine.stats.evicted_keys;
  engine.key_changed(db, key, Event::kEvicted, "evicted");
  return bytes;
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
