// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/redis7.h"

#include <utility>

namespace ouro {

void Redis7::note(ByteView what) {
  ++noted_;
  if (!std::exchange(can_read_, false)) return;
  log_.print(LogLevel::kWarning,
             "Redis 7.0 cannot read what is written from here on, because of %.*s: INFO says "
             "redis7_readable:no until a BGREWRITEAOF finds nothing of that kind",
             static_cast<int>(what.size()), what.data());
}

void Redis7::on_rewritten(uint64_t noted_at_moment) {
  if (noted_ != noted_at_moment || std::exchange(can_read_, true)) return;
  log_.write(LogLevel::kNotice, "Redis 7.0 can read all that is here (redis7_readable:yes)");
}

}  // namespace ouro
