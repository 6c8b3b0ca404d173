// SPDX-License-Identifier: BSD-3-Clause
// Listener: one listening socket; Listeners: all of a server (every bind address, and the unix
// socket). Each accepted socket goes to the AcceptSink, which may take it (make a Connection) or
// Loop::refuse it with a text. Accepting pauses for kAcceptPause when the system refuses (out of
// descriptors, say), so that it does not spin, and logs it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datastructs/base/log.h"
#include "server/io/loop.h"

namespace ouro {

class Listener;

class AcceptSink {
 public:
  virtual ~AcceptSink() = default;
  virtual void on_accepted(SocketFd fd, const Listener& from) = 0;
};

class Listener {
 public:
  Listener(Loop& loop, Logger& log, AcceptSink& sink);
  ~Listener();  // requires is_idle()
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // 0 or an errno. Accepted sockets inherit options.tuning.
  int open(const Address& address, const ListenOptions& options);
  // Accepts no more; is_idle() once the loop has let go. A unix socket's file is removed.
  void close();
  void tune(const SocketTuning& tuning);
  void set_port_use(PortUse use);

  bool is_idle() const noexcept { return !fd_.is_open() && !accepting_.busy(); }
  // With the port that was chosen for port 0.
  const Address& address() const noexcept { return address_; }

 private:
  static constexpr Micros kAcceptPause = 100'000;

  void on_accepted(const Outcome& outcome);
  void on_closed(const Outcome& outcome);
  void on_pause_over();

  Loop& loop_;
  Logger& log_;
  AcceptSink& sink_;
  Op accepting_;
  Op closing_op_;
  Timer pause_;
  ListenFd fd_;
  Address address_;
  std::string unix_path_;  // to be removed at close
  bool closing_ = false;
};

class Listeners {
 public:
  struct Tcp {
    uint16_t port = 0;  // 0: any free one, the same for all addresses
    // "127.0.0.1", "*", "::*", host names; "-" before one: may be missing here.
    std::span<const ByteView> binds;
  };

  Listeners(Loop& loop, Logger& log, AcceptSink& sink) : loop_(loop), log_(log), sink_(sink) {}

  // From now on exactly these TCP addresses are open: those that were stay as they are, others are
  // closed once all new ones are open; so an address may follow one that it overlaps with, or one
  // that is still being closed. 0, or the errno of the first address that failed; then all is as
  // before, and `failed` names it. The first time an address that is taken is tried again for
  // kTakenWait: the system may still be closing the sockets of a server that was just killed, which
  // with io_uring takes some milliseconds after the process is gone.
  int open_tcp(const Tcp& tcp, const ListenOptions& options, std::string& failed);
  int open_unix(ByteView path, const ListenOptions& options);
  void close_all();
  void tune(const SocketTuning& tuning);

  // All closed: may be destroyed.
  bool is_idle() const noexcept;
  // The port of the first TCP listener, 0 without one.
  uint16_t port() const noexcept;
  const std::vector<std::unique_ptr<Listener>>& all() const noexcept { return open_; }

 private:
  static constexpr Micros kTakenWait = 100'000;
  static constexpr Micros kTakenPause = 2000;

  // What open_tcp() is about to do.
  struct Plan {
    std::vector<std::unique_ptr<Listener>> opened;
    std::vector<const Listener*> kept;
    uint16_t port;
  };
  int plan_tcp(const Tcp& tcp, const ListenOptions& options, Plan& plan, std::string& failed);
  int plan_address(const std::string& host, const ListenOptions& options, Plan& plan);
  int open_at_last(Listener& listener, const Address& address, const ListenOptions& options);
  bool holds_port(uint16_t port) const noexcept;
  void set_port_use(PortUse use);
  const Listener* find_open(const Address& address) const;
  void close(std::unique_ptr<Listener> listener);
  void forget_idle();

  Loop& loop_;
  Logger& log_;
  AcceptSink& sink_;
  std::vector<std::unique_ptr<Listener>> open_;
  std::vector<std::unique_ptr<Listener>> closing_;
};

}  // namespace ouro
