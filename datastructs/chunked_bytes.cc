// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/chunked_bytes.h"

#include <algorithm>
#include <string>

#include "datastructs/codec/little_endian.h"

namespace ouro {

ChunkedBytes ChunkedBytes::create(Heap& heap, size_t size) noexcept {
  CHECK(size > 0);
  ChunkedBytes made;
  made.size_ = size;
  if (size <= kChunkBytes) return made;
  // NOLINTNEXTLINE(bugprone-sizeof-expression): a directory of pointers
  const size_t bytes = made.chunk_count() * sizeof(Chunk*);
  void* directory = heap.allocate(bytes);
  std::memset(directory, 0, bytes);
  made.root_.set(Root::kDirectory, directory);
  made.block_bytes_ = Heap::usable_bytes(directory);
  return made;
}

void ChunkedBytes::destroy(Heap& heap) noexcept {
  size_t budget = SIZE_MAX;
  free_some(heap, budget);
}

ChunkedBytes ChunkedBytes::copy(Heap& heap) const noexcept {
  if (size_ == 0) return {};
  ChunkedBytes made = create(heap, size_);
  for (size_t i = 0; i < chunk_count(); ++i) {
    if (const Chunk* from = chunk(i))
      std::memcpy(made.make_own(heap, i).bytes(), from->bytes(), bytes_of_chunk(i));
  }
  return made;
}

ChunkedBytes ChunkedBytes::share(Heap& heap) const noexcept {
  if (size_ == 0) return {};
  ChunkedBytes made = create(heap, size_);
  for (size_t i = 0; i < chunk_count(); ++i) {
    Chunk* const its = chunk(i);
    if (its == nullptr) continue;
    ++its->pins;
    made.put_chunk(i, its);
  }
  return made;
}

void ChunkedBytes::put_chunk(size_t index, Chunk* its) noexcept {
  block_bytes_ += Heap::usable_bytes(its);
  if (has_directory()) {
    directory()[index] = its;
  } else {
    root_.set(Root::kChunk, its);
  }
}

ChunkedBytes::Chunk& ChunkedBytes::make_own(Heap& heap, size_t index) noexcept {
  const size_t bytes = bytes_of_chunk(index);
  Chunk* const shared = chunk(index);
  Chunk* const made = new (heap.allocate(sizeof(Chunk) + bytes)) Chunk();
  if (shared != nullptr) {
    std::memcpy(made->bytes(), shared->bytes(), bytes);
    --shared->pins;
    heap.note_left(Heap::usable_bytes(shared));
    block_bytes_ -= Heap::usable_bytes(shared);
  } else {
    std::memset(made->bytes(), 0, bytes);
  }
  put_chunk(index, made);
  return *made;
}

bool ChunkedBytes::free_some(Heap& heap, size_t& budget) noexcept {
  // From the back: size_ is what is still to be freed.
  for (; size_ > 0; size_ = (chunk_count() - 1) * kChunkBytes) {
    Chunk* const last = chunk(chunk_count() - 1);
    if (last == nullptr) continue;
    if (budget == 0) return false;
    --budget;
    block_bytes_ -= Heap::usable_bytes(last);
    if (--last->pins == 0) heap.release(last);
  }
  if (has_directory()) heap.release(directory());
  *this = {};
  return true;
}

void ChunkedBytes::read(size_t at, size_t size, char* out) const noexcept {
  DCHECK(at + size <= size_);
  while (size > 0) {
    const size_t part = std::min(size, kChunkBytes - at % kChunkBytes);
    if (const Chunk* from = chunk_at(at)) {
      std::memcpy(out, from->bytes() + at % kChunkBytes, part);
    } else {
      std::memset(out, 0, part);
    }
    at += part;
    out += part;
    size -= part;
  }
}

void ChunkedBytes::write(Heap& heap, size_t at, ByteView bytes) noexcept {
  DCHECK(at + bytes.size() <= size_);
  while (!bytes.empty()) {
    const ByteView part = bytes.substr(0, kChunkBytes - at % kChunkBytes);
    std::memcpy(own_chunk(heap, at).bytes() + at % kChunkBytes, part.data(), part.size());
    at += part.size();
    bytes.remove_prefix(part.size());
  }
}

void ChunkedBytes::for_each_chunk(FunctionRef<void(size_t at, ByteView bytes)> visit) const {
  for (size_t i = 0; i < chunk_count(); ++i) {
    const Chunk* from = chunk(i);
    if (from == nullptr) continue;
    const ByteView bytes(from->bytes(), bytes_of_chunk(i));
    if (bytes.find_first_not_of('\0') != ByteView::npos) visit(i * kChunkBytes, bytes);
  }
}

void ChunkedBytes::visit_parts(FunctionRef<void(ByteView)> visit, uint64_t begin) const {
  for_each_chunk([&](size_t at, ByteView bytes) {
    std::string place;
    append_fixed(place, begin + at);
    visit(place);
    visit(bytes);
  });
}

void ChunkedBytes::check_invariants() const {
  CHECK(has_directory() == (size_ > kChunkBytes));
  size_t bytes = has_directory() ? Heap::usable_bytes(directory()) : 0;
  for (size_t i = 0; i < chunk_count(); ++i) {
    if (const Chunk* its = chunk(i)) {
      CHECK(its->pins > 0);
      bytes += Heap::usable_bytes(its);
    }
  }
  CHECK(bytes == block_bytes_);
}

}  // namespace ouro
