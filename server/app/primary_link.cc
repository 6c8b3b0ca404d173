// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/primary_link.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/engine/errors.h"

namespace ouro {
namespace {

// What has come and cannot be acted on yet: a script is over its time, or everybody waits.
constexpr size_t kInputBytesMax = 1_MiB;
// As much as the loop hands over in a turn: some thousand commands.
constexpr size_t kBytesATurn = 64_KiB;

// Hears of errors alone.
class ErrorReply final : public NullReply {
 public:
  void error(ByteView text) override { text_ = text; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

unsigned long long printed(uint64_t number) { return number; }

}  // namespace

// A primary, as long as its connection lives.
struct PrimaryLink::Peer final : Endpoint, ConnectionOwner {
  Peer(PrimaryLink& owner, SocketFd fd)
      : link(owner),
        follow(owner.engine_.heap, owner.introduction(), owner),
        connection(owner.loop_, owner.flush_list_, fd, *this, *this) {}

  void on_bytes(ByteView bytes) override {
    input.append(bytes);
    link.engine_.stats.net_input_bytes += bytes.size();
    link.engine_.stats.net_replication_input_bytes += bytes.size();
    if (link.talking_ == this) link.facts().last_io = link.loop_.now();
  }
  void on_closed(ByteView why) override { follow.on_closed(why); }
  EndpointState state() const override {
    const EndpointState said = follow.state();
    const bool is_full = input.size() >= kInputBytesMax;
    return said == EndpointState::kOpen && is_full ? EndpointState::kNotReading : said;
  }
  bool has_work() const override { return !input.empty(); }
  OutBuffer& out() override { return follow.out(); }
  // While it counts, the next turn is still to look at it.
  void on_idle(Connection&) override {
    is_idle = true;
    if (link.talking_ != this) link.peers_.erase(self);
  }

