// SPDX-License-Identifier: BSD-3-Clause
// CF.*: cuckoo filters.
#include "datastructs/cuckoo.h"

#include "server/commands/help.h"
#include "server/commands/sketch_key.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

constexpr ByteView kCapacityTooSmall = "Capacity must be at least (BucketSize * 2)";

// ---- making

struct Reservation {
  int64_t capacity = 0;
  int64_t bucket_size = Cuckoo::Shape{}.bucket_size;
  int64_t max_iterations = Cuckoo::Shape{}.max_iterations;
  int64_t expansion = Cuckoo::Shape{}.expansion;
};

Status parse_reserve(Context& ctx, Reservation& wanted) {
  struct Option {
    const char* name;
    int64_t* number;
    int64_t min;
    int64_t max;
  };
  const Option options[] = {
      {"MAXITERATIONS", &wanted.max_iterations, 1, Cuckoo::kIterationsMax},
      {"BUCKETSIZE", &wanted.bucket_size, 1, Cuckoo::kBucketSizeMax},
      {"EXPANSION", &wanted.expansion, 0, Cuckoo::kExpansionMax},
  };
  ArgParser args(ctx.argv, 3);
  while (args.more()) {
    const Option* option = options;
    while (option != std::end(options) && !args.word(option->name)) ++option;
    if (option == std::end(options)) return Err::kSyntax;
    const Result<int64_t> number = parse_integer(args.next());
    if (!number.is_ok()) return ctx.fail("Couldn't parse %s", option->name);
    if (*number < option->min || *number > option->max) {
      return ctx.fail("%s: value must be an integer between %d and %d, inclusive.", option->name,
                      static_cast<int>(option->min), static_cast<int>(option->max));
    }
    *option->number = *number;
  }
  return args.finish();
}

Status cmd_cf_reserve(Context& ctx) {
  // Options come with a value each.
  if (ctx.argv.size() % 2 == 0) return wrong_arity(ctx);
  Reservation wanted;
  const Result<int64_t> capacity = ctx.integer(2);
  if (!capacity.is_ok()) return ctx.fail_text(errors::kBadCapacity);
  OURO_TRY(parse_reserve(ctx, wanted));
  if (wanted.bucket_size * 2 > *capacity) return ctx.fail_text(kCapacityTooSmall);
  const Cuckoo::Shape shape{.capacity = static_cast<uint64_t>(*capacity),
                            .bucket_size = static_cast<uint16_t>(wanted.bucket_size),
                            .max_iterations = static_cast<uint16_t>(wanted.max_iterations),
                            .expansion = static_cast<uint16_t>(wanted.expansion)};
  const Key key = ctx.key(1);
  OURO_TRY(const Cuckoo* old, ctx.find_as_to_write<Cuckoo>(key));
  if (old != nullptr) return ctx.fail_text(kFilterExists);
  if (!Cuckoo::fits(shape)) return ctx.fail_text(kFilterTooLarge);
  add_sketch(ctx, key, Cuckoo::create(ctx.heap(), shape));
  ctx.reply.ok();
  return Status::ok();
}

// ---- adding and removing

struct Insertion {
  bool only_new = false;
  bool create = true;
  bool is_multi = false;
  Cuckoo::Shape shape = {};
  size_t first_item = 2;  // argument index
};

Cuckoo::Added insert(Context& ctx, Cuckoo& filter, ByteView item, bool only_new) {
  return only_new ? filter.add_unless_present(ctx.heap(), item) : filter.add(ctx.heap(), item);
}

Status insert_one(Context& ctx, const Key& key, Cuckoo& filter, const Insertion& insertion) {
  switch (insert(ctx, filter, ctx.argv[insertion.first_item], insertion.only_new)) {
    case Cuckoo::Added::kNew:
      changed_sketch(ctx, key);
      ctx.reply.boolean(true);
      return Status::ok();
    case Cuckoo::Added::kPresent:
      ctx.reply.boolean(false);
      return Status::ok();
    case Cuckoo::Added::kFull:
      return ctx.fail("Filter is full");
    case Cuckoo::Added::kCannotGrow:
      return ctx.fail("ERR Insufficient memory");
  }
  OURO_UNREACHABLE();
}

