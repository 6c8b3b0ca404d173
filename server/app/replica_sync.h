// SPDX-License-Identifier: BSD-3-Clause
// ReplicaSync: full syncs. One walk over a frozen view serves all replicas that wait when it
// begins.
//
//      PSYNC -> kWaiting ... repl-diskless-sync-delay ... --> FrozenView, one SnapshotWriter
//                   --chunk--> output of each of them --> end mark --> kLoading --ACK--> kOnline
//
// The walk goes as fast as the slowest of them takes it, kOutputBytesMax ahead at most; one that
// takes nothing for repl-timeout is let go of, so that the others go on. A chunk is one blob, which
// all outputs point at. Who cannot take a snapshot without a length (or with repl-diskless-sync no)
// is sent a file, written by SnapshotFile first, in the same way:
//
//      kWaiting --> file is written --> $length, chunks as they are read --> kOnline
//                                 \--> is the server's snapshot from then on, as in Redis
//
// What changes meanwhile waits in the backlog: Replication keeps it from the moment of the snapshot
// on. Not here: who may sync (server/commands/admin/replication.cc), the stream (Replication).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/app/file_steps.h"
#include "server/app/options.h"
#include "server/app/snapshot_contents.h"
#include "server/app/snapshot_driver.h"
#include "server/app/snapshot_file.h"
#include "server/engine/engine.h"
#include "server/io/loop.h"

namespace ouro {

class ReplicaSync {
 public:
  ReplicaSync(Loop& loop, SnapshotDriver& snapshots, Engine& engine, const AppOptions& options)
      : loop_(loop),
        snapshots_(snapshots),
        engine_(engine),
        options_(options),
        hints_(engine),
        op_(this, op_to<&ReplicaSync::on_done>()),
        steps_(loop) {}

  // Once a turn, when no group is open. True if the next one shall come at once.
  bool turn();
  // When a turn is wanted although nothing happens; kNever if none is.
  Instant due() const;
  // Lets go of the databases and of those who are being sent them: the data change as a whole.
  void give_up();
  // Nothing more is begun; what is under way ends soon.
  void stop();
  bool is_idle() const { return part_ == Part::kIdle; }

 private:
  static constexpr size_t kChunkBytes = 64_KiB;
  // As SnapshotFile's: a quarter of a millisecond.
  static constexpr size_t kBudget = 1000;
  // How far the walk is ahead of the slowest.
  static constexpr size_t kOutputBytesMax = 1_MiB;

  // kWalking is without a file, all that follow are with one. kPlacing: it gets the snapshot's
  // name. kClosing: it is removed, unless it stays, then closed.
  enum class Part : uint8_t { kIdle, kWalking, kSaving, kPlacing, kOpening, kReading, kClosing };

  // A replica that is being sent the snapshot.
  struct Receiver {
    uint64_t id;  // of its session
    Session* session;
    uint64_t sent_bytes = 0;  // by its connection, when that was last looked at
    Instant moved_at = 0;     // when that last grew
  };

  bool may_begin() const;
  std::vector<Session*> next_group() const;
  bool takes_file(const Session& session) const;
  bool begin_if_due();
  void begin(std::span<Session* const> group);
  void answer(std::span<Session* const> group);
  std::unique_ptr<FrozenWriter> make_writer(const SnapshotFacts& facts);
  void begin_walk();
  void begin_file(const SnapshotFacts& facts);
  void drop_departed();
  bool has_receivers();
  void drop_stuck();
  bool has_room() const;
  Instant walk_due() const;
  bool go_on_walking();
  bool go_on_saving();
  void keep_or_open();
  void open_file();
  bool stays() const;
  bool go_on_reading();
  void on_done(const Outcome& outcome);
  void on_opened(int32_t result);
  void on_read(int32_t result);
  void begin_sending(Feed::State how);
  void deliver(ByteView bytes);
  void end_walk();
  void end_reading();
  void release(Session& session, Feed::State next);
  void close_file();
  void go_on_closing();
  void let_go_of_all(const char* why);
  void end();

  Loop& loop_;
  SnapshotDriver& snapshots_;
  Engine& engine_;
  const AppOptions& options_;
  KeyHints hints_;
  Op op_;
  FileStepRunner steps_;
  Part part_ = Part::kIdle;
  std::vector<Receiver> receivers_;
  bool is_stopped_ = false;
  Instant began_ = 0;

  // ---- the walk
  std::unique_ptr<FrozenWriter> writer_;  // null: chunk_ was the whole of it, functions alone
  std::string mark_;                      // what stands behind it
  std::string chunk_;

  // ---- the file
  std::unique_ptr<SnapshotFile> file_;
  std::string path_;
  FileFd fd_;
  bool is_kept_ = false;     // it is the server's snapshot
  bool is_removed_ = false;  // kClosing: its name
  std::unique_ptr<char[]> room_;
  uint64_t file_bytes_ = 0;
  uint64_t read_bytes_ = 0;
};

}  // namespace ouro
