// SPDX-License-Identifier: BSD-3-Clause
// Picks the loop for this machine. The kernel's version says little (containers forbid io_uring by
// seccomp, administrators by sysctl, distributions carry fixes back), so the probe does what a
// server does, on a pair of sockets, and looks.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/io/loop.h"

namespace ouro {

enum class IoBackend : uint8_t { kAuto, kUring, kEpoll };

// "auto", "uring" (also "io_uring"), "epoll".
std::optional<IoBackend> io_backend_from(ByteView name);

struct ProbedLoop {
  std::unique_ptr<Loop> loop;  // null: what was asked for does not work here, `words` says why
  std::string words;           // for the log and INFO: which, and why
};

ProbedLoop make_loop(IoBackend wanted);

}  // namespace ouro
