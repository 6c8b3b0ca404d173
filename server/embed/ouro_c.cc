// SPDX-License-Identifier: BSD-3-Clause
#include "server/embed/ouro_c.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "server/embed/ouro.h"

// Either form of cache behind one handle.
struct ouro_cache {
  std::optional<ouro::Cache> single;
  std::optional<ouro::SharedCache> shared;
  ouro_options options;  // the host's functions

  // Calls fn with the form that this is.
  template <class Fn>
  auto with(Fn&& fn) {
    return single ? fn(*single) : fn(*shared);
  }
};

// A handle for a tree's node is the node.
struct ouro_answer {
  ouro::Answer tree;
};
static_assert(sizeof(ouro_answer) == sizeof(ouro::Answer));

struct ouro_loaded {
  std::string bytes;
};

namespace {

using ouro::Outcome;
using View = std::string_view;

const ouro::Answer& tree_of(const ouro_answer* answer) { return answer->tree; }

// False and nothing count as absent.
ouro_status status_of(const Outcome<bool>& outcome) {
  if (outcome.is_error()) return OURO_ERROR;
  return outcome.value_or(false) ? OURO_OK : OURO_ABSENT;
}

ouro_status take_number(const Outcome<int64_t>& outcome, int64_t* number) {
  if (outcome.is_error()) return OURO_ERROR;
  if (!outcome.has_value()) return OURO_ABSENT;
  if (number != nullptr) *number = *outcome;
  return OURO_OK;
}

ouro::CacheTime read_clock(void* self) {
  const ouro_options& options = static_cast<const ouro_cache*>(self)->options;
  ouro::CacheTime time;
  options.clock(options.clock_context, &time.unix_ms, &time.monotonic_us);
  return time;
}

void write_log(void* self, ouro::CacheLogLevel level, View line) {
  const ouro_options& options = static_cast<const ouro_cache*>(self)->options;
  options.log(options.log_context, static_cast<int>(level), line.data(), line.size());
}

ouro::CacheOptions options_of(ouro_cache& cache) {
  ouro::CacheOptions options;
  options.databases = cache.options.databases;
  options.maxmemory_bytes = cache.options.maxmemory_bytes;
  if (cache.options.maxmemory_policy != nullptr)
    options.maxmemory_policy = cache.options.maxmemory_policy;
  options.seed = cache.options.seed;
  for (const char* const* word = cache.options.settings;
       word != nullptr && *word != nullptr && word[1] != nullptr; word += 2) {
    options.settings.emplace_back(word[0], word[1]);
  }
  if (cache.options.clock != nullptr) {
    options.clock = read_clock;
    options.clock_context = &cache;
  }
  if (cache.options.log != nullptr) {
    options.log = write_log;
    options.log_context = &cache;
  }
  return options;
}

template <class Form>
bool take_form(Outcome<Form> opened, std::optional<Form>& form, std::string& failure) {
  if (opened.is_error()) {
    failure = opened.error();
    return false;
  }
  form.emplace(std::move(*opened));
  return true;
}

ouro_status store(ouro_cache* cache, View key, View value, const ouro::SetOptions& options) {
  return status_of(cache->with([&](auto& form) { return form.set(key, value, options); }));
}

}  // namespace

ouro_cache* ouro_open(const ouro_options* options, char* error, size_t error_bytes) {
  auto cache = std::make_unique<ouro_cache>();
  cache->options = OURO_OPTIONS_DEFAULT;
  if (options != nullptr) cache->options = *options;
  std::string failure;
  const ouro::CacheOptions wanted = options_of(*cache);
  const size_t shards = cache->options.shards;
  const bool opened =
      shards == 0 ? take_form(ouro::Cache::open(wanted), cache->single, failure)
                  : take_form(ouro::SharedCache::open(wanted, shards), cache->shared, failure);
  if (opened) return cache.release();
  if (error != nullptr) std::snprintf(error, error_bytes, "%s", failure.c_str());
  return nullptr;
}

void ouro_close(ouro_cache* cache) { delete cache; }
int ouro_tick(ouro_cache* cache) {
  return cache->with([](auto& form) { return form.tick(); }) ? 1 : 0;
}
size_t ouro_size(ouro_cache* cache) {
  return cache->with([](auto& form) { return form.size(); });
}
size_t ouro_used_bytes(ouro_cache* cache) {
  return cache->with([](auto& form) { return form.used_bytes(); });
}

ouro_status ouro_visit(ouro_cache* cache, const char* key, size_t key_bytes,
                       void (*use)(void*, const char*, size_t), void* context) {
  const auto visit = [&](View value) { use(context, value.data(), value.size()); };
  return status_of(cache->with([&](auto& form) { return form.get({key, key_bytes}, visit); }));
}

