// SPDX-License-Identifier: BSD-3-Clause
// Engine: one cache. Builds and holds the parts that commands work on, and knows when each gets its
// slice of a turn. Both front doors make one: the server's app for its sockets, embed for its host
// program. It makes no system call: time comes in by begin_turn(), bytes through sessions or
// Executor::execute.
//
//   sessions fill the batch -> begin_turn(now) -> run_batch() -> (the app flushes) -> run_slices()
#pragma once

#include <memory>
#include <span>

#include "datastructs/base/log.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/prng.h"
#include "datastructs/keyspace/databases.h"
#include "server/engine/acked_calls.h"
#include "server/engine/acl.h"
#include "server/engine/batch.h"
#include "server/engine/big_keys.h"
#include "server/engine/blocking.h"
#include "server/engine/client_memory.h"
#include "server/engine/clients.h"
#include "server/engine/command_log.h"
#include "server/engine/commit.h"
#include "server/engine/context.h"
#include "server/engine/due_members.h"
#include "server/engine/eviction.h"
#include "server/engine/exclusive.h"
#include "server/engine/executor.h"
#include "server/engine/failover.h"
#include "server/engine/host.h"
#include "server/engine/hot_keys.h"
#include "server/engine/key_sizes.h"
#include "server/engine/latency.h"
#include "server/engine/leadership.h"
#include "server/engine/monitor.h"
#include "server/engine/options.h"
#include "server/engine/own_keys.h"
#include "server/engine/persistence.h"
#include "server/engine/pubsub.h"
#include "server/engine/redis7.h"
#include "server/engine/registry.h"
#include "server/engine/replication.h"
#include "server/engine/scripting.h"
#include "server/engine/stats.h"
#include "server/engine/stopwatch.h"
#include "server/engine/tracking.h"
#include "server/engine/use_sketch.h"
#include "server/engine/watch.h"
#include "server/protect/guard.h"

namespace ouro {

class Config;

class Engine {
 public:
  struct Setup {
    EngineOptions& options;  // outlives the engine; CONFIG SET writes into it
    std::span<const Registry::Table> tables;
    uint64_t seed;  // of hashes and random choices
    Stopwatch& stopwatch;
    Logger& log;
    Host& host;
    Config& config;
    std::span<EffectSink* const> sinks = {};
  };
  explicit Engine(const Setup& setup);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // ---- one turn
  // beyond: the wall clock's microseconds in its millisecond.
  void begin_turn(UnixMs wall, Instant now, Micros beyond = 0);
  // What the policy knows of a key that is new. In each turn, and when the policy changes.
  void set_access_of_new();
  // Closes clients that hold too much, then runs the commands that sessions put into the batch,
  // whatever they woke, and waits whose time is over.
  void run_batch();
  // Bounded slices of expiry and freeing. True when work is left for the next turn at once.
  bool run_slices();
  // Everything that the running command left goes to the log, and who was told of it may hear it
  // when it is safe.
  void close_group(GroupKind kind) {
    commit.close_group(kind);
    if (!unsealed.empty()) [[unlikely]]
      seal_all();
  }
  // Those who fill in what the engine knows of persistence have changed why writes are refused.
  void apply_write_refusal() {
    executor.set_gate(Gate::kDisk, !persistence.write_refusal().empty());
  }
  // What is looked at by the second: limits that last, idle clients.
  void every_second();
  // When the next turn has to come at the latest.
  Instant next_deadline() const;

  UnixMs now() const { return wall_; }
  // The same in microseconds, for what is shown so: TIME, MONITOR.
  Micros wall_micros() const { return wall_ * 1000 + beyond_; }
  Instant instant() const { return instant_; }
  // What the turn has taken by now.
  Micros micros_of_turn() const {
    return static_cast<Micros>(static_cast<double>(stopwatch.ticks() - turn_tick_) /
                               stopwatch.ticks_per_us());
  }
  // Clock of Entry::access in seconds, unless the policy counts uses.
  uint32_t access_clock() const { return static_cast<uint32_t>(wall_ / 1000) & Entry::kAccessMask; }

