// SPDX-License-Identifier: BSD-3-Clause
// What the commands share that set a deadline, of a key or of a part of its value.
#pragma once

#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {

// What a number of theirs counts, and what TTL and its kin answer in.
enum class Unit : uint8_t { kSeconds, kMillis };

// How an option gives the time when something ends: EX, PX, EXAT or PXAT and a number.
enum class TimeForm : uint8_t { kNone, kSeconds, kMillis, kAtSeconds, kAtMillis };

struct TimeOption {
  TimeForm form = TimeForm::kNone;
  ByteView number = {};

  bool given() const { return form != TimeForm::kNone; }
  bool in_seconds() const { return form == TimeForm::kSeconds || form == TimeForm::kAtSeconds; }
  bool is_absolute() const { return form == TimeForm::kAtSeconds || form == TimeForm::kAtMillis; }
};
// Takes such an option; false if the next argument is none. One form may be given twice (the last
// counts), but not two forms.
bool take_time(ArgParser& args, TimeOption& time);
// When a key is to end: what the option says, as a point in time; kNoExpiry if it was not given.
Result<UnixMs> deadline_of(Context& ctx, const TimeOption& time);

// A key was given a time that is past: it goes at once, and the fact is DEL.
inline void end_key(Context& ctx, const Key& key) {
  ctx.db.erase(key, ctx.engine.options.lazyfree_lazy_expire ? Freeing::kLazy : Freeing::kNow);
  ctx.changed(key, Event::kGeneric, "del");
  if (ctx.effects.wanted()) ctx.effects.replace({"DEL", key.bytes});
}

inline Status fail_expire_time(Context& ctx) {
  const ByteView name = ctx.engine.registry.full_name(ctx.spec);
  return ctx.fail("ERR invalid expire time in '%.*s' command", static_cast<int>(name.size()),
                  name.data());
}

}  // namespace ouro
