// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/cuckoo.h"

#include <bit>
#include <optional>
#include <utility>

#include "datastructs/base/murmur.h"
#include "datastructs/codec/little_endian.h"
#include "datastructs/layer_run.h"

namespace ouro {
namespace {

constexpr uint8_t kFree = 0;
// What RedisBloom's blocks take besides the cells.
constexpr uint64_t kReportedHeadBytes = 40;
constexpr uint64_t kReportedLayerBytes = 16;

// The hash of the one bucket, from that of the other.
uint64_t other_bucket(uint64_t bucket, uint8_t fingerprint) noexcept {
  return bucket ^ (fingerprint * uint64_t{0x5bd1e995});
}

uint64_t buckets_for(const Cuckoo::Shape& shape) noexcept {
  return std::bit_ceil(std::max<uint64_t>(shape.capacity / shape.bucket_size, 1));
}

}  // namespace

// What is left of an item.
struct Cuckoo::Mark {
  uint8_t fingerprint;
  uint64_t buckets[2];  // before they are taken modulo a layer's buckets
};

struct Cuckoo::Layer {
  ChunkedBytes bytes;  // the cells
  uint64_t buckets;    // a power of two
  uint16_t bucket_size;

  static Layer make(Heap& heap, uint64_t buckets, uint16_t bucket_size) noexcept {
    return {.bytes = ChunkedBytes::create(heap, buckets * bucket_size),
            .buckets = buckets,
            .bucket_size = bucket_size};
  }
  size_t first_cell(uint64_t bucket) const noexcept {
    return (bucket & (buckets - 1)) * bucket_size;
  }
  uint8_t cell(size_t at) const noexcept { return bytes.get<uint8_t>(at); }
  void set_cell(Heap& heap, size_t at, uint8_t value) noexcept { bytes.set(heap, at, value); }

