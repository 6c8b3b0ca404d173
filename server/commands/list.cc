// SPDX-License-Identifier: BSD-3-Clause
// Lists at their ends and by position: LPUSH, RPUSH, LPUSHX, RPUSHX, LPOP, RPOP, LLEN, LINDEX,
// LSET, LRANGE, LTRIM. What searches stands in list_search.cc.
#include <algorithm>

#include "server/commands/help.h"
#include "server/commands/list_parts.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

// ---- pushes

void push_all(Context& ctx, const Key& key, List& list, ListEnd end) {
  const Argv elements = ctx.argv.subspan(2);
  Heap& heap = ctx.heap();
  const Limits& limits = ctx.limits();
  for (const ByteView element : elements) list.push(heap, limits, end, element);
  ctx.reply.integer(static_cast<int64_t>(list.size()));
  ctx.changed(key, Event::kList, push_event(end), elements.size());
}

Status push(Context& ctx, ListEnd end) {
  const Key key = ctx.key(1);
  OURO_TRY(List * list, ctx.find_or_add<List>(key));
  push_all(ctx, key, *list, end);
  return Status::ok();
}

Status push_if_exists(Context& ctx, ListEnd end) {
  const Key key = ctx.key(1);
  OURO_TRY(List * list, ctx.find_as_to_write<List>(key));
  if (list == nullptr) {
    ctx.reply.integer(0);
  } else {
    push_all(ctx, key, *list, end);
  }
  return Status::ok();
}

Status cmd_lpush(Context& ctx) { return push(ctx, ListEnd::kFront); }
Status cmd_rpush(Context& ctx) { return push(ctx, ListEnd::kBack); }
Status cmd_lpushx(Context& ctx) { return push_if_exists(ctx, ListEnd::kFront); }
Status cmd_rpushx(Context& ctx) { return push_if_exists(ctx, ListEnd::kBack); }

// ---- pops

Status pop_counted(Context& ctx, ListEnd end) {
  const Result<int64_t> count = ctx.integer(2);
  if (!count.is_ok() || *count < 0) return ctx.fail_text(errors::kMustBePositive);
  const Key key = ctx.key(1);
  OURO_TRY(List * list, ctx.find_as_to_write<List>(key));
  if (list == nullptr) {
    ctx.reply.null_array();
  } else if (*count == 0) {
    ctx.reply.array(0);
  } else {
    pop_some(ctx, key, *list, end, static_cast<size_t>(*count));
  }
  return Status::ok();
}

Status pop(Context& ctx, ListEnd end) {
  if (ctx.argv.size() == 3) return pop_counted(ctx, end);
  if (ctx.argv.size() > 3) return wrong_arity(ctx);
  const Key key = ctx.key(1);
  OURO_TRY(List * list, ctx.find_as_to_write<List>(key));
  if (list == nullptr) {
    ctx.reply.null();
  } else {
    pop_one(ctx, key, *list, end);
  }
  return Status::ok();
}

Status cmd_lpop(Context& ctx) { return pop(ctx, ListEnd::kFront); }
Status cmd_rpop(Context& ctx) { return pop(ctx, ListEnd::kBack); }

// ---- positions

Status cmd_llen(Context& ctx) {
  OURO_TRY(const List* list, ctx.find_as<List>(ctx.key(1)));
  ctx.reply.integer(list == nullptr ? 0 : static_cast<int64_t>(list->size()));
  return Status::ok();
}

// The place that an index means, counted from the back if negative; false if it is outside.
bool locate(int64_t index, size_t size, size_t& place) {
  if (index < 0) index += static_cast<int64_t>(size);
  place = static_cast<size_t>(index);
  return index >= 0 && place < size;
}

Status cmd_lindex(Context& ctx) {
  OURO_TRY(const List* list, ctx.find_as<List>(ctx.key(1)));
  if (list == nullptr) {
    ctx.reply.null();
    return Status::ok();
  }
  OURO_TRY(const int64_t index, ctx.integer(2));
  size_t place = 0;
  if (locate(index, list->size(), place)) {
    ListElementScratch scratch;
    reply_element(ctx.reply, list->get(place, scratch));
  } else {
    ctx.reply.null();
  }
  return Status::ok();
}

Status cmd_lset(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(List * list, ctx.find_as_to_write<List>(key));
  if (list == nullptr) return Err::kNoSuchKey;
  OURO_TRY(const int64_t index, ctx.integer(2));
  size_t place = 0;
  if (!locate(index, list->size(), place)) return Err::kOutOfRange;
  list->set(ctx.heap(), ctx.limits(), place, ctx.argv[3]);
  ctx.reply.ok();
  ctx.changed(key, Event::kList, "lset");
  return Status::ok();
}

// ---- ranges

struct Range {
  size_t first = 0;
  size_t count = 0;
};

// The elements from `start` to `stop`, both included and counted from the back if negative.
Range clamp_range(int64_t start, int64_t stop, size_t elements) {
  const auto size = static_cast<int64_t>(elements);
  if (start < 0) start = std::max<int64_t>(start + size, 0);
  if (stop < 0) stop += size;
  stop = std::min(stop, size - 1);
  if (start > stop) return {};
  return {.first = static_cast<size_t>(start), .count = static_cast<size_t>(stop - start + 1)};
}

