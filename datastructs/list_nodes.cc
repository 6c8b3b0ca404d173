// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/list_nodes.h"

#include <algorithm>
#include <cstring>

#include "datastructs/base/check.h"

namespace ouro {

namespace {

constexpr uint32_t kPageNodesFirst = 4;

size_t page_bytes(uint32_t capacity) noexcept {
  return sizeof(ListPage) + capacity * sizeof(ListNode);
}

ListPage* make_page(Heap& heap, uint32_t capacity) noexcept {
  auto* page = new (heap.allocate(page_bytes(capacity))) ListPage();
  page->capacity = static_cast<uint16_t>(capacity);
  return page;
}

ListPage* resize_page(Heap& heap, ListPage* page, uint32_t capacity) noexcept {
  auto* moved = static_cast<ListPage*>(heap.reallocate(page, page_bytes(capacity)));
  moved->capacity = static_cast<uint16_t>(capacity);
  return moved;
}

uint64_t sum_of(ListPage* page) noexcept {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < page->used; ++i) sum += page->nodes()[i].elements;
  return sum;
}

void check_node(const ListNode& node) {
  CHECK(node.elements > 0);
  if (node.is_plain()) {
    CHECK(node.elements == 1);
    return;
  }
  OpenedRun scratch;
  const PackedList run = node.open(scratch);
  CHECK(node.elements == run.count());
  CHECK(node.bytes() == run.bytes());
  if (node.is_packed()) CHECK(run.bytes() <= run.memory_bytes());
  run.check_entries();
}

}  // namespace

ListNode ListNode::share(Heap& heap) const noexcept {
  if (!is_packed()) {
    blob()->share();
  } else if (!run().pin()) {
    return copy(heap);
  }
  return *this;
}

ListNode ListNode::copy(Heap& heap) const noexcept {
  if (is_packed()) return packed(run().copy(heap));
  Blob* const made = Blob::create_from(heap, blob()->view());
  return is_plain() ? plain(made) : pressed(made, elements);
}

void ListNodes::release(Heap& heap) noexcept {
  size_t budget = ~size_t{0};
  CHECK(free_some(heap, budget));
}

bool ListNodes::free_some(Heap& heap, size_t& budget) noexcept {
  while (nodes_ > 0 && budget > 0) {
    --budget;
    Ref back = last();
    if (pages_[back.page].page->pins > 1) {
      drop_last_page(heap);
    } else {
      erase(heap, back);
    }
  }
  if (nodes_ > 0) return false;
  heap.release(pages_);
  pages_ = nullptr;
  page_capacity_ = 0;
  return true;
}

void ListNodes::copy_from(Heap& heap, const ListNodes& other) noexcept {
  CHECK(nodes_ == 0);
  if (other.nodes_ == 0) return;
  Ref ref = other.first();
  do {
    push_back(heap, other.at(ref).copy(heap));
  } while (other.next(ref));
}

void ListNodes::share_from(Heap& heap, const ListNodes& other) noexcept {
  CHECK(nodes_ == 0);
  if (other.nodes_ == 0) return;
  page_count_ = page_capacity_ = other.page_count_;
  elements_ = other.elements_;
  nodes_ = other.nodes_;
  pages_ = static_cast<PageRef*>(heap.allocate(page_capacity_ * sizeof(PageRef)));
  std::memcpy(pages_, other.pages_, page_count_ * sizeof(PageRef));
  for (uint32_t i = 0; i < page_count_; ++i) ++pages_[i].page->pins;
}

ListPage* ListNodes::copy_page(Heap& heap, ListPage* shared) noexcept {
  ListPage* const mine = make_page(heap, shared->capacity);
  mine->used = shared->used;
  for (uint32_t i = 0; i < mine->used; ++i) mine->nodes()[i] = shared->nodes()[i].share(heap);
  --shared->pins;
  heap.note_left(Heap::usable_bytes(shared));
  return mine;
}

void ListNodes::copy_run(Heap& heap, ListNode& node) noexcept {
  OpenedRun scratch;
  const ListNode mine = ListNode::packed(node.open(scratch).copy(heap));
  free_node(heap, node);
  node = mine;
}

// Leaves a page that others have to them.
void ListNodes::drop_last_page(Heap& heap) noexcept {
  const PageRef& owner = pages_[page_count_ - 1];
  heap.note_left(Heap::usable_bytes(owner.page));
  for (uint32_t i = 0; i < owner.page->used; ++i)
    heap.note_left(owner.page->nodes()[i].memory_bytes());
  nodes_ -= owner.page->used;
  elements_ -= owner.elements;
  erase_page(heap, page_count_ - 1);
}

