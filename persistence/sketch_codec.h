// SPDX-License-Identifier: BSD-3-Clause
// Filters and sketches in RDB: as values of the module RedisBloom, so that a Redis with that module
// reads them, and its own are read here. What stands between module id and end, all numbers
// unsigned where nothing else is said:
//
//   Bloom     items | layers | flags (bloom.h) | expansion | of each layer: capacity, error f64,
//             hashes, bits an item f64, bits, 0, bits themselves, items
//   Cuckoo    layers | buckets of the first | items | removed | bucket size | iterations |
//   expansion |
//             of each layer: buckets, cells
//   CountMin  width | depth | total | counters
//   TopK      k | width | depth | decay f64 | cells | k places of 24 bytes | k items, each with a
//             zero byte behind
//             place   fingerprint u32 | item's bytes u32 | 8 bytes | count u32 | 4 bytes
//   TDigest   compression f64, min f64, max f64, nodes, merged, 0, joined (signed each), weight
//   f64,
//             0 f64 | means f64 | weights f64
//
// Two fields of TopK's places are addresses and filling in RedisBloom, which it overwrites. What it
// has no place for stands there: the dice in the first place's address, and where each item is in
// our heap in the filling; so a list goes on exactly as it would have. Where these say nothing, the
// heap is ordered by count and bytes. In the bytes the places are ordered by count, which is a
// heap, the free ones first, as RedisBloom has them. A t-digest is saved with its samples joined,
// as RedisBloom does; the value itself stays as it is.
//
// Large arrays are written as pieces of one string. Read, stretches of zeros take no memory.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "datastructs/keyspace/value.h"
#include "persistence/rdb_writer.h"
#include "persistence/value_target.h"

namespace ouro {

// The module's id; the writer below goes on.
void begin_sketch(const Bloom& bloom, RdbWriter& out);
void begin_sketch(const Cuckoo& cuckoo, RdbWriter& out);
void begin_sketch(const CountMin& sketch, RdbWriter& out);
void begin_sketch(const TopK& top, RdbWriter& out);
void begin_sketch(const TDigest& digest, RdbWriter& out);

// Writes a filter or sketch, up to the module's end, in pieces of an array or a few numbers, for
// who cannot do all of it in one turn. What costs as much as a command is done at once: the places
// of a TopK, the centroids of a TDigest.
class SketchWriter {
 public:
  virtual ~SketchWriter() = default;
  // Appends the next piece and lowers the budget by what it cost (write_budget.h); true when it was
  // the last.
  bool next(size_t& budget, RdbWriter& out);

 protected:
  // An array of `bytes` bytes comes next, piece by piece of read_array().
  void begin_array(uint64_t bytes, RdbWriter& out);

 private:
  // At most so many bytes from `at` on, counted over all arrays.
  virtual std::string read_array(uint64_t at, size_t bytes_max) const = 0;
  // What stands before the next array, which it begins, or behind the last; true if it was all.
  virtual bool write_numbers(RdbWriter& out) = 0;

  uint64_t at_ = 0;          // of all arrays
  uint64_t array_left_ = 0;  // bytes of the one that is written
};
// The sketch stays as it is until all is written: it may be a share.
std::unique_ptr<SketchWriter> sketch_writer(const Bloom& bloom);
std::unique_ptr<SketchWriter> sketch_writer(const Cuckoo& cuckoo);
std::unique_ptr<SketchWriter> sketch_writer(const CountMin& sketch);
std::unique_ptr<SketchWriter> sketch_writer(const TopK& top);
std::unique_ptr<SketchWriter> sketch_writer(const TDigest& digest);

// From the module's id to its end.
template <class Sketch>
void write_sketch(const Sketch& sketch, RdbWriter& out) {
  begin_sketch(sketch, out);
  const auto writer = sketch_writer(sketch);
  for (size_t budget = SIZE_MAX; !writer->next(budget, out);) {
  }
}

// Behind the module's id, up to its end, which is not read. Nothing, after refuse(), if it is
// wrong.
std::optional<Bloom> read_bloom(RdbReader& in, Heap& heap);
std::optional<Cuckoo> read_cuckoo(RdbReader& in, Heap& heap);
std::optional<CountMin> read_count_min(RdbReader& in, Heap& heap);
std::optional<TopK> read_top_k(RdbReader& in, Heap& heap);
std::optional<TDigest> read_t_digest(RdbReader& in, Heap& heap);

}  // namespace ouro
