// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/context.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "datastructs/codec/number_text.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// The set or sorted set without members that are due; null if none is left. A client's command has
// waited for that (gates.h). For others, and for keys that a command does not name, it costs all
// that came due since the last slice of expiry.
[[gnu::cold]] Entry* without_due_members(Context& ctx, DbIndex db, const Key& key, Entry* entry) {
  if (!ctx.may_end() || !ctx.engine.shows_due_members(*entry)) return entry;
  return ctx.engine.expire_all_elements(db, key, *entry) ? nullptr : entry;
}

// A due entry is removed by a primary.
[[gnu::cold]] Entry* without_due(Context& ctx, DbIndex db, const Key& key, Entry* entry) {
  if (!entry->is_due(ctx.now)) return without_due_members(ctx, db, key, entry);
  if (!ctx.clock_decides()) return entry;
  if (ctx.may_end()) ctx.engine.expire_key(db, key, *entry);
  return nullptr;
}

// The entry if it lives.
inline Entry* living(Context& ctx, DbIndex db, const Key& key, Entry* entry) {
  if (entry == nullptr) return nullptr;
  if (!entry->is_due(ctx.now) && !entry->has_timed_members()) [[likely]]
    return entry;
  return without_due(ctx, db, key, entry);
}

}  // namespace

Blob* Context::take_blob(size_t index) {
  for (const RespReader::BlobArg& arg : blobs) {
    if (arg.index != index) continue;
    arg.blob->pin();
    return arg.blob;
  }
  return nullptr;
}

Status Context::fail(const char* format, ...) {
  char text[256];
  std::va_list args;
  std::va_list again;
  va_start(args, format);
  va_copy(again, args);
  const int length = std::vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  CHECK(length >= 0);
  const auto bytes = static_cast<size_t>(length);
  // Some texts show an argument whole, however long it is.
  std::string long_text;
  if (bytes >= sizeof(text)) {
    long_text.resize(bytes);
    std::vsnprintf(long_text.data(), bytes + 1, format, again);
  }
  va_end(again);
  return fail_text(long_text.empty() ? ByteView(text, bytes) : long_text);
}

Status Context::fail_text(ByteView text) {
  engine.executor.message().assign(text);
  for (char& c : engine.executor.message()) {
    if (c == '\r' || c == '\n') c = ' ';
  }
  return Err::kMessage;
}

bool Context::clock_decides() const {
  return caller.origin != Origin::kReplay && caller.origin != Origin::kPrimary &&
         !(caller.imports && engine.options.import_mode);
}

// On a primary everything, but at a standstill only what a command writes anew.
bool Context::may_end() const {
  return clock_decides() && !engine.rehearses &&
         (!engine.at_standstill() || spec.flags.has(Flag::kWrite));
}

Entry* Context::find_untouched(const Key& key) {
  Entry* entry = living(*this, caller.db, key, db.find(key));
  if (entry == nullptr) {
    ++engine.stats.keyspace_misses;
    if (engine.eviction.samples(key.hash)) [[unlikely]]
      engine.eviction.note_read(engine, key.hash, nullptr);
    engine.notify(caller.db, key.bytes, Event::kMiss, "keymiss");
    return nullptr;
  }
  ++engine.stats.keyspace_hits;
  if (engine.eviction.samples(key.hash)) [[unlikely]]
    engine.eviction.note_read(engine, key.hash, entry);
  return entry;
}

Entry* Context::find(const Key& key) {
  Entry* entry = find_untouched(key);
  if (entry != nullptr && !caller.no_touch) engine.touch(*entry);
  return entry;
}

Entry* Context::find_to_write(const Key& key) {
  Entry* entry = living(*this, caller.db, key, db.find(key));
  if (entry == nullptr) return nullptr;
  db.before_change(key);
  if (!caller.no_touch) engine.touch(*entry);
  return entry;
}

Entry* Context::find_in(DbIndex index, const Key& key) {
  return living(*this, index, key, engine.dbs[index].find(key));
}

void Context::added_in(DbIndex index, const Key& key) {
  if (engine.eviction.samples(key.hash)) [[unlikely]]
    engine.eviction.note_new(engine, index, key);
  engine.notify(index, key.bytes, Event::kNew, "new");
}

void Context::overwritten_in(DbIndex index, const Key& key, Type old, Type made) {
  engine.notify(index, key.bytes, Event::kOverwritten, "overwritten");
  if (old != made) engine.notify(index, key.bytes, Event::kTypeChanged, "type_changed");
}

void Context::changed(const Key& key, Event event_class, ByteView event, uint64_t count) {
  changes += count;
  engine.key_changed(caller.db, key, event_class, event);
}

void Context::changed_in(DbIndex index, const Key& key, Event event_class, ByteView event,
                         uint64_t count) {
  changes += count;
  engine.key_changed(index, key, event_class, event);
}

void Context::shrunk(const Key& key, Event event_class, ByteView event, uint64_t count) {
  changes += count;
  engine.key_shrunk(caller.db, key, event_class, event);
}

void Context::only_ours() {
  if (!engine.rehearses) engine.redis7.note(spec.name);
}

void Context::changed_without_event(const Key& key) {
  ++changes;
  engine.key_changed(caller.db, key, Event::kGeneric, {});
}

void Context::erase(const Key& key) {
  db.erase(key, engine.options.lazyfree_lazy_server_del ? Freeing::kLazy : Freeing::kNow);
  changed(key, Event::kGeneric, "del");
}

void Context::forget_absent(const Key& key) {
  if (engine.rehearses) return;
  if (engine.forget_absent(caller.db, key)) ++changes;
}

bool Context::may_wait_exclusively() const {
  return caller.origin == Origin::kClient && engine.exclusive.holder() == nullptr;
}

bool Context::may_block() const {
  return caller.origin == Origin::kClient && !caller.txn.executing &&
         !engine.executor.is_last_run();
}

Status Context::block(std::span<const ByteView> keys, Millis timeout_ms,
                      std::optional<Millis> look_again_ms) {
  CHECK(may_block());
  Session& session = *caller.session;
  static_assert(Wait::kForever == kNever);
  // Run again and still nothing: it keeps its place.
  if (!session.wait().active) {
    Wait wait;
    wait.spec = &spec;
    wait.argv = OwnedArgv(engine.heap, argv);
    for (const ByteView key : keys) wait.keys.emplace_back(caller.db, std::string(key));
    if (timeout_ms > 0) wait.until = instant_after(engine.instant(), timeout_ms);
    engine.blocking.add(session, std::move(wait));
  }
  if (look_again_ms)
    engine.blocking.look_again(session, instant_after(engine.instant(), *look_again_ms));
  return Err::kBlocked;
}

Result<Millis> Context::timeout(size_t index) {
  const auto seconds = parse_long_double(argv[index]);
  if (!seconds || std::isnan(*seconds)) return fail_text(errors::kTimeoutNotAFloat);
  const long double ms = std::ceil(*seconds * 1000);
  // Redis calls negative also what does not fit, infinity too.
  if (ms < 0 || ms >= 0x1p63L) return fail_text(errors::kTimeoutNegative);
  return static_cast<Millis>(ms);
}

Heap& Context::heap() { return engine.heap; }
Prng& Context::prng() { return engine.prng; }
const Limits& Context::limits() const { return engine.options.limits; }

}  // namespace ouro
