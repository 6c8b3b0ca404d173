// SPDX-License-Identifier: BSD-3-Clause
// The logical databases of one cache: a fixed number of keyspaces over one heap and one queue of
// lazy frees.
#pragma once

#include <memory>
#include <vector>

#include "datastructs/keyspace/keyspace.h"

namespace ouro {

class Databases {
 public:
  Databases(Heap& heap, HashSeed seed, uint32_t count)
      : own_lazy_free_(std::make_unique<LazyFree>(heap)), lazy_free_(*own_lazy_free_) {
    add(heap, seed, count);
  }
  // To change places with others, which outlive them: what they free waits in the others' queue.
  Databases(Heap& heap, HashSeed seed, uint32_t count, LazyFree& lazy_free)
      : lazy_free_(lazy_free) {
    add(heap, seed, count);
  }

  uint32_t count() const { return static_cast<uint32_t>(all_.size()); }
  Keyspace& operator[](DbIndex index) { return *all_[index]; }
  const Keyspace& operator[](DbIndex index) const { return *all_[index]; }
  LazyFree& lazy_free() { return lazy_free_; }

  size_t size() const {
    size_t keys = 0;
    for (const auto& db : all_) keys += db->size();
    return keys;
  }

 private:
  void add(Heap& heap, HashSeed seed, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i)
      all_.push_back(std::make_unique<Keyspace>(heap, seed, lazy_free_, i));
  }

  std::unique_ptr<LazyFree> own_lazy_free_;
  LazyFree& lazy_free_;
  std::vector<std::unique_ptr<Keyspace>> all_;
};

}  // namespace ouro