Status insert_many(Context& ctx, const Key& key, Cuckoo& filter, const Insertion& insertion) {
  const Argv items = ctx.argv.subspan(insertion.first_item);
  uint64_t added = 0;
  ctx.reply.array(items.size());
  for (const ByteView item : items) {
    const Cuckoo::Added result = insert(ctx, filter, item, insertion.only_new);
    const bool is_new = result == Cuckoo::Added::kNew;
    added += is_new;
    if (ctx.reply.is_resp3() && !insertion.only_new) {
      ctx.reply.boolean(is_new);
    } else {
      // A boolean could not tell "present" from "no room".
      ctx.reply.integer(is_new ? 1 : result == Cuckoo::Added::kPresent ? 0 : -1);
    }
  }
  if (added > 0) changed_sketch(ctx, key, added);
  return Status::ok();
}

Status insert_items(Context& ctx, const Insertion& insertion) {
  const Key key = ctx.key(1);
  OURO_TRY(Cuckoo * filter, ctx.find_as_to_write<Cuckoo>(key));
  if (filter == nullptr) {
    if (!insertion.create) return ctx.fail_text(errors::kFilterNotFound);
    if (!Cuckoo::fits(insertion.shape)) return ctx.fail_text(kFilterTooLarge);
    filter = &add_sketch(ctx, key, Cuckoo::create(ctx.heap(), insertion.shape));
  }
  if (filter->layers() >= Cuckoo::kLayersMax) return ctx.fail("Maximum expansions reached");
  return insertion.is_multi ? insert_many(ctx, key, *filter, insertion)
                            : insert_one(ctx, key, *filter, insertion);
}

Status cmd_cf_add(Context& ctx) { return insert_items(ctx, {}); }
Status cmd_cf_addnx(Context& ctx) { return insert_items(ctx, {.only_new = true}); }

Status insert_by_options(Context& ctx, Insertion insertion) {
  insertion.is_multi = true;
  ArgParser args(ctx.argv, 2);
  while (args.more() && !args.word("ITEMS")) {
    if (args.word("NOCREATE")) {
      insertion.create = false;
    } else if (args.word("CAPACITY")) {
      if (args.left() == 0) return wrong_arity(ctx);
      const Result<int64_t> capacity = parse_integer(args.next());
      if (!capacity.is_ok()) return ctx.fail_text(errors::kBadCapacity);
      if (*capacity < 2 * int64_t{insertion.shape.bucket_size}) {
        return ctx.fail_text(kCapacityTooSmall);
      }
      insertion.shape.capacity = static_cast<uint64_t>(*capacity);
    } else {
      return ctx.fail_text(errors::kUnknownArgument);
    }
  }
  if (args.left() == 0) return wrong_arity(ctx);
  insertion.first_item = args.position();
  return insert_items(ctx, insertion);
}

Status cmd_cf_insert(Context& ctx) { return insert_by_options(ctx, {}); }
Status cmd_cf_insertnx(Context& ctx) { return insert_by_options(ctx, {.only_new = true}); }

Status cmd_cf_del(Context& ctx) {
  const Key key = ctx.key(1);
  Entry* entry = ctx.find_to_write(key);
  // A key of another type has no such filter, too.
  if (entry == nullptr || entry->kind() != Kind::kCuckoo) return ctx.fail("Not found");
  const bool removed = entry->as<Cuckoo>().remove(ctx.heap(), ctx.argv[2]);
  if (removed) changed_sketch(ctx, key);
  ctx.reply.boolean(removed);
  return Status::ok();
}

