// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/latency_histogram.h"

#include <algorithm>
#include <cmath>

#include "datastructs/base/check.h"

namespace ouro {

uint64_t LatencyHistogram::percentile_nanos(double percent) const {
  CHECK(percent >= 0);
  CHECK(percent <= 100);
  if (count_ == 0) return 0;
  const double share = std::ceil(static_cast<double>(count_) * percent / 100);
  const uint64_t wanted = std::min(static_cast<uint64_t>(share), count_);
  uint64_t covered = 0;
  for (size_t cell = 0; cell < kCells; ++cell) {
    covered += cells_[cell];
    if (covered > 0 && covered >= wanted) return last_of(cell);
  }
  OURO_UNREACHABLE();
}

}  // namespace ouro
