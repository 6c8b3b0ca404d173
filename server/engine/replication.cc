// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/replication.h"

#include <algorithm>
#include <utility>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// What a replica's output alone points at, since the stream is no longer kept from there. Others
// who are as far behind point at the same.
size_t pinned_before(uint64_t begin, Session& session) {
  const Feed& feed = *session.feed;
  const OutBuffer& out = session.out();
  if (!feed.takes_stream()) return 0;
  const uint64_t unsent_from = feed.sent_to - std::min<uint64_t>(feed.sent_to, out.size_bytes());
  if (unsent_from >= begin) return 0;
  return std::min(out.claimed_bytes() - out.own_bytes(), static_cast<size_t>(begin - unsent_from));
}

}  // namespace

std::string replica_ip(const Session& session) {
  if (!session.feed->announced_ip.empty()) return session.feed->announced_ip;
  const ByteView address = session.peer.address;
  return std::string(address.substr(0, address.rfind(':')));
}

Replication::Replication(Engine& engine)
    : engine_(engine),
      backlog_(engine.heap, engine.options.replication.repl_backlog_size),
      writer_(backlog_) {
  history_.begin(make_replication_id(engine_.prng));
}

// ---- role

void Replication::follow(std::string host, uint16_t port) {
  engine_.options.replication.replicaof = host + ' ' + std::to_string(port);
  leave(std::move(host), port);
}

void Replication::close() {
  engine_.options.replication.replicaof.clear();
  leave({}, 0);
}

void Replication::leave(std::string host, uint16_t port) {
  attach(false);
  engine_.failover.on_left();
  // Nobody will ever acknowledge what they wait for.
  close_unanswered();
  engine_.acked_calls.break_off();
  engine_.guard.leases.clear();  // who loads is for those who lead to say
  asks_for_acks_ = false;
  is_closed_ = host.empty();
  primary = {.host = std::move(host), .port = port, .link = LinkState::kConnect};
  engine_.leadership.on_role_changed();
  apply_semi_sync();
  apply_gate();
  end_waits();
  engine_.host.on_role_changed();
}

// What they wait for may never come where others write.
void Replication::end_waits() {
  std::vector<Session*> waiting;
  for (const auto& [id, session] : engine_.clients.all()) {
    if (session->is_blocked()) waiting.push_back(session);
  }
  for (Session* session : waiting) {
    engine_.executor.break_off(*session, errors::kRoleChanged);
    session->close_after_reply();
  }
}

void Replication::lead() {
  if (leads()) return;
  primary = {};
  is_closed_ = false;
  engine_.options.replication.replicaof.clear();
  history_.branch(make_replication_id(engine_.prng));
  engine_.own_keys.clear();
  // They go on from where they are, once they have heard of the new id.
  close_replicas();
  writer_.forget_db();
  alone_since_ = engine_.instant();
  attach(has_stream_);
  apply_semi_sync();
  apply_gate();
  // Who waits for the stream of a primary waits for nothing now.
  for (const AckWait& wait : std::vector<AckWait>(ack_waits_))
    engine_.executor.break_off(*wait.session, errors::kRoleChanged);
  engine_.host.on_role_changed();
}

void Replication::apply_gate() {
  const ReplicationOptions& options = engine_.options.replication;
  const bool needs_replicas =
      options.min_replicas_to_write > 0 && options.min_replicas_max_lag_seconds > 0;
  engine_.executor.set_gate(
      Gate::kRole, needs_replicas || follows() || refuses_writes() || !engine_.leadership.serves());
  const bool is_stale = follows() && !primary.is_up() && !options.replica_serve_stale_data;
  engine_.executor.set_gate(Gate::kStale, is_stale);
}

bool Replication::has_enough_replicas() const {
  const ReplicationOptions& options = engine_.options.replication;
  if (follows() || options.min_replicas_max_lag_seconds == 0) return true;
  return count_good() >= options.min_replicas_to_write;
}

// ---- the stream

void Replication::attach(bool wanted) {
  if (wanted == is_attached_) return;
  is_attached_ = wanted;
  // What the transaction that says so has changed by now is of the role before.
  engine_.close_group(GroupKind::kTransaction);
  wanted ? engine_.commit.attach(*this) : engine_.commit.detach(*this);
}

