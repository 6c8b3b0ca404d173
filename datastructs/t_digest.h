// SPDX-License-Identifier: BSD-3-Clause
// TDigest: quantiles of a stream of numbers in little memory, by a merging t-digest (Dunning and
// Ertl 2019: "Computing extremely accurate quantiles using t-digests").
//
//      TDigest -> | compression, min, max, weights | nodes |      one block
//                                                     |
//                       merged centroids, ordered | added since | room      ChunkedBytes
//
// A centroid stands for samples that lie together: their mean and how many they are. New samples
// are put behind the merged ones; when the room of capacity() is used up, all are ordered, and
// neighbours are joined as long as the sum stays below a bound that is tight at both ends and wide
// in the middle. So the extremes are kept one by one, and about `compression` centroids are enough.
//
// Asking changes nothing: view() orders and joins a copy. A replica, which is not asked, thus has
// the same bytes, and its answers are the same ones.
// Bounds of centroids, capacity and interpolation are those of the module RedisBloom.
// Invariants: the merged centroids are ordered; every mean lies in [min, max].
// Cost: add is O(1), and every capacity()'s one orders all nodes. view() costs that if anything was
// added since.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/result.h"
#include "datastructs/base/units.h"

namespace ouro {

class TDigest {
 public:
  struct Centroid {
    double mean;
    double weight;  // an integer
  };
  // A digest at rest, for questions.
  class View {
   public:
    double total() const noexcept { return total_; }
    // In order of their means.
    std::span<const Centroid> centroids() const noexcept { return centroids_; }
    double min() const noexcept { return min_; }  // not-a-number if it is empty
    double max() const noexcept { return max_; }
    // The sample at so many samples from the lowest; not-a-number if there is none.
    double value_at(double index) const noexcept;
    // 0 <= q <= 1.
    double quantile(double q) const noexcept { return value_at(q * total_); }
    // The share of samples below x, and half of those equal to it.
    double cdf(double x) const noexcept;
    // The mean of the samples between two quantiles, low < high.
    double trimmed_mean(double low, double high) const noexcept;

   private:
    friend class TDigest;
    double below_first(double x) const noexcept;
    double above_last(double x) const noexcept;

    std::vector<Centroid> centroids_;
    double total_ = 0;
    double min_ = 0;
    double max_ = 0;
  };

  static constexpr int64_t kCompressionDefault = 100;
  // Ten times what is called very large: to order all nodes takes some milliseconds then.
  static constexpr int64_t kCompressionMax = 10'000;

  TDigest() = default;
  // 0 < compression <= kCompressionMax.
  static TDigest create(Heap& heap, int64_t compression) noexcept;
  void destroy(Heap& heap) noexcept;
  TDigest copy(Heap& heap) const noexcept;
  // The same as it is now, for reading and destroy(), while this one goes on: see ChunkedBytes.
  TDigest share(Heap& heap) const noexcept;

  // A finite number.
  void add(Heap& heap, double sample);
  // As if all samples of the other were added, as far as its centroids tell. Not itself.
  void merge(Heap& heap, const TDigest& other);
  // As if new.
  void reset(Heap& heap) noexcept;
  View view() const;

  double min() const noexcept;  // not-a-number if it is empty
  double max() const noexcept;
  int64_t compression() const noexcept;
  uint32_t capacity() const noexcept;  // of nodes
  uint32_t merged_nodes() const noexcept;
  uint32_t unmerged_nodes() const noexcept;
  double merged_weight() const noexcept;
  double unmerged_weight() const noexcept;
  uint64_t compressions() const noexcept;  // how often nodes were joined
  // What TDIGEST.INFO calls its memory: as RedisBloom counts it, so the same there and here.
  uint64_t reported_bytes() const noexcept;

  // ---- dump: a digest is saved at rest, as its view
  struct Saved {
    int64_t compression = 0;
    double min = 0;  // of no meaning without centroids, and so is max
    double max = 0;
    uint64_t compressions = 0;
    std::span<const Centroid> centroids;
  };
  // Errors: Err::kCorrupt.
  static Result<TDigest> from_saved(Heap& heap, const Saved& saved);

  ByteView encoding() const noexcept { return "raw"; }
  // All that makes up the contents, for digests.
  void for_each_part(FunctionRef<void(ByteView)> visit) const;
  size_t memory_bytes() const noexcept;
  size_t free_effort() const noexcept;
  bool free_some(Heap& heap, size_t& budget) noexcept;
  void check_invariants() const;

 private:
  struct Table;

  void add(Heap& heap, const Centroid& centroid);
  void compress(Heap& heap);

  Table* table_ = nullptr;
};

static_assert(sizeof(TDigest) == 8);

}  // namespace ouro
