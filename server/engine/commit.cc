// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/commit.h"

#include <algorithm>

namespace ouro {

void Commit::attach(EffectSink& sink) {
  CHECK(group_.empty());
  CHECK(std::find(sinks_.begin(), sinks_.end(), &sink) == sinks_.end());
  sinks_.push_back(&sink);
}

void Commit::detach(EffectSink& sink) {
  CHECK(group_.empty());
  std::erase(sinks_, &sink);
}

void Commit::add_alone(DbIndex db, Argv argv, ByteView raw) {
  CHECK(group_.empty());
  CHECK(reach_ == EffectReach::kEverybody);
  CHECK(wanted());
  for (EffectSink* sink : sinks_) sink->on_command(db, argv, raw);
  ++groups_;
}

void Commit::add_first(DbIndex db, Argv argv) {
  if (!wanted()) return;
  group_.insert(group_.begin() + static_cast<std::ptrdiff_t>(command_at_),
                {db, OwnedArgv(heap_, argv)});
  ++command_at_;
}

void Commit::hand_out(GroupKind kind) {
  if (group_.size() == 1) kind = GroupKind::kCommand;
  for (EffectSink* sink : sinks_) sink->on_group(group_, kind);
  ++groups_;
  group_.clear();
  command_at_ = 0;
}

}  // namespace ouro
