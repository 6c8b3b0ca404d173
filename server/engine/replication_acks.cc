// SPDX-License-Identifier: BSD-3-Clause
// Replication: what waits for the acknowledgements of replicas.
#include <algorithm>
#include <utility>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {

// ---- waits

size_t Replication::count_durable(uint64_t offset) const {
  return static_cast<size_t>(
      std::count_if(replicas_.begin(), replicas_.end(), [&](const Session* session) {
        return session->feed->takes_stream() && session->feed->durable >= offset;
      }));
}

bool Replication::is_here_on_disk(const Session* session) const {
  const Persistence& facts = engine_.persistence;
  const uint64_t seen = session == nullptr ? engine_.commit.log_end() : session->log_seen;
  return facts.log_is_on && !facts.log_waits && facts.log_durable_to >= seen;
}

bool Replication::has(const Session& session, const Wanted& wanted) const {
  if (history_.offset < wanted.applied) return false;
  if (wanted.here_on_disk && !is_here_on_disk(&session)) return false;
  if (wanted.replicas > 0 && count_acked(session.stream_seen) < wanted.replicas) return false;
  return wanted.on_disk == 0 || count_durable(session.stream_seen) >= wanted.on_disk;
}

void Replication::begin_wait(Session& session, const Wanted& wanted) {
  ack_waits_.push_back({&session, wanted});
  want_acks();
}

void Replication::forget_wait(Session& session) {
  std::erase_if(ack_waits_, [&](const AckWait& wait) { return wait.session == &session; });
}

Session* Replication::find_acknowledged() {
  if (!acks_came_ || ack_waits_.empty()) return nullptr;
  for (const AckWait& wait : ack_waits_) {
    if (has(*wait.session, wait.wanted)) return wait.session;
  }
  acks_came_ = false;
  return nullptr;
}

// ---- our own disk

std::optional<uint64_t> Replication::durable_offset() const {
  if (!engine_.persistence.log_is_on) return std::nullopt;
  return durable_to_;
}

void Replication::note_durable() {
  const Persistence& facts = engine_.persistence;
  acks_came_ |= std::exchange(durable_seen_, facts.log_durable_to) != facts.log_durable_to;
  if (!facts.log_is_on) return durable_marks_.clear();
  const DurableMark now{.log_end = engine_.commit.log_end(), .offset = history_.offset};
  if (durable_marks_.size() == kDurableMarksMax) durable_marks_.pop_back();
  const uint64_t last = durable_marks_.empty() ? durable_to_ : durable_marks_.back().offset;
  if (now.offset != last) durable_marks_.push_back(now);
  while (!durable_marks_.empty() && durable_marks_.front().log_end <= facts.log_durable_to) {
    durable_to_ = durable_marks_.front().offset;
    durable_marks_.pop_front();
  }
}

// ---- semi-sync

void Replication::apply_semi_sync() {
  const ReplicationOptions& options = engine_.options.replication;
  const bool degrades = options.semi_sync_timeout_policy == SemiSyncPolicy::kDegrade;
  semi_sync_.set_options(
      {.acks = leads() ? options.semi_sync_acks : 0,
       .timeout = options.semi_sync_timeout * 1000,
       .on_timeout = degrades ? SemiSync::OnTimeout::kDegrade : SemiSync::OnTimeout::kRefuse},
      engine_.instant());
  if (semi_sync_.is_on()) begin_stream();
  settle_semi_sync();
}

Instant Replication::next_deadline() const {
  if (acks_came_ && !ack_waits_.empty()) return engine_.instant();
  return std::min(semi_sync_.lapses_at(), may_ask() ? semi_sync_.heartbeat_due() : kNever);
}

bool Replication::hides_data() const {
  const ReplicationOptions& options = engine_.options.replication;
  if (options.semi_sync_visibility != SemiSyncVisibility::kLossless) return false;
  if (!engine_.leadership.serves()) return true;
  // Where another may lead by now, all that is here is old.
  const bool may_be_old = engine_.leadership.is_on();
  return refuses_writes() && (may_be_old || engine_.commit.log_end() > semi_sync_.released());
}