Status cmd_lrange(Context& ctx) {
  OURO_TRY(const int64_t start, ctx.integer(2));
  OURO_TRY(const int64_t stop, ctx.integer(3));
  OURO_TRY(const List* list, ctx.find_as<List>(ctx.key(1)));
  if (list == nullptr) {
    ctx.reply.array(0);
    return Status::ok();
  }
  const Range range = clamp_range(start, stop, list->size());
  Reply& reply = ctx.reply;
  reply.array(range.count);
  list->for_each(range.first, range.count,
                 [&reply](const ListElement& element) { reply_element(reply, element); });
  return Status::ok();
}

Status cmd_ltrim(Context& ctx) {
  OURO_TRY(const int64_t start, ctx.integer(2));
  OURO_TRY(const int64_t stop, ctx.integer(3));
  const Key key = ctx.key(1);
  OURO_TRY(List * list, ctx.find_as_to_write<List>(key));
  ctx.reply.ok();
  if (list == nullptr) return Status::ok();
  const size_t size = list->size();
  const Range range = clamp_range(start, stop, size);
  // Told to subscribers and watchers also when it removed nothing, but that leaves no effect.
  ctx.changed(key, Event::kList, "ltrim", size - range.count);
  if (range.count == 0) {
    ctx.erase(key);
  } else {
    list->trim(ctx.heap(), ctx.limits(), range.first, range.count);
  }
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "LINDEX",
     .arity = exactly(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kList,
     .handler = cmd_lindex,
     .doc = {.summary = "Returns the element at a position of a list.",
             .complexity = "O(N), N elements between it and the nearer end",
             .since = "1.0.0",
             .group = "list",
             .args = "key:key#0 index:integer"}},
    {.name = "LLEN",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .acl = Acl::kList,
     .handler = cmd_llen,
     .doc = {.summary = "Returns how many elements a list has.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "list",
             .args = "key:key#0"}},
    {.name = "LPOP",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kList,
     .handler = cmd_lpop,
     .doc = {.summary = "Pops elements from the head of a list.",
             .complexity = "O(N), N elements popped",
             .since = "1.0.0",
             .group = "list",
             .args = "key:key#0 [count:integer@6.2.0]"}},
    {.name = "LPUSH",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_lpush,
     .doc = {.summary = "Puts elements at the head of a list.",
             .complexity = "O(N), N elements added",
             .since = "1.0.0",
             .group = "list",
             .history = "2.4.0 Takes several elements.",
             .args = "key:key#0 element:string..."}},
    {.name = "LPUSHX",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_lpushx,
     .doc = {.summary = "Puts elements at the head of a list only if it exists.",
             .complexity = "O(N), N elements added",
             .since = "2.2.0",
             .group = "list",
             .history = "4.0.0 Takes several elements.",
             .args = "key:key#0 element:string..."}},
    {.name = "LRANGE",
     .arity = exactly(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kList,
     .handler = cmd_lrange,
     .doc = {.summary = "Returns the elements of a list between two positions.",
             .complexity = "O(S+N), S elements skipped from the nearer end, N returned",
             .since = "1.0.0",
             .group = "list",
             .args = "key:key#0 start:integer stop:integer"}},
    {.name = "LSET",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kList,
     .handler = cmd_lset,
     .doc = {.summary = "Replaces the element at a position of a list.",
             .complexity = "O(N), N elements between it and the nearer end",
             .since = "1.0.0",
             .group = "list",
             .args = "key:key#0 index:integer element:string"}},
    {.name = "LTRIM",
     .arity = exactly(4),
     .flags = Flag::kWrite,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kList,
     .handler = cmd_ltrim,
     .doc = {.summary = "Keeps only the elements between two positions.",
             .complexity = "O(N), N elements removed",
             .since = "1.0.0",
             .group = "list",
             .args = "key:key#0 start:integer stop:integer"}},
    {.name = "RPOP",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kList,
     .handler = cmd_rpop,
     .doc = {.summary = "Pops elements from the tail of a list.",
             .complexity = "O(N), N elements popped",
             .since = "1.0.0",
             .group = "list",
             .args = "key:key#0 [count:integer@6.2.0]"}},
    {.name = "RPUSH",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_rpush,
     .doc = {.summary = "Puts elements at the tail of a list.",
             .complexity = "O(N), N elements added",
             .since = "1.0.0",
             .group = "list",
             .history = "2.4.0 Takes several elements.",
             .args = "key:key#0 element:string..."}},
    {.name = "RPUSHX",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_rpushx,
     .doc = {.summary = "Puts elements at the tail of a list only if it exists.",
             .complexity = "O(N), N elements added",
             .since = "2.2.0",
             .group = "list",
             .history = "4.0.0 Takes several elements.",
             .args = "key:key#0 element:string..."}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kListCommands = kRows;

}  // namespace ouro
