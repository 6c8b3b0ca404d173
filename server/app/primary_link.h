// SPDX-License-Identifier: BSD-3-Clause
// PrimaryLink: a replica's connection to its primary. Dials, talks (replication/follow.h), loads
// what comes (snapshot_intake.h), applies the stream, and begins again when the link breaks.
//
//      kIdle --follow--> kWaiting --due--> kDialing --> kTalking --broken, not to be dialed--.
//                          ^   at once if it was a stream, else a second later               |
//                          +-----------------------------------------------------------------+
//
// What the primary says is received at any time, and acted on in turn(): a command is not to be
// applied inside of a script that is over its time, nor in an exclusive wait. What waits so is
// bounded.
// Once it is up, the primary is among the clients, as a session that sends nothing: CLIENT LIST
// shows it, and CLIENT KILL ends the link.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "replication/follow.h"
#include "server/app/aof_driver.h"
#include "server/app/snapshot_intake.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"
#include "server/io/names.h"
#include "server/net/connection.h"
#include "server/net/dialer.h"
#include "server/net/flush.h"

namespace ouro {

class PrimaryLink final : private DialSink, private FollowSink, private SessionOwner {
 public:
  PrimaryLink(Loop& loop, FlushList& flush_list, Loader& loader, SnapshotDriver& snapshots,
              AofDriver& aof, Engine& engine, const Options& options, Names& names);
  ~PrimaryLink() override;  // requires is_idle()

  // Who leads is another: Replication::primary says it.
  void on_role_changed();
  // Once a turn, ahead of the clients' commands. True if the next one shall come at once.
  bool turn();
  // When a turn is wanted although nothing happens; kNever if none is.
  Instant due() const;
  void every_second();
  // Closes everything; the loop has let go when is_idle().
  void stop();
  bool is_idle() const { return peers_.empty() && dialer_.is_idle() && intake_.is_idle(); }

 private:
  struct Peer;
  static constexpr Micros kRetryAfter = 1'000'000;
  // Who is asked is about to lead, or where it is, is being looked up.
  static constexpr Micros kRetrySoonAfter = 20'000;
  // A primary that hands over waits to hear that all is here, and need not wait for our second: a
  // stream that is silent for so long is acknowledged.
  static constexpr Micros kSilence = 5'000;
  // That the disk cannot be written is logged once in so long.
  static constexpr Micros kTellOfDiskEvery = 10'000'000;

  PrimaryFacts& facts() { return engine_.replication.primary; }
  void begin_role();
  bool may_dial() const;
  void dial();
  Follow::Introduction introduction() const;
  bool may_act() const;
  bool has_news_of_disk() const;
  Instant ack_due() const;
  bool has_work() const;
  void hear();
  void note_talk();
  void end_full_sync();
  bool may_apply(const CommandSpec* spec, Argv argv);
  void become_up();
  void hang_up(ByteView why);
  void lose(const std::string& why);
  void end_if_silent();

  // ---- DialSink
  void on_dialed(SocketFd fd) override;
  void on_dial_failed(int error) override;
  // ---- FollowSink
  void on_full_sync(const ReplicationId& id, uint64_t offset) override;
  void on_snapshot_begin(std::optional<uint64_t> bytes) override;
  bool takes_snapshot() const override { return intake_.takes_more(); }
  bool on_snapshot(ByteView bytes) override;
  bool on_snapshot_end() override { return intake_.end(); }
  void on_partial_sync(const ReplicationId* id) override;
  void apply_together(FunctionRef<void()> commands) override;
  void apply(DbIndex db, Argv argv, ByteView raw) override;
  void on_applied(ByteView bytes, DbIndex db) override;
  void on_marker(const Ballot& ballot) override { engine_.leadership.on_marker(ballot); }
  bool may_acknowledge() override { return engine_.leadership.may_acknowledge(); }
  std::optional<uint64_t> durable() const override { return engine_.replication.durable_offset(); }
  void on_remark(const std::string& text) override;
  // ---- SessionOwner
  void on_session_active() override {}

  Loop& loop_;
  FlushList& flush_list_;
  AofDriver& aof_;
  Engine& engine_;
  const Options& options_;
  Names& names_;
  SnapshotIntake intake_;
  Dialer dialer_;
  std::list<Peer> peers_;    // those that are closing, too
  Peer* talking_ = nullptr;  // the one that counts
  bool role_changed_ = false;
  bool is_misplaced_ = false;  // the offset is not that of what was applied
  bool is_stopped_ = false;
  Instant retry_at_ = 0;
  Caller caller_{Origin::kPrimary};
  Instant told_of_disk_at_ = 0;
  // Of a full sync that is under way.
  ReplicationId full_id_;
  uint64_t full_offset_ = 0;
  std::unique_ptr<Session> session_;  // as clients see the primary
};

}  // namespace ouro
