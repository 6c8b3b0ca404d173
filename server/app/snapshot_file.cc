// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/snapshot_file.h"

#include <utility>

namespace ouro {

SnapshotFile::SnapshotFile(const Setup& setup, std::unique_ptr<FrozenWriter> writer)
    : loop_(setup.loop),
      file_(setup.loop, setup.path,
            setup.syncs_in_parts ? WrittenFile::Syncs::kInParts : WrittenFile::Syncs::kAtEnd),
      began_(setup.loop.now()),
      key_delay_us_(key_delay_micros(setup.key_delay)),
      writer_(std::move(writer)) {}

bool SnapshotFile::takes_chunk() const {
  return file_.has_caught_up() && writer_ != nullptr && !writer_->is_done();
}

bool SnapshotFile::turn() {
  if (!file_.is_ok()) writer_.reset();
  if (!takes_chunk() || !may_encode()) return false;
  size_t budget = key_delay_us_ == 0 ? kBudget : 1;
  chunk_.clear();
  writer_->next_chunk(kChunkBytes, budget, chunk_);
  if (writer_->waiting_bytes() + writer_->copied_bytes() > kFrozenCopiedBytesMax) {
    give_up("Too much has changed since the snapshot began, and it is written too slowly");
    return false;
  }
  file_.append(chunk_);
  if (writer_->is_done()) file_.finish();
  return takes_chunk() && may_encode();
}

Instant SnapshotFile::due() const {
  if (!takes_chunk() || key_delay_us_ == 0) return kNever;
  return began_ + static_cast<Instant>(static_cast<double>(writer_->keys_saved()) * key_delay_us_);
}

void SnapshotFile::give_up(std::string reason) {
  if (is_over() || !is_ok()) return;
  file_.give_up(std::move(reason));
  writer_.reset();
}

}  // namespace ouro
