// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/list.h"

#include <algorithm>
#include <array>

#include "datastructs/base/check.h"

namespace ouro {

namespace {

// A push at the front moves all that its node holds: with nodes of 8 KiB that was a tenth of what
// LPUSH costs. So a node does not grow beyond this at its front.
constexpr size_t kFrontBytesMax = 1_KiB;

// A large list that came down to one node of at most this size is small again. Well below a node's
// usual limit, so that a list at the border does not change its form with each push and pop.
constexpr size_t kSmallAgainBytes = 2_KiB;

// The bytes of a node whose limit is a number of entries.
constexpr size_t kCountedNodeBytes = 8_KiB;

}  // namespace

// Limits::list_node_limit, decoded.
struct List::NodeLimit {
  explicit NodeLimit(const Limits& limits) noexcept : plain_bytes(limits.list_plain_bytes) {
    constexpr std::array<size_t, 5> kBytes = {4_KiB, 8_KiB, 16_KiB, 32_KiB, 64_KiB};
    const int64_t given = limits.list_node_limit;
    if (given >= 0) {
      bytes = kCountedNodeBytes;
      entries = std::clamp<size_t>(static_cast<size_t>(given), 1, PackedBlock::kCountMax);
    } else {
      bytes = kBytes[static_cast<size_t>(std::min<int64_t>(-(given + 1), 4))];
      entries = PackedBlock::kCountMax;
    }
  }

  // The size class is decided by the text, also for an integer: a rule that can be told without
  // decoding.
  bool is_plain(ByteView element) const noexcept {
    return element.size() >= plain_bytes ||
           PackedList::entry_bytes_max(element.size()) + PackedBlock::kHeadBytes > bytes;
  }
  bool fits(PackedList run, ByteView element) const noexcept {
    return fits(run.count(), run.bytes(), element, bytes);
  }
  bool fits(const ListNode& node, ByteView element) const noexcept {
    return !node.is_plain() && fits(node.elements, node.bytes(), element, bytes);
  }
  // The same of the node at an end that is pushed to.
  bool fits_at(ListEnd end, const ListNode& node, ByteView element) const noexcept {
    const size_t bytes_max = end == ListEnd::kFront ? std::min(bytes, kFrontBytesMax) : bytes;
    return !node.is_plain() && fits(node.elements, node.bytes(), element, bytes_max);
  }
  ListNode make_node(Heap& heap, ByteView element) const noexcept {
    if (is_plain(element)) return ListNode::plain(Blob::create_from(heap, element));
    PackedList run;
    run.insert(heap, run.end(), element);
    return ListNode::packed(run);
  }
  // The same at an end that is pushed to: with room for all that the node will hold, instead of a
  // reallocation for every other element.
  ListNode make_end_node(Heap& heap, ListEnd end, ByteView element) const noexcept {
    const ListNode node = make_node(heap, element);
    if (node.is_plain() || entries < PackedBlock::kCountMax) return node;
    PackedList run = node.run();
    run.reserve(heap, end == ListEnd::kFront ? kFrontBytesMax : bytes);
    return ListNode::packed(run);
  }

  size_t bytes;
  size_t entries;
  size_t plain_bytes;

 private:
  bool fits(size_t run_count, size_t run_bytes, ByteView element, size_t bytes_max) const noexcept {
    return run_count < entries && !is_plain(element) &&
           run_bytes + PackedList::entry_bytes_max(element.size()) <= bytes_max;
  }
};

// While it lives, what the heap gains or loses is this list's. No other allocation may happen
// meanwhile.
class List::Account {
 public:
  Account(Heap& heap, List& list) noexcept
      : heap_(heap), list_(list), others_bytes_(heap.own_bytes() - list.memory_bytes()) {}
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;
  ~Account() {
    if (list_.is_large()) list_.large()->memory = heap_.own_bytes() - others_bytes_;
  }

