// SPDX-License-Identifier: BSD-3-Clause
#include "server/protect/guard.h"

namespace ouro {

uint64_t Guard::next_token(Micros wall) {
  last_token_ = std::max(last_token_ + 1, static_cast<uint64_t>(std::max<Micros>(wall, 1)));
  CHECK(last_token_ <= kTokenMax);
  return last_token_;
}

Guard::Answer Guard::ask(const Asked& asked) {
  const Lease* lease = leases.find(asked.db, asked.key);
  if (lease != nullptr && lease->holds(asked.now)) {
    const bool is_mine =
        lease->state == Lease::State::kLive && lease->holder == asked.holder && asked.holder != 0;
    return {.kind = Answer::kTaken, .until = lease->until, .is_mine = is_mine};
  }
  // One that is over now, before the slice that ends it.
  if (lease != nullptr && lease->state == Lease::State::kLive) {
    size_t budget = ~size_t{0};
    end_due(asked.now, budget);
  }
  Rule* rule = asked.rule;
  if (rule != nullptr) {
    const Instant next = rule->load_limit.next_begin(asked.now);
    if (next > asked.now) {
      ++counters.shed;
      ++rule->counters.shed;
      return {.kind = Answer::kShed, .until = next};
    }
  }
  Millis time = asked.lease;
  if (time == 0 && rule != nullptr) time = rule->settings.lease;
  if (time == 0) time = kLeaseDefault;
  const uint64_t token = next_token(asked.wall);
  if (!leases.grant(asked.db, asked.key, {token, asked.holder, asked.now, time},
                    asked.leases_max)) {
    ++counters.shed;
    return {.kind = Answer::kShed, .until = instant_after(asked.now, kFullRetry)};
  }
  ++counters.leases_granted;
  if (rule != nullptr) {
    ++rule->counters.leases_granted;
    rule->load_limit.begin(token, asked.now, instant_after(asked.now, time));
  }
  return {.kind = Answer::kLoad, .token = token};
}

Guard::Loaded Guard::accept(DbIndex db, const Key& key, uint64_t token, Instant now) {
  Rule* rule = rules.find(key.bytes);
  if (rule != nullptr) rule->load_limit.end(token, LoadEnd::kAnswered, now);
  const auto granted = leases.take(db, key, token);
  if (!granted) {
    ++counters.refused_sets;
    if (rule != nullptr) ++rule->counters.refused_sets;
    return {.accepted = false, .load_ms = 0};
  }
  const Micros took = std::max<Micros>(now - *granted, 0);
  counters.load_time.record(static_cast<uint64_t>(took) * 1000);
  const Micros ms = std::clamp<Micros>((took + 999) / 1000, 1, UINT32_MAX);
  return {.accepted = true, .load_ms = static_cast<uint32_t>(ms)};
}

bool Guard::give_up(DbIndex db, const Key& key, uint64_t token, Instant now, Millis cool_down) {
  if (Rule* rule = rules.find(key.bytes)) rule->load_limit.end(token, LoadEnd::kFailed, now);
  if (cool_down > 0) return leases.cool(db, key, token, instant_after(now, cool_down));
  return leases.take(db, key, token).has_value();
}

void Guard::reset_counters() {
  counters = {};
  rules.for_each([](Rule& rule) { rule.counters = {}; });
}

void Guard::end_due(Instant now, size_t& budget) {
  leases.end_due(now, budget, [&](const Lease& lease) {
    ++counters.leases_expired;
    Rule* rule = rules.find(lease.key());
    if (rule == nullptr) return;
    ++rule->counters.leases_expired;
    rule->load_limit.end(lease.token, LoadEnd::kExpired, now);
  });
}

}  // namespace ouro
