// SPDX-License-Identifier: BSD-3-Clause
// Rules: what an operator has said about the keys of a prefix (CACHE.RULE), and what is kept for
// them while the server runs. Of the rules whose prefix a key begins with, the longest holds; the
// empty prefix is that of all keys. They are this node's own: never replicated, kept as lines
// `cache-rule` of the configuration.
//
//      rules_   "a:"  "a:b:"  "a:b:c"  "b:"      sorted by prefix
//                 ^------'^-----'                parent: the longest other rule that is its prefix
//
// The rule of a key is the last one that is not greater than the key, or the first of its parents
// that matches: whatever stands between a matching prefix and the key begins with that prefix, too.
// Cost: find() O(log n) comparisons and a step for each parent, no allocation; nothing when there
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

namespace ouro {

struct RuleSettings {
  uint32_t jitter_percent = 0;  // of a SET's time to live, at most kJitterMax
  Millis stale = 0;             // how long a value is kept after its end; 0: not said
  Millis negative = 0;          // how long CACHE.NIL holds; 0: not said
  Millis lease = 0;             // how long a loader may take; 0: not said
  LoadLimit::Limits loads;
  bool filter = false;  // what the filter does not know does not exist

  static constexpr uint32_t kJitterMax = 100;
  // A value that ended a week ago is no substitute any more.
  static constexpr Millis kStaleMax = 7 * 24 * 3'600'000;
  static constexpr Millis kNegativeMax = 600'000;
  static constexpr Millis kLeaseMin = 10;
  static constexpr Millis kLeaseMax = 600'000;
};

// Some of the settings: what CACHE.RULE SET says.
struct RuleChange {
  std::optional<uint32_t> jitter_percent;
  std::optional<Millis> stale, negative, lease;
  std::optional<uint32_t> loads;
  std::optional<uint32_t> rate_count;  // with rate_period
  Millis rate_period = 0;
  std::optional<bool> filter;
};
// From words such as `JITTER 10 RATE 100 1000 FILTER ON`, in any order and case.
// Errors: Err::kSyntax, Err::kNotAnInteger, Err::kOutOfRange.
Result<RuleChange> parse_rule_change(Argv words);

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

  // `JITTER 10 FILTER ON`: all that is set, as parse_rule_change() takes it.
  std::string text() const;

  const std::string prefix;
  RuleSettings settings;
  LoadLimit load_limit;
  std::unique_ptr<KeyFilter> filter;  // there if settings.filter
  RuleCounters counters;
  const Rule* parent = nullptr;
};

class Rules {
 public:
  // Enough for every kind of key that an application has; each may hold a filter and loads.
  static constexpr size_t kRulesMax = 1024;
  static constexpr size_t kPrefixBytesMax = 512;

  Rules(Heap& heap, HashSeed seed) noexcept : heap_(heap), seed_(seed) {}
  ~Rules();
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  // Makes the rule if there is none, and changes what is said. A filter that is switched on begins
  // empty; one that is switched off is let go of.
  // Errors: Err::kTooBig - kRulesMax or kPrefixBytesMax.
  Result<Rule*> set(ByteView prefix, const RuleChange& change);
  bool erase(ByteView prefix);
  void clear();

  bool empty() const noexcept { return rules_.empty(); }
  size_t size() const noexcept { return rules_.size(); }
  // The rule that holds for this key, or null. Stays valid until it is erased.
  Rule* find(ByteView key) const noexcept { return rules_.empty() ? nullptr : find_longest(key); }
  // The rule of exactly this prefix, or null.
  Rule* find_exact(ByteView prefix) const noexcept;
  // In the order of their prefixes; must not change them.
  void for_each(FunctionRef<void(Rule&)> visit) const;

  // Frees what filters that were let go of still hold, up to `budget` chunks, which is counted
  // down. True when nothing is left.
  bool free_some(size_t& budget) noexcept;
  void check_invariants() const;

 private:
  Rule* find_longest(ByteView key) const noexcept;
  size_t place_of(ByteView prefix) const noexcept;
  void set_parents() noexcept;
  void set_filter(Rule& rule, bool on);

  Heap& heap_;
  HashSeed seed_;
  std::vector<std::unique_ptr<Rule>> rules_;
  std::vector<std::unique_ptr<KeyFilter>> leaving_;
};

}  // namespace ouro
