// SPDX-License-Identifier: BSD-3-Clause
// The bytes that one peer is still to be sent: a queue of pieces, each a run of copied bytes or a
// part of a pinned Blob.
//
//      front                                                     back
//      [chunk: +OK\r\n$16...]  [blob: 10 MB value]  [chunk: \r\n:1\r\n....room]
//         ^ sent so far
//
// Small appends fill the last chunk; a Blob is pointed at, never copied, and unpinned when its last
// byte has been sent. Every byte carries a release offset, the log's end when it was made
// (server/engine/commit.h): gather() hands out only bytes whose offset the caller says is reached.
// Offsets never go back. Without a gate the caller passes kReleaseAll.
//
// Cost: append is one memcpy into warm memory. A buffer that never held bytes holds no chunk; one
// that ran empty keeps a last chunk of 1 KiB, so that a busy peer with small replies allocates
// nothing, until shrink() finds it unused: 10,000 idle peers cost nothing here. Views from gather()
// die at the next consume(); bytes handed out do not move while more is appended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "datastructs/base/blob.h"
#include "datastructs/base/check.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"

namespace ouro {

inline constexpr uint64_t kReleaseAll = ~uint64_t{0};

class OutBuffer {
 public:
  explicit OutBuffer(Heap& heap) noexcept;
  ~OutBuffer();
  OutBuffer(const OutBuffer&) = delete;
  OutBuffer& operator=(const OutBuffer&) = delete;

  void append(ByteView bytes);
  // Room for `bytes` (at most kRoomBytesMax) at the end, to format into; keep(n) then says how much
  // of it was used.
  char* room(size_t bytes);
  void keep(size_t bytes);
  // Points at part of a blob; pins it until those bytes are sent.
  void append_blob(Blob* blob, ByteView part);

  // A peer that would have more than `*bytes` waiting is to be closed: what is appended above that
  // is counted and not kept, so that no answer takes much more memory than the limit. is_over()
  // then, and what is there makes no sense any more. 0: no limit. Looked at with each chunk.
  void limit(const size_t* bytes) { limit_bytes_ = bytes; }
  bool is_over() const { return is_over_; }

  // For lengths that are known only afterwards: remember position(), append the elements, then
  // insert the header there. Valid until the next consume(). An insert invalidates the positions
  // behind it, so nested lengths are inserted from the inside out; and it moves the bytes behind
  // it, so no gather() may stand between position() and insert().
  struct Position {
    uint64_t piece;
    size_t at;
  };
  Position position() const;
  void insert(Position where, ByteView bytes);

  // All bytes from a position of the stream on, and those still to be appended, leave when `offset`
  // is released. Neither may be lower than in the call before.
  void release_from(uint64_t stream_position, uint64_t offset) {
    if (offset != back_offset_) mark_from(stream_position, offset);
  }
  // The same from the end on.
  void release_at(uint64_t offset) { release_from(stream_end(), offset); }
  // All bytes from a position of the stream on leave with what stands before them. What is appended
  // from now on has its own mark again.
  void unmark_from(uint64_t stream_position);
  // Nothing from a position of the stream on leaves, whatever is released, until let_go().
  void hold_from(uint64_t stream_position) { held_from_ = stream_position; }
  void let_go() { held_from_ = kNotHeld; }
  // The position behind the last byte, counted from the first that was ever appended.
  uint64_t stream_end() const { return consumed_ + size_bytes_; }
  // How many bytes have left, ever.
  uint64_t sent_bytes() const { return consumed_; }

  // Fills `views` from the front with what may leave; returns how many views were filled. At most
  // `bytes_max` in all (rounded up to a view).
  size_t gather(uint64_t released, std::span<ByteView> views, size_t bytes_max = ~size_t{0}) const;
  // Some of it may not leave yet.
  bool holds_back(uint64_t released) const { return !empty() && back_offset_ > released; }
  // The first `bytes` have been sent.
  void consume(size_t bytes);
  void clear();
  // Called now and then by whoever visits idle peers: frees what an empty buffer keeps, if nothing
  // was appended since the call before.
  void shrink();

