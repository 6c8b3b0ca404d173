// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/received_file.h"

#include <cstring>
#include <utility>

namespace ouro {

ReceivedFile::ReceivedFile(Loop& loop, std::string path)
    : loop_(loop), path_(std::move(path)), op_(this, op_to<&ReceivedFile::on_done>()) {
  loop_.open(op_, path_.c_str(), OpenFor::kReplace);
}

void ReceivedFile::append(ByteView bytes) {
  if (!is_ok()) return;
  gathered_.append(bytes);
  write();
}

void ReceivedFile::finish() {
  is_whole_ = true;
  write();
}

void ReceivedFile::write() {
  while (part_ == Part::kWriting && !op_.busy()) {
    if (taken_ == writing_.size()) {
      writing_.clear();
      taken_ = 0;
      std::swap(writing_, gathered_);
    }
    if (writing_.empty()) {
      if (!is_whole_) return;
      part_ = Part::kSyncing;
      return loop_.sync(op_, fd_);
    }
    const int32_t result = loop_.write_at(op_, fd_, ByteView(writing_).substr(taken_), written_);
    if (result == kInFlight) return;
    note_written(result);
  }
}

void ReceivedFile::note_written(int32_t result) {
  if (result < 0) return fail("write", result);
  taken_ += static_cast<size_t>(result);
  written_ += static_cast<size_t>(result);
}

void ReceivedFile::on_done(const Outcome& outcome) {
  switch (part_) {
    case Part::kOpening:
      if (outcome.result < 0) {
        fail("open", outcome.result);
        part_ = Part::kOver;
        return;
      }
      fd_ = {outcome.result};
      part_ = Part::kWriting;
      return is_ok() ? write() : close_when_idle();
    case Part::kWriting:
      note_written(outcome.result);
      return write();
    case Part::kSyncing:
      if (outcome.result < 0) return fail("sync", outcome.result);
      return close_when_idle();
    case Part::kClosing:
      if (fd_.is_open()) return close_when_idle();
      if (outcome.result < 0) fail("close", outcome.result);
      part_ = is_ok() ? Part::kOver : Part::kRemoving;
      if (part_ == Part::kRemoving) loop_.unlink(op_, path_.c_str());
      return;
    case Part::kRemoving:
      part_ = Part::kOver;
      return;
    case Part::kOver:
      break;
  }
  OURO_UNREACHABLE();
}

void ReceivedFile::close_when_idle() {
  part_ = Part::kClosing;
  if (!op_.busy()) loop_.close(op_, std::exchange(fd_, FileFd()));
}

void ReceivedFile::fail(const char* what, int32_t result) {
  if (is_ok())
    problem_ = std::string("Cannot ") + what + ' ' + path_ + ": " + strerrordesc_np(-result);
  gathered_.clear();
  if (part_ == Part::kWriting || part_ == Part::kSyncing) close_when_idle();
}

void ReceivedFile::give_up() {
  if (is_over() || !is_ok()) return;
  problem_ = "It is not wanted any more";
  gathered_.clear();
  if (part_ == Part::kWriting || part_ == Part::kSyncing) close_when_idle();
}

}  // namespace ouro
