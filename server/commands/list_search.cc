// SPDX-License-Identifier: BSD-3-Clause
// Lists by the value of their elements: LINSERT, LPOS, LREM.
#include <cstdint>

#include "server/commands/list_parts.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

// How many an argument of either sign asks for; all bits of INT64_MIN count too.
size_t magnitude(int64_t value) {
  return value < 0 ? size_t{0} - static_cast<size_t>(value) : static_cast<size_t>(value);
}

Status cmd_linsert(Context& ctx) {
  ListEnd side;
  if (equals_ignoring_case(ctx.argv[2], "before")) {
    side = ListEnd::kFront;
  } else if (equals_ignoring_case(ctx.argv[2], "after")) {
    side = ListEnd::kBack;
  } else {
    return Err::kSyntax;
  }
  const Key key = ctx.key(1);
  OURO_TRY(List * list, ctx.find_as_to_write<List>(key));
  if (list == nullptr) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  const List::Beside place{.pivot = ctx.argv[3], .side = side};
  if (!list->insert_beside(ctx.heap(), ctx.limits(), place, ctx.argv[4])) {
    ctx.reply.integer(-1);
    return Status::ok();
  }
  ctx.reply.integer(static_cast<int64_t>(list->size()));
  ctx.changed(key, Event::kList, "linsert");
  return Status::ok();
}

Status cmd_lrem(Context& ctx) {
  OURO_TRY(const int64_t count, ctx.integer(2));
  const Key key = ctx.key(1);
  OURO_TRY(List * list, ctx.find_as_to_write<List>(key));
  if (list == nullptr) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  const size_t max = count == 0 ? SIZE_MAX : magnitude(count);
  const ListEnd from = count < 0 ? ListEnd::kBack : ListEnd::kFront;
  const size_t removed = list->erase_equal(ctx.heap(), ctx.limits(), from, max, ctx.argv[3]);
  ctx.reply.integer(static_cast<int64_t>(removed));
  if (removed == 0) return Status::ok();
  ctx.changed(key, Event::kList, "lrem", removed);
  ctx.erase_if_empty(key, *list);
  return Status::ok();
}

// ---- LPOS

struct PositionQuery {
  ListEnd towards = ListEnd::kBack;
  size_t rank = 1;         // the first match wanted
  bool lowest = false;     // RANK was the lowest number of all
  bool has_count = false;  // the reply is an array
  size_t count = 1;        // 0: all
  size_t looks_max = SIZE_MAX;
};

Status parse_rank(Context& ctx, ByteView text, PositionQuery& query) {
  OURO_TRY(const int64_t rank, parse_integer(text));
  if (rank == 0) {
    return ctx.fail(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
        "or use negative to start from the end of the list");
  }
  query.towards = rank < 0 ? ListEnd::kFront : ListEnd::kBack;
  // Redis cannot negate the lowest rank: then it takes any match, and COUNT does not end its
  // search.
  query.lowest = rank == INT64_MIN;
  query.rank = query.lowest ? 1 : magnitude(rank);
  return Status::ok();
}

Result<PositionQuery> parse_position_query(Context& ctx) {
  PositionQuery query;
  ArgParser args(ctx.argv, 3);
  while (args.more()) {
    if (args.left() < 2) return Err::kSyntax;
    if (args.word("RANK")) {
      OURO_TRY(parse_rank(ctx, args.next(), query));
    } else if (args.word("COUNT")) {
      const Result<int64_t> count = parse_integer(args.next());
      if (!count.is_ok() || *count < 0) return ctx.fail("ERR COUNT can't be negative");
      query.has_count = true;
      query.count = static_cast<size_t>(*count);
    } else if (args.word("MAXLEN")) {
      const Result<int64_t> max = parse_integer(args.next());
      if (!max.is_ok() || *max < 0) return ctx.fail("ERR MAXLEN can't be negative");
      query.looks_max = *max == 0 ? SIZE_MAX : static_cast<size_t>(*max);
    } else {
      return Err::kSyntax;
    }
  }
  if (query.lowest && query.has_count) query.count = 0;
  return query;
}

Status cmd_lpos(Context& ctx) {
  OURO_TRY(const PositionQuery query, parse_position_query(ctx));
  OURO_TRY(const List* list, ctx.find_as<List>(ctx.key(1)));
  if (list == nullptr) {
    query.has_count ? ctx.reply.array(0) : ctx.reply.null();
    return Status::ok();
  }
  const size_t start = query.towards == ListEnd::kBack ? 0 : list->size() - 1;
  ListCursor cursor(*list, start, query.towards);
  const ListNeedle needle(ctx.argv[2]);
  size_t budget = query.looks_max;
  size_t matches = 0;
  size_t found = 0;
  const Reply::Mark mark = query.has_count ? ctx.reply.begin() : 0;
  while (cursor.next_equal(needle, budget)) {
    if (++matches < query.rank) continue;
    ctx.reply.integer(static_cast<int64_t>(cursor.index()));
    if (++found == query.count) break;
  }
  if (query.has_count) {
    ctx.reply.end_array(mark, found);
  } else if (found == 0) {
    ctx.reply.null();
  }
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "LINSERT",
     .arity = exactly(5),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_linsert,
     .doc = {.summary = "Puts an element before or after another one.",
             .complexity = "O(N), N elements up to the pivot",
             .since = "2.2.0",
             .group = "list",
             .args = "key:key#0 where:<before!BEFORE | after!AFTER> pivot:string element:string"}},
    {.name = "LPOS",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kList,
     .handler = cmd_lpos,
     .doc = {.summary = "Returns the positions of equal elements in a list.",
             .complexity = "O(N), N elements looked at",
             .since = "6.0.6",
             .group = "list",
             .args = "key:key#0 element:string [RANK=rank:integer] [COUNT=num-matches:integer] "
                     "[MAXLEN=len:integer]"}},
    {.name = "LREM",
     .arity = exactly(4),
     .flags = Flag::kWrite,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kList,
     .handler = cmd_lrem,
     .doc = {.summary = "Removes elements equal to a given one.",
             .complexity = "O(N+M), N elements in the list, M removed",
             .since = "1.0.0",
             .group = "list",
             .args = "key:key#0 count:integer element:string"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kListSearchCommands = kRows;

}  // namespace ouro
