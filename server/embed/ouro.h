// SPDX-License-Identifier: BSD-3-Clause
// ouro in process: the cache without its server. Commands run in the caller's thread; there is no
// socket, no thread of its own, no global, no signal handler, and the memory comes from the host's
// allocator.
//
//   ouro::Cache cache = *ouro::Cache::open();        one thread, which drives tick()
//   cache.set("user:7", "Ada", {.ttl_ms = 60'000});
//   cache.get("user:7", [](std::string_view name) { greet(name); });
//   ouro::Answer top = cache.execute({"ZRANGE", "scores", "0", "9", "REV", "WITHSCORES"});
//
//   ouro::SharedCache shared = *ouro::SharedCache::open();   any number of threads
//   auto page = shared.get_or_load("page:1", [] { return render(1); }, 5'000);
//                                                    one thread renders, the others wait
//
// Time: a Cache lives in the moment of its last tick(); expiry neither happens nor is seen in
// between. A SharedCache looks at the clock in each call, with the resolution of the system's tick
// (1 to 10 ms). Errors are values: nothing here throws but what the host's own functions throw, and
// these pass through unharmed. Lack of memory ends the process, as it does in a server; maxmemory
// is how to stay away from it.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ouro {

// ---- options

struct CacheTime {
  int64_t unix_ms = 0;       // what expiry is counted in
  int64_t monotonic_us = 0;  // never goes back
};
enum class CacheLogLevel : uint8_t { kDebug, kVerbose, kNotice, kWarning };

struct CacheOptions {
  uint32_t databases = 1;
  uint64_t maxmemory_bytes = 0;  // 0: no limit; a SharedCache gives each shard an equal part
  std::string maxmemory_policy = "noeviction";
  uint64_t seed = 0;  // of hashes and random choices; 0: one that nobody can guess
  // Any other parameter of the engine, by name and value as CONFIG SET takes them.
  std::vector<std::pair<std::string, std::string>> settings = {};
  // The system's clock when null. A SharedCache calls it from many threads.
  CacheTime (*clock)(void* context) = nullptr;
  void* clock_context = nullptr;
  // Gets each line of the log, which goes nowhere when null. A SharedCache calls it from many
  // threads.
  void (*log)(void* context, CacheLogLevel level, std::string_view line) = nullptr;
  void* log_context = nullptr;
};

// ---- results

// A value, nothing (there is no such key or member, the condition did not hold), or an error with
// Redis's text: "WRONGTYPE Operation against ...", "OOM command not allowed ...".
template <class T>
class Outcome {
 public:
  Outcome() = default;  // nothing
  // NOLINTNEXTLINE(google-explicit-constructor): `return value;`
  Outcome(T value) : value_(std::move(value)) {}
  // NOLINTNEXTLINE(performance-unnecessary-value-param): moved from, which a template hides
  static Outcome failure(std::string text) {
    Outcome outcome;
    outcome.error_ = std::move(text);
    return outcome;
  }

  bool has_value() const noexcept { return value_.has_value(); }
  bool is_error() const noexcept { return !error_.empty(); }
  const std::string& error() const noexcept { return error_; }
  // Requires has_value(). Of a temporary it is a value of its own, so that a loop may range over
  // *cache.lrange(...).
  T& operator*() & noexcept { return *value_; }
  const T& operator*() const& noexcept { return *value_; }
  T operator*() && noexcept { return std::move(*value_); }
  T* operator->() noexcept { return &*value_; }
  const T* operator->() const noexcept { return &*value_; }
  T value_or(T otherwise) const { return value_ ? *value_ : std::move(otherwise); }

 private:
  std::optional<T> value_;
  std::string error_;
};

// What execute() gives: a reply as a tree, in RESP3's types.
struct Answer {
  enum class Kind : uint8_t {
    kNil,
    kInteger,
    kReal,
    kBoolean,
    kString,
    kArray,
    kMap,
    kSet,
    kError
  };

  bool is_error() const noexcept { return kind == Kind::kError; }
  bool is_nil() const noexcept { return kind == Kind::kNil; }
  // The value of a map's key; null if there is none.
  const Answer* find(std::string_view key) const noexcept {
    for (size_t i = 0; kind == Kind::kMap && i + 1 < items.size(); i += 2) {
      if (items[i].text == key) return &items[i + 1];
    }
    return nullptr;
  }

