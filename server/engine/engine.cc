// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/engine.h"

#include <algorithm>

#include "server/engine/session.h"

namespace ouro {
namespace {

// How much one turn's end may look at, free and expire, so that no turn takes long: about a quarter
// of a millisecond each. active-expire-effort says how many such quarters may go into expiry.
constexpr size_t kExpireBudget = 1000;
constexpr size_t kFreeBudget = 2000;
// What a free costs the allocator alone knows: the last block of a page, which then goes back to
// the system, as much as fifty others, and the pages of a large value empty together at its end. So
// the time is looked at after so many (of elements that end: element_expiry.cc).
constexpr size_t kFreeStep = 50;
constexpr double kSliceMicrosMax = 250;

// What a command's words take as RESP, with about ten bytes around each.
uint64_t wire_bytes(Argv argv) {
  constexpr uint64_t kAround = 10;
  uint64_t bytes = kAround;
  for (const ByteView word : argv) bytes += word.size() + kAround;
  return bytes;
}

}  // namespace

Engine::Engine(const Setup& setup)
    : options(setup.options),
      log(setup.log),
      host(setup.host),
      config(setup.config),
      stopwatch(setup.stopwatch),
      prng(setup.seed),
      registry(setup.tables),
      dbs(heap, HashSeed{prng.next()}, setup.options.databases),
      commit(heap, setup.sinks),
      watch(heap),
      pubsub(*this),
      tracking(*this),
      due_members(*this),
      clients(*this),
      acl(*this),
      exclusive(*this),
      client_memory(*this),
      command_log(heap),
      hot_keys(*this),
      use_sketch(dbs[0].seed()),
      key_sizes(*this),
      big_keys(*this),
      replication(*this),
      leadership(*this),
      failover(*this),
      acked_calls(*this),
      own_keys(*this),
      redis7(log),
      guard(heap, dbs[0].seed()),
      batch(*this),
      executor(*this) {
  apply_all_engine_options(*this);
  startup_bytes = heap.used_bytes();
}

Engine::~Engine() = default;

void Engine::begin_turn(UnixMs wall, Instant now, Micros beyond) {
  wall_ = wall;
  beyond_ = beyond;
  instant_ = now;
  turn_tick_ = stopwatch.ticks();
  const auto effort = static_cast<size_t>(options.active_expire_effort);
  expiry_share_ = {.places = kExpireBudget * effort,
                   .ticks = static_cast<uint64_t>(kSliceMicrosMax * stopwatch.ticks_per_us()) *
                            static_cast<uint64_t>(effort)};
  eviction.begin_turn(*this);
  due_members.find_databases();
  executor.set_gate(Gate::kDue, due_members.has_any());
  set_access_of_new();
}

void Engine::set_access_of_new() {
  access_is_last_use_ = Eviction::keeps_uses(options.maxmemory_policy);
  const uint32_t access = eviction.counts_uses(options.maxmemory_policy)
                              ? Eviction::access_of_new(wall_)
                              : access_clock();
  if (access == access_of_new_) return;
  access_of_new_ = access;
  for (DbIndex db = 0; db < dbs.count(); ++db) dbs[db].set_access_of_new(access);
}

void Engine::run_batch() {
  client_memory.keep_limit();
  replication.look_at_lease();
  executor.start_timing();
  batch.run();
  // A transaction that waits in the middle has not closed its group.
  if (!exclusive.active()) serve_waiters();
  exclusive.on_turn_end();
  // By what an exclusive wait has removed.
  if (!exclusive.active()) executor.run_woken();
  if (!exclusive.active() && !persistence.loading.active && scripting != nullptr)
    scripting->run_turn();
  if (!exclusive.active()) tracking.broadcast();
  clients.on_turn_end();
}

// Those whose time has come, in any sense.
void Engine::serve_waiters() {
  due_members.run_slice();
  blocking.mark_due(instant_);
  executor.run_woken();
  while (Session* session = blocking.find_timed_out(instant_)) executor.time_out(*session);
  while (Session* session = replication.find_acknowledged()) executor.time_out(*session);
}

bool Engine::run_slices() {
  const bool closing = client_memory.has_more();
  const bool forgetting = tracking.run_slice();
  const bool freeing = !cron_paused && free_slice();
  const bool ending = !cron_paused && end_known_slice();
  const bool holding = due_members.has_work();
  if (cron_paused || exclusive.active() || persistence.loading.active)
    return closing || forgetting || holding || freeing || ending || batch.has_more();
  const bool expiring = active_expire && !at_standstill() && expire_slice();
  const bool evicting =
      eviction.has_more(*this) && eviction.make_room(*this) && eviction.has_more(*this);
  const bool unordering = eviction.run_slice(*this);
  const bool counting = key_sizes.run_slice();
  const bool weighing = big_keys.run_slice();
  if (replication.follows()) own_keys.run_slice();
  // What ended here is in the log before a command follows.
  close_group(GroupKind::kCommand);
  tracking.broadcast();
  return closing || forgetting || holding || counting || weighing || expiring || freeing ||
         ending || evicting || unordering || batch.has_more() || executor.has_woken() ||
         (scripting != nullptr && scripting->has_more());
}

void Engine::seal_all() {
  for (Session* session : unsealed) session->seal();
  unsealed.clear();
}

void Engine::every_second() {
  if (cron_paused) return;
  stats.update_rates(instant_);
  hot_keys.end_if_due();
  clients.every_second();
  if (!exclusive.sleeps()) replication.every_second();
}

Instant Engine::next_deadline() const {
  Instant next = guard.leases.next_end();
  for (DbIndex db = 0; db < dbs.count(); ++db) {
    const Aside* aside = dbs[db].aside();
    if (aside == nullptr || aside->next_deadline() == kNever) continue;
    next = std::min(next,
                    instant_after(instant_, std::max<Millis>(aside->next_deadline() - wall_, 0)));
  }
  next =
      std::min({next, clients.next_deadline(), exclusive.until(), replication.next_deadline(),
                leadership.next_deadline(), failover.next_deadline(), acked_calls.next_deadline()});
  if (!exclusive.active()) next = std::min(next, blocking.next_deadline());
  if (active_expire && !cron_paused && !exclusive.active() && !at_standstill()) {
    for (DbIndex db = 0; db < dbs.count(); ++db) {
      const UnixMs due = std::min(dbs[db].next_deadline(), dbs[db].next_element_deadline());
      if (due == kNever) continue;
      next = std::min(next, instant_after(instant_, std::max<Millis>(due - wall_, 0)));
    }
  }
  return next;
}

// True when more is due than one turn takes.
bool Engine::expire_slice() {
  const uint64_t began = stopwatch.ticks();
  const bool has_more = expire_within_share();
  stats.expire_ticks += stopwatch.ticks() - began;
  return has_more;
}

bool Engine::expire_within_share() {
  const LatencySpan span(*this, "expire-cycle");
  size_t& places = expiry_share_.places;
  for (uint32_t visited = 0; visited < dbs.count(); ++visited) {
    Keyspace& db = dbs[expire_at_];
    while (Entry* entry = db.find_due(wall_, places)) {
      const std::string bytes(entry->key());
      expire_key(expire_at_, db.key(bytes), *entry);
      if (places == 0) break;
    }
    while (Entry* entry = places == 0 ? nullptr : db.find_due_collection(wall_, places)) {
      const std::string bytes(entry->key());
      const Key key = db.key(bytes);
      expire_some_elements(expire_at_, key, *entry);
    }
    if (places == 0) {
      ++stats.expire_cycles_cut;
      return true;
    }
    expire_at_ = (expire_at_ + 1) % dbs.count();
  }
  return false;
}

// True when more waits than one slice takes.
bool Engine::free_slice() {
  size_t chunks = kFreeStep;
  const bool freed_filters = guard.rules.free_some(chunks);
  LazyFree& waiting = dbs.lazy_free();
  if (waiting.empty()) return !freed_filters;
  const uint64_t started = stopwatch.ticks();
  const double ticks_max = kSliceMicrosMax * stopwatch.ticks_per_us();
  for (size_t freed = 0; freed < kFreeBudget; freed += kFreeStep) {
    if (waiting.run(kFreeStep)) return !freed_filters;
    if (static_cast<double>(stopwatch.ticks() - started) > ticks_max) break;
  }
  return true;
}

void Engine::expire_key(DbIndex db, const Key& key, const Entry& entry) {
  const UnixMs end = entry.deadline();
  const UnixMs stale_until = entry.stale_until();
  const bool stays_known = stale_until > wall_;
  // The name may live in the entry that goes.
  if (stays_known) {
    const std::string until = std::to_string(stale_until);
    const ByteView argv[] = {"CACHE.STALE", key.bytes, "PXAT", until};
    commit.add_first(db, argv);
    redis7.note("a value that became stale");
  } else {
    const ByteView argv[] = {"DEL", key.bytes};
    commit.add_first(db, argv);
  }
  ++stats.expired_keys;
  const auto erase = [&] {
    const LatencySpan span(*this, "expire-del");
    if (stays_known) return dbs[db].make_stale(key, stale_until, end);
    dbs[db].erase(key, options.lazyfree_lazy_expire ? Freeing::kLazy : Freeing::kNow);
  };
  if (commit.wanted() || watch.active() || tracking.active() || blocking.active() ||
      pubsub.notifies()) {
    const std::string name(key.bytes);
    erase();
    key_changed(db, {name, key.hash}, Event::kExpired, "expired");
    return;
  }
  erase();
}

void Engine::tell_observers(DbIndex db, const Key& key, Event event_class, ByteView event,
                            Wakes wakes) {
  if (wakes == Wakes::kWaiters && blocking.active()) blocking.on_changed(db, key.bytes);
  if (eviction.keeps_changes(options.maxmemory_policy)) {
    if (Entry* entry = dbs[db].find(key)) entry->set_access(access_clock());
  }
  if (watch.active()) watch.on_changed(db, key.bytes, presence(db, key.bytes));
  // Its clock or its memory limit has ended the key.
  const bool by_server = event_class == Event::kExpired || event_class == Event::kEvicted;
  // What is being loaded is no older for that.
  if (!by_server) guard.on_changed(db, key);
  if (guard.rules.have_filters() && wakes == Wakes::kWaiters && dbs[db].find(key) != nullptr)
    guard.on_key(key.bytes);
  if (tracking.active()) tracking.on_changed(key.bytes, by_server);
  if (!event.empty()) notify(db, key.bytes, event_class, event);
}

// What is known beside the keyspaces ends by the clock on every node. True when more is due than
// one turn takes.
bool Engine::end_known_slice() {
  size_t budget = kExpireBudget;
  guard.end_due(instant_, budget);
  for (DbIndex db = 0; db < dbs.count() && budget > 0; ++db) {
    if (Aside* aside = dbs[db].aside()) aside->end_due(wall_, budget);
  }
  return budget == 0;
}

bool Engine::forget_absent(DbIndex db, const Key& key) {
  guard.on_changed(db, key);
  blocking.on_changed(db, key.bytes);
  Aside* aside = dbs[db].aside();
  return aside != nullptr && aside->forget(key);
}

void Engine::note_absent(DbIndex db, const Key& key, UnixMs until) {
  Aside& aside = dbs[db].make_aside();
  aside.forget(key);
  aside.put_absent(key, until, wall_);
  keep_absent_limit(aside);
}

void Engine::note_version(DbIndex db, const Key& key, uint64_t version, UnixMs until) {
  Aside& aside = dbs[db].make_aside();
  aside.put_fence(key, version, until, wall_);
  keep_absent_limit(aside);
}

// Asking for what does not exist costs no memory of what does.
void Engine::keep_absent_limit(Aside& aside) {
  // Where memory has no limit: some millions of names.
  constexpr size_t kUnlimitedMax = 256_MiB;
  const size_t most = options.maxmemory == 0
                          ? kUnlimitedMax
                          : options.maxmemory / 100 * options.cache_negative_max_percent;
  while (aside.absent_count() > 0 && aside.absent_bytes() > most) aside.drop_first_absent();
}

void Engine::notify(DbIndex db, ByteView key, Event event_class, ByteView event) {
  if (pubsub.notifies() && !rehearses) [[unlikely]]
    pubsub.notify(db, key, event_class, event);
}

Watch::Presence Engine::presence(DbIndex db, ByteView key) const {
  const Entry* entry = dbs[db].find(dbs[db].key(key));
  if (entry == nullptr) return Watch::Presence::kAbsent;
  return entry->is_due(wall_) ? Watch::Presence::kDue : Watch::Presence::kAlive;
}

void Engine::flush(DbIndex db, Freeing freeing) {
  empty(db, freeing);
  if (tracking.active()) tracking.on_flushed();
}

void Engine::flush_all(Freeing freeing) {
  for (DbIndex db = 0; db < dbs.count(); ++db) empty(db, freeing);
  if (tracking.active()) tracking.on_flushed();
}

void Engine::empty(DbIndex db, Freeing freeing) {
  if (watch.active()) {
    watch.on_database_changed(
        db, [&](ByteView key) { return presence(db, key); },
        [](ByteView) { return Watch::Presence::kAbsent; });
  }
  changes += dbs[db].size();
  host.return_memory_at_once(/*wanted=*/true);
  dbs[db].clear(freeing);
  guard.leases.drop_all(db);
  host.return_memory_at_once(/*wanted=*/false);
  blocking.on_database_changed(db);
}

void Engine::swap_databases(DbIndex a, DbIndex b) {
  if (a == b) return;
  if (watch.active()) {
    const auto in_a = [&](ByteView key) { return presence(a, key); };
    const auto in_b = [&](ByteView key) { return presence(b, key); };
    watch.on_database_changed(a, in_a, in_b);
    watch.on_database_changed(b, in_b, in_a);
  }
  dbs[a].swap_contents(dbs[b]);
  guard.leases.drop_all(a);
  guard.leases.drop_all(b);
  due_members.find_databases();
  blocking.on_database_changed(a);
  blocking.on_database_changed(b);
}

void Engine::take_databases(Databases& others) {
  for (DbIndex db = 0; db < dbs.count(); ++db) {
    Keyspace& other = others[db];
    if (watch.active()) {
      const auto in_other = [&](ByteView key) {
        const Entry* entry = other.find(other.key(key));
        if (entry == nullptr) return Watch::Presence::kAbsent;
        return entry->is_due(wall_) ? Watch::Presence::kDue : Watch::Presence::kAlive;
      };
      watch.on_database_changed(
          db, [&](ByteView key) { return presence(db, key); }, in_other);
    }
    dbs[db].swap_contents(other);
    guard.leases.drop_all(db);
    blocking.on_database_changed(db);
  }
  due_members.find_databases();
  if (tracking.active()) tracking.on_flushed();
}

// By a policy whose clock is another.
void Engine::count_use(Entry& entry) {
  if (eviction.counts_uses(options.maxmemory_policy)) eviction.count_use(entry, *this);
}

void Engine::account(CommandStats& row, const Caller& caller, const CommandSpec& spec, Argv argv,
                     const Cost& cost) {
  ++row.calls;
  row.nanos += cost.nanos;
  if (options.latency_tracking) {
    if (row.latency == nullptr) row.latency = std::make_unique<LatencyHistogram>();
    row.latency->record(cost.nanos);
  }
  const auto micros = static_cast<Micros>(cost.nanos / 1000);
  if (options.slowlog_log_slower_than_us >= 0 && micros >= options.slowlog_log_slower_than_us)
      [[unlikely]] {
    if (!spec.flags.has(Flag::kSkipSlowlog)) {
      command_log.add(*this, CommandLog::Kind::kSlow, caller, spec, argv, micros,
                      static_cast<Micros>(cost.waited_nanos / 1000));
    }
  }
  if (may_be_large(argv, cost)) [[unlikely]]
    log_large(caller, spec, argv, cost);
  if (hot_keys.active()) [[unlikely]]
    hot_keys.note(spec, argv, cost.nanos, wire_bytes(argv) + cost.reply_bytes);
  if (options.latency_monitor_threshold_ms > 0) [[unlikely]] {
    latency.add_sample(spec.flags.has(Flag::kFast) ? "fast-command" : "command", micros / 1000,
                       wall_, options.latency_monitor_threshold_ms);
  }
}

// False for nearly all, at the cost of adding up the words.
bool Engine::may_be_large(Argv argv, const Cost& cost) const {
  // A word and the count have each a length of at most so many bytes.
  constexpr size_t kLengthBytesMax = 32;
  size_t bytes_max = kLengthBytesMax;
  for (const ByteView word : argv) bytes_max += word.size() + kLengthBytesMax;
  // A limit below zero is none.
  return bytes_max >= static_cast<uint64_t>(options.log_request_larger_than) ||
         cost.reply_bytes >= static_cast<uint64_t>(options.log_reply_larger_than);
}

// Sizes are those on the wire; of a request that is what its words take as RESP.
void Engine::log_large(const Caller& caller, const CommandSpec& spec, Argv argv, const Cost& cost) {
  const auto note = [&](CommandLog::Kind kind, int64_t limit, uint64_t bytes) {
    if (limit < 0 || bytes < static_cast<uint64_t>(limit)) [[likely]]
      return;
    if (spec.flags.has(Flag::kSkipSlowlog)) return;
    command_log.add(*this, kind, caller, spec, argv, static_cast<int64_t>(bytes),
                    static_cast<Micros>(cost.waited_nanos / 1000));
  };
  note(CommandLog::Kind::kLargeRequest, options.log_request_larger_than, wire_bytes(argv));
  note(CommandLog::Kind::kLargeReply, options.log_reply_larger_than, cost.reply_bytes);
}

}  // namespace ouro
