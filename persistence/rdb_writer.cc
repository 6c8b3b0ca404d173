// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/rdb_writer.h"

#include "datastructs/base/check.h"
#include "datastructs/codec/lzf.h"
#include "datastructs/codec/number_text.h"

namespace ouro {
namespace {

// The longest text that Redis tries to read as a number: "-2147483648".
constexpr size_t kNumberTextMax = 11;

}  // namespace

void RdbWriter::length(uint64_t value) {
  if (value < 1U << 6) return byte(static_cast<uint8_t>(rdb_code::kSixBits | value));
  if (value < 1U << 14) {
    byte(static_cast<uint8_t>(rdb_code::kFourteenBits | value >> 8));
    return byte(static_cast<uint8_t>(value));
  }
  const bool is_long = value > UINT32_MAX;
  byte(is_long ? rdb_code::kEightBytes : rdb_code::kFourBytes);
  for (int shift = is_long ? 56 : 24; shift >= 0; shift -= 8) {
    byte(static_cast<uint8_t>(value >> shift));
  }
}

void RdbWriter::string(ByteView text) {
  if (text.size() <= kNumberTextMax && try_number(text)) return;
  if (may_pack(text.size()) && try_packed(text)) return;
  length(text.size());
  raw(text);
}

bool RdbWriter::try_number(ByteView text) {
  const auto value = parse_int64(text);
  if (!value || *value != static_cast<int32_t>(*value)) return false;
  if (*value == static_cast<int8_t>(*value)) {
    byte(rdb_code::kInt8);
    fixed(static_cast<int8_t>(*value));
  } else if (*value == static_cast<int16_t>(*value)) {
    byte(rdb_code::kInt16);
    fixed(static_cast<int16_t>(*value));
  } else {
    byte(rdb_code::kInt32);
    fixed(static_cast<int32_t>(*value));
  }
  return true;
}

bool RdbWriter::may_pack(size_t bytes) const {
  switch (packing_) {
    case Packing::kNone:
      return false;
    case Packing::kLzf:
      return bytes >= kPackedBytesMin;
    case Packing::kLzfBounded:
      return bytes >= kPackedBytesMin && bytes <= kBoundedBytesMax;
  }
  OURO_UNREACHABLE();
}

bool RdbWriter::try_packed(ByteView text) {
  scratch_.clear();
  if (text.size() >= UINT32_MAX || !pack_lzf(text, text.size() - kPackedGainMin, scratch_))
    return false;
  byte(rdb_code::kLzf);
  length(scratch_.size());
  length(text.size());
  raw(scratch_);
  return true;
}

}  // namespace ouro
