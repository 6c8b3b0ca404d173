// SPDX-License-Identifier: BSD-3-Clause
// Intersection, union and difference of sets. Each is one function that hands every member of the
// result to a visitor once; answering, counting and storing are visitors. Nothing is copied aside
// unless the inputs are many.
#include <algorithm>
#include <vector>

#include "datastructs/hyperloglog.h"
#include "datastructs/set.h"
#include "server/commands/stored_result.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"

namespace ouro {
namespace {

// The sets of some keys. An absent key stands as null.
using Sets = std::vector<const Set*>;

Result<Sets> find_sets(Context& ctx, size_t first, size_t count) {
  Sets sets;
  sets.reserve(count);
  for (size_t i = first; i < first + count; ++i) {
    OURO_TRY(const Set* set, ctx.find_as<Set>(ctx.key(i)));
    sets.push_back(set);
  }
  return sets;
}

// Stops when `visit` returns false.
using Visit = FunctionRef<bool(ByteView member)>;

void intersect(Context&, Sets& sets, Visit visit) {
  if (std::find(sets.begin(), sets.end(), nullptr) != sets.end()) return;
  // The smallest is walked; the next smallest refuse most.
  std::sort(sets.begin(), sets.end(),
            [](const Set* a, const Set* b) { return a->size() < b->size(); });
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  sets[0]->for_each_while([&](ByteView member) {
    for (size_t i = 1; i < sets.size(); ++i) {
      if (!sets[i]->contains(member)) return true;
    }
    return visit(member);
  });
}

// Up to so many inputs a look-up in each costs less than a copy of every member.
constexpr size_t kLookedUpInputsMax = 4;

// Every member of `sets[first..]` once.
void unite_from(Context& ctx, const Sets& sets, size_t first, Visit visit) {
  bool goes_on = true;
  if (sets.size() - first <= kLookedUpInputsMax) {
    for (size_t i = first; i < sets.size() && goes_on; ++i) {
      sets[i]->for_each_while([&](ByteView member) {
        for (size_t before = first; before < i; ++before) {
          if (sets[before]->contains(member)) return true;
        }
        return goes_on = visit(member);
      });
    }
    return;
  }
  Set seen;
  for (size_t i = first; i < sets.size() && goes_on; ++i) {
    sets[i]->for_each_while([&](ByteView member) {
      const bool is_new = seen.add(ctx.heap(), ctx.limits(), ctx.db.seed(), member);
      return !is_new || (goes_on = visit(member));
    });
  }
  seen.destroy(ctx.heap());
}

void unite(Context& ctx, Sets& sets, Visit visit) {
  std::erase(sets, nullptr);
  unite_from(ctx, sets, 0, visit);
}

void subtract(Context& ctx, Sets& sets, Visit visit) {
  const Set* whole = sets[0];
  if (whole == nullptr) return;
  sets.erase(sets.begin());
  std::erase(sets, nullptr);
  // The largest refuses most.
  std::sort(sets.begin(), sets.end(),
            [](const Set* a, const Set* b) { return a->size() > b->size(); });
  size_t others = 0;
  for (const Set* set : sets) others += set->size();
  Set excluded;
  Sets sieve = sets;
  if (sets.size() > kLookedUpInputsMax && others / sets.size() < whole->size()) {
    // Many small ones against a large one: one look-up in their union instead of one in each.
    unite_from(ctx, sets, 0, [&](ByteView member) {
      if (whole->contains(member)) excluded.add(ctx.heap(), ctx.limits(), ctx.db.seed(), member);
      return true;
    });
    sieve.assign(1, &excluded);
  }
  whole->for_each_while([&](ByteView member) {
    for (const Set* set : sieve) {
      if (set->contains(member)) return true;
    }
    return visit(member);
  });
  excluded.destroy(ctx.heap());
}

using Operation = void (*)(Context&, Sets&, Visit);

Status reply_result(Context& ctx, Operation operation) {
  OURO_TRY(Sets sets, find_sets(ctx, 1, ctx.argv.size() - 1));
  const Reply::Mark mark = ctx.reply.begin();
  size_t count = 0;
  operation(ctx, sets, [&](ByteView member) {
    ctx.reply.bulk(member);
    ++count;
    return true;
  });
  ctx.reply.end_set(mark, count);
  return Status::ok();
}

// What an operation hands out, as a set of its own.
Set collect(Context& ctx, Operation operation, Sets& sets) {
  Set made;
  operation(ctx, sets, [&](ByteView member) {
    made.add(ctx.heap(), ctx.limits(), ctx.db.seed(), member);
    return true;
  });
  return made;
}

Status keep_result(Context& ctx, Operation operation, ByteView event) {
  OURO_TRY(Sets sets, find_sets(ctx, 2, ctx.argv.size() - 2));
  store_result(ctx, ctx.key(1), collect(ctx, operation, sets), Event::kSet, event);
  return Status::ok();
}

// Whether the others are so small beside the first that Redis copies the first and takes their
// members out. The encoding shows it: a set that held all of the first once stays as that made it.
bool is_stored_by_removal(const Sets& sets) {
  if (sets[0] == nullptr) return false;
  size_t inputs = 0;
  size_t members = 0;
  for (const Set* set : sets) {
    if (set == nullptr) continue;
    ++inputs;
    members += set->size();
  }
  return sets[0]->size() * inputs / 2 > members;
}

// The difference by that way. Each member is looked up once, which is less than half of what asking
// every other set for every member of the first takes.
Set copy_and_remove(Context& ctx, const Sets& sets) {
  Sets first(1, sets[0]);
  Set made = collect(ctx, unite, first);
  for (size_t i = 1; i < sets.size(); ++i) {
    if (sets[i] == nullptr) continue;
    sets[i]->for_each([&](ByteView member) { made.remove(ctx.heap(), member); });
  }
  return made;
}

Status cmd_sinter(Context& ctx) { return reply_result(ctx, intersect); }
Status cmd_sunion(Context& ctx) { return reply_result(ctx, unite); }
Status cmd_sdiff(Context& ctx) { return reply_result(ctx, subtract); }
Status cmd_sinterstore(Context& ctx) { return keep_result(ctx, intersect, "sinterstore"); }
Status cmd_sunionstore(Context& ctx) { return keep_result(ctx, unite, "sunionstore"); }

Status cmd_sdiffstore(Context& ctx) {
  OURO_TRY(Sets sets, find_sets(ctx, 2, ctx.argv.size() - 2));
  const Set made =
      is_stored_by_removal(sets) ? copy_and_remove(ctx, sets) : collect(ctx, subtract, sets);
  store_result(ctx, ctx.key(1), made, Event::kSet, "sdiffstore");
  return Status::ok();
}

// ---- counting: numkeys key [key ...] [APPROX] [LIMIT limit]

struct CountRequest {
  size_t key_count = 0;
  size_t limit = 0;  // none
  bool approximately = false;
};

enum class MayApproximate : bool { kNo, kYes };

Result<CountRequest> parse_count(Context& ctx, MayApproximate may) {
  CountRequest request;
  const Result<int64_t> numkeys = ctx.integer(1);
  if (!numkeys.is_ok() || *numkeys < 1) return ctx.fail_text(errors::kNumkeys);
  request.key_count = static_cast<size_t>(*numkeys);
  if (request.key_count > ctx.argv.size() - 2) return ctx.fail_text(errors::kTooManyKeys);
  ArgParser args(ctx.argv, 2 + request.key_count);
  while (args.more()) {
    if (may == MayApproximate::kYes && args.word("APPROX")) {
      request.approximately = true;
      continue;
    }
    if (args.left() < 2 || !args.word("LIMIT")) return Err::kSyntax;
    OURO_TRY(request.limit, positive_count(ctx, args.position(), errors::kNegativeLimit));
    args.next();
  }
  return request;
}

Status reply_count(Context& ctx, Operation operation, const CountRequest& request) {
  OURO_TRY(Sets sets, find_sets(ctx, 2, request.key_count));
  size_t count = 0;
  operation(ctx, sets, [&](ByteView) { return ++count != request.limit; });
  ctx.reply.integer(static_cast<int64_t>(count));
  return Status::ok();
}

// The union counted by a HyperLogLog: no look-up a member, and no set of all.
Status reply_estimate(Context& ctx, const CountRequest& request) {
  OURO_TRY(const Sets sets, find_sets(ctx, 2, request.key_count));
  hll::Registers registers{};
  for (const Set* set : sets) {
    if (set == nullptr) continue;
    set->for_each([&](ByteView member) {
      const hll::Place place = hll::place_of(member);
      registers[place.index] = std::max(registers[place.index], place.value);
    });
  }
  const uint64_t count = hll::count(registers);
  const uint64_t limit = request.limit == 0 ? count : request.limit;
  ctx.reply.integer(static_cast<int64_t>(std::min(count, limit)));
  return Status::ok();
}

Status cmd_sintercard(Context& ctx) {
  OURO_TRY(const CountRequest request, parse_count(ctx, MayApproximate::kNo));
  return reply_count(ctx, intersect, request);
}

Status cmd_sdiffcard(Context& ctx) {
  OURO_TRY(const CountRequest request, parse_count(ctx, MayApproximate::kNo));
  return reply_count(ctx, subtract, request);
}

Status cmd_sunioncard(Context& ctx) {
  OURO_TRY(const CountRequest request, parse_count(ctx, MayApproximate::kYes));
  return request.approximately ? reply_estimate(ctx, request) : reply_count(ctx, unite, request);
}

constexpr CommandSpec kRows[] = {
    {.name = "SDIFF",
     .arity = at_least(2),
     .flags = Flag::kReadonly,
     .keys = {key_range(1, -1, 1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_sdiff,
     .doc = {.summary = "Returns the members of the first set that are in no other.",
             .complexity = "O(N), N members in all sets",
             .since = "1.0.0",
             .group = "set",
             .args = "key:key#0...",
             .tips = "nondeterministic_output_order"}},
    {.name = "SDIFFCARD",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .keys = {counted_keys(1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_sdiffcard,
     .doc = {.summary = "Counts the members of the first set that are in no other.",
             .complexity = "O(N), N members in all sets",
             .since = "8.10.0",
             .group = "set",
             .args = "numkeys:integer key:key#0... [LIMIT=limit:integer]"}},
    {.name = "SDIFFSTORE",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kOverwrite | kUpdate), key_range(2, -1, 1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_sdiffstore,
     .doc = {.summary = "Stores the members of the first set that are in no other.",
             .complexity = "O(N), N members in all sets",
             .since = "1.0.0",
             .group = "set",
             .args = "destination:key#0 key:key#1..."}},
    {.name = "SINTER",
     .arity = at_least(2),
     .flags = Flag::kReadonly,
     .keys = {key_range(1, -1, 1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_sinter,
     .doc = {.summary = "Returns the members that all sets share.",
             .complexity = "O(N*M), N members in the smallest of M sets",
             .since = "1.0.0",
             .group = "set",
             .args = "key:key#0...",
             .tips = "nondeterministic_output_order"}},
    {.name = "SINTERCARD",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .keys = {counted_keys(1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_sintercard,
     .doc = {.summary = "Counts the members that all sets share.",
             .complexity = "O(N*M), N members in the smallest of M sets",
             .since = "7.0.0",
             .group = "set",
             .args = "numkeys:integer key:key#0... [LIMIT=limit:integer]"}},
    {.name = "SINTERSTORE",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kUpdate), key_range(2, -1, 1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_sinterstore,
     .doc = {.summary = "Stores the members that all sets share.",
             .complexity = "O(N*M), N members in the smallest of M sets",
             .since = "1.0.0",
             .group = "set",
             .args = "destination:key#0 key:key#1..."}},
    {.name = "SUNION",
     .arity = at_least(2),
     .flags = Flag::kReadonly,
     .keys = {key_range(1, -1, 1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_sunion,
     .doc = {.summary = "Returns the members that are in any of the sets.",
             .complexity = "O(N), N members in all sets",
             .since = "1.0.0",
             .group = "set",
             .args = "key:key#0...",
             .tips = "nondeterministic_output_order"}},
    {.name = "SUNIONCARD",
     .arity = at_least(3),
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .keys = {counted_keys(1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_sunioncard,
     .doc = {.summary = "Counts the members that are in any of the sets.",
             .complexity = "O(N), N members in all sets",
             .since = "8.10.0",
             .group = "set",
             .args = "numkeys:integer key:key#0... [approx!APPROX] [LIMIT=limit:integer]"}},
    {.name = "SUNIONSTORE",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kOverwrite | kUpdate), key_range(2, -1, 1, kReadOnly | kAccess)},
     .acl = Acl::kSet,
     .handler = cmd_sunionstore,
     .doc = {.summary = "Stores the members that are in any of the sets.",
             .complexity = "O(N), N members in all sets",
             .since = "1.0.0",
             .group = "set",
             .args = "destination:key#0 key:key#1..."}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kSetAlgebraCommands = kRows;

}  // namespace ouro