ouro_status ouro_get(ouro_cache* cache, const char* key, size_t key_bytes, char* value, size_t room,
                     size_t* value_bytes) {
  const auto copy = [&](View stored) {
    if (room != 0) std::memcpy(value, stored.data(), std::min(room, stored.size()));
    if (value_bytes != nullptr) *value_bytes = stored.size();
  };
  return status_of(cache->with([&](auto& form) { return form.get({key, key_bytes}, copy); }));
}

ouro_status ouro_set(ouro_cache* cache, const char* key, size_t key_bytes, const char* value,
                     size_t value_bytes, int64_t ttl_ms) {
  return store(cache, {key, key_bytes}, {value, value_bytes}, {.ttl_ms = ttl_ms});
}

ouro_status ouro_add(ouro_cache* cache, const char* key, size_t key_bytes, const char* value,
                     size_t value_bytes, int64_t ttl_ms) {
  return store(cache, {key, key_bytes}, {value, value_bytes}, {.ttl_ms = ttl_ms, .only_new = true});
}

ouro_status ouro_del(ouro_cache* cache, const char* key, size_t key_bytes) {
  int64_t removed = 0;
  const ouro_status status = take_number(
      cache->with([&](auto& form) { return form.del(View(key, key_bytes)); }), &removed);
  return status == OURO_OK && removed == 0 ? OURO_ABSENT : status;
}

ouro_status ouro_expire(ouro_cache* cache, const char* key, size_t key_bytes, int64_t ttl_ms) {
  return status_of(cache->with([&](auto& form) { return form.expire({key, key_bytes}, ttl_ms); }));
}

ouro_status ouro_ttl(ouro_cache* cache, const char* key, size_t key_bytes, int64_t* ttl_ms) {
  return take_number(cache->with([&](auto& form) {
    return form.ttl_ms({key, key_bytes});
  }),
                     ttl_ms);
}

ouro_status ouro_incr(ouro_cache* cache, const char* key, size_t key_bytes, int64_t by,
                      int64_t* sum) {
  return take_number(cache->with([&](auto& form) { return form.incr({key, key_bytes}, by); }), sum);
}

void ouro_loaded_append(ouro_loaded* loaded, const char* bytes, size_t count) {
  loaded->bytes.append(bytes, count);
}

ouro_status ouro_get_or_load(ouro_cache* cache, const char* key, size_t key_bytes, ouro_loader load,
                             void* load_context, int64_t ttl_ms,
                             void (*use)(void*, const char*, size_t), void* context) {
  const auto loader = [&]() -> Outcome<std::string> {
    ouro_loaded loaded;
    const ouro_status status = load(load_context, key, key_bytes, &loaded);
    if (status == OURO_ABSENT) return {};
    if (status != OURO_OK) return Outcome<std::string>::failure("ERR the loader failed");
    return std::move(loaded.bytes);
  };
  const Outcome<std::string> value = cache->with([&](auto& form) {
    return form.get_or_load({key, key_bytes}, loader, ttl_ms);
  });
  if (value.is_error()) return OURO_ERROR;
  if (!value.has_value()) return OURO_ABSENT;
  if (use != nullptr) use(context, value->data(), value->size());
  return OURO_OK;
}

ouro_answer* ouro_execute(ouro_cache* cache, size_t count, const char* const* words,
                          const size_t* sizes) {
  std::vector<View> argv;
  argv.reserve(count);
  for (size_t i = 0; i < count; ++i)
    argv.emplace_back(words[i], sizes != nullptr ? sizes[i] : std::strlen(words[i]));
  return new ouro_answer{cache->with([&](auto& form) { return form.execute(argv); })};
}

void ouro_answer_free(ouro_answer* answer) { delete answer; }

ouro_kind ouro_answer_kind(const ouro_answer* answer) {
  static_assert(static_cast<int>(ouro::Answer::Kind::kMap) == OURO_MAP);
  static_assert(static_cast<int>(ouro::Answer::Kind::kError) == OURO_FAILURE);
  return static_cast<ouro_kind>(tree_of(answer).kind);
}
int64_t ouro_answer_integer(const ouro_answer* answer) { return tree_of(answer).integer; }
double ouro_answer_real(const ouro_answer* answer) { return tree_of(answer).real; }
const char* ouro_answer_text(const ouro_answer* answer, size_t* bytes) {
  const std::string& text = tree_of(answer).text;
  if (bytes != nullptr) *bytes = text.size();
  return text.c_str();
}
size_t ouro_answer_count(const ouro_answer* answer) { return tree_of(answer).items.size(); }
const ouro_answer* ouro_answer_item(const ouro_answer* answer, size_t index) {
  const std::vector<ouro::Answer>& items = tree_of(answer).items;
  // ouro_answer is nothing but a node.
  return index < items.size() ? reinterpret_cast<const ouro_answer*>(&items[index]) : nullptr;
}
