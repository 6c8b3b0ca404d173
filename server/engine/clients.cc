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
    if (!session->is_replica()) memory.claimed_bytes += session->claimed_bytes();
  }
  return memory;
}

void Clients::pause(PausedBy who, Pause what, Instant until) {
  Paused& paused = pauses_[static_cast<size_t>(who)];
  // A second pause makes the first neither shorter nor weaker.
  paused = {std::max(paused.what, what), std::max(paused.until, until)};
  apply_pauses();
}

void Clients::unpause(PausedBy who) {
  pauses_[static_cast<size_t>(who)] = {};
  apply_pauses();
}

Clients::Pause Clients::strongest_pause(Instant now) const {
  Pause strongest = Pause::kNone;
  for (const Paused& paused : pauses_) {
    if (now < paused.until) strongest = std::max(strongest, paused.what);
  }
  return strongest;
}

// Those who were held back by what is over come again; who is held back still waits anew.
void Clients::apply_pauses() {
  const Pause before = pause_;
  pause_ = Pause::kNone;
  for (const Paused& paused : pauses_) pause_ = std::max(pause_, paused.what);
  engine_.executor.set_gate(Gate::kPause, pause_ != Pause::kNone);
  if (pause_ >= before) return;
  for (Session* session : std::exchange(postponed_, {})) session->end_postponement();
}

bool Clients::must_wait(const Caller& caller, const CommandSpec& spec, Argv argv) const {
  const Pause pause = strongest_pause(engine_.instant());
  if (pause == Pause::kNone || caller.txn.executing) return false;
  if (caller.session != nullptr && (caller.session->is_monitor || caller.session->is_replica()))
    return false;
  if (pause == Pause::kAll) return !spec.flags.has(Flag::kEndsPause);
  return has_any(engine_, caller, spec, argv, Flag::kWrite | Flag::kMayReplicate);
}

size_t Clients::postponed_count() const {
  return postponed_.size() + engine_.due_members.session_count();
}

void Clients::on_turn_end() {
  const Instant now = engine_.instant();
  if (now < next_deadline()) return;
  for (Paused& paused : pauses_) {
    if (now >= paused.until) paused = {};
  }
  apply_pauses();
}

void Clients::every_second() {
  const Micros idle_max = engine_.options.timeout_seconds * 1'000'000;
  for (const auto& [id, session] : by_id_) {
    session->check_limits();
    const bool waits = session->is_blocked() || session->is_postponed() ||
                       session->waits_for_acks() || session->has_work() || session->is_monitor ||
                       session->is_replica() || session->is_primary ||
                       session->subscription_count() > 0;
    if (idle_max > 0 && !waits && engine_.instant() - session->last_active > idle_max) {
      engine_.log.print(LogLevel::kVerbose, "closing idle client: id=%llu addr=%s",
                        static_cast<unsigned long long>(id), session->peer.address.c_str());
      session->doom();
    }
  }
}

Instant Clients::next_deadline() const {
  Instant next = kNever;
  for (const Paused& paused : pauses_) {
    if (paused.what != Pause::kNone) next = std::min(next, paused.until);
  }
  return next;
}

}  // namespace ouro
