// SPDX-License-Identifier: BSD-3-Clause
// TOPK.*: the items that come most often.
#include "datastructs/top_k.h"

#include "server/commands/help.h"
#include "server/commands/sketch_key.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

constexpr ByteView kMissing = "TopK: key does not exist";
// With the blanks that the module's own text has.
constexpr ByteView kBadIncrement =
    "TopK: increment must be an integer greater or equal to 0    "
    "                        and smaller or equal to 100,000";

// ---- making

Status parse_shape(Context& ctx, TopK::Shape& shape) {
  struct Number {
    size_t index;
    uint32_t* value;
    const char* name;
  };
  const Number numbers[] = {
      {2, &shape.k, "k"}, {3, &shape.width, "width"}, {4, &shape.depth, "depth"}};
  for (const Number& number : numbers) {
    if (number.index >= ctx.argv.size()) break;
    const Result<int64_t> value = ctx.integer(number.index);
    if (!value.is_ok() || *value < 1 || *value > UINT32_MAX) {
      return ctx.fail("TopK: invalid %s", number.name);
    }
    *number.value = static_cast<uint32_t>(*value);
  }
  if (ctx.argv.size() == 3) return Status::ok();
  const Result<double> decay = ctx.real(5);
  if (!decay.is_ok() || *decay <= 0 || *decay > 1) {
    return ctx.fail("TopK: invalid decay value. must be '<= 1' & '> 0'");
  }
  shape.decay = *decay;
  return Status::ok();
}

Status cmd_topk_reserve(Context& ctx) {
  if (ctx.argv.size() != 3 && ctx.argv.size() != 6) return wrong_arity(ctx);
  const Key key = ctx.key(1);
  // Whatever its type.
  if (ctx.find_to_write(key) != nullptr) return ctx.fail("TopK: key already exists");
  TopK::Shape shape;
  OURO_TRY(parse_shape(ctx, shape));
  if (!TopK::fits(shape)) {
    return ctx.fail("ERR Insufficient memory to create topk data structure");
  }
  add_sketch(ctx, key, TopK::create(ctx.heap(), shape));
  ctx.reply.ok();
  return Status::ok();
}

// ---- counting

// Answers with the item that had to leave the list, or null.
void add_item(Context& ctx, TopK& top, ByteView item, uint32_t increment) {
  Blob* expelled = top.add(ctx.heap(), item, increment);
  if (expelled == nullptr) {
    ctx.reply.null();
    return;
  }
  ctx.reply.bulk(expelled->view());
  Blob::leave(ctx.heap(), expelled);
}

Status cmd_topk_add(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(TopK * top, find_sketch_to_write<TopK>(ctx, 1, kMissing));
  const Argv items = ctx.argv.subspan(2);
  ctx.reply.array(items.size());
  for (const ByteView item : items) add_item(ctx, *top, item, 1);
  changed_sketch(ctx, key, items.size());
  return Status::ok();
}

Status cmd_topk_incrby(Context& ctx) {
  const Argv argv = ctx.argv;
  if (argv.size() % 2 != 0) return wrong_arity(ctx);
  const Key key = ctx.key(1);
  OURO_TRY(TopK * top, find_sketch_to_write<TopK>(ctx, 1, kMissing));
  // All numbers are read before anything changes.
  for (size_t i = 3; i < argv.size(); i += 2) {
    const Result<int64_t> by = ctx.integer(i);
    if (!by.is_ok() || *by < 0 || *by > int64_t{TopK::kIncrementMax}) {
      return ctx.fail_text(kBadIncrement);
    }
  }
  const size_t pairs = (argv.size() - 2) / 2;
  ctx.reply.array(pairs);
  for (size_t i = 2; i < argv.size(); i += 2) {
    add_item(ctx, *top, argv[i], static_cast<uint32_t>(*ctx.integer(i + 1)));
  }
  changed_sketch(ctx, key, pairs);
  return Status::ok();
}

// ---- asking

