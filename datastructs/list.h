// SPDX-License-Identifier: BSD-3-Clause
// The list type: a sequence of byte strings, cheap to change at both ends, addressed by index.
//
//      word == 0        empty
//      ......00  ->  PackedList                   while all elements fit one node
//      ......01  ->  Large { ListNodes, memory }  above: nodes of bounded size in two counted
//                                                 levels (list_nodes.h); those far from the ends
//                                                 are pressed if Limits say so (list_press.h)
//
// A node holds as many elements as Limits::list_node_limit allows. An element that is larger than a
// node, or reaches Limits::list_plain_bytes, is a node of its own: a Blob, which a reply may pin
// instead of copying. A List is one word, moved by copying it, and owns memory without a
// destructor: destroy() or free_some() it.
//
// Views and cursors die at the next change. Bytes handed in must not lie inside the same list.
// Cost: an end is O(1); an index is found by summing counts (list_nodes.h) and walking half a node;
// LRANGE reads packed bytes. The form is no part of the answer: OBJECT ENCODING is always
// "quicklist".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/limits.h"
#include "datastructs/list_nodes.h"
#include "datastructs/list_press.h"
#include "datastructs/packed_list.h"

namespace ouro {

struct ListElement {
  ByteView bytes;
  Blob* blob = nullptr;  // where the bytes live if the element is a node of its own: may be pinned
};

// Where an element stands that does not lie as text in its list: an integer, and all of a pressed
// node.
struct ListElementScratch {
  ListScratch text;
  OpenedRun run;
};

class List {
 public:
  void push(Heap& heap, const Limits& limits, ListEnd end, ByteView element);
  // Hands the element at this end to `fn`, then removes it; false if the list is empty. `fn` must
  // not change this list.
  bool pop(Heap& heap, const Limits& limits, ListEnd end, FunctionRef<void(const ListElement&)> fn);
  // Before the element `index`; index == size() is the end.
  void insert(Heap& heap, const Limits& limits, size_t index, ByteView element);
  // Next to the first element equal to `pivot`, on its front or back side; false if there is none.
  struct Beside {
    ByteView pivot;
    ListEnd side;
  };
  bool insert_beside(Heap& heap, const Limits& limits, Beside place, ByteView element);
  // index < size().
  void set(Heap& heap, const Limits& limits, size_t index, ByteView element);
  // Removes the first `max` elements equal to `element`, counted from this end; returns how many.
  size_t erase_equal(Heap& heap, const Limits& limits, ListEnd from, size_t max, ByteView element);
  // Removes elements [first, first + count), which exist. Cost: linear in the nodes removed.
  void erase_range(Heap& heap, const Limits& limits, size_t first, size_t count);
  // Keeps only [first, first + count).
  void trim(Heap& heap, const Limits& limits, size_t first, size_t count);

  size_t size() const noexcept { return is_large() ? large()->nodes.elements() : small().count(); }
  bool empty() const noexcept { return word_ == 0; }
  // index < size(). The view may point into `scratch`.
  ListElement get(size_t index, ListElementScratch& scratch) const;
  // Elements [first, first + count), which exist, in order.
  void for_each(size_t first, size_t count, FunctionRef<void(const ListElement&)> fn) const;

  // The nodes in order, for what saves a list node by node.
  size_t node_count() const noexcept { return is_large() ? large()->nodes.nodes() : !empty(); }
  void for_each_node(FunctionRef<void(const ListNode&)> fn) const;

  ByteView encoding() const noexcept { return "quicklist"; }
  size_t memory_bytes() const noexcept {
    return is_large() ? large()->memory : small().memory_bytes();
  }
  // Allocations that destroy() frees, for the decision to free lazily.
  size_t free_effort() const noexcept { return is_large() ? large()->nodes.nodes() : 1; }
  void destroy(Heap& heap);
  // Frees up to `budget` nodes and takes them off it; true when all is freed.
  bool free_some(Heap& heap, size_t& budget);
  List copy(Heap& heap) const;
  // The same elements in the same nodes, each of which is copied by the list that changes it first.
  // Memory counts in both. Cost: 16 bytes for each 128 nodes.
  List share(Heap& heap) const;
  void check_invariants() const;

 private:
  friend class ListCursor;
  friend class ListNodeCursor;
  struct Large {
    ListNodes nodes;
    size_t memory = 0;  // all blocks of this list by usable size, this one too
  };
  class Account;
  struct NodeLimit;
  using Ref = ListNodes::Ref;

  bool is_large() const noexcept { return (word_ & 1) != 0; }
  PackedList small() const noexcept { return PackedList(reinterpret_cast<void*>(word_)); }
  Large* large() const noexcept { return reinterpret_cast<Large*>(word_ & ~uintptr_t{1}); }
  void set_small(PackedList run) noexcept { word_ = reinterpret_cast<uintptr_t>(run.block()); }
  void become_large(Heap& heap);
  void settle(Heap& heap);

  ListElement peek(ListEnd end, ListElementScratch& scratch) const;
  void insert_in_node(Heap& heap, Ref ref, size_t offset, ByteView element);
  void insert_large(Heap& heap, const NodeLimit& limit, size_t index, ByteView element);
  bool set_in_place(Heap& heap, const Limits& limits, size_t index, ByteView element);
  size_t erase_part(Heap& heap, Ref& ref, size_t offset, size_t count);
  size_t erase_equal_large(Heap& heap, const ListPress& press, const ListNeedle& needle,
                           ListEnd from, size_t max);
  bool merge_with_next(Heap& heap, const NodeLimit& limit, Ref ref);
  void merge_all(Heap& heap, const NodeLimit& limit, const ListPress& press);

  uintptr_t word_ = 0;
};
static_assert(sizeof(List) == 8);

// Reads a list from an element towards one end. Dies at the next change of the list.
class ListCursor {
 public:
  // start >= list.size() gives a cursor that is done.
  ListCursor(const List& list, size_t start, ListEnd towards);
  ListCursor(const ListCursor&) = delete;
  ListCursor& operator=(const ListCursor&) = delete;

  // The next element (the first call gives the one at `start`), or false at the end. Valid until
  // the next call.
  bool next(ListElement& element);
  // The next element equal to the needle; looks at no more than `budget` elements, which is counted
  // down.
  bool next_equal(const ListNeedle& needle, size_t& budget);
  // Of the element given last.
  size_t index() const noexcept { return index_; }

 private:
  bool forwards() const noexcept { return towards_ == ListEnd::kBack; }
  // Makes sure that the node has an element to give; steps over it in `left_` and `index_`.
  bool step();
  void enter(ListNode node);

  const ListNodes* nodes_ = nullptr;  // null: one packed run
  ListNodes::Ref ref_;
  ListNode node_;
  PackedList run_;  // of the node, unless it is plain
  ListEnd towards_;
  PackedList::At at_ = 0;
  size_t left_ = 0;  // elements of the node still to give
  size_t index_ = 0;
  ListElementScratch scratch_;
};

// Hands out the nodes of a list in order, as many as are asked for. Dies at the next change of the
// list.
class ListNodeCursor {
 public:
  explicit ListNodeCursor(const List& list) : list_(list), left_(list.node_count()) {}
  // Nothing behind the last one.
  std::optional<ListNode> next();

 private:
  List list_;  // the handle
  ListNodes::Ref ref_;
  size_t left_;
};

}  // namespace ouro
