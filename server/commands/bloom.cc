// SPDX-License-Identifier: BSD-3-Clause
// BF.*: scalable Bloom filters.
#include "datastructs/bloom.h"

#include "server/commands/help.h"
#include "server/commands/sketch_key.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

constexpr ByteView kBadData = "ERR received bad data";

// ---- making

// The number an EXPANSION may be; the filter keeps 32 bits of it.
bool is_expansion(int64_t number) { return number >= 1 && number <= UINT32_MAX; }

Status parse_reserve(Context& ctx, Bloom::Shape& shape) {
  const Result<double> error_rate = ctx.real(2);
  if (!error_rate.is_ok()) return ctx.fail("ERR bad error rate");
  if (*error_rate <= 0 || *error_rate >= 1) return ctx.fail("ERR (0 < error rate range < 1) ");
  const Result<int64_t> capacity = ctx.integer(3);
  if (!capacity.is_ok()) return ctx.fail("ERR bad capacity");
  if (*capacity <= 0) return ctx.fail("ERR (capacity should be larger than 0)");
  shape.error_rate = *error_rate;
  shape.capacity = static_cast<uint64_t>(*capacity);

  bool has_expansion = false;
  ArgParser args(ctx.argv, 4);
  while (args.more()) {
    if (args.word("NONSCALING")) {
      shape.scaling = false;
    } else if (args.word("EXPANSION")) {
      if (args.left() == 0) return ctx.fail("ERR no expansion");
      has_expansion = true;
      const Result<int64_t> expansion = parse_integer(args.next());
      if (!expansion.is_ok() || *expansion > UINT32_MAX) return ctx.fail("ERR bad expansion");
      if (*expansion < 1) return ctx.fail("ERR expansion should be greater or equal to 1");
      shape.expansion = static_cast<uint32_t>(*expansion);
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  if (has_expansion && !shape.scaling) return ctx.fail("Nonscaling filters cannot expand");
  return Status::ok();
}

Status cmd_bf_reserve(Context& ctx) {
  if (ctx.argv.size() > 7) return wrong_arity(ctx);
  Bloom::Shape shape;
  OURO_TRY(parse_reserve(ctx, shape));
  const Key key = ctx.key(1);
  OURO_TRY(const Bloom* old, ctx.find_as_to_write<Bloom>(key));
  if (old != nullptr) return ctx.fail_text(kFilterExists);
  if (!Bloom::fits(shape)) return ctx.fail_text(kFilterTooLarge);
  add_sketch(ctx, key, Bloom::create(ctx.heap(), shape));
  ctx.reply.ok();
  return Status::ok();
}

// ---- adding

struct Insertion {
  Bloom::Shape shape = {};
  bool create = true;
  bool is_multi = true;
  size_t first_item = 2;  // argument index
};

constexpr ByteView text_of(Bloom::Added refusal) {
  return refusal == Bloom::Added::kFull ? ByteView("ERR non scaling filter is full")
                                        : ByteView("ERR problem inserting into filter");
}

Status insert_items(Context& ctx, const Insertion& insertion) {
  using Added = Bloom::Added;
  const Key key = ctx.key(1);
  OURO_TRY(Bloom * filter, ctx.find_as_to_write<Bloom>(key));
  if (filter == nullptr) {
    if (!insertion.create) return ctx.fail_text(errors::kFilterNotFound);
    if (!Bloom::fits(insertion.shape)) return ctx.fail_text(kFilterTooLarge);
    filter = &add_sketch(ctx, key, Bloom::create(ctx.heap(), insertion.shape));
  }
  const Argv items = ctx.argv.subspan(insertion.first_item);
  const Reply::Mark mark = insertion.is_multi ? ctx.reply.begin() : Reply::Mark{};
  size_t answers = 0;
  uint64_t added = 0;
  // The first item that has no place ends the answer.
  for (bool refused = false; !refused && answers < items.size(); ++answers) {
    const Added result = filter->add(ctx.heap(), items[answers]);
    refused = result == Added::kFull || result == Added::kCannotGrow;
    if (refused && !insertion.is_multi) return ctx.fail_text(text_of(result));
    refused ? ctx.reply.error(text_of(result)) : ctx.reply.boolean(result == Added::kNew);
    added += result == Added::kNew;
  }
  if (insertion.is_multi) ctx.reply.end_array(mark, answers);
  if (added > 0) changed_sketch(ctx, key, added);
  return Status::ok();
}

Status cmd_bf_add(Context& ctx) { return insert_items(ctx, {.is_multi = false}); }
Status cmd_bf_madd(Context& ctx) { return insert_items(ctx, {}); }

Status cmd_bf_insert(Context& ctx) {
  Insertion insertion;
  Bloom::Shape& shape = insertion.shape;
  int64_t capacity = static_cast<int64_t>(shape.capacity);
  int64_t expansion = shape.expansion;
  ArgParser args(ctx.argv, 2);
  while (args.more() && !args.word("ITEMS")) {
    if (args.word("NOCREATE")) {
      insertion.create = false;
    } else if (args.word("NONSCALING")) {
      shape.scaling = false;
    } else if (args.word("ERROR")) {
      if (args.left() == 0) return wrong_arity(ctx);
      const Result<double> error_rate = parse_real(args.next());
      if (!error_rate.is_ok()) return ctx.fail("Bad error rate");
      shape.error_rate = *error_rate;
    } else if (args.word("CAPACITY")) {
      if (args.left() == 0) return wrong_arity(ctx);
      const Result<int64_t> number = parse_integer(args.next());
      if (!number.is_ok()) return ctx.fail_text(errors::kBadCapacity);
      capacity = *number;
    } else if (args.word("EXPANSION")) {
      if (args.left() == 0) return wrong_arity(ctx);
      const Result<int64_t> number = parse_integer(args.next());
      if (!number.is_ok()) return ctx.fail("Bad expansion");
      expansion = *number;
    } else {
      return ctx.fail_text(errors::kUnknownArgument);
    }
  }
  if (args.left() == 0) return wrong_arity(ctx);
  if (shape.error_rate <= 0 || shape.error_rate >= 1 || capacity < 1 || !is_expansion(expansion)) {
    return ctx.fail("Bad argument received");
  }
  shape.capacity = static_cast<uint64_t>(capacity);
  shape.expansion = static_cast<uint32_t>(expansion);
  insertion.first_item = args.position();
  return insert_items(ctx, insertion);
}

// ---- asking

Status cmd_bf_exists(Context& ctx) { return reply_contains<Bloom>(ctx); }
Status cmd_bf_mexists(Context& ctx) { return reply_contains_each<Bloom>(ctx); }

Status cmd_bf_card(Context& ctx) {
  OURO_TRY(const Bloom* filter, ctx.find_as<Bloom>(ctx.key(1)));
  ctx.reply.integer(filter == nullptr ? 0 : static_cast<int64_t>(filter->size()));
  return Status::ok();
}

struct InfoField {
  ByteView option;
  ByteView name;
  void (*reply)(Reply&, const Bloom&);
};
constexpr InfoField kInfoFields[] = {
    {"CAPACITY", "Capacity",
     [](Reply& reply, const Bloom& filter) {
       reply.integer(static_cast<int64_t>(filter.capacity()));
     }},
    {"SIZE", "Size",
     [](Reply& reply, const Bloom& filter) {
       reply.integer(static_cast<int64_t>(filter.reported_bytes()));
     }},
    {"FILTERS", "Number of filters",
     [](Reply& reply, const Bloom& filter) { reply.integer(filter.layers()); }},
    {"ITEMS", "Number of items inserted",
     [](Reply& reply, const Bloom& filter) { reply.integer(static_cast<int64_t>(filter.size())); }},
    {"EXPANSION", "Expansion rate",
     [](Reply& reply, const Bloom& filter) {
       filter.is_scaling() ? reply.integer(filter.expansion()) : reply.null();
     }},
};

Status cmd_bf_info(Context& ctx) {
  if (ctx.argv.size() > 3) return wrong_arity(ctx);
  OURO_TRY(const Bloom* filter, find_sketch<Bloom>(ctx, 1, errors::kFilterNotFound));
  if (ctx.argv.size() == 2) {
    ctx.reply.map(std::size(kInfoFields));
    for (const InfoField& field : kInfoFields) {
      ctx.reply.simple(field.name);
      field.reply(ctx.reply, *filter);
    }
    return Status::ok();
  }
  for (const InfoField& field : kInfoFields) {
    if (!equals_ignoring_case(ctx.argv[2], field.option)) continue;
    // A map has the name as well.
    if (ctx.reply.is_resp3()) {
      ctx.reply.map(1);
      ctx.reply.simple(field.name);
    } else {
      ctx.reply.array(1);
    }
    field.reply(ctx.reply, *filter);
    return Status::ok();
  }
  return ctx.fail("Invalid information value");
}

// ---- dumping: 1 is the header's iterator, 1 + n that of the n bytes behind it

Status cmd_bf_scandump(Context& ctx) {
  OURO_TRY(const Bloom* filter, find_sketch<Bloom>(ctx, 1, errors::kFilterNotFound));
  const Result<int64_t> iterator = ctx.integer(2);
  if (!iterator.is_ok()) return ctx.fail("Second argument must be numeric");
  ctx.reply.array(2);
  if (*iterator == 0) {
    ctx.reply.integer(1);
    ctx.reply.bulk(filter->header());
    return Status::ok();
  }
  std::string bytes;
  if (*iterator > 0) bytes = filter->read(static_cast<uint64_t>(*iterator - 1), kDumpBytesMax);
  ctx.reply.integer(bytes.empty() ? 0 : *iterator + static_cast<int64_t>(bytes.size()));
  ctx.reply.bulk(bytes);
  return Status::ok();
}

Status cmd_bf_loadchunk(Context& ctx) {
  const Result<int64_t> iterator = ctx.integer(2);
  if (!iterator.is_ok()) return ctx.fail("ERR Second argument must be numeric");
  const Key key = ctx.key(1);
  const ByteView bytes = ctx.argv[3];
  OURO_TRY(Bloom * filter, ctx.find_as_to_write<Bloom>(key));
  if (filter == nullptr) {
    if (*iterator != 1) return ctx.fail_text(errors::kFilterNotFound);
    const Result<Bloom> made = Bloom::from_header(ctx.heap(), bytes);
    if (!made.is_ok()) return ctx.fail_text(kBadData);
    add_sketch(ctx, key, *made);
    ctx.reply.ok();
    return Status::ok();
  }
  if (*iterator <= 0 || static_cast<uint64_t>(*iterator) < bytes.size()) {
    return ctx.fail_text(kBadData);
  }
  const uint64_t end = static_cast<uint64_t>(*iterator) - 1;
  // One byte too many would begin before the first.
  const Status written = end < bytes.size() ? Status(Err::kOutOfRange)
                                            : filter->write(ctx.heap(), end - bytes.size(), bytes);
  if (written == Err::kOutOfRange) return ctx.fail("ERR invalid offset - no link found");
  if (!written.is_ok()) return ctx.fail("ERR invalid chunk - Too big for current filter");
  changed_sketch(ctx, key);
  ctx.reply.ok();
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "BF.ADD",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_bf_add,
     .doc = {.summary = "Adds an item to a Bloom filter, which is made if there is none.",
             .complexity = "O(K), K bits an item in all layers",
             .since = "1.0.0",
             .group = "bf",
             .args = "key:key#0 item:string"}},
    {.name = "BF.CARD",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .handler = cmd_bf_card,
     .doc = {.summary = "Returns how many items were added to a Bloom filter.",
             .complexity = "O(1)",
             .since = "2.4.4",
             .group = "bf",
             .args = "key:key#0"}},
    {.name = "BF.EXISTS",
     .arity = exactly(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .handler = cmd_bf_exists,
     .doc = {.summary = "Tells whether an item was probably added to a Bloom filter.",
             .complexity = "O(K), K bits an item in all layers",
             .since = "1.0.0",
             .group = "bf",
             .args = "key:key#0 item:string"}},
    {.name = "BF.INFO",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_bf_info,
     .doc = {.summary = "Returns what a Bloom filter is made for and holds.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "bf",
             .args = "key:key#0 [single_value:<capacity!CAPACITY | size!SIZE | filters!FILTERS | "
                     "items!ITEMS | expansion!EXPANSION>]"}},
    {.name = "BF.INSERT",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_bf_insert,
     .doc = {.summary = "Adds items to a Bloom filter, saying how to make it if there is none.",
             .complexity = "O(K*N), N items of K bits in all layers",
             .since = "1.0.0",
             .group = "bf",
             .args = "key:key#0 [CAPACITY=capacity:integer] [ERROR=error:double] "
                     "[EXPANSION=expansion:integer] [nocreate!NOCREATE] [nonscaling!NONSCALING] "
                     "items!ITEMS item:string..."}},
    {.name = "BF.LOADCHUNK",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_bf_loadchunk,
     .doc = {.summary = "Restores a piece of what BF.SCANDUMP answered.",
             .complexity = "O(N), N bytes",
             .since = "1.0.0",
             .group = "bf",
             .args = "key:key#0 iterator:integer data:string"}},
    {.name = "BF.MADD",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_bf_madd,
     .doc = {.summary = "Adds items to a Bloom filter, which is made if there is none.",
             .complexity = "O(K*N), N items of K bits in all layers",
             .since = "1.0.0",
             .group = "bf",
             .args = "key:key#0 item:string..."}},
    {.name = "BF.MEXISTS",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .handler = cmd_bf_mexists,
     .doc = {.summary = "Tells which of several items were probably added to a Bloom filter.",
             .complexity = "O(K*N), N items of K bits in all layers",
             .since = "1.0.0",
             .group = "bf",
             .args = "key:key#0 item:string..."}},
    {.name = "BF.RESERVE",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_bf_reserve,
     .doc = {.summary = "Makes an empty Bloom filter.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "bf",
             .args = "key:key#0 error_rate:double capacity:integer [EXPANSION=expansion:integer] "
                     "[nonscaling!NONSCALING]"}},
    {.name = "BF.SCANDUMP",
     .arity = exactly(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_bf_scandump,
     .doc = {.summary = "Returns a Bloom filter piece by piece, to be kept or moved.",
             .complexity = "O(N), N bytes of a piece",
             .since = "1.0.0",
             .group = "bf",
             .args = "key:key#0 iterator:integer"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kBloomCommands = kRows;

}  // namespace ouro
