// SPDX-License-Identifier: BSD-3-Clause
// Context: all that a handler may touch while its command runs. Also the one place where the clock
// meets the keyspace: look-ups through it never show a key that is due, nor a due member of a set
// or sorted set, and a primary removes them there and then, leaving DEL, SREM or ZREM ahead of the
// command's effect (where many members are due a gate has removed them before: gates.h).
//
// Reading:  find, find_string, find_as<T>
//           counts hits and misses, refreshes the access clock
// Writing:  find_to_write, ..., find_or_add<T>
//           the entry may be changed: frozen views have saved it
// After a change, once for each key:  changed(key, class, "event")
//
// Until commit a handler may not suspend; waiting is `return ctx.block(...)`, and the command is
// run again when woken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "datastructs/codec/resp_reader.h"
#include "datastructs/keyspace/keyspace.h"
#include "server/engine/arg_parser.h"
#include "server/engine/caller.h"
#include "server/engine/command.h"
#include "server/engine/commit.h"
#include "server/engine/errors.h"
#include "server/engine/reply.h"

namespace ouro {

class Engine;

// Classes of keyspace events (notify-keyspace-events' letters).
enum class Event : uint8_t {
  kGeneric,
  kString,
  kList,
  kSet,
  kHash,
  kZSet,
  kExpired,
  kEvicted,
  kStream,
  kModule,
  kNew,
  kMiss,
  kOverwritten,
  kTypeChanged,
  kLease
};

struct Context {
  Engine& engine;
  const CommandSpec& spec;
  Argv argv;
  Caller& caller;
  Reply& reply;
  Keyspace& db;  // the caller's selected database
  Effects effects;
  UnixMs now;
  Key first_key = {};  // hashed by the batch; bytes == argv[i] of the first key
  std::span<const RespReader::BlobArg> blobs = {};
  uint64_t changes = 0;  // changed keys and elements so far
  // The key that has become ready, if a waiting command is run again.
  const std::string* woken_by = nullptr;

  // ---- arguments
  Key key(size_t index) const {
    return argv[index].data() == first_key.bytes.data() && first_key.bytes.data() != nullptr
               ? first_key
               : db.key(argv[index]);
  }
  Result<int64_t> integer(size_t index) const { return parse_integer(argv[index]); }
  Result<double> real(size_t index) const { return parse_real(argv[index]); }
  // The blob that argument `index` was received into, with a pin for the taker; null when it came
  // as plain bytes.
  Blob* take_blob(size_t index);

  // ---- errors: leaves the text (with its code: "ERR ...") for the executor to write.
  [[gnu::format(printf, 2, 3)]] Status fail(const char* format, ...);
  Status fail_text(ByteView text);

  // ---- the clock
  // False where nothing ends by the clock for the caller, since a removal will be told: under
  // replay, a primary's stream, and for who imports (CLIENT IMPORT-SOURCE).
  bool clock_decides() const;
  // Whether what is due may be removed by this command; if not, it is hidden alone.
  bool may_end() const;
  bool is_due(const Entry& entry) const { return entry.is_due(now) && clock_decides(); }
  // Not to be named by who walks over keys: it is due, or a look-up would find it without a member.
  // Not a hash whose fields are all due: to a look-up it is there until they are removed.
  bool is_over(const Entry& entry) const {
    return (entry.is_due(now) || entry.has_only_due_members(now)) && clock_decides();
  }

