// SPDX-License-Identifier: BSD-3-Clause
// RankTree: a B+ tree with counts. It orders scored members by (score, member bytes) and answers
// both "which rank has this element" and "which element has this rank" in one descent.
//
//      inner    | count | sizes ... | first scores ... | first members ... | children ... |
//                           |
//                           +-- elements below each child: summed on the way down they give the
//                               rank
//
//      leaf <-> | prev | next | count | scores ... | members ... | <-> leaf
//
// An inner node has up to 36 children, a leaf up to 62 elements.
//
// A node is one allocation of at most 1 KiB. Scores stand in the nodes, so a descent reads member
// entries only to break ties; inner nodes hold score and pointer of the first element below each
// child. The entries belong to the caller, who must not change a score behind the tree's back:
// rescore() does it.
//
// Invariants: no node is empty; an inner root has two children or more; sizes[i] is the true count
// below child i, and firsts[i] its first element. A full node first shares with a sibling and
// splits only when both are full; a node under half is merged with a sibling when both fit in three
// quarters. So random inserts leave nodes about 80 % full (20 bytes an element), ascending or
// descending ones 98 %, and memory follows when elements go. Cost: O(log n) for everything but
// iteration; 1M elements are 4 levels. Cursors and all they gave die at the next change. -0.0 and
// 0.0 are one score; NaN must not come in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/scored_member.h"

namespace ouro {

class RankTree {
  struct Leaf;
  struct Inner;

 public:
  explicit RankTree(Heap& heap) noexcept : heap_(&heap) {}
  // Frees the nodes, not the entries.
  ~RankTree();
  RankTree(const RankTree&) = delete;
  RankTree& operator=(const RankTree&) = delete;

  // An equal (score, member) must be absent.
  void insert(ScoredMember* entry) noexcept;
  // The entry must be in the tree; it is not freed.
  void erase(const ScoredMember* entry) noexcept;
  // Gives an entry of the tree another score, and moves it only if its neighbours demand it.
  void rescore(ScoredMember* entry, double score) noexcept;
  // Takes out the elements of ranks [first, first + count), handing each to `taken`, which may free
  // it.
  void erase_ranks(size_t first, size_t count, FunctionRef<void(ScoredMember*)> taken) noexcept;

  size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  // The entry must be in the tree.
  size_t rank_of(const ScoredMember* entry) const noexcept;
  // rank < size().
  ScoredMember* at(size_t rank) const noexcept { return cursor_at(rank).entry(); }

  // How many elements have a lower (or equal) score: the rank of the first one that has not.
  size_t count_less(double score) const noexcept;
  size_t count_less_equal(double score) const noexcept;
  // The same by member, for a tree in which all scores are equal.
  size_t count_less(ByteView member) const noexcept;
  size_t count_less_equal(ByteView member) const noexcept;

  class Cursor {
   public:
    ScoredMember* entry() const noexcept;
    double score() const noexcept;
    // Past either end a cursor is not valid and stays so.
    bool valid() const noexcept { return leaf_ != nullptr; }
    void next() noexcept;
    void prev() noexcept;

   private:
    friend class RankTree;
    Cursor(const Leaf* leaf, uint32_t index) noexcept : leaf_(leaf), index_(index) {}
    const Leaf* leaf_;
    uint32_t index_;
  };
  // rank < size().
  Cursor cursor_at(size_t rank) const noexcept;
  // At the first element whose score is not less, or greater; not valid if there is none.
  Cursor cursor_at_score(double score, bool greater) const noexcept;

  // Frees up to `budget` nodes and takes what it did off it; true when none is left. Until then the
  // tree can only be freed further. The entries are not looked at, so they may be gone already.
  bool free_some(size_t& budget) noexcept;
  size_t memory_bytes() const noexcept { return memory_bytes_; }
  size_t node_count() const noexcept { return node_count_; }
  void check_invariants() const;

 private:
  // Node fan-out of at least 2 per level (18 in practice) bounds the height far below this.
  static constexpr uint32_t kHeightMax = 16;

  // The way from the root to a place in a leaf. Levels count from the leaf: inner[1] is the parent
  // of the leaf.
  struct Path {
    Inner* inner[kHeightMax];
    uint32_t at[kHeightMax];  // which child of inner[level]
    Leaf* leaf;
    uint32_t index;  // in the leaf, may be its count
    size_t rank;
  };

  template <class Order>
  void descend(const Order& order, Path& path) const noexcept;
  template <class Order>
  size_t count_before(const Order& order) const noexcept;
  void descend_to_rank(size_t rank, Path& path) const noexcept;
  void find(const ScoredMember* entry, Path& path) const noexcept;
  void insert_at(Path& path, ScoredMember* entry) noexcept;
  void remove_items(Path& path, uint32_t count) noexcept;

  template <class Node>
  void make_room(Path& path, uint32_t level, Node*& node, uint32_t& index) noexcept;
  template <class Node>
  bool share_with_sibling(Path& path, uint32_t level, Node*& node, uint32_t& index) noexcept;
  template <class Node>
  void split(Path& path, uint32_t level, Node*& node, uint32_t& index) noexcept;
  template <class Node>
  void settle(Path& path, uint32_t level, Node* node) noexcept;
  template <class Node>
  void merge_if_small(Inner& parent, uint32_t at) noexcept;
  void add_root(Path& path) noexcept;
  void drop_thin_root() noexcept;

  template <class Node>
  Node* new_node() noexcept;
  void free_node(void* node) noexcept;
  struct Audit;

  Heap* heap_;
  void* root_ = nullptr;  // a Leaf if height_ == 1, an Inner above, null if 0
  uint32_t height_ = 0;
  size_t size_ = 0;
  size_t memory_bytes_ = 0;  // all nodes by usable size
  size_t node_count_ = 0;
};

}  // namespace ouro
