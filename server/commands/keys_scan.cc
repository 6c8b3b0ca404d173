// SPDX-License-Identifier: BSD-3-Clause
// Walking over the keys of a database: KEYS, SCAN, RANDOMKEY, and RM, which removes what it meets.
// None shows a key that is due, or whose members all are.
#include <optional>
#include <string>
#include <vector>

#include "server/commands/element_scan.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

Status cmd_keys(Context& ctx) {
  const ByteView pattern = ctx.argv[1];
  const Reply::Mark mark = ctx.reply.begin();
  size_t count = 0;
  ctx.db.for_each([&](const Entry& entry) {
    if (ctx.is_over(entry) || !matches_scanned(pattern, entry.key())) return;
    ctx.reply.bulk(entry.key());
    ++count;
  });
  ctx.reply.end_array(mark, count);
  return Status::ok();
}

struct ScanOptions {
  ByteView pattern = "*";
  std::optional<ByteView> type;
  uint64_t count = 10;

  bool wants(const Entry& entry) const {
    return matches_scanned(pattern, entry.key()) &&
           (!type || equals_ignoring_case(*type, type_name(entry.type())));
  }
};

Result<ScanOptions> parse_scan(const Context& ctx) {
  ScanOptions options;
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    if (args.word("COUNT")) {
      const int64_t count = args.integer();
      if (count < 1) args.unexpected();
      options.count = static_cast<uint64_t>(count);
    } else if (args.word("MATCH")) {
      options.pattern = args.next();
    } else if (args.word("TYPE")) {
      options.type = args.next();
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  return options;
}

Status cmd_scan(Context& ctx) {
  auto cursor = parse_scan_cursor(ctx.argv[1]);
  if (!cursor) return ctx.fail_text(errors::kInvalidCursor);
  OURO_TRY(const ScanOptions options, parse_scan(ctx));
  std::vector<const Entry*> found;
  // Empty buckets cost too: a table that has shrunk is not walked to its end for a few keys.
  uint64_t steps = options.count < UINT64_MAX / 10 ? options.count * 10 : UINT64_MAX;
  do {
    *cursor = ctx.db.scan(*cursor, [&](const Entry& entry) { found.push_back(&entry); });
  } while (*cursor != 0 && --steps > 0 && found.size() < options.count);

  ctx.reply.array(2);
  reply_cursor(ctx.reply, *cursor);
  const Reply::Mark mark = ctx.reply.begin();
  size_t count = 0;
  std::vector<std::string> due;
  for (const Entry* entry : found) {
    if (ctx.is_due(*entry)) {
      due.emplace_back(entry->key());
      continue;
    }
    // Its members are removed in slices: they may be many.
    if (ctx.is_over(*entry) || !options.wants(*entry)) continue;
    ctx.reply.bulk(entry->key());
    ++count;
  }
  ctx.reply.end_array(mark, count);
  // What has been met and is due goes, as after any look-up.
  for (const std::string& name : due) ctx.find_in(ctx.caller.db, ctx.db.key(name));
  return Status::ok();
}

// ---- removing

// What one RM looks at and removes at most, whatever its COUNT: some hundred microseconds, as a
// slice of expiry takes. The cursor says where the next call goes on.
constexpr uint64_t kRmPlacesMax = 1000;
// Giving so many bytes of a long string back to the system lasts as long as looking at a place.
constexpr size_t kRmBytesAPlace = 2048;

// Of a name that goes, in places: what is freed at once. Larger collections are freed in slices.
uint64_t cost_of_removing(const Entry& entry) {
  if (entry.kind() == Kind::kBlob) return entry.memory_bytes() / kRmBytesAPlace;
  const size_t allocations = Value::of(entry).free_effort();
  return allocations > LazyFree::kEffortMin ? 0 : allocations;
}

// RM names no key, so each that it meets is asked for by itself: one that DEL would be denied is
// passed over, as if it did not match.
bool may_remove(const Context& ctx, ByteView key) {
  return ctx.engine.acl.permits_key(ctx.caller, ctx.spec, ctx.argv, key, kRemove | kDelete);
}

// The names that the walk from `cursor` meets until `options.count` are found; moves the cursor.
std::vector<std::string> find_to_remove(Context& ctx, uint64_t& cursor,
                                        const ScanOptions& options) {
  std::vector<std::string> names;
  uint64_t places = 0;
  do {
    ++places;
    cursor = ctx.db.scan(cursor, [&](const Entry& entry) {
      ++places;
      if (!ctx.is_due(entry) && !(options.wants(entry) && may_remove(ctx, entry.key()))) return;
      names.emplace_back(entry.key());
      places += cost_of_removing(entry);
    });
  } while (cursor != 0 && places < kRmPlacesMax && names.size() < options.count);
  return names;
}

// RM cursor [MATCH pattern] [TYPE type] [COUNT count]: removes up to about `count` keys and answers
// where to go on and how many went. Their values are freed in slices; the fact is one DEL.
Status cmd_rm(Context& ctx) {
  auto cursor = parse_scan_cursor(ctx.argv[1]);
  if (!cursor) return ctx.fail_text(errors::kInvalidCursor);
  OURO_TRY(const ScanOptions options, parse_scan(ctx));
  const std::vector<std::string> names = find_to_remove(ctx, *cursor, options);
  std::vector<ByteView> effect = {"DEL"};
  for (const std::string& name : names) {
    const Key key = ctx.db.key(name);
    // What has been met and is due goes as such.
    if (ctx.find_in(ctx.caller.db, key) == nullptr) continue;
    ctx.db.erase(key, Freeing::kLazy);
    ctx.changed(key, Event::kGeneric, "del");
    effect.push_back(name);
  }
  const size_t removed = effect.size() - 1;
  if (removed > 0) ctx.effects.replace(Argv(effect));
  ctx.engine.stats.keys_removed_by_pattern += removed;
  ctx.reply.array(2);
  reply_cursor(ctx.reply, *cursor);
  ctx.reply.integer(static_cast<int64_t>(removed));
  return Status::ok();
}

Status cmd_randomkey(Context& ctx) {
  // Each due key that is met is removed, so the walk ends. One that may not be removed here is
  // shown; one that is only hidden (CLIENT PAUSE) is passed over, but not for ever. Nor is one
  // whose members are all due, but it is never shown: where there is hardly another, there is none.
  constexpr int kHiddenMax = 100;
  int hidden = 0;
  while (const Entry* entry = ctx.db.random(ctx.prng())) {
    if (!ctx.is_due(*entry) && ctx.is_over(*entry)) {
      if (++hidden > kHiddenMax) break;
      continue;
    }
    if (ctx.is_due(*entry) && hidden < kHiddenMax) {
      if (ctx.engine.at_standstill()) ++hidden;
      const std::string name(entry->key());
      if (ctx.find_in(ctx.caller.db, ctx.db.key(name)) == nullptr) continue;
    }
    ctx.reply.bulk(entry->key());
    return Status::ok();
  }
  ctx.reply.null();
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "KEYS",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .handler = cmd_keys,
     .doc = {.summary = "Returns all keys whose names match a pattern.",
             .complexity = "O(N), N keys in the database",
             .since = "1.0.0",
             .group = "generic",
             .args = "pattern:pattern",
             .tips = "request_policy:all_shards nondeterministic_output_order"}},
    {.name = "RANDOMKEY",
     .arity = exactly(1),
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace,
     .handler = cmd_randomkey,
     .doc = {.summary = "Returns the name of some key, picked at random.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "generic",
             .tips = "request_policy:all_shards nondeterministic_output"}},
    {.name = "RM",
     .arity = at_least(2),
     .flags = Flag::kWrite,
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .handler = cmd_rm,
     .doc = {.summary = "Deletes the keys that match a pattern, a few at a time.",
             .complexity = "O(1) a call, O(N) for a whole walk over N keys",
             .since = "1.38.0",
             .group = "generic",
             .args = "cursor:integer [MATCH=pattern:pattern] [TYPE=type:string] "
                     "[COUNT=count:integer]",
             .tips = "nondeterministic_output request_policy:special"}},
    {.name = "SCAN",
     .arity = at_least(2),
     .flags = Flag::kReadonly,
     .acl = Acl::kKeyspace,
     .handler = cmd_scan,
     .doc = {.summary = "Walks the keys of the database a few at a time.",
             .complexity = "O(1) a call, O(N) for a whole walk over N keys",
             .since = "2.8.0",
             .group = "generic",
             .args = "cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer] "
                     "[TYPE=type:string@6.0.0]",
             .tips = "nondeterministic_output request_policy:special"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kKeyScanCommands = kRows;

}  // namespace ouro
