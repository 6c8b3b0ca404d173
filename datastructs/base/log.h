// SPDX-License-Identifier: BSD-3-Clause
// The log seam. Whoever runs a node derives from Logger; it carries the node's name, so that five
// servers in one simulation can be told apart. Lines are written by the derived class; nothing
// below server/app formats time.
#pragma once

#include <cstdint>

#include "datastructs/base/units.h"

namespace ouro {

enum class LogLevel : uint8_t { kDebug, kVerbose, kNotice, kWarning };

class Logger {
 public:
  virtual ~Logger() = default;
  // One line without its newline.
  virtual void write(LogLevel level, ByteView line) = 0;

  bool enabled(LogLevel level) const noexcept { return level >= least_; }
  void set_least(LogLevel level) noexcept { least_ = level; }

  // printf's formats.
  [[gnu::format(printf, 3, 4)]] void print(LogLevel level, const char* format, ...);

 private:
  LogLevel least_ = LogLevel::kNotice;
};

}  // namespace ouro
