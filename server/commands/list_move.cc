// SPDX-License-Identifier: BSD-3-Clause
// Elements that move from an end of one list to an end of another: LMOVE, LMOVEM, RPOPLPUSH, and
// BLMOVE, BLMOVEM, BRPOPLPUSH, which wait for them.
#include <algorithm>
#include <string>
#include <vector>

#include "server/commands/elements_effect.h"
#include "server/commands/list_parts.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

// argv[1] is the source, argv[2] the destination.
struct Move {
  ListEnd from;
  ListEnd to;
};

Result<Move> parse_move(const Context& ctx) {
  Move move;
  OURO_TRY(move.from, parse_list_end(ctx.argv[3]));
  OURO_TRY(move.to, parse_list_end(ctx.argv[4]));
  return move;
}

// Within one list the element has to be held meanwhile: a list takes no bytes of its own.
void rotate(Context& ctx, List& list, Move move) {
  std::string held;
  const bool popped =
      list.pop(ctx.heap(), ctx.limits(), move.from, [&](const ListElement& element) {
        reply_element(ctx.reply, element);
        held.assign(element.bytes);
      });
  CHECK(popped);
  list.push(ctx.heap(), ctx.limits(), move.to, held);
}

// `source` is not empty.
Status move_one(Context& ctx, List& source, Move move) {
  const Key source_key = ctx.key(1);
  const Key destination_key = ctx.key(2);
  if (source_key.bytes == destination_key.bytes) {
    rotate(ctx, source, move);
  } else {
    OURO_TRY(List * destination, ctx.find_or_add<List>(destination_key));
    const bool popped =
        source.pop(ctx.heap(), ctx.limits(), move.from, [&](const ListElement& element) {
          reply_element(ctx.reply, element);
          destination->push(ctx.heap(), ctx.limits(), move.to, element.bytes);
        });
    CHECK(popped);
  }
  ctx.changed(destination_key, Event::kList, push_event(move.to));
  ctx.changed(source_key, Event::kList, pop_event(move.from));
  ctx.erase_if_empty(source_key, source);
  return Status::ok();
}

Status move_or_null(Context& ctx, Move move) {
  OURO_TRY(List * source, ctx.find_as_to_write<List>(ctx.key(1)));
  if (source != nullptr) return move_one(ctx, *source, move);
  ctx.reply.null();
  return Status::ok();
}

// Moves, or waits for the source. `moved` tells which, so that the caller leaves its effect.
Status move_or_wait(Context& ctx, Move move, Millis timeout_ms, bool& moved) {
  OURO_TRY(List * source, ctx.find_awaited<List>(ctx.key(1)));
  moved = source != nullptr;
  if (moved) return move_one(ctx, *source, move);
  if (ctx.may_block()) return ctx.block(ctx.argv.subspan(1, 1), timeout_ms);
  ctx.reply.null();
  return Status::ok();
}

// ---- several at once

struct MoveMany {
  Move move = {};
  size_t count = 1;
  bool exactly = false;  // so many or none
  bool in_bulk = false;  // they stay in their order; else each comes before or behind the last
};

// [COUNT count | EXACTLY count  OBO | BULK] from argument `at` on.
Result<MoveMany> parse_move_many(Context& ctx, size_t at) {
  MoveMany many;
  OURO_TRY(many.move, parse_move(ctx));
  ArgParser args(ctx.argv, at);
  if (!args.more()) return many;
  many.exactly = args.word("EXACTLY");
  if (!many.exactly && !args.word("COUNT")) return Err::kSyntax;
  const auto count = parse_integer(args.next());
  if (!count.is_ok() || *count < 1) return ctx.fail_text(errors::kCountNotPositive);
  many.count = static_cast<size_t>(*count);
  many.in_bulk = args.word("BULK");
  if (!many.in_bulk && !args.word("OBO")) return Err::kSyntax;
  OURO_TRY(args.finish());
  return many;
}

bool has_enough(const List* source, const MoveMany& many) {
  return source != nullptr && (!many.exactly || source->size() >= many.count);
}

