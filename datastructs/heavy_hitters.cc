// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/heavy_hitters.h"

namespace ouro {

void HeavyHitters::add(ByteView name, uint64_t weight) {
  if (Counter* found = index_.find(name); found != nullptr) {
    found->weight += weight;
    sift_down(found->place);
    return;
  }
  if (heap_.size() < counters_max_) {
    Counter& counter = index_.find_or_add(name);
    counter.weight = weight;
    heap_.push_back(&counter);
    sift_up(heap_.size() - 1);
    return;
  }
  const uint64_t lightest = heap_.front()->weight;
  index_.erase(StringMap<Counter>::key_of(*heap_.front()));
  Counter& counter = index_.find_or_add(name);
  counter.weight = lightest + weight;
  set(0, &counter);
  sift_down(0);
}

void HeavyHitters::sift_down(size_t place) {
  Counter* const moving = heap_[place];
  for (;;) {
    size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->weight < heap_[child]->weight) ++child;
    if (heap_[child]->weight >= moving->weight) break;
    set(place, heap_[child]);
    place = child;
  }
  set(place, moving);
}

void HeavyHitters::sift_up(size_t place) {
  Counter* const moving = heap_[place];
  while (place > 0) {
    const size_t parent = (place - 1) / 2;
    if (heap_[parent]->weight <= moving->weight) break;
    set(place, heap_[parent]);
    place = parent;
  }
  set(place, moving);
}

void HeavyHitters::check_invariants() const {
  index_.check_invariants();
  CHECK(index_.size() == heap_.size());
  CHECK(heap_.size() <= counters_max_);
  for (size_t place = 0; place < heap_.size(); ++place) {
    const Counter* counter = heap_[place];
    CHECK(counter->place == place);
    CHECK(place == 0 || heap_[(place - 1) / 2]->weight <= counter->weight);
    CHECK(index_.find(StringMap<Counter>::key_of(*counter)) == counter);
  }
}

}  // namespace ouro
