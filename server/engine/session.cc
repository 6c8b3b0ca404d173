// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/session.h"

#include <algorithm>
#include <utility>

#include "server/engine/client_line.h"
#include "server/engine/engine.h"

namespace ouro {

Session::Session(Engine& engine, Peer who, SessionOwner& owner)
    : id(engine.clients.take_id()),
      peer(std::move(who)),
      engine_(engine),
      owner_(owner),
      reader_(engine.heap),
      out_(engine.heap),
      texts_(engine.heap) {
  caller_.session = this;
  created = last_active = engine.instant();
  out_.limit(&output_limit().hard_bytes);
  engine_.acl.make_default(*this);
  engine_.clients.add(*this);
  note_memory();
  ++engine_.stats.connections_received;
}

Session::~Session() {
  leave_engine();
  engine_.clients.remove(*this);
}

// Takes the session out of every queue of the engine.
void Session::leave_engine() {
  engine_.exclusive.on_session_left(*this);
  if (dialog != nullptr) std::exchange(dialog, nullptr)->on_left();
  std::erase(engine_.unsealed, this);
  engine_.batch.forget(*this);
  if (wait_.active) engine_.blocking.remove(*this);
  engine_.watch.clear(caller_);
  engine_.pubsub.drop(*this);
  engine_.tracking.disable(*this);
  if (is_monitor) engine_.monitors.remove(*this);
  engine_.replication.forget(*this);
  engine_.acked_calls.forget(*this);
  engine_.client_memory.forget(*this);
  engine_.due_members.forget(*this);
  skipped_.clear();
}

void Session::note_memory() { engine_.client_memory.note(*this); }

void Session::set_user(const AclUser& user, Login login) {
  caller_.user = &user;
  authenticated_ = login == Login::kDone;
  refresh_access();
}

void Session::refresh_access() {
  caller_.gates &= ~(Gate::kAuth | Gate::kAcl);
  if (!authenticated_ && !engine_.acl.default_user().is_open()) caller_.gates |= Gate::kAuth;
  if (!caller_.user->permits_all()) caller_.gates |= Gate::kAcl;
}

void Session::on_bytes(ByteView bytes) {
  engine_.stats.net_input_bytes += bytes.size();
  last_active = engine_.instant();
  if (dialog != nullptr) return dialog->on_bytes(bytes);
  if (holds_input()) {
    held_.append(bytes);
    return;
  }
  note_fed();
  reader_.feed(bytes);
  parse();
}

bool Session::holds_input() const { return engine_.batch.is_nested() && is_running(); }

// What it sent behind a command that was busy.
void Session::take_held() {
  if (state_ == EndpointState::kDoomed || state_ == EndpointState::kFinishing) return;
  if (!held_.empty()) {
    note_fed();
    reader_.feed(held_);
  }
  resume();
}

void Session::on_filled(size_t bytes) {
  engine_.stats.net_input_bytes += bytes;
  last_active = engine_.instant();
  note_fed();
  reader_.on_filled(bytes);
  parse();
}

void Session::note_fed() {
  if (fed_) return;
  fed_ = true;
  engine_.batch.add_fed(*this);
}

inline bool Session::must_wait() const {
  return wait_.active || postponed_ || waits_for_acks() || !skipped_.empty() ||
         engine_.exclusive.holds(*this) || holds_input();
}

// Moves complete commands into the batch until it is full or the input ends.
void Session::parse() {
  if (state_ == EndpointState::kDoomed || state_ == EndpointState::kFinishing) return;
  const RespReader::Limits limits{.bulk_bytes_max = engine_.options.proto_max_bulk_len,
                                  .authenticated = !needs_auth()};
  unparsed_ = false;
  const bool waits = must_wait();  // nothing runs here that could change it
  while (!waits) {
    // The limits of what follows an AUTH depend on whether it is a good one, and behind a RESET
    // they are a stranger's.
    const bool is_known = !needs_auth() && !last_may_end_auth_;
    if (engine_.batch.is_full() || (batched_ > 0 && !is_known)) {
      queue_for_batch();
      unparsed_ = true;
      break;
    }
    RespReader::Command& command = engine_.batch.room();
    const RespReader::Read read = reader_.next(limits, engine_.batch.arena(), command);
    if (read == RespReader::Read::kMore) break;
    if (read == RespReader::Read::kError) {
      engine_.batch.add_broken(*this);
      ++batched_;
      return;
    }
    engine_.batch.add(*this);
    ++batched_;
    last_may_end_auth_ = may_end_auth(command);
  }
  note_held_input();
  if (reader_.pending_bytes() > engine_.options.client_query_buffer_limit) {
    ++engine_.stats.client_query_limit_closed;
    engine_.log.print(LogLevel::kWarning,
                      "closing client that reached max query buffer length: id=%llu addr=%s",
                      static_cast<unsigned long long>(id), peer.address.c_str());
    doom();
  }
}

// RESET, which has no arguments, is of those that need no authentication.
bool Session::may_end_auth(const RespReader::Command& command) const {
  if (command.argv.size() != 1 || engine_.acl.default_user().is_open()) return false;
  const CommandSpec* const spec = engine_.executor.resolve(command.argv);
  return spec != nullptr && spec->flags.has(Flag::kNoAuth);
}

// What came while nobody's command may run is acted on later, even if its peer sends no more.
void Session::note_held_input() {
  if (engine_.exclusive.holds(*this) && reader_.pending_bytes() > 0) unparsed_ = true;
}

// Once, however much comes meanwhile.
void Session::queue_for_batch() {
  if (queued_) return;
  queued_ = true;
  engine_.batch.add_unfinished(*this);
}

void Session::parse_more() {
  queued_ = false;
  note_fed();
  parse();
  // Without output nobody else looks whether this connection is done.
  owner_.on_session_active();
}

bool Session::has_work() const {
  // What came behind a QUIT or an error is never acted on.
  const bool has_input = (unparsed_ || queued_) && state_ == EndpointState::kOpen;
  if (dialog != nullptr && dialog->has_input()) return true;
  return has_input || batched_ > 0 || engine_.exclusive.holder() == this;
}

void Session::end_turn() {
  fed_ = false;
  if (!skipped_.empty()) {
    reader_.unread(skipped_);
    skipped_ = {};
  }
  reader_.end_turn();
  if (!held_.empty()) held_ = {};
  note_held_input();
  output_peak_ = std::max(output_peak_, out_.claimed_bytes());
  note_memory();
  // What was left over from an earlier turn came without new bytes, so nobody else asks for this
  // output.
  if (!out_.empty()) owner_.on_session_active();
}

void Session::fail_protocol() {
  --batched_;
  if (state_ == EndpointState::kDoomed || state_ == EndpointState::kFinishing) return;
  if (must_wait()) return;  // the reader says it again, behind the commands before
  const std::string text = "ERR " + std::string(reader_.error());
  engine_.stats.count_error(text);
  // It answers what should have been the next command, which CLIENT REPLY SKIP was sent for.
  if (reply_mode == ReplyMode::kSkipNext) reply_mode = ReplyMode::kSkip;
  with_reply([&](Reply& reply) {
    reply.error(text);
    return true;
  });
  close_after_reply();
}

void Session::run(const RespReader::Command& command, const CommandSpec* spec,
                  const Key& first_key) {
  --batched_;
  if (state_ == EndpointState::kDoomed || state_ == EndpointState::kFinishing) return;
  if (must_wait()) {
    skipped_.push_back(command);
    return;
  }
  const Executor::Prepared prepared{.spec = spec,
                                    .argv = command.argv,
                                    .raw = command.raw,
                                    .first_key = first_key,
                                    .blobs = command.blobs};
  const bool was_nested = engine_.batch.is_nested();
  last_command = spec;
  last_active = engine_.instant();
  running_ = &command;
  const bool begins = begin_output();
  note_reply();
  const uint64_t log_end = engine_.commit.open_end();
  Executor::Outcome outcome;
  if (reply_mode != ReplyMode::kOn) [[unlikely]] {
    outcome = run_unanswered(prepared);
  } else if (is_replica()) [[unlikely]] {
    outcome = with_reply_aside(
        [&](Reply& reply) { return engine_.executor.run(caller_, prepared, reply); });
  } else {
    RespReply reply(out_, resp_version_ == 3);
    outcome = engine_.executor.run(caller_, prepared, reply);
  }
  running_ = nullptr;
  if (outcome == Executor::Outcome::kPostponed) {
    skipped_.push_back(command);
    postpone();
  } else if (due_keys_ != nullptr) [[unlikely]] {
    due_keys_.reset();
  }
  if (begins && !waits_for_log(spec, outcome, log_end)) unsealed_ = false;
  seal();
  if (outcome != Executor::Outcome::kWaits) note_stream();
  if (call_acks != nullptr) [[unlikely]]
    note_call(outcome);
  after_reply();
  if (engine_.batch.is_nested() && !was_nested) [[unlikely]]
    take_held();
}

// Whether the answer may show what the log does not have yet. One that cannot leaves with what was
// said before it: who is refused because the disk is full must be told now, not when it has room.
// `log_end`: before the command.
bool Session::waits_for_log(const CommandSpec* spec, Executor::Outcome outcome,
                            uint64_t log_end) const {
  constexpr Flags kUseData =
      Flag::kReadonly | Flag::kWrite | Flag::kMayReplicate | Flag::kRunsQueue | Flag::kRunsScript;
  const bool is_relaxed =
      engine_.options.replication.semi_sync_visibility == SemiSyncVisibility::kRelaxed;
  if (is_relaxed && engine_.commit.open_end() == log_end) return false;
  return outcome != Executor::Outcome::kRefused && spec->flags.has(kUseData);
}

// CLIENT REPLY OFF and SKIP: the command runs, its answer goes nowhere.
Executor::Outcome Session::run_unanswered(const Executor::Prepared& prepared) {
  if (reply_mode == ReplyMode::kSkipNext) reply_mode = ReplyMode::kSkip;
  NullReply nowhere;
  const Executor::Outcome outcome = engine_.executor.run(caller_, prepared, nowhere);
  // A command that waits, or has not begun, has its reply still to come.
  if (outcome == Executor::Outcome::kDone || outcome == Executor::Outcome::kRefused) end_skip();
  return outcome;
}

Session::AsideReply::AsideReply(Session& owner)
    : session(owner), out(owner.engine_.heap), reply(out, owner.resp_version_ == 3) {}

Session::AsideReply::~AsideReply() {
  if (out.empty() || session.state_ == EndpointState::kDoomed) return;
  Engine& engine = session.engine_;
  const std::string_view command = session.last_command == nullptr
                                       ? "<unknown>"
                                       : engine.registry.full_name(*session.last_command);
  engine.log.print(LogLevel::kWarning,
                   "Replica generated a reply to command '%.*s', disconnecting it: %s",
                   printed_size(command), command.data(), client_line(engine, session).c_str());
  ByteView front;
  (void)out.gather(kReleaseAll, {&front, 1});
  if (front.starts_with('-')) {
    ++engine.stats.unexpected_errors;
    const ByteView text = front.substr(1, front.find('\r') - 1);
    engine.log.print(LogLevel::kWarning,
                     "== CRITICAL == This master is sending an error to its replica: '%.*s' after "
                     "processing the command '%.*s'",
                     printed_size(text), text.data(), printed_size(command), command.data());
    if (engine.options.replication.propagation_error_behavior == PropagationError::kPanic)
      engine.host.end_in_failure("A replica is not equal to this master any more.");
  }
  session.doom();
}

void Session::note_call(Executor::Outcome outcome) {
  if (outcome == Executor::Outcome::kDone) engine_.acked_calls.on_answered(*this);
  if (outcome == Executor::Outcome::kRefused) engine_.acked_calls.on_refused(*this);
}

void Session::end_call() {
  end_skip();
  if (call_acks != nullptr && state_ != EndpointState::kDoomed)
    engine_.acked_calls.on_answered(*this);
}

void Session::end_skip() {
  if (reply_mode == ReplyMode::kSkip) reply_mode = ReplyMode::kOn;
}

void Session::postpone() {
  postponed_ = true;
  if (due_keys_ != nullptr && !due_keys_->is_done) return engine_.due_members.hold(*this);
  due_keys_.reset();  // who knows what is due when the pause ends
  engine_.clients.add_postponed(*this);
}

void Session::end_postponement() {
  postponed_ = false;
  resume();
}

void Session::end_wait() {
  engine_.replication.forget_wait(*this);
  end_call();
  if (state_ == EndpointState::kDoomed) return;
  resume();
}

void Session::resume() {
  queue_for_batch();
  owner_.on_session_active();
}

inline const OutputLimit& Session::output_limit() const {
  switch (client_class()) {
    case ClientClass::kPubsub:
      return engine_.options.output_pubsub;
    case ClientClass::kReplica:
      return engine_.options.output_replica;
    case ClientClass::kNormal:
    case ClientClass::kPrimary:
      return engine_.options.output_normal;
  }
  return engine_.options.output_normal;
}

// False if what was written before still waits for seal().
bool Session::begin_output() {
  if (unsealed_) return false;
  unsealed_ = true;
  unsealed_from_ = out_.stream_end();
  return true;
}

// A message of a command that somebody else runs, whose effects come after it.
void Session::begin_message() {
  if (unsealed_ || !engine_.commit.wanted()) return;
  begin_output();
  engine_.unsealed.push_back(this);
}

void Session::seal() {
  if (!unsealed_) return;
  unsealed_ = false;
  out_.release_from(unsealed_from_, engine_.commit.open_end());
}

// A replica's output is the log itself: replies may wait for it, so it waits for nothing.
uint64_t Session::released() const {
  return is_replica() ? kReleaseAll : engine_.commit.released();
}

// One that waits, for acknowledgements say, keeps what it has seen before.
void Session::note_stream() {
  stream_seen = engine_.replication.history().offset;
  log_seen = engine_.commit.log_end();
}

void Session::after_reply() {
  if (is_replica()) [[unlikely]]
    return check_replica();
  const size_t bytes = out_.size_bytes();
  const OutputLimit& limit = output_limit();
  if ((limit.hard_bytes > 0 || limit.soft_bytes > 0 || out_.is_over()) && bytes > 0) [[unlikely]]
    check_output(limit, bytes + std::exchange(refused_bytes_, 0));
  out_.limit(&limit.hard_bytes);  // of its class, which may have changed
}

// What is still to be sent counts, wherever it stands, but for what it missed while a snapshot was
// on its way, which has a bound of its own. Less than the backlog keeps anyway would end replicas
// for nothing.
void Session::check_replica() {
  static constexpr size_t kNoLimit = 0;
  out_.limit(&kNoLimit);
  OutputLimit limit = engine_.options.output_replica;
  if (limit.hard_bytes > 0)
    limit.hard_bytes = std::max(limit.hard_bytes, engine_.options.replication.repl_backlog_size);
  if (!feed->takes_stream()) return check_missed(limit.hard_bytes);
  const size_t bytes = out_.size_bytes() + stream_bytes();
  feed->missed = std::min<uint64_t>(feed->missed, bytes);
  if (bytes > 0) check_output(limit, bytes - feed->missed);
}

void Session::check_missed(size_t hard_bytes) {
  const size_t bytes_max = std::max<size_t>(feed->missed_max, hard_bytes);
  if (hard_bytes == 0 || stream_bytes() <= bytes_max || state_ == EndpointState::kDoomed) return;
  ++engine_.stats.client_output_limit_closed;
  engine_.log.print(LogLevel::kWarning,
                    "Disconnecting replica %s: it has missed %zu bytes while a snapshot is on its "
                    "way, and a new sync brings less. At most %zu are kept for it, as much as the "
                    "data were then, or its output buffer limit",
                    peer.address.c_str(), stream_bytes(), bytes_max);
  doom();
}

void Session::refuse_answer_of(uint64_t bytes) {
  const size_t limit = output_limit().hard_bytes;
  if (takes_replies() && limit > 0 && bytes >= limit) refused_bytes_ = limit;
}

void Session::check_limits() {
  after_reply();
  // A client that takes what it asked for is not idle, however long that lasts.
  if (was_sending_ && out_.sent_bytes() != sent_seen_) last_active = engine_.instant();
  was_sending_ = !out_.empty();
  sent_seen_ = out_.sent_bytes();
  shrink_output();
  note_memory();
}

void Session::shrink_output() {
  const Clients& rules = engine_.clients;
  if (!rules.shrinks_output) return;
  const Micros shown_for = engine_.instant() - output_peak_at_;
  const bool is_over = shown_for >= rules.output_peak_lasts.value_or(Clients::kOutputPeakLasts);
  if (is_over || !rules.output_peak_lasts) out_.shrink();
  if (!is_over) return;
  output_peak_ = out_.claimed_bytes();
  output_peak_at_ = engine_.instant();
}

void Session::check_output(const OutputLimit& limit, size_t bytes) {
  bool over = out_.is_over() || (limit.hard_bytes > 0 && bytes >= limit.hard_bytes);
  if (limit.soft_bytes > 0 && bytes >= limit.soft_bytes) {
    if (over_soft_since_ == 0) over_soft_since_ = engine_.instant();
    over |= engine_.instant() - over_soft_since_ > limit.soft_seconds * 1'000'000;
  } else {
    over_soft_since_ = 0;
  }
  if (!over || state_ == EndpointState::kDoomed) return;
  ++engine_.stats.client_output_limit_closed;
  engine_.log.print(
      LogLevel::kWarning,
      "closing client for overcoming of output buffer limits: id=%llu addr=%s bytes=%zu",
      static_cast<unsigned long long>(id), peer.address.c_str(), bytes);
  doom();
}

// Only input that is about to be run makes a session refuse more. One that waits (BLPOP) reads on,
// up to client-query-buffer-limit: that is how it notices that its peer is gone. So does one whose
// replies pile up: many clients send a whole pipeline before they read, and would wait for ever.
EndpointState Session::state() const {
  if (state_ != EndpointState::kOpen) return state_;
  const bool full =
      (unparsed_ && reader_.pending_bytes() > kBacklogBytesMax) || held_.size() > kBacklogBytesMax;
  return full ? EndpointState::kNotReading : EndpointState::kOpen;
}

void Session::close_after_reply() {
  if (state_ == EndpointState::kDoomed) return;
  state_ = EndpointState::kFinishing;
  owner_.on_session_active();
}

void Session::doom() {
  state_ = EndpointState::kDoomed;
  leave_engine();
  owner_.on_session_active();
}

void Session::on_closed(ByteView) {
  state_ = EndpointState::kDoomed;
  leave_engine();
}

void Session::reset() {
  engine_.watch.clear(caller_);
  caller_.txn = Transaction();
  caller_.gates = 0;
  caller_.db = 0;
  caller_.no_touch = false;
  caller_.imports = false;
  caller_.field_sets.clear();
  reads_here = false;
  engine_.pubsub.drop(*this);
  engine_.tracking.disable(*this);
  if (is_monitor) engine_.monitors.remove(*this);
  is_monitor = false;
  set_text(name, {});
  resp_version_ = 2;
  reply_mode = ReplyMode::kOn;
  call_acks.reset();
  script_debug = ScriptDebug::kNo;
  engine_.acl.make_default(*this);
}

void Session::set_text(std::string& text, ByteView to) {
  std::string(to).swap(text);  // a longer one leaves its room
  texts_.resize(text_bytes());
}

size_t Session::query_bytes_free() const {
  const size_t held = reader_.memory_bytes();
  return held - std::min(held, reader_.pending_bytes());
}

size_t Session::argument_bytes() const {
  size_t bytes = reader_.argument_bytes();
  const Argv argv = running_ != nullptr ? Argv(running_->argv) : wait_.argv.argv();
  for (const ByteView argument : argv) bytes += argument.size();
  return bytes;
}

size_t Session::stream_bytes() const {
  return is_replica() ? static_cast<size_t>(engine_.replication.behind(*this)) : 0;
}

size_t Session::reply_list_pieces() const {
  return out_.piece_count() - (out_.front_chunk().memory_bytes > 0 ? 1 : 0);
}

// All but the output.
size_t Session::other_bytes() const {
  return sizeof(Session) + reader_.memory_bytes() + wait_.argv.memory_bytes() + wait_.key_bytes +
         (due_keys_ == nullptr ? 0 : due_keys_->keys.memory_bytes()) + caller_.txn.memory_bytes() +
         caller_.watched_bytes + caller_.field_sets.memory_bytes() + subscription_bytes +
         (tracking == nullptr ? 0 : tracking->memory_bytes()) +
         (call_acks == nullptr ? 0 : sizeof(CallAcks)) +
         skipped_.capacity() * sizeof(RespReader::Command) + held_.capacity() + text_bytes() +
         peer.address.capacity() + peer.local_address.capacity();
}

}  // namespace ouro
