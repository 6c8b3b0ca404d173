// SPDX-License-Identifier: BSD-3-Clause
// Which nodes of a large list are pressed: with Limits::list_compress_depth d those that have at
// least d others on either side, if they become smaller by it (pressed_run.h).
//
//      d = 2:      packed  packed  pressed  pressed  pressed ...  pressed  packed  packed
//                  front                                                          back
//
// Who changes a list says afterwards what has changed. Then the rule holds again for the nodes that
// the change touched, and for those that it brought across the border on one of the two sides. No
// other node is looked at: if the depth was another one before, nodes keep the form that they had.
// So any node of a list may be pressed, and any may be not.
//
// Cost: with d = 0 a compare. Else each node that was made or changed is tried, and so many that
// came to the border; it is found in a step for each page (list_nodes.h).
#pragma once

#include <cstddef>

#include "datastructs/base/memory.h"
#include "datastructs/list_nodes.h"

namespace ouro {

class ListPress {
 public:
  ListPress(Heap& heap, ListNodes& nodes, size_t depth) noexcept
      : heap_(heap), nodes_(nodes), depth_(depth) {}

  // This node has changed.
  void changed_node(ListNodes::Ref ref) const noexcept {
    if (depth_ > 0) press_inside(ref);
  }
  // Nodes came or went, at this end alone: there were `before`.
  void changed_end(ListEnd end, size_t before) const noexcept {
    if (depth_ > 0 && nodes_.nodes() != before) settle_border(end, before);
  }
  // The same at any place; those that came or changed and stay were said by changed_node().
  void changed_count(size_t before) const noexcept {
    changed_end(ListEnd::kFront, before);
    changed_end(ListEnd::kBack, before);
  }
  // Elements came or went before the element `index`: the nodes that have changed by it and stay
  // have that one or a neighbour of it.
  void changed_at(size_t index, size_t before) const noexcept {
    if (depth_ > 0) settle_around(index, before);
  }

 private:
  using Ref = ListNodes::Ref;

  void settle_border(ListEnd end, size_t before) const noexcept;
  void settle_around(size_t index, size_t before) const noexcept;
  void press_inside(Ref ref) const noexcept;
  void press(Ref ref) const noexcept;

  Heap& heap_;
  ListNodes& nodes_;
  size_t depth_;
};

}  // namespace ouro
