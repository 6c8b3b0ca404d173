// SPDX-License-Identifier: BSD-3-Clause
// FsyncPolicy: when what has been written to the append-only file is to be synced, and which
// replies may leave.
//
//      0 ......... durable ......... syncing ......... written ......... the log's end
//                  a sync has ended   one is in flight   the file has it   it is in memory
//
// Marks are ends of the log (Commit::log_end()): they only grow, and durable <= syncing <= written.
// At most one sync is in flight; it covers what was written before it began, and the next one what
// came meanwhile: so many writers share a sync (group commit by overlap).
//
//   appendfsync   a sync begins                                            replies leave at
//   always        as soon as something is written and none is in flight    durable
//   everysec      the same, but a second after the last one began          written
//   no            never on its own                                         written
//
// How: handing a sync to another thread and hearing of its end costs two wake-ups, which on a busy
// core take longer than a quick disk does. So with `always` a small one is made at once, while the
// node waits, as long as the last one was quick. One that was not is a sign of a busy disk: nobody
// waits for that again before many times as long has passed, so that waiting takes at most a few
// percent of the time however the disk behaves.
// While `paused` (no-appendfsync-on-rewrite, and a snapshot is being written) no sync begins and
// replies leave at written, as in Redis: who asks for that prefers speed.
// After a sync has failed nobody knows what the disk holds, and a second one that succeeds proves
// nothing: failed() stays true, and durable where it was, until a new file is complete.
// Cost: O(1), no memory. Not here: retrying writes, and who does all this (server/app).
#pragma once

#include <cstddef>
#include <cstdint>

#include "datastructs/base/units.h"

namespace ouro {

enum class AppendFsync : uint8_t { kEverySecond, kAlways, kNo };
enum class SyncHow : uint8_t { kInBackground, kAtOnce };

class FsyncPolicy {
 public:
  explicit FsyncPolicy(AppendFsync mode) : mode_(mode) {}

  // Both may change at any time.
  void set_mode(AppendFsync mode) { mode_ = mode; }
  void set_paused(bool paused) { paused_ = paused; }

  // What comes now is to be written only when all before it is synced: with `always` a file is then
  // torn in its last write alone. Of several that are not synced a disk that loses its power
  // may keep a later one and lose an earlier one, and that looks like damage in the middle.
  bool holds_writes() const {
    return mode_ == AppendFsync::kAlways && !paused_ && !failed_ && durable_ != written_;
  }
  // A write has ended: the file has the log up to `log_end`.
  void on_written(uint64_t log_end);
  // When the next sync is due; kNever if nothing asks for one. Not later than `now`: begin it.
  Instant due_at() const;
  // Whether it is worth a warning that the one in flight takes so long: once for each sync.
  bool is_late(Instant now);
  // Someone begins a sync: because it is due, or because a file is to be closed. `bytes`: what has
  // been written since the last one began. Requires: can_sync().
  SyncHow begin_sync(Instant now, size_t bytes);
  void on_synced(Instant now);
  void on_sync_failed();
  // A new file holds everything up to `log_end`, and is synced.
  void on_new_file(uint64_t log_end);

  bool can_sync() const { return !in_flight_ && !failed_; }
  bool is_syncing() const { return in_flight_; }
  bool failed() const { return failed_; }
  uint64_t written() const { return written_; }
  uint64_t durable() const { return durable_; }
  // Up to here replies may leave. Never goes back.
  uint64_t released();
  // Syncs that began, and those that were late: aof_delayed_fsync.
  uint64_t syncs() const { return syncs_; }
  uint64_t late_syncs() const { return late_syncs_; }
  void check_invariants() const;

 private:
  AppendFsync mode_;
  bool paused_ = false;
  bool in_flight_ = false;
  bool failed_ = false;
  bool was_late_ = false;  // the one in flight
  uint64_t written_ = 0;
  uint64_t syncing_ = 0;  // what the last sync that began covers
  uint64_t durable_ = 0;
  uint64_t released_ = 0;
  Instant began_at_ = 0;  // the last sync
  bool has_begun_ = false;
  SyncHow how_ = SyncHow::kInBackground;  // the last sync
  bool was_quick_ = false;
  Instant waits_from_ = 0;  // before that nobody waits for a sync
  uint64_t syncs_ = 0;
  uint64_t late_syncs_ = 0;
};

}  // namespace ouro
