// SPDX-License-Identifier: BSD-3-Clause
// The nodes of a large list: a sequence addressed by element index, in two levels.
//
//      ListNodes                      ListPage (up to 128 nodes)        node
//      +---------------------+        +------------------------+
//      | page, elements      | -----> | ...00, elements        | -----> PackedList, a few KiB
//      | page, elements      | --+    | ...01, elements        | -----> Blob, one element too
//      | ...                 |   |    |                        |        large for a node
//      +---------------------+   |    | ...10, elements        | -----> Blob, a pressed run
//                                |    +------------------------+        (pressed_run.h)
//                                +--> ...
//
// To find an index, counts are summed over the pages, then over the nodes of one page: both stand
// side by side in memory. With 1M elements of 16 bytes that is 18 pages and at most 128 nodes; a
// chain of nodes would be 2,200 cache misses. Inserting a node moves at most 2 KiB in its page and,
// once per page, the page array.
//
// A Ref names a node by its place and dies when nodes are inserted or taken. The contents of a node
// change through writable() and set(). A pressed node is read through open(), and is a packed one
// again when it becomes writable; which nodes are pressed is said by list_press.h.
//
// Several lists may share pages, and pages may share nodes (share_from(): how a snapshot freezes a
// list). Each page counts its owners and holds a pin of each of its nodes. Who changes a shared
// page takes a copy of it first, who changes a shared node a copy of that: a page or a node a
// change, whatever the length.
//
// Invariants: no page is empty; no node is empty; the counts are the sums of what is below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "datastructs/base/blob.h"
#include "datastructs/base/check.h"
#include "datastructs/base/memory.h"
#include "datastructs/packed_list.h"
#include "datastructs/pressed_run.h"

namespace ouro {

enum class ListEnd : uint8_t { kFront, kBack };

// A tagged pointer: to a packed run, to the Blob of one plain element, or to that of a pressed run.
struct ListNode {
  uintptr_t word = 0;
  uint32_t elements = 0;

  static ListNode packed(PackedList run) noexcept {
    return {reinterpret_cast<uintptr_t>(run.block()), static_cast<uint32_t>(run.count())};
  }
  static ListNode plain(Blob* blob) noexcept {
    return {reinterpret_cast<uintptr_t>(blob) | kPlain, 1};
  }
  static ListNode pressed(Blob* blob, uint32_t elements) noexcept {
    return {reinterpret_cast<uintptr_t>(blob) | kPressed, elements};
  }

  bool is_plain() const noexcept { return (word & kPlain) != 0; }
  bool is_pressed() const noexcept { return (word & kPressed) != 0; }
  bool is_packed() const noexcept { return (word & kTags) == 0; }
  // Of a packed node.
  PackedList run() const noexcept { return PackedList(reinterpret_cast<void*>(word)); }
  // Of one that is not.
  Blob* blob() const noexcept { return reinterpret_cast<Blob*>(word & ~kTags); }

  // The run of a node that is not plain, to be read: until `scratch` is used again.
  PackedList open(OpenedRun& scratch) const noexcept {
    return is_pressed() ? open_run(*blob(), scratch) : run();
  }
  // Of the element or of the run, pressed or not.
  size_t bytes() const noexcept {
    if (is_packed()) return run().bytes();
    return is_plain() ? blob()->size() : pressed_run_bytes(*blob());
  }
  size_t memory_bytes() const noexcept {
    return is_packed() ? run().memory_bytes() : blob()->memory_bytes();
  }
  // The same node, for one more; a copy if as many as can be counted have it.
  ListNode share(Heap& heap) const noexcept;
  bool is_shared() const noexcept { return is_packed() ? run().is_shared() : blob()->is_shared(); }
  ListNode copy(Heap& heap) const noexcept;

 private:
  static constexpr uintptr_t kPlain = 1;
  static constexpr uintptr_t kPressed = 2;
  static constexpr uintptr_t kTags = kPlain | kPressed;
};
static_assert(sizeof(ListNode) == 16);

struct ListPage {
  static constexpr uint32_t kNodesMax = 128;
  uint32_t used = 0;
  uint16_t capacity = 0;
  uint16_t pins = 1;  // lists that have it
  ListNode* nodes() noexcept { return reinterpret_cast<ListNode*>(this + 1); }
};
static_assert(sizeof(ListPage) == 8);

class ListNodes {
 public:
  struct Ref {
    uint32_t page = 0;
    uint32_t node = 0;
    friend bool operator==(Ref, Ref) noexcept = default;
  };

  ListNodes() = default;
  ListNodes(const ListNodes&) = delete;
  ListNodes& operator=(const ListNodes&) = delete;
  ~ListNodes() = default;  // release() first
  // Frees all nodes and pages.
  void release(Heap& heap) noexcept;
  // Frees nodes from the back, each at the cost of one of the budget; true when none is left.
  bool free_some(Heap& heap, size_t& budget) noexcept;
  void copy_from(Heap& heap, const ListNodes& other) noexcept;
  // Becomes the same sequence, of the same nodes. Requires no node. Cost: 16 bytes a page.
  void share_from(Heap& heap, const ListNodes& other) noexcept;