 private:
  Heap& heap_;
  List& list_;
  size_t others_bytes_;
};

void List::become_large(Heap& heap) {
  DCHECK(!is_large());
  const PackedList run = small();
  auto* made = heap.make<Large>();
  if (!run.empty()) made->nodes.push_back(heap, ListNode::packed(run));
  word_ = reinterpret_cast<uintptr_t>(made) | 1;
}

// After elements went from a large list: back to the smallest form.
void List::settle(Heap& heap) {
  ListNodes& nodes = large()->nodes;
  if (nodes.nodes() > 1) return;
  PackedList left;
  if (nodes.nodes() == 1) {
    const ListNode& node = nodes.at(nodes.first());
    if (node.is_plain() || node.bytes() > kSmallAgainBytes) return;
    Ref only = nodes.first();
    left = nodes.writable(heap, only);
    (void)nodes.take(heap, only);
  }
  nodes.release(heap);
  heap.destroy(large());
  set_small(left);
}

void List::push(Heap& heap, const Limits& limits, ListEnd end, ByteView element) {
  const NodeLimit limit(limits);
  const bool front = end == ListEnd::kFront;
  if (!is_large()) {
    PackedList run = small();
    if (limit.fits(run, element)) {
      run.insert(heap, front ? run.begin() : run.end(), element);
      set_small(run);
      return;
    }
  }
  const Account account(heap, *this);
  if (!is_large()) become_large(heap);
  ListNodes& nodes = large()->nodes;
  if (nodes.nodes() > 0) {
    const Ref ref = front ? nodes.first() : nodes.last();
    if (limit.fits_at(end, nodes.at(ref), element)) {
      PackedList run = nodes.writable(heap, ref);
      run.insert(heap, front ? run.begin() : run.end(), element);
      nodes.set_grown(ref, run);
      return;
    }
  }
  const ListNode fresh = limit.make_end_node(heap, end, element);
  if (front) {
    nodes.push_front(heap, fresh);
  } else {
    nodes.push_back(heap, fresh);
  }
  ListPress(heap, nodes, limits.list_compress_depth).changed_end(end, nodes.nodes() - 1);
}

void List::insert_in_node(Heap& heap, Ref ref, size_t offset, ByteView element) {
  ListNodes& nodes = large()->nodes;
  PackedList run = nodes.writable(heap, ref);
  run.insert(heap, run.at_index(offset), element);
  nodes.set_grown(ref, run);
}

bool List::pop(Heap& heap, const Limits& limits, ListEnd end,
               FunctionRef<void(const ListElement&)> fn) {
  if (empty()) return false;
  const bool front = end == ListEnd::kFront;
  ListElementScratch scratch;
  fn(peek(end, scratch));
  if (!is_large()) {
    PackedList run = small();
    run.erase(heap, front ? run.begin() : run.prev(run.end()), 1);
    set_small(run);
    return true;
  }
  const Account account(heap, *this);
  ListNodes& nodes = large()->nodes;
  const size_t nodes_before = nodes.nodes();
  Ref ref = front ? nodes.first() : nodes.last();
  erase_part(heap, ref, front ? 0 : nodes.at(ref).elements - 1, 1);
  ListPress(heap, nodes, limits.list_compress_depth).changed_end(end, nodes_before);
  settle(heap);
  return true;
}

void List::insert(Heap& heap, const Limits& limits, size_t index, ByteView element) {
  DCHECK(index <= size());
  if (index == 0) return push(heap, limits, ListEnd::kFront, element);
  if (index == size()) return push(heap, limits, ListEnd::kBack, element);
  const NodeLimit limit(limits);
  if (!is_large()) {
    PackedList run = small();
    if (limit.fits(run, element)) {
      run.insert(heap, run.at_index(index), element);
      set_small(run);
      return;
    }
  }
  const Account account(heap, *this);
  if (!is_large()) become_large(heap);
  ListNodes& nodes = large()->nodes;
  const size_t nodes_before = nodes.nodes();
  insert_large(heap, limit, index, element);
  ListPress(heap, nodes, limits.list_compress_depth).changed_at(index, nodes_before);
}

// 0 < index < size().
void List::insert_large(Heap& heap, const NodeLimit& limit, size_t index, ByteView element) {
  ListNodes& nodes = large()->nodes;
  size_t offset = index;
  Ref ref = nodes.find(offset);
  if (limit.fits(nodes.at(ref), element)) return insert_in_node(heap, ref, offset, element);
  if (offset == 0) {
    Ref before = ref;
    (void)nodes.prev(before);  // exists, since index > 0
    const ListNode& node = nodes.at(before);
    if (limit.fits(node, element)) return insert_in_node(heap, before, node.elements, element);
    nodes.insert_before(heap, ref, limit.make_node(heap, element));
    return;
  }
  // Only a node of several elements has an inside. It is parted where the element goes.
  PackedList left = nodes.writable(heap, ref);
  const PackedList right = left.split(heap, left.at_index(offset));
  nodes.set(ref, left);
  Ref after = nodes.insert_after(heap, ref, ListNode::packed(right));
  if (limit.fits(right, element)) {
    insert_in_node(heap, after, 0, element);
  } else if (limit.fits(left, element)) {
    ref = after;
    (void)nodes.prev(ref);
    insert_in_node(heap, ref, left.count(), element);
  } else {
    after = nodes.insert_before(heap, after, limit.make_node(heap, element));
    (void)nodes.next(after);
  }
  merge_with_next(heap, limit, after);
}

bool List::insert_beside(Heap& heap, const Limits& limits, Beside place, ByteView element) {
  ListCursor cursor(*this, 0, ListEnd::kBack);
  size_t budget = size();
  if (!cursor.next_equal(ListNeedle(place.pivot), budget)) return false;
  insert(heap, limits, cursor.index() + (place.side == ListEnd::kBack ? 1 : 0), element);
  return true;
}

void List::set(Heap& heap, const Limits& limits, size_t index, ByteView element) {
  DCHECK(index < size());
  if (set_in_place(heap, limits, index, element)) return;
  erase_range(heap, limits, index, 1);
  insert(heap, limits, index, element);
}

// False if the element does not go into the node where the old one is.
bool List::set_in_place(Heap& heap, const Limits& limits, size_t index, ByteView element) {
  const NodeLimit limit(limits);
  const bool plain = limit.is_plain(element);
  const auto replace = [&](PackedList& run, size_t at_index) {
    const PackedList::At at = run.at_index(at_index);
    const size_t others_bytes = run.bytes() - (run.next(at) - at);
    if (plain || others_bytes + PackedList::entry_bytes_max(element.size()) > limit.bytes)
      return false;
    run.replace(heap, at, element);
    return true;
  };
  if (!is_large()) {
    PackedList run = small();
    if (!replace(run, index)) return false;
    set_small(run);
    return true;
  }
  const Account account(heap, *this);
  ListNodes& nodes = large()->nodes;
  size_t offset = index;
  const Ref ref = nodes.find(offset);
  const bool was_plain = nodes.at(ref).is_plain();
  if (was_plain) {
    nodes.replace(heap, ref, limit.make_node(heap, element));
  } else {
    PackedList run = nodes.writable(heap, ref);
    if (!replace(run, offset)) return false;
    nodes.set(ref, run);
  }
  ListPress(heap, nodes, limits.list_compress_depth).changed_node(ref);
  if (was_plain) settle(heap);
  return true;
}

// Removes [offset, offset + count) from the node, and the node if nothing is left: `ref` is then
// the following one. Returns how many the node had beyond offset and were removed.
size_t List::erase_part(Heap& heap, Ref& ref, size_t offset, size_t count) {
  ListNodes& nodes = large()->nodes;
  const ListNode& node = nodes.at(ref);
  const size_t erased = std::min<size_t>(count, node.elements - offset);
  if (erased == node.elements) {
    nodes.erase(heap, ref);
    return erased;
  }
  PackedList run = nodes.writable(heap, ref);
  run.erase(heap, run.at_index(offset), erased);
  nodes.set(ref, run);
  return erased;
}

void List::erase_range(Heap& heap, const Limits& limits, size_t first, size_t count) {
  DCHECK(first + count <= size());
  if (count == 0) return;
  if (!is_large()) {
    PackedList run = small();
    run.erase(heap, run.at_index(first), count);
    set_small(run);
    return;
  }
  const Account account(heap, *this);
  const NodeLimit limit(limits);
  ListNodes& nodes = large()->nodes;
  const size_t nodes_before = nodes.nodes();
  size_t offset = first;
  Ref ref = nodes.find(offset);
  while (count > 0) {
    const size_t before = nodes.nodes();
    count -= erase_part(heap, ref, offset, count);
    // A node that stays is behind us, unless the range ended inside of it.
    if (count > 0 && nodes.nodes() == before) (void)nodes.next(ref);
    offset = 0;
  }
  if (nodes.nodes() > 0) {
    if (ref == nodes.end()) (void)nodes.prev(ref);
    (void)merge_with_next(heap, limit, ref);
  }
  if (first > 0 && first < nodes.elements()) {
    size_t last_before = first - 1;
    (void)merge_with_next(heap, limit, nodes.find(last_before));
  }
  ListPress(heap, nodes, limits.list_compress_depth).changed_at(first, nodes_before);
  settle(heap);
}

void List::trim(Heap& heap, const Limits& limits, size_t first, size_t count) {
  DCHECK(first + count <= size());
  erase_range(heap, limits, first + count, size() - first - count);
  erase_range(heap, limits, 0, first);
}

size_t List::erase_equal(Heap& heap, const Limits& limits, ListEnd from, size_t max,
                         ByteView element) {
  const ListNeedle needle(element);
  if (is_large()) {
    const Account account(heap, *this);
    const ListPress press(heap, large()->nodes, limits.list_compress_depth);
    const size_t nodes_before = large()->nodes.nodes();
    const size_t erased = erase_equal_large(heap, press, needle, from, max);
    if (erased > 0) merge_all(heap, NodeLimit(limits), press);
    press.changed_count(nodes_before);
    settle(heap);
    return erased;
  }
  PackedList run = small();
  size_t skip = 0;
  if (from == ListEnd::kBack) {
    const size_t matches = run.count_equal(needle);
    skip = matches - std::min(matches, max);
  }
  const size_t erased = run.erase_equal(heap, needle, skip, max);
  set_small(run);
  return erased;
}

size_t List::erase_equal_large(Heap& heap, const ListPress& press, const ListNeedle& needle,
                               ListEnd from, size_t max) {
  ListNodes& nodes = large()->nodes;
  OpenedRun scratch;
  const bool forwards = from == ListEnd::kFront;
  size_t erased = 0;
  Ref ref = forwards ? nodes.first() : nodes.last();
  while (erased < max && ref != nodes.end()) {
    const ListNode& node = nodes.at(ref);
    bool gone = false;
    if (node.is_plain()) {
      gone = node.blob()->view() == needle.text();
      if (gone) {
        nodes.erase(heap, ref);
        ++erased;
      }
    } else {
      const size_t matches = node.open(scratch).count_equal(needle);
      const size_t here = std::min(matches, max - erased);
      erased += here;
      gone = here == node.elements;
      if (gone) {
        nodes.erase(heap, ref);
      } else if (here > 0) {
        PackedList run = nodes.writable(heap, ref);
        (void)run.erase_equal(heap, needle, forwards ? 0 : matches - here, here);
        nodes.set(ref, run);
        press.changed_node(ref);
      }
    }
    // A taken node left `ref` at the following one.
    if (forwards ? !gone && !nodes.next(ref) : !nodes.prev(ref)) break;
  }
  return erased;
}

// Two neighbours that fill half a node together become one. Returns whether they did.
bool List::merge_with_next(Heap& heap, const NodeLimit& limit, Ref ref) {
  ListNodes& nodes = large()->nodes;
  Ref next = ref;
  if (!nodes.next(next)) return false;
  const ListNode& left = nodes.at(ref);
  const ListNode& right = nodes.at(next);
  if (left.is_plain() || right.is_plain()) return false;
  if (left.elements + right.elements > limit.entries) return false;
  if (left.bytes() + right.bytes() > limit.bytes / 2) return false;
  PackedList run = nodes.writable(heap, ref);
  PackedList other = nodes.writable(heap, next);
  run.merge(heap, other);
  nodes.set(ref, run);
  (void)nodes.take(heap, next);
  return true;
}

void List::merge_all(Heap& heap, const NodeLimit& limit, const ListPress& press) {
  const ListNodes& nodes = large()->nodes;
  if (nodes.nodes() == 0) return;
  // From the back: what a merge does to places behind `ref` does not matter then, and a page joined
  // from the left is found again by its element index.
  size_t index = nodes.elements() - 1;
  for (;;) {
    size_t offset = index;
    const Ref ref = nodes.find(offset);
    const size_t first_of_node = index - offset;
    if (merge_with_next(heap, limit, ref)) {
      offset = first_of_node;
      press.changed_node(nodes.find(offset));
    }
    if (first_of_node == 0) return;
    index = first_of_node - 1;
  }
}

ListElement List::get(size_t index, ListElementScratch& scratch) const {
  DCHECK(index < size());
  PackedList run;
  size_t offset = index;
  if (is_large()) {
    const ListNode& node = large()->nodes.at(large()->nodes.find(offset));
    if (node.is_plain()) return {node.blob()->view(), node.blob()};
    run = node.open(scratch.run);
  } else {
    run = small();
  }
  PackedList::At at = run.at_index(offset);
  return {run.read(at, scratch.text), nullptr};
}

// Not empty.
ListElement List::peek(ListEnd end, ListElementScratch& scratch) const {
  const bool front = end == ListEnd::kFront;
  PackedList run;
  if (is_large()) {
    const ListNodes& nodes = large()->nodes;
    const ListNode& node = nodes.at(front ? nodes.first() : nodes.last());
    if (node.is_plain()) return {node.blob()->view(), node.blob()};
    run = node.open(scratch.run);
  } else {
    run = small();
  }
  PackedList::At at = front ? run.begin() : run.end();
  return {front ? run.read(at, scratch.text) : run.read_back(at, scratch.text), nullptr};
}

void List::for_each_node(FunctionRef<void(const ListNode&)> fn) const {
  ListNodeCursor cursor(*this);
  while (const auto node = cursor.next()) fn(*node);
}

void List::for_each(size_t first, size_t count, FunctionRef<void(const ListElement&)> fn) const {
  DCHECK(first + count <= size());
  if (count == 0) return;
  ListElementScratch scratch;
  const auto visit = [&](PackedList run, size_t offset, size_t entries) {
    PackedList::At at = run.at_index(offset);
    ListElement element;
    while (entries-- > 0) {
      element.bytes = run.read(at, scratch.text);
      fn(element);
    }
  };
  if (!is_large()) return visit(small(), first, count);
  const ListNodes& nodes = large()->nodes;
  size_t offset = first;
  Ref ref = nodes.find(offset);
  for (;;) {
    const ListNode& node = nodes.at(ref);
    const size_t here = std::min<size_t>(count, node.elements - offset);
    if (node.is_plain()) {
      fn({node.blob()->view(), node.blob()});
    } else {
      visit(node.open(scratch.run), offset, here);
    }
    count -= here;
    if (count == 0) return;
    offset = 0;
    (void)nodes.next(ref);
  }
}

void List::destroy(Heap& heap) {
  size_t budget = ~size_t{0};
  CHECK(free_some(heap, budget));
}

bool List::free_some(Heap& heap, size_t& budget) {
  if (empty()) return true;
  if (budget == 0) return false;
  if (!is_large()) {
    PackedList run = small();
    run.destroy(heap);
    word_ = 0;
    --budget;
    return true;
  }
  const Account account(heap, *this);
  if (!large()->nodes.free_some(heap, budget)) return false;
  heap.destroy(large());
  word_ = 0;
  return true;
}

List List::copy(Heap& heap) const {
  List made;
  if (!is_large()) {
    made.set_small(small().copy(heap));
    return made;
  }
  const Account account(heap, made);
  made.become_large(heap);
  made.large()->nodes.copy_from(heap, large()->nodes);
  return made;
}

List List::share(Heap& heap) const {
  if (!is_large()) return copy(heap);
  List made;
  made.become_large(heap);
  made.large()->nodes.share_from(heap, large()->nodes);
  // What the two do not share, each has at the size that the allocator gave.
  const auto own_bytes = [](const List& list) {
    return Heap::usable_bytes(list.large()) + list.large()->nodes.page_array_bytes();
  };
  made.large()->memory = large()->memory - own_bytes(*this) + own_bytes(made);
  return made;
}

void List::check_invariants() const {
  if (!is_large()) return small().check_invariants();
  const ListNodes& nodes = large()->nodes;
  nodes.check_invariants();
  CHECK(nodes.nodes() > 0);
  size_t bytes = Heap::usable_bytes(large()) + nodes.table_bytes();
  Ref ref = nodes.first();
  do {
    bytes += nodes.at(ref).memory_bytes();
  } while (nodes.next(ref));
  CHECK(bytes == large()->memory);
}

ListCursor::ListCursor(const List& list, size_t start, ListEnd towards) : towards_(towards) {
  index_ = forwards() ? start - 1 : start + 1;  // may wrap around: the first step brings it back
  if (start >= list.size()) return;
  size_t offset = start;
  if (list.is_large()) {
    nodes_ = &list.large()->nodes;
    ref_ = nodes_->find(offset);
    node_ = nodes_->at(ref_);
  } else {
    node_ = ListNode::packed(list.small());
  }
  left_ = forwards() ? node_.elements - offset : offset + 1;
  if (node_.is_plain()) return;
  run_ = node_.open(scratch_.run);
  at_ = run_.at_index(forwards() ? offset : offset + 1);
}

void ListCursor::enter(ListNode node) {
  node_ = node;
  left_ = node.elements;
  if (node.is_plain()) return;
  run_ = node.open(scratch_.run);
  at_ = forwards() ? run_.begin() : run_.end();
}

bool ListCursor::step() {
  if (left_ == 0) {
    if (nodes_ == nullptr) return false;
    if (forwards() ? !nodes_->next(ref_) : !nodes_->prev(ref_)) return false;
    enter(nodes_->at(ref_));
  }
  --left_;
  index_ += forwards() ? 1 : ~size_t{0};
  return true;
}

bool ListCursor::next(ListElement& element) {
  if (!step()) return false;
  if (node_.is_plain()) {
    element = {node_.blob()->view(), node_.blob()};
  } else {
    ListScratch& text = scratch_.text;
    element = {forwards() ? run_.read(at_, text) : run_.read_back(at_, text), nullptr};
  }
  return true;
}

bool ListCursor::next_equal(const ListNeedle& needle, size_t& budget) {
  while (budget > 0 && step()) {
    --budget;
    if (node_.is_plain()) {
      if (node_.blob()->view() == needle.text()) return true;
      continue;
    }
    const PackedList::At here = forwards() ? at_ : run_.prev(at_);
    at_ = forwards() ? run_.next(here) : here;
    if (run_.equals(here, needle)) return true;
  }
  return false;
}

// ---- ListNodeCursor

std::optional<ListNode> ListNodeCursor::next() {
  if (left_ == 0) return std::nullopt;
  --left_;
  if (!list_.is_large()) return ListNode::packed(list_.small());
  const ListNodes& nodes = list_.large()->nodes;
  const ListNode& node = nodes.at(ref_);
  nodes.next(ref_);
  return node;
}

}  // namespace ouro