  PrimaryLink& link;
  Follow follow;
  std::string input;
  bool is_idle = false;
  Follow::State talk_seen = Follow::State::kHandshake;
  Connection connection;
  std::list<Peer>::iterator self;
};

PrimaryLink::PrimaryLink(Loop& loop, FlushList& flush_list, Loader& loader,
                         SnapshotDriver& snapshots, AofDriver& aof, Engine& engine,
                         const Options& options, Names& names)
    : loop_(loop),
      flush_list_(flush_list),
      aof_(aof),
      engine_(engine),
      options_(options),
      names_(names),
      intake_(loop, loader, snapshots, engine, options),
      dialer_(loop, *this) {}

PrimaryLink::~PrimaryLink() { CHECK(is_idle()); }

// ---- whom to follow

void PrimaryLink::on_role_changed() { role_changed_ = true; }

void PrimaryLink::begin_role() {
  hang_up("another primary is followed, or none");
  intake_.give_up("the primary is another");
  retry_at_ = loop_.now();
}

bool PrimaryLink::turn() {
  intake_.turn();
  if (std::exchange(role_changed_, false)) begin_role();
  if (talking_ != nullptr) hear();
  if (talking_ != nullptr) note_talk();
  if (has_news_of_disk() || loop_.now() >= ack_due()) {
    talking_->follow.send_ack();
    talking_->connection.touch();
  }
  if (may_dial() && loop_.now() >= retry_at_) dial();
  return has_work();
}

Instant PrimaryLink::due() const {
  if (session_ != nullptr && session_->state() != EndpointState::kOpen) return 0;
  if (has_news_of_disk()) return 0;
  if (has_work()) return 0;
  return may_dial() ? retry_at_ : ack_due();
}

bool PrimaryLink::may_dial() const {
  return engine_.replication.follows() && !engine_.replication.is_closed() &&
         engine_.leadership.may_dial() && !is_stopped_ && talking_ == nullptr &&
         dialer_.is_idle() && intake_.is_idle() && !engine_.persistence.loading.active;
}

// More of the stream is on our disk than the primary was told.
bool PrimaryLink::has_news_of_disk() const {
  if (talking_ == nullptr || talking_->follow.talk() != Follow::State::kStream) return false;
  return durable().value_or(0) > talking_->follow.durable_told();
}

Instant PrimaryLink::ack_due() const {
  if (talking_ == nullptr || talking_->follow.talk() != Follow::State::kStream) return kNever;
  const bool is_told = talking_->follow.applied_told() == talking_->follow.applied();
  return is_told ? kNever : engine_.replication.primary.last_io + kSilence;
}

void PrimaryLink::dial() {
  facts().link = LinkState::kConnect;
  const Names::Answer where = names_.find(facts().host, facts().port);
  retry_at_ = loop_.now() + (where.is_asked ? kRetrySoonAfter : kRetryAfter);
  if (where.is_asked) return;
  engine_.log.print(LogLevel::kNotice, "Connecting to MASTER %s:%d", facts().host.c_str(),
                    facts().port);
  if (!where.address) {
    engine_.log.print(LogLevel::kWarning, "Unable to connect to MASTER: %s is not known",
                      facts().host.c_str());
    return;
  }
  facts().link = LinkState::kConnecting;
  const Millis timeout = options_.engine.replication.repl_timeout_seconds * 1000;
  dialer_.dial(*where.address, timeout,
               {.keep_alive_seconds = static_cast<int>(options_.app.tcp_keepalive)},
               source_address(options_.app));
  engine_.log.write(LogLevel::kNotice, "MASTER <-> REPLICA sync started");
}

void PrimaryLink::on_dial_failed(int error) {
  engine_.log.print(LogLevel::kWarning, "Error condition on socket for SYNC: %s",
                    strerrordesc_np(error));
  names_.doubt(facts().host);
  facts().link = LinkState::kConnect;
}

void PrimaryLink::on_dialed(SocketFd fd) {
  peers_.emplace_back(*this, fd);
  talking_ = &peers_.back();
  talking_->self = std::prev(peers_.end());
  facts().link = LinkState::kHandshake;
  facts().last_io = loop_.now();
  talking_->connection.touch();
}

Follow::Introduction PrimaryLink::introduction() const {
  const ReplicationOptions& options = options_.engine.replication;
  const uint16_t own_port = static_cast<uint16_t>(engine_.host.info().tcp_port);
  Follow::Introduction we{.user = options.masteruser,
                          .password = options.masterauth,
                          .port = options.replica_announce_port != 0
                                      ? static_cast<uint16_t>(options.replica_announce_port)
                                      : own_port,
                          .announced_ip = options.replica_announce_ip};
  const Replication& replication = engine_.replication;
  if (replication.has_stream()) we.history = replication.history();
  we.db = replication.stream_db();
  we.asks_to_take_over = engine_.failover.state() == Failover::State::kInProgress;
  const Leadership& leadership = engine_.leadership;
  if (leadership.is_on())
    we.membership = {.member = leadership.self(),
                     .lease = options.semi_sync_timeout,
                     .least = leadership.least_ballot(),
                     .must_lead = !leadership.is_fetching() && !we.asks_to_take_over,
                     .promised = leadership.voter().promised()};
  return we;
}

// ---- what it says

// What is under way of a group or a loading comes first; and what clients may not change while they
// are paused, the primary does not either.
bool PrimaryLink::may_act() const {
  const bool is_paused = talking_ != nullptr && talking_->follow.talk() == Follow::State::kStream &&
                         engine_.clients.paused() != Clients::Pause::kNone;
  return !engine_.exclusive.active() && !is_stopped_ && !is_paused;
}

bool PrimaryLink::has_work() const {
  return talking_ != nullptr && !talking_->input.empty() && may_act();
}

void PrimaryLink::hear() {
  Peer& peer = *talking_;
  if (may_act() && !peer.input.empty()) {
    engine_.executor.start_timing();
    const size_t part = std::min(peer.input.size(), kBytesATurn);
    peer.follow.on_bytes(ByteView(peer.input).substr(0, part));
    peer.input.erase(0, part);
    // Nobody is to hear that what came last is here.
    if (is_stopped_) return hang_up("a change cannot be kept");
  }
  const bool is_stream = peer.follow.talk() == Follow::State::kStream;
  facts().unapplied_bytes = is_stream ? peer.input.size() + peer.follow.kept_bytes() : 0;
  if (may_act() && peer.follow.talk() == Follow::State::kLoading && intake_.is_done()) {
    end_full_sync();
    peer.follow.on_loaded();
  }
  const bool load_failed =
      peer.follow.talk() == Follow::State::kLoading && intake_.is_idle() && !intake_.is_done();
  if (load_failed) return lose(intake_.problem());
  if (session_ != nullptr && session_->state() != EndpointState::kOpen) lose("killed by a client");
}

// Acts on where the talk is by now.
void PrimaryLink::note_talk() {
  Peer& peer = *talking_;
  if (is_misplaced_)
    peer.follow.on_closed("this node does not stand where its primary's stream does");
  const Follow::State talk = peer.follow.talk();
  const Follow::State before = std::exchange(peer.talk_seen, talk);
  const bool was_refused = peer.follow.was_refused();
  if (talk == Follow::State::kFailed) {
    const std::string why = peer.follow.problem();  // the peer goes
    const bool is_to_try_again = peer.follow.is_to_try_again();
    const bool is_out_of_place = peer.follow.is_out_of_place() || is_misplaced_;
    lose(why);
    // Of data that are nobody's history nothing goes on: all of them are asked for.
    if (is_out_of_place) engine_.replication.forget_history();
    if (is_to_try_again) retry_at_ = loop_.now() + kRetrySoonAfter;
    if (was_refused) engine_.failover.on_refused();
    return;
  }
  if (talk == Follow::State::kSnapshot || talk == Follow::State::kLoading) {
    facts().link = LinkState::kSync;
    facts().syncs = true;
  } else if (talk == Follow::State::kStream && before != talk) {
    become_up();
  }
  peer.connection.touch();
}

void PrimaryLink::become_up() {
  facts().link = LinkState::kConnected;
  facts().syncs = false;
  engine_.replication.apply_gate();
  const Connection& connection = talking_->connection;
  SessionOwner& owner = *this;
  session_ = std::make_unique<Session>(engine_,
                                       Session::Peer{.address = connection.peer_text(),
                                                     .local_address = connection.local_text(),
                                                     .fd = connection.fd().number},
                                       owner);
  session_->is_primary = true;
}

void PrimaryLink::on_remark(const std::string& text) {
  engine_.log.write(LogLevel::kNotice, "(Non critical) " + text);
}

void PrimaryLink::on_full_sync(const ReplicationId& id, uint64_t offset) {
  full_id_ = id;
  full_offset_ = offset;
  engine_.log.print(LogLevel::kNotice, "Full resync from master: %s:%llu", id.c_str(),
                    printed(offset));
  engine_.failover.on_taken_over();
}

void PrimaryLink::on_snapshot_begin(std::optional<uint64_t> bytes) {
  const SnapshotIntake::How how = intake_.how();
  facts().sync_bytes_total = bytes.value_or(0);
  facts().sync_bytes_read = 0;
  engine_.log.print(LogLevel::kNotice, "MASTER <-> REPLICA sync: receiving %s %s",
                    bytes ? (std::to_string(*bytes) + " bytes from master").c_str()
                          : "streamed RDB from master with EOF",
                    how == SnapshotIntake::How::kFile ? "to disk" : "to parser");
  intake_.begin(how, full_id_);
}

bool PrimaryLink::on_snapshot(ByteView bytes) {
  facts().sync_bytes_read += bytes.size();
  return intake_.feed(bytes);
}

// The data are the primary's by now, and the log is of those before.
void PrimaryLink::end_full_sync() {
  engine_.replication.adopt(std::move(full_id_), full_offset_, intake_.stream_db());
  engine_.leadership.on_full_sync(intake_.ballot(), talking_->follow.primary_leads());
  aof_.begin_anew();
}

void PrimaryLink::on_partial_sync(const ReplicationId* id) {
  engine_.log.write(LogLevel::kNotice, "Successful partial resynchronization with master.");
  engine_.failover.on_taken_over();
  if (talking_->follow.primary_leads())
    engine_.leadership.on_continued(talking_->follow.primary_end().offset);
  if (id == nullptr) return;
  engine_.log.print(LogLevel::kNotice, "Master replication ID changed to %s", id->c_str());
  engine_.replication.adopt_id(*id);
}

// ---- the stream

void PrimaryLink::apply_together(FunctionRef<void()> commands) {
  engine_.executor.run_together(commands);
}

// A change that this node cannot keep ends it, unless replica-ignore-disk-write-errors. False if
// nothing more is applied.
bool PrimaryLink::may_apply(const CommandSpec* spec, Argv argv) {
  if (is_stopped_ || spec == nullptr || !flags_of(engine_, *spec, argv).has(Flag::kWrite))
    return !is_stopped_;
  if (engine_.persistence.write_refusal().empty()) return true;
  if (!engine_.options.replication.replica_ignore_disk_write_errors) {
    is_stopped_ = true;
    engine_.host.end_in_failure("Replica was unable to write command to disk.");
  } else if (told_of_disk_at_ == 0 || loop_.now() - told_of_disk_at_ > kTellOfDiskEvery) {
    told_of_disk_at_ = loop_.now();
    engine_.log.write(LogLevel::kWarning,
                      "Replica is applying a command even though it is unable to write to disk.");
  }
  return !is_stopped_;
}

// What cannot be done here is told and passed over: whoever stopped at it would never get past.
void PrimaryLink::apply(DbIndex db, Argv argv, ByteView raw) {
  const CommandSpec* const spec = engine_.executor.resolve(argv);
  if (!may_apply(spec, argv)) return;
  ErrorReply reply;
  if (db < engine_.dbs.count()) {
    caller_.db = db;
    (void)engine_.executor.run(caller_, {.spec = spec, .argv = argv, .raw = raw}, reply);
  } else {
    reply.error(errors::kDbIndexOutOfRange);
  }
  if (reply.text().empty()) return;
  ++engine_.stats.unexpected_errors;
  engine_.log.print(LogLevel::kWarning,
                    "== CRITICAL == This replica cannot apply what its master has sent: '%s' after "
                    "processing the command '%.*s'",
                    reply.text().c_str(), printed_size(argv[0]), argv[0].data());
  if (engine_.options.replication.propagation_error_behavior != PropagationError::kIgnore)
    engine_.host.end_in_failure("This replica would not be equal to its master any more.");
}

void PrimaryLink::on_applied(ByteView bytes, DbIndex db) {
  engine_.replication.append_applied(bytes, db);
  is_misplaced_ |= engine_.replication.history().offset != talking_->follow.applied();
}

// ---- the end of a link

void PrimaryLink::lose(const std::string& why) {
  const bool was_up = facts().is_up();
  engine_.log.print(
      LogLevel::kNotice,
      was_up ? "Connection with master lost: %s" : "MASTER <-> REPLICA sync failed: %s",
      why.c_str());
  is_misplaced_ = false;
  names_.doubt(facts().host);
  hang_up(why);
  intake_.give_up(why);
  retry_at_ = was_up ? loop_.now() : loop_.now() + kRetryAfter;
  facts().link = LinkState::kConnect;
  facts().syncs = false;
  facts().unapplied_bytes = 0;
  if (was_up) facts().down_since = loop_.now();
  engine_.replication.apply_gate();
}

void PrimaryLink::hang_up(ByteView why) {
  session_.reset();
  if (!dialer_.is_idle()) dialer_.cancel();
  if (talking_ == nullptr) return;
  Peer& peer = *std::exchange(talking_, nullptr);
  if (!peer.is_idle) return peer.connection.close(why);
  peers_.erase(peer.self);
}

// ---- by the clock

void PrimaryLink::every_second() {
  if (talking_ == nullptr || engine_.exclusive.sleeps()) return;
  talking_->follow.send_ack();
  talking_->follow.send_newline();
  talking_->connection.touch();
  end_if_silent();
}

void PrimaryLink::end_if_silent() {
  const Micros timeout = options_.engine.replication.repl_timeout_seconds * 1'000'000;
  if (talking_->follow.talk() == Follow::State::kLoading) return;
  if (loop_.now() - facts().last_io <= timeout) return;
  switch (talking_->follow.talk()) {
    case Follow::State::kSnapshot:
      return lose(
          "Timeout receiving bulk data from MASTER... If the problem persists try to set "
          "the 'repl-timeout' parameter in the configuration to a larger value.");
    case Follow::State::kStream:
      return lose("MASTER timeout: no data nor PING received...");
    default:
      return lose("Timeout connecting to the MASTER...");
  }
}

void PrimaryLink::stop() {
  is_stopped_ = true;
  hang_up("the server stops");
  intake_.give_up("the server stops");
}

}  // namespace ouro
