// SPDX-License-Identifier: BSD-3-Clause
// KeyFilter: which keys exist, in about 23 bits a key while its layers are full. It answers "surely
// not" or "probably", the latter wrongly for less than 0.02 % of what is not there, however far it
// has grown. A key can be added any number of times, and removed.
//
//      layer 0 | bucket bucket ...    |        a bucket is one word: | tag 0 | tag 1 | tag 2 | - |
//      layer 1 | ... twice as many    |                                21 bits each, 0: free
//
// A cuckoo filter (Fan, Andersen, Kaminsky, Mitzenmacher 2014): a key is a tag in one of two
// buckets of a layer, and from the one bucket and the tag follows the other. What is added is
// looked for first, so that every SET of a key may feed it and a present key takes no second place.
// It goes to a free place in its buckets of any layer; else the newest layer makes room, a tag
// moving to its other bucket, one of that to its own other one, and so on for a bounded number of
// moves; else a layer of twice as many buckets is laid over it. In kLayersMax layers a key that is
// not there meets at most 6 tags in each, of 2^21 different ones: that is less than 0.005 %.
//
// When the next layer would go beyond kBytesMax, the filter is full: what it cannot take it must
// not deny, so from then on it says "probably" to everything.
//
// What removing cannot do: two keys with one tag and bucket are one key to it, and the removal of
// one removes both. Of a million keys that are removed some three take another one along, for each
// layer; that one is back when it is added the next time.
//
// The hash is keyed by a seed of the filter's own, which its dump holds: little-endian and without
// padding this header, then the buckets of all layers as one run, layer 0 first.
//
//      seed u64 | keys u64 | layers u16 | full u8                                      19 bytes
//
// Cost: up to two cache lines a layer, and a bucket is searched as one word: 30 ns at 10,000 keys,
// 80 at a million, 350 at ten millions (bench/micro/key_filter_bench.cc). No pause: a new layer is
// a directory of at most 64 KiB (ChunkedBytes), a chunk of it is zeroed when first written to.
#pragma once

#include <memory>
#include <optional>
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
  // The first has 32 KiB; one more would go beyond kBytesMax.
  static constexpr uint16_t kLayersMax = 15;

  KeyFilter(Heap& heap, HashSeed seed) noexcept;
  ~KeyFilter();
  KeyFilter(const KeyFilter&) = delete;
  KeyFilter& operator=(const KeyFilter&) = delete;
  // The same as it is now, while this one goes on: their chunks are shared until one is written to.
  std::unique_ptr<KeyFilter> share() const;

  // False if it was there, or the filter is full.
  bool add(ByteView key) noexcept;
  // False if it was not there. Only keys that were added may be removed.
  bool remove(ByteView key) noexcept;

  // False: it was never added, or removed.
  bool may_contain(ByteView key) const noexcept;
  // It says "probably" to everything.
  bool is_full() const noexcept;
  uint64_t size() const noexcept;  // keys, of one tag and bucket counted once
  uint16_t layer_count() const noexcept;

  // ---- dump
  static constexpr size_t kHeaderBytes = 19;
  std::string header() const;
  // Errors: Err::kCorrupt.
  static Result<std::unique_ptr<KeyFilter>> from_header(Heap& heap, ByteView header);
  // At most `bytes_max` bytes of the run of buckets, from `at` on; none behind its end.
  std::string read(uint64_t at, size_t bytes_max) const;
  // A piece that read() gave, at the place where it was. Errors: Err::kOutOfRange, Err::kTooBig -
  // it does not fit the header.
  Status write(uint64_t at, ByteView bytes) noexcept;
  // How long the run is.
  uint64_t run_bytes() const noexcept;
  // The keys in a piece that read() gave; none if no filter has such buckets.
  static std::optional<uint64_t> count_tags(ByteView piece) noexcept;

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

  KeyFilter(Heap& heap, Table* table) noexcept : heap_(heap), table_(table) {}
  Mark mark_of(ByteView key) const noexcept;
  bool contains(const Mark& mark) const noexcept;
  void add_layer() noexcept;

  Heap& heap_;
  Table* table_;  // null once it was freed
};

}  // namespace ouro
