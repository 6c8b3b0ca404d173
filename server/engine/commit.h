// SPDX-License-Identifier: BSD-3-Clause
// Effects: what commands leave behind for the log. A handler does not propagate; its command as
// sent is the effect when it changed something, unless it leaves others: facts instead of wishes
// (SPOP leaves SREM of what left, a relative TTL becomes absolute). MULTI and scripts leave one
// group, applied whole.
//
//      handler -> Effects (one command) -> Commit (one group) -> sinks: AOF buffer, backlog ...
//
// Groups are numbered from 1; the last one's number is the log's end. What a client is told carries
// the number of the last group that it may know of, and leaves when the log says that it is safe:
//
//      0 ........ released() ........ log_end() ........ open_end(), while a group is open
//                 may leave           is held back
//
// Without a sink nothing is recorded: wanted() is false and every call here is a test of one bool.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "datastructs/base/out_buffer.h"
#include "persistence/effect.h"
#include "server/engine/command.h"

namespace ouro {

// Receives every group once, in order, right after it was executed. Must only append to memory.
class EffectSink {
 public:
  virtual ~EffectSink() = default;
  virtual void on_group(std::span<const Effect> effects, GroupKind kind) = 0;
  // The most frequent group by far: one effect, which is the command as it was sent. `raw` is the
  // same as canonical RESP, if it came in one piece; else empty.
  virtual void on_command(DbIndex db, Argv argv, ByteView raw) = 0;
};

class Commit {
 public:
  Commit(Heap& heap, std::span<EffectSink* const> sinks)
      : heap_(heap), sinks_(sinks.begin(), sinks.end()) {}

  // A sink that comes or goes while the engine runs. Requires: no group is open.
  void attach(EffectSink& sink);
  void detach(EffectSink& sink);

  bool wanted() const { return !sinks_.empty() && muted_ == 0; }
  // Adds one effect to the open group.
  void add(DbIndex db, Argv argv, EffectReach reach = EffectReach::kEverybody) {
    if (!wanted()) return;
    if (reach_ != EffectReach::kEverybody) [[unlikely]] {
      if (reach != EffectReach::kEverybody && reach != reach_) return;
      reach = reach_;
    }
    group_.push_back({db, OwnedArgv(heap_, argv), reach});
  }
  // Whom at most the effects are for that are added from now on. Requires: what adds them is no
  // group by itself.
  void set_reach(EffectReach reach) { reach_ = reach; }
  // The only effect of a command that is a group by itself: nothing is copied. `raw`: EffectSink.
  // Requires wanted().
  void add_alone(DbIndex db, Argv argv, ByteView raw);
  // Inserts a removal that a command noticed ahead of what the command leaves itself.
  void add_first(DbIndex db, Argv argv);
  size_t size() const { return group_.size(); }
  // Everything added since the last close goes to the sinks as one group.
  void close_group(GroupKind kind) {
    if (!group_.empty()) [[unlikely]]
      hand_out(is_whole_ ? GroupKind::kTransaction : kind);
    is_whole_ = false;
  }
  // The open group, though it is one command's, is a transaction: a part of it would be worse than
  // nothing.
  void apply_whole() { is_whole_ = true; }
  void begin_group() { command_at_ = 0; }
  // The start of the current command's effects within the group.
  void begin_command() { command_at_ = group_.size(); }

  uint64_t log_end() const { return groups_; }
  // What a reply made now must not overtake: the log's end, with the open group if that will be
  // one.
  uint64_t open_end() const { return groups_ + (group_.empty() ? 0 : 1); }
  // Up to here replies may leave: all of them, unless one of these says otherwise.
  enum class Keeper : uint8_t { kDisk, kReplicas };
  uint64_t released() const { return std::min(released_[0], released_[1]); }
  uint64_t released(Keeper keeper) const { return released_[static_cast<size_t>(keeper)]; }
  void set_released(Keeper keeper, uint64_t log_end) {
    released_[static_cast<size_t>(keeper)] = log_end;
  }

  // While replaying, what happens is already in the log.
  void mute() { ++muted_; }
  void unmute() { --muted_; }

 private:
  void hand_out(GroupKind kind);

  Heap& heap_;
  std::vector<EffectSink*> sinks_;
  std::vector<Effect> group_;
  size_t command_at_ = 0;
  bool is_whole_ = false;
  uint64_t groups_ = 0;
  uint64_t released_[2] = {kReleaseAll, kReleaseAll};  // by Keeper
  int muted_ = 0;
  EffectReach reach_ = EffectReach::kEverybody;
};

// The effects of the command that is running.
class Effects {
 public:
  Effects(Commit& commit, DbIndex db) : commit_(commit), db_(db) {}

  bool wanted() const { return commit_.wanted(); }
  // The default effect is not left; what replace() adds is.
  void none() { explicit_ = true; }
  void replace(Argv argv) {
    explicit_ = true;
    commit_.add(db_, argv);
  }
  void replace(std::initializer_list<ByteView> argv) { replace(Argv(argv.begin(), argv.size())); }
  // In another database than the caller's.
  void replace_in(DbIndex db, std::initializer_list<ByteView> argv) {
    explicit_ = true;
    commit_.add(db, Argv(argv.begin(), argv.size()));
  }
  // What is left is for all or nothing.
  void apply_whole() { commit_.apply_whole(); }
  // An effect although nothing has changed.
  void tell_replicas(Argv argv) {
    explicit_ = true;
    commit_.add(db_, argv, EffectReach::kReplicas);
  }
  bool is_explicit() const { return explicit_; }

 private:
  Commit& commit_;
  DbIndex db_;
  bool explicit_ = false;
};

}  // namespace ouro