  Kind kind = Kind::kNil;
  int64_t integer = 0;        // kInteger; kBoolean: 0 or 1
  double real = 0;            // kReal
  std::string text;           // kString, kError
  std::vector<Answer> items;  // kArray, kSet; kMap: key, value, key, value ...
};

using Words = std::span<const std::string_view>;
using WordList = std::initializer_list<std::string_view>;

struct SetOptions {
  int64_t ttl_ms = 0;  // 0: for ever
  bool only_new = false;
  bool only_existing = false;
  bool keep_ttl = false;
};
struct ScoredText {
  std::string text;
  double score;
};

// ---- typed calls, the same for both forms of cache. Each is one command; names and meaning are
// Redis's.

namespace embedded {

// A number as a command takes it.
class NumberWord {
 public:
  explicit NumberWord(int64_t value) noexcept {
    size_ = end_of(std::to_chars(text_, text_ + sizeof(text_), value).ptr);
  }
  explicit NumberWord(double value) noexcept {
    size_ = end_of(std::to_chars(text_, text_ + sizeof(text_), value).ptr);
  }
  // NOLINTNEXTLINE(google-explicit-constructor): stands in a list of words
  operator std::string_view() const noexcept { return {text_, size_}; }

 private:
  size_t end_of(const char* end) const noexcept { return static_cast<size_t>(end - text_); }
  char text_[32];
  size_t size_;
};

inline std::vector<std::string_view> joined(WordList first, Words rest) {
  std::vector<std::string_view> words(first);
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}
inline Words words_of(WordList list) { return {list.begin(), list.size()}; }

Outcome<std::vector<std::string>> texts_of(Answer&& answer) noexcept;
Outcome<std::vector<std::optional<std::string>>> optional_texts_of(Answer&& answer) noexcept;
Outcome<std::vector<std::pair<std::string, std::string>>> pairs_of(Answer&& answer) noexcept;
Outcome<std::vector<ScoredText>> scored_of(Answer&& answer) noexcept;

// How a look-up ended; `bytes` is the value, or the error's text, and dies with the next call of
// its cache.
struct Peek {
  enum class State : uint8_t { kFound, kAbsent, kError };
  State state = State::kAbsent;
  std::string_view bytes = {};
};
template <class Fn>
Outcome<bool> visit(const Peek& peek, Fn&& fn) {
  if (peek.state == Peek::State::kError) return Outcome<bool>::failure(std::string(peek.bytes));
  if (peek.state == Peek::State::kAbsent) return false;
  fn(peek.bytes);
  return true;
}
inline Outcome<std::string> text_of(const Peek& peek) {
  if (peek.state == Peek::State::kError)
    return Outcome<std::string>::failure(std::string(peek.bytes));
  if (peek.state == Peek::State::kAbsent) return {};
  return std::string(peek.bytes);
}

template <class Self>
class TypedCalls {
 public:
  // ---- strings
  Outcome<int64_t> incr(std::string_view key, int64_t by = 1) noexcept {
    return integer({"INCRBY", key, NumberWord(by)});
  }
  Outcome<int64_t> decr(std::string_view key, int64_t by = 1) noexcept {
    return integer({"DECRBY", key, NumberWord(by)});
  }
  Outcome<int64_t> append(std::string_view key, std::string_view tail) noexcept {
    return integer({"APPEND", key, tail});
  }
  Outcome<int64_t> strlen(std::string_view key) noexcept { return integer({"STRLEN", key}); }
  Outcome<std::string> getdel(std::string_view key) noexcept { return text({"GETDEL", key}); }
  Outcome<std::string> getset(std::string_view key, std::string_view value) noexcept {
    return text({"GETSET", key, value});
  }

