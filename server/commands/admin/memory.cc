// SPDX-License-Identifier: BSD-3-Clause
// MEMORY: what takes memory. All numbers are exact counts of the heap, none are samples.
#include <algorithm>
#include <string>
#include <vector>

#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

Status cmd_memory_usage(Context& ctx) {
  ArgParser args(ctx.argv, 3);
  while (args.more()) {
    if (args.word("SAMPLES")) {
      // Accepted for clients: the count is exact, so there is nothing to sample.
      if (args.integer() < 0) args.unexpected();
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  const Entry* entry = ctx.find_in(ctx.caller.db, ctx.key(2));
  if (entry == nullptr) {
    ctx.reply.null();
    return Status::ok();
  }
  ctx.reply.integer(static_cast<int64_t>(entry->memory_bytes()));
  return Status::ok();
}

// Those that the caller may read.
std::vector<const BigKeys::Item*> readable(const Context& ctx,
                                           const std::vector<BigKeys::Item>& items, size_t most) {
  std::vector<const BigKeys::Item*> found;
  for (const BigKeys::Item& item : items) {
    if (found.size() < most &&
        ctx.engine.acl.permits_key(ctx.caller, ctx.spec, ctx.argv, item.key, kReadOnly | kAccess))
      found.push_back(&item);
  }
  return found;
}

void reply_big_keys(const Context& ctx, const std::vector<BigKeys::Item>& items, size_t most) {
  const std::vector<const BigKeys::Item*> shown = readable(ctx, items, most);
  ctx.reply.array(shown.size());
  for (const BigKeys::Item* item : shown) {
    ctx.reply.array(4);
    ctx.reply.bulk(item->key);
    ctx.reply.integer(item->db);
    ctx.reply.bulk(type_name(item->type));
    ctx.reply.integer(static_cast<int64_t>(item->size));
  }
}

Status cmd_memory_bigkeys(Context& ctx) {
  int64_t count = 10;
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    if (args.word("COUNT")) {
      count = args.integer();
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  constexpr int64_t kMost = BigKeys::kKept;
  if (count < 1 || count > kMost)
    return ctx.fail("ERR COUNT must be between 1 and %d", static_cast<int>(kMost));
  BigKeys& keys = ctx.engine.big_keys;
  const BigKeys::Report& report = keys.ask();
  const auto number = [&](ByteView name, int64_t value) {
    ctx.reply.bulk(name);
    ctx.reply.integer(value);
  };
  ctx.reply.map(5);
  number("ended-at", report.ended);
  number("keys", static_cast<int64_t>(report.key_count));
  // Of the walk that goes on.
  number("keys-walked", static_cast<int64_t>(keys.walked()));
  ctx.reply.bulk("by-bytes");
  reply_big_keys(ctx, report.by_bytes, static_cast<size_t>(count));
  ctx.reply.bulk("by-elements");
  reply_big_keys(ctx, report.by_elements, static_cast<size_t>(count));
  return Status::ok();
}

double share(size_t part, size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Status cmd_memory_stats(Context& ctx) {
  Engine& engine = ctx.engine;
  const HostInfo host = engine.host.info();
  const size_t used = engine.heap.used_bytes();
  const Clients::Memory clients = engine.clients.memory();
  size_t overhead = engine.startup_bytes + clients.held_bytes;
  size_t keys = 0;
  const Reply::Mark mark = ctx.reply.begin();
  size_t pairs = 0;
  const auto number = [&](ByteView name, size_t value) {
    ctx.reply.bulk(name);
    ctx.reply.integer(static_cast<int64_t>(value));
    ++pairs;
  };
  const auto real = [&](ByteView name, double value) {
    ctx.reply.bulk(name);
    ctx.reply.real(value);
    ++pairs;
  };
  number("peak.allocated", engine.heap.peak_bytes());
  number("total.allocated", used);
  number("startup.allocated", engine.startup_bytes);
  const Replication::Memory stream = engine.replication.memory();
  number("replication.backlog", stream.backlog_bytes);
  number("clients.slaves", stream.replicas_bytes);
  number("clients.normal", clients.claimed_bytes);
  number("cluster.links", 0);
  number("aof.buffer", engine.persistence.log_buffer_memory());
  const Scripting::Facts scripts = engine.script_facts();
  number("lua.caches", scripts.script_bytes);
  number("functions.caches", scripts.library_bytes);
  for (DbIndex db = 0; db < engine.dbs.count(); ++db) {
    if (engine.dbs[db].size() == 0) continue;
    const size_t table = engine.dbs[db].overhead_bytes();
    overhead += table;
    keys += engine.dbs[db].size();
    ctx.reply.bulk("db." + std::to_string(db));
    ++pairs;
    // Deadlines have no table of their own.
    ctx.reply.map(3);
    ctx.reply.bulk("overhead.hashtable.main");
    ctx.reply.integer(static_cast<int64_t>(table));
    ctx.reply.bulk("overhead.hashtable.expires");
    ctx.reply.integer(0);
    ctx.reply.bulk("overhead.hashtable.slot-to-keys");
    ctx.reply.integer(0);
  }
  overhead = std::min(overhead, used);
  const size_t after_start = used - std::min(used, engine.startup_bytes);
  number("overhead.total", overhead);
  number("keys.count", keys);
  number("keys.bytes-per-key", keys == 0 ? 0 : after_start / keys);
  number("dataset.bytes", used - overhead);
  real("dataset.percentage", share(used - overhead, after_start) * 100);
  real("peak.percentage", share(used, engine.heap.peak_bytes()) * 100);
  number("allocator.allocated", used);
  number("allocator.active", host.resident_bytes);
  number("allocator.resident", host.resident_bytes);
  real("allocator-fragmentation.ratio", share(host.resident_bytes, used));
  number("allocator-fragmentation.bytes",
         host.resident_bytes > used ? host.resident_bytes - used : 0);
  real("allocator-rss.ratio", 1);
  number("allocator-rss.bytes", 0);
  real("rss-overhead.ratio", 1);
  number("rss-overhead.bytes", 0);
  real("fragmentation", share(host.resident_bytes, used));
  number("fragmentation.bytes", host.resident_bytes > used ? host.resident_bytes - used : 0);
  ctx.reply.end_map(mark, pairs);
  return Status::ok();
}

Status cmd_memory_doctor(Context& ctx) {
  constexpr size_t kTooSmall = 5_MiB;
  constexpr double kWasteMax = 1.4;
  constexpr double kPeakMax = 1.5;
  constexpr size_t kClientMax = 200_KiB;
  const Engine& engine = ctx.engine;
  const size_t used = engine.heap.used_bytes();
  const size_t resident = ctx.engine.host.info().resident_bytes;
  std::string text;
  if (used < kTooSmall) {
    ctx.reply.verbatim("txt", "This server holds too little to say anything about its memory.\n");
    return Status::ok();
  }
  if (share(engine.heap.peak_bytes(), used) > kPeakMax) {
    text +=
        "- Peak: it once held much more than now, so the process may be larger than its data. "
        "MEMORY PURGE or more "
        "data will level that.\n";
  }
  if (share(resident, used) > kWasteMax) {
    text += "- Fragmentation: the process takes " + std::to_string(resident / 1_MiB) + " MiB for " +
            std::to_string(used / 1_MiB) +
            " MiB of data. Many values of changing size do that; a restart levels it.\n";
  }
  const size_t clients = engine.clients.count();
  if (clients > 0 && engine.clients.memory().claimed_bytes / clients > kClientMax) {
    text +=
        "- Clients: they hold more than 200 KiB each on average. CLIENT LIST shows who reads too "
        "slowly (omem) or sends "
        "too much at once (qbuf).\n";
  }
  ctx.reply.verbatim("txt", text.empty() ? "Nothing stands out.\n" : "What stands out:\n" + text);
  return Status::ok();
}

Status cmd_memory_malloc_stats(Context& ctx) {
  const HostInfo host = ctx.engine.host.info();
  const Heap& heap = ctx.engine.heap;
  std::string text =
      "allocator: " + (host.allocator.empty() ? std::string("libc") : host.allocator) + "\n";
  text += "allocated by this cache: " + std::to_string(heap.used_bytes()) + "\n";
  text += "most ever allocated: " + std::to_string(heap.peak_bytes()) + "\n";
  text += "resident: " + std::to_string(host.resident_bytes) + "\n";
  ctx.reply.verbatim("txt", text);
  return Status::ok();
}

Status cmd_memory_purge(Context& ctx) {
  while (!ctx.engine.dbs.lazy_free().run(SIZE_MAX)) {
  }
  ctx.engine.host.purge_memory();
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_memory_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kMemoryRows[] = {
    {.name = "BIGKEYS",
     .arity = at_least(2),
     .flags = Flag::kAdmin | Flag::kNoScript,
     .databases = DbUse::kEvery,
     .handler = cmd_memory_bigkeys,
     .doc = {.summary =
                 "Lists the keys with the most bytes and those with the most elements, as of "
                 "the last walk over all keys, and begins a walk.",
             .complexity = "O(1); the walk O(N), N keys, in slices between commands",
             .since = "0.1.0",
             .group = "server",
             .args = "[COUNT=count:integer]",
             .tips = "nondeterministic_output request_policy:all_shards response_policy:special"}},
    {.name = "DOCTOR",
     .arity = exactly(2),
     .handler = cmd_memory_doctor,
     .doc = {.summary = "Explains in words what uses memory.",
             .complexity = "O(1)",
             .since = "4.0.0",
             .group = "server",
             .tips = "nondeterministic_output request_policy:all_shards response_policy:special"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_memory_help,
     .doc = {.summary = "Lists the subcommands of MEMORY.",
             .complexity = "O(1)",
             .since = "4.0.0",
             .group = "server"}},
    {.name = "MALLOC-STATS",
     .arity = exactly(2),
     .handler = cmd_memory_malloc_stats,
     .doc = {.summary = "Returns the allocator's own report.",
             .complexity = "By how much memory is allocated; may be slow",
             .since = "4.0.0",
             .group = "server",
             .tips = "nondeterministic_output request_policy:all_shards response_policy:special"}},
    {.name = "PURGE",
     .arity = exactly(2),
     .handler = cmd_memory_purge,
     .doc = {.summary = "Asks the allocator to give free memory back.",
             .complexity = "By how much memory is allocated; may be slow",
             .since = "4.0.0",
             .group = "server",
             .tips = "request_policy:all_shards response_policy:all_succeeded"}},
    {.name = "STATS",
     .arity = exactly(2),
     .handler = cmd_memory_stats,
     .doc = {.summary = "Returns how memory is shared out.",
             .complexity = "O(1)",
             .since = "4.0.0",
             .group = "server",
             .tips = "nondeterministic_output request_policy:all_shards response_policy:special"}},
    {.name = "USAGE",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(2, kReadOnly)},
     .handler = cmd_memory_usage,
     .doc = {.summary = "Returns how many bytes a key and its value take.",
             .complexity = "O(N), N nested elements sampled",
             .since = "4.0.0",
             .group = "server",
             .args = "key:key#0 [SAMPLES=count:integer]"}},
};
static_assert(table_is_valid(kMemoryRows));

constexpr CommandSpec kMemoryTable[] = {
    {.name = "MEMORY",
     .arity = at_least(2),
     .subcommands = kMemoryRows,
     .doc = {.summary = "Shows what uses memory.",
             .complexity = "By subcommand",
             .since = "4.0.0",
             .group = "server"}},
};
static_assert(table_is_valid(kMemoryTable));

}  // namespace

constinit const std::span<const CommandSpec> kMemoryCommands = kMemoryTable;

}  // namespace ouro
