// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/ghosts.h"

#include <bit>
#include <cstring>

#include "datastructs/base/prefetch.h"

namespace ouro {
namespace {

constexpr uint16_t kKeptFlag = 1U << 15;

}  // namespace

Ghosts::~Ghosts() {
  for (Line* chunk : chunks_) heap_->release(chunk);
}

void Ghosts::approach(size_t ghosts_max) {
  const size_t wanted = ghosts_max / kPlaces;
  if (line_count_ < wanted) {
    if (line_count_ % kChunkLines == 0 && line_count_ / kChunkLines == chunks_.size()) {
      void* block = heap_->allocate_aligned(kChunkLines * sizeof(Line), alignof(Line));
      std::memset(block, 0, kChunkLines * sizeof(Line));
      chunks_.push_back(static_cast<Line*>(block));
    }
    ++line_count_;
  } else if (line_count_ > wanted + wanted / 4 + kChunkLines) {
    // What stands in the last line is found no more, and is no ghost when the line comes back.
    --line_count_;
    std::memset(&chunks_[line_count_ / kChunkLines][line_count_ % kChunkLines], 0, sizeof(Line));
    if (line_count_ % kChunkLines == 0) {
      heap_->release(chunks_.back());
      chunks_.pop_back();
    }
  }
}

// By the bits that a HashPart has, so that who knows no more can prefetch the line: 24, enough for
// half a billion ghosts. Linear hashing: by as many bits as the largest line number has, or one
// less where that line is not there yet.
Ghosts::Line& Ghosts::line_of(Hash64 hash) const {
  const auto bits = static_cast<size_t>((hash >> 48 << 8) | (hash >> 32 & 0xff));
  const size_t mask = std::bit_ceil(line_count_) - 1;
  size_t line = bits & mask;
  if (line >= line_count_) line = bits & (mask >> 1);
  return chunks_[line / kChunkLines][line % kChunkLines];
}

// Of other bits than the line.
uint16_t Ghosts::print_of(Hash64 hash) {
  const auto print = static_cast<uint16_t>(hash >> 8 & 0x7fff);
  return print == 0 ? uint16_t{1} : print;
}

void Ghosts::add(Hash64 hash, GhostOf origin) {
  if (line_count_ == 0) return;
  Line& line = line_of(hash);
  const uint16_t print = print_of(hash);
  line.prints[line.next] =
      origin == GhostOf::kKept ? static_cast<uint16_t>(print | kKeptFlag) : print;
  line.next = static_cast<uint16_t>(line.next + 1 == kPlaces ? 0 : line.next + 1);
}

Ghosts::Found Ghosts::take(Hash64 hash) {
  if (line_count_ == 0) return {};
  Line& line = line_of(hash);
  const unsigned place = place_of(line, print_of(hash));
  if (place == kPlaces) return {};
  const GhostOf origin = (line.prints[place] & kKeptFlag) != 0 ? GhostOf::kKept : GhostOf::kTrial;
  line.prints[place] = 0;
  const unsigned rank = (line.next + kPlaces - 1 - place) % kPlaces;
  return {true, origin, rank * line_count_};
}

// Where the fingerprint stands, or kPlaces. Four fingerprints of a word are compared at once: most
// keys have no ghost.
unsigned Ghosts::place_of(const Line& line, uint16_t print) {
  constexpr uint64_t kEach = 0x0001000100010001;
  constexpr uint64_t kLow = kEach * 0x7fff;
  constexpr unsigned kOfWord = sizeof(uint64_t) / sizeof(uint16_t);
  const auto* lanes = reinterpret_cast<const char*>(&line);
  for (unsigned first = 0; first <= kPlaces; first += kOfWord) {
    uint64_t word;
    std::memcpy(&word, lanes + first * sizeof(uint16_t), sizeof(word));
    uint64_t equal = ~(((word ^ kEach * print) & kLow) + kLow) & ~kLow;
    if (first == 0) equal &= ~uint64_t{0xffff};  // `next` is no fingerprint
    if (equal != 0) return first + static_cast<unsigned>(std::countr_zero(equal)) / 16 - 1;
  }
  return kPlaces;
}

void Ghosts::prefetch_line(Hash64 hash) const {
  if (line_count_ != 0) prefetch(&line_of(hash));
}

size_t Ghosts::memory_bytes() const {
  return chunks_.size() * kChunkLines * sizeof(Line) + chunks_.capacity() * sizeof(void*);
}

}  // namespace ouro
