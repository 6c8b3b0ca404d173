// SPDX-License-Identifier: BSD-3-Clause
// HyperLogLog: how many different elements were added, within 0.81 %, in at most 12 KiB. The value
// is a string in Redis's own layout, so that clients can read, copy and store it as one:
//
//      byte 0        4          5        8                16
//           | "HYLL" | encoding | 0 0 0  | cached count   | registers ...
//
//      cached count   64 bits, little-endian; the top bit says that it is out of date
//      encoding 0     dense: 16384 registers of 6 bits, the first one in the low bits of byte 16
//      encoding 1     sparse: runs of equal registers, in order
//           00LLLLLL            zeros, L + 1 of them
//           01LLLLLL LLLLLLLL   zeros, L + 1 of them (high byte first)
//           1VVVVVLL            L + 1 registers that hold V + 1
//
// An element is hashed; 14 bits of the hash choose the register, which keeps the longest run of
// zeros seen in the others (Flajolet, Fusy, Gandouet, Meunier: HyperLogLog, 2007; the sparse form
// after Heule, Nunkesser, Hall: HyperLogLog in practice, 2013). The count is Ertl's improved raw
// estimator (New cardinality estimation algorithms for HyperLogLog sketches, arXiv:1702.01284).
//
// Equal adds give the bytes that Redis 7.0 has, where runs are split and joined included. The bytes
// may come from a client: whatever they are, nothing is read or written outside of them, and what
// does not decode is told. Cost: an add to the sparse form walks its runs; to the dense one O(1);
// a count of the dense form about 20 us, 5 of them for each further one that is merged.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/units.h"

namespace ouro::hll {

inline constexpr uint32_t kRegisters = 16384;
inline constexpr size_t kHeaderBytes = 16;
inline constexpr size_t kDenseBytes = kHeaderBytes + kRegisters * 6 / 8;

// A sparse one to which nothing was added.
inline constexpr ByteView kEmpty{"HYLL\1\0\0\0\0\0\0\0\0\0\0\0\x7f\xff", 18};

enum class Encoding : uint8_t { kDense, kSparse };

// Whether the bytes have the header and size of a HyperLogLog. All below require it.
bool is_valid(ByteView bytes) noexcept;
Encoding encoding(ByteView bytes) noexcept;

// The count of when it was last taken, if nothing was added since.
std::optional<uint64_t> cached_count(ByteView bytes) noexcept;
void cache_count(std::span<char> bytes, uint64_t count) noexcept;
void forget_count(std::span<char> bytes) noexcept;

// What an element does: it raises the register `index` to `value`, which is 1 to 51.
struct Place {
  uint32_t index;
  uint8_t value;
};
Place place_of(ByteView element) noexcept;

enum class Raise : uint8_t { kSame, kRaised, kCorrupt };
// Raises a register of a dense one.
Raise raise_dense(std::span<char> bytes, Place place) noexcept;
// Of either form; a sparse one becomes dense when it would outgrow `sparse_bytes_max`.
Raise raise_register(std::string& bytes, Place place, size_t sparse_bytes_max);
// False if the sparse form does not decode; `bytes` are unchanged then.
[[nodiscard]] bool make_dense(std::string& bytes);

// The registers, one byte each.
using Registers = std::array<uint8_t, kRegisters>;
// Makes them the registers of a dense one.
void store_dense(std::span<char> bytes, const Registers& registers) noexcept;
// Raises each register to what `bytes` have there. False if they do not decode.
[[nodiscard]] bool merge_into(Registers& registers, ByteView bytes) noexcept;

uint64_t count(const Registers& registers) noexcept;
// Nothing if the bytes do not decode.
std::optional<uint64_t> count(ByteView bytes) noexcept;

// A stretch of equal registers in the sparse form.
struct Run {
  uint8_t value = 0;     // 0 to 32
  bool is_long = false;  // zeros, in two bytes
  uint32_t length = 0;
  size_t bytes() const noexcept { return is_long ? 2 : 1; }
};
// The runs of a sparse one in order, as they are stored. False if the last one is cut off.
bool for_each_run(ByteView bytes, FunctionRef<void(const Run&)> visit) noexcept;

}  // namespace ouro::hll
