// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/rank_tree.h"

#include <algorithm>
#include <type_traits>

#include "datastructs/base/check.h"
#include "datastructs/rank_tree_nodes.h"

namespace ouro {
namespace {

// Sharing fewer items than this with a sibling is put off to a split: else each insert between two
// full nodes would move one item over.
constexpr uint32_t kShareMin = 2;

// A walk asks for the entries this far ahead of it: they are spread over the heap.
constexpr uint32_t kReadAhead = 8;

uint32_t less_count(const double* scores, uint32_t count, double score) noexcept {
  uint32_t base = 0;
  while (count > 1) {
    const uint32_t half = count / 2;
    // Without a branch to mispredict.
    base += static_cast<uint32_t>(scores[base + half - 1] < score) * half;
    count -= half;
  }
  return base + static_cast<uint32_t>(count == 1 && scores[base] < score);
}

uint32_t less_equal_count(const double* scores, uint32_t count, double score) noexcept {
  uint32_t base = 0;
  while (count > 1) {
    const uint32_t half = count / 2;
    base += static_cast<uint32_t>(scores[base + half - 1] <= score) * half;
    count -= half;
  }
  return base + static_cast<uint32_t>(count == 1 && scores[base] <= score);
}

uint32_t less_count(ScoredMember* const* members, uint32_t count, ByteView member) noexcept {
  const auto* at = std::partition_point(members, members + count, [&](const ScoredMember* entry) {
    return entry->member() < member;
  });
  return static_cast<uint32_t>(at - members);
}

uint32_t less_equal_count(ScoredMember* const* members, uint32_t count, ByteView member) noexcept {
  const auto* at = std::partition_point(members, members + count, [&](const ScoredMember* entry) {
    return entry->member() <= member;
  });
  return static_cast<uint32_t>(at - members);
}

// The orders that a descent can follow: each says how many of a node's items stand before the place
// that is looked for.
struct KeyOrder {
  double score;
  ByteView member;
  uint32_t count_before(const double* scores, ScoredMember* const* members,
                        uint32_t count) const noexcept {
    const uint32_t first = less_count(scores, count, score);
    if (first == count || scores[first] != score) return first;
    const uint32_t ties = less_equal_count(scores + first, count - first, score);
    return first + less_count(members + first, ties, member);
  }
};

struct ScoreOrder {
  double score;
  bool or_equal;
  uint32_t count_before(const double* scores, ScoredMember* const*, uint32_t count) const noexcept {
    return or_equal ? less_equal_count(scores, count, score) : less_count(scores, count, score);
  }
};

struct MemberOrder {
  ByteView member;
  bool or_equal;
  uint32_t count_before(const double*, ScoredMember* const* members,
                        uint32_t count) const noexcept {
    return or_equal ? less_equal_count(members, count, member) : less_count(members, count, member);
  }
};

}  // namespace

RankTree::~RankTree() {
  static_assert(sizeof(Leaf) <= 1024 && sizeof(Inner) <= 1024);
  size_t budget = ~size_t{0};
  free_some(budget);
}

// ---- finding places

template <class Order>
void RankTree::descend(const Order& order, Path& path) const noexcept {
  DCHECK(height_ > 0);
  void* node = root_;
  path.rank = 0;
  for (uint32_t level = height_ - 1; level > 0; --level) {
    Inner* inner = static_cast<Inner*>(node);
    const uint32_t before = order.count_before(inner->scores, inner->members, inner->count);
    // Below the last child whose first element stands before the place.
    const uint32_t at = before == 0 ? 0 : before - 1;
    path.rank += inner->weight(0, at);
    path.inner[level] = inner;
    path.at[level] = at;
    node = inner->children[at];
  }
  path.leaf = static_cast<Leaf*>(node);
  // A leaf is mostly cold, and a search in it reads line after line: asking for all at once makes
  // inserts into 1M elements a third cheaper (bench/micro/rank_tree_bench.cc, insert/random).
  for (size_t line = 0; line < sizeof(Leaf); line += 64) {
    __builtin_prefetch(static_cast<char*>(node) + line);
  }
  path.index = order.count_before(path.leaf->scores, path.leaf->members, path.leaf->count);
  path.rank += path.index;
}

void RankTree::descend_to_rank(size_t rank, Path& path) const noexcept {
  DCHECK(rank < size_);
  void* node = root_;
  size_t left = rank;
  for (uint32_t level = height_ - 1; level > 0; --level) {
    Inner* inner = static_cast<Inner*>(node);
    uint32_t at = 0;
    while (left >= inner->sizes[at]) left -= inner->sizes[at++];
    path.inner[level] = inner;
    path.at[level] = at;
    node = inner->children[at];
  }
  path.leaf = static_cast<Leaf*>(node);
  path.index = static_cast<uint32_t>(left);
  path.rank = rank;
}

void RankTree::find(const ScoredMember* entry, Path& path) const noexcept {
  DCHECK(!empty());
  descend(KeyOrder{entry->score, entry->member()}, path);
  // A place after the last item of a leaf is also the front of the next leaf, and there the entry
  // stands.
  if (path.index == path.leaf->count) descend_to_rank(path.rank, path);
  CHECK(path.leaf->members[path.index] == entry);
}

size_t RankTree::rank_of(const ScoredMember* entry) const noexcept {
  Path path;
  descend(KeyOrder{entry->score, entry->member()}, path);
  return path.rank;
}

template <class Order>
size_t RankTree::count_before(const Order& order) const noexcept {
  if (empty()) return 0;
  Path path;
  descend(order, path);
  return path.rank;
}

size_t RankTree::count_less(double score) const noexcept {
  return count_before(ScoreOrder{.score = score, .or_equal = false});
}

size_t RankTree::count_less_equal(double score) const noexcept {
  return count_before(ScoreOrder{.score = score, .or_equal = true});
}

size_t RankTree::count_less(ByteView member) const noexcept {
  return count_before(MemberOrder{.member = member, .or_equal = false});
}

size_t RankTree::count_less_equal(ByteView member) const noexcept {
  return count_before(MemberOrder{.member = member, .or_equal = true});
}

RankTree::Cursor RankTree::cursor_at(size_t rank) const noexcept {
  Path path;
  descend_to_rank(rank, path);
  return {path.leaf, path.index};
}

RankTree::Cursor RankTree::cursor_at_score(double score, bool greater) const noexcept {
  if (empty()) return {nullptr, 0};
  Path path;
  descend(ScoreOrder{.score = score, .or_equal = greater}, path);
  // A place after the last item of a leaf is also the front of the next leaf.
  if (path.index == path.leaf->count) return {path.leaf->next, 0};
  return {path.leaf, path.index};
}

ScoredMember* RankTree::Cursor::entry() const noexcept { return leaf_->members[index_]; }

double RankTree::Cursor::score() const noexcept { return leaf_->scores[index_]; }

void RankTree::Cursor::next() noexcept {
  if (index_ + kReadAhead < leaf_->count) __builtin_prefetch(leaf_->members[index_ + kReadAhead]);
  if (++index_ < leaf_->count) return;
  leaf_ = leaf_->next;
  index_ = 0;
}

void RankTree::Cursor::prev() noexcept {
  if (index_ >= kReadAhead) __builtin_prefetch(leaf_->members[index_ - kReadAhead]);
  if (index_-- > 0) return;
  leaf_ = leaf_->prev;
  if (leaf_ != nullptr) index_ = leaf_->count - 1;
}

// ---- inserting

void RankTree::insert(ScoredMember* entry) noexcept {
  DCHECK(entry->score == entry->score);
  if (root_ == nullptr) {
    root_ = new_node<Leaf>();
    height_ = 1;
  }
  Path path;
  descend(KeyOrder{entry->score, entry->member()}, path);
  DCHECK(path.index == path.leaf->count || path.leaf->scores[path.index] != entry->score ||
         path.leaf->members[path.index]->member() != entry->member());
  insert_at(path, entry);
}

void RankTree::insert_at(Path& path, ScoredMember* entry) noexcept {
  CHECK(size_ < UINT32_MAX);  // what the nodes' counts hold
  make_room(path, 0, path.leaf, path.index);
  Leaf* leaf = path.leaf;
  leaf->open_gap(path.index, 1);
  leaf->scores[path.index] = entry->score;
  leaf->members[path.index] = entry;
  bool is_first = path.index == 0;
  for (uint32_t level = 1; level < height_; ++level) {
    Inner* inner = path.inner[level];
    const uint32_t at = path.at[level];
    ++inner->sizes[at];
    if (is_first) inner->set_first(at, *leaf);
    is_first = is_first && at == 0;
  }
  ++size_;
}

// After it, `node` has room at `index`, and the path leads there. Both may have moved to a
// neighbour, together with the item that stood at the index.
template <class Node>
void RankTree::make_room(Path& path, uint32_t level, Node*& node, uint32_t& index) noexcept {
  if (node->count < Node::kMax) return;
  if (level + 1 == height_) add_root(path);
  if (!share_with_sibling(path, level, node, index)) split(path, level, node, index);
}

template <class Node>
bool RankTree::share_with_sibling(Path& path, uint32_t level, Node*& node,
                                  uint32_t& index) noexcept {
  Inner& parent = *path.inner[level + 1];
  uint32_t& at = path.at[level + 1];
  if (at > 0) {
    Node* left = parent.child<Node>(at - 1);
    const uint32_t moved = (Node::kMax - left->count) / 2;
    if (moved >= kShareMin) {
      const uint32_t before = left->count;
      left->take(before, *node, 0, moved);
      left->count += moved;
      node->close_gap(0, moved);
      parent.set_child(at - 1, *left);
      parent.set_child(at, *node);
      if (index >= moved) {
        index -= moved;
      } else {
        index += before;
        node = left;
        --at;
      }
      return true;
    }
  }
  if (at + 1 < parent.count) {
    Node* right = parent.child<Node>(at + 1);
    const uint32_t moved = (Node::kMax - right->count) / 2;
    if (moved >= kShareMin) {
      const uint32_t kept = node->count - moved;
      right->open_gap(0, moved);
      right->take(0, *node, kept, moved);
      node->count = kept;
      parent.set_child(at, *node);
      parent.set_child(at + 1, *right);
      if (index >= kept) {
        index -= kept;
        node = right;
        ++at;
      }
      return true;
    }
  }
  return false;
}

template <class Node>
void RankTree::split(Path& path, uint32_t level, Node*& node, uint32_t& index) noexcept {
  make_room(path, level + 1, path.inner[level + 1], path.at[level + 1]);
  Inner& parent = *path.inner[level + 1];
  uint32_t& at = path.at[level + 1];
  // At either end one item goes its own way, so that ascending or descending inserts leave full
  // nodes behind.
  uint32_t kept = node->count / 2;
  if (at + 1 == parent.count && index + 1 >= node->count) kept = node->count - 1;
  if (at == 0 && index == 0) kept = 1;

  Node* right = new_node<Node>();
  right->take(0, *node, kept, node->count - kept);
  right->count = node->count - kept;
  node->count = kept;
  if constexpr (std::is_same_v<Node, Leaf>) right->link_after(*node);
  parent.open_gap(at + 1, 1);
  parent.set_child(at, *node);
  parent.set_child(at + 1, *right);
  if (index >= kept) {
    index -= kept;
    node = right;
    ++at;
  }
}

void RankTree::add_root(Path& path) noexcept {
  CHECK(height_ < kHeightMax);
  Inner* root = new_node<Inner>();
  root->count = 1;
  if (height_ == 1) {
    root->set_child(0, *static_cast<Leaf*>(root_));
  } else {
    root->set_child(0, *static_cast<Inner*>(root_));
  }
  root_ = root;
  path.inner[height_] = root;
  path.at[height_] = 0;
  ++height_;
}

// ---- removing

void RankTree::erase(const ScoredMember* entry) noexcept {
  Path path;
  find(entry, path);
  remove_items(path, 1);
}

void RankTree::rescore(ScoredMember* entry, double score) noexcept {
  DCHECK(score == score);
  Path path;
  find(entry, path);
  Leaf& leaf = *path.leaf;
  const uint32_t index = path.index;
  entry->score = score;
  if (index > 0 && index + 1 < leaf.count) {
    // Strictly between both neighbours nothing but the score changes. Ties are left to the general
    // way.
    if (leaf.scores[index - 1] < score && score < leaf.scores[index + 1]) {
      leaf.scores[index] = score;
      return;
    }
  }
  remove_items(path, 1);
  insert(entry);
}

void RankTree::erase_ranks(size_t first, size_t count,
                           FunctionRef<void(ScoredMember*)> taken) noexcept {
  CHECK(first <= size_ && count <= size_ - first);
  while (count > 0) {
    Path path;
    descend_to_rank(first, path);
    const Leaf& leaf = *path.leaf;
    const auto here = static_cast<uint32_t>(std::min<size_t>(count, leaf.count - path.index));
    for (uint32_t i = 0; i < here; ++i) taken(leaf.members[path.index + i]);
    remove_items(path, here);
    count -= here;
  }
}

// Takes `count` items out of the path's leaf, from the path's index on.
void RankTree::remove_items(Path& path, uint32_t count) noexcept {
  path.leaf->close_gap(path.index, count);
  for (uint32_t level = 1; level < height_; ++level)
    path.inner[level]->sizes[path.at[level]] -= count;
  size_ -= count;
  settle(path, 0, path.leaf);
  drop_thin_root();
}

// Makes the node's place in its parent right again after items went, then the parent's, up to the
// root.
template <class Node>
void RankTree::settle(Path& path, uint32_t level, Node* node) noexcept {
  if (level + 1 == height_) {
    if (node->count > 0) return;
    free_node(node);
    root_ = nullptr;
    height_ = 0;
    return;
  }
  Inner& parent = *path.inner[level + 1];
  const uint32_t at = path.at[level + 1];
  if (node->count == 0) {
    if constexpr (std::is_same_v<Node, Leaf>) node->unlink();
    free_node(node);
    parent.close_gap(at, 1);
  } else {
    parent.set_first(at, *node);
    merge_if_small<Node>(parent, at);
  }
  settle(path, level + 1, &parent);
}

template <class Node>
void RankTree::merge_if_small(Inner& parent, uint32_t at) noexcept {
  // Leaves room, so that the next insert does not split again.
  constexpr uint32_t kMergedMax = Node::kMax * 3 / 4;
  const uint32_t count = parent.child<Node>(at)->count;
  if (count >= Node::kMax / 2) return;
  const auto fits = [&](uint32_t other) {
    return parent.child<Node>(other)->count + count <= kMergedMax;
  };
  uint32_t into;
  if (at > 0 && fits(at - 1)) {
    into = at - 1;
  } else if (at + 1 < parent.count && fits(at + 1)) {
    into = at;
  } else {
    return;
  }
  Node* left = parent.child<Node>(into);
  Node* right = parent.child<Node>(into + 1);
  left->take(left->count, *right, 0, right->count);
  left->count += right->count;
  if constexpr (std::is_same_v<Node, Leaf>) right->unlink();
  free_node(right);
  parent.close_gap(into + 1, 1);
  parent.set_child(into, *left);
}

void RankTree::drop_thin_root() noexcept {
  while (height_ > 1) {
    Inner* root = static_cast<Inner*>(root_);
    if (root->count > 1) return;
    root_ = root->children[0];
    free_node(root);
    --height_;
  }
}

// ---- nodes

template <class Node>
Node* RankTree::new_node() noexcept {
  Node* node = heap_->make<Node>();
  memory_bytes_ += Heap::usable_bytes(node);
  ++node_count_;
  return node;
}

void RankTree::free_node(void* node) noexcept {
  memory_bytes_ -= Heap::usable_bytes(node);
  --node_count_;
  heap_->release(node);
}

bool RankTree::free_some(size_t& budget) noexcept {
  size_ = 0;
  while (root_ != nullptr && budget > 0) {
    // The last node on the right-hand side: a leaf, or an inner node that has lost its children.
    Inner* parent = nullptr;
    void* node = root_;
    uint32_t level = height_ - 1;
    while (level > 0 && static_cast<Inner*>(node)->count > 0) {
      parent = static_cast<Inner*>(node);
      node = parent->children[parent->count - 1];
      --level;
    }
    free_node(node);
    --budget;
    if (parent != nullptr) {
      --parent->count;
    } else {
      root_ = nullptr;
      height_ = 0;
    }
  }
  return root_ == nullptr;
}

// ---- checking

struct RankTree::Audit {
  const Leaf* leaf = nullptr;           // the last one seen
  const ScoredMember* entry = nullptr;  // the last one seen
  size_t entries = 0;
  size_t nodes = 0;
  size_t bytes = 0;

