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

#include <string>
#include <vector>

#include "replication/backlog.h"
#include "replication/feed.h"
#include "replication/history.h"
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
  bool is_up() const { return link == LinkState::kConnected; }
};

class Replication final : public EffectSink {
 public:
  explicit Replication(Engine& engine);

  // ---- role
  bool leads() const { return primary.host.empty(); }
  bool follows() const { return !leads(); }
  // Begins to follow: the data are what they are until the link brings others.
  void follow(std::string host, uint16_t port);
  // Leads from here on, in a stream that goes on (REPLICAOF NO ONE).
  void lead();
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
  // The database that a reader of all so far has selected.
  DbIndex stream_db() const { return writer_.db(); }
  // As a replica: what was applied. `db`: selected behind it.
  void append_applied(ByteView bytes, DbIndex db);
  // A full sync has brought the data of `id` at `offset`, where its stream has `db` selected; a
  // partial one goes on under another id. Both end the links of our own replicas, who are to ask
  // again.
  void adopt(ReplicationId id, uint64_t offset, DbIndex db);
  void adopt_id(ReplicationId id);
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
  // The session ends: a replica, or one that waits for acknowledgements.
  void forget(Session& session);
  // A snapshot of this moment is made for `session`: its stream begins here.
  void begin_feed(Session& session);
  void on_ack(Session& session, uint64_t offset, uint64_t durable);
  // Replicas that have acknowledged `offset`, and those that have been heard of in time
  // (min-replicas-max-lag).
  size_t count_acked(uint64_t offset) const;
  // WAIT: until `replicas` have acknowledged what the session has seen, they are asked to say so at
  // once. Its wait may end before.
  void begin_wait(Session& session, size_t replicas);
  void forget_wait(Session& session);
  // One whose wait is over so; null if there is none.
  Session* find_acknowledged();
  size_t count_good() const;
  // Replicas that have not all of the stream; before the end of the program the log tells of them.
  size_t count_behind() const;
  void log_lag() const;
  // Or none are asked for: min-replicas-to-write.
  bool has_enough_replicas() const;

  // What of the stream a replica is still to be sent, beyond its output.
  uint64_t behind(const Session& session) const;
  // Of the stream: what is kept anyway, and what replicas that are behind need beyond that.
  struct Memory {
    size_t backlog_bytes = 0;
    size_t replicas_bytes = 0;
  };
  Memory memory() const;
  // Once a turn, ahead of the flush: the stream goes into the outputs of those who take it.
  void push();
  // Pings, times out, lets go of a stream that nobody has wanted for long.
  void every_second();

 private:
  // What of the stream stands in an output at most; the rest waits in the backlog.
  static constexpr size_t kOutputBytesMax = 1_MiB;

  void attach(bool wanted);
  void begin_stream();
  void end_stream();
  void note_appended() { history_.offset = backlog_.end(); }
  void ask_for_acks();
  void send_to(Session& session);
  void ping_replicas();
  void time_out_replicas();

  Engine& engine_;
  History history_;
  Backlog backlog_;
  StreamWriter writer_;
  bool has_stream_ = false;
  bool is_attached_ = false;  // a sink of Commit: leads, and has a stream
  std::vector<Session*> replicas_;
  struct AckWait {
    Session* session;
    size_t replicas;
  };
  std::vector<AckWait> ack_waits_;
  bool asks_for_acks_ = false;
  bool acks_came_ = false;  // since ack_waits_ were looked at
  Instant alone_since_ = 0;
  Instant pinged_ = 0;
};

}  // namespace ouro
