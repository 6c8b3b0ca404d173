/* SPDX-License-Identifier: BSD-3-Clause
 * ouro in process, for C. What the calls do and when time moves: ouro.h, whose two forms of cache
 * are one type here.
 *
 *   ouro_options options = OURO_OPTIONS_DEFAULT;
 *   ouro_cache *cache = ouro_open(&options, error, sizeof(error));
 *   ouro_set(cache, "k", 1, "v", 1, 0);
 *   ouro_close(cache);
 *
 * Keys and values are bytes with their count; nothing needs an end mark. NULL is allowed where a
 * comment says so. With shards = 0 a cache is for one thread at a time, else for any number of
 * threads; then a function that is called with a value runs under a lock and must not use the
 * cache. Loaders may, for other keys. No C++ exception may leave a function that is handed in.
 */
#ifndef OURO_C_H
#define OURO_C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ouro_cache ouro_cache;
typedef struct ouro_answer ouro_answer;
typedef struct ouro_loaded ouro_loaded;

/* How a call ended. The text of an error is the calling code's through ouro_execute; the other
 * calls tell only that. */
typedef enum ouro_status {
  OURO_OK = 0,
  OURO_ABSENT = 1, /* no such key, or a condition did not hold */
  OURO_ERROR = 2   /* wrong type, out of memory, no number, a loader failed */
} ouro_status;

typedef struct ouro_options {
  size_t shards; /* 0: one thread at a time */
  uint32_t databases;
  uint64_t maxmemory_bytes;     /* 0: no limit */
  const char* maxmemory_policy; /* NULL: noeviction */
  uint64_t seed;                /* 0: one that nobody can guess */
  /* Parameters of the engine: name, value, name, value ..., NULL. May be NULL. */
  const char* const* settings;
  /* NULL: the system's clock. */
  void (*clock)(void* context, int64_t* unix_ms, int64_t* monotonic_us);
  void* clock_context;
  /* level: 0 debug, 1 verbose, 2 notice, 3 warning. NULL: no log. */
  void (*log)(void* context, int level, const char* line, size_t bytes);
  void* log_context;
} ouro_options;

#define OURO_OPTIONS_DEFAULT \
  { 0, 1, 0, NULL, 0, NULL, NULL, NULL, NULL, NULL }

/* NULL when an option is wrong, with the reason in `error` (may be NULL). options may be NULL. */
ouro_cache* ouro_open(const ouro_options* options, char* error, size_t error_bytes);
void ouro_close(ouro_cache* cache); /* NULL does nothing */
/* 1 when more upkeep is left. */
int ouro_tick(ouro_cache* cache);
size_t ouro_size(ouro_cache* cache);
size_t ouro_used_bytes(ouro_cache* cache);

/* Calls use(context, value, bytes) if there is such a string; the value dies with the call. */
ouro_status ouro_visit(ouro_cache* cache, const char* key, size_t key_bytes,
                       void (*use)(void* context, const char* value, size_t bytes), void* context);
/* Copies at most `room` bytes of the value, and tells how many it has. */
ouro_status ouro_get(ouro_cache* cache, const char* key, size_t key_bytes, char* value, size_t room,
                     size_t* value_bytes);
/* ttl_ms: 0 for ever. */
ouro_status ouro_set(ouro_cache* cache, const char* key, size_t key_bytes, const char* value,
                     size_t value_bytes, int64_t ttl_ms);
/* Only if there is no such key; else OURO_ABSENT. */
ouro_status ouro_add(ouro_cache* cache, const char* key, size_t key_bytes, const char* value,
                     size_t value_bytes, int64_t ttl_ms);
/* OURO_ABSENT if there was no such key. */
ouro_status ouro_del(ouro_cache* cache, const char* key, size_t key_bytes);
ouro_status ouro_expire(ouro_cache* cache, const char* key, size_t key_bytes, int64_t ttl_ms);
/* -1: without an end. */
ouro_status ouro_ttl(ouro_cache* cache, const char* key, size_t key_bytes, int64_t* ttl_ms);
/* sum may be NULL. */
ouro_status ouro_incr(ouro_cache* cache, const char* key, size_t key_bytes, int64_t by,
                      int64_t* sum);

/* Fills `loaded` by ouro_loaded_append and says OURO_OK; OURO_ABSENT: there is no such thing. */
typedef ouro_status (*ouro_loader)(void* context, const char* key, size_t key_bytes,
                                   ouro_loaded* loaded);
void ouro_loaded_append(ouro_loaded* loaded, const char* bytes, size_t count);
/* As ouro_visit; a missing value is loaded first and stored for ttl_ms. Of all threads that miss a
 * key one loads it. */
ouro_status ouro_get_or_load(ouro_cache* cache, const char* key, size_t key_bytes, ouro_loader load,
                             void* load_context, int64_t ttl_ms,
                             void (*use)(void* context, const char* value, size_t bytes),
                             void* context);

/* Any command. sizes may be NULL: words end with a zero byte. Never NULL; to be given to
 * ouro_answer_free. */
ouro_answer* ouro_execute(ouro_cache* cache, size_t count, const char* const* words,
                          const size_t* sizes);
void ouro_answer_free(ouro_answer* answer); /* NULL does nothing */

typedef enum ouro_kind {
  OURO_NIL,
  OURO_INTEGER,
  OURO_REAL,
  OURO_BOOLEAN,
  OURO_STRING,
  OURO_ARRAY,
  OURO_MAP, /* items: key, value, key, value ... */
  OURO_SET,
  OURO_FAILURE
} ouro_kind;
ouro_kind ouro_answer_kind(const ouro_answer* answer);
int64_t ouro_answer_integer(const ouro_answer* answer); /* booleans too: 0 or 1 */
double ouro_answer_real(const ouro_answer* answer);
/* A string's bytes or a failure's text, with a zero byte behind them. bytes may be NULL. */
const char* ouro_answer_text(const ouro_answer* answer, size_t* bytes);
size_t ouro_answer_count(const ouro_answer* answer);
/* Part of its parent. NULL when there is none of that number. */
const ouro_answer* ouro_answer_item(const ouro_answer* answer, size_t index);

#ifdef __cplusplus
}
#endif

#endif /* OURO_C_H */
