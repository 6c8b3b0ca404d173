// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/checksum.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/codec/varint.h"

namespace ouro {
namespace {

TEST(Checksum, GivesThePublishedCheckValues) {
  EXPECT_EQ(crc64(0, "123456789"), 0xe9c6d914c4b8d9caULL);
  EXPECT_EQ(crc16("123456789"), 0x31c3);
  EXPECT_EQ(crc64(0, ""), 0U);
  EXPECT_EQ(crc16("foo") % 16384, 12182);  // CLUSTER KEYSLOT foo
}

uint64_t bit_by_bit(uint64_t crc, ByteView bytes) {
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x95ac9329ac4bc9b5ULL : 0);
  }
  return crc;
}

TEST(Checksum, Crc64GoesOnFromAnyPlace) {
  Prng prng(1);
  std::string bytes(1000, '\0');
  for (char& c : bytes) c = static_cast<char>(prng.next());
  const uint64_t whole = bit_by_bit(0, bytes);
  for (size_t at = 0; at <= bytes.size(); ++at) {
    ASSERT_EQ(crc64(crc64(0, ByteView(bytes).substr(0, at)), ByteView(bytes).substr(at)), whole);
  }
}

TEST(Varint, RoundTripsAndRefusesTornForms) {
  Prng prng(2);
  for (int i = 0; i < 100000; ++i) {
    uint64_t value = prng.next() >> prng.below(64);
    if (i == 0) value = 0;
    if (i == 1) value = std::numeric_limits<uint64_t>::max();
    char bytes[kVarintBytesMax];
    const char* end = encode_varint(value, bytes);
    ASSERT_EQ(static_cast<size_t>(end - bytes), varint_bytes(value));
    uint64_t decoded = ~value;
    ASSERT_EQ(decode_varint(bytes, end, decoded), end);
    ASSERT_EQ(decoded, value);
    for (const char* cut = bytes; cut != end; ++cut)
      ASSERT_EQ(decode_varint(bytes, cut, decoded), nullptr);
  }
}

TEST(Varint, RefusesFormsThatAreTooLong) {
  uint64_t value = 0;
  for (const std::string& bytes :
       {std::string("\x80\x00", 2), std::string("\xff\x80\x00", 3), std::string(9, '\xff') + '\x02',
        std::string(10, '\x80') + '\x01'}) {
    EXPECT_EQ(decode_varint(bytes.data(), bytes.data() + bytes.size(), value), nullptr);
  }
}

}  // namespace
}  // namespace ouro
