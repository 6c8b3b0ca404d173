// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/hash_fields.h"

#include "server/engine/engine.h"

namespace ouro {
namespace {

// Places that one command may look at: some hundred microseconds.
constexpr size_t kDueBudget = 10'000;

}  // namespace

void end_field(Context& ctx, const Key& key, Hash*& hash, ByteView field) {
  if (ctx.engine.expire_named(ctx.caller.db, key, *hash, {&field, 1})) hash = nullptr;
}

void end_due_named(Context& ctx, const Key& key, Hash*& hash, Argv fields) {
  if (hash == nullptr || hash->next_deadline() > field_clock(ctx)) [[likely]]
    return;
  if (ctx.engine.expire_named(ctx.caller.db, key, *hash, fields)) hash = nullptr;
}

void end_due_fields(Context& ctx, const Key& key, Hash*& hash) {
  if (hash == nullptr || hash->next_deadline() > field_clock(ctx)) [[likely]]
    return;
  size_t budget = kDueBudget;
  Entry& entry = *ctx.db.find(key);
  if (ctx.engine.expire_elements(ctx.caller.db, key, entry, budget)) hash = nullptr;
}

size_t count_fields(const Hash& hash, UnixMs now) {
  if (hash.next_deadline() > now) [[likely]]
    return hash.size();
  size_t count = 0;
  hash.for_each([&count](const Hash::Item&) { ++count; }, now);
  return count;
}

}  // namespace ouro
