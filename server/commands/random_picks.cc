// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/random_picks.h"

#include "server/engine/session.h"

namespace ouro {

Result<int64_t> random_count(Context& ctx, size_t index) {
  OURO_TRY(const int64_t count, ctx.integer(index));
  if (count == INT64_MIN) {
    return ctx.fail(
        "ERR value is out of range, value must between -9223372036854775807 and "
        "9223372036854775807");
  }
  return count;
}

Result<PairPicks> parse_pair_picks(Context& ctx, ByteView word) {
  OURO_TRY(const int64_t count, random_count(ctx, 2));
  if (ctx.argv.size() > 4) return Err::kSyntax;
  const bool with_second = ctx.argv.size() == 4;
  if (with_second && !equals_ignoring_case(ctx.argv[3], word)) return Err::kSyntax;
  // Twice as many must be countable.
  constexpr int64_t kMagnitudeMax = INT64_MAX / 2;
  if (with_second && (count < -kMagnitudeMax || count > kMagnitudeMax)) {
    return ctx.fail("ERR value is out of range");
  }
  return PairPicks{count, with_second};
}

namespace {

// What no bulk string is shorter than: "$0", its bytes, and two ends of lines.
constexpr uint64_t kBulkBytesMin = 6;

// Before the error: a client with an output limit that the answer would pass is closed.
void refuse_answer_of(Context& ctx, uint64_t bytes) {
  if (ctx.caller.session != nullptr) ctx.caller.session->refuse_answer_of(bytes);
}

}  // namespace

Status check_repeated(Context& ctx, uint64_t count, uint64_t pick_bytes_max,
                      FunctionRef<uint64_t(Prng&)> sum_bytes) {
  if (count > kRepeatedPicksMax) {
    refuse_answer_of(ctx, count > UINT64_MAX / kBulkBytesMin ? count : count * kBulkBytesMin);
    return ctx.fail("ERR value is out of range, at most %llu elements are picked with repetition",
                    static_cast<unsigned long long>(kRepeatedPicksMax));
  }
  if (pick_bytes_max <= kRepeatedBytesMax / count) return Status::ok();
  Prng dice = ctx.prng();
  const uint64_t bytes = sum_bytes(dice);
  if (bytes <= kRepeatedBytesMax) return Status::ok();
  refuse_answer_of(ctx, bytes);
  return ctx.fail("ERR value is out of range, the elements picked would have more than %llu bytes",
                  static_cast<unsigned long long>(kRepeatedBytesMax));
}

}  // namespace ouro