// Nothing of it is known but where it is.
void Replication::clear_stream() {
  backlog_.clear(history_.offset);
  only_ours_to_ = written_to_ = 0;
  pushed_to_ = history_.offset;
}

void Replication::begin_stream() {
  if (has_stream_) return;
  has_stream_ = true;
  clear_stream();
  if (!leads()) return;
  writer_.forget_db();
  attach(true);
}

void Replication::end_stream() {
  attach(false);
  has_stream_ = false;
  clear_stream();
  change_id();
}

void Replication::change_id() { history_.begin(make_replication_id(engine_.prng)); }

void Replication::on_group(std::span<const Effect> effects, GroupKind kind) {
  writer_.append(effects, kind);
  note_appended();
  written_to_ = history_.offset;
}

void Replication::on_command(DbIndex db, Argv argv, ByteView raw) {
  writer_.append_one(db, argv, raw);
  note_appended();
  written_to_ = history_.offset;
}

void Replication::append_applied(ByteView bytes, DbIndex db) {
  CHECK(follows());
  CHECK(has_stream_);
  backlog_.append(bytes);
  writer_.set_db(db);
  note_appended();
  acks_came_ = true;
}

void Replication::adopt(ReplicationId id, uint64_t offset, DbIndex db) {
  engine_.own_keys.clear();
  engine_.leadership.forget_log();
  close_replicas();
  has_stream_ = false;
  history_.adopt(std::move(id), offset);
  durable_marks_.clear();
  durable_to_ = 0;
  writer_.set_db(db);
  acks_came_ = true;
  begin_stream();
}

void Replication::adopt_id(ReplicationId id) {
  if (id == history_.id) return;
  history_.branch(std::move(id));
  close_replicas();
}

void Replication::restore(ReplicationId id, uint64_t offset, DbIndex db) {
  history_.adopt(std::move(id), offset);
  if (leads()) history_.branch(make_replication_id(engine_.prng));
  // A stream that was begun already counts from elsewhere.
  begin_stream();
  clear_stream();
  if (follows()) writer_.set_db(db);
  alone_since_ = engine_.instant();
}

void Replication::apply_backlog_size() {
  backlog_.set_limit(engine_.options.replication.repl_backlog_size);
}

void Replication::append_note(Argv argv) {
  writer_.append_note(argv);
  note_appended();
}

// While clients are paused the stream stands still, since the pause may be there for its end to be
// reached. But the lease hangs on questions: FAILOVER does not wait for these (written_to()), and
// for CLIENT PAUSE Redis goes on to ping, too. A server that is about to end needs no lease.
bool Replication::may_ask() const {
  if (engine_.clients.paused() == Clients::Pause::kNone) return true;
  return semi_sync_.is_on() && !engine_.clients.is_paused_by(Clients::PausedBy::kShutdown);
}

void Replication::ask_if_wanted() {
  if (asks_for_acks_ && may_ask()) ask_for_acks();
}

void Replication::ask_for_acks() {
  CHECK(leads());
  asks_for_acks_ = false;
  const ByteView argv[] = {"REPLCONF", "GETACK", "*"};
  append_note(argv);
}

Instant Replication::engine_instant() const { return engine_.instant(); }
Prng& Replication::engine_prng() { return engine_.prng; }

void Replication::begin_ballot(ByteView marker) {
  CHECK(leads());
  begin_stream();
  const ByteView argv[] = {"PING", marker};
  append_note(argv);
  written_to_ = history_.offset;
  marked_to_ = kNothingMarked;
}

// ---- replicas

bool Replication::continue_feed(Session& session, ByteView id, uint64_t offset) {
  if (!has_stream_) return false;
  if (!history_.continues(id, offset) || !backlog_.holds(offset)) return false;
  Feed& feed = *session.feed;
  if (!feed.takes_all() && offset < only_ours_to_) return false;
  feed.state = Feed::State::kOnline;
  feed.begins_at = feed.sent_to = offset;
  feed.heard_at = engine_.instant();
  replicas_.push_back(&session);
  return true;
}

