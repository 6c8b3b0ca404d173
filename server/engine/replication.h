// SPDX-License-Identifier: BSD-3-Clause
// Replication: whose data this node's are, and who has ours. The engine's part, without a socket:
// the stream as a sink of effects, the replicas among the sessions, what commands and gates ask.
//
//      Commit --effects--> StreamWriter --> Backlog --push()--> output of each replica's session
//                                              ^
//      PrimaryLink (server/app): what our own primary sent, verbatim, once it is applied
//
// A node leads, or follows one primary. While it follows, its stream is its primary's: effects of
// what it applies go to the other sinks only. The stream exists from the first replica on (or from
// the first primary), until nobody has been there for repl-backlog-ttl; a new one has a new id.
// Full syncs, links and timers are the app's (replica_sync.h, primary_link.h), which is told by
// Host.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "replication/backlog.h"
#include "replication/feed.h"
#include "replication/history.h"
#include "replication/semi_sync.h"
#include "replication/stream_writer.h"
#include "server/engine/commit.h"

namespace ouro {

class Engine;
class Session;

// Where others reach it: what it said, or what its connection says.
std::string replica_ip(const Session& session);

// Of a replica, towards its primary; as ROLE names them, but kDown.
enum class LinkState : uint8_t { kNone, kConnect, kConnecting, kHandshake, kSync, kConnected };

// What the link to the primary tells about itself.
struct PrimaryFacts {
  std::string host;  // empty: this node leads
  uint16_t port = 0;
  LinkState link = LinkState::kNone;
  bool syncs = false;  // a snapshot is on its way
  Instant last_io = 0;
  Instant down_since = 0;
  uint64_t sync_bytes_total = 0;  // 0: not known
  uint64_t sync_bytes_read = 0;
  uint64_t unapplied_bytes = 0;  // of the stream: they came, and were not acted on yet
  bool is_up() const { return link == LinkState::kConnected; }
};

class Replication final : public EffectSink {
 public:
  explicit Replication(Engine& engine);

  // ---- role
  bool leads() const { return primary.host.empty() && !is_closed_; }
  bool follows() const { return !leads(); }
  // Begins to follow: the data are what they are until the link brings others. Whoever waits for
  // keys is told that it waits no more.
  void follow(std::string host, uint16_t port);
  // Leads from here on, in a stream that goes on (REPLICAOF NO ONE).
  void lead();
  // Neither leads nor follows anybody (leadership.h); otherwise as one that follows.
  void close();
  bool is_closed() const { return is_closed_; }
  PrimaryFacts primary;
  // Options or the role have changed what writes need.
  void apply_gate();

  // ---- the stream
  const History& history() const { return history_; }
  const Backlog& backlog() const { return backlog_; }
  bool has_stream() const { return has_stream_; }
  // As a primary: effects.
  void on_group(std::span<const Effect> effects, GroupKind kind) override;
  void on_command(DbIndex db, Argv argv, ByteView raw) override;
  // All that was changed by effects is before it.
  uint64_t written_to() const { return written_to_; }
  // The database that a reader of all so far has selected.
  DbIndex stream_db() const { return writer_.db(); }
  // As a replica: what was applied. `db`: selected behind it.
  void append_applied(ByteView bytes, DbIndex db);
  // A full sync has brought the data of `id` at `offset`, where its stream has `db` selected; a
  // partial one goes on under another id. Both end the links of our own replicas, who are to ask
  // again.
  void adopt(ReplicationId id, uint64_t offset, DbIndex db);
  void adopt_id(ReplicationId id);
  // The stream goes on under another id, and those who know the one before are to begin anew.
  void change_id();
  // The data are of no stream that is known.
  void forget_history() { adopt(make_replication_id(engine_prng()), 0, 0); }
  // The data at the start are those of `id` at `offset`, says the file that they come from, where
  // its stream has `db` selected. Who follows goes on in it; who leads begins one of its own there,
  // and takes those who had come that far.
  void restore(ReplicationId id, uint64_t offset, DbIndex db);
  // repl-backlog-size.
  void apply_backlog_size();

  // ---- replicas: sessions with a Feed
  const std::vector<Session*>& replicas() const { return replicas_; }
  // PSYNC: goes on from `offset` of `id` if we can; else false, and a full sync is to begin.
  bool continue_feed(Session& session, ByteView id, uint64_t offset);
  void add_replica(Session& session);
  void close_replicas();
  // What a member acknowledged over another connection does not count beside what it will.
  void close_replicas_of(ByteView member);
  // The session ends: a replica, or one that waits for acknowledgements.
  void forget(Session& session);
  // A snapshot of this moment is made for `session`: its stream begins here.
  void begin_feed(Session& session);
  void on_ack(Session& session, uint64_t offset, uint64_t durable);
  // Replicas that have acknowledged `offset`, and those that have been heard of in time
  // (min-replicas-max-lag).
  size_t count_acked(uint64_t offset) const;
  // The same for those who have it on their disks.
  size_t count_durable(uint64_t offset) const;
  // How far our own log on disk is in the stream; none if we keep none.
  std::optional<uint64_t> durable_offset() const;
  // WAIT and WAITAOF: until so many replicas have acknowledged what the session has seen, or have
  // it on disk, and our own log has it on disk. They are asked to say so at once; the wait may end
  // before.
  struct Wanted {
    size_t replicas = 0;
    size_t on_disk = 0;
    bool here_on_disk = false;
    uint64_t applied = 0;  // of a replica: its primary's stream up to here (REPLICA.WAIT)
  };
  bool has(const Session& session, const Wanted& wanted) const;
  // What the session (null: anybody) has seen is in our own log on disk.
  bool is_here_on_disk(const Session* session) const;
  void begin_wait(Session& session, const Wanted& wanted);
  // Somebody waits for what the stream has by now: its replicas are asked how far they are.
  void want_acks() { asks_for_acks_ = leads(); }
  void forget_wait(Session& session);
  // Puts the question how far they are behind what the stream has by now.
  void ask_for_acks();
  // One whose wait is over so; null if there is none.
  Session* find_acknowledged();
  size_t count_good() const;
  // Replicas that have not all of the stream; before the end of the program the log tells of them.
  size_t count_behind() const;
  void log_lag() const;
  // Or none are asked for: min-replicas-to-write.
  bool has_enough_replicas() const;

