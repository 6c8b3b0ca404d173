// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/process.h"

#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ouro {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

size_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long total = 0;
  unsigned long resident = 0;
  const int fields = std::fscanf(file, "%lu %lu", &total, &resident);
  (void)std::fclose(file);
  return fields == 2 ? resident * static_cast<size_t>(sysconf(_SC_PAGESIZE)) : 0;
}

constexpr const char* kOomScoreFile = "/proc/self/oom_score_adj";

// NOLINTNEXTLINE(concurrency-mt-unsafe): reads the environment, which nothing changes
const char* notify_path() { return std::getenv("NOTIFY_SOCKET"); }

}  // namespace

ProcessFacts process_facts() {
  ProcessFacts facts;
  facts.id = getpid();
  char path[PATH_MAX];
  if (const ssize_t size = readlink("/proc/self/exe", path, sizeof(path)); size > 0) {
    facts.executable.assign(path, static_cast<size_t>(size));
  }
  utsname name{};
  if (uname(&name) == 0) {
    facts.system = std::string(name.sysname) + " " + name.release + " " + name.machine;
  }
  rusage use{};
  if (getrusage(RUSAGE_SELF, &use) == 0) {
    facts.system_s = seconds(use.ru_stime);
    facts.user_s = seconds(use.ru_utime);
    facts.peak_resident_bytes = static_cast<size_t>(use.ru_maxrss) * 1024;
  }
  if (getrusage(RUSAGE_THREAD, &use) == 0) {
    facts.thread_system_s = seconds(use.ru_stime);
    facts.thread_user_s = seconds(use.ru_utime);
  }
  facts.resident_bytes = resident_bytes();
  facts.machine_memory_bytes =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return facts;
}

uint64_t raise_descriptor_limit(uint64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  rlimit raised = limit;
  raised.rlim_cur = wanted;
  if (raised.rlim_max < wanted) raised.rlim_max = wanted;
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
  // Not root: as far as the hard limit goes.
  raised = limit;
  raised.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

int read_oom_score(int& score) {
  std::FILE* file = std::fopen(kOomScoreFile, "re");
  if (file == nullptr) return errno;
  const int fields = std::fscanf(file, "%d", &score);
  (void)std::fclose(file);
  return fields == 1 ? 0 : EIO;
}

int write_oom_score(int score) {
  const int fd = ::open(kOomScoreFile, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const std::string text = std::to_string(score);
  const int error = ::write(fd, text.data(), text.size()) < 0 ? errno : 0;
  ::close(fd);
  return error;
}

int run_on_cpus(std::span<const uint32_t> cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const uint32_t cpu : cpus) {
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  }
  return ::sched_setaffinity(0, sizeof(set), &set) == 0 ? 0 : errno;
}

bool refuse_huge_pages() {
  std::FILE* file = std::fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
  if (file == nullptr) return false;
  char chosen[sizeof("[always]")] = {};
  const bool is_read = std::fread(chosen, 1, sizeof(chosen) - 1, file) != 0;
  (void)std::fclose(file);
  return is_read && ByteView(chosen) == "[always]" && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0;
}

bool is_supervised() { return notify_path() != nullptr; }

int tell_supervisor(ByteView lines) {
  const char* const path = notify_path();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t size = path == nullptr ? 0 : std::strlen(path);
  if (size == 0 || size >= sizeof(address.sun_path)) return EINVAL;
  std::memcpy(address.sun_path, path, size);
  // An '@' stands for the zero of an abstract name.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  const ssize_t sent = ::sendto(fd, lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                reinterpret_cast<const sockaddr*>(&address), length);
  const int error = sent < 0 ? errno : 0;
  ::close(fd);
  return error;
}

int change_directory(const std::string& path) { return chdir(path.c_str()) == 0 ? 0 : errno; }

std::string current_directory() {
  char path[PATH_MAX];
  return getcwd(path, sizeof(path)) == nullptr ? std::string() : std::string(path);
}

int become_daemon() { return ::daemon(/*nochdir=*/1, /*noclose=*/0) == 0 ? 0 : errno; }

std::vector<std::string> expand_paths(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): reads the environment, which nothing changes
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return paths;
}

}  // namespace ouro