  // ---- keys
  // How many there were: 1 or 0.
  Outcome<int64_t> del(std::string_view key) noexcept { return integer({"DEL", key}); }
  Outcome<bool> exists(std::string_view key) noexcept { return truth({"EXISTS", key}); }
  // False if there is no such key.
  Outcome<bool> expire(std::string_view key, int64_t ttl_ms) noexcept {
    return truth({"PEXPIRE", key, NumberWord(ttl_ms)});
  }
  Outcome<bool> persist(std::string_view key) noexcept { return truth({"PERSIST", key}); }
  // Milliseconds left, -1 without an end; nothing if there is no such key.
  Outcome<int64_t> ttl_ms(std::string_view key) noexcept {
    Outcome<int64_t> left = integer({"PTTL", key});
    if (left.has_value() && *left == -2) return {};
    return left;
  }
  // "string", "list", "hash", "set", "zset" or "none".
  Outcome<std::string> type(std::string_view key) noexcept { return text({"TYPE", key}); }

  // ---- hashes
  // How many fields are new.
  Outcome<int64_t> hset(std::string_view key, std::string_view field,
                        std::string_view value) noexcept {
    return integer({"HSET", key, field, value});
  }
  // field, value, field, value ...
  Outcome<int64_t> hset(std::string_view key, Words pairs) noexcept {
    return integer("HSET", key, pairs);
  }
  Outcome<int64_t> hset(std::string_view key, WordList pairs) noexcept {
    return hset(key, words_of(pairs));
  }
  Outcome<std::string> hget(std::string_view key, std::string_view field) noexcept {
    return text({"HGET", key, field});
  }
  Outcome<std::vector<std::optional<std::string>>> hmget(std::string_view key,
                                                         Words fields) noexcept {
    return optional_texts_of(answer("HMGET", key, fields));
  }
  Outcome<std::vector<std::optional<std::string>>> hmget(std::string_view key,
                                                         WordList fields) noexcept {
    return hmget(key, words_of(fields));
  }
  Outcome<std::vector<std::pair<std::string, std::string>>> hgetall(std::string_view key) noexcept {
    return pairs_of(answer({"HGETALL", key}));
  }
  Outcome<int64_t> hdel(std::string_view key, std::string_view field) noexcept {
    return integer({"HDEL", key, field});
  }
  Outcome<bool> hexists(std::string_view key, std::string_view field) noexcept {
    return truth({"HEXISTS", key, field});
  }
  Outcome<int64_t> hlen(std::string_view key) noexcept { return integer({"HLEN", key}); }
  Outcome<int64_t> hincr(std::string_view key, std::string_view field, int64_t by = 1) noexcept {
    return integer({"HINCRBY", key, field, NumberWord(by)});
  }

  // ---- sets
  // How many members are new, or have gone.
  Outcome<int64_t> sadd(std::string_view key, std::string_view member) noexcept {
    return integer({"SADD", key, member});
  }
  Outcome<int64_t> sadd(std::string_view key, Words members) noexcept {
    return integer("SADD", key, members);
  }
  Outcome<int64_t> sadd(std::string_view key, WordList members) noexcept {
    return sadd(key, words_of(members));
  }
  Outcome<int64_t> srem(std::string_view key, std::string_view member) noexcept {
    return integer({"SREM", key, member});
  }
  Outcome<bool> sismember(std::string_view key, std::string_view member) noexcept {
    return truth({"SISMEMBER", key, member});
  }
  Outcome<int64_t> scard(std::string_view key) noexcept { return integer({"SCARD", key}); }
  Outcome<std::vector<std::string>> smembers(std::string_view key) noexcept {
    return texts_of(answer({"SMEMBERS", key}));
  }
  Outcome<std::string> spop(std::string_view key) noexcept { return text({"SPOP", key}); }

  // ---- lists
  // How long the list is now.
  Outcome<int64_t> lpush(std::string_view key, std::string_view value) noexcept {
    return integer({"LPUSH", key, value});
  }
  Outcome<int64_t> rpush(std::string_view key, std::string_view value) noexcept {
    return integer({"RPUSH", key, value});
  }
  Outcome<int64_t> lpush(std::string_view key, Words values) noexcept {
    return integer("LPUSH", key, values);
  }
  Outcome<int64_t> lpush(std::string_view key, WordList values) noexcept {
    return lpush(key, words_of(values));
  }
  Outcome<int64_t> rpush(std::string_view key, Words values) noexcept {
    return integer("RPUSH", key, values);
  }
  Outcome<int64_t> rpush(std::string_view key, WordList values) noexcept {
    return rpush(key, words_of(values));
  }
  Outcome<std::string> lpop(std::string_view key) noexcept { return text({"LPOP", key}); }
  Outcome<std::string> rpop(std::string_view key) noexcept { return text({"RPOP", key}); }
  Outcome<int64_t> llen(std::string_view key) noexcept { return integer({"LLEN", key}); }
  Outcome<std::vector<std::string>> lrange(std::string_view key, int64_t first,
                                           int64_t last) noexcept {
    return texts_of(answer({"LRANGE", key, NumberWord(first), NumberWord(last)}));
  }

