// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/snapshot_contents.h"

#include <algorithm>
#include <utility>

#include "persistence/value_codec.h"
#include "server/engine/arg_parser.h"
#include "server/engine/version.h"
#include "server/script/function_store.h"

namespace ouro {

SnapshotFacts snapshot_facts(Engine& engine, SnapshotUse use) {
  SnapshotFacts facts;
  facts.aux = {
      {"redis-ver", std::string(kRedisVersion)},
      {"redis-bits", std::to_string(sizeof(void*) * 8)},
      {"ctime", std::to_string(engine.now() / 1000)},
      {"used-mem", std::to_string(engine.heap.used_bytes())},
  };
  // Where in whose stream these data are. A log goes on behind its base.
  const Replication& replication = engine.replication;
  if (use != SnapshotUse::kLogBase && replication.has_stream()) {
    facts.aux.emplace_back("repl-stream-db", std::to_string(replication.stream_db()));
    facts.aux.emplace_back("repl-id", replication.history().id);
    facts.aux.emplace_back("repl-offset", std::to_string(replication.history().offset));
    if (const Ballot& last = engine.leadership.voter().last(); last.counter > 0)
      facts.aux.emplace_back("ouro-ballot", marker_of(last));
  }
  if (const uint64_t last = engine.guard.last_token(); last > 0)
    facts.aux.emplace_back("ouro-lease-mark", std::to_string(last));
  facts.aux.emplace_back("aof-base", use == SnapshotUse::kLogBase ? "1" : "0");
  facts.functions = function_texts(engine);
  engine.guard.rules.for_each([&](const Rule& rule) {
    if (rule.filter != nullptr) facts.filters.push_back({rule.prefix, rule.filter.get()});
  });
  return facts;
}

std::optional<uint64_t> KeyHints::idle_seconds(const Entry& entry) const {
  const EvictionPolicy policy = engine_.options.maxmemory_policy;
  if (policy != EvictionPolicy::kAllkeysLru && policy != EvictionPolicy::kVolatileLru) return {};
  return (engine_.access_clock() - entry.access()) & Entry::kAccessMask;
}

std::optional<uint8_t> KeyHints::frequency(const Entry& entry) const {
  const EvictionPolicy policy = engine_.options.maxmemory_policy;
  if (Eviction::counts_uses(policy)) return static_cast<uint8_t>(entry.access() & 0xFF);
  if (policy == EvictionPolicy::kAllkeysOuro || policy == EvictionPolicy::kVolatileOuro)
    return static_cast<uint8_t>(Eviction::rough_use_count(entry));
  return {};
}

ValueTarget SnapshotLoad::target() const {
  return {engine_.heap, engine_.options.limits, dbs_[0].seed()};
}

bool SnapshotLoad::pass_over(const SnapshotKey& key) {
  const bool is_due = key.end() != kNoExpiry && key.end() < now_;
  if (options_.use == SnapshotUse::kLogBase || options_.keeps_due || !is_due) return false;
  if (options_.restores_stream) {
    // Whoever goes on from here has it still.
    restore_stream();
    const ByteView argv[] = {"DEL", key.key};
    engine_.commit.add_alone(key.db, argv, {});
  }
  ++keys_expired_;
  ++engine_.persistence.loading.keys_expired;
  return true;
}

bool SnapshotLoad::has_database(DbIndex db) {
  if (db < dbs_.count()) return true;
  refusal_ = "it has keys in database " + std::to_string(db) + ", and there are " +
             std::to_string(dbs_.count()) + " here";
  return false;
}

std::optional<SnapshotLoad::Place> SnapshotLoad::place_of(const SnapshotKey& key) {
  if (!has_database(key.db)) return {};
  Keyspace& db = dbs_[key.db];
  const Key name = db.key(key.key);
  Entry* const found = db.find(name);
  if (found != nullptr && !options_.replaces) {
    refusal_ = "the key '" + std::string(key.key) + "' is there already in database " +
               std::to_string(key.db);
    return {};
  }
  return Place{.db = db, .key = name, .found = found};
}

void SnapshotLoad::on_coming(DbIndex db, ByteView key) {
  if (db < dbs_.count()) dbs_[db].prefetch_for_change(dbs_[db].key(key).hash);
}

bool SnapshotLoad::on_string(const SnapshotKey& key, ByteView text) {
  if (pass_over(key)) return true;
  const std::optional<Place> place = place_of(key);
  if (!place) return false;
  count(key, *place->db.put_string(place->key, place->found, text, key.deadline, key.fill));
  // It was stale already, or is now; who leads will not say so again.
  if (key.deadline != kNoExpiry && key.deadline <= now_ && key.end() > now_)
    place->db.make_stale(place->key, key.end(), key.deadline);
  return true;
}

// One that has ended meanwhile ends by itself.
bool SnapshotLoad::on_absent(DbIndex db, const AbsentKey& absent) {
  if (!has_database(db)) return false;
  Aside& aside = dbs_[db].make_aside();
  const Key key = dbs_[db].key(absent.key);
  if (absent.version > 0) aside.put_fence(key, absent.version, absent.refused_until, now_);
  // A key that was here before the file has come meanwhile.
  if (absent.absent_until > 0 && dbs_[db].find(key) == nullptr)
    aside.put_absent(key, absent.absent_until, now_);
  return true;
}

bool SnapshotLoad::on_value(const SnapshotKey& key, Value value) {
  const std::optional<Place> place = pass_over(key) ? std::nullopt : place_of(key);
  if (!place) {
    size_t all = SIZE_MAX;
    value.free_some(engine_.heap, all);
    return refusal_.empty();
  }
  Entry& entry = *place->db.put_value(place->key, place->found, value, key.deadline);
  if (const UnixMs when = entry.next_element_deadline(); when != kNever)
    place->db.note_element_deadline(place->key, when);
  if (!is_type_of_redis7(rdb_type_of(entry))) engine_.redis7.note("a value that was loaded");
  count(key, entry);
  return true;
}

void SnapshotLoad::on_empty(const SnapshotKey& key) {
  if (++empty_skipped_ > kEmptyNamedMax) return;
  engine_.log.write(LogLevel::kNotice, "skipping empty key: " + key.shown_name());
}

void SnapshotLoad::end() {
  restore_stream();
  for (auto& [prefix, filter] : filters_)
    engine_.guard.rules.take_filter(prefix, std::move(filter));
  filters_.clear();
  log_done();
}

void SnapshotLoad::restore_stream() {
  if (!options_.restores_stream || std::exchange(is_restored_, true)) return;
  if (!is_replication_id(stream_id_) || stream_offset_ < 0) return;
  engine_.replication.restore(stream_id_, static_cast<uint64_t>(stream_offset_), stream_db_);
  engine_.leadership.on_restored(ballot_);
}

void SnapshotLoad::log_done() const {
  std::string line = "Done loading RDB, keys loaded: " + std::to_string(keys_loaded_) +
                     ", keys expired: " + std::to_string(keys_expired_);
  if (empty_skipped_ > 0) line += ", empty keys skipped: " + std::to_string(empty_skipped_);
  engine_.log.write(LogLevel::kNotice, line + ".");
}

void SnapshotLoad::count(const SnapshotKey& key, Entry& entry) {
  engine_.guard.on_key(key.key);
  ++keys_loaded_;
  ++engine_.persistence.loading.keys_loaded;
  if (key.frequency) entry.set_uses(Eviction::uses_of_rough_count(*key.frequency));
  if (Eviction::counts_uses(engine_.options.maxmemory_policy)) {
    if (!key.frequency) return;
    const uint32_t minutes = Eviction::access_of_new(now_) & ~uint32_t{0xFF};
    entry.set_access(minutes | *key.frequency);
  } else if (key.idle_seconds) {
    // The clock goes round: nothing is older than that.
    const uint64_t idle = std::min<uint64_t>(*key.idle_seconds, Entry::kAccessMask);
    entry.set_access((engine_.access_clock() - static_cast<uint32_t>(idle)) & Entry::kAccessMask);
  }
}

void SnapshotLoad::on_aux(ByteView name, ByteView value) {
  const Result<int64_t> number = parse_integer(value);
  if (name == "redis-ver") {
    engine_.log.print(LogLevel::kNotice, "Loading RDB produced by version %.*s",
                      printed_size(value), value.data());
  } else if (name == "ctime" && number.is_ok()) {
    engine_.log.print(LogLevel::kNotice, "RDB age %lld seconds",
                      static_cast<long long>(std::max<int64_t>(now_ / 1000 - *number, 0)));
  } else if (name == "repl-id") {
    stream_id_.assign(value);
  } else if (name == "repl-offset" && number.is_ok()) {
    stream_offset_ = *number;
  } else if (name == "ouro-lease-mark" && number.is_ok() && *number > 0) {
    engine_.guard.note_tokens_used(std::min(static_cast<uint64_t>(*number), Guard::kTokenMax / 2));
  } else if (name == "ouro-ballot") {
    ballot_ = parse_marker(value);
  } else if (name == "repl-stream-db" && number.is_ok() && *number >= 0 && *number < dbs_.count()) {
    stream_db_ = static_cast<DbIndex>(*number);
  } else if (name == "used-mem" && number.is_ok()) {
    engine_.persistence.loading.saved_used_memory = static_cast<uint64_t>(*number);
    engine_.log.print(LogLevel::kNotice, "RDB memory usage when created %.2f Mb",
                      static_cast<double>(*number) / (1024 * 1024));
  }
}

bool SnapshotLoad::on_function(ByteView source) {
  if (options_.functions != nullptr) {
    options_.functions->emplace_back(source);
    return true;
  }
  std::string error;
  if (load_function_text(engine_, source, options_.replaces, error)) return true;
  refusal_ = "a library of functions cannot be loaded: " + error;
  return false;
}

}  // namespace ouro