void leave_move(Context& ctx, Move move) {
  ctx.effects.replace(
      {"LMOVE", ctx.argv[1], ctx.argv[2], list_end_name(move.from), list_end_name(move.to)});
}

// What moved, as pops and pushes, in their order: Redis 7.0 has no word for several at once.
void leave_moves(Context& ctx, Move move, Argv pushed, UnixMs deadline) {
  if (!ctx.effects.wanted()) return;
  if (pushed.size() == 1) return leave_move(ctx, move);
  ctx.effects.apply_whole();
  ctx.effects.replace({pop_command(move.from), ctx.argv[1], std::to_string(pushed.size())});
  {
    ElementsEffect effect(ctx, push_command(move.to), ctx.argv[2]);
    for (const ByteView element : pushed) effect.add({element});
  }
  // A list whose elements all came back was another in between.
  if (deadline != kNoExpiry)
    ctx.effects.replace({"PEXPIREAT", ctx.argv[1], std::to_string(deadline)});
}

// `source` has enough. The answer is what moved, as it stands in the destination.
Status move_many(Context& ctx, List& source, const MoveMany& many) {
  const Key source_key = ctx.key(1);
  const Key destination_key = ctx.key(2);
  const bool is_same = source_key.bytes == destination_key.bytes;
  OURO_TRY(List * destination,
           is_same ? Result<List*>(&source) : ctx.find_or_add<List>(destination_key));
  const bool is_all = many.count >= source.size();
  const UnixMs deadline = is_same && is_all ? ctx.db.find(source_key)->deadline() : kNoExpiry;
  // As they stand in the destination. Held meanwhile: a list takes no bytes of its own.
  std::vector<std::string> moved(std::min(many.count, source.size()));
  const bool turns =
      many.in_bulk ? many.move.from == ListEnd::kBack : many.move.to == ListEnd::kFront;
  for (size_t i = 0; i < moved.size(); ++i) {
    std::string& held = moved[turns ? moved.size() - 1 - i : i];
    CHECK(source.pop(ctx.heap(), ctx.limits(), many.move.from,
                     [&](const ListElement& element) { held.assign(element.bytes); }));
  }
  std::vector<ByteView> pushed(moved.begin(), moved.end());
  if (many.move.to == ListEnd::kFront) std::reverse(pushed.begin(), pushed.end());
  for (const ByteView element : pushed)
    destination->push(ctx.heap(), ctx.limits(), many.move.to, element);
  ctx.reply.array(moved.size());
  for (const std::string& element : moved) ctx.reply.bulk(element);
  ctx.changed(destination_key, Event::kList, push_event(many.move.to), moved.size());
  ctx.changed(source_key, Event::kList, pop_event(many.move.from));
  ctx.erase_if_empty(source_key, source);
  leave_moves(ctx, many.move, pushed, deadline);
  return Status::ok();
}

Status cmd_lmovem(Context& ctx) {
  OURO_TRY(const MoveMany many, parse_move_many(ctx, 5));
  OURO_TRY(List * source, ctx.find_as_to_write<List>(ctx.key(1)));
  if (has_enough(source, many)) return move_many(ctx, *source, many);
  many.exactly ? ctx.reply.null_array() : ctx.reply.array(0);
  return Status::ok();
}

Status cmd_blmovem(Context& ctx) {
  OURO_TRY(const MoveMany many, parse_move_many(ctx, 6));
  OURO_TRY(const Millis timeout_ms, ctx.timeout(5));
  OURO_TRY(List * source, ctx.find_awaited<List>(ctx.key(1)));
  if (!has_enough(source, many)) {
    if (ctx.may_block()) return ctx.block(ctx.argv.subspan(1, 1), timeout_ms);
    ctx.reply.null_array();
    return Status::ok();
  }
  return move_many(ctx, *source, many);
}

Status cmd_lmove(Context& ctx) {
  OURO_TRY(const Move move, parse_move(ctx));
  return move_or_null(ctx, move);
}

constexpr Move kTailToHead = {.from = ListEnd::kBack, .to = ListEnd::kFront};

