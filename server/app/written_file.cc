// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/written_file.h"

#include <cstring>
#include <utility>

namespace ouro {

WrittenFile::WrittenFile(Loop& loop, std::string path, Syncs syncs)
    : loop_(loop),
      path_(std::move(path)),
      syncs_(syncs),
      op_(this, op_to<&WrittenFile::on_done>()),
      sync_op_(this, op_to<&WrittenFile::on_synced>()) {
  loop_.open(op_, path_.c_str(), OpenFor::kReplace);
}

void WrittenFile::append(ByteView bytes) {
  if (!is_ok()) return;
  gathered_.append(bytes);
  write();
}

void WrittenFile::finish() {
  is_whole_ = true;
  write();
}

void WrittenFile::write() {
  while (part_ == Part::kWriting && !op_.busy()) {
    if (taken_ == writing_.size()) {
      writing_.clear();
      taken_ = 0;
      std::swap(writing_, gathered_);
    }
    if (writing_.empty()) {
      if (!is_whole_) return;
      part_ = Part::kSyncing;
      return sync();
    }
    const int32_t result =
        loop_.write_at(op_, fd_, ByteView(writing_).substr(taken_), written_, WriteEnd::kMayBeLate);
    if (result == kInFlight) return;
    note_written(result);
  }
}

void WrittenFile::note_written(int32_t result) {
  if (result < 0) return fail("write", result);
  taken_ += static_cast<size_t>(result);
  written_ += static_cast<size_t>(result);
  if (syncs_ == Syncs::kInParts && written_ - sync_asked_ >= kSyncEveryBytes) sync();
}

// A sync that is under way is followed by another at the end, and else by none before it is over.
void WrittenFile::sync() {
  if (sync_op_.busy()) return;
  sync_asked_ = written_;
  loop_.sync(sync_op_, fd_);
}

void WrittenFile::on_synced(const Outcome& outcome) {
  if (part_ == Part::kClosing) return close_when_idle();
  if (outcome.result < 0) return fail("sync", outcome.result);
  if (part_ != Part::kSyncing) return;
  if (sync_asked_ < written_) return sync();
  close_when_idle();
}

void WrittenFile::on_done(const Outcome& outcome) {
  switch (part_) {
    case Part::kOpening:
      return on_opened(outcome.result);
    case Part::kWriting:
      note_written(outcome.result);
      return write();
    case Part::kClosing:
      return fd_.is_open() ? close_when_idle() : on_closed(outcome.result);
    case Part::kRemoving:
      part_ = Part::kOver;
      return;
    case Part::kSyncing:
    case Part::kOver:
      break;
  }
  OURO_UNREACHABLE();
}

void WrittenFile::on_opened(int32_t result) {
  if (result < 0) {
    fail("open", result);
    part_ = Part::kOver;
    return;
  }
  fd_ = {result};
  part_ = Part::kWriting;
  is_ok() ? write() : close_when_idle();
}

void WrittenFile::on_closed(int32_t result) {
  if (result < 0) fail("close", result);
  part_ = is_ok() ? Part::kOver : Part::kRemoving;
  if (part_ == Part::kRemoving) loop_.unlink(op_, path_.c_str());
}

void WrittenFile::close_when_idle() {
  part_ = Part::kClosing;
  if (op_.busy() || sync_op_.busy()) return;
  loop_.close(op_, std::exchange(fd_, FileFd()));
}

void WrittenFile::fail(const char* what, int32_t result) {
  give_up(std::string("Cannot ") + what + ' ' + path_ + ": " + strerrordesc_np(-result));
}

void WrittenFile::give_up(std::string reason) {
  if (is_over() || !is_ok()) return;
  problem_ = std::move(reason);
  gathered_.clear();
  // Only what is open can be closed; one that is being closed goes on to its end.
  if (part_ == Part::kWriting || part_ == Part::kSyncing) close_when_idle();
}

}  // namespace ouro
