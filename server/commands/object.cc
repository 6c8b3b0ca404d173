// SPDX-License-Identifier: BSD-3-Clause
// OBJECT: how a value is held and how its key was used.
#include <climits>

#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// Asking is no use of a key, and a key that is missing is no event. Answers null itself when there
// is none.
const Entry* find_object(Context& ctx) {
  const Entry* entry = ctx.find_in(ctx.caller.db, ctx.key(2));
  ++(entry == nullptr ? ctx.engine.stats.keyspace_misses : ctx.engine.stats.keyspace_hits);
  if (entry == nullptr) ctx.reply.null();
  return entry;
}

bool counts_uses(const Context& ctx) {
  return Eviction::counts_uses(ctx.engine.options.maxmemory_policy);
}

Status cmd_object_encoding(Context& ctx) {
  if (const Entry* entry = find_object(ctx)) ctx.reply.bulk(entry->encoding());
  return Status::ok();
}

Status cmd_object_freq(Context& ctx) {
  const Entry* entry = find_object(ctx);
  if (entry == nullptr) return Status::ok();
  // Redis knows it under the LFU policies alone.
  ctx.reply.integer(counts_uses(ctx)
                        ? Eviction::use_count(*entry, ctx.now, ctx.engine.options.lfu_decay_time)
                        : Eviction::rough_use_count(*entry));
  return Status::ok();
}

Status cmd_object_idletime(Context& ctx) {
  const Entry* entry = find_object(ctx);
  if (entry == nullptr) return Status::ok();
  if (counts_uses(ctx)) {
    return ctx.fail(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
        "switching between "
        "policies at runtime LRU and LFU data will take some time to adjust.");
  }
  // The clock has 24 bits of seconds and goes round after half a year.
  ctx.reply.integer((ctx.engine.access_clock() - entry->access()) & Entry::kAccessMask);
  return Status::ok();
}

Status cmd_object_refcount(Context& ctx) {
  const Entry* entry = find_object(ctx);
  if (entry == nullptr) return Status::ok();
  // Redis shares small integers among all keys, unless a policy needs a clock of each, and says so
  // by the largest count; nothing is shared here.
  constexpr int64_t kSharedIntegers = 10000;
  const EngineOptions& options = ctx.engine.options;
  const bool shared = entry->kind() == Kind::kInt && entry->integer() >= 0 &&
                      entry->integer() < kSharedIntegers &&
                      (options.maxmemory == 0 || !Eviction::keeps_clocks(options.maxmemory_policy));
  ctx.reply.integer(shared ? INT_MAX : 1);
  return Status::ok();
}

// A function of this file: g++ with sanitizers does not take the address of another as a constant.
Status cmd_object_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kObjectRows[] = {
    {.name = "ENCODING",
     .arity = exactly(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(2, kReadOnly)},
     .acl = Acl::kKeyspace,
     .handler = cmd_object_encoding,
     .doc = {.summary = "Returns how a value is represented in memory.",
             .complexity = "O(1)",
             .since = "2.2.3",
             .group = "generic",
             .args = "key:key#0",
             .tips = "nondeterministic_output"}},
    {.name = "FREQ",
     .arity = exactly(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(2, kReadOnly)},
     .acl = Acl::kKeyspace,
     .handler = cmd_object_freq,
     .doc = {.summary = "Returns how often a key was used, on a logarithmic scale.",
             .complexity = "O(1)",
             .since = "4.0.0",
             .group = "generic",
             .args = "key:key#0",
             .tips = "nondeterministic_output"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kKeyspace,
     .handler = cmd_object_help,
     .doc = {.summary = "Lists the subcommands of OBJECT.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "generic"}},
    {.name = "IDLETIME",
     .arity = exactly(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(2, kReadOnly)},
     .acl = Acl::kKeyspace,
     .handler = cmd_object_idletime,
     .doc = {.summary = "Returns for how many seconds a key was not used.",
             .complexity = "O(1)",
             .since = "2.2.3",
             .group = "generic",
             .args = "key:key#0",
             .tips = "nondeterministic_output"}},
    {.name = "REFCOUNT",
     .arity = exactly(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(2, kReadOnly)},
     .acl = Acl::kKeyspace,
     .handler = cmd_object_refcount,
     .doc = {.summary = "Returns how many references there are to a value.",
             .complexity = "O(1)",
             .since = "2.2.3",
             .group = "generic",
             .args = "key:key#0",
             .tips = "nondeterministic_output"}},
};
static_assert(table_is_valid(kObjectRows));

constexpr CommandSpec kRows[] = {
    {.name = "OBJECT",
     .arity = at_least(2),
     .subcommands = kObjectRows,
     .doc = {.summary = "Looks inside the value of a key.",
             .complexity = "By subcommand",
             .since = "2.2.3",
             .group = "generic"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kObjectCommands = kRows;

}  // namespace ouro
