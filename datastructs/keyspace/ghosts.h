// SPDX-License-Identifier: BSD-3-Clause
// Ghosts: which keys were evicted not long ago, as 16 bits of each one's hash.
//
//   lines of 64 bytes:  [ next | 31 fingerprints ]     a hash chooses a line and a fingerprint;
//                                                      the oldest of a line makes room
//
// So a ghost stays for about as many evictions as there are places. A key that was never here is
// taken for one with probability 31 / 2^15 at most. Lines are added one by one (as linear hashing
// does it, but what would have to move is forgotten), so that no call takes long. Cost: one cache
// line a call; two bytes a ghost.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "datastructs/base/hash.h"
#include "datastructs/base/memory.h"

namespace ouro {

// By whom a ghost was sent.
enum class GhostOf : uint8_t { kTrial, kKept };

class Ghosts {
 public:
  explicit Ghosts(Heap& heap) : heap_(&heap), chunks_(HeapAllocator<Line*>(heap)) {}
  ~Ghosts();
  Ghosts(const Ghosts&) = delete;
  Ghosts& operator=(const Ghosts&) = delete;

  // Room for about so many, reached by one line a call.
  void approach(size_t ghosts_max);
  void add(Hash64 hash, GhostOf origin);
  // Takes out the ghost of this hash, if there is one. age: about how many came after it.
  struct Found {
    bool is = false;
    GhostOf origin = GhostOf::kTrial;
    size_t age = 0;
  };
  Found take(Hash64 hash);
  void prefetch_line(Hash64 hash) const;

  size_t places() const { return line_count_ * kPlaces; }
  size_t memory_bytes() const;

 private:
  static constexpr unsigned kPlaces = 31;
  static constexpr size_t kChunkLines = 16;
  struct alignas(64) Line {
    uint16_t next;
    std::array<uint16_t, kPlaces> prints;  // 0 is none; bit 15: who sent it
  };
  static_assert(sizeof(Line) == 64);

  static uint16_t print_of(Hash64 hash);
  static unsigned place_of(const Line& line, uint16_t print);
  Line& line_of(Hash64 hash) const;

  Heap* heap_;
  std::vector<Line*, HeapAllocator<Line*>> chunks_;
  size_t line_count_ = 0;
};

}  // namespace ouro