  size_t elements() const noexcept { return elements_; }
  size_t nodes() const noexcept { return nodes_; }

  const ListNode& at(Ref ref) const noexcept { return pages_[ref.page].page->nodes()[ref.node]; }
  Ref first() const noexcept { return {0, 0}; }
  Ref last() const noexcept { return {page_count_ - 1, pages_[page_count_ - 1].page->used - 1}; }
  Ref end() const noexcept { return {page_count_, 0}; }
  // Step to the neighbour; false (and no step) at the end.
  bool next(Ref& ref) const noexcept;
  bool prev(Ref& ref) const noexcept;
  // So many steps at once, at the cost of one for each page; false if there are not as many: then
  // `ref` names nothing.
  bool step(Ref& ref, ListEnd towards, size_t steps) const noexcept;
  // The node that holds element `index` < elements(), which becomes the index inside of the node.
  Ref find(size_t& index) const noexcept;

  // Each gives the place of the new node.
  Ref push_front(Heap& heap, ListNode node) noexcept { return insert_at(heap, {0, 0}, node); }
  Ref push_back(Heap& heap, ListNode node) noexcept;
  Ref insert_before(Heap& heap, Ref ref, ListNode node) noexcept {
    return insert_at(heap, ref, node);
  }
  Ref insert_after(Heap& heap, Ref ref, ListNode node) noexcept {
    return insert_at(heap, {ref.page, ref.node + 1}, node);
  }
  // The run of this node, which is not plain, to be changed and then given back by set().
  PackedList writable(Heap& heap, Ref ref) noexcept {
    ListNode& node = own_page(heap, ref.page).nodes()[ref.node];
    if (node.is_pressed() || node.run().is_shared()) [[unlikely]]
      copy_run(heap, node);
    return node.run();
  }
  // A pressed node is a packed one again.
  void open(Heap& heap, Ref ref) noexcept {
    if (at(ref).is_pressed()) (void)writable(heap, ref);
  }
  // What writable() gave has changed. It is not empty.
  void set(Ref ref, PackedList run) noexcept { put(ref, ListNode::packed(run)); }
  // The same for one element more. Its count is not read: right after the run has written it, that
  // would wait for the writes.
  void set_grown(Ref ref, PackedList run) noexcept {
    put(ref, {reinterpret_cast<uintptr_t>(run.block()), at(ref).elements + 1});
  }
  // Takes the node out without freeing its contents; `ref` becomes the place of the node that
  // followed it, or end().
  ListNode take(Heap& heap, Ref& ref) noexcept;

  // As take, and frees the contents.
  void erase(Heap& heap, Ref& ref) noexcept;
  // Frees the node's contents and puts another one in its place.
  void replace(Heap& heap, Ref ref, ListNode node) noexcept;

  // Pages and page array, without the nodes' contents.
  size_t table_bytes() const noexcept;
  size_t page_array_bytes() const noexcept {
    return pages_ == nullptr ? 0 : Heap::usable_bytes(pages_);
  }
  void check_invariants() const;

 private:
  struct PageRef {
    ListPage* page;
    uint64_t elements;
  };

  // The page, which nobody else has afterwards.
  ListPage& own_page(Heap& heap, uint32_t index) noexcept {
    ListPage*& page = pages_[index].page;
    if (page->pins > 1) [[unlikely]]
      page = copy_page(heap, page);
    return *page;
  }
  ListPage* copy_page(Heap& heap, ListPage* shared) noexcept;
  void copy_run(Heap& heap, ListNode& node) noexcept;
  // Requires: nobody else has the page.
  void put(Ref ref, ListNode node) noexcept {
    DCHECK(node.elements > 0);
    PageRef& owner = pages_[ref.page];
    ListNode& place = owner.page->nodes()[ref.node];
    const uint64_t more = uint64_t{node.elements} - place.elements;
    owner.elements += more;
    elements_ += more;
    place = node;
  }
  void drop_last_page(Heap& heap) noexcept;
  Ref insert_at(Heap& heap, Ref ref, ListNode node) noexcept;
  Ref make_room(Heap& heap, Ref ref) noexcept;
  void insert_page(Heap& heap, uint32_t index, uint32_t capacity) noexcept;
  void erase_page(Heap& heap, uint32_t index) noexcept;
  void free_node(Heap& heap, ListNode node) noexcept;
  bool join_pages(Heap& heap, uint32_t left) noexcept;

  PageRef* pages_ = nullptr;
  uint32_t page_count_ = 0;
  uint32_t page_capacity_ = 0;
  size_t elements_ = 0;
  size_t nodes_ = 0;
};

}  // namespace ouro
