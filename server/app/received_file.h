// SPDX-License-Identifier: BSD-3-Clause
// ReceivedFile: bytes that come over the network, into a file, as they come.
//
//      made --open--> append() ... finish() --written--> sync --> close --> over, is_ok()
//                         \ fails, or give_up() --> close --> remove ---------> over
//
// Whoever sends is to be held back while more than kWaitingBytesMax wait to be written. Not to be
// destroyed before is_over().
#pragma once

#include <string>

#include "server/io/loop.h"

namespace ouro {

class ReceivedFile {
 public:
  static constexpr size_t kWaitingBytesMax = 4_MiB;

  ReceivedFile(Loop& loop, std::string path);

  void append(ByteView bytes);
  size_t waiting_bytes() const { return gathered_.size() + writing_.size() - taken_; }
  // That was all: it goes to the disk.
  void finish();
  // Ends it without a file. Nothing happens if it is over.
  void give_up();

  bool is_over() const { return part_ == Part::kOver; }
  bool is_ok() const { return problem_.empty(); }
  const std::string& problem() const { return problem_; }
  const std::string& path() const { return path_; }

 private:
  enum class Part : uint8_t { kOpening, kWriting, kSyncing, kClosing, kRemoving, kOver };

  void on_done(const Outcome& outcome);
  void write();
  void note_written(int32_t result);
  void fail(const char* what, int32_t result);
  void close_when_idle();

  Loop& loop_;
  std::string path_;
  Op op_;
  Part part_ = Part::kOpening;
  FileFd fd_;
  std::string writing_;  // from taken_ on not written
  size_t taken_ = 0;
  std::string gathered_;  // comes next
  uint64_t written_ = 0;
  bool is_whole_ = false;
  std::string problem_;
};

}  // namespace ouro
