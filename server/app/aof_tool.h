// SPDX-License-Identifier: BSD-3-Clause
// ouro-server --check-aof DIR [--fix]: reads a log without loading it, and says what is wrong
// where. With --fix the last file is cut where it is good no more. Nobody may be writing to it
// meanwhile.
#pragma once

#include <span>
#include <string>

#include "datastructs/base/units.h"
#include "server/io/loop.h"

namespace ouro {

struct AofToolResult {
  bool is_valid = false;  // or has been made so
  std::string text;       // for whoever asked
};

// `words`: what stands behind --check-aof. From outside of turns.
AofToolResult check_aof(Loop& loop, std::span<const ByteView> words);

}  // namespace ouro
