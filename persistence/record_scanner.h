// SPDX-License-Identifier: BSD-3-Clause
// RecordScanner: finds where a record of a snapshot ends, while its bytes come in. It reads lengths
// and steps over what they announce, so that a value is decoded once, when all of it is there.
//
// What stands behind each first byte (rdb.h) is a pattern:
//
//      s string   l length   1 4 8 so many bytes   i an id, 16 bytes   t a score as text
//      m values of a module up to their end   *(...) a length and as many times what is in brackets
//
//      hash "s*(ss)"    a key, then pairs of strings
//
// Where the bytes end it remembers the part that was not whole, and goes on there: whatever the
// chunks, each part's head is read once, and once more for each chunk that it spans.
// Not here: whether what is inside of a string is good; that is for the decoders.
#pragma once

#include <array>

#include "persistence/rdb_reader.h"

namespace ouro {

class RecordScanner {
 public:
  // A record with this first byte; false if none has it.
  bool begin(uint8_t first);
  // The bytes from the record's first one on, as many as there are: at least as many as before.
  // kOk: size() of them are the record. kNeedsMore, or kCorrupt with reason and offset (counted
  // from the record's first byte).
  RdbReader::State scan(ByteView bytes);

  size_t size() const { return at_; }
  const char* reason() const { return reason_; }

 private:
  static constexpr size_t kDepthMax = 3;
  struct Loop {
    size_t begin = 0;  // in the pattern, behind the bracket
    uint64_t left = 0;
  };

  bool step(RdbReader& in);
  void skip_brackets();

  ByteView pattern_;
  size_t place_ = 0;  // in the pattern
  size_t at_ = 0;     // in the record: all before has been read
  std::array<Loop, kDepthMax> loops_{};
  size_t depth_ = 0;
  const char* reason_ = "";
};

}  // namespace ouro
