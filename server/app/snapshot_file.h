// SPDX-License-Identifier: BSD-3-Clause
// SnapshotFile: a file that becomes what a FrozenWriter gives, all databases as they were when that
// was made, while commands go on.
//
//      made --open--> turn(): encode a chunk, write it --...--> sync --> close --> over, is_ok()
//                         \ fails, or give_up() --> close --> remove ---------> over
//
// One chunk is encoded and written a turn, so a turn costs what kChunkBytes and kBudget say. What
// has been written is synced in parts meanwhile, so that the end has little left to sync. The name
// is its maker's: who wants the file to take another's place renames it when it is over. One that
// fails or is given up lets go of the databases at once and is removed.
// Not to be destroyed before is_over(). Not here: what is in it (persistence/snapshot_writer.h,
// commands_writer.h), when one is made (snapshot_driver.h, aof_driver.h).
#pragma once

#include <memory>
#include <string>

#include "persistence/frozen_writer.h"
#include "server/io/loop.h"

namespace ouro {

// rdb-key-save-delay, for tests, in microseconds a key; below zero: a microsecond for so many keys.
inline double key_delay_micros(int64_t option) {
  return option < 0 ? -1.0 / static_cast<double>(option) : static_cast<double>(option);
}

class SnapshotFile {
 public:
  struct Setup {
    Loop& loop;
    std::string path;
    bool syncs_in_parts = true;
    int64_t key_delay = 0;  // rdb-key-save-delay
  };
  SnapshotFile(const Setup& setup, std::unique_ptr<FrozenWriter> writer);

  // Once a turn. True if the next one shall come at once.
  bool turn();
  // When a turn is wanted although nothing happens; kNever if none is.
  Instant due() const;
  // Ends it without a file; `reason` is what problem() will say. Nothing happens if it is over.
  void give_up(std::string reason);

  bool is_over() const { return part_ == Part::kOver; }
  // Of one that is over: whole, and on disk (its name is not, until the folder is synced).
  bool is_ok() const { return problem_.empty(); }
  const std::string& problem() const { return problem_; }
  const std::string& path() const { return path_; }
  uint64_t bytes() const { return written_; }
  // Null once it has failed.
  const FrozenWriter* writer() const { return writer_.get(); }

 private:
  static constexpr size_t kChunkBytes = 64_KiB;
  // A quarter of a millisecond (write_budget.h): commands of fifty clients that wait for their
  // answers take about as long in a turn, so a snapshot costs them half of their throughput at
  // most.
  static constexpr size_t kBudget = 1000;
  // Whoever syncs for us may share our core, and holds it for as long as these take.
  static constexpr uint64_t kSyncEveryBytes = 1_MiB;

  enum class Part : uint8_t { kOpening, kWriting, kSyncing, kClosing, kRemoving, kOver };

  bool may_encode() const;
  void encode();
  void write();
  void on_done(const Outcome& outcome);
  void on_written(int32_t result);
  void on_synced(const Outcome& outcome);
  void sync();
  void close_when_idle();
  void fail(const char* what, int32_t result);

  Loop& loop_;
  std::string path_;
  bool syncs_in_parts_;
  Instant began_;
  double key_delay_us_;
  std::unique_ptr<FrozenWriter> writer_;
  Op op_;
  Op sync_op_;
  Part part_ = Part::kOpening;
  FileFd fd_;
  std::string chunk_;  // encoded, from taken_ on not written
  size_t taken_ = 0;
  uint64_t written_ = 0;
  uint64_t sync_asked_ = 0;  // all before it has been synced, or is being
  std::string problem_;
};

}  // namespace ouro
