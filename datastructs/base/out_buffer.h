// SPDX-License-Identifier: BSD-3-Clause
// The bytes that one peer is still to be sent: a queue of pieces, each a run of copied bytes or a part of a pinned Blob.
//
//      front                                                     back
//      [chunk: +OK\r\n$16...]  [blob: 10 MB value]  [chunk: \r\n:1\r\n....room]
//         ^ sent so far
//
// Small appends fill the last chunk; a Blob is pointed at, never copied, and unpinned when its last byte has been sent.
// Every byte carries a release offset, the log's end when it was made (ARCHITECTURE.md, idea 5): gather() hands out only
// bytes whose offset the caller says is reached. Offsets never go back. Without a gate the caller passes kReleaseAll.
//
// Cost: append is one memcpy into warm memory; an empty buffer holds no chunk (10,000 idle peers cost nothing here).
// Views from gather() die at the next consume(); bytes handed out do not move while more is appended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "datastructs/base/blob.h"
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
  // Room for `bytes` (at most kRoomBytesMax) at the end, to format into; keep(n) then says how much of it was used.
  char* room(size_t bytes);
  void keep(size_t bytes);
  // Points at part of a blob; pins it until those bytes are sent.
  void append_blob(Blob* blob, ByteView part);

  // For lengths that are known only afterwards: remember position(), append the elements, then insert the header there.
  // Valid until the next consume().
  struct Position {
    uint64_t piece;
    size_t at;
  };
  Position position() const;
  void insert(Position where, ByteView bytes);

  // All bytes appended from here on leave when `offset` is released. Never lower than before.
  void release_at(uint64_t offset);

  // Fills `views` from the front with what may leave; returns how many views were filled. At most `bytes_max` in all
  // (rounded up to a view).
  size_t gather(uint64_t released, std::span<ByteView> views, size_t bytes_max = ~size_t{0}) const;
  // The first `bytes` have been sent.
  void consume(size_t bytes);
  void clear();

  bool empty() const { return size_bytes_ == 0; }
  // Bytes still to send.
  size_t size_bytes() const { return size_bytes_; }
  // What this output holds: chunks by usable size, and pinned bytes that only outputs still hold.
  size_t memory_bytes() const;
  void check_invariants() const;

  static constexpr size_t kRoomBytesMax = 512;
  // private part: see the implementer
