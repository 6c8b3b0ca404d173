// SPDX-License-Identifier: BSD-3-Clause
// What waits to be freed: values whose keys are gone and tables that were flushed. Freed in slices
// between turns, so that deleting a set of ten million members holds nobody up. What a frozen view
// has still to save (freeze.h) stays here until the view has ended. Bounded by nothing but memory
// that was in use before.
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
  void free_now(std::unique_ptr<Dict<Entry>> table);

  // Frees up to `budget` allocations, where large blocks count as several, and at most kEffortMin
  // more; true when nothing is left that can be freed.
  bool run(size_t budget);
  bool empty() const { return values_.empty() && tables_.empty(); }
  // Keys and values that wait (INFO lazyfree_pending_objects), and those freed so far.
  size_t pending_objects() const { return pending_; }
  uint64_t freed_objects() const { return freed_; }
  void reset_stats() { freed_ = 0; }

 private:
  struct Waiting {
    Value value;
    // While a view reads it: what it had when it came, as part of Heap::kept_bytes().
    size_t kept_bytes;
  };

  void push(Value value);
  bool free_some(Value& value, size_t most, size_t& budget);
  bool free_values(size_t& budget);
  bool free_tables(size_t& budget);
  bool free_entries(Dict<Entry>& table, size_t effort_max, size_t& budget);
  void count_freed();

  Heap& heap_;
  std::deque<Waiting> values_;
  std::deque<std::unique_ptr<Dict<Entry>>> tables_;
  size_t pending_ = 0;
  uint64_t freed_ = 0;
};

}  // namespace ouro
