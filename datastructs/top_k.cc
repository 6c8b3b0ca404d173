// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/top_k.h"

#include <algorithm>
#include <vector>

#include "datastructs/base/murmur.h"
#include "datastructs/base/prng.h"
#include "datastructs/chunked_bytes.h"
#include "datastructs/codec/little_endian.h"

namespace ouro {
namespace {

// As RedisBloom tells items apart.
constexpr uint32_t kFingerprintSeed = 1919;
// What every generator begins with.
constexpr uint64_t kFirstDice = 1;

struct Cell {
  uint32_t fingerprint;
  uint32_t count;
};
struct Item {
  uint32_t fingerprint;
  uint32_t count;
  Blob* name;
};

// decay^count by repeated squaring: the same bits on every machine.
double power(double decay, uint32_t count) noexcept {
  double product = 1;
  for (; count > 0; count /= 2, decay *= decay) {
    if (count % 2 != 0) product *= decay;
  }
  return product;
}

// Draws up to `increment` times whether the cell of another loses one; true, with what is left of
// the increment, if it came to zero.
bool wear_down(Cell& cell, double decay, Prng& dice, uint32_t& increment) noexcept {
  // Less than the generator can draw.
  constexpr double kNever = 0x1p-53;
  double chance = power(decay, cell.count);
  for (; increment > 0 && chance >= kNever; --increment) {
    if (dice.unit() >= chance) continue;
    if (--cell.count == 0) return true;
    chance = power(decay, cell.count);
  }
  return false;
}

}  // namespace

struct TopK::Table {
  Shape shape;
  uint32_t size = 0;
  uint64_t dice = kFirstDice;
  ChunkedBytes cells;
  ChunkedBytes items;
  size_t name_bytes = 0;

  size_t cell_of(ByteView item, uint32_t row) const noexcept {
    return size_t{row} * shape.width + murmur32(item, row) % shape.width;
  }
  Item item(size_t at) const noexcept { return items.get<Item>(at); }
  uint32_t min_count() const noexcept { return size < shape.k ? 0 : item(0).count; }
  // size if it is not there.
  size_t find(ByteView name, uint32_t fingerprint) const noexcept {
    for (size_t at = 0; at < size; ++at) {
      const Item found = item(at);
      if (found.fingerprint == fingerprint && found.name->view() == name) return at;
    }
    return size;
  }
  void put(Heap& heap, size_t at, const Item& item) noexcept {
    items.set(heap, at, item);
    sift(heap, at);
  }

