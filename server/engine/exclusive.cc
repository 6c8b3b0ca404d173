// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/exclusive.h"

#include <utility>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {

void Exclusive::begin(Session& session, const CommandSpec& spec, Argv argv, Instant until,
                      std::unique_ptr<ExclusiveWork> work) {
  CHECK(session_ == nullptr);
  CHECK(work_ == nullptr);
  work_ = std::move(work);
  session_ = &session;
  since_ = engine_.instant();
  until_ = until;
  spec_ = &spec;
  argv_ = OwnedArgv(engine_.heap, argv);
}

void Exclusive::end(std::string error) {
  const bool was_held = std::exchange(is_held_, false);
  if (session_ == nullptr && work_ == nullptr) {
    if (was_held) release_all();
    return;
  }
  error_ = std::move(error);
  until_ = engine_.instant();
}

void Exclusive::settle() {
  if (work_ == nullptr) return;
  error_ = engine_.executor.settle(session_, *work_);
  work_.reset();
}

void Exclusive::account(Session& session) {
  ++engine_.stats.commands_processed;
  engine_.account(engine_.registry.stats(*spec_), session.caller(), *spec_, argv_.argv(),
                  {.nanos = static_cast<uint64_t>(engine_.instant() - since_) * 1000});
  argv_.reset();
}

// The wait is over: its command is accounted and answered.
void Exclusive::finish_command(Session& session) {
  settle();
  account(session);
  session_ = nullptr;
  until_ = kNever;
  const std::string error = std::exchange(error_, std::string());
  if (!error.empty()) {
    ++engine_.registry.stats(*spec_).failed;
    engine_.stats.count_error(error);
  }
  session.with_reply([&](Reply& reply) {
    error.empty() ? reply.ok() : reply.error(error);
    return true;
  });
}

// Nothing may join the group of a transaction.
bool Exclusive::others_are_answered() const {
  return session_ != nullptr && engine_.persistence.loading.active &&
         !session_->caller().txn.executing;
}

void Exclusive::release_all() {
  for (const auto& [id, session] : engine_.clients.all()) session->resume();
}

void Exclusive::break_off() {
  settle();
  error_.clear();
  until_ = kNever;
}

void Exclusive::on_turn_end() {
  const bool answered_before = std::exchange(others_were_answered_, others_are_answered());
  if (others_were_answered_ && !answered_before) release_all();
  if (engine_.instant() < until_) return;
  if (session_ == nullptr) {
    break_off();
    if (!is_held_) release_all();
    return;
  }
  Session& session = *session_;
  finish_command(session);
  if (session.caller().txn.executing) engine_.executor.resume_queue(session);
  // The next command of the queue may have begun another wait.
  if (session_ != nullptr) return;
  session.end_call();
  if (!is_held_) release_all();
}

void Exclusive::on_session_left(Session& session) {
  if (session_ != &session) return;
  if (work_ != nullptr && !session.caller().txn.executing) {
    account(session);
    session_ = nullptr;
    return;
  }
  while (session_ != nullptr) {
    finish_command(session);
    if (session.caller().txn.executing) engine_.executor.resume_queue(session);
  }
  if (!is_held_) release_all();
}

}  // namespace ouro