  // ---- sorted sets
  // How many members are new.
  Outcome<int64_t> zadd(std::string_view key, double score, std::string_view member) noexcept {
    return integer({"ZADD", key, NumberWord(score), member});
  }
  Outcome<int64_t> zrem(std::string_view key, std::string_view member) noexcept {
    return integer({"ZREM", key, member});
  }
  Outcome<double> zscore(std::string_view key, std::string_view member) noexcept {
    return real({"ZSCORE", key, member});
  }
  Outcome<double> zincr(std::string_view key, double by, std::string_view member) noexcept {
    return real({"ZINCRBY", key, NumberWord(by), member});
  }
  Outcome<int64_t> zcard(std::string_view key) noexcept { return integer({"ZCARD", key}); }
  Outcome<int64_t> zrank(std::string_view key, std::string_view member) noexcept {
    return integer({"ZRANK", key, member});
  }
  Outcome<std::vector<std::string>> zrange(std::string_view key, int64_t first,
                                           int64_t last) noexcept {
    return texts_of(answer({"ZRANGE", key, NumberWord(first), NumberWord(last)}));
  }
  Outcome<std::vector<ScoredText>> zrange_with_scores(std::string_view key, int64_t first,
                                                      int64_t last) noexcept {
    return scored_of(answer({"ZRANGE", key, NumberWord(first), NumberWord(last), "WITHSCORES"}));
  }

 private:
  friend Self;
  TypedCalls() = default;
  Self& self() noexcept { return static_cast<Self&>(*this); }

  Outcome<int64_t> integer(WordList argv) noexcept { return self().ask_integer(words_of(argv)); }
  Outcome<int64_t> integer(std::string_view name, std::string_view key, Words rest) noexcept {
    return self().ask_integer(joined({name, key}, rest));
  }
  Outcome<bool> truth(WordList argv) noexcept {
    const Outcome<int64_t> count = integer(argv);
    if (count.is_error()) return Outcome<bool>::failure(count.error());
    return count.value_or(0) != 0;
  }
  Outcome<std::string> text(WordList argv) noexcept { return self().ask_text(words_of(argv)); }
  Outcome<double> real(WordList argv) noexcept { return self().ask_real(words_of(argv)); }
  Answer answer(WordList argv) noexcept { return self().ask(words_of(argv)); }
  Answer answer(std::string_view name, std::string_view key, Words rest) noexcept {
    return self().ask(joined({name, key}, rest));
  }
};

// A loader gives a std::string, a std::optional<std::string> (nothing: there is no such thing, and
// nothing is stored) or an Outcome<std::string> (an error goes to all who wait).
template <class Loader>
Outcome<std::string> load_with(Loader& loader) {
  using Loaded = std::invoke_result_t<Loader&>;
  if constexpr (std::is_same_v<Loaded, std::optional<std::string>>) {
    std::optional<std::string> loaded = loader();
    if (!loaded) return {};
    return std::move(*loaded);
  } else {
    return loader();
  }
}

class Core;
struct Flight;
struct Shards;

}  // namespace embedded

// ---- Cache: for one thread at a time.
class Cache final : public embedded::TypedCalls<Cache> {
 public:
  // An error names the option that is wrong.
  static Outcome<Cache> open(const CacheOptions& options = {}) noexcept;
  Cache(Cache&& other) noexcept;
  Cache& operator=(Cache&& other) noexcept;
  ~Cache();

  // Reads the clock, ends keys whose time is over and frees memory, at most about half a
  // millisecond's worth. True when more of it is left. To be called often: at least as often as
  // expiry should be exact.
  bool tick() noexcept;