// Whether what it acknowledges counts: where there are members, no others can promise anything.
bool Replication::counts(const Feed& feed) const {
  if (!feed.takes_stream()) return false;
  const Leadership& leadership = engine_.leadership;
  return !leadership.is_on() ||
         (leadership.is_member(feed.member) && feed.lease >= semi_sync_.options().timeout);
}

// Without semi-sync as WAIT counts.
std::vector<uint64_t> Replication::acked_offsets() const {
  const bool is_on = semi_sync_.is_on();
  const bool on_disk =
      is_on && engine_.options.replication.semi_sync_durability == SemiSyncDurability::kDisk;
  std::vector<uint64_t> acked;
  for (const Session* session : replicas_) {
    const Feed& feed = *session->feed;
    if (is_on ? counts(feed) : feed.takes_stream())
      acked.push_back(on_disk ? feed.durable : feed.acked);
  }
  std::sort(acked.begin(), acked.end(), std::greater<>());
  return acked;
}

uint64_t Replication::acked_by_enough() const {
  const size_t wanted = semi_sync_.options().acks;
  if (wanted == 0) return 0;
  const std::vector<uint64_t> acked = acked_offsets();
  return acked.size() < wanted ? 0 : acked[wanted - 1];
}

// What this turn has added is to be acknowledged; so is a heartbeat, by which an idle primary
// knows that it leads. That has a byte of its own: an acknowledgement of what was sent before may
// have left long ago, and grants nothing from now on.
void Replication::mark_sent() {
  if (!semi_sync_.is_on()) return;
  const uint64_t log_end = engine_.commit.log_end();
  const bool is_due = may_ask() && engine_.instant() >= semi_sync_.heartbeat_due();
  if (log_end == marked_to_ && !is_due) return;
  const ByteView ping[] = {"PING"};
  if (history_.offset == pushed_to_) append_note(ping);
  marked_to_ = log_end;
  semi_sync_.on_sent(log_end, history_.offset, engine_.instant());
  asks_for_acks_ = true;
}

void Replication::settle_semi_sync() {
  const bool is_another = semi_sync_.look(engine_.instant());
  engine_.commit.set_released(Commit::Keeper::kReplicas, semi_sync_.released());
  if (!is_another) return;
  tell_semi_sync();
  apply_gate();
  if (semi_sync_.state() == SemiSync::State::kLapsed) close_unanswered();
}

void Replication::tell_semi_sync() const {
  const size_t acks = semi_sync_.options().acks;
  switch (semi_sync_.state()) {
    case SemiSync::State::kOff:
      return engine_.log.write(LogLevel::kNotice, "Semi-sync: off, replies wait for no replica");
    case SemiSync::State::kHeld:
      return engine_.log.print(LogLevel::kNotice,
                               "Semi-sync: %zu replicas acknowledge what is written", acks);
    case SemiSync::State::kLapsed:
      return engine_.log.print(LogLevel::kWarning,
                               "Semi-sync: fewer than %zu replicas acknowledge: writes are refused",
                               acks);
    case SemiSync::State::kDegraded:
      return engine_.log.print(LogLevel::kWarning,
                               "Semi-sync: fewer than %zu replicas acknowledge: as "
                               "semi-sync-timeout-policy says, writes are answered without them",
                               acks);
  }
}

// Whoever waits for an answer that may not be given can be told neither yes nor no.
void Replication::close_unanswered() {
  const uint64_t released = semi_sync_.released();
  std::vector<Session*> waiting;
  for (const auto& [id, session] : engine_.clients.all()) {
    if (session->feed == nullptr && session->out().holds_back(released)) waiting.push_back(session);
  }
  for (Session* session : waiting) session->doom();
}

}  // namespace ouro
