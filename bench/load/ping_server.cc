// SPDX-License-Identifier: BSD-3-Clause
// The floor: what a server over this Loop costs before it does anything. Answers +PONG to each
// "PING" it sees, as inline command or as RESP array, by its last letter; no parsing, no look-up.
//
//      ping_server [uring|epoll|auto] [port]     prints the port, and at SIGTERM its CPU time
//      redis-benchmark -p PORT -t ping_mbulk -c 50 -P 16 -n 1000000
#include <cstdio>
#include <cstdlib>

#include "server/io/clock.h"
#include "server/io/probe.h"
#include "server/io/signals.h"
#include "server/net/connection.h"
#include "server/net/listener.h"

namespace ouro {
namespace {

class StdoutLog final : public Logger {
 public:
  void write(LogLevel, ByteView line) override {
    std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
    std::fflush(stdout);
  }
};

class PingServer;

// One PING is one 'G' (or 'g') at its end, in both forms. redis-benchmark asks for CONFIG before it
// starts; an error is fine.
class PingPeer final : public Endpoint {
 public:
  PingPeer(PingServer& server, SocketFd fd);
  void on_bytes(ByteView bytes) override;
  void on_closed(ByteView) override {}
  EndpointState state() const override { return EndpointState::kOpen; }
  OutBuffer& out() override { return out_; }

 private:
  PingServer& server_;
  OutBuffer out_;
  Connection connection_;
};

class PingServer final : public AcceptSink, public ConnectionOwner, public SignalSink {
 public:
  explicit PingServer(Loop& loop_in) : loop(loop_in) {}
  void on_accepted(SocketFd fd, const Listener&) override { (void)new PingPeer(*this, fd); }
  void on_idle(Connection& connection) override { delete &connection.endpoint(); }
  void on_signal(Signal) override { stopped = true; }

  Loop& loop;
  Heap heap;
  FlushList flush_list;
  uint64_t pings = 0;
  bool stopped = false;
};

PingPeer::PingPeer(PingServer& server, SocketFd fd)
    : server_(server),
      out_(server.heap),
      connection_(server.loop, server.flush_list, fd, *this, server) {}

void PingPeer::on_bytes(ByteView bytes) {
  if (bytes.find("CONFIG") != ByteView::npos) {
    out_.append("-ERR no\r\n-ERR no\r\n");
    return;
  }
  for (const char byte : bytes) {
    if (byte != 'G' && byte != 'g') continue;
    out_.append("+PONG\r\n");
    ++server_.pings;
  }
}

int run(ByteView backend, uint16_t port) {
  StdoutLog log;
  const ProbedLoop probed = make_loop(io_backend_from(backend).value_or(IoBackend::kAuto));
  log.print(LogLevel::kNotice, "%s", probed.words.c_str());
  if (probed.loop == nullptr) return 1;
  Loop& loop = *probed.loop;
  // Left to the end of the process: peers that are still connected refer to it.
  PingServer& server = *new PingServer(loop);
  Listener& listener = *new Listener(loop, log, server);
  Signals& signals = *new Signals(loop, server);
  (void)signals;
  if (listener.open(*Address::from_ip("127.0.0.1", port), {}) != 0) return 1;
  log.print(LogLevel::kNotice, "%u", static_cast<unsigned>(listener.address().port()));
  uint64_t turns = 0;
  const Micros cpu_before = thread_cpu_now();
  while (!server.stopped) {
    loop.run_once(100);
    server.flush_list.flush_all();
    ++turns;
  }
  const double cpu = static_cast<double>(thread_cpu_now() - cpu_before);
  log.print(LogLevel::kNotice, "pings %llu, CPU %.3f us each, turns %llu",
            static_cast<unsigned long long>(server.pings), cpu / static_cast<double>(server.pings),
            static_cast<unsigned long long>(turns));
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace
}  // namespace ouro

int main(int argc, char** argv) {
  return ouro::run(argc > 1 ? argv[1] : "auto",
                   static_cast<uint16_t>(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0));
}
