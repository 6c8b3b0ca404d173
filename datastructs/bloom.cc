// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/bloom.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "datastructs/base/murmur.h"
#include "datastructs/codec/little_endian.h"
#include "datastructs/layer_run.h"

namespace ouro {
namespace {

// As many digits as RedisBloom uses: the sizes of layers must come out the same.
constexpr double kLn2 = 0.693147180559945;
constexpr double kLn2Squared = 0.480453013918201;
constexpr double kTightening = 0.5;

// The flags of a dump. The first two say how bits are placed, the only way there is here.
constexpr uint32_t kNotRounded = 1;
constexpr uint32_t kHash64 = 4;
constexpr uint32_t kNotScaling = 8;
constexpr size_t kHeaderBytes = 20;
constexpr size_t kLayerRecordBytes = 53;
// What RedisBloom's blocks take besides the bits.
constexpr uint64_t kReportedHeadBytes = 32;
constexpr uint64_t kReportedLayerBytes = 64;

double bits_an_item(double error) noexcept { return -(std::log(error) / kLn2Squared); }
uint32_t hashes_for(double error) noexcept {
  return static_cast<uint32_t>(std::ceil(kLn2 * bits_an_item(error)));
}
// Rounded up to whole words.
double layer_bytes(double error, uint64_t capacity) noexcept {
  const double bits = std::floor(static_cast<double>(capacity) * bits_an_item(error));
  return std::ceil(std::max(bits, 1.0) / 64) * 8;
}

}  // namespace

struct Bloom::Layer {
  ChunkedBytes bytes;
  uint64_t items = 0;
  uint64_t capacity = 0;
  double error = 0;
  uint32_t hashes = 0;

