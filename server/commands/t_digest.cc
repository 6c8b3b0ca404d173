// SPDX-License-Identifier: BSD-3-Clause
// TDIGEST.*: quantiles of a stream of numbers.
#include "datastructs/t_digest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "server/commands/help.h"
#include "server/commands/sketch_key.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

constexpr ByteView kMissing = "ERR T-Digest: key does not exist";
constexpr ByteView kWrongKeyword = "ERR T-Digest: wrong keyword";
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Result<const TDigest*> find_digest(Context& ctx, size_t index = 1) {
  return find_sketch<TDigest>(ctx, index, kMissing);
}

// ---- making

Result<int64_t> parse_compression(Context& ctx, ByteView text) {
  const Result<int64_t> compression = parse_integer(text);
  if (!compression.is_ok()) return ctx.fail("ERR T-Digest: error parsing compression parameter");
  if (*compression <= 0) {
    return ctx.fail("ERR T-Digest: compression parameter needs to be a positive integer");
  }
  return compression;
}

Status cmd_tdigest_create(Context& ctx) {
  if (ctx.argv.size() != 2 && ctx.argv.size() != 4) return wrong_arity(ctx);
  const Key key = ctx.key(1);
  OURO_TRY(const TDigest* old, ctx.find_as_to_write<TDigest>(key));
  if (old != nullptr) return ctx.fail("ERR T-Digest: key already exists");
  int64_t compression = TDigest::kCompressionDefault;
  if (ctx.argv.size() == 4) {
    if (!equals_ignoring_case(ctx.argv[2], "COMPRESSION")) return ctx.fail_text(kWrongKeyword);
    OURO_TRY(compression, parse_compression(ctx, ctx.argv[3]));
  }
  if (compression > TDigest::kCompressionMax) return ctx.fail("ERR T-Digest: allocation failed");
  add_sketch(ctx, key, TDigest::create(ctx.heap(), compression));
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_tdigest_reset(Context& ctx) {
  OURO_TRY(TDigest * digest, find_sketch_to_write<TDigest>(ctx, 1, kMissing));
  digest->reset(ctx.heap());
  changed_sketch(ctx, ctx.key(1));
  ctx.reply.ok();
  return Status::ok();
}

// ---- adding

Status cmd_tdigest_add(Context& ctx) {
  OURO_TRY(TDigest * digest, find_sketch_to_write<TDigest>(ctx, 1, kMissing));
  // All numbers are read before anything changes.
  for (size_t i = 2; i < ctx.argv.size(); ++i) {
    const Result<double> sample = ctx.real(i);
    if (!sample.is_ok()) return ctx.fail("ERR T-Digest: error parsing val parameter");
    if (std::isinf(*sample)) {
      return ctx.fail("ERR T-Digest: val parameter needs to be a finite number");
    }
  }
  for (size_t i = 2; i < ctx.argv.size(); ++i) digest->add(ctx.heap(), *ctx.real(i));
  changed_sketch(ctx, ctx.key(1), ctx.argv.size() - 2);
  ctx.reply.ok();
  return Status::ok();
}

// TDIGEST.MERGE destination numkeys source ... [COMPRESSION compression] [OVERRIDE]
struct Merge {
  size_t sources = 0;
  int64_t compression = 0;  // 0: not given
  bool override_destination = false;
};
constexpr size_t kFirstSource = 3;

Status parse_merge(Context& ctx, Merge& merge) {
  const Result<int64_t> numkeys = ctx.integer(2);
  if (!numkeys.is_ok()) return ctx.fail("ERR T-Digest: error parsing numkeys");
  if (*numkeys <= 0) return ctx.fail("ERR T-Digest: numkeys needs to be a positive integer");
  merge.sources = static_cast<size_t>(*numkeys);
  if (merge.sources > ctx.argv.size() - kFirstSource) return wrong_arity(ctx);
  ArgParser args(ctx.argv, kFirstSource + merge.sources);
  while (args.more()) {
    if (args.word("COMPRESSION")) {
      if (args.left() == 0) return wrong_arity(ctx);
      OURO_TRY(merge.compression, parse_compression(ctx, args.next()));
    } else if (args.word("OVERRIDE")) {
      merge.override_destination = true;
    } else {
      return ctx.fail_text(kWrongKeyword);
    }
  }
  return args.finish();
}

Status cmd_tdigest_merge(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(TDigest * destination, ctx.find_as_to_write<TDigest>(key));
  Merge merge;
  OURO_TRY(parse_merge(ctx, merge));
  const bool keeps_old = destination != nullptr && !merge.override_destination;
  std::vector<const TDigest*> parts;
  if (keeps_old) parts.push_back(destination);
  int64_t largest = 0;
  for (size_t i = 0; i < merge.sources; ++i) {
    OURO_TRY(const TDigest* source, find_digest(ctx, kFirstSource + i));
    parts.push_back(source);
    largest = std::max(largest, source->compression());
  }
  const int64_t compression = merge.compression > 0 ? merge.compression
                              : keeps_old           ? destination->compression()
                                                    : largest;
  if (compression > TDigest::kCompressionMax) {
    return ctx.fail("ERR T-Digest: allocation of destination digest failed");
  }
  // The destination may be one of the sources.
  TDigest merged = TDigest::create(ctx.heap(), compression);
  for (const TDigest* part : parts) merged.merge(ctx.heap(), *part);
  if (destination == nullptr) {
    add_sketch(ctx, key, merged);
  } else {
    destination->destroy(ctx.heap());
    *destination = merged;
    changed_sketch(ctx, key);
  }
  ctx.reply.ok();
  return Status::ok();
}

// ---- asking

Status cmd_tdigest_min(Context& ctx) {
  OURO_TRY(const TDigest* digest, find_digest(ctx));
  ctx.reply.real(digest->min());
  return Status::ok();
}

Status cmd_tdigest_max(Context& ctx) {
  OURO_TRY(const TDigest* digest, find_digest(ctx));
  ctx.reply.real(digest->max());
  return Status::ok();
}

// The arguments behind the key, each checked by `check`, which gives an error's text or none.
template <class T, class Parse, class Check>
Result<std::vector<T>> parse_all(Context& ctx, ByteView unreadable, Parse parse, Check check) {
  std::vector<T> all;
  for (const ByteView text : ctx.argv.subspan(2)) {
    const Result<T> number = parse(text);
    if (!number.is_ok()) return ctx.fail_text(unreadable);
    if (const ByteView wrong = check(*number); !wrong.empty()) return ctx.fail_text(wrong);
    all.push_back(*number);
  }
  return all;
}
constexpr auto kAnyNumber = [](double) { return ByteView(); };

Status cmd_tdigest_quantile(Context& ctx) {
  OURO_TRY(const TDigest* digest, find_digest(ctx));
  OURO_TRY(const std::vector<double> quantiles,
           parse_all<double>(ctx, "ERR T-Digest: error parsing quantile", parse_real, [](double q) {
             return q >= 0 && q <= 1 ? ByteView() : "ERR T-Digest: quantile should be in [0,1]";
           }));
  const TDigest::View view = digest->view();
  ctx.reply.array(quantiles.size());
  for (const double q : quantiles) ctx.reply.real(view.quantile(q));
  return Status::ok();
}

Status cmd_tdigest_cdf(Context& ctx) {
  OURO_TRY(const TDigest* digest, find_digest(ctx));
  OURO_TRY(const std::vector<double> values,
           parse_all<double>(ctx, "ERR T-Digest: error parsing cdf", parse_real, kAnyNumber));
  const TDigest::View view = digest->view();
  ctx.reply.array(values.size());
  for (const double x : values) ctx.reply.real(view.cdf(x));
  return Status::ok();
}

Status cmd_tdigest_trimmed_mean(Context& ctx) {
  OURO_TRY(const TDigest* digest, find_digest(ctx));
  const Result<double> low = ctx.real(2);
  if (!low.is_ok()) return ctx.fail("ERR T-Digest: error parsing low_cut_percentile");
  const Result<double> high = ctx.real(3);
  if (!high.is_ok()) return ctx.fail("ERR T-Digest: error parsing high_cut_percentile");
  if (*low < 0 || *low > 1 || *high < 0 || *high > 1) {
    return ctx.fail("ERR T-Digest: low_cut_percentile and high_cut_percentile should be in [0,1]");
  }
  if (*low >= *high) {
    return ctx.fail("ERR T-Digest: low_cut_percentile should be lower than high_cut_percentile");
  }
  ctx.reply.real(digest->view().trimmed_mean(*low, *high));
  return Status::ok();
}

// ---- ranks

enum class From : uint8_t { kLowest, kHighest };

// Halves are rounded towards the end that is counted from.
double rank_of(const TDigest::View& view, double x, From from) {
  if (view.total() == 0) return -2;
  const bool is_below = x < view.min();
  if (is_below || x > view.max()) {
    // Before the first is -1, behind the last their number.
    return is_below == (from == From::kLowest) ? -1 : view.total();
  }
  const double below = view.cdf(x) * view.total();
  if (from == From::kHighest) return std::round(view.total() - std::round(below));
  const double whole = std::trunc(below);
  return below - whole <= 0.5 ? whole : whole + 1;
}

double value_of(const TDigest::View& view, double rank, From from) {
  const bool lowest = from == From::kLowest;
  // Not-a-number if the digest is empty.
  if (rank == 0 || view.total() == 0) return lowest ? view.min() : view.max();
  if (rank >= view.total()) return lowest ? kInfinity : -kInfinity;
  return view.value_at(lowest ? rank : view.total() - rank - 1);
}

Status reply_ranks(Context& ctx, From from) {
  OURO_TRY(const TDigest* digest, find_digest(ctx));
  OURO_TRY(const std::vector<double> values,
           parse_all<double>(ctx, "ERR T-Digest: error parsing value", parse_real, kAnyNumber));
  const TDigest::View view = digest->view();
  ctx.reply.array(values.size());
  for (const double x : values) ctx.reply.integer(static_cast<int64_t>(rank_of(view, x, from)));
  return Status::ok();
}

Status reply_by_rank(Context& ctx, From from) {
  OURO_TRY(const TDigest* digest, find_digest(ctx));
  OURO_TRY(
      const std::vector<int64_t> ranks,
      parse_all<int64_t>(ctx, "ERR T-Digest: error parsing rank", parse_integer, [](int64_t rank) {
        return rank >= 0 ? ByteView() : "ERR T-Digest: rank needs to be non negative";
      }));
  const TDigest::View view = digest->view();
  ctx.reply.array(ranks.size());
  for (const int64_t rank : ranks) {
    ctx.reply.real(value_of(view, static_cast<double>(rank), from));
  }
  return Status::ok();
}

Status cmd_tdigest_rank(Context& ctx) { return reply_ranks(ctx, From::kLowest); }
Status cmd_tdigest_revrank(Context& ctx) { return reply_ranks(ctx, From::kHighest); }
Status cmd_tdigest_byrank(Context& ctx) { return reply_by_rank(ctx, From::kLowest); }
Status cmd_tdigest_byrevrank(Context& ctx) { return reply_by_rank(ctx, From::kHighest); }

Status cmd_tdigest_info(Context& ctx) {
  OURO_TRY(const TDigest* digest, find_digest(ctx));
  const auto merged = static_cast<uint64_t>(digest->merged_weight());
  const auto unmerged = static_cast<uint64_t>(digest->unmerged_weight());
  ctx.reply.map(9);
  reply_info(ctx.reply, "Compression", static_cast<uint64_t>(digest->compression()));
  reply_info(ctx.reply, "Capacity", digest->capacity());
  reply_info(ctx.reply, "Merged nodes", digest->merged_nodes());
  reply_info(ctx.reply, "Unmerged nodes", digest->unmerged_nodes());
  reply_info(ctx.reply, "Merged weight", merged);
  reply_info(ctx.reply, "Unmerged weight", unmerged);
  reply_info(ctx.reply, "Observations", merged + unmerged);
  reply_info(ctx.reply, "Total compressions", digest->compressions());
  reply_info(ctx.reply, "Memory usage", digest->reported_bytes());
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "TDIGEST.ADD",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .handler = cmd_tdigest_add,
     .doc = {.summary = "Adds samples to a t-digest.",
             .complexity = "O(N), N samples",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0 values:{value:double}..."}},
    {.name = "TDIGEST.BYRANK",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_tdigest_byrank,
     .doc = {.summary = "Returns the samples at given ranks, estimated.",
             .complexity = "O(C), C centroids",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0 rank:double..."}},
    {.name = "TDIGEST.BYREVRANK",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_tdigest_byrevrank,
     .doc = {.summary = "Returns the samples at given ranks counted from the largest, estimated.",
             .complexity = "O(C), C centroids",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0 reverse_rank:double..."}},
    {.name = "TDIGEST.CDF",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_tdigest_cdf,
     .doc = {.summary = "Returns the shares of samples below given values, estimated.",
             .complexity = "O(C), C centroids",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0 value:double..."}},
    {.name = "TDIGEST.CREATE",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .handler = cmd_tdigest_create,
     .doc = {.summary = "Makes an empty t-digest.",
             .complexity = "O(1)",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0 [COMPRESSION=compression:integer]"}},
    {.name = "TDIGEST.INFO",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_tdigest_info,
     .doc = {.summary = "Returns what a t-digest is made for and holds.",
             .complexity = "O(1)",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0"}},
    {.name = "TDIGEST.MAX",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_tdigest_max,
     .doc = {.summary = "Returns the largest sample of a t-digest.",
             .complexity = "O(1)",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0"}},
    {.name = "TDIGEST.MERGE",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kInsert | kUpdate), counted_keys(2, kReadOnly | kAccess)},
     .handler = cmd_tdigest_merge,
     .doc = {.summary = "Merges t-digests into one.",
             .complexity = "O(N*C), N digests of C centroids",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "destination-key:key#0 numkeys:integer source-key:key#1... "
                     "[COMPRESSION=compression:integer] [override!OVERRIDE]"}},
    {.name = "TDIGEST.MIN",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_tdigest_min,
     .doc = {.summary = "Returns the smallest sample of a t-digest.",
             .complexity = "O(1)",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0"}},
    {.name = "TDIGEST.QUANTILE",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_tdigest_quantile,
     .doc = {.summary = "Returns the samples at given quantiles, estimated.",
             .complexity = "O(C), C centroids",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0 quantile:double..."}},
    {.name = "TDIGEST.RANK",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_tdigest_rank,
     .doc = {.summary = "Returns how many samples are below given values, estimated.",
             .complexity = "O(C), C centroids",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0 value:double..."}},
    {.name = "TDIGEST.RESET",
     .arity = exactly(2),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .handler = cmd_tdigest_reset,
     .doc = {.summary = "Empties a t-digest.",
             .complexity = "O(1)",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0"}},
    {.name = "TDIGEST.REVRANK",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_tdigest_revrank,
     .doc = {.summary = "Returns how many samples are above given values, estimated.",
             .complexity = "O(C), C centroids",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0 value:double..."}},
    {.name = "TDIGEST.TRIMMED_MEAN",
     .arity = exactly(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .handler = cmd_tdigest_trimmed_mean,
     .doc = {.summary = "Returns the mean of the samples between two quantiles, estimated.",
             .complexity = "O(C), C centroids",
             .since = "2.4.0",
             .group = "tdigest",
             .args = "key:key#0 low_cut_quantile:double high_cut_quantile:double"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kTDigestCommands = kRows;

}  // namespace ouro
