// SPDX-License-Identifier: BSD-3-Clause
// SnapshotFile: a file that becomes what a FrozenWriter gives, all databases as they were when that
// was made, while commands go on.
//
//      turn(): FrozenWriter --one chunk--> WrittenFile --> over, is_ok()
//
// One chunk is encoded and written a turn, so a turn costs what kChunkBytes and kBudget say. One
// that fails or is given up lets go of the databases at once and is removed. Not to be destroyed
// before is_over(). Not here: what is in it (persistence/snapshot_writer.h, commands_writer.h),
// when one is made (snapshot_driver.h, aof_driver.h).
#pragma once

#include <memory>
#include <string>

#include "persistence/frozen_writer.h"
#include "server/app/written_file.h"

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

  bool is_over() const { return file_.is_over(); }
  // As WrittenFile says.
  bool is_ok() const { return file_.is_ok(); }
  const std::string& problem() const { return file_.problem(); }
  const std::string& path() const { return file_.path(); }
  uint64_t bytes() const { return file_.written_bytes(); }
  // Null once it has failed.
  const FrozenWriter* writer() const { return is_ok() ? writer_.get() : nullptr; }

 private:
  static constexpr size_t kChunkBytes = 64_KiB;
  // A quarter of a millisecond (write_budget.h): commands of fifty clients that wait for their
  // answers take about as long in a turn, so a snapshot costs them half of their throughput at
  // most.
  static constexpr size_t kBudget = 1000;

  bool takes_chunk() const;
  bool may_encode() const { return key_delay_us_ == 0 || due() <= loop_.now(); }

  Loop& loop_;
  WrittenFile file_;
  Instant began_;
  double key_delay_us_;
  std::unique_ptr<FrozenWriter> writer_;
  std::string chunk_;
};

}  // namespace ouro
