// SPDX-License-Identifier: BSD-3-Clause
// Union, intersection and difference of sorted sets and plain sets (whose members score 1):
// answered, counted or stored.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/element_writer.h"
#include "server/commands/stored_result.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// Stops when it returns false.
using Visit = FunctionRef<bool(ByteView member, double score)>;

// One input; with neither kind its key is absent.
struct Source {
  const ZSet* zset = nullptr;
  const Set* set = nullptr;
  double weight = 1;
  bool counts = false;  // that an element is there, whatever its score

  double counted(double score) const { return counts ? 1 : score; }
  size_t size() const {
    if (zset != nullptr) return zset->size();
    return set == nullptr ? 0 : set->size();
  }
  bool is_same_as(const Source& other) const { return zset == other.zset && set == other.set; }
  // Not for the zset that is being walked.
  std::optional<double> score(ByteView member) const {
    if (zset != nullptr) return zset->score(member);
    if (set != nullptr && set->contains(member)) return 1;
    return std::nullopt;
  }
  void walk(Visit visit) const;
};

void Source::walk(Visit visit) const {
  if (set != nullptr) set->for_each_while([&](ByteView member) { return visit(member, 1); });
  if (zset == nullptr) return;
  // By pieces, so that a visitor who has seen enough does not cost a walk to the end.
  constexpr size_t kPiece = 128;
  bool more = true;
  for (size_t at = 0; more && at < zset->size(); at += kPiece) {
    const RankRange piece{at, std::min(at + kPiece, zset->size())};
    zset->for_each(piece, Direction::kAscending,
                   [&](ByteView member, double score) { more = more && visit(member, score); });
  }
}

enum class Operation : uint8_t { kUnion, kIntersection, kDifference };
enum class Aggregate : uint8_t { kSum, kMin, kMax };

double combine(Aggregate aggregate, double sum, double score) {
  switch (aggregate) {
    case Aggregate::kSum:
      sum += score;
      // inf - inf
      return std::isnan(sum) ? 0 : sum;
    case Aggregate::kMin:
      return score < sum ? score : sum;
    case Aggregate::kMax:
      return score > sum ? score : sum;
  }
  OURO_UNREACHABLE();
}

double weighted(const Source& source, double score) {
  const double product = source.weight * source.counted(score);
  // 0 * inf
  return std::isnan(product) ? 0 : product;
}

// What the command's name settles.
struct Form {
  Operation operation;
  size_t numkeys = 1;  // argument index
  bool store = false;
  bool count_only = false;
};

struct Request {
  std::vector<Source> sources;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  size_t limit = 0;  // none
};

Status find_sources(Context& ctx, const Form& form, Request& request) {
  OURO_TRY(const int64_t numkeys, ctx.integer(form.numkeys));
  if (numkeys < 1) {
    const std::string name(ctx.engine.registry.full_name(ctx.spec));
    return ctx.fail("ERR at least 1 input key is needed for '%s' command", name.c_str());
  }
  const size_t first = form.numkeys + 1;
  if (static_cast<uint64_t>(numkeys) > ctx.argv.size() - first) return Err::kSyntax;
  const auto count = static_cast<size_t>(numkeys);
  request.sources.reserve(count);
  for (size_t i = first; i < first + count; ++i) {
    Source source;
    if (const Entry* entry = ctx.find(ctx.key(i)); entry != nullptr) {
      if (entry->kind() == Kind::kZSet) {
        source.zset = &entry->as<ZSet>();
      } else if (entry->kind() == Kind::kSet) {
        source.set = &entry->as<Set>();
      } else {
        return Err::kWrongType;
      }
    }
    request.sources.push_back(source);
  }
  return Status::ok();
}

// The word behind AGGREGATE. COUNT (Redis 8.8) sums up weights and does not look at scores.
bool take_aggregate(ArgParser& args, Request& request) {
  constexpr struct {
    ByteView word;
    Aggregate aggregate;
    bool counts = false;
  } kWords[] = {{.word = "SUM", .aggregate = Aggregate::kSum},
                {.word = "MIN", .aggregate = Aggregate::kMin},
                {.word = "MAX", .aggregate = Aggregate::kMax},
                {.word = "COUNT", .aggregate = Aggregate::kSum, .counts = true}};
  for (const auto& known : kWords) {
    if (!args.word(known.word)) continue;
    request.aggregate = known.aggregate;
    for (Source& source : request.sources) source.counts = known.counts;
    return true;
  }
  return false;
}