Status cmd_topk_query(Context& ctx) {
  OURO_TRY(const TopK* top, find_sketch<TopK>(ctx, 1, kMissing));
  const Argv items = ctx.argv.subspan(2);
  ctx.reply.array(items.size());
  for (const ByteView item : items) ctx.reply.boolean(top->contains(item));
  return Status::ok();
}

Status cmd_topk_count(Context& ctx) {
  OURO_TRY(const TopK* top, find_sketch<TopK>(ctx, 1, kMissing));
  const Argv items = ctx.argv.subspan(2);
  ctx.reply.array(items.size());
  for (const ByteView item : items) ctx.reply.integer(top->estimate(item));
  return Status::ok();
}

Status cmd_topk_list(Context& ctx) {
  if (ctx.argv.size() > 3) return wrong_arity(ctx);
  const bool with_count = ctx.argv.size() == 3;
  if (with_count && !equals_ignoring_case(ctx.argv[2], "WITHCOUNT")) {
    return ctx.fail("WITHCOUNT keyword expected");
  }
  OURO_TRY(const TopK* top, find_sketch<TopK>(ctx, 1, kMissing));
  ctx.reply.array(size_t{top->size()} * (with_count ? 2 : 1));
  top->for_each([&](ByteView item, uint32_t count) {
    ctx.reply.bulk(item);
    if (with_count) ctx.reply.integer(count);
  });
  return Status::ok();
}

Status cmd_topk_info(Context& ctx) {
  OURO_TRY(const TopK* top, find_sketch<TopK>(ctx, 1, kMissing));
  const TopK::Shape& shape = top->shape();
  ctx.reply.map(4);
  reply_info(ctx.reply, "k", shape.k);
  reply_info(ctx.reply, "width", shape.width);
  reply_info(ctx.reply, "depth", shape.depth);
  ctx.reply.simple("decay");
  ctx.reply.real(shape.decay);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "TOPK.ADD",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .handler = cmd_topk_add,
     .doc = {.summary = "Counts items, and returns those that had to leave the list.",
             .complexity = "O(N*(D+K)), N items, D rows and K items in the list",
             .since = "2.0.0",
             .group = "topk",
             .args = "key:key#0 items:string..."}},
    {.name = "TOPK.COUNT",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_topk_count,
     .doc = {.summary = "Returns the estimated counts of items.",
             .complexity = "O(N*(D+K)), N items, D rows and K items in the list",
             .since = "2.0.0",
             .group = "topk",
             .args = "key:key#0 item:string...",
             .deprecated_since = "2.4"}},
    {.name = "TOPK.INCRBY",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .handler = cmd_topk_incrby,
     .doc = {.summary = "Counts items by given amounts, and returns those that had to leave the "
                        "list.",
             .complexity = "O(N*(D*I+K)), N items by I each, D rows and K items in the list",
             .since = "2.0.0",
             .group = "topk",
             .args = "key:key#0 items:{item:string increment:integer}..."}},
    {.name = "TOPK.INFO",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_topk_info,
     .doc = {.summary = "Returns what a top-k sketch is made for.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "topk",
             .args = "key:key#0"}},
    {.name = "TOPK.LIST",
     .arity = at_least(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_topk_list,
     .doc = {.summary = "Returns the list, the most frequent item first.",
             .complexity = "O(K*log(K)), K items in the list",
             .since = "2.0.0",
             .group = "topk",
             .args = "key:key#0 [withcount!WITHCOUNT]"}},
    {.name = "TOPK.QUERY",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_topk_query,
     .doc = {.summary = "Tells which of several items are in the list.",
             .complexity = "O(N*K), N items asked for and K in the list",
             .since = "2.0.0",
             .group = "topk",
             .args = "key:key#0 item:string..."}},
    {.name = "TOPK.RESERVE",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_topk_reserve,
     .doc = {.summary = "Makes an empty top-k sketch.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "topk",
             .args = "key:key#0 topk:integer [params:{width:integer depth:integer decay:double}]"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kTopKCommands = kRows;

}  // namespace ouro