Status cmd_cf_compact(Context& ctx) {
  const Key key = ctx.key(1);
  Entry* entry = ctx.find_to_write(key);
  if (entry == nullptr || entry->kind() != Kind::kCuckoo) {
    return ctx.fail("Cuckoo filter was not found");
  }
  entry->as<Cuckoo>().compact(ctx.heap());
  changed_sketch(ctx, key);
  ctx.reply.ok();
  return Status::ok();
}

// ---- asking

Status cmd_cf_exists(Context& ctx) { return reply_contains<Cuckoo>(ctx); }
Status cmd_cf_mexists(Context& ctx) { return reply_contains_each<Cuckoo>(ctx); }

Status cmd_cf_count(Context& ctx) {
  const Cuckoo* filter = find_filter<Cuckoo>(ctx);
  ctx.reply.integer(filter == nullptr ? 0 : static_cast<int64_t>(filter->count(ctx.argv[2])));
  return Status::ok();
}

Status cmd_cf_info(Context& ctx) {
  OURO_TRY(const Cuckoo* filter, find_sketch<Cuckoo>(ctx, 1, errors::kFilterNotFound));
  ctx.reply.map(8);
  reply_info(ctx.reply, "Size", filter->reported_bytes());
  reply_info(ctx.reply, "Number of buckets", filter->buckets());
  reply_info(ctx.reply, "Number of filters", filter->layers());
  reply_info(ctx.reply, "Number of items inserted", filter->size());
  reply_info(ctx.reply, "Number of items deleted", filter->removed());
  reply_info(ctx.reply, "Bucket size", filter->bucket_size());
  reply_info(ctx.reply, "Expansion rate", filter->expansion());
  reply_info(ctx.reply, "Max iterations", filter->max_iterations());
  return Status::ok();
}

// ---- dumping: 1 is the header's iterator, 1 + n that of the n bytes behind it

Status cmd_cf_scandump(Context& ctx) {
  const Result<int64_t> iterator = ctx.integer(2);
  if (!iterator.is_ok() || *iterator < 0) return ctx.fail_text(errors::kInvalidPosition);
  OURO_TRY(const Cuckoo* filter, find_sketch<Cuckoo>(ctx, 1, errors::kFilterNotFound));
  ctx.reply.array(2);
  if (*iterator == 0 && filter->size() > 0) {
    ctx.reply.integer(1);
    ctx.reply.bulk(filter->header());
    return Status::ok();
  }
  // An empty filter has no dump.
  std::string bytes;
  if (*iterator > 0 && filter->size() > 0) {
    bytes = filter->read(static_cast<uint64_t>(*iterator - 1), kDumpBytesMax);
  }
  ctx.reply.integer(bytes.empty() ? 0 : *iterator + static_cast<int64_t>(bytes.size()));
  bytes.empty() ? ctx.reply.null() : ctx.reply.bulk(bytes);
  return Status::ok();
}

