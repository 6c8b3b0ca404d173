// SPDX-License-Identifier: BSD-3-Clause
// RdbWriter: the parts that RDB is made of, appended to a buffer of the caller's. The bytes are
// those that Redis 7.0 writes: a string that reads like a number of up to 32 bits is one, and one
// of more than 20 bytes is packed if that saves four.
//
// A copy goes on in the same buffer. Large strings can be written in pieces: string_begin() says
// how long they are, raw() gives the pieces; they are not packed then. The writer also remembers
// who will be able to read it: needs_version() is 10, Redis 7.0's, unless something was written
// that only a later one reads, and needs() the program. Cost: one pass over the bytes, two if
// packed.
#pragma once

#include <algorithm>
#include <string>

#include "datastructs/base/units.h"
#include "datastructs/codec/little_endian.h"
#include "persistence/rdb.h"

namespace ouro {

// Whose values there are, from what every Redis knows to what nobody else does.
enum class RdbDialect : uint8_t { kRedis, kRedisBloom, kOuro };

class RdbWriter {
 public:
  enum class Packing : uint8_t {
    kNone,
    kLzf,
    kLzfBounded,  // strings of up to kBoundedBytesMax: packing one takes some 200 us then
  };
  static constexpr size_t kBoundedBytesMax = 64_KiB;
  RdbWriter(std::string& out, Packing packing) : out_(out), packing_(packing) {}

  void byte(uint8_t value) { out_ += static_cast<char>(value); }
  void type(RdbType type) { byte(static_cast<uint8_t>(type)); }
  void opcode(RdbOpcode opcode) { byte(static_cast<uint8_t>(opcode)); }
  void raw(ByteView bytes) { out_ += bytes; }
  // A number of fixed size: little-endian.
  template <class T>
  void fixed(T value) {
    append_fixed(out_, value);
  }
  void length(uint64_t value);
  void string(ByteView text);
  void string_begin(uint64_t bytes) { length(bytes); }

  // ---- values of modules
  void module_id(uint64_t id) { length(id); }
  void module_unsigned(uint64_t value) {
    code(RdbModuleCode::kUnsigned);
    length(value);
  }
  void module_signed(int64_t value) {
    code(RdbModuleCode::kSigned);
    length(static_cast<uint64_t>(value));
  }
  void module_double(double value) {
    code(RdbModuleCode::kDouble);
    fixed(value);
  }
  void module_string(ByteView text) {
    code(RdbModuleCode::kString);
    string(text);
  }
  void module_string_begin(uint64_t bytes) {
    code(RdbModuleCode::kString);
    string_begin(bytes);
  }
  void module_end() { code(RdbModuleCode::kEnd); }

  // What is written cannot be read by less.
  void need_version(unsigned version) { needs_version_ = std::max(needs_version_, version); }
  void need(RdbDialect dialect) { needs_ = std::max(needs_, dialect); }
  unsigned needs_version() const { return needs_version_; }
  RdbDialect needs() const { return needs_; }

 private:
  static constexpr size_t kPackedBytesMin = 21;
  static constexpr size_t kPackedGainMin = 4;

  void code(RdbModuleCode code) { length(static_cast<uint64_t>(code)); }
  bool may_pack(size_t bytes) const;
  bool try_number(ByteView text);
  bool try_packed(ByteView text);

  std::string& out_;
  std::string scratch_;
  Packing packing_;
  unsigned needs_version_ = kRdbVersion;
  RdbDialect needs_ = RdbDialect::kRedis;
};

}  // namespace ouro
