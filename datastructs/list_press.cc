// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/list_press.h"

#include <algorithm>

namespace ouro {

// A node that came is one more on its side for all behind it: as many came to lie inside. If nodes
// went, as many came out at most.
void ListPress::settle_border(ListEnd end, size_t before) const noexcept {
  const size_t now = nodes_.nodes();
  const bool has_grown = now > before;
  const size_t moved = has_grown ? now - before : before - now;
  // Places, counted from this end.
  const size_t first = has_grown ? depth_ : depth_ - std::min(depth_, moved);
  const size_t last =
      has_grown ? std::min(depth_ + moved, now - std::min(now, depth_)) : std::min(depth_, now);
  if (first >= last) return;
  Ref ref = end == ListEnd::kFront ? nodes_.first() : nodes_.last();
  const ListEnd inwards = end == ListEnd::kFront ? ListEnd::kBack : ListEnd::kFront;
  CHECK(nodes_.step(ref, inwards, first));
  for (size_t place = first;;) {
    has_grown ? press(ref) : nodes_.open(heap_, ref);
    if (++place == last) return;
    CHECK(nodes_.step(ref, inwards, 1));
  }
}

void ListPress::settle_around(size_t index, size_t before) const noexcept {
  changed_count(before);
  const size_t end = std::min(index + 2, nodes_.elements());
  for (size_t at = index - std::min<size_t>(index, 1); at < end;) {
    size_t offset = at;
    const Ref ref = nodes_.find(offset);
    at += nodes_.at(ref).elements - offset;
    press_inside(ref);
  }
}

void ListPress::press_inside(Ref ref) const noexcept {
  if (nodes_.nodes() / 2 < depth_) return;
  Ref before = ref;
  Ref behind = ref;
  if (nodes_.step(before, ListEnd::kFront, depth_) && nodes_.step(behind, ListEnd::kBack, depth_))
    press(ref);
}

void ListPress::press(Ref ref) const noexcept {
  const ListNode& node = nodes_.at(ref);
  if (!node.is_packed()) return;
  if (Blob* const pressed = press_run(heap_, node.run()))
    nodes_.replace(heap_, ref, ListNode::pressed(pressed, node.elements));
}

}  // namespace ouro
