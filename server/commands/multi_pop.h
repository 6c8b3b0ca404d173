// SPDX-License-Identifier: BSD-3-Clause
// Pops from the first of several keys that has elements: LMPOP, ZMPOP and those that wait, but for
// how a type pops; and how all such commands wait.
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
    if (!count.is_ok() || *count < 1) return ctx.fail_text(errors::kCountNotPositive);
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

// Pops, and answers with what stands behind the key.
template <class Collection, class Where>
using PopMany = void (*)(Context&, const Key&, Collection&, const MultiPop<Where>&);

// From the first of the keys that has elements; false if none has.
template <class Collection, class Where>
Result<bool> pop_from_first(Context& ctx, const MultiPop<Where>& request,
                            PopMany<Collection, Where> pop_many) {
  for (size_t i = 0; i < request.key_count; ++i) {
    const Key key = ctx.key(request.first_key + i);
    OURO_TRY(Collection * found, ctx.find_awaited<Collection>(key));
    if (found == nullptr) continue;
    ctx.reply.array(2);
    ctx.reply.bulk(key.bytes);
    pop_many(ctx, key, *found, request);
    return true;
  }
  return false;
}

// LMPOP, ZMPOP.
template <class Collection, class Where>
Status multi_pop(Context& ctx, Result<Where> (*parse_where)(ByteView),
                 PopMany<Collection, Where> pop_many) {
  OURO_TRY(const MultiPop<Where> request, parse_multi_pop(ctx, 1, parse_where));
  OURO_TRY(const bool popped, pop_from_first(ctx, request, pop_many));
  if (!popped) ctx.reply.null_array();
  return Status::ok();
}

// BLMPOP, BZMPOP: a timeout stands first.
template <class Collection, class Where>
Status multi_pop_or_wait(Context& ctx, Result<Where> (*parse_where)(ByteView),
                         PopMany<Collection, Where> pop_many) {
  OURO_TRY(const MultiPop<Where> request, parse_multi_pop(ctx, 2, parse_where));
  OURO_TRY(const Millis timeout_ms, ctx.timeout(1));
  OURO_TRY(const bool popped, pop_from_first(ctx, request, pop_many));
  if (popped) return Status::ok();
  return wait_for_any(ctx, ctx.argv.subspan(request.first_key, request.key_count), timeout_ms);
}

}  // namespace ouro