  template <class Node>
  void enter(const Node* node) {
    CHECK(node->count > 0);
    CHECK(node->count <= Node::kMax);
    ++nodes;
    bytes += Heap::usable_bytes(node);
  }

  void visit(const Leaf* at) {
    enter(at);
    CHECK(at->prev == leaf);
    if (leaf != nullptr) CHECK(leaf->next == at);
    leaf = at;
    for (uint32_t i = 0; i < at->count; ++i) {
      const ScoredMember* next = at->members[i];
      CHECK(at->scores[i] == next->score);
      if (entry != nullptr) {
        CHECK(entry->score <= next->score);
        if (entry->score == next->score) CHECK(entry->member() < next->member());
      }
      entry = next;
      ++entries;
    }
  }

  void visit(const void* node, uint32_t level) {
    if (level == 0) return visit(static_cast<const Leaf*>(node));
    const Inner* inner = static_cast<const Inner*>(node);
    enter(inner);
    for (uint32_t i = 0; i < inner->count; ++i) {
      const size_t before = entries;
      visit(inner->children[i], level - 1);
      CHECK(entries - before == inner->sizes[i]);
      const void* child = inner->children[i];
      const ScoredMember* first = level == 1 ? static_cast<const Leaf*>(child)->first_member()
                                             : static_cast<const Inner*>(child)->first_member();
      CHECK(inner->members[i] == first);
      CHECK(inner->scores[i] == first->score);
    }
  }
};

void RankTree::check_invariants() const {
  Audit audit;
  if (root_ != nullptr) {
    audit.visit(root_, height_ - 1);
    CHECK(audit.leaf->next == nullptr);
    if (height_ > 1) CHECK(static_cast<const Inner*>(root_)->count > 1);
  }
  CHECK(audit.entries == size_);
  CHECK(audit.nodes == node_count_);
  CHECK(audit.bytes == memory_bytes_);
}

}  // namespace ouro
