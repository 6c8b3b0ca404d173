// SPDX-License-Identifier: BSD-3-Clause
// CMS.*: count-min sketches.
#include "datastructs/count_min.h"

#include <vector>

#include "server/commands/help.h"
#include "server/commands/sketch_key.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

constexpr ByteView kMissing = "CMS: key does not exist";

// ---- making

Status make_sketch(Context& ctx, const Key& key, const CountMin::Shape& shape) {
  if (!CountMin::fits(shape)) return ctx.fail("CMS: Insufficient memory to create the key");
  add_sketch(ctx, key, CountMin::create(ctx.heap(), shape));
  ctx.reply.ok();
  return Status::ok();
}

// Whatever its type.
Status refuse_existing(Context& ctx, const Key& key) {
  if (ctx.find_to_write(key) == nullptr) return Status::ok();
  return ctx.fail("CMS: key already exists");
}

Status cmd_cms_initbydim(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(refuse_existing(ctx, key));
  const Result<int64_t> width = ctx.integer(2);
  if (!width.is_ok() || *width < 1) return ctx.fail("CMS: invalid width");
  const Result<int64_t> depth = ctx.integer(3);
  if (!depth.is_ok() || *depth < 1) return ctx.fail("CMS: invalid depth");
  if (*width > INT64_MAX / *depth) return ctx.fail_text(errors::kInvalidSketchShape);
  return make_sketch(
      ctx, key, {.width = static_cast<uint64_t>(*width), .depth = static_cast<uint64_t>(*depth)});
}

Status cmd_cms_initbyprob(Context& ctx) {
  const auto is_share = [](const Result<double>& number) {
    return number.is_ok() && *number > 0 && *number < 1;
  };
  const Key key = ctx.key(1);
  OURO_TRY(refuse_existing(ctx, key));
  const Result<double> error = ctx.real(2);
  if (!is_share(error)) return ctx.fail("CMS: invalid overestimation value");
  const Result<double> probability = ctx.real(3);
  if (!is_share(probability)) return ctx.fail("CMS: invalid prob value");
  const CountMin::Shape shape = CountMin::shape_for(*error, *probability);
  if (shape.depth < 1 || shape.width > uint64_t{INT64_MAX} / shape.depth) {
    return ctx.fail_text(errors::kInvalidSketchShape);
  }
  return make_sketch(ctx, key, shape);
}

// ---- counting

Status cmd_cms_incrby(Context& ctx) {
  const Argv argv = ctx.argv;
  if (argv.size() % 2 != 0) return wrong_arity(ctx);
  const Key key = ctx.key(1);
  OURO_TRY(CountMin * sketch, find_sketch_to_write<CountMin>(ctx, 1, kMissing));
  // All numbers are read before anything changes.
  for (size_t i = 3; i < argv.size(); i += 2) {
    const Result<int64_t> by = ctx.integer(i);
    if (!by.is_ok()) return ctx.fail("CMS: Cannot parse number");
    if (*by < 0) return ctx.fail("CMS: Number cannot be negative");
  }
  const size_t pairs = (argv.size() - 2) / 2;
  ctx.reply.array(pairs);
  for (size_t i = 2; i < argv.size(); i += 2) {
    const auto by = static_cast<uint64_t>(*ctx.integer(i + 1));
    const uint32_t estimate = sketch->add(ctx.heap(), argv[i], by);
    if (estimate == CountMin::kCounterMax) {
      ctx.reply.error("CMS: INCRBY overflow");
    } else {
      ctx.reply.integer(estimate);
    }
  }
  changed_sketch(ctx, key, pairs);
  return Status::ok();
}

Status cmd_cms_query(Context& ctx) {
  OURO_TRY(const CountMin* sketch, find_sketch<CountMin>(ctx, 1, kMissing));
  const Argv items = ctx.argv.subspan(2);
  ctx.reply.array(items.size());
  for (const ByteView item : items) ctx.reply.integer(sketch->estimate(item));
  return Status::ok();
}

struct Sources {
  std::vector<const CountMin*> sketches;
  std::vector<int64_t> weights;
};

