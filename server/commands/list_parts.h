// SPDX-License-Identifier: BSD-3-Clause
// What the files of the list commands share.
#pragma once

#include "datastructs/list.h"
#include "server/engine/context.h"

namespace ouro {

// LEFT or RIGHT in any case, else Err::kSyntax.
Result<ListEnd> parse_list_end(ByteView word);
inline ByteView list_end_name(ListEnd end) { return end == ListEnd::kFront ? "left" : "right"; }
inline ByteView push_event(ListEnd end) { return end == ListEnd::kFront ? "lpush" : "rpush"; }
inline ByteView pop_event(ListEnd end) { return end == ListEnd::kFront ? "lpop" : "rpop"; }
// The commands that have the effect of a pop from this end, and of a push there.
inline ByteView pop_command(ListEnd end) { return end == ListEnd::kFront ? "LPOP" : "RPOP"; }
inline ByteView push_command(ListEnd end) { return end == ListEnd::kFront ? "LPUSH" : "RPUSH"; }

inline void reply_element(Reply& reply, const ListElement& element) {
  if (element.blob != nullptr) {
    reply.blob(element.blob, element.bytes);
  } else {
    reply.bulk(element.bytes);
  }
}

// Removes an element from this end of a list that is not empty, and replies it.
void pop_one(Context& ctx, const Key& key, List& list, ListEnd end);
// Removes up to `count` elements and replies them as an array, the one at the end first; returns
// how many. Requires: count > 0, the list is not empty.
size_t pop_some(Context& ctx, const Key& key, List& list, ListEnd end, size_t count);

}  // namespace ouro
