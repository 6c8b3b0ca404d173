// SPDX-License-Identifier: BSD-3-Clause
// The small form of a sorted set: a Packed run of records (member, score), ordered as in RankTree,
// with its questions.
//
//      | member | score | member | score | ...       by (score, member bytes)
//
// A score is 0, 1, 2 or 4 bytes if it is an integer that fits, else the 8 bytes of the double; -0.0
// is kept as such. Handle of one pointer, as Packed; without elements it holds no memory. Cost:
// everything walks the run from its front.
#pragma once

#include <optional>

#include "datastructs/base/function_ref.h"
#include "datastructs/packed.h"
#include "datastructs/zset_range.h"

namespace ouro {

struct ScoredView {
  ByteView member;
  double score;
};

class PackedScores {
 public:
  using At = Packed::At;

  PackedScores() = default;
  explicit PackedScores(void* block) noexcept : run_(block) {}
  void* block() const noexcept { return run_.block(); }
  void destroy(Heap& heap) noexcept { run_.destroy(heap); }
  PackedScores copy(Heap& heap) const noexcept { return PackedScores(run_.copy(heap).block()); }

  size_t size() const noexcept { return run_.count() / 2; }
  size_t bytes() const noexcept { return run_.bytes(); }
  size_t memory_bytes() const noexcept { return run_.memory_bytes(); }

  // Positions of records, as Packed's: end() if there is none; gone at the next change.
  At find(ByteView member) const noexcept { return run_.find(member, 2); }
  At end() const noexcept { return run_.end(); }
  At at_rank(size_t rank) const noexcept { return run_.at_index(2 * rank); }
  // The record at `at`, which moves to the next one.
  ScoredView read(At& at) const noexcept;

  std::optional<size_t> rank_of(ByteView member) const noexcept;

  // The member must be absent.
  void insert(Heap& heap, ByteView member, double score) noexcept;
  // Makes each -0.0 0.0, which changes no place.
  void drop_zero_signs(Heap& heap) noexcept;
  void erase(Heap& heap, At at, size_t records) noexcept { run_.erase(heap, at, 2 * records); }

  // How many elements stand before the bound, as in RankTree.
  size_t count_less(double score) const noexcept;
  size_t count_less_equal(double score) const noexcept;
  size_t count_less(ByteView member) const noexcept;
  size_t count_less_equal(ByteView member) const noexcept;

  void for_each(RankRange range, Direction direction,
                FunctionRef<void(ByteView, double)> visit) const;
  void check_invariants() const;

  // What a record takes at most in the run.
  static constexpr size_t record_bytes_max(size_t member_bytes) noexcept {
    return Packed::entry_bytes(member_bytes) + Packed::entry_bytes(sizeof(double));
  }

 private:
  template <class Before>
  At skip_while(Before before, size_t& rank) const noexcept;

  Packed run_;
};

}  // namespace ouro