 private:
  // Moves the item to where its count belongs.
  void sift(Heap& heap, size_t at) noexcept {
    const Item moving = item(at);
    for (size_t parent; at > 0 && item(parent = (at - 1) / 2).count > moving.count; at = parent) {
      items.set(heap, at, item(parent));
    }
    for (size_t child; (child = 2 * at + 1) < size; at = child) {
      if (child + 1 < size && item(child + 1).count < item(child).count) ++child;
      if (item(child).count >= moving.count) break;
      items.set(heap, at, item(child));
    }
    items.set(heap, at, moving);
  }
};

bool TopK::fits(const Shape& shape) noexcept {
  return shape.k <= kItemsMax && shape.depth <= kDepthMax &&
         shape.width <= kBytesMax / sizeof(Cell) / shape.depth;
}

TopK TopK::create(Heap& heap, const Shape& shape) noexcept {
  CHECK(fits(shape));
  TopK made;
  made.table_ = heap.make<Table>();
  made.table_->shape = shape;
  made.table_->cells = ChunkedBytes::create(heap, size_t{shape.width} * shape.depth * sizeof(Cell));
  made.table_->items = ChunkedBytes::create(heap, size_t{shape.k} * sizeof(Item));
  return made;
}

void TopK::destroy(Heap& heap) noexcept {
  size_t budget = SIZE_MAX;
  free_some(heap, budget);
}

TopK TopK::copy(Heap& heap) const noexcept {
  TopK made;
  made.table_ = heap.make<Table>(*table_);
  made.table_->cells = table_->cells.copy(heap);
  made.table_->items = table_->items.copy(heap);
  made.table_->name_bytes = 0;
  for (size_t at = 0; at < table_->size; ++at) {
    Item item = table_->item(at);
    item.name = Blob::create_from(heap, item.name->view());
    made.table_->name_bytes += item.name->memory_bytes();
    made.table_->items.set(heap, at, item);
  }
  return made;
}

TopK TopK::share(Heap& heap) const noexcept {
  TopK made;
  made.table_ = heap.make<Table>(*table_);
  made.table_->cells = table_->cells.share(heap);
  made.table_->items = table_->items.share(heap);
  for (size_t at = 0; at < table_->size; ++at) table_->item(at).name->share();
  return made;
}

uint32_t TopK::count_in_cells(Heap& heap, ByteView item, uint32_t fingerprint,
                              uint32_t increment) noexcept {
  Prng dice(table_->dice);
  uint32_t largest = 0;
  for (uint32_t row = 0; row < table_->shape.depth; ++row) {
    const size_t at = table_->cell_of(item, row);
    Cell cell = table_->cells.get<Cell>(at);
    if (cell.count > 0 && cell.fingerprint == fingerprint) {
      cell.count += std::min(increment, UINT32_MAX - cell.count);
    } else {
      uint32_t left = increment;
      const bool was_others = cell.count > 0;
      if (!was_others || wear_down(cell, table_->shape.decay, dice, left)) {
        cell = {fingerprint, left};
      }
      if (was_others) table_->dice = dice.next();
    }
    table_->cells.set(heap, at, cell);
    if (cell.fingerprint == fingerprint) largest = std::max(largest, cell.count);
  }
  return largest;
}

Blob* TopK::add(Heap& heap, ByteView item, uint32_t increment) noexcept {
  DCHECK(increment <= kIncrementMax);
  if (increment == 0) return nullptr;
  Table& table = *table_;
  const uint32_t fingerprint = murmur32(item, kFingerprintSeed);
  const uint32_t count = count_in_cells(heap, item, fingerprint, increment);
  if (count == 0 || count < table.min_count()) return nullptr;
  const size_t at = table.find(item, fingerprint);
  if (at < table.size) {
    table.put(heap, at, {fingerprint, count, table.item(at).name});
    return nullptr;
  }
  Blob* name = Blob::create_from(heap, item);
  table.name_bytes += name->memory_bytes();
  if (table.size < table.shape.k) {
    const size_t last = table.size++;
    table.put(heap, last, {fingerprint, count, name});
    return nullptr;
  }
  Blob* expelled = table.item(0).name;
  table.name_bytes -= expelled->memory_bytes();
  table.put(heap, 0, {fingerprint, count, name});
  return expelled;
}

bool TopK::contains(ByteView item) const noexcept {
  return table_->find(item, murmur32(item, kFingerprintSeed)) < table_->size;
}

uint32_t TopK::estimate(ByteView item) const noexcept {
  const uint32_t fingerprint = murmur32(item, kFingerprintSeed);
  // A cell that is too small for the list is not that of an item on it.
  const uint32_t least = contains(item) ? table_->min_count() : 0;
  uint32_t largest = 0;
  for (uint32_t row = 0; row < table_->shape.depth; ++row) {
    const Cell cell = table_->cells.get<Cell>(table_->cell_of(item, row));
    if (cell.fingerprint == fingerprint && cell.count >= least) {
      largest = std::max(largest, cell.count);
    }
  }
  return largest;
}

void TopK::for_each(FunctionRef<void(ByteView item, uint32_t count)> visit) const {
  std::vector<Item> items;
  for (size_t at = 0; at < table_->size; ++at) items.push_back(table_->item(at));
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return a.count != b.count ? a.count > b.count : a.name->view() < b.name->view();
  });
  for (const Item& item : items) visit(item.name->view(), item.count);
}

