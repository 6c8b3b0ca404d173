// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/snapshot_file.h"

#include <cstring>
#include <utility>

namespace ouro {

SnapshotFile::SnapshotFile(const Setup& setup, std::unique_ptr<FrozenWriter> writer)
    : loop_(setup.loop),
      path_(setup.path),
      syncs_in_parts_(setup.syncs_in_parts),
      began_(setup.loop.now()),
      key_delay_us_(key_delay_micros(setup.key_delay)),
      writer_(std::move(writer)),
      op_(this, op_to<&SnapshotFile::on_done>()),
      sync_op_(this, op_to<&SnapshotFile::on_synced>()) {
  loop_.open(op_, path_.c_str(), OpenFor::kReplace);
}

bool SnapshotFile::turn() {
  if (part_ != Part::kWriting || op_.busy()) return false;
  encode();
  write();
  return part_ == Part::kWriting && !op_.busy() && may_encode();
}

Instant SnapshotFile::due() const {
  if (part_ != Part::kWriting || op_.busy() || key_delay_us_ == 0) return kNever;
  return began_ + static_cast<Instant>(static_cast<double>(writer_->keys_saved()) * key_delay_us_);
}

bool SnapshotFile::may_encode() const { return key_delay_us_ == 0 || due() <= loop_.now(); }

void SnapshotFile::encode() {
  if (writer_->is_done() || !may_encode()) return;
  size_t budget = key_delay_us_ == 0 ? kBudget : 1;
  writer_->next_chunk(kChunkBytes, budget, chunk_);
  if (writer_->waiting_bytes() + writer_->copied_bytes() > kFrozenCopiedBytesMax)
    give_up("Too much has changed since the snapshot began, and it is written too slowly");
}

void SnapshotFile::write() {
  while (part_ == Part::kWriting && taken_ < chunk_.size()) {
    const int32_t result = loop_.write_at(op_, fd_, ByteView(chunk_).substr(taken_), written_);
    if (result == kInFlight) return;
    on_written(result);
  }
  if (part_ != Part::kWriting) return;
  chunk_.clear();
  taken_ = 0;
  if (writer_->is_done()) {
    part_ = Part::kSyncing;
    sync();
  } else if (syncs_in_parts_ && written_ - sync_asked_ >= kSyncEveryBytes) {
    sync();
  }
}

void SnapshotFile::on_written(int32_t result) {
  if (result < 0) return fail("write", result);
  taken_ += static_cast<size_t>(result);
  written_ += static_cast<size_t>(result);
}

// A sync that is under way is followed by another at the end, and else by none before it is over.
void SnapshotFile::sync() {
  if (sync_op_.busy()) return;
  sync_asked_ = written_;
  loop_.sync(sync_op_, fd_);
}

void SnapshotFile::on_synced(const Outcome& outcome) {
  if (part_ == Part::kClosing) return close_when_idle();
  if (outcome.result < 0) return fail("sync", outcome.result);
  if (part_ != Part::kSyncing) return;
  if (sync_asked_ < written_) return sync();
  part_ = Part::kClosing;
  close_when_idle();
}

void SnapshotFile::on_done(const Outcome& outcome) {
  switch (part_) {
    case Part::kOpening:
      if (outcome.result < 0) {
        fail("open", outcome.result);
        part_ = Part::kOver;
        return;
      }
      fd_ = {outcome.result};
      part_ = Part::kWriting;
      if (!is_ok()) close_when_idle();
      return;
    case Part::kWriting:
      return on_written(outcome.result);
    case Part::kClosing:
      if (fd_.is_open()) return close_when_idle();
      if (outcome.result < 0) fail("close", outcome.result);
      part_ = is_ok() ? Part::kOver : Part::kRemoving;
      if (part_ == Part::kRemoving) loop_.unlink(op_, path_.c_str());
      return;
    case Part::kRemoving:
      part_ = Part::kOver;
      return;
    case Part::kSyncing:
    case Part::kOver:
      break;
  }
  OURO_UNREACHABLE();
}

void SnapshotFile::close_when_idle() {
  part_ = Part::kClosing;
  if (op_.busy() || sync_op_.busy()) return;
  loop_.close(op_, std::exchange(fd_, FileFd()));
}

void SnapshotFile::fail(const char* what, int32_t result) {
  give_up(std::string("Cannot ") + what + " " + path_ + ": " + strerrordesc_np(-result));
}

void SnapshotFile::give_up(std::string reason) {
  if (is_over() || !is_ok()) return;
  problem_ = std::move(reason);
  writer_.reset();
  // Only what is open can be closed; one that is being closed goes on to its end.
  if (part_ == Part::kWriting || part_ == Part::kSyncing) close_when_idle();
}

}  // namespace ouro