void Replication::add_replica(Session& session) {
  if (leads() && !has_stream_) {
    history_.begin(make_replication_id(engine_.prng));
    begin_stream();
    engine_.log.print(LogLevel::kNotice,
                      "Replication backlog created, my new replication IDs are '%s' and '%.*s'",
                      history_.id.c_str(), static_cast<int>(kNoReplicationId.size()),
                      kNoReplicationId.data());
  }
  session.feed->state = Feed::State::kWaiting;
  session.feed->asked_at = session.feed->heard_at = engine_.instant();
  replicas_.push_back(&session);
}

void Replication::forget(Session& session) {
  forget_wait(session);
  if (std::erase(replicas_, &session) == 0) return;
  if (replicas_.empty()) alone_since_ = engine_.instant();
}

void Replication::close_replicas() {
  // Each takes itself out.
  while (!replicas_.empty()) replicas_.back()->doom();
}

void Replication::close_replicas_of(ByteView member) {
  const std::vector<Session*> replicas = replicas_;  // one that ends takes itself out
  for (Session* session : replicas) {
    if (session->feed->member == member) session->doom();
  }
}

void Replication::begin_feed(Session& session) {
  Feed& feed = *session.feed;
  feed.state = Feed::State::kSaving;
  feed.begins_at = feed.sent_to = history_.offset;
  feed.missed_max = Eviction::counted_bytes(engine_);
  feed.missed = ~uint64_t{0};  // whatever it will be
  // In a stream that is another's, the snapshot says which database is selected.
  if (leads()) writer_.forget_db();
}

void Replication::on_ack(Session& session, uint64_t offset, uint64_t durable) {
  const bool had_stream = session.feed->takes_stream();
  session.feed->on_ack(offset, durable, engine_.instant());
  if (!had_stream && session.feed->takes_stream()) {
    engine_.log.print(LogLevel::kNotice, "Synchronization with replica %s succeeded",
                      session.peer.address.c_str());
  }
  semi_sync_.on_acked(acked_by_enough(), engine_.instant());
  acks_came_ = true;
}

size_t Replication::count_acked(uint64_t offset) const {
  return static_cast<size_t>(
      std::count_if(replicas_.begin(), replicas_.end(), [&](const Session* session) {
        return session->feed->takes_stream() && session->feed->acked >= offset;
      }));
}

size_t Replication::count_good() const {
  const int64_t lag_max = engine_.options.replication.min_replicas_max_lag_seconds;
  return static_cast<size_t>(
      std::count_if(replicas_.begin(), replicas_.end(), [&](const Session* session) {
        return session->feed->is_online() &&
               session->feed->lag_seconds(engine_.instant()) <= lag_max;
      }));
}

size_t Replication::count_behind() const {
  return static_cast<size_t>(std::count_if(
      replicas_.begin(), replicas_.end(),
      [&](const Session* session) { return session->feed->acked != history_.offset; }));
}

void Replication::log_lag() const {
  if (replicas_.empty()) return;
  for (const Session* session : replicas_) {
    const Feed& feed = *session->feed;
    if (feed.acked == history_.offset) continue;
    const ByteView state = Feed::name_of(feed.state);
    engine_.log.print(
        LogLevel::kWarning,
        "Lagging replica %s reported offset %llu behind master, lag=%lld, state=%.*s.",
        session->peer.address.c_str(),
        static_cast<unsigned long long>(history_.offset - feed.acked),
        static_cast<long long>(feed.lag_seconds(engine_.instant())), static_cast<int>(state.size()),
        state.data());
  }
  engine_.log.print(LogLevel::kNotice, "%zu of %zu replicas are in sync when shutting down.",
                    replicas_.size() - count_behind(), replicas_.size());
}

uint64_t Replication::behind(const Session& session) const {
  return session.feed->needs_stream() ? backlog_.end() - session.feed->sent_to : 0;
}

