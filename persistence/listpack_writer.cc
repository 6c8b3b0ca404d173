// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/listpack_writer.h"

#include <algorithm>
#include <cstring>

#include "datastructs/base/check.h"
#include "datastructs/codec/little_endian.h"
#include "datastructs/codec/number_text.h"
#include "persistence/listpack_code.h"

namespace ouro {

void ListpackWriter::clear() {
  out_.assign(listpack_code::kHeadBytes, '\0');
  elements_ = 0;
}

void ListpackWriter::append(ByteView text) {
  if (const auto number = parse_int64(text)) return append(*number);
  append_text(text);
}

void ListpackWriter::append_text(ByteView text) {
  const size_t begin = out_.size();
  if (text.size() < 64) {
    out_ += static_cast<char>(listpack_code::kText6 | text.size());
  } else if (text.size() < 4096) {
    out_ += static_cast<char>(listpack_code::kText12 | text.size() >> 8);
    out_ += static_cast<char>(text.size() & 0xFF);
  } else {
    CHECK(text.size() <= UINT32_MAX);
    out_ += static_cast<char>(listpack_code::kText32);
    append_fixed(out_, static_cast<uint32_t>(text.size()));
  }
  out_ += text;
  end_entry(begin);
}

void ListpackWriter::append(int64_t number) {
  const size_t begin = out_.size();
  const auto whole = [&](uint8_t code, size_t bytes) {
    out_ += static_cast<char>(code);
    out_.append(reinterpret_cast<const char*>(&number), bytes);
  };
  if (number >= 0 && number < 128) {
    out_ += static_cast<char>(number);
  } else if (number >= -4096 && number < 4096) {
    const auto bits = static_cast<uint64_t>(number) & 0x1FFF;
    out_ += static_cast<char>(listpack_code::kNumber13 | bits >> 8);
    out_ += static_cast<char>(bits & 0xFF);
  } else if (number == static_cast<int16_t>(number)) {
    whole(listpack_code::kNumber16, 2);
  } else if (number >= -(1 << 23) && number < 1 << 23) {
    whole(listpack_code::kNumber24, 3);
  } else if (number == static_cast<int32_t>(number)) {
    whole(listpack_code::kNumber32, 4);
  } else {
    whole(listpack_code::kNumber64, 8);
  }
  end_entry(begin);
}

void ListpackWriter::end_entry(size_t begin) {
  char backwards[listpack_code::kBackwardsMax];
  out_.append(backwards, listpack_code::write_backwards(out_.size() - begin, backwards));
  ++elements_;
}

ByteView ListpackWriter::finish() {
  out_ += static_cast<char>(listpack_code::kEnd);
  CHECK(out_.size() <= UINT32_MAX);
  const auto bytes = static_cast<uint32_t>(out_.size());
  const auto count = static_cast<uint16_t>(std::min(elements_, listpack_code::kNotCounted));
  std::memcpy(out_.data(), &bytes, sizeof bytes);
  std::memcpy(out_.data() + sizeof bytes, &count, sizeof count);
  return out_;
}

}  // namespace ouro
