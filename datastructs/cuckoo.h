// SPDX-License-Identifier: BSD-3-Clause
// Cuckoo: a cuckoo filter (Fan, Andersen, Kaminsky, Mitzenmacher 2014), a set that answers "surely
// not" or "probably", from which items can be removed, and that counts an item added repeatedly.
//
//      Cuckoo -> | counts, parameters | layer 0 | layer 1 | ... |      one block
//                                         |
//                                         bucket bucket bucket ...     ChunkedBytes
//                                         each of bucket_size fingerprints of one byte, 0: free
//
// An item is a fingerprint in one of two buckets; from the one bucket and the fingerprint follows
// the other. When both are full, the new fingerprint takes the place of one that moves to its other
// bucket, and so on, up to max_iterations moves; if that finds no room all is put back, and a layer
// with `expansion` times as many buckets is laid over it. Nothing here is drawn at random: the
// victim's place in its bucket goes round, so the same commands give the same bytes.
//
// Sizes, hashes and moves are those of the module RedisBloom, and so is the dump, little-endian and
// without padding; the cells of all layers stand as one run behind the header:
//
//      items u64 | buckets of layer 0 u64 | removed u64 | layers u64 | bucket_size u16 |
//      max_iterations u16 | expansion u16                                             38 bytes
//
// Invariants: a layer has a power of two of buckets. The filter's items are its fingerprints,
// unless foreign bytes were written that do not fit their header. Cost: two buckets a layer;
// compact() walks all layers but the first. An item that was not added must not be removed: another
// one's fingerprint could go.
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

class Cuckoo {
 public:
  static constexpr uint16_t kBucketSizeMax = 255;
  static constexpr uint16_t kIterationsMax = 65535;
  static constexpr uint16_t kExpansionMax = 32768;
  struct Shape {
    uint64_t capacity = 1024;      // at least two buckets
    uint16_t bucket_size = 2;      // 1 to kBucketSizeMax
    uint16_t max_iterations = 20;  // > 0
    uint16_t expansion = 1;  // up to kExpansionMax, taken up to a power of two; 0: never grows
  };
  enum class Added : uint8_t {
    kNew,
    kPresent,
    kFull,        // it does not grow
    kCannotGrow,  // another layer would go beyond the limits below
  };
  // Of all layers together.
  static constexpr size_t kBytesMax = 4_GiB;
  // Each layer makes every call slower.
  static constexpr uint16_t kLayersMax = 32;

  Cuckoo() = default;
  // False if the first layer would be too large.
  static bool fits(const Shape& shape) noexcept;
  // Requires fits(shape).
  static Cuckoo create(Heap& heap, const Shape& shape) noexcept;
  void destroy(Heap& heap) noexcept;
  Cuckoo copy(Heap& heap) const noexcept;
  // The same as it is now, for reading and destroy(), while this one goes on: see ChunkedBytes.
  Cuckoo share(Heap& heap) const noexcept;

  // Once more, if it is there.
  Added add(Heap& heap, ByteView item) noexcept;
  Added add_unless_present(Heap& heap, ByteView item) noexcept;
  // Once; false if it was not there. Compacts when many were removed.
  bool remove(Heap& heap, ByteView item) noexcept;
  // Moves fingerprints of later layers into free cells of earlier ones, and lets the last layer go
  // when it is empty.
  void compact(Heap& heap) noexcept;
  bool contains(ByteView item) const noexcept;
  // How often it was added, or more.
  uint64_t count(ByteView item) const noexcept;

  uint64_t size() const noexcept;
  uint64_t removed() const noexcept;  // since the last compaction
  uint64_t buckets() const noexcept;  // of the first layer
  uint16_t layers() const noexcept;
  uint16_t bucket_size() const noexcept;
  uint16_t max_iterations() const noexcept;
  uint16_t expansion() const noexcept;
  // What CF.INFO calls Size: as RedisBloom counts it, so the same there and here.
  uint64_t reported_bytes() const noexcept;

  // ---- dump
  static constexpr size_t kHeaderBytes = 38;
  std::string header() const;
  // Errors: Err::kCorrupt.
  static Result<Cuckoo> from_header(Heap& heap, ByteView header);
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
  struct Mark;

  static Mark mark_of(ByteView item) noexcept;
  bool contains(const Mark& mark) const noexcept;
  Added add(Heap& heap, const Mark& mark) noexcept;
  bool grow(Heap& heap) noexcept;
  bool move_down(Heap& heap, uint16_t from) noexcept;
  enum class Compaction : uint8_t { kWhileLayersGo, kAll };
  void compact(Heap& heap, Compaction extent) noexcept;

  Table* table_ = nullptr;
};

static_assert(sizeof(Cuckoo) == 8);

}  // namespace ouro
