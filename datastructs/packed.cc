// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/packed.h"

#include "datastructs/base/check.h"

namespace ouro {

namespace {

// Blocks up to this size never shrink: what could be won is less than the move costs.
constexpr size_t kShrinkBytesMin = 64;

char* write_entry(char* to, ByteView bytes) noexcept {
  to = length_code::write(to, bytes.size());
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

void PackedBlock::set_head(size_t bytes, size_t count) noexcept {
  CHECK(bytes <= kBytesMax);
  CHECK(count <= kCountMax);
  const auto word = static_cast<uint32_t>(bytes | (count & 0xFF) << 24);
  std::memcpy(block_, &word, sizeof word);
  block_[4] = static_cast<char>(count >> 8);
}

bool PackedBlock::pin() noexcept {
  const unsigned sharers = length_code::byte_at(block_ + 2) + kOneSharer;
  if (sharers > 0xFF) return false;
  block_[2] = static_cast<char>(sharers);
  return true;
}

char* PackedBlock::splice(Heap& heap, At at, size_t old_bytes, size_t new_bytes,
                          ptrdiff_t count_change) noexcept {
  const size_t before = end();
  DCHECK(at >= kHeadBytes);
  DCHECK(at + old_bytes <= before);
  DCHECK(block_ == nullptr || !is_shared());
  const size_t after = before - old_bytes + new_bytes;
  const size_t entries = count() + static_cast<size_t>(count_change);
  if (after == kHeadBytes) {
    destroy(heap);
    return nullptr;
  }
  const size_t usable = memory_bytes();
  if (after > usable) block_ = static_cast<char*>(heap.reallocate(block_, after));
  const size_t behind = before - at - old_bytes;
  if (old_bytes != new_bytes && behind > 0)
    std::memmove(block_ + at + new_bytes, block_ + at + old_bytes, behind);
  set_head(after, entries);
  if (new_bytes < old_bytes && usable > kShrinkBytesMin && after < usable / 2) {
    block_ = static_cast<char*>(heap.reallocate(block_, after));
  }
  return block_ + at;
}

void PackedBlock::reserve(Heap& heap, size_t bytes) noexcept {
  if (bytes > memory_bytes()) block_ = static_cast<char*>(heap.reallocate(block_, bytes));
}

void PackedBlock::destroy(Heap& heap) noexcept {
  if (block_ != nullptr && is_shared()) {
    block_[2] = static_cast<char>(length_code::byte_at(block_ + 2) - kOneSharer);
  } else {
    heap.release(block_);
  }
  block_ = nullptr;
}

void* PackedBlock::copy_block(Heap& heap) const noexcept {
  if (block_ == nullptr) return nullptr;
  auto* const made = static_cast<char*>(std::memcpy(heap.allocate(bytes()), block_, bytes()));
  made[2] = static_cast<char>(length_code::byte_at(made + 2) % kOneSharer);
  return made;
}

PackedBlock::At Packed::insert(Heap& heap, At at,
                               std::initializer_list<ByteView> entries) noexcept {
  size_t bytes = 0;
  for (const ByteView entry : entries) bytes += entry_bytes(entry.size());
  char* to = splice(heap, at, 0, bytes, static_cast<ptrdiff_t>(entries.size()));
  for (const ByteView entry : entries) to = write_entry(to, entry);
  return static_cast<At>(at + bytes);
}

PackedBlock::At Packed::erase(Heap& heap, At at, size_t count) noexcept {
  const At last = skip(at, count);
  (void)splice(heap, at, last - at, 0, -static_cast<ptrdiff_t>(count));
  return at;
}

void Packed::replace(Heap& heap, At at, ByteView bytes) noexcept {
  const At after = next(at);
  char* to = splice(heap, at, after - at, entry_bytes(bytes.size()), 0);
  (void)write_entry(to, bytes);
}

PackedBlock::At Packed::find(ByteView bytes, size_t stride) const noexcept {
  DCHECK(stride > 0);
  DCHECK(count() % stride == 0);
  const At last = end();
  for (At at = begin(); at != last; at = skip(at, stride - 1)) {
    const At here = at;
    const ByteView entry = read(at);
    if (entry.size() != bytes.size()) continue;
    // Neighbours often share their front ("field:1", "field:2"): the last byte tells them apart
    // without a call.
    if (entry.empty() || (entry.back() == bytes.back() && entry == bytes)) return here;
  }
  return last;
}

void Packed::check_invariants() const {
  if (block_ == nullptr) return;
  CHECK(count() > 0);
  CHECK(bytes() <= memory_bytes());
  size_t seen = 0;
  At at = begin();
  while (at < end()) {
    CHECK(at + length_code::bytes_of(length_code::byte_at(block_ + at)) <= end());
    (void)read(at);
    ++seen;
  }
  CHECK(at == end());
  CHECK(seen == count());
}

}  // namespace ouro
