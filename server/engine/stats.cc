// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/stats.h"

namespace ouro {

void Stats::count_error(ByteView text) {
  ++error_replies;
  const ByteView code = text.substr(0, text.find(' '));
  const auto found = errors.find(code);
  if (found != errors.end()) {
    ++found->second;
  } else if (errors.size() < kErrorCodesMax) {
    errors.emplace(code, 1);
  }
}

}  // namespace ouro
