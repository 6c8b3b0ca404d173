// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/commit.h"

namespace ouro {

void Commit::add_first(DbIndex db, Argv argv) {
  if (!wanted()) return;
  group_.insert(group_.begin() + static_cast<std::ptrdiff_t>(command_at_),
                {db, OwnedArgv(heap_, argv)});
  ++command_at_;
}

void Commit::close_group(bool in_transaction) {
  if (group_.empty()) return;
  for (EffectSink* sink : sinks_) sink->on_group(group_, in_transaction && group_.size() > 1);
  ++groups_;
  group_.clear();
  command_at_ = 0;
}

}  // namespace ouro
