// SPDX-License-Identifier: BSD-3-Clause
// Backlog: the most recent bytes of the stream, by offset. One copy serves everybody: outputs point
// into it.
//
//      begin()                          needed                     end() == History::offset
//         |  kept for who comes back       |  still to be sent        |
//         [ block ][ block ][ block ][ block ][ block ][ block: ..room]
//
// Bytes are kept as long as they are among the last `limit`, or somebody who is connected still
// needs them (keep_from). A replica that is slow, or takes in a snapshot, thus finds what it
// missed; how far behind it may be is its output limit's and Feed::missed_max's to say.
// Cost: append is one memcpy, and a block (a counted Blob) every kBlockBytes; send() finds its
// block by division, since all are full but the last, copies what is short and points at what is
// long.
#pragma once

#include <deque>

#include "datastructs/base/blob.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/out_buffer.h"
#include "datastructs/base/units.h"

namespace ouro {

class Backlog {
 public:
  static constexpr size_t kBlockBytes = 64_KiB;
  static constexpr uint64_t kNobody = ~uint64_t{0};

  Backlog(Heap& heap, size_t limit_bytes) : heap_(heap), limit_bytes_(limit_bytes) {}
  ~Backlog() { clear(0); }
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  // Holds nothing; the next byte is the one behind `offset`.
  void clear(uint64_t offset);
  void append(ByteView bytes);
  // repl-backlog-size.
  void set_limit(size_t bytes);
  // The oldest byte that somebody still needs; kNobody if nobody does. To be said at least once a
  // turn: memory is given back a few blocks a call.
  void keep_from(uint64_t offset);

  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }
  bool holds(uint64_t offset) const { return begin_ <= offset && offset <= end_; }
  size_t size() const { return static_cast<size_t>(end_ - begin_); }
  // Appends to `out` what is behind `offset`, at most `bytes_max`; returns how much that was.
  // Requires: holds(offset).
  size_t send(uint64_t offset, size_t bytes_max, OutBuffer& out) const;
  size_t memory_bytes() const;
  void check_invariants() const;

 private:
  struct Block {
    uint64_t at;  // offset of its first byte
    Blob* bytes;
  };
  // A gigabyte that nobody needs any more is not freed in one turn.
  static constexpr size_t kFreedAtOnce = 64;
  // From here on pointing at bytes costs less than copying them.
  static constexpr size_t kPointedBytesMin = 4_KiB;

  Block& block_with_room();
  void trim();
  void drop_front();

  Heap& heap_;
  size_t limit_bytes_;
  std::deque<Block> blocks_;
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
  uint64_t needed_from_ = kNobody;
};

}  // namespace ouro