  // Calls fn(std::string_view) if there is such a string; neither builds nor allocates anything.
  // The view dies with fn, or with fn's first call of this cache.
  template <class Fn>
  requires std::is_invocable_v<Fn&, std::string_view> Outcome<bool> get(std::string_view key,
                                                                        Fn&& fn) {
    return embedded::visit(peek(key), fn);
  }
  Outcome<std::string> get(std::string_view key) noexcept { return embedded::text_of(peek(key)); }
  // False when only_new or only_existing stood in its way.
  Outcome<bool> set(std::string_view key, std::string_view value,
                    const SetOptions& options = {}) noexcept;

  using TypedCalls::del;
  Outcome<int64_t> del(Words keys) noexcept { return ask_integer(embedded::joined({"DEL"}, keys)); }
  Outcome<int64_t> del(WordList keys) noexcept { return del(embedded::words_of(keys)); }
  Outcome<std::vector<std::optional<std::string>>> mget(Words keys) noexcept {
    return embedded::optional_texts_of(ask(embedded::joined({"MGET"}, keys)));
  }
  Outcome<std::vector<std::optional<std::string>>> mget(WordList keys) noexcept {
    return mget(embedded::words_of(keys));
  }
  // key, value, key, value ...
  Outcome<bool> mset(Words pairs) noexcept;
  Outcome<bool> mset(WordList pairs) noexcept { return mset(embedded::words_of(pairs)); }

  // The value, or what loader() returns, which is then stored for ttl_ms (0: for ever). That it
  // could not be stored (maxmemory) is no error here.
  template <class Loader>
  Outcome<std::string> get_or_load(std::string_view key, Loader&& loader, int64_t ttl_ms = 0) {
    Outcome<std::string> value = get(key);
    if (value.has_value() || value.is_error()) return value;
    value = embedded::load_with(loader);
    if (value.has_value()) set(key, *value, {.ttl_ms = ttl_ms});
    return value;
  }

  // Any command. MULTI and EXEC work and hold what execute() is given; typed calls are never
  // queued. A script runs until it ends: there is nobody else who could end it.
  Answer execute(Words argv) noexcept;
  Answer execute(WordList argv) noexcept { return execute(embedded::words_of(argv)); }

  // The database that calls work on; false when there is none of that number.
  bool select(uint32_t database) noexcept;
  size_t size() const noexcept;  // keys of that database
  size_t used_bytes() const noexcept;

 private:
  friend class embedded::TypedCalls<Cache>;
  friend class SharedCache;
  explicit Cache(std::unique_ptr<embedded::Core> core) noexcept;
  embedded::Peek peek(std::string_view key) noexcept;
  Outcome<int64_t> ask_integer(Words argv) noexcept;
  Outcome<std::string> ask_text(Words argv) noexcept;
  Outcome<double> ask_real(Words argv) noexcept;
  Answer ask(Words argv) noexcept;

  std::unique_ptr<embedded::Core> core_;
};

// ---- SharedCache: for any number of threads. Keys are spread by hash over shards, each a Cache
// behind a lock, so a call holds up only those that meet it on its shard. It has one database. A
// command's keys must lie on one shard, as in a cluster; mget, mset and del of several keys go to
// each shard in turn and are not atomic.
class SharedCache final : public embedded::TypedCalls<SharedCache> {
 public:
  static constexpr size_t kShardsMax = 1024;

  static Outcome<SharedCache> open(const CacheOptions& options = {}, size_t shards = 16) noexcept;
  SharedCache(SharedCache&& other) noexcept;
  SharedCache& operator=(SharedCache&& other) noexcept;
  ~SharedCache();

  // Shards do their upkeep in the course of calls; this does it for all of them, for times when
  // nobody calls.
  bool tick() noexcept;

  // Calls fn(Cache&) with the shard of `key` locked: several calls on it as one. Only keys of that
  // shard may be used, and the SharedCache itself must not.
  template <class Fn>
  decltype(auto) with(std::string_view key, Fn&& fn) {
    Hold hold(*this, key);
    return fn(hold.cache);
  }