bool ListNodes::next(Ref& ref) const noexcept {
  if (ref.node + 1 < pages_[ref.page].page->used) {
    ++ref.node;
    return true;
  }
  if (ref.page + 1 >= page_count_) return false;
  ref = {ref.page + 1, 0};
  return true;
}

bool ListNodes::prev(Ref& ref) const noexcept {
  if (ref.node > 0) {
    --ref.node;
    return true;
  }
  if (ref.page == 0) return false;
  ref = {ref.page - 1, pages_[ref.page - 1].page->used - 1};
  return true;
}

bool ListNodes::step(Ref& ref, ListEnd towards, size_t steps) const noexcept {
  if (towards == ListEnd::kBack) {
    steps += ref.node;
    for (; steps >= pages_[ref.page].page->used; ++ref.page) {
      if (ref.page + 1 >= page_count_) return false;
      steps -= pages_[ref.page].page->used;
    }
    ref.node = static_cast<uint32_t>(steps);
    return true;
  }
  while (steps > ref.node) {
    if (ref.page == 0) return false;
    steps -= ref.node + 1;
    --ref.page;
    ref.node = pages_[ref.page].page->used - 1;
  }
  ref.node -= static_cast<uint32_t>(steps);
  return true;
}

ListNodes::Ref ListNodes::find(size_t& index) const noexcept {
  DCHECK(index < elements_);
  // From the nearer side: the tail of a long list is asked for as often as its head.
  uint32_t page = 0;
  if (index < elements_ / 2) {
    while (index >= pages_[page].elements) index -= pages_[page++].elements;
  } else {
    page = page_count_ - 1;
    size_t first_of_page = elements_ - pages_[page].elements;
    while (index < first_of_page) first_of_page -= pages_[--page].elements;
    index -= first_of_page;
  }
  const ListNode* node = pages_[page].page->nodes();
  uint32_t at = 0;
  while (index >= node[at].elements) index -= node[at++].elements;
  return {page, at};
}

ListNodes::Ref ListNodes::push_back(Heap& heap, ListNode node) noexcept {
  if (page_count_ == 0) return insert_at(heap, {0, 0}, node);
  return insert_at(heap, {page_count_ - 1, pages_[page_count_ - 1].page->used}, node);
}

ListNodes::Ref ListNodes::insert_at(Heap& heap, Ref ref, ListNode node) noexcept {
  DCHECK(node.elements > 0);
  ref = make_room(heap, ref);
  ListPage& page = own_page(heap, ref.page);
  ListNode* nodes = page.nodes();
  std::memmove(nodes + ref.node + 1, nodes + ref.node, (page.used - ref.node) * sizeof(ListNode));
  nodes[ref.node] = node;
  ++page.used;
  pages_[ref.page].elements += node.elements;
  elements_ += node.elements;
  ++nodes_;
  return ref;
}

// Returns where to insert what was to go to `ref`, in a page with room. A full page is halved,
// except at the ends of the list: there a new page is begun, so that pages filled by pushes stay
// full.
ListNodes::Ref ListNodes::make_room(Heap& heap, Ref ref) noexcept {
  if (page_count_ == 0) {
    insert_page(heap, 0, kPageNodesFirst);
    return {0, 0};
  }
  const ListPage* page = pages_[ref.page].page;
  if (page->used < page->capacity) return ref;
  if (page->capacity < ListPage::kNodesMax) {
    const uint32_t capacity = std::min<uint32_t>(page->capacity * 2U, ListPage::kNodesMax);
    pages_[ref.page].page = resize_page(heap, &own_page(heap, ref.page), capacity);
    return ref;
  }
  if (ref.page == 0 && ref.node == 0) {
    insert_page(heap, 0, kPageNodesFirst);
    return {0, 0};
  }
  if (ref.page == page_count_ - 1 && ref.node == page->used) {
    insert_page(heap, page_count_, kPageNodesFirst);
    return {page_count_ - 1, 0};
  }
  constexpr uint32_t kHalf = ListPage::kNodesMax / 2;
  (void)own_page(heap, ref.page);
  insert_page(heap, ref.page + 1, ListPage::kNodesMax);
  PageRef& left = pages_[ref.page];
  PageRef& right = pages_[ref.page + 1];
  std::memcpy(right.page->nodes(), left.page->nodes() + kHalf, kHalf * sizeof(ListNode));
  left.page->used = kHalf;
  right.page->used = kHalf;
  right.elements = sum_of(right.page);
  left.elements -= right.elements;
  if (ref.node <= kHalf) return ref;
  return {ref.page + 1, ref.node - kHalf};
}

