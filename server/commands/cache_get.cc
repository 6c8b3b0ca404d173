// SPDX-License-Identifier: BSD-3-Clause
// CACHE.GET, CACHE.MGET: one way to read that also says who is to load what is not there. The
// answer is [state, value or null, number]:
//
//      HIT     the value, ms left (-1: for ever)        use it
//      LOAD    a stale value or null, the token         load it, then SET ... LEASE token
//      STALE   the value, ms since it ended             use it; somebody loads, or too many do
//      BUSY    null, ms to wait                         somebody loads
//      ABSENT  null, ms left (-1: by the filter)        the database does not have it
//      MISS    null, 0                                  this node gives no leases
#include <cmath>

#include "server/commands/cache_parts.h"
#include "server/commands/string_value.h"
#include "server/commands/tables.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// Above this a value would be loaded again and again long before its end.
constexpr double kBetaMax = 1000;

struct Wanted {
  Millis wait = 0;
  Millis lease = 0;
  double beta = 0;
};

Result<Wanted> parse_wanted(const Context& ctx) {
  Wanted wanted;
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    if (args.word("WAIT")) {
      wanted.wait = take_millis(args, 0, kWaitMax);
    } else if (args.word("LEASE")) {
      wanted.lease = take_millis(args, kLeaseMin, kLeaseMax);
    } else if (args.word("EARLY")) {
      wanted.beta = args.real();
      if (!(wanted.beta >= 0 && wanted.beta <= kBetaMax)) args.fail(Err::kOutOfRange);
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  return wanted;
}

// One key of either command.
class Reading {
 public:
  Reading(Context& ctx, const Key& key, const Wanted& wanted)
      : ctx_(ctx), key_(key), wanted_(wanted), rule_(rule_of(ctx, key)) {}

  // Err::kBlocked: it waits.
  Status run() {
    OURO_TRY(Entry * entry, ctx_.find_string(key_));
    if (entry != nullptr) return read_fresh(*entry);
    if (Guard::knows_absent(rule_, key_.bytes)) {
      count(&CacheCounters::filter_rejects, &RuleCounters::filter_rejects);
      return answer("ABSENT", nullptr, -1);
    }
    const Aside* aside = ctx_.db.aside();
    if (const UnixMs until = aside == nullptr ? 0 : aside->absent_until(key_, ctx_.now)) {
      count(&CacheCounters::negative_hits, &RuleCounters::negative_hits);
      return answer("ABSENT", nullptr, until - ctx_.now);
    }
    return read_elsewhere(find_stale());
  }

 private:
  Guard& guard() { return ctx_.engine.guard; }

  bool may_grant() const {
    const Origin origin = ctx_.caller.origin;
    return (origin == Origin::kClient || origin == Origin::kEmbedded) &&
           !ctx_.caller.txn.executing && !ctx_.engine.replication.follows();
  }

  Guard::Answer ask() {
    return guard().ask({.db = ctx_.caller.db,
                        .key = key_,
                        .rule = rule_,
                        .holder = ctx_.caller.session == nullptr ? 0 : ctx_.caller.session->id,
                        .lease = wanted_.lease,
                        .now = ctx_.engine.instant(),
                        .wall = ctx_.engine.wall_micros(),
                        .leases_max = ctx_.engine.options.cache_max_leases});
  }

  Status read_fresh(const Entry& entry) {
    if (is_early(entry)) {
      if (const Guard::Answer asked = ask(); asked.kind == Guard::Answer::kLoad) {
        count(&CacheCounters::early, &RuleCounters::early);
        return grant(&entry, asked);
      }
    }
    count(&CacheCounters::hits, &RuleCounters::hits);
    return answer("HIT", &entry,
                  entry.has_deadline() ? std::max<Millis>(entry.deadline() - ctx_.now, 0) : -1);
  }

  bool is_early(const Entry& entry) {
    if (wanted_.beta == 0 || !entry.has_deadline() || entry.fill().load_ms == 0 || !may_grant() ||
        guard().is_taken(ctx_.caller.db, key_, ctx_.engine.instant()))
      return false;
    const EarlyLoad value{.fresh_until = entry.deadline(),
                          .load_time = Micros{entry.fill().load_ms} * 1000,
                          .beta = wanted_.beta};
    return should_load_early(value, ctx_.now, ctx_.prng().unit());
  }

  // Where nothing ends by the clock (a replica), it is where it was.
  const Entry* find_stale() {
    if (Aside* aside = ctx_.db.aside()) {
      if (const Entry* stale = aside->find_stale(key_, ctx_.now)) return stale;
    }
    const Entry* entry = ctx_.db.find(key_);
    const bool is_stale = entry != nullptr && entry->is_string() && entry->is_due(ctx_.now) &&
                          ctx_.now < entry->stale_until();
    return is_stale ? entry : nullptr;
  }

  Status read_elsewhere(const Entry* stale) {
    if (!may_grant()) return stale != nullptr ? show_stale(*stale) : answer("MISS", nullptr, 0);
    const Guard::Answer asked = ask();
    if (asked.kind == Guard::Answer::kLoad) return grant(stale, asked);
    if (stale != nullptr) return show_stale(*stale);
    const Millis wait = (asked.until - ctx_.engine.instant() + 999) / 1000;
    if (asked.kind == Guard::Answer::kTaken && !asked.is_mine && wanted_.wait > 0 &&
        ctx_.may_block()) {
      return ctx_.block({&key_.bytes, 1}, wanted_.wait, wait);
    }
    return answer("BUSY", nullptr, wait);
  }

  Status grant(const Entry* value, const Guard::Answer& asked) {
    ctx_.engine.notify(ctx_.caller.db, key_.bytes, Event::kLease, "lease");
    return answer("LOAD", value, static_cast<int64_t>(asked.token));
  }

  Status show_stale(const Entry& stale) {
    count(&CacheCounters::stale_served, &RuleCounters::stale_served);
    const UnixMs ended =
        &stale == ctx_.db.find(key_) ? stale.deadline() : stale.deadline() - stale.fill().stale_ms;
    return answer("STALE", &stale, std::max<Millis>(ctx_.now - ended, 0));
  }

  void count(uint64_t CacheCounters::*all, uint64_t RuleCounters::*of_rule) {
    ++(guard().counters.*all);
    if (rule_ != nullptr) ++(rule_->counters.*of_rule);
  }

  Status answer(ByteView state, const Entry* value, int64_t number) {
    if (ctx_.woken_by != nullptr) ++guard().counters.woken;
    ctx_.reply.array(3);
    ctx_.reply.bulk(state);
    value == nullptr ? ctx_.reply.null() : reply_string(ctx_.reply, *value);
    ctx_.reply.integer(number);
    return Status::ok();
  }

  Context& ctx_;
  const Key key_;
  const Wanted& wanted_;
  Rule* rule_;
};

// CACHE.GET key [WAIT ms] [LEASE ms] [EARLY beta]
Status cmd_cache_get(Context& ctx) {
  OURO_TRY(const Wanted wanted, parse_wanted(ctx));
  return Reading(ctx, ctx.key(1), wanted).run();
}

// CACHE.MGET key [key ...]
Status cmd_cache_mget(Context& ctx) {
  for (size_t i = 1; i < ctx.argv.size(); ++i) {
    const Entry* entry = ctx.find_in(ctx.caller.db, ctx.key(i));
    if (entry != nullptr && !entry->is_string()) return Err::kWrongType;
  }
  ctx.reply.array(ctx.argv.size() - 1);
  for (size_t i = 1; i < ctx.argv.size(); ++i) OURO_TRY(Reading(ctx, ctx.key(i), {}).run());
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "CACHE.GET",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kFast | Flag::kBlocking | Flag::kToldOfRemoval |
              Flag::kAnswersLate,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kString,
     .handler = cmd_cache_get,
     .doc = {.summary = "Returns a string, or says who is to load it.",
             .complexity = "O(1)",
             .since = "0.1.0",
             .group = "string",
             .args =
                 "key:key#0 [WAIT=wait-milliseconds:integer] [LEASE=lease-milliseconds:integer] "
                 "[EARLY=beta:double]"}},
    {.name = "CACHE.MGET",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {key_range(1, -1, 1, kReadOnly | kAccess)},
     .acl = Acl::kString,
     .handler = cmd_cache_mget,
     .doc = {.summary = "Returns strings, or says for each who is to load it.",
             .complexity = "O(N), N keys",
             .since = "0.1.0",
             .group = "string",
             .args = "key:key#0..."}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kCacheGetCommands = kRows;

}  // namespace ouro
