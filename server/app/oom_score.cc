// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/oom_score.h"

#include <algorithm>
#include <utility>

#include "datastructs/codec/number_text.h"
#include "server/io/process.h"

namespace ouro {
namespace {

// The kernel's own bounds.
constexpr int kScoreMax = 1000;

}  // namespace

int OomAdjuster::apply(const AppOptions& options, bool is_replica) {
  if (options.oom_score_adj == OomScore::kNo) {
    const auto before = std::exchange(before_, std::nullopt);
    return before ? write_oom_score(*before) : 0;
  }
  if (!before_) {
    int score = 0;
    if (const int error = read_oom_score(score); error != 0) return error;
    before_ = score;
  }
  const ByteView word = split_words(options.oom_score_adj_values)[is_replica ? 1 : 0];
  auto score = static_cast<int>(parse_int64(word).value_or(0));
  if (options.oom_score_adj != OomScore::kAbsolute) score += *before_;
  return write_oom_score(std::clamp(score, -kScoreMax, kScoreMax));
}

}  // namespace ouro
