// SPDX-License-Identifier: BSD-3-Clause
// PackedReader: walks the elements of Redis's packed forms, of bytes that nobody has checked yet.
// They stand in RDB as one string each.
//
//   listpack   bytes u32 | elements u16 | entry ... | FF          since Redis 7.0
//              entry    code and number or text | its size backwards, seven bits a byte
//              code     0xxxxxxx 7 bits | 10LLLLLL text | 110xxxxx + 1: 13 bits | 1110LLLL + 1 text
//                       F0 + 4 text | F1 F2 F3 F4 number of 2, 3, 4, 8 bytes
//   ziplist    bytes u32 | last entry u32 | elements u16 | entry ... | FF        before
//              entry    size of the one before: 1 byte, or FE and 4 | code and number or text
//              code     00LLLLLL | 01LLLLLL + 1 | 80 + 4 text (big-endian) | C0 D0 E0 F0 FE number
//                       of 2, 4, 8, 3, 1 bytes | F1 to FD: 0 to 12
//   zipmap     elements/2 u8 | entry ... | FF                    hashes of Redis 2
//              entry    size: 1 byte, or FE and 4 | (of a value: unused bytes, u8) | text
//
// 65535 elements (254 in a zipmap) mean that nobody counted. next() checks an entry before it gives
// it, sizes backwards included; at the end is_whole() says if all of it was well-formed.
// Nothing is allocated; views point into the bytes.
#pragma once

#include <cstdint>

#include "datastructs/base/units.h"
#include "datastructs/codec/number_text.h"

namespace ouro {

// A number or a text, as it is stored.
struct PackedElement {
  ByteView text;  // of a number: empty
  int64_t number = 0;
  bool is_number = false;

  struct Scratch {
    char bytes[kInt64TextMax];
  };
  ByteView bytes(Scratch& scratch) const noexcept {
    return is_number ? ByteView(scratch.bytes, format_int64(number, scratch.bytes)) : text;
  }
};

class PackedReader {
 public:
  enum class Format : uint8_t { kListpack, kZiplist, kZipmap };
  PackedReader(Format format, ByteView bytes) noexcept;

  // False behind the last one, and at an entry that is wrong.
  bool next(PackedElement& element) noexcept;
  // Requires: next() has said false.
  bool is_whole() const noexcept { return is_whole_; }
  // Upper bound of the elements still to come.
  size_t left_max() const noexcept { return (bytes_.size() - at_) / 2; }

 private:
  bool read_listpack(PackedElement& element) noexcept;
  bool read_ziplist(PackedElement& element) noexcept;
  bool read_zipmap(PackedElement& element) noexcept;
  bool read_text(size_t length_bytes, uint64_t length, PackedElement& element) noexcept;
  bool read_number(size_t code_bytes, size_t bytes, PackedElement& element) noexcept;
  bool at_end() const noexcept;
  size_t left() const noexcept { return bytes_.size() - at_; }
  uint8_t peek(size_t ahead) const noexcept { return static_cast<uint8_t>(bytes_[at_ + ahead]); }

  Format format_;
  ByteView bytes_;
  size_t at_ = 0;
  size_t before_at_ = 0;  // where the entry before began
  size_t elements_ = 0;   // that were read
  bool is_whole_ = false;
};

}  // namespace ouro
