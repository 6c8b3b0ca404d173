// SPDX-License-Identifier: BSD-3-Clause
// AofStream: the way of effects into the append-only file that is written now, and what may be said
// to clients meanwhile.
//
//      on_group() --> AofWriter --write()--> file --sync()--> disk
//                     gathered    written_to()        FsyncPolicy: released()
//
// Positions are ends of the log (Commit::log_end()). At most one write and one sync are in flight;
// what comes meanwhile is gathered, and goes with the next one. A write that fails is tried again,
// from where it failed, once a second: problem() says why until one succeeds. Nothing is lost by
// that, only late, and whoever waits for these bytes goes on waiting. A sync that has failed is not
// tried again: problem() stays until a new file is there.
//
// From one file to the next:
//      begin_file() --> gathers --take_file()--> writes, released() stands still --settle()--> goes
//      on
// Until settle() nobody would find the new file after a crash, so nothing in it counts.
// Not here: which file that is and what stands in the manifest (aof_driver.h).
#pragma once

#include <optional>
#include <string>

#include "datastructs/base/log.h"
#include "persistence/aof_writer.h"
#include "persistence/fsync_policy.h"
#include "server/engine/commit.h"
#include "server/io/loop.h"

namespace ouro {

class AofStream final : public EffectSink {
 public:
  // All outlive the stream.
  AofStream(Loop& loop, Logger& log, Heap& heap, const Commit& commit);
  ~AofStream() override;  // requires that it has no file and nothing is in flight

  void on_group(std::span<const Effect> effects, GroupKind kind) override;
  void on_command(DbIndex db, Argv argv, ByteView raw) override;

  void set_mode(AppendFsync mode) { policy_.set_mode(mode); }
  void set_paused(bool paused) { policy_.set_paused(paused); }
  void set_options(AofWriter::Options options) { writer_.set_options(options); }
  // Each write comes so long after what it writes.
  void set_delay(Micros delay) { delay_ = delay; }

  // Each once a turn, in this order: what is gathered goes to the file; a sync begins if it is due.
  void write();
  void sync();
  // The same, due or not. Requires: none is in flight.
  void sync_now();
  // When a turn is wanted although nothing happens; kNever if none is.
  Instant due() const;

  // What comes from now on goes into another file, behind the `bytes` that it has; what has not
  // been written to the one before is dropped. That is closed. Requires: nothing is in flight.
  void begin_file(uint64_t bytes = 0);
  // The file that was begun. Requires: there is none.
  void take_file(FileFd fd);
  // That file belongs to the log, and all before `log_end` is on disk.
  void settle(uint64_t log_end);
  // Somebody else has synced the file that was let go, and failed.
  void note_sync_failure(int error);
  // The log ends: as begin_file(), and nothing follows.
  void end_file() { begin_file(); }

  bool has_file() const { return fd_.is_open(); }
  bool is_in_flight() const { return write_op_.busy() || sync_op_.busy() || close_op_.busy(); }
  // Nothing is in flight, and nothing waits to be written.
  bool is_at_rest() const { return !is_in_flight() && taken_.bytes.empty() && !has_gathered(); }
  // Nothing can be written before a sync.
  bool waits_for_sync() const { return policy_.holds_writes() && has_gathered(); }
  bool has_gathered() const { return writer_.has_gathered(); }
  // The file has the log up to here.
  uint64_t written_to() const { return written_to_; }
  uint64_t durable_to() const { return policy_.durable(); }
  bool is_durable() const { return policy_.durable() == policy_.written(); }
  uint64_t released() { return policy_.released(); }
  // Why the file cannot be written or synced; empty if it can.
  const std::string& problem() const { return problem_; }
  bool sync_has_failed() const { return policy_.failed(); }

  uint64_t file_bytes() const { return writer_.file_bytes(); }
  const AofWriter& writer() const { return writer_; }
  bool is_syncing() const { return policy_.is_syncing(); }
  uint64_t late_syncs() const { return policy_.late_syncs(); }

 private:
  static constexpr Micros kRetryAfter = 1'000'000;

  void on_write_done(const Outcome& outcome) { note_written(outcome.result); }
  bool is_delayed();
  void note_written(int32_t result);
  void note_written_to(uint64_t log_end);
  void on_sync_done(const Outcome& outcome) { note_synced(outcome.result); }
  void note_synced(int32_t result);
  void on_closed(const Outcome&) {}
  void note_problem(const char* what, int error);

  Loop& loop_;
  Logger& log_;
  const Commit& commit_;
  AofWriter writer_;
  FsyncPolicy policy_{AppendFsync::kEverySecond};
  FileFd fd_;
  bool is_settled_ = false;
  Op write_op_{this, op_to<&AofStream::on_write_done>()};
  Op sync_op_{this, op_to<&AofStream::on_sync_done>()};
  Op close_op_{this, op_to<&AofStream::on_closed>()};
  AofWriter::Write taken_;  // what is being written; empty: nothing
  size_t taken_done_ = 0;   // so many bytes of it have been
  uint64_t taken_to_ = 0;   // where the log ends with it
  size_t unsynced_bytes_ = 0;
  uint64_t written_to_ = 0;
  Instant retry_at_ = 0;
  Micros delay_ = 0;
  std::optional<Instant> delayed_to_;  // what is gathered
  std::string problem_;
};

}  // namespace ouro
