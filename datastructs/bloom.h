// SPDX-License-Identifier: BSD-3-Clause
// Bloom: a scalable Bloom filter, a set that answers "surely not" or "probably".
//
//      Bloom -> | items, expansion, scaling | layer 0 | layer 1 | ... |      one block
//                                               |         |
//                                               bits      bits               ChunkedBytes
//
// A layer is a plain filter (Bloom 1970): an item sets, and is asked by, `hashes` bits. Where they
// are follows from two hashes a and b of the item, as a + i * b (Kirsch and Mitzenmacher 2006).
// When the newest layer holds as many items as it was made for, another one is laid over it
// (Almeida, Baquero, Preguica, Hutchison 2007: "Scalable Bloom Filters"): `expansion` times as
// large, with half the error rate, so that the errors of all layers together stay below the one
// asked for. The first layer has half of it already; a filter that does not scale has one layer
// with all of it, and is full at the end.
//
// Sizes, hashes and places of bits are those of the module RedisBloom, so its filters can be read
// and it can read ours. The same holds for the dump, little-endian and without padding:
//
//      header   items u64 | layers u32 | flags u32 | expansion u32 | a record of each layer
//      record   bytes u64 | bits u64 | items u64 | error f64 | bits an item f64 | hashes u32 |
//               capacity u64 | 0 u8                                                53 bytes
//      flags    5, and 8 more if it does not scale
//
// behind which the bits of all layers stand as one run, read and written piece by piece.
// Invariants: an item counts in one layer; the layers' items are the filter's. After write() of
// foreign bits the counts are what the header said.
// Cost: add and contains look at `hashes` bits a layer. Not for removal: that is cuckoo.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/result.h"
#include "datastructs/base/units.h"

namespace ouro {

template <class Head, class Layer>
class LayerRun;

class Bloom {
 public:
  struct Shape {
    double error_rate = 0.01;  // 0 < error_rate < 1
    uint64_t capacity = 100;   // > 0
    uint32_t expansion = 2;    // > 0
    bool scaling = true;
  };
  enum class Added : uint8_t {
    kNew,
    kPresent,
    kFull,        // it does not scale
    kCannotGrow,  // another layer would go beyond the limits below
  };
  // Of all layers together.
  static constexpr size_t kBytesMax = 4_GiB;
  // With an expansion of 1 each layer makes every call slower, and the error rate would be zero
  // before long.
  static constexpr uint32_t kLayersMax = 1024;

  Bloom() = default;
  // False if the first layer would be too large.
  static bool fits(const Shape& shape) noexcept;
  // Requires fits(shape).
  static Bloom create(Heap& heap, const Shape& shape) noexcept;
  void destroy(Heap& heap) noexcept;
  Bloom copy(Heap& heap) const noexcept;
  // The same as it is now, for reading and destroy(), while this one goes on: see ChunkedBytes.
  Bloom share(Heap& heap) const noexcept;

  Added add(Heap& heap, ByteView item) noexcept;
  bool contains(ByteView item) const noexcept;

  uint64_t size() const noexcept;      // items added, those taken for present not counted
  uint64_t capacity() const noexcept;  // of all layers
  uint32_t layers() const noexcept;
  uint32_t expansion() const noexcept;
  bool is_scaling() const noexcept;
  // What BF.INFO calls Size: as RedisBloom counts it, so the same there and here.
  uint64_t reported_bytes() const noexcept;

  // ---- dump
  std::string header() const;
  // Errors: Err::kCorrupt.
  static Result<Bloom> from_header(Heap& heap, ByteView header);
  // layer_run.h says how.
  std::string read(uint64_t at, size_t bytes_max) const;
  Status write(Heap& heap, uint64_t at, ByteView bytes) noexcept;

  ByteView encoding() const noexcept { return "raw"; }
  // All that makes up the contents, for digests.
  void for_each_part(FunctionRef<void(ByteView)> visit) const;
  size_t memory_bytes() const noexcept;
  size_t free_effort() const noexcept;
  bool free_some(Heap& heap, size_t& budget) noexcept;
  void check_invariants() const;

 private:
  struct Head;
  struct Layer;
  using Table = LayerRun<Head, Layer>;
  struct Hash {
    uint64_t a;
    uint64_t b;
  };
  static Hash hash_of(ByteView item) noexcept;

  bool contains(Hash hash) const noexcept;
  bool can_add_layer(double error, uint64_t capacity) const noexcept;
  bool grow(Heap& heap) noexcept;

  Table* table_ = nullptr;
};

static_assert(sizeof(Bloom) == 8);

}  // namespace ouro
