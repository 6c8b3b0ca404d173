// SPDX-License-Identifier: BSD-3-Clause
#include <condition_variable>
#include <mutex>
#include <thread>

#include "datastructs/base/hash.h"
#include "server/embed/core.h"
#include "server/io/random_bytes.h"

namespace ouro {
namespace embedded {

// One loader at work, and what it has come to. Owned by the leader until it lands, then by the last
// who waits.
struct Flight {
  Flight(std::string_view of, size_t on_shard) : key(of), shard(on_shard) {}
  const std::string key;
  const size_t shard;
  const std::thread::id leader = std::this_thread::get_id();
  int64_t token = 0;  // of its lease; 0: somebody else has that
  size_t waiting = 0;
  bool landed = false;
  std::condition_variable landing;
  Outcome<std::string> outcome;
  std::exception_ptr thrown;
};

// On cache lines of its own: neighbours' locks do not disturb each other.
struct alignas(64) Shard {
  explicit Shard(Cache own) : cache(std::move(own)) {}
  std::mutex mutex;
  Cache cache;
  std::vector<Flight*> flights;  // a handful at most: one a loading thread
};

struct Shards {
  HashSeed seed;  // not the tables' seeds: keys of one shard must differ in their tables' hashes
  std::vector<std::unique_ptr<Shard>> all;
};

}  // namespace embedded

namespace {

__extension__ using Product = unsigned __int128;

using embedded::Flight;
using embedded::Shard;

constexpr std::string_view kCrossShard = "CROSSSLOT Keys in request don't hash to the same shard";
constexpr std::string_view kNoTransaction =
    "ERR a cache of shards has no transactions, use SharedCache::with";
constexpr std::string_view kNotAcrossShards =
    "ERR this command does not work across shards, use SharedCache::with";
constexpr std::string_view kOwnKey = "ERR a loader asks for its own key";

Answer failed(std::string_view text) {
  Answer answer;
  answer.kind = Answer::Kind::kError;
  answer.text = text;
  return answer;
}

bool has(std::string_view tips, std::string_view tip) {
  return tips.find(tip) != std::string_view::npos;
}

// What CACHE.GET says of a key.
std::string_view state_of(const Answer& answer) {
  return answer.kind == Answer::Kind::kArray && answer.items.size() == 3
             ? std::string_view(answer.items[0].text)
             : std::string_view();
}

// What was changed while the value was loaded stays as it is.
void fill(Cache& cache, const Flight& flight, std::string_view value, int64_t ttl_ms) {
  if (flight.token == 0) {
    cache.set(flight.key, value, {.ttl_ms = ttl_ms});
    return;
  }
  const std::string token = std::to_string(flight.token);
  const std::string ttl = std::to_string(ttl_ms);
  if (ttl_ms > 0) {
    cache.execute({"SET", flight.key, value, "PX", ttl, "LEASE", token});
  } else {
    cache.execute({"SET", flight.key, value, "LEASE", token});
  }
}

// 1 where both say so, item by item.
void merge_by_and(Answer& all, const Answer& one) {
  all.integer &= one.integer;
  for (size_t i = 0; i < std::min(all.items.size(), one.items.size()); ++i)
    all.items[i].integer &= one.items[i].integer;
}

// Adds one shard's answer to those of the shards before it, as the row's tips say.
void merge(Answer& all, Answer&& one, std::string_view tips) {
  if (all.is_error()) return;
  if (one.is_error() || all.is_nil()) {
    all = std::move(one);
  } else if (has(tips, "response_policy:agg_sum")) {
    all.integer += one.integer;
  } else if (has(tips, "response_policy:agg_logical_and")) {
    merge_by_and(all, one);
  } else if (all.kind == Answer::Kind::kArray && one.kind == Answer::Kind::kArray) {
    for (Answer& item : one.items) all.items.push_back(std::move(item));
  }
}

}  // namespace

Outcome<SharedCache> SharedCache::open(const CacheOptions& options, size_t shards) noexcept {
  using Opened = Outcome<SharedCache>;
  if (shards == 0 || shards > kShardsMax)
    return Opened::failure("a shared cache has 1 to 1024 shards");
  auto parts = std::make_unique<embedded::Shards>();
  CacheOptions part = options;
  part.maxmemory_bytes = (options.maxmemory_bytes + shards - 1) / shards;
  parts->seed.value = options.seed;
  if (options.seed == 0) random_bytes(&parts->seed.value, sizeof(parts->seed.value));
  for (size_t i = 0; i < shards; ++i) {
    if (options.seed != 0) part.seed = options.seed + i + 1;
    Outcome<Cache> cache = Cache::open(part);
    if (cache.is_error()) return Opened::failure(cache.error());
    if (cache->core_->engine().dbs.count() != 1)
      return Opened::failure("a shared cache has one database");
    parts->all.push_back(std::make_unique<Shard>(std::move(*cache)));
  }
  return SharedCache(std::move(parts));
}

SharedCache::SharedCache(std::unique_ptr<embedded::Shards> shards) noexcept
    : shards_(std::move(shards)) {}
SharedCache::SharedCache(SharedCache&& other) noexcept = default;
SharedCache& SharedCache::operator=(SharedCache&& other) noexcept = default;
SharedCache::~SharedCache() = default;

size_t SharedCache::shard_of(std::string_view key) const noexcept {
  // The upper half of the product is uniform over the count, whatever that is.
  const auto product = static_cast<Product>(hash_bytes(key, shards_->seed)) * shards_->all.size();
  return static_cast<size_t>(product >> 64);
}

Cache& SharedCache::lock(size_t shard) noexcept {
  Shard& locked = *shards_->all[shard];
  locked.mutex.lock();
  locked.cache.core_->tick_if_due();
  return locked.cache;
}

void SharedCache::unlock(size_t shard) noexcept { shards_->all[shard]->mutex.unlock(); }

bool SharedCache::tick() noexcept {
  bool more = false;
  for (const auto& shard : shards_->all) {
    const std::lock_guard guard(shard->mutex);
    more |= shard->cache.tick();
  }
  return more;
}

SharedCache::Boarding SharedCache::board(std::string_view key) noexcept {
  const size_t number = shard_of(key);
  Cache& cache = lock(number);
  Shard& shard = *shards_->all[number];
  std::unique_lock guard(shard.mutex, std::adopt_lock);
  Boarding boarding;
  boarding.outcome = cache.get(key);
  if (boarding.outcome.has_value() || boarding.outcome.is_error()) return boarding;
  for (Flight* flight : shard.flights) {
    if (flight->key != key) continue;
    if (flight->leader == std::this_thread::get_id()) {
      boarding.outcome = Outcome<std::string>::failure(std::string(kOwnKey));
      return boarding;
    }
    ++flight->waiting;
    flight->landing.wait(guard, [flight] { return flight->landed; });
    boarding.outcome = flight->outcome;
    boarding.thrown = flight->thrown;
    if (--flight->waiting == 0) delete flight;
    return boarding;
  }
  const Answer asked = cache.execute({"CACHE.GET", key});
  if (state_of(asked) == "ABSENT") return boarding;
  boarding.flight = new Flight(key, number);
  if (state_of(asked) == "LOAD") boarding.flight->token = asked.items[2].integer;
  shard.flights.push_back(boarding.flight);
  return boarding;
}

void SharedCache::land(Flight& flight, const Outcome<std::string>& outcome,
                       std::exception_ptr thrown, int64_t ttl_ms) noexcept {
  Cache& cache = lock(flight.shard);
  Shard& shard = *shards_->all[flight.shard];
  const std::lock_guard guard(shard.mutex, std::adopt_lock);
  if (outcome.has_value()) {
    fill(cache, flight, *outcome, ttl_ms);
  } else if (flight.token != 0) {
    cache.execute({"CACHE.FAIL", flight.key, std::to_string(flight.token)});
  }
  std::erase(shard.flights, &flight);
  if (flight.waiting == 0) {
    delete &flight;
    return;
  }
  flight.outcome = outcome;
  flight.thrown = std::move(thrown);
  flight.landed = true;
  // Under the lock: the last who wakes deletes the flight.
  flight.landing.notify_all();
}

Outcome<int64_t> SharedCache::del(Words keys) noexcept {
  int64_t removed = 0;
  for (const std::string_view key : keys) {
    Outcome<int64_t> one = del(key);
    if (one.is_error()) return one;
    removed += *one;
  }
  return removed;
}

Outcome<std::vector<std::optional<std::string>>> SharedCache::mget(Words keys) noexcept {
  std::vector<std::optional<std::string>> values;
  values.reserve(keys.size());
  for (const std::string_view key : keys) {
    // As MGET: what is no string is not there.
    Outcome<std::string> value = get(key);
    values.emplace_back();
    if (value.has_value()) values.back() = std::move(*value);
  }
  return values;
}

Outcome<bool> SharedCache::mset(Words pairs) noexcept {
  if (pairs.empty() || pairs.size() % 2 != 0) {
    return Outcome<bool>::failure("ERR wrong number of arguments for 'mset' command");
  }
  for (size_t i = 0; i < pairs.size(); i += 2) {
    Outcome<bool> one = set(pairs[i], pairs[i + 1]);
    if (one.is_error()) return one;
  }
  return true;
}

Answer SharedCache::execute(Words argv) noexcept {
  // Rows are constants and the same in all shards: no lock is needed to read them.
  const Executor& executor = shards_->all[0]->cache.core_->engine().executor;
  const CommandSpec* spec = argv.empty() ? nullptr : executor.resolve(argv);
  size_t shard = 0;
  if (spec != nullptr && spec->accepts(argv.size())) {
    if (spec->flags.has(Flag::kInsideMulti)) return failed(kNoTransaction);
    size_t keys = 0;
    bool crosses = false;
    const Status named = for_each_key(*spec, argv, [&](size_t index, KeyUse use) {
      if ((use & kNotKey) != 0) return;
      const size_t other = shard_of(argv[index]);
      crosses |= keys++ > 0 && other != shard;
      shard = other;
    });
    // A command whose arguments name no valid keys says so itself, on any shard.
    const std::string_view tips = spec->doc.tips;
    if (crosses) return failed(kCrossShard);
    if (named.is_ok() && keys == 0 && has(tips, "_policy:special")) return failed(kNotAcrossShards);
    if (named.is_ok() && keys == 0 && has(tips, "request_policy:all_"))
      return execute_everywhere(argv, tips);
  }
  Cache& cache = lock(shard);
  const std::lock_guard guard(shards_->all[shard]->mutex, std::adopt_lock);
  return cache.execute(argv);
}

Answer SharedCache::execute_everywhere(Words argv, std::string_view tips) noexcept {
  Answer all;
  for (size_t i = 0; i < shards_->all.size(); ++i) {
    Cache& cache = lock(i);
    const std::lock_guard guard(shards_->all[i]->mutex, std::adopt_lock);
    merge(all, cache.execute(argv), tips);
  }
  return all;
}

size_t SharedCache::size() noexcept {
  size_t keys = 0;
  for (const auto& shard : shards_->all) {
    const std::lock_guard guard(shard->mutex);
    keys += shard->cache.size();
  }
  return keys;
}

size_t SharedCache::used_bytes() noexcept {
  size_t bytes = 0;
  for (const auto& shard : shards_->all) {
    const std::lock_guard guard(shard->mutex);
    bytes += shard->cache.used_bytes();
  }
  return bytes;
}

size_t SharedCache::shard_count() const noexcept { return shards_->all.size(); }

}  // namespace ouro
