// SPDX-License-Identifier: BSD-3-Clause
// What the ...STORE commands and random choices share.
#pragma once

#include <new>

#include "server/engine/context.h"

namespace ouro {

// Makes `key` hold a collection that was built aside, whatever it held, or nothing if it is empty.
// Answers its size. Requires: nothing points at the entry of `key` any more.
template <class T>
void store_result(Context& ctx, const Key& key, T made, Event event_class, ByteView event) {
  Entry* old = ctx.find_to_write(key);
  const size_t size = made.size();
  if (size == 0) {
    made.destroy(ctx.heap());
    if (old != nullptr) ctx.erase(key);
  } else {
    Value value{.kind = kKindOf<T>};
    new (&value.payload) T(made);
    ctx.db.put_value(key, old, value, kNoExpiry);
    if (old == nullptr) ctx.added(key);
    ctx.changed(key, event_class, event);
  }
  ctx.reply.integer(static_cast<int64_t>(size));
}

// The count of SRANDMEMBER and ZRANDMEMBER: any but the lowest, which has no magnitude.
inline Result<int64_t> random_count(Context& ctx, size_t index) {
  OURO_TRY(const int64_t count, ctx.integer(index));
  if (count == INT64_MIN) {
    return ctx.fail(
        "ERR value is out of range, value must between -9223372036854775807 and "
        "9223372036854775807");
  }
  return count;
}

// A number of things to take: zero or more. Whatever else is said reads as out of range.
inline Result<size_t> positive_count(Context& ctx, size_t index,
                                     ByteView error = errors::kMustBePositive) {
  const Result<int64_t> count = ctx.integer(index);
  if (!count.is_ok() || *count < 0) return ctx.fail_text(error);
  return static_cast<size_t>(*count);
}

// Picks `wanted` of `size` elements during one walk over them: take() is asked once for each, and
// every subset is as probable as any other.
class Selection {
 public:
  Selection(Prng& prng, size_t wanted, size_t size) : prng_(prng), wanted_(wanted), left_(size) {}
  bool take() {
    const bool taken = prng_.below(left_--) < wanted_;
    wanted_ -= taken ? 1 : 0;
    return taken;
  }

 private:
  Prng& prng_;
  size_t wanted_;
  size_t left_;
};

}  // namespace ouro
