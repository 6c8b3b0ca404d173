// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/acked_calls.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {

void AckedCalls::say(Session& session, size_t replicas, const CommandSpec* said_by) {
  session.call_acks =
      std::make_unique<CallAcks>(CallAcks{.replicas = replicas, .said_by = said_by});
}

bool AckedCalls::ends_call(const Session& session) const {
  if (session.caller().txn.open) return false;
  const CommandSpec* const spec = session.last_command;
  return spec == nullptr || engine_.registry.container(*spec) != session.call_acks->said_by;
}

void AckedCalls::on_refused(Session& session) {
  if (ends_call(session)) session.call_acks.reset();
}

void AckedCalls::on_answered(Session& session) {
  if (!ends_call(session)) return;
  // Its output is the stream from here on.
  if (session.is_replica()) return session.call_acks.reset();
  const Replication& replication = engine_.replication;
  CallAcks& call = *session.call_acks;
  if (call.replicas < replication.semi_sync().options().acks)
    session.out().unmark_from(call.reply_at);
  Waiting waiting{.session = &session,
                  .replicas = call.replicas,
                  .offset = session.stream_seen,
                  .log_end = engine_.commit.open_end(),
                  .until = kNever};
  if (call.replicas > 0) {
    // Who follows has nobody whose acknowledgement counts: its role has changed since that was
    // said.
    const Micros patience =
        replication.leads() ? engine_.options.replication.semi_sync_timeout * 1000 : 0;
    waiting.until = engine_.instant() + patience;
    engine_.replication.want_acks();
  } else if (is_over(waiting, {})) {
    return session.call_acks.reset();
  }
  call.waits = true;
  session.out().hold_from(call.reply_at);
  waiting_.push_back(waiting);
}

bool AckedCalls::is_over(Waiting& waiting, const std::vector<uint64_t>& acked) const {
  const size_t wanted = waiting.replicas;
  if (wanted > 0 && acked.size() >= wanted && acked[wanted - 1] >= waiting.offset) {
    waiting.replicas = 0;
    waiting.until = kNever;
  }
  return waiting.replicas == 0 && engine_.commit.released(Commit::Keeper::kDisk) >= waiting.log_end;
}

void AckedCalls::look() {
  if (waiting_.empty()) return;
  const std::vector<uint64_t> acked =
      engine_.replication.leads() ? engine_.replication.acked_offsets() : std::vector<uint64_t>();
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    if (is_over(waiting, acked)) {
      fails_ = false;
      let_leave(*waiting.session);
    } else if (engine_.instant() >= waiting.until) {
      time_out(waiting);
    } else {
      waiting_.push_back(waiting);
    }
  }
}

void AckedCalls::let_leave(Session& session) {
  session.call_acks.reset();
  session.out().let_go();
  session.resume();
}

// What they would be told may be false either way.
void AckedCalls::time_out(const Waiting& waiting) {
  ++timeouts_;
  const bool refuses =
      engine_.options.replication.semi_sync_timeout_policy == SemiSyncPolicy::kRefuse;
  if (!std::exchange(fails_, true)) {
    engine_.log.print(LogLevel::kWarning,
                      "CLIENT ACKS: fewer than %zu replicas acknowledge: as "
                      "semi-sync-timeout-policy says, calls that ask for more %s",
                      waiting.replicas,
                      refuses ? "are not answered, and their connections are closed"
                              : "are answered without them");
  }
  refuses ? waiting.session->doom() : let_leave(*waiting.session);
}

void AckedCalls::break_off() {
  for (const Waiting& waiting : std::exchange(waiting_, {})) waiting.session->doom();
}

void AckedCalls::forget(Session& session) {
  if (session.call_acks == nullptr || !session.call_acks->waits) return;
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.session == &session; });
}

Instant AckedCalls::next_deadline() const {
  Instant next = kNever;
  for (const Waiting& waiting : waiting_) next = std::min(next, waiting.until);
  return next;
}

}  // namespace ouro