  // As Cache's; fn runs under the shard's lock.
  template <class Fn>
  requires std::is_invocable_v<Fn&, std::string_view> Outcome<bool> get(std::string_view key,
                                                                        Fn&& fn) {
    return with(key, [&](Cache& cache) { return cache.get(key, fn); });
  }
  Outcome<std::string> get(std::string_view key) noexcept {
    return with(key, [&](Cache& cache) { return cache.get(key); });
  }
  Outcome<bool> set(std::string_view key, std::string_view value,
                    const SetOptions& options = {}) noexcept {
    return with(key, [&](Cache& cache) { return cache.set(key, value, options); });
  }
  using TypedCalls::del;
  Outcome<int64_t> del(Words keys) noexcept;
  Outcome<int64_t> del(WordList keys) noexcept { return del(embedded::words_of(keys)); }
  Outcome<std::vector<std::optional<std::string>>> mget(Words keys) noexcept;
  Outcome<std::vector<std::optional<std::string>>> mget(WordList keys) noexcept {
    return mget(embedded::words_of(keys));
  }
  Outcome<bool> mset(Words pairs) noexcept;
  Outcome<bool> mset(WordList pairs) noexcept { return mset(embedded::words_of(pairs)); }

  // As Cache's, and of all threads that miss the same key at once one runs its loader, without a
  // lock, while the others wait for what it gives: the value, nothing, its error, or its exception.
  // A loader that asks for its own key gets an error; two that wait for each other's keys wait for
  // ever, as with any lock.
  template <class Loader>
  Outcome<std::string> get_or_load(std::string_view key, Loader&& loader, int64_t ttl_ms = 0) {
    Boarding boarding = board(key);
    if (boarding.flight == nullptr) {
      if (boarding.thrown != nullptr) std::rethrow_exception(boarding.thrown);
      return std::move(boarding.outcome);
    }
#if defined(__cpp_exceptions)
    try {
      boarding.outcome = embedded::load_with(loader);
    } catch (...) {
      land(*boarding.flight, {}, std::current_exception(), ttl_ms);
      throw;
    }
#else
    boarding.outcome = embedded::load_with(loader);
#endif
    land(*boarding.flight, boarding.outcome, nullptr, ttl_ms);
    return std::move(boarding.outcome);
  }

  // A command whose keys lie on one shard, or one that concerns all of them (FLUSHALL, DBSIZE,
  // KEYS, CONFIG SET). What CONFIG SET says holds for each shard: maxmemory is a shard's there,
  // while open() takes that of the whole.
  Answer execute(Words argv) noexcept;
  Answer execute(WordList argv) noexcept { return execute(embedded::words_of(argv)); }

  size_t size() noexcept;
  size_t used_bytes() noexcept;
  size_t shard_count() const noexcept;

 private:
  friend class embedded::TypedCalls<SharedCache>;
  struct Hold {
    Hold(SharedCache& of, std::string_view key) noexcept
        : owner(of), shard(of.shard_of(key)), cache(of.lock(shard)) {}
    ~Hold() { owner.unlock(shard); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    SharedCache& owner;
    size_t shard;
    Cache& cache;
  };
  // Either a flight that the caller leads, or how it ended for one who waited.
  struct Boarding {
    embedded::Flight* flight = nullptr;
    Outcome<std::string> outcome;
    std::exception_ptr thrown;
  };

  explicit SharedCache(std::unique_ptr<embedded::Shards> shards) noexcept;
  size_t shard_of(std::string_view key) const noexcept;
  Cache& lock(size_t shard) noexcept;
  void unlock(size_t shard) noexcept;
  Boarding board(std::string_view key) noexcept;
  void land(embedded::Flight& flight, const Outcome<std::string>& outcome,
            std::exception_ptr thrown, int64_t ttl_ms) noexcept;
  Answer execute_everywhere(Words argv, std::string_view tips) noexcept;

  Outcome<int64_t> ask_integer(Words argv) noexcept {
    return with(argv[1], [&](Cache& cache) { return cache.ask_integer(argv); });
  }
  Outcome<std::string> ask_text(Words argv) noexcept {
    return with(argv[1], [&](Cache& cache) { return cache.ask_text(argv); });
  }
  Outcome<double> ask_real(Words argv) noexcept {
    return with(argv[1], [&](Cache& cache) { return cache.ask_real(argv); });
  }
  Answer ask(Words argv) noexcept {
    return with(argv[1], [&](Cache& cache) { return cache.ask(argv); });
  }

  std::unique_ptr<embedded::Shards> shards_;
};

}  // namespace ouro
