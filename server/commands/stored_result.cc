// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/stored_result.h"

#include "datastructs/codec/number_text.h"
#include "datastructs/zset.h"
#include "server/commands/elements_effect.h"

namespace ouro {

void leave_as_made(Context& ctx, const Key& key) {
  if (ctx.changes == 0 || !ctx.effects.wanted()) return;
  ctx.effects.apply_whole();
  ctx.effects.replace({"DEL", key.bytes});
  const Entry* const entry = ctx.db.find(key);
  if (entry == nullptr) return;
  ElementsEffect effect(ctx, "ZADD", key.bytes);
  entry->as<ZSet>().for_each([&](ByteView member, double score) {
    char text[kDoubleTextMax];
    effect.add({{text, format_double(score, text)}, member});
  });
}

}  // namespace ouro
