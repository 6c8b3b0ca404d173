// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/failover.h"

#include <utility>

#include "datastructs/base/ascii.h"
#include "server/engine/arg_parser.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {

ByteView Failover::name_of(State state) {
  switch (state) {
    case State::kNone:
      break;
    case State::kWaitingForSync:
      return "waiting-for-sync";
    case State::kInProgress:
      return "failover-in-progress";
  }
  return "no-failover";
}

Session* Failover::find(const Target& target) const {
  for (Session* session : engine_.replication.replicas()) {
    if (session->feed->listening_port == target.port &&
        equals_ignoring_case(replica_ip(*session), target.host))
      return session;
  }
  return nullptr;
}

void Failover::begin(Request request) {
  state_ = State::kWaitingForSync;
  request_ = std::move(request);
  deadline_ = request_.timeout ? instant_after(engine_.instant(), *request_.timeout) : kNever;
  wanted_.reset();
  engine_.clients.pause(Clients::PausedBy::kFailover, Clients::Pause::kWrite, kNever);
  engine_.log.write(LogLevel::kNotice, "Failover: writes wait for a replica to have all");
}

void Failover::give_up(ByteView why) {
  engine_.log.print(LogLevel::kNotice, "Failover aborted: %.*s", printed_size(why), why.data());
  if (state_ == State::kInProgress) {
    engine_.leadership.is_on() ? engine_.leadership.stand() : engine_.replication.lead();
  }
  end();
}

void Failover::end() {
  state_ = State::kNone;
  request_ = {};
  deadline_ = kNever;
  engine_.clients.unpause(Clients::PausedBy::kFailover);
}

void Failover::look() {
  if (state_ != State::kWaitingForSync) return;
  Replication& replication = engine_.replication;
  // Nobody writes, but what was under way may have come in between; heartbeats, which change
  // nothing, do not count.
  if (!wanted_ || replication.written_to() > *wanted_) {
    wanted_ = replication.history().offset;
    replication.ask_for_acks();
  }
  if (engine_.instant() >= deadline_) {
    if (!request_.is_forced) return give_up("no replica has come to have all in time");
    engine_.log.print(LogLevel::kNotice, "Failover to %s:%d time out exceeded, failing over.",
                      request_.target->host.c_str(), request_.target->port);
    return hand_over(*request_.target);
  }
  const Session* const session = find_synced();
  if (session == nullptr) return;
  Target target{replica_ip(*session), session->feed->listening_port};
  engine_.log.print(LogLevel::kNotice, "Failover: %s:%d has all and is to lead",
                    target.host.c_str(), target.port);
  hand_over(std::move(target));
}

Session* Failover::find_synced() const {
  const auto has_all = [&](const Session& session) {
    return session.feed->takes_stream() && session.feed->acked >= *wanted_;
  };
  if (request_.target) {
    Session* const session = find(*request_.target);
    return session != nullptr && has_all(*session) ? session : nullptr;
  }
  for (Session* session : engine_.replication.replicas()) {
    if (has_all(*session)) return session;
  }
  return nullptr;
}

void Failover::hand_over(Target target) {
  state_ = State::kInProgress;
  deadline_ = kNever;
  engine_.leadership.stop_standing();
  engine_.replication.follow(std::move(target.host), target.port);
}

void Failover::on_taken_over() {
  if (state_ == State::kInProgress) end();
}

void Failover::on_left() {
  if (state_ == State::kWaitingForSync) give_up("this node does not lead any more");
}

void Failover::on_refused() {
  if (state_ == State::kInProgress) give_up("Failover target rejected psync request");
}

}  // namespace ouro
