// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/count_min.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "datastructs/base/murmur.h"
#include "datastructs/chunked_bytes.h"
#include "datastructs/codec/little_endian.h"

namespace ouro {
namespace {

constexpr size_t kCounterBytes = sizeof(uint32_t);
constexpr size_t kCountersAChunk = ChunkedBytes::kChunkBytes / kCounterBytes;

}  // namespace

struct CountMin::Table {
  uint64_t width;
  uint64_t depth;
  int64_t total;
  ChunkedBytes counters;

  size_t cells() const noexcept { return width * depth; }
  size_t cell_of(ByteView item, uint64_t row) const noexcept {
    return row * width + murmur32(item, static_cast<uint32_t>(row)) % width;
  }
};

CountMin::Shape CountMin::shape_for(double error, double probability) noexcept {
  // In single precision like RedisBloom, so that the depth comes out the same.
  const float depth = std::log10(static_cast<float>(probability)) / std::log10(0.5F);
  // What no integer can hold fits nowhere, too.
  const double width = std::min(std::ceil(2 / error), 0x1p63);
  return {.width = static_cast<uint64_t>(width),
          .depth = static_cast<uint64_t>(std::min(std::ceil(depth), 0x1p62F))};
}

bool CountMin::fits(const Shape& shape) noexcept {
  return shape.depth <= kDepthMax && shape.width <= kBytesMax / kCounterBytes / shape.depth;
}

CountMin CountMin::create(Heap& heap, const Shape& shape) noexcept {
  CHECK(fits(shape));
  CountMin made;
  made.table_ = heap.make<Table>(
      Table{.width = shape.width,
            .depth = shape.depth,
            .total = 0,
            .counters = ChunkedBytes::create(heap, shape.width * shape.depth * kCounterBytes)});
  return made;
}

void CountMin::destroy(Heap& heap) noexcept {
  size_t budget = SIZE_MAX;
  free_some(heap, budget);
}

CountMin CountMin::copy(Heap& heap) const noexcept {
  CountMin made;
  made.table_ = heap.make<Table>(*table_);
  made.table_->counters = table_->counters.copy(heap);
  return made;
}

CountMin CountMin::share(Heap& heap) const noexcept {
  CountMin made;
  made.table_ = heap.make<Table>(*table_);
  made.table_->counters = table_->counters.share(heap);
  return made;
}

uint32_t CountMin::add(Heap& heap, ByteView item, uint64_t by) noexcept {
  if (by == 0) return estimate(item);
  uint32_t least = kCounterMax;
  for (uint64_t row = 0; row < table_->depth; ++row) {
    const size_t cell = table_->cell_of(item, row);
    const auto old = table_->counters.get<uint32_t>(cell);
    const uint32_t sum = by > kCounterMax - old ? kCounterMax : static_cast<uint32_t>(old + by);
    table_->counters.set(heap, cell, sum);
    least = std::min(least, sum);
  }
  const auto room = static_cast<uint64_t>(INT64_MAX - table_->total);
  table_->total += static_cast<int64_t>(std::min(by, room));
  return least;
}

uint32_t CountMin::estimate(ByteView item) const noexcept {
  uint32_t least = kCounterMax;
  for (uint64_t row = 0; row < table_->depth; ++row) {
    least = std::min(least, table_->counters.get<uint32_t>(table_->cell_of(item, row)));
  }
  return least;
}

bool CountMin::merge(Heap& heap, std::span<const CountMin* const> sources,
                     std::span<const int64_t> weights) noexcept {
  // The sum over all sources of what `part` says of each, times its weight.
  const auto weighted = [&](auto part) -> std::optional<int64_t> {
    int64_t sum = 0;
    for (size_t i = 0; i < sources.size(); ++i) {
      int64_t product = 0;
      if (__builtin_mul_overflow(part(*sources[i]->table_), weights[i], &product)) return {};
      if (__builtin_add_overflow(sum, product, &sum)) return {};
    }
    if (sum < 0) return {};
    return sum;
  };
  const auto cell_sum = [&](size_t cell) {
    return weighted(
        [&](const Table& source) { return int64_t{source.counters.get<uint32_t>(cell)}; });
  };
  // Where a whole chunk is missing everywhere, zeros stay zeros.
  const auto is_blank = [&](size_t cell) {
    const auto lacks_it = [&](const CountMin* sketch) {
      return !sketch->table_->counters.has_chunk(cell * kCounterBytes);
    };
    return lacks_it(this) && std::all_of(sources.begin(), sources.end(), lacks_it);
  };
  const auto for_each_cell = [&](auto use) {
    for (size_t cell = 0; cell < table_->cells(); ++cell) {
      if (cell % kCountersAChunk == 0) {
        while (cell < table_->cells() && is_blank(cell)) cell += kCountersAChunk;
        if (cell >= table_->cells()) break;
      }
      if (!use(cell)) return false;
    }
    return true;
  };

  const auto total = weighted([](const Table& source) { return source.total; });
  const bool all_fit = for_each_cell([&](size_t cell) {
    const auto sum = cell_sum(cell);
    return sum && *sum <= int64_t{kCounterMax};
  });
  if (!total || !all_fit) return false;
  for_each_cell([&](size_t cell) {
    table_->counters.set(heap, cell, static_cast<uint32_t>(*cell_sum(cell)));
    return true;
  });
  table_->total = *total;
  return true;
}

uint64_t CountMin::width() const noexcept { return table_->width; }
uint64_t CountMin::depth() const noexcept { return table_->depth; }
int64_t CountMin::total() const noexcept { return table_->total; }

uint64_t CountMin::counter_bytes() const noexcept { return table_->counters.size(); }
void CountMin::set_total(int64_t total) noexcept { table_->total = total; }

std::string CountMin::read(uint64_t at, size_t bytes_max) const {
  std::string out(std::min<size_t>(bytes_max, table_->counters.size() - at), '\0');
  table_->counters.read(at, out.size(), out.data());
  return out;
}

void CountMin::write(Heap& heap, uint64_t at, ByteView bytes) noexcept {
  table_->counters.write(heap, at, bytes);
}

void CountMin::for_each_part(FunctionRef<void(ByteView)> visit) const {
  std::string head;
  append_fixed(head, table_->width);
  append_fixed(head, table_->depth);
  append_fixed(head, table_->total);
  visit(head);
  table_->counters.visit_parts(visit);
}

size_t CountMin::memory_bytes() const noexcept {
  return Heap::usable_bytes(table_) + table_->counters.memory_bytes();
}

size_t CountMin::free_effort() const noexcept { return 1 + table_->counters.free_effort(); }

bool CountMin::free_some(Heap& heap, size_t& budget) noexcept {
  if (table_ == nullptr) return true;
  if (!table_->counters.free_some(heap, budget)) return false;
  heap.release(table_);
  table_ = nullptr;
  return true;
}

void CountMin::check_invariants() const {
  table_->counters.check_invariants();
  CHECK(table_->counters.size() == table_->cells() * kCounterBytes);
  CHECK(table_->total >= 0);
}

}  // namespace ouro
