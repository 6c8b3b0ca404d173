// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/exclusive.h"

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {

void Exclusive::begin(Session& session, const CommandSpec& spec, Argv argv, Instant until) {
  CHECK(!active());
  session_ = &session;
  since_ = engine_.instant();
  until_ = until;
  spec_ = &spec;
  argv_ = OwnedArgv(engine_.heap, argv);
}

// The wait is over: its command is accounted and answered.
void Exclusive::finish_command(Session& session) {
  ++engine_.stats.commands_processed;
  engine_.account(engine_.registry.stats(*spec_), session.caller(), *spec_, argv_.argv(),
                  {.nanos = static_cast<uint64_t>(engine_.instant() - since_) * 1000});
  argv_.reset();
  session_ = nullptr;
  until_ = kNever;
  session.with_reply([](Reply& reply) {
    reply.ok();
    return true;
  });
}

void Exclusive::release_all() {
  for (const auto& [id, session] : engine_.clients.all()) session->resume();
}

void Exclusive::on_turn_end() {
  if (!active() || engine_.instant() < until_) return;
  Session& session = *session_;
  finish_command(session);
  if (session.caller().txn.executing) engine_.executor.resume_queue(session);
  // The next command of the queue may have begun another wait.
  if (active()) return;
  session.end_skip();
  release_all();
}

void Exclusive::on_session_left(Session& session) {
  if (session_ != &session) return;
  while (active()) {
    finish_command(session);
    if (session.caller().txn.executing) engine_.executor.resume_queue(session);
  }
  release_all();
}

}  // namespace ouro
