// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/packed_reader.h"

#include <cstring>

#include "persistence/listpack_code.h"

namespace ouro {
namespace {

// All three end so.
using listpack_code::kEnd;
constexpr size_t kZiplistHead = 10;
constexpr size_t kZipmapHead = 1;
using listpack_code::kNotCounted;
constexpr size_t kZipmapNotCounted = 254;
constexpr uint8_t kLongSize = 0xFE;  // a size of four bytes follows

size_t head_bytes(PackedReader::Format format) noexcept {
  switch (format) {
    case PackedReader::Format::kListpack:
      return listpack_code::kHeadBytes;
    case PackedReader::Format::kZiplist:
      return kZiplistHead;
    case PackedReader::Format::kZipmap:
      return kZipmapHead;
  }
  return 0;
}

uint64_t unsigned_at(ByteView bytes, size_t at, size_t count) noexcept {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, count);
  return value;
}

uint64_t big_endian_at(ByteView bytes, size_t at, size_t count) noexcept {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

}  // namespace

PackedReader::PackedReader(Format format, ByteView bytes) noexcept
    : format_(format), bytes_(bytes) {
  const size_t head = head_bytes(format);
  const bool fits = bytes.size() > head &&
                    (format == Format::kZipmap || unsigned_at(bytes, 0, 4) == bytes.size());
  // A head that is wrong is like an entry that is: there is no next one.
  at_ = before_at_ = fits ? head : bytes.size();
}

bool PackedReader::at_end() const noexcept {
  if (left() != 1) return false;
  switch (format_) {
    case Format::kListpack: {
      const uint64_t counted = unsigned_at(bytes_, 4, 2);
      return counted == kNotCounted || counted == elements_;
    }
    case Format::kZiplist: {
      const uint64_t counted = unsigned_at(bytes_, 8, 2);
      return unsigned_at(bytes_, 4, 4) == before_at_ &&
             (counted == kNotCounted || counted == elements_);
    }
    case Format::kZipmap: {
      const uint64_t counted = unsigned_at(bytes_, 0, 1);
      return elements_ % 2 == 0 && (counted >= kZipmapNotCounted || counted == elements_ / 2);
    }
  }
  return false;
}

bool PackedReader::next(PackedElement& element) noexcept {
  if (left() == 0) return false;
  if (peek(0) == kEnd) {
    is_whole_ = at_end();
    return false;
  }
  element = {};
  const size_t begin = at_;
  bool good = false;
  switch (format_) {
    case Format::kListpack:
      good = read_listpack(element);
      break;
    case Format::kZiplist:
      good = read_ziplist(element);
      break;
    case Format::kZipmap:
      good = read_zipmap(element);
      break;
  }
  if (!good) {
    at_ = bytes_.size();
    return false;
  }
  before_at_ = begin;
  ++elements_;
  return true;
}

// The code and its length are `length_bytes` from here.
bool PackedReader::read_text(size_t length_bytes, uint64_t length,
                             PackedElement& element) noexcept {
  if (length_bytes > left() || length > left() - length_bytes) return false;
  element.text = bytes_.substr(at_ + length_bytes, length);
  at_ += length_bytes + length;
  return true;
}

bool PackedReader::read_number(size_t code_bytes, size_t bytes, PackedElement& element) noexcept {
  if (code_bytes + bytes > left()) return false;
  const unsigned unused = static_cast<unsigned>(64 - 8 * bytes);
  element.number =
      static_cast<int64_t>(unsigned_at(bytes_, at_ + code_bytes, bytes) << unused) >> unused;
  element.is_number = true;
  at_ += code_bytes + bytes;
  return true;
}

bool PackedReader::read_listpack(PackedElement& element) noexcept {
  const size_t begin = at_;
  const uint8_t code = peek(0);
  bool good = false;
  if (code < listpack_code::kText6) {
    element.number = code;
    good = element.is_number = true;
    ++at_;
  } else if (code < listpack_code::kNumber13) {
    good = read_text(1, code & 0x3F, element);
  } else if (code < listpack_code::kText12) {
    if (left() < 2) return false;
    element.number = static_cast<int64_t>(big_endian_at(bytes_, at_, 2) & 0x1FFF);
    if (element.number >= 0x1000) element.number -= 0x2000;
    good = element.is_number = true;
    at_ += 2;
  } else if (code < listpack_code::kText32) {
    if (left() < 2) return false;
    good = read_text(2, big_endian_at(bytes_, at_, 2) & 0xFFF, element);
  } else if (code == listpack_code::kText32) {
    if (left() < 5) return false;
    good = read_text(5, unsigned_at(bytes_, at_ + 1, 4), element);
  } else if (code <= listpack_code::kNumber64) {
    constexpr size_t kBytes[] = {2, 3, 4, 8};
    good = read_number(1, kBytes[code - listpack_code::kNumber16], element);
  }
  if (!good) return false;
  char backwards[listpack_code::kBackwardsMax];
  const size_t bytes = listpack_code::write_backwards(at_ - begin, backwards);
  if (bytes > left() || std::memcmp(backwards, bytes_.data() + at_, bytes) != 0) return false;
  at_ += bytes;
  return true;
}

bool PackedReader::read_ziplist(PackedElement& element) noexcept {
  // The first entry has none before it.
  const size_t before = elements_ == 0 ? 0 : at_ - before_at_;
  const bool is_long = peek(0) == kLongSize;
  const size_t size_bytes = is_long ? 5 : 1;
  if (left() < size_bytes + 1) return false;
  if ((is_long ? unsigned_at(bytes_, at_ + 1, 4) : peek(0)) != before) return false;
  at_ += size_bytes;
  const uint8_t code = peek(0);
  switch (code >> 6) {
    case 0:
      return read_text(1, code & 0x3F, element);
    case 1:
      return left() >= 2 && read_text(2, big_endian_at(bytes_, at_, 2) & 0x3FFF, element);
    case 2:
      return code == 0x80 && left() >= 5 &&
             read_text(5, big_endian_at(bytes_, at_ + 1, 4), element);
    default:
      break;
  }
  switch (code) {
    case 0xC0:
      return read_number(1, 2, element);
    case 0xD0:
      return read_number(1, 4, element);
    case 0xE0:
      return read_number(1, 8, element);
    case 0xF0:
      return read_number(1, 3, element);
    case 0xFE:
      return read_number(1, 1, element);
    default:
      if (code < 0xF1 || code > 0xFD) return false;
      element.number = code - 0xF1;
      element.is_number = true;
      ++at_;
      return true;
  }
}

bool PackedReader::read_zipmap(PackedElement& element) noexcept {
  const bool is_value = elements_ % 2 != 0;
  const bool is_long = peek(0) == kLongSize;
  const size_t size_bytes = is_long ? 5 : 1;
  const size_t head = size_bytes + (is_value ? 1 : 0);
  if (left() < head) return false;
  const uint64_t size = is_long ? unsigned_at(bytes_, at_ + 1, 4) : peek(0);
  const size_t unused = is_value ? peek(size_bytes) : 0;
  if (!read_text(head, size, element) || unused > left()) return false;
  at_ += unused;
  return true;
}

}  // namespace ouro
