// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/list_parts.h"

#include <algorithm>

namespace ouro {

Result<ListEnd> parse_list_end(ByteView word) {
  if (equals_ignoring_case(word, "left")) return ListEnd::kFront;
  if (equals_ignoring_case(word, "right")) return ListEnd::kBack;
  return Err::kSyntax;
}

void pop_one(Context& ctx, const Key& key, List& list, ListEnd end) {
  const bool popped = list.pop(ctx.heap(), ctx.limits(), end, [&](const ListElement& element) {
    reply_element(ctx.reply, element);
  });
  CHECK(popped);
  ctx.changed(key, Event::kList, pop_event(end));
  ctx.erase_if_empty(key, list);
}

size_t pop_some(Context& ctx, const Key& key, List& list, ListEnd end, size_t count) {
  const size_t size = list.size();
  const size_t popped = std::min(count, size);
  CHECK(popped > 0);
  ctx.reply.array(popped);
  if (end == ListEnd::kFront) {
    list.for_each(0, popped,
                  [&](const ListElement& element) { reply_element(ctx.reply, element); });
  } else {
    ListCursor cursor(list, size - 1, ListEnd::kFront);
    ListElement element;
    for (size_t i = 0; i < popped; ++i) {
      CHECK(cursor.next(element));
      reply_element(ctx.reply, element);
    }
  }
  ctx.changed(key, Event::kList, pop_event(end), popped);
  if (popped == size) {
    // The whole value goes with its key, perhaps lazily.
    ctx.erase(key);
  } else {
    list.erase_range(ctx.heap(), ctx.limits(), end == ListEnd::kFront ? 0 : size - popped, popped);
  }
  return popped;
}

}  // namespace ouro