Status load_header(Context& ctx, const Key& key, const Cuckoo* old) {
  if (old != nullptr) return ctx.fail_text(kFilterExists);
  const ByteView header = ctx.argv[3];
  if (header.size() != Cuckoo::kHeaderBytes) return ctx.fail("Invalid header");
  const Result<Cuckoo> made = Cuckoo::from_header(ctx.heap(), header);
  if (!made.is_ok()) return ctx.fail("Couldn't create filter!");
  add_sketch(ctx, key, *made);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_cf_loadchunk(Context& ctx) {
  const Result<int64_t> iterator = ctx.integer(2);
  if (!iterator.is_ok() || *iterator == 0) return ctx.fail_text(errors::kInvalidPosition);
  const Key key = ctx.key(1);
  OURO_TRY(Cuckoo * filter, ctx.find_as_to_write<Cuckoo>(key));
  if (*iterator == 1) return load_header(ctx, key, filter);
  if (filter == nullptr) return ctx.fail_text(errors::kFilterNotFound);
  const ByteView bytes = ctx.argv[3];
  const uint64_t end = *iterator > 0 ? static_cast<uint64_t>(*iterator) - 1 : 0;
  if (bytes.empty() || end < bytes.size() ||
      !filter->write(ctx.heap(), end - bytes.size(), bytes).is_ok()) {
    return ctx.fail("Couldn't load chunk!");
  }
  changed_sketch(ctx, key);
  ctx.reply.ok();
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "CF.ADD",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_cf_add,
     .doc = {.summary = "Adds an item to a cuckoo filter, which is made if there is none.",
             .complexity = "O(L+M), L layers and at most M moves",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 item:string"}},
    {.name = "CF.ADDNX",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_cf_addnx,
     .doc = {.summary = "Adds an item to a cuckoo filter unless it is there already.",
             .complexity = "O(L+M), L layers and at most M moves",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 item:string"}},
    {.name = "CF.COMPACT",
     .arity = exactly(2),
     .flags = Flag::kWrite,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .handler = cmd_cf_compact,
     .doc = {.summary = "Moves the items of a cuckoo filter into as few layers as they fit in.",
             .complexity = "O(N), N cells of the filter",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0"}},
    {.name = "CF.COUNT",
     .arity = exactly(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .handler = cmd_cf_count,
     .doc = {.summary = "Returns how often an item was probably added to a cuckoo filter.",
             .complexity = "O(L), L layers",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 item:string"}},
    {.name = "CF.DEL",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .handler = cmd_cf_del,
     .doc = {.summary = "Removes an item once from a cuckoo filter.",
             .complexity = "O(L), L layers",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 item:string"}},
    {.name = "CF.EXISTS",
     .arity = exactly(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .handler = cmd_cf_exists,
     .doc = {.summary = "Tells whether an item is probably in a cuckoo filter.",
             .complexity = "O(L), L layers",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 item:string"}},
    {.name = "CF.INFO",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_cf_info,
     .doc = {.summary = "Returns what a cuckoo filter is made for and holds.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0"}},
    {.name = "CF.INSERT",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_cf_insert,
     .doc = {.summary = "Adds items to a cuckoo filter, saying how to make it if there is none.",
             .complexity = "O(N*(L+M)), N items, L layers and at most M moves",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 [CAPACITY=capacity:integer] [nocreate!NOCREATE] items!ITEMS "
                     "item:string..."}},
    {.name = "CF.INSERTNX",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_cf_insertnx,
     .doc = {.summary = "Adds those of several items that are not yet in a cuckoo filter.",
             .complexity = "O(N*(L+M)), N items, L layers and at most M moves",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 [CAPACITY=capacity:integer] [nocreate!NOCREATE] items!ITEMS "
                     "item:string..."}},
    {.name = "CF.LOADCHUNK",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_cf_loadchunk,
     .doc = {.summary = "Restores a piece of what CF.SCANDUMP answered.",
             .complexity = "O(N), N bytes",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 iterator:integer data:string"}},
    {.name = "CF.MEXISTS",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .handler = cmd_cf_mexists,
     .doc = {.summary = "Tells which of several items are probably in a cuckoo filter.",
             .complexity = "O(L*N), N items and L layers",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 item:string..."}},
    {.name = "CF.RESERVE",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_cf_reserve,
     .doc = {.summary = "Makes an empty cuckoo filter.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 capacity:integer [BUCKETSIZE=bucketsize:integer] "
                     "[MAXITERATIONS=maxiterations:integer] [EXPANSION=expansion:integer]"}},
    {.name = "CF.SCANDUMP",
     .arity = exactly(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_cf_scandump,
     .doc = {.summary = "Returns a cuckoo filter piece by piece, to be kept or moved.",
             .complexity = "O(N), N bytes of a piece",
             .since = "1.0.0",
             .group = "cf",
             .args = "key:key#0 iterator:integer"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kCuckooCommands = kRows;

}  // namespace ouro
