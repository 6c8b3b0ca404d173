// SPDX-License-Identifier: BSD-3-Clause
// RdbReader: a cursor over RDB bytes that nobody has checked yet. Each call reads one part and
// moves behind it.
//
// The first thing that is wrong is kept: after it every call answers zeros and empty bytes, so that
// a decoder reads a record and asks once, ok(). What is wrong is one of
//
//      kNeedsMore   the bytes end before the part does; with more of them it may be right
//      kCorrupt     no more bytes can mend it; reason() says why, offset() where
//      kEmpty       a collection without elements, which no server keeps: a file's reader may skip
//                   it, RESTORE refuses it
//
// Nothing is allocated by a length that the bytes claim: a length of bytes is looked for in what is
// there, a count of elements by count(), which knows how few bytes an element takes, and what a
// packed string grows to is bounded by what LZF can do. Views point into the bytes or, where a
// string is not there as it is, into the scratch that the caller lends.
#pragma once

#include <cstring>
#include <string>

#include "datastructs/base/units.h"
#include "persistence/rdb.h"

namespace ouro {

class RdbReader {
 public:
  enum class State : uint8_t { kOk, kNeedsMore, kCorrupt, kEmpty };

  // offset: of bytes[0], for messages.
  explicit RdbReader(ByteView bytes, uint64_t offset = 0) : bytes_(bytes), base_(offset) {}

  uint8_t byte() { return fixed<uint8_t>(); }
  // A number of fixed size: little-endian.
  template <class T>
  T fixed() {
    T value{};
    const ByteView its = bytes(sizeof value);
    if (!its.empty()) std::memcpy(&value, its.data(), sizeof value);
    return value;
  }
  // So many bytes as they are.
  ByteView bytes(uint64_t count);
  uint64_t length();
  // The number of elements that follow, each of which takes at least `bytes_each` > 0. More than
  // can be there is kNeedsMore.
  uint64_t count(size_t bytes_each);
  ByteView string(std::string& scratch);
  // A string that is to be an element of a collection, whose lengths have 32 bits.
  ByteView element(std::string& scratch) {
    const ByteView text = string(scratch);
    return check(text.size() <= UINT32_MAX, "an element is too large") ? text : ByteView();
  }
  // Goes behind a string without reading it; returns the length of its text, which is not checked.
  uint64_t skip_string();
  // A score as text; never not-a-number.
  double score_text();

  // ---- values of modules
  uint64_t module_unsigned();
  int64_t module_signed();
  double module_double();
  ByteView module_string(std::string& scratch);
  uint64_t skip_module_string();
  void module_end() { expect(RdbModuleCode::kEnd); }
  // The next value, whatever it is; false behind the last one.
  bool skip_module_value();

  // ---- what is wrong
  void refuse(const char* reason) { fail(State::kCorrupt, reason); }
  void refuse_empty() { fail(State::kEmpty, "a collection without elements"); }
  // What stood in a row is wrong in itself; the same as refuse() for what comes out.
  bool check(bool condition, const char* reason) {
    if (!condition) refuse(reason);
    return ok();
  }
  bool ok() const { return state_ == State::kOk; }
  State state() const { return state_; }
  // Requires !ok().
  const char* reason() const { return reason_; }
  // Of the next byte, or of the part that is wrong.
  uint64_t offset() const { return base_ + (ok() ? at_ : part_at_); }
  size_t left() const { return bytes_.size() - at_; }

 private:
  // How a string begins.
  struct StringHead {
    uint8_t form = 0;  // kSixBits: as it is; else kInt8 to kLzf
    uint64_t stored_bytes = 0;
    uint64_t text_bytes = 0;
  };
  StringHead string_head();
  uint64_t length_behind(uint8_t first);
  uint64_t big_endian(size_t bytes);
  ByteView number_text(uint8_t form, std::string& scratch);
  void expect(RdbModuleCode code);
  void begin_part() {
    if (ok()) part_at_ = at_;
  }
  // The next bytes without beginning a part.
  ByteView take(uint64_t count);
  void fail(State state, const char* reason) {
    if (!ok()) return;
    state_ = state;
    reason_ = reason;
  }

  ByteView bytes_;
  size_t at_ = 0;
  size_t part_at_ = 0;
  uint64_t base_;
  State state_ = State::kOk;
  const char* reason_ = "";
};

}  // namespace ouro
