// SPDX-License-Identifier: BSD-3-Clause
// WrittenFile: bytes that become a file, as they come.
//
//      made --open--> append() ... finish() --written--> sync --> close --> over, is_ok()
//                         \ fails, or give_up() --> close --> remove ---------> over
//
// One write is in flight at a time; what comes meanwhile is gathered, and goes with the next one.
// Whoever appends looks at waiting_bytes() for how far the disk is behind. The name is the owner's:
// who wants the file to take another's place renames it when it is over. Not to be destroyed before
// is_over().
#pragma once

#include <string>

#include "server/io/loop.h"

namespace ouro {

class WrittenFile {
 public:
  // kInParts: what has been written is synced meanwhile, so that the end has little left to sync.
  enum class Syncs : uint8_t { kAtEnd, kInParts };
  WrittenFile(Loop& loop, std::string path, Syncs syncs);

  void append(ByteView bytes);
  // That was all: it goes to the disk. Nothing is appended behind it.
  void finish();
  // Ends it without a file; `reason` is what problem() will say. Nothing happens if it is over, or
  // has failed.
  void give_up(std::string reason);

  size_t waiting_bytes() const { return gathered_.size() + writing_.size() - taken_; }
  // It is open, and the disk has all so far.
  bool has_caught_up() const {
    return part_ == Part::kWriting && !op_.busy() && waiting_bytes() == 0;
  }
  bool is_over() const { return part_ == Part::kOver; }
  // Of one that is over: whole, and on disk (its name is not, until the folder is synced).
  bool is_ok() const { return problem_.empty(); }
  const std::string& problem() const { return problem_; }
  const std::string& path() const { return path_; }
  uint64_t written_bytes() const { return written_; }

 private:
  // Whoever syncs for us may share our core, and holds it for as long as these take.
  static constexpr uint64_t kSyncEveryBytes = 1_MiB;

  enum class Part : uint8_t { kOpening, kWriting, kSyncing, kClosing, kRemoving, kOver };

  void on_done(const Outcome& outcome);
  void on_opened(int32_t result);
  void on_closed(int32_t result);
  void on_synced(const Outcome& outcome);
  void write();
  void note_written(int32_t result);
  void sync();
  void close_when_idle();
  void fail(const char* what, int32_t result);

  Loop& loop_;
  std::string path_;
  Syncs syncs_;
  Op op_;
  Op sync_op_;
  Part part_ = Part::kOpening;
  FileFd fd_;
  std::string writing_;  // from taken_ on not written
  size_t taken_ = 0;
  std::string gathered_;  // comes next
  uint64_t written_ = 0;
  uint64_t sync_asked_ = 0;  // all before it has been synced, or is being
  bool is_whole_ = false;
  std::string problem_;
};

}  // namespace ouro