void ListNodes::insert_page(Heap& heap, uint32_t index, uint32_t capacity) noexcept {
  if (page_count_ == page_capacity_) {
    page_capacity_ = std::max(page_capacity_ + page_capacity_ / 2, page_capacity_ + 1);
    pages_ = static_cast<PageRef*>(heap.reallocate(pages_, page_capacity_ * sizeof(PageRef)));
  }
  std::memmove(pages_ + index + 1, pages_ + index, (page_count_ - index) * sizeof(PageRef));
  pages_[index] = {make_page(heap, capacity), 0};
  ++page_count_;
}

void ListNodes::erase_page(Heap& heap, uint32_t index) noexcept {
  ListPage* const page = pages_[index].page;
  if (--page->pins == 0) heap.release(page);
  std::memmove(pages_ + index, pages_ + index + 1, (page_count_ - index - 1) * sizeof(PageRef));
  --page_count_;
  if (page_count_ > 0 && page_count_ < page_capacity_ / 4) {
    page_capacity_ /= 2;
    pages_ = static_cast<PageRef*>(heap.reallocate(pages_, page_capacity_ * sizeof(PageRef)));
  }
}

ListNode ListNodes::take(Heap& heap, Ref& ref) noexcept {
  ListPage& page = own_page(heap, ref.page);
  ListNode* nodes = page.nodes();
  const ListNode node = nodes[ref.node];
  --page.used;
  std::memmove(nodes + ref.node, nodes + ref.node + 1, (page.used - ref.node) * sizeof(ListNode));
  pages_[ref.page].elements -= node.elements;
  elements_ -= node.elements;
  --nodes_;
  if (page.used == 0) {
    erase_page(heap, ref.page);
    ref.node = 0;
    return node;
  }
  (void)join_pages(heap, ref.page);
  if (ref.page > 0) {
    const uint32_t before = pages_[ref.page - 1].page->used;
    if (join_pages(heap, ref.page - 1)) ref = {ref.page - 1, before + ref.node};
  }
  if (ref.node == pages_[ref.page].page->used) ref = {ref.page + 1, 0};
  return node;
}

void ListNodes::free_node(Heap& heap, ListNode node) noexcept {
  if (!node.is_packed()) return Blob::leave(heap, node.blob());
  if (node.run().is_shared()) heap.note_left(node.memory_bytes());
  node.run().destroy(heap);
}

void ListNodes::erase(Heap& heap, Ref& ref) noexcept { free_node(heap, take(heap, ref)); }

void ListNodes::replace(Heap& heap, Ref ref, ListNode node) noexcept {
  (void)own_page(heap, ref.page);
  free_node(heap, at(ref));
  put(ref, node);
}

// Pages of a quarter each become one of a half, so that a list with many erased nodes does not keep
// thousands of near-empty pages, and a page on the border does not split and join in turns.
bool ListNodes::join_pages(Heap& heap, uint32_t left) noexcept {
  if (left + 1 >= page_count_) return false;
  const uint32_t used = pages_[left].page->used + pages_[left + 1].page->used;
  if (used > ListPage::kNodesMax / 2) return false;
  ListPage* into = &own_page(heap, left);
  ListPage* const from = &own_page(heap, left + 1);
  if (into->capacity < used) {
    into = resize_page(heap, into, ListPage::kNodesMax);
    pages_[left].page = into;
  }
  std::memcpy(into->nodes() + into->used, from->nodes(), from->used * sizeof(ListNode));
  into->used = used;
  pages_[left].elements += pages_[left + 1].elements;
  erase_page(heap, left + 1);
  return true;
}

size_t ListNodes::table_bytes() const noexcept {
  size_t bytes = page_array_bytes();
  for (uint32_t i = 0; i < page_count_; ++i) bytes += Heap::usable_bytes(pages_[i].page);
  return bytes;
}

void ListNodes::check_invariants() const {
  uint64_t elements = 0;
  size_t nodes = 0;
  for (uint32_t i = 0; i < page_count_; ++i) {
    ListPage* page = pages_[i].page;
    CHECK(page->pins > 0);
    CHECK(page->used > 0);
    CHECK(page->used <= page->capacity);
    CHECK(page->capacity <= ListPage::kNodesMax);
    for (uint32_t j = 0; j < page->used; ++j) {
      const ListNode& node = page->nodes()[j];
      check_node(node);
    }
    CHECK(pages_[i].elements == sum_of(page));
    elements += pages_[i].elements;
    nodes += page->used;
  }
  CHECK(elements == elements_);
  CHECK(nodes == nodes_);
}

}  // namespace ouro
