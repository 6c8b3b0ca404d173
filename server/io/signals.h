// SPDX-License-Identifier: BSD-3-Clause
// Signals: SIGTERM, SIGINT and SIGHUP as events of a Loop, so that nothing ever runs in a signal
// handler. While one exists, these signals are blocked in the thread that made it (make it before
// other threads) and SIGPIPE is ignored. For the server program; the in-process library never
// touches signals.
#pragma once

#include <memory>

#include "server/io/loop.h"

namespace ouro {

enum class Signal : uint8_t { kTerminate, kInterrupt, kHangUp };

class SignalSink {
 public:
  virtual ~SignalSink() = default;
  virtual void on_signal(Signal signal) = 0;
};

class Signals {
 public:
  Signals(Loop& loop, SignalSink& sink);
  // Restores the signal mask. Requires is_idle().
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // No more events; is_idle() once the loop has let go.
  void stop() { loop_.cancel(watching_); }
  bool is_idle() const noexcept { return !watching_.busy(); }

 private:
  void on_readable(const Outcome& outcome);

  struct Saved;  // the thread's mask as it was
  Loop& loop_;
  SignalSink& sink_;
  Op watching_;
  int fd_ = -1;
  std::unique_ptr<Saved> saved_;
};

}  // namespace ouro
