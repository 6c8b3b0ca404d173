// SPDX-License-Identifier: BSD-3-Clause
#include "server/net/dialer.h"

#include <cerrno>

namespace ouro {

Dialer::Dialer(Loop& loop, DialSink& sink)
    : loop_(loop),
      sink_(sink),
      connecting_(this, op_to<&Dialer::on_connected>()),
      timeout_(this, timer_to<&Dialer::on_timeout>()) {}

Dialer::~Dialer() { CHECK(is_idle()); }

void Dialer::dial(const Address& address, Millis timeout, const SocketTuning& tuning,
                  const Address& source) {
  CHECK(is_idle());
  timed_out_ = false;
  cancelled_ = false;
  tuning_ = tuning;
  loop_.set_timer(timeout_, instant_after(loop_.now(), timeout));
  loop_.connect(connecting_, address, source);
}

void Dialer::cancel() {
  cancelled_ = true;
  loop_.cancel_timer(timeout_);
  loop_.cancel(connecting_);
}

void Dialer::on_timeout() {
  timed_out_ = true;
  loop_.cancel(connecting_);
}

void Dialer::on_connected(const Outcome& outcome) {
  loop_.cancel_timer(timeout_);
  if (outcome.result >= 0) {
    const SocketFd fd{outcome.result};
    // It may have come just before the cancel.
    if (cancelled_) return loop_.refuse(fd, {});
    loop_.tune(fd, tuning_);
    return sink_.on_dialed(fd);
  }
  if (cancelled_) return;
  sink_.on_dial_failed(timed_out_ ? ETIMEDOUT : -outcome.result);
}

}  // namespace ouro
