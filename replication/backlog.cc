// SPDX-License-Identifier: BSD-3-Clause
#include "replication/backlog.h"

#include <algorithm>
#include <cstring>

#include "datastructs/base/check.h"

namespace ouro {

void Backlog::clear(uint64_t offset) {
  while (!blocks_.empty()) drop_front();
  begin_ = end_ = offset;
}

void Backlog::drop_front() {
  Blob::unpin(heap_, blocks_.front().bytes);
  blocks_.pop_front();
}

Backlog::Block& Backlog::block_with_room() {
  if (blocks_.empty() || end_ - blocks_.back().at == kBlockBytes)
    blocks_.push_back({end_, Blob::create(heap_, kBlockBytes)});
  return blocks_.back();
}

void Backlog::append(ByteView bytes) {
  while (!bytes.empty()) {
    Block& block = block_with_room();
    const auto used = static_cast<size_t>(end_ - block.at);
    const size_t taken = std::min(bytes.size(), kBlockBytes - used);
    // Outputs that point into the block know nothing of what stands behind their part.
    std::memcpy(block.bytes->bytes() + used, bytes.data(), taken);
    block.bytes->set_size(used + taken);
    end_ += taken;
    bytes.remove_prefix(taken);
  }
  trim();
}

void Backlog::set_limit(size_t bytes) {
  limit_bytes_ = bytes;
  trim();
}

void Backlog::keep_from(uint64_t offset) {
  needed_from_ = offset;
  trim();
}

void Backlog::trim() {
  if (size() > limit_bytes_) begin_ = std::max(begin_, std::min(end_ - limit_bytes_, needed_from_));
  for (size_t freed = 0; freed < kFreedAtOnce; ++freed) {
    if (blocks_.empty() || blocks_.front().at + kBlockBytes > begin_) return;
    drop_front();
  }
}

size_t Backlog::send(uint64_t offset, size_t bytes_max, OutBuffer& out) const {
  CHECK(holds(offset));
  const size_t bytes = std::min(bytes_max, static_cast<size_t>(end_ - offset));
  for (size_t sent = 0; sent < bytes;) {
    const uint64_t from = offset + sent;
    const Block& block = blocks_[static_cast<size_t>(from - blocks_.front().at) / kBlockBytes];
    const auto at = static_cast<size_t>(from - block.at);
    const ByteView part(block.bytes->bytes() + at, std::min(bytes - sent, kBlockBytes - at));
    if (part.size() < kPointedBytesMin) {
      out.append(part);
    } else {
      out.append_blob(block.bytes, part);
    }
    sent += part.size();
  }
  return bytes;
}

size_t Backlog::memory_bytes() const {
  size_t bytes = 0;
  // All are of one size.
  if (!blocks_.empty()) bytes = blocks_.size() * blocks_.front().bytes->memory_bytes();
  return bytes;
}

void Backlog::check_invariants() const {
  CHECK(begin_ <= end_);
  if (blocks_.empty()) {
    CHECK(begin_ == end_);
    return;
  }
  CHECK(blocks_.front().at <= begin_);
  for (size_t i = 1; i < blocks_.size(); ++i)
    CHECK(blocks_[i].at == blocks_[i - 1].at + kBlockBytes);
  CHECK(end_ - blocks_.back().at <= kBlockBytes);
  CHECK(blocks_.back().at < end_);
}

}  // namespace ouro
