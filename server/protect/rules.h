// SPDX-License-Identifier: BSD-3-Clause
// Rules: what an operator has said about the keys of a prefix (CACHE.RULE), and what is kept for
// them while the server runs. Of the rules whose prefix a key begins with the longest holds; the
// empty prefix is that of all keys. They are this node's own: never replicated, kept as lines
// `cache-rule` of the configuration.
//
//      rules_   "a:"  "a:b:"  "a:b:c"  "b:"      sorted by prefix
//                 ^------'^-----'                parent: the longest other rule that is its prefix
//
// The rule of a key is the last one that is not greater than the key, or the first of its parents
// that matches: whatever stands between a matching prefix and the key begins with that prefix, too.
// Cost: find() O(log n) comparisons and a step for each parent, no allocation; one test when there
// is no rule. set() and erase() are linear.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/result.h"
#include "datastructs/key_filter.h"
#include "server/protect/load_limit.h"
#include "server/protect/rule_settings.h"

namespace ouro {

// What INFO cache tells of a rule.
struct RuleCounters {
  uint64_t hits = 0;
  uint64_t leases_granted = 0;
  uint64_t leases_expired = 0;
  uint64_t refused_sets = 0;
  uint64_t stale_served = 0;
  uint64_t negative_hits = 0;
  uint64_t filter_rejects = 0;
  uint64_t shed = 0;  // loads that LOADS or RATE did not allow
  uint64_t early = 0;
};

struct Rule {
  Rule(Heap& heap, ByteView its_prefix) : prefix(its_prefix), load_limit(heap) {}

  // ---- the existence filter
  // The key surely does not exist, says who switched FILTER on.
  bool denies(ByteView key) const noexcept {
    return settings.filter != 0 && filter != nullptr && !filter->may_contain(key);
  }
  // Its filter is on, but has not come with the data: while loading only (Rules::load).
  bool awaits_filter() const noexcept { return settings.filter != 0 && filter == nullptr; }
  const std::string prefix;
  RuleSettings settings;
  LoadLimit load_limit;
  // Knows all keys that begin with the prefix, those of longer rules as well: when one of these is
  // erased its keys are this rule's. Begun by the first CACHE.KNOW or FILTER ON, ended by FILTER
  // OFF. While FILTER is not on it is filled and denies nothing.
  std::unique_ptr<KeyFilter> filter;
  RuleCounters counters;
  Rule* parent = nullptr;
  bool is_parent = false;  // of a rule whose prefix is longer
};

class Rules {
 public:
  // Enough for every kind of key that an application has; each may hold a filter and loads.
  static constexpr size_t kRulesMax = 1024;
  // Longer than any name of a kind of key; it stands in a line of a file.
  static constexpr size_t kPrefixBytesMax = 512;
  // Err::kTooBig for people.
  static constexpr ByteView kLimitsText =
      "there may be 1024 cache rules, with prefixes of at most 512 bytes";

  Rules(Heap& heap, HashSeed seed) noexcept : heap_(heap), seed_(seed) {}
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  // Makes the rule if there is none, and changes what is said. FILTER ON begins a filter if there
  // is none, FILTER OFF lets it go.
  // Errors: Err::kTooBig - more than kRulesMax, or than kPrefixBytesMax.
  Result<Rule*> set(ByteView prefix, const RuleChange& change);
  // The same from where rules were saved: a filter that is on is not begun but waited for.
  Result<Rule*> load(ByteView prefix, const RuleChange& change);
  bool erase(ByteView prefix);
  // The rule's filter, empty if it had none.
  KeyFilter& filter_of(Rule& rule);
  // The key was written, so it exists.
  void feed(ByteView key) noexcept {
    for (const Rule* rule = find(key); rule != nullptr; rule = rule->parent) {
      if (rule->filter != nullptr) rule->filter->add(key);
    }
  }
  // It does not exist any more. False if no filter knew it.
  bool forget(ByteView key) noexcept;
  // One that was saved takes the place of the rule's, if there is such a rule.
  void take_filter(ByteView prefix, std::unique_ptr<KeyFilter> filter);
  // A filter that was not saved knows nothing and must not deny what exists: switches FILTER off
  // where it is on and there is none, and tells of each. After loading.
  void switch_off_lost_filters(FunctionRef<void(const Rule&)> tell);

  bool empty() const noexcept { return rules_.empty(); }
  // Any of them has a filter, which every write of a key feeds.
  bool have_filters() const noexcept { return have_filters_; }
  // Any of them keeps values beyond their end.
  bool keep_stale() const noexcept { return keep_stale_; }
  size_t size() const noexcept { return rules_.size(); }
  // The rule that holds for this key, or null. Stays where it is until it is erased.
  Rule* find(ByteView key) const noexcept {
    // Keys of one kind come together, and mostly no rule is longer than theirs.
    if (last_ != nullptr && !last_->is_parent && key.starts_with(last_->prefix)) return last_;
    return rules_.empty() ? nullptr : find_longest(key);
  }
  // The rule of exactly this prefix, or null.
  Rule* find_exact(ByteView prefix) const noexcept;
  // In the order of their prefixes; must not change which there are.
  void for_each(FunctionRef<void(Rule&)> visit) const;

  // Frees what filters that were let go of still hold, up to `budget` chunks, which is counted
  // down. True when nothing is left.
  bool free_some(size_t& budget) noexcept;
  void check_invariants() const;

 private:
  Rule* find_longest(ByteView key) const noexcept;
  // Where it is, or belongs.
  size_t place_of(ByteView prefix) const noexcept;
  bool is_at(size_t place, ByteView prefix) const noexcept;
  void set_parents() noexcept;
  void drop_filter(Rule& rule);
  // What all rules together ask for.
  void sum_up() noexcept;

  Heap& heap_;
  HashSeed seed_;
  std::vector<std::unique_ptr<Rule>> rules_;
  std::vector<std::unique_ptr<KeyFilter>> leaving_;
  mutable Rule* last_ = nullptr;  // that was found
  bool have_filters_ = false;
  bool keep_stale_ = false;
};

}  // namespace ouro
