// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/out_buffer.h"

#include <algorithm>

namespace ouro {

namespace {

// Sizes of whole allocations, so that they fill the allocator's size classes. A small reply costs 1
// KiB; a stream of replies soon gets chunks that make a send of few pieces.
constexpr size_t kChunkBytesFirst = 1_KiB;
constexpr size_t kChunkBytesMax = 16_KiB;
constexpr size_t kChunkGrowth = 4;

// A larger chunk goes when all is sent: to allocate it again costs little beside filling it, and
// the next large replies are often another peer's.
constexpr ptrdiff_t kKeptBytesMax = kChunkBytesFirst;

constexpr uint32_t kMarksFirst = 8;

}  // namespace

OutBuffer::OutBuffer(Heap& heap) noexcept : heap_(heap), next_chunk_bytes_(kChunkBytesFirst) {
  static_assert(kChunkBytesFirst - sizeof(Piece) >= kRoomBytesMax);
}

OutBuffer::~OutBuffer() {
  while (front_ != nullptr) drop_front();
  if (marks_ != nullptr) count_out(marks_);
  heap_.release(marks_);
}

void OutBuffer::count_in(const void* block) {
  const size_t bytes = Heap::usable_bytes(block);
  held_bytes_ += bytes;
  heap_.add_unsent(bytes);
}

void OutBuffer::count_out(const void* block) {
  const size_t bytes = Heap::usable_bytes(block);
  held_bytes_ -= bytes;
  heap_.drop_unsent(bytes);
}

OutBuffer::Piece* OutBuffer::make_chunk(size_t bytes_total) {
  auto* piece = static_cast<Piece*>(heap_.allocate(bytes_total));
  char* storage = piece->storage();
  *piece = {.next = nullptr,
            .blob = nullptr,
            .begin = storage,
            .end = storage,
            .limit = reinterpret_cast<char*>(piece) + bytes_total};
  count_in(piece);
  used_ = true;
  return piece;
}

void OutBuffer::link_behind(Piece* before, Piece* piece) {
  Piece*& link = before == nullptr ? front_ : before->next;
  piece->next = link;
  link = piece;
  if (back_ == before) back_ = piece;
  ++piece_count_;
}

// Once the limit is passed, a last chunk is added for all that follows, and written again from its
// start whenever it is full.
bool OutBuffer::passes_limit() {
  if (limit_bytes_ == nullptr || *limit_bytes_ == 0 || size_bytes_ < *limit_bytes_) [[likely]]
    return false;
  if (is_over_) {
    back_->begin = back_->end = back_->storage();
  } else {
    link_behind(back_, make_chunk(kChunkBytesMax));
    is_over_ = true;
  }
  return true;
}

OutBuffer::Piece* OutBuffer::add_chunk(size_t bytes_min) {
  if (passes_limit()) [[unlikely]]
    return back_;
  // Chunks grow only when one has been filled: one cut short by a blob says nothing about how much
  // is coming.
  if (back_ != nullptr && back_->blob == nullptr) {
    next_chunk_bytes_ =
        static_cast<uint32_t>(std::min(next_chunk_bytes_ * kChunkGrowth, kChunkBytesMax));
  }
  Piece* piece = make_chunk(std::max<size_t>(next_chunk_bytes_, sizeof(Piece) + bytes_min));
  // An empty chunk left behind would be a piece without bytes.
  if (back_ != nullptr && back_ == front_ && back_->size() == 0) drop_front();
  link_behind(back_, piece);
  return piece;
}

void OutBuffer::append_slow(ByteView bytes) {
  while (!bytes.empty()) {
    if (back_ == nullptr || back_->room() == 0) add_chunk(1);
    const size_t part = std::min(back_->room(), bytes.size());
    std::memcpy(back_->end, bytes.data(), part);
    back_->end += part;
    size_bytes_ += part;
    bytes.remove_prefix(part);
  }
}

void OutBuffer::append_blob(Blob* blob, ByteView part) {
  if (part.empty() || is_over_) return;
  DCHECK(part.data() >= blob->bytes());
  DCHECK(part.data() + part.size() <= blob->bytes() + blob->size());
  blob->pin();
  auto* piece = static_cast<Piece*>(heap_.allocate(sizeof(Piece)));
  char* begin = const_cast<char*>(part.data());  // never written: limit == end
  *piece = {.next = nullptr,
            .blob = blob,
            .begin = begin,
            .end = begin + part.size(),
            .limit = begin + part.size(),
            .blob_bytes = part.size()};
  count_in(piece);
  ++blob_count_;
  blob_bytes_ += part.size();
  used_ = true;
  if (back_ != nullptr && back_ == front_ && back_->size() == 0) drop_front();
  link_behind(back_, piece);
  size_bytes_ += part.size();
}

OutBuffer::Position OutBuffer::position() const {
  // A kept chunk without bytes may be replaced by what is appended next, so it cannot be pointed
  // at.
  if (size_bytes_ == 0) return {.piece = 0, .at = 0};
  return {.piece = reinterpret_cast<uintptr_t>(back_),
          .at = static_cast<size_t>(back_->end - back_->begin)};
}

void OutBuffer::insert(Position where, ByteView bytes) {
  if (bytes.empty() || is_over_) return;
  auto* piece = reinterpret_cast<Piece*>(static_cast<uintptr_t>(where.piece));
  size_t at = where.at;
  if (piece == nullptr) {
    if (front_ == nullptr) return append(bytes);
    piece = front_;
    at = 0;
  }
  CHECK(at <= piece->size());
  char* gap = piece->begin + at;
  move_marks(piece, gap, bytes.size());
  const size_t behind = static_cast<size_t>(piece->end - gap);
  if (piece->room() >= bytes.size()) {
    if (behind > 0) std::memmove(gap + bytes.size(), gap, behind);
    std::memcpy(gap, bytes.data(), bytes.size());
    piece->end += bytes.size();
  } else if (piece->blob != nullptr) {
    Piece* fresh = make_chunk(sizeof(Piece) + bytes.size());
    std::memcpy(fresh->end, bytes.data(), bytes.size());
    fresh->end += bytes.size();
    if (behind > 0)
      CHECK(piece == front_ && at == 0);  // a position lies before a whole blob or behind it
    link_behind(behind > 0 ? nullptr : piece, fresh);
  } else {
    // The rest of the chunk moves with the inserted bytes into a chunk of their own.
    Piece* fresh = make_chunk(sizeof(Piece) + bytes.size() + behind);
    std::memcpy(fresh->end, bytes.data(), bytes.size());
    if (behind > 0) std::memcpy(fresh->end + bytes.size(), gap, behind);
    fresh->end += bytes.size() + behind;
    piece->end = gap;
    link_behind(piece, fresh);
  }
  size_bytes_ += bytes.size();
}

// Marks behind the gap move with their bytes. A mark right at the gap stays, so the inserted bytes
// wait for the later offset.
void OutBuffer::move_marks(const Piece* piece, const char* at, size_t bytes) {
  if (mark_first_ == mark_end_) return;
  uint64_t behind = static_cast<uint64_t>(piece->end - at);
  for (const Piece* next = piece->next; next != nullptr; next = next->next) behind += next->size();
  const uint64_t gap = stream_end() - behind;
  for (uint32_t i = mark_end_; i > mark_first_ && marks_[i - 1].at > gap; --i)
    marks_[i - 1].at += bytes;
}

void OutBuffer::mark_from(uint64_t stream_position, uint64_t offset) {
  CHECK(offset >= back_offset_);
  back_offset_ = offset;
  // What was sent already has left under an earlier offset.
  if (stream_position <= consumed_) {
    CHECK(mark_first_ == mark_end_);
    front_offset_ = offset;
    return;
  }
  if (mark_end_ > mark_first_) CHECK(marks_[mark_end_ - 1].at <= stream_position);
  if (mark_end_ > mark_first_ && marks_[mark_end_ - 1].at == stream_position) {
    marks_[mark_end_ - 1].offset = offset;
    return;
  }
  if (mark_end_ == mark_capacity_) {
    const uint32_t count = mark_end_ - mark_first_;
    if (count > mark_capacity_ / 2 || mark_capacity_ == 0) {
      if (marks_ != nullptr) count_out(marks_);
      mark_capacity_ = std::max(kMarksFirst, mark_capacity_ * 2);
      marks_ = static_cast<Mark*>(heap_.reallocate(marks_, mark_capacity_ * sizeof(Mark)));
      count_in(marks_);
    }
    if (count > 0) std::memmove(marks_, marks_ + mark_first_, count * sizeof(Mark));
    mark_first_ = 0;
    mark_end_ = count;
  }
  marks_[mark_end_++] = {.at = stream_position, .offset = offset};
}

void OutBuffer::unmark_from(uint64_t stream_position) {
  while (mark_first_ < mark_end_ && marks_[mark_end_ - 1].at >= stream_position) --mark_end_;
  // What stood before has left.
  if (stream_position <= consumed_) front_offset_ = 0;
  back_offset_ = mark_first_ < mark_end_ ? marks_[mark_end_ - 1].offset : front_offset_;
}

size_t OutBuffer::gather(uint64_t released, std::span<ByteView> views, size_t bytes_max) const {
  if (front_offset_ > released) return 0;
  // The first mark that is not reached yet ends what may leave.
  size_t left = size_bytes_;
  const Mark* end = marks_ + mark_end_;
  const Mark* held =
      std::upper_bound(static_cast<const Mark*>(marks_) + mark_first_, end, released,
                       [](uint64_t offset, const Mark& mark) { return offset < mark.offset; });
  if (held != end) left = static_cast<size_t>(held->at - consumed_);
  if (held_from_ < consumed_ + left)
    left = held_from_ <= consumed_ ? 0 : static_cast<size_t>(held_from_ - consumed_);
  size_t count = 0;
  size_t bytes = 0;
  for (const Piece* piece = front_; piece != nullptr && left > 0; piece = piece->next) {
    if (count == views.size() || bytes >= bytes_max) break;
    const size_t part = std::min(left, piece->size());
    if (part == 0) continue;
    views[count++] = {piece->begin, part};
    bytes += part;
    left -= part;
  }
  return count;
}

void OutBuffer::free_piece(Piece* piece) {
  count_out(piece);
  if (piece->blob != nullptr) {
    blob_bytes_ -= piece->blob_bytes;
    Blob::unpin(heap_, piece->blob);
    --blob_count_;
  }
  --piece_count_;
  heap_.release(piece);
}

void OutBuffer::drop_front() {
  Piece* piece = front_;
  front_ = piece->next;
  if (front_ == nullptr) back_ = nullptr;
  free_piece(piece);
}

void OutBuffer::pop_marks() {
  while (mark_first_ < mark_end_ && marks_[mark_first_].at <= consumed_) {
    front_offset_ = marks_[mark_first_++].offset;
  }
  if (mark_first_ == mark_end_) mark_first_ = mark_end_ = 0;
}

void OutBuffer::consume(size_t bytes) {
  CHECK(bytes <= size_bytes_);
  size_bytes_ -= bytes;
  consumed_ += bytes;
  used_ = true;
  while (bytes > 0) {
    const size_t part = std::min(bytes, front_->size());
    front_->begin += part;
    bytes -= part;
    if (front_->size() > 0) break;
    if (front_ != back_ || front_->blob != nullptr) {
      drop_front();
    } else {
      break;
    }
  }
  if (size_bytes_ == 0) run_empty();
  pop_marks();
}

// A small chunk is kept and written from its start again; pieces without bytes may stand before it.
void OutBuffer::run_empty() {
  while (front_ != back_) drop_front();
  if (back_ != nullptr) {
    const bool is_small = back_->limit - reinterpret_cast<char*>(back_) <= kKeptBytesMax;
    if (is_small) {
      back_->begin = back_->end = back_->storage();
    } else {
      drop_front();
    }
  }
  front_offset_ = back_offset_;
}

void OutBuffer::clear() {
  consumed_ += size_bytes_;
  size_bytes_ = 0;
  while (front_ != nullptr) drop_front();
  mark_first_ = mark_end_ = 0;
  front_offset_ = back_offset_;
  next_chunk_bytes_ = kChunkBytesFirst;
  is_over_ = false;
}

void OutBuffer::shrink() {
  if (!used_ && size_bytes_ == 0) {
    clear();
    if (marks_ != nullptr) count_out(marks_);
    heap_.release(marks_);
    marks_ = nullptr;
    mark_capacity_ = 0;
  }
  used_ = false;
}

size_t OutBuffer::memory_bytes() const {
  size_t bytes = held_bytes_;
  if (blob_count_ == 0) return bytes;
  for (const Piece* piece = front_; piece != nullptr; piece = piece->next) {
    if (piece->blob != nullptr && !piece->blob->is_shared()) bytes += piece->blob->memory_bytes();
  }
  return bytes;
}

OutBuffer::FrontChunk OutBuffer::front_chunk() const {
  if (front_ == nullptr || front_->blob != nullptr) return {};
  return {.memory_bytes = Heap::usable_bytes(front_), .unsent_bytes = front_->size()};
}

void OutBuffer::check_invariants() const {
  size_t bytes = 0;
  size_t held = marks_ == nullptr ? 0 : Heap::usable_bytes(marks_);
  size_t pieces = 0;
  size_t blobs = 0;
  size_t blob_bytes = 0;
  const Piece* last = nullptr;
  for (const Piece* piece = front_; piece != nullptr; piece = piece->next) {
    CHECK(piece->begin <= piece->end);
    CHECK(piece->end <= piece->limit);
    bytes += piece->size();
    held += Heap::usable_bytes(piece);
    ++pieces;
    if (piece->blob != nullptr) ++blobs;
    blob_bytes += piece->blob_bytes;
    last = piece;
  }
  CHECK(last == back_);
  CHECK(is_over_ ? bytes <= size_bytes_ : bytes == size_bytes_);
  CHECK(held == held_bytes_);
  CHECK(pieces == piece_count_);
  CHECK(blobs == blob_count_);
  CHECK(blob_bytes == blob_bytes_);
  CHECK(front_offset_ <= back_offset_);
  uint64_t at = consumed_;
  uint64_t offset = front_offset_;
  for (uint32_t i = mark_first_; i < mark_end_; ++i) {
    CHECK(marks_[i].at > at);
    CHECK(marks_[i].at <= stream_end());
    CHECK(marks_[i].offset > offset);
    at = marks_[i].at;
    offset = marks_[i].offset;
  }
  if (size_bytes_ == 0) CHECK(mark_first_ == mark_end_);
  CHECK(offset == back_offset_);
}

}  // namespace ouro
