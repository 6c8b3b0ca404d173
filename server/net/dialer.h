// SPDX-License-Identifier: BSD-3-Clause
// Dialer: connects to an address within a time, and hands the socket over.
#pragma once

#include "server/io/loop.h"

namespace ouro {

class DialSink {
 public:
  virtual ~DialSink() = default;
  // `fd` is the sink's from now on.
  virtual void on_dialed(SocketFd fd) = 0;
  // An errno; ETIMEDOUT also when the time was over. Not called after cancel().
  virtual void on_dial_failed(int error) = 0;
};

class Dialer {
 public:
  Dialer(Loop& loop, DialSink& sink);
  ~Dialer();  // requires is_idle()
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  // `source`: the address to come from, if it can be had; the default is any. Requires is_idle().
  void dial(const Address& address, Millis timeout, const SocketTuning& tuning,
            const Address& source = {});
  // The sink hears no more; is_idle() once the loop has let go.
  void cancel();
  bool is_idle() const noexcept { return !connecting_.busy(); }

 private:
  void on_connected(const Outcome& outcome);
  void on_timeout();

  Loop& loop_;
  DialSink& sink_;
  Op connecting_;
  Timer timeout_;
  SocketTuning tuning_;
  bool timed_out_ = false;
  bool cancelled_ = false;
};

}  // namespace ouro
