// SPDX-License-Identifier: BSD-3-Clause
// Strings as arrays of bits: counting, searching, combining, and integers of any width in between.
// Pure functions on bytes; what holds them is the caller's business.
//
//      byte       0                 1
//      bit        0 1 2 3 4 5 6 7   8 9 10 ...        bit 0 is the highest bit of byte 0
//
// So a field that is read from left to right is a big-endian number. Reading past the end gives
// zeros; writing never goes past it. Cost: count() takes 8 bytes a cycle where the processor has
// POPCNT, combine() passes once over every source, in blocks that stay in the first-level cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "datastructs/base/units.h"

namespace ouro::bits {

// Bits begin <= position < end.
struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// How many bits are 1.
uint64_t count(ByteView bytes) noexcept;
// range.end <= 8 * bytes.size().
uint64_t count(ByteView bytes, Range range) noexcept;
// Where the first such bit stands, as a position in `bytes`. range.end <= 8 * bytes.size().
std::optional<uint64_t> find(ByteView bytes, bool bit, Range range) noexcept;

// `width` bits from position `at` on as a number; width <= 64.
uint64_t read(ByteView bytes, uint64_t at, unsigned width) noexcept;
// Stores the low `width` bits of `value`. at + width <= 8 * bytes.size().
void write(std::span<char> bytes, uint64_t at, unsigned width, uint64_t value) noexcept;

enum class Operation : uint8_t {
  kAnd,
  kOr,
  kXor,
  kNot,          // of the only source
  kOnlyFirst,    // in the first source and in no other
  kNotFirst,     // in another source, but not in the first
  kFirstAndAny,  // in the first source and in another
  kExactlyOne,   // in one source and no more
};
// out = operation(sources), bit by bit; short sources are followed by zeros. There are as many
// sources as the operation speaks of, and `out` overlaps with none.
void combine(Operation operation, std::span<const ByteView> sources, std::span<char> out) noexcept;

// The integers that a field can hold. Unsigned ones have at most 63 bits, so all are int64_t.
struct FieldType {
  bool is_signed = false;
  unsigned width = 0;  // bits

  int64_t read_from(ByteView bytes, uint64_t at) const noexcept;

  // What becomes of a sum that does not fit.
  enum class Overflow : uint8_t { kWrap, kSaturate, kFail };
  // What the field holds once `value + increment` is stored; nothing if it fails.
  std::optional<int64_t> fit(int64_t value, int64_t increment, Overflow rule) const noexcept;
};

}  // namespace ouro::bits
