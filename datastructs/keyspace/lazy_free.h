// SPDX-License-Identifier: BSD-3-Clause
// What waits to be freed: values whose keys are gone and tables that were flushed. Freed in slices
// between turns, so that deleting a set of ten million members holds nobody up. What a frozen view
// has still to save (freeze.h) stays here until the view has ended; what it takes is part of
// Heap::kept_bytes(), a table as soon as its entries have been counted, in slices, too. Bounded by
// nothing but memory that was in use before.
#pragma once

#include <deque>
#include <memory>

#include "datastructs/keyspace/value.h"

namespace ouro {

class LazyFree {
 public:
  // A value that takes more allocations than this is freed in slices (Redis's lazyfree threshold).
  static constexpr size_t kEffortMin = 64;

  explicit LazyFree(Heap& heap) noexcept : heap_(heap) {}
  ~LazyFree();

  void add(Value value);
  void add(std::unique_ptr<Dict<Entry>> table);
  // The same, but nothing of it waits that need not.
  void free_now(Value value) {
    if (value.has_views() || heap_.has_shares()) [[unlikely]]
      return free_read(value);
    size_t budget = ~size_t{0};
    (void)value.free_some(heap_, budget);
  }
  void free_now(std::unique_ptr<Dict<Entry>> table);

  // A share of an entry's value (shared_value.h), and its end.
  Value share_of(const Entry& entry);
  void add_share(Value share);

  // Frees up to `budget` allocations, where large blocks count as several, and at most kEffortMin
  // more; true when nothing is left that can be freed.
  bool run(size_t budget);
  bool empty() const { return values_.empty() && tables_.empty(); }
  // Keys and values that wait (INFO lazyfree_pending_objects), and those freed so far.
  size_t pending_objects() const { return pending_; }
  uint64_t freed_objects() const { return freed_; }
  void reset_stats() { freed_ = 0; }

 private:
  struct WaitingValue {
    Value value;
    bool is_share = false;
    bool is_viewed = false;
    // If somebody may still read it: what it had when it came and has not given up yet, as part of
    // Heap::kept_bytes().
    size_t kept_bytes = 0;
  };
  struct WaitingTable {
    std::unique_ptr<Dict<Entry>> table;
    // While a view reads it: what was counted of it, and where to count on, 0 at the end.
    size_t kept_bytes = 0;
    uint64_t cursor = 0;
    bool is_weighed = false;
  };

  WaitingValue waiting_of(Value value);
  void free_read(Value value);
  void push(Value value) { values_.push_back(waiting_of(value)); }
  bool weigh(WaitingTable& waiting, size_t& budget);
  bool free_some(WaitingValue& waiting, size_t most, size_t& budget);
  bool free_values(size_t& budget);
  bool free_tables(size_t& budget);
  bool free_entries(Dict<Entry>& table, size_t effort_max, size_t& budget);
  void count_freed();

  Heap& heap_;
  std::deque<WaitingValue> values_;
  std::deque<WaitingTable> tables_;
  size_t pending_ = 0;
  uint64_t freed_ = 0;
};

}  // namespace ouro