// CMS.MERGE destination numkeys source ... [WEIGHTS weight ...]
Status parse_sources(Context& ctx, const CountMin& destination, Sources& sources) {
  constexpr size_t kFirst = 3;
  const Argv argv = ctx.argv;
  const Result<int64_t> numkeys = ctx.integer(2);
  if (!numkeys.is_ok()) return ctx.fail("CMS: invalid numkeys");
  if (*numkeys <= 0) return ctx.fail("CMS: Number of keys must be positive");
  const size_t words = argv.size() - kFirst;
  const auto count = static_cast<size_t>(*numkeys);
  const bool weighted = count < words && equals_ignoring_case(argv[kFirst + count], "WEIGHTS");
  if (!weighted && count != words) return ctx.fail("CMS: wrong number of keys");
  if (weighted && words != 2 * count + 1) return ctx.fail("CMS: wrong number of keys/weights");
  for (size_t i = 0; i < count; ++i) {
    int64_t weight = 1;
    if (weighted) {
      const Result<int64_t> number = ctx.integer(kFirst + count + 1 + i);
      if (!number.is_ok()) return ctx.fail("CMS: invalid weight value");
      weight = *number;
    }
    OURO_TRY(const CountMin* source, find_sketch<CountMin>(ctx, kFirst + i, kMissing));
    if (source->width() != destination.width() || source->depth() != destination.depth()) {
      return ctx.fail("CMS: width/depth is not equal");
    }
    sources.sketches.push_back(source);
    sources.weights.push_back(weight);
  }
  return Status::ok();
}

Status cmd_cms_merge(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(CountMin * destination, find_sketch_to_write<CountMin>(ctx, 1, kMissing));
  Sources sources;
  OURO_TRY(parse_sources(ctx, *destination, sources));
  if (!destination->merge(ctx.heap(), sources.sketches, sources.weights)) {
    return ctx.fail("CMS: MERGE overflow");
  }
  changed_sketch(ctx, key);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_cms_info(Context& ctx) {
  OURO_TRY(const CountMin* sketch, find_sketch<CountMin>(ctx, 1, kMissing));
  ctx.reply.map(3);
  reply_info(ctx.reply, "width", sketch->width());
  reply_info(ctx.reply, "depth", sketch->depth());
  reply_info(ctx.reply, "count", static_cast<uint64_t>(sketch->total()));
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "CMS.INCRBY",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .handler = cmd_cms_incrby,
     .doc = {.summary = "Adds to the counts of items in a count-min sketch.",
             .complexity = "O(N*D), N items and D rows",
             .since = "2.0.0",
             .group = "cms",
             .args = "key:key#0 items:{item:string increment:integer}..."}},
    {.name = "CMS.INFO",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_cms_info,
     .doc = {.summary = "Returns the shape and the total count of a count-min sketch.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "cms",
             .args = "key:key#0"}},
    {.name = "CMS.INITBYDIM",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_cms_initbydim,
     .doc = {.summary = "Makes a count-min sketch of so many rows and columns.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "cms",
             .args = "key:key#0 width:integer depth:integer"}},
    {.name = "CMS.INITBYPROB",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_cms_initbyprob,
     .doc = {.summary = "Makes a count-min sketch that errs by so much, so often.",
             .complexity = "O(1)",
             .since = "2.0.0",
             .group = "cms",
             .args = "key:key#0 error:double probability:double"}},
    {.name = "CMS.MERGE",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kUpdate), counted_keys(2, kReadOnly | kAccess)},
     .handler = cmd_cms_merge,
     .doc = {.summary = "Makes a count-min sketch the weighted sum of others.",
             .complexity = "O(N*C), N sketches of C counters",
             .since = "2.0.0",
             .group = "cms",
             .args = "destination:key#0 numKeys:integer source:key#1... "
                     "[WEIGHTS=weight:integer...]"}},
    {.name = "CMS.QUERY",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_cms_query,
     .doc = {.summary = "Returns the estimated counts of items in a count-min sketch.",
             .complexity = "O(N*D), N items and D rows",
             .since = "2.0.0",
             .group = "cms",
             .args = "key:key#0 item:string..."}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kCountMinCommands = kRows;

}  // namespace ouro