  bool empty() const { return size_bytes_ == 0; }
  // Bytes still to send.
  size_t size_bytes() const { return size_bytes_; }
  // What this output holds: chunks by usable size, and pinned blobs that nobody else holds.
  // Cost: O(1) without pinned blobs, else a walk over the pieces: ask once a turn.
  size_t memory_bytes() const;
  // The same with every part that it points at, whoever else holds the blob: until it is sent it
  // cannot be freed. Cost: O(1).
  size_t claimed_bytes() const { return held_bytes_ + blob_bytes_; }
  // What is here alone, whatever it points at. Cost: O(1).
  size_t own_bytes() const { return held_bytes_; }
  // The chunk at the front (nothing if there is none, or a blob stands there), and how many pieces
  // there are in all.
  struct FrontChunk {
    size_t memory_bytes = 0;
    size_t unsent_bytes = 0;
  };
  FrontChunk front_chunk() const;
  size_t piece_count() const { return piece_count_; }
  void check_invariants() const;

  static constexpr size_t kRoomBytesMax = 512;

 private:
  // A chunk has its bytes behind it, in the same allocation; a blob's piece points into the blob.
  struct Piece {
    Piece* next;
    Blob* blob;   // null for a chunk
    char* begin;  // first byte to send
    char* end;    // behind the last byte
    char* limit;  // behind the last byte that may be written; a blob's piece has limit == end
    size_t blob_bytes = 0;  // of the part of a blob as it was appended

    char* storage() noexcept { return reinterpret_cast<char*>(this + 1); }
    size_t size() const noexcept { return static_cast<size_t>(end - begin); }
    size_t room() const noexcept { return static_cast<size_t>(limit - end); }
  };
  // Bytes from stream position `at` on leave when `offset` is released.
  struct Mark {
    uint64_t at;
    uint64_t offset;
  };

  bool passes_limit();
  void mark_from(uint64_t stream_position, uint64_t offset);
  void append_slow(ByteView bytes);
  void count_in(const void* block);
  void count_out(const void* block);
  Piece* add_chunk(size_t bytes_min);
  Piece* make_chunk(size_t bytes_total);
  void link_behind(Piece* before, Piece* piece);
  void free_piece(Piece* piece);
  void drop_front();
  void run_empty();
  void pop_marks();
  void move_marks(const Piece* piece, const char* at, size_t bytes);

  Heap& heap_;
  Piece* front_ = nullptr;
  Piece* back_ = nullptr;
  size_t size_bytes_ = 0;
  const size_t* limit_bytes_ = nullptr;
  size_t held_bytes_ = 0;  // pieces and marks by usable size
  size_t piece_count_ = 0;
  size_t blob_count_ = 0;      // pieces that pin a blob
  size_t blob_bytes_ = 0;      // their parts, as long as a byte of them is still to send
  uint64_t consumed_ = 0;      // stream position of the first byte to send
  uint64_t front_offset_ = 0;  // release offset of the first byte to send
  uint64_t back_offset_ = 0;   // release offset of what is appended now
  static constexpr uint64_t kNotHeld = ~uint64_t{0};
  uint64_t held_from_ = kNotHeld;
  Mark* marks_ = nullptr;  // a queue in an array: [mark_first_, mark_end_), both `at` and `offset`
                           // ascend strictly
  uint32_t mark_first_ = 0;
  uint32_t mark_end_ = 0;
  uint32_t mark_capacity_ = 0;
  uint32_t next_chunk_bytes_;
  bool used_ = false;     // something was appended since the last shrink()
  bool is_over_ = false;  // the limit: the last chunk is written over and over
};

inline void OutBuffer::append(ByteView bytes) {
  if (back_ == nullptr || back_->room() < bytes.size()) return append_slow(bytes);
  if (bytes.empty()) return;
  std::memcpy(back_->end, bytes.data(), bytes.size());
  back_->end += bytes.size();
  size_bytes_ += bytes.size();
}

inline char* OutBuffer::room(size_t bytes) {
  DCHECK(bytes <= kRoomBytesMax);
  if (back_ == nullptr || back_->room() < bytes) add_chunk(bytes);
  return back_->end;
}

inline void OutBuffer::keep(size_t bytes) {
  DCHECK(back_ != nullptr);
  DCHECK(bytes <= back_->room());
  back_->end += bytes;
  size_bytes_ += bytes;
}

}  // namespace ouro
