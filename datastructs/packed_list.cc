// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/packed_list.h"

#include <charconv>
#include <optional>

#include "datastructs/base/check.h"

namespace ouro {

namespace {

constexpr uint8_t kTinyInteger = 0x80;  // 10xxxxxx
constexpr uint8_t kWideInteger = 0xE0;  // 1110kkkk
constexpr int64_t kTinyIntegerEnd = 4096;
constexpr size_t kIntegerTextMax = 20;

enum class Form : uint8_t { kString, kTiny, kWide };

Form form_of(uint8_t first) noexcept {
  if (first < kTinyInteger) return Form::kString;
  if (first < length_code::kTwoBytes) return Form::kTiny;
  if (first < kWideInteger || first >= length_code::kFiveBytes) return Form::kString;
  return Form::kWide;
}

// The number that prints as exactly this text.
std::optional<int64_t> integer_of(ByteView text) noexcept {
  if (text.empty() || text.size() > kIntegerTextMax) return std::nullopt;
  const size_t digits_from = text[0] == '-' ? 1 : 0;
  if (digits_from == text.size()) return std::nullopt;
  const char first = text[digits_from];
  if (first < '0' || first > '9') return std::nullopt;
  if (first == '0' && text.size() > 1) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The fewest bytes of two's complement that keep the value.
size_t width_of(int64_t value) noexcept {
  size_t width = 1;
  while (width < 8) {
    const int unused = static_cast<int>(64 - 8 * width);
    if (static_cast<int64_t>(static_cast<uint64_t>(value) << unused) >> unused == value) break;
    ++width;
  }
  return width;
}

size_t write_integer(char* to, int64_t value) noexcept {
  if (value >= 0 && value < kTinyIntegerEnd) {
    to[0] = static_cast<char>(kTinyInteger | (value >> 6));
    to[1] = static_cast<char>(kTinyInteger | (value & 0x3F));
    return 2;
  }
  const size_t width = width_of(value);
  to[0] = static_cast<char>(kWideInteger | width);
  for (size_t i = 0; i < width; ++i)
    to[i + 1] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  to[width + 1] = to[0];
  return width + 2;
}

int64_t read_integer(const char* from) noexcept {
  const uint8_t first = length_code::byte_at(from);
  if (first < length_code::kTwoBytes) {
    return (first & 0x3F) << 6 | (length_code::byte_at(from + 1) & 0x3F);
  }
  const size_t width = first & 0x0F;
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i)
    value |= static_cast<uint64_t>(length_code::byte_at(from + i + 1)) << (8 * i);
  const int unused = static_cast<int>(64 - 8 * width);
  return static_cast<int64_t>(value << unused) >> unused;
}

}  // namespace

ListNeedle::ListNeedle(ByteView text) noexcept : text_(text) {
  if (const std::optional<int64_t> integer = integer_of(text)) {
    head_bytes_ = write_integer(head_.data(), *integer);
    entry_bytes_ = head_bytes_;
    return;
  }
  body_ = text;
  entry_bytes_ = PackedList::entry_bytes_max(text.size());
  head_bytes_ = static_cast<size_t>(length_code::write(head_.data(), text.size()) - head_.data());
}

// The whole entry, if it is not a string with a length of one byte.
size_t PackedList::long_size_at(const char* from) noexcept {
  const uint8_t first = length_code::byte_at(from);
  switch (form_of(first)) {
    case Form::kTiny:
      return 2;
    case Form::kWide:
      return (first & 0x0FU) + 2;
    case Form::kString:
      break;
  }
  size_t length;
  (void)length_code::read(from, length);
  return entry_bytes_max(length);
}

// The last byte of an entry says the same as its first, but for a tiny integer, where the form is
// enough.
size_t PackedList::long_size_before(const char* end) noexcept {
  if (form_of(length_code::byte_at(end - 1)) != Form::kString) return long_size_at(end - 1);
  size_t length;
  (void)length_code::read_mirrored(end, length);
  return entry_bytes_max(length);
}

ByteView PackedList::read_long(At& at, ListScratch& scratch) const noexcept {
  const char* from = block_ + at;
  at = next(at);
  if (form_of(length_code::byte_at(from)) == Form::kString) {
    size_t length;
    const char* body = length_code::read(from, length);
    return {body, length};
  }
  const auto written =
      std::to_chars(scratch.data(), scratch.data() + scratch.size(), read_integer(from));
  return {scratch.data(), static_cast<size_t>(written.ptr - scratch.data())};
}

PackedBlock::At PackedList::at_index(size_t index) const noexcept {
  const size_t entries = count();
  DCHECK(index <= entries);
  if (index <= entries / 2) {
    At at = begin();
    while (index-- > 0) at = next(at);
    return at;
  }
  At at = end();
  for (size_t back = entries - index; back > 0; --back) at = prev(at);
  return at;
}

inline void PackedList::write(char* to, const ListNeedle& needle) noexcept {
  const ByteView body = needle.body_;
  if (needle.head_bytes_ == 1) [[likely]] {  // a string with a length of one byte
    to[0] = to[body.size() + 1] = needle.head_[0];
    if (!body.empty()) std::memcpy(to + 1, body.data(), body.size());
    return;
  }
  std::memcpy(to, needle.head_.data(), needle.head_bytes_);
  if (needle.entry_bytes_ == needle.head_bytes_) return;
  if (!body.empty()) std::memcpy(to + needle.head_bytes_, body.data(), body.size());
  (void)length_code::write_mirrored(to + needle.head_bytes_ + body.size(), body.size());
}

void PackedList::insert(Heap& heap, At at, ByteView element) noexcept {
  const ListNeedle needle(element);
  write(splice(heap, at, 0, needle.entry_bytes_, 1), needle);
}

void PackedList::erase(Heap& heap, At at, size_t count) noexcept {
  At last = at;
  for (size_t left = count; left > 0; --left) last = next(last);
  (void)splice(heap, at, last - at, 0, -static_cast<ptrdiff_t>(count));
}

void PackedList::replace(Heap& heap, At at, ByteView element) noexcept {
  const ListNeedle needle(element);
  write(splice(heap, at, next(at) - at, needle.entry_bytes_, 0), needle);
}

size_t PackedList::erase_equal(Heap& heap, const ListNeedle& needle, size_t skip,
                               size_t max) noexcept {
  const At last = end();
  At kept_end = begin();
  size_t erased = 0;
  for (At at = begin(); at < last;) {
    const At after = next(at);
    bool keep = erased == max || !equals(at, needle);
    if (!keep && skip > 0) {
      --skip;
      keep = true;
    }
    if (!keep) {
      ++erased;
    } else {
      if (kept_end != at) std::memmove(block_ + kept_end, block_ + at, after - at);
      kept_end += after - at;
    }
    at = after;
  }
  if (erased > 0) (void)splice(heap, kept_end, last - kept_end, 0, -static_cast<ptrdiff_t>(erased));
  return erased;
}

PackedList PackedList::split(Heap& heap, At at) noexcept {
  const At last = end();
  size_t moved = 0;
  for (At walk = at; walk < last; walk = next(walk)) ++moved;
  PackedList tail;
  if (moved == 0) return tail;
  char* to = tail.splice(heap, tail.begin(), 0, last - at, static_cast<ptrdiff_t>(moved));
  std::memcpy(to, block_ + at, last - at);
  (void)splice(heap, at, last - at, 0, -static_cast<ptrdiff_t>(moved));
  return tail;
}

void PackedList::merge(Heap& heap, PackedList& other) noexcept {
  if (other.empty()) return;
  const size_t bytes = other.end() - other.begin();
  char* to = splice(heap, end(), 0, bytes, static_cast<ptrdiff_t>(other.count()));
  std::memcpy(to, other.block_ + other.begin(), bytes);
  other.destroy(heap);
}

bool PackedList::equals(At at, const ListNeedle& needle) const noexcept {
  const size_t head = needle.head_bytes_;
  if (at + head + needle.body_.size() > end()) return false;
  const char* from = block_ + at;
  return std::memcmp(from, needle.head_.data(), head) == 0 &&
         ByteView(from + head, needle.body_.size()) == needle.body_;
}

size_t PackedList::count_equal(const ListNeedle& needle) const noexcept {
  size_t found = 0;
  for (At at = begin(); at < end(); at = next(at)) found += equals(at, needle) ? 1U : 0U;
  return found;
}

void PackedList::check_invariants() const {
  if (block_ == nullptr) return;
  CHECK(bytes() <= memory_bytes());
  check_entries();
}

void PackedList::check_entries() const {
  CHECK(count() > 0);
  size_t seen = 0;
  At at = begin();
  for (; at < end(); ++seen) {
    const At after = next(at);
    CHECK(after <= end());
    CHECK(prev(after) == at);
    at = after;
  }
  CHECK(at == end());
  CHECK(seen == count());
}

}  // namespace ouro
