// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/process.h"

#include <glob.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>

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