  // ---- semi-sync (semi_sync.h)
  const SemiSync& semi_sync() const { return semi_sync_; }
  // Too few replicas answer, and somebody else may lead by now.
  bool refuses_writes() const { return semi_sync_.state() == SemiSync::State::kLapsed; }
  // How far each replica is whose acknowledgements count, the furthest first.
  std::vector<uint64_t> acked_offsets() const;
  // How far the replicas are of which there are enough; 0 if there are not.
  uint64_t acked_by_enough() const;
  // And some of the data may not be shown.
  bool hides_data() const;
  // The lease may have lapsed since the clock was looked at last.
  void look_at_lease() {
    if (engine_instant() >= semi_sync_.lapses_at()) settle_semi_sync();
  }
  // The stream has the marker of a ballot, from which on replicas let replies leave.
  void begin_ballot(ByteView marker);
  // Options or the role have changed what replies wait for. Requires: no group is open.
  void apply_semi_sync();
  // When the clock may change something; kNever if only an acknowledgement can.
  Instant next_deadline() const;

  // What of the stream a replica is still to be sent, beyond its output.
  uint64_t behind(const Session& session) const;
  // Of the stream: what is kept anyway, and what replicas that are behind need beyond that, with
  // what stands in their outputs. The last of them leaves its part to the backlog, which gives it
  // back bit by bit: that is on its way out, too.
  struct Memory {
    size_t backlog_bytes = 0;
    size_t replicas_bytes = 0;
    size_t outgoing_bytes = 0;
  };
  Memory memory() const;
  size_t outgoing_bytes() const { return has_stream_ ? memory().outgoing_bytes : 0; }
  // Once a turn, ahead of the flush: the stream goes into the outputs of those who take it.
  void push();
  // Pings, times out, lets go of a stream that nobody has wanted for long.
  void every_second();

 private:
  // What of the stream stands in an output at most; the rest waits in the backlog.
  static constexpr size_t kOutputBytesMax = 1_MiB;

  Instant engine_instant() const;
  Prng& engine_prng();
  void leave(std::string host, uint16_t port);
  void attach(bool wanted);
  void begin_stream();
  void end_stream();
  void clear_stream();
  void note_appended() { history_.offset = backlog_.end(); }
  void append_note(Argv argv);
  bool may_ask() const;
  void ask_if_wanted();
  void end_waits();
  void send_to(Session& session);
  void close_those_of_redis();
  void ping_replicas();
  void time_out_replicas();

  // ---- replication_acks.cc
  void note_durable();
  bool counts(const Feed& feed) const;
  void mark_sent();
  void settle_semi_sync();
  void tell_semi_sync() const;
  void close_unanswered();

  Engine& engine_;
  History history_;
  Backlog backlog_;
  StreamWriter writer_;
  bool is_closed_ = false;
  bool has_stream_ = false;
  uint64_t only_ours_to_ = 0;  // the stream may have what Redis 7.0 does not know before that
  bool is_attached_ = false;   // a sink of Commit: leads, and has a stream
  uint64_t written_to_ = 0;
  uint64_t pushed_to_ = 0;  // what is before it may have come to replicas
  std::vector<Session*> replicas_;
  struct AckWait {
    Session* session;
    Wanted wanted;
  };
  std::vector<AckWait> ack_waits_;
  bool asks_for_acks_ = false;
  bool acks_came_ = false;  // or the stream, since ack_waits_ were looked at
  // Where the stream was when the log ended there: what has not come to the disk yet.
  struct DurableMark {
    uint64_t log_end;
    uint64_t offset;
  };
  // More are not kept: the last one stands for what comes.
  static constexpr size_t kDurableMarksMax = 4096;
  std::deque<DurableMark> durable_marks_;
  uint64_t durable_to_ = 0;
  uint64_t durable_seen_ = 0;  // by the end of the log
  Instant alone_since_ = 0;
  Instant pinged_ = 0;
  SemiSync semi_sync_;
  static constexpr uint64_t kNothingMarked = UINT64_MAX;
  uint64_t marked_to_ = kNothingMarked;  // the log's end that it was last told of
};

}  // namespace ouro