Status cmd_rpoplpush(Context& ctx) { return move_or_null(ctx, kTailToHead); }

Status cmd_blmove(Context& ctx) {
  OURO_TRY(const Move move, parse_move(ctx));
  OURO_TRY(const Millis timeout_ms, ctx.timeout(5));
  bool moved = false;
  OURO_TRY(move_or_wait(ctx, move, timeout_ms, moved));
  if (moved && ctx.effects.wanted()) leave_move(ctx, move);
  return Status::ok();
}

Status cmd_brpoplpush(Context& ctx) {
  OURO_TRY(const Millis timeout_ms, ctx.timeout(3));
  bool moved = false;
  OURO_TRY(move_or_wait(ctx, kTailToHead, timeout_ms, moved));
  if (moved && ctx.effects.wanted()) {
    ctx.effects.replace({"RPOPLPUSH", ctx.argv[1], ctx.argv[2]});
  }
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "BLMOVE",
     .arity = exactly(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kNoScript | Flag::kBlocking,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete), one_key(2, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_blmove,
     .doc = {.summary = "Moves an element from one list to another, waiting for one if need be.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "list",
             .args = "source:key#0 destination:key#1 wherefrom:<left!LEFT | right!RIGHT> "
                     "whereto:<left!LEFT | right!RIGHT> timeout:double"}},
    {.name = "BLMOVEM",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kBlocking,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete), one_key(2, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_blmovem,
     .doc = {.summary = "Moves elements from one list to another, waiting for enough if need be.",
             .complexity = "O(N), N elements that move",
             .since = "8.10.0",
             .group = "list",
             .args = "source:key#0 destination:key#1 wherefrom:<left!LEFT | right!RIGHT> "
                     "whereto:<left!LEFT | right!RIGHT> timeout:double "
                     "[how-many:{selector:<COUNT=count:integer | EXACTLY=exactly:integer> "
                     "ordering:<obo!OBO | bulk!BULK>}]"}},
    {.name = "BRPOPLPUSH",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kNoScript | Flag::kBlocking,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete), one_key(2, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_brpoplpush,
     .doc = {.summary = "Moves the tail of a list to the head of another, waiting if need be.",
             .complexity = "O(1)",
             .since = "2.2.0",
             .group = "list",
             .history = "6.0.0 The timeout may have a fraction.",
             .args = "source:key#0 destination:key#1 timeout:double",
             .deprecated_since = "6.2.0",
             .replaced_by = "`BLMOVE` with the `RIGHT` and `LEFT` arguments"}},
    {.name = "LMOVE",
     .arity = exactly(5),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete), one_key(2, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_lmove,
     .doc = {.summary = "Moves an element from an end of one list to an end of another.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "list",
             .args = "source:key#0 destination:key#1 wherefrom:<left!LEFT | right!RIGHT> "
                     "whereto:<left!LEFT | right!RIGHT>"}},
    {.name = "LMOVEM",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete), one_key(2, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_lmovem,
     .doc = {.summary = "Moves elements from an end of one list to an end of another.",
             .complexity = "O(N), N elements that move",
             .since = "8.10.0",
             .group = "list",
             .args = "source:key#0 destination:key#1 wherefrom:<left!LEFT | right!RIGHT> "
                     "whereto:<left!LEFT | right!RIGHT> "
                     "[how-many:{selector:<COUNT=count:integer | EXACTLY=exactly:integer> "
                     "ordering:<obo!OBO | bulk!BULK>}]"}},
    {.name = "RPOPLPUSH",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kAccess | kDelete), one_key(2, kReadWrite | kInsert)},
     .acl = Acl::kList,
     .handler = cmd_rpoplpush,
     .doc = {.summary = "Moves the tail of a list to the head of another.",
             .complexity = "O(1)",
             .since = "1.2.0",
             .group = "list",
             .args = "source:key#0 destination:key#1",
             .deprecated_since = "6.2.0",
             .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kListMoveCommands = kRows;

}  // namespace ouro
