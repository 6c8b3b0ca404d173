// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/expire_time.h"

namespace ouro {

bool take_time(ArgParser& args, TimeOption& time) {
  constexpr struct {
    ByteView word;
    TimeForm form;
  } kForms[] = {{"EX", TimeForm::kSeconds},
                {"PX", TimeForm::kMillis},
                {"EXAT", TimeForm::kAtSeconds},
                {"PXAT", TimeForm::kAtMillis}};
  for (const auto& [word, form] : kForms) {
    if (!args.word(word)) continue;
    if (time.given() && time.form != form) args.unexpected();
    time = {form, args.next()};
    return true;
  }
  return false;
}

Result<UnixMs> deadline_of(Context& ctx, const TimeOption& time) {
  if (!time.given()) return kNoExpiry;
  OURO_TRY(int64_t when, parse_integer(time.number));
  bool fits = when > 0;
  if (time.in_seconds()) fits = fits && !__builtin_mul_overflow(when, int64_t{1000}, &when);
  if (!time.is_absolute()) fits = fits && !__builtin_add_overflow(when, ctx.now, &when);
  if (!fits) return fail_expire_time(ctx);
  return when;
}

}  // namespace ouro
