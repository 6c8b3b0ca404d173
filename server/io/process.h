// SPDX-License-Identifier: BSD-3-Clause
// What the system knows of this process: for INFO and the log's first lines.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

struct ProcessFacts {
  int64_t id = 0;
  std::string executable;
  std::string system;  // "Linux 6.1.0 x86_64"
  size_t resident_bytes = 0;
  size_t peak_resident_bytes = 0;
  // CPU seconds of the process and of the calling thread.
  double system_s = 0, user_s = 0;
  double thread_system_s = 0, thread_user_s = 0;
  uint64_t machine_memory_bytes = 0;
};

// A few system calls: ask when somebody looks, not in a turn.
ProcessFacts process_facts();

// The file-descriptor limit is raised towards `wanted` as far as the system allows; returns what it
// is now.
uint64_t raise_descriptor_limit(uint64_t wanted);

// The kernel's /proc/self/oom_score_adj, within [-1000, 1000]; 0 or an errno. To lower it takes a
// right.
int read_oom_score(int& score);
int write_oom_score(int score);

// The calling thread runs on these CPUs only; 0 or an errno. Threads that it starts inherit that.
int run_on_cpus(std::span<const uint32_t> cpus);

// Memory comes in small pages, although the system is set to give huge ones to all: true. False
// when it is not set so, and nothing is changed.
bool refuse_huge_pages();

// Whether systemd started this process and waits to be told when it is ready ($NOTIFY_SOCKET).
bool is_supervised();
// Tells it, as sd_notify(3) lays it out: lines like "READY=1". 0 or an errno.
int tell_supervisor(ByteView lines);

// 0 or an errno.
int change_directory(const std::string& path);
std::string current_directory();

// Goes on in the background, without a terminal; the foreground process ends with code 0. 0 or an
// errno.
int become_daemon();

// The paths that match a pattern with wildcards, sorted.
std::vector<std::string> expand_paths(const std::string& pattern);

}  // namespace ouro
