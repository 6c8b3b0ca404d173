// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/clients.h"

#include <algorithm>
#include <utility>

#include "server/engine/engine.h"
#include "server/engine/gates.h"
#include "server/engine/session.h"

namespace ouro {

void Clients::add(Session& session) { by_id_.emplace(session.id, &session); }

void Clients::remove(Session& session) {
  by_id_.erase(session.id);
  std::erase(postponed_, &session);
}

Session* Clients::find(uint64_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

Clients::Memory Clients::memory() const {
  Memory memory;
  for (const auto& [id, session] : by_id_) {
    memory.held_bytes += session->memory_bytes();
    memory.claimed_bytes += session->claimed_bytes();
  }
  return memory;
}

void Clients::pause(Pause what, Instant until) {
  // A second pause makes the first neither shorter nor weaker.
  pause_ = std::max(pause_, what);
  pause_until_ = std::max(pause_until_, until);
  engine_.executor.close_gate(Gate::kPause);
}

void Clients::unpause() {
  pause_ = Pause::kNone;
  pause_until_ = 0;
  engine_.executor.open_gate(Gate::kPause);
  for (Session* session : std::exchange(postponed_, {})) session->end_postponement();
}

bool Clients::must_wait(const Caller& caller, const CommandSpec& spec, Argv argv) const {
  if (pause_ == Pause::kNone || engine_.instant() >= pause_until_ || caller.txn.executing)
    return false;
  if (caller.session != nullptr && (caller.session->is_monitor || caller.session->is_replica()))
    return false;
  if (pause_ == Pause::kAll) return !spec.flags.has(Flag::kEndsPause);
  return has_any(engine_, caller, spec, argv, Flag::kWrite | Flag::kMayReplicate);
}

size_t Clients::postponed_count() const {
  return postponed_.size() + engine_.due_members.session_count();
}

void Clients::on_turn_end() {
  if (pause_ != Pause::kNone && engine_.instant() >= pause_until_) unpause();
}

void Clients::every_second() {
  const Micros idle_max = engine_.options.timeout_seconds * 1'000'000;
  for (const auto& [id, session] : by_id_) {
    session->check_limits();
    const bool waits = session->is_blocked() || session->is_postponed() || session->has_work() ||
                       session->is_monitor || session->is_replica() || session->is_primary ||
                       session->subscription_count() > 0;
    if (idle_max > 0 && !waits && engine_.instant() - session->last_active > idle_max) {
      engine_.log.print(LogLevel::kVerbose, "closing idle client: id=%llu addr=%s",
                        static_cast<unsigned long long>(id), session->peer.address.c_str());
      session->doom();
    }
  }
}

Instant Clients::next_deadline() const { return pause_ == Pause::kNone ? kNever : pause_until_; }

}  // namespace ouro
