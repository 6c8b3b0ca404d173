// SPDX-License-Identifier: BSD-3-Clause
// What the client of the debugger sends: arrays of bulk strings, as commands are, but of a grammar
// and with bounds of its own. Whatever stands ahead of the first '*' is skipped; there is at least
// one word, and no word is empty.
#pragma once

#include <string>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

class DebugInput {
 public:
  // Redis's.
  static constexpr int kWordsMax = 1024;
  static constexpr int kWordBytesMax = 1024;
  static constexpr size_t kBytesMax = 1_MiB;

  // Beyond kBytesMax nothing is taken any more.
  void feed(ByteView bytes);
  bool empty() const { return bytes_.empty(); }

  enum class Read : uint8_t {
    kMore,     // no whole command yet
    kCommand,  // `words` are the next one
    kBroken,   // for good
    kTooLong,  // for good: what came is not used up
  };
  Read next(std::vector<std::string>& words);

 private:
  std::string bytes_;
  bool is_over_ = false;
};

}  // namespace ouro
