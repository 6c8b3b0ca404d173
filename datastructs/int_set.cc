// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/int_set.h"

#include <bit>
#include <cstring>
#include <limits>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

static_assert(std::endian::native == std::endian::little,
              "numbers are stored as the machine holds them");

constexpr size_t kHeaderBytes = 8;

template <class T>
T load(const char* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void store(char* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

template <class T>
bool fits(int64_t value) noexcept {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

uint32_t width_for(int64_t value) noexcept {
  if (fits<int16_t>(value)) return sizeof(int16_t);
  return fits<int32_t>(value) ? sizeof(int32_t) : sizeof(int64_t);
}

int64_t read_at(const char* block, uint32_t width, size_t index) noexcept {
  const char* from = block + kHeaderBytes + index * width;
  if (width == sizeof(int16_t)) return load<int16_t>(from);
  return width == sizeof(int32_t) ? load<int32_t>(from) : load<int64_t>(from);
}

void write_at(char* block, uint32_t width, size_t index, int64_t value) noexcept {
  char* to = block + kHeaderBytes + index * width;
  if (width == sizeof(int16_t)) return store(to, static_cast<int16_t>(value));
  if (width == sizeof(int32_t)) return store(to, static_cast<int32_t>(value));
  store(to, value);
}

// How many of the sorted numbers are less than `value`, which fits T.
template <class T>
size_t count_less(const char* numbers, size_t count, int64_t value) noexcept {
  size_t base = 0;
  while (count > 1) {
    const size_t half = count / 2;
    base += load<T>(numbers + (base + half - 1) * sizeof(T)) < value ? half : 0;
    count -= half;
  }
  return count == 1 && load<T>(numbers + base * sizeof(T)) < value ? base + 1 : base;
}

}  // namespace

void IntSet::destroy(Heap& heap) noexcept {
  heap.release(block_);
  block_ = nullptr;
}

IntSet IntSet::copy(Heap& heap) const noexcept {
  if (empty()) return {};
  const ByteView whole = bytes();
  char* block = static_cast<char*>(heap.allocate(whole.size()));
  std::memcpy(block, whole.data(), whole.size());
  return IntSet(block);
}

bool IntSet::add(Heap& heap, int64_t value) noexcept {
  const uint32_t needed = width_for(value);
  if (empty()) {
    reserve(heap, kHeaderBytes + needed);
    set_header(needed, 0);
  } else if (needed > width()) {
    widen(heap, needed);
  }
  const Place place = find(value);
  if (place.found) return false;
  const size_t count = size();
  CHECK(count < std::numeric_limits<uint32_t>::max());
  const uint32_t each = width();
  reserve(heap, kHeaderBytes + (count + 1) * each);
  char* gap = block_ + kHeaderBytes + place.index * each;
  std::memmove(gap + each, gap, (count - place.index) * each);
  write_at(block_, each, place.index, value);
  set_header(each, count + 1);
  return true;
}

bool IntSet::remove(Heap& heap, int64_t value) noexcept {
  const Place place = find(value);
  if (!place.found) return false;
  const size_t count = size() - 1;
  if (count == 0) {
    destroy(heap);
    return true;
  }
  const uint32_t each = width();
  char* gap = block_ + kHeaderBytes + place.index * each;
  std::memmove(gap, gap + each, (count - place.index) * each);
  set_header(each, count);
  const size_t bytes = kHeaderBytes + count * each;
  // Given back by halves, so that adding and removing around one size does not reallocate each
  // time.
  if (bytes <= memory_bytes() / 2) block_ = static_cast<char*>(heap.reallocate(block_, bytes));
  return true;
}

bool IntSet::contains(int64_t value) const noexcept { return find(value).found; }

size_t IntSet::size() const noexcept { return empty() ? 0 : load<uint32_t>(block_ + 4); }

int64_t IntSet::at(size_t index) const noexcept {
  DCHECK(index < size());
  return read_at(block_, width(), index);
}

ByteView IntSet::bytes() const noexcept {
  return empty() ? ByteView() : ByteView(block_, kHeaderBytes + size() * width());
}

uint32_t IntSet::width() const noexcept { return load<uint32_t>(block_); }

void IntSet::set_header(uint32_t width, size_t count) noexcept {
  store(block_, width);
  store(block_ + 4, static_cast<uint32_t>(count));
}

IntSet::Place IntSet::find(int64_t value) const noexcept {
  if (empty() || width_for(value) > width()) return {0, false};
  const size_t count = size();
  const char* numbers = block_ + kHeaderBytes;
  size_t index = 0;
  switch (width()) {
    case sizeof(int16_t):
      index = count_less<int16_t>(numbers, count, value);
      break;
    case sizeof(int32_t):
      index = count_less<int32_t>(numbers, count, value);
      break;
    default:
      index = count_less<int64_t>(numbers, count, value);
  }
  return {index, index < count && read_at(block_, width(), index) == value};
}

void IntSet::reserve(Heap& heap, size_t bytes) noexcept {
  // The allocator's rounding is used as spare room.
  if (bytes > memory_bytes()) block_ = static_cast<char*>(heap.reallocate(block_, bytes));
}

void IntSet::widen(Heap& heap, uint32_t width_now) noexcept {
  const size_t count = size();
  const uint32_t before = width();
  reserve(heap, kHeaderBytes + count * width_now);
  // From the back, so that no number is overwritten before it has been read.
  for (size_t index = count; index-- > 0;) {
    write_at(block_, width_now, index, read_at(block_, before, index));
  }
  set_header(width_now, count);
}

void IntSet::check_invariants() const {
  if (empty()) return;
  CHECK(width() == 2 || width() == 4 || width() == 8);
  CHECK(size() > 0);
  CHECK(bytes().size() <= memory_bytes());
  for (size_t index = 1; index < size(); ++index) CHECK(at(index - 1) < at(index));
}

}  // namespace ouro
