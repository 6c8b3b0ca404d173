// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/log.h"

#include <cstdarg>
#include <cstdio>

namespace ouro {

void Logger::print(LogLevel level, const char* format, ...) {
  if (!enabled(level)) return;
  // Long enough for any line of ours; longer ones are cut, as a log line should be.
  char line[1024];
  std::va_list args;
  va_start(args, format);
  const int length = std::vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  if (length < 0) return;
  const size_t shown =
      static_cast<size_t>(length) < sizeof(line) ? static_cast<size_t>(length) : sizeof(line) - 1;
  write(level, ByteView(line, shown));
}

}  // namespace ouro