  // ---- look-ups; null when the key is absent or due
  Entry* find(const Key& key);
  Entry* find_to_write(const Key& key);
  // Counts as find() does, but looking is no use of the key (EXISTS, TYPE, TTL, OBJECT).
  Entry* find_untouched(const Key& key);
  // The same, or Err::kWrongType.
  Result<Entry*> find_string(const Key& key) { return typed(find(key), Type::kString); }
  Result<Entry*> find_string_to_write(const Key& key) {
    return typed(find_to_write(key), Type::kString);
  }
  template <class T>
  Result<T*> find_as(const Key& key) {
    return handle<T>(find(key));
  }
  template <class T>
  Result<T*> find_as_to_write(const Key& key) {
    return handle<T>(find_to_write(key));
  }
  template <class T>
  Result<T*> find_or_add(const Key& key) {
    Entry* entry = find_to_write(key);
    if (entry != nullptr) return handle<T>(entry);
    T& fresh = db.add<T>(key);
    added(key);
    return &fresh;
  }
  // For commands that wait: the collection to be served from. Null if the key is absent; when the
  // command is run again also if the run is for another key, or the key has become another type
  // meanwhile (then the wait goes on).
  template <class T>
  Result<T*> find_awaited(const Key& key) {
    if (woken_by == nullptr) return find_as_to_write<T>(key);
    if (key.bytes != *woken_by) return static_cast<T*>(nullptr);
    Entry* entry = find_to_write(key);
    return entry != nullptr && entry->kind() == kKindOf<T> ? &entry->as<T>()
                                                           : static_cast<T*>(nullptr);
  }
  // The same in another database than the caller's.
  Entry* find_in(DbIndex index, const Key& key);

  // ---- after a change
  // A key was made that did not exist: event "new", ahead of what changed() tells. find_or_add()
  // does this itself.
  void added(const Key& key) { added_in(caller.db, key); }
  void added_in(DbIndex index, const Key& key);
  // A value of type `old` has been replaced whole, or is about to be, by one of type `made`.
  void overwritten(const Key& key, Type old, Type made) {
    overwritten_in(caller.db, key, old, made);
  }
  void overwritten_in(DbIndex index, const Key& key, Type old, Type made);
  // An empty event is none: RedisBloom's commands tell nobody.
  void changed(const Key& key, Event event_class, ByteView event, uint64_t count = 1);
  void changed_in(DbIndex index, const Key& key, Event event_class, ByteView event,
                  uint64_t count = 1);
  // The same where elements were only taken away: nobody is woken by that.
  void shrunk(const Key& key, Event event_class, ByteView event, uint64_t count);
  // A change that Redis 7.0 has no words for (redis7.h).
  void only_ours();
  // A change that Redis publishes no event for (PFCOUNT keeps what it counted).
  void changed_without_event(const Key& key);
  // Removes a key (event "del").
  void erase(const Key& key);
  // A key that is not there was to be removed: what is known of it is out of date.
  void forget_absent(const Key& key);
  // An empty collection does not exist: removes the key if it is.
  template <class T>
  void erase_if_empty(const Key& key, const T& collection) {
    if (collection.size() == 0) erase(key);
  }

  // ---- waiting
  // False inside MULTI and scripts, for callers without a connection, and when a wait without keys
  // has timed out: then the command answers at once as if its time were over.
  bool may_block() const;
  // Inside MULTI too; the handler then returns Err::kExclusive (exclusive.h). False while another
  // waits so.
  bool may_wait_exclusively() const;
  // Waits until one of the keys changes or `timeout_ms` (0: for ever) is over: the answer is a null
  // array then.
  // After `look_again_ms` it is run again though they have not changed.
  Status block(std::span<const ByteView> keys, Millis timeout_ms,
               std::optional<Millis> look_again_ms = {});
  // BLPOP's timeout argument: seconds as a decimal. Errors leave their text.
  Result<Millis> timeout(size_t index);

  // ---- access to what few commands need
  Heap& heap();
  Prng& prng();
  const Limits& limits() const;

 private:
  static Result<Entry*> typed(Entry* entry, Type type) {
    if (entry != nullptr && entry->type() != type) return Err::kWrongType;
    return entry;
  }
  template <class T>
  static Result<T*> handle(Entry* entry) {
    if (entry == nullptr) return static_cast<T*>(nullptr);
    if (entry->kind() != kKindOf<T>) return Err::kWrongType;
    return &entry->as<T>();
  }
};

}  // namespace ouro
