// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/stats.h"

namespace ouro {

void Stats::update_rates(Instant now) {
  const Micros elapsed = rates_at_ == 0 ? 0 : now - rates_at_;
  commands_rate.update(commands_processed, elapsed);
  input_rate.update(net_input_bytes, elapsed);
  output_rate.update(net_output_bytes, elapsed);
  replication_input_rate.update(net_replication_input_bytes, elapsed);
  replication_output_rate.update(net_replication_output_bytes, elapsed);
  rates_at_ = now;
}

void Stats::count_error(ByteView text) {
  ++error_replies;
  // Who sends a text without a code (a script may) counts as ERR.
  constexpr size_t kCodeBytesMax = 31;
  const size_t code_bytes = text.find(' ');
  const ByteView code = code_bytes > kCodeBytesMax ? ByteView("ERR") : text.substr(0, code_bytes);
  const auto found = errors.find(code);
  if (found != errors.end()) {
    ++found->second;
  } else if (errors.size() < kErrorCodesMax) {
    errors.emplace(code, 1);
  }
}

}  // namespace ouro