Status parse_options(Context& ctx, const Form& form, Request& request) {
  const bool weighs = form.operation != Operation::kDifference && !form.count_only;
  const size_t count = request.sources.size();
  ArgParser args(ctx.argv, form.numkeys + 1 + count);
  while (args.more()) {
    if (weighs && args.left() >= count + 1 && args.word("WEIGHTS")) {
      for (Source& source : request.sources) {
        const Result<double> weight = parse_real(args.next());
        if (!weight.is_ok()) return ctx.fail("ERR weight value is not a float");
        source.weight = *weight;
      }
    } else if (weighs && args.left() >= 2 && args.word("AGGREGATE")) {
      if (!take_aggregate(args, request)) args.unexpected();
    } else if (!form.store && !form.count_only && args.word("WITHSCORES")) {
      request.with_scores = true;
    } else if (form.count_only && args.left() >= 2 && args.word("LIMIT")) {
      OURO_TRY(request.limit, positive_count(ctx, args.position(), errors::kNegativeLimit));
      args.next();
    } else {
      args.unexpected();
    }
  }
  return args.finish();
}

// Each operation gives every element of the result once; sources come smallest first, which also
// is the order in which Redis sums up scores.

void intersect(const Request& request, Visit visit) {
  const std::vector<Source>& sources = request.sources;
  const Source& walked = sources[0];
  walked.walk([&](ByteView member, double own) {
    double sum = weighted(walked, own);
    for (size_t i = 1; i < sources.size(); ++i) {
      const auto score = sources[i].is_same_as(walked) ? own : sources[i].score(member);
      if (!score) return true;
      sum = combine(request.aggregate, sum, sources[i].counted(*score) * sources[i].weight);
    }
    return visit(member, sum);
  });
}

// A union is the sorted set it becomes: each element is added by the rule that its aggregate is.
void unite(Context& ctx, const Request& request, ZSet& made) {
  const ZAddRule rule{.only_greater = request.aggregate == Aggregate::kMax,
                      .only_less = request.aggregate == Aggregate::kMin,
                      .increment = request.aggregate == Aggregate::kSum,
                      .zero_signs = true};
  for (const Source& source : request.sources) {
    source.walk([&](ByteView member, double own) {
      const auto result =
          made.add(ctx.heap(), ctx.limits(), ctx.db.seed(), member, weighted(source, own), rule);
      if (result.outcome == ZAddResult::Outcome::kNotANumber) {
        made.add(ctx.heap(), ctx.limits(), ctx.db.seed(), member, 0, {});
      }
      return true;
    });
  }
}

void subtract(const Request& request, Visit visit) {
  const std::vector<Source>& sources = request.sources;
  const Source& walked = sources[0];
  for (size_t i = 1; i < sources.size(); ++i) {
    if (sources[i].is_same_as(walked)) return;
  }
  walked.walk([&](ByteView member, double own) {
    for (size_t i = 1; i < sources.size(); ++i) {
      if (sources[i].score(member)) return true;
    }
    return visit(member, own);
  });
}

ZSet result_of(Context& ctx, const Form& form, const Request& request) {
  ZSet made;
  const auto add = [&](ByteView member, double score) {
    made.add(ctx.heap(), ctx.limits(), ctx.db.seed(), member, score, {.zero_signs = true});
    return true;
  };
  switch (form.operation) {
    case Operation::kUnion:
      unite(ctx, request, made);
      break;
    case Operation::kIntersection:
      intersect(request, add);
      break;
    case Operation::kDifference:
      subtract(request, add);
  }
  return made;
}

ByteView event_of(Operation operation) {
  switch (operation) {
    case Operation::kUnion:
      return "zunionstore";
    case Operation::kIntersection:
      return "zinterstore";
    case Operation::kDifference:
      return "zdiffstore";
  }
  OURO_UNREACHABLE();
}

Status run(Context& ctx, const Form& form) {
  Request request;
  OURO_TRY(find_sources(ctx, form, request));
  OURO_TRY(parse_options(ctx, form, request));
  if (form.operation != Operation::kDifference) {
    std::stable_sort(request.sources.begin(), request.sources.end(),
                     [](const Source& a, const Source& b) { return a.size() < b.size(); });
  }
  if (form.count_only) {
    size_t count = 0;
    intersect(request, [&](ByteView, double) { return ++count != request.limit; });
    ctx.reply.integer(static_cast<int64_t>(count));
    return Status::ok();
  }
  ZSet made = result_of(ctx, form, request);
  if (form.store) {
    made.drop_zero_signs(ctx.heap());
    store_result(ctx, ctx.key(1), made, Event::kZSet, event_of(form.operation));
    if (request.sources[0].counts) leave_as_made(ctx, ctx.key(1));
    return Status::ok();
  }
  ElementWriter writer(ctx.reply, request.with_scores);
  writer.begin(made.size());
  made.for_each([&writer](ByteView member, double score) { writer.put(member, score); });
  made.destroy(ctx.heap());
  return Status::ok();
}