  // The first cell of the bucket that holds `value`.
  std::optional<size_t> find(uint64_t bucket, uint8_t value) const noexcept {
    const size_t first = first_cell(bucket);
    for (size_t at = first; at < first + bucket_size; ++at) {
      if (cell(at) == value) return at;
    }
    return std::nullopt;
  }
  // The same in both buckets of the mark.
  std::optional<size_t> find(const Mark& mark, uint8_t value) const noexcept {
    const auto found = find(mark.buckets[0], value);
    return found ? found : find(mark.buckets[1], value);
  }
  bool put(Heap& heap, const Mark& mark) noexcept {
    const auto free = find(mark, kFree);
    if (free) set_cell(heap, *free, mark.fingerprint);
    return free.has_value();
  }
  uint64_t count(uint64_t bucket, uint8_t value) const noexcept {
    uint64_t sum = 0;
    for (size_t i = 0; i < bucket_size; ++i) sum += cell(first_cell(bucket) + i) == value;
    return sum;
  }
  bool put_by_moves(Heap& heap, const Mark& mark, uint32_t moves_max) noexcept;
};

struct Cuckoo::Head {
  uint64_t items = 0;
  uint64_t removed = 0;
  uint16_t bucket_size = 0;
  uint16_t max_iterations = 0;
  uint16_t expansion = 0;
};

// Puts the mark into its first bucket although that is full: each fingerprint that has to go moves
// on to its other bucket, until one of these has room. False, with all of them back where they
// were, when that takes more than `moves_max` moves.
bool Cuckoo::Layer::put_by_moves(Heap& heap, const Mark& mark, uint32_t moves_max) noexcept {
  uint8_t fingerprint = mark.fingerprint;
  uint64_t bucket = mark.buckets[0] & (buckets - 1);
  size_t victim = 0;
  const auto exchange = [&] {
    const size_t at = first_cell(bucket) + victim;
    const uint8_t out = cell(at);
    set_cell(heap, at, std::exchange(fingerprint, out));
  };
  for (uint32_t moves = 0; moves < moves_max; ++moves) {
    exchange();
    bucket = other_bucket(bucket, fingerprint) & (buckets - 1);
    if (const auto free = find(bucket, kFree)) {
      set_cell(heap, *free, fingerprint);
      return true;
    }
    victim = (victim + 1) % bucket_size;
  }
  for (uint32_t moves = 0; moves < moves_max; ++moves) {
    victim = (victim + bucket_size - 1) % bucket_size;
    bucket = other_bucket(bucket, fingerprint) & (buckets - 1);
    exchange();
  }
  return false;
}

bool Cuckoo::fits(const Shape& shape) noexcept {
  // The first comparison keeps the rounding up from going beyond 64 bits.
  return shape.capacity <= kBytesMax && buckets_for(shape) <= kBytesMax / shape.bucket_size;
}

Cuckoo Cuckoo::create(Heap& heap, const Shape& shape) noexcept {
  CHECK(fits(shape));
  Cuckoo made;
  Table* table = heap.make<Table>(
      Head{.bucket_size = shape.bucket_size,
           .max_iterations = shape.max_iterations,
           .expansion = shape.expansion == 0 ? uint16_t{0} : std::bit_ceil(shape.expansion)});
  made.table_ = Table::push(heap, table, Layer::make(heap, buckets_for(shape), shape.bucket_size));
  return made;
}

void Cuckoo::destroy(Heap& heap) noexcept {
  size_t budget = SIZE_MAX;
  free_some(heap, budget);
}

Cuckoo Cuckoo::copy(Heap& heap) const noexcept {
  Cuckoo made;
  made.table_ = table_->copy(heap);
  return made;
}

Cuckoo Cuckoo::share(Heap& heap) const noexcept {
  Cuckoo made;
  made.table_ = table_->share(heap);
  return made;
}

bool Cuckoo::grow(Heap& heap) noexcept {
  if (table_->layer_count() >= kLayersMax) return false;
  // No overflow: a layer has at most 2^32 buckets.
  const uint64_t buckets = table_->newest().buckets * table_->expansion;
  const uint64_t cells_left = kBytesMax - table_->bytes();
  if (buckets > cells_left / table_->bucket_size) return false;
  table_ = Table::push(heap, table_, Layer::make(heap, buckets, table_->bucket_size));
  return true;
}

Cuckoo::Mark Cuckoo::mark_of(ByteView item) noexcept {
  const uint64_t hash = murmur64(item, 0);
  const auto fingerprint = static_cast<uint8_t>(hash % 255 + 1);
  return {fingerprint, {hash, other_bucket(hash, fingerprint)}};
}

Cuckoo::Added Cuckoo::add(Heap& heap, ByteView item) noexcept { return add(heap, mark_of(item)); }

Cuckoo::Added Cuckoo::add_unless_present(Heap& heap, ByteView item) noexcept {
  const Mark mark = mark_of(item);
  return contains(mark) ? Added::kPresent : add(heap, mark);
}

Cuckoo::Added Cuckoo::add(Heap& heap, const Mark& mark) noexcept {
  bool done = false;
  for (size_t i = table_->layer_count(); i > 0 && !done; --i) {
    done = table_->layers()[i - 1].put(heap, mark);
  }
  if (!done) done = table_->newest().put_by_moves(heap, mark, table_->max_iterations);
  if (!done) {
    if (table_->expansion == 0) return Added::kFull;
    if (!grow(heap)) return Added::kCannotGrow;
    CHECK(table_->newest().put(heap, mark));
  }
  ++table_->items;
  return Added::kNew;
}

bool Cuckoo::remove(Heap& heap, ByteView item) noexcept {
  const Mark mark = mark_of(item);
  for (size_t i = table_->layer_count(); i > 0; --i) {
    Layer& layer = table_->layers()[i - 1];
    const auto cell = layer.find(mark, mark.fingerprint);
    if (!cell) continue;
    layer.set_cell(heap, *cell, kFree);
    // Foreign bytes may hold more than their header said.
    if (table_->items > 0) --table_->items;
    ++table_->removed;
    if (table_->layer_count() > 1 && table_->removed > table_->items / 10) {
      compact(heap, Compaction::kWhileLayersGo);
    }
    return true;
  }
  return false;
}

void Cuckoo::compact(Heap& heap) noexcept { compact(heap, Compaction::kAll); }

void Cuckoo::compact(Heap& heap, Compaction extent) noexcept {
  for (uint16_t i = table_->layer_count(); i > 1; --i) {
    const auto from = static_cast<uint16_t>(i - 1);
    const bool emptied = move_down(heap, from);
    if (emptied && i == table_->layer_count()) {
      table_->pop(heap);
    }
    // A layer that stays keeps those below it.
    if (!emptied && extent == Compaction::kWhileLayersGo) break;
  }
  table_->removed = 0;
}

// Moves what finds room in an earlier layer; true if that was all. A bucket's number is enough of
// a hash there: no earlier layer has more buckets.
bool Cuckoo::move_down(Heap& heap, uint16_t from) noexcept {
  Layer& layer = table_->layers()[from];
  bool emptied = true;
  layer.bytes.for_each_chunk([&](size_t first, ByteView cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      const auto fingerprint = static_cast<uint8_t>(cells[i]);
      if (fingerprint == kFree) continue;
      const uint64_t bucket = (first + i) / layer.bucket_size;
      const Mark mark{fingerprint, {bucket, other_bucket(bucket, fingerprint)}};
      bool moved = false;
      for (size_t to = 0; to < from && !moved; ++to) {
        moved = table_->layers()[to].put(heap, mark);
      }
      if (moved) layer.set_cell(heap, first + i, kFree);
      emptied = emptied && moved;
    }
  });
  return emptied;
}