  // ---- keys
  // Somebody wants to know of changes.
  bool has_observers() const {
    return !rehearses &&
           (watch.active() || tracking.active() || blocking.active() || pubsub.notifies() ||
            !guard.leases.empty() || guard.rules.have_filters() ||
            Eviction::keeps_changes(options.maxmemory_policy));
  }
  // A key has changed: wakes its waiters, breaks transactions that watch it, tells who caches it
  // and its subscribers.
  void key_changed(DbIndex db, const Key& key, Event event_class, ByteView event) {
    if (has_observers()) [[unlikely]]
      tell_observers(db, key, event_class, event, Wakes::kWaiters);
  }
  // The same where something was only taken away, which is nothing to wait for.
  void key_shrunk(DbIndex db, const Key& key, Event event_class, ByteView event) {
    if (has_observers()) [[unlikely]]
      tell_observers(db, key, event_class, event, Wakes::kNobody);
  }
  // While clients are paused, in import-mode, while loading, and on a replica, nothing ends by the
  // clock: what is due is hidden, and only a command that writes it anew removes it.
  bool at_standstill() const { return keeps_all() || replication.follows(); }
  // Nothing is evicted either. A replica's memory is its primary's to bound, unless it is told to
  // mind its own.
  bool keeps_all() const {
    return clients.paused() != Clients::Pause::kNone || options.import_mode ||
           persistence.loading.active ||
           (replication.follows() && options.replication.replica_ignore_maxmemory);
  }
  // The clock has ended a key, which is `entry`: removes it on a primary, with its effect and
  // events. A value with a stale window stays known beside the keyspace.
  void expire_key(DbIndex db, const Key& key, const Entry& entry);
  // What is known of a key that is not in the database is out of date: its lease and what stands
  // beside the keyspace. Who waits for it asks again. True if other nodes are to forget it, too.
  bool forget_absent(DbIndex db, const Key& key);
  // Notes that a key is absent, within the bound for all such notes.
  void note_absent(DbIndex db, const Key& key, UnixMs until);
  // Notes that values of a version and before are out of date, for cache-version-window.
  void note_version(DbIndex db, const Key& key, uint64_t version, UnixMs until);
  // The same for elements of the collection at `key`: those of `fields` that are due, all that are
  // due, or as many of them as this turn has time for. One event tells of them together. True if
  // the key went with its last element. Requires: `key` does not lie in its entry.
  bool expire_named(DbIndex db, const Key& key, Hash& hash, Argv fields);
  bool expire_all_elements(DbIndex db, const Key& key, Entry& entry) {
    ExpiryShare all;
    return expire_elements(db, key, entry, all);
  }
  bool expire_some_elements(DbIndex db, const Key& key, Entry& entry) {
    return expire_elements(db, key, entry, expiry_share_);
  }
  // A set or sorted set with a member that is due: it goes on showing it until it is removed.
  bool shows_due_members(const Entry& entry) const {
    return entry.has_timed_members() && !entry.is_due(wall_) &&
           entry.next_element_deadline() <= wall_;
  }
  // True if the set or sorted set at `key`, if there is one, shows no member that is due. Removes
  // those, and false if that may not be or this turn has no time left to remove them all. With
  // fields the same for a hash, unless nothing may be removed: fields are hidden. Requires: no
  // command runs.
  bool are_due_members_gone(DbIndex db, const Key& key, Ends ends);
  // Whether anything may still end by the clock in this turn.
  bool has_time_for_ends() const { return expiry_share_.places > 0; }
  // Keyspace notification without a change (key misses, evictions).
  void notify(DbIndex db, ByteView key, Event event_class, ByteView event);
  // Somebody may want to know which fields of a hash have changed: then pubsub.notify_fields() is
  // to go with what is told of the key.
  bool tells_fields() const { return pubsub.tells_fields() && !rehearses; }
  // Empties one database (all: every one). Tells watchers.
  void flush(DbIndex db, Freeing freeing);
  void flush_all(Freeing freeing);
  void swap_databases(DbIndex a, DbIndex b);
  // All databases change places with `others`.
  void take_databases(Databases& others);
  // What a finished command cost.
  struct Cost {
    uint64_t nanos = 0;
    uint64_t waited_nanos = 0;  // since its turn's first command began
    uint64_t reply_bytes = 0;
  };
  // Counts it: commandstats, latency, COMMANDLOG.
  void account(CommandStats& row, const Caller& caller, const CommandSpec& spec, Argv argv,
               const Cost& cost);
  // One more use: of its count, and of its clock.
  void touch(Entry& entry) {
    // A Weyl sequence is as evenly spread as this asks for, at an addition; its high bits are good.
    use_dice_ += 0x9E3779B97F4A7C15ULL;
    entry.note_use(use_dice_ >> 32);
    if (UseSketch::samples(use_dice_)) [[unlikely]]
      use_sketch.note(entry.key(), wall_);
    if (access_is_last_use_) [[likely]] {
      if (entry.access() != access_of_new_) entry.set_access(access_of_new_);
    } else {
      count_use(entry);
    }
  }

