// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "server/io/clock.h"

namespace ouro {

void LogFile::write(LogLevel level, ByteView line) {
  constexpr char kMarks[] = {'.', '-', '*', '#'};
  const UnixMs now = wall_clock_now();
  const std::time_t seconds = now / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  char time[64];
  if (std::strftime(time, sizeof(time), "%d %b %Y %H:%M:%S", &local) == 0) return;
  std::FILE* file = path_.empty() ? stdout : std::fopen(path_.c_str(), "ae");
  if (file == nullptr) return;
  (void)std::fprintf(file, "%d:M %s.%03d %c %.*s\n", getpid(), time, static_cast<int>(now % 1000),
                     kMarks[static_cast<size_t>(level)], static_cast<int>(line.size()),
                     line.data());
  if (path_.empty()) {
    (void)std::fflush(file);
  } else {
    (void)std::fclose(file);
  }
}

void LogFile::take_standard_error() {
  if (path_.empty()) {
    (void)dup2(STDOUT_FILENO, STDERR_FILENO);
    return;
  }
  const int fd = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return;
  (void)dup2(fd, STDERR_FILENO);
  ::close(fd);
}

}  // namespace ouro
