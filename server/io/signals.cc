// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace ouro {

struct Signals::Saved {
  sigset_t mask;
  struct sigaction pipe;
};

Signals::Signals(Loop& loop, SignalSink& sink)
    : loop_(loop),
      sink_(sink),
      watching_(this, op_to<&Signals::on_readable>()),
      saved_(std::make_unique<Saved>()) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGHUP);
  CHECK(pthread_sigmask(SIG_BLOCK, &mask, &saved_->mask) == 0);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  CHECK(sigaction(SIGPIPE, &ignore, &saved_->pipe) == 0);
  fd_ = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
  CHECK(fd_ >= 0);
  loop_.watch(watching_, fd_);
}

Signals::~Signals() {
  CHECK(is_idle());
  ::close(fd_);
  sigaction(SIGPIPE, &saved_->pipe, nullptr);
  pthread_sigmask(SIG_SETMASK, &saved_->mask, nullptr);
}

void Signals::on_readable(const Outcome& outcome) {
  if (outcome.result < 0) return;
  loop_.watch(watching_, fd_);
  signalfd_siginfo info{};
  while (::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (info.ssi_signo) {
      case SIGTERM:
        sink_.on_signal(Signal::kTerminate);
        break;
      case SIGINT:
        sink_.on_signal(Signal::kInterrupt);
        break;
      case SIGHUP:
        sink_.on_signal(Signal::kHangUp);
        break;
      default:
        OURO_UNREACHABLE();
    }
  }
}

}  // namespace ouro