  Scripting::Facts script_facts() const {
    return scripting == nullptr ? Scripting::Facts{} : scripting->facts();
  }

  // ---- the parts
  EngineOptions& options;
  Logger& log;
  Host& host;
  Config& config;
  Stopwatch& stopwatch;
  Heap heap;
  Prng prng;
  Registry registry;
  Databases dbs;
  Commit commit;
  Stats stats;
  Watch watch;
  Blocking blocking;
  PubSub pubsub;
  Tracking tracking;
  DueMembers due_members;
  Clients clients;
  AccessControl acl;
  std::vector<Session*> unsealed;  // got a message from the command that is running
  Exclusive exclusive;
  ClientMemory client_memory;
  Monitors monitors;
  CommandLog command_log;
  HotKeys hot_keys;
  UseSketch use_sketch;
  KeySizes key_sizes;
  BigKeys big_keys;
  LatencyMonitor latency;
  Persistence persistence;
  Replication replication;
  Leadership leadership;
  Failover failover;
  AckedCalls acked_calls;
  OwnKeys own_keys;
  Redis7 redis7;
  Guard guard;  // before the database that clients load from
  Eviction eviction;
  Batch batch;
  Executor executor;

  // DEBUG SET-ACTIVE-EXPIRE.
  bool active_expire = true;
  bool checks_payloads = true;  // RESTORE compares checksums (DEBUG SET-SKIP-CHECKSUM-VALIDATION)
  // DEBUG PAUSE-CRON: nothing happens by the clock alone.
  bool cron_paused = false;
  // DEBUG SET-DISABLE-DENY-SCRIPTS.
  bool scripts_run_all = false;
  // What runs now will be taken back: nobody is told of it, and nothing ends by the clock but by
  // the hand that will restore it (server/script/overlay.h).
  bool rehearses = false;
  // What is kept for such runs beside the databases, of all of them: nobody's keys go for it.
  size_t rehearsed_bytes = 0;
  // Made by the first command that needs it; null until then.
  std::unique_ptr<Scripting> scripting;
  // Memory that an empty cache takes.
  size_t startup_bytes = 0;
  // Writes since start, or since the moment of the last whole snapshot.
  uint64_t changes = 0;

 private:
  enum class Wakes : uint8_t { kNobody, kWaiters };
  void seal_all();
  void tell_observers(DbIndex db, const Key& key, Event event_class, ByteView event, Wakes wakes);
  void count_use(Entry& entry);
  bool may_be_large(Argv argv, const Cost& cost) const;
  void log_large(const Caller& caller, const CommandSpec& spec, Argv argv, const Cost& cost);
  void empty(DbIndex db, Freeing freeing);
  Watch::Presence presence(DbIndex db, ByteView key) const;
  // What the ends of keys and elements may still take: places looked at, and time. Without time
  // there are no places.
  struct ExpiryShare {
    size_t places = ~size_t{0};
    uint64_t ticks = ~uint64_t{0};
  };
  bool expire_elements(DbIndex db, const Key& key, Entry& entry, ExpiryShare& share);
  void serve_waiters();
  bool expire_slice();
  bool expire_within_share();
  bool end_known_slice();
  void keep_absent_limit(Aside& aside);
  bool free_slice();
  bool after_elements_expired(DbIndex db, const Key& key, bool empty, size_t count);

  UnixMs wall_ = 0;
  Micros beyond_ = 0;
  Instant instant_ = 0;
  uint64_t turn_tick_ = 0;  // the stopwatch at wall_
  DbIndex expire_at_ = 0;
  // Of this turn: commands that cannot run before something has ended take of it first, the slice
  // at the end takes the rest.
  uint64_t use_dice_ = 0;
  ExpiryShare expiry_share_;
  uint32_t access_of_new_ = 0;       // of the policy that holds, as is
  bool access_is_last_use_ = false;  // and not a counter, or the last change
};

}  // namespace ouro