Status cmd_zunion(Context& ctx) { return run(ctx, {.operation = Operation::kUnion}); }
Status cmd_zinter(Context& ctx) { return run(ctx, {.operation = Operation::kIntersection}); }
Status cmd_zdiff(Context& ctx) { return run(ctx, {.operation = Operation::kDifference}); }
Status cmd_zintercard(Context& ctx) {
  return run(ctx, {.operation = Operation::kIntersection, .count_only = true});
}
Status cmd_zunionstore(Context& ctx) {
  return run(ctx, {.operation = Operation::kUnion, .numkeys = 2, .store = true});
}
Status cmd_zinterstore(Context& ctx) {
  return run(ctx, {.operation = Operation::kIntersection, .numkeys = 2, .store = true});
}
Status cmd_zdiffstore(Context& ctx) {
  return run(ctx, {.operation = Operation::kDifference, .numkeys = 2, .store = true});
}

constexpr CommandSpec kRows[] = {
    {.name = "ZDIFF",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .keys = {counted_keys(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zdiff,
     .doc = {.summary = "Returns the members of the first sorted set that are in no other.",
             .complexity = "O(L+(N-K)*log(N)), L members in all, N in the first, K in the result",
             .since = "6.2.0",
             .group = "sorted-set",
             .args = "numkeys:integer key:key#0... [withscores!WITHSCORES]"}},
    {.name = "ZDIFFSTORE",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .keys = {one_key(1, kOverwrite | kUpdate), counted_keys(2, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zdiffstore,
     .doc = {.summary = "Stores the members of the first sorted set that are in no other.",
             .complexity = "O(L+(N-K)*log(N)), L members in all, N in the first, K in the result",
             .since = "6.2.0",
             .group = "sorted-set",
             .args = "destination:key#0 numkeys:integer key:key#1..."}},
    {.name = "ZINTER",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .keys = {counted_keys(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zinter,
     .doc = {.summary = "Returns the members that all sorted sets share.",
             .complexity =
                 "O(N*K+M*log(M)), N members in the smallest of K inputs, M in the result",
             .since = "6.2.0",
             .group = "sorted-set",
             .args = "numkeys:integer key:key#0... [WEIGHTS=weight:integer...] "
                     "[AGGREGATE=aggregate:<sum!SUM | min!MIN | max!MAX | count!COUNT@8.8.0>] "
                     "[withscores!WITHSCORES]"}},
    {.name = "ZINTERCARD",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .keys = {counted_keys(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zintercard,
     .doc = {.summary = "Counts the members that all sorted sets share.",
             .complexity = "O(N*K), N members in the smallest of K inputs",
             .since = "7.0.0",
             .group = "sorted-set",
             .args = "numkeys:integer key:key#0... [LIMIT=limit:integer]"}},
    {.name = "ZINTERSTORE",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .keys = {one_key(1, kOverwrite | kUpdate), counted_keys(2, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zinterstore,
     .doc = {.summary = "Stores the members that all sorted sets share.",
             .complexity =
                 "O(N*K+M*log(M)), N members in the smallest of K inputs, M in the result",
             .since = "2.0.0",
             .group = "sorted-set",
             .args = "destination:key#0 numkeys:integer key:key#1... [WEIGHTS=weight:integer...] "
                     "[AGGREGATE=aggregate:<sum!SUM | min!MIN | max!MAX | count!COUNT@8.8.0>]"}},
    {.name = "ZUNION",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .keys = {counted_keys(1, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zunion,
     .doc = {.summary = "Returns the members that are in any of the sorted sets.",
             .complexity = "O(N+M*log(M)), N members in all inputs, M in the result",
             .since = "6.2.0",
             .group = "sorted-set",
             .args = "numkeys:integer key:key#0... [WEIGHTS=weight:integer...] "
                     "[AGGREGATE=aggregate:<sum!SUM | min!MIN | max!MAX | count!COUNT@8.8.0>] "
                     "[withscores!WITHSCORES]"}},
    {.name = "ZUNIONSTORE",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .keys = {one_key(1, kOverwrite | kUpdate), counted_keys(2, kReadOnly | kAccess)},
     .acl = Acl::kSortedSet,
     .handler = cmd_zunionstore,
     .doc = {.summary = "Stores the members that are in any of the sorted sets.",
             .complexity = "O(N+M*log(M)), N members in all inputs, M in the result",
             .since = "2.0.0",
             .group = "sorted-set",
             .args = "destination:key#0 numkeys:integer key:key#1... [WEIGHTS=weight:integer...] "
                     "[AGGREGATE=aggregate:<sum!SUM | min!MIN | max!MAX | count!COUNT@8.8.0>]"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kZSetStoreCommands = kRows;

}  // namespace ouro
