// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/crash_report.h"

#include <execinfo.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace ouro {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int kFramesMax = 100;

// Nothing here may allocate: the crash may have come from within the allocator.
void on_crash(int signal, siginfo_t* info, void*) {
  void* frames[kFramesMax];
  const int count = backtrace(frames, kFramesMax);
  const int self = ::getpid();
  ::dprintf(STDERR_FILENO,
            "\n=== OURO BUG REPORT START: Cut & paste starting from here ===\n"
            "%d:M # ouro crashed by signal: %d, si_code: %d\n"
            "%d:M # Accessing address: %p\n\n------ STACK TRACE ------\n",
            self, signal, info->si_code, self, info->si_addr);
  backtrace_symbols_fd(frames, count, STDERR_FILENO);
  ::dprintf(STDERR_FILENO, "\n=== OURO BUG REPORT END ===\n");
  ::raise(signal);  // whose handler is the usual one again
}

}  // namespace

void report_crashes() {
  // The first call loads what it needs, which a handler must not.
  void* frame = nullptr;
  (void)backtrace(&frame, 1);
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = static_cast<int>(SA_SIGINFO | SA_RESETHAND | SA_NODEFER);
  for (const int signal : kSignals) sigaction(signal, &action, nullptr);
}

void report_no_crashes() {
  for (const int signal : kSignals) std::signal(signal, SIG_DFL);
}

}  // namespace ouro