Replication::Memory Replication::memory() const {
  const size_t bytes = backlog_.memory_bytes();
  const size_t kept = std::min(bytes, engine_.options.replication.repl_backlog_size);
  if (replicas_.empty()) return {.backlog_bytes = bytes, .outgoing_bytes = bytes - kept};
  size_t outgoing = bytes - kept;
  size_t pinned = 0;
  for (Session* session : replicas_) {
    outgoing += session->out().own_bytes();
    pinned = std::max(pinned, pinned_before(backlog_.begin(), *session));
  }
  outgoing += pinned;
  return {.backlog_bytes = kept, .replicas_bytes = outgoing, .outgoing_bytes = outgoing};
}

void Replication::push() {
  note_durable();
  if (!has_stream_) return;
  if (!engine_.redis7.can_read()) close_those_of_redis();
  mark_sent();
  ask_if_wanted();
  pushed_to_ = history_.offset;
  uint64_t needed_from = Backlog::kNobody;
  // From the back, since one that is too far behind takes itself out.
  for (size_t i = replicas_.size(); i > 0; --i) {
    Session& session = *replicas_[i - 1];
    if (!session.feed->needs_stream()) continue;
    send_to(session);
    needed_from = std::min(needed_from, session.feed->sent_to);
    session.check_replica();
  }
  backlog_.keep_from(needed_from);
  settle_semi_sync();
}

// A replica that was sent what it does not know would say so in its log, and go on with other data.
void Replication::close_those_of_redis() {
  only_ours_to_ = history_.offset;
  const std::vector<Session*> replicas = replicas_;  // one that ends takes itself out
  for (Session* session : replicas) {
    if (session->feed->takes_all()) continue;
    engine_.log.print(LogLevel::kWarning,
                      "Disconnecting replica %s: Redis 7.0 could not follow (redis7_readable:no), "
                      "and it has not said REPLCONF capa ouro",
                      session->peer.address.c_str());
    session->doom();
  }
}

void Replication::send_to(Session& session) {
  Feed& feed = *session.feed;
  OutBuffer& out = session.out();
  if (!feed.takes_stream() || behind(session) == 0 || out.size_bytes() >= kOutputBytesMax) return;
  const size_t sent = backlog_.send(feed.sent_to, kOutputBytesMax - out.size_bytes(), out);
  feed.sent_to += sent;
  engine_.stats.net_replication_output_bytes += sent;
  session.flush_soon();
}

// ---- by the clock

void Replication::every_second() {
  ping_replicas();
  time_out_replicas();
  const int64_t ttl = engine_.options.replication.repl_backlog_ttl_seconds;
  if (!leads() || !has_stream_ || !replicas_.empty() || ttl == 0 || semi_sync_.is_on()) return;
  if (engine_.instant() - alone_since_ <= ttl * 1'000'000) return;
  end_stream();
  engine_.log.print(LogLevel::kNotice,
                    "Replication backlog freed after %lld seconds without connected replicas.",
                    static_cast<long long>(ttl));
}

// Those who wait for a snapshot are sent what counts for nothing, so that they know that we live.
void Replication::ping_replicas() {
  for (Session* session : replicas_) {
    if (!session->feed->waits()) continue;
    session->out().append("\n");
    session->flush_soon();
  }
  const int64_t period = engine_.options.replication.repl_ping_replica_period_seconds;
  if (!leads() || engine_.failover.is_on()) return;
  // The period begins when somebody is there to hear.
  if (replicas_.empty()) pinged_ = engine_.instant();
  if (engine_.instant() - pinged_ < period * 1'000'000) return;
  pinged_ = engine_.instant();
  const ByteView argv[] = {"PING"};
  append_note(argv);
}

void Replication::time_out_replicas() {
  const int64_t timeout = engine_.options.replication.repl_timeout_seconds;
  const std::vector<Session*> replicas = replicas_;  // one that ends takes itself out
  for (Session* session : replicas) {
    if (!session->feed->is_online()) continue;
    if (session->feed->lag_seconds(engine_.instant()) <= timeout) continue;
    engine_.log.print(LogLevel::kWarning, "Disconnecting timedout replica (streaming sync): %s",
                      session->peer.address.c_str());
    session->doom();
  }
}

}  // namespace ouro
