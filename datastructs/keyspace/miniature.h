// SPDX-License-Identifier: BSD-3-Clause
// Miniatures: what the hit ratio would be with other memory. A few caches in small stand beside the
// real one, each with its share of half, as much, twice and four times the memory. They hold the
// sizes, not the values, of a sample of all keys, chosen by hash, and evict by the same order.
//
// The method is that of miniature simulation (Waldspurger, Saemundsson, Ahmad, Park: "Cache
// Modeling and Optimization using Miniature Simulations", USENIX ATC 2017) with spatial sampling as
// in SHARDS (the same, FAST 2015): a key is in the sample or not, for good. What the sample is
// short of reads, or has too many, is taken for hits: it is the hottest keys that make the
// difference.
//
// Cost: a quarter percent of the memory, half a megabyte at most; work for one read
// in 1/rate() only. Not for what it would be under another policy.
#pragma once

#include <array>

#include "datastructs/keyspace/eviction_order.h"

namespace ouro {

class Miniatures {
 public:
  static constexpr std::array<double, 4> kScales = {0.5, 1.0, 2.0, 4.0};

  Miniatures(Heap& heap, uint64_t seed);

  bool samples(Hash64 hash) const { return static_cast<uint32_t>(hash) < threshold_; }
  // The real cache holds so many keys in so many bytes: by that the sample and its caches are cut.
  void fit(size_t keys, size_t bytes);
  // A sampled key was asked for, and was there with so many bytes, or 0. reads: of all keys so far.
  void on_read(Hash64 hash, size_t bytes, uint64_t reads);
  // A sampled key was written anew.
  void on_new(Hash64 hash, size_t bytes);

  // Of 1; nothing was read: 0. The last few ten thousand reads of the sample count.
  double hit_ratio(size_t scale) const;
  double rate() const { return static_cast<double>(threshold_) / 0x1p32; }

 private:
  struct Small {
    Small(Heap& heap, HashSeed seed, uint64_t dice)
        : dbs(heap, seed, 1), order(heap, dbs, dice, [](const Entry& entry) -> size_t {
            return static_cast<size_t>(entry.integer());
          }) {
      order.start(EvictionOrder::Scope::kAll);
    }
    Databases dbs;
    EvictionOrder order;
    size_t bytes = 0;
    size_t bytes_max = 0;
    double hits = 0;
  };

  static void put(Small& small, ByteView name, size_t bytes);
  static void evict(Small& small);
  void shrink_sample();

  std::array<std::unique_ptr<Small>, kScales.size()> all_;
  uint32_t threshold_ = 0;
  double sampled_ = 0;   // reads of the sample
  double expected_ = 0;  // what it should have had of all reads
  uint64_t reads_ = 0;
};

}  // namespace ouro
