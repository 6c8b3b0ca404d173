// SPDX-License-Identifier: BSD-3-Clause
// The numbers of Redis's RDB format: what stands in snapshot files and, of one value, in what DUMP
// gives.
//
//      file      "REDIS" | version, 4 digits | records | kEnd | CRC-64 of all before, 8 bytes
//      record    an Opcode and its payload, or a key: type | key string | value
//      dump      type | value | version, 2 bytes | CRC-64 of all before, 8 bytes
//
//      length    00LLLLLL                          L
//                01LLLLLL llllllll                 L l
//                10000000 4 bytes | 10000001 8 bytes
//      string    a length and so many bytes, or
//                11000000 1 byte | 11000001 2 bytes | 11000010 4 bytes     a number, as its text
//                11000011 packed length | length | packed bytes            LZF (codec/lzf.h)
//
// Lengths are big-endian, all else is little-endian. Here are names only: rdb_writer.h and
// rdb_reader.h know how the parts look, value_codec.h knows the values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ouro {

// What is written: Redis 7.0's version, and those of its successors where it cannot say a thing.
inline constexpr unsigned kRdbVersion = 10;         // Redis 7.0
inline constexpr unsigned kRdbVersionTimed = 12;    // Redis 7.4: hash fields with deadlines
inline constexpr unsigned kRdbVersionReadMax = 12;  // what is read: 1 to this
// From this version on a file ends with its checksum; eight zeros say that there is none.
inline constexpr unsigned kRdbVersionChecksum = 5;

enum class RdbOpcode : uint8_t {
  kSlotInfo = 244,              // lengths: cluster slot, its keys, those of them that expire
  kFunction = 245,              // string: a library's text
  kFunctionOfCandidates = 246,  // as release candidates of 7.0 had it
  kModuleAux = 247,             // module id, when, values
  kIdle = 248,                  // length: seconds since the next key was used
  kFrequency = 249,             // byte: how often the next key is used, logarithmic
  kAux = 250,                   // two strings: name and value of a fact about the file
  kResize = 251,                // lengths: keys of the database, those of them that expire
  kExpiryMillis = 252,          // 8 bytes: when the next key ends
  kExpirySeconds = 253,         // 4 bytes: the same
  kSelect = 254,                // length: the database of the keys that follow
  kEnd = 255,
};

enum class RdbType : uint8_t {
  kString = 0,
  kList = 1,           // count, strings
  kSet = 2,            // count, strings
  kZSetText = 3,       // count, (string, score as text)
  kHash = 4,           // count, (string, string)
  kZSet = 5,           // count, (string, score as 8 bytes)
  kModuleOld = 6,      // cannot be read without the module
  kModule = 7,         // module id, values, each behind an RdbModuleCode
  kHashZipmap = 9,     // string: the packed form of this name; so are all that end in one
  kListZiplist = 10,   //
  kSetIntset = 11,     //
  kZSetZiplist = 12,   //
  kHashZiplist = 13,   //
  kListZiplists = 14,  // count, ziplists
  kStream1 = 15,       // Redis 5.0
  kHashListpack = 16,  //
  kZSetListpack = 17,  //
  kListNodes = 18,     // count, (RdbListNode, string)
  kStream2 = 19,       // Redis 7.0
  kSetListpack = 20,   // version 11, Redis 7.2
  kStream3 = 21,       // version 11
  kHashTimedOld = 22,  // as release candidates of 7.4 had them: deadlines as they are
  kHashTimedListpackOld = 23,
  kHashTimed = 24,  // version 12: first deadline, count, (deadline since it + 1, string, string)
  kHashTimedListpack = 25,  // version 12: first deadline, listpack of field, value, deadline
};

// Whether Redis 7.0 can read values of this type, without a module.
constexpr bool is_type_of_redis7(RdbType type) {
  return type <= RdbType::kStream2 && type != RdbType::kModule && type != RdbType::kModuleOld;
}

// How a node of kListNodes is kept.
enum class RdbListNode : uint8_t { kPlain = 1, kListpack = 2 };

// What stands before each value of a module.
enum class RdbModuleCode : uint8_t {
  kEnd = 0,
  kSigned = 1,
  kUnsigned = 2,
  kFloat = 3,
  kDouble = 4,
  kString = 5
};

namespace rdb_code {

// First bytes of a length; the top two bits of others.
inline constexpr uint8_t kFormBits = 0xC0;
inline constexpr uint8_t kSixBits = 0x00;
inline constexpr uint8_t kFourteenBits = 0x40;
inline constexpr uint8_t kFourBytes = 0x80;
inline constexpr uint8_t kEightBytes = 0x81;
// First bytes of a string that is no length and bytes.
inline constexpr uint8_t kInt8 = 0xC0;
inline constexpr uint8_t kInt16 = 0xC1;
inline constexpr uint8_t kInt32 = 0xC2;
inline constexpr uint8_t kLzf = 0xC3;
// In place of a length in front of a score as text.
inline constexpr uint8_t kNotANumber = 253;
inline constexpr uint8_t kInfinity = 254;
inline constexpr uint8_t kMinusInfinity = 255;

}  // namespace rdb_code
}  // namespace ouro
