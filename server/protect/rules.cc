// SPDX-License-Identifier: BSD-3-Clause
#include "server/protect/rules.h"

#include <algorithm>

namespace ouro {

Result<Rule*> Rules::set(ByteView prefix, const RuleChange& change) {
  OURO_TRY(Rule * rule, load(prefix, change));
  if (rule->settings.filter != 0) filter_of(*rule);
  return rule;
}

Result<Rule*> Rules::load(ByteView prefix, const RuleChange& change) {
  const size_t place = place_of(prefix);
  if (!is_at(place, prefix)) {
    if (rules_.size() >= kRulesMax || prefix.size() > kPrefixBytesMax) return Err::kTooBig;
    rules_.insert(rules_.begin() + static_cast<std::ptrdiff_t>(place),
                  std::make_unique<Rule>(heap_, prefix));
    set_parents();
  }
  Rule& rule = *rules_[place];
  change.apply_to(rule.settings);
  if (change.says(&RuleSettings::filter) && rule.settings.filter == 0) drop_filter(rule);
  rule.load_limit.set_limits({.loads = static_cast<uint32_t>(rule.settings.loads),
                              .rate_count = static_cast<uint32_t>(rule.settings.rate_count),
                              .rate_period = rule.settings.rate_period});
  sum_up();
  return &rule;
}

bool Rules::erase(ByteView prefix) {
  const size_t place = place_of(prefix);
  if (!is_at(place, prefix)) return false;
  drop_filter(*rules_[place]);
  rules_.erase(rules_.begin() + static_cast<std::ptrdiff_t>(place));
  set_parents();
  sum_up();
  return true;
}

KeyFilter& Rules::filter_of(Rule& rule) {
  if (rule.filter == nullptr) {
    rule.filter = std::make_unique<KeyFilter>(heap_, seed_);
    sum_up();
  }
  return *rule.filter;
}

bool Rules::forget(ByteView key) noexcept {
  bool was_known = false;
  for (const Rule* rule = find(key); rule != nullptr; rule = rule->parent) {
    if (rule->filter != nullptr && rule->filter->remove(key)) was_known = true;
  }
  return was_known;
}

void Rules::take_filter(ByteView prefix, std::unique_ptr<KeyFilter> filter) {
  Rule* const rule = find_exact(prefix);
  if (rule == nullptr) return leaving_.push_back(std::move(filter));
  drop_filter(*rule);
  rule->filter = std::move(filter);
  sum_up();
}

void Rules::drop_filter(Rule& rule) {
  if (rule.filter != nullptr) leaving_.push_back(std::move(rule.filter));
}

void Rules::switch_off_lost_filters(FunctionRef<void(const Rule&)> tell) {
  for (const auto& rule : rules_) {
    if (!rule->awaits_filter()) continue;
    rule->settings.filter = 0;
    tell(*rule);
  }
}

Rule* Rules::find_longest(ByteView key) const noexcept {
  const auto greater =
      std::upper_bound(rules_.begin(), rules_.end(), key,
                       [](ByteView bytes, const auto& rule) { return bytes < rule->prefix; });
  if (greater == rules_.begin()) return nullptr;
  Rule* rule = std::prev(greater)->get();
  while (rule != nullptr && !key.starts_with(rule->prefix)) rule = rule->parent;
  return last_ = rule;
}

Rule* Rules::find_exact(ByteView prefix) const noexcept {
  const size_t place = place_of(prefix);
  return is_at(place, prefix) ? rules_[place].get() : nullptr;
}

void Rules::for_each(FunctionRef<void(Rule&)> visit) const {
  for (const auto& rule : rules_) visit(*rule);
}

size_t Rules::place_of(ByteView prefix) const noexcept {
  const auto found =
      std::lower_bound(rules_.begin(), rules_.end(), prefix,
                       [](const auto& rule, ByteView bytes) { return rule->prefix < bytes; });
  return static_cast<size_t>(found - rules_.begin());
}

bool Rules::is_at(size_t place, ByteView prefix) const noexcept {
  return place < rules_.size() && rules_[place]->prefix == prefix;
}

// The parent of each is the one before it, or among that one's parents.
void Rules::set_parents() noexcept {
  last_ = nullptr;
  for (const auto& rule : rules_) rule->is_parent = false;
  Rule* before = nullptr;
  for (const auto& rule : rules_) {
    while (before != nullptr && !rule->prefix.starts_with(before->prefix)) before = before->parent;
    rule->parent = before;
    if (before != nullptr) before->is_parent = true;
    before = rule.get();
  }
}

void Rules::sum_up() noexcept {
  have_filters_ = keep_stale_ = false;
  for (const auto& rule : rules_) {
    have_filters_ |= rule->filter != nullptr;
    keep_stale_ |= rule->settings.stale > 0;
  }
}

bool Rules::free_some(size_t& budget) noexcept {
  while (!leaving_.empty() && leaving_.back()->free_some(budget)) leaving_.pop_back();
  return leaving_.empty();
}

void Rules::check_invariants() const {
  const Rule* before = nullptr;
  for (const auto& rule : rules_) {
    if (before != nullptr) CHECK(before->prefix < rule->prefix);
    if (rule->parent != nullptr) {
      CHECK(rule->prefix.starts_with(rule->parent->prefix));
      CHECK(rule->prefix != rule->parent->prefix);
      CHECK(rule->parent->is_parent);
    }
    before = rule.get();
    if (rule->filter != nullptr) CHECK(have_filters_);
    if (rule->settings.stale > 0) CHECK(keep_stale_);
  }
}

}  // namespace ouro
