// SPDX-License-Identifier: BSD-3-Clause
// CACHE.RULE: what holds for the keys of a prefix; CACHE.KNOW and CACHE.FORGET: which of them
// exist.
//
// A rule is a parameter of this node. What CACHE.KNOW told is data: it is replicated and logged as
// a write is, and a node without a rule for a key lets it pass.
#include "server/commands/cache_parts.h"
#include "server/commands/help.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

// ---- CACHE.RULE

// CACHE.RULE SET prefix word value ...
Status cmd_rule_set(Context& ctx) {
  std::string error;
  const auto change = parse_rule_change(ctx.argv.subspan(3), error);
  if (!change) return ctx.fail_text("ERR " + error);
  if (!ctx.engine.guard.rules.set(ctx.argv[2], *change).is_ok())
    return ctx.fail_text("ERR " + std::string(Rules::kLimitsText));
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_rule_del(Context& ctx) {
  ctx.reply.integer(ctx.engine.guard.rules.erase(ctx.argv[2]) ? 1 : 0);
  return Status::ok();
}

// Prefix and settings of each, as CACHE.RULE SET takes them.
Status cmd_rule_list(Context& ctx) {
  ctx.reply.array(ctx.engine.guard.rules.size());
  ctx.engine.guard.rules.for_each([&](const Rule& rule) {
    ctx.reply.array(2);
    ctx.reply.bulk(rule.prefix);
    ctx.reply.bulk(rule_text(rule.settings));
  });
  return Status::ok();
}

Status cmd_rule_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kRuleRows[] = {
    {.name = "DEL",
     .arity = exactly(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_rule_del,
     .doc = {.summary = "Removes the rule of a prefix, with its filter.",
             .complexity = "O(N), N rules",
             .since = "0.1.0",
             .group = "module",
             .args = "prefix:string",
             .tips = "request_policy:all_nodes response_policy:agg_max"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_rule_help,
     .doc = {.summary = "Lists the subcommands of CACHE.RULE.",
             .complexity = "O(1)",
             .since = "0.1.0",
             .group = "module"}},
    {.name = "LIST",
     .arity = exactly(2),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_rule_list,
     .doc = {.summary = "Returns all rules: prefix and settings of each.",
             .complexity = "O(N), N rules",
             .since = "0.1.0",
             .group = "module"}},
    {.name = "SET",
     .arity = at_least(5),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .handler = cmd_rule_set,
     .doc = {.summary = "Sets what holds for the keys that begin with a prefix; what is not said "
                        "stays, and 0 takes back.",
             .complexity = "O(N), N rules",
             .since = "0.1.0",
             .group = "module",
             .args = "prefix:string [JITTER=percent:integer] [STALE=stale:integer] "
                     "[NEG=negative:integer] [LEASE=lease:integer] [LOADS=loads:integer] "
                     "[RATE=rate:{count:integer milliseconds:integer}] "
                     "[FILTER=filter:<on!ON | off!OFF>]",
             .tips = "request_policy:all_nodes response_policy:all_succeeded"}},
};
static_assert(table_is_valid(kRuleRows));

// ---- the filters of keys

// A log, or a replica, whose filter of before may be another one, begins with an empty one, too.
void tell_of_empty(Context& ctx, const Rule& rule) {
  if (!decides(ctx) || rule.filter->size() > 0 || !ctx.effects.wanted()) return;
  ctx.effects.replace({"CACHE.LOADCHUNK", rule.prefix, "0", rule.filter->header()});
}

// Replies how many of the keys a filter has taken in, or had.
Status cmd_know(Context& ctx) {
  Rules& rules = ctx.engine.guard.rules;
  uint64_t known = 0;
  for (const ByteView key : ctx.argv.subspan(1)) {
    Rule* const rule = rules.find(key);
    // What a log tells of a filter that was begun before it would not be all that it knew.
    if (rule == nullptr || rule->awaits_filter()) continue;
    rules.filter_of(*rule);
    for (const Rule* each = rule; each != nullptr; each = each->parent) {
      if (each->filter != nullptr) tell_of_empty(ctx, *each);
    }
    rules.feed(key);
    ++known;
  }
  if (ctx.effects.is_explicit()) ctx.effects.replace(ctx.argv);
  ctx.changes += known;
  if (known > 0) ctx.only_ours();
  ctx.reply.integer(static_cast<int64_t>(known));
  return Status::ok();
}

// Replies how many of the keys were known. One that was not must not be removed: it could take
// another one's place away.
Status cmd_forget(Context& ctx) {
  uint64_t forgotten = 0;
  for (const ByteView key : ctx.argv.subspan(1)) {
    if (ctx.engine.guard.rules.forget(key)) ++forgotten;
  }
  ctx.changes += forgotten;
  if (forgotten > 0) ctx.only_ours();
  ctx.reply.integer(static_cast<int64_t>(forgotten));
  return Status::ok();
}

// CACHE.LOADCHUNK prefix position piece: how a log of commands and a stream hold a filter
// (datastructs/key_filter_pieces.h).
Status cmd_load_chunk(Context& ctx) {
  OURO_TRY(const int64_t position, ctx.integer(2));
  if (position < 0) return Err::kOutOfRange;
  FilterIntake& filter = ctx.engine.guard.filters_to_come;
  const FilterPiece piece{ctx.argv[1], static_cast<uint64_t>(position), ctx.argv[3]};
  if (!filter.take(piece).is_ok())
    return ctx.fail_text("ERR no piece of a filter that comes next, or a damaged one");
  if (filter.is_whole()) ctx.engine.guard.rules.take_filter(filter.prefix(), filter.finish());
  ++ctx.changes;
  ctx.only_ours();
  ctx.reply.ok();
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "CACHE.FORGET",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {key_range(1, -1, 1, kReadWrite | kDelete)},
     .acl = Acl::kKeyspace,
     .handler = cmd_forget,
     .doc = {.summary = "Tells the filters of keys that these do not exist any more.",
             .complexity = "O(N), N keys",
             .since = "0.1.0",
             .group = "module",
             .args = "key:key#0..."}},
    {.name = "CACHE.KNOW",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {key_range(1, -1, 1, kReadWrite | kInsert)},
     .acl = Acl::kKeyspace,
     .handler = cmd_know,
     .doc = {.summary = "Tells the filters of keys that these exist, so that others may be denied.",
             .complexity = "O(N), N keys",
             .since = "0.1.0",
             .group = "module",
             .args = "key:key#0..."}},
    {.name = "CACHE.LOADCHUNK",
     .arity = exactly(4),
     .flags = Flag::kAdmin | Flag::kWrite | Flag::kDenyOom | Flag::kNoScript,
     .handler = cmd_load_chunk,
     .doc = {.summary = "Restores a piece of the filter of a rule's keys.",
             .complexity = "O(N), N bytes",
             .since = "0.1.0",
             .group = "module",
             .args = "prefix:string iterator:integer data:string"}},
    {.name = "CACHE.RULE",
     .arity = at_least(2),
     .subcommands = kRuleRows,
     .doc = {.summary = "Sets what protects the database behind keys of a prefix.",
             .complexity = "By subcommand",
             .since = "0.1.0",
             .group = "module"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kCacheRuleCommands = kRows;

}  // namespace ouro
