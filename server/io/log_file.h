// SPDX-License-Identifier: BSD-3-Clause
// LogFile: the program's log, lines with process id, role, time and level as operators of Redis
// know them:
//   4711:M 23 Nov 2026 17:12:08.123 * Ready to accept connections
// To a file (opened for each line, so that it can be rotated by renaming) or to standard output.
#pragma once

#include <string>
#include <utility>

#include "datastructs/base/log.h"

namespace ouro {

class LogFile final : public Logger {
 public:
  // Empty: standard output.
  explicit LogFile(std::string path) : path_(std::move(path)) {}
  void write(LogLevel level, ByteView line) override;
  // What the program or a library says on standard error is in the log, too, from now on.
  void take_standard_error();

 private:
  std::string path_;
};

}  // namespace ouro
