// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/relaunch.h"

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "datastructs/codec/number_text.h"
#include "server/io/process.h"

namespace ouro {
namespace {

// Requests in flight may hold a socket open behind its descriptor, so its end is said first.
void end_sockets() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this function's own
  while (const dirent* entry = ::readdir(folder)) {
    const auto fd = parse_int64(entry->d_name);
    if (fd && *fd > STDERR_FILENO) (void)::shutdown(static_cast<int>(*fd), SHUT_RDWR);
  }
  ::closedir(folder);
}

}  // namespace

Relaunch::Relaunch(int count, char** words)
    : executable_(process_facts().executable),
      words_(words, words + count),
      folder_(current_directory()) {}

int Relaunch::check() const { return ::access(executable_.c_str(), X_OK) == 0 ? 0 : errno; }

void Relaunch::run(Millis delay) const {
  end_sockets();
  (void)::close_range(STDERR_FILENO + 1, ~0U, 0);
  const timespec span{.tv_sec = delay / 1000, .tv_nsec = delay % 1000 * 1'000'000};
  if (delay > 0) (void)::ppoll(nullptr, 0, &span, nullptr);
  std::vector<std::string> words = words_;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (change_directory(folder_) == 0) (void)::execv(executable_.c_str(), argv.data());
  ::_exit(1);
}

}  // namespace ouro