const TopK::Shape& TopK::shape() const noexcept { return table_->shape; }
uint32_t TopK::size() const noexcept { return table_->size; }
uint64_t TopK::dice() const noexcept { return table_->dice; }

uint64_t TopK::cell_bytes() const noexcept { return table_->cells.size(); }
void TopK::set_dice(uint64_t dice) noexcept { table_->dice = dice; }
uint32_t TopK::fingerprint_of(ByteView item) noexcept { return murmur32(item, kFingerprintSeed); }

std::string TopK::read_cells(uint64_t at, size_t bytes_max) const {
  std::string out(std::min<size_t>(bytes_max, table_->cells.size() - at), '\0');
  table_->cells.read(at, out.size(), out.data());
  return out;
}

void TopK::write_cells(Heap& heap, uint64_t at, ByteView bytes) noexcept {
  table_->cells.write(heap, at, bytes);
}

void TopK::for_each_in_heap(FunctionRef<void(const Kept&)> visit) const {
  for (size_t at = 0; at < table_->size; ++at) {
    const Item item = table_->item(at);
    visit({item.name->view(), item.count, item.fingerprint});
  }
}

uint32_t TopK::heap_parent_count() const noexcept {
  return table_->size == 0 ? 0 : table_->item((table_->size - 1) / 2).count;
}

void TopK::push_kept(Heap& heap, ByteView item, uint32_t count) noexcept {
  DCHECK(table_->size < table_->shape.k);
  DCHECK(heap_parent_count() <= count);
  Blob* const name = Blob::create_from(heap, item);
  table_->name_bytes += name->memory_bytes();
  table_->items.set(heap, table_->size++, Item{fingerprint_of(item), count, name});
}

void TopK::for_each_part(FunctionRef<void(ByteView)> visit) const {
  std::string head;
  append_fixed(head, table_->shape.k);
  append_fixed(head, table_->shape.width);
  append_fixed(head, table_->shape.depth);
  append_fixed(head, table_->shape.decay);
  append_fixed(head, table_->dice);
  visit(head);
  table_->cells.visit_parts(visit);
  for_each([&](ByteView item, uint32_t count) {
    std::string number;
    append_fixed(number, count);
    visit(item);
    visit(number);
  });
}

size_t TopK::memory_bytes() const noexcept {
  return Heap::usable_bytes(table_) + table_->cells.memory_bytes() + table_->items.memory_bytes() +
         table_->name_bytes;
}

size_t TopK::free_effort() const noexcept {
  return 1 + table_->size + table_->cells.free_effort() + table_->items.free_effort();
}

bool TopK::free_some(Heap& heap, size_t& budget) noexcept {
  if (table_ == nullptr) return true;
  for (; table_->size > 0; --table_->size, --budget) {
    if (budget == 0) return false;
    Blob::leave(heap, table_->item(table_->size - 1).name);
  }
  if (!table_->items.free_some(heap, budget)) return false;
  if (!table_->cells.free_some(heap, budget)) return false;
  heap.release(table_);
  table_ = nullptr;
  return true;
}

void TopK::check_invariants() const {
  const Table& table = *table_;
  table.cells.check_invariants();
  table.items.check_invariants();
  CHECK(table.size <= table.shape.k);
  size_t bytes = 0;
  for (size_t at = 0; at < table.size; ++at) {
    const Item item = table.item(at);
    bytes += item.name->memory_bytes();
    CHECK(item.count > 0);
    CHECK(item.fingerprint == murmur32(item.name->view(), kFingerprintSeed));
    CHECK(table.find(item.name->view(), item.fingerprint) == at);
    if (at > 0) CHECK(table.item((at - 1) / 2).count <= item.count);
  }
  CHECK(bytes == table.name_bytes);
}

}  // namespace ouro
