// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/blocking_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace ouro {
namespace {

constexpr mode_t kFileMode = 0644;

// Closes at the end of its scope.
class ScopedFd {
 public:
  explicit ScopedFd(int fd) noexcept : fd_(fd) {}
  ~ScopedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  ScopedFd(const ScopedFd&) = delete;
  ScopedFd& operator=(const ScopedFd&) = delete;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

int write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

int sync_directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const ScopedFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return errno;
  return ::fsync(fd.get()) == 0 ? 0 : errno;
}

}  // namespace

int read_whole_file(const std::string& path, std::string& bytes, size_t bytes_max) {
  constexpr size_t kStep = 64_KiB;
  bytes.clear();
  const ScopedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return errno;
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return errno;
  // The size is a hint only: files under /proc say 0.
  size_t used = 0;
  for (;;) {
    const size_t expected = static_cast<size_t>(facts.st_size);
    bytes.resize(used < expected ? expected + 1 : used + kStep);
    const ssize_t count = ::read(fd.get(), bytes.data() + used, bytes.size() - used);
    if (count < 0 && errno == EINTR) continue;
    const int error = count < 0 ? errno : used + static_cast<size_t>(count) > bytes_max ? EFBIG : 0;
    if (error != 0) {
      bytes.clear();
      return error;
    }
    used += static_cast<size_t>(count);
    if (count == 0) break;
  }
  bytes.resize(used);
  return 0;
}

int read_in_pieces(const std::string& path, FunctionRef<bool(ByteView)> take) {
  constexpr size_t kPieceBytes = 1_MiB;
  const ScopedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return errno;
  std::string room(kPieceBytes, '\0');
  for (;;) {
    const ssize_t count = ::read(fd.get(), room.data(), room.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0 || !take(ByteView(room.data(), static_cast<size_t>(count)))) return 0;
  }
}

int replace_file(const std::string& path, ByteView bytes) {
  const std::string temporary = path + ".tmp-" + std::to_string(::getpid());
  int error = 0;
  {
    const ScopedFd fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
    if (fd.get() < 0) return errno;
    error = write_all(fd.get(), bytes);
    if (error == 0 && ::fsync(fd.get()) != 0) error = errno;
  }
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return error;
  }
  return sync_directory_of(path);
}

int append_to_file(const std::string& path, ByteView bytes) {
  const ScopedFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode));
  if (fd.get() < 0) return errno;
  return write_all(fd.get(), bytes);
}

int remove_file(const std::string& path) {
  return ::unlink(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace ouro