  static Layer make(Heap& heap, double error, uint64_t capacity) noexcept {
    const auto size = static_cast<size_t>(layer_bytes(error, capacity));
    return {.bytes = ChunkedBytes::create(heap, size),
            .items = 0,
            .capacity = capacity,
            .error = error,
            .hashes = hashes_for(error)};
  }
  // Walks over the places of the item's bits; false as soon as `use` says so.
  template <class Use>
  bool all_bits(Hash hash, Use use) const noexcept {
    const uint64_t count = uint64_t{bytes.size()} * 8;
    for (uint32_t i = 0; i < hashes; ++i, hash.a += hash.b) {
      const uint64_t bit = hash.a % count;
      if (!use(bit / 8, static_cast<uint8_t>(1U << (bit % 8)))) return false;
    }
    return true;
  }
  bool contains(Hash hash) const noexcept {
    return all_bits(hash,
                    [&](size_t at, uint8_t mask) { return (bytes.get<uint8_t>(at) & mask) != 0; });
  }
  void add(Heap& heap, Hash hash) noexcept {
    all_bits(hash, [&](size_t at, uint8_t mask) {
      bytes.set(heap, at, static_cast<uint8_t>(bytes.get<uint8_t>(at) | mask));
      return true;
    });
    ++items;
  }
};

struct Bloom::Head {
  uint64_t items = 0;
  uint32_t expansion = 0;
  bool scaling = true;
};

bool Bloom::fits(const Shape& shape) noexcept {
  const double error = shape.error_rate * (shape.scaling ? kTightening : 1);
  return Bloom().can_add_layer(error, shape.capacity);
}

Bloom Bloom::create(Heap& heap, const Shape& shape) noexcept {
  CHECK(fits(shape));
  Bloom made;
  made.table_ = heap.make<Table>(Head{.expansion = shape.expansion, .scaling = shape.scaling});
  const double error = shape.error_rate * (shape.scaling ? kTightening : 1);
  made.table_ = Table::push(heap, made.table_, Layer::make(heap, error, shape.capacity));
  return made;
}

void Bloom::destroy(Heap& heap) noexcept {
  size_t budget = SIZE_MAX;
  free_some(heap, budget);
}

Bloom Bloom::copy(Heap& heap) const noexcept {
  Bloom made;
  made.table_ = table_->copy(heap);
  return made;
}

Bloom Bloom::share(Heap& heap) const noexcept {
  Bloom made;
  made.table_ = table_->share(heap);
  return made;
}

bool Bloom::can_add_layer(double error, uint64_t capacity) const noexcept {
  if (!(error > 0 && error < 1) || capacity == 0) return false;
  const double bytes = layer_bytes(error, capacity);
  if (table_ == nullptr) return bytes <= static_cast<double>(kBytesMax);
  return table_->layer_count() < kLayersMax &&
         bytes <= static_cast<double>(kBytesMax - table_->bytes());
}

bool Bloom::grow(Heap& heap) noexcept {
  const Layer& newest = table_->newest();
  const double error = newest.error * kTightening;
  uint64_t capacity = 0;
  if (__builtin_mul_overflow(newest.capacity, table_->expansion, &capacity)) return false;
  if (!can_add_layer(error, capacity)) return false;
  table_ = Table::push(heap, table_, Layer::make(heap, error, capacity));
  return true;
}

Bloom::Hash Bloom::hash_of(ByteView item) noexcept {
  const uint64_t a = murmur64(item, 0xc6a4a7935bd1e995);
  return {a, murmur64(item, a)};
}

Bloom::Added Bloom::add(Heap& heap, ByteView item) noexcept {
  const Hash hash = hash_of(item);
  if (contains(hash)) return Added::kPresent;
  if (table_->newest().items >= table_->newest().capacity) {
    if (!table_->scaling) return Added::kFull;
    if (!grow(heap)) return Added::kCannotGrow;
  }
  table_->newest().add(heap, hash);
  ++table_->items;
  return Added::kNew;
}

bool Bloom::contains(ByteView item) const noexcept { return contains(hash_of(item)); }

bool Bloom::contains(Hash hash) const noexcept {
  // The newest layer is the largest: most items are there.
  const std::span<const Layer> layers = table_->layers();
  return std::any_of(layers.rbegin(), layers.rend(),
                     [&](const Layer& layer) { return layer.contains(hash); });
}

uint64_t Bloom::size() const noexcept { return table_->items; }
uint32_t Bloom::layers() const noexcept { return table_->layer_count(); }
uint32_t Bloom::expansion() const noexcept { return table_->expansion; }
bool Bloom::is_scaling() const noexcept { return table_->scaling; }

uint64_t Bloom::capacity() const noexcept {
  uint64_t sum = 0;
  for (const Layer& layer : table_->layers()) sum += layer.capacity;
  return sum;
}

uint64_t Bloom::reported_bytes() const noexcept {
  return kReportedHeadBytes + layers() * kReportedLayerBytes + table_->bytes();
}

std::string Bloom::header() const {
  std::string out;
  append_fixed(out, table_->items);
  append_fixed<uint32_t>(out, table_->layer_count());
  append_fixed(out, kNotRounded | kHash64 | (table_->scaling ? 0 : kNotScaling));
  append_fixed(out, table_->expansion);
  for (const Layer& layer : table_->layers()) {
    append_fixed<uint64_t>(out, layer.bytes.size());
    append_fixed<uint64_t>(out, layer.bytes.size() * 8);
    append_fixed(out, layer.items);
    append_fixed(out, layer.error);
    append_fixed(out, bits_an_item(layer.error));
    append_fixed(out, layer.hashes);
    append_fixed(out, layer.capacity);
    append_fixed<uint8_t>(out, 0);
  }
  return out;
}

Result<Bloom> Bloom::from_header(Heap& heap, ByteView header) {
  if (header.size() < kHeaderBytes) return Err::kCorrupt;
  const auto items = take_fixed<uint64_t>(header);
  const auto layer_count = take_fixed<uint32_t>(header);
  const auto flags = take_fixed<uint32_t>(header);
  const auto expansion = take_fixed<uint32_t>(header);
  if (layer_count == 0 || layer_count > kLayersMax || expansion == 0) return Err::kCorrupt;
  if ((flags & ~kNotScaling) != (kNotRounded | kHash64)) return Err::kCorrupt;
  if (header.size() != layer_count * kLayerRecordBytes) return Err::kCorrupt;
  Bloom made;
  made.table_ = heap.make<Table>(
      Head{.items = items, .expansion = expansion, .scaling = (flags & kNotScaling) == 0});
  uint64_t items_left = items;
  while (!header.empty()) {
    const auto bytes = take_fixed<uint64_t>(header);
    const auto bits = take_fixed<uint64_t>(header);
    Layer layer;
    layer.items = take_fixed<uint64_t>(header);
    layer.error = take_fixed<double>(header);
    take_fixed<double>(header);  // follows from the error
    layer.hashes = take_fixed<uint32_t>(header);
    layer.capacity = take_fixed<uint64_t>(header);
    const bool is_rounded = take_fixed<uint8_t>(header) != 0;
    if (is_rounded || bytes == 0 || bytes > kBytesMax - made.table_->bytes() || bits != bytes * 8 ||
        !(layer.error > 0 && layer.error < 1) || layer.hashes != hashes_for(layer.error) ||
        layer.capacity == 0 || layer.items > items_left) {
      made.destroy(heap);
      return Err::kCorrupt;
    }
    items_left -= layer.items;
    layer.bytes = ChunkedBytes::create(heap, bytes);
    made.table_ = Table::push(heap, made.table_, layer);
  }
  if (items_left == 0) return made;
  made.destroy(heap);
  return Err::kCorrupt;
}

std::string Bloom::read(uint64_t at, size_t bytes_max) const { return table_->read(at, bytes_max); }

Status Bloom::write(Heap& heap, uint64_t at, ByteView bytes) noexcept {
  return table_->write(heap, at, bytes);
}

void Bloom::for_each_part(FunctionRef<void(ByteView)> visit) const {
  visit(header());
  table_->visit_parts(visit);
}

size_t Bloom::memory_bytes() const noexcept { return table_->memory_bytes(); }
size_t Bloom::free_effort() const noexcept { return table_->free_effort(); }
bool Bloom::free_some(Heap& heap, size_t& budget) noexcept {
  return Table::free_some(heap, table_, budget);
}

void Bloom::check_invariants() const {
  table_->check_invariants();
  uint64_t items = 0;
  for (const Layer& layer : table_->layers()) items += layer.items;
  CHECK(items == table_->items);
}

}  // namespace ouro
