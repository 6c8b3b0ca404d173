// SPDX-License-Identifier: BSD-3-Clause
// Pops from the first of several lists that has elements: LMPOP, and BLPOP, BRPOP, BLMPOP, which
// wait for one. What is left for the log is the pop that took place.
#include "datastructs/codec/number_text.h"
#include "server/commands/list_parts.h"
#include "server/commands/multi_pop.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

void leave_pop(Context& ctx, const Key& key, ListEnd end) {
  if (ctx.effects.wanted()) ctx.effects.replace({pop_command(end), key.bytes});
}

void leave_pop(Context& ctx, const Key& key, ListEnd end, size_t count) {
  if (!ctx.effects.wanted()) return;
  char digits[kInt64TextMax];
  const ByteView text(digits, format_uint64(count, digits));
  ctx.effects.replace({pop_command(end), key.bytes, text});
}

Status pop_or_wait(Context& ctx, ListEnd end) {
  const size_t last = ctx.argv.size() - 1;
  OURO_TRY(const Millis timeout_ms, ctx.timeout(last));
  for (size_t i = 1; i < last; ++i) {
    const Key key = ctx.key(i);
    OURO_TRY(List * list, ctx.find_awaited<List>(key));
    if (list == nullptr) continue;
    ctx.reply.array(2);
    ctx.reply.bulk(key.bytes);
    leave_pop(ctx, key, end);
    pop_one(ctx, key, *list, end);
    return Status::ok();
  }
  return wait_for_any(ctx, ctx.argv.subspan(1, last - 1), timeout_ms);
}

Status cmd_blpop(Context& ctx) { return pop_or_wait(ctx, ListEnd::kFront); }
Status cmd_brpop(Context& ctx) { return pop_or_wait(ctx, ListEnd::kBack); }

void pop_many(Context& ctx, const Key& key, List& list, const MultiPop<ListEnd>& request) {
  const size_t popped = pop_some(ctx, key, list, request.where, request.count);
  leave_pop(ctx, key, request.where, popped);
}

Status cmd_lmpop(Context& ctx) { return multi_pop(ctx, parse_list_end, pop_many); }
Status cmd_blmpop(Context& ctx) { return multi_pop_or_wait(ctx, parse_list_end, pop_many); }

constexpr CommandSpec kRows[] = {
    {.name = "BLMPOP",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kBlocking | Flag::kMovableKeys,
     .keys = {counted_keys(2, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kList,
     .handler = cmd_blmpop,
     .doc = {.summary = "Pops elements from the first list that has some, or waits.",
             .complexity = "O(N+M), N keys looked at, M elements popped",
             .since = "7.0.0",
             .group = "list",
             .args = "timeout:double numkeys:integer key:key#0... where:<left!LEFT | right!RIGHT> "
                     "[COUNT=count:integer]"}},
    {.name = "BLPOP",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kNoScript | Flag::kBlocking,
     .keys = {key_range(1, -2, 1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kList,
     .handler = cmd_blpop,
     .doc = {.summary = "Pops the head of the first list that has elements, or waits.",
             .complexity = "O(N), N keys looked at",
             .since = "2.0.0",
             .group = "list",
             .history = "6.0.0 The timeout may have a fraction.",
             .args = "key:key#0... timeout:double"}},
    {.name = "BRPOP",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kNoScript | Flag::kBlocking,
     .keys = {key_range(1, -2, 1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kList,
     .handler = cmd_brpop,
     .doc = {.summary = "Pops the tail of the first list that has elements, or waits.",
             .complexity = "O(N), N keys looked at",
             .since = "2.0.0",
             .group = "list",
             .history = "6.0.0 The timeout may have a fraction.",
             .args = "key:key#0... timeout:double"}},
    {.name = "LMPOP",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kMovableKeys,
     .keys = {counted_keys(1, kReadWrite | kAccess | kDelete)},
     .acl = Acl::kList,
     .handler = cmd_lmpop,
     .doc = {.summary = "Pops elements from the first list that has some.",
             .complexity = "O(N+M), N keys looked at, M elements popped",
             .since = "7.0.0",
             .group = "list",
             .args = "numkeys:integer key:key#0... where:<left!LEFT | right!RIGHT> "
                     "[COUNT=count:integer]"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kListBlockCommands = kRows;

}  // namespace ouro