bool Cuckoo::contains(ByteView item) const noexcept { return contains(mark_of(item)); }

bool Cuckoo::contains(const Mark& mark) const noexcept {
  for (const Layer& layer : table_->layers()) {
    if (layer.find(mark, mark.fingerprint)) return true;
  }
  return false;
}

uint64_t Cuckoo::count(ByteView item) const noexcept {
  const Mark mark = mark_of(item);
  uint64_t sum = 0;
  for (const Layer& layer : table_->layers()) {
    for (const uint64_t bucket : mark.buckets) sum += layer.count(bucket, mark.fingerprint);
  }
  return sum;
}

uint64_t Cuckoo::size() const noexcept { return table_->items; }
uint64_t Cuckoo::removed() const noexcept { return table_->removed; }
uint64_t Cuckoo::buckets() const noexcept { return table_->layers()[0].buckets; }
uint16_t Cuckoo::layers() const noexcept { return table_->layer_count(); }
uint16_t Cuckoo::bucket_size() const noexcept { return table_->bucket_size; }
uint16_t Cuckoo::max_iterations() const noexcept { return table_->max_iterations; }
uint16_t Cuckoo::expansion() const noexcept { return table_->expansion; }

uint64_t Cuckoo::reported_bytes() const noexcept {
  return kReportedHeadBytes + layers() * kReportedLayerBytes + table_->bytes();
}

std::string Cuckoo::header() const {
  std::string out;
  append_fixed(out, table_->items);
  append_fixed(out, buckets());
  append_fixed(out, table_->removed);
  append_fixed<uint64_t>(out, table_->layer_count());
  append_fixed(out, table_->bucket_size);
  append_fixed(out, table_->max_iterations);
  append_fixed(out, table_->expansion);
  return out;
}

Result<Cuckoo> Cuckoo::from_header(Heap& heap, ByteView header) {
  if (header.size() != kHeaderBytes) return Err::kCorrupt;
  const auto items = take_fixed<uint64_t>(header);
  auto buckets = take_fixed<uint64_t>(header);
  const auto removed = take_fixed<uint64_t>(header);
  const auto layer_count = take_fixed<uint64_t>(header);
  const auto bucket_size = take_fixed<uint16_t>(header);
  const auto max_iterations = take_fixed<uint16_t>(header);
  const auto expansion = take_fixed<uint16_t>(header);
  if (bucket_size == 0 || bucket_size > kBucketSizeMax || max_iterations == 0 ||
      !std::has_single_bit(buckets) || layer_count == 0 || layer_count > kLayersMax) {
    return Err::kCorrupt;
  }
  if (expansion == 0 ? layer_count > 1
                     : expansion > kExpansionMax || !std::has_single_bit(expansion)) {
    return Err::kCorrupt;
  }
  Cuckoo made;
  made.table_ = heap.make<Table>(Head{.items = items,
                                      .removed = removed,
                                      .bucket_size = bucket_size,
                                      .max_iterations = max_iterations,
                                      .expansion = expansion});
  for (uint64_t i = 0; i < layer_count; ++i) {
    const uint64_t cells_left = kBytesMax - made.table_->bytes();
    if (buckets > cells_left / bucket_size) {
      made.destroy(heap);
      return Err::kCorrupt;
    }
    made.table_ = Table::push(heap, made.table_, Layer::make(heap, buckets, bucket_size));
    buckets *= expansion;
  }
  return made;
}

std::string Cuckoo::read(uint64_t at, size_t bytes_max) const {
  return table_->read(at, bytes_max);
}

Status Cuckoo::write(Heap& heap, uint64_t at, ByteView bytes) noexcept {
  return table_->write(heap, at, bytes);
}

void Cuckoo::for_each_part(FunctionRef<void(ByteView)> visit) const {
  visit(header());
  table_->visit_parts(visit);
}

size_t Cuckoo::memory_bytes() const noexcept { return table_->memory_bytes(); }
size_t Cuckoo::free_effort() const noexcept { return table_->free_effort(); }
bool Cuckoo::free_some(Heap& heap, size_t& budget) noexcept {
  return Table::free_some(heap, table_, budget);
}

void Cuckoo::check_invariants() const {
  table_->check_invariants();
  CHECK(table_->layer_count() <= kLayersMax);
  for (const Layer& layer : table_->layers()) {
    CHECK(std::has_single_bit(layer.buckets));
    CHECK(layer.bytes.size() == layer.buckets * table_->bucket_size);
  }
}

}  // namespace ouro
