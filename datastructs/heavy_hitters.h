// SPDX-License-Identifier: BSD-3-Clause
// The names that weigh most in a stream, in bounded memory: Space-Saving (Metwally, Agrawal and El
// Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", ICDT 2005), with
// weights.
//
//   index_  name -> counter            heap_  counters, the lightest on top
//
// A name that has no counter takes over the lightest one with its weight. So a counter never tells
// too little, and too much by at most the lightest; every name of more than total / counters is
// there. Cost: a look-up and a walk down the heap. Not for exact counts, and nothing is ever
// forgotten: for a span of time one makes a new one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "datastructs/string_map.h"

namespace ouro {

class HeavyHitters {
 public:
  HeavyHitters(Heap& heap, HashSeed seed, size_t counters_max)
      : index_(heap, seed), heap_(HeapAllocator<Counter*>(heap)), counters_max_(counters_max) {}

  void add(ByteView name, uint64_t weight);

  // Up to `count` names by weight, the heaviest first: fn(name, weight).
  template <class Fn>
  void for_each_top(size_t count, Fn fn) const {
    std::vector<const Counter*> all(heap_.begin(), heap_.end());
    count = std::min(count, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                      [](const Counter* a, const Counter* b) { return a->weight > b->weight; });
    for (const Counter* counter : std::span(all).first(count))
      fn(StringMap<Counter>::key_of(*counter), counter->weight);
  }

  size_t size() const { return heap_.size(); }
  void check_invariants() const;

 private:
  struct Counter {
    uint64_t weight = 0;
    size_t place = 0;  // in the heap
  };

  void set(size_t place, Counter* counter) {
    heap_[place] = counter;
    counter->place = place;
  }
  void sift_down(size_t place);
  void sift_up(size_t place);

  StringMap<Counter> index_;
  std::vector<Counter*, HeapAllocator<Counter*>> heap_;
  size_t counters_max_;
};

}  // namespace ouro
