// SPDX-License-Identifier: BSD-3-Clause
// What the pops from the first of several keys share: the arguments of LMPOP and ZMPOP, and how the
// forms that wait do so.
#pragma once

#include "server/engine/context.h"

namespace ouro {

// numkeys key [key ...] where [COUNT count]
template <class Where>
struct MultiPop {
  size_t first_key = 0;
  size_t key_count = 0;
  Where where{};
  size_t count = 1;
};

// `at` is the index of numkeys; `parse_where` knows the two words that may stand for the end.
template <class Where>
Result<MultiPop<Where>> parse_multi_pop(Context& ctx, size_t at,
                                        Result<Where> (*parse_where)(ByteView)) {
  MultiPop<Where> request;
  const Result<int64_t> numkeys = ctx.integer(at);
  if (!numkeys.is_ok() || *numkeys < 1) return ctx.fail_text(errors::kNumkeys);
  request.first_key = at + 1;
  request.key_count = static_cast<size_t>(*numkeys);
  if (request.key_count >= ctx.argv.size() - request.first_key) return Err::kSyntax;
  ArgParser args(ctx.argv, request.first_key + request.key_count);
  OURO_TRY(request.where, parse_where(args.next()));
  if (args.left() >= 2 && args.word("COUNT")) {
    const Result<int64_t> count = parse_integer(args.next());
    if (!count.is_ok() || *count < 1) return ctx.fail("ERR count should be greater than 0");
    request.count = static_cast<size_t>(*count);
  }
  OURO_TRY(args.finish());
  return request;
}

// There is nothing to pop: waits for it, or answers null where nobody may wait.
inline Status wait_for_any(Context& ctx, Argv keys, Millis timeout_ms) {
  if (ctx.may_block()) return ctx.block(keys, timeout_ms);
  ctx.reply.null_array();
  return Status::ok();
}

}  // namespace ouro
