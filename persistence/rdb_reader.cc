// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/rdb_reader.h"

#include <limits>

#include "datastructs/codec/lzf.h"
#include "datastructs/codec/number_text.h"

namespace ouro {

ByteView RdbReader::take(uint64_t count) {
  if (!ok()) return {};
  if (count > left()) {
    fail(State::kNeedsMore, "the bytes end here");
    return {};
  }
  const ByteView taken = bytes_.substr(at_, count);
  at_ += count;
  return taken;
}

ByteView RdbReader::bytes(uint64_t count) {
  begin_part();
  return take(count);
}

uint64_t RdbReader::big_endian(size_t bytes) {
  uint64_t value = 0;
  for (const char byte : take(bytes)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

uint64_t RdbReader::length_behind(uint8_t first) {
  switch (first & rdb_code::kFormBits) {
    case rdb_code::kSixBits:
      return first;
    case rdb_code::kFourteenBits:
      return uint64_t{first & 0x3FU} << 8 | big_endian(1);
    default:
      if (first == rdb_code::kFourBytes) return big_endian(4);
      if (first == rdb_code::kEightBytes) return big_endian(8);
      refuse("no length begins so");
      return 0;
  }
}

uint64_t RdbReader::length() {
  begin_part();
  const ByteView first = take(1);
  return first.empty() ? 0 : length_behind(static_cast<uint8_t>(first[0]));
}

uint64_t RdbReader::count(size_t bytes_each) {
  const uint64_t claimed = length();
  if (claimed <= left() / bytes_each) return claimed;
  fail(State::kNeedsMore, "more elements than bytes for them");
  return 0;
}

RdbReader::StringHead RdbReader::string_head() {
  begin_part();
  const ByteView first = take(1);
  if (first.empty()) return {};
  const auto form = static_cast<uint8_t>(first[0]);
  switch (form) {
    case rdb_code::kInt8:
      return {form, 1, kInt64TextMax};
    case rdb_code::kInt16:
      return {form, 2, kInt64TextMax};
    case rdb_code::kInt32:
      return {form, 4, kInt64TextMax};
    case rdb_code::kLzf: {
      const ByteView packed_first = take(1);
      const uint64_t packed =
          packed_first.empty() ? 0 : length_behind(static_cast<uint8_t>(packed_first[0]));
      const ByteView text_first = take(1);
      const uint64_t text =
          text_first.empty() ? 0 : length_behind(static_cast<uint8_t>(text_first[0]));
      if (text > UINT32_MAX || text / kLzfGrowthMax > packed)
        refuse("a packed string cannot grow so much");
      return {form, packed, text};
    }
    default: {
      const uint64_t bytes = length_behind(form);
      return {rdb_code::kSixBits, bytes, bytes};
    }
  }
}

ByteView RdbReader::string(std::string& scratch) {
  const StringHead head = string_head();
  if (head.form == rdb_code::kSixBits) return take(head.stored_bytes);
  if (head.form != rdb_code::kLzf) return number_text(head.form, scratch);
  const ByteView packed = take(head.stored_bytes);
  if (ok() && !unpack_lzf(packed, head.text_bytes, scratch)) refuse("a string is packed wrongly");
  return ok() ? ByteView(scratch) : ByteView();
}

ByteView RdbReader::number_text(uint8_t form, std::string& scratch) {
  const auto signed_number = [&](auto number) {
    const ByteView its = take(sizeof number);
    if (!its.empty()) std::memcpy(&number, its.data(), sizeof number);
    return int64_t{number};
  };
  const int64_t number = form == rdb_code::kInt8    ? signed_number(int8_t{})
                         : form == rdb_code::kInt16 ? signed_number(int16_t{})
                                                    : signed_number(int32_t{});
  if (!ok()) return {};
  scratch.resize(kInt64TextMax);
  scratch.resize(format_int64(number, scratch.data()));
  return scratch;
}

uint64_t RdbReader::skip_string() {
  const StringHead head = string_head();
  take(head.stored_bytes);
  return head.text_bytes;
}

double RdbReader::score_text() {
  begin_part();
  const ByteView first = take(1);
  if (first.empty()) return 0;
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  const auto bytes = static_cast<uint8_t>(first[0]);
  if (bytes == rdb_code::kInfinity) return kInfinite;
  if (bytes == rdb_code::kMinusInfinity) return -kInfinite;
  const auto score = bytes == rdb_code::kNotANumber ? std::nullopt : parse_double(take(bytes));
  if (!score) refuse("a score is no number");
  return score.value_or(0);
}

// ---- values of modules

void RdbReader::expect(RdbModuleCode code) {
  if (length() != static_cast<uint64_t>(code)) refuse("a module's value is of another kind");
}

uint64_t RdbReader::module_unsigned() {
  expect(RdbModuleCode::kUnsigned);
  return length();
}

int64_t RdbReader::module_signed() {
  expect(RdbModuleCode::kSigned);
  return static_cast<int64_t>(length());
}

double RdbReader::module_double() {
  expect(RdbModuleCode::kDouble);
  return fixed<double>();
}

ByteView RdbReader::module_string(std::string& scratch) {
  expect(RdbModuleCode::kString);
  return string(scratch);
}

uint64_t RdbReader::skip_module_string() {
  expect(RdbModuleCode::kString);
  return skip_string();
}

bool RdbReader::skip_module_value() {
  const uint64_t code = length();
  if (!ok()) return false;
  switch (code) {
    case static_cast<uint64_t>(RdbModuleCode::kEnd):
      return false;
    case static_cast<uint64_t>(RdbModuleCode::kSigned):
    case static_cast<uint64_t>(RdbModuleCode::kUnsigned):
      length();
      break;
    case static_cast<uint64_t>(RdbModuleCode::kFloat):
      bytes(sizeof(float));
      break;
    case static_cast<uint64_t>(RdbModuleCode::kDouble):
      bytes(sizeof(double));
      break;
    case static_cast<uint64_t>(RdbModuleCode::kString):
      skip_string();
      break;
    default:
      refuse("a module's value is of an unknown kind");
  }
  return ok();
}

}  // namespace ouro
