// SPDX-License-Identifier: BSD-3-Clause
// KeyFilter: which keys exist, in about 23 bits a key when a layer is full. Says "surely not" or
// "probably", wrongly the latter for less than 0.02 % of what is not there, however far it has
// grown; a key can be added any number of times, and removed.
//
//      layer 0 | bucket bucket ... |         bucket: one word, | tag 0 | tag 1 | tag 2 | - |
//      layer 1 | ... twice as many |                             21 bits each, 0: free
//
// A cuckoo filter (Fan, Andersen, Kaminsky, Mitzenmacher 2014) with semi-sorted words in mind: a
// key is a tag in one of two buckets of a layer, and from one of them and the tag follows the
// other. What is added is looked for first, so that every SET of a key may feed it: a present key
// takes no second place. It goes to a free place of any layer, the oldest first; else the newest
// layer makes room, a tag of a full bucket moving to its other bucket and so on for at most
// kMovesMax moves; else a layer of twice as many buckets is laid over it. The layers are few
// (kLayersMax), and so a wrong "probably" is at most 6 x kLayersMax in 2^21.
//
// When the next layer would go beyond kBytesMax, the filter is full: what it cannot take it may not
// deny, so from then on it says "probably" to everything.
//
// What removing cannot do: two keys of one tag and bucket are one to it, and the removal of one
// removes both. Of n keys that are removed about n x 6 x layers / 2^21 take another one along,
// which is back when it is added the next time.
//
// The hashes are keyed by a seed of the filter's own, which its dump holds. That is, little-endian,
// this header and then the buckets of all layers as one run, layer 0 first:
//
//      seed u64 | layers u16 | full u8 | keys of each layer u64 ...
//
// Cost: up to two cache lines a layer; a bucket is searched as one word. A layer begins as nothing
// (ChunkedBytes): growth allocates its directory, at most 64 KiB, and each chunk of 64 KiB is
// zeroed when it is first written to.
#pragma once

#include <string>

#include "datastructs/base/hash.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/result.h"
#include "datastructs/base/units.h"

namespace ouro {

template <class Head, class Layer>
class LayerRun;

class KeyFilter {
 public:
  // Of all layers together: about 380 million keys. Beyond that the database is better asked.
  static constexpr size_t kBytesMax = 1_GiB;
  // 64 KiB doubled so often that the sum is below kBytesMax.
  static constexpr uint16_t kLayersMax = 14;

  KeyFilter(Heap& heap, HashSeed seed) noexcept;
  KeyFilter(KeyFilter&& other) noexcept;
  KeyFilter& operator=(KeyFilter&& other) noexcept;
  ~KeyFilter();
  // The same as it is now, while this one goes on: their chunks are shared until one is written to.
  KeyFilter share() const noexcept;

  void add(ByteView key) noexcept;
  // False if it was not there. Only keys that were added may be removed.
  bool remove(ByteView key) noexcept;

  // False: it was never added, or removed.
  bool may_contain(ByteView key) const noexcept;
  // It says "probably" to everything.
  bool is_full() const noexcept;
  uint64_t size() const noexcept;  // keys, of one tag and bucket counted once
  uint16_t layer_count() const noexcept;

  // ---- dump
  std::string header() const;
  // Errors: Err::kCorrupt.
  static Result<KeyFilter> from_header(Heap& heap, ByteView header);
  // At most `bytes_max` bytes of the run of buckets, from `at` on; none behind its end.
  std::string read(uint64_t at, size_t bytes_max) const;
  // A piece that read() gave, at the place where it was. Errors: Err::kOutOfRange, Err::kTooBig -
  // it does not fit the header.
  Status write(uint64_t at, ByteView bytes) noexcept;

  size_t memory_bytes() const noexcept;
  // Frees up to `budget` chunks, which is counted down; true when all is gone. Once begun only this
  // and the destructor may be called.
  bool free_some(size_t& budget) noexcept;
  void check_invariants() const;

 private:
  struct Head;
  struct Layer;
  using Table = LayerRun<Head, Layer>;
  struct Mark;

  KeyFilter(Heap& heap, Table* table) noexcept : heap_(&heap), table_(table) {}
  Mark mark_of(ByteView key) const noexcept;
  void grow() noexcept;

  Heap* heap_;
  Table* table_;
};

}  // namespace ouro
