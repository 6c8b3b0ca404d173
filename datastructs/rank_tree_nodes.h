// SPDX-License-Identifier: BSD-3-Clause
// The two kinds of nodes of a RankTree: parallel arrays of items, elements in a Leaf and children
// in an Inner (rank_tree.h draws them). They know their own arrays; what keeps a tree in shape is
// in rank_tree.cc, written once for both kinds, since they offer the same:
//
//      take                          copies items of another node of the kind, or of itself
//      open_gap, close_gap           move the own items and keep `count`
//      weight                        how many elements are below some items
//      first_score, first_member     the first element below; of a node that is not empty
//
// Nothing is checked here but by the callers: items lie within kMax.
#pragma once

#include <cstdint>
#include <cstring>

#include "datastructs/rank_tree.h"

namespace ouro {

namespace internal {
template <class T>
void move_array(T* to, const T* from, uint32_t count) noexcept {
  // NOLINTNEXTLINE(bugprone-sizeof-expression): of an array of pointers the pointers move
  std::memmove(to, from, count * sizeof(T));
}
}  // namespace internal

struct RankTree::Leaf {
  static constexpr uint32_t kMax = 62;

  Leaf* prev = nullptr;
  Leaf* next = nullptr;
  uint32_t count = 0;
  double scores[kMax];
  ScoredMember* members[kMax];

  void take(uint32_t to, const Leaf& from, uint32_t from_at, uint32_t n) noexcept {
    internal::move_array(scores + to, from.scores + from_at, n);
    internal::move_array(members + to, from.members + from_at, n);
  }
  void open_gap(uint32_t at, uint32_t n) noexcept {
    take(at + n, *this, at, count - at);
    count += n;
  }
  void close_gap(uint32_t at, uint32_t n) noexcept {
    take(at, *this, at + n, count - at - n);
    count -= n;
  }
  size_t weight(uint32_t, uint32_t n) const noexcept { return n; }
  double first_score() const noexcept { return scores[0]; }
  ScoredMember* first_member() const noexcept { return members[0]; }

  void link_after(Leaf& before) noexcept {
    prev = &before;
    next = before.next;
    before.next = this;
    if (next != nullptr) next->prev = this;
  }
  void unlink() noexcept {
    if (prev != nullptr) prev->next = next;
    if (next != nullptr) next->prev = prev;
  }
};

struct RankTree::Inner {
  static constexpr uint32_t kMax = 36;

  uint32_t count = 0;
  uint32_t sizes[kMax];
  double scores[kMax];
  ScoredMember* members[kMax];
  void* children[kMax];

  void take(uint32_t to, const Inner& from, uint32_t from_at, uint32_t n) noexcept {
    internal::move_array(sizes + to, from.sizes + from_at, n);
    internal::move_array(scores + to, from.scores + from_at, n);
    internal::move_array(members + to, from.members + from_at, n);
    internal::move_array(children + to, from.children + from_at, n);
  }
  void open_gap(uint32_t at, uint32_t n) noexcept {
    take(at + n, *this, at, count - at);
    count += n;
  }
  void close_gap(uint32_t at, uint32_t n) noexcept {
    take(at, *this, at + n, count - at - n);
    count -= n;
  }
  size_t weight(uint32_t at, uint32_t n) const noexcept {
    size_t sum = 0;
    for (uint32_t i = at; i < at + n; ++i) sum += sizes[i];
    return sum;
  }
  double first_score() const noexcept { return scores[0]; }
  ScoredMember* first_member() const noexcept { return members[0]; }

  template <class Node>
  void set_first(uint32_t at, const Node& child) noexcept {
    scores[at] = child.first_score();
    members[at] = child.first_member();
  }
  template <class Node>
  void set_child(uint32_t at, Node& child) noexcept {
    children[at] = &child;
    sizes[at] = static_cast<uint32_t>(child.weight(0, child.count));
    set_first(at, child);
  }
  template <class Node>
  Node* child(uint32_t at) const noexcept {
    return static_cast<Node*>(children[at]);
  }
};

}  // namespace ouro
