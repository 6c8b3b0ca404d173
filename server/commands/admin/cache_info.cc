// SPDX-License-Identifier: BSD-3-Clause
// INFO cache: how the database behind the cache was spared, in all and by the rule of the key.
#include <array>

#include "server/commands/admin/info_page.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// A prefix may hold what would end its line.
std::string shown_prefix(ByteView prefix) {
  std::string shown(prefix);
  for (char& c : shown) {
    if (c == '\r' || c == '\n' || c == ':' || c == ',') c = '?';
  }
  return shown;
}

void rule_line(Page& page, Rule& rule, size_t index) {
  const RuleCounters& counted = rule.counters;
  page.line(
      "cache_rule_%zu:prefix=%s,hits=%llu,leases_granted=%llu,leases_expired=%llu,refused_sets=%"
      "llu,"
      "stale_served=%llu,negative_hits=%llu,filter_rejects=%llu,shed=%llu,early=%llu,"
      "loads=%zu,filter_keys=%llu,tripped=%d",
      index, shown_prefix(rule.prefix).c_str(), static_cast<Ull>(counted.hits),
      static_cast<Ull>(counted.leases_granted), static_cast<Ull>(counted.leases_expired),
      static_cast<Ull>(counted.refused_sets), static_cast<Ull>(counted.stale_served),
      static_cast<Ull>(counted.negative_hits), static_cast<Ull>(counted.filter_rejects),
      static_cast<Ull>(counted.shed), static_cast<Ull>(counted.early),
      rule.load_limit.in_flight(page.engine.instant()),
      static_cast<Ull>(rule.filter == nullptr ? 0 : rule.filter->size()),
      rule.load_limit.is_tripped() ? 1 : 0);
}

size_t count_waiters(const Engine& engine) {
  size_t count = 0;
  for (const auto& [id, session] : engine.clients.all())
    count += session->is_blocked() && session->wait().spec->flags.has(Flag::kAnswersLate) ? 1U : 0U;
  return count;
}

struct Known {
  size_t stale = 0;
  size_t absent = 0;
  size_t absent_bytes = 0;
};

Known count_known(const Engine& engine) {
  Known known;
  for (DbIndex db = 0; db < engine.dbs.count(); ++db) {
    const Aside* aside = engine.dbs[db].aside();
    if (aside == nullptr) continue;
    known.stale += aside->stale_count();
    known.absent += aside->absent_count();
    known.absent_bytes += aside->absent_bytes();
  }
  return known;
}

// What other memory would give, while a policy keeps an order of the keys. (The whole is the last
// few ten thousand reads of the sample.)
void hit_ratio_lines(Page& page) {
  const Miniatures* miniatures = page.engine.eviction.miniatures();
  if (miniatures == nullptr) return;
  constexpr std::array kNames = {"half", "same", "double", "four_times"};
  static_assert(kNames.size() == Miniatures::kScales.size());
  for (size_t i = 0; i < kNames.size(); ++i)
    page.line("cache_hit_ratio_%s:%.4f", kNames[i], miniatures->hit_ratio(i));
  page.line("cache_sampled_keys:%.6f", miniatures->rate());
  page.line("cache_trial_share:%.4f", page.engine.eviction.order()->trial_share());
  page.value("cache_order_bytes", page.engine.eviction.order()->memory_bytes());
}

}  // namespace

void cache_section(Page& page) {
  const Guard& guard = page.engine.guard;
  const CacheCounters& counted = guard.counters;
  const Known known = count_known(page.engine);
  page.value("cache_hits", counted.hits);
  page.value("cache_leases_granted", counted.leases_granted);
  page.value("cache_leases_live", guard.leases.live_count());
  page.value("cache_leases_expired", counted.leases_expired);
  page.value("cache_refused_sets", counted.refused_sets);
  page.value("cache_refused_versions", counted.refused_versions);
  page.value("cache_waiters", count_waiters(page.engine));
  page.value("cache_woken", counted.woken);
  page.value("cache_stale_values", known.stale);
  page.value("cache_stale_served", counted.stale_served);
  page.value("cache_absent_keys", known.absent);
  page.value("cache_absent_bytes", known.absent_bytes);
  page.value("cache_negative_hits", counted.negative_hits);
  page.value("cache_filter_rejects", counted.filter_rejects);
  page.value("cache_shed", counted.shed);
  page.value("cache_early", counted.early);
  page.value("cache_load_us_p50", counted.load_time.percentile_nanos(50) / 1000);
  page.value("cache_load_us_p99", counted.load_time.percentile_nanos(99) / 1000);
  size_t index = 0;
  guard.rules.for_each([&](Rule& rule) { rule_line(page, rule, index++); });
  hit_ratio_lines(page);
}

}  // namespace ouro
